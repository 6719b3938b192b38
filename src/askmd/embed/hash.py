"""Hashed words: an embedder for tests and for trying askmd with nothing installed.

It finds shared words and parts of words, no meaning. The method is feature hashing with signs:
Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from askmd.contracts import TokenCounter
from askmd.embed.gate import unit_vectors
from askmd.types import Identity

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors

VERSION = "1"
"""Changes with every vector this module would make otherwise."""

_WORD = re.compile(r"\w+")
_FUNCTION_WORDS = frozenset(
    re.findall(
        "[a-z]+",
        "a an and are as at be but by can do does for from has have how i if in is it its me my no "
        "not of on or so that the their there these this to was we what when where which who why "
        "will with you your",
    )
)


class HashEmbedder:
    """Words and their letter trigrams, hashed to signed places; the same on every machine."""

    def __init__(self, counter: TokenCounter, *, dim: int = 384) -> None:
        """Take the counter whose window bounds the chunks, though nothing is cut off here."""
        self.counter = counter
        self._dim = dim

    def identity(self, *, max_tokens: int, chunker: int) -> Identity:
        """Return what these vectors are made of."""
        return Identity(
            provider="hash",
            model=f"hash-{self._dim}",
            revision=VERSION,
            dim=self._dim,
            query_prefix="",
            passage_prefix="",
            tokenizer=self.counter.vocabulary,
            max_tokens=max_tokens,
            chunker=chunker,
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text: float32, shape (len(texts), dim), in the same order."""
        rows = np.zeros((len(texts), self._dim), dtype=np.float64)
        for row, text in zip(rows, texts, strict=True):
            for feature, weight in _weights(text).items():
                place, sign = _place(feature, self._dim)
                row[place] += sign * weight
            if not row.any():
                row[0] = 1.0  # A text without words has no direction of its own.
        return unit_vectors(rows, len(texts), self._dim, maker="the hash embedder")

    def embed_query(self, text: str) -> Vector:
        """Return the question's unit vector: float32, shape (dim,)."""
        vector: Vector = self.embed([text])[0]
        return vector

    def warm(self) -> None:
        """Begin in the background what the first text would wait for: nothing here."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


def _weights(text: str) -> dict[str, float]:
    """Return what each feature of a text weighs: sublinear in how often its word stands there."""
    weights: dict[str, float] = {}
    for word, times in Counter(_WORD.findall(text.casefold())).items():
        weight = (1 + math.log(times)) * (0.1 if word in _FUNCTION_WORDS else 1.0)
        weights[word] = weights.get(word, 0.0) + weight
        trigrams = list(_trigrams(word))
        for trigram in trigrams:
            # Together a word's trigrams weigh half of what the word does.
            weights[trigram] = weights.get(trigram, 0.0) + 0.5 * weight / math.sqrt(len(trigrams))
    return weights


def _trigrams(word: str) -> Iterator[str]:
    marked = f"#{word}#"
    for start in range(len(marked) - 2):
        yield "#" + marked[start : start + 3]


@lru_cache(maxsize=100_000)
def _place(feature: str, dim: int) -> tuple[int, float]:
    # Python's own hash() differs from process to process.
    digest = blake2b(feature.encode("utf-8", "replace"), digest_size=8).digest()
    number = int.from_bytes(digest, "little")
    return (number >> 1) % dim, 1.0 if number & 1 else -1.0
