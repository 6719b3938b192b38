"""GFM tables, found by a linear look at the rows of a paragraph.

markdown-it's own rule makes a token per cell, whether the row has it or not: 25 KB of wide
tables cost it 8 seconds. https://github.github.com/gfm/#tables-extension-
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from askmd.markdown.spans import Span

RULER = re.compile(r" {0,3}-{2,}+(?: ++-{2,}+)+[ \t]*$")
"""What stands under the header of Pandoc's simple and multi-line tables."""
_EDGE = re.compile(r" {0,3}-{5,}[ \t]*$")
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


def ruled_end(lines: Sequence[str], first: int, ruler: int) -> int:
    """Return the line after Pandoc's table whose header starts at ``first``; 0 without rows.

    The table of rows that take several lines stands between two edges, its last one a heading's
    underline to CommonMark. https://pandoc.org/MANUAL.html#tables
    """
    rows = ruler + 1
    end = next((n for n in range(rows, len(lines)) if not lines[n].strip()), len(lines))
    if first and _EDGE.match(lines[first - 1]):
        edges = (n for n in range(rows, len(lines)) if _EDGE.match(lines[n]))
        edge = next(edges, -1)
        if edge > 0 and not "".join(lines[edge + 1 : edge + 2]).strip():
            end = edge + 1
    return end if end > rows else 0


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
