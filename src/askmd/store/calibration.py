"""What was measured of an index, kept beside it: derived, and thrown away once it has changed."""

from __future__ import annotations

import json
import logging
import sqlite3
from pathlib import Path

from askmd.store.folder import floor_name, replace_file
from askmd.store.rows import checksum_of
from askmd.store.schema import State

logger = logging.getLogger("askmd")
STALE_SHARE = 4
"""Once one chunk of four came or went, what was measured is of another index."""


def read(folder: Path, connection: sqlite3.Connection, state: State, database: Path) -> str | None:
    """Return what was kept, if it is of this index and that is nearly the same."""
    try:
        kept = json.loads((folder / floor_name(database.name)).read_bytes())
        told = kept.pop("checksum")
        is_ours = (kept["uuid"], kept["numbering"]) == (state.uuid, state.numbering)
        is_ours = is_ours and told == checksum_of(sorted(kept.items())).hex()
        then, last, text = int(kept["chunks"]), int(kept["last_number"]), str(kept["text"])
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        # Missing or damaged is no loss: it is measured again.
        return None
    total, added = _size(connection, last)
    gone = then - (total - added)
    return text if is_ours and (added + gone) * STALE_SHARE <= then else None


def write(
    folder: Path, connection: sqlite3.Connection, state: State, database: Path, text: str
) -> None:
    """Keep a text beside the index as the connection sees it, unless the folder is read-only."""
    [(last,)] = connection.execute("SELECT coalesce(max(number), 0) FROM chunks")
    total, _ = _size(connection, last)
    kept: dict[str, object] = {
        "uuid": state.uuid,
        "numbering": state.numbering,
        "chunks": total,
        "last_number": last,
        "text": text,
    }
    kept["checksum"] = checksum_of(sorted(kept.items())).hex()
    file = folder / floor_name(database.name)
    try:
        replace_file(file, json.dumps(kept).encode(), is_durable=False)
    except OSError as error:
        logger.debug("%s cannot be written, and is measured again next time: %s", file, error)


def _size(connection: sqlite3.Connection, last: int) -> tuple[int, int]:
    """Return how many chunks there are, and how many came after a number."""
    total, added = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE number > ?) FROM chunks", (last,)
    ).fetchone()
    return int(total), int(added)
