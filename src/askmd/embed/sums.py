"""The sha256 of large files, remembered between runs, so that a start does not read them."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from askmd.errors import EmbeddingError

SumOf = Callable[[Path], str]
"""Returns the hex sha256 of a file; raises EmbeddingError where it cannot be read."""

MAX_SUMS = 256
"""How many files are remembered; those that came first are forgotten when there are more."""
SETTLED_NS = 2_000_000_000
"""A file younger than this may change again without a trace in its time."""

_Stamp = tuple[int, int, int, int]


class Sums:
    """Sums of files, kept in one JSON file; a damaged or unwritable one costs time, no more.

    A sum counts for as long as its file has the same path, size, mtime, ctime and inode: an mtime
    can be set back by whoever changes a file, a ctime cannot.
    """

    def __init__(self, file: Path | None = None) -> None:
        """Take the file to remember sums in, which need not exist; None remembers in memory."""
        self._file = file
        self._known: dict[str, tuple[_Stamp, str]] | None = None

    def __call__(self, file: Path) -> str:
        """Return the hex sha256 of a file; raises EmbeddingError where it cannot be read."""
        try:
            stamp = _stamp(file)
            known = self._remembered()
            if str(file) in known and known[str(file)][0] == stamp:
                return known[str(file)][1]
            with file.open("rb") as opened:
                found = hashlib.file_digest(opened, "sha256").hexdigest()
            if _stamp(file) == stamp:
                self._keep(file, stamp, found)
        except OSError as error:
            raise EmbeddingError(
                f"{file} cannot be read: {error.strerror}", "fetch it again"
            ) from error
        return found

    def _remembered(self) -> dict[str, tuple[_Stamp, str]]:
        if self._known is None:
            self._known = _read(self._file)
        return self._known

    def _keep(self, file: Path, stamp: _Stamp, found: str) -> None:
        if time.time_ns() - stamp[1] < SETTLED_NS:
            return
        # Read again: another process may have written meanwhile.
        known = self._known = _read(self._file) | self._remembered()
        known.pop(str(file), None)
        known[str(file)] = (stamp, found)
        for path in list(known)[:-MAX_SUMS]:
            del known[path]
        if self._file is not None:
            with suppress(OSError):
                _write(self._file, known)


def _stamp(file: Path) -> _Stamp:
    status = file.stat()
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _read(file: Path | None) -> dict[str, tuple[_Stamp, str]]:
    """Return what a file remembers; nothing of what makes no sense."""
    try:
        found = json.loads(file.read_text(encoding="utf-8")) if file else {}
        return {
            str(path): ((int(size), int(mtime), int(ctime), int(inode)), _checked(digest))
            for path, (size, mtime, ctime, inode, digest) in found.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _checked(digest: object) -> str:
    if not isinstance(digest, str) or len(digest) != 64:
        raise ValueError("no sha256")
    return digest


def _write(file: Path, known: dict[str, tuple[_Stamp, str]]) -> None:
    """Replace the file as a whole; raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix="sums-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            json.dump({path: [*stamp, digest] for path, (stamp, digest) in known.items()}, opened)
        Path(temporary).replace(file)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
