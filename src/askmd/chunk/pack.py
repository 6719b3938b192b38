"""Pieces → chunks: greedily, as many as fit, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

from askmd.chunk.source import Range
from askmd.types import BlockKind

OVERLAP_SENTENCES = 0
"""How many sentences (0 or 1) a cut paragraph's next chunk repeats from the chunk before."""
MAX_OVERLAP = 0.15
"""A sentence that fills more of a chunk than this is not repeated."""
SMALL_LAST = 0.5
"""A section's last chunk that fills less than this of the room shares with the one before."""

LONG_SECTION = 8
"""In a section of more chunks than this rows choose the borders, see ``_beyond_mark``."""
LONG_FILL = 0.8
"""How much of the room a chunk of such a section takes: no heading says what it is about, so its
vector must, and a shorter text is more of one thing. See benchmarks/RESULTS.md."""
LOOSE_END = 0.2
"""Share of the room at the end of a chunk in which its border is chosen."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What makes a piece readable that stands first, or last, in its chunk."""

    lead: str = ""
    """A list's lead-in line, a table's header row, a fence's opening line."""
    tail: str = ""
    """A fence's closing line."""
    lead_tokens: int = 0
    tail_tokens: int = 0


BARE = Frame()


class Piece(NamedTuple):
    """A whole block, or a piece of one that is too long."""

    range: Range
    kind: BlockKind
    reading: str
    """What the embedder reads of it; empty where there is nothing to read."""
    tokens: int
    """By itself, without special tokens."""
    joint: int = 0
    """Tokens of the blank between the piece before and this one."""
    frame: Frame = BARE
    opens: bool = True
    """Whether nothing of its block stands before it."""
    is_said: bool = False
    """Whether it is a heading that the breadcrumb says already."""
    leads: bool = False
    """Whether it says little without what follows: a heading, ``as follows:``, a title."""
    is_sentence: bool = False


Pieces = tuple[Piece, ...]


def unsaid(pieces: Pieces) -> Pieces:
    """Return the pieces without the leading headings that the breadcrumb says already."""
    first = next((n for n, piece in enumerate(pieces) if not piece.is_said), len(pieces))
    return pieces[first:]


def weight(pieces: Sequence[Piece]) -> int:
    """Return about how many tokens the pieces take as one chunk, its breadcrumb left out."""
    body = unsaid(tuple(pieces))
    if not body:
        return 0
    inside = sum(piece.tokens + piece.joint for piece in body) - body[0].joint
    return inside + body[0].frame.lead_tokens + body[-1].frame.tail_tokens


def pack(pieces: Pieces, room: int, *, overlap: int = OVERLAP_SENTENCES) -> list[Pieces]:
    """Return one section's chunks: greedy, but a tiny last one shares with its neighbour.

    Only the last two are balanced, so that an edit moves no more borders than it must.
    """
    is_long = sum(piece.tokens for piece in pieces) > LONG_SECTION * room
    room = int(LONG_FILL * room) if is_long else room
    chunks = _greedy(pieces, room, overlap, is_long=is_long)
    if len(chunks) < 2 or weight(chunks[-1]) >= SMALL_LAST * room:
        return chunks
    end = chunks[-2][-1].range.end
    shared = chunks[-2] + tuple(piece for piece in chunks[-1] if piece.range.start >= end)
    low, high = weight(shared) // 2, room
    while low < high:
        middle = (low + high) // 2
        if len(_greedy(shared, middle, overlap)) <= 2:
            high = middle
        else:
            low = middle + 1
    return chunks[:-2] + _greedy(shared, high, overlap)


def _greedy(pieces: Pieces, room: int, overlap: int, *, is_long: bool = False) -> list[Pieces]:
    chunks: list[Pieces] = []
    chunk: list[Piece] = []
    fill = 0
    for piece in pieces:
        added = piece.tokens + (piece.joint if fill else 0)
        if fill and fill + added + piece.frame.tail_tokens > room:
            kept = _leading(chunk, piece, room) or (
                _beyond_mark(chunk, piece, room) if is_long else []
            )
            chunks.append(tuple(chunk[: len(chunk) - len(kept)]))
            chunk = kept or (_repeated(chunk, piece, room) if overlap else [])
            fill = weight(chunk)
            added = piece.tokens + (piece.joint if fill else 0)
        if not piece.is_said or fill:
            fill += added + (0 if fill else piece.frame.lead_tokens)
        chunk.append(piece)
    return [*chunks, tuple(chunk)] if chunk else chunks


def _leading(chunk: Sequence[Piece], following: Piece, room: int) -> list[Piece]:
    """Return the last pieces of a chunk that belong with what follows, if they fit with it."""
    start = len(chunk)
    while start > 0 and chunk[start - 1].leads and not chunk[start - 1].is_said:
        start -= 1
    kept = list(chunk[start:])
    if not kept or not unsaid(tuple(chunk[:start])):
        return []
    return kept if weight([*kept, following]) <= room else []


def _beyond_mark(chunk: Sequence[Piece], following: Piece, room: int) -> list[Piece]:
    """Return the last rows of a chunk that stand after the border their content chooses.

    Among the rows of a table, list or fence in its last fifth the one whose hash is lowest ends the
    chunk: so two cuts that start at different rows meet again after a chunk or two, and ids stay.
    Prose needs none of this, whose sentences differ in length.
    """
    best, border = None, len(chunk)
    beyond = 0
    for n in range(len(chunk) - 1, 0, -1):
        if chunk[n].opens or chunk[n].is_sentence:
            break
        mark = crc32(chunk[n].reading.encode("utf-8", "surrogatepass"))
        if best is None or mark < best:
            best, border = mark, n + 1
        beyond += chunk[n].tokens + chunk[n].joint
        if beyond > LOOSE_END * room:
            break
    kept = list(chunk[border:])
    return kept if kept and weight([*kept, following]) <= room else []


def _repeated(chunk: Sequence[Piece], following: Piece, room: int) -> list[Piece]:
    """Return the sentence that the next chunk of a cut paragraph starts with again, if any."""
    last = chunk[-1]
    is_short = last.is_sentence and last.tokens < MAX_OVERLAP * room
    fits = last.tokens + following.tokens <= room
    return [last] if len(chunk) > 1 and not following.opens and is_short and fits else []
