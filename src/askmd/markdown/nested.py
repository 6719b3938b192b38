"""Blocks inside blocks: a list's items, and what items, quotes and containers hold.

Their lines are read again without marker, indentation or quote mark, one line for one, so that
numbers inside are numbers outside. Each level costs what its text costs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from askmd.markdown.dialects import INDENTED
from askmd.markdown.headings import Headings
from askmd.markdown.limits import Size
from askmd.markdown.lists import items
from askmd.markdown.reading import find_blocks
from askmd.markdown.spans import CALLOUT, LEAD, Span, indent
from askmd.types import Block, BlockKind

MAX_DEPTH = 5
"""Blocks that stand deeper are not looked into, so that reading costs at most so often as much."""
MAX_WHOLE_CHARS = 200
"""A block up to this long is never cut, so nobody asks what is inside."""
_QUOTE_MARK = re.compile(r" {0,3}>(\t| ?)")


class Nest:
    """Makes blocks of a document's spans, those inside them included."""

    def __init__(self, headings: Headings, size: Size) -> None:
        self._headings = headings
        self._size = size

    def block(
        self, span: Span, lines: Sequence[str], offset: int, *, depth: int = 0, width: int = 0
    ) -> Block:
        """Return the block of a span; ``offset`` lines of the document stand above ``lines``.

        ``width`` is how far in a list item's content stands. Raises ValueError where the document
        holds more blocks than text.
        """
        kind, first, end, level, info = span
        numbers = (offset + first + 1, offset + end)
        if kind == "heading":
            return Block(kind, numbers, level, self._headings.read(info).text)
        if kind not in _INSIDES or depth == MAX_DEPTH or not _is_long(lines, first, end):
            return Block(kind, numbers, level, info)
        if kind == "list":
            held = tuple(self._items(span, lines, offset, depth))
        else:
            inside = _INSIDES[kind](lines[first:end], width)
            spans = find_blocks(inside)
            self._size.add(len(spans))
            held = tuple(
                self.block(each, inside, offset + first, depth=depth + 1) for each in spans
            )
        return Block(kind, numbers, level, info, held)

    def _items(self, span: Span, lines: Sequence[str], offset: int, depth: int) -> Iterator[Block]:
        found = items(lines, span.first, span.end)
        self._size.add(len(found))
        for first, end, width in found:
            while not lines[end - 1].strip():
                end -= 1
            yield self.block(Span("item", first, end), lines, offset, depth=depth, width=width)


def _is_long(lines: Sequence[str], first: int, end: int) -> bool:
    chars = 0
    for index in range(first, end):
        chars += len(lines[index]) + 1
        if chars > MAX_WHOLE_CHARS:
            return True
    return False


def _in_item(lines: Sequence[str], width: int) -> list[str]:
    opening = lines[0][:LEAD].expandtabs(4)[width:] + lines[0][LEAD:]
    return [opening, *[_indented(line, width) for line in lines[1:]]]


def _in_quote(lines: Sequence[str], _: int) -> list[str]:
    inside = [_unquoted(line) for line in lines]
    if CALLOUT.match(lines[0]):
        inside[0] = ""
    return inside


def _in_container(lines: Sequence[str], _: int) -> list[str]:
    """Return what stands between the opener and the closer, or indented under the opener."""
    if INDENTED.match(lines[0]):
        width = indent(lines[0]) + 4
        return ["", *(_indented(line, width) for line in lines[1:])]
    return ["", *lines[1:-1], ""]


_INSIDES: dict[BlockKind, Callable[[Sequence[str], int], list[str]]] = {
    "list": lambda lines, _: list(lines),
    "item": _in_item,
    "quote": _in_quote,
    "container": _in_container,
}


def _indented(line: str, width: int) -> str:
    """Return a line without ``width`` columns of indentation; a lazy line has fewer."""
    if line[:1].isalpha():
        return line
    if line.startswith(" " * width):
        return line[width:]
    columns = indent(line)
    if columns < width:
        return _lazy(line)
    return " " * (columns - width) + line.lstrip(" \t")


def _unquoted(line: str) -> str:
    mark = _QUOTE_MARK.match(line)
    if mark is None:
        return _lazy(line)
    # The tab after a mark reaches to the fourth column; the mark takes two.
    return ("  " if mark[1] == "\t" else "") + line[mark.end() :]


def _lazy(line: str) -> str:
    """Return a line that goes on a paragraph: in there it may underline no heading."""
    return "\\" + line if line.lstrip(" ").startswith("=") else line
