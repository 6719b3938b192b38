"""What can go wrong with an embeddings server: whether to ask again, and the line that says it."""

from __future__ import annotations

import email.utils
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from askmd.errors import EmbedderUnreachable, EmbeddingError

LONGEST_PAUSE_SECONDS = 60.0
"""However long a server asks us to stay away."""
_LONGEST_DETAIL = 200
_PASSING = frozenset({408, 409, 429})
_REFUSING = frozenset({400, 413, 422})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom we ask: what a message may name, and the key that it may not."""

    base_url: str
    model: str
    key_name: str
    """The environment variable that holds the key; empty where none was named."""
    api_key: str = field(repr=False)

    @property
    def name(self) -> str:
        """The model and its address, without the user's name and password a URL may hold."""
        try:
            parts = urlsplit(self.base_url)
        except ValueError:
            return f"the embedder {self.model}"
        address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        return f"the embedder {self.model} at {address}"

    def without_key(self, text: str) -> str:
        """Return text in which the key, should a server repeat it, is blotted out."""
        return text.replace(self.api_key, "***") if self.api_key else text


def faults() -> tuple[type[Exception], ...]:
    """Return what the client raises when a server or the way to it fails."""
    import openai

    # ValueError: an address that is none.
    return (openai.OpenAIError, *_broken(), _transport().InvalidURL, ValueError)


def _broken() -> tuple[type[Exception], ...]:
    """Return the transport's own errors, which the client lets through in an error's body."""
    return (_transport().HTTPError, _transport().StreamError)


def _transport() -> Any:
    import openai

    # httpx or httpx2, whichever this version of the client is built on.
    client = next(
        kind
        for kind in openai.DefaultHttpxClient.__mro__
        if not kind.__module__.startswith("openai")
    )
    return import_module(client.__module__.partition(".")[0])


def is_refusal(error: Exception) -> bool:
    """Tell whether the server would not have this request, whose texts may be to blame."""
    return _status(error) in _REFUSING


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a little later."""
    status = _status(error)
    if status is None:
        return is_connection(error)
    return getattr(error, "code", None) != "insufficient_quota" and (
        status in _PASSING or status >= 500
    )


def is_connection(error: Exception) -> bool:
    """Tell whether no whole answer came: refused, reset, timed out or broken off."""
    import openai

    return isinstance(error, (openai.APIConnectionError, *_broken()))


def pause_seconds(error: Exception, attempt: int) -> float:
    """Return how long to wait after attempt 1, 2, ...: what the server asks, else ever longer."""
    response = getattr(error, "response", None)
    asked = _retry_after(response.headers) if response is not None else None
    backoff = 0.5 * 2 ** (attempt - 1) * (1 + random.random() / 4)
    return min(LONGEST_PAUSE_SECONDS, backoff if asked is None else asked)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or a date; None without sense."""
    value = headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return seconds if seconds >= 0 and not math.isnan(seconds) else None


def explain(error: Exception, endpoint: Endpoint) -> EmbeddingError:
    """Return the one line for whatever ``faults`` catches; the key is never in it.

    EmbedderUnreachable where asking again later may help, plain EmbeddingError elsewhere.
    """
    status = _status(error)
    if status is not None:
        kind, message, next_step = _of_status(status, error, endpoint)
    elif is_connection(error):
        kind = EmbedderUnreachable
        message = f"{endpoint.name} cannot be reached{detail(error.__cause__ or error)}"
        next_step = "start the server, or correct embedding.base_url"
    else:
        kind, message, next_step = EmbeddingError, f"{endpoint.name} failed{detail(error)}", ""
    return kind(endpoint.without_key(message), next_step)


def _of_status(
    status: int, error: Exception, endpoint: Endpoint
) -> tuple[type[EmbeddingError], str, str]:
    """Return kind, message and next step for an answer that says it is an error."""
    name = endpoint.name
    if status < 400:
        return EmbeddingError, f"{name} redirects elsewhere, which is not followed", "correct it"
    if status in (401, 403):
        where = f" in {endpoint.key_name}" if endpoint.key_name else ""
        if endpoint.api_key:
            return EmbeddingError, f"{name} refused the key{where} ({status})", "check the key"
        set_it = f"set the environment variable {endpoint.key_name}" if where else "set its key"
        return EmbeddingError, f"{name} wants a key ({status}), and none is set", set_it
    if status == 404:
        return (
            EmbeddingError,
            f"{name} was not found (404){detail(error)}",
            "check embedding.model and embedding.base_url, which mostly ends in /v1",
        )
    if status in _REFUSING:
        message = f"{name} refused the request ({status}){detail(error)}"
        return EmbeddingError, message, "check embedding.model and embedding.dimensions"
    kind = EmbedderUnreachable if status in _PASSING or status >= 500 else EmbeddingError
    return kind, f"{name} failed ({status}){detail(error)}", "try again later"


def detail(error: BaseException) -> str:
    """Return what the other side says about it, on one line and not too long."""
    body = getattr(error, "body", None)
    said: Any = body.get("message") if isinstance(body, dict) else None
    if not isinstance(said, str) or not said:
        # An error page is no message; the client puts its whole text into its own.
        said = "" if isinstance(body, str) else str(error)
    line = " ".join(said.split())
    return f": {line[:_LONGEST_DETAIL]}" if line else ""


def _status(error: Exception) -> int | None:
    import openai

    return error.status_code if isinstance(error, openai.APIStatusError) else None
