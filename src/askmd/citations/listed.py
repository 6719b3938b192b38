"""Lines that only say where something stands: lists of sources, definitions of footnotes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from askmd.citations.marks import MARK
from askmd.citations.vocabulary import LISTED
from askmd.types import Passage

_LONGEST = 400
"""Characters of a line that can be one; what is longer says something."""
_FOOTNOTE = re.compile(r"[ \t>]*+\[\^[^\]\s]{1,40}\]:")
_ITEM = re.compile(r"[ \t>]*+(?:[-*+]|\d{1,9}[.)])[ \t]")
_MARK = re.compile(MARK)
_LINES = re.compile(
    r"(?:\b(?:lines?|l|zeilen?|z|lignes?|l[i\u00ed]neas?)\b\.? ?|\bl(?=\d)|(?<=:))"
    r"\d{1,7}(?: ?(?:[-,\u2013]|to|bis|und|and) ?l?\d{1,7}){0,3}\b"
)
_WORD = re.compile(r"[^\W_]+")


class Listing:
    """Knows the names of what was sent."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Take the passages' paths, file names and headings."""
        paths = {name for one in passages for name in (one.path, one.path.rpartition("/")[2])}
        self._paths = _any_of(paths)
        self._headings = _any_of({name for one in passages for name in one.heading})

    def holds(self, line: str) -> bool:
        """Tell whether a line names sources and says nothing of its own."""
        if _FOOTNOTE.match(line):
            return True
        if len(line) > _LONGEST:
            return False
        bare, paths = self._paths.subn(" :", _own_words(line))
        without, places = _LINES.subn(" ", bare)
        words = _WORD.findall(self._headings.sub(" ", without))
        names = paths or places or any(word in LISTED for word in words)
        return bool(names) and all(word in LISTED for word in words)


def _own_words(line: str) -> str:
    """Return a line without its marks and what makes it an item."""
    item = _ITEM.match(line)
    return _MARK.sub(" ", line[item.end() if item else 0 :].casefold())


def _any_of(names: set[str]) -> re.Pattern[str]:
    """Return an expression of whole names, the longest first; of none, one that never matches."""
    folded = sorted({name.casefold().strip() for name in names} - {""}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, folded)) or '(?!)'})(?!\w)")
