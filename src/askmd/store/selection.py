"""Chunk numbers: of those that a Filter lets be found at all, and the ids of those found."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from askmd.errors import IndexCorrupt
from askmd.filters import allows_document, allows_heading
from askmd.store.manifest import MEND_STEP
from askmd.store.outlines import Outline, read_outlines
from askmd.store.schema import State, check_chunks
from askmd.types import Filter

_KEPT = 16


@dataclass(frozen=True, slots=True)
class Numbers:
    """Chunk numbers, ascending."""

    values: tuple[int, ...]
    as_json: str
    """The same as a JSON array, as SQL takes them."""


def read_ids(
    connection: sqlite3.Connection, numbers: Sequence[int], database: Path
) -> dict[int, str]:
    """Return the ids of chunks by their numbers.

    Raises IndexCorrupt where a number has no chunk, or its id does not lead back to it.
    """
    ids = dict(
        connection.execute(
            "SELECT number, id FROM chunks WHERE number IN (SELECT value FROM json_each(?))",
            (json.dumps(list(numbers)),),
        ).fetchall()
    )
    is_whole = ids.keys() == set(numbers) and all(isinstance(id, str) for id in ids.values())
    # Answered by the index over ids alone, which damage to the table leaves as it was.
    found = connection.execute(
        "SELECT number, id FROM chunks WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids.values()) if is_whole else []),),
    )
    if not is_whole or dict(found.fetchall()) != ids:
        raise IndexCorrupt(f"{database} is damaged: it has lost chunks", MEND_STEP)
    return ids


def check_absent(connection: sqlite3.Connection, ids: Sequence[str], database: Path) -> None:
    """Raise IndexCorrupt where there is a chunk of one of these ids that were not found."""
    # The table itself, which damage to the index over ids leaves as it was.
    if (
        ids
        and connection.execute(
            "SELECT 1 FROM chunks NOT INDEXED WHERE id IN (SELECT value FROM json_each(?)) LIMIT 1",
            (json.dumps(list(ids)),),
        ).fetchone()
    ):
        raise IndexCorrupt(f"{database} is damaged: it has lost chunks", MEND_STEP)


class Selections:
    """What filters allow, each computed once a generation; shared between threads safely."""

    def __init__(self) -> None:
        """Know of none yet."""
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int, Filter], Numbers | None] = {}

    def select(
        self, connection: sqlite3.Connection, where: Filter, state: State, database: Path
    ) -> Numbers | None:
        """Return what a filter allows; see ``select_numbers``."""
        key = (state.numbering, state.generation, where)
        with self._lock:
            if key in self._known:
                return self._known[key]
        numbers = select_numbers(connection, where, state, database)
        with self._lock:
            if len(self._known) >= _KEPT:
                self._known.clear()
            self._known[key] = numbers
        return numbers


def select_numbers(
    connection: sqlite3.Connection, where: Filter, state: State, database: Path
) -> Numbers | None:
    """Return the chunks that pass the filter; None where it lets everything through.

    Raises IndexCorrupt where a document is not what was written, or chunks have none.
    """
    if where == Filter():
        return None
    total, found = 0, list[int]()
    for outline in read_outlines(connection, database):
        total += len(outline.numbers)
        if allows_document(where, outline.path, outline.metadata if where.metadata else {}):
            found += _allowed(where, outline)
    check_chunks(total, state, database)
    values = tuple(sorted(found))
    return Numbers(values, json.dumps(values))


def _allowed(where: Filter, outline: Outline) -> Sequence[int]:
    """Return those of a document's chunks that have an allowed heading."""
    if not where.headings:
        return outline.numbers
    pairs = zip(outline.numbers, outline.headings, strict=True)
    return [number for number, heading in pairs if allows_heading(where, heading)]
