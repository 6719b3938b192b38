"""How much a server may send, and how long it may keep us waiting."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from askmd.llm.faults import TOTAL_FACTOR, Dragging, NoCompletion, Silence

MOST_BYTES = 8 * 1024 * 1024
"""Of a reply in one piece, and of one event of a stream: these are held in memory whole."""
MOST_STREAMED_BYTES = 256 * 1024 * 1024
"""Of a whole stream, whose events are let go one by one."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ERROR_FIELD, _ERROR_EVENT = b"error: {", b"event: error\ndata: {"
_BLANK_LINES = (b"\n\n", b"\r\r", b"\r\n\r\n")


class Line:
    """The connections of one client, to be cut while another thread still reads from them.

    Closing a socket does not wake who waits for it; shutting it down does.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._streams: list[Any] = []

    def note(self, response: Any) -> None:
        """Remember what a response comes through."""
        self._streams.append(response.extensions.get("network_stream"))

    def cut(self) -> None:
        """End every connection at once."""
        for stream in self._streams:
            connection = stream.get_extra_info("socket") if stream is not None else None
            if connection is not None:
                with suppress(OSError):
                    # Not an encrypted socket's own way, which would take its state from the reader.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


def limit_size(response: Any) -> None:
    """Make a response raise NoCompletion where it grows too large."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_read_whole = response.request.method != "POST" or not response.is_success
    is_stream = not is_read_whole and not kind.endswith(("json", "html"))
    response.iter_raw = partial(_limited, response.iter_raw, is_stream=is_stream)


def _with_errors(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a stream's pieces with an error that has a field of its own made an event's data.

    llama.cpp had it so until 2025, and the client passes over fields it does not know.
    """
    before, held = b"\n", b""
    for piece in pieces:
        whole = held + piece
        seen = before + whole
        sizes = range(len(_ERROR_FIELD) - 1, 0, -1)
        size = next((one for one in sizes if seen.endswith(b"\n" + _ERROR_FIELD[:one])), 0)
        held = whole[len(whole) - size :]
        told = seen[: len(seen) - size]
        yield told.replace(b"\n" + _ERROR_FIELD, b"\n" + _ERROR_EVENT)[1:]
        before = told[-1:]
    yield held


def _limited(read: Callable[[], Iterator[bytes]], *, is_stream: bool) -> Iterator[bytes]:
    total = held = 0
    tail = b""
    pieces = _unmarked(read())
    for piece in _with_errors(pieces) if is_stream else pieces:
        seen = tail + piece
        is_event_over = is_stream and any(blank in seen for blank in _BLANK_LINES)
        total += len(piece)
        held = len(piece) if is_event_over else held + len(piece)
        if held > MOST_BYTES or total > MOST_STREAMED_BYTES:
            raise NoCompletion("its answer has no end")
        yield piece
        tail = seen[-3:]


def _unmarked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the pieces without a byte order mark, which the client takes for the first event's."""
    head = b""
    for piece in pieces:
        head += piece
        if not _BYTE_ORDER_MARK.startswith(head):
            yield head.removeprefix(_BYTE_ORDER_MARK)
            break
    yield from pieces


class Patience:
    """Calls ``give_up`` once a server was waited for too long; time spent elsewhere is free.

    Needed because a server that sends comments is never silent for the transport, and never says
    a word to us; and one that says a letter a second would be listened to for ever.
    """

    def __init__(self, seconds: float, give_up: Callable[[], None]) -> None:
        """Wait at most ``seconds`` for each word, and TOTAL_FACTOR times as long in all."""
        self.fault: Silence | Dragging | None = None
        self._seconds = seconds
        self._left = TOTAL_FACTOR * seconds
        self.give_up = give_up
        """Ends whatever is waited for, from any thread."""
        self._lock = threading.Lock()
        self._since: float | None = None
        self._until = 0.0
        self._timer: threading.Timer | None = None

    @property
    def is_over(self) -> bool:
        """Whether the server was given up."""
        return self.fault is not None

    def begin(self) -> None:
        """Begin to wait, or begin anew because the server said something."""
        with self._lock:
            self._spend()
            self._wait(self._seconds)
            if self._timer is None:
                self._look_in(min(self._seconds, self._left))

    def hurry(self, seconds: float) -> None:
        """Wait for what may still come no longer than this."""
        with self._lock:
            self._spend()
            self._wait(min(seconds, self._seconds))
            if self._timer is not None:
                self._timer.cancel()
            self._look_in(min(seconds, self._seconds, self._left))

    def pause(self) -> None:
        """Wait no more for now: it is not the server's turn."""
        with self._lock:
            self._spend()

    def end(self) -> None:
        """Wait no more."""
        with self._lock:
            self._spend()
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def check(self) -> None:
        """Raise Silence or Dragging if the server was given up."""
        if self.fault is not None:
            raise self.fault

    def _spend(self) -> None:
        """Take what was waited since the last look from what there is in all."""
        if self._since is not None:
            self._left = max(0.0, self._left - (time.monotonic() - self._since))
        self._since = None

    def _wait(self, seconds: float) -> None:
        self._since = time.monotonic()
        self._until = self._since + seconds

    def _look_in(self, seconds: float) -> None:
        # One timer looks again and again: a new one for every word would cost more than the word.
        self._timer = threading.Timer(seconds, self._look)
        self._timer.daemon = True
        self._timer.start()

    def _look(self) -> None:
        with self._lock:
            self._timer = None
            if self._since is None:
                return
            last = self._since + self._left
            left = min(self._until, last) - time.monotonic()
            if left > 0:
                self._look_in(left)
                return
            self.fault = Dragging() if last <= self._until else Silence()
        self.give_up()
