"""The one place that makes text fit for a terminal; notices on stderr.

Documents, models and servers may say anything: nothing of theirs may move the cursor, set a title,
reach the clipboard or turn text around.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from askmd.types import Lines


INVISIBLE = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufff9-\ufffb\U000e0000-\U000e007f"
"""A regular expression's character class: marks that turn text around, tags, hidden annotations."""
LONGEST_STRING = 2000
"""Characters after which an unended title, clipboard or device string is taken for text."""

# ECMA-48: strings run from OSC, DCS, SOS, PM or APC to ST (xterm: or BEL); CSI has parameters,
# intermediates and a final byte; other escapes have intermediates and a final byte.
_STRING_OPEN = r"(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])"
_STRING_BODY = rf"[^\x07\n\x18\x1a\x1b\x80-\x9f]{{0,{LONGEST_STRING}}}"
_CSI_OPEN = r"(?:\x1b\[|\x9b)[\x30-\x3f]{0,64}[\x20-\x2f]{0,64}"
_ESCAPE_OPEN = r"\x1b[\x20-\x2f]{0,64}"
_SPECIAL = re.compile(rf"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff{INVISIBLE}]")
_SEQUENCE = re.compile(
    rf"{_STRING_OPEN}{_STRING_BODY}(?:\x07|\x9c|\x1b\\)"
    rf"|{_CSI_OPEN}[\x40-\x7e]|{_ESCAPE_OPEN}[\x30-\x7e]|.",
    re.DOTALL,
)
_UNDECIDED = re.compile(rf"{_STRING_OPEN}{_STRING_BODY}\x1b?|{_CSI_OPEN}|{_ESCAPE_OPEN}")


class Sourced(Protocol):
    """What has a place in a document: a hit, a passage, a citation."""

    @property
    def path(self) -> str:
        """The document."""

    @property
    def lines(self) -> Lines:
        """First and last line."""

    @property
    def heading(self) -> tuple[str, ...]:
        """The heading path."""


def clean(text: str) -> str:
    """Return text without escape sequences, control and bidi characters; tabs and newlines stay.

    A lone surrogate, which no terminal's encoding has, becomes U+FFFD, and a line or paragraph
    separator, which some take for a new line and some for nothing, a blank.
    """
    cleaner = Cleaner()
    return cleaner.feed(text) + cleaner.flush()


class Cleaner:
    """Cleans a stream: what comes out does not depend on where its deltas were cut."""

    def __init__(self) -> None:
        """Begin with nothing held back."""
        self._held = ""

    def feed(self, delta: str) -> str:
        """Return what can be shown now; an unfinished sequence is held back."""
        text, self._held = self._held + delta, ""
        return "".join(self._clean(text, may_hold=True))

    def flush(self) -> str:
        """Return what is left of an unfinished sequence, at the end of the stream."""
        text, self._held = self._held, ""
        return "".join(self._clean(text, may_hold=False))

    def _clean(self, text: str, *, may_hold: bool) -> Iterator[str]:
        position = 0
        while special := _SPECIAL.search(text, position):
            start = special.start()
            yield text[position:start]
            if may_hold and _UNDECIDED.fullmatch(text, start):
                self._held = text[start:]
                return
            sequence = _SEQUENCE.match(text, start)
            position = sequence.end() if sequence else start + 1
            yield _seen_as(special.group())
        yield text[position:]


def escaped(json_text: str) -> str:
    """Return JSON, its value the same, with all that could act on a terminal as escapes.

    Bytes below U+0020 are no part of JSON's strings as it is; newlines between values stay.
    """
    return _SPECIAL.sub(_escape, json_text)


def _escape(special: re.Match[str]) -> str:
    raw = special.group().encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{raw[i : i + 2].hex()}" for i in range(0, len(raw), 2))


def _seen_as(special: str) -> str:
    """Return what a reader sees in place of a character that no terminal is to get."""
    if "\ud800" <= special <= "\udfff":
        return "\ufffd"
    return " " if special in "\u2028\u2029" else ""


def source_line(source: Sourced) -> str:
    """Return ``path:first-last  Heading > Sub``, fit for a terminal."""
    first, last = source.lines
    lines = f"{first}-{last}" if last > first else f"{first}"
    place = f"{source.path}:{lines}  {' > '.join(source.heading)}"
    return " ".join(clean(place).split("\n")).rstrip()


def say(text: str, stream: TextIO | None = None) -> None:
    """Write a notice as one cleaned line to stderr."""
    target = stream or sys.stderr
    target.write(" ".join(clean(text).split("\n")) + "\n")
    target.flush()
