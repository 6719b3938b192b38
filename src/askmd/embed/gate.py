"""The one gate that vectors pass, whoever made them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from askmd.errors import EmbeddingError

if TYPE_CHECKING:
    from askmd.types import Vectors


def unit_vectors(raw: Any, count: int, dim: int, *, maker: str = "the embedder") -> Vectors:
    """Return ``raw`` as unit vectors: float32, shape (count, dim), rows in the same order.

    ``dim`` 0 takes any length, the same for all. Raises EmbeddingError, naming ``maker``, on
    another shape, on numbers that are not finite and on vectors without a direction.
    """
    try:
        vectors = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise EmbeddingError(f"{maker} answered with vectors of different lengths") from error
    if count == 0:
        return np.empty((0, dim), dtype=np.float32)
    _check_shape(vectors.shape, count, dim, maker)
    if not np.isfinite(vectors).all():
        raise EmbeddingError(f"{maker} answered with numbers that are not finite")
    # Scaled first: the squares of very large numbers would be infinite.
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    # Numbers below the normal ones have lost digits, and with them the direction.
    if (largest < np.finfo(np.float64).tiny).any():
        raise EmbeddingError(f"{maker} answered with a vector of zeros, which has no direction")
    scaled = vectors / largest
    units = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.ascontiguousarray(units, dtype=np.float32)


def _check_shape(shape: tuple[int, ...], count: int, dim: int, maker: str) -> None:
    if len(shape) != 2 or shape[0] != count:
        raise EmbeddingError(f"{maker} answered with shape {shape} for {count} texts")
    if shape[1] == 0 or (dim and shape[1] != dim):
        raise EmbeddingError(
            f"{maker} answered with {shape[1]} numbers a vector, not {dim or 'any'}"
        )
