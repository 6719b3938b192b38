"""An answer, and what it is made of, as JSON's types; a conversation is several of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


def conversation_as_json(records: Sequence[AnswerRecord]) -> str:
    """Return a conversation on one line of JSON that ends in a newline."""
    head = {"askmd": __version__, "kind": CONVERSATION, "format": FORMAT}
    return as_json(head | {"turns": as_data(tuple(records))}) + "\n"


def conversation_from(text: str) -> tuple[AnswerRecord, ...]:
    """Return the answers of a saved conversation, in order.

    Raises ValueError, in one line, for what is broken, foreign or newer than this.
    """
    return read_as(_Turns, load(text, CONVERSATION, FORMAT)).turns
