"""A Markdown text that grows: what of it is finished, and what may still change."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it.token import Token

from askmd.terminal.markdown_rows import Drawer, Row, parts, plain_rows

LARGEST_BLOCK = 16_384
"""Characters after which an unfinished block is shown as the text it is: parsing it again and
again, or tables and nested marks of this size, would hold up what follows."""

_MARKS_ALONE = re.compile(r"[\s>]*+[-=*_`~#|+:.)\d \t]*+")


@dataclass(frozen=True, slots=True)
class _Fence:
    """A fence whose end was not read yet."""

    end: re.Pattern[str]
    indent: int


class Growing:
    """Cuts a growing text into rows that stay and rows that may still change."""

    def __init__(self, drawer: Drawer) -> None:
        """Begin with nothing."""
        self._drawer = drawer
        self._text = ""
        self._fence: _Fence | None = None
        self._is_begun = False
        self._is_parted = False

    def feed(self, text: str) -> list[Row]:
        """Take more text; return the rows that are finished."""
        self._text += text
        is_too_long = len(self._text) > LARGEST_BLOCK and not self._fence
        if "\n" not in text and not is_too_long:
            return []
        complete, newline, partial = self._text.rpartition("\n")
        rows, rest = self._finished(complete + newline)
        self._text = rest + partial
        if len(self._text) > LARGEST_BLOCK and not self._fence:
            rows += self._block(plain_rows(self._text))
            self._text = ""
        return rows

    def rest(self) -> list[Row]:
        """Return the rows of what is unfinished, as it looks now."""
        complete, newline, partial = self._text.rpartition("\n")
        # "-" may become an item, a heading's line or a rule: wait for what comes.
        text = self._text if not _MARKS_ALONE.fullmatch(partial) else complete + newline
        code = partial[-LARGEST_BLOCK:]
        rows = self._drawer.code(code) if self._fence else self._drawer.rows(text)
        return [*self._gap(), *rows] if rows else []

    def end(self) -> list[Row]:
        """Return the rows of what was unfinished, at the end of the text."""
        rows, rest = self._finished(self._text)
        rows += self._block(self._drawer.rows(rest))
        self._text = ""
        return rows

    def _finished(self, text: str) -> tuple[list[Row], str]:
        """Return the rows of whole lines that are finished, and the lines that are not."""
        rows: list[Row] = []
        if self._fence:
            rows, text = self._code(text, self._fence)
        found = parts(text) if text else []
        for part in found[:-1]:
            rows += self._block(self._drawer.rows_of(part))
        if not found:
            return rows, ""
        last = found[-1]
        if (fence := last.open_fence) is not None:
            rows += self._emitted(self._drawer.code(fence.content))
            self._fence = _opened(fence, text.split("\n")[last.first_line])
            return rows, ""
        return rows, "\n".join(text.split("\n")[last.first_line :])

    def _code(self, text: str, fence: _Fence) -> tuple[list[Row], str]:
        """Return the rows of an open fence, and the text after its end."""
        lines = text.removesuffix("\n").split("\n")
        end = next((place for place, line in enumerate(lines) if fence.end.fullmatch(line)), None)
        inside = "".join(f"{_unindented(line, fence.indent)}\n" for line in lines[:end])
        rows = self._emitted(self._drawer.code(inside))
        if end is None:
            return rows, ""
        self._fence, self._is_parted = None, self._is_begun
        return rows, "".join(f"{line}\n" for line in lines[end + 1 :])

    def _block(self, rows: list[Row]) -> list[Row]:
        """Return a whole block's rows, parted from what stands above and below."""
        emitted = self._emitted(rows)
        self._is_parted = self._is_begun
        return emitted

    def _emitted(self, rows: list[Row]) -> list[Row]:
        emitted = [*self._gap(), *rows] if rows else []
        if rows:
            self._is_begun, self._is_parted = True, False
        return emitted

    def _gap(self) -> list[Row]:
        """Return the empty row before a block, or none within one."""
        return [Row()] if self._is_parted else []


def _opened(fence: Token, line: str) -> _Fence:
    mark = re.escape(fence.markup[0])
    end = re.compile(rf" {{0,3}}{mark}{{{len(fence.markup)},}}[ \t]*")
    return _Fence(end, len(line) - len(line.lstrip(" ")))


def _unindented(line: str, indent: int) -> str:
    """Return a line without as many columns of indentation as its fence has."""
    column = 0
    for place, char in enumerate(line):
        if column >= indent or char not in " \t":
            return " " * (column - indent) + line[place:]
        column += 4 - column % 4 if char == "\t" else 1
    return " " * (column - indent)
