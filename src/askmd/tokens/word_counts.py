"""Counts that add up: where a tokenizer reads word by word, a word met before is not read again."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence, Set
from typing import Any

MAX_WORDS = 200_000
"""How many words are remembered; all are forgotten when there are more."""
MAX_WORD_CHARS = 64
"""A longer word is counted each time: it will hardly come again."""
MAX_BATCH_CHARS = 500_000
"""Characters counted in one call: a tokenizer keeps some hundred bytes for each."""
# BERT drops other control characters and joins what stands around them; Python splits there.
_MARK = re.compile(r"([!-/:-@\[-`{-~])")
_JOINING = re.compile("[\x0b\x0c\x1c-\x1f\x85]")


def adds_up(description: dict[str, Any]) -> bool:
    """Return whether a ``tokenizer.json`` counts a text as the sum of its words' counts.

    BERT's way does: it splits at blanks before all else, and no token spans two words.
    """
    parts = [description.get(name) or {} for name in ("normalizer", "pre_tokenizer", "model")]
    added = description.get("added_tokens") or []
    return [part.get("type") for part in parts] == [
        "BertNormalizer",
        "BertPreTokenizer",
        "WordPiece",
    ] and not any(set(token.get("content", "")) & set(" \t\n\r") for token in added)


class WordCounts:
    """Counts texts by their words, each of which is counted once."""

    def __init__(
        self, count: Callable[[Sequence[str]], list[int]], added_tokens: Sequence[str]
    ) -> None:
        """Take what counts the tokens of words, special ones left out, and those with marks."""
        self._count = count
        self._added = added_tokens
        self._known: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return each text's tokens, special ones left out."""
        words = [[text] if _JOINING.search(text) else text.split() for text in texts]
        with self._lock:
            try:
                return self._sums(words)
            except KeyError:
                known = self._known
                unknown = {word for each in words for word in each if word not in known}
                self._learn(unknown)
                found = self._sums(words)
                self._forget(unknown)
                return found

    def _learn(self, words: Set[str]) -> None:
        """Count words by what stands between their marks, each of which is one token."""
        apart = {word: [word] if self._is_whole(word) else _MARK.split(word) for word in words}
        known = self._known
        parts = {part for each in apart.values() for part in each[::2] if part not in known}
        counts = in_batches(self._count, list(parts))
        known.update(zip(parts, counts, strict=True))
        known.update(
            (w, sum(map(known.__getitem__, p[::2])) + len(p) // 2) for w, p in apart.items()
        )
        for part in parts - words:
            if len(part) > MAX_WORD_CHARS:
                known.pop(part, None)

    def _is_whole(self, word: str) -> bool:
        return _JOINING.search(word) is not None or any(token in word for token in self._added)

    def _sums(self, words: Sequence[Sequence[str]]) -> list[int]:
        count = self._known.__getitem__
        return [sum(map(count, each)) for each in words]

    def _forget(self, words: Set[str]) -> None:
        """Let go of what is not worth its memory."""
        if len(self._known) > MAX_WORDS:
            self._known.clear()
        for word in words:
            if len(word) > MAX_WORD_CHARS:
                self._known.pop(word, None)


def in_batches(count: Callable[[Sequence[str]], list[int]], texts: Sequence[str]) -> list[int]:
    """Return what ``count`` says of the texts, asked for some of them at a time."""
    found: list[int] = []
    batch: list[str] = []
    chars = 0
    for text in texts:
        batch.append(text)
        chars += len(text) + 64
        if chars > MAX_BATCH_CHARS:
            found += count(batch)
            batch, chars = [], 0
    return found + (count(batch) if batch else [])
