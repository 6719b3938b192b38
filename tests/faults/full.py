"""T4: a disk without room, without inodes, files that may not grow, a full folder for scratch.

Each trial mounts a disk in memory of its own, makes an index there, leaves it a little room, and
does one thing. What is committed must be there afterwards, readable on the full disk, and the same
command must end well once there is room.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from faults import apart, world
from faults.campaign import Campaign, Verdict
from faults.forks import ForkServer

SCENARIOS = ("first", "mixed", "rebuild", "search")
QUESTIONS = world.QUESTIONS[:3]
_AMPLE = 64 << 20
_STEPS = 15
_MOST_ROOM = {"first": 1_600_000, "mixed": 1_400_000, "rebuild": 1_800_000, "search": 8_000}
"""Bytes that are enough for each scenario; its sizes go up to there in steps."""
_FILE_SIZES = (
    0, 4096, 20_000, 60_000, 120_000, 200_000, 300_000, 600_000, 1_000_000, 4_000_000
)  # fmt: skip
_SPREAD = 37
"""Prime to the number of points: those that come first are of all kinds."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a trial leaves."""

    scenario: str
    fills: str
    """``size``, ``nr_inodes``, ``file size`` or ``scratch``."""
    step: int


POINTS = tuple(
    Point(scenario, fills, step)
    for fills, steps in (
        ("size", _STEPS), ("nr_inodes", 5), ("file size", len(_FILE_SIZES)), ("scratch", 1),
    )
    for step in range(steps)
    for scenario in SCENARIOS
)  # fmt: skip
"""60 sizes, 20 numbers of inodes, 40 limits of a file, 4 with no room for scratch alone."""


