"""Code in Markdown, told from the left alone: a stream has no end to look ahead to."""

from __future__ import annotations

import re

_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_LONGEST_INDENT = 80


class IndentTracker:
    """Tells, a character at a time, whether a line is indented code: after a blank line, four deep.

    Inside a list item, four deeper than the item's text: what stands less deep is its paragraph.
    """

    def __init__(self) -> None:
        """Begin before the first line."""
        self.line = ""
        """The beginning of the current line."""
        self._text_column = 0
        self._follows_blank = True
        self._follows_code = False

    def step(self, char: str) -> None:
        """Take the next character."""
        if char == "\n":
            self._end_line()
        elif len(self.line) < _LONGEST_INDENT:
            self.line += char

    def read(self, line: str) -> bool:
        """Take a whole line, without its end; tell whether it is indented code."""
        self.line = line[:_LONGEST_INDENT]
        is_code = self.is_code and bool(line.strip())
        self._end_line()
        return is_code

    @property
    def is_code(self) -> bool:
        """Whether the current line is indented code."""
        may_begin = self._follows_blank or self._follows_code
        return may_begin and _width(self.line) >= self._text_column + 4

    def _end_line(self) -> None:
        line, is_code = self.line, self.is_code
        self.line = ""
        if not line.strip():
            self._follows_blank = True
            return
        item = None if is_code else _ITEM.match(line)
        if item:
            self._text_column = _width(item.group(), len(item.group()))
        elif self._follows_blank:
            # Right after an item's line, even a line without indentation goes on with the item.
            self._text_column = min(self._text_column, _width(line))
        self._follows_blank, self._follows_code = False, is_code


def _width(line: str, characters: int | None = None) -> int:
    """Return the columns that a line's indentation takes, or its first so many characters."""
    length = len(line) - len(line.lstrip(" \t")) if characters is None else characters
    return len(line[:length].expandtabs(4))


class CodeTracker:
    """Tells, a character at a time, whether text stands in a code span or a fence."""

    def __init__(self) -> None:
        """Begin before the first character."""
        self._fence = ("", 0)
        self._span = 0
        self._run = ("", 0)
        self._is_line_start = True
        self._run_starts_line = False
        self._is_opening = False
        """On the line that opened a fence, after its run."""
        self._may_close = False
        """On a line of a fence that so far holds nothing but a closing run."""

    def step(self, char: str) -> bool:
        """Take the next character; tell whether it stands in code."""
        if char == self._run[0]:
            self._run = (char, self._run[1] + 1)
            return True
        self._end_run()
        if char == "\n":
            self._end_line()
        elif char == "`" or (char == "~" and self._is_line_start):
            self._begin_run(char)
        elif char not in " \t>":
            self._is_line_start = self._may_close = False
        return bool(self._fence[1] or self._span)

    def _begin_run(self, char: str) -> None:
        # CommonMark: a fence's info string holds no backtick, so ```x``` on one line is a span.
        if self._is_opening and self._fence[0] == char:
            self._span, self._fence, self._is_opening = self._fence[1], ("", 0), False
        self._run = (char, 1)
        self._run_starts_line, self._is_line_start = self._is_line_start, False
        self._may_close = False

    def _end_run(self) -> None:
        (char, length), self._run = self._run, ("", 0)
        if not char:
            return
        if self._fence[1]:
            fits = char == self._fence[0] and length >= self._fence[1]
            self._may_close = fits and self._run_starts_line
        elif length >= 3 and self._run_starts_line:
            self._fence, self._is_opening = (char, length), True
        elif char == "`" and self._span in (0, length):
            self._span = 0 if self._span else length

    def _end_line(self) -> None:
        if self._may_close:
            self._fence = ("", 0)
        self._span = 0
        self._is_line_start = True
        self._is_opening = self._may_close = False
