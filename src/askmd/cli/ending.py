"""A signal that ends the process, as an exception: what was begun is put in order first."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_ONCE_SECONDS = 0.5
"""``timeout`` signals a process and then its group: that is one signal, told twice."""


class Ended(SystemExit):
    """A signal has ended the process; its code is the shell's, 128 and the signal's number."""


class Told:
    """Which signal came first, where one is waited for in quiet and the next ends the process."""

    def __init__(self) -> None:
        """Begin where none came."""
        self.first: int | None = None
        self._since = 0.0

    def is_new(self, number: int) -> bool:
        """Return whether this signal is the first; raises for one that comes after it.

        KeyboardInterrupt for Ctrl-C, else Ended, unless it is the first one told twice.
        """
        if self.first is None:
            self.first, self._since = number, time.monotonic()
            return True
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        if time.monotonic() - self._since > _ONCE_SECONDS:
            raise Ended(128 + number)
        return False


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Raise Ended within the block at the first SIGTERM or SIGHUP; a later one ends at once.

    What the caller has the process ignore, as ``nohup`` does, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    first: list[float] = []

    def catch(number: int, _frame: object) -> None:
        if not first:
            first.append(time.monotonic())
            raise Ended(128 + number)
        if time.monotonic() - first[0] > _ONCE_SECONDS:
            os._exit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    taken = [
        number
        for number in (getattr(signal, name) for name in names)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in taken:
        signal.signal(number, catch)
    try:
        yield
    finally:
        # Once one came the process ends, and the next must find nobody's defaults.
        for number in taken if not first else ():
            signal.signal(number, signal.SIG_DFL)
