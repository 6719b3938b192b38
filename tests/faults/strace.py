"""T2 and T3 in real processes: strace records what ``askmd ingest`` calls, and makes it fail."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from faults import disk, world
from faults.campaign import Campaign, Verdict
from faults.failing import EVERY, FailingCallsEverywhere, Scenario, judge_index
from faults.forks import SOURCE, ForkServer
from faults.power import Mark, PowerLoss, Recording
from faults.shim import Operation

FAILED_FILES = 4
NEEDS = "SKIPPED LOUDLY: strace is not here"
_CALLS = (
    "openat,mkdir,lseek,write,pwrite64,fsync,fdatasync,ftruncate,rename,renameat,renameat2,"
    "unlink,unlinkat"
)
_FAILURES = {
    "openat": errno.EMFILE,
    "write": errno.ENOSPC,
    "pwrite64": errno.ENOSPC,
    "fsync": errno.EIO,
    "fdatasync": errno.EIO,
    "ftruncate": errno.EIO,
    "rename": errno.EDQUOT,
    "unlink": errno.EIO,
}
_ON_FILES = {"lseek", "write", "pwrite64", "fsync", "fdatasync", "ftruncate"}
_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)")
_UNFINISHED = re.compile(r"(\d+) +(\w+\(.*) <unfinished \.\.\.>")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
_FILE = re.compile(r"(\d+)<((?:\\x[0-9a-f]{2})*)>")
_FIRST_LINES = 2
"""Of a failing process: its message, and at most a notice before it."""


def is_possible() -> bool:
    """Return whether strace is here and may be used."""
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode == 0


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that was done."""

    process: str
    """Of the thread that made it."""
    name: str
    text: str
    """Its arguments, as strace writes them."""
    result: int

    def paths(self) -> list[str]:
        """Return the paths it was given, of open files too, in order."""
        found = [(one.start(), one[1]) for one in _TEXT.finditer(self.text)]
        found += [(one.start(), one[2]) for one in _FILE.finditer(self.text)]
        return [os.fsdecode(_plain(text)) for _, text in sorted(found)]

    def data(self) -> bytes:
        """Return what it wrote."""
        found = _TEXT.search(self.text)
        if found is None or found[2]:
            raise ValueError("strace cut off what was written")
        return _plain(found[1])[: self.result]


