"""Vectors checked, kept as bytes, and multiplied. Imported when a vector is at hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from askmd.errors import EmbeddingError, IndexCorrupt, IndexMismatch
from askmd.store.manifest import MEND_STEP, REBUILD_STEP
from askmd.store.rows import vector_checksum

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors

TOLERANCE = 1e-3
"""How far from one a unit vector's length may be."""
_LITTLE_ENDIAN = "<f4"


def check_vectors(vectors: Mapping[bytes, Vector], dim: int) -> int:
    """Return the vectors' dimension; ``dim`` is what it must be, or 0 where none is known yet.

    Raises EmbeddingError for what is no finite float32 unit vector, IndexMismatch for another
    dimension.
    """
    for vector in vectors.values():
        if vector.dtype != np.float32 or vector.ndim != 1 or not vector.size:
            raise EmbeddingError(
                f"the embedder gave {vector.dtype} of shape {vector.shape}, not a float32 vector",
                "try another model",
            )
        dim = dim or vector.size
        if vector.size != dim:
            raise IndexMismatch(
                f"the embedder gives vectors of {vector.size} numbers, the index holds {dim}",
                REBUILD_STEP,
            )
    matrix = np.stack(list(vectors.values()))
    lengths = np.linalg.norm(matrix, axis=1)
    # Written so that a length that is not a number fails too.
    if not np.all(np.abs(lengths - 1.0) < TOLERANCE):
        wrong = lengths[~(np.abs(lengths - 1.0) < TOLERANCE)][0]
        raise EmbeddingError(f"the embedder gave a vector of length {wrong}, not 1", "try again")
    return dim


def check_question(vector: Vector, dim: int) -> Vector:
    """Return the question's vector as FAISS takes it; raises as ``check_vectors`` does."""
    question = np.ascontiguousarray(vector, dtype=np.float32)
    check_vectors({b"": question}, dim)
    return question


def to_bytes(vector: Vector) -> bytes:
    """Return a vector as it is stored."""
    return vector.astype(_LITTLE_ENDIAN).tobytes()


def as_cosine(score: float) -> float:
    """Return a product of unit vectors as a cosine."""
    # Rounding can carry a product of unit vectors past one.
    return max(-1.0, min(1.0, score))


def read_matrix(
    rows: Sequence[tuple[Any, bytes, bytes, bytes]], dim: int, database: Path
) -> Vectors:
    """Return the rows' vectors, shape (rows, dim); raises IndexCorrupt if one has changed."""
    for _, key, vector, checksum in rows:
        # A damaged row can hold another type than was written, or be missing.
        is_sound = isinstance(key, bytes) and isinstance(vector, bytes) and len(vector) == 4 * dim
        if not is_sound or vector_checksum(key, vector) != checksum:
            raise IndexCorrupt(f"{database} is damaged: a vector has changed", MEND_STEP)
    joined = b"".join(row[2] for row in rows)
    flat = np.frombuffer(joined, dtype=_LITTLE_ENDIAN).astype(np.float32, copy=False)
    return flat.reshape(len(rows), dim)
