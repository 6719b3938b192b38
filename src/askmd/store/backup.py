"""A backup: one file with the rows of one generation, under a sum of the whole.

It is an SQLite database of plain tables, which any SQLite opens, and behind its last page a line
with the sum of all bytes before it. What is derived, the words' index among it, is not in it.
"""

from __future__ import annotations

import errno
import re
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from askmd import __version__
from askmd.errors import IndexCorrupt, IndexFault, IndexMismatch, UsageError, step_after
from askmd.store.copying import (
    CHUNK_ROW,
    DOCUMENT_ROW,
    VECTOR_ROW,
    Copied,
    End,
    Watch,
    check_agreement,
    connect_new,
    copy_rows,
    drafted,
    naming_damage,
)
from askmd.store.database import connect_frozen, explained
from askmd.store.folder import absolute_root, is_same_folder
from askmd.store.reader import open_store
from askmd.store.rows import clean
from askmd.store.schema import State, read_state
from askmd.store.view import View
from askmd.types import CancelCheck, ProgressCallback

FORMAT = "1"
APPLICATION = int.from_bytes(b"askm")
"""At byte 68 of the file: ``PRAGMA application_id``."""
ANOTHER_STEP = "restore another one, or run `askmd ingest --rebuild`"


def _keyed(row: str) -> str:
    return row.replace("number,", "number INTEGER PRIMARY KEY,", 1)


TABLES = {
    "backup": "CREATE TABLE backup (key, value)",
    "meta": "CREATE TABLE meta (key, value)",
    "documents": f"CREATE TABLE documents ({_keyed(DOCUMENT_ROW)}, checksum)",
    "vectors": f"CREATE TABLE vectors ({VECTOR_ROW})",
    "chunks": f"CREATE TABLE chunks ({_keyed(CHUNK_ROW)})",
}
"""All that a backup holds; the meta table is the index's own."""
_MAGIC = b"SQLite format 3\0"
_SEAL = b"\naskmd backup, blake2b %s\n"
_SEAL_PATTERN = re.compile(rb"\naskmd backup, blake2b ([0-9a-f]{64})\n")
_SEAL_BYTES = len(_SEAL % (b"0" * 64))
_BLOCK_BYTES = 8 * 1024 * 1024
_STALE_SECONDS = 24 * 3600
_SAMPLE = 100
"""So many documents are looked for to tell where they are now."""
_MOST_FACTS = 1_000
_MOST_FACT_BYTES = 1_000_000


