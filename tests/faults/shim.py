"""Every call that changes an index's files: noted in order, and made to fail where that is asked.

To be installed in a child of the fork server, before it opens anything: it stays for good.
"""

from __future__ import annotations

import base64
import errno
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from faults.sqlite_shim import SQLiteShim, library

NEEDS = "SKIPPED LOUDLY: the I/O shim needs a Python whose sqlite3 is linked to a shared library"


@dataclass(frozen=True, slots=True)
class Operation:
    """A call that was done."""

    kind: str
    """``create mkdir write truncate sync sync_folder rename unlink``; ``mark``: a remark."""
    name: str
    """The file, from the folder on in which the index's own folder is; a remark's words."""
    offset: int = 0
    """Where a write begins; the size after a truncation."""
    data: bytes = b""
    to: str = ""
    """What a file was renamed to."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which call is to fail."""

    errors: Mapping[str, int]
    """By the kind of call the error number; of other kinds none fails, and none is counted."""
    nth: int
    """The first that fails, counted from 1."""
    sticky: bool = False
    """Every later one fails too."""


def is_possible() -> bool:
    """Return whether Python's SQLite can be watched."""
    return os.name == "posix" and library() is not None


class Watch:
    """The calls that concern one folder."""

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        """Watch an index's folder; a plan says what fails in it."""
        self.operations: list[Operation] = []
        self.calls = 0
        """How many there were of the kinds in the plan."""
        self.failed: list[str] = []
        """Those that were made to fail: kind and name."""
        self._above = str(folder.absolute().parent) + os.sep
        self._name = folder.name
        self._plan = plan
        self._is_paused = False

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Neither note nor fail what happens inside."""
        before, self._is_paused = self._is_paused, True
        try:
            yield
        finally:
            self._is_paused = before

    def covers(self, path: Any) -> str | None:
        """Return what a path is called in the operations; None where it is not the index's."""
        if isinstance(path, int):
            return None
        text = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - not resolved, and no Path made
        if text + os.sep == self._above:
            return "."
        if not text.startswith(self._above):
            return None
        name = text[len(self._above) :]
        return name if name.partition(os.sep)[0] == self._name else None

    def fault(self, kind: str, name: str) -> int:
        """Return the error number with which a call is to fail, or 0."""
        plan = self._plan
        if plan is None or self._is_paused or kind not in plan.errors:
            return 0
        self.calls += 1
        fails = self.calls >= plan.nth if plan.sticky else self.calls == plan.nth
        if fails:
            self.failed.append(f"{kind} {name}")
        return plan.errors[kind] if fails else 0

    def raise_fault(self, kind: str, name: str, path: Any = None) -> None:
        """Raise the error with which a call is to fail, if it is to; path: as the system has it."""
        if number := self.fault(kind, name):
            named = () if path is None else (os.fspath(path),)
            raise OSError(number, os.strerror(number), *named)

    def note(self, kind: str, name: str, offset: int = 0, data: bytes = b"", to: str = "") -> None:
        """Remember a call."""
        if not self._is_paused:
            self.operations.append(Operation(kind, name, offset, data, to))


def install(folder: Path, plan: Plan | None = None) -> Watch:
    """Watch a folder from now on, in this process."""
    watch = Watch(folder, plan)
    watch._shims = (SQLiteShim(watch), _PythonShim(watch))  # type: ignore[attr-defined]
    return watch


def save(operations: Iterable[Operation], path: Path) -> None:
    """Keep operations in a file, a line each."""
    with path.open("w", encoding="utf-8") as file:
        for one in operations:
            data = base64.b64encode(one.data).decode()
            file.write(json.dumps([one.kind, one.name, one.offset, data, one.to]) + "\n")


def load(path: Path) -> list[Operation]:
    """Return the operations that a file keeps."""
    with path.open(encoding="utf-8") as file:
        rows = map(json.loads, file)
        return [Operation(*row[:3], base64.b64decode(row[3]), row[4]) for row in rows]


def record_ingest(root: str, log: str) -> None:
    """Ingest a folder into ``index`` beside it, and keep the operations."""
    from faults import world

    index = Path(root).with_name("index")
    watch = install(index)
    world.ingest(root, str(index), batch=64)
    save(watch.operations, Path(log))


