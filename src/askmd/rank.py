"""Several rankings of the same chunks made into one."""

from __future__ import annotations

from collections.abc import Sequence

from askmd.types import Scored


def fuse(rankings: Sequence[Sequence[Scored]]) -> list[Scored]:
    """Return all chunks of the rankings by the mean of their scaled scores, best first.

    Each ranking is min-max scaled to 0..1; a chunk a ranking does not name counts 0 there. Equal
    scores stay in the order of the first ranking that names them, so that the result is stable.
    """
    total: dict[str, float] = {}
    for ranking in rankings:
        for one in scale(ranking):
            total[one.id] = total.get(one.id, 0.0) + one.score / len(rankings)
    fused = [Scored(id, score) for id, score in total.items()]
    return sorted(fused, key=lambda one: -one.score)


def scale(ranking: Sequence[Scored]) -> list[Scored]:
    """Return the ranking with its scores mapped to 0..1; where all are equal, all become 1."""
    if not ranking:
        return []
    scores = [one.score for one in ranking]
    low, span = min(scores), max(scores) - min(scores)
    return [Scored(one.id, (one.score - low) / span if span else 1.0) for one in ranking]
