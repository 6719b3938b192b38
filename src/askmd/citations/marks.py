"""The ``[n]`` marks of an answer: read while it streams, checked against what was sent.

Marks inside code spans, fences and indented code are text. Code is recognised from the left alone,
for a stream has no end to look ahead to: a span therefore ends with its line.

``down[1]`` may be a citation and ``argv[1]`` an index. So a mark in a doubtful place, which is one
after a word, before ``(`` or before the ``:`` of a definition, is a citation where all its numbers
were sent and text where not.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from askmd.types import Citation, Passage

LONGEST_MARK = 120
"""Characters a mark has at most; what is longer is text."""
LONGEST_RANGE = 50
"""Numbers a range like ``[1-3]`` stands for at most; of a longer one only the ends count."""

_MARK = re.compile(r"\[ *\d{1,3}(?: *[,;\u2013-] *\d{1,3})* *\]")
_RANGE = re.compile(r"(\d+)(?: *[\u2013-] *(\d+))?")
_INSIDE = frozenset("0123456789 ,;-\u2013")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?=\S)")
_LONGEST_INDENT = 80


def citations_of(passages: Sequence[Passage], numbers: Container[int]) -> tuple[Citation, ...]:
    """Return a citation for each passage whose number is among ``numbers``, by number."""
    chosen = [passage for passage in passages if passage.number in numbers]
    return tuple(_citation(passage) for passage in sorted(chosen, key=lambda p: p.number))


def _citation(passage: Passage) -> Citation:
    return Citation(
        number=passage.number,
        path=passage.path,
        heading=passage.heading,
        anchor=passage.anchor,
        anchors=passage.anchors,
        lines=passage.lines,
        chars=passage.chars,
        chunks=passage.chunks,
        score=passage.score,
        text=passage.text,
    )


class MarkFilter:
    """Passes an answer through, character by character, without the marks that point nowhere.

    What comes out does not depend on where the deltas were cut. An open bracket and the space
    before it are held back until it is clear whether they are a mark, and a mark that points
    nowhere until the character after it: LONGEST_MARK + 1 characters at most.
    """

    def __init__(self, valid: Container[int]) -> None:
        """Take the numbers that may be cited."""
        self._valid = valid
        self._code = _CodeTracker()
        self._indent = _IndentTracker()
        self._space = ""
        self._open = ""
        self._closed = ""
        """A whole mark that is cut out unless the next character makes it something else."""
        self._follows_word = False
        """Whether the last character was part of a word, or closed a bracket that is text."""
        self._is_glued = False
        """Whether the open bracket follows a word."""
        self._starts_line = False
        """Whether nothing but blanks stands before the open bracket on its line."""
        self.cited: dict[int, None] = {}
        """Valid numbers seen so far, in order of first mention."""
        self.invented: dict[int, None] = {}
        """Other numbers seen so far, in order of first mention."""

    def feed(self, delta: str) -> str:
        """Return what can be shown now."""
        return "".join(map(self._step, delta))

    def flush(self) -> str:
        """Return what was held back, at the end of the answer."""
        return self._settle("") + self._release()

    def _step(self, char: str) -> str:
        in_code = self._code.step(char)
        self._indent.step(char)
        settled = self._settle(char)
        if self._open and char in _INSIDE and len(self._open) < LONGEST_MARK - 1:
            self._open += char
            self._follows_word = _is_word(char)
            return settled
        if self._open and char == "]":
            return settled + self._close()
        if char == "[" and not in_code and not self._indent.is_code:
            return settled + self._begin()
        shown = settled + self._release()
        self._follows_word = char == "]" or _is_word(char)
        if char == " ":
            self._space = char
            return shown
        return shown + char

    def _begin(self) -> str:
        """Open a bracket; return the one that was open, but keep the space before this one."""
        shown = self._release() if self._open else ""
        self._open = "["
        self._is_glued, self._follows_word = self._follows_word, False
        self._starts_line = self._indent.line.strip(" ") == "["
        return shown

    def _release(self) -> str:
        held, self._space, self._open = self._space + self._open, "", ""
        return held

    def _close(self) -> str:
        """Decide what becomes of a bracket that just closed; hold it back if that is not clear."""
        mark = self._open + "]"
        numbers = _numbers(mark) if _MARK.fullmatch(mark) else []
        self._follows_word = False
        if numbers and all(number in self._valid for number in numbers):
            self.cited.update(dict.fromkeys(numbers))
        elif numbers and not self._is_glued:
            self._closed, self._open = mark, ""
            return ""
        else:
            self._follows_word = True
        space, self._space, self._open = self._space, "", ""
        return space + mark

    def _settle(self, following: str) -> str:
        """Return what is left of the mark that was held back, now that its next one is known."""
        if not self._closed:
            return ""
        mark, self._closed = self._closed, ""
        space, self._space = self._space, ""
        if following == "(" or (following == ":" and self._starts_line):
            return space + mark
        numbers = _numbers(mark)
        good = [number for number in numbers if number in self._valid]
        self.cited.update(dict.fromkeys(good))
        self.invented.update((number, None) for number in numbers if number not in self._valid)
        return f"{space}[{', '.join(map(str, good))}]" if good else ""


def _is_word(char: str) -> bool:
    # Code is ASCII; and where no spaces part the words, as in Chinese, every mark follows one.
    return char.isascii() and (char.isalnum() or char == "_")


def _numbers(mark: str) -> list[int]:
    """Return every number a mark names, each once; ``[1-3]`` names three."""
    numbers: dict[int, None] = {}
    for first, last in _RANGE.findall(mark):
        ends = [int(first), int(last or first)]
        is_range = 0 <= ends[1] - ends[0] < LONGEST_RANGE
        numbers.update(dict.fromkeys(range(ends[0], ends[1] + 1) if is_range else ends))
    return list(numbers)


class _IndentTracker:
    """Tells, a character at a time, whether a line is indented code: after a blank line, four deep.

    Inside a list item, four deeper than the item's text: what stands less deep is its paragraph.
    """

    def __init__(self) -> None:
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


class _CodeTracker:
    """Tells, a character at a time, whether text stands in a code span or a fence."""

    def __init__(self) -> None:
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