Sample = dict[str, str]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup holds."""

    file: Path
    documents: int
    chunks: int
    generation: int
    """Of the index, when it was saved."""
    bytes: int


def save_backup(
    folder: Path,
    file: Path,
    *,
    suffixes: tuple[str, ...] = (),
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    now: Callable[[], float] = time.time,
) -> Saved:
    """Save the index in a folder as one file, as it is now, whatever a writer does meanwhile.

    A backup of this index that stands in the file's place is replaced once the new one is whole.
    suffixes: what makes a file in the documents' folder a document.
    Raises UsageError where the file may not be written, IndexCorrupt if the index is damaged,
    Interrupted once ``cancel`` says so.
    """
    file = _find_target(file)
    _check_target(file, folder)
    watch = Watch("saving", progress, cancel)
    with (
        naming_damage("it is not saved: run `askmd doctor`, which names what mends it"),
        open_store(folder) as index,
        index._reading() as view,
    ):
        _check_no_document(file, view, suffixes)
        _check_no_other(file, view)
        _sweep_drafts(file, now())
        return _save(file, view, watch, now)


def _save(file: Path, view: View, watch: Watch, now: Callable[[], float]) -> Saved:
    with drafted(file, writing) as draft:
        copied = _fill(draft, view, watch, now())
        size = draft.stat().st_size
        return Saved(file, copied.documents, copied.chunks, view.state.generation, size)


def _find_target(file: Path) -> Path:
    """Return where a backup is to stand, no link; raises IndexFault for a name that cannot be."""
    with writing(file):
        # A link that leads back to itself resolves to nothing, in one Python or another way.
        with suppress(FileNotFoundError, NotADirectoryError):
            file.stat()
        return file.resolve()


def _check_target(file: Path, folder: Path) -> None:
    """Raise UsageError where a backup may not be written."""
    with writing(file):
        if file.is_dir():
            raise UsageError(f"{file} is a folder", f"name a file, such as {file / 'notes.backup'}")
        if not file.parent.is_dir():
            raise UsageError(f"there is no folder {file.parent}", "make it, or name another place")
        if any(is_same_folder(one, folder.resolve()) for one in file.parents):
            raise UsageError(
                f"{file} would stand in the index that it is to save", "name a place outside of it"
            )
        if file.exists() and not is_backup(file):
            raise UsageError(f"{file} is there already and is no backup", "name another file")


def _check_no_document(file: Path, view: View, suffixes: tuple[str, ...]) -> None:
    """Raise UsageError where the next ingest would read a backup as a document."""
    root = absolute_root(view.database.parent, view.state.root)
    if file.name.lower().endswith(suffixes) and any(
        is_same_folder(one, root) for one in file.parents
    ):
        raise UsageError(
            f"{file} would be one of the documents in {root}",
            f"name it otherwise, such as {file.with_suffix('.backup').name}, or another place",
        )


def _check_no_other(file: Path, view: View) -> None:
    """Raise UsageError where the backup of another index stands; a damaged one is none."""
    if not file.exists():
        return
    with suppress(sqlite3.Error, ValueError, LookupError), closing(connect_frozen(file)) as old:
        was, root = lineage_of(read_facts(old, "meta")), read_facts(old, "backup")["root"]
        with explained(view.database):
            own = lineage_of(read_facts(view.connection, "meta"))
        if was != own and not is_same_folder(
            Path(root), absolute_root(view.database.parent, view.state.root)
        ):
            raise UsageError(
                f"{file} holds the backup of the index of {root}",
                "name another file, or remove it",
            )


def read_facts(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return a table of facts; raises ValueError where it is too large to be one."""
    [(count, length)] = connection.execute(
        f"SELECT count(*), coalesce(sum(length(key) + length(value)), 0) FROM {table}"
    )
    if count > _MOST_FACTS or length > _MOST_FACT_BYTES:
        raise ValueError(f"{table} is too large")
    return {str(key): str(value) for key, value in connection.execute(f"SELECT * FROM {table}")}


def lineage_of(meta: Mapping[str, str]) -> str:
    """Return what an index and all that was saved of it and brought back have in common."""
    return meta.get("lineage") or meta.get("uuid", "")


def is_backup(file: Path) -> bool:
    """Return whether a file was begun as a backup; whether it is whole, ``check_whole`` tells."""
    if not stat.S_ISREG(file.stat().st_mode):
        return False
    with file.open("rb") as opened:
        head = opened.read(100)
    return head.startswith(_MAGIC) and head[68:72] == APPLICATION.to_bytes(4)


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say of a backup's file into askmd's errors."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        step = "make room there, or name another place"
        if isinstance(error, OSError) and error.errno in (errno.ELOOP, errno.ENAMETOOLONG):
            step = step_after(error, step)
        raise IndexFault(f"{file} cannot be written: {reason}", step) from error


def _sweep_drafts(file: Path, now: float) -> None:
    """Remove what a backup of this name left that was killed long ago."""
    for draft in file.parent.glob("*.tmp"):
        if re.fullmatch(re.escape(file.name) + r"\.[0-9a-f]{16}\.tmp", draft.name):
            with suppress(OSError):
                if draft.stat().st_mtime < now - _STALE_SECONDS:
                    draft.unlink()


def _fill(draft: Path, view: View, watch: Watch, now: float) -> Copied:
    """Write what a view sees into a draft and seal it."""
    source = End(view.connection, view.database, explained)
    check_agreement(source)
    with closing(connect_new(draft)) as connection:
        target = End(connection, draft, writing)
        with writing(draft):
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("BEGIN")
            for statement in TABLES.values():
                connection.execute(statement)
        copied = copy_rows(source, target, view.state.identity.dim, watch)
        with explained(view.database):
            meta = view.connection.execute("SELECT key, value FROM meta").fetchall()
        with writing(draft):
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
            facts = _facts(view, copied, now)
            connection.executemany("INSERT INTO backup VALUES (?, ?)", list(facts.items()))
            connection.execute("COMMIT")
    with writing(draft):
        _seal(draft, watch)
    return copied


def _facts(view: View, copied: Copied, now: float) -> dict[str, str]:
    return {
        "format": FORMAT,
        "askmd": __version__,
        "made_at": datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds"),
        "root": clean(str(absolute_root(view.database.parent, view.state.root))),
        "documents": str(copied.documents),
        "chunks": str(copied.chunks),
        "vectors": str(copied.vectors),
    }


