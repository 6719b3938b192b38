"""A document's text by lines and characters."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate

from askmd.types import Lines


@dataclass(frozen=True, slots=True)
class Range:
    """Half-open range of code points in the document's text."""

    start: int
    end: int


class Source:
    """The text a document is cut from."""

    def __init__(self, text: str) -> None:
        """Note where each line starts; only line feeds end lines, as in the outline."""
        self.text = text
        sizes = [len(line) + 1 for line in text.split("\n")]
        self._starts = [0, *accumulate(sizes)]

    def of_lines(self, lines: Lines) -> Range:
        """Return the characters of lines, 1-based and inclusive, the last newline left out."""
        return Range(self._starts[lines[0] - 1], self._starts[lines[1]] - 1)

    def lines(self, start: int, end: int) -> Lines:
        """Return the lines a non-empty range touches, 1-based and inclusive."""
        return bisect_right(self._starts, start), bisect_right(self._starts, end - 1)

    def trimmed(self, start: int, end: int) -> Range | None:
        """Return the range without blank edges; None if nothing is left.

        A range that starts with a line keeps that line's indentation: code and lists live by it.
        """
        piece = self.text[start:end]
        first = start + len(piece) - len(piece.lstrip())
        end = start + len(piece.rstrip())
        if first >= end:
            return None
        newline = self.text.rfind("\n", start, first)
        if newline >= 0:
            return Range(newline + 1, end)
        at_line_start = start == 0 or self.text[start - 1] == "\n"
        return Range(start if at_line_start else first, end)
