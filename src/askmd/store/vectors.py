"""A segment of vectors, written: the rows in the order of their chunks' numbers.

From ``APPROXIMATE`` rows on, an approximate index stands beside them in the same file: FAISS's
inverted lists of product-quantised rows (Jégou and others, 2011), of one 4-bit code for every
three numbers, which are looked up in registers (André and others, 2015): a twentieth of the rows.
Imported when a segment is written.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from askmd.errors import IndexCorrupt
from askmd.store.derived import BLOCK, FINE_BLOCK, Draft, Origin, drafting
from askmd.store.floats import read_matrix
from askmd.store.manifest import MEND_STEP
from askmd.store.schema import State

if TYPE_CHECKING:
    from askmd.types import Vectors

APPROXIMATE = 50_000
"""A segment of so many rows gets an approximate index: from here on all rows take too long."""
_BATCH_ROWS = 1024
_ADDED_ROWS = 8192
_ROWS_PER_LIST = 512
_SAMPLE_PER_LIST = 24
_LEAST_SAMPLE = 4096
_WIDTH = 3
"""So many numbers of a row share a code."""
_ROUNDS = 8
_RANGE = """
SELECT chunks.number, key, vector, vectors.checksum
FROM chunks JOIN vectors ON vectors.key = chunks.vector_key
JOIN chunks AS mirror INDEXED BY chunks_vector
    ON mirror.vector_key = chunks.vector_key AND mirror.number = chunks.number
WHERE chunks.number > ? AND chunks.number <= ? ORDER BY chunks.number
"""


def build_segment(
    connection: sqlite3.Connection,
    state: State,
    database: Path,
    path: Path,
    origin: Origin,
    *,
    approximate: int = APPROXIMATE,
) -> None:
    """Write the segment of a range of chunk numbers; see ``segments.Build``.

    approximate: from how many rows on it gets an approximate index. Raises IndexCorrupt where a
    vector is missing or has changed.
    """
    # Of a large one single rows are read; a small one is read whole.
    with drafting(path, FINE_BLOCK if origin.count >= approximate else BLOCK) as draft:
        numbers: list[npt.NDArray[np.int64]] = []
        rows = connection.execute(_RANGE, (origin.after, origin.last))
        while batch := rows.fetchmany(_BATCH_ROWS):
            numbers.append(np.array([row[0] for row in batch], dtype=np.int64))
            draft.put("matrix", read_matrix(batch, state.identity.dim, database))
        count = sum(len(some) for some in numbers)
        if count != origin.count:
            raise IndexCorrupt(
                f"{database} is damaged: {origin.count} chunks have {count} vectors", MEND_STEP
            )
        draft.put("numbers", *numbers)
        if count >= approximate:
            _put_lists(draft, count, origin.dim)
        draft.finish(origin)


def _put_lists(draft: Draft, count: int, dim: int) -> None:
    """Add an approximate index of the rows that were written."""
    import faiss

    index = _train(draft, count, dim)
    for rows in _batches(draft, range(count)):
        index.add(rows)
    data = faiss.serialize_index(index)
    draft.put("index", *np.array_split(data, len(data) // (1 << 20) + 1))


def _train(draft: Draft, count: int, dim: int) -> Any:
    """Return an index without rows, whose lists and codes fit a sample of them."""
    import faiss

    lists = max(1, count // _ROWS_PER_LIST)
    codes = next(width for width in range(_WIDTH, dim + 1) if dim % width == 0)
    index = faiss.IndexIVFPQFastScan(
        faiss.IndexFlatIP(dim), dim, lists, dim // codes, 4, faiss.METRIC_INNER_PRODUCT
    )
    index.by_residual = True
    index.cp.spherical = True
    index.cp.niter = index.pq.cp.niter = _ROUNDS
    index.cp.min_points_per_centroid = 1
    # At even distances, so that the same rows are always cut into the same lists.
    wanted = min(count, max(_LEAST_SAMPLE, lists * _SAMPLE_PER_LIST))
    sample = np.linspace(0, count - 1, wanted).astype(np.int64)
    index.train(np.concatenate(list(_batches(draft, sample))))
    return index


def _batches(draft: Draft, places: range | npt.NDArray[np.int64]) -> Iterator[Vectors]:
    """Yield rows that were written, in this order, some thousands at a time."""
    for start in range(0, len(places), _ADDED_ROWS):
        some = [int(place) for place in places[start : start + _ADDED_ROWS]]
        yield np.stack(list(draft.reread("matrix", some)))
