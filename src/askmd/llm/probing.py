"""A handful of tiny requests that find out what a server takes, and what it leaves out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from askmd.errors import LLMError
from askmd.llm.client import OpenAILLM
from askmd.llm.faults import Spent
from askmd.llm.listing import Listed, bare, window_in
from askmd.llm.profile import Profile
from askmd.types import Message, Usage

_ASKED = [Message("system", "Answer with one word."), Message("user", "Say: ready")]
LEAST_TOKENS = 500
"""Enough for most models that think before they answer; others need three."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a server was found to do."""

    model: str
    """The one that was asked; empty where none was named and none is listed."""
    profile: Profile
    models: tuple[str, ...]
    """What the server lists; empty where it lists none."""
    usage: Usage | None
    first_seconds: float | None
    """To its first text, with every request that it refused on the way; None without one."""
    fault: LLMError | None
    """Why no answer came; None where one did."""
    cut_reason: str | None
    """Why the answer broke off; None where it is whole, or as long as was asked for."""
    spent_tokens: int | None = None
    """What it thought away before a first word; None where it came to one."""

    @property
    def is_listed(self) -> bool:
        """Whether the server lists the model that was asked, or lists none."""
        return not self.models or bare(self.model) in map(bare, self.models)


def probe(llm: OpenAILLM) -> Probe:
    """Return what the LLM's server does with tiny requests; it is remembered afterwards.

    What was remembered counts for nothing here, so that an upgraded server is seen as it is.
    """
    asked = llm.fresh()
    listed = _listed(asked)
    names = tuple(one.name for one in listed)
    most = max(LEAST_TOKENS, llm.answer_tokens or 0)
    started = time.monotonic()
    try:
        completion = asked.stream(_ASKED, answer_tokens=most)
        first_seconds = time.monotonic() - started
        for _text in completion:
            pass
    except LLMError as error:
        if not isinstance(error.__cause__, Spent):
            return Probe(asked.model, asked.profile, names, None, None, error, None)
        profile = _remembered(llm, asked, listed)
        return Probe(asked.model, profile, names, None, None, None, None, most)
    profile = _remembered(llm, asked, listed)
    is_cut_short = completion.cut_reason is not None and "token limit" in completion.cut_reason
    cut = None if is_cut_short else completion.cut_reason
    return Probe(asked.model, profile, names, completion.usage, first_seconds, None, cut)


def _remembered(llm: OpenAILLM, asked: OpenAILLM, listed: list[Listed]) -> Profile:
    """Return what was found out, once it is kept for the LLM's next answers."""
    window = asked.profile.window or window_in(listed, asked.model)
    profile = replace(asked.profile, window=window)
    (llm if llm.model else llm.with_model(asked.model)).remember(profile)
    return profile


def _listed(llm: OpenAILLM) -> list[Listed]:
    """Return the models a server lists; none where it cannot."""
    try:
        return llm.listing()
    except LLMError:
        return []
