"""What can go wrong with an LLM's server: each in one line, and whether asking again may help."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from askmd.endpoint import Endpoint, detail
from askmd.errors import LLMError

if TYPE_CHECKING:
    import openai

TOTAL_FACTOR = 20
"""An answer may take so many times as long as the server may be silent."""
_UNREADABLE = "it sent something unreadable"
_LONGEST = 240
_REACH_STEP = "start the server, or correct llm.base_url (--base-url)"
_TRUST_STEP = "name the file of its certificate in SSL_CERT_FILE"


class NoCompletion(ValueError):
    """A server answered, but not with a chat completion; the text says what came instead."""

    def __init__(self, said: str, next_step: str = "") -> None:
        """Keep what came, and what may help where that is known."""
        super().__init__(said)
        self.next_step = next_step


class Silence(ValueError):
    """A server kept the connection, but said nothing for too long."""


class Dragging(ValueError):
    """A server never fell silent, but did not come to an end either."""


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of an error; None where it is none of a whole reply."""
    import openai

    return error.status_code if isinstance(error, openai.APIStatusError) else None


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a little later.

    A time-out is not asked again: the user has already waited as long as they said they would.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return False
    if isinstance(error, openai.APIStatusError):
        spent = error.code == "insufficient_quota"
        return not spent and (error.status_code in (408, 429) or error.status_code >= 500)
    # Whoever shows a certificate that nobody trusts will show it again.
    return isinstance(error, openai.APIConnectionError) and not _is_of_trust(error)


def _is_of_trust(error: BaseException | None) -> bool:
    """Tell whether an error comes from a certificate, however it is wrapped."""
    for _ in range(8):
        if error is None or isinstance(error, ssl.SSLCertVerificationError):
            break
        error = error.__cause__ or error.__context__
    return error is not None


def explain(error: Exception, endpoint: Endpoint, *, has_begun: bool = False) -> LLMError:
    """Return the one line for whatever ``faults`` catches; the key is never in it.

    has_begun: whether some of the answer's text had come already.
    """
    import openai

    # What is read while it is fetched fails inside the client, which wraps it.
    error = error.__cause__ if isinstance(error.__cause__, NoCompletion) else error
    blot = endpoint.without_key
    if isinstance(error, openai.APIStatusError):
        message, next_step = _of_status(error, endpoint)
    elif isinstance(error, (openai.APITimeoutError, Silence)):
        message = f"{endpoint.address} was silent for {endpoint.timeout_seconds:g} seconds"
        next_step = "raise llm.timeout_seconds, or ask a faster model"
    elif isinstance(error, Dragging):
        seconds = TOTAL_FACTOR * endpoint.timeout_seconds
        message = f"{endpoint.address} did not come to an end within {seconds:g} seconds"
        next_step = "raise llm.timeout_seconds, or ask a faster model"
    elif isinstance(error, openai.APIConnectionError) and not has_begun:
        message = f"no LLM could be reached at {endpoint.address}{detail(error.__cause__, blot)}"
        next_step = _TRUST_STEP if _is_of_trust(error) else _REACH_STEP
    elif isinstance(error, openai.APIError):
        message = f"{endpoint.address} broke off{detail(error.__cause__ or error, blot)}"
        next_step = "ask again"
    elif isinstance(error, (ValueError, RecursionError)):
        said = blot(str(error)) if isinstance(error, NoCompletion) else _UNREADABLE
        said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
        message = f"{endpoint.address} did not answer with a chat completion: {said}"
        own_step = error.next_step if isinstance(error, NoCompletion) else ""
        next_step = (
            own_step or _hint(endpoint) or "check that llm.base_url is an OpenAI-compatible server"
        )
    else:
        message = f"the connection to {endpoint.address} broke{detail(error, blot)}"
        next_step = "ask again"
    return LLMError(blot(message), blot(next_step))


def _of_status(error: openai.APIStatusError, endpoint: Endpoint) -> tuple[str, str]:
    """Return message and next step for an answer that says it is an error."""
    status, address = error.status_code, endpoint.address
    if status < 400:
        return f"{address} redirects elsewhere, which is not followed", "correct llm.base_url"
    if status in (401, 403):
        return _of_key(status, endpoint)
    if not endpoint.model:
        return f"{address} lists no models ({status})", "name one with --model"
    if status == 404:
        message = f"{address} knows no model {endpoint.model!r} or no chat completions (404)"
        return message, _hint(endpoint) or "check llm.model (--model) and llm.base_url"
    said = detail(error, endpoint.without_key)
    if status == 429:
        return f"{address} takes no more requests for now (429){said}", "try again later"
    if status < 500:
        return f"{address} refused the request ({status}){said}", "check llm.model and the budget"
    return f"{address} failed ({status}){said}", "try again later"


def _of_key(status: int, endpoint: Endpoint) -> tuple[str, str]:
    """Return message and next step where the key is missing or refused."""
    name = endpoint.key_name
    if not endpoint.api_key:
        message = f"{endpoint.address} wants a key ({status}), and none is set"
        return message, f"set the environment variable {name or 'that llm.api_key_env names'}"
    where = f" in {name}" if name else ""
    return f"{endpoint.address} refused the key{where} ({status})", "check the key and its rights"


def _hint(endpoint: Endpoint) -> str:
    """Return the advice for an address that lacks the API's usual path; empty if it has it."""
    if "/v1" in urlsplit(endpoint.base_url).path:
        return ""
    return f"try llm.base_url = {endpoint.address.rstrip('/')}/v1"
