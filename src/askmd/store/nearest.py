"""The vectors of one generation, searched: rows in segments, rows of SQLite, less what is gone.

Small segments are searched whole, by one product; a large one by ``approximate``. What is found
is scored anew, each row alike, so that equal rows have equal cosines wherever they stand.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from askmd.store.floats import as_cosine
from askmd.store.selection import Numbers

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors

    Places = npt.NDArray[np.int64]
    Mask = npt.NDArray[np.bool_]

DECIMALS = 6
"""Cosines are told as exactly as two machines agree on them."""
_MARGIN = 2e-6
"""More than two ways to add up one product of unit vectors in float32 differ by."""
MOST_EQUAL = 1000
"""Rows as good as the last one that was asked for, which are told too."""
_FEW = 8
"""One row in so many is multiplied by itself; of more, all are."""
_BATCH_ROWS = 256
_KEPT_CHOICES = 4


@dataclass(slots=True)
class Asked:
    """A question and what was computed for it; of one thread."""

    question: Vector
    scores: dict[int, Vector] = field(default_factory=dict)
    """Of all rows of a block, by the block's id."""


class Part(Protocol):
    """Some of a generation's vectors, by their place among these."""

    @property
    def numbers(self) -> npt.NDArray[np.int64]:
        """The chunks' numbers, ascending, those that are gone among them."""

    @property
    def gone(self) -> Mask | None:
        """Which rows are gone; None where none is."""

    def without(self, gone: Mask) -> Part:
        """Return the same, with these rows gone and no others."""

    def rows(self, places: Places) -> Vectors:
        """Return a copy of some rows."""

    def best(self, asked: Asked, limit: int, allowed: Mask | None) -> Places:
        """Return where the best rows are, ``limit`` or more; only allowed ones."""

    def least(self, asked: Asked, allowed: Mask | None) -> Places:
        """Return where about the least alike of the allowed rows are."""


class Block:
    """Rows that are searched exactly."""

    def __init__(
        self, numbers: npt.NDArray[np.int64], matrix: Vectors, gone: Mask | None = None
    ) -> None:
        """Search rows of a checked matrix, in memory or in a mapped file."""
        self.numbers = numbers
        self.matrix = matrix
        self.gone = gone

    def without(self, gone: Mask) -> Block:
        """Return the same, with these rows gone and no others."""
        return Block(self.numbers, self.matrix, gone)

    def rows(self, places: Places) -> Vectors:
        """Return a copy of some rows."""
        return self.matrix[places]

    def best(self, asked: Asked, limit: int, allowed: Mask | None) -> Places:
        """Return where the best rows are, and those as good as the last of them."""
        places, scores = self._scores(asked, allowed)
        kept = best_of(scores, limit)
        return kept if places is None else places[kept]

    def least(self, asked: Asked, allowed: Mask | None) -> Places:
        """Return where the least alike of the allowed rows is."""
        places, scores = self._scores(asked, allowed)
        lowest = np.array([np.argmin(scores)]) if len(scores) else np.empty(0, dtype=np.int64)
        return lowest if places is None else places[lowest]

    def _scores(self, asked: Asked, allowed: Mask | None) -> tuple[Places | None, Vector]:
        """Return which rows may be found, None for all, and their scores."""
        if allowed is None:
            return None, self._all_scores(asked)
        places = np.flatnonzero(allowed)
        if id(self) not in asked.scores and len(places) * _FEW < len(self.numbers):
            return places, multiply(self.matrix, places, asked.question)
        return places, self._all_scores(asked)[places]

    def _all_scores(self, asked: Asked) -> Vector:
        found = asked.scores.get(id(self))
        if found is None:
            found = asked.scores[id(self)] = self.matrix @ asked.question
        return found


def best_of(scores: Vector, limit: int) -> Places:
    """Return where the best scores are, and all that may be as good as the last of them."""
    if limit >= len(scores):
        return np.arange(len(scores))
    last = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    return np.flatnonzero(scores >= last - _MARGIN)


