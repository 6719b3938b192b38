"""The index's folder: what lies in it, who may read it, and what it lies on."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from askmd.errors import IndexCorrupt, IndexFault, NoIndex
from askmd.store.connections import Connection
from askmd.store.database import explained
from askmd.store.examining.looks import Examination, Mend, counted
from askmd.store.folder import (
    HOLDER,
    MANIFEST,
    REBUILD,
    floor_name,
    is_ours,
    sizes,
)
from askmd.store.manifest import FIX_STEP, REBUILD_STEP, Manifest, read_manifest
from askmd.store.opening import _generation
from askmd.store.schema import is_empty, read_state

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WITHOUT_MODES = frozenset(
    {
        "vfat",
        "msdos",
        "exfat",
        "ntfs",
        "ntfs3",
        "fuseblk",
        "9p",
        "drvfs",
        "cifs",
        "smb3",
        "smbfs",
        "vboxsf",
        "virtiofs",
    }
)
"""File systems that often give every file the same permissions, whatever is asked for."""
_NETWORKS = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "fuse.sshfs",
        "fuse.glusterfs",
        "davfs",
    }
)
_MOUNTS = Path("/proc/self/mountinfo")
_SYSTEMS_OWN = frozenset({"Thumbs.db", "desktop.ini"})


def look_at_folder(look: Examination, *, kind: str | None = None, free: int | None = None) -> None:
    """See who may read the files, what file system they are on, and how much room there is.

    kind, free: the file system's name and free bytes, where they are known.
    """
    before = len(look.seen)
    kind = file_system(look.folder) if kind is None else kind
    free = shutil.disk_usage(look.folder).free if free is None else free
    held = sizes(look.folder)
    if sys.platform != "win32" and kind not in _WITHOUT_MODES:
        _look_at_permissions(look)
    if kind in _NETWORKS:
        message = f"{look.folder} is on a network ({kind}), where SQLite's locks may not hold"
        look.add_note("network", message, "keep the index on a local disk with `--index`")
    size = sum(size for _, size in held)
    if free < size:
        message = f"{_megabytes(free)} are free; a rebuild takes {_megabytes(size)}"
        look.add_note("space", message, "make room on the disk")
    if len(look.seen) == before:
        whose = "" if sys.platform == "win32" or kind in _WITHOUT_MODES else " that only you read"
        files = f"{counted(len(held), 'file')} of {_megabytes(size)}{whose}"
        look.add_note("files", f"{files}; {_megabytes(free)} are free")


def _look_at_permissions(look: Examination) -> None:
    entries = [look.folder, *(entry for entry in look.folder.iterdir() if is_ours(entry.name))]
    statuses = []
    for entry in entries:
        with suppress(FileNotFoundError):
            # A link to the folder is as good as the folder; of a link in it the target is not ours.
            status = entry.stat() if entry == look.folder else entry.lstat()
            if not stat.S_ISLNK(status.st_mode):
                statuses.append((entry, status))
    look.too_open = tuple(one for one, status in statuses if status.st_mode & _OTHERS)
    if look.too_open:
        first = look.too_open[0]
        more = f" and {len(look.too_open) - 1} more" if len(look.too_open) > 1 else ""
        message = f"others than you can read {first}{more}, and with it your notes"
        look.add("permissions", message, FIX_STEP, mend=Mend.PERMISSIONS)
    owner = statuses[0][1].st_uid
    others = [entry for entry, status in statuses if status.st_uid != owner]
    if others:
        step = f"run `chown -R {owner} {shlex.quote(str(look.folder))}`"
        look.add_note("owner", f"{others[0]} belongs to another user than its folder", step)
    if os.geteuid() not in (0, owner):
        message = f"{look.folder} belongs to another user"
        look.add_note("owner", message, "give your own index a folder with `--index`")
    elif not os.access(look.folder, os.W_OK):
        message = f"{look.folder} cannot be written: searches work, an ingest does not"
        look.add_note("read_only", message, "make it writable before the next `askmd ingest`")


def file_system(folder: Path, mounts: Path = _MOUNTS) -> str:
    """Return the name of the file system a folder is on; empty where nobody says."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    try:
        here = folder.resolve()
    except (OSError, RuntimeError):
        return ""
    best, kind = -1, ""
    for line in lines:
        mounted, _, behind = line.partition(" - ")
        fields = mounted.split(" ")
        if len(fields) < 5 or not behind:
            continue
        point = Path(_unescaped(fields[4]))
        # Of two mounts on one place the later one is seen.
        if here.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), behind.split(" ")[0]
    return kind


