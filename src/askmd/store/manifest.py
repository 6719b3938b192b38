"""The manifest: the one small file that says which database is current, and how far it came."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from askmd.errors import IndexCorrupt, IndexFault, NoIndex, step_after
from askmd.store.folder import MANIFEST, find_databases, patiently, replace_file

FORMAT = 1
FIX_STEP = "run `askmd doctor --fix`"
MEND_STEP = f"{FIX_STEP}, then `askmd ingest`"
"""Where single rows are damaged: what is sound stays, and need not be embedded again."""
REBUILD_STEP = "run `askmd ingest --rebuild`"
_DATABASE = re.compile(r"index-[0-9a-f]{16}\.sqlite3")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Which database is current, and how far it had come when it was last acknowledged."""

    database: str
    """The name of a file beside the manifest: ``index-<hex>.sqlite3``."""
    uuid: str
    generation: int
    """The database is never behind this, unless it lost what it had acknowledged."""


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest; raises NoIndex if there is none, IndexCorrupt if it makes no sense."""
    path = folder / MANIFEST
    try:
        return _parse(patiently(path.read_bytes))
    except (FileNotFoundError, NotADirectoryError) as error:
        if any(map(_holds_documents, find_databases(folder))):
            # Whoever took it for no index would write a new one over it.
            raise IndexCorrupt(f"{path} is missing", FIX_STEP) from error
        raise NoIndex(f"there is no index in {folder}", "run `askmd ingest FOLDER`") from error
    except OSError as error:
        step = step_after(error, "check its permissions")
        raise IndexFault(f"cannot read {path}: {error.strerror}", step) from error
    except (ValueError, TypeError, LookupError) as error:
        raise IndexCorrupt(f"{path} is damaged", REBUILD_STEP) from error


def _holds_documents(database: Path) -> bool:
    """Return whether there is anything to lose in a database; not where it cannot be read."""
    try:
        uri = f"{database.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            question = "SELECT EXISTS (SELECT 1 FROM documents)"
            return bool(connection.execute(question).fetchone()[0])
    except (sqlite3.Error, UnicodeDecodeError):
        return False


def _parse(text: bytes) -> Manifest:
    """Return what the text says; raises ValueError, TypeError or LookupError on any nonsense."""
    data = json.loads(text)
    manifest = Manifest(data["database"], data["uuid"], data["generation"])
    is_sound = (
        data["format"] == FORMAT
        and _DATABASE.fullmatch(manifest.database) is not None
        and isinstance(manifest.uuid, str)
        and type(manifest.generation) is int
    )
    if not is_sound:
        raise ValueError(data)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest so that it is whole at any moment, and stays after a power cut."""
    data = {
        "format": FORMAT,
        "database": manifest.database,
        "uuid": manifest.uuid,
        "generation": manifest.generation,
    }
    replace_file(folder / MANIFEST, (json.dumps(data) + "\n").encode())