def _plain(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def ingest(
    place: Path, scenario_options: Mapping[str, bool], *strace: str
) -> subprocess.CompletedProcess[str]:
    """Run ``askmd ingest docs`` under strace in a folder."""
    (place / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    flags = [f"--{name}" for name in scenario_options]
    command = [sys.executable, "-m", "askmd", "ingest", "docs", "--index", "index", *flags]
    return subprocess.run(
        ["strace", "-f", *strace, *command],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(SOURCE), "HOME": str(place / "home")},
        capture_output=True,
        text=True,
        timeout=120,
    )


def calls(log: Path) -> Iterator[Call]:
    """Yield the calls of a log in the order in which they ended."""
    begun: dict[str, str] = {}
    with log.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if found := _UNFINISHED.fullmatch(line.rstrip("\n")):
                begun[found[1]] = found[2]
                continue
            if (found := _RESUMED.fullmatch(line.rstrip("\n"))) and found[1] in begun:
                line = f"{found[1]} {begun.pop(found[1])}{found[2]}"
            if found := _LINE.match(line):
                yield Call(found[1], found[2], found[3], int(found[4]))


class _Reading:
    """Calls turned into what they did to the files of one folder."""

    def __init__(self, folder: Path, names: set[str]) -> None:
        """names: the files that are there at the start."""
        self._above = f"{folder.absolute().parent}{os.sep}"
        self._folder = folder.name
        self._names = names
        self._places: dict[tuple[str, str], int] = {}
        """Where the next write to an open file begins."""

    def covers(self, path: str) -> str | None:
        """Return what a path is called in operations; None where it is not the folder's."""
        if f"{path}{os.sep}" == self._above:
            return "."
        name = path.removeprefix(self._above)
        is_inside = path.startswith(self._above) and name.partition(os.sep)[0] == self._folder
        is_nameless = "#" in name or name.endswith((" (deleted)", "-shm"))
        return name if is_inside and not is_nameless else None

    def operations(self, call: Call) -> Iterator[Operation]:
        """Yield what a call did."""
        names = self.names(call)
        act = getattr(self, f"_{call.name}", None)
        if call.result >= 0 and names and act:
            yield from act(call, names)

    def names(self, call: Call) -> list[str]:
        """Return the folder's files that a call was given."""
        # Processes are started in the folder above; what they wrote may look like a path, too.
        paths = call.paths()[:1] if call.name in _ON_FILES else call.paths()[-2:]
        found = (self.covers(os.path.join(self._above, path)) for path in paths)  # noqa: PTH118
        return [name for name in found if name]

    def _openat(self, call: Call, names: list[str]) -> Iterator[Operation]:
        name = names[-1]
        self._places[call.process, str(call.result)] = 0
        if "O_TMPFILE" in call.text:
            return
        if "O_CREAT" in call.text and name not in self._names:
            self._names.add(name)
            yield Operation("create", name)
        elif "O_TRUNC" in call.text:
            yield Operation("truncate", name)

    def _mkdir(self, call: Call, names: list[str]) -> Iterator[Operation]:
        yield Operation("mkdir", names[0])

    def _lseek(self, call: Call, names: list[str]) -> Iterator[Operation]:
        self._places[self._file(call)] = call.result
        yield from ()

    def _write(self, call: Call, names: list[str]) -> Iterator[Operation]:
        place = self._places.get(self._file(call), 0)
        self._places[self._file(call)] = place + call.result
        yield Operation("write", names[0], place, call.data())

    def _pwrite64(self, call: Call, names: list[str]) -> Iterator[Operation]:
        place = int(call.text.rsplit(", ", 1)[1])
        yield Operation("write", names[0], place, call.data())

    def _fsync(self, call: Call, names: list[str]) -> Iterator[Operation]:
        is_folder = names[0] in (".", self._folder)
        yield Operation("sync_folder" if is_folder else "sync", names[0])

    _fdatasync = _fsync

    def _ftruncate(self, call: Call, names: list[str]) -> Iterator[Operation]:
        yield Operation("truncate", names[0], int(call.text.rsplit(", ", 1)[1]))

    def _rename(self, call: Call, names: list[str]) -> Iterator[Operation]:
        source, target = names
        self._names.discard(source)
        self._names.add(target)
        yield Operation("rename", source, to=target)

    _renameat = _renameat2 = _rename

    def _unlink(self, call: Call, names: list[str]) -> Iterator[Operation]:
        self._names.discard(names[-1])
        yield Operation("unlink", names[-1])

    _unlinkat = _unlink

    def _file(self, call: Call) -> tuple[str, str]:
        found = _FILE.match(call.text)
        return call.process, found[1] if found else ""


def operations(log: Path, folder: Path, before: Mapping[str, bytes]) -> list[Operation]:
    """Return what a log says was done to a folder's files."""
    reading = _Reading(folder, set(before))
    return [one for call in calls(log) for one in reading.operations(call)]


def record(place: Path, log: Path, options: Mapping[str, bool]) -> list[Operation]:
    """Return what an ingest of a folder's ``docs`` does to its ``index``."""
    index = place / "index"
    before = disk.read(index) if index.exists() else {}
    strace = ("-y", "-xx", "-s", "16777216", "-e", f"trace={_CALLS}", "-o", str(log))
    ran = ingest(place, options, *strace)
    if ran.returncode:
        raise RuntimeError(f"askmd ended with {ran.returncode}: {ran.stderr}")
    return operations(log, index, before)


def marks(done: Sequence[Operation]) -> list[Mark]:
    """Return what a process acknowledged: each manifest, once its folder was synced."""
    found = []
    texts: dict[str, bytes] = {}
    awaited: bytes | None = None
    for place, one in enumerate(done):
        if one.kind == "write" and "/manifest.json." in one.name:
            texts[one.name] = one.data
        elif one.kind == "rename" and one.to.endswith("/manifest.json"):
            awaited = texts[one.name]
        elif one.kind == "sync_folder" and awaited:
            found.append(Mark(place + 1, _generation(awaited), None))
            awaited = None
    return found


def _generation(manifest: bytes) -> int:
    found = re.search(rb'"generation": (\d+)', manifest)
    if found is None:
        raise ValueError(f"no generation in {manifest!r}")
    return int(found[1])


class PowerLossOfAProcess(PowerLoss):
    """The power fails at any call of a real ``askmd ingest``."""

    name: ClassVar[str] = "T2 power loss, by strace"
    short: ClassVar[int] = 0

    def record(self) -> Iterator[Recording]:
        """Return a first ingest, one of a mixed change and a rebuild, of several batches each."""
        texts = world.documents(7, 60)
        changed = world.changed(texts, "mixed", 7)
        for number in range(20):
            changed[f"more-{number}.md"] = world.text_of(number)
        for name, old, new, options in (
            ("first", {}, texts, {}),
            ("mixed", texts, changed, {}),
            ("rebuild", texts, changed, {"rebuild": True}),
        ):
            yield self._record(name, old, new, options)

    def _record(
        self, name: str, old: world.Documents, new: world.Documents, options: dict[str, bool]
    ) -> Recording:
        # The index keeps the way to its documents: it has to be the same from where trials are.
        root, index = self.place / f"{name}-docs", self.place / "index"
        shutil.rmtree(index, ignore_errors=True)
        former: dict[str, str] = {}
        if old:
            world.write(root, old)
            self.server.call("faults.world:ingest", root=str(root), index=str(index))
            former = self._held(index)
        before = disk.read(index) if old else {}
        world.write(root, new)
        docs = self.place / "docs"
        docs.unlink(missing_ok=True)
        docs.symlink_to(root)
        done = record(self.place, self.place / f"{name}.log", options)
        later = self._held(index)
        found = marks(done)
        if old:
            found.insert(0, Mark(0, _generation(before["index/manifest.json"]), None))
        return Recording(name, root, options, before, done, found, (former, later))

    def _held(self, index: Path) -> dict[str, str]:
        outcome = self.server.call("faults.world:dump", index=str(index))
        if outcome.status:
            raise RuntimeError(outcome.error)
        held: dict[str, str] = outcome.result["documents"]
        return held


@dataclass(frozen=True, slots=True)
class Point:
    """A system call that concerns the index."""

    scenario: Scenario
    call: str
    nth: int
    """Counted among the process's calls of that name."""


class FailingProcesses(Campaign):
    """A system call of a real ``askmd ingest`` fails: every one that concerns the index."""

    name: ClassVar[str] = "T3 failing calls, by strace"
    short: ClassVar[int] = 0
    long: ClassVar[int] = EVERY

    def __init__(self, place: Path, server: ForkServer) -> None:
        super().__init__(place, server)
        # What compiles modules writes files of its own: that is over before calls are counted.
        scenarios = self.scenarios()
        list(self._points(scenarios[0]))
        self.points = [point for one in scenarios for point in self._points(one)]
        self.trials = [
            (point, is_sticky)
            for number, point in enumerate(self.points)
            for is_sticky in (False, True)
            # Of pages there are very many: each fails in one way.
            if point.call != "pwrite64" or is_sticky == bool(number % 2)
        ]

    def scenarios(self) -> list[Scenario]:
        """Return the ingests that are disturbed."""
        return FailingCallsEverywhere(self.place, self.server).scenarios

    def _points(self, scenario: Scenario) -> Iterator[Point]:
        here = self._begin(scenario)
        log = self.place / f"{scenario.name}.log"
        record(here, log, scenario.options)
        reading = _Reading(here / "index", set())
        counts: Counter[str] = Counter()
        first = ""
        for call in calls(log):
            first = first or call.process
            # strace counts each thread's calls apart, and only the first thread's write.
            if call.process != first:
                continue
            counts[call.name] += 1
            is_asked = call.result >= 0 and call.name in _FAILURES
            # Python looks for modules in the folder above.
            if is_asked and any(name != "." for name in reading.names(call)):
                yield Point(scenario, call.name, counts[call.name])

    def _begin(self, scenario: Scenario) -> Path:
        here = self.place / "trial"
        shutil.rmtree(here, ignore_errors=True)
        if scenario.before:
            shutil.copytree(scenario.before, here)
        return here

    def trial(self, number: int) -> Verdict | None:
        """Let a call fail, once or from then on; None where there are no more."""
        if number >= len(self.trials):
            return None
        point, is_sticky = self.trials[number]
        here = self._begin(point.scenario)
        code = errno.errorcode[_FAILURES[point.call]]
        when = f"{point.nth}{'+' if is_sticky else ''}"
        ran = ingest(
            here,
            point.scenario.options,
            *("-e", f"trace={point.call}", "-o", os.devnull),
            *("-e", f"inject={point.call}:error={code}:when={when}"),
        )
        what = f"{point.scenario.name}, {point.call} {when} {code}"
        call = {"root": str(here / "docs"), "index": str(here / "index"), "is_asked": False}
        found = self.server.call("faults.failing:look", **call)
        if found.status:
            return Verdict("broken", is_bad=True, what=f"{what}: {found}")
        done: dict[str, Any] = {"report": {}, "acknowledged": 0}
        if ran.returncode:
            done["report"] = {"error": "index"}
        is_mute = point.call == "write" and is_sticky
        faults = [] if is_mute else _judge_process(ran, here)
        faults += judge_index(point.scenario, done, found.result)
        kind = "refused" if ran.returncode else "done"
        return Verdict(kind, is_bad=bool(faults), what=f"{what}: {'; '.join(faults)}")


def _judge_process(ran: subprocess.CompletedProcess[str], here: Path) -> list[str]:
    """Return what is wrong with how a process ended."""
    said = ran.stderr.strip()
    if ran.returncode == 0:
        return ["a traceback"] if "Traceback" in said else []
    is_few = ran.returncode == FAILED_FILES and "Traceback" not in said
    if is_few and os.strerror(errno.EMFILE).lower() in said.lower():
        # One document could not be opened: the report names it.
        return []
    causes = [os.strerror(one) for one in set(_FAILURES.values())]
    causes += ["disk is full", "disk I/O error", "unable to open database file"]
    causes += ["how many files a process may open"]
    causes += ["could not load the system's file locks"]
    where = (str(here), "index", str(SOURCE), sys.prefix, sys.base_prefix)
    is_told = any(cause.lower() in said.lower() for cause in causes)
    is_told = is_told and any(one in said for one in where) and "unexpected" not in said
    is_short = len(said.split("\n")) <= _FIRST_LINES
    if ran.returncode != 1 or "Traceback" in said or not is_told or not is_short:
        return [f"ended with {ran.returncode}: {said}"]
    return []
