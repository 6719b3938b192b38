"""Lines → the blocks they are."""

from __future__ import annotations

from collections.abc import Sequence

from askmd.markdown import scanner, tables
from askmd.markdown.dialects import Dialects
from askmd.markdown.spans import Span, complete


def find_blocks(lines: Sequence[str]) -> list[Span]:
    """Return the top-level blocks of lines without newlines; every non-blank line is in one."""
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
