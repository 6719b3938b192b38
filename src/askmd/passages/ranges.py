"""Passages as ranges of a document: one of a hit, one of two that are continuous."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from askmd.types import Chars, Hit, Passage

WIDEST_GAP = 200
"""Characters of white space between two chunks that are still one continuous range."""

Read = Callable[[str, Chars], str | None]
"""Returns a range of a document's text; None where it cannot be had any more."""


def passage_of(hit: Hit) -> Passage:
    """Return a hit as a passage of its own, not numbered yet."""
    return Passage(
        number=0,
        path=hit.path,
        heading=hit.heading,
        anchor=hit.anchor,
        anchors=hit.anchors,
        lines=hit.lines,
        chars=hit.chars,
        chunks=(hit.chunk,),
        score=hit.score,
        text=hit.text,
    )


def joined(one: Passage, other: Passage, read: Read | None) -> Passage | None:
    """Return two passages as one continuous range, or None where they are not.

    It stands under the heading it begins with, and has the better one's score.
    """
    if one.path != other.path:
        return None
    front, back = sorted((one, other), key=lambda passage: passage.chars)
    between = _between(front, back, read)
    if between is None:
        return None
    overlap = max(0, front.chars[1] - back.chars[0])
    return replace(
        front,
        lines=(front.lines[0], max(front.lines[1], back.lines[1])),
        chars=(front.chars[0], max(front.chars[1], back.chars[1])),
        chunks=tuple(dict.fromkeys(front.chunks + back.chunks)),
        score=max(front.score, back.score),
        text=front.text + between + back.text[overlap:],
    )


def contains(one: Passage, other: Passage) -> bool:
    """Return whether a passage's range holds another's."""
    is_inside = one.chars[0] <= other.chars[0] and other.chars[1] <= one.chars[1]
    return one.path == other.path and is_inside


def overlaps(one: Passage, other: Passage) -> bool:
    """Return whether two passages have characters in common."""
    if one.path != other.path:
        return False
    return max(one.chars[0], other.chars[0]) < min(one.chars[1], other.chars[1])


def _between(front: Passage, back: Passage, read: Read | None) -> str | None:
    """Return the white space between two passages, or None if anything else is there."""
    start, end = front.chars[1], back.chars[0]
    if end <= start:
        return ""
    if read is None or end - start > WIDEST_GAP:
        return None
    gap = read(front.path, (start, end))
    return gap if gap and len(gap) == end - start and gap.isspace() else None
