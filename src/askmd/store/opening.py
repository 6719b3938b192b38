"""How a writer comes to its database: found, made, mended, or a rebuild taken up again."""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from askmd.errors import IndexCorrupt, IndexFault, NoIndex
from askmd.store.database import (
    connect_reader,
    connect_writer,
    empty_log,
    explained,
    transaction,
)
from askmd.store.folder import (
    absolute_root,
    create_file,
    find_databases,
    find_rebuilds,
    hide_from_git,
    make_folder,
    new_name,
    relative_root,
    remove_database,
    sweep_leftovers,
    unpublished_name,
)
from askmd.store.lock import WriteLock
from askmd.store.manifest import REBUILD_STEP, Manifest, read_manifest, write_manifest
from askmd.store.schema import (
    State,
    adopt,
    check_identity,
    check_root,
    check_uuid,
    create_tables,
    empty_content,
    is_empty,
    is_gone,
    put_meta,
    read_state,
)
from askmd.store.sealing import check_whole
from askmd.store.upgrading import upgrade
from askmd.store.writer import IndexWriter, Opened
from askmd.types import Identity

logger = logging.getLogger("askmd")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The index that is asked for."""

    folder: Path
    identity: Identity
    root: Path
    now: Callable[[], float]

    @property
    def stored_root(self) -> str:
        return relative_root(self.folder, self.root)


def open_writer(
    folder: Path,
    identity: Identity,
    root: Path,
    *,
    rebuild: bool = False,
    now: Callable[[], float] = time.time,
) -> IndexWriter:
    """Return the writer of the index in a folder, which is made if there is none.

    identity: what the vectors will be made of; a dimension of 0 equals any.
    root: the folder of documents this index belongs to.
    rebuild: begin an empty index beside the old one, which readers keep until ``publish``; the
    vectors of a rebuild that was broken off are taken over if their identity is the same.
    now: Unix time in seconds.

    Raises IndexLocked while another process writes, IndexMismatch if the index is made of other
    vectors or belongs to another root, IndexCorrupt if it is damaged, IndexFault if the folder
    cannot be used.
    """
    wanted = _Wanted(folder.absolute(), identity, root, now)
    with explained(wanted.folder), ExitStack() as undo:
        make_folder(wanted.folder)
        lock = WriteLock(wanted.folder)
        undo.callback(lock.release)
        hide_from_git(wanted.folder)
        opened = _open_rebuild(wanted) if rebuild else _open_current(wanted)
        undo.pop_all()
    return IndexWriter(opened, lock, now)


def _open_current(wanted: _Wanted) -> Opened:
    """Return the index that the manifest names, or a new one."""
    try:
        manifest = read_manifest(wanted.folder)
    except NoIndex:
        return _create_index(wanted)
    _tidy(wanted.folder, manifest)
    path = wanted.folder / manifest.database
    if not path.exists():
        raise IndexCorrupt(f"{path} is missing", REBUILD_STEP)
    with explained(path), ExitStack() as undo:
        connection = undo.enter_context(closing(connect_writer(path)))
        upgrade(connection, path)
        state = read_state(connection, path)
        check_uuid(manifest, state, path)
        check_whole(connection, state, path)
        _agree(connection, state, wanted)
        state = _reconcile(connection, wanted.folder, manifest, state)
        undo.pop_all()
    return Opened(connection, path, state)


def _agree(connection: sqlite3.Connection, state: State, wanted: _Wanted) -> None:
    """Raise IndexMismatch unless the index is what is asked for, or holds nothing and becomes it.

    A first ingest that failed must not bind the next one to its settings.
    """
    if is_empty(connection):
        with transaction(connection):
            adopt(connection, wanted.identity, wanted.stored_root)
        return
    check_identity(state.identity, wanted.identity, wanted.folder)
    check_root(wanted.folder, state.root, wanted.root)
    _learn_dimension(connection, state.identity, wanted.identity)


def _create_index(wanted: _Wanted) -> Opened:
    opened = _create_database(wanted, "index", generation=0)
    state = opened.state
    write_manifest(wanted.folder, Manifest(opened.path.name, state.uuid, state.generation))
    sweep_leftovers(wanted.folder, opened.path.name)
    return opened


def _create_database(wanted: _Wanted, kind: str, *, generation: int) -> Opened:
    path = wanted.folder / new_name(kind)
    create_file(path)
    with explained(path), ExitStack() as undo:
        undo.callback(remove_database, path)
        connection = undo.enter_context(closing(connect_writer(path)))
        with transaction(connection):
            create_tables(connection, wanted.identity, wanted.stored_root, generation)
        # Whatever becomes of a log: what is left without it is an index.
        empty_log(connection)
        state = read_state(connection, path)
        undo.pop_all()
    return Opened(connection, path, state, is_rebuild=kind == "rebuild")


def _learn_dimension(connection: sqlite3.Connection, built: Identity, wanted: Identity) -> None:
    """Note the dimension that is asked for in an index that has no vector yet."""
    if wanted.dim and not built.dim:
        with transaction(connection):
            put_meta(connection, identity=json.dumps(asdict(wanted)))


def _reconcile(
    connection: sqlite3.Connection, folder: Path, manifest: Manifest, state: State
) -> State:
    """Return the state once database and manifest agree on how far they came.

    A database ahead of its manifest was cut off between its commit and the manifest: all is well.
    One behind it lost commits; it is an older whole, and ingest finds by content what is missing.
    """
    if state.generation < manifest.generation:
        lost = manifest.generation - state.generation
        logger.warning("the index in %s lost its last %d writes; they are made again", folder, lost)
        with transaction(connection):
            # Chunk numbers of the lost writes may be given again: whatever was derived is void.
            put_meta(
                connection,
                generation=str(manifest.generation + 1),
                numbering=secrets.token_hex(8),
                segments="[]",
            )
    state = read_state(connection, folder / manifest.database)
    if state.generation != manifest.generation:
        write_manifest(folder, Manifest(manifest.database, manifest.uuid, state.generation))
    return state


def _open_rebuild(wanted: _Wanted) -> Opened:
    """Return an empty database beside the current one, with an unfinished rebuild's vectors."""
    generation = 1
    # A damaged index is what a rebuild is there to mend.
    with suppress(NoIndex, IndexCorrupt):
        manifest = read_manifest(wanted.folder)
        # Who reads the old one must see that the new one is newer, even if nothing is written.
        generation = manifest.generation + 1
        _tidy(wanted.folder, manifest)
        path = wanted.folder / manifest.database
        _check_old_root(wanted, path)
        # A writer that was killed may have left the database ahead of its manifest.
        generation = max(generation, _generation(path) + 1)
    for path in find_rebuilds(wanted.folder):
        try:
            return _resume(wanted, path, generation)
        except IndexFault as fault:
            logger.info("an unfinished rebuild is of no use: %s", fault)
            remove_database(path)
    return _create_database(wanted, "rebuild", generation=generation)


