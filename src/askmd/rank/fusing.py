"""Several rankings of the same chunks made into one, and what a neighbour's score is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from askmd.types import Place, Scored

NEIGHBOUR_SHARE = 0.2
"""How much of its better neighbour's score a chunk is given: see benchmarks/RESULTS.md."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Chunks by one kind of score."""

    scores: Sequence[Scored]
    """Best first."""
    floor: float
    """What a chunk scores that has nothing to do with the question."""
    weight: float = 1.0
    """Its say beside the others."""


def fuse(rankings: Sequence[Ranking]) -> list[Scored]:
    """Return all chunks of the rankings by the weighted mean of their scaled scores, best first.

    A chunk that a ranking does not name counts 0 there. Equal scores stay in the order of the
    first ranking that names them, so that the result is stable.
    """
    total: dict[str, float] = {}
    weights = sum(ranking.weight for ranking in rankings)
    for ranking in rankings:
        share = ranking.weight / weights
        for id, score in _scaled(ranking):
            total[id] = total.get(id, 0.0) + score * share
    return _sorted(total)


def scale(ranking: Ranking) -> list[Scored]:
    """Return the scores mapped to 0 at the ranking's floor and 1 at its best chunk."""
    return [Scored(id, score) for id, score in _scaled(ranking)]


def _scaled(ranking: Ranking) -> list[tuple[str, float]]:
    floor = ranking.floor
    span = max((one.score for one in ranking.scores), default=floor) - floor
    if span <= 0:
        return [(one.id, 1.0) for one in ranking.scores]
    return [(one.id, max(0.0, one.score - floor) / span) for one in ranking.scores]


def support(
    fused: Sequence[Scored], places: Mapping[str, Place], share: float = NEIGHBOUR_SHARE
) -> list[Scored]:
    """Return the chunks by their score and a share of their better neighbour's, best first.

    Text that answers a question rarely stands alone: of two equal chunks, the one whose neighbour
    in the document speaks of the question too is more likely right.
    """
    at = {one.id: (place.path, place.position) for one in fused if (place := places.get(one.id))}
    scores = {at[one.id]: one.score for one in fused if one.id in at}
    total: dict[str, float] = {}
    for one in fused:
        better = 0.0
        if one.id in at:
            path, position = at[one.id]
            before, after = scores.get((path, position - 1)), scores.get((path, position + 1))
            better = max(before or 0.0, after or 0.0)
        total[one.id] = (one.score + share * better) / (1 + share)
    return _sorted(total)


def _sorted(total: Mapping[str, float]) -> list[Scored]:
    # Python's sort is stable, downwards too: equal scores keep their order.
    ordered = sorted(total.items(), key=itemgetter(1), reverse=True)
    return [Scored(id, score) for id, score in ordered]
