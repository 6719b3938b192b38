"""Questions asked of one index in one warm process; prints what each took as JSON.

    python benchmarks/speed_asking.py KIND INDEX HOME [LIMIT]

dense, words: through the store. exact, fts5: the same from the vectors in memory, and by SQL.
hybrid: a whole search, less what the model took. first: from opening the store to the first hits.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from askmd import evidence
from askmd.store import open_store
from askmd.store.words import match_any
from askmd.types import Filter, Scored
from speed_clock import evenly
from speed_grounds import config_of, database_of, question_vectors, some_questions

if TYPE_CHECKING:
    from speed_vectors import Vectors

EVERYTHING = Filter()
WARM = 20
FEW = 60
"""Of questions that a slow peer is asked."""
_HEADING_WEIGHT, _TEXT_WEIGHT = 2.0, 1.0
_BEST = f"""
SELECT rowid, -rank FROM words
WHERE words MATCH ? AND rank MATCH 'bm25({_HEADING_WEIGHT}, {_TEXT_WEIGHT})'
ORDER BY rank LIMIT ?
"""


def timed(asked: Sequence[Any], search: Callable[[Any], Any]) -> dict[str, Any]:
    """Return the seconds of each question, and what it found."""
    for one in asked[:WARM]:
        search(one)
    seconds, found = [], []
    for one in asked:
        started = time.perf_counter()
        found.append(search(one))
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "found": [_told(one) for one in found]}


def _told(found: Sequence[Scored | tuple[Any, float]]) -> list[tuple[Any, float]]:
    return [(one.id, one.score) if isinstance(one, Scored) else one for one in found]


def words_of(questions: Sequence[str]) -> list[list[str]]:
    """Return the words that are looked for, a list a question that has any."""
    return [list(words) for one in questions if (words := evidence.content_words(one))]


def vectors_of(index: Path) -> tuple[Vectors, Any]:
    """Return all vectors and their chunks' ids, which lie beside the index."""
    return np.load(index.parent / "matrix.npy"), np.load(index.parent / "ids.npy")


def dense(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return the nearest chunks by the store."""
    with open_store(index) as store:
        return timed(question_vectors(home), lambda one: store.dense(one, limit, EVERYTHING))


def exact(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return the nearest chunks by one product with all vectors, which lie in memory."""
    matrix, ids = vectors_of(index)

    def search(question: Vectors) -> list[tuple[str, float]]:
        scores = matrix @ question
        best = np.argpartition(scores, -limit)[-limit:] if limit < len(scores) else range(len(ids))
        return [(ids[place].decode(), float(scores[place])) for place in best]

    return timed(evenly(question_vectors(home), FEW), search)


def truth(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return the nearest chunks of all questions at once, best first; times mean nothing."""
    import faiss

    matrix, ids = vectors_of(index)
    best, places = faiss.knn(
        question_vectors(home), matrix, limit, metric=faiss.METRIC_INNER_PRODUCT
    )
    found = [
        [(ids[place].decode(), float(score)) for place, score in zip(*row, strict=True)]
        for row in zip(places, best, strict=True)
    ]
    return {"seconds": [], "found": found}


def words(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return the best chunks by BM25 as the store finds them."""
    with open_store(index) as store:
        asked = words_of(some_questions())
        return timed(asked, lambda one: store.words(one, limit, EVERYTHING))


def fts5(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return the best chunks by BM25 as FTS5 finds them: nothing is left out."""
    connection = sqlite3.connect(f"file:{database_of(index)}?mode=ro", uri=True)
    names = dict(connection.execute("SELECT number, id FROM chunks"))

    def search(terms: list[str]) -> list[tuple[int, float]]:
        return connection.execute(_BEST, (match_any(terms), limit)).fetchall()

    told = timed(words_of(some_questions()), search)
    told["found"] = [[(names[number], score) for number, score in one] for one in told["found"]]
    return told


def hybrid(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return whole searches less the model's own time, and that time."""
    from askmd import Retriever, compose

    config = config_of(index, "int8")
    timing = Timing(compose.open_embedder(config))
    with Retriever.open(config, embedder=timing) as retriever:
        told = timed(some_questions(), lambda one: retriever.find(one, limit=limit).hits and [])
    model = timing.seconds[-len(told["seconds"]) :]
    whole = told["seconds"]
    rest = [one - own for one, own in zip(whole, model, strict=True)]
    return {"seconds": rest, "whole": whole, "model": model}


class Timing:
    """An embedder that notes what each question took."""

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder
        self.seconds: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_query(self, text: str) -> Any:
        """Return the question's vector."""
        started = time.perf_counter()
        vector = self._embedder.embed_query(text)
        self.seconds.append(time.perf_counter() - started)
        return vector


def first(index: Path, home: Path, limit: int) -> dict[str, Any]:
    """Return what it takes to open the store and find the first hits; numpy is loaded."""
    question = question_vectors(home, 1)[0]
    started = time.perf_counter()
    with open_store(index) as store:
        store.dense(question, limit, EVERYTHING)
        return {"seconds": [time.perf_counter() - started]}


KINDS = {one.__name__: one for one in (dense, exact, truth, words, fts5, hybrid, first)}


def main() -> None:
    kind, index, home, *limit = sys.argv[1:]
    told = KINDS[kind](Path(index), Path(home), int(limit[0]) if limit else 10)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
