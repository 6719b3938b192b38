"""Why a place in the documents was found for a question, or was not.

The ranks are those of a search, by the same calls: nothing is reckoned a second way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from askmd import evidence, rank
from askmd.contracts import Store
from askmd.filters import HEADING, allows_document, allows_heading
from askmd.rank import Wording
from askmd.retriever.ranking import POOL, Ranked, rank_chunks
from askmd.retriever.reasons import because, next_step
from askmd.retriever.reranking import RERANKED
from askmd.retriever.target import Target
from askmd.types import Chunk, Document, Filter, Hit, Mode, Scored, Search

if TYPE_CHECKING:
    from askmd.types import Vector

EVERYTHING = Filter()
STEADY = POOL // 2
"""As long as no more hits than this are asked for, the ranking does not depend on how many."""
WordPlace = Literal["heading", "text", "beside", "elsewhere", "nowhere"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a chunk stands by one score alone, among all that the filter allows."""

    rank: int
    of: int
    """How many have this score: a word in common, or a vector."""
    score: float


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the question, and where it stands."""

    word: str
    place: WordPlace
    """In the chunk's heading path, its text, just the chunk before or after, just elsewhere."""
    chunks: int
    """How many chunks of the index hold it."""


@dataclass(frozen=True, slots=True)
class Why:
    """Why a place was found for a question, or was not."""

    question: str
    mode: Mode
    degraded: str | None
    place: str
    """What was asked about, as it can be typed again."""
    hit: Hit
    """The chunk of the place that came nearest, as a search for enough hits has it.

    Where a filter leaves the place out, as without one; rank 0 where it is found in no way.
    """
    others: int
    """How many more chunks the place is made of."""
    limit: int
    """How many hits were asked for."""
    is_shown: bool
    shown_by: int | None
    """How many hits to ask for to see it: up to STEADY the fewest, above it enough.

    None where no number will do.
    """
    last_score: float | None
    """The score of the last hit that is shown; None where there is none."""
    is_refused: bool
    """Whether ``ask`` refuses the question, since nothing that is found reaches the floor."""
    dense: Standing | None
    """By meaning; None where meaning was not looked at."""
    bm25: Standing | None
    """By words; None where it holds none of them, or words were not looked at."""
    words: tuple[Word, ...]
    phrases: tuple[str, ...]
    """Words that stand together in the question, and in the chunk too."""
    left_out: tuple[str, ...]
    """Words of the question that are not looked for: they stand in questions about anything."""
    filtered_by: tuple[str, ...]
    """The parts of the filter that leave it out, as they are typed."""
    repeats: str | None
    """``path:lines`` of the chunk before it that says nearly the same, so that it stepped back."""
    rank_before_reranking: int | None
    is_stale: bool
    """Whether the file has changed since it was indexed: what is told is of the older text."""
    because: str = ""
    """The main reason, in a sentence."""
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what answers it in a search."""

    question: str
    limit: int
    where: Filter
    index: Store
    find: Callable[[int, Filter], Search]
    vector: Callable[[Search], Vector | None]
    hit: Callable[[Chunk, int, float, Mapping[str, float]], Hit]
    has_evidence: Callable[[Search], bool]
    is_stale: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Lists:
    """All that may be found, by one score alone, best first."""

    dense: Sequence[Scored]
    bm25: Sequence[Scored]


@dataclass(frozen=True, slots=True)
class _Reach:
    """A ranking that is long enough to hold a place, if any is."""

    ranked: Ranked
    limit: int
    """How many hits it was made for."""
    rank: int | None
    """Of the place's best chunk."""


def explain(asked: Asked, target: Target) -> Why:
    """Return why a place was found for a question, or was not."""
    barred = {one.id: _barring(asked.where, target.document, one) for one in target.chunks}
    allowed = [one for one in target.chunks if not barred[one.id]]
    chunks = {one.id: one for one in allowed or target.chunks}
    # A search refuses a limit of none; with more hits than asked for the first are the same.
    deep = asked.limit if asked.limit < 1 else max(asked.limit, RERANKED)
    shown = asked.find(deep, asked.where)
    # What a filter leaves out has its ranks without it.
    among = asked.where if allowed else EVERYTHING
    found = shown if allowed else asked.find(deep, among)
    vector = asked.vector(found)
    words = () if found.mode == "dense" else evidence.content_words(asked.question)
    wording = rank.wording(asked.question, words)
    with asked.index.snapshot():
        lists = _lists(asked.index, vector, wording, among)
        reach = _reach(asked, vector, wording, among, _depth(lists, chunks), chunks)
        hit = _hit(asked, found, reach, lists, chunks)
        why = _told(asked, target, shown, hit, reach, lists, wording)
    why = replace(why, filtered_by=barred[hit.chunk], is_shown=why.is_shown and bool(allowed))
    return replace(why, because=because(why), next_step=next_step(why))


def _told(
    asked: Asked,
    target: Target,
    shown: Search,
    hit: Hit,
    reach: _Reach,
    lists: _Lists,
    wording: Wording,
) -> Why:
    hits = shown.hits[: asked.limit]
    words, phrases = _wordings(asked.index, wording, hit.chunk)
    return Why(
        question=asked.question,
        mode=shown.mode,
        degraded=shown.degraded,
        place=target.place,
        hit=hit,
        others=len(target.chunks) - 1,
        limit=asked.limit,
        is_shown=0 < hit.rank <= asked.limit,
        shown_by=_enough(hit, reach),
        last_score=hits[-1].score if hits else None,
        is_refused=not asked.has_evidence(shown),
        dense=_standing(lists.dense, hit.chunk),
        bm25=_standing(lists.bm25, hit.chunk),
        words=words,
        phrases=phrases,
        left_out=_left_out(asked.question, wording),
        filtered_by=(),
        repeats=_repeated(asked.index, reach.ranked, hit.chunk),
        rank_before_reranking=_rank(reach.ranked.best, hit.chunk) if _is_read(hit) else None,
        is_stale=asked.is_stale(hit.path),
    )


