"""How much an embeddings server may send, and how long it may take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from askmd.embed.openai_faults import name_of
from askmd.endpoint import Endpoint, faults
from askmd.errors import EmbedderUnreachable, EmbeddingError

MOST_BYTES = 64 * 1024 * 1024
"""Of one reply: a batch of 64 vectors of 3072 numbers, written out, is 5 MB."""

_DEADLINE = "askmd_deadline"


def start_clock(endpoint: Endpoint) -> Callable[[Any], None]:
    """Return a hook that notes in a request when its reply must be there."""

    def start(request: Any) -> None:
        deadline = time.monotonic() + endpoint.timeout_seconds
        request.extensions = {**request.extensions, _DEADLINE: deadline}

    return start


@contextmanager
def hanging_up(endpoint: Endpoint, hang_up: Callable[[], None]) -> Iterator[None]:
    """End an exchange inside, whatever it is at, once it took twice as long as it may.

    Needed for headers that come a byte at a time: the transport never finds these silent. Raises
    EmbedderUnreachable then.
    """
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        hang_up()

    timer = threading.Timer(2 * endpoint.timeout_seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except faults() as error:
        if is_over.is_set():
            raise _took_too_long(endpoint) from error
        raise
    finally:
        timer.cancel()


def _took_too_long(endpoint: Endpoint) -> EmbedderUnreachable:
    return EmbedderUnreachable(
        f"{name_of(endpoint)} took more than {endpoint.timeout_seconds:g} seconds for its answer",
        "raise embedding.timeout_seconds",
    )


def limits(endpoint: Endpoint) -> Callable[[Any], None]:
    """Return a hook that makes a reply raise where it grows too large or takes too long.

    EmbeddingError and EmbedderUnreachable, both out of whatever reads the reply's bytes.
    """

    def limit(response: Any) -> None:
        # The client looks here for how to hand the reply over, after open_client took it away.
        response.request.headers["X-Stainless-Raw-Response"] = "stream"
        response.iter_raw = partial(_limited, response, response.iter_raw)

    def _limited(response: Any, read: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
        total = 0
        for piece in read():
            total += len(piece)
            if total > MOST_BYTES:
                raise EmbeddingError(
                    f"{name_of(endpoint)} answered with more than {MOST_BYTES >> 20} MiB",
                    "check embedding.base_url",
                )
            if time.monotonic() > response.request.extensions[_DEADLINE]:
                raise _took_too_long(endpoint)
            yield piece

    return limit
