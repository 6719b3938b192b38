"""Blocks → pieces that fit a chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from askmd.chunk.cut import Cutter, by_tokens, cutters_of, glued, units
from askmd.chunk.measure import CHARS_PER_TOKEN, Measure
from askmd.chunk.pack import BARE, Frame, Piece
from askmd.chunk.source import Range, Source
from askmd.types import Block

MAX_FRAME = 0.3
"""A header or fence line that takes more than this share of a chunk is not repeated."""


class Cutting:
    """One document under one bound."""

    def __init__(self, source: Source, measure: Measure) -> None:
        self.source = source
        self.measure = measure

    def whole(self, blocks: Sequence[Block]) -> list[Piece]:
        """Return each block as one piece, however long; counted in one batch."""
        ranges = [self.source.of_lines(block.lines) for block in blocks]
        found = [self.source.trimmed(each.start, each.end) or each for each in ranges]
        return self._counted(found)

    def fitted(self, piece: Piece, block: Block, room: int) -> list[Piece]:
        """Return a block's piece, or if it is too long for a chunk the pieces it is cut into."""
        if piece.tokens <= room:
            return [piece]
        frame = self._frame(piece, block, room)
        inside = max(1, room - frame.lead_tokens - frame.tail_tokens)
        cutters = cutters_of(block.kind)
        coarse = glued(block.kind, units(self.source, piece.range, cutters[0]))
        cut = self._finer(coarse, cutters[1:], inside)
        last = len(cut) - 1
        is_sentence = block.kind == "paragraph"
        return [
            replace(
                each,
                joint=each.joint if n else piece.joint,
                frame=frame,
                opens=n == 0,
                closes=n == last,
                is_said=piece.is_said,
                is_sentence=is_sentence,
            )
            for n, each in enumerate(cut)
        ]

    def _finer(self, ranges: list[Range], cutters: Sequence[Cutter], room: int) -> list[Piece]:
        """Return the ranges as pieces, those above ``room`` cut by the next cutter, in order."""
        found: list[Piece] = []
        for piece in self._counted(ranges):
            if piece.tokens <= room:
                found.append(piece)
            elif cutters:
                finer = units(self.source, piece.range, cutters[0])
                found.extend(self._finer(finer, cutters[1:], room))
            else:
                limit = room + self.measure.base
                anywhere = by_tokens(self.source, piece.range, limit, self.measure.counter)
                found.extend(self._counted(anywhere))
        return found

    def _counted(self, ranges: Sequence[Range]) -> list[Piece]:
        text = self.source.text
        counts = self.measure.tokens([text[each.start : each.end] for each in ranges])
        found: list[Piece] = []
        for each, tokens in zip(ranges, counts, strict=True):
            joint = self._joint(found[-1].range.end, each.start) if found else 0
            found.append(Piece(each, tokens, joint))
        return found

    def _joint(self, end: int, start: int) -> int:
        """Return about how many tokens the blank between two pieces takes."""
        blank = (start - end) // CHARS_PER_TOKEN
        return blank + (self.measure.joint if "\n" in self.source.text[end:start] else 0)

    def _frame(self, piece: Piece, block: Block, room: int) -> Frame:
        """Return what the pieces of a table or fence repeat; nothing if it takes too much."""
        lines = self.source.text[piece.range.start : piece.range.end].split("\n")
        if block.kind == "table":
            lead, tail = "\n".join(lines[:2]), ""
        elif block.kind == "fence":
            mark = lines[0].lstrip()[:3]
            lead, tail = lines[0], lines[-1] if lines[-1].lstrip().startswith(mark) else mark
        else:
            return BARE
        lead_tokens, tail_tokens = self.measure.tokens([lead + "\n", "\n" + tail])
        if lead_tokens + tail_tokens > MAX_FRAME * room:
            return BARE
        return Frame(lead, tail, lead_tokens, tail_tokens if tail else 0)
