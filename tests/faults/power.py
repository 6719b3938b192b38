"""T2: the power fails in the middle of an ingest, and what a fresh process then finds.

An ingest is recorded call by call, with what the index holds after each write it acknowledged. A
trial cuts the record somewhere, lays out what a disk may be left with there, and looks.
"""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

from faults import disk, shim, world
from faults.campaign import Campaign, Verdict
from faults.disk import Disk, Loss
from faults.forks import ForkServer
from faults.shim import Operation

QUESTIONS = world.QUESTIONS[:2]
DISPENSABLE = re.compile(r"index/(write\.pid|floor-[0-9a-f]{16}\.json)")
"""Files that nobody misses after a power failure: they are not waited for."""
State = dict[str, Any]
"""What ``world.state`` says."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What was acknowledged at a place in a record."""

    position: int
    """So many operations were done."""
    generation: int
    state: State | None
    """What a process finds that opens the index there; None where that was not noted."""


@dataclass(frozen=True, slots=True)
class Recording:
    """An ingest, call by call."""

    name: str
    root: Path
    options: dict[str, bool]
    before: dict[str, bytes]
    """The index's files at the start: all of them are sure."""
    operations: list[Operation]
    marks: list[Mark]
    """In order; the first stands at 0 where there was an index before."""
    documents: tuple[dict[str, str], dict[str, str]]
    """What an index holds before and after, by path: see ``world.dump``."""


# --- in a child --------------------------------------------------------------------------------


