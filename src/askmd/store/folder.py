"""The index's folder and the files in it: their names, how they are replaced and swept."""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from askmd.errors import IndexFault

MANIFEST = "manifest.json"
GITIGNORE = ".gitignore"
LOCK = "write.lock"
HOLDER = "write.pid"
REBUILD = "rebuild-"
_HEX = "[0-9a-f]{16}"
_OURS = re.compile(
    rf"manifest\.json|\.gitignore|write\.(lock|pid)|.*\.{_HEX}\.tmp"
    rf"|(index|rebuild)-{_HEX}\.sqlite3(-wal|-shm|-journal)?|(vectors|words)-{_HEX}-{_HEX}\.segment"
    rf"|vectors-{_HEX}\.faiss|floor-{_HEX}\.json"
)
_SYSTEMS_OWN = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_COMPANIONS = ("", "-wal", "-shm", "-journal")
"""What SQLite puts beside a database, and the database itself."""
_OTHERS = 0o077
_LEAST_BYTES = 65_536
_ATTEMPTS = 20
_PAUSE_SECONDS = 0.05
Result = TypeVar("Result")


def is_ours(name: str) -> bool:
    """Return whether a name is one that only an index gives a file, in its own folder."""
    return _OURS.fullmatch(name) is not None


def make_folder(folder: Path) -> None:
    """Make the index's folder, if it is not there, and keep all in it to its owner.

    Raises IndexFault if the folder is somebody else's: it holds files that are no index's.
    """
    if not (folder / MANIFEST).exists():
        _refuse_foreign(folder)
        _make_durable(folder)
        with suppress(PermissionError):
            folder.chmod(0o700)
    # Whoever copies an index, or unpacks one, has it as open as everything else.
    for path in (folder, *(entry for entry in folder.iterdir() if is_ours(entry.name))):
        _keep_private(path)


def _make_durable(folder: Path) -> None:
    """Make a folder that is there after a power cut too."""
    made = [one for one in folder.parents if not one.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in (folder, *made):
        # Who may not read the folder above cannot sync it.
        with suppress(PermissionError):
            sync_folder(one.parent)


def _keep_private(path: Path) -> None:
    """Take from a file or folder what others may do with it, as far as the system lets us."""
    with suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_IMODE(mode) & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)


def hide_from_git(folder: Path) -> None:
    """Keep the index out of repositories: whoever has it can read the notes. Under the lock."""
    if not (folder / GITIGNORE).exists():
        # An empty one, left by a power cut, would hide nothing, and never be mended.
        replace_file(folder / GITIGNORE, b"*\n")


def _refuse_foreign(folder: Path) -> None:
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if not _OURS.fullmatch(entry.name) and entry.name not in _SYSTEMS_OWN:
            raise IndexFault(
                f"{folder} is no index: it holds {entry.name!r}",
                "name a new or an empty folder with `--index`",
            )


def new_name(kind: str) -> str:
    """Return an unused name for a database file; kind is ``index`` or ``rebuild``."""
    return f"{kind}-{secrets.token_hex(8)}.sqlite3"


def published_name(database: str) -> str:
    """Return what a rebuilt database is called once it is current."""
    return database.replace(REBUILD, "index-")


def unpublished_name(database: str) -> str:
    """Return what a rebuilt database was called before: see ``published_name``."""
    return database.replace("index-", REBUILD)


def segment_prefix(kind: str, database: str) -> str:
    """Return how the names of the segments begin that are derived from a database."""
    return published_name(database).replace("index-", f"{kind}-").replace(".sqlite3", "-")


def segment_pattern(kind: str, database: str) -> str:
    """Return what the segments' names match."""
    return f"{segment_prefix(kind, database)}*.segment"


def floor_name(database: str) -> str:
    """Return the name of the file with what was measured of a database."""
    return published_name(database).replace("index-", "floor-").replace(".sqlite3", ".json")


