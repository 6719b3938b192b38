"""What can go wrong with an LLM's server: each in one line, and whether asking again may help."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from askmd.endpoint import Endpoint, detail, is_of_trust, is_unconnected
from askmd.errors import LLMError

TOTAL_FACTOR = 20
"""An answer may take so many times as long as the server may be silent."""
_UNREADABLE = "it sent something unreadable"
_LONGEST = 240
# Gemini, whose keys are refused with 400.
_KEY_REFUSED = re.compile(r"API[_ ]KEY[_ ](?:NOT[_ ]VALID|INVALID)", re.IGNORECASE)
_REACH_STEP = "start the server, or correct llm.base_url (--base-url)"
_TRUST_STEP = "name the file of its certificate in SSL_CERT_FILE"


class NoCompletion(ValueError):
    """A server answered, but not with a chat completion; the text says what came instead."""

    def __init__(self, said: str, next_step: str = "") -> None:
        """Keep what came, and what may help where that is known."""
        super().__init__(said)
        self.said = said
        self.next_step = next_step


class SaysError(NoCompletion):
    """A reply that begins well, but whose content is an error in the server's words."""

    def __init__(self, said: str) -> None:
        """Keep the words, for whoever understands them."""
        super().__init__(f"it says {said!r}")
        self.said = said


class Spent(NoCompletion):
    """A model used up its tokens before the first word: it thinks, or it may say too little."""


class Silence(ValueError):
    """A server kept the connection, but said nothing for too long."""


class Dragging(ValueError):
    """A server never fell silent, but did not come to an end either."""


def status_of(error: Exception) -> int | None:
    """Return an error's HTTP status, or the one that an error inside a 200 names; None without."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code
    return told_status(error.body) if type(error) is openai.APIError else None


def told_status(body: Any) -> int | None:
    """Return the status that an error's body has as its code, as OpenRouter's do; None without."""
    code = body.get("code") if isinstance(body, dict) else None
    return code if type(code) is int and 400 <= code <= 599 else None


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a little later.

    A time-out is not asked again: the user has already waited as long as they said they would.
    """
    import openai

    if isinstance(error, openai.APITimeoutError):
        return False
    status = status_of(error)
    if status is not None:
        return not is_out_of_money(error) and (status in (408, 429) or status >= 500)
    # Whoever shows a certificate that nobody trusts will show it again.
    return isinstance(error, openai.APIConnectionError) and not is_of_trust(error)


def is_out_of_money(error: Exception) -> bool:
    """Tell whether the account has to be paid for before it is answered."""
    return status_of(error) == 402 or getattr(error, "code", None) == "insufficient_quota"


def explain(
    error: Exception, endpoint: Endpoint, *, is_open: bool = False, has_begun: bool = False
) -> LLMError:
    """Return the one line for whatever ``faults`` catches; the key is never in it.

    is_open: whether a reply had come already. has_begun: whether some of the answer had.
    """
    import openai

    # What is read while it is fetched fails inside the client, which wraps it.
    error = error.__cause__ if isinstance(error.__cause__, NoCompletion) else error
    blot, status = endpoint.without_key, status_of(error)
    if status is not None and not has_begun:
        message, next_step = _of_status(status, error, endpoint)
    elif isinstance(error, (openai.APITimeoutError, Silence)) and not is_unconnected(error):
        message = f"{endpoint.address} was silent for {endpoint.timeout_seconds:g} seconds"
        next_step = "raise llm.timeout_seconds, or ask a faster model"
    elif isinstance(error, Dragging):
        seconds = TOTAL_FACTOR * endpoint.timeout_seconds
        message = f"{endpoint.address} did not come to an end within {seconds:g} seconds"
        next_step = "raise llm.timeout_seconds, or ask a faster model"
    elif isinstance(error, openai.APIConnectionError) and not (is_open or has_begun):
        message = f"no LLM could be reached at {endpoint.address}{detail(error.__cause__, blot)}"
        next_step = _TRUST_STEP if is_of_trust(error) else _REACH_STEP
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


def _of_status(status: int, error: Exception, endpoint: Endpoint) -> tuple[str, str]:
    """Return message and next step for an answer that says it is an error."""
    address = endpoint.address
    if status < 400:
        return f"{address} redirects elsewhere, which is not followed", "correct llm.base_url"
    if status in (401, 403) or (status == 400 and _KEY_REFUSED.search(detail(error))):
        return _of_key(status, endpoint)
    if not endpoint.model:
        return f"{address} lists no models ({status})", "name one with --model"
    if status == 404:
        message = f"{address} knows no model {endpoint.model!r} or no chat completions (404)"
        return message, _hint(endpoint) or "check llm.model (--model) and llm.base_url"
    said = detail(error, endpoint.without_key)
    if is_out_of_money(error):
        step = "add credit to its account, or name another model or server"
        return f"{address} wants payment or credits ({status}){said}", step
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
