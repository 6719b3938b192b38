"""The last rows of a terminal, drawn again and again: rows that are finished stay above."""

from __future__ import annotations

from itertools import takewhile
from typing import TextIO

from askmd.terminal.markdown_rows import Drawer, Row, chopped, height

# The cursor is shown, and lines wrap, again within the same write: whatever ends the program
# between two of them leaves a sound terminal. 2026 asks for no repainting in between.
_BEGIN, _END = "\x1b[?2026h\x1b[?25l", "\x1b[?25h\x1b[?2026l"
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"
# Row by row: a terminal that is told to clear all it shows may keep that in its history.
_CLEAR, _CLEAR_ABOVE = "\r\x1b[K", "\x1b[A\x1b[K"


class Region:
    """Writes rows that stay, and below them rows that are replaced by the next drawing."""

    def __init__(self, stream: TextIO, drawer: Drawer) -> None:
        """Begin on an empty line."""
        self._stream = stream
        self._drawer = drawer
        self._shown: list[Row] = []
        self._left: list[Row] = []
        """First rows of what may change that are out of reach, where they belong."""
        self._is_whole = True
        """Whether what may change is shown from its first row on."""
        self._size = drawer.size

    def draw(self, finished: list[Row], unfinished: list[Row]) -> None:
        """Show rows that stay, then as many of the last ones that may change as fit."""
        columns, lines = size = self._drawer.size
        standing = self._standing(columns, lines) if size != self._size else len(self._shown)
        pieces = [piece for row in unfinished for piece in chopped(row, columns)]
        left = _agreeing(self._left, [*finished, *pieces])
        self._left = self._left[len(finished) : left]
        finished, pieces = finished[left:], pieces[max(left - len(finished), 0) :]
        changing = pieces[-max(lines - 2, 1) :]
        rows = [*finished, *changing]
        same = self._same(finished, rows) if size == self._size else 0
        if changing != self._shown or finished:
            self._write(rows, same, standing, len(finished))
        self._shown, self._size, self._is_whole = changing, size, changing == pieces

    def let_go(self) -> None:
        """Leave what is shown as it is, and go on below: others wrote to the terminal."""
        self._leave(len(self._shown))
        self._stream.write("\n")
        self._stream.flush()

    def _leave(self, count: int) -> None:
        """Take the first rows shown as out of reach."""
        if self._is_whole:
            self._left += self._shown[:count]
        self._shown = self._shown[count:]

    def _standing(self, columns: int, lines: int) -> int:
        """Return how many rows above the cursor's end are ours, after the size changed."""
        heights = [height(row, columns) for row in self._shown]
        while len(heights) > 1 and sum(heights) > lines:
            heights.pop(0)
        if columns == self._size[0]:
            self._leave(len(self._shown) - len(heights))
        return min(sum(heights), lines)

    def _same(self, finished: list[Row], rows: list[Row]) -> int:
        """Return how many rows stand on the screen already, as they are to be."""
        # What may wrap is written anew when it stays: it was cut where it changed.
        agrees = takewhile(
            lambda pair: pair[0] == pair[1] and (pair[0].is_plain or not finished),
            zip(rows, self._shown, strict=False),
        )
        same = sum(1 for _ in agrees)
        return max(same - 1, 0) if same == len(rows) < len(self._shown) else same

    def _write(self, rows: list[Row], same: int, standing: int, finished: int) -> None:
        """Replace the rows from the first that differs; the cursor ends behind the last.

        Where no row may change, it ends on the empty line below.
        """
        staying = [self._drawer.paint(row) for row in rows[same:finished]]
        changing = [self._drawer.paint(row) for row in rows[max(same, finished) :]]
        drawn = "\n".join([*staying, *([_CUT + "\n".join(changing) + _WRAP] if changing else [])])
        if len(rows) == finished and rows:
            drawn += "\n"
        self._stream.write(_BEGIN + self._moved(same, standing, bool(rows[same:])) + drawn + _END)
        self._stream.flush()

    def _moved(self, same: int, standing: int, has_more: bool) -> str:
        """Return what takes the cursor to where the first row that differs begins, on nothing."""
        if same < standing:
            return _CLEAR + _CLEAR_ABOVE * (standing - 1 - same)
        return "\n" if standing and has_more else ""


def _agreeing(rows: list[Row], others: list[Row]) -> int:
    """Return how many rows are the same in both from the first on."""
    pairs = zip(rows, others, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
