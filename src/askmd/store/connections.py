"""The readers' connections: one a thread, none across a fork, all closed by one call."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

from askmd.errors import IndexFault
from askmd.store.database import connect_frozen, connect_reader, needs_writing

_NO_ROOM = {
    sqlite3.SQLITE_IOERR_SHMOPEN,
    sqlite3.SQLITE_IOERR_SHMSIZE,
    sqlite3.SQLITE_IOERR_SHMMAP,
}
"""What SQLite says where its -shm file finds no room: a full disk, or files may not grow."""


class Connection:
    """A thread's own connection; it ends with its thread."""

    inherited: ClassVar[list[Connection]] = []
    """Connections of a parent process. SQLite forbids to use them here, and even to close them."""

    def __init__(self, path: Path) -> None:
        """Open a database for reading, be it on a read-only or a full disk."""
        self.database = path.name
        self.process = os.getpid()
        self.is_frozen = False
        self.in_use = threading.Lock()
        """Closing a connection under a running query crashes the process."""
        try:
            self.sqlite = connect_reader(path)
        except sqlite3.OperationalError as error:
            is_full = getattr(error, "sqlite_errorcode", 0) in _NO_ROOM
            if not (is_full or needs_writing(error)) or not path.exists():
                raise
            try:
                self.sqlite = connect_frozen(path)
            except sqlite3.OperationalError:
                # That the disk is full is to be told, and not what followed from it.
                if is_full:
                    raise error from None
                raise
            self.is_frozen = True

    def close(self) -> None:
        """Let go of the database, if this process opened it."""
        if self.process == os.getpid():
            with suppress(sqlite3.Error):
                self.sqlite.close()

    def __del__(self) -> None:
        if hasattr(self, "sqlite"):
            self.close()


class Connections:
    """Every thread's connection to the database that is current."""

    def __init__(self, folder: Path) -> None:
        """Connect to databases in an index's folder."""
        self._folder = folder
        self._own = threading.local()
        self._every: weakref.WeakSet[Connection] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._is_closed = False

    def __len__(self) -> int:
        """Return how many threads are connected."""
        return len(self._every)

    def connect(self, path: Path) -> Connection:
        """Return this thread's connection to a database; raises what SQLite and the disk do."""
        mine: Connection | None = getattr(self._own, "connection", None)
        if mine and mine.process != os.getpid():
            Connection.inherited.append(mine)
            mine = None
        if mine and (mine.is_frozen or mine.database != path.name):
            mine.close()
            mine = None
        if mine is None:
            with self._lock:
                self.refuse_closed()
                mine = Connection(path)
                self._every.add(mine)
            self._own.connection = mine
        return mine

    def refuse_closed(self) -> None:
        """Raise IndexFault once everything is closed."""
        if self._is_closed:
            raise IndexFault(f"the index in {self._folder} was closed", "open it again")

    def close(self) -> None:
        """Close every thread's connection once its query is done."""
        with self._lock:
            self._is_closed = True
            connections = list(self._every)
        for connection in connections:
            with connection.in_use:
                connection.close()