def record(root: str, index: str, log: str, options: dict[str, bool]) -> Any:
    """Ingest a folder; keep every call and the states between them in a file."""
    from askmd import store

    measure_no_floor()
    watch = shim.install(Path(index))

    def mark() -> None:
        with watch.paused():
            state = world.state(index, QUESTIONS)
        watch.note("mark", json.dumps(state))

    def marking(known: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(known)
        def marked(*given: Any, **options: Any) -> Any:
            result = known(*given, **options)
            mark()
            return result

        return marked

    store.open_writer = marking(store.open_writer)
    for name in ("write", "finish"):
        setattr(store.IndexWriter, name, marking(getattr(store.IndexWriter, name)))
    report = world.ingest(root, index, batch=12, options=options)
    shim.save(watch.operations, Path(log))
    return report


def look(root: str, index: str, options: dict[str, bool], *, is_read_first: bool) -> Any:
    """Return what a process finds in an index, and what an ingest then makes of it."""
    measure_no_floor()
    before = world.state(index, QUESTIONS) if is_read_first else None
    report = world.ingest(root, index, options=options)
    folder = Path(index)
    return {
        "before": before,
        "report": report,
        "after": world.state(index, QUESTIONS),
        "strays": sorted(one.name for one in folder.iterdir() if _is_stray(one)),
        "ignored": (folder / ".gitignore").read_text(encoding="utf-8"),
    }


def measure_no_floor() -> None:
    """Spare a child what costs more than all the rest, and is derived from what is compared."""
    from askmd.retriever.calibration import Gate

    Gate.floor = lambda gate: None  # type: ignore[method-assign]


def _is_stray(path: Path) -> bool:
    """Return whether a file is of use to nobody: a draft, or what a rebuild's database left."""
    base = path.with_name(re.sub("-(wal|shm|journal)$", "", path.name))
    return path.suffix == ".tmp" or (path.name.startswith("rebuild-") and not base.exists())


# --- recordings --------------------------------------------------------------------------------


def make_recordings(place: Path, server: ForkServer) -> Iterator[Recording]:
    """Record a first ingest, one of a mixed change, and a rebuild."""
    first, root, index = place / "first", place / "docs", place / "index"
    texts = world.documents(7)
    world.write(first, texts)
    yield _record(place, server, "first", first, {})
    shutil.rmtree(index)
    world.write(root, texts)
    server.call("faults.world:ingest", root=str(root), index=str(index))
    world.write(root, world.changed(texts, "mixed", 7))
    yield _record(place, server, "mixed", root, {})
    yield _record(place, server, "rebuild", root, {"rebuild": True})


def _record(
    place: Path, server: ForkServer, name: str, root: Path, options: dict[str, bool]
) -> Recording:
    index, log = place / "index", place / f"{name}.log"
    marks: list[Mark] = []
    if index.exists():
        # Even a reader leaves files beside the database.
        state = server.call("faults.world:state", index=str(index), questions=QUESTIONS).result
        marks.append(Mark(0, state["dump"]["generation"], state))
    before = disk.read(index) if index.exists() else {}
    call = {"root": str(root), "index": str(index), "log": str(log), "options": options}
    outcome = server.call("faults.power:record", **call)
    if outcome.status or "error" in outcome.result:
        raise RuntimeError(f"{name} could not be recorded: {outcome}")
    operations, later = _split(shim.load(log))
    marks += later
    states = [one.state for one in marks if one.state]
    documents = (states[0]["dump"]["documents"], states[-1]["dump"]["documents"])
    return Recording(name, root, options, before, operations, marks, documents)


def _split(noted: Sequence[Operation]) -> tuple[list[Operation], list[Mark]]:
    operations: list[Operation] = []
    marks: list[Mark] = []
    for one in noted:
        if one.kind == "mark":
            state = json.loads(one.name)
            marks.append(Mark(len(operations), state["dump"]["generation"], state))
        else:
            operations.append(one)
    return operations, marks


def disorders(recording: Recording) -> list[str]:
    """Return which renames were not safe when the next write was acknowledged, and why."""
    found = []
    acknowledged = [mark.position for mark in recording.marks]
    for place, one in enumerate(recording.operations):
        if one.kind != "rename" or DISPENSABLE.fullmatch(one.to):
            continue
        behind = next((end for end in acknowledged if end > place), len(recording.operations))
        if not _is_synced(recording.operations[:place], one.name):
            found.append(f"{one.name} was not synced before it became {one.to}")
        folder = str(Path(one.to).parent)
        syncs = [other for other in recording.operations[place:behind] if _syncs(other, folder)]
        if not syncs:
            found.append(f"{folder} was not synced after {one.name} became {one.to}")
    return found


def _syncs(one: Operation, folder: str) -> bool:
    return (one.kind, one.name) == ("sync_folder", folder)


def _is_synced(operations: Sequence[Operation], name: str) -> bool:
    """Return whether nothing that was written to a file came after its last sync."""
    for one in reversed(operations):
        if one.name == name and one.kind in ("sync", "write", "truncate"):
            return one.kind == "sync"
    return True


# --- the campaign ------------------------------------------------------------------------------


class PowerLoss(Campaign):
    """The power fails at any call of an ingest."""

    name: ClassVar[str] = "T2 power loss"
    short: ClassVar[int] = 50
    long: ClassVar[int] = 500
    deaf_to: ClassVar[frozenset[str]] = frozenset()
    """Kinds of calls that the disk says it did, and did not."""

    def __init__(self, place: Path, server: ForkServer) -> None:
        super().__init__(place, server)
        self.recordings = list(self.record())

    def record(self) -> Iterator[Recording]:
        """Return the ingests in which the power fails."""
        return make_recordings(self.place, self.server)

    def trial(self, number: int) -> Verdict | None:
        """Cut a recording somewhere, and look at what is left."""
        chance = random.Random(f"power {number}")
        recording = self.recordings[number % len(self.recordings)]
        cut = chance.randint(0, len(recording.operations))
        loss = Loss(
            content=chance.choice((0.0, 0.3, 0.7, 1.0)),
            is_torn=chance.random() < 0.7,
            is_ordered=chance.random() < 0.5,
        )
        failed = Disk(recording.before)
        failed.play(one for one in recording.operations[:cut] if one.kind not in self.deaf_to)
        files = failed.fail(chance, loss)
        lied = chance.random() < 0.15 and _lie(files, recording.operations[:cut], chance)
        index = self.place / "index"
        shutil.rmtree(index, ignore_errors=True)
        disk.lay_out(self.place, files)
        options = recording.options if chance.random() < 0.5 else {}
        found = self.server.call(
            "faults.power:look",
            root=str(recording.root),
            index=str(index),
            options=options,
            is_read_first=chance.random() < 0.7,
        )
        what = f"{recording.name}, {cut} of {len(recording.operations)} calls, {loss}"
        what += ", and the log's end lost" if lied else ""
        if found.status:
            return Verdict("broke off", is_bad=True, what=f"{what}: {found.error or found.output}")
        kind, faults = judge(recording, cut, found.result, is_lied=lied)
        told = "; ".join(faults)
        return Verdict(kind, is_bad=bool(faults), what=f"{what}: {told}" if faults else what)


def _lie(files: dict[str, bytes], done: Sequence[Operation], chance: random.Random) -> bool:
    """Take away the end of a log that was synced, as a disk does that only says it synced.

    Return whether there was one. Once pages of a log have gone into the database it must stay.
    """
    logs = [name for name in files if re.fullmatch(r"index/index-.*-wal", name) and files[name]]
    if len(logs) != 1:
        return False
    [log] = logs
    database = log.removesuffix("-wal")
    for one in reversed(done):
        if one.name == database and one.kind in ("write", "truncate"):
            return False
        if one.name == log and one.kind in ("create", "truncate"):
            break
    files[log] = files[log][: chance.randrange(0, len(files[log])) // disk.SECTOR * disk.SECTOR]
    return True


def judge(
    recording: Recording, cut: int, found: Mapping[str, Any], *, is_lied: bool
) -> tuple[str, list[str]]:
    """Return what a trial came to, and what is not as it must be."""
    kind, faults = "not read", []
    if found["before"] is not None:
        kind, faults = _judge_before(recording, cut, found["before"], is_lied=is_lied)
    if "error" in found["report"]:
        faults.append(f"ingest: {found['report']}")
    faults += _judge_after(recording, found)
    return kind, faults


def _judge_after(recording: Recording, found: Mapping[str, Any]) -> list[str]:
    """Return what is not as after an ingest that nothing disturbed."""
    faults = []
    after, wanted = found["after"], recording.marks[-1].state
    if after["dump"].get("documents") != recording.documents[1] or after["dump"]["faults"]:
        faults.append(f"after the next ingest: {after['dump']}")
    if wanted and after["answers"] != wanted["answers"]:
        faults.append(f"the next ingest's answers: {after['answers']}")
    if found["strays"] or found["ignored"] != "*\n":
        faults.append(f"left lying: {found['strays']}, .gitignore {found['ignored']!r}")
    return faults


def _judge_before(
    recording: Recording, cut: int, state: State, *, is_lied: bool
) -> tuple[str, list[str]]:
    """Return what a process found that only read, and what of it must not be."""
    done = [mark for mark in recording.marks if mark.position <= cut]
    coming = [mark for mark in recording.marks if mark.position > cut][:1]
    if state["answers"].get("error") == "no_index" and not done:
        return "no index yet", []
    if is_lied and "lost its last" in state["answers"].get("message", ""):
        return "lost, and said so", _unlike(recording, state, recording.marks)
    if "error" in state["answers"] or "error" in state["dump"]:
        return "broken", [str(state)]
    if state["dump"]["faults"]:
        return "broken", state["dump"]["faults"]
    least = done[-1].generation if done else 0
    if state["dump"]["generation"] < least:
        return "lost", [f"generation {state['dump']['generation']} of {least}"]
    faults = _unlike(recording, state, [*done[-1:], *coming])
    is_further = bool(coming) and state["dump"]["generation"] == coming[0].generation > least
    return "one commit further" if is_further else "as acknowledged", faults


def _unlike(recording: Recording, state: State, marks: Sequence[Mark]) -> list[str]:
    """Return nothing if a state is that of one of the marks."""
    known = [mark.state for mark in marks if mark.state]
    if not known:
        former, later = recording.documents
        held = state["dump"]["documents"]
        mixed = [path for path in held if held[path] not in (former.get(path), later.get(path))]
        return [f"neither old nor new: {mixed}"] if mixed else []
    held = state["dump"]["documents"]
    same = [one for one in known if one["dump"]["documents"] == held]
    if not same:
        return [f"no commit left these documents: {held}"]
    is_refused = "error" in state["answers"]
    if not is_refused and state["answers"] not in [one["answers"] for one in same]:
        return [f"other answers: {state['answers']} instead of {same[0]['answers']}"]
    return []
