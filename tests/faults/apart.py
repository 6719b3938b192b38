"""A further child of a child: with mounts of its own, under a limit, as a user without rights.

Its result and what it prints come by pipes, so that they need no room on any disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import selectors
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import askmd.cli.verbs
from askmd.ingest import journey

NOBODY = 65534
_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_READ_ONLY, _REMOUNT, _RECURSIVE, _PRIVATE = 1, 32, 16384, 1 << 18


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended."""

    status: int
    """Its exit status; minus the signal's number where one ended it."""
    result: Any
    """What was returned, by way of JSON; the traceback where something was raised."""
    out: str
    err: str
    seconds: float
    timed_out: bool = False


def apart(act: Callable[[], Any], *, seconds: float = 30.0) -> Ended:
    """Do something in a fork of this process, and return how it ended."""
    pipes = [os.pipe() for _ in range(3)]
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _do(act, [writer for _, writer in pipes])
    for _, writer in pipes:
        os.close(writer)
    told, timed_out = _listen([reader for reader, _ in pipes], started + seconds)
    if timed_out:
        os.kill(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    result, out, err = (one.decode("utf-8", "backslashreplace") for one in told)
    try:
        value = json.loads(result or "null")
    except ValueError:
        value = result
    return Ended(status, value, out, err, time.monotonic() - started, timed_out)


def _do(act: Callable[[], Any], writers: list[int]) -> None:
    result, out, err = writers
    status = 1
    try:
        os.dup2(out, 1)
        os.dup2(err, 2)
        # Those of before are the fork server's, of another kind and read from.
        sys.stdin, sys.stdout, sys.stderr = (
            os.fdopen(end, "w" if end else "r", encoding="utf-8", closefd=False) for end in range(3)
        )
        os.write(result, json.dumps(act()).encode())
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        with contextlib.suppress(OSError):
            os.write(result, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _listen(readers: list[int], end: float) -> tuple[list[bytes], bool]:
    """Return what comes out of each pipe until all are closed, and whether time was up before."""
    told = dict.fromkeys(readers, b"")
    with selectors.DefaultSelector() as waiting:
        for reader in readers:
            waiting.register(reader, selectors.EVENT_READ)
        while waiting.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                if piece := os.read(key.fd, 1 << 16):
                    told[key.fd] += piece
                else:
                    waiting.unregister(key.fd)
        timed_out = bool(waiting.get_map())
    for reader in readers:
        os.close(reader)
    return list(told.values()), timed_out


def run_askmd(*words: str, here: Path, home: Path) -> None:
    """Run the command line in this process and leave it; small batches, so many commits."""
    journey.BATCH_TEXTS = 4  # type: ignore[misc]
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = str(home)
    os.chdir(here)
    sys.argv = ["askmd", *words]
    askmd.cli.main()


def own_mounts() -> None:
    """Give this process mounts that nobody else sees; raises OSError where it may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    if user != 0 or libc.unshare(_NEW_MOUNTS):
        _done(libc.unshare(_NEW_USERS | _NEW_MOUNTS))
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    _done(libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None))


def mount_memory(
    place: Path, *, again: bool = False, read_only: bool = False, **limits: int
) -> None:
    """Put a disk in memory at a place; limits: ``size`` in bytes, ``nr_inodes``.

    again: change the one that is there.
    """
    flags = _REMOUNT * again | _READ_ONLY * read_only
    options = ",".join(f"{name}={value}" for name, value in limits.items()).encode()
    libc = ctypes.CDLL(None, use_errno=True)
    _done(libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", flags, options))


def become_nobody() -> None:
    """Give up root's rights, which go past every permission; others stay who they are.

    Everything is imported first: nobody may not be let into where Python stands.
    """
    if os.geteuid() == 0:
        import_everything()
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def import_everything() -> None:
    """Run what imports as it goes, once a process; what it prints is of no use."""
    if "askmd.cli.doctoring" in sys.modules:
        return
    nothing = Path(os.devnull)
    with (
        tempfile.TemporaryDirectory() as folder,
        nothing.open("w", encoding="utf-8") as nowhere,
        nothing.open(encoding="utf-8") as silence,
    ):
        place = Path(folder)
        (place / "docs").mkdir()
        (place / "docs" / "a.md").write_text("# A\n\nText.\n", encoding="utf-8")
        (place / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
        streams, environment, here = (
            (sys.stdin, sys.stdout, sys.stderr), dict(os.environ), Path.cwd(),
        )  # fmt: skip
        sys.stdin, sys.stdout, sys.stderr = silence, nowhere, nowhere
        for words in (
            ["ingest", "docs"], ["ingest", "none"], ["search", "a"], ["status"], ["doctor"],
            ["ask", "--no-llm", "a"], ["search", "--json", "a"],
        ):  # fmt: skip
            with contextlib.suppress(SystemExit):
                run_askmd(*words, here=place, home=place)
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(here)


def _done(status: int) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
