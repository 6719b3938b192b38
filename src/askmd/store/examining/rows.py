"""The tables, read row by row: each against its checksum, and all against each other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from askmd.errors import IndexFault
from askmd.store.examining.looks import (
    READ_AGAIN,
    Examination,
    Mend,
    counted,
    named,
)
from askmd.store.manifest import FIX_STEP, MEND_STEP, REBUILD_STEP
from askmd.store.outlines import document_of, find_outlines
from askmd.store.rows import CHUNK_COLUMNS, read_chunk, vector_checksum
from askmd.store.schema import State, tables_sum

_BATCH_ROWS = 1024
_DOCUMENTS = "SELECT number, path FROM documents NOT INDEXED ORDER BY number"
_CHUNKS_OF = "SELECT number FROM chunks WHERE document = ? ORDER BY position"
_MADE_WITH_WORDS = {f"words_{one}" for one in ("config", "data", "docsize", "idx")}
_CHUNKS = f"""
SELECT chunks.number, document, path, chunks.checksum, {CHUNK_COLUMNS} FROM chunks
LEFT JOIN documents ON documents.number = chunks.document ORDER BY chunks.number
"""
_VECTORS = "SELECT rowid, key, vector, checksum FROM vectors ORDER BY rowid"
_WITHOUT_VECTOR = """
SELECT number, document FROM chunks
WHERE NOT EXISTS (SELECT 1 FROM vectors WHERE key = vector_key) ORDER BY number
"""
_OF_VECTORS = """
SELECT chunks.number, document FROM vectors JOIN chunks ON vector_key = key WHERE vectors.rowid = ?
"""
_MARKED_WRONG = """
SELECT count(*) FROM vectors WHERE (orphaned_at IS NULL)
    = NOT EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)
