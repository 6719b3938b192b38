"""An index examined from its folder to its last derived row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from askmd.errors import IndexFault, IndexMismatch
from askmd.store.connections import Connection
from askmd.store.database import explained, reading_transaction
from askmd.store.examining.files import (
    find_manifest,
    living_holder,
    look_at_folder,
    look_for_leftovers,
)
from askmd.store.examining.looks import READ_AGAIN, Examination, Mend, counted
from askmd.store.examining.rows import look_at_rows, look_at_structure, look_at_tables
from askmd.store.folder import absolute_root
from askmd.store.manifest import FIX_STEP, REBUILD_STEP, Manifest
from askmd.store.schema import State, check_uuid, read_state
from askmd.types import CancelCheck, ProgressCallback


def examine(
    folder: Path, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
) -> Examination:
    """Return what is to be seen of the index in a folder, whatever state it is in.

    Raises NoIndex where there is none, Interrupted once ``cancel`` says so.
    """
    look = Examination(folder.absolute(), progress, cancel)
    try:
        look.manifest = find_manifest(look)
        with explained(look.folder):
            look_at_folder(look)
            if look.manifest is not None:
                _look_at_database(look, look.manifest)
            look_for_leftovers(look)
    except IndexFault as error:
        if error.code == "no_index":
            raise
        look.stop_if_cancelled()
        look.add(error.code, error.message, error.next_step)
    return look


def _look_at_database(look: Examination, manifest: Manifest) -> None:
    path = look.folder / manifest.database
    if not path.exists():
        look.add("index_corrupt", f"{path} is missing", REBUILD_STEP)
        return
    try:
        with _opened(look, path) as opened:
            _look_at_state(look, opened.sqlite, manifest, path)
            look_at_structure(look, opened.sqlite)
            if any(one.code == "index_mismatch" for one in look.seen):
                return
            if look.state is not None:
                look_at_tables(look, opened.sqlite, look.state)
            look_at_rows(look, opened.sqlite, path)
            _look_at_derived(look, opened, path)
    except IndexFault as error:
        look.stop_if_cancelled()
        look.add(error.code, error.message, error.next_step)


@contextmanager
def _opened(look: Examination, path: Path) -> Iterator[Connection]:
    """See one committed state inside."""
    from askmd.store.examining.derived import lossless

    with explained(path):
        connection = Connection(path)
        try:
            connection.sqlite.text_factory = lossless
            look.watch(connection.sqlite)
            with reading_transaction(connection.sqlite):
                yield connection
        finally:
            connection.close()


def _look_at_state(
    look: Examination, connection: sqlite3.Connection, manifest: Manifest, path: Path
) -> None:
    """See what the index says of itself, and whether it is what was acknowledged."""
    try:
        with explained(path):
            state = read_state(connection, path)
        check_uuid(manifest, state, path)
    except (IndexMismatch, IndexFault) as error:
        look.stop_if_cancelled()
        look.add(error.code, error.message, error.next_step)
        return
    look.state, look.root = state, absolute_root(look.folder, state.root)
    _compare(look, manifest, state)


def _compare(look: Examination, manifest: Manifest, state: State) -> None:
    lost = manifest.generation - state.generation
    if lost > 0:
        message = f"the index lost its last {counted(lost, 'write')}"
        look.add("lost_writes", message, "run `askmd ingest`", mend=Mend.MANIFEST, then=READ_AGAIN)
    elif lost < 0 and living_holder(look.folder) is None:
        message = f"the manifest is {counted(-lost, 'write')} behind the index, which is whole"
        look.add_note("manifest", message, FIX_STEP, Mend.MANIFEST)


def _look_at_derived(look: Examination, opened: Connection, path: Path) -> None:
    from askmd.store.examining import derived

    before = len(look.seen)
    are_words_whole = derived.look_at_words(look, opened.sqlite, path, is_frozen=opened.is_frozen)
    segments = 0
    with look.reading("the tables of chunks and vectors"):
        segments = derived.look_at_segments(look, opened.sqlite, path)
    if are_words_whole and len(look.seen) == before:
        derived.describe(look, segments)
