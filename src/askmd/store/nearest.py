"""Vectors searched with FAISS, which is derived from SQLite. Imported at the first search."""

from __future__ import annotations

import json
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import numpy.typing as npt

from askmd.errors import IndexCorrupt
from askmd.store.floats import as_cosine, read_matrix
from askmd.store.manifest import REBUILD_STEP
from askmd.store.schema import State, check_chunks
from askmd.store.selection import Numbers
from askmd.store.vectors import Header, read_vector_file, write_vector_file

if TYPE_CHECKING:
    from askmd.types import Vector

logger = logging.getLogger("askmd")
_BATCH_ROWS = 4096
_WITH_VECTORS = """
SELECT chunks.number, key, vector, vectors.checksum
FROM chunks JOIN vectors ON vectors.key = chunks.vector_key
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every vector of one generation, ready to be searched; never changed once it is made."""

    numbering: str
    generation: int
    index: Any
    """IndexIDMap2 over IndexFlatIP; its ids are chunk numbers."""


def take_snapshot(
    connection: sqlite3.Connection, state: State, file: Path, database: Path
) -> Snapshot:
    """Return the vectors of the state the connection sees: from the file if it is sound.

    A file that is missing or damaged is no loss: it is derived, and SQLite holds the truth.
    """
    index = _load(file, state)
    index = _build(connection, state, database) if index is None else index
    return update_snapshot(Snapshot(state.numbering, 0, index), connection, state, database)


def update_snapshot(
    old: Snapshot, connection: sqlite3.Connection, state: State, database: Path
) -> Snapshot:
    """Return the vectors of the state the connection sees, with the old ones where they stand.

    A number's vector never changes, so comparing the numbers is enough. Raises IndexCorrupt
    where chunks or their vectors are missing.
    """
    held = _held_numbers(old.index)
    wanted = _all_numbers(connection)
    check_chunks(len(wanted), state, database)
    gone = np.setdiff1d(held, wanted, assume_unique=True)
    added = np.setdiff1d(wanted, held, assume_unique=True)
    index = old.index
    if len(gone) + len(added) > len(wanted) // 2:
        index = _build(connection, state, database)
    elif len(gone) or len(added):
        # Other threads may be searching the old one.
        index = faiss.clone_index(old.index)
        if len(gone):
            index.remove_ids(faiss.IDSelectorBatch(gone))
        _add(index, connection, added, database)
    if index.ntotal != len(wanted):
        raise IndexCorrupt(
            f"{database} is damaged: {len(wanted)} chunks have {index.ntotal} vectors",
            REBUILD_STEP,
        )
    return Snapshot(state.numbering, state.generation, index)


def publish(snapshot: Snapshot, state: State, file: Path) -> None:
    """Write the snapshot's FAISS file."""
    index = snapshot.index
    last_number = int(_held_numbers(index).max(initial=0))
    header = Header(state.uuid, state.numbering, index.d, index.ntotal, last_number)
    write_vector_file(file, header, faiss.serialize_index(index).data)


def nearest(
    snapshot: Snapshot, question: Vector, limit: int, allowed: Numbers | None
) -> list[tuple[int, float]]:
    """Return chunk numbers with their cosines, best first: exact, among the allowed ones only."""
    count = snapshot.index.ntotal if allowed is None else len(allowed.values)
    limit = min(limit, count)
    if limit <= 0:
        return []
    parameters = None
    if allowed is not None:
        selector = faiss.IDSelectorBatch(np.array(allowed.values, dtype=np.int64))
        parameters = faiss.SearchParameters()
        parameters.sel = selector
    scores, numbers = snapshot.index.search(question[None], limit, params=parameters)
    pairs = zip(numbers[0].tolist(), scores[0].tolist(), strict=True)
    # FAISS pads what it did not find with -1.
    return [(number, as_cosine(score)) for number, score in pairs if number != -1]


def _load(file: Path, state: State) -> Any | None:
    """Return the file's index if it is this database's and sound, else None."""
    try:
        found = read_vector_file(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        logger.warning("%s is set aside and made anew from the database: %s", file, error)
        return None
    header = found.header
    if (header.uuid, header.numbering) != (state.uuid, state.numbering):
        logger.warning("%s belongs to another index and is made anew", file)
        return None
    try:
        index = faiss.deserialize_index(np.frombuffer(found.payload, dtype=np.uint8))
    except RuntimeError as error:
        # Sound, but of a FAISS whose format this one does not read.
        logger.warning("%s is made anew from the database: %s", file, error)
        return None
    if (index.d, index.ntotal) != (state.identity.dim, header.count):
        logger.warning("%s does not hold what it says and is made anew", file)
        return None
    return index


def _build(connection: sqlite3.Connection, state: State, database: Path) -> Any:
    """Return an index of every chunk's vector, from SQLite."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(state.identity.dim))
    _add_rows(index, connection.execute(_WITH_VECTORS), database)
    return index


def _add(
    index: Any, connection: sqlite3.Connection, numbers: npt.NDArray[np.int64], database: Path
) -> None:
    where = "WHERE chunks.number IN (SELECT value FROM json_each(?))"
    rows = connection.execute(_WITH_VECTORS + where, (json.dumps(numbers.tolist()),))
    _add_rows(index, rows, database)


def _add_rows(index: Any, rows: sqlite3.Cursor, database: Path) -> None:
    while batch := rows.fetchmany(_BATCH_ROWS):
        numbers = np.array([row[0] for row in batch], dtype=np.int64)
        index.add_with_ids(read_matrix(batch, index.d, database), numbers)


def _held_numbers(index: Any) -> npt.NDArray[np.int64]:
    numbers: npt.NDArray[np.int64] = faiss.vector_to_array(index.id_map)
    return numbers


def _all_numbers(connection: sqlite3.Connection) -> npt.NDArray[np.int64]:
    rows = connection.execute("SELECT number FROM chunks ORDER BY number")
    return np.fromiter((number for (number,) in rows), dtype=np.int64)
