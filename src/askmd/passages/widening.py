"""A chunk widened to the whole section it was cut from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from askmd.passages.ranges import Read
from askmd.types import Chunk, Passage

REACH = 6
"""Chunks on either side beyond which a section is no small one."""

Around = Callable[[str, int], Sequence[Chunk]]
"""Returns the chunks up to so many before and after one in its document, in order."""


def widened(passage: Passage, around: Around, read: Read, *, most_chars: int) -> Passage | None:
    """Return a chunk's whole section as one passage, ``most_chars`` more at most.

    None where the section is the chunk alone, is larger than that, or can no longer be read.
    """
    near = around(passage.chunks[0], REACH)
    before = _own(passage, [one for one in near if one.chars < passage.chars][::-1])
    after = _own(passage, [one for one in near if one.chars > passage.chars])
    if not before + after or REACH in (len(before), len(after)):
        return None
    start = before[-1].chars[0] if before else passage.chars[0]
    end = after[-1].chars[1] if after else passage.chars[1]
    size = end - start
    if size - len(passage.text) > most_chars:
        return None
    text = read(passage.path, (start, end))
    offset = passage.chars[0] - start
    # The index may have moved on since the hit was found.
    if text is None or len(text) != size or not text.startswith(passage.text, offset):
        return None
    first_line = passage.lines[0] - text.count("\n", 0, offset)
    return replace(
        passage,
        lines=(first_line, first_line + text.count("\n")),
        chars=(start, end),
        chunks=(*(one.id for one in before[::-1]), *passage.chunks, *(one.id for one in after)),
        text=text,
    )


def _own(passage: Passage, chunks: Iterable[Chunk]) -> list[Chunk]:
    """Return the chunks up to the first that is of another section."""
    section = (passage.heading, passage.anchor)
    return list(takewhile(lambda one: (one.heading, one.anchor) == section, chunks))
