"""Files and folders below a root, opened step by step: no link on the way is ever followed.

A path that was looked at may lead elsewhere by the time it is opened. Where the system opens by
the folder that is open already, it cannot; elsewhere the path is resolved just before.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
# A pipe without a writer must not be waited for.
_FILE = os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_GOES_BY_STEPS = bool(_NO_LINK) and {os.open, os.stat} <= os.supports_dir_fd
_LINK_ERRNOS = {errno.ELOOP, errno.EMLINK}
Folder = int | Path
"""What ``os.scandir`` takes: a folder that is open, or its path."""


class LedAway(OSError):
    """A link stands where a file or a folder of the root stood, or should."""


@contextmanager
def open_folder(root: Path, path: Path) -> Iterator[Folder]:
    """Lend the folder at a path relative to a root; raises OSError, LedAway for a link."""
    if not _GOES_BY_STEPS:
        _refuse_links(root, path)
        yield root / path
        return
    handle = os.open(root, _FOLDER)
    try:
        for step in path.parts:
            inner = _open(step, _FOLDER | _NO_LINK, handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def open_file(location: Path, root: Path | None = None) -> int:
    """Return a file's descriptor, whatever kind of file it is; raises OSError, LedAway for a link.

    root: no link between it and the file is followed either.
    """
    if root is None:
        return _open(location, _FILE, None)
    with open_folder(root, location.parent.relative_to(root)) as folder:
        if isinstance(folder, int):
            return _open(location.name, _FILE, folder)
        _refuse_links(root, location.relative_to(root))
        return _open(location, _FILE, None)


def look_at(folder: Folder, name: str) -> os.stat_result:
    """Return the state of what stands in a folder that was lent, be it a link; "." is itself."""
    if isinstance(folder, int):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return (folder / name).lstat()


def _open(path: str | Path, flags: int, folder: int | None) -> int:
    try:
        return os.open(path, flags, dir_fd=folder)
    except OSError as error:
        if error.errno in _LINK_ERRNOS or (error.errno == errno.ENOTDIR and _is_link(path, folder)):
            raise LedAway(error.errno, "it is a link, or stands behind one") from error
        raise


def _is_link(path: str | Path, folder: int | None) -> bool:
    """Whether a link is why something is no folder."""
    try:
        status = os.stat(path, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISLNK(status.st_mode)


def _refuse_links(root: Path, path: Path) -> None:
    if Path(os.path.realpath(root / path)) != Path(os.path.realpath(root)) / path:
        raise LedAway(errno.ELOOP, "it is a link, or stands behind one")
