"""One file's bytes, text and stamp, and reasons why they cannot be had."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from askmd.files.below import open_file
from askmd.files.decoding import UnreadableFile, decode
from askmd.types import Stamp

YOUNG_NANOSECONDS = 2_000_000_000
"""A file changed this recently may change again within one tick of its clock."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's content."""

    text: str
    """Decoded, its byte order mark cut, every newline a ``\\n``; no NUL, no half a pair: U+FFFD."""
    digest: str
    """Hex blake2b of the bytes."""
    stamp: Stamp
    """Taken when it was opened; zeroed where the file is too young to be trusted later."""


def read(location: Path, *, max_bytes: int, encoding: str = "", root: Path | None = None) -> Source:
    """Return a file's text, digest and stamp.

    encoding: how to read what is neither marked nor UTF-8; empty: it is refused.
    root: the folder it must be read from; a link on the way below it is not followed.
    Raises UnreadableFile with the reason, FileNotFoundError if it has vanished.
    """
    try:
        data, stamp = read_bytes(location, max_bytes, root)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFile(reason_of(error)) from error
    text, used = decode(data, encoding)
    # The same bytes read in another way are another content.
    digest = blake2b(data, digest_size=20, person=used.encode("utf-8")[:16]).hexdigest()
    return Source(text.replace("\r\n", "\n").replace("\r", "\n"), digest, stamp)


def read_bytes(location: Path, max_bytes: int, root: Path | None = None) -> tuple[bytes, Stamp]:
    """Return a regular file's bytes and stamp, never following a link nor waiting on a pipe."""
    handle = open_file(location, root)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise UnreadableFile("it is not a regular file")
    with os.fdopen(handle, "rb") as file:
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise UnreadableFile(
            f"it is larger than {max_bytes / 1e6:g} MB; raise documents.max_megabytes to index it"
        )
    # A program may set the time of change back; when it did so is not for it to set.
    newest = max(status.st_mtime_ns, status.st_ctime_ns)
    is_young = time.time_ns() - newest < YOUNG_NANOSECONDS
    return data, Stamp(0, 0, 0, 0) if is_young else stamp_of(status)


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the hint that a file has not changed."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def reason_of(error: OSError) -> str:
    """Return an operating system's error without its number and path."""
    return (error.strerror or str(error)).lower()
