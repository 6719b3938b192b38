"""Backups: kill -9 in the middle of saving and bringing back, bits that flip, a writer beside."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

from faults import world
from faults.campaign import Campaign, Verdict
from faults.forks import ForkServer

_POINTS = ("open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect")
"""What Python tells before it is done; the process ends there, at the n-th of them."""
_MODES = ("wb", "ab", "xb", "w", "a", "x")


# --- in a child --------------------------------------------------------------------------------


def save(index: str, file: str, *, last_point: int = 0) -> Any:
    """Save an index; ``last_point``: ends the process there. Returns how many were passed."""
    from askmd.store.backup import save_backup

    return _told(lambda: save_backup(Path(index), Path(file)), last_point)


def restore(file: str, index: str, *, last_point: int = 0) -> Any:
    """Bring an index back; see ``save``."""
    from askmd.store.restoring import restore_backup

    return _told(lambda: restore_backup(Path(file), Path(index)), last_point)


def _told(act: Callable[[], Any], last_point: int) -> Any:
    passed = 0

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal passed
        is_reading = event == "open" and arguments[1] not in _MODES and not _writes(arguments[2])
        if event not in _POINTS or is_reading:
            return
        passed += 1
        if passed == last_point:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    try:
        done = asdict(act())
    except world.AskmdError as error:
        return world.told(error) | {"points": passed}
    return {**{name: str(value) for name, value in done.items()}, "points": passed}


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def write_on(root: str, index: str, record: str) -> None:
    """Change documents and ingest them for ever; of each commit, its generation and dump."""
    from askmd.store.writer import IndexWriter

    commit = IndexWriter.write

    def write(*arguments: Any, **options: Any) -> int:
        generation = commit(*arguments, **options)
        held = world.dump(index)["documents"]
        with Path(record).open("a", encoding="utf-8") as file:
            file.write(json.dumps([generation, held]) + "\n")
        return generation

    IndexWriter.write = write  # type: ignore[method-assign]
    held = world.documents(1)
    for number in range(10_000):
        held = world.changed(held, "mixed" if len(held) < 20 else "delete", number)
        world.write(Path(root), held)
        world.ingest(root, index, batch=1)


def save_beside_a_writer(root: str, index: str, place: str, rounds: int) -> list[str]:
    """Save again and again while another process commits; what was no committed generation."""
    record = Path(place) / "record"
    writer = os.fork()
    if writer == 0:
        try:
            write_on(root, index, str(record))
        finally:
            os._exit(1)
    try:
        saved = [_saved(index, Path(place) / f"{number}.backup") for number in range(rounds)]
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
    lines = record.read_text(encoding="utf-8").splitlines()
    # The first one may be what was there before the writer came.
    known = dict(json.loads(line) for line in lines if line.endswith("]"))
    return [
        f"generation {generation} is not what was committed"
        for generation, file in saved
        if generation in known and _held(file) != known[generation]
    ] + [f"{len({one for one, _ in saved} & known.keys())} generations were saved"]


def _saved(index: str, file: Path) -> tuple[int, Path]:
    """Save an index; in the middle of it, wait until the writer has committed once more."""
    from askmd.store.backup import save_backup

    waited: list[int] = []

    def wait(_progress: object) -> None:
        if not waited:
            waited.append(_generation(index))
            end = time.monotonic() + 20
            # What is saved may be one commit ahead of the manifest.
            while _generation(index) <= waited[0] + 1 and time.monotonic() < end:
                time.sleep(0.005)

    saved = save_backup(Path(index), file, progress=wait)
    if _generation(index) <= saved.generation:
        raise RuntimeError("nothing was committed meanwhile")
    return saved.generation, file


def _generation(index: str) -> int:
    from askmd.store.manifest import read_manifest

    return read_manifest(Path(index)).generation


def _held(file: Path) -> Any:
    from askmd.store.restoring import restore_backup

    index = file.with_suffix(".index")
    restore_backup(file, index)
    return world.dump(str(index))["documents"]


def flips(file: str, index: str, seed: int, count: int, *, is_sealed_anew: bool) -> dict[str, int]:
    """Flip a bit of a backup, so many times, and bring it back; what came of it.

    is_sealed_anew: with a sum that is right again, as whoever forges a backup writes it.
    """
    from askmd.store.restoring import restore_backup

    whole, chance = Path(file).read_bytes(), random.Random(seed)
    wanted = _dump(index)
    broken, target = Path(file).with_suffix(".broken"), Path(index).with_name("broken-index")
    found: dict[str, int] = {}
    for _ in range(count):
        held = bytearray(whole)
        held[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        broken.write_bytes(sealed(bytes(held)) if is_sealed_anew else held)
        shutil.rmtree(target, ignore_errors=True)
        try:
            restore_backup(broken, target)
            kind = "harmless" if _dump(str(target)) == wanted else "wrong"
        except world.AskmdError as error:
            kind = error.code
        found[kind] = found.get(kind, 0) + 1
    return found


def sealed(content: bytes) -> bytes:
    """Return a backup's bytes under a sum of what they are now."""
    body = content[: content.rindex(b"\naskmd backup")] if b"\naskmd backup" in content else content
    found = blake2b(body, digest_size=32).hexdigest()
    return body + f"\naskmd backup, blake2b {found}\n".encode()


