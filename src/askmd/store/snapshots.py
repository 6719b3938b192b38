"""A generation's vectors put together: the segments that stand, and from SQLite what they lack."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from askmd.errors import IndexCorrupt
from askmd.store.derived import Damaged, Derived, Origin
from askmd.store.floats import read_matrix
from askmd.store.manifest import MEND_STEP
from askmd.store.nearest import Block, Part, Snapshot, find_places
from askmd.store.schema import State, check_chunks, count_chunks
from askmd.store.segments import find_segments
from askmd.store.segments import set_aside as drop_segment

if TYPE_CHECKING:
    from askmd.store.nearest import Mask

    Places = npt.NDArray[np.int64]

_ATTEMPTS = 5
_BATCH_ROWS = 4096
_WITH_VECTORS = """
SELECT chunks.number, key, vector, vectors.checksum
FROM chunks JOIN vectors ON vectors.key = chunks.vector_key
JOIN chunks AS mirror INDEXED BY chunks_vector
    ON mirror.vector_key = chunks.vector_key AND mirror.number = chunks.number
WHERE chunks.number IN (SELECT value FROM json_each(?)) ORDER BY chunks.number
"""


@dataclass(frozen=True, slots=True)
class Segment:
    """A file that is open, with all that it holds."""

    file: Derived
    part: Part

    @property
    def origin(self) -> Origin:
        """What the file is about."""
        return self.file.origin


@dataclass(frozen=True, slots=True)
class Held:
    """A generation's vectors, and what the next generation takes over of them."""

    snapshot: Snapshot
    segments: Mapping[Path, Segment]
    rest: Block
    """Rows that no segment holds."""
    listed: tuple[str, ...]
    """The files that the database named."""
    damaged: frozenset[Path]
    """Files that are not to be opened again."""
    is_complete: bool = True
    """False once a file was set aside, until the rows are there that it held."""

    def is_of(self, state: State) -> bool:
        """Return whether these are a state's vectors."""
        mine = self.snapshot
        same = (mine.numbering, mine.generation) == (state.numbering, state.generation)
        return same and self.is_complete and self.listed == state.segments

    def check_unchanged(self) -> None:
        """Raise Damaged where somebody wrote into one of the files."""
        for one in self.segments.values():
            one.file.check_unchanged()

    def is_newer(self, state: State) -> bool:
        """Return whether these are the vectors of a later state."""
        mine = self.snapshot
        return mine.numbering == state.numbering and mine.generation > state.generation


def hold(connection: sqlite3.Connection, state: State, database: Path, former: Held | None) -> Held:
    """Return the vectors of the state the connection sees, with the former ones where they stand.

    A file that is missing or damaged is no loss: it is derived, and SQLite holds the truth.
    Raises IndexCorrupt where chunks or their vectors are missing.
    """
    if former is not None and former.snapshot.numbering != state.numbering:
        former = None
    segments, damaged = _open_segments(database, state, former)
    every = list(segments.values())
    missing, gone = _compare(connection, state, database, every)
    rest = _read_rest(connection, state, database, missing, former.rest if former else None)
    parts: list[Part] = [
        one.part if mask is None else one.part.without(mask)
        for one, mask in zip(every, gone, strict=True)
    ]
    if len(rest.numbers):
        parts.append(rest)
    snapshot = Snapshot(state.numbering, state.generation, tuple(parts))
    return Held(snapshot, segments, rest, state.segments, damaged)


def set_aside(held: Held, fault: Damaged) -> Held:
    """Return what is held without the file that turned out damaged; it is made anew later.

    Raises the fault where no file that is held is to blame.
    """
    path = fault.path
    if path is None or path not in held.segments:
        raise fault
    drop_segment(path, fault)
    segments = {one: segment for one, segment in held.segments.items() if one != path}
    damaged = held.damaged | {path}
    return Held(held.snapshot, segments, held.rest, held.listed, damaged, is_complete=False)