def _tidy(folder: Path, manifest: Manifest) -> None:
    """Sweep what crashes left, but let a rebuild wait again that had lost only its manifest."""
    for path in find_databases(folder):
        # One that was current before is older than what the manifest names.
        if path.name != manifest.database and _generation(path) > manifest.generation:
            path.replace(path.with_name(unpublished_name(path.name)))
    sweep_leftovers(folder, manifest.database)


def _generation(path: Path) -> int:
    """Return how far a database came; -1 where that cannot be read."""
    try:
        with explained(path), closing(connect_reader(path)) as connection:
            return read_state(connection, path).generation
    except IndexFault:
        return -1


def _check_old_root(wanted: _Wanted, path: Path) -> None:
    """Raise IndexMismatch if the current index holds anything and belongs to another root."""
    try:
        with explained(path), closing(connect_reader(path)) as connection:
            state = read_state(connection, path)
            is_bound = not is_empty(connection)
    except IndexFault:
        return
    if is_bound and not is_gone(absolute_root(wanted.folder, state.root)):
        check_root(wanted.folder, state.root, wanted.root)


def _resume(wanted: _Wanted, path: Path, generation: int) -> Opened:
    """Return an unfinished rebuild, emptied of all but its vectors."""
    with explained(path), ExitStack() as undo:
        connection = undo.enter_context(closing(connect_writer(path)))
        upgrade(connection, path)
        state = read_state(connection, path)
        check_identity(state.identity, wanted.identity, wanted.folder)
        _learn_dimension(connection, state.identity, wanted.identity)
        with transaction(connection):
            empty_content(connection, wanted.now())
            put_meta(
                connection,
                root=wanted.stored_root,
                generation=str(max(generation, state.generation)),
            )
        state = read_state(connection, path)
        undo.pop_all()
    return Opened(connection, path, state, is_rebuild=True)