def _unescaped(text: str) -> str:
    for character in " \t\n\\":
        text = text.replace(f"\\{ord(character):03o}", character)
    return text


def find_manifest(look: Examination) -> Manifest | None:
    """Return the manifest, or what it was where it is lost and its database is not; else None.

    Raises NoIndex where there is neither.
    """
    try:
        return read_manifest(look.folder)
    except (NoIndex, IndexCorrupt) as error:
        found = list(_databases(look.folder))
        if isinstance(error, NoIndex) and not found:
            raise
        is_missing = not (look.folder / MANIFEST).exists()
        message = f"{look.folder / MANIFEST} is {'missing' if is_missing else 'damaged'}"
        if len(found) == 1:
            then = "run `askmd ingest`: what the last writes were is not known"
            look.add("manifest", message, FIX_STEP, mend=Mend.MANIFEST, then=then)
            return found[0]
        look.add("manifest", message, REBUILD_STEP)
    except IndexFault as error:
        look.add(error.code, error.message, error.next_step)
    return None


def _databases(folder: Path) -> Iterator[Manifest]:
    """Yield what the manifest would say of each database that holds anything."""
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("index-*.sqlite3")):
        with suppress(IndexFault), explained(path):
            connection = Connection(path)
            try:
                state = read_state(connection.sqlite, path)
                if not is_empty(connection.sqlite):
                    yield Manifest(path.name, state.uuid, state.generation)
            finally:
                connection.close()


def look_for_leftovers(look: Examination) -> None:
    """See which files nothing refers to, unless somebody is writing just now."""
    if process := living_holder(look.folder):
        step = "run `askmd doctor` again when it is done"
        look.add_note("writing", f"process {process} is writing the index", step)
        return
    look.leftovers = tuple(sorted(_leftovers(look)))
    if look.leftovers:
        first = look.leftovers[0].name
        more = f" and {len(look.leftovers) - 1} more" if len(look.leftovers) > 1 else ""
        message = f"{look.folder} holds what a crash left: {first}{more}"
        look.add_note("leftovers", message, FIX_STEP, Mend.LEFTOVERS)
    if rebuilds := sorted(look.folder.glob(f"{REBUILD}*.sqlite3")):
        message = f"a rebuild was broken off: {rebuilds[0]}"
        step = "run `askmd ingest --rebuild` to go on; an ingest removes it after 30 days"
        look.add_note("rebuild", message, step)
    names = [one.name for one in look.folder.iterdir() if not one.name.startswith(".")]
    if foreign := sorted(one for one in names if not is_ours(one) and one not in _SYSTEMS_OWN):
        message = f"{look.folder} holds {foreign[0]!r}, which is not askmd's"
        look.add_note("foreign", message, "keep other files elsewhere")


def _leftovers(look: Examination) -> Iterator[Path]:
    manifest, state = look.manifest, look.state
    # Where it is not sure what is current, nothing is useless.
    if manifest is None or state is None:
        return
    kept = {floor_name(manifest.database), *state.segments}
    for entry in look.folder.iterdir():
        name = entry.name
        is_derived = name.startswith(("vectors-", "words-", "floor-")) and name not in kept
        is_other = name.startswith("index-") and _is_older(entry, manifest)
        is_holder = name == HOLDER and not _is_mine(entry)
        is_stale = is_derived or is_other or is_holder or name.endswith(".tmp")
        if is_ours(name) and is_stale:
            yield entry


def _is_older(path: Path, manifest: Manifest) -> bool:
    """Return whether a file is of a database that is not current and will not become it."""
    name = f"{path.name.partition('.sqlite3')[0]}.sqlite3"
    # One that is ahead was to become current: the next ingest lets it wait as a rebuild.
    is_other = name != manifest.database
    return is_other and _generation(path.with_name(name)) <= manifest.generation


def living_holder(folder: Path) -> int | None:
    """Return the process that holds the write lock, if it lives and is another one."""
    process = _process_in(folder / HOLDER)
    if process <= 0 or process == os.getpid():
        return None
    if sys.platform != "win32":
        try:
            os.kill(process, 0)
        except (ProcessLookupError, OverflowError):
            return None
        except OSError:
            return process
    return process


def _is_mine(holder: Path) -> bool:
    return _process_in(holder) == os.getpid()


def _process_in(holder: Path) -> int:
    """Return the process a file names; 0 where it names none."""
    try:
        return int(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def _megabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