class FullDisk(Campaign):
    """Everything that writes, on a disk that is full at some point of it."""

    name: ClassVar[str] = "T4 disk full"
    short: ClassVar[int] = 20
    long: ClassVar[int] = 124

    def __init__(self, place: Path, server: ForkServer) -> None:
        super().__init__(place, server)
        self.before = world.documents(4, 22)
        self.after = world.changed(self.before, "mixed", 4)
        self.expected: dict[str, Any] = {}
        for name, held in (("before", self.before), ("after", self.after)):
            world.write(place / "docs", held)
            index = place / "disk" / "index"
            made = server.call("faults.world:ingest", root=str(place / "docs"), index=str(index))
            assert made.status == 0, made
            told = server.call("faults.world:state", index=str(index), questions=QUESTIONS)
            self.expected[name] = told.result
            shutil.copytree(index, place / name)
            shutil.rmtree(index)
        (place / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
        (place / "home").mkdir()

    def trial(self, number: int) -> Verdict | None:
        if number >= len(POINTS):
            return None
        asked = POINTS[number * _SPREAD % len(POINTS)]
        what = f"{asked.scenario}, {asked.fills}, step {asked.step}"
        played = self.server.call(
            "faults.full:play",
            place=str(self.place),
            scenario=asked.scenario,
            fills=asked.fills,
            step=asked.step,
            limit=120,
        )
        if played.status:
            return Verdict("broken", True, f"{what}: {played.error}{played.output}")
        return judged(what, asked.scenario, played.result, self.expected)


# --- in a child ------------------------------------------------------------------------------


def play(place: str, scenario: str, fills: str, step: int) -> dict[str, Any]:
    """Fill a disk and do a thing, look, make room, do it again; return what came of each."""
    base = Path(place)
    disk = base / "disk"
    disk.mkdir(exist_ok=True)
    apart.own_mounts()
    apart.mount_memory(disk, size=_AMPLE)
    if scenario != "first":
        _copy(
            base / ("after" if scenario == "search" else "before"), disk / "index", bool(step % 2)
        )
    doing = _command(scenario)
    limit = _fill(disk, scenario, fills, step)
    faulty = apart.apart(lambda: (limit(), _run(base, doing))[1])
    looked = apart.apart(lambda: _look(disk / "index", base / "looked"))
    if fills in ("size", "nr_inodes"):
        apart.mount_memory(disk, again=True, size=_AMPLE, nr_inodes=100_000)
    again = apart.apart(lambda: _run(base, doing))
    ended = apart.apart(lambda: world.state(str(disk / "index"), QUESTIONS))
    return {
        "faulty": _told(faulty),
        "looked": looked.result,
        "again": _told(again),
        "ended": ended.result,
        "files": sorted(path.name for path in disk.glob("index/*")),
    }


def _copy(template: Path, index: Path, was_read: bool) -> None:
    """Bring an index as an ingest leaves it, or as a reader does, with what SQLite adds for it."""
    unwanted = shutil.ignore_patterns("floor-*", *(() if was_read else ("*-wal", "*-shm")))
    shutil.copytree(template, index, ignore=unwanted)


def _command(scenario: str) -> tuple[str, ...]:
    if scenario == "search":
        return "search", "--json", "upstream gateway timeout"
    return "ingest", "docs", "--json", *(["--rebuild"] if scenario == "rebuild" else [])


def _run(base: Path, words: tuple[str, ...]) -> None:
    apart.run_askmd(*words, "--index", "disk/index", here=base, home=base / "home")


def _look(index: Path, copy: Path) -> dict[str, Any]:
    """Return what readers find on the disk as it is, and what a copy of the index holds."""
    answers = world.answers(str(index), QUESTIONS)
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(index, copy) if index.exists() else copy.mkdir()
    return {**world.state(str(copy), QUESTIONS), "answers": answers}


def _fill(disk: Path, scenario: str, fills: str, step: int) -> Any:
    """Leave a disk a little room; return what a child does first to be limited itself."""
    status = os.statvfs(disk)
    if fills == "size":
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        room = 4096 + _MOST_ROOM[scenario] * step // (_STEPS - 1)
        apart.mount_memory(disk, again=True, size=used + room)
    if fills == "nr_inodes":
        used = status.f_files - status.f_ffree
        apart.mount_memory(disk, again=True, nr_inodes=used + 2 * step)
    if fills == "file size":
        most = _FILE_SIZES[step]
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    if fills == "scratch":
        scratch = disk.parent / "scratch"
        scratch.mkdir(exist_ok=True)
        apart.mount_memory(scratch, size=4096)
        (scratch / "full").write_bytes(b"x" * 4096)
        os.environ["TMPDIR"] = os.environ["SQLITE_TMPDIR"] = str(scratch)
    return lambda: None


def _told(ended: apart.Ended) -> dict[str, Any]:
    return {
        "status": ended.status,
        "out": ended.out,
        "err": ended.err,
        "result": ended.result,
        "timed_out": ended.timed_out,
        "seconds": ended.seconds,
    }


# --- judging ---------------------------------------------------------------------------------


def judged(
    what: str, scenario: str, played: Mapping[str, Any], expected: Mapping[str, Any]
) -> Verdict:
    """Return whether nothing was lost, and all was told."""
    faulty = played["faulty"]
    kind = {0: "enough room", 1: "told"}.get(faulty["status"], "another status")
    faults = [
        *_of_the_command(scenario, faulty),
        *_of_the_look(scenario, kind, played["looked"], expected),
        *_of_the_end(scenario, played, expected),
    ]
    if faults:
        said = faulty["err"][-600:]
        return Verdict("bad", True, f"{what}: {'; '.join(faults)} | {faulty['status']} {said}")
    return Verdict(kind, figures={"seconds_max": faulty["seconds"]})


def _of_the_command(scenario: str, faulty: Mapping[str, Any]) -> list[str]:
    if faulty["timed_out"] or faulty["status"] not in (0, 1):
        return ["it hung or left with another status"]
    if "Traceback" in faulty["err"] + faulty["out"] + str(faulty["result"]):
        return ["a traceback"]
    if faulty["status"] == 0:
        return []
    if scenario == "search":
        return ["a search failed"]
    try:
        [line] = [one for one in faulty["err"].splitlines() if one.startswith('{"error"')]
        error = json.loads(line)["error"]
    except ValueError:
        return ["not one error in JSON"]
    faults = []
    if "disk" not in error["message"] or "/disk" not in error["message"]:
        faults.append("it does not say which folder takes no more")
    if "make room" not in error["next"]:
        faults.append("it does not say what to do")
    return faults


def _of_the_look(scenario: str, kind: str, looked: Any, expected: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the index as a reader sees it while the disk is full."""
    if not isinstance(looked, dict):
        return [f"the reader broke: {looked}"]
    dump, answers = looked["dump"], looked["answers"]
    before, after = expected["before"], expected["after"]
    if "error" in dump or "error" in answers:
        is_nothing = scenario == "first" and answers.get("error") == "no_index"
        return [] if is_nothing else [f"readers fail: {dump.get('error')} {answers}"]
    if dump["faults"]:
        return dump["faults"]
    if kind == "enough room" or scenario == "search":
        return _differs(looked, after, "the reader's")
    old = {} if scenario == "first" else before["dump"]["documents"]
    new = after["dump"]["documents"]
    torn = [
        path
        for path, held in dump["documents"].items()
        if held not in (old.get(path), new.get(path))
    ]
    if torn:
        return [f"neither old nor new: {torn}"]
    if dump["documents"] == old and old and answers != before["answers"]:
        return ["the old index answers otherwise"]
    return []


def _of_the_end(scenario: str, played: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    again = played["again"]
    if again["status"]:
        return [f"the second time failed: {again['err'][-300:]} {again['result']}"]
    left = [name for name in played["files"] if name.endswith(".tmp") or "rebuild" in name]
    faults = [f"left behind: {left}"] if left else []
    return faults + _differs(played["ended"], expected["after"], "in the end")


def _differs(found: Any, wanted: Mapping[str, Any], whose: str) -> list[str]:
    if not isinstance(found, dict) or "error" in found["dump"] or found["dump"]["faults"]:
        return [f"{whose} index: {found if not isinstance(found, dict) else found['dump']}"]
    if found["dump"]["documents"] != wanted["dump"]["documents"]:
        return [f"{whose} documents are others"]
    if found["answers"] != wanted["answers"]:
        return [f"{whose} answers are others"]
    return []
