"""Derived files in segments, each about a range of chunk numbers: what is written, what is read.

Numbers only grow and a number's chunk never changes, so a file, once written, stands: what is new
goes into a further one. As in a log-structured merge tree (O'Neil and others, 1996) a new segment
takes up those before it that are no larger, so that there are few, and each chunk is written
anew a few times in all.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from askmd.store.derived import Damaged, Origin, read_origin
from askmd.store.folder import remove, segment_pattern, segment_prefix
from askmd.store.schema import State

logger = logging.getLogger("askmd")
KINDS = ("vectors", "words")
TAIL = 64
"""So many chunks behind the last segment are looked up in the database by each reader."""
GONE_SHARE = 10
"""Once one chunk in so many is gone from the segments, all are written anew."""
GROWTH = 2
"""A new segment takes up a former one that has at most so many times as many chunks."""

Build = Callable[[Path, Origin], None]
"""Writes the segment of a range of chunk numbers."""


def find_segments(folder: Path, database: str, kind: str, state: State) -> list[Path]:
    """Return the files to read, in the order of chunk numbers: each follows on the one before.

    What is missing, damaged or another index's is no loss: it is derived.
    """
    found: list[tuple[Origin, Path]] = []
    for path in folder.glob(segment_pattern(kind, database)):
        try:
            origin = read_origin(path)
        except FileNotFoundError:
            continue
        except (OSError, Damaged) as error:
            logger.warning("%s is set aside and made anew by the next ingest: %s", path, error)
            continue
        if (origin.uuid, origin.numbering) == (state.uuid, state.numbering):
            found.append((origin, path))
    return [found[place][1] for place in _covering([origin for origin, _ in found])]


def count_held(folder: Path, database: str, kind: str, state: State) -> int:
    """Return how many chunks were in the files to read when they were written."""
    paths = find_segments(folder, database, kind, state)
    return sum(read_origin(path).count for path in paths)


def _covering(origins: Sequence[Origin]) -> list[int]:
    """Return the places of those that follow on each other from the first number on.

    Where two begin alike the longer one is taken, or of equals the one that has more left out.
    """
    chosen: list[int] = []
    covered = 0
    while True:
        fitting = [place for place, one in enumerate(origins) if one.after == covered < one.last]
        if not fitting:
            return chosen
        best = max(fitting, key=lambda place: (origins[place].last, -origins[place].count))
        chosen.append(best)
        covered = origins[best].last


def bring_up_to_date(
    connection: sqlite3.Connection, state: State, database: Path, kind: str, build: Build
) -> None:
    """Write the segment that is wanting now, if any, and remove the files it takes the place of."""
    folder = database.parent
    held = [read_origin(path) for path in find_segments(folder, database.name, kind, state)]
    after = _wanting(connection, held)
    if after is not None:
        [(last, count)] = connection.execute(
            "SELECT coalesce(max(number), 0), count(*) FROM chunks WHERE number > ?", (after,)
        )
        path = folder / f"{segment_prefix(kind, database.name)}{secrets.token_hex(8)}.segment"
        dim, generation = state.identity.dim, state.generation
        build(path, Origin(state.uuid, state.numbering, dim, after, last, count, generation))
    sweep(folder, database.name, kind, state)


def _wanting(connection: sqlite3.Connection, held: Sequence[Origin]) -> int | None:
    """Return the number after which a new segment is to begin; None where the old ones will do."""
    after = held[-1].last if held else 0
    [(total,)] = connection.execute("SELECT count(*) FROM chunks")
    [(tail,)] = connection.execute("SELECT count(*) FROM chunks WHERE number > ?", (after,))
    count = sum(one.count for one in held)
    gone = count + tail - total
    if gone * GONE_SHARE > count:
        return 0 if total else None
    if tail <= TAIL and (held or not tail):
        return None
    for one in reversed(held):
        if one.count > GROWTH * tail:
            break
        tail += one.count
        after = one.after
    return after


def sweep(folder: Path, database: str, kind: str, state: State) -> None:
    """Remove the files of a kind that are not read any more. Under the write lock."""
    kept = set(find_segments(folder, database, kind, state))
    remove(path for path in folder.glob(segment_pattern(kind, database)) if path not in kept)
