"""Search by words in segments: FTS5's own scores, counts and places, to the last digit.

All segments' rows are one sequence here. Rows whose chunk is gone are left out of every count, as
FTS5 leaves them out.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from askmd.store.selection import Numbers
from askmd.store.word_parts import Part, Postings
from askmd.store.word_tokens import Tokenizer
from askmd.types import Occurrences, Scored, WordPlaces

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Tokens = tuple[int, ...]

K1, B = 1.2, 0.75
LEAST_IDF = 1e-6
"""As FTS5's bm25() has them."""
_KEPT = 256
"""Terms whose rows and places are kept."""
_KEPT_MASKS = 4
_SAMPLE = 10_000
"""Scores by which it is told from where on the best begin."""
_ROOM = 3
"""So many times as many as are asked for are expected above that."""


class Lexicon:
    """The words of one generation; shared between threads safely."""

    def __init__(self, tokenizer: Tokenizer, parts: Sequence[Part], gone: Array | None) -> None:
        """Search segments that follow on each other; gone: which rows are not to be found."""
        self._tokenizer = tokenizer
        self.parts = tuple(parts)
        self._bases = np.cumsum([0, *(part.count for part in parts)])
        self._gone = gone
        self._lock = threading.Lock()
        self._postings: dict[Tokens, Postings] = {}
        self._places: dict[Tokens, list[Array]] = {}
        self._masks: list[tuple[Numbers, Array]] = []

    @cached_property
    def total(self) -> int:
        """How many chunks there are."""
        rows = int(self._bases[-1])
        return rows if self._gone is None else rows - int(self._gone.sum())

    @cached_property
    def numbers(self) -> Array:
        """Each row's chunk number, ascending."""
        return np.concatenate([part.numbers for part in self.parts])

    @cached_property
    def _norms(self) -> Array:
        """What BM25 holds against each row for its length."""
        lengths = np.concatenate([part.lengths for part in self.parts]).astype(np.float64)
        held = lengths if self._gone is None else lengths[~self._gone]
        mean = float(held.sum()) / max(1, self.total)
        # In this order of reckoning the last digit is FTS5's.
        return K1 * (1 - B + B * lengths / (mean or 1.0))

    def check_unchanged(self) -> None:
        """Raise Damaged where somebody wrote into a segment since it was opened."""
        for part in self.parts:
            part.check_unchanged()

    def warm(self) -> None:
        """Read what every search reads."""
        self._norms.sum()

    def best(
        self, terms: Sequence[str], limit: int, allowed: Numbers | None
    ) -> list[Scored] | None:
        """Return the best chunks by BM25; see ``words.best_by_words``. None: FTS5 is needed."""
        asked = self._asked([term for term in dict.fromkeys(terms) if term.strip()])
        if asked is None or limit <= 0:
            return None
        scores = np.zeros(int(self._bases[-1]))
        for tokens in asked.values():
            held = self._held(tokens)
            rows = held.rows.astype(np.intp)
            often = held.often.astype(np.float64)
            weighed = (often * (K1 + 1.0)) / (often + self._norms[rows])
            scores[rows] += self._idf(len(rows)) * weighed
        if allowed is not None:
            scores = np.where(self._mask(allowed), scores, 0.0)
        rows = _promising(scores, limit)
        if len(rows) > limit:
            least = np.partition(scores[rows], len(rows) - limit)[len(rows) - limit]
            rows = rows[scores[rows] >= least]
        order = np.argsort(-scores[rows], kind="stable")[:limit]
        rows = rows[order]
        ids = self._ids(rows)
        found = [Scored(id, score) for id, score in zip(ids, scores[rows].tolist(), strict=True)]
        return sorted(found, key=lambda one: (-one.score, one.id))

    def scores(self, terms: Sequence[str], among: Mapping[int, str]) -> dict[str, float] | None:
        """Return some chunks' scores; see ``words.scores_by_words``. None: FTS5 is needed."""
        asked = self._asked([term for term in dict.fromkeys(terms) if term.strip()])
        if asked is None:
            return None
        rows, ids = self._rows_of(among)
        scores = np.zeros(len(rows))
        for tokens in asked.values():
            held = self._held(tokens)
            places, holds = _found(held.rows, rows)
            often = held.often[places[holds]].astype(np.float64)
            weighed = (often * (K1 + 1.0)) / (often + self._norms[rows[holds]])
            scores[holds] += self._idf(len(held.rows)) * weighed
        return {id: score for id, score in zip(ids, scores.tolist(), strict=True) if score}

    def occurrences(self, terms: Collection[str], among: Mapping[int, str]) -> Occurrences | None:
        """Return where terms occur; see ``words.find_occurrences``. None: FTS5 is needed."""
        asked = self._asked(dict.fromkeys(terms))
        if asked is None:
            return None
        rows, ids = self._rows_of(among)
        counts: dict[str, int] = {}
        holding: dict[str, frozenset[str]] = {}
        for term, tokens in asked.items():
            held = self._held(tokens).rows
            counts[term] = len(held)
            _, holds = _found(held, rows)
            holding[term] = frozenset(
                id for id, does in zip(ids, holds.tolist(), strict=True) if does
            )
        return Occurrences(self.total, counts, holding)

    def places(
        self, terms: Collection[str], among: Mapping[int, str]
    ) -> dict[str, WordPlaces] | None:
        """Return where terms stand; see ``word_places.read_word_places``. None: FTS5 is needed."""
        asked = self._asked(dict.fromkeys(terms))
        if asked is None:
            return None
        rows, ids = self._rows_of(among)
        found: dict[str, WordPlaces] = {}
        parts = np.searchsorted(self._bases, rows, "right") - 1
        for number, part in enumerate(self.parts):
            here = np.flatnonzero(parts == number)
            if len(here):
                standing = {term: self._standing(tokens)[number] for term, tokens in asked.items()}
                own = (rows[here] - np.uint32(self._bases[number])).astype(np.int64)
                found |= zip(
                    (ids[place] for place in here), _word_places(part, own, standing), strict=True
                )
        return found

    def _asked(self, terms: Iterable[str]) -> dict[str, Tokens] | None:
        told = self._tokenizer.terms(terms)
        asked = {term: tokens for term, tokens in told.items() if tokens is not None}
        return asked if len(asked) == len(told) else None

    def _idf(self, count: int) -> float:
        idf = math.log((self.total - count + 0.5) / (count + 0.5))
        return idf if idf > 0 else LEAST_IDF

    def _held(self, tokens: Tokens) -> Postings:
        """Return the rows of all parts that hold a token or a phrase and are not gone."""
        with self._lock:
            if tokens in self._postings:
                return self._postings[tokens]
        if len(tokens) == 1:
            found = [part.postings(tokens[0]) for part in self.parts]
        else:
            standing = self._standing(tokens)
            found = [p.postings_at(at) for p, at in zip(self.parts, standing, strict=True)]
        rows, often = found[0].rows, found[0].often
        if len(found) > 1:
            shifted = [
                one.rows + np.uint32(base) for one, base in zip(found, self._bases, strict=False)
            ]
            rows, often = np.concatenate(shifted), np.concatenate([one.often for one in found])
        if self._gone is not None:
            stays = ~self._gone[rows]
            rows, often = rows[stays], often[stays]
        held = Postings(rows, often)
        with self._lock:
            if len(self._postings) >= _KEPT:
                self._postings.clear()
            self._postings[tokens] = held
        return held

    def _standing(self, tokens: Tokens) -> list[Array]:
        """Return by part the places where a token or a phrase begins."""
        with self._lock:
            if tokens in self._places:
                return self._places[tokens]
        standing = [part.places(tokens) for part in self.parts]
        with self._lock:
            if len(self._places) >= _KEPT:
                self._places.clear()
            self._places[tokens] = standing
        return standing

    def _rows_of(self, among: Mapping[int, str]) -> tuple[Array, list[str]]:
        """Return the rows of chunk numbers, ascending, and their ids."""
        wanted = np.array(sorted(among), np.int64)
        rows = np.searchsorted(self.numbers, wanted)
        return rows.astype(np.uint32), [among[number] for number in wanted.tolist()]

    def _ids(self, rows: Array) -> list[str]:
        """Return the ids of rows, in their order."""
        parts = np.searchsorted(self._bases, rows, "right") - 1
        ids = [""] * len(rows)
        for number in np.unique(parts).tolist():
            here = np.flatnonzero(parts == number)
            own = self.parts[number].ids(rows[here] - self._bases[number])
            for place, id in zip(here.tolist(), own, strict=True):
                ids[place] = id
        return ids

    def _mask(self, allowed: Numbers) -> Array:
        """Return which rows are allowed."""
        with self._lock:
            for known, mask in self._masks:
                # To compare as many numbers as there are chunks would take as long.
                if known is allowed:
                    return mask
            mask = np.isin(self.numbers, np.array(allowed.values, np.int64))
            self._masks = [(allowed, mask), *self._masks[:_KEPT_MASKS]]
            return mask


