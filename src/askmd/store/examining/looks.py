"""What an examination of an index sees: each thing that is wrong, or was found sound."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from askmd.errors import Interrupted
from askmd.store.manifest import REBUILD_STEP, Manifest
from askmd.store.schema import State
from askmd.types import CancelCheck, Progress, ProgressCallback

READ_AGAIN = "run `askmd ingest`, which reads them again"
NAMED = 3
"""So many documents are named in a message."""
_STEPS = 200_000
"""Steps of SQLite's machine between two looks whether the user wants to stop: some milliseconds."""


class Mend(Enum):
    """What can be done about a thing that is wrong, without a document being read."""

    PERMISSIONS = "take others' permissions away"
    LEFTOVERS = "remove files that nothing refers to"
    MANIFEST = "let manifest and database agree"
    INDEXES = "make SQLite's indexes anew"
    ROWS = "take out damaged rows with their documents"
    MARKS = "mark vectors as used or unused"
    WORDS = "make the word index anew"
    SEGMENTS = "make the segments anew"


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that was looked at."""

    code: str
    message: str
    next: str = ""
    """The command or change that mends it; empty where nothing is to be done."""
    is_fault: bool = False
    mend: Mend | None = None
    """What ``mend`` does about it; None where it does nothing."""
    then: str = ""
    """What is left to do once that was done."""
    paths: tuple[str, ...] = ()
    """The documents it is about, relative to the root."""


@dataclass(slots=True)
class Lost:
    """What has to go before the index is whole."""

    documents: set[int] = field(default_factory=set)
    """Numbers of documents whose rows, chunks or vectors are damaged."""
    nameless: set[int] = field(default_factory=set)
    """Those of them whose own row is damaged: nothing is sure that says which file it was."""
    chunks: set[int] = field(default_factory=set)
    """Numbers of chunks of no document."""
    vectors: set[int] = field(default_factory=set)
    """Row ids of vectors."""
    changed: set[int] = field(default_factory=set)
    """Numbers of chunks that cannot be compared with anything."""


@dataclass(slots=True)
class Examination:
    """An index looked at: what was seen, and what of it ``mend`` needs."""

    folder: Path
    progress: ProgressCallback | None = None
    cancel: CancelCheck | None = None
    seen: list[Seen] = field(default_factory=list)
    lost: Lost = field(default_factory=Lost)
    manifest: Manifest | None = None
    """The manifest, or what it should be where it is lost."""
    state: State | None = None
    root: Path | None = None
    """The documents' folder; None where the index does not say."""
    leftovers: tuple[Path, ...] = ()
    too_open: tuple[Path, ...] = ()
    """What others than its owner may read."""

    def add(
        self,
        code: str,
        message: str,
        next: str = "",
        *,
        mend: Mend | None = None,
        then: str = "",
        paths: Sequence[str] = (),
        is_fault: bool = True,
    ) -> None:
        """Note a thing that is wrong."""
        self.seen.append(Seen(code, message, next, is_fault, mend, then, tuple(paths)))

    def add_note(self, code: str, message: str, next: str = "", mend: Mend | None = None) -> None:
        """Note a thing that is worth knowing, or was found sound."""
        self.add(code, message, next, mend=mend, is_fault=False)

    def tell(self, done: int, total: int, unit: str) -> None:
        """Say how far it is, and raise Interrupted once the user wants to stop."""
        if self.progress:
            self.progress(Progress(f"checking {unit}", done, total, unit))
        self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        """Raise Interrupted once the user wants to stop."""
        if self.cancel and self.cancel():
            raise Interrupted("stopped; nothing was changed", "run the same command again")

    def watch(self, connection: sqlite3.Connection) -> None:
        """Let long statements of a connection end once the user wants to stop."""
        cancel = self.cancel
        if cancel is not None:
            connection.set_progress_handler(lambda: int(cancel()), _STEPS)

    @contextmanager
    def reading(self, what: str) -> Iterator[None]:
        """Note it where SQLite cannot read something inside, and go on behind it."""
        try:
            yield
        except (sqlite3.Error, UnicodeError) as error:
            self.stop_if_cancelled()
            self.add("database", f"{what} cannot be read to the end ({error})", REBUILD_STEP)

    @property
    def is_mendable(self) -> bool:
        """Whether the tables can be written to: whatever else is wrong has its mend."""
        if self.state is None:
            return False
        return not any(one.is_fault and one.mend is None for one in self.seen)


def named(paths: Sequence[str]) -> str:
    """Return some documents' names, and how many more there are."""
    more = len(paths) - NAMED
    return ", ".join(paths[:NAMED]) + (f" and {more} more" if more > 0 else "")


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 chunk``, ``3,120 chunks``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
