"""The ``[n]`` marks of an answer: read while it streams, checked against what was sent.

Marks inside code spans, fences and indented code are text. Code is recognised from the left alone,
for a stream has no end to look ahead to: a span therefore ends with its line.

``down[1]`` may be a citation and ``argv[1]`` an index. So a mark in a doubtful place, which is one
after a word, where ``places`` says so, before ``(`` or before the ``:`` of a definition, is a
citation where all its numbers were sent and text where not. Right after a number it is a mark, for
nobody indexes ``8080``. Numbers begin at 1, and are few: ``[0-9]`` and ``[404]`` are text, and so
is what was copied from a passage with the word before it.

Models also write ``【1】``, ``[1†source]``, ``[^1]`` and ``[passage 1]``. These become ``[1]``, but
before ``(`` or the ``:`` of a definition they are text, and so is a ``【1】`` that begins a line:
that is how Chinese and Japanese number their steps.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from askmd.citations.code import CodeTracker, IndentTracker
from askmd.citations.places import Copied, Surroundings

LONGEST_MARK = 120
"""Characters a mark has at most; what is longer is text."""
LONGEST_RANGE = 50
"""Numbers a range like ``[1-3]`` stands for at most; of a longer one only the ends count."""
LEAST_FAR = 100
"""A number that was never sent is a status or a size from here on, and no slip in counting."""
MOST_BEYOND = 10
"""How far above twice the count of what was sent a number in mid-sentence may be a mark."""

_PAIRS = {"(": ")", "\uff08": "\uff09", "*": "*"}
"""What a mark may stand alone in."""
_MOST_OPENERS = 6
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

    What comes out does not depend on where the deltas were cut. An open bracket and what stands
    before it, a space and the opening half of an empty pair, are held back until it is clear
    whether they are a mark; a mark that points nowhere until the character after it, and a pair
    that is left empty until its other half: LONGEST_MARK + 1 characters at most.
    """

    def __init__(self, valid: Collection[int], texts: Sequence[str] = ()) -> None:
        """Take the numbers that may be cited, and what was sent: what is copied from it is text."""
        self._valid = valid
        self._copied = Copied(texts)
        self._last_near = 2 * len(valid) + MOST_BEYOND if valid else LEAST_FAR
        self._code = CodeTracker()
        self._indent = IndentTracker()
        self._place = Surroundings()
        self._lead = ""
        """What is held back before a bracket: a space, the opening halves of pairs."""
        self._open = ""
        self._closed = ""
        """A whole mark that is cut out unless the next character makes it something else."""
        self._emptied = ""
        """The lead of a mark that was cut out, while its pair may close."""
        self._shut = ""
        """How much of the pair has closed."""
        self._follows_word = False
        """Whether the last character was part of a word, or closed a bracket that is text."""
        self._context = ""
        """What stands before the open bracket, as ``Copied`` knows it."""
        self._is_doubtful = False
        """Whether the open bracket stands where code has its own."""
        self._follows_number = False
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
        return self._settle("") + self._refill() + self._release()

    def _step(self, char: str) -> str:
        in_code = self._code.step(char)
        self._indent.step(char)
        shown = self._settle(char)
        if not self._emptied or not self._empties(char):
            shown += self._refill() + self._take(char, is_code=in_code or self._indent.is_code)
        self._place.step(char, in_code=in_code)
        return shown

    def _take(self, char: str, *, is_code: bool) -> str:
        """Take a character that ends nothing before it; return what can be shown."""
        if self._open and not is_code:
            if char == _CLOSES[self._open[0]]:
                return self._close(char)
            room = LONGEST_MARK - 1 - len(self._lead.lstrip(" "))
            if len(self._open) < room and _may_become_mark(self._open + char):
                self._open += char
                return ""
        if char in _CLOSES and not is_code and not self._place.is_math:
            return self._begin(char)
        self._follows_word = char == "]" or _is_word(char)
        if not is_code and self._may_lead(char):
            self._lead += char
            return ""
        shown = self._release()
        if char in (" ", "(", "\uff08") and not is_code:
            self._lead = char
            return shown
        return shown + char

    def _may_lead(self, char: str) -> bool:
        """Tell whether a character may be the opening half of a pair around a mark."""
        if char not in _PAIRS or self._open or len(self._lead) >= _MOST_OPENERS:
            return False
        return bool(self._lead) or char != "*" or self._place.starts_line

    def _begin(self, char: str) -> str:
        """Open a bracket; return the one that was open, but keep what stands before this one."""
        shown = self._release() if self._open else ""
        self._open = char
        self._is_doubtful = self._follows_word or self._place.is_doubtful
        self._follows_number = self._place.follows_number
        self._context = self._place.context
        self._follows_word = False
        self._starts_line = self._indent.line.strip(" ") == char
        return shown

    def _release(self) -> str:
        held, self._lead, self._open = self._lead + self._open, "", ""
        return held

    def _close(self, char: str) -> str:
        """Decide what becomes of a bracket that just closed; hold it back if that is not clear."""
        mark = self._open + char
        self._follows_word = False
        numbers = numbers_of(mark) if _MARK.fullmatch(mark) else []
        if numbers and all(number in self._valid for number in numbers):
            self.cited.update(dict.fromkeys(numbers))
        elif self._may_be_cut_out(mark, numbers):
            self._closed, self._open = mark, ""
            return ""
        else:
            self._follows_word = True
        lead, self._lead, self._open = self._lead, "", ""
        return lead + mark

    def _may_be_cut_out(self, mark: str, plain: Sequence[int]) -> bool:
        """Tell whether a bracket is a mark that is not shown as it stands.

        plain: its numbers, if it is of the plain form.
        """
        if not plain and not _is_foreign(mark, self._starts_line):
            return False
        unsent = [one for one in plain or numbers_of(mark) if one not in self._valid]
        if 0 in unsent or _is_class(mark, self._valid):
            return False
        if unsent and self._copied.holds(self._context, mark):
            return False
        is_code = self._is_doubtful and not self._follows_number
        return not plain or not (is_code or min(unsent) >= LEAST_FAR)

    def _settle(self, following: str) -> str:
        """Return what is left of the mark that was held back, now that its next one is known."""
        if not self._closed:
            return ""
        mark, self._closed = self._closed, ""
        lead, self._lead = self._lead, ""
        numbers = numbers_of(mark)
        good = [number for number in numbers if number in self._valid]
        bad = [number for number in numbers if number not in self._valid]
        if self._is_text(mark, bad, following):
            self._follows_word = True
            return lead + mark
        self.cited.update(dict.fromkeys(good))
        self.invented.update(dict.fromkeys(bad))
        if good:
            return f"{lead}[{', '.join(map(str, good))}]"
        self._emptied = lead if lead.strip() else ""
        return ""

    def _is_text(self, mark: str, unsent: Sequence[int], following: str) -> bool:
        """Tell whether what follows a mark makes it text."""
        if following == "(" or (following == ":" and self._starts_line):
            return True
        if not _MARK.fullmatch(mark) or not unsent:
            return False
        if self._follows_number and following and _is_word(following):
            return True
        return following == " " and min(unsent) > self._last_near

    def _empties(self, char: str) -> bool:
        """Tell whether a character goes on closing a pair that was left empty, or fills it anew."""
        closing = "".join(_PAIRS[one] for one in reversed(self._emptied.strip()))
        if char == closing[len(self._shut)]:
            self._shut += char
            if self._shut == closing:
                self._emptied = self._shut = ""
            return True
        if char in _CLOSES and not self._shut:
            self._lead, self._emptied = self._emptied, ""
        return False

    def _refill(self) -> str:
        """Return a pair that was not left empty."""
        pair, self._emptied, self._shut = self._emptied + self._shut, "", ""
        return pair


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


def _is_class(mark: str, valid: Collection[int]) -> bool:
    """Tell whether a mark has a range that begins with what was sent and goes on far beyond it."""
    for numbers in _ranges(mark):
        sent = sum(number in valid for number in numbers)
        if 0 < sent < 2 * (len(numbers) - sent):
            return True
    return False


def numbers_of(mark: str) -> list[int]:
    """Return every number a mark names, each once; ``[1-3]`` names three."""
    return list(dict.fromkeys(number for numbers in _ranges(mark) for number in numbers))


def _ranges(mark: str) -> Iterator[Sequence[int]]:
    """Yield the numbers of each part of a mark."""
    for first, last in _RANGE.findall(mark.partition("\u2020")[0]):
        ends = [int(first), int(last or first)]
        is_range = 0 <= ends[1] - ends[0] < LONGEST_RANGE
        yield range(ends[0], ends[1] + 1) if is_range else ends