def _promising(scores: Array, limit: int) -> Array:
    """Return rows among which the best are; of many rows not all that have a score."""
    step = len(scores) // _SAMPLE
    if step > 1:
        some = np.sort(scores[::step])
        least = some[max(0, len(some) - 1 - _ROOM * limit // step)]
        rows = np.flatnonzero(scores > least)
        if least > 0 and len(rows) >= limit:
            return rows
    return np.flatnonzero(scores)


def _word_places(part: Part, rows: Array, standing: Mapping[str, Array]) -> list[WordPlaces]:
    """Return where terms stand in each of the rows."""
    starts = part.starts[rows]
    ends = part.starts[rows + 1]
    begins, headings = starts.tolist(), part.headings[rows].tolist()
    texts = (ends - starts - part.headings[rows] - np.uint32(2)).tolist()
    in_heading: list[dict[str, tuple[int, ...]]] = [{} for _ in headings]
    in_text: list[dict[str, tuple[int, ...]]] = [{} for _ in headings]
    for term, places in standing.items():
        firsts, lasts = np.searchsorted(places, starts), np.searchsorted(places, ends)
        here = np.flatnonzero(firsts < lasts)
        if not len(here):
            continue
        # From here on plain numbers: of a few hundred chunks most hold no term.
        bounds = zip(here.tolist(), firsts[here].tolist(), lasts[here].tolist(), strict=True)
        for row, first, last in bounds:
            begin, heading = begins[row], headings[row]
            held = [place - begin for place in places[first:last].tolist()]
            if held[0] < heading:
                in_heading[row][term] = tuple([one for one in held if one < heading])
            if held[-1] > heading:
                in_text[row][term] = tuple([one - heading - 1 for one in held if one > heading])
    return [WordPlaces(*both) for both in zip(headings, texts, in_heading, in_text, strict=True)]


def _found(held: Array, rows: Array) -> tuple[Array, Array]:
    """Return where each row stands among those that are held, both ascending, and whether."""
    places = np.searchsorted(held, rows)
    if not len(held):
        return places, np.zeros(len(rows), bool)
    places[places == len(held)] = 0
    return places, held[places] == rows
