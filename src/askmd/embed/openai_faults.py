"""What can go wrong with an embeddings server: whether to ask again, and the line that says it."""

from __future__ import annotations

from askmd.endpoint import (
    LONGEST_PAUSE_SECONDS,
    Endpoint,
    asked_seconds,
    detail,
    is_of_trust,
    is_unconnected,
    spelled,
    transport_faults,
)
from askmd.errors import EmbedderUnreachable, EmbeddingError

_PASSING = frozenset({408, 409, 429})
_REFUSING = frozenset({400, 413, 422})


def name_of(endpoint: Endpoint) -> str:
    """Return what messages call an embedder: its model and its address."""
    return f"the embedder {endpoint.model} at {endpoint.address}"


def is_refusal(error: Exception) -> bool:
    """Tell whether the server would not have this request, whose texts may be to blame."""
    return _status(error) in _REFUSING


def may_pass(error: Exception) -> bool:
    """Tell whether the same request may succeed a little later."""
    status = _status(error)
    if status is None:
        # Whoever shows a certificate that nobody trusts will show it again.
        return is_connection(error) and not is_of_trust(error)
    return getattr(error, "code", None) != "insufficient_quota" and (
        status in _PASSING or status >= 500
    )


def is_connection(error: Exception) -> bool:
    """Tell whether no whole answer came: refused, reset, timed out or broken off."""
    import openai

    return isinstance(error, (openai.APIConnectionError, *transport_faults()))


def explain(error: Exception, endpoint: Endpoint) -> EmbeddingError:
    """Return the one line for whatever ``faults`` catches; the key is never in it.

    EmbedderUnreachable where asking again later may help, plain EmbeddingError elsewhere.
    """
    status, name, blot = _status(error), name_of(endpoint), endpoint.without_key
    if status is not None:
        kind, message, next_step = _of_status(status, error, endpoint)
    elif is_connection(error):
        kind = EmbedderUnreachable
        message, next_step = _of_connection(error, endpoint)
    else:
        kind, message, next_step = (
            EmbeddingError,
            f"{name} failed{detail(error, blot)}",
            "try again",
        )
    return kind(blot(message), next_step)


def _of_connection(error: Exception, endpoint: Endpoint) -> tuple[str, str]:
    """Return message and next step where no whole answer came."""
    import openai

    name, said = name_of(endpoint), detail(error.__cause__ or error, endpoint.without_key)
    next_step = "start the server, or correct embedding.base_url"
    if is_of_trust(error):
        next_step = "name the file of its certificate in SSL_CERT_FILE"
    elif isinstance(error, openai.APITimeoutError) and not is_unconnected(error):
        said = f": it was silent for {endpoint.timeout_seconds:g} seconds"
        next_step = "raise embedding.timeout_seconds, or look at that server"
    return f"{name} cannot be reached{said}", next_step


def _of_status(
    status: int, error: Exception, endpoint: Endpoint
) -> tuple[type[EmbeddingError], str, str]:
    """Return kind, message and next step for an answer that says it is an error."""
    name, said = name_of(endpoint), detail(error, endpoint.without_key)
    if status < 400:
        message = f"{name} redirects elsewhere, which is not followed"
        return EmbeddingError, message, "correct embedding.base_url"
    if status in (401, 403):
        where = f" in {endpoint.key_name}" if endpoint.key_name else ""
        if endpoint.api_key:
            return EmbeddingError, f"{name} refused the key{where} ({status})", "check the key"
        set_it = f"set the environment variable {endpoint.key_name}" if where else "set its key"
        return EmbeddingError, f"{name} wants a key ({status}), and none is set", set_it
    if status == 404:
        return (
            EmbeddingError,
            f"{name} was not found (404){said}",
            "check embedding.model and embedding.base_url, which mostly ends in /v1",
        )
    if status in _REFUSING:
        message = f"{name} refused the request ({status}){said}"
        return EmbeddingError, message, "check embedding.model and embedding.dimensions"
    kind = EmbedderUnreachable if status in _PASSING or status >= 500 else EmbeddingError
    asked = asked_seconds(error) or 0.0
    if asked > LONGEST_PAUSE_SECONDS:
        said = f"{said}; it asks to wait {spelled(asked)}"
    return kind, f"{name} failed ({status}){said}", "try again later"


def _status(error: Exception) -> int | None:
    import openai

    return error.status_code if isinstance(error, openai.APIStatusError) else None
