"""T12: an index that may be read and not written, as a user without root's rights.

Searching must do without a file of its own, or say why not; writing is refused at once.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faults import apart, world

LEFT = ("by a writer", "by a reader", "by a killed writer", "by a killed writer, without -shm")
"""Who used the index last: what SQLite has beside the database."""
KEPT_BY = ("permissions", "another user", "another user, closed", "a read-only disk")
"""What keeps one from writing it."""
VERBS = {
    "search": ("search", "--json", world.QUESTIONS[0]),
    "ask": ("ask", "--no-llm", "--json", world.QUESTIONS[0]),
    "status": ("status", "--json"),
    "doctor": ("doctor", "--json"),
    "ingest": ("ingest", "docs", "--json"),
    "rebuild": ("ingest", "docs", "--json", "--rebuild"),
}


def play(kept_by: str) -> dict[str, Any]:
    """Return how each verb ended on an index that cannot be written, by who left it."""
    apart.import_everything()
    found = {}
    for left in LEFT:
        ended = apart.apart(lambda left=left: _play(left, kept_by), seconds=50)  # type: ignore[misc]
        if ended.status:
            raise AssertionError(ended.result)
        found[left] = ended.result
    return found


def _play(left: str, kept_by: str) -> dict[str, Any]:
    with _public() as place:
        (place / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
        world.write(place / "docs", world.documents(12, 6))
        if kept_by == "a read-only disk":
            (place / "disk").mkdir()
            apart.own_mounts()
            apart.mount_memory(place / "disk", size=16 << 20)
        _leave(place, left)
        index = place / "disk" / "index"
        shutil.copytree(index, place / "copy" / "index")
        wanted = apart.apart(lambda: _run(place, *VERBS["search"], index="copy/index"))
        _keep(place, kept_by)
        ended = apart.apart(lambda: (apart.become_nobody(), _verbs(place))[1], seconds=50)
        if ended.status:
            raise AssertionError(ended.result)
        return {"wanted": wanted.out, **ended.result}


@contextlib.contextmanager
def _public() -> Iterator[Path]:
    """Lend an empty folder that others may come to."""
    place = Path(tempfile.mkdtemp(prefix="askmd-"))
    place.chmod(0o755)
    try:
        yield place
    finally:
        for folder, _, _ in os.walk(place):
            with contextlib.suppress(OSError):
                Path(folder).chmod(0o755)
        shutil.rmtree(place, ignore_errors=True)


def _leave(place: Path, left: str) -> None:
    """Make an index, the last of it by a writer that leaves or is killed, or by a reader."""
    index = place / "disk" / "index"

    def ingest() -> None:
        if "killed" in left:
            from askmd.store import IndexWriter

            IndexWriter.finish = _die  # type: ignore[assignment,method-assign]
        _run(place, "ingest", "docs")

    apart.apart(ingest)
    if left == "by a reader":
        apart.apart(lambda: _run(place, *VERBS["search"]))
    if left.endswith("without -shm"):
        [shared] = index.glob("*-shm")
        shared.unlink()


def _die(*words: Any, **options: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _keep(place: Path, kept_by: str) -> None:
    """Take away the right to write."""
    index = place / "disk" / "index"
    is_open = kept_by != "permissions"
    for path in [*index.iterdir(), index]:
        is_folder = path.is_dir()
        path.chmod((0o755 if is_folder else 0o644) if is_open else (0o500 if is_folder else 0o400))
        if os.geteuid() == 0 and kept_by == "permissions":
            os.chown(path, apart.NOBODY, apart.NOBODY)
    if kept_by.endswith("closed"):
        index.chmod(0o700)
    (place / "disk").chmod(0o755)
    (place / "home").mkdir(exist_ok=True)
    (place / "home").chmod(0o777)
    if kept_by == "a read-only disk":
        apart.mount_memory(place / "disk", again=True, read_only=True)


def _run(place: Path, *words: str, index: str = "disk/index") -> None:
    apart.run_askmd(*words, "--index", index, here=place, home=place / "home")


def _verbs(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, words in VERBS.items():
        before = _listing(place / "disk")
        ended = apart.apart(lambda words=words: _run(place, *words))  # type: ignore[misc]
        found[name] = {
            "status": ended.status,
            "out": ended.out,
            "err": ended.err,
            "result": ended.result,
            "seconds": ended.seconds,
            "changed": sorted(set(before) ^ set(_listing(place / "disk"))),
        }
    return found


def _listing(folder: Path) -> list[str]:
    """Return what is there, with sizes and times of change."""
    found = []
    for inner, _, names in os.walk(folder):
        for name in [".", *names]:
            status = (Path(inner) / name).stat()
            found.append(f"{inner}/{name} {status.st_size} {status.st_mtime_ns}")
    return found