def _open_segments(
    database: Path, state: State, former: Held | None
) -> tuple[dict[Path, Segment], frozenset[Path]]:
    """Return the segments that stand, in the order of numbers, and the files that do not."""
    known = former.segments if former else {}
    damaged = former.damaged if former else frozenset()
    for attempt in range(_ATTEMPTS):
        found: dict[Path, Segment] = {}
        try:
            for path in find_segments(database.parent, database.name, "vectors", state):
                if path not in damaged:
                    found[path] = known.get(path) or _open(path)
        except FileNotFoundError:
            # A writer took it away between two looks: look again.
            if attempt + 1 == _ATTEMPTS:
                return found, damaged
        except Damaged as fault:
            drop_segment(path, fault)
            damaged |= {path}
        else:
            return found, damaged
    return found, damaged


def _open(path: Path) -> Segment:
    file = Derived(path)
    if "index" not in file:
        return Segment(file, Block(file.rows("numbers"), file.rows("matrix")))
    from askmd.store.approximate import Lists

    return Segment(file, Lists(file))


def _compare(
    connection: sqlite3.Connection, state: State, database: Path, segments: list[Segment]
) -> tuple[Places, list[Mask | None]]:
    """Return the numbers that no segment holds, and each segment's rows that are gone."""
    after = segments[-1].origin.last if segments else 0
    tail = _numbers(connection, after)
    total = count_chunks(connection) if state.chunks is None else state.chunks
    held = sum(one.origin.count for one in segments)
    if held + len(tail) == total and _are_whole(segments, state):
        return tail, [None] * len(segments)
    wanted = _numbers(connection, 0)
    check_chunks(len(wanted), state, database)
    is_missing = np.ones(len(wanted), dtype=np.bool_)
    gone: list[Mask | None] = []
    for one in segments:
        numbers = one.part.numbers
        places, found = find_places(numbers, wanted)
        is_missing[found] = False
        mask = np.ones(len(numbers), dtype=np.bool_)
        mask[places] = False
        gone.append(mask if len(places) < len(numbers) else None)
    return wanted[is_missing], gone


def _are_whole(segments: list[Segment], state: State) -> bool:
    """Return whether the segments lack nothing up to the last one's end but what is gone.

    One that was written later than the state may lack what the state still holds.
    """
    after = 0
    for one in segments:
        if one.origin.after != after or one.origin.generation > state.generation:
            return False
        after = one.origin.last
    return True


def _numbers(connection: sqlite3.Connection, after: int) -> Places:
    """Return the numbers of the chunks behind one, in order."""
    # Not in order: read from the smallest index there is. One long text, for a million rows would
    # each be an object of Python's on the way.
    [(text,)] = connection.execute(
        "SELECT group_concat(number) FROM chunks WHERE number > ?", (after,)
    )
    return np.sort(np.fromstring(text or "", np.int64, sep=","))


def _read_rest(
    connection: sqlite3.Connection,
    state: State,
    database: Path,
    missing: Places,
    former: Block | None,
) -> Block:
    """Return these rows, the former ones where they stand, the others from SQLite."""
    matrix = np.empty((len(missing), state.identity.dim), dtype=np.float32)
    is_new = np.ones(len(missing), dtype=np.bool_)
    if former is not None:
        places, found = find_places(former.numbers, missing)
        if len(found) == len(missing) == len(former.numbers):
            return former
        matrix[found] = former.matrix[places]
        is_new[found] = False
    places = np.flatnonzero(is_new)
    count = 0
    for rows in _read_rows(connection, missing[places].tolist()):
        wanted = places[count : count + len(rows)]
        if [row[0] for row in rows] != missing[wanted].tolist():
            break
        matrix[wanted] = read_matrix(rows, state.identity.dim, database)
        count += len(rows)
    if count != len(places):
        raise IndexCorrupt(
            f"{database} is damaged: {len(places)} chunks have {count} vectors", MEND_STEP
        )
    return Block(missing, matrix)


def _read_rows(connection: sqlite3.Connection, numbers: list[int]) -> Iterator[list[Any]]:
    for start in range(0, len(numbers), _BATCH_ROWS):
        batch = json.dumps(numbers[start : start + _BATCH_ROWS])
        yield connection.execute(_WITH_VECTORS, (batch,)).fetchall()
