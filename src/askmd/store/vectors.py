"""The FAISS file as bytes: a header that says what it is, then a payload under a checksum.

Free of numpy and FAISS, so that looking at the header costs nothing.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

from askmd.store.folder import patiently, replace_file

FORMAT = 1
STALE_SHARE = 50
"""A file is written anew once more than one chunk in so many has come or gone since."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a FAISS file was derived from."""

    uuid: str
    numbering: str
    """Chunk numbers mean the same only within one numbering; see ``schema.State``."""
    dim: int
    count: int
    last_number: int
    """The largest chunk number in the file."""


@dataclass(frozen=True, slots=True)
class VectorFile:
    """A file whose payload is what was written."""

    header: Header
    payload: memoryview


def write_vector_file(path: Path, header: Header, payload: memoryview) -> None:
    """Replace the file as a whole."""
    digest = blake2b(payload).hexdigest()
    line = json.dumps({"format": FORMAT, **asdict(header), "blake2b": digest}) + "\n"
    replace_file(path, line.encode(), payload)


def read_vector_file(path: Path) -> VectorFile:
    """Return the file's content; raises ValueError if it is not exactly what was written.

    FAISS itself loads flipped bits without a word, so nothing reaches it unchecked.
    """
    content = patiently(path.read_bytes)
    end = content.find(b"\n", 0, 4096) + 1
    try:
        fields = json.loads(content[:end])
        kind, digest = fields.pop("format"), fields.pop("blake2b")
        header = Header(**fields)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError("its header is damaged") from error
    payload = memoryview(content)[end:]
    if kind != FORMAT or blake2b(payload).hexdigest() != digest:
        raise ValueError("its content does not match its checksum")
    return VectorFile(header, payload)


def has_drifted(connection: sqlite3.Connection, header: Header) -> bool:
    """Return whether so many chunks came or went that the file should be written anew.

    A reader brings an older file up to date by itself, so one edit does not cost a whole file.
    Numbers are never given twice: those above the file's last one are new, the rest tells what
    is gone.
    """
    total, added = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE number > ?) FROM chunks", (header.last_number,)
    ).fetchone()
    gone = header.count - (total - added)
    return bool((added + gone) * STALE_SHARE > total)
