"""A chat completion, streamed through the ``openai`` client from any server that speaks its API."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from askmd.addresses import OPENAI_URL
from askmd.endpoint import Endpoint, faults, load_early, open_client, pause_seconds, readable
from askmd.errors import LLMError
from askmd.llm.faults import NoCompletion, Silence, explain, may_pass, without_refused
from askmd.llm.limits import Patience, limit_size
from askmd.llm.thoughts import ThoughtFilter
from askmd.types import Message, Usage

if TYPE_CHECKING:
    import openai

USAGE_SECONDS = 3.0
"""How long the token counts are waited for once the answer is complete."""
MOST_CHARACTERS = 1_000_000
"""Where an answer that does not end is cut."""

# OpenAI says stop and length; the others are Text Generation Inference's, Together's, Anthropic's,
# Cohere's, Mistral's and Gemini's, which gateways pass on.
_WHOLE = frozenset({"stop", "eos", "eos_token", "stop_sequence", "end_turn", "complete"})
_SPENT = frozenset({"length", "max_tokens", "model_length"})
_FILTERED = frozenset({"content_filter", "safety"})
_LONGEST_FINISH = 60
_UNFINISHED = "the server's stream ended without saying that the answer was finished"
_UNREAD = "the answer was not read to its end"


class OpenAILLM:
    """An LLM behind an OpenAI-compatible server. Safe to share between threads."""

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None,
        key_name: str = "",
        timeout_seconds: float = 60.0,
        answer_tokens: int | None = None,
        attempts: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Say whom to ask; nothing is sent yet.

        model: empty for the first one the server lists. base_url: empty for OpenAI's.
        key_name: the environment variable that ``api_key`` is from, for messages.
        timeout_seconds: how long the server may go without a word. attempts: how often a request
        that fails in passing is sent in all.
        """
        key = (api_key or "").strip()
        self._endpoint = Endpoint(base_url or OPENAI_URL, model, key_name, key, timeout_seconds)
        self._answer_tokens = answer_tokens
        self._attempts = attempts
        self._sleep = sleep
        load_early()

    @property
    def model(self) -> str:
        """The model's name; empty until the server was asked for it."""
        return self._endpoint.model

    @property
    def window(self) -> int | None:
        """How many tokens the model reads and writes in all; None where nobody has told."""
        return None

    def stream(
        self, messages: Sequence[Message], *, answer_tokens: int | None = None
    ) -> OpenAICompletion:
        """Start a completion and wait for its first text.

        Raises LLMError if there is none; later trouble is told by ``cut_reason``.
        """
        client = self._open()
        patience = Patience(self._endpoint.timeout_seconds, client.close)
        try:
            if not self.model:
                first = self._first_model(client, patience)
                self._endpoint = replace(self._endpoint, model=first)
            return self._started(client, patience, self._request(messages))
        except BaseException:
            patience.end()
            client.close()
            raise

    def _open(self) -> openai.OpenAI:
        """Return a client of its own for one completion, so that closing one ends no other."""
        if self._endpoint.key_fault:
            raise LLMError(self._endpoint.key_fault)
        try:
            return open_client(self._endpoint, on_response=[limit_size])
        except faults() as error:
            address = self._endpoint.address
            raise LLMError(
                f"{address} is no address of a server", "correct llm.base_url"
            ) from error

    def _first_model(self, client: openai.OpenAI, patience: Patience) -> str:
        patience.begin()
        try:
            listed = client.get("/models", cast_to=object)
        except faults() as error:
            raise explain(Silence() if patience.is_over else error, self._endpoint) from error
        patience.pause()
        models = listed.get("data") if isinstance(listed, dict) else None
        first = models[0] if isinstance(models, list) and models else None
        name = first.get("id") if isinstance(first, dict) else None
        if not isinstance(name, str) or not name:
            raise LLMError(f"{self._endpoint.address} lists no model", "name one with --model")
        return name

    def _request(self, messages: Sequence[Message]) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": readable(self.model),
            "messages": [{"role": m.role, "content": readable(m.content)} for m in messages],
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return request | ({"max_tokens": self._answer_tokens} if self._answer_tokens else {})

    def _started(
        self, client: openai.OpenAI, patience: Patience, request: dict[str, Any]
    ) -> OpenAICompletion:
        """Return a completion whose first text is there, after as many attempts as it may take."""
        failed = 0
        while True:
            patience.begin()
            try:
                stream = client.chat.completions.create(**request)
                completion = OpenAICompletion(
                    _chunks(stream), self._endpoint, client.close, patience
                )
                completion.wait()
                return completion
            except faults() as error:
                patience.pause()
                if patience.is_over:
                    raise explain(Silence(), self._endpoint) from error
                reduced = without_refused(request, error)
                if reduced is not None:
                    request = reduced
                    continue
                failed += 1
                if failed >= self._attempts or not may_pass(error):
                    raise explain(error, self._endpoint) from error
                self._sleep(pause_seconds(error, failed))


