"""What both the readers and the writer ask of the tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from askmd.errors import IndexCorrupt
from askmd.store.manifest import REBUILD_STEP
from askmd.store.rows import CHUNK_COLUMNS, DOCUMENT_COLUMNS, read_chunk, read_document
from askmd.types import Chunk, Document, Place

# LEFT: a chunk whose document is lost must fail its checksum, not vanish.
_CHUNKS = f"""
SELECT path, checksum, {CHUNK_COLUMNS} FROM chunks
LEFT JOIN documents ON documents.number = chunks.document
"""


# CROSS: in the order asked for.
_CHUNKS_OF = f"""
SELECT documents.path, checksum, {CHUNK_COLUMNS.replace("id,", "chunks.id,", 1)}
FROM json_each(?) CROSS JOIN chunks ON chunks.number = value
LEFT JOIN documents ON documents.number = chunks.document
"""


@dataclass(frozen=True, slots=True)
class Beside:
    """The neighbours of a chunk; None where there is none."""

    id: str
    before_number: int | None
    before: str | None
    after_number: int | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much an index holds."""

    documents: int
    chunks: int
    vectors: int
    """Distinct vectors, those no chunk refers to any more among them."""
    longest_chunk_tokens: int
    last_ingest: str | None
    """ISO time of the last finished ingest; None before the first."""


def read_counts(connection: sqlite3.Connection) -> Counts:
    """Return how much the index holds."""
    row = connection.execute(
        "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks), "
        "(SELECT count(*) FROM vectors), (SELECT coalesce(max(tokens), 0) FROM chunks), "
        "(SELECT value FROM meta WHERE key = 'last_ingest')"
    ).fetchone()
    return Counts(*row)


def read_documents(connection: sqlite3.Connection, database: Path) -> dict[str, Document]:
    """Return every document by its path, in the order of paths."""
    rows = connection.execute(f"SELECT {DOCUMENT_COLUMNS} FROM documents ORDER BY path")
    return {row[0]: read_document(row, database) for row in rows}


def find_document(connection: sqlite3.Connection, path: str, database: Path) -> Document | None:
    """Return one document; None where the index does not hold it."""
    row = connection.execute(
        f"SELECT {DOCUMENT_COLUMNS} FROM documents WHERE path = ?", (path,)
    ).fetchone()
    return read_document(row, database) if row else None


def read_chunks(
    connection: sqlite3.Connection, numbers: Sequence[int], database: Path
) -> dict[str, Chunk]:
    """Return the chunks that exist of these numbers, by id, in the order asked for."""
    rows = connection.execute(_CHUNKS_OF, (json.dumps(list(numbers)),))
    return {
        values[0]: read_chunk(path, tuple(values), checksum, database)
        for path, checksum, *values in rows
    }


_BESIDE = """
SELECT one.id, before.number, before.id, after.number, after.id
FROM json_each(?) CROSS JOIN chunks AS one ON one.number = value
LEFT JOIN chunks AS before
    ON before.document = one.document AND before.position = one.position - 1
LEFT JOIN chunks AS after
    ON after.document = one.document AND after.position = one.position + 1
"""


def sample_chunks(connection: sqlite3.Connection, count: int, database: Path) -> list[Chunk]:
    """Return so many chunks, or all of fewer, at even distances through the index."""
    [(total,)] = connection.execute("SELECT count(*) FROM chunks")
    step = max(1, total // max(1, count))
    rows = connection.execute(
        f"{_CHUNKS} WHERE chunks.number IN (SELECT number FROM (SELECT number, "
        "row_number() OVER (ORDER BY number) AS place FROM chunks) WHERE place % ? = 0) "
        "ORDER BY chunks.number LIMIT ?",
        (step, count),
    )
    return [read_chunk(path, tuple(values), checksum, database) for path, checksum, *values in rows]


def read_numbers(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[int, str]:
    """Return the ids of the chunks that exist by their numbers."""
    where = "WHERE id IN (SELECT value FROM json_each(?))"
    rows = connection.execute(f"SELECT number, id FROM chunks {where}", (json.dumps(list(ids)),))
    return dict(rows.fetchall())


def read_beside(connection: sqlite3.Connection, numbers: Sequence[int]) -> list[Beside]:
    """Return what stands before and after each of the chunks that exist in its document."""
    rows = connection.execute(_BESIDE, (json.dumps(list(numbers)),))
    return [Beside(*row) for row in rows]


def read_places(
    connection: sqlite3.Connection, numbers: Sequence[int], database: Path
) -> dict[str, Place]:
    """Return where each chunk that exists stands, by id."""
    rows = connection.execute(
        "SELECT chunks.id, documents.path, position "
        "FROM json_each(?) CROSS JOIN chunks ON chunks.number = value "
        "LEFT JOIN documents ON documents.number = document",
        (json.dumps(list(numbers)),),
    ).fetchall()
    if any(path is None for _, path, _ in rows):
        raise IndexCorrupt(f"{database} is damaged: it has lost a document", REBUILD_STEP)
    return {id: Place(path, position) for id, path, position in rows}


def read_neighbours(
    connection: sqlite3.Connection, id: str, distance: int, database: Path
) -> list[Chunk]:
    """Return the chunks up to ``distance`` before and after one, without itself, in order."""
    row = connection.execute("SELECT document, position FROM chunks WHERE id = ?", (id,)).fetchone()
    if row is None:
        return []
    document, position = row
    rows = connection.execute(
        f"{_CHUNKS} WHERE document = ? AND position BETWEEN ? AND ? AND position != ? "
        "ORDER BY position",
        (document, position - distance, position + distance, position),
    )
    return [read_chunk(path, tuple(values), checksum, database) for path, checksum, *values in rows]
