"""An answer, and what it is made of, as JSON's types; a conversation is several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from askmd import __version__
from askmd.records.reading import as_data, as_json, load, read_as
from askmd.types import AnswerRecord

FORMAT = 1
"""Of a saved conversation."""
CONVERSATION = "conversation"


@dataclass(frozen=True, slots=True)
class _Turns:
    """What a saved conversation holds."""

    turns: tuple[AnswerRecord, ...]


def to_json(record: AnswerRecord) -> dict[str, Any]:
    """Return an answer in JSON's own types, as ``ask --json`` prints it."""
    data: dict[str, Any] = as_data(record)
    return data


def record_from(data: Any) -> AnswerRecord:
    """Return the answer that JSON's types tell of; unknown fields are left alone.

    Raises ValueError naming the dotted place of what is missing or of another type.
    """
    return read_as(AnswerRecord, data)


def conversation_as_json(records: Sequence[AnswerRecord]) -> str:
    """Return a conversation on one line of JSON that ends in a newline."""
    head = {"askmd": __version__, "kind": CONVERSATION, "format": FORMAT}
    return as_json(head | {"turns": as_data(tuple(records))}) + "\n"


def conversation_from(text: str) -> tuple[AnswerRecord, ...]:
    """Return the answers of a saved conversation, in order.

    Raises ValueError, in one line, for what is broken, foreign or newer than this.
    """
    return read_as(_Turns, load(text, CONVERSATION, FORMAT)).turns
