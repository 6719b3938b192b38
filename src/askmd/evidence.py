"""Is there any evidence that the documents answer a question: words that occur, cosines that count.

Until a floor is calibrated for each index, one constant stands for what nonsense scores.
"""

from __future__ import annotations

import re

COSINE_FLOOR = 0.15
"""Below this cosine all-MiniLM-L6-v2 sees nothing in common; an unrelated question scores 0.09."""

_TOKEN = re.compile(r"(?:(?<![\w-])-{1,2}(?=\w))?\w+(?:[-.:/@+]+\w+)*(?:\+\+|#)?")
_PART = re.compile(r"[^\W_]+")
_CLITIC = re.compile(r"[\u2019'](?:s|t|d|m|re|ve|ll)\b", re.IGNORECASE)

_COMMON = """
    a about after all also am an and any are aren as at be because been before being between both
    but by can cannot could couldn did didn do does doesn doing don done during each else ever for
    from get gets had has hasn have haven having he her here him his how i if in into is isn it its
    just let like may me might more most must my no nor not of off on once only or other our out
    over own please same shall she should shouldn so some such tell than that the their them then
    there these they this those through to too under until up us very was wasn we were weren what
    when where which while who whom whose why will with without won would wouldn you your
"""
STOP_WORDS = frozenset(_COMMON.split())
"""English words that stand in questions about anything."""


def content_words(question: str) -> list[str]:
    """Return what a question is about: lower-cased words in order, each once, no stop words.

    An identifier such as ``ERR_CONN_RESET``, ``--no-cache`` or ``v1.2.3`` stands whole, followed by
    its parts of two characters and more that hold a letter.
    """
    words: dict[str, None] = {}
    for token in _TOKEN.findall(_CLITIC.sub("", question)):
        word = token.lower()
        if word not in STOP_WORDS:
            words[word] = None
            words.update(dict.fromkeys(_parts(word)))
    return list(words)


def _parts(word: str) -> list[str]:
    """Return the parts of an identifier that say something by themselves; none of a plain word."""
    if _PART.fullmatch(word):
        return []
    return [
        part
        for part in _PART.findall(word)
        if len(part) > 1 and not part.isdigit() and part not in STOP_WORDS
    ]


def above_floor(cosine: float) -> float:
    """Return how far a cosine stands above what nonsense scores; negative below it."""
    return cosine - COSINE_FLOOR


def has_evidence(best_cosine: float | None, matched_terms: int) -> bool:
    """Tell whether a question is worth an answer.

    ``matched_terms`` counts the question's content words that occur in the documents;
    ``best_cosine`` is None where no vector was had, and then the words alone decide.
    """
    if matched_terms > 0:
        return True
    return best_cosine is not None and above_floor(best_cosine) >= 0