class OpenAICompletion:
    """A running completion: iterate for its text, then read how it ended."""

    def __init__(
        self,
        chunks: Iterator[Any],
        endpoint: Endpoint,
        close: Callable[[], None],
        patience: Patience,
    ) -> None:
        """Take the server's chunks as they come; ``close`` aborts the request."""
        self.usage: Usage | None = None
        self.cut_reason: str | None = _UNREAD
        self._endpoint = endpoint
        self._close = close
        self._patience = patience
        self._finish: str | None = None
        self._first: list[str] = []
        self._texts = self._read(chunks)

    def wait(self) -> None:
        """Wait for the first text; raises what the client raises, NoCompletion if none comes."""
        self._first = [text for text in [next(self._texts, None)] if text]
        if not self._first:
            if self._finish in _SPENT:
                raise NoCompletion(
                    "it used up its tokens before the first word (llm.answer_tokens)"
                )
            is_odd = self._finish and self._finish not in _WHOLE
            raise NoCompletion(
                "it sent no text" + (f" and stopped with {self._finish!r}" if is_odd else "")
            )

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it arrives; once only."""
        try:
            while self._first:
                yield self._first.pop()
            yield from self._texts
            self.cut_reason = self._how_it_ended()
        except faults() as error:
            # After finish_reason only the usage is missing, not the text.
            told = Silence() if self._patience.is_over else error
            cut = explain(told, self._endpoint, has_begun=True).message
            self.cut_reason = self._how_it_ended() if self._finish else cut
        finally:
            self.close()

    def close(self) -> None:
        """Abort the request if it is still running."""
        self._patience.end()
        self._close()

    def _how_it_ended(self) -> str | None:
        if self._finish in _WHOLE:
            return None
        if self._finish in _SPENT:
            return "the answer reached its token limit"
        if self._finish in _FILTERED:
            return "the server's content filter stopped the answer"
        if not self._finish:
            return _UNFINISHED
        return self._endpoint.without_key(f"the server stopped the answer with {self._finish!r}")

    def _noted(self, chunk: Any) -> Any:
        """Return a chunk's choice, having noted what the chunk says of counts and of the end."""
        self.usage = _usage(chunk) or self.usage
        choice = _choice(chunk)
        finish = getattr(choice, "finish_reason", None)
        if isinstance(finish, str) and finish:
            self._finish = finish.lower()[:_LONGEST_FINISH]
        return choice

    def _read(self, chunks: Iterator[Any]) -> Iterator[str]:
        length, thoughts = 0, ThoughtFilter()
        for chunk in chunks:
            choice = self._noted(chunk)
            text = _text(choice)
            length += len(text)
            if spoken := thoughts.feed(text):
                self._patience.pause()
                yield spoken
            if text or _thought(choice):
                self._patience.begin()
            if length > MOST_CHARACTERS:
                self._finish = "length"
            if self._finish and (self.usage or length > MOST_CHARACTERS):
                break
            if self._finish:
                # Only the usage can be missing now, and some servers never send it.
                self._patience.hurry(USAGE_SECONDS)
        else:
            self._patience.check()
        if rest := thoughts.flush():
            yield rest


def _chunks(stream: Any) -> Iterator[Any]:
    """Yield a reply's chunks; a reply that is no stream at all is one chunk, or NoCompletion."""
    kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        yield _whole(stream.response)
    elif kind.endswith("html"):
        raise NoCompletion("it sent a web page")
    else:
        yield from stream


def _whole(response: Any) -> Any:
    """Return a completion that a server sent in one piece though a stream was asked for."""
    from openai.types.chat import ChatCompletion

    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > 4 * MOST_CHARACTERS:
            raise NoCompletion("its answer has no end")
    data = json.loads(body)
    if not isinstance(data, dict):
        raise NoCompletion("it sent JSON that is no completion")
    error = data.get("error")
    if error:
        said = error.get("message") if isinstance(error, dict) else error
        raise NoCompletion(f"it says {str(said)[:200]!r}")
    return ChatCompletion.construct(**data)


def _choice(chunk: Any) -> Any:
    """Return a chunk's first choice; None where there is none, as in the chunk with the usage."""
    choices = getattr(chunk, "choices", None)
    return choices[0] if isinstance(choices, list) and choices else None


def _text(choice: Any) -> str:
    part = getattr(choice, "delta", None) or getattr(choice, "message", None)
    content = getattr(part, "content", None)
    if isinstance(content, list):
        # Some gateways stream the parts of a message, as OpenAI's own requests have them.
        texts = [one.get("text") for one in content if isinstance(one, dict)]
        content = "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _thought(choice: Any) -> bool:
    """Tell whether a chunk holds reasoning: no text of the answer, but no silence either."""
    delta = getattr(choice, "delta", None)
    thoughts = [getattr(delta, name, None) for name in ("reasoning_content", "reasoning")]
    return any(isinstance(thought, str) and thought for thought in thoughts)


def _usage(chunk: Any) -> Usage | None:
    """Return the token counts a chunk carries; None unless at least one is a number."""
    told = getattr(chunk, "usage", None)
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    counts = [getattr(told, name, None) for name in names]
    numbers = [count if isinstance(count, int) else None for count in counts]
    return Usage(*numbers) if any(number is not None for number in numbers) else None
