"""How far the words of a sentence stand in the passages it cites; no model is asked.

The measure is the share of what a sentence speaks of that the passages, headings included, hold.
Rare words among the passages count more than those in all of them, and numbers and identifiers
most: one that is missing halves what the rest is worth. It tells that something is missing, never
that what stands there is meant as the sentence has it: a swapped subject or a lost "not" passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from askmd.citations.terms import marks_names, stems_in, terms
from askmd.types import Passage

MADE_UP = 0.45
"""What is left of a sentence's support when a number, an identifier or a name is missing."""
LEAST_TERMS = 2
"""Of fewer words nothing can be said."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a sentence speaks of: weights, and the passages that hold each, as bits by number."""

    weights: tuple[float, ...]
    holders: tuple[int, ...]
    exact: tuple[int, ...] = ()
    """The same of its numbers, identifiers and names alone."""
    least_terms: int = LEAST_TERMS
    """Of fewer nothing can be said."""

    def support(self, numbers: int) -> float | None:
        """Return the share of the weight that a set of passages holds; None of too few words."""
        if len(self.weights) < self.least_terms:
            return None
        pairs = zip(self.weights, self.holders, strict=True)
        share = sum(w for w, held in pairs if held & numbers) / sum(self.weights)
        is_exact = all(held & numbers for held in self.exact)
        return round(share if is_exact else share * MADE_UP, 3)


class Grounds:
    """The passages that were sent, as a sentence's words are looked up in them."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        """Read the passages, their heading paths with them."""
        self._holders: dict[str, int] = {}
        self._marks_names = marks_names(" ".join(passage.text for passage in passages))
        self.everywhere = bits(passage.number for passage in passages)
        """All of them."""
        for passage in passages:
            bit = bits([passage.number])
            for stem in stems_in(" ".join((*passage.heading, passage.path, passage.text))):
                self._holders[stem] = self._holders.get(stem, 0) | bit

    def weigh(self, sentence: str) -> Weighed:
        """Return what a sentence speaks of and who holds it."""
        found = terms(sentence)
        holders = [self._holding(term.stems) for term in found]
        weights = (
            term.weight * self._rare(held) for term, held in zip(found, holders, strict=True)
        )
        pairs = zip(found, holders, strict=True)
        exact = tuple(
            held for term, held in pairs if term.is_exact or (term.is_name and self._marks_names)
        )
        return Weighed(tuple(weights), tuple(holders), exact)

    def weigh_exact(self, sentence: str) -> Weighed:
        """Return the same of a sentence's numbers and identifiers, which no translation changes."""
        found = [term for term in terms(sentence) if term.is_exact]
        holders = tuple(self._holding(term.stems) for term in found)
        return Weighed(tuple(term.weight for term in found), holders, least_terms=1)

    def _holding(self, stems: Iterable[str]) -> int:
        held = self.everywhere
        for stem in stems:
            held &= self._holders.get(stem, 0)
        return held

    def _rare(self, held: int) -> float:
        """Return what a term counts by how many passages hold it: 1.0 where none or one does."""
        count = held.bit_count()
        return 1.0 / (1.0 + math.log(count)) if count > 1 else 1.0


def bits(numbers: Iterable[int]) -> int:
    """Return numbers of passages as one set of bits."""
    together = 0
    for number in numbers:
        together |= 1 << number
    return together
