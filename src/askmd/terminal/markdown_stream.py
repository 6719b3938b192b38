"""Streamed Markdown on a terminal: what is finished stays, only the unfinished end is redrawn."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from askmd.terminal.cleaning import Cleaner

if TYPE_CHECKING:
    from askmd.terminal.markdown_rows import Row
    from askmd.terminal.region import Region

REDRAWN_SECONDS = 1 / 12
"""The least time between two drawings."""
_IDLE_FOR_EACH_DRAWN = 3.0
"""Seconds of rest for each second that a drawing took: a long block cannot take a core."""


def stream_markdown(pieces: Iterable[str], *, stream: TextIO | None = None) -> None:
    """Write Markdown as it arrives: drawn on a terminal, as it is (but cleaned) anywhere else.

    Ends on an empty line. What was read is shown whatever ends the stream, Ctrl-C with it.
    """
    target = stream or sys.stdout
    if is_drawn(target):
        cleaner = Cleaner()
        with _Drawing(target) as drawing, _told_of_going_on(drawing.go_on):
            for piece in pieces:
                drawing.feed(cleaner.feed(piece))
            drawing.feed(cleaner.flush())
    else:
        _write_plain(pieces, target)


def warm_markdown(stream: TextIO | None = None) -> None:
    """Load what drawing takes, in the background, if the stream is one that is drawn on."""
    if is_drawn(stream or sys.stdout):
        threading.Thread(target=_load, name="askmd-markdown", daemon=True).start()


def is_drawn(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal whose cursor can be moved."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


def _load() -> None:
    import askmd.terminal.growing
    import askmd.terminal.region  # noqa: F401


def _write_plain(pieces: Iterable[str], target: TextIO) -> None:
    """Write cleaned text as it arrives, and end its line whatever happens."""
    cleaner = Cleaner()
    last = "\n"
    try:
        for piece in pieces:
            if text := cleaner.feed(piece):
                target.write(text)
                target.flush()
                last = text[-1]
    finally:
        text = cleaner.flush()
        target.write(text if (text or last).endswith("\n") else f"{text}\n")
        target.flush()


class _Drawing:
    """Draws in a thread, so that neither the stream waits for it nor it for the stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._ended = threading.Event()
        self._gone_on = threading.Event()
        self._waiting: list[str] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="askmd-drawing", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._news.set()
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def feed(self, text: str) -> None:
        """Hand over cleaned text; raises what drawing failed with."""
        if self._failure is not None:
            raise self._failure
        if text:
            with self._lock:
                self._waiting.append(text)
            self._news.set()

    def go_on(self) -> None:
        """Say that the program was stopped and goes on: a shell wrote to the terminal."""
        self._gone_on.set()

    def _run(self) -> None:
        try:
            self._draw()
        except Exception as error:
            self._failure = error

    def _draw(self) -> None:
        from askmd.terminal.growing import Growing
        from askmd.terminal.markdown_rows import Drawer
        from askmd.terminal.region import Region

        drawer = Drawer(self._stream)
        growing, region = Growing(drawer), Region(self._stream, drawer)
        while not self._ended.is_set():
            self._news.wait()
            self._news.clear()
            begun = time.monotonic()
            self._show(region, growing.feed(self._taken()), growing.rest())
            took = time.monotonic() - begun
            self._ended.wait(max(REDRAWN_SECONDS, took * _IDLE_FOR_EACH_DRAWN))
        self._show(region, [*growing.feed(self._taken()), *growing.end()], [])

    def _show(self, region: Region, finished: list[Row], unfinished: list[Row]) -> None:
        if self._gone_on.is_set():
            self._gone_on.clear()
            region.let_go()
        region.draw(finished, unfinished)

    def _taken(self) -> str:
        """Return what came since it was last called."""
        with self._lock:
            text = "".join(self._waiting)
            self._waiting.clear()
        return text


@contextmanager
def _told_of_going_on(tell: Callable[[], None]) -> Iterator[None]:
    """Have someone told that the program goes on after Ctrl-Z and ``fg``; others still are."""
    is_main = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or not is_main:
        yield
        return
    before = signal.getsignal(signal.SIGCONT)

    def told(number: int, frame: FrameType | None) -> None:
        tell()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGCONT, told)
    try:
        yield
    finally:
        # None: installed by something that is not Python, and unknown to it.
        signal.signal(signal.SIGCONT, signal.SIG_DFL if before is None else before)
