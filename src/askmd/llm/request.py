"""The request a server is sent, made so that it holds nothing the server is known to refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from askmd.endpoint import readable
from askmd.llm.profile import Profile
from askmd.types import Message


def as_request(
    model: str, messages: Sequence[Message], profile: Profile, answer_tokens: int | None
) -> dict[str, Any]:
    """Return the arguments of a streamed completion, as the profile has it."""
    sent = messages if profile.takes_system_role else without_system(messages)
    request: dict[str, Any] = {
        "model": readable(model),
        "messages": [{"role": one.role, "content": readable(one.content)} for one in sent],
        "stream": True,
    }
    if profile.takes_temperature:
        request["temperature"] = 0
    if profile.takes_usage_option:
        request["stream_options"] = {"include_usage": True}
    if answer_tokens and profile.token_limit:
        request[profile.token_limit] = answer_tokens
    return request


def without_system(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with all instructions at the head of the user's first one."""
    said = "\n\n".join(one.content for one in messages if one.role == "system")
    rest = [one for one in messages if one.role != "system"]
    if not said:
        return rest
    for place, one in enumerate(rest):
        if one.role == "user":
            rest[place] = Message("user", f"{said}\n\n{one.content}")
            return rest
    return [Message("user", said), *rest]
