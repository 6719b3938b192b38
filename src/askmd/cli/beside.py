"""Work done in a process beside this one, while this one loads what it needs for itself.

A first answer waits for two things that have nothing to do with each other: what is found, and the
client that sends it, half a second of imports. Threads do not help, for both are Python.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar, cast

from askmd.errors import AskmdError, NoIndex

Result = TypeVar("Result")


@contextmanager
def beside(work: Callable[[], Result]) -> Iterator[Callable[[], Result | None] | None]:
    """Begin a work in another process; yield what waits for its result, None where there is none.

    None, too, is the result of a work that broke off, or found no index: it is to be done here,
    where more can be done about it. What it raised of ours is raised here. The other process says
    nothing, and is gone at the end of the block. There is none without a fork or a second core.
    """
    if not _can_fork():
        yield None
        return
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    waiting: _Waiting[Result] = _Waiting(child, reading)
    try:
        yield waiting.take
    finally:
        waiting.end()


def _can_fork() -> bool:
    # A thread that holds a lock would not be there to let go of it.
    is_alone = threading.active_count() == 1
    return hasattr(os, "fork") and sys.platform != "darwin" and is_alone and _cores() > 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _work(work: Callable[[], Result], writing: int) -> None:
    """Do the work, hand over its result, and end this process whatever happens."""
    status = 1
    try:
        # Ctrl-C is for the other process, which then ends this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
            sys.stdout = sys.stderr = nowhere
            result = pickle.dumps(_outcome(work))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(result)
        status = 0
    except BaseException:
        # Whatever it was happens again where it can be told.
        status = 1
    finally:
        os._exit(status)


def _outcome(work: Callable[[], Result]) -> Result | AskmdError:
    """Return what a work came to; raises NoIndex, and whatever is not ours."""
    try:
        return work()
    except NoIndex:
        raise
    except AskmdError as error:
        return error.with_traceback(None)


class _Waiting(Generic[Result]):
    """The other process, seen from here."""

    def __init__(self, child: int, reading: int) -> None:
        self._child: int | None = child
        self._reading = reading

    def take(self) -> Result | None:
        """Wait for the work's result; None where it broke off. Raises what it raised of ours."""
        with os.fdopen(os.dup(self._reading), "rb") as pipe:
            data = pipe.read()
        # Our own process wrote it, from our own memory: nobody else's bytes are unpickled.
        result = pickle.loads(data) if self._has_succeeded() else None
        if isinstance(result, AskmdError):
            raise result
        return cast("Result | None", result)

    def end(self) -> None:
        """End the other process if it still runs."""
        os.close(self._reading)
        if self._child is not None:
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            self._has_succeeded()

    def _has_succeeded(self) -> bool:
        child, self._child = self._child, None
        if child is None:
            return False
        return os.waitpid(child, 0)[1] == 0
