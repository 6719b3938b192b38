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
from askmd.chunk.source import Range, Source
from askmd.contracts import TokenCounter
from askmd.types import Block, Chunk, Outline, Section

VERSION = 1
"""Grows whenever the same text would be cut or embedded differently."""


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
    drafts = _drafts(outline.sections, Cutting(source, measure))
    repeats: Counter[tuple[tuple[str, ...], str]] = Counter()
    chunks: list[Chunk] = []
    for draft, embedded, tokens in _settled(drafts, source, measure):
        whole = draft.range
        said = text[whole.start : whole.end]
        heading = draft.section.path
        chunks.append(
            Chunk(
                id=identify(path, heading, said, repeats[heading, said]),
                path=path,
                heading=heading,
                anchor=draft.section.anchor,
                anchors=draft.section.anchors,
                lines=source.lines(whole.start, whole.end),
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

    @property
    def range(self) -> Range:
        return Range(self.pieces[0].range.start, self.pieces[-1].range.end)

    def embedded(self, text: str) -> str:
        """Return what the embedder reads: breadcrumb, lead, the text, tail."""
        body = unsaid(self.pieces)
        parts = [self.breadcrumb]
        if body:
            parts.append("" if body[0].opens else body[0].frame.lead)
            parts.append(text[body[0].range.start : body[-1].range.end])
            parts.append("" if body[-1].closes else body[-1].frame.tail)
        return "\n".join(filter(None, parts)) or text[self.range.start : self.range.end]


@dataclass(frozen=True, slots=True)
class _Group:
    """A section, and above it the headings that have no text of their own but this."""

    section: Section
    blocks: tuple[Block, ...]
    heads: int
    """How many of the blocks are said by the heading path."""


def _groups(sections: Sequence[Section]) -> Iterator[_Group]:
    waiting: tuple[Block, ...] = ()
    for n, section in enumerate(sections):
        blocks = waiting + section.blocks
        is_parent = n + 1 < len(sections) and _level(sections[n + 1]) > _level(section)
        if is_parent and _is_bare(section):
            waiting = blocks
            continue
        heads = len(waiting) + (section.blocks[0].kind == "heading")
        waiting = ()
        yield _Group(section, blocks, len(blocks) if _is_bare(section) else heads)


def _is_bare(section: Section) -> bool:
    """Return whether a section is its heading and nothing to read; a rule is nothing to read."""
    has_heading = section.blocks[0].kind == "heading"
    return has_heading and all(block.kind == "rule" for block in section.blocks[1:])


def _level(section: Section) -> int:
    return section.blocks[0].level


def _drafts(sections: Sequence[Section], cutting: Cutting) -> list[_Draft]:
    groups = list(_groups(sections))
    measure = cutting.measure
    crumbs = breadcrumbs((group.section.path for group in groups), measure)
    counted = iter(cutting.whole([block for group in groups for block in group.blocks]))
    drafts: list[_Draft] = []
    left = 0
    for group in groups:
        whole = tuple(next(counted) for _ in group.blocks)
        added = sum(piece.tokens + piece.joint for piece in whole)
        # A heading that has nothing under it joins the chunk before, if there is room.
        if drafts and group.heads == len(whole) and added <= left:
            last = drafts[-1]
            drafts[-1] = _Draft(last.section, last.breadcrumb, last.pieces + whole)
            left -= added
            continue
        crumb = crumbs[group.section.path]
        room = measure.bound - measure.base - crumb.tokens
        pieces = tuple(_fitted(group, whole, cutting, crumb, room))
        drafts.extend(_Draft(group.section, crumb.text, part) for part in pack(pieces, room))
        left = room - weight(drafts[-1].pieces)
    return drafts


def _fitted(
    group: _Group, whole: Sequence[Piece], cutting: Cutting, crumb: Breadcrumb, room: int
) -> Iterator[Piece]:
    for n, (piece, block) in enumerate(zip(whole, group.blocks, strict=True)):
        if n < group.heads and crumb.is_whole:
            yield Piece(piece.range, piece.tokens, piece.joint, is_said=True)
        else:
            yield from cutting.fitted(piece, block, room)


def _settled(
    drafts: Sequence[_Draft], source: Source, measure: Measure
) -> Iterator[tuple[_Draft, str, int]]:
    """Yield the drafts with their text to embed and its exact count; halve those above the bound.

    Estimates add up for word pieces; byte pairs and prefixes may surprise.
    """
    texts = [draft.embedded(source.text) for draft in drafts]
    counts = measure.counter.count(texts) if texts else []
    for draft, text, tokens in zip(drafts, texts, counts, strict=True):
        if tokens <= measure.bound:
            yield draft, text, tokens
        else:
            yield from _settled(_halves(draft, source), source, measure)


def _halves(draft: _Draft, source: Source) -> list[_Draft]:
    body = unsaid(draft.pieces)
    if len(body) > 1:
        middle = len(draft.pieces) - len(body) // 2
        return [
            replace(draft, pieces=draft.pieces[:middle]),
            replace(draft, pieces=draft.pieces[middle:]),
        ]
    [piece] = draft.pieces[-1:]
    start, end = piece.range.start, piece.range.end
    if end - start > 1:
        middle = (start + end) // 2
        parts = [source.trimmed(start, middle), source.trimmed(middle, end)]
        pieces = [
            replace(piece, range=part, opens=piece.opens and n == 0, closes=piece.closes and n == 1)
            for n, part in enumerate(parts)
            if part
        ]
        return [
            replace(draft, pieces=(*draft.pieces[:-1], pieces[0])),
            *(replace(draft, pieces=(each,)) for each in pieces[1:]),
        ]
    if draft.breadcrumb or piece.frame is not BARE:
        bare = tuple(replace(each, frame=BARE) for each in draft.pieces)
        return [replace(draft, breadcrumb="", pieces=bare)]
    # Not a ConfigError, which would stop the journey: one file's character is that file's failure.
    raise ValueError(f"a single character counts more tokens than the bound; {NEXT_STEP}")
