"""T3: the Nth call on an index's files fails, once or from then on, for every N there is."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ClassVar

from faults import shim, world
from faults.campaign import Campaign, Verdict
from faults.forks import ForkServer
from faults.power import measure_no_floor

QUESTIONS = world.QUESTIONS[:1]
EVERY = 1_000_000
"""More calls than any scenario has: the trials end where a run passes untouched."""
_SAYINGS = ("database or disk is full", "disk I/O error", "unable to open database file")
"""What SQLite makes of an error number."""
_WRITING = (shim.FULL, {**shim.FULL, "write": errno.EDQUOT})
"""What SQLite tells apart: a full disk, and any other reason for which a write fails."""
_READING = {"read": errno.EIO, "open": errno.EMFILE}


@dataclass(frozen=True, slots=True)
class Scenario:
    """An ingest that is disturbed."""

    name: str
    before: Path | None
    """A folder that is copied, with the documents and what index there is."""
    options: dict[str, bool]
    documents: tuple[dict[str, str], dict[str, str]]
    """What the index holds before and after, by path; see ``world.dump``."""


# --- in a child --------------------------------------------------------------------------------


def ingest(
    root: str, index: str, *, errors: Mapping[str, int], nth: int, is_sticky: bool, **others: Any
) -> Any:
    """Ingest while a call fails; return the report, what failed, was acknowledged and warned of."""
    from askmd import store

    acknowledged: list[int] = []
    warnings: list[str] = []
    known = store.IndexWriter.write

    @wraps(known)
    def write(writer: store.IndexWriter, *given: Any, **named: Any) -> int:
        generation = known(writer, *given, **named)
        if not writer._opened.is_rebuild:
            acknowledged.append(generation)
        return generation

    store.IndexWriter.write = write  # type: ignore[method-assign]
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: warnings.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("askmd").addHandler(handler)
    watch = shim.install(Path(index), shim.Plan(errors, nth, is_sticky))
    report = world.ingest(root, index, batch=64, **others)
    return {
        "report": report,
        "failed": watch.failed,
        "acknowledged": acknowledged[-1] if acknowledged else 0,
        "warnings": warnings,
    }


def search(index: str, *, errors: Mapping[str, int], nth: int, is_sticky: bool) -> Any:
    """Search while a call fails."""
    measure_no_floor()
    watch = shim.install(Path(index), shim.Plan(errors, nth, is_sticky))
    return {"answers": world.answers(index, QUESTIONS), "failed": watch.failed}


def look(root: str, index: str, *, is_asked: bool) -> Any:
    """Return what a process finds after that, and after an ingest that nothing disturbs."""
    measure_no_floor()
    if is_asked or not Path(index, "manifest.json").exists():
        before = world.state(index, QUESTIONS)
    else:
        before = {"dump": world.dump(index), "answers": {}}
    report = world.ingest(root, index)
    return {"before": before, "report": report, "after": world.dump(index)}


# --- the campaigns -----------------------------------------------------------------------------


class FailingCalls(Campaign):
    """A call fails while a small change is ingested."""

    name: ClassVar[str] = "T3 failing calls"
    short: ClassVar[int] = EVERY
    long: ClassVar[int] = EVERY
    ways: ClassVar[int] = 1
    """How often each call fails: by turns once and from then on, or in each of these ways."""

    def __init__(self, place: Path, server: ForkServer) -> None:
        super().__init__(place, server)
        self.scenarios = list(self.prepare())
        self._ended: set[int] = set()

    def prepare(self) -> Iterator[Scenario]:
        """Return the ingests that are disturbed."""
        yield self.change("mixed", _few(4), _few_changed(4))

    def change(
        self,
        name: str,
        old: world.Documents,
        new: world.Documents,
        options: dict[str, bool] | None = None,
    ) -> Scenario:
        """Return the scenario of a change, having gone through it."""
        here = self.place / "scenes" / name
        before = self._held(here, old, {}) if old else {}
        world.write(here / "docs", new)
        kept = here.with_name(f"{name}-before")
        shutil.copytree(here, kept)
        after = self._held(here, new, options or {})
        return Scenario(name, kept, options or {}, (before, after))

    def _held(self, here: Path, texts: world.Documents, options: dict[str, bool]) -> dict[str, str]:
        world.write(here / "docs", texts)
        root, index = str(here / "docs"), str(here / "index")
        self.server.call("faults.world:ingest", root=root, index=index, options=options)
        outcome = self.server.call("faults.world:dump", index=index)
        if outcome.status:
            raise RuntimeError(outcome.error)
        held: dict[str, str] = outcome.result["documents"]
        return held

    def trial(self, number: int) -> Verdict | None:
        """Let a call fail; None once a run passes untouched."""
        for place, scenario in enumerate(self.scenarios):
            # Each scenario takes the numbers that leave this remainder.
            if number % len(self.scenarios) == place:
                return self._disturbed(scenario, number // len(self.scenarios))
        return None

    def _disturbed(self, scenario: Scenario, number: int) -> Verdict | None:
        nth, way = number // self.ways + 1, number % self.ways
        is_sticky = bool((nth + way) % 2)
        here = self.place / "trial"
        shutil.rmtree(here, ignore_errors=True)
        if scenario.before:
            shutil.copytree(scenario.before, here)
        call = {"root": str(here / "docs"), "index": str(here / "index")}
        errors = _WRITING[nth // 2 % len(_WRITING)]
        disturbed = self.server.call(
            "faults.failing:ingest",
            **call,
            errors=errors,
            nth=nth,
            is_sticky=is_sticky,
            options=scenario.options,
        )
        if not disturbed.status and not disturbed.result["failed"]:
            return None
        what = f"{scenario.name}, call {nth}{' and all after it' if is_sticky else ''}"
        if disturbed.status:
            return Verdict("broke off", is_bad=True, what=f"{what}: {disturbed}")
        done = disturbed.result
        what += f" ({done['failed'][0]})"
        found = self.server.call("faults.failing:look", **call, is_asked=nth % 4 == 0)
        if found.status:
            return Verdict("broken", is_bad=True, what=f"{what}: {found}")
        kind, faults = judge_report(done, str(here), errors)
        faults += judge_index(scenario, done, found.result)
        return Verdict(kind, is_bad=bool(faults), what=f"{what}: {'; '.join(faults)}")


class FailingCallsEverywhere(FailingCalls):
    """A call fails, once and for good, in each of four ingests."""

    name: ClassVar[str] = "T3 failing calls of four ingests"
    short: ClassVar[int] = 0
    ways: ClassVar[int] = 2

    def prepare(self) -> Iterator[Scenario]:
        few, many = world.documents(7), world.documents(8, 32)
        changed = world.changed(few, "mixed", 7)
        yield self.change("first", {}, few)
        yield self.change("mixed", few, changed)
        yield self.change("rebuild", few, changed, {"rebuild": True})
        # More chunks come than readers look up one by one: new segments are written.
        yield self.change("finish", few, {**few, **many})

    def trial(self, number: int) -> Verdict | None:
        """Let a call fail; None once a run of each scenario passed untouched."""
        place = number % len(self.scenarios)
        verdict = None if place in self._ended else super().trial(number)
        if verdict is not None:
            return verdict
        self._ended.add(place)
        is_done = len(self._ended) == len(self.scenarios)
        return None if is_done else Verdict("passed untouched")


class FailingReads(FailingCalls):
    """A call fails while an index is searched."""

    name: ClassVar[str] = "T3 failing reads"
    ways: ClassVar[int] = 2

    def __init__(self, place: Path, server: ForkServer) -> None:
        super().__init__(place, server)
        [self.scenario] = self.scenarios
        self._index = self.place / "scenes" / self.scenario.name / "index"
        self._search(EVERY, is_sticky=False)
        self._files = _names(self._index)
        self._answers = self._search(EVERY, is_sticky=False).result["answers"]

    def trial(self, number: int) -> Verdict | None:
        """Let a call fail; None once a search passes untouched."""
        nth, is_sticky = number // 2 + 1, bool(number % 2)
        found = self._search(nth, is_sticky=is_sticky)
        what = f"call {nth}{' and all after it' if is_sticky else ''}"
        if found.status:
            return Verdict("broke off", is_bad=True, what=f"{what}: {found}")
        if not found.result["failed"]:
            return None
        what += f" ({found.result['failed'][0]})"
        kind, faults = "whole answers", []
        if "error" in found.result["answers"]:
            report = {"report": found.result["answers"]}
            kind, faults = judge_report(report, str(self._index.parent), _READING)
        elif found.result["answers"] != self._answers:
            faults = [f"other answers: {found.result['answers']}"]
        if lost := self._files - _names(self._index):
            faults.append(f"a reader took away {sorted(lost)}")
        return Verdict(kind, is_bad=bool(faults), what=f"{what}: {'; '.join(faults)}")

    def _search(self, nth: int, *, is_sticky: bool) -> Any:
        call = {"errors": _READING, "nth": nth, "is_sticky": is_sticky}
        return self.server.call("faults.failing:search", index=str(self._index), **call)


def _names(index: Path) -> set[str]:
    return {one.name for one in index.iterdir()}


def _few(count: int) -> world.Documents:
    texts = world.documents(7, count)
    return {name: world.text_of(number, 1) for number, name in enumerate(texts)}


def _few_changed(count: int) -> world.Documents:
    """Return the few documents after one of each kind of change."""
    texts = _few(count)
    changed, renamed, gone, *_ = sorted(texts)
    texts["moved/page.md"] = texts.pop(renamed)
    del texts[gone]
    return {**texts, changed: world.text_of(98, 1), "new.md": world.text_of(99, 1)}


def judge_report(
    done: Mapping[str, Any], place: str, errors: Mapping[str, int]
) -> tuple[str, list[str]]:
    """Return what was said of a failure, and what is wrong with that."""
    report = done["report"]
    if "error" not in report:
        kind = "warned" if done.get("warnings") else "no harm"
        return kind, [f"{one!r}" for one in done.get("warnings", []) if "\n" in one]
    faults = []
    message = f"{report['message']}; {report['next']}"
    causes = {*_SAYINGS, *map(os.strerror, errors.values())}
    if report["error"] != "index" or not report["next"] or "\n" in message:
        faults.append(f"said {report}")
    elif place not in message or not any(cause in message for cause in causes):
        faults.append(f"does not say where and why: {message}")
    return "refused", faults


def judge_index(scenario: Scenario, done: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with an index after a call failed, and after the next ingest."""
    old, new = scenario.documents
    faults = []
    dump, answers = found["before"]["dump"], found["before"]["answers"]
    if "error" in answers and (answers["error"] != "no_index" or old or done["acknowledged"]):
        faults.append(f"cannot be opened: {answers}")
    if "error" not in dump:
        faults += dump["faults"]
        faults += _unlike(old, new, dump["documents"], is_done="error" not in done["report"])
        if dump["generation"] < done["acknowledged"]:
            faults.append(f"generation {dump['generation']} of {done['acknowledged']}")
    if "error" in found["report"]:
        faults.append(f"the next ingest: {found['report']}")
    if found["after"]["documents"] != new or found["after"]["faults"]:
        faults.append(f"after the next ingest: {found['after']}")
    return faults


def _unlike(
    old: Mapping[str, str], new: Mapping[str, str], held: Mapping[str, str], *, is_done: bool
) -> list[str]:
    """Return which documents are neither as before nor as after; all must be new once done."""
    if is_done:
        return [] if held == new else [f"done, but {held}"]
    mixed = [path for path in held if held[path] not in (old.get(path), new.get(path))]
    lost = [path for path in old.keys() & new.keys() if path not in held]
    return [f"neither old nor new: {sorted({*mixed, *lost})}"] if mixed or lost else []
