"""An index brought back from a backup, in the place of whatever stands there.

It is made beside the standing one, under a name that nothing refers to until the manifest does:
readers keep the old one until then, and what is broken off is swept by the next writer.
"""

from __future__ import annotations

import re
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from askmd.errors import (
    FolderError,
    IndexCorrupt,
    IndexFault,
    IndexMismatch,
    NoIndex,
    step_after,
)
from askmd.store.backup import (
    ANOTHER_STEP,
    Backup,
    Sample,
    lineage_of,
    open_backup,
    read_facts,
    reading,
)
from askmd.store.copying import (
    End,
    Watch,
    check_agreement,
    connect_new,
    copy_rows,
    drafted,
    naming_damage,
)
from askmd.store.database import connect_reader, connect_writer, explained
from askmd.store.folder import (
    absolute_root,
    find_databases,
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
class _Standing:
    """What the index is to be put in the place of."""

    generation: int = 0
    root: Path | None = None
    """None where it holds nothing, or nothing that can be read."""
    is_own: bool = False
    """Whether the backup is of this index, or of one of the same folder."""
    is_alike: bool = False
    """Whether it holds most of the documents of which the backup is, as they were then."""


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

    root: where the documents are now; None chooses the folder that holds most of them: the
    standing index's own if the backup is of that, as they lay to the index, where they were, or
    one of ``others``.
    Raises FolderError if there is no such root, UsageError if the file is no backup, IndexCorrupt
    if it is damaged, IndexMismatch if the standing index belongs to another folder, IndexLocked
    while it is written, Interrupted once ``cancel`` says so; the standing index is then as it was.
    """
    folder = folder.absolute()
    if root is not None:
        _check_folder(root)
    with open_backup(file, Watch("checking", progress, cancel)) as backup, ExitStack() as undo:
        with explained(folder):
            make_folder(folder)
            lock = WriteLock(folder)
            undo.callback(lock.release)
            hide_from_git(folder)
        with reading(file):
            sample = backup.sample()
        standing = _look(folder, backup, sample)
        with reading(file):
            places = _places(folder, backup, standing, others) if root is None else []
        chosen = root.resolve() if root else _choose_root(places, backup, standing, sample)
        is_found = not sample or _count_there(chosen, sample) > 0
        _check_standing(folder, standing, chosen, file, is_given=root is not None)
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


def _check_folder(root: Path) -> None:
    """Raise FolderError unless a folder is there."""
    is_there = False
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            is_there = stat.S_ISDIR(root.stat().st_mode)
    except OSError as error:
        step = step_after(error, "check its permissions")
        raise FolderError(f"cannot use {root}: {error.strerror}", step) from error
    if not is_there:
        raise FolderError(f"no such folder: {root}", "name the one that holds the documents")


def _source(backup: Backup) -> End:
    return End(backup.connection, backup.file, reading)


def _look(folder: Path, backup: Backup, sample: Sample) -> _Standing:
    """Return what stands in a folder; a damaged index is what a backup is there to mend."""
    generation, paths = 0, find_databases(folder)
    with suppress(NoIndex, IndexCorrupt):
        manifest = read_manifest(folder)
        generation = manifest.generation
        if (folder / manifest.database).exists():
            paths = [folder / manifest.database]
    found = [_look_into(path, backup, sample) for path in paths]
    best = max(found, key=lambda one: (one.root is not None, one.generation), default=_Standing())
    # A writer that was killed may have left it ahead of its manifest.
    return replace(best, generation=max(generation, best.generation))


def _look_into(path: Path, backup: Backup, sample: Sample) -> _Standing:
    """Return what a database says of itself, of whatever version, and whatever else is damaged."""
    with (
        suppress(IndexFault, ValueError, LookupError, RuntimeError),
        explained(path),
        closing(connect_reader(path)) as connection,
    ):
        meta = read_facts(connection, "meta")
        said = meta.get("generation", "")
        generation = int(said) if re.fullmatch("[0-9]{1,18}", said) else 0
        with suppress(sqlite3.Error):
            if is_empty(connection):
                return _Standing(generation)
        root = absolute_root(path.parent, meta["root"])
        is_own = lineage_of(meta) == backup.lineage or is_same_folder(root, backup.root)
        return _Standing(generation, root, is_own, _is_alike(connection, sample))
    return _Standing()


def _is_alike(connection: sqlite3.Connection, sample: Sample) -> bool:
    """Return whether at least half of the documents are in an index too, with the same content.

    By their paths alone, any two projects have a readme and a list of changes in common.
    """
    found, question = 0, "SELECT count(*) FROM documents WHERE path = ? AND digest = ?"
    with suppress(sqlite3.Error):
        for path, digest in sample.items():
            found += connection.execute(question, (path, digest)).fetchone()[0]
    return 0 < len(sample) <= 2 * found


def _places(
    folder: Path, backup: Backup, standing: _Standing, others: Sequence[Path]
) -> list[Path]:
    """Return where the documents may be, the likeliest first.

    The folder of a standing index is among them only if the backup has to do with that index.
    """
    places = [backup.root]
    with suppress(OSError, RuntimeError):
        places.insert(0, absolute_root(folder, backup.state.root))
    for one in others:
        with suppress(OSError, RuntimeError):
            places.append(one.resolve())
    if standing.root is None:
        return places
    if standing.is_own or standing.is_alike:
        return [*places, standing.root]
    return [one for one in places if not is_same_folder(one, standing.root)]


def _choose_root(
    places: Sequence[Path], backup: Backup, standing: _Standing, sample: Sample
) -> Path:
    """Return the place that holds most of the documents, and more than half of them."""
    held = {one: _count_there(one, sample) for one in places}
    likely = [one for one in places if 2 * held[one] > len(sample)]
    if (
        standing.root is not None
        and standing.is_own
        and (standing.root in likely or not (likely or is_gone(standing.root)))
    ):
        return standing.root
    # A folder that merely lies where theirs did is not to be taken for it.
    return max(likely, key=lambda one: held[one], default=backup.root)


def _count_there(root: Path, sample: Sample) -> int:
    return sum(_is_there(root / path) for path in sample)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _check_standing(
    folder: Path, standing: _Standing, root: Path, file: Path, *, is_given: bool
) -> None:
    """Raise IndexMismatch if the standing index belongs to another folder.

    One that is gone may be unplugged: only who names the documents' folder says that it moved.
    """
    if standing.root is None or standing.is_own or is_same_folder(standing.root, root):
        return
    if not is_gone(standing.root):
        step = f"if its documents are there now, run `askmd restore {file} {standing.root}`, else "
    elif is_given:
        return
    else:
        step = "name the folder its documents are in now with `askmd restore FILE FOLDER`, or "
    raise IndexMismatch(
        f"the index in {folder} belongs to {standing.root}, {file} to {root}",
        f"{step}name another index with `--index`",
    )


def _fill(path: Path, backup: Backup, root: str, generation: int, watch: Watch) -> None:
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
            put_meta(connection, vectors=str(copied.vectors), lineage=backup.lineage)
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


def _publish(path: Path, backup: Backup, lock: WriteLock, now: Callable[[], float]) -> None:
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
