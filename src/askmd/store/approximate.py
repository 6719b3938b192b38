"""A large segment of vectors, searched through FAISS's inverted lists; imported when there is one.

Of the rows themselves, which stay in the mapped file, only those are read and checked that the
codes find: their cosines are exact, and few of the best are missed.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
import numpy.typing as npt

from askmd.store.derived import Damaged, Derived
from askmd.store.nearest import Asked, best_of, multiply

if TYPE_CHECKING:
    from askmd.store.nearest import Mask, Places
    from askmd.types import Vector, Vectors

FEW_ALLOWED = 32_768
"""So many rows that a filter lets through are searched exactly, whatever the segment's size."""
LISTS = 0.4
"""The share of the lists that is searched,"""
ROWS = 100_000
"""or as many lists as hold so many rows, where that is more."""
LEAST_PART = 0.25
"""For the least one so much of that is enough,"""
LEAST_ROWS = 400
"""and so many candidates."""
CANDIDATES = 8
"""So many times as many rows are scored as are asked for,"""
LEAST_CANDIDATES = 700
"""and never fewer than these."""
SHARED_ROWS = 50_000
"""More rows than these are looked through by several threads at once,"""
MOST_SHARES = 4
"""of which more do not help: they wait for one another's memory."""


class Lists:
    """The rows of a large segment, with the approximate index beside them."""

    def __init__(self, file: Derived, gone: Mask | None = None) -> None:
        """Search a file with an index; raises Damaged where what is always read has changed."""
        self.file = file
        self.numbers = file.rows("numbers")
        self.gone = gone
        try:
            self._index: Any = faiss.deserialize_index(file.rows("index"))
        except RuntimeError as error:
            raise Damaged(f"this FAISS does not read it ({error})", file.path) from error

    def without(self, gone: Mask) -> Lists:
        """Return the same, with these rows gone and no others."""
        same = copy(self)
        same.gone = gone
        return same

    def rows(self, places: Places) -> Vectors:
        """Return a copy of some rows; raises Damaged where they have changed."""
        rows: Vectors = self.file.check_rows("matrix", places)[places]
        return rows

    def best(self, asked: Asked, limit: int, allowed: Mask | None) -> Places:
        """Return where nearly all of the best rows are; raises Damaged."""
        places = self._few(allowed)
        if places is None:
            wanted = max(LEAST_CANDIDATES, CANDIDATES * limit)
            places = self._scan(asked.question, wanted, allowed)
        scores = multiply(self.file.check_rows("matrix", places), places, asked.question)
        return places[best_of(scores, limit)]

    def least(self, asked: Asked, allowed: Mask | None) -> Places:
        """Return where about the least alike of the allowed rows is; raises Damaged."""
        places = self._few(allowed)
        if places is None:
            places = self._scan(-asked.question, LEAST_ROWS, allowed, LEAST_PART)
        scores = multiply(self.file.check_rows("matrix", places), places, -asked.question)
        return places[best_of(scores, 1)]

    def _few(self, allowed: Mask | None) -> Places | None:
        """Return the allowed rows where they are so few that all are scored."""
        if allowed is None or np.count_nonzero(allowed) > FEW_ALLOWED:
            return None
        return np.flatnonzero(allowed)

    def _scan(
        self, question: Vector, count: int, allowed: Mask | None, part: float = 1.0
    ) -> Places:
        """Return where the best rows by their codes are, in the lists nearest to the question."""
        total = len(self.numbers)
        # Where few may be found, as many of them are looked through, in more lists.
        found_of = total if allowed is None else int(np.count_nonzero(allowed))
        share = part * max(LISTS, ROWS / total) * total / found_of
        lists, count = math.ceil(min(1.0, share) * self._index.nlist), min(count, total)
        near, which = self._index.quantizer.search(question[None], lists)
        selector, _kept = _select(allowed)

        def scan(first: int) -> tuple[Vector, Places]:
            lists_of = np.ascontiguousarray(which[:, first::shares])
            return self._scan_lists(question, lists_of, near[:, first::shares], count, selector)

        is_long = share * total > SHARED_ROWS
        shares = min(MOST_SHARES, faiss.omp_get_max_threads()) if is_long else 1
        # This thread does its share of the work too.
        others = [_pool().submit(scan, first) for first in range(1, shares)]
        parts = [scan(0), *(other.result() for other in others)]
        scores, found = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        if len(found) > count:
            found = found[np.argpartition(-scores, count - 1)[:count]]
        if len(found) < min(count, found_of):
            # Where many rows are equal, lists are few and codes say nothing: all are scored.
            return np.arange(total) if allowed is None else np.flatnonzero(allowed)
        return np.sort(found)

    def _scan_lists(
        self, question: Vector, which: Places, near: Vectors, count: int, selector: Any
    ) -> tuple[Vector, Places]:
        """Return the scores by their codes of the best rows of some lists, and where they are."""
        scores = np.empty((1, count), dtype=np.float32)
        places = np.empty((1, count), dtype=np.int64)
        parameters: Any = faiss.SearchParametersIVF(  # type: ignore[call-arg]
            nprobe=which.shape[1], sel=selector
        )
        near = np.ascontiguousarray(near)
        arrays = [faiss.swig_ptr(one) for one in (which, near, scores, places)]
        # FAISS's own form, for its Python one takes no parameters.
        self._index.search_preassigned_c(
            1, faiss.swig_ptr(question), count, *arrays, False, parameters
        )
        # It pads what it did not find with -1.
        is_found = places[0] >= 0
        return scores[0][is_found], places[0][is_found]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_SHARES, thread_name_prefix="askmd-lists")


def _select(allowed: Mask | None) -> tuple[Any | None, npt.NDArray[np.uint8] | None]:
    """Return what lets FAISS skip rows, and the memory that it reads from."""
    if allowed is None:
        return None, None
    bits = np.packbits(allowed, bitorder="little")
    return faiss.IDSelectorBitmap(len(allowed), faiss.swig_ptr(bits)), bits
