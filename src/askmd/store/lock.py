"""One writer an index: a lock file, and beside it who holds it."""

from __future__ import annotations

import os
import warnings
from contextlib import suppress
from pathlib import Path

from askmd.errors import IndexFault, IndexLocked
from askmd.store.folder import HOLDER, LOCK, replace_file

WAIT_SECONDS = 0.5


class WriteLock:
    """The right to write an index, held until it is released or the process ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock, or raise IndexLocked after a short wait, naming the process that has it.

        The operating system lets go of it when a process dies, so a crash leaves nothing to mend.
        """
        with warnings.catch_warnings():
            # What it warns of is refused below.
            warnings.simplefilter("ignore")
            from filelock import FileLock, SoftFileLock, Timeout

        if issubclass(FileLock, SoftFileLock):
            # One that a killed process leaves locks for ever; filelock takes it where it cannot
            # load the system's own, if only for want of a file handle.
            raise IndexFault(
                "this Python could not load the system's file locks", "run the same command again"
            )
        self._holder = folder / HOLDER
        self._lock = FileLock(folder / LOCK, mode=0o600, thread_local=False)
        try:
            self._lock.acquire(timeout=WAIT_SECONDS)
        except Timeout as error:
            raise IndexLocked(
                f"{_name_holder(self._holder)} is writing the index in {folder}",
                "wait until it is done, then run the same command",
            ) from error
        try:
            # Not in the lock file itself: a locked file cannot be read on Windows.
            replace_file(self._holder, str(os.getpid()).encode(), is_durable=False)
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Let the next writer in; calling it twice is harmless."""
        if self._lock.is_locked:
            with suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()


def _name_holder(path: Path) -> str:
    with suppress(OSError, ValueError):
        return f"process {int(path.read_text(encoding='utf-8'))}"
    return "another process"
