"""Hits without those whose words are all in others: what is copied is sent once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from askmd.types import Hit
from askmd.words import segmented

BESIDE = 2000
"""Characters within which a section that repeats itself is left as its author wrote it."""
AHEAD = 10
"""How many hits are read before the first is given: its original may be among them."""

_RUN = 5
_SHORTEST = 20
"""Words below which a text costs little, and may mean another thing under another heading."""
# Signs go with the word before them: "C++" is not "C#", and a run is always five words long.
_WORD = re.compile(r"\w+\W*+|\W++")
_DRESS = re.compile(
    r"^ {0,3}+#{1,6}+(?=[ \t])"
    r"|(?<![\w*`])(\*{1,3}+|`)(?=\S)([^*`\n]{1,200}+)(?<=\S)\1(?![\w*`])",
    re.MULTILINE,
)
"""The marks of a heading, and those around words that are emphasised or code."""

Shingle = tuple[str, ...]


def without_copies(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the hits in their order, without those whose words are all in one before.

    Of two that say the same under one heading of a document the earlier one stays, at the better
    one's place: the later one repeats it. Under another heading the better one stays, for the
    heading may be what was asked for; and what is only a part of it is no copy there.

    All words are there if every run of five is: case, blanks and the marks of headings and emphasis
    make no difference, any other word or sign does. Only the hits that are asked for are read, and
    ``AHEAD``.
    """
    kept: list[tuple[Hit, set[Shingle]]] = []
    given = 0
    for hit in hits:
        shingles = _shingles(hit.text)
        place = next((place for place, one in enumerate(kept) if _says(one, hit, shingles)), None)
        if place is None:
            kept.append((hit, shingles))
        elif place >= given and len(shingles) == len(kept[place][1]):
            kept[place] = (_earlier(hit, kept[place][0]), shingles)
        if len(kept) > given + AHEAD:
            yield kept[given][0]
            given += 1
    yield from (hit for hit, _ in kept[given:])


def _says(one: tuple[Hit, set[Shingle]], hit: Hit, shingles: set[Shingle]) -> bool:
    """Return whether another hit, not beside this one, says all that this one does."""
    # Most pairs differ in the first run that is looked at: this costs next to nothing.
    if not shingles or not shingles <= one[1] or _is_beside(hit, one[0]):
        return False
    # A part may mean another thing under another heading; the whole is said once.
    return hit.heading == one[0].heading or len(shingles) == len(one[1])


def _shingles(text: str) -> set[Shingle]:
    """Return the runs of five words in a text; none of a text that is short."""
    plain = _DRESS.sub(r"\2", segmented(text, with_ends=False).lower())
    words = ["".join(word.split()) for word in _WORD.findall(plain.strip())]
    if len(words) < _SHORTEST:
        return set()
    return set(zip(*(words[start:] for start in range(_RUN)), strict=False))


def _earlier(hit: Hit, other: Hit) -> Hit:
    """Return the one of two copies that stands first, as far as that can be said."""
    if (hit.path, hit.heading) != (other.path, other.heading) or other.chars < hit.chars:
        return other
    return replace(hit, rank=other.rank, score=other.score)


def _is_beside(hit: Hit, other: Hit) -> bool:
    """Return whether two hits stand near each other in one section."""
    if (hit.path, hit.heading, hit.anchor) != (other.path, other.heading, other.anchor):
        return False
    return max(hit.chars[0] - other.chars[1], other.chars[0] - hit.chars[1]) < BESIDE
