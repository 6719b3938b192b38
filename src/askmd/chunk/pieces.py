"""Blocks → pieces that fit a chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from askmd.chunk.cut import Cutter, by_tokens, cutters_of, glued, units
from askmd.chunk.measure import CHARS_PER_TOKEN, Measure
from askmd.chunk.pack import BARE, Frame, Piece
from askmd.chunk.reading import Reader
from askmd.chunk.source import Range, Source
from askmd.chunk.tags import opens_more
from askmd.types import Block, BlockKind

MAX_FRAME = 0.3
"""What takes more than this share of a chunk is not repeated in the pieces of what it leads."""
MAX_LEADING_CHARS = 300
"""A longer paragraph that ends with a colon says enough by itself."""


class Cutting:
    """One document under one bound."""

    def __init__(self, source: Source, measure: Measure, reader: Reader) -> None:
        self.source = source
        self.measure = measure
        self._reader = reader

    def whole(self, blocks: Sequence[Block]) -> list[Piece]:
        """Return each block as one piece, however long; counted in one batch."""
        ranges = [self.source.of_lines(block.lines) for block in blocks]
        found = [self.source.trimmed(each.start, each.end) or each for each in ranges]
        readings = [
            self._heading(each, block) if block.kind == "heading" else self._read(each, block.kind)
            for block, each in zip(blocks, found, strict=True)
        ]
        kinds = [block.kind for block in blocks]
        pieces = self._counted(found, readings, kinds)
        return [
            piece._replace(leads=True) if self._leads(block, piece) else piece
            for piece, block in zip(pieces, blocks, strict=True)
        ]

    def fitted(self, piece: Piece, block: Block, room: int, frame: Frame = BARE) -> Iterator[Piece]:
        """Yield a block's piece, or if it is too long for a chunk the pieces it is cut into.

        frame: what has to stand before the block where it opens a chunk.
        """
        if piece.tokens + frame.lead_tokens <= room:
            yield piece if frame is BARE else piece._replace(frame=frame)
        elif block.children:
            yield from self._inside(piece, block, room, frame)
        else:
            yield from self._pieces(piece, block, room, frame)

    def with_leads(
        self, blocks: Sequence[Block], pieces: Sequence[Piece], room: int, frame: Frame = BARE
    ) -> Iterator[tuple[Piece, Block, Frame]]:
        """Yield blocks that follow each other with what leads each in: a list's line before it."""
        line = ""
        for piece, block in zip(pieces, blocks, strict=True):
            own = self._lead(line, room) if block.kind == "list" else BARE
            yield piece, block, _joined(frame, own, room)
            line = _last_line(piece.reading) if block.kind == "paragraph" and piece.leads else ""

    def _inside(self, piece: Piece, block: Block, room: int, frame: Frame) -> Iterator[Piece]:
        """Yield the pieces of what a list, item, quote or container holds."""
        parts = list(self._parts(block))
        whole = self.whole(parts)
        whole[0] = whole[0]._replace(joint=piece.joint)
        own = BARE
        for n, (each, part, lead) in enumerate(self.with_leads(parts, whole, room, frame)):
            opens = n == 0
            for inner in self.fitted(each, part, room, _joined(lead, own, room)):
                yield inner._replace(opens=opens and inner.opens)
                opens = False
            if n == 0 and (block.kind in ("item", "container") or block.info):
                own = self._lead(_first_line(each.reading), room)

    def _parts(self, block: Block) -> Iterator[Block]:
        """Yield a block's children, and between them the lines that are in none of them."""
        line = block.lines[0]
        for child in block.children:
            yield from self._gap(line, child.lines[0] - 1)
            yield child
            line = child.lines[1] + 1
        yield from self._gap(line, block.lines[1])

    def _gap(self, first: int, last: int) -> Iterator[Block]:
        if first <= last:
            whole = self.source.of_lines((first, last))
            if self.source.trimmed(whole.start, whole.end):
                # It has no name, as an opener or closer has none of its own.
                yield Block("container", (first, last))

    def _pieces(self, piece: Piece, block: Block, room: int, above: Frame) -> Iterator[Piece]:
        """Yield the pieces of a block that holds no others, cut at rows, lines or sentences."""
        own = self._frame(piece, block, room)
        middle = _joined(above, own, room)
        lead_tokens = max(above.lead_tokens, middle.lead_tokens)
        inside = max(1, room - lead_tokens - own.tail_tokens)
        cutters = cutters_of(block.kind)
        coarse = glued(block.kind, units(self.source, piece.range, cutters[0]))
        cut = self._finer(coarse, cutters[1:], inside, block.kind)
        last = len(cut) - 1
        for n, each in enumerate(cut):
            frame = middle if n else replace(above, tail=own.tail, tail_tokens=own.tail_tokens)
            yield each._replace(
                joint=each.joint if n else piece.joint,
                frame=replace(frame, tail="", tail_tokens=0) if n == last else frame,
                opens=n == 0,
                is_said=piece.is_said,
                leads=piece.leads,
                is_sentence=block.kind == "paragraph",
            )

    def halves(self, piece: Piece) -> list[Piece]:
        """Return a piece as two, or as one where the other half is blank."""
        start, end = piece.range.start, piece.range.end
        middle = (start + end) // 2
        parts = (self.source.trimmed(start, middle), self.source.trimmed(middle, end))
        return [
            piece._replace(range=part, reading=self._read(part, piece.kind), opens=False)
            for part in parts
            if part
        ]

    def _finer(
        self, ranges: list[Range], cutters: Sequence[Cutter], room: int, kind: BlockKind
    ) -> list[Piece]:
        """Return the ranges as pieces, those above ``room`` cut by the next cutter, in order."""
        found: list[Piece] = []
        for piece in self._alike(ranges, kind):
            if piece.tokens <= room:
                found.append(piece)
            elif cutters:
                finer = units(self.source, piece.range, cutters[0])
                found.extend(self._finer(finer, cutters[1:], room, kind))
            else:
                limit = room + self.measure.base
                cut = by_tokens(self.source, piece.range, limit, self.measure.counter)
                found.extend(self._alike(cut, kind))
        return found

    def _alike(self, ranges: Sequence[Range], kind: BlockKind) -> list[Piece]:
        readings = [self._read(each, kind) for each in ranges]
        return self._counted(ranges, readings, [kind] * len(ranges))

    def _leads(self, block: Block, piece: Piece) -> bool:
        """Return whether a block is to stand in one chunk with what follows it."""
        if block.kind == "heading":
            return True
        if not piece.reading or len(piece.reading) > MAX_LEADING_CHARS:
            return False
        if block.kind == "html":
            return opens_more(self.source.text[piece.range.start : piece.range.end])
        if block.kind == "container":
            return not block.info
        return block.kind == "paragraph" and piece.reading.endswith((":", "\uff1a"))

    def _heading(self, each: Range, block: Block) -> str:
        """Return a heading's plain text, which the outline has; one too long for it is read."""
        is_whole = block.info and not block.info.endswith("\u2026")
        return block.info if is_whole else self._read(each, "heading")

    def _read(self, each: Range, kind: BlockKind) -> str:
        return self._reader.read(self.source.text[each.start : each.end], kind)

    def _counted(
        self, ranges: Sequence[Range], readings: Sequence[str], kinds: Sequence[BlockKind]
    ) -> list[Piece]:
        counts = self.measure.tokens(readings)
        found: list[Piece] = []
        for each, reading, kind, tokens in zip(ranges, readings, kinds, counts, strict=True):
            # What is not read must not make a chunk of any length: a passage is read by an LLM.
            least = (each.end - each.start) // CHARS_PER_TOKEN
            joint = self._joint(found[-1].range.end, each.start) if found else 0
            found.append(Piece(each, kind, reading, max(tokens, least, 1), joint))
        return found

    def _joint(self, end: int, start: int) -> int:
        """Return about how many tokens the blank between two pieces takes."""
        blank = (start - end) // CHARS_PER_TOKEN
        return blank + (self.measure.joint if "\n" in self.source.text[end:start] else 0)

    def _frame(self, piece: Piece, block: Block, room: int) -> Frame:
        """Return what the pieces of a table or fence repeat; nothing if it takes too much."""
        text = self.source.text[piece.range.start : piece.range.end]
        if block.kind == "table":
            return self._lead(self._reader.read(_first_line(text), "table"), room)
        if block.kind != "fence":
            return BARE
        lines = text.split("\n")
        lead, last = (self._reader.read(line, "fence") for line in (lines[0], lines[-1]))
        mark = lead.lstrip()[:3]
        tail = last if last.lstrip().startswith(mark) else mark
        lead_tokens, tail_tokens = self.measure.tokens([lead + "\n", "\n" + tail])
        if lead_tokens + tail_tokens > MAX_FRAME * room:
            return BARE
        return Frame(lead, tail, lead_tokens, tail_tokens)

    def _lead(self, line: str, room: int) -> Frame:
        [tokens] = self.measure.tokens([line + "\n"])
        return Frame(line, lead_tokens=tokens) if line and tokens <= MAX_FRAME * room else BARE


def _joined(outer: Frame, own: Frame, room: int) -> Frame:
    """Return two frames as one; where both take too much, the inner one."""
    if own is BARE or outer is BARE:
        return outer if own is BARE else own
    tokens = outer.lead_tokens + own.lead_tokens
    if outer.lead.endswith(own.lead):
        return outer
    if tokens > MAX_FRAME * room:
        return own
    return replace(own, lead="\n".join(filter(None, (outer.lead, own.lead))), lead_tokens=tokens)


def _first_line(text: str) -> str:
    return text.lstrip().partition("\n")[0]


def _last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]
