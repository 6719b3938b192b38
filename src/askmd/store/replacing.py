"""Documents put in the place of what was known under their path, with as little change as can be.

Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from askmd.errors import EmbeddingError, IndexCorrupt, IndexFault
from askmd.store.manifest import MEND_STEP
from askmd.store.outlines import find_outline, seal_document
from askmd.store.rows import (
    CHUNK_COLUMNS,
    DOCUMENT_COLUMNS,
    ChunkRow,
    check_chunk,
    chunk_rows,
    document_values,
    vector_checksum,
)
from askmd.store.sealing import Growth
from askmd.types import Indexed

_BATCH_KEYS = 500
_INSERT_CHUNK = (
    f"INSERT INTO chunks (document, {CHUNK_COLUMNS}, checksum) "
    f"VALUES ({', '.join('?' * (CHUNK_COLUMNS.count(',') + 3))})"
)
_UPDATE_CHUNK = (
    f"UPDATE chunks SET ({CHUNK_COLUMNS}, checksum) = "
    f"({', '.join('?' * (CHUNK_COLUMNS.count(',') + 2))}) WHERE number = ?"
)
_DERIVED_FROM = ("id", "text", "words_heading", "words_text", "vector_key")
"""Of a chunk's columns, what anything is derived from that goes by its number."""
_KNOWN = f"SELECT number, checksum, {CHUNK_COLUMNS} FROM chunks WHERE document = ?"
_PUT_DOCUMENT = (
    f"INSERT INTO documents ({DOCUMENT_COLUMNS}) "
    f"VALUES ({', '.join('?' * (DOCUMENT_COLUMNS.count(',') + 1))}) "
    "ON CONFLICT (path) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in DOCUMENT_COLUMNS.split(", ")[1:])
    + " RETURNING number"
)


def put_vectors(connection: sqlite3.Connection, vectors: Mapping[bytes, bytes], now: float) -> int:
    """Keep vectors by the key of their text; until a chunk refers to one it counts as orphaned.

    Returns how many are new.
    """
    if not vectors:
        return 0
    return connection.executemany(
        "INSERT OR IGNORE INTO vectors (key, vector, checksum, orphaned_at) VALUES (?, ?, ?, ?)",
        [(key, vector, vector_checksum(key, vector), now) for key, vector in vectors.items()],
    ).rowcount


def remove_documents(
    connection: sqlite3.Connection, paths: Sequence[str], now: float, database: Path
) -> Growth:
    """Remove documents with their chunks; their vectors stay for a while.

    Returns how many more there are, which is fewer. Raises as ``replace_document`` does.
    """
    loose: set[bytes] = set()
    growth = Growth()
    for path in paths:
        known = _read_known(connection, path, database)
        loose |= {row.vector_key for row in known.values()}
        gone = connection.execute("DELETE FROM documents WHERE path = ?", (path,)).rowcount
        growth += Growth(-gone, -len(known))
    mark_orphans(connection, loose, now)
    return growth


def replace_document(
    connection: sqlite3.Connection, indexed: Indexed, now: float, database: Path
) -> Growth:
    """Put a document and its chunks in the place of what its path held before.

    A chunk that keeps its id, its vector and its words keeps its number, so what is derived from
    it stands. Whoever writes has read all documents before; see ``find_outline``.
    Returns how many more there are. Raises EmbeddingError if a chunk's vector is neither stored
    nor among the new ones, IndexCorrupt where a chunk that was there has changed: FTS5 would be
    told of words to forget that it never knew.
    """
    path = indexed.document.path
    [(is_known,)] = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM documents WHERE path = ?)", (path,)
    )
    known = {
        _derived_from(row): (number, row.checksum)
        for number, row in _read_known(connection, path, database).items()
    }
    # Read to the end: an open RETURNING cursor would keep the statement running.
    values = document_values(indexed.document)
    [(document,)] = connection.execute(_PUT_DOCUMENT, values).fetchall()
    rows = chunk_rows(indexed.document, indexed.chunks)
    _check_keys(connection, rows, path)
    kept = {_derived_from(row): row for row in rows}
    if len({row.id for row in rows}) != len(rows):
        raise IndexFault(f"two chunks of {path} have one id", "please report this as a fault")
    gone = [(number,) for key, (number, _) in known.items() if key not in kept]
    connection.executemany("DELETE FROM chunks WHERE number = ?", gone)
    connection.executemany(_UPDATE_CHUNK, _updates(known, kept))
    connection.executemany(
        _INSERT_CHUNK,
        [(document, *row.values, row.checksum) for key, row in kept.items() if key not in known],
    )
    mark_orphans(connection, {key for *_, key in known.keys() - kept.keys()}, now)
    adopt(connection, {row.vector_key for key, row in kept.items() if key not in known})
    seal_document(connection, document)
    return Growth(1 - is_known, len(kept) - len(known))


