"""A process with askmd imported that forks a child for each call: a fresh process in 10 ms.

A child is forked from a process that has one thread and no connection, so it is as good as a fresh
interpreter; some tests compare it with one.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

TESTS = Path(__file__).parents[1]
SOURCE = TESTS.parent / "src"
PRELOADED = (
    "faiss",
    "numpy",
    "numpy.ma",
    "sqlite3",
    "filelock",
    "pathspec",
    "statistics",
    "askmd.chunk.assemble",
    "askmd.ingest",
    "askmd.inspection",
    "askmd.retriever",
    "askmd.embed.hash",
    "askmd.store.nearest",
    "askmd.store.snapshots",
    "askmd.store.vectors",
    "askmd.store.word_runs",
    "askmd.store.word_search",
    "askmd.store.word_places",
    "faults.apart",
    "askmd.tokens.hashed",
    "faults.dying",
    "faults.world",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a child ended."""

    status: int
    """Its exit status; minus the signal's number where one ended it; 1 where the call raised."""
    result: Any
    """What the call returned, by way of JSON; None where it did not."""
    error: str
    """The traceback where the call raised."""
    output: str
    """What it printed, and what else was written to its standard output and error."""
    seconds: float
    timed_out: bool = False

    @property
    def signal(self) -> int:
        """The signal that ended it; 0 where none did."""
        return max(0, -self.status)


class ForkServer:
    """Forks children of a process that has imported everything; one at a time."""

    def __init__(self) -> None:
        """Start the process."""
        environment = dict(os.environ)
        environment["PYTHONPATH"] = os.pathsep.join([str(TESTS), str(SOURCE)])
        self._home = tempfile.TemporaryDirectory(prefix="askmd-forks-")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.forks", self._home.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def call(
        self,
        name: str,
        *,
        limit: float = 60.0,
        kill_after: float | None = None,
        kill_with: int = signal.SIGKILL,
        environment: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Outcome:
        """Call ``module:function`` with JSON arguments in a child of its own.

        limit: seconds until it is killed and counts as timed out. kill_after: seconds until it is
        sent ``kill_with``.
        """
        request = {
            "name": name,
            "arguments": arguments,
            "limit": limit,
            "kill_after": kill_after,
            "kill_with": int(kill_with),
            "environment": dict(environment or {}),
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the fork server has no pipes")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the fork server is gone")
        return Outcome(**json.loads(answer))

    def close(self) -> None:
        """End the process."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout:
            self._process.stdout.close()
        self._home.cleanup()


def serve(home: Path) -> None:
    """Answer requests, a line each, until there are no more."""
    for name in PRELOADED:
        importlib.import_module(name)
    # What is here already no child collects, nor copies the pages of.
    gc.collect()
    gc.freeze()
    # What the children print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        answer = _fork(json.loads(line), home)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _fork(request: dict[str, Any], home: Path) -> dict[str, Any]:
    result, output = home / "result", home / "output"
    for file in (result, output):
        file.write_bytes(b"")
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _run(request, result, output)
    status, timed_out = _wait(child, request, started)
    seconds = time.monotonic() - started
    text = result.read_text(encoding="utf-8")
    told: dict[str, Any] = {}
    with contextlib.suppress(ValueError):
        told = json.loads(text) if text else {}
    return {
        "status": status,
        "result": told.get("result"),
        "error": told.get("error", ""),
        "output": output.read_bytes().decode("utf-8", "backslashreplace"),
        "seconds": seconds,
        "timed_out": timed_out,
    }


def _run(request: dict[str, Any], result: Path, output: Path) -> None:
    """Do what is asked for in the child, and end it."""
    status = 1
    try:
        file = os.open(output, os.O_WRONLY | os.O_APPEND)
        for descriptor in (1, 2):
            os.dup2(file, descriptor)
        os.close(file)
        # Nobody types at a child, and it must not read the next request.
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.environ.update(request["environment"])
        module, _, function = request["name"].partition(":")
        found = getattr(importlib.import_module(module), function)(**request["arguments"])
        result.write_text(json.dumps({"result": found}), encoding="utf-8")
        status = 0
    except SystemExit as left:
        status = left.code if isinstance(left.code, int) else 1
    except BaseException:
        with contextlib.suppress(BaseException):
            told = {"error": traceback.format_exc()}
            result.write_text(json.dumps(told), encoding="utf-8")
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def _wait(child: int, request: dict[str, Any], started: float) -> tuple[int, bool]:
    """Return how the child ended, and whether it had to be ended."""
    end = started + request["limit"]
    kill_at = None if request["kill_after"] is None else started + request["kill_after"]
    descriptor = os.pidfd_open(child)
    timed_out = False
    try:
        while True:
            now = time.monotonic()
            wakes = [one for one in (kill_at, end) if one is not None]
            if select.select([descriptor], [], [], max(0.0, min(wakes) - now))[0]:
                break
            if kill_at is not None and time.monotonic() >= kill_at:
                os.kill(child, request["kill_with"])
                kill_at = None
            elif time.monotonic() >= end:
                timed_out = True
                os.kill(child, signal.SIGKILL)
                end += 60
    finally:
        os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), timed_out


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
