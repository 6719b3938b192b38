"""One committed state of the index, as one connection sees it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from askmd.store.outlines import Outline
from askmd.store.reading import Beside, read_numbers
from askmd.store.schema import State
from askmd.store.selection import check_absent, read_ids


@dataclass(frozen=True, slots=True)
class View:
    """A transaction, what the index says of itself in it, and the chunks that were met in it."""

    connection: sqlite3.Connection
    state: State
    database: Path
    outlines: dict[int, Outline]
    """Documents that were read and checked in this state, by their numbers."""
    _met: dict[str, int] = field(default_factory=dict)
    """Numbers by ids: one search asks for the same chunks again and again."""

    def ids(self, numbers: Sequence[int]) -> dict[int, str]:
        """Return the ids of chunks by their numbers; raises as ``read_ids`` does."""
        found = read_ids(self.connection, numbers, self.database)
        self.meet(found)
        return found

    def numbers(self, ids: Sequence[str]) -> dict[int, str]:
        """Return the ids of the chunks that exist by their numbers, in the order of ``ids``.

        Raises IndexCorrupt where the index over ids has lost one.
        """
        if unknown := [id for id in ids if id not in self._met]:
            self.ids(list(read_numbers(self.connection, unknown)))
            lost = [id for id in unknown if id not in self._met]
            check_absent(self.connection, lost, self.database)
        return {self._met[id]: id for id in ids if id in self._met}

    def meet(self, ids: Mapping[int, str]) -> None:
        """Remember the numbers of chunks, whose ids are given."""
        self._met.update((id, number) for number, id in ids.items())

    def meet_beside(self, one: Beside) -> None:
        """Remember the numbers of a chunk's neighbours."""
        for number, id in ((one.before_number, one.before), (one.after_number, one.after)):
            if number is not None and id is not None:
                self._met[id] = number
