"""Chat completions, streamed through the ``openai`` client from any server that speaks its API."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from askmd.addresses import OPENAI_URL
from askmd.endpoint import Endpoint, faults, load_early, open_client
from askmd.errors import LLMError, PromptTooLong
from askmd.llm import reply
from askmd.llm.attempts import Attempts
from askmd.llm.completion import OpenAICompletion
from askmd.llm.faults import Spent, explain
from askmd.llm.limits import Line, Patience, limit_size
from askmd.llm.listing import Listed, first_to_chat, read_listing, window_in
from askmd.llm.profile import Profile, Profiles
from askmd.llm.request import as_request
from askmd.types import Message, Usage

if TYPE_CHECKING:
    import openai


class OpenAILLM:
    """An LLM behind an OpenAI-compatible server. Safe to share between threads.

    Waiting for a first text takes at most 20 times ``timeout_seconds``, all attempts together, and
    two minutes of pauses; a server that says nothing at all is given up after ``timeout_seconds``.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str,
        api_key: str | None,
        key_name: str = "",
        timeout_seconds: float = 60.0,
        answer_tokens: int | None = None,
        window: int = 0,
        profiles: Profiles | None = None,
        attempts: int = 3,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Say whom to ask; nothing is sent yet.

        model: empty for the first one the server lists. base_url: empty for OpenAI's.
        key_name: the environment variable that ``api_key`` is from, for messages.
        timeout_seconds: how long the server may go without a word. window: tokens the model reads
        and writes in all, 0 where only its server can tell. profiles: where it is kept what the
        server refuses. attempts: how often a request that fails in passing is sent in all.
        """
        key = (api_key or "").strip()
        self._endpoint = Endpoint(base_url or OPENAI_URL, model, key_name, key, timeout_seconds)
        self._answer_tokens = answer_tokens
        self._window = window
        self._listed_window: int | None = None
        self._profiles = profiles
        self._known: Profile | None = None
        self._attempts = attempts
        self._sleep = sleep

    @property
    def model(self) -> str:
        """The model's name; empty until the server was asked for it."""
        return self._endpoint.model

    def warm(self) -> None:
        """Load in the background what the first request waits for; returns at once."""
        load_early(self._endpoint.base_url)

    @property
    def window(self) -> int | None:
        """How many tokens the model reads and writes in all; None where nobody has told."""
        return self._window or self.profile.window or self._listed_window

    @property
    def answer_tokens(self) -> int | None:
        """Tokens an answer may have where a question names no limit of its own."""
        return self._answer_tokens

    def without_key(self, text: str) -> str:
        """Return text in which the key, should the server repeat it, is blotted out."""
        return self._endpoint.without_key(text)

    @property
    def profile(self) -> Profile:
        """What is known of the server and its model: learned now, or remembered."""
        if self._known is None and self.model and self._profiles is not None:
            self._known = self._profiles.recall(self._endpoint.address, self.model)
        return self._known or Profile()

    def remember(self, profile: Profile) -> None:
        """Take a profile for the server's, and keep it for the next time."""
        self._known = profile
        if self._profiles is not None and not self._endpoint.holds_key(self.model):
            self._profiles.remember(self._endpoint.address, self.model, profile)

    def stream(
        self, messages: Sequence[Message], *, answer_tokens: int | None = None
    ) -> OpenAICompletion:
        """Start a completion of at most ``answer_tokens`` and wait for its first text.

        Raises PromptTooLong where the messages exceed the model's window, LLMError where there is
        no text for another reason; later trouble is told by ``cut_reason``.
        """
        client, patience = self._open()
        try:
            if not self.model:
                first = first_to_chat(self._listed(client, patience))
                self._endpoint = replace(self._endpoint, model=first.name)
                self._listed_window = first.window
            limit = answer_tokens or self._answer_tokens
            return self._started(client, patience, messages, limit)
        except BaseException:
            patience.end()
            client.close()
            raise

    def models(self) -> list[str]:
        """Return the names of the models the server lists; raises LLMError if it lists none."""
        return [one.name for one in self.listing()]

    def listing(self) -> list[Listed]:
        """Return the models the server lists, with their windows; LLMError if it lists none."""
        client, patience = self._open()
        try:
            listed = self._listed(client, patience)
        finally:
            patience.end()
            client.close()
        self._listed_window = window_in(listed, self.model) or self._listed_window
        return listed

    def with_model(self, name: str) -> OpenAILLM:
        """Return the same server's LLM of another name; what was configured of it stays."""
        window = self._window if name == self.model else 0
        return self._copied(name, window, self._profiles)

    def fresh(self) -> OpenAILLM:
        """Return the same LLM without anything that was learned of it, as a probe needs it."""
        return self._copied(self.model, self._window, None)

    def _copied(self, model: str, window: int, profiles: Profiles | None) -> OpenAILLM:
        asked = self._endpoint
        return OpenAILLM(
            model,
            base_url=asked.base_url,
            api_key=asked.api_key,
            key_name=asked.key_name,
            timeout_seconds=asked.timeout_seconds,
            answer_tokens=self._answer_tokens,
            window=window,
            profiles=profiles,
            attempts=self._attempts,
            sleep=self._sleep,
        )

    def _open(self) -> tuple[openai.OpenAI, Patience]:
        """Return a client of its own for one completion, and what cuts it off after too long.

        Closing one client ends no other.
        """
        if self._endpoint.key_fault:
            raise LLMError(self._endpoint.key_fault)
        line = Line()
        try:
            client = open_client(self._endpoint, on_response=[line.note, limit_size])
        except faults() as error:
            address = self._endpoint.address
            raise LLMError(
                f"{address} is no address of a server", "correct llm.base_url"
            ) from error

        def hang_up() -> None:
            line.cut()
            client.close()

        return client, Patience(self._endpoint.timeout_seconds, hang_up)

    def _listed(self, client: openai.OpenAI, patience: Patience) -> list[Listed]:
        """Return what the server lists; raises LLMError if that is nothing."""
        asked = replace(self._endpoint, model="")
        patience.begin()
        try:
            listed = client.get("/models", cast_to=object)
        except faults() as error:
            raise explain(patience.fault or error, asked) from error
        patience.pause()
        # A name is shown, kept and sent: one with the key in it is no model's.
        models = [one for one in read_listing(listed) if not self._endpoint.holds_key(one.name)]
        if not models:
            raise LLMError(f"{asked.address} lists no model", "name one with --model")
        return models

    def _started(
        self,
        client: openai.OpenAI,
        patience: Patience,
        messages: Sequence[Message],
        limit: int | None,
    ) -> OpenAICompletion:
        """Return a completion whose first text is there, after as many attempts as it may take."""
        attempts = Attempts(self.profile, self._attempts)
        while True:
            request = as_request(self.model, messages, attempts.profile, limit)
            completion: OpenAICompletion | None = None
            patience.begin()
            try:
                stream = client.chat.completions.create(**request)
                chunks = reply.chunks(stream)
                completion = OpenAICompletion(
                    chunks, self._endpoint, patience.give_up, patience, self._count
                )
                completion.wait()
                self._learn(attempts.lesson)
                return completion
            except Spent as error:
                # It took the request as it was, all the same.
                self._learn(attempts.lesson)
                raise explain(error, self._endpoint) from error
            except faults() as error:
                patience.pause()
                has_begun = completion is not None and completion.has_begun
                told = patience.fault or error
                is_open = completion is not None
                fault = explain(told, self._endpoint, is_open=is_open, has_begun=has_begun)
                if patience.is_over or has_begun:
                    raise fault from error
                pause = self._pause_after(error, attempts, request, fault)
            if pause is not None:
                self._sleep(pause)

    def _learn(self, profile: Profile) -> None:
        if profile != self.profile:
            self.remember(profile)

    def _count(self, usage: Usage) -> None:
        """Forget a window that was learned once the server reads and writes more than that."""
        known = self.profile.window
        if known and (usage.prompt_tokens or 0) + (usage.completion_tokens or 0) > known:
            self.remember(replace(self.profile, window=None))

    def _pause_after(
        self, error: Exception, attempts: Attempts, request: dict[str, Any], fault: LLMError
    ) -> float | None:
        """Return what the attempts say; a window that is told on the way is remembered."""
        try:
            return attempts.pause_after(error, request, fault)
        except PromptTooLong as told:
            if told.window:
                self._learn(replace(self.profile, window=told.window))
            raise
