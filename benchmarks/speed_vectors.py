"""Vectors for the large sizes: real embeddings, and others that lie among each other as they do.

After the real ones come copies of the whole set, each turned away from it by a rotation of its own:
another collection of documents, on other subjects, with the real set's neighbourhoods. Inside a
copy every vector is moved along the differences to its neighbours, so that none comes twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
TURNED = (1.5, 2.5)
"""Between which shares of its rotated self is added to a copy: fitted by ``ratios``."""
MOVED = 0.45
"""How far a vector is moved, in distances to its neighbours: fitted likewise."""
NEIGHBOURS = 20
SHARES = (10, 50, 90)
"""Percentiles that are shown."""
_STORED = (
    "SELECT vector FROM chunks JOIN vectors ON vectors.key = chunks.vector_key "
    "ORDER BY chunks.number"
)


@dataclass(frozen=True, slots=True)
class Ratios:
    """How vectors lie to each other: percentiles 10, 50 and 90."""

    cosine: tuple[float, ...]
    """Of the nearest one."""
    first_to_tenth: tuple[float, ...]
    """Distance of the nearest one to that of the tenth."""
    first_to_median: tuple[float, ...]
    """Distance of the nearest one to the median of all."""


def stored_vectors(indexes: Sequence[Path]) -> Vectors:
    """Return the vectors of all chunks of some indexes' databases, in their order."""
    rows: list[bytes] = []
    for index in indexes:
        with closing(sqlite3.connect(f"file:{index}?mode=ro", uri=True)) as connection:
            rows += [vector for (vector,) in connection.execute(_STORED)]
    return np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(rows), -1).astype(np.float32)


def grown_vectors(
    real: Vectors, count: int, seed: int, *, turned: tuple[float, float] = TURNED
) -> Iterator[Vectors]:
    """Yield so many unit vectors, the real ones first, some thousands at a time."""
    yield real[:count]
    random = np.random.default_rng(seed)
    mean = real.mean(axis=0)
    mean /= np.linalg.norm(mean)
    _, near = faiss.knn(real, real, NEIGHBOURS + 1, metric=faiss.METRIC_INNER_PRODUCT)
    for start in range(len(real), count, len(real)):
        chosen = random.permutation(len(real))
        # Cut last: with one more at the end all others stay the same.
        yield _copy(real, chosen, near[:, 1:], mean, random, turned)[: count - start]


def _copy(
    real: Vectors,
    chosen: npt.NDArray[np.int64],
    near: npt.NDArray[np.int64],
    mean: Vectors,
    random: np.random.Generator,
    turned: tuple[float, float],
) -> Vectors:
    own = real[chosen]
    moved = own.copy()
    for _ in range(2):
        other = near[chosen, random.integers(0, near.shape[1], len(chosen))]
        far = random.standard_normal((len(chosen), 1), dtype=np.float32)
        moved += far * np.float32(MOVED / 2**0.5) * (real[other] - own)
    rotation, _ = np.linalg.qr(random.standard_normal((real.shape[1],) * 2, dtype=np.float32))
    # What all embeddings of a model have in common stays where it is.
    apart = moved - (moved @ mean)[:, None] * mean
    moved += np.float32(random.uniform(*turned)) * (apart @ rotation)
    unit: Vectors = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    return unit


def uniform_vectors(count: int, dim: int, seed: int, *, rows: int = 8192) -> Iterator[Vectors]:
    """Yield so many unit vectors that favour no direction: the hardest there are to index."""
    random = np.random.default_rng(seed)
    for start in range(0, count, rows):
        drawn = random.standard_normal((min(rows, count - start), dim), dtype=np.float32)
        yield drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def ratios(questions: Vectors, vectors: Vectors, *, skip: int = 0) -> Ratios:
    """Return how vectors lie as seen from questions; ``skip`` 1 where these are among them."""
    best, _ = faiss.knn(questions, vectors, 10 + skip, metric=faiss.METRIC_INNER_PRODUCT)
    best = best[:, skip:]
    some = vectors[:: max(1, len(vectors) // 2000)]
    distances, median = _distances(best), np.median(_distances(questions @ some.T), axis=1)
    return Ratios(
        _percentiles(best[:, 0]),
        _percentiles(distances[:, 0] / distances[:, 9]),
        _percentiles(distances[:, 0] / median),
    )


def _distances(cosines: Vectors) -> Vectors:
    # Never 0: real documents repeat themselves word by word.
    return np.sqrt(np.maximum(2 - 2 * cosines, 1e-6))


def _percentiles(values: Vectors) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in np.percentile(values, SHARES))
