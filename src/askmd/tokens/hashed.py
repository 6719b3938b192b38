"""Tokens of the hash embedder, which has no vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence


class HashCounter:
    """Counts for the hash embedder, which reads words: dependency-free, exact for it.

    A piece is a mark, or up to eight characters of a word; two are added, as most models do.
    """

    _PIECE = re.compile(r"\w{1,8}|[^\w\s]")

    def __init__(self, window: int = 256) -> None:
        """Take the window of the model that this embedder stands in for."""
        self.window = window
        self.exact = True
        self.vocabulary = "hash-pieces-8"

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return each text's pieces, and two."""
        return [sum(1 for _ in self._PIECE.finditer(text)) + 2 for text in texts]

    def cut(self, text: str, limit: int) -> int:
        """Return the largest offset so that ``text[:offset]`` counts at most ``limit``."""
        end = 0
        for number, piece in enumerate(self._PIECE.finditer(text), start=3):
            if number > limit:
                return end
            end = piece.end()
        return len(text) if limit >= 2 else 0
