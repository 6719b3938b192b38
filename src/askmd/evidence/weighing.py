"""How far a hit stands above what nonsense scores: its cosine and the question's words it holds.

The score is a sum of three parts, each the same for every index, and the floor is measured of the
index: ``retriever.calibration``.

- **meaning**: the hit's cosine above the best one of everyday questions, in units of how far the
  index's own text stands above them. The first steps count most: between two hits that are near
  the nearer one proves little.
- **words**: the share of the question's words that the hit holds, rare ones counting more.
- **absence**: words that stand nowhere in the documents. A question whose key noun they do not know
  is about something else, however near it sounds; a common English word says little, and of few
  documents it says little that they do not know a word.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from askmd.evidence.asking import signs
from askmd.evidence.common import is_common, is_function_word
from askmd.types import Occurrences
from askmd.words import is_unspaced

COMMON_WORD = 0.3
"""What a common English word weighs beside a name, a term or a word of another language."""
COMPOUND = 0.5
"""What a word with a mark inside weighs: its parts are looked for too."""
UNSEEN = 0.5
"""The weight that nobody finds in any question: one common word is not all that is asked."""
PAIRED_SHARE = 0.5
"""Of the stretches of an unspaced script in a question: half of them span two words."""
CHANCE_SHARE = 0.2
"""Of them what occurs in documents about something else."""
STRETCHES_A_WORD = 4
LONG_QUESTION = 0.1
"""What one more word excuses: of many words some are missing by chance."""
MOST_ABSENT = 2.0
TYPICAL_SPAN = 0.27
STEEP = 0.25
"""Of a cosine above the everyday ones, as far as it counts in full."""
NEXT_STEPS, HELD, ABSENT = 0.45, 0.16, 0.27
"""In units of a cosine, of which the first steps count one for one; found by logistic regression
over several sets of documents: see benchmarks/RESULTS.md."""
ABSENT_BY_WORDS = 0.05
"""What an absent word counts where there is no cosine that speaks for a question in other words."""


@dataclass(frozen=True, slots=True)
class Floor:
    """What nonsense scores in one index; every number is of that index and its embedder."""

    cosine: float
    """The best cosine of an everyday question: the median of many."""
    stray: float
    """The same where not one of their words occurs: the highest, but for a few."""
    span: float
    """How far the best cosine of the index's own words stands above the everyday one."""
    novelty: float
    """How much an absent word tells: 1.0 of many documents, next to nothing of a few lines."""
    score: float
    """What an everyday question scores by meaning and words, but for a few."""
    words: float
    """The same by words alone."""


WORDS_ALONE = Floor(cosine=0.0, stray=0.0, span=1.0, novelty=0.5, score=0.0, words=0.0)
"""What stands for a floor that could not be measured; of no use where there is a cosine."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for in the documents before a question is worth an answer."""

    words: tuple[str, ...]
    stretches: tuple[str, ...]
    """Of scripts without spaces: they count together."""

    @property
    def terms(self) -> tuple[str, ...]:
        """All of it, as the index is asked for it."""
        return self.words + self.stretches


def sought(question: str) -> Sought:
    """Return what to look for: a question's words and stretches, without what asks."""
    found = signs(question)
    stretches = (*(word for word in found.words if is_unspaced(word)), *found.pairs)
    words = tuple(
        word for word in found.words if not is_unspaced(word) and not is_function_word(word)
    )
    return Sought(words, tuple(dict.fromkeys(stretches)))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question's terms with what each weighs in one index."""

    words: Mapping[str, float]
    stretches: tuple[str, ...]
    together: float
    """What all stretches weigh."""
    absent: float
    """The weight of what occurs nowhere, at most ``MOST_ABSENT``."""
    is_known: bool
    """Whether any term occurs."""
    among: Mapping[str, frozenset[str]]


def weigh(asked: Sought, seen: Occurrences) -> Weighed:
    """Return what the terms of a question weigh, by where they occur."""
    weights = {word: _weight(word) for word in asked.words}
    together = len(asked.stretches) / STRETCHES_A_WORD
    missing = sum(weight for word, weight in weights.items() if not seen.counts.get(word))
    known = sum(bool(seen.counts.get(one)) for one in asked.stretches)
    missing += together * (1.0 - _share(known, asked.stretches))
    return Weighed(
        words={word: weight * _rarity(seen, word) for word, weight in weights.items()},
        stretches=asked.stretches,
        together=together,
        absent=min(MOST_ABSENT, missing / (1.0 + LONG_QUESTION * (len(weights) + together))),
        is_known=any(seen.counts.values()),
        among=seen.among,
    )


def above_floor(question: Weighed, hit: str, cosine: float, floor: Floor) -> float:
    """Return how far a hit stands above what nonsense scores; negative below it.

    Comparable across questions.
    """
    if not question.is_known:
        # The words say nothing: a model that knows the language may still see what is meant.
        return NEXT_STEPS * (cosine - floor.stray - floor.span / 2) * TYPICAL_SPAN / floor.span
    further = (cosine - floor.cosine) * TYPICAL_SPAN / floor.span
    meaning = min(further, STEEP) + NEXT_STEPS * max(further - STEEP, 0.0)
    absence = ABSENT * floor.novelty * question.absent
    return meaning + HELD * _held(question, hit) - absence - floor.score


def above_floor_by_words(question: Weighed, hit: str, floor: Floor) -> float:
    """Return the same for a hit that has no cosine, by words alone."""
    if not question.is_known:
        return -ABSENT
    absence = ABSENT_BY_WORDS * floor.novelty * question.absent
    return HELD * _held(question, hit) - absence - floor.words


def _held(question: Weighed, hit: str) -> float:
    """Return the share of a question's weight that a hit holds, from 0 to below 1."""
    among, nowhere = question.among, frozenset[str]()
    held = sum(weight for word, weight in question.words.items() if hit in among.get(word, nowhere))
    found = sum(hit in among.get(one, nowhere) for one in question.stretches)
    held += question.together * _share(found, question.stretches)
    return held / (sum(question.words.values()) + question.together + UNSEEN)


def _share(found: int, stretches: Sequence[str]) -> float:
    """Return how much of a question's stretches are found: 1.0 for as many as can be expected."""
    if not stretches:
        return 0.0
    share = (found / len(stretches) - CHANCE_SHARE) / (PAIRED_SHARE - CHANCE_SHARE)
    return min(1.0, max(0.0, share))


def _weight(word: str) -> float:
    if is_common(word):
        return COMMON_WORD
    return 1.0 if word.isalnum() else COMPOUND


def _rarity(seen: Occurrences, word: str) -> float:
    """Return BM25's inverse document frequency as a share of a word's that occurs nowhere."""
    most = math.log(1 + (seen.total + 0.5) / 0.5)
    count = min(seen.counts.get(word, 0), seen.total)
    return math.log(1 + (seen.total - count + 0.5) / (count + 0.5)) / most
