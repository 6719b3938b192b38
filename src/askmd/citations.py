"""The ``[n]`` marks of an answer: read while it streams, checked against what was sent.

Marks inside code spans and fences are text. Code is recognised from the left alone, for a stream
has no end to look ahead to: a span therefore ends with its line.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass

from askmd.types import Citation, Passage

LONGEST_MARK = 24
"""Characters a mark has at most; what is longer is text."""

_MARK = re.compile(r"\[ *\d{1,3}(?: *[,;\u2013-] *\d{1,3})* *\]")
_RANGE = re.compile(r"(\d+)(?: *[\u2013-] *(\d+))?")
_INSIDE = frozenset("0123456789 ,;-\u2013")


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer whose marks all point at passages that were sent."""

    text: str
    """The answer without the marks that point nowhere."""
    citations: tuple[Citation, ...]
    """One for each passage that is cited, by number."""
    invented: tuple[int, ...]
    """Numbers that were cited but never sent, in order of first mention."""


def cited_numbers(text: str) -> list[int]:
    """Return the numbers that ``[1]``, ``[1, 2]`` and ``[1-3]`` name, each once, as they appear."""
    marks = MarkFilter(range(1, 1000))
    marks.feed(text)
    return list(marks.cited)


def cite(answer_text: str, passages: Sequence[Passage]) -> Cited:
    """Return an answer with its citations; marks of passages that were never sent are cut out."""
    marks = MarkFilter({passage.number for passage in passages})
    text = marks.feed(answer_text) + marks.flush()
    return Cited(text, citations_of(passages, marks.cited), tuple(marks.invented))


def citations_of(passages: Sequence[Passage], numbers: Container[int]) -> tuple[Citation, ...]:
    """Return a citation for each passage whose number is among ``numbers``, by number."""
    chosen = [passage for passage in passages if passage.number in numbers]
    return tuple(_citation(passage) for passage in sorted(chosen, key=lambda p: p.number))


def _citation(passage: Passage) -> Citation:
    return Citation(
        passage.number,
        passage.path,
        passage.heading,
        passage.anchor,
        passage.lines,
        passage.chars,
        passage.chunks,
        passage.score,
        passage.text,
    )


class MarkFilter:
    """Passes an answer through, character by character, without the marks that point nowhere.

    What comes out does not depend on where the deltas were cut. An open bracket and the space
    before it are held back until it is clear whether they are a mark: 25 characters at most.
    """

    def __init__(self, valid: Container[int]) -> None:
        """Take the numbers that may be cited."""
        self._valid = valid
        self._code = _CodeTracker()
        self._space = ""
        self._open = ""
        self.cited: dict[int, None] = {}
        """Valid numbers seen so far, in order of first mention."""
        self.invented: dict[int, None] = {}
        """Other numbers seen so far, in order of first mention."""

    def feed(self, delta: str) -> str:
        """Return what can be shown now."""
        return "".join(map(self._step, delta))

    def flush(self) -> str:
        """Return what was held back, at the end of the answer."""
        return self._release()

    def _step(self, char: str) -> str:
        in_code = self._code.step(char)
        if self._open and char in _INSIDE and len(self._open) < LONGEST_MARK - 1:
            self._open += char
            return ""
        if self._open and char == "]":
            return self._close()
        if char == "[" and not in_code:
            shown = self._release() if self._open else ""
            self._open = "["
            return shown
        shown = self._release()
        if char == " ":
            self._space = char
            return shown
        return shown + char

    def _release(self) -> str:
        held, self._space, self._open = self._space + self._open, "", ""
        return held

    def _close(self) -> str:
        """Decide what becomes of a bracket that just closed."""
        space = self._space
        mark = self._open + "]"
        self._release()
        if not _MARK.fullmatch(mark):
            return space + mark
        numbers = _numbers(mark)
        good = [number for number in numbers if number in self._valid]
        self.cited.update(dict.fromkeys(good))
        if len(good) == len(numbers):
            return space + mark
        self.invented.update((number, None) for number in numbers if number not in self._valid)
        return f"{space}[{', '.join(map(str, good))}]" if good else ""


def _numbers(mark: str) -> list[int]:
    """Return every number a mark names; ``[1-3]`` names three."""
    numbers: list[int] = []
    for first, last in _RANGE.findall(mark):
        numbers += range(int(first), int(last or first) + 1) or [int(first), int(last)]
    return numbers


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
