"""A server's chunks, whatever they are made of: their text, their thoughts, their counts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from askmd.endpoint import words_of
from askmd.llm.faults import NoCompletion, SaysError, told_status
from askmd.types import Usage

MOST_BYTES = 4_000_000
"""Of a completion that comes in one piece."""
MOST_TOKENS = 10**12
"""A larger count is none."""
_LONGEST_SAID = 2000


def chunks(stream: Any) -> Iterator[Any]:
    """Yield a reply's chunks; a reply that is no stream at all is one chunk, or NoCompletion."""
    kind = stream.response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.endswith("json"):
        yield _whole(stream.response)
    elif kind.endswith("html"):
        raise NoCompletion("it sent a web page")
    else:
        for chunk in stream:
            yield _checked(chunk, stream.response)


def choice_of(chunk: Any, index: int | None) -> Any:
    """Return the chunk's choice with an index, its first one where that is None; None without."""
    choices = getattr(chunk, "choices", None)
    for one in choices if isinstance(choices, list) else []:
        if index is None or index_of(one) == index:
            return one
    return None


def index_of(choice: Any) -> int:
    """Return a choice's index; 0 where it has none."""
    index = getattr(choice, "index", None)
    return index if isinstance(index, int) else 0


def text_of(choice: Any) -> str:
    """Return the text of a choice; empty where it has none."""
    content = getattr(_part(choice), "content", None)
    if isinstance(content, list):
        # Some gateways stream the parts of a message, as OpenAI's own requests have them.
        texts = [one.get("text") for one in content if isinstance(one, dict)]
        content = "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def refusal_of(choice: Any) -> str:
    """Return what the model says in place of an answer; empty where it does not refuse."""
    said = getattr(_part(choice), "refusal", None)
    return said if isinstance(said, str) else ""


def thought_of(choice: Any) -> str:
    """Return a chunk's reasoning: no text of the answer, but no silence either."""
    part = _part(choice)
    thoughts = [getattr(part, name, None) for name in ("reasoning_content", "reasoning")]
    return next((one for one in thoughts if isinstance(one, str) and one), "")


def usage_of(chunk: Any) -> Usage | None:
    """Return the token counts a chunk carries; None unless at least one is a number."""
    told = getattr(chunk, "usage", None)
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    counts = [_count(getattr(told, name, None)) for name in names]
    return Usage(*counts) if any(count is not None for count in counts) else None


def _part(choice: Any) -> Any:
    return getattr(choice, "delta", None) or getattr(choice, "message", None)


def _count(told: Any) -> int | None:
    """Return a count of tokens, also where it is written as text; None of anything else."""
    if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 14:
        told = int(told)
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    return told if type(told) is int and 0 <= told <= MOST_TOKENS else None


def _checked(chunk: Any, response: Any) -> Any:
    """Return a chunk; raises the fault for one that vLLM or LM Studio means as an error."""
    said = getattr(chunk, "message", None)
    is_error = getattr(chunk, "object", None) == "error"
    if is_error or (isinstance(said, str) and getattr(chunk, "choices", None) is None):
        raise _fault({"message": said, "code": getattr(chunk, "code", None)}, response)
    return chunk


def _fault(error: Any, response: Any) -> Exception:
    """Return the fault for an error inside a 200; one with a status is as if that had come."""
    from openai import APIError

    said = words_of(error)[:_LONGEST_SAID]
    if told_status(error) is not None:
        return APIError(said, response.request, body=error)
    return SaysError(said or str(error)[:_LONGEST_SAID])


def _whole(response: Any) -> Any:
    """Return a completion that a server sent in one piece though a stream was asked for."""
    from openai.types.chat import ChatCompletion

    body = bytearray()
    for piece in response.iter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise NoCompletion("its answer has no end")
    data = json.loads(body)
    if not isinstance(data, dict):
        raise NoCompletion("it sent JSON that is no completion")
    error = data.get("error")
    if error:
        raise _fault(error, response)
    # Its other keys may be anything, the names of this call's own parameters among them.
    known = ("choices", "usage", "object", "message", "code")
    return _checked(ChatCompletion.construct(**{key: data.get(key) for key in known}), response)
