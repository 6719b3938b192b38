"""A handful of tiny requests that find out what a server takes, and what it leaves out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from askmd.errors import LLMError
from askmd.llm.client import OpenAILLM
from askmd.llm.listing import Listed
from askmd.llm.profile import Profile
from askmd.types import Message, Usage

_ASKED = [Message("system", "Answer with one word."), Message("user", "Say: ready")]
# Enough for a model that thinks before it answers; others need three.
_ANSWER_TOKENS = 500


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


def probe(llm: OpenAILLM) -> Probe:
    """Return what the LLM's server does with tiny requests; it is remembered afterwards.

    What was remembered counts for nothing here, so that an upgraded server is seen as it is.
    """
    asked = llm.fresh()
    listed = _listed(asked)
    started = time.monotonic()
    try:
        completion = asked.stream(_ASKED, answer_tokens=_ANSWER_TOKENS)
        first_seconds = time.monotonic() - started
        for _text in completion:
            pass
    except LLMError as error:
        names = tuple(one.name for one in listed)
        return Probe(asked.model, asked.profile, names, None, None, error, None)
    named = {one.name: one.window for one in listed}
    profile = replace(asked.profile, window=asked.profile.window or named.get(asked.model))
    (llm if llm.model else llm.with_model(asked.model)).remember(profile)
    is_spent = completion.cut_reason is not None and "token limit" in completion.cut_reason
    cut = None if is_spent else completion.cut_reason
    return Probe(asked.model, profile, tuple(named), completion.usage, first_seconds, None, cut)


def _listed(llm: OpenAILLM) -> list[Listed]:
    """Return the models a server lists; none where it cannot."""
    try:
        return llm.listing()
    except LLMError:
        return []
