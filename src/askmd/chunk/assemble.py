"""Sections → chunks: what goes together, what the embedder reads of it, its name."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from askmd.chunk.breadcrumb import Breadcrumb, breadcrumbs
from askmd.chunk.measure import NEXT_STEP, Measure
from askmd.chunk.pack import BARE, Piece, Pieces, pack, unsaid, weight
from askmd.chunk.pieces import Cutting
from askmd.chunk.reading import Reader
from askmd.chunk.source import Range, Source
from askmd.contracts import TokenCounter
from askmd.types import Block, Chunk, Lines, Outline, Section

UNREAD_CHARS = 100
"""How much is embedded of a chunk in which there is nothing to read: a comment, a blob."""


def split(
    path: str, text: str, outline: Outline, counter: TokenCounter, *, max_tokens: int
) -> list[Chunk]:
    """Return the document's chunks in order: every non-blank character is in one of them.

    None counts more tokens than the smaller of ``max_tokens`` and the counter's window, special
    tokens and heading path inside. ``outline`` is that of ``text``. Raises ConfigError for a bound
    under which nothing can be said, ValueError for a character that takes more than the bound.
    """
    measure = Measure(counter, max_tokens)
    source = Source(text)
    reader = Reader(text, outline.notes, outline.links)
    cutting = Cutting(source, measure, reader)
    drafts = _drafts(outline.sections, cutting)
    repeats: Counter[tuple[tuple[str, ...], str]] = Counter()
    chunks: list[Chunk] = []
    for draft, embedded, tokens in _settled(drafts, cutting):
        whole = draft.range
        said = text[whole.start : whole.end]
        lines = source.lines(whole.start, whole.end)
        section = _owner(draft, lines)
        heading = section.path
        chunks.append(
            Chunk(
                id=identify(path, heading, said, repeats[heading, said]),
                path=path,
                heading=heading,
                anchor=section.anchor,
                anchors=section.anchors,
                lines=lines,
                chars=(whole.start, whole.end),
                text=said,
                embedded=embedded,
                tokens=tokens,
            )
        )
        repeats[heading, said] += 1
    return chunks


def identify(path: str, heading: Sequence[str], text: str, repeat: int) -> str:
    """Return a chunk's id: what it says and where, not on which line."""
    # JSON keeps the parts apart whatever they hold.
    named = json.dumps([path, list(heading), text, repeat])
    return hashlib.blake2b(named.encode("ascii"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class _Draft:
    """A chunk whose tokens have been estimated."""

    section: Section
    breadcrumb: str
    pieces: Pieces
    above: tuple[Section, ...] = ()
    """Sections of which it holds the headings."""

    @property
    def range(self) -> Range:
        return Range(self.pieces[0].range.start, self.pieces[-1].range.end)


@dataclass(frozen=True, slots=True)
class _Group:
    """A section, and above it the headings that have no text of their own but this."""

    section: Section
    blocks: tuple[Block, ...]
    pieces: Pieces
    """Of each block, whole."""
    heads: int
    """How many of the blocks are said by the heading path, or say nothing."""
    above: tuple[Section, ...]
    """The sections of those headings."""


def _groups(sections: Sequence[Section], cutting: Cutting) -> Iterator[_Group]:
    counted = iter(cutting.whole([block for section in sections for block in section.blocks]))
    blocks: tuple[Block, ...] = ()
    pieces: Pieces = ()
    above: tuple[Section, ...] = ()
    is_said = True
    for n, section in enumerate(sections):
        own = tuple(next(counted) for _ in section.blocks)
        is_bare = _is_bare(section, own)
        heads = len(blocks) + (section.blocks[0].kind == "heading")
        blocks, pieces = blocks + section.blocks, pieces + own
        is_last = n + 1 == len(sections)
        is_parent = not is_last and _level(sections[n + 1]) > _level(section)
        if is_bare and not is_last and (is_parent or n == 0):
            # A first heading that is above nothing stands with the next, whose path lacks it.
            is_said = is_said and is_parent
            above += (section,)
            continue
        heads = (len(blocks) if is_bare else heads) if is_said else 0
        yield _Group(section, blocks, pieces, heads, above)
        blocks, pieces, above, is_said = (), (), (), True


def _is_bare(section: Section, pieces: Pieces) -> bool:
    """Return whether a section is its heading and nothing to read; a rule is nothing to read."""
    has_heading = section.blocks[0].kind == "heading"
    return has_heading and all(
        block.kind == "rule" or not piece.reading
        for block, piece in zip(section.blocks[1:], pieces[1:], strict=True)
    )


def _level(section: Section) -> int:
    return section.blocks[0].level


def _drafts(sections: Sequence[Section], cutting: Cutting) -> list[_Draft]:
    groups = list(_groups(sections, cutting))
    measure = cutting.measure
    crumbs = breadcrumbs((group.section.path for group in groups), measure)
    drafts: list[_Draft] = []
    left = 0
    for group in groups:
        added = sum(piece.tokens + piece.joint for piece in group.pieces)
        # A heading that has nothing under it joins the chunk before, if there is room.
        if drafts and group.heads == len(group.pieces) and added <= left:
            last = drafts[-1]
            drafts[-1] = replace(last, pieces=last.pieces + group.pieces)
            left -= added
            continue
        crumb = crumbs[group.section.path]
        room = measure.bound - measure.base - crumb.tokens
        pieces = tuple(_fitted(group, cutting, crumb, room))
        parts = pack(pieces, room)
        drafts += [_Draft(group.section, crumb.text, part, group.above) for part in parts]
        left = room - weight(drafts[-1].pieces)
    return drafts


def _owner(draft: _Draft, lines: Lines) -> Section:
    """Return whose chunk a draft is: a heading's above only where nothing below it fitted in."""
    first, last = draft.section.lines[0], lines[1]
    reached = [owner for owner in draft.above if first > last >= owner.lines[0]]
    return reached[-1] if reached else draft.section


def _fitted(group: _Group, cutting: Cutting, crumb: Breadcrumb, room: int) -> Iterator[Piece]:
    heading_tokens = 0
    told = cutting.with_leads(group.blocks, group.pieces, room)
    for n, (piece, block, frame) in enumerate(told):
        if n < group.heads and crumb.is_whole:
            yield piece._replace(is_said=True)
        elif block.kind == "heading":
            yield from cutting.fitted(piece, block, room)
            heading_tokens += piece.tokens
        else:
            # A heading that the breadcrumb cuts stands in one chunk with what is under it.
            fits = 2 * heading_tokens < room
            yield from cutting.fitted(piece, block, room - heading_tokens * fits, frame)
            heading_tokens = 0


def _settled(drafts: Sequence[_Draft], cutting: Cutting) -> Iterator[tuple[_Draft, str, int]]:
    """Yield the drafts with their text to embed and its exact count; halve those above the bound.

    Estimates add up for word pieces; byte pairs and prefixes may surprise.
    """
    texts = [_embedded(draft, cutting) for draft in drafts]
    counts = cutting.measure.counter.count(texts) if texts else []
    for draft, text, tokens in zip(drafts, texts, counts, strict=True):
        if tokens <= cutting.measure.bound:
            yield draft, text, tokens
        else:
            yield from _settled(_halves(draft, cutting), cutting)


def _embedded(draft: _Draft, cutting: Cutting) -> str:
    """Return what the embedder reads: breadcrumb, lead, the pieces' readings, tail."""
    body = unsaid(draft.pieces)
    said = _read(body, cutting.source.text)
    if said:
        frame = (body[0].frame.lead, said, body[-1].frame.tail)
        return "\n".join(filter(None, (draft.breadcrumb, *frame)))
    if draft.breadcrumb and draft.pieces[0].is_said:
        return draft.breadcrumb
    # Nothing here is for a reader; a heading above it would make a good hit of a blob.
    start = draft.range.start
    head = cutting.source.text[start : min(draft.range.end, start + UNREAD_CHARS)]
    return head[: max(1, cutting.measure.counter.cut(head, cutting.measure.bound))]


def _read(pieces: Pieces, text: str) -> str:
    """Return the pieces' readings, apart as they stand in the text."""
    parts: list[str] = []
    end = 0
    for piece in pieces:
        if piece.reading and parts:
            newlines = text.count("\n", end, piece.range.start)
            parts.append("\n" * min(newlines, 2) or " " * (end < piece.range.start))
        parts.append(piece.reading)
        end = piece.range.end
    return "".join(parts).strip("\n")


def _halves(draft: _Draft, cutting: Cutting) -> list[_Draft]:
    body = unsaid(draft.pieces)
    if len(body) > 1:
        middle = len(draft.pieces) - len(body) // 2
        return [
            replace(draft, pieces=draft.pieces[:middle]),
            replace(draft, pieces=draft.pieces[middle:]),
        ]
    [piece] = draft.pieces[-1:]
    if piece.range.end - piece.range.start > 1:
        first, *rest = cutting.halves(piece)
        return [
            replace(draft, pieces=(*draft.pieces[:-1], first)),
            *(replace(draft, pieces=(each,)) for each in rest),
        ]
    if draft.breadcrumb or piece.frame is not BARE:
        bare = tuple(each._replace(frame=BARE) for each in draft.pieces)
        return [replace(draft, breadcrumb="", pieces=bare)]
    # Not a ConfigError, which would stop the journey: one file's character is that file's failure.
    raise ValueError(f"a single character counts more tokens than the bound; {NEXT_STEP}")
