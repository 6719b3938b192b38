"""From a question's vector and words to one ranking of chunks, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askmd import rank
from askmd.contracts import Store
from askmd.rank import Ranking, Wording
from askmd.types import Chunk, Filter, Place, Scored

if TYPE_CHECKING:
    from askmd.types import Vector

POOL = 200
"""Candidates that each ranking brings to the fusion, at least."""
SUPPORTED = 300
"""Candidates whose neighbours are looked for among each other."""
READ = 100
"""Chunks whose words are looked at one by one, with their neighbours'."""
MOST_WORDS = 48
"""Words of a question that are looked for; of a pasted page the rarest."""
MOST_COUNTED = 100
"""Words at either end of such a page among which they are chosen."""
WORDS_WEIGHT = 0.6
"""The say of words beside meaning: see benchmarks/RESULTS.md."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Every candidate, and what its place rests on."""

    best: Sequence[Scored]
    """Best first."""
    parts: Mapping[str, Mapping[str, float]]
    """By the kind of score, each chunk's."""
    repeats: Mapping[str, str] = field(default_factory=dict)
    """Chunks that stepped back, and what says the same before them."""
    read: Mapping[str, Chunk] = field(default_factory=dict)
    """Those of the best that were read on the way."""


@dataclass(frozen=True, slots=True)
class _Fused:
    """Candidates by meaning and BM25 alone."""

    best: Sequence[Scored]
    found: Mapping[str, Ranking]
    """The rankings they come from, by the kind of score."""
    places: Mapping[str, Place]
    """Where the first of them stand."""


def rank_chunks(
    index: Store, vector: Vector | None, asked: Wording, *, limit: int, where: Filter
) -> Ranked:
    """Return the chunks that ``where`` allows by how well they fit, all candidates.

    Without a vector words alone decide, without words the vector alone. The first hits are the same
    whatever the limit: more candidates only follow them.
    """
    if len(asked.words) > MOST_WORDS:
        some = [*asked.words[:MOST_COUNTED], *asked.words[-MOST_COUNTED:]]
        asked = rank.rarest(asked, index.occurrences(some, ()).counts, MOST_WORDS)
    fused = _fused(index, vector, asked, POOL, where)
    parts = {kind: _by_id(ranking.scores) for kind, ranking in fused.found.items()}
    head, rest = fused.best[:READ], fused.best[READ:]
    if 2 * limit > POOL:
        more = _fused(index, vector, asked, 2 * limit, where)
        known = {one.id for one in head}
        rest = [one for one in more.best if one.id not in known]
        parts = {kind: _by_id(one.scores) | parts[kind] for kind, one in more.found.items()}
    if not asked.words:
        return Ranked([*head, *rest], parts)
    fits, held = _fitting(index, asked, [one.id for one in head])
    parts["wording"] = _by_id(fits)
    refined = [Ranking(fits, 0.0, WORDS_WEIGHT)]
    if "cosine" in fused.found:
        near = fused.found["cosine"]
        own = [Scored(one.id, parts["cosine"].get(one.id, near.floor)) for one in head]
        own.sort(key=lambda one: -one.score)
        refined.append(Ranking(own, near.floor, 1 - WORDS_WEIGHT))
    ranked = rank.fuse(refined)
    if vector is not None:
        ranked = rank.support(ranked, fused.places)
    ranked += _below(ranked, rest)
    first = index.chunks([one.id for one in ranked[: rank.AHEAD]])
    repeats = rank.set_back(ranked, first, held)
    return Ranked(repeats.best, parts, repeats.of, first)


def _fused(index: Store, vector: Vector | None, asked: Wording, pool: int, where: Filter) -> _Fused:
    found = _candidates(index, vector, asked, pool, where)
    best = rank.fuse(list(found.values()))
    if vector is None or not asked.words:
        return _Fused(best, found, {})
    places = index.places([one.id for one in best[:SUPPORTED]])
    head = rank.support(best[:SUPPORTED], places)
    return _Fused([*head, *_below(head, best[SUPPORTED:])], found, places)


def _candidates(
    index: Store, vector: Vector | None, asked: Wording, pool: int, where: Filter
) -> dict[str, Ranking]:
    """Return the rankings to fuse, by the kind of their scores.

    The best of each ranking are candidates; the other's score of them is known too.
    """
    rankings: dict[str, Ranking] = {}
    words = index.words(asked.words, pool, where) if asked.words else []
    near = index.dense(vector, pool, where) if vector is not None else []
    if vector is not None:
        others = _without(words, near)
        cosines = index.cosines(vector, others)
        also = [Scored(id, cosine) for id, cosine in zip(others, cosines, strict=True)]
        rankings["cosine"] = Ranking([*near, *also], index.least(vector, where) or 0.0)
    if asked.words:
        others = _without(near, words)
        scores = index.bm25(asked.words, others)
        also = [Scored(id, score) for id, score in zip(others, scores, strict=True) if score]
        rankings["bm25"] = Ranking([*words, *also], 0.0)
    return rankings


def _without(ranking: Sequence[Scored], others: Sequence[Scored]) -> list[str]:
    """Return the ids that the others do not have."""
    known = {one.id for one in others}
    return [one.id for one in ranking if one.id not in known]


def _fitting(
    index: Store, asked: Wording, ids: Sequence[str]
) -> tuple[list[Scored], dict[str, frozenset[str]]]:
    """Return the chunks by how well their words and their neighbours' fit, and which they hold."""
    beside = index.beside(ids)
    around = {one for both in beside.values() for one in both if one}
    places = index.word_places(asked.terms, list({*ids, *around}))
    words = set(asked.words)
    held = {
        id: frozenset(words & (places[id].text.keys() | places[id].heading.keys()))
        for id in ids
        if id in places
    }
    return rank.by_wording(asked, index.occurrences(asked.terms, ()), places, beside), held


def _below(ranked: Sequence[Scored], rest: Sequence[Scored]) -> list[Scored]:
    """Return what was not read with scores that go on falling."""
    if not ranked or not rest or rest[0].score <= 0:
        return list(rest)
    share = min(1.0, ranked[-1].score / rest[0].score)
    return [Scored(one.id, one.score * share) for one in rest]


def _by_id(scores: Sequence[Scored]) -> dict[str, float]:
    return {one.id: one.score for one in scores}
