"""A model is exported into the user's cache: once, in a child process, whole or not at all."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.embed.exported import Export, export_folder, find_export, is_ours, read_export
from askmd.embed.model_folder import ModelFolder
from askmd.embed.sums import SumOf
from askmd.errors import EmbeddingError, Interrupted

if TYPE_CHECKING:
    from filelock import BaseFileLock

Make = Callable[[Path, Path], None]
"""Exports the model in one folder into another, which is empty, with a record."""

LOOK_SECONDS = 0.1
"""How long a wait goes on without a look at whether anybody still wants what it is for."""
_CTRL_C_ON_WINDOWS = 0xC000013A

log = logging.getLogger(__name__)


def never() -> bool:
    """Say that nobody stops it."""
    return False


class NotKept(EmbeddingError):
    """The export could not be made or kept now; it may be another time."""


def make_export(
    cache: Path,
    described: ModelFolder,
    model: str,
    sum_of: SumOf,
    make: Make,
    *,
    anew: bool,
    is_stopped: Callable[[], bool] = never,
) -> Export:
    """Return a model's export, made now unless another process just did.

    anew: even where there seems to be one. is_stopped: looked at while another process is waited
    for. Raises NotKept where the cache cannot be written or the work ended before its time,
    Interrupted where the user ended it.
    """
    try:
        _own(cache)
        with _locked(cache, is_stopped), _temporary(cache) as folder:
            found = None if anew else find_export(cache, described, sum_of)
            if found is not None:
                return found
            log.warning("preparing %s once for this machine, about 20 s", model)
            make(described.folder, folder)
            target = export_folder(cache, described, sum_of)
            _publish(folder, target)
            made = read_export(target)
    except OSError as error:
        raise NotKept(
            f"{error.filename or cache} cannot be written: {error.strerror or error}",
            "make room there, or set XDG_CACHE_HOME to a folder that can be written",
        ) from error
    if made is None:
        raise NotKept(f"nothing came of preparing {model}", "try again")
    return made


def run_child(folder: Path, target: Path, is_stopped: Callable[[], bool] = never) -> None:
    """Export a model in a process of its own, which ends when this one does, or is stopped.

    Raises Interrupted where the user stopped it, NotKept where it ended without a record.
    """
    offline = {"HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1", "CUDA_VISIBLE_DEVICES": ""}
    # -P: a folder of documents that holds a torch.py is not to be imported from.
    command = [sys.executable, "-P", "-m", "askmd.embed.exporting", str(folder), str(target)]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=told,
            env={**os.environ, **offline},
        )
        try:
            status = _waited_for(process, is_stopped)
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        told.seek(0)
        last = told.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
    check_end(status, last, folder)


def check_end(status: int, last: str, folder: Path) -> None:
    """Raise Interrupted or NotKept unless a child ended well.

    status: its exit status, or the negative number of the signal that ended it. last: the last
    line it wrote to stderr.
    """
    stops = (-signal.SIGINT, -signal.SIGTERM, _CTRL_C_ON_WINDOWS)
    if status in stops or (status != 0 and last == "KeyboardInterrupt"):
        raise _stopped()
    if status < 0:
        name = next((one.name for one in signal.Signals if one == -status), f"signal {-status}")
        why = ", perhaps for memory" if name == "SIGKILL" else ""
        raise NotKept(f"preparing the model in {folder} was killed ({name}{why})", "try again")
    if status != 0:
        raise NotKept(f"the model in {folder} could not be prepared: {last or status}", "try again")


def _stopped() -> Interrupted:
    return Interrupted("preparing the model was stopped", "run it again to go on")


def _waited_for(process: subprocess.Popen[bytes], is_stopped: Callable[[], bool]) -> int:
    """Return a process's exit status; raises Interrupted once nobody wants it any more."""
    while True:
        try:
            return process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            if is_stopped():
                raise _stopped() from None


@contextmanager
def _locked(cache: Path, is_stopped: Callable[[], bool]) -> Iterator[None]:
    """Let one process at a time in; what a killed one left is removed."""
    from filelock import FileLock

    lock = FileLock(cache / "lock")
    _acquire(lock, is_stopped)
    try:
        for leftover in cache.glob("new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock, is_stopped: Callable[[], bool]) -> None:
    """Take the lock, however long that takes; raises Interrupted once nobody wants it any more."""
    from filelock import Timeout

    has_told = False
    while True:
        try:
            lock.acquire(timeout=LOOK_SECONDS)
        except Timeout:
            if is_stopped():
                raise _stopped() from None
            if not has_told:
                log.warning("another askmd is preparing a model: waiting until it is done")
            has_told = True
        else:
            return


@contextmanager
def _temporary(cache: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=cache, prefix="new-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _own(folder: Path) -> None:
    """Make a folder, and the one it is in, this user's alone; raises OSError if it is another's."""
    for one in (folder.parent, folder):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_ours(folder):
        raise PermissionError(1, "others than you may write it", str(folder))


def _publish(made: Path, target: Path) -> None:
    """Put a whole folder in its place; what stood there is removed."""
    if target.exists():
        old = Path(tempfile.mkdtemp(dir=target.parent, prefix="new-"))
        target.rename(old / "old")
        shutil.rmtree(old, ignore_errors=True)
    made.rename(target)