def _seal(draft: Path, watch: Watch) -> None:
    """Write the sum of a file's bytes behind them."""
    found = _sum(draft, draft.stat().st_size, watch)
    with draft.open("ab") as file:
        file.write(_SEAL % found.encode())


def check_whole(file: Path, watch: Watch) -> None:
    """Raise IndexCorrupt unless every byte of a backup is as it was written."""
    size = file.stat().st_size - _SEAL_BYTES
    with file.open("rb") as opened:
        opened.seek(max(0, size))
        seal = _SEAL_PATTERN.fullmatch(opened.read(_SEAL_BYTES))
    if seal is None or _sum(file, size, watch).encode() != seal[1]:
        raise IndexCorrupt(f"{file} is damaged: it is not what was saved", ANOTHER_STEP)


def _sum(file: Path, size: int, watch: Watch) -> str:
    """Return the sum of so many bytes from a file's beginning."""
    found = blake2b(digest_size=32)
    with file.open("rb") as opened:
        for start in range(0, size, _BLOCK_BYTES):
            found.update(opened.read(min(_BLOCK_BYTES, size - start)))
            watch.tell(start, size, "bytes")
    return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that is open and whole."""

    connection: sqlite3.Connection
    file: Path
    state: State
    root: Path
    """Where its documents were."""
    lineage: str
    made_at: str
    held: Copied

    def sample(self) -> Sample:
        """Return the digests of some documents by path, at even distances."""
        rows = self.connection.execute("SELECT path, digest FROM documents ORDER BY number")
        step = 1 + self.held.documents // _SAMPLE
        return {str(path): str(digest) for path, digest in islice(rows, 0, None, step)}


@contextmanager
def open_backup(file: Path, watch: Watch) -> Iterator[Backup]:
    """Lend a backup that was found whole; raises UsageError or IndexCorrupt for any other file."""
    with reading(file):
        # Of a link that leads back to itself, pathlib says only that it is no file.
        with suppress(FileNotFoundError, NotADirectoryError):
            file.stat()
        is_none = not file.is_file() or not is_backup(file)
    if is_none:
        what = "is no backup" if file.exists() else "is not there"
        raise UsageError(f"{file} {what}", "name a file that `askmd backup FILE` wrote")
    with ExitStack() as opened:
        with reading(file):
            check_whole(file, watch)
            # Frozen: a journal that lies beside it, whoever put it there, is not played back.
            connection = opened.enter_context(closing(connect_frozen(file.absolute())))
            connection.execute("PRAGMA trusted_schema = OFF")
            backup = _describe(connection, file)
        yield backup


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a backup's file into askmd's errors, naming it."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError, LookupError, RecursionError) as error:
        raise IndexCorrupt(f"{file} is damaged ({error})", ANOTHER_STEP) from error
    except OSError as error:
        step = step_after(error, "mend its permissions")
        raise IndexFault(f"{file} cannot be read: {error.strerror}", step) from error
    except IndexCorrupt as error:
        raise IndexCorrupt(error.message, ANOTHER_STEP) from error


def _describe(connection: sqlite3.Connection, file: Path) -> Backup:
    """Return what a backup says of itself; raises IndexCorrupt if its tables are not a backup's."""
    tables = connection.execute("SELECT name, sql FROM sqlite_master").fetchmany(len(TABLES) + 1)
    if dict(tables) != TABLES or len(tables) != len(TABLES):
        raise IndexCorrupt(f"{file} is damaged: its tables are not a backup's", ANOTHER_STEP)
    facts = read_facts(connection, "backup")
    if facts["format"] != FORMAT:
        raise _made_by_another(file, facts)
    meta = read_facts(connection, "meta")
    if "\0" in facts["root"]:
        raise ValueError("its root is none")
    held = Copied(int(facts["documents"]), int(facts["chunks"]), int(facts["vectors"]))
    try:
        state = read_state(connection, file)
    except IndexMismatch as error:
        raise _made_by_another(file, facts) from error
    root, lineage = Path(facts["root"]), lineage_of(meta)
    return Backup(connection, file, state, root, lineage, facts["made_at"], held)


def _made_by_another(file: Path, facts: Mapping[str, str]) -> IndexMismatch:
    return IndexMismatch(
        f"{file} was made by another version of askmd", f"restore it with askmd {facts['askmd']}"
    )
