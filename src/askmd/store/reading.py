"""What both the readers and the writer ask of the tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmd.errors import IndexCorrupt
from askmd.store.manifest import MEND_STEP
from askmd.store.outlines import (
    Outline,
    document_of,
    find_outline,
    outlines_of_chunks,
    read_outlines,
)
from askmd.store.rows import CHUNK_COLUMNS, check_chunk, read_chunk
from askmd.store.selection import read_ids
from askmd.types import Chunk, Document, Place

# LEFT: a chunk whose document is lost must fail its checksum, not vanish.
_CHUNKS = f"""
SELECT path, chunks.checksum, {CHUNK_COLUMNS} FROM chunks
LEFT JOIN documents ON documents.number = chunks.document
"""


# CROSS: in the order asked for.
_CHUNKS_OF = f"""
SELECT chunks.number, documents.path, chunks.checksum,
    {CHUNK_COLUMNS.replace("id,", "chunks.id,", 1)}
FROM json_each(?) CROSS JOIN chunks ON chunks.number = value
LEFT JOIN documents ON documents.number = chunks.document
"""


_WORDS = f"""
SELECT chunks.number, coalesce(words_text, text), words_heading, documents.path, chunks.checksum,
    {CHUNK_COLUMNS.replace("id,", "chunks.id,", 1)}
FROM chunks LEFT JOIN documents ON documents.number = chunks.document
"""


@dataclass(frozen=True, slots=True)
class Words:
    """A chunk's words, as word search reads them."""

    number: int
    id: str
    heading: str
    text: str


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


def read_counts(connection: sqlite3.Connection, database: Path) -> Counts:
    """Return how much the index holds; raises IndexCorrupt if it is not what was noted."""
    documents = held = longest = 0
    for one in read_outlines(connection, database):
        documents, held = documents + 1, held + len(one.numbers)
        longest = max(longest, one.longest_tokens)
    [(chunks, vectors)] = connection.execute(
        "SELECT (SELECT count(*) FROM chunks), (SELECT count(*) FROM vectors)"
    )
    noted = dict(connection.execute("SELECT key, value FROM meta"))
    if held != chunks or [str(chunks), str(vectors)] != [noted["chunks"], noted["vectors"]]:
        raise IndexCorrupt(f"{database} is damaged: it has lost rows", MEND_STEP)
    return Counts(documents, chunks, vectors, longest, noted.get("last_ingest"))


def read_documents(connection: sqlite3.Connection, database: Path) -> dict[str, Document]:
    """Return every document by its path, in the order of paths."""
    outlines = read_outlines(connection, database)
    return {one.path: document_of(one, database) for one in outlines}


def find_document(connection: sqlite3.Connection, path: str, database: Path) -> Document | None:
    """Return one document; None where the index does not hold it."""
    outline = find_outline(connection, path, database)
    return document_of(outline, database) if outline else None


def read_chunks(
    connection: sqlite3.Connection, numbers: Sequence[int], database: Path
) -> dict[str, Chunk]:
    """Return the chunks of these numbers, by id, in the order asked for.

    Raises IndexCorrupt where one is not there.
    """
    rows = connection.execute(_CHUNKS_OF, (json.dumps(list(numbers)),)).fetchall()
    if [row[0] for row in rows] != list(numbers):
        raise IndexCorrupt(f"{database} is damaged: it has lost chunks", MEND_STEP)
    return {
        values[0]: read_chunk(path, tuple(values), checksum, database)
        for _, path, checksum, *values in rows
    }


def read_words(
    connection: sqlite3.Connection, after: int, last: int, limit: int, database: Path
) -> list[Words]:
    """Return the words of the first chunks behind a number and up to another, in order.

    Raises IndexCorrupt where one is not what was written.
    """
    rows = connection.execute(
        f"{_WORDS} WHERE chunks.number > ? AND chunks.number <= ? ORDER BY chunks.number LIMIT ?",
        (after, last, limit),
    )
    return _checked_words(connection, rows.fetchall(), database)


def find_words(
    connection: sqlite3.Connection, numbers: Sequence[int], database: Path
) -> list[Words]:
    """Return the words of these chunks, all of which there are; raises as ``read_words`` does."""
    rows = connection.execute(
        f"{_WORDS} WHERE chunks.number IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    return _checked_words(connection, rows.fetchall(), database)


def _checked_words(
    connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]], database: Path
) -> list[Words]:
    found = []
    for number, text, heading, path, checksum, *values in rows:
        check_chunk(path, tuple(values), checksum, database)
        found.append(Words(number, values[0], heading, text))
    # Its number does not stand under a chunk's checksum.
    read_ids(connection, [one.number for one in found], database)
    return found


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


def check_every_chunk(connection: sqlite3.Connection, database: Path) -> None:
    """Raise IndexCorrupt where a chunk is not what was written."""
    for path, checksum, *values in connection.execute(_CHUNKS):
        check_chunk(path, tuple(values), checksum, database)


def read_numbers(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[int, str]:
    """Return the ids of the chunks that exist by their numbers."""
    where = "WHERE id IN (SELECT value FROM json_each(?))"
    rows = connection.execute(f"SELECT number, id FROM chunks {where}", (json.dumps(list(ids)),))
    return dict(rows.fetchall())


def read_beside(
    connection: sqlite3.Connection,
    among: Mapping[int, str],
    database: Path,
    known: dict[int, Outline],
) -> list[Beside]:
    """Return what stands before and after each of some chunks, whose ids are given.

    known: see ``find_outlines``.
    """
    around = {
        number: (_neighbour(one, place - 1), _neighbour(one, place + 1))
        for number, (one, place) in outlines_of_chunks(
            connection, list(among), database, known
        ).items()
    }
    others = {one for both in around.values() for one in both if one is not None} - among.keys()
    ids = {**among, **read_ids(connection, list(others), database)}
    return [
        Beside(id, before, ids.get(before or 0), after, ids.get(after or 0))
        for number, id in among.items()
        for before, after in [around[number]]
    ]


def _neighbour(outline: Outline, place: int) -> int | None:
    return outline.numbers[place] if 0 <= place < len(outline.numbers) else None


def read_places(
    connection: sqlite3.Connection,
    ids: Mapping[int, str],
    database: Path,
    known: dict[int, Outline],
) -> dict[str, Place]:
    """Return where each of the chunks, all of which there are, stands, by id.

    known: see ``find_outlines``.
    """
    found = outlines_of_chunks(connection, list(ids), database, known)
    return {ids[number]: Place(one.path, place) for number, (one, place) in found.items()}


def read_neighbours(
    connection: sqlite3.Connection, number: int, distance: int, database: Path
) -> list[Chunk]:
    """Return the chunks up to ``distance`` before and after one, without itself, in order."""
    [(outline, place)] = outlines_of_chunks(connection, [number], database, {}).values()
    around = outline.numbers[max(0, place - distance) : place + distance + 1]
    wanted = [one for one in around if one != number]
    return list(read_chunks(connection, wanted, database).values())


def read_headings(
    connection: sqlite3.Connection, limit: int, database: Path
) -> list[tuple[str, str]]:
    """Return documents' paths with their headings in order, each pair once; at most so many."""
    found: list[tuple[str, str]] = []
    for outline in read_outlines(connection, database):
        headings = dict.fromkeys(path for path in outline.headings if path)
        found += [(outline.path, path[-1]) for path in headings]
        if len(found) >= limit:
            break
    return found[:limit]
