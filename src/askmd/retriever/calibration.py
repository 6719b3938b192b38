"""What nonsense scores in an index, measured once: the floor that hits are told by.

At the first search and not at ingest: who never asks pays for no extra embedding, and what a dry
run says an ingest costs stays true. The floor is kept beside the index until a quarter of the
chunks came or went, and in memory where the index cannot be written.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from askmd import evidence
from askmd.contracts import Embedder, Store
from askmd.errors import EmbeddingError
from askmd.evidence import EVERYDAY, Floor, Weighed
from askmd.types import Chunk, Filter, Hit, Scored

if TYPE_CHECKING:
    from askmd.types import Vector

logger = logging.getLogger("askmd")
VERSION = 1
"""Grows whenever the same index would get another floor."""
SAMPLE = 32
"""Chunks whose own words are asked for."""
NEAREST = 8
"""Hits of such a search."""
ONE_BY_ONE = 40
"""Everyday questions, where the embedder needs a call for each."""
OWN_WORDS = 12
"""Of a chunk, asked for without each third."""
TOLD = 20
"""Hits of a question that are looked at: the better ones of the ranking."""
STEADY_SHARE = 0.2
"""Of a chunk's words those that no other holds, where an absent word tells all it can."""
LEAST_NOVELTY = 0.1
LEAST_SPAN = 0.05
SCORE_FLOOR = (0.035, 0.08)
WORDS_FLOOR = (0.0, 0.015)
"""From what real questions allow to what nonsense may ask for, found as the weights were."""
EVERYTHING = Filter()


