"""An index brought back from a backup, in the place of whatever stands there.

It is made beside the standing one, under a name that nothing refers to until the manifest does:
readers keep the old one until then, and what is broken off is swept by the next writer.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from askmd.errors import FolderError, IndexCorrupt, IndexFault, IndexMismatch, NoIndex, UsageError
from askmd.store.backup import ANOTHER_STEP, FORMAT, TABLES, check_whole, is_backup
from askmd.store.copying import (
    Copied,
    End,
    Watch,
    check_agreement,
    connect_new,
    copy_rows,
    drafted,
    naming_damage,
)
from askmd.store.database import connect_frozen, connect_reader, connect_writer, explained
from askmd.store.folder import (
    absolute_root,
    hide_from_git,
    is_same_folder,
    make_folder,
    new_name,
    relative_root,
    remove_database,
    sweep_leftovers,
)
from askmd.store.lock import WriteLock
from askmd.store.manifest import Manifest, read_manifest, write_manifest
from askmd.store.schema import (
    State,
    create_tables,
    is_empty,
    is_gone,
    put_encoding,
    put_meta,
    read_state,
)
from askmd.store.sealing import seal
from askmd.store.writer import IndexWriter, Opened
from askmd.types import CancelCheck, Identity, ProgressCallback

_MOST_FACTS = 1_000
_MOST_FACT_BYTES = 1_000_000
_SAMPLE = 100
"""So many documents are looked for to tell where they are now."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was brought back."""

    documents: int
    chunks: int
    root: Path
    """The documents' folder the index now belongs to."""
    is_found: bool
    """Whether any of the documents is there."""
    made_at: str
    """ISO time of the backup."""
    identity: Identity


