"""Chat completions for the scripted server: streams as OpenAI, and as others, send them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from servers import Reply

USAGE = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
SSE = {"Content-Type": "text/event-stream"}


def event(data: Any) -> bytes:
    """Return one server-sent event; text outside ASCII goes as UTF-8, not as escapes."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}\n\n".encode()


def chunk(text: str | None, *, finish: str | None = None) -> dict[str, Any]:
    """Return a chunk with one delta."""
    delta = {} if text is None else {"content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "choices": [choice]}


def events(
    deltas: Iterable[str],
    *,
    usage: Mapping[str, int] | None = USAGE,
    finish: str | None = "stop",
    done: bool = True,
) -> Iterator[bytes]:
    """Yield the events of a whole answer."""
    for delta in deltas:
        yield event(chunk(delta))
    if finish:
        yield event(chunk(None, finish=finish))
    if usage:
        yield event({"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": usage})
    if done:
        yield event("[DONE]")


def sse(
    deltas: Iterable[str],
    *,
    usage: Mapping[str, int] | None = USAGE,
    finish: str | None = "stop",
    done: bool = True,
    cut: bool = False,
) -> Reply:
    """Return a streamed answer made of these deltas."""
    body = list(events(deltas, usage=usage, finish=finish, done=done))
    return Reply(headers=SSE, body=body, cut=cut)


def stream_of(*pieces: bytes | float, cut: bool = False) -> Reply:
    """Return a stream of exactly these bytes; a number is a pause in seconds."""
    return Reply(headers=SSE, body=list(pieces), cut=cut)
