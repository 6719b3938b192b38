"""What SQLite does to files, seen and made to fail: a VFS of our own before the system's.

It is registered through ctypes with the library that Python's own ``sqlite3`` has loaded, so it
holds for every connection that is opened afterwards. The memory that processes share (-shm) stays
the system's: nothing in it outlives a crash.
"""

from __future__ import annotations

import ctypes
import errno
import sqlite3
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, Protocol

_OK = sqlite3.SQLITE_OK
_NEW_NEEDS_FOLDER = 0x00000800 | 0x00004000 | 0x00080000
"""Journals and logs: SQLite syncs the folder with the first sync of one that it made."""
_OPEN = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_DELETE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_CLOSE = ctypes.CFUNCTYPE(c_int, c_void_p)
_MOVE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = ctypes.CFUNCTYPE(c_int, c_void_p, c_int)


class Seen(Protocol):
    """Who is told, and says what is to fail: ``shim.Watch``."""

    def covers(self, path: str | bytes) -> str | None: ...
    def fault(self, kind: str, name: str) -> int: ...
    def note(self, kind: str, name: str, offset: int = 0, data: bytes = b"") -> None: ...


class _Vfs(ctypes.Structure):
    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
        *((f"other_{number}", c_void_p) for number in range(14)),
    )


class _Methods(ctypes.Structure):
    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        *((f"other_{number}", c_void_p) for number in range(13)),
    )


def library() -> ctypes.CDLL | None:
    """Return the library that ``sqlite3`` uses; None where it is not one of its own."""
    import _sqlite3

    try:
        linked = ctypes.CDLL(_sqlite3.__file__)
        linked.sqlite3_libversion.restype = c_char_p
        # A symbol of the module itself, or of the library it was linked to.
        is_same = linked.sqlite3_libversion().decode() == sqlite3.sqlite_version
    except (AttributeError, OSError):
        return None
    return linked if is_same else None


class SQLiteShim:
    """A VFS that is the default one as long as the process lives."""

    def __init__(self, seen: Seen) -> None:
        """Stand before the system's own; raises RuntimeError where that cannot be."""
        found = library()
        if found is None:
            raise RuntimeError("Python's sqlite3 has its library built in")
        found.sqlite3_vfs_find.restype = c_void_p
        self._seen = seen
        self._below: int = found.sqlite3_vfs_find(None)
        self._vfs = _Vfs.from_buffer_copy(ctypes.string_at(self._below, ctypes.sizeof(_Vfs)))
        self._kept: list[Any] = []
        self._methods: dict[int, _Methods] = {}
        self._names: dict[int, str] = {}
        self._new: set[int] = set()
        """Files whose folder is synced with them."""
        self._open_below = _OPEN(self._vfs.open)
        self._delete_below = _DELETE(self._vfs.delete)
        self._vfs.name = b"watched"
        self._vfs.open = self._callback(_OPEN, self._open)
        self._vfs.delete = self._callback(_DELETE, self._delete)
        if found.sqlite3_vfs_register(ctypes.byref(self._vfs), 1) != _OK:
            raise RuntimeError("SQLite takes no other VFS")

    def _callback(self, kind: Any, function: Callable[..., int]) -> int | None:
        made = kind(function)
        # SQLite keeps the address alone.
        self._kept.append(made)
        return ctypes.cast(made, c_void_p).value

    def _open(self, _vfs: int, name: int | None, file: int, flags: int, out: Any) -> int:
        path = ctypes.string_at(name) if name else b""
        watched = self._seen.covers(path) if path else None
        if watched is None:
            return self._open_below(self._below, name, file, flags, out)
        if self._seen.fault("open", watched):
            c_void_p.from_address(file).value = None
            return sqlite3.SQLITE_CANTOPEN
        existed = Path(path.decode()).exists()
        result = self._open_below(self._below, name, file, flags, out)
        methods = c_void_p.from_address(file)
        if result == _OK and methods.value:
            self._names[file] = watched
            methods.value = ctypes.addressof(self._wrapped(methods.value))
            if not existed:
                self._seen.note("create", watched)
                if flags & _NEW_NEEDS_FOLDER:
                    self._new.add(file)
        return result

    def _delete(self, _vfs: int, name: int, sync_folder: int) -> int:
        path = ctypes.string_at(name)
        watched = self._seen.covers(path)
        if watched is None or not Path(path.decode()).exists():
            return self._delete_below(self._below, name, sync_folder)
        if self._seen.fault("unlink", watched):
            return sqlite3.SQLITE_IOERR_DELETE
        result = self._delete_below(self._below, name, sync_folder)
        if result == _OK:
            self._seen.note("unlink", watched)
            if sync_folder:
                self._seen.note("sync_folder", str(Path(watched).parent))
        return result

    def _wrapped(self, address: int) -> _Methods:
        """Return a file's methods with ours in the place of those that are watched."""
        if address in self._methods:
            return self._methods[address]
        below = _Methods.from_address(address)
        mine = _Methods.from_buffer_copy(below)
        close, read, write = _CLOSE(below.close), _MOVE(below.read), _MOVE(below.write)
        truncate, sync = _TRUNCATE(below.truncate), _SYNC(below.sync)
        mine.close = self._callback(_CLOSE, lambda file: self._close(close, file))
        mine.read = self._callback(_MOVE, lambda *call: self._read(read, *call))
        mine.write = self._callback(_MOVE, lambda *call: self._write(write, *call))
        mine.truncate = self._callback(_TRUNCATE, lambda *call: self._truncate(truncate, *call))
        mine.sync = self._callback(_SYNC, lambda *call: self._sync(sync, *call))
        self._methods[address] = mine
        return mine

    def _close(self, below: Any, file: int) -> int:
        self._names.pop(file, None)
        self._new.discard(file)
        return int(below(file))

    def _read(self, below: Any, file: int, data: int, size: int, offset: int) -> int:
        if self._seen.fault("read", self._names[file]):
            return sqlite3.SQLITE_IOERR_READ
        return int(below(file, data, size, offset))

    def _write(self, below: Any, file: int, data: int, size: int, offset: int) -> int:
        name = self._names[file]
        if fault := self._seen.fault("write", name):
            # A full disk takes the beginning.
            if size > 1 and below(file, data, size // 2, offset) == _OK:
                self._seen.note("write", name, offset, ctypes.string_at(data, size // 2))
            is_full = fault == errno.ENOSPC
            return sqlite3.SQLITE_FULL if is_full else sqlite3.SQLITE_IOERR_WRITE
        result = int(below(file, data, size, offset))
        if result == _OK:
            self._seen.note("write", name, offset, ctypes.string_at(data, size))
        return result

    def _truncate(self, below: Any, file: int, size: int) -> int:
        name = self._names[file]
        if self._seen.fault("truncate", name):
            return sqlite3.SQLITE_IOERR_TRUNCATE
        result = int(below(file, size))
        if result == _OK:
            self._seen.note("truncate", name, size)
        return result

    def _sync(self, below: Any, file: int, flags: int) -> int:
        name = self._names[file]
        if self._seen.fault("sync", name):
            return sqlite3.SQLITE_IOERR_FSYNC
        result = int(below(file, flags))
        if result == _OK:
            self._seen.note("sync", name)
            if file in self._new:
                self._new.discard(file)
                self._seen.note("sync_folder", str(Path(name).parent))
        return result
