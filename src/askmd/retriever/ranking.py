"""From a question's vector and words to one ranking of chunks, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askmd import rank
from askmd.contracts import Store
from askmd.rank import Ranking, Wording
from askmd.types import Filter, Scored

if TYPE_CHECKING:
    from askmd.types import Vector

POOL = 200
"""Candidates that each ranking brings to the fusion, at least."""
WORDS_POOL = 1000
"""Chunks whose BM25 is known when the candidates of meaning are scored."""
READ = 100
"""Chunks whose words are looked at one by one, with their neighbours'."""
WORDS_WEIGHT = 0.6
"""The say of words beside meaning: see benchmarks/RESULTS.md."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Every candidate, and what its place rests on."""

    best: Sequence[Scored]
    """Best first."""
    parts: Mapping[str, Mapping[str, float]]
    """By the kind of score, each chunk's."""
    repeats: Mapping[str, str]
    """Chunks that stepped back, and what says the same before them."""


def rank_chunks(
    index: Store, vector: Vector | None, asked: Wording, *, limit: int, where: Filter
) -> Ranked:
    """Return the chunks that ``where`` allows by how well they fit, all candidates.

    Without a vector words alone decide, without words the vector alone.
    """
    found = _candidates(index, vector, asked, max(POOL, 2 * limit), where)
    best = rank.fuse(list(found.values()))
    parts = {kind: _by_id(ranking.scores) for kind, ranking in found.items()}
    if not asked.words:
        return Ranked(best, parts, {})
    places = index.places([one.id for one in best])
    if vector is not None:
        best = rank.support(best, places)
    head = best[:READ]
    fits = _fitting(index, asked, [one.id for one in head])
    parts["wording"] = _by_id(fits)
    refined = [Ranking(fits, 0.0, WORDS_WEIGHT)]
    if "cosine" in found:
        near = found["cosine"]
        own = [Scored(one.id, parts["cosine"].get(one.id, near.floor)) for one in head]
        refined.append(
            Ranking(sorted(own, key=lambda one: -one.score), near.floor, 1 - WORDS_WEIGHT)
        )
    ranked = rank.fuse(refined)
    if vector is not None:
        ranked = rank.support(ranked, places)
    ranked += _below(ranked, best[READ:])
    repeats = rank.set_back(ranked, index.chunks([one.id for one in ranked[: rank.AHEAD]]))
    return Ranked(repeats.best, parts, repeats.of)


def _candidates(
    index: Store, vector: Vector | None, asked: Wording, pool: int, where: Filter
) -> dict[str, Ranking]:
    """Return the rankings to fuse, by the kind of their scores.

    The best of each ranking are candidates, and have their cosine known even where meaning
    alone would not have brought them.
    """
    rankings: dict[str, Ranking] = {}
    words = index.words(asked.words, max(pool, WORDS_POOL), where) if asked.words else []
    if vector is not None:
        near = index.dense(vector, pool, where)
        found = {one.id for one in near}
        others = [one.id for one in words[:pool] if one.id not in found]
        cosines = index.cosines(vector, others)
        near += [Scored(id, cosine) for id, cosine in zip(others, cosines, strict=True)]
        # The least alike of all that may be found: the zero that models do not agree on.
        [least] = index.dense(-vector, 1, where) or [Scored("", 0.0)]
        rankings["cosine"] = Ranking(near, -least.score)
    if asked.words:
        rankings["bm25"] = Ranking(words, 0.0)
    return rankings


def _fitting(index: Store, asked: Wording, ids: Sequence[str]) -> list[Scored]:
    """Return the chunks by how well their words and their neighbours' fit."""
    beside = index.beside(ids)
    around = {one for both in beside.values() for one in both if one}
    places = index.word_places(asked.terms, list({*ids, *around}))
    return rank.by_wording(asked, index.occurrences(asked.terms, ()), places, beside)


def _below(ranked: Sequence[Scored], rest: Sequence[Scored]) -> list[Scored]:
    """Return what was not read with scores that go on falling."""
    if not ranked or not rest or rest[0].score <= 0:
        return list(rest)
    share = min(1.0, ranked[-1].score / rest[0].score)
    return [Scored(one.id, one.score * share) for one in rest]


def _by_id(scores: Sequence[Scored]) -> dict[str, float]:
    return {one.id: one.score for one in scores}
