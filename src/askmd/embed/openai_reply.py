"""What an embeddings server sent: believed only after every part of it was looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from askmd.embed.gate import unit_vectors
from askmd.errors import EmbeddingError

if TYPE_CHECKING:
    from askmd.types import Vectors


def read_vectors(content: bytes, count: int, dim: int, *, maker: str) -> Vectors:
    """Return the unit vectors of a reply in the order of the texts that were sent.

    Shape (count, dim), float32; ``dim`` 0 takes any length. Raises EmbeddingError, naming
    ``maker``, unless the reply holds ``count`` vectors, each under its own ``index``.
    """
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise EmbeddingError(
            f"{maker} answered with something that is not JSON", "check embedding.base_url"
        ) from error
    items = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise EmbeddingError(
            f"{maker} answered without a list of embeddings", "check embedding.base_url"
        )
    if len(items) != count:
        raise EmbeddingError(f"{maker} answered with {len(items)} vectors for {count} texts")
    rows = [_numbers(item.get("embedding"), maker) for item in _in_order(items, maker)]
    return unit_vectors(rows, count, dim, maker=maker)


def _in_order(items: Sequence[Mapping[str, Any]], maker: str) -> list[Mapping[str, Any]]:
    by_index = {item["index"]: item for item in items if type(item.get("index")) is int}
    if sorted(by_index) != list(range(len(items))):
        raise EmbeddingError(f"{maker} answered with missing or doubled indexes")
    return [by_index[index] for index in range(len(items))]


def _numbers(vector: Any, maker: str) -> list[float]:
    if isinstance(vector, str):
        raise EmbeddingError(f"{maker} answered in base64, though it was asked for numbers")
    if not isinstance(vector, list):
        raise EmbeddingError(f"{maker} answered without a vector where one was due")
    if any(isinstance(value, list) for value in vector):
        raise EmbeddingError(
            f"{maker} answered with a vector for each token, not for each text",
            "start that server with pooling",
        )
    if not all(type(value) in (float, int) for value in vector):
        raise EmbeddingError(f"{maker} answered with a vector that is not all numbers")
    return vector
