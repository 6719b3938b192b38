"""Kinds of approximate indexes beside each other: row ``kinds``.

Each is built over the same grown vectors and asked the same real questions one by one; what its
codes find is scored exactly. Of what each can search more or less of, the least is taken that
finds 98 % of the ten nearest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from speed_clock import percentile, table
from speed_grounds import SIZES, Ground, question_vectors

CANDIDATES = 400
WANTED = 98.0
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_DEPTHS = (64, 128, 256, 512, 1024)
PRECISION = "int8"


def kinds(ground: Ground) -> str:
    """Return what each kind costs to build, to keep and to ask, and what it finds."""
    import numpy as np

    size = min(ground.most, SIZES[2])
    matrix = np.load(ground.store(size, PRECISION).matrix)
    questions = question_vectors(ground.home)
    scores = questions @ matrix.T
    best = np.argsort(-scores, axis=1)[:, :10]
    lists = round(4 * size**0.5)
    rows = []
    for name, factory in _factories(lists, matrix.shape[1]).items():
        index, seconds = _built(factory, matrix)
        share = _bytes(index, matrix)
        row = [name]
        for said, times, recall in _asked(index, matrix, questions, best):
            row = [f"{name}{said}", f"{seconds:.1f}", times, f"{recall:.1f}", share]
            if recall >= WANTED:
                break
        rows.append(row)
    heads = [f"kind, {size:,} vectors", "build, s", "p50 / p95 ms", "recall@10 %", "of the bytes"]
    return table(heads, rows)


def _factories(lists: int, dim: int) -> dict[str, str]:
    """Return FAISS's own names of the kinds."""
    return {
        "SQ8, flat": "SQ8",
        "IVF, flat": f"IVF{lists},Flat",
        "IVF, SQ8": f"IVF{lists},SQ8",
        "IVF, PQ fast scan": f"IVF{lists},PQ{dim // 3}x4fs",
        "HNSW, 32 links": "HNSW32,Flat",
    }


def _built(factory: str, matrix: Any) -> tuple[Any, float]:
    import faiss

    index = faiss.index_factory(matrix.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
    started = time.perf_counter()
    if not index.is_trained:
        index.train(matrix[:: max(1, len(matrix) // 50_000)])
    index.add(matrix)
    return index, time.perf_counter() - started


def _asked(index: Any, matrix: Any, questions: Any, best: Any) -> Iterator[tuple[str, str, float]]:
    """Yield what was searched of an index, with its times and its recall, the least first."""
    import faiss

    if hasattr(index, "nprobe"):
        for share in _STEPS:
            index.nprobe = max(1, round(share * index.nlist))
            yield f", {share:.0%} of the lists", *_measured(index.search, matrix, questions, best)
    elif hasattr(index, "hnsw"):
        for depth in _DEPTHS:
            faiss.ParameterSpace().set_index_parameter(index, "efSearch", depth)
            yield f", depth {depth}", *_measured(index.search, matrix, questions, best)
    else:
        yield "", *_measured(index.search, matrix, questions, best)


def _measured(
    search: Callable[..., Any], matrix: Any, questions: Any, best: Any
) -> tuple[str, float]:
    import numpy as np

    seconds, found = [], 0
    for question, nearest in zip(questions, best, strict=True):
        started = time.perf_counter()
        places = search(question[None], CANDIDATES)[1][0]
        places = places[places >= 0]
        exact = matrix[places] @ question
        first = places[np.argsort(-exact)[:10]]
        seconds.append(time.perf_counter() - started)
        found += len(np.intersect1d(first, nearest))
    times = " / ".join(f"{1000 * percentile(seconds, at):.2f}" for at in (50, 95))
    return times, 100 * found / best.size


def _bytes(index: Any, matrix: Any) -> str:
    import faiss

    return f"{faiss.serialize_index(index).nbytes / matrix.nbytes:.2f}"
