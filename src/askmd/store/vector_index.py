"""The vectors of an index as they are now, shared between threads; free of numpy until asked."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from askmd.store.derived import Damaged
from askmd.store.schema import State

if TYPE_CHECKING:
    from askmd.store.nearest import Snapshot
    from askmd.store.snapshots import Held

Result = TypeVar("Result")


class VectorIndex:
    """Holds the vectors of the newest generation that was asked for."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lock = threading.Lock()
        self._held: Held | None = None

    def answer(
        self,
        connection: sqlite3.Connection,
        state: State,
        database: Path,
        search: Callable[[Snapshot], Result],
    ) -> Result:
        """Return what a search of a state's vectors finds; a damaged file is done without."""
        from askmd.store.snapshots import set_aside

        while True:
            held = self.take(connection, state, database)
            try:
                held.check_unchanged()
                return search(held.snapshot)
            except Damaged as fault:
                with self._lock:
                    self._held = set_aside(held, fault)

    def take(self, connection: sqlite3.Connection, state: State, database: Path) -> Held:
        """Return a state's vectors, ready to be searched."""
        from askmd.store.snapshots import hold

        with self._lock:
            former = self._held
            if former is not None and former.is_of(state):
                return former
            mine = hold(connection, state, database, former)
            # Another thread may have looked later; this call keeps to what it began with.
            if former is None or not former.is_newer(state):
                self._held = mine
        return mine

    def close(self) -> None:
        """Let go of every file once its search is done."""
        self._held = None