class Gate:
    """Tells how far hits stand above an index's floor; measures it when it is first needed."""

    def __init__(self, index: Store, embedder: Embedder) -> None:
        """Tell by an index and the embedder its vectors are made with."""
        self._index = index
        self._embedder = embedder
        self._lock = threading.Lock()
        self._floor: tuple[int, Floor | None] | None = None

    def told(self, question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Return the hits with how far they stand above the floor, those that have a cosine."""
        is_known = any("cosine" in hit.scores for hit in hits)
        floor = self.floor() if is_known else None
        if floor is None:
            return tuple(hits)
        asked = self._weighed(question, hits)

        def told(hit: Hit, cosine: float) -> Hit:
            score = evidence.above_floor(asked, hit.chunk, cosine, floor)
            return replace(hit, above_floor=round(score, 6))

        return tuple(
            told(hit, hit.scores["cosine"]) if "cosine" in hit.scores else hit for hit in hits
        )

    def has_evidence(self, question: str, hits: Sequence[Hit]) -> bool:
        """Return whether some hit reaches the floor; by words alone where no cosine was had."""
        hits = hits[:TOLD]
        marks = [hit.above_floor for hit in hits if hit.above_floor is not None]
        if not marks and hits:
            floor, asked = self._floor_of_words(), self._weighed(question, hits)
            marks = [evidence.above_floor_by_words(asked, hit.chunk, floor) for hit in hits]
        return max(marks, default=-1.0) >= 0

    def floor(self) -> Floor | None:
        """Return the floor of the index as it is now, measured if nobody did yet.

        None where it could not be measured; until the index changes nobody tries again.
        """
        with self._lock:
            generation = self._index.generation
            if self._floor is None or self._floor[0] != generation:
                self._floor = generation, self._kept() or self._measured()
            return self._floor[1]

    def _weighed(self, question: str, hits: Sequence[Hit]) -> Weighed:
        asked = evidence.sought(question)
        seen = self._index.occurrences(asked.terms, [hit.chunk for hit in hits])
        return evidence.weigh(asked, seen)

    def _floor_of_words(self) -> Floor:
        """Return a floor that is good for words alone, for which no embedder is needed."""
        return self._kept() or measure_words(self._index)

    def _kept(self) -> Floor | None:
        try:
            kept = json.loads(self._index.calibration() or "null")
            return Floor(**kept["floor"]) if kept["version"] == VERSION else None
        except (ValueError, TypeError, KeyError):
            return None

    def _measured(self) -> Floor | None:
        try:
            floor = measure(self._index, self._embedder)
        except EmbeddingError as error:
            logger.warning("what nonsense scores could not be measured: %s", error.message)
            return None
        self._index.keep_calibration(json.dumps({"version": VERSION, "floor": asdict(floor)}))
        return floor


def measure(index: Store, embedder: Embedder) -> Floor:
    """Return what nonsense scores in an index; raises EmbeddingError without an embedder."""
    from statistics import median

    chunks = index.sample(SAMPLE)
    own = [_own_words(chunk) for chunk in chunks]
    vectors = _embedded(embedder, index, [*EVERYDAY, *own])
    everyday, ours = vectors[: len(vectors) - len(own)], vectors[len(vectors) - len(own) :]
    found = [index.dense(vector, NEAREST, EVERYTHING) for vector in everyday]
    best = [near[0].score if near else 0.0 for near in found]
    pairs = zip(ours, chunks, strict=True)
    same = [index.cosines(vector, [chunk.id])[0] for vector, chunk in pairs]
    cosine = median(best)
    floor = replace(
        measure_words(index),
        cosine=cosine,
        stray=_but_for_a_few(best),
        span=max(LEAST_SPAN, median(same) - cosine) if same else 1.0,
    )
    scores = [
        max(_scores(index, question, near, floor), default=0.0)
        for question, near in zip(EVERYDAY, found, strict=False)
    ]
    return replace(floor, score=_within(SCORE_FLOOR, _but_for_a_few(scores)))


def measure_words(index: Store) -> Floor:
    """Return the part of a floor that words alone are told by."""
    floor = replace(evidence.WORDS_ALONE, novelty=_novelty(index, index.sample(SAMPLE)))
    scores = []
    for question in EVERYDAY:
        asked = evidence.sought(question)
        held = index.words(asked.terms, NEAREST, EVERYTHING) if asked.terms else []
        seen = index.occurrences(asked.terms, [one.id for one in held])
        weighed = evidence.weigh(asked, seen)
        marks = [evidence.above_floor_by_words(weighed, one.id, floor) for one in held]
        scores.append(max(marks, default=0.0))
    return replace(floor, words=_within(WORDS_FLOOR, _but_for_a_few(scores)))


def _scores(index: Store, question: str, near: Sequence[Scored], floor: Floor) -> Iterator[float]:
    """Yield what the hits nearest to an everyday question score."""
    asked = evidence.sought(question)
    weighed = evidence.weigh(asked, index.occurrences(asked.terms, [one.id for one in near]))
    for one in near:
        yield evidence.above_floor(weighed, one.id, one.score, floor)


def _own_words(chunk: Chunk) -> str:
    """Return some words from a chunk's middle without each third, as a person recalls a text."""
    words = chunk.text.split() or ["-"]
    if len(words) < OWN_WORDS:
        # Few blanks: perhaps a script without them, of which a stretch is as good.
        middle = len(chunk.text) // 3
        return chunk.text[middle : middle + 2 * OWN_WORDS].strip() or words[0]
    start = (len(words) - OWN_WORDS) // 2
    some = words[start : start + OWN_WORDS]
    return " ".join(word for place, word in enumerate(some) if place % 3)


def _embedded(embedder: Embedder, index: Store, texts: Sequence[str]) -> list[Vector]:
    """Return the texts' vectors as those of questions; of fewer everyday ones if that is dear."""
    identity = index.identity
    if identity.query_prefix == identity.passage_prefix:
        return list(embedder.embed(texts))
    fewer = [*EVERYDAY[:ONE_BY_ONE], *texts[len(EVERYDAY) :]]
    return [embedder.embed_query(text) for text in fewer]


def _but_for_a_few(scores: Sequence[float]) -> float:
    """Return what nineteen of twenty scores stay below."""
    from statistics import quantiles

    return quantiles(scores, n=20)[-1] if len(scores) > 1 else max(scores, default=0.0)


def _novelty(index: Store, chunks: Sequence[Chunk]) -> float:
    """Return how much it tells that a word is absent, by how many of a chunk's words are its own.

    That share is how often a word of the next text will be new: Good and Turing's estimate.
    """
    terms = [
        {term for term in evidence.sought(chunk.text[:600]).terms if not evidence.is_common(term)}
        for chunk in chunks
    ]
    counts = index.occurrences(sorted(set().union(*terms)), []).counts
    seen = [counts[term] for of_one in terms for term in of_one]
    if not seen:
        return 1.0
    alone = (sum(count <= 1 for count in seen) + 1) / (len(seen) + 2)
    return min(1.0, max(LEAST_NOVELTY, math.log(alone) / math.log(STEADY_SHARE)))


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(max(value, bounds[0]), bounds[1])
