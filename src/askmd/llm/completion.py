"""A running completion: its text as it comes, then how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from askmd.endpoint import Endpoint, faults
from askmd.llm import reply
from askmd.llm.faults import NoCompletion, Spent, explain
from askmd.llm.limits import Patience
from askmd.llm.thoughts import PairFilter, ThoughtFilter
from askmd.secrets import KeyFilter
from askmd.types import Usage

USAGE_SECONDS = 3.0
"""How long the token counts are waited for once the answer is complete."""
MOST_CHARACTERS = 1_000_000
"""Where an answer that does not end is cut."""
MOST_THOUGHT = 4_000_000
"""Characters of reasoning after which no answer is waited for."""

# OpenAI says stop and length; the others are Text Generation Inference's, Together's, Anthropic's,
# Cohere's, Mistral's and Gemini's, which gateways pass on.
_WHOLE = frozenset({"stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete"})
_SPENT = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety"})
# What some servers write where the reason is still to come.
_NO_REASON = frozenset({"", "null", "none"})
_LONGEST_FINISH = 60
_LONGEST_REFUSAL = 1000
_log = logging.getLogger("askmd.llm")
_UNFINISHED = "the server's stream ended without saying that the answer was finished"
_UNREAD = "the answer was not read to its end"


class OpenAICompletion:
    """A running completion: iterate for its text, then read how it ended."""

    def __init__(
        self,
        chunks: Iterator[Any],
        endpoint: Endpoint,
        close: Callable[[], None],
        patience: Patience,
        counted: Callable[[Usage], None],
    ) -> None:
        """Take the server's chunks as they come; ``close`` aborts the request.

        counted: is told how many tokens it took, once it has ended.
        """
        self.usage: Usage | None = None
        self.cut_reason: str | None = _UNREAD
        self.has_begun = False
        """Whether a chunk with a choice has come, after which nothing is asked again."""
        self._endpoint = endpoint
        self._close = close
        self._is_closed = False
        self._patience = patience
        self._counted = counted
        self._index: int | None = None
        self._finish: str | None = None
        self._refusal = ""
        self._first: list[str] = []
        self._texts = self._read(chunks)

    def wait(self) -> None:
        """Wait for the first text; raises what the client raises, NoCompletion if none comes."""
        for text in self._texts:
            self._first.append(text)
            if text.strip():
                return
        # White space alone is no answer.
        raise self._emptiness()

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it arrives; once only."""
        try:
            first, self._first = self._first, []
            yield from first
            for text in self._texts:
                # What came before it was closed may be there still.
                if self._is_closed:
                    return
                yield text
            self.cut_reason = self._how_it_ended()
        except faults() as error:
            # After finish_reason only the usage is missing, not the text.
            told = self._patience.fault or error
            cut = explain(told, self._endpoint, is_open=True, has_begun=True).message
            self.cut_reason = self._how_it_ended() if self._finish else cut
        finally:
            self.close()
            if self.usage is not None:
                self._counted(self.usage)

    def close(self) -> None:
        """Abort the request if it is still running, whichever thread waits for it."""
        self._is_closed = True
        self._patience.end()
        self._close()

    def _emptiness(self) -> NoCompletion:
        """Return why a reply that ended has no text."""
        if self._refusal:
            return NoCompletion(f"the model refused: {self._refusal!r}", "ask in other words")
        if self._finish in _SPENT:
            said = "it used up its tokens before the first word"
            return Spent(f"{said} (llm.answer_tokens)", "raise llm.answer_tokens")
        is_odd = self._finish and self._finish not in _WHOLE
        end = f" and stopped with {self._finish!r}" if is_odd else ""
        return NoCompletion(f"it sent no text{end}", "ask again, or name another model")

    def _how_it_ended(self) -> str | None:
        if self._refusal:
            said = self._endpoint.without_key(self._refusal)
            return f"the model refused to go on: {said[:_LONGEST_FINISH]!r}"
        if self._finish in _WHOLE:
            return None
        if self._finish in _SPENT:
            return "the answer reached its token limit"
        if self._finish in _FILTERED:
            return "the server's content filter stopped the answer"
        return (
            f"the server stopped the answer with {self._finish!r}" if self._finish else _UNFINISHED
        )

    def _noted(self, chunk: Any) -> Any:
        """Return a chunk's choice, having noted what the chunk says of counts and of the end."""
        self.usage = reply.usage_of(chunk) or self.usage
        choice = reply.choice_of(chunk, self._index)
        if choice is None:
            return None
        # Of several answers the first one is read, and no text of another comes between.
        self._index = reply.index_of(choice)
        self.has_begun = True
        if len(self._refusal) < _LONGEST_REFUSAL:
            self._refusal += reply.refusal_of(choice)
        finish = getattr(choice, "finish_reason", None)
        if isinstance(finish, str) and finish.lower() not in _NO_REASON:
            self._finish = self._endpoint.without_key(finish).lower()[:_LONGEST_FINISH]
        return choice

    def _read(self, chunks: Iterator[Any]) -> Iterator[str]:
        length = thought = 0
        pairs, thoughts = PairFilter(), ThoughtFilter()
        keys = KeyFilter(*self._endpoint.secrets)
        for chunk in chunks:
            choice = self._noted(chunk)
            text, aside = reply.text_of(choice), reply.thought_of(choice)
            length += len(text)
            thought += len(aside)
            if spoken := keys.feed(thoughts.feed(pairs.feed(text))):
                self._patience.pause()
                yield spoken
            if text or aside:
                self._patience.begin()
            if self._is_read(length, thought):
                break
        else:
            self._patience.check()
        if rest := keys.feed(thoughts.feed(pairs.flush()) + thoughts.flush()) + keys.flush():
            yield rest
        if thoughts.was_shown:
            _log.warning("the answer begins with the model's thoughts: its template opens them")

    def _is_read(self, length: int, thought: int) -> bool:
        """Whether nothing more is worth waiting for; raises NoCompletion for endless thoughts."""
        if thought > MOST_THOUGHT:
            raise NoCompletion("its thoughts have no end", "ask another model")
        if length > MOST_CHARACTERS:
            self._finish = "length"
            return True
        if self._finish is None or self.usage is not None:
            return self._finish is not None
        # Only the usage can be missing now, and some servers never send it.
        self._patience.hurry(USAGE_SECONDS)
        return False