def _read_known(connection: sqlite3.Connection, path: str, database: Path) -> dict[int, ChunkRow]:
    """Return the chunks of the document that is there, by their numbers; raises IndexCorrupt."""
    outline = find_outline(connection, path, database, is_index_checked=True)
    if outline is None:
        return {}
    known = {}
    for number, checksum, *values in connection.execute(_KNOWN, (outline.number,)):
        check_chunk(path, tuple(values), checksum, database)
        known[number] = ChunkRow(tuple(values), checksum)
    if known.keys() != set(outline.numbers):
        raise IndexCorrupt(f"{database} is damaged: {path} has lost chunks", MEND_STEP)
    return known


def _derived_from(row: ChunkRow) -> tuple[Any, ...]:
    values = dict(zip(CHUNK_COLUMNS.split(", "), row.values, strict=True))
    return tuple(values[name] for name in _DERIVED_FROM)


def _updates(
    known: Mapping[tuple[object, ...], tuple[int, bytes]],
    kept: Mapping[tuple[object, ...], ChunkRow],
) -> Iterator[tuple[object, ...]]:
    """Yield what an UPDATE takes for each chunk that stays but is not quite the same."""
    for key in known.keys() & kept.keys():
        (number, checksum), row = known[key], kept[key]
        if checksum != row.checksum:
            yield (*row.values, row.checksum, number)


def find_keys(connection: sqlite3.Connection, keys: Iterable[bytes]) -> set[bytes]:
    """Return those of the keys whose vector is stored."""
    wanted = list(keys)
    found: set[bytes] = set()
    for start in range(0, len(wanted), _BATCH_KEYS):
        batch = wanted[start : start + _BATCH_KEYS]
        marks = ", ".join("?" * len(batch))
        rows = connection.execute(f"SELECT key FROM vectors WHERE key IN ({marks})", batch)
        found |= {key for (key,) in rows}
    return found


def mark_orphans(connection: sqlite3.Connection, keys: Iterable[bytes], now: float) -> None:
    """Note since when vectors are unused, for those of the keys that no chunk refers to."""
    connection.executemany(
        "UPDATE vectors SET orphaned_at = ? WHERE key = ? AND orphaned_at IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)",
        [(now, key) for key in keys],
    )


def adopt(connection: sqlite3.Connection, keys: Iterable[bytes]) -> None:
    """Note that vectors are in use."""
    connection.executemany(
        "UPDATE vectors SET orphaned_at = NULL WHERE key = ? AND orphaned_at IS NOT NULL",
        [(key,) for key in keys],
    )


def sweep_orphans(connection: sqlite3.Connection, before: float | None) -> int:
    """Delete vectors that no chunk refers to, all or those orphaned before a time.

    Returns how many.
    """
    unused = "NOT EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)"
    if before is None:
        return connection.execute(f"DELETE FROM vectors WHERE {unused}").rowcount
    return connection.execute(
        f"DELETE FROM vectors WHERE orphaned_at < ? AND {unused}", (before,)
    ).rowcount


def _check_keys(connection: sqlite3.Connection, rows: Sequence[ChunkRow], path: str) -> None:
    keys = {row.vector_key for row in rows}
    missing = len(keys - find_keys(connection, keys))
    if missing:
        raise EmbeddingError(
            f"{missing} chunks of {path} have no vector", "run `askmd ingest` again"
        )
