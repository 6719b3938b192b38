"""What an embeddings server is told of us, how much it may send, and how long it may take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from askmd.embed.openai_faults import Endpoint
from askmd.errors import EmbedderUnreachable, EmbeddingError

MOST_BYTES = 64 * 1024 * 1024
"""Of one reply: a batch of 64 vectors of 3072 numbers, written out, is 5 MB."""

_SENT = ("content-length", "transfer-encoding")
_DEADLINE = "askmd_deadline"


def own_headers(key: str, timeout_seconds: float) -> Callable[[Any], None]:
    """Return a hook that leaves a request the key and what HTTP needs, and starts its clock.

    The client adds OPENAI_CUSTOM_HEADERS and a description of this machine: the one was meant for
    another server, the other is nobody's business.
    """

    def strip(request: Any) -> None:
        found = request.headers
        headers = {
            "Host": request.url.netloc.decode("ascii"),
            "User-Agent": "askmd",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "Authorization": f"Bearer {key}",
        }
        headers |= {name: found[name] for name in _SENT if name in found}
        request.headers = type(found)(headers)
        request.extensions = {
            **request.extensions,
            _DEADLINE: time.monotonic() + timeout_seconds,
        }

    return strip


def limits(endpoint: Endpoint, timeout_seconds: float) -> Callable[[Any], None]:
    """Return a hook that makes a reply raise where it grows too large or takes too long.

    EmbeddingError and EmbedderUnreachable, both out of whatever reads the reply's bytes.
    """

    def limit(response: Any) -> None:
        # None was asked for, and a few kilobytes of it can unpack to gigabytes.
        response.headers.pop("content-encoding", None)
        # The client looks here for how to hand the reply over, after own_headers took it away.
        response.request.headers["X-Stainless-Raw-Response"] = "stream"
        response.iter_raw = partial(_limited, response, response.iter_raw)

    def _limited(response: Any, read: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        total = 0
        for piece in read():
            total += len(piece)
            if total > MOST_BYTES:
                raise EmbeddingError(
                    f"{endpoint.name} answered with more than {MOST_BYTES >> 20} MiB",
                    "check embedding.base_url",
                )
            if time.monotonic() > response.request.extensions[_DEADLINE]:
                raise EmbedderUnreachable(
                    f"{endpoint.name} took more than {timeout_seconds:g} seconds for its answer",
                    "raise embedding.timeout_seconds",
                )
            yield piece

    return limit
