"""Runs askmd's command line several times in one process, and writes down what Python did.

Started with a folder: ``jobs.json`` holds the runs, each its words and its standard input;
``report.json`` will hold for each its output and status, and every event on the way.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from pathlib import Path

WATCHED = (
    "open", "socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork",
    "os.forkpty", "os.spawn", "os.startfile", "os.remove", "os.rename", "os.mkdir", "os.rmdir",
    "os.link", "os.symlink", "os.chmod", "os.truncate", "os.putenv", "shutil.", "sqlite3.connect",
    "tempfile.", "webbrowser.", "urllib.", "ftplib.", "smtplib.", "pty.", "ctypes.dlopen",
)  # fmt: skip
events: list[list[str]] = []
is_watching = False
own = os.getpid()
forked = -1
"""Where a forked process writes its events, for its copy of the list ends with it."""


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note an event that reaches out of the process."""
    if is_watching and event.startswith(WATCHED) and event != "sqlite3.connect/handle":
        said = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments
        noted = [event, *map(str, said if isinstance(said, tuple) else (said,))]
        if os.getpid() == own:
            events.append(noted)
        else:
            os.write(forked, f"{json.dumps(noted)}\n".encode())


def of_forked(offset: int) -> list[list[str]]:
    """Return the events of forked processes that were written from an offset on."""
    said = os.pread(forked, os.fstat(forked).st_size - offset, offset)
    return [json.loads(line) for line in said.splitlines()]


def run(words: list[str], stdin: str) -> dict[str, object]:
    """Run one verb and return how it ended."""
    from askmd import cli

    out, err = io.StringIO(), io.StringIO()
    sys.argv, sys.stdin = ["askmd", *words], io.StringIO(stdin)
    status: object = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as left:
            status = left.code
    return {"status": int(status or 0), "out": out.getvalue(), "err": err.getvalue()}  # type: ignore[call-overload]


def main() -> None:
    """Run every job; what was opened by then for a harmless one is told apart by its number."""
    global is_watching, forked
    folder = Path(sys.argv[1])
    jobs = json.loads((folder / "jobs.json").read_text(encoding="utf-8"))
    log = folder / "report.json.forked"
    forked = os.open(log, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
    log.unlink()
    sys.addaudithook(watch)
    done = []
    for words, stdin in jobs:
        events.clear()
        offset = os.fstat(forked).st_size
        is_watching = True
        ran = run(words, stdin)
        is_watching = False
        beside = of_forked(offset)
        done.append(
            ran | {"events": [list(event) for event in (*events, *beside)], "beside": len(beside)}
        )
    (folder / "report.json").write_text(json.dumps(done), encoding="utf-8")


if __name__ == "__main__":
    main()
