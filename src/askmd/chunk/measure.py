"""What text costs against the bound: the counter's tokens, counted in batches."""

from __future__ import annotations

from collections.abc import Sequence

from askmd.contracts import TokenCounter
from askmd.errors import ConfigError

LEAST_TOKENS = 16
"""Below this bound nothing readable fits beside a heading."""
CHARS_PER_TOKEN = 64
"""A token stands for at most this many characters, or base64 would be one huge unknown word."""

NEXT_STEP = "raise chunks.max_tokens, or take a model with a larger window"
"""What mends a bound under which nothing can be said."""


class Measure:
    """One counter under one bound."""

    def __init__(self, counter: TokenCounter, max_tokens: int) -> None:
        """Take the smaller of ``max_tokens`` and the window; ConfigError if nothing fits."""
        self.counter = counter
        self.bound = min(max_tokens, counter.window)
        empty, letter, letters = counter.count(["", "a", "a\n\na"])
        self.base = empty
        """Tokens every text has: special ones and the model's passage prefix."""
        self.joint = max(0, letters + empty - 2 * letter)
        """Tokens of the blank line between two blocks."""
        if self.bound < LEAST_TOKENS or self.bound - self.base < LEAST_TOKENS // 2:
            raise ConfigError(
                f"a bound of {self.bound} tokens leaves no room for text beside the "
                f"{self.base} that every text takes",
                NEXT_STEP,
            )

    def tokens(self, texts: Sequence[str]) -> list[int]:
        """Return what each text adds to a chunk; above the bound, a text may go uncounted."""
        floors = [len(text) // CHARS_PER_TOKEN for text in texts]
        counted = [n for n, floor in enumerate(floors) if floor <= self.bound]
        counts = self.counter.count([texts[n] for n in counted]) if counted else []
        for n, count in zip(counted, counts, strict=True):
            floors[n] = max(floors[n], count - self.base)
        return floors
