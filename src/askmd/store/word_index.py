"""Which words segments answer for a generation; where they cannot, FTS5 does, with the same words.

The chunks behind the last segment are few; they are read into one in memory.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from askmd.store.derived import Damaged, Derived
from askmd.store.reading import read_words
from askmd.store.schema import State, count_chunks
from askmd.store.segments import find_segments, set_aside

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from askmd.store.word_parts import Part
    from askmd.store.word_search import Lexicon
    from askmd.store.word_tokens import Tokenizer

KIND = "words"
MOST_TAIL = 512
"""Chunks behind the last segment that are read into memory; with more of them FTS5 answers."""
MOST_PIECES = 8
"""Parts of them, of one generation each, before they are read anew as one."""
WORTH_NUMPY = 20_000
"""Chunks from which on a process that does without numpy had better load it to search words."""
_LAST = 2**62
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Held:
    """What answers for a state; None where segments cannot."""

    state: State
    lexicon: Lexicon | None

    def is_older(self, state: State) -> bool:
        """Return whether this is of another numbering, an earlier generation, or other files."""
        mine = self.state
        if (mine.numbering, mine.generation) != (state.numbering, state.generation):
            return mine.numbering != state.numbering or mine.generation < state.generation
        return mine.segments != state.segments


class WordIndex:
    """The words of an index as they are now; shared between threads safely."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._lock = threading.Lock()
        self._tokenizer: Tokenizer | None = None
        self._files: dict[Path, Part] = {}
        self._tail: list[Part] = []
        self._held: _Held | None = None

    def answer(
        self,
        connection: sqlite3.Connection,
        state: State,
        database: Path,
        by_segments: Callable[[Lexicon], Result | None],
        otherwise: Callable[[], Result],
    ) -> Result:
        """Return what the segments tell of a state; what the other way does where they cannot."""
        found = None
        lexicon = self._take(connection, state, database) if _is_worth(state) else None
        if lexicon is not None:
            try:
                lexicon.check_unchanged()
                found = by_segments(lexicon)
            except Damaged:
                self._drop(lexicon)
        return otherwise() if found is None else found

    def warm(self, connection: sqlite3.Connection, state: State, database: Path) -> None:
        """Open and check what a first search by words reads."""
        lexicon = self._take(connection, state, database) if _is_worth(state) else None
        if lexicon is not None:
            try:
                lexicon.warm()
            except Damaged:
                self._drop(lexicon)

    def _take(self, connection: sqlite3.Connection, state: State, path: Path) -> Lexicon | None:
        with self._lock:
            held = self._held
            if held is None or held.is_older(state):
                try:
                    lexicon = self._bring_up_to_date(connection, state, path)
                except Damaged:
                    self._set_aside()
                    lexicon = None
                held = self._held = _Held(state, lexicon)
        # Another thread looked later: this call keeps to the generation it began with.
        return held.lexicon if held.state.generation == state.generation else None

    def _bring_up_to_date(
        self, connection: sqlite3.Connection, state: State, database: Path
    ) -> Lexicon | None:
        from askmd.store.word_search import Lexicon
        from askmd.store.word_tokens import Tokenizer

        files = self._open(find_segments(database.parent, database.name, KIND, state), state)
        if not files:
            return None
        self._tokenizer = self._tokenizer or Tokenizer()
        if not self._read_tail(connection, self._tokenizer, files[-1].last, database):
            return None
        parts = [*files, *self._tail]
        total = count_chunks(connection) if state.chunks is None else state.chunks
        held = sum(part.count for part in parts)
        if held == total:
            return Lexicon(self._tokenizer, parts, None)
        gone = _gone(connection, parts)
        is_known = held - int(gone.sum()) == total
        return Lexicon(self._tokenizer, parts, gone) if is_known else None

    def _open(self, paths: Sequence[Path], state: State) -> list[Part]:
        """Return the files that are read; none where one of them is gone or of a later state."""
        from askmd.store.word_parts import Part

        files = {}
        for path in paths:
            try:
                derived = Derived(path) if path not in self._files else None
            except (OSError, Damaged):
                return []
            files[path] = (
                self._files[path] if derived is None else Part(derived, derived.origin.last)
            )
            if derived is not None and derived.origin.generation > state.generation:
                return []
        if files.keys() != self._files.keys():
            self._tail = []
        self._files = files
        return list(files.values())

    def _read_tail(
        self, connection: sqlite3.Connection, tokenizer: Tokenizer, last: int, database: Path
    ) -> bool:
        """Read the chunks that are new; return whether they were few enough."""
        from askmd.store.word_parts import InMemory, Part
        from askmd.store.word_runs import invert

        if len(self._tail) >= MOST_PIECES:
            self._tail = []
        known = self._tail[-1].last if self._tail else last
        room = MOST_TAIL - sum(part.count for part in self._tail)
        chunks = read_words(connection, known, _LAST, room + 1, database)
        if len(chunks) > room:
            self._tail = []
            return False
        if chunks:
            self._tail.append(Part(InMemory(invert(tokenizer, chunks)), chunks[-1].number))
        return True

    def _drop(self, lexicon: Lexicon) -> None:
        """Remove what is damaged of a lexicon's files, and answer without it from now on."""
        with self._lock:
            if self._held and self._held.lexicon is lexicon:
                self._held = _Held(self._held.state, None)
            self._set_aside()

    def _set_aside(self) -> None:
        """Remove what is damaged of the files; under the lock."""
        for path, part in self._files.items():
            try:
                part.check_unchanged()
                part.check()
            except Damaged as error:
                set_aside(path, error)
        self._files, self._tail = {}, []


def _is_worth(state: State) -> bool:
    """Whether the segments answer sooner: to load numpy takes a tenth of a second."""
    return "numpy" in sys.modules or (state.chunks or 0) >= WORTH_NUMPY


def _gone(connection: sqlite3.Connection, parts: Sequence[Part]) -> npt.NDArray[np.bool_]:
    """Return which of the parts' rows have no chunk any more."""
    import numpy as np

    [(numbers,)] = connection.execute("SELECT group_concat(number) FROM chunks")
    live = np.fromstring(numbers or "", np.int64, sep=",")
    return ~np.isin(np.concatenate([part.numbers for part in parts]), live)
