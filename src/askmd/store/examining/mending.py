"""What is safe to do about an index that is not whole, under the write lock.

Nothing is deleted that is of use: a damaged row goes with its document, which the next ingest reads
again, and what is derived is made anew.
"""

from __future__ import annotations

import secrets
import sqlite3
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from askmd.errors import IndexCorrupt, NoIndex
from askmd.store.database import connect_writer, explained, transaction
from askmd.store.examining.looks import Examination, Lost, Mend, Seen
from askmd.store.examining.rows import is_there
from askmd.store.examining.whole import examine
from askmd.store.folder import remove
from askmd.store.lock import WriteLock
from askmd.store.manifest import REBUILD_STEP, Manifest, read_manifest, write_manifest
from askmd.store.opening import _reconcile
from askmd.store.schema import put_meta, read_state
from askmd.store.sealing import seal
from askmd.store.writer import IndexWriter, Opened
from askmd.types import CancelCheck, ProgressCallback

_OF_TABLES = {Mend.ROWS, Mend.MARKS, Mend.WORDS, Mend.SEGMENTS}
_BY_DOCTOR = {Mend.INDEXES, Mend.ROWS, Mend.WORDS}
"""What nobody mends who was not asked to: it says that the disk loses what is written."""
_SHADOWS = ("config", "data", "docsize", "idx")
_FRESH = "CREATE VIRTUAL TABLE temp.fresh USING fts5 (words_heading, words_text, content = '')"
_GO_ON = """
UPDATE sqlite_sequence SET seq = (SELECT max(max(seq, :last), coalesce(max(number), 0)) FROM chunks)
WHERE name = 'chunks'
"""
_VECTORS_OF = """
SELECT vectors.rowid FROM chunks JOIN vectors ON key = vector_key WHERE document = ?
"""
_IS_USED = "EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)"


@dataclass(frozen=True, slots=True)
class Mended:
    """What was mended, and how the index is now."""

    mended: tuple[Seen, ...]
    now: Examination


def mend(
    folder: Path,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    *,
    now: Callable[[], float] = time.time,
) -> Mended:
    """Do what is safe about what ``examine`` finds, and examine again.

    Raises NoIndex where there is none, IndexLocked while another process writes, IndexFault where
    nothing can be written, Interrupted once ``cancel`` says so: before anything is changed.
    """
    folder = folder.absolute()
    first = examine(folder, progress, cancel)
    if all(one.mend is None for one in first.seen):
        return Mended((), first)
    fault: IndexCorrupt | None = None
    look = first
    with explained(folder):
        lock = WriteLock(folder)
        try:
            # Another writer may have been here meanwhile.
            look = _with_sound_indexes(examine(folder, progress, cancel))
            _mend(look, lock, now)
        except IndexCorrupt as error:
            # Damage that showed only now; what was committed until then stays.
            fault = error
        finally:
            lock.release()
    # Not to be stopped: that nothing was changed is no longer true.
    after = examine(folder, progress)
    if fault is not None:
        after.add(fault.code, fault.message, fault.next_step)
    return Mended(_mended(first, look, after), after)


def _mended(first: Examination, look: Examination, after: Examination) -> tuple[Seen, ...]:
    """Return what was wrong, and is not any more."""
    known = {one.code for one in look.seen}
    # What a dead writer left of its lock went with ours.
    found = [*look.seen, *(one for one in first.seen if one.code not in known)]
    left = {(one.code, one.message) for one in after.seen}
    return tuple(one for one in found if one.mend and (one.code, one.message) not in left)


def make_sound(
    folder: Path, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
) -> None:
    """Examine an index, if there is one, and make derived files anew that are not its own.

    Raises IndexCorrupt where rows are damaged, and otherwise as ``mend`` does.
    """
    try:
        look = examine(folder, progress, cancel)
    except NoIndex:
        return
    for one in look.seen:
        is_beyond = one.mend in _BY_DOCTOR or one.next == REBUILD_STEP
        # What another version made is refused when it is opened.
        if one.is_fault and is_beyond and one.code != "index_mismatch":
            raise IndexCorrupt(f"{look.folder} is damaged: {one.message}", one.next)
    if any(one.mend is Mend.SEGMENTS for one in look.seen):
        mend(folder, progress, cancel)


def _with_sound_indexes(look: Examination) -> Examination:
    """Make SQLite's indexes anew where they are damaged, and look again.

    Through such an index rows seem to be lost that are there.
    """
    is_wanted = any(one.mend is Mend.INDEXES for one in look.seen)
    if not is_wanted or look.manifest is None or not look.is_mendable:
        return look
    path = look.folder / look.manifest.database
    with explained(path), closing(connect_writer(path)) as connection:
        connection.execute("REINDEX")
    return examine(look.folder, look.progress)


