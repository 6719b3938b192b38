"""Derived files in segments, each about a range of chunk numbers: what is written, what is read.

Numbers only grow and a number's chunk never changes, so a file, once written, stands: what is new
goes into a further one. As in a log-structured merge tree (O'Neil and others, 1996) a new segment
takes up those before it that are no larger, so that there are few, and each chunk is written
anew a few times in all. Which files are current stands in the database, in one commit.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from askmd.store.derived import Damaged, Derived, Origin, read_origin
from askmd.store.folder import is_ours, remove, segment_pattern, segment_prefix
from askmd.store.schema import State

logger = logging.getLogger("askmd")
TAIL = 64
"""So many chunks behind the last segment are looked up in the database by each reader."""
GONE_SHARE = 10
"""Once one chunk in so many is gone from the segments, all are written anew."""
GROWTH = 2
"""A new segment takes up a former one that has at most so many times as many chunks."""

Build = Callable[[Path, Origin], None]
"""Writes the segment of a range of chunk numbers."""


def find_segments(folder: Path, database: str, kind: str, state: State) -> list[Path]:
    """Return the files to read, in the order of chunk numbers: those that the database names.

    A copy of an index brings files of another history under the same numbers: only the database
    knows which are its own. What is missing or damaged is no loss, for it is derived.
    """
    found: list[Path] = []
    for path in _named(folder, database, kind, state):
        try:
            origin = read_origin(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            # Too many open files, say: no reason to take away what others read.
            logger.warning("%s cannot be read now, and is done without: %s", path, error)
            continue
        except Damaged as error:
            set_aside(path, error)
            continue
        if (origin.uuid, origin.numbering) == (state.uuid, state.numbering):
            found.append(path)
    return found


def _named(folder: Path, database: str, kind: str, state: State) -> Iterator[Path]:
    prefix = segment_prefix(kind, database)
    # Nothing else may be opened, whatever a damaged database says.
    names = (one for one in state.segments if one.startswith(prefix) and is_ours(one))
    return (folder / name for name in names)


def set_aside(path: Path, fault: Exception) -> None:
    """Say that a file is not used, and take it away: an ingest makes what is not there."""
    remove([path])
    by = "`askmd ingest --verify`" if path.exists() else "the next ingest"
    logger.warning("%s is set aside and made anew by %s: %s", path, by, fault)


def count_held(folder: Path, database: str, kind: str, state: State) -> int:
    """Return how many chunks were in the files to read when they were written."""
    paths = find_segments(folder, database, kind, state)
    return sum(read_origin(path).count for path in paths)


def bring_up_to_date(
    connection: sqlite3.Connection,
    state: State,
    database: Path,
    kind: str,
    build: Build,
    *,
    is_thorough: bool = False,
) -> list[str]:
    """Write the segment that is wanting now, if any; return the names of those to be read.

    is_thorough: check all of the files that stand, not their ends alone.
    """
    held = _standing(database, kind, state, is_thorough=is_thorough)
    after = _wanting(connection, [origin for _, origin in held])
    names = [path.name for path, origin in held if after is None or origin.last <= after]
    [(last, count)] = connection.execute(
        "SELECT coalesce(max(number), 0), count(*) FROM chunks WHERE number > ?", (after or 0,)
    )
    if after is None or not count:
        return names
    name = f"{segment_prefix(kind, database.name)}{secrets.token_hex(8)}.segment"
    dim, generation = state.identity.dim, state.generation
    origin = Origin(state.uuid, state.numbering, dim, after, last, count, generation)
    build(database.parent / name, origin)
    return [*names, name]


def _standing(
    database: Path, kind: str, state: State, *, is_thorough: bool
) -> list[tuple[Path, Origin]]:
    """Return the files that follow on each other from the first chunk on, and their origins."""
    standing: list[tuple[Path, Origin]] = []
    covered = 0
    for path in find_segments(database.parent, database.name, kind, state):
        origin = read_origin(path)
        if origin.after != covered or (is_thorough and not _is_sound(path)):
            break
        standing.append((path, origin))
        covered = origin.last
    return standing


def _is_sound(path: Path) -> bool:
    try:
        Derived(path).check()
    except Damaged as fault:
        set_aside(path, fault)
        return False
    return True


def _wanting(connection: sqlite3.Connection, held: Sequence[Origin]) -> int | None:
    """Return the number after which a new segment is to begin; None where the old ones will do."""
    after = held[-1].last if held else 0
    [(total,)] = connection.execute("SELECT count(*) FROM chunks")
    [(tail,)] = connection.execute("SELECT count(*) FROM chunks WHERE number > ?", (after,))
    count = sum(one.count for one in held)
    gone = count + tail - total
    if gone * GONE_SHARE > count:
        return 0
    if tail <= TAIL and (held or not tail):
        return None
    for one in reversed(held):
        if one.count > GROWTH * tail:
            break
        tail += one.count
        after = one.after
    return after


def sweep(folder: Path, database: str, kind: str, names: Collection[str]) -> None:
    """Remove the files of a kind but for these. Under the write lock."""
    found = folder.glob(segment_pattern(kind, database))
    remove(path for path in found if path.name not in names)