def _barring(where: Filter, document: Document, chunk: Chunk) -> tuple[str, ...]:
    """Return the parts of a filter that a chunk does not pass, as they are typed."""

    def parts() -> Iterator[tuple[str, bool]]:
        path, metadata = document.path, document.metadata
        for glob in where.globs:
            yield glob, allows_document(Filter(globs=(glob,)), path, metadata)
        for key, value in where.metadata:
            one = Filter(metadata=((key, value),))
            yield f"{key}={value}", allows_document(one, path, metadata)
        for text in where.headings:
            one = Filter(headings=(text,))
            yield f"{HEADING}={text}", allows_heading(one, chunk.heading)

    return tuple(part for part, passes in parts() if not passes)


def _lists(index: Store, vector: Vector | None, wording: Wording, where: Filter) -> _Lists:
    total = index.occurrences((), ()).total
    return _Lists(
        index.dense(vector, total, where) if vector is not None else [],
        index.words(wording.words, total, where) if wording.words else [],
    )


def _depth(lists: _Lists, ids: Collection[str]) -> int | None:
    """Return for how many hits a search takes one of the chunks as a candidate; None for never."""
    firsts = (
        next((place for place, one in enumerate(ranking, 1) if one.id in ids), None)
        for ranking in (lists.dense, lists.bm25)
    )
    return min(((first + 1) // 2 for first in firsts if first), default=None)


def _reach(
    asked: Asked,
    vector: Vector | None,
    wording: Wording,
    where: Filter,
    depth: int | None,
    ids: Collection[str],
) -> _Reach:
    """Return the ranking for the hits asked for, or for as many as it takes to see the place."""
    limit, total = max(asked.limit, depth or 0), asked.index.occurrences((), ()).total
    while True:
        ranked = rank_chunks(asked.index, vector, wording, limit=limit, where=where)
        places = (place for place, one in enumerate(ranked.best, 1) if one.id in ids)
        first = next(places, None)
        # Among equal scores a candidate may still stand behind the last that was looked at.
        is_missed = first is None and depth is not None and limit < total
        if not is_missed and (first is None or first <= max(limit, STEADY)):
            return _Reach(ranked, limit, first)
        # More hits bring more candidates, and they may stand before it.
        limit = first or 2 * limit


def _hit(
    asked: Asked, found: Search, reach: _Reach, lists: _Lists, chunks: Mapping[str, Chunk]
) -> Hit:
    """Return the best chunk of a place as a hit, with rank 0 where no search finds any."""
    for hit in found.hits:
        if hit.chunk in chunks:
            return hit
    parts, best = reach.ranked.parts, reach.ranked.best
    if reach.rank is None:
        near = (one.id for one in (*lists.dense, *lists.bm25) if one.id in chunks)
        return asked.hit(chunks[next(near, next(iter(chunks)))], 0, 0.0, {})
    one = best[reach.rank - 1]
    scores = {kind: part[one.id] for kind, part in parts.items() if one.id in part}
    return asked.hit(chunks[one.id], reach.rank, one.score, scores)


def _enough(hit: Hit, reach: _Reach) -> int | None:
    """Return how many hits to ask for to see one."""
    if not hit.rank:
        return None
    return hit.rank if reach.limit <= STEADY else reach.limit


def _is_read(hit: Hit) -> bool:
    """Whether a reranker had its say on a hit."""
    return "rerank" in hit.scores


def _rank(ranking: Sequence[Scored], id: str) -> int | None:
    return next((place for place, one in enumerate(ranking, 1) if one.id == id), None)


def _standing(ranking: Sequence[Scored], id: str) -> Standing | None:
    place = _rank(ranking, id)
    if place is None:
        return None
    return Standing(place, len(ranking), round(ranking[place - 1].score, 6))


def _repeated(index: Store, ranked: Ranked, id: str) -> str | None:
    """Return ``path:lines`` of what a chunk repeats."""
    first = ranked.repeats.get(id)
    for one in index.chunks([first] if first else []).values():
        return f"{one.path}:{one.lines[0]}-{one.lines[1]}"
    return None


def _wordings(index: Store, wording: Wording, id: str) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """Return where the question's words stand, and which stand together in a chunk."""
    beside = [one for one in index.beside([id]).get(id, ()) if one]
    seen = index.occurrences(wording.terms, [id, *beside])
    standing = index.word_places(wording.terms, [id]).get(id)
    heading = standing.heading if standing else {}

    def place(word: str) -> WordPlace:
        holding = seen.among.get(word, frozenset())
        if id in holding:
            return "heading" if word in heading else "text"
        if holding:
            return "beside"
        return "elsewhere" if seen.counts.get(word) else "nowhere"

    words = tuple(Word(one, place(one), seen.counts.get(one, 0)) for one in wording.words)
    phrases = (
        next((way for way in ways if id in seen.among.get(way, ())), "") for ways in wording.phrases
    )
    return words, tuple(filter(None, phrases))


def _left_out(question: str, wording: Wording) -> tuple[str, ...]:
    """Return the stop words of a question, each once."""
    found = dict.fromkeys(re.findall(r"\w+", question.lower()))
    return tuple(one for one in found if one in evidence.STOP_WORDS and one not in wording.words)
