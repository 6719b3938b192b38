"""Where in a streamed text a bracket stands: told from the left alone, a character at a time.

A bracket is doubtful where code and data in prose have theirs: after a word, ``=`` or an opening
quotation mark, in braces, as a key's value, in ``$`` math. In display math none is a mark.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LONGEST_TAIL = 40
"""Characters of its line that are remembered before a bracket."""
_CONTEXT = 8
"""Letters and signs before a bracket that tell whether it was copied."""
_DOUBTFUL = re.compile(
    r"(?:=[ ]?|(?:^|[\s(\[{:,=])[\"'\u201c]|[\"'][ ]?:[ ]?|[\^$\\]|[A-Za-z0-9_]\()$"
)
_NUMBER = re.compile(r"(?<![\w.,:])\d+(?:[.,:]\d+)*$")
_DROPPED = re.compile(r"[\s*_`]+")
_BRACKET = re.compile(r"[\[\u3010\uff3b][^\[\]\n\u3010\u3011\uff3b\uff3d]{1,120}[\]\u3011\uff3d]")


class Surroundings:
    """What stands before the next character of a streamed text, outside its code."""

    def __init__(self) -> None:
        """Begin before the first character."""
        self._tail = ""
        self._braces = 0
        self._math = ""
        """What closes the math that is open."""
        self._is_blank = True
        """Whether the line so far holds nothing but blanks."""

    def step(self, char: str, *, in_code: bool) -> None:
        """Take the next character."""
        if char == "\n":
            # Markdown's math ends with its paragraph, and what is in braces here with its line.
            self._math = "" if self._is_blank or self._math == "$" else self._math
            self._tail, self._braces, self._is_blank = "", 0, True
            return
        self._is_blank = self._is_blank and char.isspace()
        if not in_code:
            self._read(char)
        self._tail = (self._tail + char)[-_LONGEST_TAIL:]

    @property
    def starts_line(self) -> bool:
        """Whether nothing stands on the line yet."""
        return not self._tail

    @property
    def is_math(self) -> bool:
        """Whether this is display math, between two dollars or after a backslash."""
        return len(self._math) == 2

    @property
    def is_doubtful(self) -> bool:
        """Whether a bracket here may belong to code or data."""
        return bool(self._math or self._braces or _DOUBTFUL.search(self._tail))

    @property
    def follows_number(self) -> bool:
        """Whether a whole number stands right before, and nothing that code would index."""
        return not self._math and not self._braces and bool(_NUMBER.search(self._tail))

    @property
    def context(self) -> str:
        """The last letters and signs of the line, as ``Copied`` knows them."""
        return squeezed(self._tail)[-_CONTEXT:]

    def _read(self, char: str) -> None:
        before = self._tail[-1:]
        if char in "{}":
            self._braces = max(0, self._braces + (1 if char == "{" else -1))
        elif char == "$":
            self._read_dollar(before)
        elif before == "\\" and char in "([" and not self._math:
            self._math = "\\)" if char == "(" else "\\]"
        elif before + char == self._math:
            self._math = ""
        elif self._math == "$" and before == "$" and (char.isspace() or char.isdigit()):
            # As Pandoc has it, this is money.
            self._math = ""

    def _read_dollar(self, before: str) -> None:
        if before == "$":
            self._math = "" if self._math == "$$" else "$$"
        elif not self._math:
            self._math = "$"
        elif self._math == "$" and not before.isspace():
            self._math = ""


class Copied:
    """The brackets of what was sent, each with what stands before it."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take the texts; they are read when first asked about."""
        self._texts = texts
        self._known: set[str] | None = None

    def holds(self, context: str, bracket: str) -> bool:
        """Tell whether a bracket stands in a text after the same letters and signs."""
        if not self._texts or not context:
            return False
        if self._known is None:
            self._known = {key for text in self._texts for key in _keys(text)}
        return context + squeezed(bracket) in self._known


def squeezed(text: str) -> str:
    """Return a text without blanks, emphasis and case."""
    return _DROPPED.sub("", text).casefold()


def _keys(text: str) -> set[str]:
    """Return each bracket of a text behind the last character before it, the last two, and on."""
    keys = set()
    for found in _BRACKET.finditer(text):
        bracket = squeezed(found[0])
        before = squeezed(text[max(0, found.start() - _LONGEST_TAIL) : found.start()])
        keys |= {before[-length:] + bracket for length in range(1, _CONTEXT + 1)}
    return keys