def create_file(path: Path) -> None:
    """Make an empty file that only its owner may read; SQLite gives its companions the same mode.

    Never called for a database that is open: closing any descriptor of it drops SQLite's locks.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if sys.platform != "win32":
            # A umask may have taken even the owner's rights; some disks know none.
            with suppress(OSError):
                os.fchmod(handle, 0o600)
    finally:
        os.close(handle)


def replace_file(path: Path, *parts: bytes | memoryview, is_durable: bool = True) -> None:
    """Put a file of mode 0600 in a path's place: at any moment the old one or all of the new.

    is_durable: also after a power cut; that costs two waits for the disk.
    """
    with drafted(path, is_durable=is_durable) as file:
        file.writelines(parts)


@contextmanager
def drafted(path: Path, *, is_durable: bool = True) -> Iterator[IO[bytes]]:
    """Write inside what then stands in the path's place; see ``replace_file``."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        create_file(draft)
        with draft.open("wb") as file:
            yield file
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        patiently(lambda: draft.replace(path))
    except BaseException:
        # Never in the place of why it failed.
        _remove(draft)
        raise
    if is_durable:
        sync_folder(path.parent)


def patiently(act: Callable[[], Result]) -> Result:
    """Call again while Windows refuses because another process has the file open just now."""
    for _ in range(_ATTEMPTS if sys.platform == "win32" else 0):
        try:
            return act()
        except PermissionError:
            time.sleep(_PAUSE_SECONDS)
    return act()


def sync_folder(folder: Path) -> None:
    """Make a rename in a folder survive a power failure, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_full(folder: Path) -> bool:
    """Return whether a folder's disk has no room, or no inodes, for a database and its files."""
    if sys.platform != "win32":
        with suppress(OSError):
            status = os.statvfs(folder)
            # Where inodes have no limit, the file system says there are none at all.
            few = status.f_files > 0 and status.f_favail < len(_COMPANIONS)
            return few or status.f_bavail * status.f_frsize < _LEAST_BYTES
    return False


def remove_database(path: Path) -> None:
    """Remove a database and its companions, as far as the system lets us."""
    for companion in _COMPANIONS:
        _remove(path.with_name(path.name + companion))


def sweep_leftovers(folder: Path, database: str) -> None:
    """Remove what crashes and rebuilds left: all but the current database's files and a rebuild.

    Only under the write lock. A file that another process has open stays on Windows; the next
    sweep gets it.
    """
    kept = {database + companion for companion in _COMPANIONS}
    kept.add(floor_name(database))
    current = tuple(segment_prefix(kind, database) for kind in ("vectors", "words"))
    for entry in list(folder.iterdir()):
        is_derived = entry.name.startswith(("index-", "vectors-", "words-", "floor-"))
        is_leftover = is_derived or entry.name.endswith(".tmp") or _is_widowed(entry)
        is_kept = entry.name in kept or (
            entry.name.startswith(current) and entry.suffix == ".segment"
        )
        if is_leftover and _OURS.fullmatch(entry.name) and not is_kept:
            _remove(entry)


def _is_widowed(path: Path) -> bool:
    """Return whether a file belongs to a rebuild whose database is gone."""
    database, suffix, companion = path.name.partition(".sqlite3")
    is_companion = path.name.startswith(REBUILD) and companion != ""
    return is_companion and not path.with_name(database + suffix).exists()


def remove(paths: Iterable[Path]) -> None:
    """Remove files, as far as the system lets us."""
    for path in paths:
        _remove(path)


def find_rebuilds(folder: Path) -> list[Path]:
    """Return the databases of rebuilds that were not finished."""
    return sorted(folder.glob(f"{REBUILD}*.sqlite3"))


def find_databases(folder: Path) -> list[Path]:
    """Return the databases that are or were current, or were to become it."""
    return sorted(folder.glob("index-*.sqlite3"))


def sizes(folder: Path) -> list[tuple[Path, int]]:
    """Return every file of the index with its size in bytes."""
    found = []
    for entry in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):
            if _OURS.fullmatch(entry.name) and entry.is_file():
                found.append((entry, entry.stat().st_size))
    return found


def relative_root(folder: Path, root: Path) -> str:
    """Return how the documents' root is stored: relative to the index if one drive holds both."""
    try:
        return Path(os.path.relpath(root.resolve(), folder.resolve())).as_posix()
    except ValueError:
        return root.resolve().as_posix()


def absolute_root(folder: Path, stored: str) -> Path:
    """Return the documents' root, seen from where the index is now."""
    return (folder.resolve() / stored).resolve()


def is_same_folder(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one folder, present or not."""
    if one == other:
        return True
    with suppress(OSError):
        return one.samefile(other)
    return os.path.normcase(one) == os.path.normcase(other)


def _remove(path: Path) -> None:
    # Not there, in use, or on a disk that cannot be written.
    with suppress(OSError):
        path.unlink()