class _PythonShim:
    """Stands before what ``pathlib``, ``tempfile`` and the store call."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.files: dict[int, str | None] = {}
        """Open descriptors in the folder; None: the file has no name."""
        self._open, self._close, self._fsync = os.open, os.close, os.fsync
        self._mkdir, self._io_open = os.mkdir, io.open
        os.open, os.close, os.fsync = self.open, self.close, self.fsync
        os.mkdir, io.open = self.mkdir, self.io_open  # type: ignore[assignment]
        for name in ("rename", "replace"):
            setattr(os, name, self._renaming(getattr(os, name)))
        for name in ("unlink", "remove"):
            setattr(os, name, self._unlinking(getattr(os, name)))

    def open(self, path: Any, flags: int, mode: int = 0o777, **others: Any) -> int:
        name = self.watch.covers(path)
        if name is None:
            return self._open(path, flags, mode, **others)
        self.watch.raise_fault("open", name, path)
        existed = os.path.lexists(path)
        descriptor = self._open(path, flags, mode, **others)
        self.note_opened(name, existed=existed, is_emptied=bool(flags & os.O_TRUNC))
        is_nameless = flags & os.O_TMPFILE == os.O_TMPFILE
        self.files[descriptor] = None if is_nameless else name
        return descriptor

    def note_opened(self, name: str, *, existed: bool, is_emptied: bool) -> None:
        if not existed:
            self.watch.note("create", name)
        elif is_emptied:
            self.watch.note("truncate", name)

    def close(self, descriptor: int) -> None:
        self.files.pop(descriptor, None)
        self._close(descriptor)

    def fsync(self, file: Any) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        name = self.files.get(descriptor)
        if name is None:
            self._fsync(descriptor)
            return
        kind = "sync" if os.path.isfile(f"/proc/self/fd/{descriptor}") else "sync_folder"  # noqa: PTH113
        self.watch.raise_fault(kind, name)
        self._fsync(descriptor)
        self.watch.note(kind, name)

    def mkdir(self, path: Any, mode: int = 0o777, **others: Any) -> None:
        name = self.watch.covers(path)
        if name is not None and not os.path.lexists(path):
            self.watch.raise_fault("mkdir", name, path)
        self._mkdir(path, mode, **others)
        if name is not None:
            self.watch.note("mkdir", name)

    def _renaming(self, below: Callable[..., None]) -> Callable[..., None]:
        def rename(source: Any, target: Any, **others: Any) -> None:
            name, to = self.watch.covers(source), self.watch.covers(target)
            if name is None or to is None:
                return below(source, target, **others)
            self.watch.raise_fault("rename", name, source)
            below(source, target, **others)
            return self.watch.note("rename", name, to=to)

        return rename

    def _unlinking(self, below: Callable[..., None]) -> Callable[..., None]:
        def unlink(path: Any, **others: Any) -> None:
            name = self.watch.covers(path)
            if name is not None and os.path.lexists(path):
                self.watch.raise_fault("unlink", name, path)
            below(path, **others)
            if name is not None:
                self.watch.note("unlink", name)

        return unlink

    def io_open(
        self,
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> IO[Any]:
        is_mine = file in self.files if isinstance(file, int) else self.watch.covers(file)
        if not is_mine:
            return self._io_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        raw = _File(self, file, mode.replace("b", "").replace("t", ""), closefd, opener)
        if "b" in mode and buffering == 0:
            return raw  # type: ignore[return-value]
        kind: Any = io.BufferedRandom if "+" in mode else io.BufferedReader
        kind = kind if "+" in mode or "r" in mode else io.BufferedWriter
        # As large as Python's own.
        buffered = kind(raw, os.fstat(raw.fileno()).st_blksize)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


class _File(io.FileIO):
    """An open file of the folder."""

    def __init__(self, shim: _PythonShim, file: Any, mode: str, closefd: bool, opener: Any) -> None:
        self._shim = shim
        self._watched = True
        if isinstance(file, int) or opener:
            super().__init__(file, mode, closefd, opener)
        else:
            name = shim.watch.covers(file) or ""
            shim.watch.raise_fault("open", name, file)
            existed = os.path.lexists(file)
            super().__init__(file, mode)
            shim.note_opened(name, existed=existed, is_emptied="w" in mode)
            shim.files[self.fileno()] = name
        self._known = shim.files.get(self.fileno())

    def write(self, data: Any) -> int:
        watch, place = self._shim.watch, self.tell()
        part = bytes(data)
        number = watch.fault("write", self._known or "")
        if number:
            part = part[: len(part) // 2]
        written = super().write(part)
        if self._known is not None:
            watch.note("write", self._known, place, part[:written])
        if number:
            raise OSError(number, os.strerror(number))
        return written

    def readinto(self, buffer: Any) -> int | None:
        self._shim.watch.raise_fault("read", self._known or "")
        return super().readinto(buffer)

    def readall(self) -> bytes:
        self._shim.watch.raise_fault("read", self._known or "")
        return super().readall()

    def close(self) -> None:
        if not self.closed:
            self._shim.files.pop(self.fileno(), None)
        super().close()


FULL = {
    "open": errno.EMFILE,
    "mkdir": errno.ENOSPC,
    "write": errno.ENOSPC,
    "truncate": errno.EIO,
    "sync": errno.EIO,
    "sync_folder": errno.EIO,
    "rename": errno.EDQUOT,
    "unlink": errno.EIO,
}
"""What may happen to a writer."""
