"""What both kinds of server need: whom to ask, a client that tells no more, when to ask again."""

from __future__ import annotations

import email.utils
import math
import os
import random
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from askmd.addresses import is_loopback, shown
from askmd.secrets import SHORTEST_KEY, blotted

if TYPE_CHECKING:
    import openai

_PLACEHOLDER_KEY = "none"
"""Sent where no key is set: the client would take one from the environment otherwise."""
LONGEST_PAUSE_SECONDS = 60.0
"""However long a server asks us to stay away."""
_LONGEST_DETAIL = 200
_DEEPEST = 6
_MOST_ROWS = 5
# Where servers put the words of an error: OpenAI, Ollama, FastAPI, Cloudflare.
_WORDS_IN = ("message", "msg", "error", "detail", "errors")
_NO_SECRET = ("api-version",)
_SENT = ("content-length", "transfer-encoding")
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")
# A token of Entra is sent as everywhere else; it begins as every JSON web token does.
_ENTRA_TOKEN = "eyJ"


def load_early(base_url: str) -> None:
    """Begin in the background what a first request waits for: it takes longer than a search."""
    threading.Thread(target=_load, args=(base_url,), name="askmd-openai", daemon=True).start()


def _load(base_url: str) -> None:
    # Whatever is wrong with it is told where it is used.
    with suppress(Exception):
        import_module("openai")
        _trust(base_url)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Whom we ask: what a message may name, and the key that it may not."""

    base_url: str
    model: str
    key_name: str
    """The environment variable that holds the key; empty where none was named."""
    api_key: str = field(repr=False)
    """Empty where there is none."""
    timeout_seconds: float

    @property
    def address(self) -> str:
        """The base URL without a user's name and password, and without its query."""
        return shown(self.base_url)

    @property
    def is_azure(self) -> bool:
        """Whether the host is one of Azure's, which wants the key in a header of its own."""
        try:
            return (urlsplit(self.base_url).hostname or "").endswith(_AZURE)
        except ValueError:
            return False

    @property
    def key_fault(self) -> str:
        """Why the key cannot be sent; empty if it can."""
        if self.api_key.isascii() and self.api_key.isprintable():
            return ""
        name = self.key_name or "the environment"
        return f"the key in {name} is no key: it has characters no header may carry"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What the server is sent and nobody else may read: the key, and keys in the address."""
        try:
            parts = urlsplit(self.base_url)
            query = dict(parse_qsl(parts.query))
        except ValueError:
            return (self.api_key,)
        values = [value for name, value in query.items() if name not in _NO_SECRET]
        values.append(unquote(parts.password or ""))
        return (self.api_key, *(one for one in values if len(one) >= SHORTEST_KEY))

    def without_key(self, text: str) -> str:
        """Return text in which the key, should a server repeat it, is blotted out."""
        return blotted(text, self.secrets)

    def holds_key(self, text: str) -> bool:
        """Tell whether a key is part of a text; what is so short that it may be a word is none."""
        return blotted(text, [one for one in self.secrets if len(one) >= SHORTEST_KEY]) != text


def open_client(
    endpoint: Endpoint,
    *,
    on_request: Sequence[Callable[[Any], None]] = (),
    on_response: Sequence[Callable[[Any], None]] = (),
) -> openai.OpenAI:
    """Return a client that sends to the endpoint what it is told to, once, and nothing else.

    on_request, on_response: what is to be done with each of them; a response is not read yet.
    """
    import openai

    key = endpoint.api_key or _PLACEHOLDER_KEY
    seconds = endpoint.timeout_seconds
    timeout = openai.Timeout(seconds, connect=min(10.0, seconds))
    parts = urlsplit(endpoint.base_url)
    client = openai.OpenAI(
        api_key=key,
        # Paths are glued to its end, so a query has to come by another way.
        base_url=urlunsplit(parts._replace(query="", fragment="")),
        default_query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        max_retries=0,
        timeout=timeout,
        http_client=openai.DefaultHttpxClient(
            follow_redirects=False,
            timeout=timeout,
            verify=_trust(endpoint.base_url),
            # What is asked of this machine must not travel to a proxy and back.
            trust_env=not is_loopback(endpoint.base_url),
            event_hooks={
                "request": [_own_headers(endpoint), *on_request],
                "response": [_unpack_nothing, *on_response],
            },
        ),
    )
    # The client takes these from the environment, which is not consent to send them.
    client.organization = client.project = None
    return client


def _trust(base_url: str) -> ssl.SSLContext:
    """Return whose certificates are trusted: nobody's where the address wants none."""
    if urlsplit(base_url).scheme == "http" and is_loopback(base_url):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _authorities(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))


@cache
def _authorities(_file: str, _folder: str) -> ssl.SSLContext:
    # Reading every authority's certificate takes 30 ms: once, not for every client.
    made: ssl.SSLContext = _transport().create_ssl_context()
    return made