@dataclass(frozen=True, slots=True)
class _Backup:
    """A backup that is open and whole."""

    connection: sqlite3.Connection
    file: Path
    state: State
    root: Path
    """Where its documents were."""
    made_at: str
    held: Copied

    def sample(self) -> list[str]:
        """Return the paths of some documents, at even distances."""
        rows = self.connection.execute("SELECT path FROM documents ORDER BY number")
        return [str(path) for (path,) in islice(rows, 0, None, 1 + self.held.documents // _SAMPLE)]


@dataclass(frozen=True, slots=True)
class _Standing:
    """What the index is to be put in the place of."""

    generation: int = 0
    root: Path | None = None
    """None where it holds nothing, or nothing that can be read."""


def restore_backup(
    file: Path,
    folder: Path,
    *,
    root: Path | None = None,
    others: Sequence[Path] = (),
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
    now: Callable[[], float] = time.time,
) -> Restored:
    """Put what a backup holds in the place of the index in a folder.

    root: where the documents are now; None chooses the folder that holds most of them: as they lay
    to the index, where they were, the standing index's own, or one of ``others``.
    Raises FolderError if there is no such root, UsageError if the file is no backup, IndexCorrupt
    if it is damaged, IndexMismatch if the standing index belongs to another folder that is still
    there, IndexLocked while it is written, Interrupted once ``cancel`` says so; the standing index
    is then as it was.
    """
    folder = folder.absolute()
    if root is not None and not root.is_dir():
        raise FolderError(f"no such folder: {root}", "name the one that holds the documents")
    with _open_backup(file, Watch("checking", progress, cancel)) as backup, ExitStack() as undo:
        with explained(folder):
            make_folder(folder)
            lock = WriteLock(folder)
            undo.callback(lock.release)
            hide_from_git(folder)
        standing = _look(folder)
        with _reading(file):
            chosen, is_found = _choose_root(folder, root, backup, standing, others)
        _check_standing(folder, standing, chosen, file)
        generation = max(standing.generation, backup.state.generation) + 1
        stored = relative_root(folder, chosen)
        path = folder / new_name("index")
        undo.callback(_remove_unless_current, path)
        with drafted(path, explained) as draft:
            watch = Watch("restoring", progress, cancel)
            _fill(draft, backup, stored, generation, watch)
        _publish(path, backup, lock, now)
    held = backup.held
    return Restored(
        held.documents, held.chunks, chosen, is_found, backup.made_at, backup.state.identity
    )


@contextmanager
def _open_backup(file: Path, watch: Watch) -> Iterator[_Backup]:
    """Lend a backup that was found whole; raises UsageError or IndexCorrupt for any other file."""
    with _reading(file):
        is_none = not file.is_file() or not is_backup(file)
    if is_none:
        what = "is no backup" if file.exists() else "is not there"
        raise UsageError(f"{file} {what}", "name a file that `askmd backup FILE` wrote")
    with ExitStack() as opened:
        with _reading(file):
            check_whole(file, watch)
            # Frozen: a journal that lies beside it, whoever put it there, is not played back.
            connection = opened.enter_context(closing(connect_frozen(file.absolute())))
            connection.execute("PRAGMA trusted_schema = OFF")
            backup = _describe(connection, file)
        yield backup


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a backup's file into askmd's errors, naming it."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError, LookupError, RecursionError) as error:
        raise IndexCorrupt(f"{file} is damaged ({error})", ANOTHER_STEP) from error
    except OSError as error:
        raise IndexFault(
            f"{file} cannot be read: {error.strerror}", "mend its permissions"
        ) from error
    except IndexCorrupt as error:
        raise IndexCorrupt(error.message, ANOTHER_STEP) from error


def _source(backup: _Backup) -> End:
    return End(backup.connection, backup.file, _reading)


def _describe(connection: sqlite3.Connection, file: Path) -> _Backup:
    """Return what a backup says of itself; raises IndexCorrupt if its tables are not a backup's."""
    tables = connection.execute("SELECT name, sql FROM sqlite_master").fetchmany(_MOST_FACTS)
    if dict(tables) != TABLES or len(tables) != len(TABLES):
        raise IndexCorrupt(f"{file} is damaged: its tables are not a backup's", ANOTHER_STEP)
    facts = _read_facts(connection, "backup")
    if facts["format"] != FORMAT:
        raise _made_by_another(file, facts)
    _read_facts(connection, "meta")
    held = Copied(int(facts["documents"]), int(facts["chunks"]), int(facts["vectors"]))
    try:
        state = read_state(connection, file)
    except IndexMismatch as error:
        raise _made_by_another(file, facts) from error
    return _Backup(connection, file, state, Path(facts["root"]), facts["made_at"], held)


def _made_by_another(file: Path, facts: Mapping[str, str]) -> IndexMismatch:
    return IndexMismatch(
        f"{file} was made by another version of askmd", f"restore it with askmd {facts['askmd']}"
    )


def _read_facts(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return a table of facts; raises ValueError where it is too large to be one."""
    [(count, length)] = connection.execute(
        f"SELECT count(*), coalesce(sum(length(key) + length(value)), 0) FROM {table}"
    )
    if count > _MOST_FACTS or length > _MOST_FACT_BYTES:
        raise ValueError(f"{table} is too large")
    return {str(key): str(value) for key, value in connection.execute(f"SELECT * FROM {table}")}


def _look(folder: Path) -> _Standing:
    """Return what stands in a folder; a damaged index is what a backup is there to mend."""
    with suppress(NoIndex, IndexCorrupt):
        manifest = read_manifest(folder)
        path = folder / manifest.database
        with suppress(IndexFault), explained(path), closing(connect_reader(path)) as connection:
            state = read_state(connection, path)
            # A writer that was killed may have left it ahead of its manifest.
            generation = max(manifest.generation, state.generation)
            is_bound = not is_empty(connection)
            return _Standing(generation, absolute_root(folder, state.root) if is_bound else None)
        return _Standing(manifest.generation)
    return _Standing()


def _choose_root(
    folder: Path,
    given: Path | None,
    backup: _Backup,
    standing: _Standing,
    others: Sequence[Path],
) -> tuple[Path, bool]:
    """Return the documents' folder, and whether any of them is in it."""
    paths = backup.sample()
    if given is not None:
        candidates = [given.resolve()]
    else:
        beside = absolute_root(folder, backup.state.root)
        known = [] if standing.root is None else [standing.root]
        candidates = [beside, backup.root, *known, *(one.resolve() for one in others)]
    held = {root: sum(_is_there(root / path) for path in paths) for root in candidates}
    best = max(candidates, key=lambda root: held[root])
    if held[best] or given is not None:
        return best, held[best] > 0 or not paths
    # A folder that merely lies where theirs did is not to be taken for it.
    return backup.root, not paths


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _check_standing(folder: Path, standing: _Standing, root: Path, file: Path) -> None:
    """Raise IndexMismatch if the standing index belongs to another folder that is still there."""
    if standing.root is None or is_same_folder(standing.root, root) or is_gone(standing.root):
        return
    raise IndexMismatch(
        f"the index in {folder} belongs to {standing.root}, {file} to {root}",
        "name the folder its documents are in now with `askmd restore FILE FOLDER`, "
        "or another index with `--index`",
    )


def _fill(path: Path, backup: _Backup, root: str, generation: int, watch: Watch) -> None:
    """Write a backup's rows into an empty file as an index."""
    state, source = backup.state, _source(backup)
    with explained(path):
        connection = connect_new(path)
    with closing(connection):
        target = End(connection, path, _filling)
        with explained(path):
            connection.execute("BEGIN")
            create_tables(connection, state.identity, root, generation)
        with naming_damage(ANOTHER_STEP):
            copied = copy_rows(source, target, state.identity.dim, watch)
            check_agreement(target)
        if copied != backup.held:
            raise IndexCorrupt(f"{backup.file} is damaged: it lacks rows", ANOTHER_STEP)
        with explained(path):
            put_meta(connection, vectors=str(copied.vectors))
            put_encoding(connection, state.encoding)
            seal(connection, has_changed=False)
            connection.execute("COMMIT")


@contextmanager
def _filling(path: Path) -> Iterator[None]:
    """Turn what goes wrong with a new database into askmd's errors."""
    with explained(path):
        try:
            yield
        except sqlite3.IntegrityError as error:
            raise IndexCorrupt(f"the backup is damaged ({error})") from error


def _publish(path: Path, backup: _Backup, lock: WriteLock, now: Callable[[], float]) -> None:
    """Derive what makes searches fast, and let the manifest name the database."""
    with explained(path), closing(connect_writer(path)) as connection:
        state = read_state(connection, path)
        if backup.state.last_ingest:
            # What an unfinished ingest left is derived by the one that finishes it.
            writer = IndexWriter(Opened(connection, path, state), lock, now)
            writer.finish(backup.state.last_ingest)
        write_manifest(path.parent, Manifest(path.name, state.uuid, state.generation))
        sweep_leftovers(path.parent, path.name)


def _remove_unless_current(path: Path) -> None:
    """Remove a database that could not be completed, with what was derived from it."""
    current = ""
    with suppress(IndexFault):
        current = read_manifest(path.parent).database
    if current != path.name:
        remove_database(path)
        if current:
            sweep_leftovers(path.parent, current)
