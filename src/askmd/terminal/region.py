"""The last rows of a terminal, drawn again and again: rows that are finished stay above."""

from __future__ import annotations

from itertools import takewhile
from typing import TextIO

from askmd.terminal.markdown_rows import Drawer, Row, chopped

# The cursor is shown, and lines wrap, again within the same write: whatever ends the program
# between two of them leaves a sound terminal. 2026 asks for no repainting in between.
_BEGIN, _END = "\x1b[?2026h\x1b[?25l", "\x1b[?25h\x1b[?2026l"
_CUT, _WRAP = "\x1b[?7l", "\x1b[?7h"


class Region:
    """Writes rows that stay, and below them rows that are replaced by the next drawing."""

    def __init__(self, stream: TextIO, drawer: Drawer) -> None:
        """Begin on an empty line."""
        self._stream = stream
        self._drawer = drawer
        self._shown: list[Row] = []
        self._size = drawer.size

    def draw(self, finished: list[Row], unfinished: list[Row]) -> None:
        """Show rows that stay, then as many of the last ones that may change as fit."""
        columns, lines = size = self._drawer.size
        pieces = [piece for row in unfinished for piece in chopped(row, columns)]
        changing = pieces[-max(lines - 1, 1) :]
        rows = [*finished, *changing]
        same = self._same(finished, rows) if size == self._size else 0
        if changing != self._shown or finished:
            self._write(rows, same, len(finished))
        self._shown, self._size = changing, size

    def _same(self, finished: list[Row], rows: list[Row]) -> int:
        """Return how many rows stand on the screen already, as they are to be."""
        # What may wrap is written anew when it stays: it was cut where it changed.
        agrees = takewhile(
            lambda pair: pair[0] == pair[1] and (pair[0].is_plain or not finished),
            zip(rows, self._shown, strict=False),
        )
        same = sum(1 for _ in agrees)
        return max(same - 1, 0) if same == len(rows) < len(self._shown) else same

    def _write(self, rows: list[Row], same: int, finished: int) -> None:
        """Replace the rows from the first that differs; the cursor ends behind the last.

        Where no row may change, it ends on the empty line below.
        """
        staying = [self._drawer.paint(row) for row in rows[same:finished]]
        changing = [self._drawer.paint(row) for row in rows[max(same, finished) :]]
        drawn = "\n".join([*staying, *([_CUT + "\n".join(changing) + _WRAP] if changing else [])])
        if len(rows) == finished and rows:
            drawn += "\n"
        self._stream.write(_BEGIN + self._moved(same, bool(rows[same:])) + drawn + _END)
        self._stream.flush()

    def _moved(self, same: int, has_more: bool) -> str:
        """Return what takes the cursor to where the first row that differs begins."""
        if same < len(self._shown):
            up = len(self._shown) - 1 - same
            return "\r" + (f"\x1b[{up}A" if up else "") + "\x1b[J"
        return "\n" if self._shown and has_more else ""
