"""Lines → the blocks they are, by the parser where it can be had and by the scanner elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence

from askmd.markdown import parser, scanner, tables
from askmd.markdown.dialects import Dialects
from askmd.markdown.spans import Span, complete

MAX_PARSED_CHARS = 128 * 1024
"""Above this the linear scanner reads: the parser needs up to 24 seconds a megabyte."""
MAX_QUOTED_LINES = 100_000
"""Lines times the deepest quote's levels: the parser tries a lazy line on each level above it."""
_PREFIX = re.compile(r"(?:[ \t>]|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))*+")
"""The markers of quotes and list items that open a line."""


def find_blocks(lines: Sequence[str]) -> list[Span]:
    """Return the top-level blocks of lines without newlines; every non-blank line is in one."""
    if _is_costly(lines):
        return by_scanner(lines)
    try:
        return finished(parser.find(lines, Dialects(lines)), lines)
    except parser.TooNested:
        return by_scanner(lines)


def by_scanner(lines: Sequence[str]) -> list[Span]:
    """Return what ``find_blocks`` does, at a cost that grows with the text alone."""
    return finished(scanner.find(lines, Dialects(lines)), lines)


def finished(spans: Sequence[Span], lines: Sequence[str]) -> list[Span]:
    """Return the blocks with what no reader sees: definitions, tables, callouts, comments."""
    found: list[Span] = []
    for span in complete(spans, lines):
        if span.end - span.first > 1 and span.kind in ("paragraph", "heading"):
            found.extend(tables.separate(span, lines))
        else:
            found.append(span)
    return found


def _is_costly(lines: Sequence[str]) -> bool:
    """Return whether the parser would take more than about a second."""
    if sum(map(len, lines)) + len(lines) > MAX_PARSED_CHARS:
        return True
    prefixes = (_PREFIX.match(line) for line in lines if ">" in line)
    deepest = max((match[0].count(">") for match in prefixes if match), default=0)
    return deepest * len(lines) > MAX_QUOTED_LINES
