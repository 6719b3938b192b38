"""How many blocks a document may hold for its length, so that memory stays in bounds."""

from __future__ import annotations

from collections.abc import Sequence

FREE_BLOCKS = 215_000
"""So many blocks are held whatever their length."""
LEAST_CHARS = 28
"""Each block above that takes so many characters of the document: it costs memory by the block."""
HEADING_WEIGHT = 2.5
"""What a heading costs in blocks: it is a section, with a path and anchors, besides."""


class Size:
    """The blocks of one document against the characters of its lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Take the lines without their newlines."""
        self._chars = sum(map(len, lines))
        self._blocks = 0
        self._weight = 0.0

    def add(self, blocks: int, *, headings: int = 0) -> None:
        """Count blocks, ``headings`` among them, before anything is made of them.

        Raises ValueError where they are too many: that is data, and not text to ask about.
        """
        self._blocks += blocks
        self._weight += blocks - headings + headings * HEADING_WEIGHT
        if self._weight > FREE_BLOCKS + self._chars // LEAST_CHARS:
            average = self._chars / self._blocks
            raise ValueError(
                f"it holds {self._blocks:,} blocks of {average:.0f} characters on average, "
                "which is no text; exclude it"
            )
