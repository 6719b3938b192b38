"""The rows of one index written into another's tables, each against its checksum on the way.

Rows and not pages: what was deleted is not copied along, nothing that a stranger's file brings
besides rows gets into an index, and what changed unnoticed is found.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from askmd.errors import EmbeddingError, IndexCorrupt, IndexMismatch, Interrupted
from askmd.store.folder import create_file, patiently, sync_folder
from askmd.store.rows import CHUNK_COLUMNS, DOCUMENT_COLUMNS, checksum_of, read_chunk, read_document
from askmd.types import CancelCheck, Progress, ProgressCallback

BATCH_ROWS = 500
_CACHE_KILOBYTES = 64_000
DOCUMENT_ROW = f"number, {DOCUMENT_COLUMNS}, numbers, headings, longest_tokens"
"""A document's columns, in the order in which its checksum takes them."""
VECTOR_ROW = "orphaned_at, key, vector, checksum"
CHUNK_ROW = f"number, document, checksum, {CHUNK_COLUMNS}"
_Rows = Sequence[tuple[Any, ...]]
Explained = Callable[[Path], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class End:
    """Where rows come from, or go to."""

    connection: sqlite3.Connection
    path: Path
    explained: Explained
    """Turns what SQLite says inside into askmd's errors, naming the path."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how far a long copy is, and may stop it."""

    stage: str
    progress: ProgressCallback | None = None
    cancel: CancelCheck | None = None

    def tell(self, done: int, total: int, unit: str) -> None:
        """Tell how far it is; raises Interrupted once it is to stop."""
        if self.cancel is not None and self.cancel():
            raise Interrupted("stopped; everything is as it was before")
        if self.progress is not None:
            self.progress(Progress(self.stage, done, total, unit))


@contextmanager
def naming_damage(next_step: str) -> Iterator[None]:
    """Say what is to be done where what is to be copied is damaged."""
    try:
        yield
    except IndexCorrupt as error:
        raise IndexCorrupt(error.message, next_step) from error


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows were copied."""

    documents: int
    chunks: int
    vectors: int


@contextmanager
def drafted(path: Path, explained: Explained) -> Iterator[Path]:
    """Write inside what then stands under the path, whole, of mode 0600, and after a power cut."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with explained(path):
            create_file(draft)
        yield draft
        with explained(path):
            # No connection is open: closing this descriptor drops nobody's locks.
            with draft.open("rb+") as file:
                os.fsync(file.fileno())
            patiently(lambda: draft.replace(path))
            sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def connect_new(path: Path) -> sqlite3.Connection:
    """Return a connection that fills an empty file as fast as can be.

    Nobody reads it before it is whole: what is broken off is thrown away, so there is no journal.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None
    )
    try:
        connection.execute("PRAGMA journal_mode = OFF").fetchone()
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KILOBYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def copy_rows(source: End, target: End, dim: int, watch: Watch) -> Copied:
    """Write every document, vector and chunk of a source into a target's empty tables.

    dim: of the vectors. Raises IndexCorrupt where a row is not what was written.
    """
    total = sum(_count(source, name) for name in ("documents", "vectors", "chunks"))
    done = {"documents": 0, "vectors": 0, "chunks": 0}
    for name, query, put, check in (
        ("documents", _DOCUMENTS, _PUT_DOCUMENT, _check_documents),
        ("vectors", _VECTORS, _PUT_VECTOR, partial(_check_vectors, dim)),
        ("chunks", _CHUNKS, _PUT_CHUNK, _check_chunks),
    ):
        for rows in _batches(source, query):
            wanted = check(rows, source.path)
            with target.explained(target.path):
                target.connection.executemany(put, wanted)
            done[name] += len(rows)
            watch.tell(sum(done.values()), total, "rows")
    _check_counts(source, done)
    return Copied(**done)


def _check_counts(source: End, found: Mapping[str, int]) -> None:
    """Raise IndexCorrupt if there are not as many rows as the last commit left."""
    with source.explained(source.path):
        meta = dict(source.connection.execute("SELECT key, value FROM meta").fetchall())
    for name, count in found.items():
        if meta.get(name) != str(count):
            raise IndexCorrupt(
                f"{source.path} is damaged: it holds {count} {name} of {meta.get(name)}"
            )


def _count(source: End, table: str) -> int:
    with source.explained(source.path):
        [(count,)] = source.connection.execute(f"SELECT count(*) FROM {table}")
    return int(count)


def _batches(source: End, query: str) -> Iterator[_Rows]:
    """Yield a query's rows, some at a time."""
    with source.explained(source.path):
        cursor = source.connection.execute(query)
        rows = cursor.fetchmany(BATCH_ROWS)
    while rows:
        yield rows
        with source.explained(source.path):
            rows = cursor.fetchmany(BATCH_ROWS)


_DOCUMENTS = f"SELECT checksum, {DOCUMENT_ROW} FROM documents ORDER BY number"
_PUT_DOCUMENT = (
    f"INSERT INTO documents (checksum, {DOCUMENT_ROW}) "
    f"VALUES ({', '.join('?' * (DOCUMENT_ROW.count(',') + 2))})"
)
_VECTORS = f"SELECT {VECTOR_ROW} FROM vectors"
_PUT_VECTOR = f"INSERT INTO vectors ({VECTOR_ROW}) VALUES (?, ?, ?, ?)"
# LEFT: a chunk whose document is lost must fail its checksum, not vanish.
_CHUNKS = f"""
SELECT path, chunks.number, document, chunks.checksum, {CHUNK_COLUMNS} FROM chunks
LEFT JOIN documents ON documents.number = chunks.document
ORDER BY chunks.number"""
_PUT_CHUNK = (
    f"INSERT INTO chunks ({CHUNK_ROW}) VALUES ({', '.join('?' * (CHUNK_ROW.count(',') + 1))})"
)


def _check_documents(rows: _Rows, database: Path) -> _Rows:
    """Return documents to write; raises IndexCorrupt for what has changed or leads elsewhere."""
    for checksum, *values in rows:
        path = values[1]
        try:
            is_sound = checksum_of(values) == checksum and _is_inner(path)
            read_document(tuple(values[1:-3]), database)
        except (TypeError, ValueError, RecursionError):
            # A damaged row can hold another type than was written.
            is_sound = False
        if not is_sound:
            raise IndexCorrupt(f"{database} is damaged: the document {path!r} has changed")
    return rows


def _is_inner(path: str) -> bool:
    """Return whether a document's path stays in its folder."""
    inner = Path(path)
    return not (inner.is_absolute() or inner.drive or ".." in inner.parts or "\0" in path)


def _check_vectors(dim: int, rows: _Rows, database: Path) -> _Rows:
    """Return vectors to write; raises IndexCorrupt unless they are unit vectors as written."""
    from askmd.store import floats

    matrix = floats.read_matrix(rows, dim, database)
    try:
        floats.check_vectors({row[1]: matrix[place] for place, row in enumerate(rows)}, dim)
    except (EmbeddingError, IndexMismatch) as error:
        raise IndexCorrupt(f"{database} is damaged: a vector is none") from error
    return rows


def _check_chunks(rows: _Rows, database: Path) -> _Rows:
    """Return chunks to write; raises IndexCorrupt for one that has changed."""
    for path, _, _, checksum, *values in rows:
        try:
            read_chunk(path, tuple(values), checksum, database)
        except (ValueError, TypeError, RecursionError) as error:
            # Under a checksum that is right: whoever wrote this was not askmd.
            raise IndexCorrupt(f"{database} is damaged: a chunk of {path} is none") from error
    return [row[1:] for row in rows]


_DISAGREEMENTS = {
    "a chunk has lost its vector": (
        "SELECT EXISTS (SELECT 1 FROM chunks WHERE NOT EXISTS "
        "(SELECT 1 FROM vectors WHERE key = vector_key))"
    ),
    "a document and its chunks do not agree": (
        "SELECT EXISTS (SELECT 1 FROM documents "
        "WHERE (numbers, headings, longest_tokens) IS NOT (SELECT "
        "'[' || coalesce(group_concat(number, ', '), '') || ']', "
        "'[' || coalesce(group_concat(heading, ', '), '') || ']', coalesce(max(tokens), 0) "
        "FROM (SELECT number, heading, tokens FROM chunks "
        "WHERE document = documents.number ORDER BY position)))"
    ),
}


def check_agreement(index: End) -> None:
    """Raise IndexCorrupt if an index's tables do not agree with each other."""
    for what, question in _DISAGREEMENTS.items():
        with index.explained(index.path):
            [(is_so,)] = index.connection.execute(question)
        if is_so:
            raise IndexCorrupt(f"{index.path} is damaged: {what}")
