"""What an embeddings server sent: believed only after every part of it was looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from askmd.embed.gate import unit_vectors
from askmd.endpoint import words_of
from askmd.errors import EmbeddingError

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors

_LONGEST = 200


class Unusable(EmbeddingError):
    """A reply came whole and is none that can be used; the next one may be."""

    def __init__(self, message: str, next_step: str = "") -> None:
        """Send the user to the server where nothing better is known."""
        super().__init__(message, next_step or "look at that server, or name another one")


class Spoilt(Unusable):
    """Single vectors of a reply are no vectors; the others are fine."""

    def __init__(self, fault: EmbeddingError, rows: Sequence[Vector | None]) -> None:
        """Keep what is wrong with the first of them, and each text's vector; None for a bad one."""
        super().__init__(fault.message, fault.next_step)
        self.rows = rows


def read_vectors(content: bytes, count: int, dim: int, *, maker: str) -> Vectors:
    """Return the unit vectors of a reply in the order of the texts that were sent.

    Shape (count, dim), float32; ``dim`` 0 takes any length. Raises Spoilt, naming ``maker``, where
    some vectors are no vectors, Unusable unless the reply holds ``count`` vectors of one length,
    each under its own ``index``.
    """
    items = _in_order(_items(content, count, maker), maker)
    rows = [_list(item.get("embedding"), maker) for item in items]
    lengths = {len(row) for row in rows if row}
    if len(lengths) > 1:
        raise Unusable(f"{maker} answered with vectors of different lengths")
    length = lengths.pop() if lengths else 0
    if dim and length and length != dim:
        raise Unusable(f"{maker} answered with {length} numbers a vector, not {dim}")
    return _units(rows, dim or length, maker)


def _units(rows: Sequence[list[Any]], dim: int, maker: str) -> Vectors:
    try:
        checked = [_numbers(row, maker) for row in rows]
        return unit_vectors(checked, len(rows), dim, maker=maker)
    except EmbeddingError as error:
        units = [_unit(row, dim, maker) for row in rows]
        raise Spoilt(error, units) from error


def _unit(row: list[Any], dim: int, maker: str) -> Vector | None:
    try:
        vector: Vector = unit_vectors([_numbers(row, maker)], 1, dim, maker=maker)[0]
    except EmbeddingError:
        return None
    return vector


def _items(content: bytes, count: int, maker: str) -> list[Mapping[str, Any]]:
    """Return the parts of a reply, of which there are as many as there were texts."""
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError) as error:
        what = "something that is not JSON" if content else "nothing"
        raise Unusable(f"{maker} answered with {what}", "check embedding.base_url") from error
    items = reply.get("data") if isinstance(reply, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        said = " ".join(words_of(reply).split())[:_LONGEST]
        raise Unusable(
            f"{maker} answered without a list of embeddings{': ' if said else ''}{said}",
            "check embedding.base_url",
        )
    if len(items) != count:
        raise Unusable(f"{maker} answered with {len(items)} vectors for {count} texts")
    return items


def _in_order(items: Sequence[Mapping[str, Any]], maker: str) -> list[Mapping[str, Any]]:
    by_index = {item["index"]: item for item in items if type(item.get("index")) is int}
    if sorted(by_index) != list(range(len(items))):
        raise Unusable(f"{maker} answered with missing or doubled indexes")
    return [by_index[index] for index in range(len(items))]


def _list(vector: Any, maker: str) -> list[Any]:
    """Return one text's vector, its numbers unread; an empty one where there is null."""
    if isinstance(vector, str):
        raise Unusable(f"{maker} answered in base64, though it was asked for numbers")
    if vector is not None and not isinstance(vector, list):
        raise Unusable(f"{maker} answered without a vector where one was due")
    if any(isinstance(value, list) for value in vector or ()):
        raise Unusable(
            f"{maker} answered with a vector for each token, not for each text",
            "start that server with pooling",
        )
    return vector or []


def _numbers(vector: list[Any], maker: str) -> list[float]:
    if not vector:
        raise EmbeddingError(f"{maker} answered without a vector where one was due")
    if not all(type(value) in (float, int) for value in vector):
        raise EmbeddingError(f"{maker} answered with a vector that is not all numbers")
    return vector
