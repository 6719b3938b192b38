"""What can go wrong with an LLM's server: each in one line, and whether asking again may help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from askmd.endpoint import Endpoint, detail
from askmd.errors import LLMError

if TYPE_CHECKING:
    import openai


class NoCompletion(ValueError):
    """A server answered, but not with a chat completion; the text says what came instead."""


class Silence(ValueError):
    """A server kept the connection, but said nothing for too long."""


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
    return isinstance(error, openai.APIConnectionError)


def without_refused(request: Mapping[str, Any], error: Exception) -> dict[str, Any] | None:
    """Return the request without the option the server refuses by name; None if it names none.

    Servers differ in three: usage in streams, the name of the token limit, the temperature.
    """
    import openai

    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
        return None
    said = f"{error.param} {error.message} {error.body}"
    for name in ("stream_options", "max_tokens", "temperature"):
        if name in request and name in said:
            rest = {key: value for key, value in request.items() if key != name}
            renamed = {"max_completion_tokens": request[name]} if name == "max_tokens" else {}
            return rest | renamed
    return None


def explain(error: Exception, endpoint: Endpoint, *, has_begun: bool = False) -> LLMError:
    """Return the one line for whatever ``faults`` catches; the key is never in it.

    has_begun: whether some of the answer's text had come already.
    """
    import openai

    # What is read while it is fetched fails inside the client, which wraps it.
    error = error.__cause__ if isinstance(error.__cause__, NoCompletion) else error
    if isinstance(error, openai.APIStatusError):
        message, next_step = _of_status(error, endpoint)
    elif isinstance(error, (openai.APITimeoutError, Silence)):
        message = f"{endpoint.address} was silent for {endpoint.timeout_seconds:g} seconds"
        next_step = "raise llm.timeout_seconds, or ask a faster model"
    elif isinstance(error, openai.APIConnectionError) and not has_begun:
        message = f"no LLM could be reached at {endpoint.address}{detail(error.__cause__)}"
        next_step = "start the server, or correct llm.base_url (--base-url)"
    elif isinstance(error, openai.APIError):
        message = f"{endpoint.address} broke off{detail(error.__cause__ or error)}"
        next_step = "ask again"
    elif isinstance(error, ValueError):
        said = error if isinstance(error, NoCompletion) else "it sent something unreadable"
        message = f"{endpoint.address} did not answer with a chat completion: {said}"
        next_step = _hint(endpoint) or "check that llm.base_url is an OpenAI-compatible server"
    else:
        message = f"the connection to {endpoint.address} broke{detail(error)}"
        next_step = "ask again"
    return LLMError(endpoint.without_key(message), endpoint.without_key(next_step))


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
    said = detail(error)
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
