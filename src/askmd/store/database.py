"""SQLite connections for one writer and many readers, transactions, and errors explained."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from askmd.errors import FAILING_DISK, FULL_DISK, IndexCorrupt, IndexFault, IndexLocked, step_after
from askmd.store.folder import is_full
from askmd.store.manifest import REBUILD_STEP

READ_CACHE_KILOBYTES = 16_000
"""SQLite's 2 MB do not hold the inner pages of a large index."""
BUSY_SECONDS = 30.0
CHECKPOINT_MILLISECONDS = 2_000
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_MISMATCH}
_FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}
_UNWRITABLE = {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_BROKEN = ("no such table", "no such column", "decode to UTF-8", "malformed", "invalid fts5 file")
"""What SQLite says of a damaged schema or text under the code of a plain mistake."""
_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PERMISSIONS = "check the folder's permissions"


def connect_writer(path: Path) -> sqlite3.Connection:
    """Return the writer's connection to an existing file; commits are on the disk when they return.

    Only this connection ever checkpoints: with two, SQLite before 3.51.3 can lose commits.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    return _connect_reader(f"{path.absolute().as_uri()}?mode=ro")


def connect_frozen(path: Path) -> sqlite3.Connection:
    """Return a connection to a database on a read-only disk; it sees no later change.

    Raises OperationalError where there is a log: what it holds could not be read.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        raise sqlite3.OperationalError(f"{log.name} cannot be read on a read-only disk")
    return _connect_reader(f"{path.absolute().as_uri()}?mode=ro&immutable=1")


def needs_writing(error: sqlite3.Error) -> bool:
    """Return whether SQLite gave up because it could not make its -shm file, even to read."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _UNWRITABLE


def _connect_reader(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.execute("PRAGMA query_only = ON")
        # SQLite's own advice for files that may be damaged: check cells before using them.
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA mmap_size = 0").fetchone()
        connection.execute(f"PRAGMA cache_size = -{READ_CACHE_KILOBYTES}")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what happens inside, all or nothing."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("COMMIT")
    except BaseException:
        _roll_back(connection)
        raise


@contextmanager
def reading_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """See one committed state inside, whatever a writer does meanwhile."""
    try:
        connection.execute("BEGIN")
        yield
    finally:
        _roll_back(connection)


def _roll_back(connection: sqlite3.Connection) -> None:
    # After "disk full" SQLite has rolled back already; a ROLLBACK then would hide the cause.
    if connection.in_transaction:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def checkpoint(connection: sqlite3.Connection, *, mode: str = "TRUNCATE") -> None:
    """Move the log into the database as far as readers let us; what is left waits for the next."""
    connection.execute(f"PRAGMA busy_timeout = {CHECKPOINT_MILLISECONDS}").fetchone()
    with suppress(sqlite3.OperationalError):
        connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}").fetchone()


def empty_log(connection: sqlite3.Connection) -> None:
    """Move all of the log into the database; raises what stands in the way."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say inside into askmd's errors, naming the path."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain_sqlite(path, error) from error
    except OSError as error:
        raise _explain_system(path, error) from error
    except UnicodeDecodeError as error:
        # SQLite quotes a damaged schema in its message, whatever bytes stand there.
        raise IndexCorrupt(f"{path} is damaged (its schema is not UTF-8)", REBUILD_STEP) from error
    except UnicodeEncodeError as error:
        raise IndexFault(f"{path} takes no text with half a surrogate pair: {error}") from error


def _explain_sqlite(path: Path, error: sqlite3.Error) -> IndexFault:
    extended = getattr(error, "sqlite_errorcode", 0)
    code = extended & 0xFF
    if extended in _FULL:
        return _full(path, str(error))
    if extended == sqlite3.SQLITE_IOERR_SHORT_READ:
        return IndexCorrupt(f"{path} is damaged: it was cut off", REBUILD_STEP)
    if code == sqlite3.SQLITE_IOERR:
        # Of a table that could not be read SQLite says only that it could not be made.
        why = "disk I/O error" if "disk I/O error" in str(error) else f"disk I/O error: {error}"
        return IndexFault(f"SQLite cannot use {path}: {why}", FAILING_DISK)
    if code in _CORRUPT or any(phrase in str(error) for phrase in _BROKEN):
        return IndexCorrupt(f"{path} is damaged ({error})", REBUILD_STEP)
    if code == sqlite3.SQLITE_CANTOPEN and is_full(path.parent):
        return _full(path, str(error))
    if code in _BUSY:
        return IndexLocked(f"another process keeps {path} busy", "run the same command again")
    return IndexFault(
        f"SQLite cannot use {path}: {error}",
        f"{_PERMISSIONS}, and how many files a process may open",
    )


def _explain_system(path: Path, error: OSError) -> IndexFault:
    if error.errno in _FULL_ERRNOS:
        return _full(path, error.strerror or str(error))
    where = error.filename or path
    return IndexFault(f"cannot use {where}: {error.strerror}", step_after(error, _PERMISSIONS))


def _full(path: Path, reason: str) -> IndexFault:
    folder = path if path.is_dir() else path.parent
    return IndexFault(
        f"the disk takes no more of the index in {folder} ({reason})",
        FULL_DISK,
    )
