"""The ``[n]`` marks of an answer: read while it streams, checked against what was sent.

Marks inside code spans, fences and indented code are text. Code is recognised from the left alone,
for a stream has no end to look ahead to: a span therefore ends with its line.

``down[1]`` may be a citation and ``argv[1]`` an index. So a mark in a doubtful place, which is one
after a word, before ``(`` or before the ``:`` of a definition, is a citation where all its numbers
were sent and text where not.

Models also write ``【1】``, ``[1†source]``, ``[^1]`` and ``[passage 1]``. These become ``[1]``, but
before ``(`` or the ``:`` of a definition they are text, and so is a ``【1】`` that begins a line:
that is how Chinese and Japanese number their steps.
"""

from __future__ import annotations

import re
from collections.abc import Container

from askmd.citations.code import CodeTracker, IndentTracker

LONGEST_MARK = 120
"""Characters a mark has at most; what is longer is text."""
LONGEST_RANGE = 50
"""Numbers a range like ``[1-3]`` stands for at most; of a longer one only the ends count."""

_CLOSES = {"[": "]", "\u3010": "\u3011", "\uff3b": "\uff3d"}
_OPEN = f"[{re.escape(''.join(_CLOSES))}]"
_SHUT = f"[{re.escape(''.join(_CLOSES.values()))}]"
_WORDS = """
    passage passages source sources citation citations reference references ref refs quelle quellen
    fuente fuentes fonte fontes bron bronnen \u51fa\u5178 \u6765\u6e90 \u4f86\u6e90
    \u6bb5\u843d \ucd9c\ucc98
"""
_LABELS = frozenset(_WORDS.split())
"""What models write before the number of a passage."""
_LABEL = re.compile(rf"{_OPEN} *+(?:\^|(?P<word>[^\W\d_]{{1,12}})(?P<gap>[ :.#-]{{0,2}}))?")
_TAIL = r"(?:\u2020[^\[\]`\n\u3010\u3011\uff3b\uff3d]*+)?"
_REST = re.compile(rf"(?:[0-9 ,;&\u2013-]|a(?:nd?)?)*+{_TAIL}")
_PLAIN = r"\d{1,3}(?: *[,;\u2013-] *\d{1,3})*"
_MARK = re.compile(rf"\[ *{_PLAIN} *\]")
_NUMBERS = r"\d{1,3}(?: *(?:[,;&\u2013-]|and) *\d{1,3})*"
_FOREIGN = re.compile(rf" *(?P<numbers>{_NUMBERS}) *(?P<tail>{_TAIL}){_SHUT}")
_RANGE = re.compile(r"(\d+)(?: *[\u2013-] *(\d+))?")
MARK = r"\[ *+\d{1,3}(?: *+[,;\u2013-] *+\d{1,3})*+ *+\]"
"""A regular expression of what is left in a text that was filtered, and of some text."""


class MarkFilter:
    """Passes an answer through, character by character, without the marks that point nowhere.

    What comes out does not depend on where the deltas were cut. An open bracket and the space
    before it are held back until it is clear whether they are a mark, and a mark that points
    nowhere until the character after it: LONGEST_MARK + 1 characters at most.
    """

    def __init__(self, valid: Container[int]) -> None:
        """Take the numbers that may be cited."""
        self._valid = valid
        self._code = CodeTracker()
        self._indent = IndentTracker()
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
        if self._open and not in_code:
            if char == _CLOSES[self._open[0]]:
                return settled + self._close(char)
            if len(self._open) < LONGEST_MARK - 1 and _may_become_mark(self._open + char):
                self._open += char
                self._follows_word = _is_word(char)
                return settled
        if char in _CLOSES and not in_code and not self._indent.is_code:
            return settled + self._begin(char)
        shown = settled + self._release()
        self._follows_word = char == "]" or _is_word(char)
        if char == " ":
            self._space = char
            return shown
        return shown + char

    def _begin(self, char: str) -> str:
        """Open a bracket; return the one that was open, but keep the space before this one."""
        shown = self._release() if self._open else ""
        self._open = char
        self._is_glued, self._follows_word = self._follows_word, False
        self._starts_line = self._indent.line.strip(" ") == char
        return shown

    def _release(self) -> str:
        held, self._space, self._open = self._space + self._open, "", ""
        return held

    def _close(self, char: str) -> str:
        """Decide what becomes of a bracket that just closed; hold it back if that is not clear."""
        mark = self._open + char
        numbers = numbers_of(mark) if _MARK.fullmatch(mark) else []
        self._follows_word = False
        if not numbers and _is_foreign(mark, self._starts_line):
            self._closed, self._open = mark, ""
            return ""
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
        numbers = numbers_of(mark)
        good = [number for number in numbers if number in self._valid]
        self.cited.update(dict.fromkeys(good))
        self.invented.update((number, None) for number in numbers if number not in self._valid)
        return f"{space}[{', '.join(map(str, good))}]" if good else ""


def _is_word(char: str) -> bool:
    # Code is ASCII; and where no spaces part the words, as in Chinese, every mark follows one.
    return char.isascii() and (char.isalnum() or char == "_")


def _may_become_mark(text: str) -> bool:
    """Tell whether an open bracket with what follows it so far can still be a mark."""
    label = _LABEL.match(text)
    word = label["word"].casefold() if label and label["word"] else ""
    rest = text[label.end() :] if label else text
    if word and not rest and label and not label["gap"]:
        return any(one.startswith(word) for one in _LABELS)
    return (not word or word in _LABELS) and _REST.fullmatch(rest) is not None


def _is_foreign(mark: str, starts_line: bool) -> bool:
    """Tell whether a closed bracket is a mark in another form than ``[1]``."""
    label = _LABEL.match(mark)
    found = _FOREIGN.fullmatch(mark, label.end()) if label else None
    if not label or not found:
        return False
    is_named = label["word"] is not None and label["word"].casefold() in _LABELS
    # A step that is numbered as Chinese and Japanese do it.
    is_step = starts_line and mark[0] != "[" and not (is_named or found["tail"])
    return (is_named or not label["word"]) and not is_step


def numbers_of(mark: str) -> list[int]:
    """Return every number a mark names, each once; ``[1-3]`` names three."""
    numbers: dict[int, None] = {}
    for first, last in _RANGE.findall(mark.partition("\u2020")[0]):
        ends = [int(first), int(last or first)]
        is_range = 0 <= ends[1] - ends[0] < LONGEST_RANGE
        numbers.update(dict.fromkeys(range(ends[0], ends[1] + 1) if is_range else ends))
    return list(numbers)
