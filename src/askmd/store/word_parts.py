"""What one words segment tells of a token or a phrase, be the segment a file or in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from askmd.store.word_runs import HEADING_WEIGHT, Run, ends_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_SPREAD = 4
"""Standard deviations within which a hash stands near its share of all hashes."""


class Arrays(Protocol):
    """Named arrays; see ``derived.Derived``, of which this is the part that is needed here."""

    def check_unchanged(self) -> None:
        """Raise Damaged where somebody wrote into them since they were opened."""

    def check(self) -> None:
        """Raise Damaged unless all of them are what was written."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""

    def rows(self, name: str, start: int = 0, stop: int | None = None) -> Array:
        """Return rows of an array, not copied."""

    def check_rows(self, name: str, places: Array) -> Array:
        """Return the whole array, of which only the rows in these places may be read."""


class InMemory:
    """The arrays of a segment that is not written."""

    def __init__(self, run: Run) -> None:
        """Hold a run's arrays as a file would."""
        chunks, words = run.chunks, run.words
        self._arrays: Mapping[str, Array] = {
            **chunks,
            "starts": np.append(chunks["starts"], np.uint32(run.end)),
            "id_starts": ends_of(chunks["id_sizes"]),
            **{name: words[name] for name in ("tokens", "rows", "often", "places")},
            "postings_starts": ends_of(words["postings"]),
            "spots_starts": ends_of(words["spots"]),
        }

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return self._arrays[name].shape

    def rows(self, name: str, start: int = 0, stop: int | None = None) -> Array:
        """Return rows of an array."""
        return self._arrays[name][start:stop]

    def check_rows(self, name: str, places: Array) -> Array:
        """Return the whole array."""
        return self._arrays[name]

    def check_unchanged(self) -> None:
        """Take memory to be as it was written."""

    def check(self) -> None:
        """Take memory to be as it was written."""


@dataclass(frozen=True, slots=True)
class Postings:
    """Which rows hold a token or a phrase."""

    rows: Array
    """uint32, ascending."""
    often: Array
    """How often each row does, a word of the heading counted twice."""


class Part:
    """A segment; its rows count from 0. Shared between threads safely.

    Every method raises Damaged where the file is not what was written.
    """

    def __init__(self, arrays: Arrays, last: int) -> None:
        """Read arrays as ``word_runs`` writes them; last: the last chunk number of their range."""
        self._arrays = arrays
        self.last = last
        self.count = arrays.shape("numbers")[0]

    def check_unchanged(self) -> None:
        """Raise Damaged where somebody wrote into it since it was opened."""
        self._arrays.check_unchanged()

    def check(self) -> None:
        """Raise Damaged unless all of it is what was written."""
        self._arrays.check()

    @cached_property
    def numbers(self) -> Array:
        """Each row's chunk number, ascending."""
        return self._arrays.rows("numbers")

    @cached_property
    def starts(self) -> Array:
        """The place of each row's first token, and the one behind all; uint32."""
        return self._arrays.rows("starts")

    @cached_property
    def headings(self) -> Array:
        """How many words of each row are its heading's; uint32."""
        return self._arrays.rows("headings")

    @cached_property
    def lengths(self) -> Array:
        """How many words each row has."""
        # One place is left out behind the heading and one behind the text.
        return np.diff(self.starts) - np.uint32(2)

    def ids(self, rows: Array) -> list[str]:
        """Return the ids of the chunks in some rows, in their order."""
        starts = self._arrays.check_rows("id_starts", rows)[rows]
        ends = self._arrays.check_rows("id_starts", rows + 1)[rows + 1]
        self._arrays.check_rows("ids", starts)
        held = memoryview(self._arrays.check_rows("ids", ends - 1))  # type: ignore[arg-type]
        return [
            str(held[start:end], "utf-8")
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]

    def postings(self, token: int) -> Postings:
        """Return where a token occurs."""
        held = self._held("postings", token)
        return Postings(self._arrays.rows("rows", *held), self._arrays.rows("often", *held))

    def postings_at(self, places: Array) -> Postings:
        """Return the rows of places, and how often each comes."""
        rows = np.searchsorted(self.starts, places, "right") - 1
        weights = np.where(places - self.starts[rows] < self.headings[rows], HEADING_WEIGHT, 1)
        found, first = np.unique(rows, return_index=True)
        often = np.add.reduceat(weights, first) if len(first) else first
        return Postings(found.astype(np.uint32), often)

    def places(self, tokens: Sequence[int]) -> Array:
        """Return the places where a token or a phrase begins; uint32, ascending."""
        spans = [self._held("spots", token) for token in tokens] or [(0, 0)]
        shortest = min(range(len(spans)), key=lambda n: spans[n][1] - spans[n][0])
        start, stop = spans[shortest]
        if start == stop:
            return np.zeros(0, np.uint32)
        begins = self._arrays.rows("places", start, stop)
        if len(tokens) == 1:
            return begins
        # Below no place that is in use: a phrase cannot begin before its first word.
        begins = begins[begins >= shortest] - np.uint32(shortest)
        for step, (start, stop) in enumerate(spans):
            if step != shortest:
                others = self._arrays.rows("places", start, stop)
                begins = begins[_are_in(begins + np.uint32(step), others)]
        return begins

    def _held(self, kind: str, token: int) -> tuple[int, int]:
        """Return where what belongs to a token begins and ends; nothing where it is not held."""
        place = self._find(token)
        if place is None:
            return 0, 0
        start, stop = self._arrays.rows(f"{kind}_starts", place, place + 2).tolist()
        return start, stop

    def _find(self, token: int) -> int | None:
        """Return a token's place among all; hashes are even, so it is nearly known beforehand."""
        count = self._arrays.shape("tokens")[0]
        guess = token * count >> 64
        near = int(_SPREAD * count**0.5) + 1
        for start, stop in ((max(0, guess - near), guess + near), (0, count)):
            tokens = self._arrays.rows("tokens", start, stop)
            found = int(np.searchsorted(tokens, np.uint64(token)))
            if found < len(tokens) and int(tokens[found]) == token:
                return start + found
            if 0 < found < len(tokens):
                return None
        return None


def _are_in(values: Array, others: Array) -> Array:
    """Return which of the values are among others; both are uint32 and ascending."""
    found = np.searchsorted(others, values)
    found[found == len(others)] = 0
    are_in: Array = others[found] == values
    return are_in
