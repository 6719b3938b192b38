"""GFM tables, found by a linear look at the rows of a paragraph.

markdown-it's own rule makes a token per cell, whether the row has it or not: 25 KB of wide
tables cost it 8 seconds. https://github.github.com/gfm/#tables-extension-
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from askmd.markdown.spans import Span

_DELIMITER_ROW = re.compile(r"\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?$")


def separate(span: Span, lines: Sequence[str]) -> Iterator[Span]:
    """Yield a paragraph's text and table apart; any other block as it is.

    CommonMark takes a table with ``---`` right under it for a setext heading; GFM sees a table.
    """
    if span.kind not in ("paragraph", "heading") or span.end - span.first < 2:
        yield span
        return
    header = _header(lines, span.first, span.end)
    if header is None:
        yield span
        return
    underlined = span.kind == "heading" and lines[span.end - 1].lstrip().startswith("-")
    end = span.end - 1 if underlined else span.end
    # CommonMark counts a line of U+2028 to the paragraph; above a table it is nothing to read.
    if any(line.strip() for line in lines[span.first : header]):
        yield Span("paragraph", span.first, header)
    yield Span("table", header, end)
    if underlined:
        yield Span("rule", end, span.end)


def _header(lines: Sequence[str], first: int, end: int) -> int | None:
    """Return the line of the first table's header, None where no table starts."""
    for index in range(first + 1, end):
        row = lines[index].strip()
        if "|" not in row or "-" not in row or not _DELIMITER_ROW.match(row):
            continue
        if "|" in lines[index - 1] and _cells(lines[index - 1]) == _cells(row):
            return index - 1
    return None


def _cells(row: str) -> int:
    row = row.strip().replace("\\|", "")
    inner = row.count("|") - row.startswith("|") - (len(row) > 1 and row.endswith("|"))
    return inner + 1