def content(index: str) -> Any:
    """Return what a fresh process makes of an index, but for its generation; "" of none."""
    if not (Path(index) / "manifest.json").exists():
        return ""
    found = world.state(index, world.QUESTIONS[:2])
    return [{**found["dump"], "generation": 0}, found["answers"]]


def _dump(index: str) -> dict[str, Any]:
    return {**world.dump(index), "generation": 0}


# --- the trials --------------------------------------------------------------------------------


class Backups(Campaign):
    """kill -9 while an index is saved or brought back, half at named points, half at any time."""

    name: ClassVar[str] = "backups: kill -9"
    short: ClassVar[int] = 20
    long: ClassVar[int] = 200

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Make an index, a backup of it, and what the index has become since."""
        super().__init__(place, server)
        self._root, self._index = place / "docs", place / "index"
        self._old, self._new = place / "old.backup", place / "new.backup"
        self._states: dict[str, Any] = {"": ""}
        self._seconds: dict[str, float] = {}
        self._points: dict[str, int] = {}
        before = world.documents(3)
        for name, documents in (("old", before), ("new", world.changed(before, "mixed", 5))):
            world.write(self._root, documents)
            self._call("world:ingest", root=str(self._root), index=str(self._index))
            file = self._old if name == "old" else self._new
            self._measure("save", index=str(self._index), file=str(file))
            self._states[name] = self._content(self._index)
        self._measure("restore", file=str(self._old), index=str(place / "tried"))

    def trial(self, number: int) -> Verdict:
        """Kill one of the two, look at what is there, and do it again to its end."""
        chance = random.Random(number)
        what = ("save anew", "save over", "restore over", "restore anew")[number % 4]
        work = self.place / "trial"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        index, file = work / "index", work / "notes.backup"
        if what != "restore anew":
            shutil.copytree(self._index, index)
        if what != "save anew":
            shutil.copy(self._old, file)
        verb = what.partition(" ")[0]
        arguments: dict[str, Any] = {"index": str(index), "file": str(file)}
        if number % 8 < 4:
            arguments["last_point"] = chance.randrange(1, self._points[verb] + 2)
            told = self.server.call(f"faults.backups:{verb}", **arguments)
        else:
            delay = chance.uniform(0.0, 1.2 * self._seconds[verb])
            told = self.server.call(f"faults.backups:{verb}", kill_after=delay, **arguments)
        end = "killed" if told.signal else "not killed"
        found, faults = self._found(verb, what, index, file)
        faults += self._faults_of_another(verb, index, file)
        words = f"{what}, {arguments.get('last_point', 'any time')}, {end}: {'; '.join(faults)}"
        return Verdict(f"{verb} {end}: {found}", bool(faults), words)

    def _found(self, verb: str, what: str, index: Path, file: Path) -> tuple[str, list[str]]:
        """Return what stands after a kill, and what is wrong with that."""
        if verb == "restore":
            allowed = {"old": "done", "new" if what == "restore over" else "": "as before"}
        else:
            allowed = {"new": self._found_file(file, what == "save over", index.parent)}
        state = self._content(index)
        found = [word for name, word in allowed.items() if self._states[name] == state]
        if found and found[0]:
            return found[0], []
        what_is = "the file is neither the old one nor a whole new one" if found else ""
        return "wrong", [what_is or "the index is none of those it may be"]

    def _faults_of_another(self, verb: str, index: Path, file: Path) -> list[str]:
        """Return what is wrong when the same is done again, to its end."""
        faults = []
        arguments = {"index": str(index), "file": str(file)}
        again = self.server.call(f"faults.backups:{verb}", **arguments)
        if again.status or "error" in again.result:
            faults.append(f"a second time it fails: {again.error or again.result}")
        wanted = self._states["new" if verb == "save" else "old"]
        if self._content(index) != wanted:
            faults.append("after a second time the index is another")
        if verb == "restore" and (extra := _extra(index)):
            faults.append(f"left behind: {extra}")
        return faults

    def _found_file(self, file: Path, was_there: bool, work: Path) -> str:
        """Return whether a file is as before or a whole backup of what stands; "" if neither."""
        if not file.exists():
            return "" if was_there else "as before"
        if was_there and file.read_bytes() == self._old.read_bytes():
            return "as before"
        told = self.server.call("faults.backups:restore", file=str(file), index=str(work / "tried"))
        is_whole = not told.status and self._content(work / "tried") == self._states["new"]
        return "done" if is_whole else ""

    def _measure(self, verb: str, **arguments: str) -> None:
        """Do it once, to know how long it takes and how many points it passes."""
        told = self.server.call(f"faults.backups:{verb}", **arguments)
        if told.status:
            raise RuntimeError(f"{verb} failed: {told.error}{told.output}")
        self._points[verb], self._seconds[verb] = told.result["points"], told.seconds

    def _content(self, index: Path) -> Any:
        return self._call("backups:content", index=str(index))

    def _call(self, name: str, **arguments: Any) -> Any:
        told = self.server.call(f"faults.{name}", **arguments)
        if told.status:
            raise RuntimeError(f"{name} failed: {told.error}{told.output}")
        return told.result


def _extra(index: Path) -> list[str]:
    """Return the files of an index that its manifest does not speak for."""
    database = json.loads((index / "manifest.json").read_text(encoding="utf-8"))["database"]
    known = database.removeprefix("index-").removesuffix(".sqlite3")
    plain = {"manifest.json", ".gitignore", "write.lock"}
    return [one.name for one in index.iterdir() if known not in one.name and one.name not in plain]
