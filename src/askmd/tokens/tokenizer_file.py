"""Tokens of a local model, counted with the tokenizer that stands beside its weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.errors import ConfigError
from askmd.tokens.cutting import cut_at, well_formed
from askmd.tokens.word_counts import WordCounts, adds_up, in_batches

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TokenizerCounter:
    """Counts with a model's own ``tokenizer.json``: exact, special tokens and prefix inside.

    The file is read at the first count, so that a counter costs nothing until then.
    """

    def __init__(
        self, tokenizer_file: Path, *, window: int, prefix: str = "", lowercase: bool = False
    ) -> None:
        """Remember the file; ``lowercase`` is what some models do to a text before all else."""
        self._file = tokenizer_file
        self._prefix = prefix
        self._lowercase = lowercase
        self.window = window
        self.exact = True

    @cached_property
    def vocabulary(self) -> str:
        """sha256 of the tokenizer's file."""
        return hashlib.sha256(self._read()).hexdigest()

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens the model would see of each text if it cut nothing off."""
        tokenizer = self._tokenizer
        seen = [self._seen(text) for text in texts]
        if self._words is None:
            return in_batches(lambda batch: self._encoded(batch, special=True), seen)
        special = tokenizer.num_special_tokens_to_add(False)
        return [special + count for count in self._words.count(seen)]

    def _encoded(self, texts: Sequence[str], *, special: bool = False) -> list[int]:
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=special)
        return [len(encoding.ids) for encoding in encodings]

    def cut(self, text: str, limit: int) -> int:
        """Return the largest offset found so that ``text[:offset]`` counts at most ``limit``."""
        room = max(limit - self._tokenizer.num_special_tokens_to_add(False), 0)
        return cut_at(text, limit, ends=lambda head: self._ends(head, room), count=self.count)

    def _ends(self, head: str, room: int) -> list[int] | None:
        encoding = self._tokenizer.encode(self._seen(head), add_special_tokens=False)
        if len(encoding.offsets) <= room:
            return None if room else []
        return [end - len(self._prefix) for _, end in encoding.offsets[:room]]

    def _seen(self, text: str) -> str:
        seen = well_formed(self._prefix + text)
        return seen.lower() if self._lowercase else seen

    @cached_property
    def _words(self) -> WordCounts | None:
        """What counts word by word; None where a tokenizer's counts do not add up so."""
        description = json.loads(self._read())
        added = [token["content"] for token in description.get("added_tokens") or []]
        return WordCounts(self._encoded, added) if adds_up(description) else None

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        data = self._read()
        try:
            tokenizer = Tokenizer.from_buffer(data)
        except Exception as error:  # The library raises bare Exception for every fault of a file.
            raise ConfigError(
                f"{self._file} is not a tokenizer: {error}", "fetch the model again"
            ) from error
        # all-MiniLM-L6-v2's own file says: cut at 128 tokens, and pad to 128.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _read(self) -> bytes:
        try:
            return self._file.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"the tokenizer {self._file} cannot be read: {error.strerror}",
                "fetch the model again",
            ) from error
