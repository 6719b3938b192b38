"""What was found against what was to be found → figures from 0 to 1, higher is better.

A label is a range of characters of a file, or a whole file. The first hits, or the passages that
fit a budget, are ranges too; what two of them share counts once, and so does what two labels share.

    recall     share of the labelled characters inside them; of labels that are files: of the files
    precision  share of the hits' characters that are labelled
    iou        labelled characters inside them, of all that are labelled or in them
    hit        whether one of the first hits is useful
    mrr        one over the rank of the first useful hit (reciprocal rank; Voorhees, TREC-8, 1999)
    ndcg       graded gain, discounted by rank (Jarvelin and Kekalainen, TOIS, 2002)

A hit is useful where its first 2,000 characters hold half of a label, or lie half in one, and hold
at least 40 of it: a reader who meets it has found the place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from askmd.evaluate.labels import Target
from askmd.types import Chars

READ_CHARACTERS = 2000
LEAST_CHARACTERS = 40
DEPTH = 10
"""How far down the hits mrr and ndcg look."""


class Ranged(Protocol):
    """What is a range of a document: a hit, a passage."""

    @property
    def path(self) -> str:
        """The document."""

    @property
    def chars(self) -> Chars:
        """Its range."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a question is to find: all of it, or the best single label."""

    targets: tuple[Target, ...]
    is_any: bool

    @property
    def is_ranged(self) -> bool:
        """Whether every label is a range of characters."""
        return all(one.chars is not None for one in self.targets)


def recall(wanted: Wanted, found: Sequence[Ranged], most: float = math.inf) -> float:
    """Return the share of what is wanted that was found.

    most: characters that are thought to fit into what was found; a longer label counts as these,
    and more of it is all of it.
    """
    if wanted.is_ranged and not wanted.is_any:
        ranges = united(wanted.targets)
        held = sum(_held(one, found) for one in ranges)
        return min(1.0, held / min(sum(map(_size, ranges)), most))
    shares = [min(1.0, _held(one, found) / min(_size(one), most)) for one in wanted.targets]
    return max(shares) if wanted.is_any else sum(shares) / len(shares)


def precision_and_iou(wanted: Wanted, found: Sequence[Ranged]) -> tuple[float, float]:
    """Return the two for labels that are all ranges."""
    size = sum(one.chars[1] - one.chars[0] for one in found)
    ranges = united(wanted.targets)
    held = sum(_held(one, found) for one in ranges)
    labelled = sum(map(_size, ranges))
    return held / max(1, size), held / max(1, size + labelled - held)


def united(targets: Iterable[Target]) -> list[Target]:
    """Return the labels that are ranges by path and place, those that overlap or touch as one."""
    ranged = [(one.path, one.chars, one) for one in targets if one.chars is not None]
    joined: list[Target] = []
    reached = 0
    for path, (start, end), one in sorted(ranged, key=lambda item: item[:2]):
        if joined and joined[-1].path == path and start <= reached:
            reached = max(reached, end)
            first = joined[-1].chars or (start, end)
            joined[-1] = replace(joined[-1], chars=(first[0], reached))
        else:
            reached = end
            joined.append(one)
    return joined


def ranks(wanted: Wanted, hits: Sequence[Ranged]) -> tuple[int | None, ...]:
    """Return for each label the rank, from 1, of the first hit that is useful for it."""
    return tuple(
        next((rank for rank, hit in enumerate(hits, start=1) if _is_useful(one, hit)), None)
        for one in wanted.targets
    )


def reciprocal_rank(rank: int | None) -> float:
    """Return one over a rank, 0 for none among the first ten."""
    return 1 / rank if rank is not None and rank <= DEPTH else 0.0


def ndcg(wanted: Wanted, places: Sequence[int | None]) -> float:
    """Return the discounted gain of labels first met at these ranks, of the most there can be.

    A hit that meets two labels gains both, so that it may take a rank less than is thought best:
    more than 1 is 1. Where one label is enough, the best one counts.
    """
    # 2**grade - 1 is 0 for the least of grades.
    gains = [math.expm1(one.grade * math.log(2)) for one in wanted.targets]
    got = [
        gain / math.log2(place + 1) if place is not None and place <= DEPTH else 0.0
        for gain, place in zip(gains, places, strict=True)
    ]
    if wanted.is_any:
        return max(got) / max(gains)
    best = sorted(gains, reverse=True)[:DEPTH]
    return min(1.0, sum(got) / sum(gain / math.log2(rank + 2) for rank, gain in enumerate(best)))


def file_ranks(wanted: Wanted, hits: Sequence[Ranged]) -> tuple[int | None, ...]:
    """Return each label's rank among the files that were found, each by its best hit."""
    files = {path: rank for rank, path in enumerate(dict.fromkeys(hit.path for hit in hits), 1)}
    return tuple(files.get(one.path) for one in wanted.targets)


def _size(target: Target) -> int:
    """Return a label's characters; a file counts as one."""
    return 1 if target.chars is None else target.chars[1] - target.chars[0]


def _held(target: Target, found: Iterable[Ranged]) -> int:
    """Return how many of a label's characters were found, each once."""
    inside = sorted(one.chars for one in found if one.path == target.path)
    if target.chars is None:
        return 1 if inside else 0
    held, reached = 0, target.chars[0]
    for start, end in inside:
        end = min(end, target.chars[1])
        held += max(0, end - max(start, reached))
        reached = max(reached, end)
    return held


def _is_useful(target: Target, hit: Ranged) -> bool:
    """Whether somebody who reads the hit has found the label."""
    if hit.path != target.path or target.chars is None:
        return hit.path == target.path
    start, end = hit.chars[0], min(hit.chars[1], hit.chars[0] + READ_CHARACTERS)
    size = _size(target)
    both = max(0, min(end, target.chars[1]) - max(start, target.chars[0]))
    is_enough = both >= min(LEAST_CHARACTERS, size)
    return is_enough and (both >= 0.5 * size or both >= 0.5 * (end - start))
