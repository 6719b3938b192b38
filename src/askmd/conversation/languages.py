"""Which language a text is in."""

from __future__ import annotations

from askmd.conversation.english import ENGLISH
from askmd.conversation.grammar import Language, Unspaced, pattern
from askmd.conversation.others import SPACED, UNSPACED


def language_of(text: str) -> Language | Unspaced | None:
    """Return the language a text is in, by its script and its small words; None: no sign."""
    for unspaced in UNSPACED:
        if pattern(unspaced.letters).search(text):
            return unspaced
    known, language = max(
        ((one.signs_in(text), one) for one in (ENGLISH, *SPACED)), key=lambda pair: pair[0]
    )
    return language if known else None