def multiply(matrix: Vectors, places: Places, question: Vector) -> Vector:
    """Return some rows' products with a question, with few rows in memory at a time."""
    if not len(places):
        return np.empty(0, dtype=np.float32)
    # Small enough to be taken from memory that the process has already.
    batches = range(0, len(places), _BATCH_ROWS)
    return np.concatenate([matrix[places[at : at + _BATCH_ROWS]] @ question for at in batches])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every vector of one generation, ready to be searched; never changed once it is made."""

    numbering: str
    generation: int
    parts: tuple[Part, ...]
    _own: threading.local = field(default_factory=threading.local)
    _choices: dict[int, tuple[Numbers, list[Mask | None]]] = field(default_factory=dict)

    def ask(self, question: Vector) -> Asked:
        """Return a question with what this thread computed for it last."""
        last: Asked | None = getattr(self._own, "asked", None)
        if last is None or not np.array_equal(last.question, question):
            last = self._own.asked = Asked(question.copy())
        return last

    def choose(self, allowed: Numbers | None) -> list[Mask | None]:
        """Return for each part which rows may be found; None for all."""
        if allowed is None:
            return [None if part.gone is None else ~part.gone for part in self.parts]
        held = self._choices.get(id(allowed))
        if held is not None:
            return held[1]
        wanted = np.array(allowed.values, dtype=np.int64)
        masks: list[Mask | None] = [_mask(part, wanted) for part in self.parts]
        if len(self._choices) >= _KEPT_CHOICES:
            self._choices.clear()
        # With the numbers beside it: as long as these live, no others have their id.
        self._choices[id(allowed)] = (allowed, masks)
        return masks


def _mask(part: Part, wanted: npt.NDArray[np.int64]) -> Mask:
    mask = np.zeros(len(part.numbers), dtype=np.bool_)
    mask[find_places(part.numbers, wanted)[0]] = True
    return mask if part.gone is None else mask & ~part.gone


def find_places(
    numbers: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> tuple[Places, Places]:
    """Return where those of the wanted numbers are that are there, and which of them these are."""
    places = np.searchsorted(numbers, wanted)
    inside = np.flatnonzero(places < len(numbers))
    found = inside[numbers[places[inside]] == wanted[inside]]
    return places[found], found


def nearest(
    snapshot: Snapshot, question: Vector, limit: int, allowed: Numbers | None
) -> list[tuple[int, float]]:
    """Return chunk numbers with their cosines, best first, among the allowed ones only.

    Exact but for what a large segment's approximate index leaves out. Those that are as good as
    the last one come too, as far as they are not very many: which of them count is for the caller.
    """
    if limit <= 0:
        return []
    asked, most = snapshot.ask(question), limit + MOST_EQUAL
    found: list[tuple[int, float]] = []
    for part, mask in zip(snapshot.parts, snapshot.choose(allowed), strict=True):
        found += _scored(part, part.best(asked, limit, mask), question)
    found.sort(key=lambda one: (-one[1], one[0]))
    while limit < len(found) and found[limit][1] == found[limit - 1][1] and limit < most:
        limit += 1
    return found[:limit]


def least(snapshot: Snapshot, question: Vector, allowed: Numbers | None) -> float | None:
    """Return about the least cosine of the allowed chunks; None without one."""
    asked = snapshot.ask(question)
    found: list[tuple[int, float]] = []
    for part, mask in zip(snapshot.parts, snapshot.choose(allowed), strict=True):
        found += _scored(part, part.least(asked, mask), question)
    return min((score for _, score in found), default=None)


def cosines(snapshot: Snapshot, question: Vector, ids: Mapping[int, str]) -> dict[str, float]:
    """Return the cosine of each of these chunks that the snapshot holds, by id."""
    wanted = np.array(sorted(ids), dtype=np.int64)
    return {
        ids[number]: score
        for part in snapshot.parts
        for number, score in _scored(part, find_places(part.numbers, wanted)[0], question)
    }


def _scored(part: Part, places: Places, question: Vector) -> Iterator[tuple[int, float]]:
    if not len(places):
        return
    # Row by row in one order and in double precision: a matrix product adds up as it likes.
    products = (part.rows(places).astype(np.float64) * question).sum(axis=1)
    scores: Sequence[Any] = products.round(DECIMALS).tolist()
    for number, score in zip(part.numbers[places].tolist(), scores, strict=True):
        yield number, as_cosine(score)
