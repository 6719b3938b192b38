"""What says the same again steps back, so that near-copies do not fill the top.

Two texts are near-copies where they share most runs of a few words: their resemblance by shingles
(Broder, "On the Resemblance and Containment of Documents", 1997).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from askmd.types import Chunk, Scored

AHEAD = 40
"""How many of the best are held against each other."""
SHINGLE_WORDS = 4
RESEMBLANCE = 0.65
SAME_WORDS = 0.5
_WORD = re.compile(r"\w+|[^\w\s]")
"""Signs too: C++ is not C#."""
COPIES = 2
"""How many near-copies keep their places: where one is right, nobody knows which."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """A ranking in which near-copies have stepped back."""

    best: Sequence[Scored]
    of: Mapping[str, str]
    """What stepped back, and the chunk that says the same before it."""


def set_back(
    best: Sequence[Scored],
    chunks: Mapping[str, Chunk],
    held: Mapping[str, frozenset[str]],
) -> Repeats:
    """Return the ranking with what is said a third time behind the first AHEAD.

    held: the question's words that each chunk holds, heading included. Only what holds the same of
    them is a copy: "Delete a user" and "Delete a webhook" may share every word but the one that is
    asked for. Of near-copies in one file the first takes the best of their places: it is where a
    reader would look, and what follows repeats it. Scores stay with the places, so they go on
    falling. Chunks that are not in ``chunks`` stay where they are.
    """
    head = [one.id for one in best[:AHEAD] if one.id in chunks]
    alike = _alike(head, chunks, held)
    order = _first_mentions(head, alike, chunks)
    seen: dict[str, list[str]] = {}
    kept: list[str] = []
    back: dict[str, str] = {}
    for id in order:
        family = seen.setdefault(alike[id], [])
        if len(family) < COPIES:
            kept.append(id)
        else:
            back[id] = family[0]
        family.append(id)
    places = iter([*kept, *back])
    moved = [Scored(next(places), one.score) if one.id in alike else one for one in best]
    return Repeats(moved, back)


def _alike(
    ids: Sequence[str], chunks: Mapping[str, Chunk], held: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    """Return each chunk's family, named by its best member."""
    shingles = cache(lambda id: _shingles(chunks[id].text))
    words = cache(lambda id: frozenset(chunks[id].text.split()))
    family: dict[str, str] = {}
    firsts: dict[frozenset[str], list[str]] = {}
    for id in ids:
        others = firsts.setdefault(held.get(id, frozenset()), [])
        # What shares few words shares fewer runs of them, and words are told apart much sooner.
        near = (one for one in others if _resemble(words(id), words(one), SAME_WORDS))
        like = (one for one in near if _resemble(shingles(id), shingles(one), RESEMBLANCE))
        family[id] = next(like, id)
        if family[id] == id:
            others.append(id)
    return family


def _resemble(one: frozenset[Any], other: frozenset[Any], least: float) -> bool:
    """Return whether two sets share so much of what either holds."""
    # The larger set bounds what they can share: most pairs are told apart by their sizes.
    small, large = sorted((len(one), len(other)))
    if small < least * large:
        return False
    shared = len(one & other)
    return shared >= least * (small + large - shared)


def _first_mentions(
    ids: Sequence[str], alike: Mapping[str, str], chunks: Mapping[str, Chunk]
) -> list[str]:
    """Return the ids with near-copies of one file in the file's order, in the places they hold."""
    groups: dict[tuple[str, str], list[str]] = {}
    for id in ids:
        groups.setdefault((alike[id], chunks[id].path), []).append(id)
    turns = {
        key: iter(sorted(group, key=lambda id: chunks[id].chars)) for key, group in groups.items()
    }
    return [next(turns[alike[id], chunks[id].path]) for id in ids]


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    runs = [words[n:] for n in range(SHINGLE_WORDS)]
    return frozenset(zip(*runs, strict=False)) or frozenset([tuple(words)])
