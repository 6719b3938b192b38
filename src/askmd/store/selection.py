"""Chunk numbers: of those that a Filter lets be found at all, and the ids of those found."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from askmd.errors import IndexCorrupt
from askmd.filters import allows_document, allows_heading
from askmd.store.manifest import REBUILD_STEP
from askmd.store.schema import State, check_chunks
from askmd.types import Filter

_Rows = Sequence[tuple[int, str, str]]
"""Documents: number, path, and metadata as JSON."""


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
        raise IndexCorrupt(f"{database} is damaged: it has lost chunks", REBUILD_STEP)
    return ids


def select_numbers(
    connection: sqlite3.Connection, where: Filter, state: State, database: Path
) -> Numbers | None:
    """Return the chunks that pass the filter; None where it lets everything through.

    Raises IndexCorrupt where a document or a heading is not readable, or a chunk has none.
    """
    if where == Filter():
        return None
    try:
        documents = connection.execute("SELECT number, path, metadata FROM documents").fetchall()
        check_chunks(_count_chunks_of(connection, documents), state, database)
        values = _select(connection, where, documents)
    except (ValueError, TypeError, AttributeError) as error:
        message = f"{database} is damaged: its rows are not readable"
        raise IndexCorrupt(message, REBUILD_STEP) from error
    return Numbers(values, json.dumps(values))


def _count_chunks_of(connection: sqlite3.Connection, documents: _Rows) -> int:
    """Return how many chunks the index over documents, which the selection uses, leads to."""
    [(count,)] = connection.execute(
        "SELECT count(*) FROM chunks WHERE document IN (SELECT value FROM json_each(?))",
        (json.dumps([number for number, _, _ in documents]),),
    )
    return int(count)


def _select(connection: sqlite3.Connection, where: Filter, documents: _Rows) -> tuple[int, ...]:
    allowed = json.dumps(list(_select_documents(where, documents)))
    rows = connection.execute(
        "SELECT number, heading FROM chunks "
        "WHERE document IN (SELECT value FROM json_each(?)) ORDER BY number",
        (allowed,),
    )
    return tuple(
        number
        for number, heading in rows
        if not where.headings or allows_heading(where, tuple(json.loads(heading)))
    )


def _select_documents(where: Filter, documents: _Rows) -> Iterator[int]:
    for number, path, metadata in documents:
        if allows_document(where, path, json.loads(metadata) if where.metadata else {}):
            yield number


def read_headings(
    connection: sqlite3.Connection, limit: int, database: Path
) -> list[tuple[str, str]]:
    """Return documents' paths with their headings in order, each pair once; at most so many."""
    rows = connection.execute(
        "SELECT path, heading FROM chunks JOIN documents ON documents.number = document "
        "GROUP BY document, heading ORDER BY path, min(position) LIMIT ?",
        (limit,),
    )
    try:
        paths = [(path, json.loads(heading)) for path, heading in rows]
        return [(str(path), str(heading[-1])) for path, heading in paths if heading]
    except (ValueError, TypeError) as error:
        message = f"{database} is damaged: its rows are not readable"
        raise IndexCorrupt(message, REBUILD_STEP) from error
