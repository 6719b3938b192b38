"""What an answer puts in quotation marks, looked up word for word in what was sent.

White space, case, Markdown, the shape of quotation marks and dashes, and signs at either end do not
count; an ellipsis stands for what was left out between parts that must follow in order.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence

from askmd.citations.folding import folded
from askmd.citations.marks import MARK
from askmd.types import Passage, Quote, QuoteVerdict
from askmd.words import runs

LEAST_WORDS, LEAST_LETTERS = 2, 8
"""Of a quotation, the letters where words are not parted: what is shorter is a word held at arm's
length, and of that nothing is said."""

_MARK = re.compile(MARK)
_ELLIPSIS = re.compile(r"[\[(]?(?:\u2026|\.{3,}+)[\])]?")
_CHANGED_LETTER = re.compile(r"\[([^\W\d_])\](?=\w)")
_SIGNS = "\"'.,;:!?-() \u3002\u3001\u00a1\u00bf"


class Wording:
    """The passages that were sent, as quotations are looked up in them."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Read the passages, each with its headings."""
        self._texts: dict[int, str] = {}
        for passage in passages:
            texts = [*passage.heading, passage.text]
            self._texts[passage.number] = " \n ".join(folded(text) for text in texts)
        self._all = " \n ".join(self._texts.values())
        self._found: dict[tuple[str, ...], tuple[int, ...]] = {}

    def look_up(self, text: str, cited: Container[int]) -> Quote | None:
        """Return a quotation with its verdict; None for what is too short to be one."""
        parts = _parts(_MARK.sub(" ", text))
        if not _is_quotation(parts):
            return None
        # A bracket may be a mark that the answer put in, or one that the document has.
        found_in = self._holders(parts) or self._holders(_parts(text))
        verdict: QuoteVerdict = "elsewhere" if found_in else "not_found"
        if any(number in cited for number in found_in):
            verdict = "supported"
        return Quote(text, verdict, found_in)

    def _holders(self, parts: tuple[str, ...]) -> tuple[int, ...]:
        if parts not in self._found:
            self._found[parts] = self._searched(parts)
        return self._found[parts]

    def _searched(self, parts: tuple[str, ...]) -> tuple[int, ...]:
        if any(part not in self._all for part in parts):
            return ()
        return tuple(sorted(n for n, text in self._texts.items() if _holds(text, parts)))


def _parts(text: str) -> tuple[str, ...]:
    """Return a quotation as it is looked up: in parts, where something was left out."""
    whole = _CHANGED_LETTER.sub(r"\1", text)
    stripped = (folded(part).strip(_SIGNS) for part in _ELLIPSIS.split(whole))
    return tuple(f" {part} " for part in stripped if part)


def _is_quotation(parts: Sequence[str]) -> bool:
    words = [word for part in parts for word in part.split() if word[0].isalnum()]
    letters = sum(len(run.characters) for part in parts for run in runs(part))
    spaced = len(words) - letters
    return spaced >= LEAST_WORDS or letters + spaced >= LEAST_LETTERS


def _holds(text: str, parts: Sequence[str]) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        # The blank behind one part may be the one before the next.
        at += len(part) - 1
    return True