def _mend(look: Examination, lock: WriteLock, now: Callable[[], float]) -> None:
    wanted = {one.mend for one in look.seen if one.mend is not None}
    for path in look.too_open:
        with suppress(FileNotFoundError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXU)
    if look.manifest is None or not look.is_mendable:
        return
    remove(look.leftovers)
    path = look.folder / look.manifest.database
    with explained(path), closing(connect_writer(path)) as connection:
        if Mend.MANIFEST in wanted:
            _let_agree(connection, look.folder, look.manifest)
        if wanted & _OF_TABLES:
            _mend_tables(connection, look, wanted, now())
        if wanted & {Mend.MANIFEST, *_OF_TABLES}:
            _mend_derived(connection, path, lock, now)


def _let_agree(connection: sqlite3.Connection, folder: Path, manifest: Manifest) -> None:
    """Write a lost manifest anew, or go on from where the database is."""
    path = folder / manifest.database
    try:
        _reconcile(connection, folder, read_manifest(folder), read_state(connection, path))
    except (NoIndex, IndexCorrupt):
        write_manifest(folder, manifest)


def _mend_tables(
    connection: sqlite3.Connection, look: Examination, wanted: set[Mend], now: float
) -> None:
    """Take out what is damaged and make anew what is derived inside the database, all or nothing.

    Whatever was derived from it outside is void: it is read from numbers that may be gone.
    """
    path = look.folder / look.manifest.database if look.manifest else look.folder
    state = read_state(connection, path)
    with transaction(connection):
        if wanted & {Mend.WORDS, Mend.ROWS}:
            # Before rows go: their triggers take out the words that are there now.
            _renew_words(connection)
        if Mend.ROWS in wanted:
            _spare(connection, look)
            _remove_rows(connection, look.lost)
        _mark_vectors(connection, now)
        connection.execute(_GO_ON, {"last": state.last_number})
        [(vectors,)] = connection.execute("SELECT count(*) FROM vectors")
        put_meta(connection, generation=str(state.generation + 1), vectors=str(vectors))
        seal(connection)
        if wanted & {Mend.SEGMENTS, Mend.ROWS}:
            put_meta(connection, numbering=secrets.token_hex(8), segments="[]")


def _renew_words(connection: sqlite3.Connection) -> None:
    """Make FTS5's index anew, whatever is left of it: its own tables, from an empty one, first."""
    connection.execute(_FRESH)
    for shadow in _SHADOWS:
        [(statement,)] = connection.execute(
            "SELECT sql FROM sqlite_temp_master WHERE name = ?", (f"fresh_{shadow}",)
        )
        columns = statement[statement.index("(") :]
        connection.execute(f"CREATE TABLE IF NOT EXISTS main.'words_{shadow}'{columns}")
        connection.execute(f"DELETE FROM main.words_{shadow}")
        connection.execute(f"INSERT INTO main.words_{shadow} SELECT * FROM temp.fresh_{shadow}")
    connection.execute("DROP TABLE temp.fresh")
    connection.execute("INSERT INTO words (words) VALUES ('rebuild')")


def _spare(connection: sqlite3.Connection, look: Examination) -> None:
    """Let documents stay, and their vectors, whose file is not there to be read again."""
    for number in look.lost.documents - look.lost.nameless:
        rows = connection.execute("SELECT path FROM documents WHERE number = ?", (number,))
        if any(look.root and is_there(look.root, str(path)) for (path,) in rows):
            continue
        look.lost.documents.discard(number)
        rows = connection.execute(_VECTORS_OF, (number,))
        look.lost.vectors -= {vector for (vector,) in rows}


def _remove_rows(connection: sqlite3.Connection, lost: Lost) -> None:
    for table, column, numbers in (
        # A document's chunks go with it.
        ("documents", "number", lost.documents),
        ("chunks", "number", lost.chunks),
        ("vectors", "rowid", lost.vectors),
    ):
        rows = [(number,) for number in numbers]
        connection.executemany(f"DELETE FROM {table} WHERE {column} = ?", rows)


def _mark_vectors(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(
        f"UPDATE vectors SET orphaned_at = ? WHERE orphaned_at IS NULL AND NOT {_IS_USED}",
        (now,),
    )
    connection.execute(
        f"UPDATE vectors SET orphaned_at = NULL WHERE orphaned_at IS NOT NULL AND {_IS_USED}"
    )


def _mend_derived(
    connection: sqlite3.Connection, path: Path, lock: WriteLock, now: Callable[[], float]
) -> None:
    """Acknowledge what was committed, and write the segments that are wanting."""
    state = read_state(connection, path)
    write_manifest(path.parent, Manifest(path.name, state.uuid, state.generation))
    # Before the first ingest is done there are none.
    if state.last_ingest is not None:
        writer = IndexWriter(Opened(connection, path, state), lock, now)
        writer.finish(state.last_ingest, is_thorough=True)