"""
_BROKEN_INDEX = ("missing from index", "entries in index", "entry in index", "differ from index")
_MOST_COMPLAINTS = 20
_MISREAD = (IndexFault, ValueError)
"""What reading a damaged row can raise."""


def look_at_structure(look: Examination, connection: sqlite3.Connection) -> None:
    """See whether SQLite finds its pages and indexes in order."""
    with look.reading("the database"):
        rows = connection.execute(f"PRAGMA integrity_check({_MOST_COMPLAINTS})").fetchall()
        complaints = [str(row[0]) for row in rows if row[0] != "ok"]
        if not complaints:
            return
        first = " ".join(complaints[0].removeprefix("*** in database main ***").split())
        if all(any(words in one for words in _BROKEN_INDEX) for one in complaints):
            message = f"an index of SQLite's does not match its table ({first})"
            look.add("indexes", message, FIX_STEP, mend=Mend.INDEXES)
        else:
            look.add("database", f"the database's pages are damaged ({first})", REBUILD_STEP)


def look_at_rows(look: Examination, connection: sqlite3.Connection, database: Path) -> None:
    """See whether every row is what was written, and belongs to others that are there."""
    before = len(look.seen)
    counts = dict[str, int]()
    with look.reading("the table of documents"):
        counts["document"] = _look_at_documents(look, connection, database)
    with look.reading("the table of chunks"):
        counts["chunk"] = _look_at_chunks(look, connection, database)
    with look.reading("the table of vectors"):
        counts["vector"] = _look_at_vectors(look, connection)
    with look.reading("the tables of chunks and vectors"):
        _look_at_relations(look, connection)
    if look.state is not None:
        _look_at_counts(look, connection, counts)
    if len(look.seen) == before:
        documents, chunks, vectors = (counted(count, one) for one, count in counts.items())
        message = f"{look.folder}: {documents}, {chunks} and {vectors} match their checksums"
        look.add_note("index", message)


def _look_at_documents(look: Examination, connection: sqlite3.Connection, database: Path) -> int:
    """Return how many documents there are."""
    changed, short = dict[int, str](), dict[int, str]()
    rows = connection.execute(_DOCUMENTS).fetchall()
    for count, (number, path) in enumerate(rows):
        if count % _BATCH_ROWS == 0:
            look.tell(count, len(rows), "documents")
        try:
            outline = find_outlines(connection, [number], database, {})[number]
            document_of(outline, database)
        except _MISREAD:
            changed[number] = _shown(path)
            continue
        found = connection.execute(_CHUNKS_OF, (number,)).fetchall()
        if [chunk for (chunk,) in found] != list(outline.numbers):
            short[number] = _shown(path)
    look.lost.documents |= changed.keys() | short.keys()
    look.lost.nameless |= changed.keys()
    if changed:
        what = f"{counted(len(changed), 'document')} changed since written"
        _add_rows(look, "documents", what, changed.values(), are_named=False)
    if short:
        what = f"{counted(len(short), 'document')} without all chunks"
        _add_rows(look, "chunks", what, short.values())
    return len(rows)


def _look_at_chunks(look: Examination, connection: sqlite3.Connection, database: Path) -> int:
    """Return how many chunks there are."""
    [(total,)] = connection.execute("SELECT count(*) FROM chunks")
    count, changed = 0, dict[int, str]()
    for number, document, path, checksum, *values in connection.execute(_CHUNKS):
        count += 1
        if count % _BATCH_ROWS == 0:
            look.tell(count, total, "chunks")
        try:
            read_chunk(path, tuple(values), checksum, database)
        except _MISREAD:
            look.lost.changed.add(number)
            if path is None:
                look.lost.chunks.add(number)
            else:
                changed[document] = _shown(path)
    look.lost.documents |= changed.keys()
    if changed:
        what = f"chunks of {counted(len(changed), 'document')} changed since written"
        _add_rows(look, "chunks", what, changed.values())
    if lost := len(look.lost.chunks):
        _add_rows(look, "chunks", f"{counted(lost, 'chunk')} of no document", ())
    return count


def _look_at_vectors(look: Examination, connection: sqlite3.Connection) -> int:
    """Return how many vectors there are."""
    [(total,)] = connection.execute("SELECT count(*) FROM vectors")
    count, changed, unfit = 0, set[int](), set[int]()
    cursor = connection.execute(_VECTORS)
    while batch := cursor.fetchmany(_BATCH_ROWS):
        count += len(batch)
        look.tell(count, total, "vectors")
        sound = [one for one in batch if _is_unchanged(*one[1:])]
        changed |= {one[0] for one in batch} - {one[0] for one in sound}
        unfit |= _unfit(look, sound)
    for numbers, fault in ((changed, "changed since written"), (unfit, "do not fit the model")):
        look.lost.vectors |= numbers
        if numbers:
            users = _users(look, connection, numbers)
            what = f"{counted(len(numbers), 'vector')} {fault}"
            _add_rows(look, "vectors", what, _paths(connection, users))
    return count


def _is_unchanged(key: Any, vector: Any, checksum: Any) -> bool:
    is_bytes = isinstance(key, bytes) and isinstance(vector, bytes)
    return is_bytes and vector_checksum(key, vector) == checksum


def _unfit(look: Examination, rows: list[Any]) -> set[int]:
    """Return the row ids of those that are no unit vectors of the identity's dimension."""
    import numpy as np

    from askmd.store.floats import TOLERANCE

    dim = look.state.identity.dim if look.state else 0
    if not dim or not rows:
        return set()
    wrong = {row[0] for row in rows if len(row[2]) != 4 * dim}
    rest = [row for row in rows if row[0] not in wrong]
    matrix = np.frombuffer(b"".join(row[2] for row in rest), "<f4").reshape(len(rest), dim)
    with np.errstate(over="ignore", invalid="ignore"):
        # Written so that a length that is not a number is wrong too.
        is_sound = np.abs(np.linalg.norm(matrix, axis=1) - 1.0) < TOLERANCE
    return wrong | {rest[place][0] for place in np.flatnonzero(~is_sound)}


