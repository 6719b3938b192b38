"""One token budget for passages and history, and never more than the LLM's window.

The oldest turns go first; passages are cut only where the window itself is too small, and then it
is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from askmd.contracts import TokenCounter
from askmd.types import Message

HISTORY_SHARE = 0.25
"""Of the budget: what the conversation so far may take from the passages."""
LEAST_PASSAGE_TOKENS = 30
"""A window that has no room for so many is no window to answer in."""
_PER_MESSAGE = 8
"""Tokens that a chat template puts around a message: OpenAI counts 3, ChatML 5, Llama 3 7."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How many tokens an answer may be made from."""

    tokens: int
    """Of passages and history together."""
    answer_tokens: int
    """Kept free for the answer."""
    window: int
    """What the model reads and writes in all."""

    @property
    def history(self) -> int:
        """Tokens the conversation so far may take."""
        return int(self.tokens * HISTORY_SHARE)

    def excess(self, messages: Sequence[Message], counter: TokenCounter) -> int:
        """Return by how many tokens messages and answer exceed the window; 0 where they do not."""
        # Nothing has more tokens than bytes, and most windows are far larger than all that is sent.
        size = sum(len(message.content.encode("utf-8", "replace")) for message in messages)
        if size + self._around(messages) <= self.window:
            return 0
        counts = counter.count([message.content for message in messages])
        return max(0, sum(counts) + self._around(messages) - self.window)

    def _around(self, messages: Sequence[Message]) -> int:
        return self.answer_tokens + _PER_MESSAGE * (len(messages) + 1)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a conversation has taken so far, and what it may still take."""

    budget: int
    """Of passages and history together, for each answer."""
    history: int
    """The history that the next question would be sent with."""
    left: int
    """Of the history's budget: what exceeds it makes the oldest turns go."""
    window: int | None
    """What the model reads and writes in all; None where nobody has told."""
    prompt_tokens: int
    """Sent so far, as far as the server counted."""
    answer_tokens: int
    """Answered so far, as far as the server counted."""
    cost: float | None
    """At the configured prices; None without them, or without counts."""
