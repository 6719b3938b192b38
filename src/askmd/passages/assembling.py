"""Hits in, the best passages for a token budget out: what is taken, and in which order.

Passages are merged and put in the document's order within a run only. So two that touch may stay
apart, with others between them, where one is in an early run and the other in a later one: that is
meant. Merging all of them puts weak neighbours before strong passages, and on the public sets up
to ten points of what the first 4,000 characters hold were lost by it. The last run, which takes
what comes after ``FRONT_TOKENS``, stands behind those characters, and merging there costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from askmd.contracts import TokenCounter
from askmd.passages.copies import without_copies
from askmd.passages.pricing import cut, price, priced
from askmd.passages.ranges import Read, contains, joined, overlaps, passage_of
from askmd.passages.widening import Around, widened
from askmd.types import Hit, Passage

RUN_TOKENS = 800
"""Passages are put in document order within so many tokens, the best such run first."""
FRONT_TOKENS = 1500
"""Nearly 4,000 characters, as counted without a vocabulary: what comes after is one last run."""
SECTION_SHARE = 0.25
"""Of the budget: what the rest of a hit's section may cost to be taken with it."""

WORTHY_SHARE = 0.4
"""Of the best hit's score: what scores less is not sent, however much of the budget is left."""

_CHARS_PER_TOKEN = 8
"""More than most text has: what is longer than this for each token need not be counted."""
_LEAST_CANDIDATES, _MOST_CANDIDATES = 10, 200
_SHORTEST_TOKENS = 30
"""A chunk that is shorter than this is rare: a budget divided by it gives candidates enough."""


def candidates_for(budget_tokens: int) -> int:
    """Return how many hits to look at so that the budget, and not their number, decides."""
    return min(_MOST_CANDIDATES, max(_LEAST_CANDIDATES, budget_tokens // _SHORTEST_TOKENS))


def assemble(
    hits: Sequence[Hit],
    counter: TokenCounter,
    *,
    budget_tokens: int,
    read: Read | None = None,
    around: Around | None = None,
) -> list[Passage]:
    """Return the best passages within the budget, numbered from 1.

    Hits are taken by rank, copies left out, until the next one does not fit or is not worth it;
    path, heading and text all count. The first one is always taken, cut if it alone is too large.
    One whose whole section costs little more (``around`` and ``read`` show it) is widened to it.
    Taken ones of one document whose ranges overlap, touch, or have nothing but white space between
    them become one passage.

    They come in runs of about ``RUN_TOKENS``, the best run first: so a weak neighbour never pushes
    a strong passage back. What comes after ``FRONT_TOKENS`` is one last run. Within a run the file
    with the best hit comes first; what is taken of a file is merged and in the document's order.
    """
    desk = _Desk(counter, budget_tokens, read)
    ranked = without_copies(_worthy(hits))
    for passage, tokens in priced(map(passage_of, ranked), counter):
        if desk.holds(passage) or (around and desk.put_widened(passage, tokens, around)):
            continue
        if not desk.put(passage, tokens):
            break
    ordered = [passage for run in desk.runs for passage in _in_document_order(run)]
    return [replace(passage, number=place) for place, passage in enumerate(ordered, start=1)]


def _worthy(hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits by rank, without those that score little beside the best."""
    least = WORTHY_SHARE * max((hit.score for hit in hits), default=0.0)
    ranked = sorted(hits, key=lambda hit: hit.rank)
    # Scores that are not positive have no shares.
    return [hit for hit in ranked if hit.score >= least] if least > 0 else ranked


@dataclass(frozen=True, slots=True)
class _Taken:
    passage: Passage
    tokens: int


class _Desk:
    """Where passages are laid out while the budget lasts."""

    def __init__(self, counter: TokenCounter, budget_tokens: int, read: Read | None) -> None:
        self._counter = counter
        self._budget_tokens = budget_tokens
        self._read = read
        self._runs: list[list[_Taken]] = []

    @property
    def runs(self) -> list[list[Passage]]:
        """What was taken, by rank."""
        return [[one.passage for one in run] for run in self._runs]

    def holds(self, passage: Passage) -> bool:
        """Return whether a passage's text was taken already, as part of another."""
        return any(contains(one, passage) for run in self.runs for one in run)

    def put(self, passage: Passage, tokens: int) -> bool:
        """Take a passage; False where the budget does not pay for it."""
        if not self._runs:
            is_small = tokens <= self._budget_tokens
            first = passage if is_small else cut(passage, self._counter, self._budget_tokens)
            self._runs.append([_Taken(first, tokens)])
            return True
        place = self._run_of(passage)
        run, new = self._runs[place], _Taken(passage, tokens)
        longer = self._joined(run, new)
        # What overlaps an earlier run belongs there, or its text would be sent twice.
        is_new_run = self._may_end(place) and _tokens(longer) > RUN_TOKENS
        if is_new_run and not any(overlaps(one.passage, passage) for one in run):
            place, longer = len(self._runs), [new]
        runs = [*self._runs[:place], longer, *self._runs[place + 1 :]]
        if sum(map(_tokens, runs)) > self._budget_tokens:
            return False
        self._runs = runs
        return True

    def put_widened(self, passage: Passage, tokens: int, around: Around) -> bool:
        """Take a chunk's whole section; False where it is not cheap or not to be had."""
        if self._read is None:
            return False
        most = int(SECTION_SHARE * self._budget_tokens)
        wide = widened(passage, around, self._read, most_chars=_CHARS_PER_TOKEN * most)
        if wide is None or any(overlaps(one, wide) for run in self.runs[:-1] for one in run):
            return False
        cost = price(wide, self._counter)
        if cost > min(tokens + most, self._budget_tokens):
            return False
        return self.put(wide, cost)

    def _may_end(self, place: int) -> bool:
        """Return whether a run is the last so far, and not the one that takes all the rest."""
        before = sum(map(_tokens, self._runs[:-1]))
        return place == len(self._runs) - 1 and before < FRONT_TOKENS

    def _run_of(self, passage: Passage) -> int:
        """Return the run that a passage belongs to: the first it overlaps, else the last."""
        last = len(self._runs) - 1
        touched = (
            place
            for place, run in enumerate(self.runs)
            if any(overlaps(one, passage) for one in run)
        )
        return next(touched, last)

    def _joined(self, run: Sequence[_Taken], new: _Taken) -> list[_Taken]:
        """Return a run with a new passage, merged into the first it continues.

        A new one may lie between two others; then all three become one, at the better one's place.
        """
        result: list[_Taken] = []
        place: int | None = None
        for one in run:
            merged = self._merged(one, new)
            if merged is None:
                result.append(one)
                continue
            new = merged
            if place is None:
                place = len(result)
        result.insert(len(result) if place is None else place, new)
        return result

    def _merged(self, one: _Taken, other: _Taken) -> _Taken | None:
        """Return two passages as one, or None where they are not continuous, or cheaper apart."""
        passage = joined(one.passage, other.passage, self._read)
        if passage is None:
            return None
        tokens = price(passage, self._counter)
        # White space between the two costs tokens too.
        return _Taken(passage, tokens) if tokens <= one.tokens + other.tokens else None


def _tokens(run: Iterable[_Taken]) -> int:
    return sum(one.tokens for one in run)


def _in_document_order(run: Sequence[Passage]) -> list[Passage]:
    """Return a run's files by their best hit, the passages of each as they stand in it."""
    files = {passage.path: place for place, passage in reversed(list(enumerate(run)))}
    return sorted(run, key=lambda passage: (files[passage.path], passage.chars))