def _users(look: Examination, connection: sqlite3.Connection, vectors: Iterable[int]) -> set[int]:
    """Return the documents that use vectors, and note that they are lost."""
    used = [one for row in vectors for one in connection.execute(_OF_VECTORS, (row,))]
    look.lost.changed |= {number for number, _ in used}
    documents = {document for _, document in used}
    look.lost.documents |= documents
    return documents


def _look_at_relations(look: Examination, connection: sqlite3.Connection) -> None:
    """See whether each chunk has a vector, and each vector says whether it is in use."""
    rows = connection.execute(_WITHOUT_VECTOR).fetchall()
    wanting = [(number, document) for number, document in rows if number not in look.lost.changed]
    look.lost.changed |= {number for number, _ in rows}
    documents = {document for _, document in wanting}
    look.lost.documents |= documents
    if wanting:
        what = f"{counted(len(wanting), 'chunk')} without a vector"
        _add_rows(look, "no_vector", what, _paths(connection, documents))
    [(count,)] = connection.execute(_MARKED_WRONG)
    if count and not (look.lost.documents or look.lost.chunks):
        what = f"{counted(count, 'vector')} with the wrong mark of being in use"
        look.add_note("marks", f"{what}; no answer depends on it", FIX_STEP, Mend.MARKS)


def _look_at_counts(
    look: Examination, connection: sqlite3.Connection, counts: Mapping[str, int]
) -> None:
    """See whether there is as much as the last commit left."""
    noted = dict(connection.execute("SELECT key, value FROM meta").fetchall())
    for one, count in counts.items():
        wanted = noted.get(f"{one}s", str(count))
        if wanted != str(count):
            _add_rows(look, "count", f"{counted(count, one)} of {wanted}", ())


def look_at_tables(look: Examination, connection: sqlite3.Connection, state: State) -> None:
    """See whether tables, indexes and triggers are as they were made, and the numbers go on."""
    with look.reading("the schema"):
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        # Those of the word index are made anew with it.
        if tables_sum(connection) != state.tables and names >= _MADE_WITH_WORDS:
            look.add("tables", "its tables, indexes or triggers have changed", REBUILD_STEP)
        rows = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'")
        last = rows.fetchone()
        if (last[0] if last else 0) != state.last_number:
            message = "a chunk number could be given twice: the last one is not known"
            look.add("numbers", message, FIX_STEP, mend=Mend.SEGMENTS)


def _add_rows(
    look: Examination, code: str, what: str, paths: Iterable[str], *, are_named: bool = True
) -> None:
    """Note damaged rows; they are taken out only where their documents can be read again.

    are_named: whether the paths are sure to be those of the documents.
    """
    listed = sorted(paths)
    message = f"{what}: {named(listed)}" if listed else what
    if look.root is not None and look.root.is_dir():
        away = [one for one in listed if are_named and not is_there(look.root, one)]
        step = MEND_STEP
        if away:
            step = f"bring back {named(away)}, then {MEND_STEP}; without them {REBUILD_STEP}"
        look.add(code, message, step, mend=Mend.ROWS, then=READ_AGAIN, paths=listed)
    else:
        look.add(code, message, REBUILD_STEP, paths=listed)


def is_there(root: Path, path: str) -> bool:
    """Return whether a document's file can be read again."""
    try:
        return (root / path).is_file()
    except (OSError, ValueError):
        return False


def _paths(connection: sqlite3.Connection, documents: Iterable[int]) -> Iterator[str]:
    for number in documents:
        rows = connection.execute("SELECT path FROM documents WHERE number = ?", (number,))
        yield from (_shown(path) for (path,) in rows)


def _shown(path: object) -> str:
    """Return a path as text that can be printed, whatever a damaged row holds."""
    return str(path).encode("utf-8", "backslashreplace").decode("utf-8")