def _own_headers(endpoint: Endpoint) -> Callable[[Any], None]:
    """Return a hook that leaves a request the key and what HTTP needs, and nothing else.

    The client adds OPENAI_CUSTOM_HEADERS and a description of this machine: the one was meant for
    another server, the other is nobody's business.
    """
    key = endpoint.api_key or _PLACEHOLDER_KEY

    def strip(request: Any) -> None:
        found = request.headers
        headers = {
            "Host": request.url.netloc.decode("ascii"),
            "User-Agent": "askmd",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if request.url.userinfo:
            # A name and password in the address stand for the key, as curl has it.
            headers["Authorization"] = found["authorization"]
        elif endpoint.is_azure and not key.startswith(_ENTRA_TOKEN):
            headers["api-key"] = key
        else:
            headers["Authorization"] = f"Bearer {key}"
        headers |= {"Content-Type": "application/json"} if request.method == "POST" else {}
        headers |= {name: found[name] for name in _SENT if name in found}
        request.headers = type(found)(headers)

    return strip


def _unpack_nothing(response: Any) -> None:
    # None was asked for, and a few kilobytes of it can unpack to gigabytes.
    response.headers.pop("content-encoding", None)


def readable(text: str) -> str:
    """Return text that JSON can hold in UTF-8: lone surrogates come from command lines."""
    return text.encode("utf-8", "replace").decode("utf-8")


def faults() -> tuple[type[Exception], ...]:
    """Return what the client raises when a server or the way to it fails."""
    import openai

    # ValueError: an address that is none, or a reply that cannot be read. RecursionError: a reply
    # of brackets within brackets.
    unread = (_transport().InvalidURL, ValueError, RecursionError)
    return (openai.OpenAIError, *transport_faults(), *unread)


def transport_faults() -> tuple[type[Exception], ...]:
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


def detail(error: BaseException | None, blot: Callable[[str], str] = str) -> str:
    """Return what the other side says about an error, on one line and not too long.

    blot: takes out what must not be shown, before a cut could leave half of it.
    """
    said = words_of(getattr(error, "body", None))
    if _is_page(error, said):
        said = ""
    elif not said:
        said = str(error or "")
    line = blot(" ".join(said.split()))
    return f": {line[:_LONGEST_DETAIL]}" if line else ""


def words_of(body: Any, depth: int = _DEEPEST) -> str:
    """Return what an error's body says, whichever server's shape it has; empty without words."""
    if isinstance(body, str) or depth == 0:
        return body if isinstance(body, str) else ""
    if isinstance(body, list):
        rows = [words_of(one, depth - 1) for one in body[:_MOST_ROWS]]
        return "; ".join(row for row in rows if row)
    if not isinstance(body, dict):
        return ""
    found = (words_of(body[name], depth - 1) for name in _WORDS_IN if body.get(name))
    said = next((words for words in found if words), "")
    place = body.get("loc")
    if said and isinstance(place, list):
        return f"{'.'.join(str(part) for part in place[:_DEEPEST])}: {said}"
    return said


def _is_page(error: BaseException | None, said: str) -> bool:
    """Tell whether an error's text is a page or what nobody can read: no message."""
    body, response = getattr(error, "body", None), getattr(error, "response", None)
    if not isinstance(body, str) or response is None:
        return False
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return not kind.endswith(("json", "text/plain")) or said[:1] in ("<", "{", "[", "")


def asked_seconds(error: Exception) -> float | None:
    """Return how long the server asks to be left alone; None where it does not say."""
    response = getattr(error, "response", None)
    return _retry_after(response.headers) if response is not None else None


def is_of_trust(error: BaseException | None) -> bool:
    """Tell whether an error comes from a certificate, however it is wrapped."""
    return _has_cause(error, ssl.SSLCertVerificationError)


def is_unconnected(error: BaseException | None) -> bool:
    """Tell whether time ran out before there was a connection: nobody was silent yet."""
    return _has_cause(error, _transport().ConnectTimeout)


def _has_cause(error: BaseException | None, kind: type[BaseException]) -> bool:
    for _ in range(8):
        if error is None or isinstance(error, kind):
            break
        error = error.__cause__ or error.__context__
    return error is not None


def spelled(seconds: float) -> str:
    """Return a time in the unit that people would say it in."""
    if seconds > 365 * 24 * 3600:
        return "more than a year"
    units = ((2 * 24 * 3600, 24 * 3600, "days"), (7200, 3600, "hours"), (120, 60, "minutes"))
    for least, size, name in units:
        if seconds > least:
            return f"{math.ceil(seconds / size)} {name}"
    return f"{math.ceil(seconds)} seconds"


def pause_seconds(error: Exception, attempt: int) -> float:
    """Return how long to wait after attempt 1, 2, ...: what the server asks, else ever longer."""
    asked = asked_seconds(error)
    backoff = 0.5 * 2 ** (attempt - 1) * (1 + random.random() / 4)
    return min(LONGEST_PAUSE_SECONDS, backoff if asked is None else asked)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or a date; None without sense."""
    # OpenAI and Azure say it to the millisecond as well.
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    try:
        date = email.utils.parsedate_to_datetime(value)
        left = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return left if left >= 0 else None


def _number(value: str) -> float | None:
    """Return a header's number, 0 or more; None of anything else."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if number >= 0 and not math.isnan(number) else None
