"""T5: a file of an index is damaged; whoever asks it gets the same answers, or is told."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from askmd.errors import AskmdError
from faults import world
from faults.campaign import Campaign, Verdict
from faults.damages import KINDS, Damage, apply
from faults.forks import ForkServer, Outcome

QUESTIONS = world.QUESTIONS[:3]
LIMIT_SECONDS = 5.0
"""So long all questions to a damaged index may take, of processor time; a hang is ended."""
MEND_SHARE = 15
"""Of so many trials one also does what the error tells to do."""
INGEST_SHARE = 40
"""Of so many one brings the index up to date before anybody has asked it anything."""
_Asked = tuple[str, str, Sequence[str]]
"""A mode, a question, and what filters it."""
_COLD: Sequence[_Asked] = (
    ("words", QUESTIONS[0], ()),
    ("words", QUESTIONS[1], ("kind=guide",)),
    ("words", QUESTIONS[2], ("guides/*",)),
)
_WARM: Sequence[_Asked] = (
    _COLD[1],
    ("hybrid", QUESTIONS[1], ()),
    ("hybrid", QUESTIONS[2], ("heading=replica",)),
    ("dense", QUESTIONS[0], ("page-*",)),
)
_KILLED_AFTER = 5
"""Acknowledged writes, of which the log of the killed writer holds the most."""


# --- in a child --------------------------------------------------------------------------------


def prepare(place: str) -> dict[str, Any]:
    """Make the index to be damaged, one of other documents and what is read of them."""
    base = Path(place)
    before = _documents(51, 12)
    for name, documents in (("main", before), ("other", _documents(77, 9))):
        world.write(base / name / "docs", documents)
        world.ingest(str(base / name / "docs"), str(base / name / "index"))
    # Some chunks are gone from the segments, some stand in none.
    after = world.changed(before, "mixed", 8)
    world.write(base / "main" / "docs", after)
    world.write(base / "main" / "next", world.changed(after, "mixed", 9))
    world.ingest(str(base / "main" / "docs"), str(base / "main" / "index"))
    probe(str(base / "main" / "index"))
    return probe(str(base / "main" / "index"))


def prepare_killed(place: str) -> None:
    """Make an index whose writer is killed in the middle; it does not come back."""
    from askmd.store.writer import IndexWriter

    base = Path(place) / "killed"
    before = _documents(33, 10)
    world.write(base / "docs", before)
    world.ingest(str(base / "docs"), str(base / "index"))
    after = world.changed(before, "mixed", 3)
    world.write(base / "docs", after)
    world.write(base / "next", world.changed(after, "mixed", 4))
    acknowledge, count = IndexWriter._acknowledge, 0

    def acknowledge_and_die(writer: IndexWriter) -> None:
        nonlocal count
        acknowledge(writer)
        count += 1
        if count == _KILLED_AFTER:
            os.kill(os.getpid(), signal.SIGKILL)

    IndexWriter._acknowledge = acknowledge_and_die  # type: ignore[method-assign]
    world.ingest(str(base / "docs"), str(base / "index"), batch=1)


def _documents(seed: int, count: int) -> world.Documents:
    """Return documents of which every second is a guide, says its front matter."""
    return {
        path: text.replace("---\n", f"---\nkind: {'guide' if place % 2 else 'note'}\n", 1)
        for place, (path, text) in enumerate(world.documents(seed, count).items())
    }


def probe(index: str, part: str = "") -> dict[str, Any]:
    """Return what each question to an index is answered, or the error; and what was warned of.

    part: ``cold`` or ``warm``, those alone that a process asks without numpy, or with it.
    """
    told: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("askmd").addHandler(handler)
    found: dict[str, Any] = {}
    began = time.process_time()
    # As the command line does it first: nothing has set aside a damaged file yet.
    if part in ("cold", ""):
        with without_numpy():
            found |= _search(index, "cold ", _COLD)
    if part in ("warm", ""):
        found |= _search(index, "", _WARM)
    found["content"] = _answered(lambda: _content(index))
    return {"found": found, "warnings": told, "seconds": time.process_time() - began}


@contextmanager
def without_numpy() -> Iterator[None]:
    """Let words be found as a process finds them that has not loaded numpy."""
    from askmd.store import word_index

    known = word_index._is_worth
    word_index._is_worth = lambda state: False
    try:
        yield
    finally:
        word_index._is_worth = known


def _answered(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except AskmdError as error:
        return world.told(error)


def _search(index: str, prefix: str, asked: Sequence[_Asked]) -> dict[str, Any]:
    """Return what one process finds for some questions, each or all an error."""
    from askmd.retriever import Retriever

    names = [f"{prefix}{mode}: {question} {typed}" for mode, question, typed in asked]
    try:
        with Retriever.open(world.settings(index)) as retriever:
            return {
                name: _answered(partial(_hits, retriever, *one))
                for name, one in zip(names, asked, strict=True)
            }
    except AskmdError as error:
        return dict.fromkeys(names, world.told(error))


def _hits(retriever: Any, mode: Any, question: str, typed: Sequence[str]) -> Any:
    from askmd.filters import parse_filter

    return [
        [
            hit.chunk,
            hit.path,
            list(hit.lines),
            list(hit.heading),
            world.digest(hit.text),
            round(hit.score, 4),
            [[one.id, world.digest(one.text)] for one in retriever.neighbours(hit.chunk)],
        ]
        for hit in retriever.search(question, limit=4, mode=mode, where=parse_filter(typed))
    ]


def _content(index: str) -> Any:
    """Return all that an index holds, as readers read it, and how much that is."""
    from askmd.store import open_store
    from askmd.types import Filter

    with open_store(Path(index)) as store:
        counts = asdict(store.counts())
        # A writer that was killed has noted neither in its last acknowledged write.
        del counts["last_ingest"], counts["vectors"]
        documents = {
            path: [one.digest, one.title, one.description, dict(one.metadata)]
            for path, one in store.documents().items()
        }
        vector = np.eye(1, store.identity.dim, dtype=np.float32)[0]
        ids = [one.id for one in store.dense(vector, counts["chunks"], Filter())]
        return {
            "counts": counts,
            "documents": documents,
            "found by path": [path for path in documents if store.document(path)],
            "chunks": {one.id: world.digest(repr(one)) for one in store.chunks(ids).values()},
            "headings": store.headings(500),
        }


def mend(root: str, index: str, step: str) -> dict[str, Any]:
    """Do what an error tells to do; return what then is read of the index."""
    if "doctor --fix" in step:
        from askmd.store.examining import mend as mend_rows

        # What it cannot mend it says, and the way out.
        faults = [one for one in mend_rows(Path(index)).now.seen if one.is_fault]
        step = "; ".join(one.next for one in faults)
    options = {name: True for name in ("rebuild", "verify") if f"--{name}" in step}
    report = world.ingest(root, index, options=options)
    return {"report": report, **probe(index)}


# --- the trials --------------------------------------------------------------------------------


class Corruption(Campaign):
    """Damages a copy of an index, one file in one way, and asks it everything."""

    name: ClassVar[str] = "T5 corruption"
    short: ClassVar[int] = 500
    long: ClassVar[int] = 10_000

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Make the indexes that are damaged, and ask them while they are whole."""
        super().__init__(place, server)
        place.mkdir(parents=True, exist_ok=True)
        self._whole = {"main": _result(server.call(f"{__name__}:prepare", place=str(place)))}
        server.call(f"{__name__}:prepare_killed", place=str(place))
        self._copy("killed")
        self._whole["killed"] = _result(self._probe("killed"))
        self._files = {name: _files_of(place / name / "index") for name in self._whole}
        self._known: dict[tuple[str, str], Any] = {}
        for source in self._whole:
            for documents in ("docs", "next"):
                self._finished(source, documents)

    def trial(self, number: int) -> Verdict:
        """Damage a file and ask; of some do what the error says, others bring up to date."""
        damage = self._choose(number)
        trial = self._copy(damage.source)
        what = f"{damage}: {apply(damage, trial, self.place / 'other' / 'index')}"
        if number % INGEST_SHARE == 1:
            return self._bring_up_to_date(damage, what)
        outcome = self._probe(damage.source, "warm" if number % 2 else "cold")
        verdict = judge(outcome, self._whole[damage.source], what)
        step = _step(outcome)
        if verdict.is_bad or not step or number % MEND_SHARE:
            return verdict
        return self._mend(damage, step, verdict)

    def _choose(self, number: int) -> Damage:
        chance = random.Random(number * 7919 + 5)
        source = "killed" if number % 4 == 3 else "main"
        files = self._files[source]
        databases = [name for name in files if name.endswith((".sqlite3", ".sqlite3-wal"))]
        file = chance.choice(databases if chance.random() < 0.6 else files)
        kind = chance.choices(list(KINDS), [one.weight for one in KINDS.values()])[0]
        return Damage(source, file, kind, chance.randrange(1 << 30))

    def _copy(self, source: str) -> Path:
        """Return a fresh copy of an index, seen from which the documents are where they were."""
        trial = self.place / source / "trial"
        shutil.rmtree(trial, ignore_errors=True)
        shutil.copytree(self.place / source / "index", trial)
        return trial

    def _probe(self, source: str, part: str = "") -> Outcome:
        return self._call("probe", index=self.place / source / "trial", part=part)

    def _call(self, function: str, **arguments: Any) -> Outcome:
        told = {name: str(value) for name, value in arguments.items()}
        return self.server.call(f"{__name__}:{function}", limit=60, **told)

    def _mend(self, damage: Damage, step: str, verdict: Verdict) -> Verdict:
        """Return the verdict, or a bad one where the way out leads nowhere."""
        home = self.place / damage.source
        outcome = self._call("mend", root=home / "docs", index=home / "trial", step=step)
        what = f"{verdict.what}; {step}"
        mended = judge(outcome, self._finished(damage.source, "docs"), what)
        if mended.is_bad or _step(outcome):
            report = (outcome.result or {}).get("report")
            return Verdict("not mended", True, f"{mended.what}; {_step(outcome)} {report}")
        return Verdict(f"{verdict.kind} and mended", what=what)

    def _bring_up_to_date(self, damage: Damage, what: str) -> Verdict:
        """Return what an ingest of changed documents makes of damage that nobody noticed."""
        home = self.place / damage.source
        with _in_place_of_docs(home, "next"):
            outcome = self._call("mend", root=home / "docs", index=home / "trial", step="")
            report = (outcome.result or {}).get("report", {})
            if "error" in report:
                # Some documents may have been written before the damage was met.
                step = report["next"]
                outcome = self._call("mend", root=home / "docs", index=home / "trial", step=step)
        verdict = judge(outcome, self._finished(damage.source, "next"), f"{what}; {report}")
        if verdict.is_bad:
            return verdict
        if "error" in report and _step(outcome):
            return Verdict("not mended", True, f"{verdict.what}: {_step(outcome)}")
        kind = "refused and mended" if "error" in report else verdict.kind
        return replace(verdict, kind=f"ingest {kind}")

    def _finished(self, source: str, documents: str) -> Any:
        """Return what is read of an index that a whole ingest leaves."""
        if (source, documents) not in self._known:
            home = self.place / source
            self._copy(source)
            with _in_place_of_docs(home, documents):
                outcome = self._call("mend", root=home / "docs", index=home / "trial", step="")
            self._known[source, documents] = _result(outcome)
        return self._known[source, documents]


@contextmanager
def _in_place_of_docs(home: Path, name: str) -> Iterator[None]:
    """Let a folder of documents stand where an index knows its own."""
    if name == "docs":
        yield
        return
    (home / "docs").rename(home / "away")
    (home / name).rename(home / "docs")
    try:
        yield
    finally:
        (home / "docs").rename(home / name)
        (home / "away").rename(home / "docs")


def judge(outcome: Outcome, whole: Mapping[str, Any], what: str) -> Verdict:
    """Return what a probe of a damaged index came to."""
    figures = {"seconds_max": (outcome.result or {}).get("seconds", outcome.seconds)}
    if outcome.timed_out:
        return Verdict("hangs", True, what, figures)
    if outcome.signal:
        return Verdict(f"signal {outcome.signal}", True, what, figures)
    if outcome.status:
        return Verdict("traceback", True, f"{what}: {outcome.error[-1500:]}", figures)
    found, expected = outcome.result["found"], whole["found"]
    for name, answer in found.items():
        is_told = isinstance(answer, dict) and "error" in answer
        if is_told and not (answer["message"] and answer["next"]):
            return Verdict("no way out", True, f"{what}: {name}: {answer}", figures)
        if not is_told and answer != expected[name]:
            seen = f"{name}: {json.dumps(answer)[:700]} != {json.dumps(expected[name])[:700]}"
            return Verdict("WRONG", True, f"{what}: {seen}", figures)
    if (seconds := outcome.result["seconds"]) > LIMIT_SECONDS:
        return Verdict("slow", True, f"{what}: {seconds:.1f} s", figures)
    kind = "detected" if _step(outcome) else "warned" if outcome.result["warnings"] else "harmless"
    return Verdict(kind, what=what, figures=figures)


def _step(outcome: Outcome) -> str:
    """Return the first way out that an error names; empty without one."""
    found = (outcome.result or {}).get("found", {}).values()
    steps = (one["next"] for one in found if isinstance(one, dict) and "error" in one)
    return next(iter(steps), "")


def _result(outcome: Outcome) -> Any:
    if outcome.status:
        raise RuntimeError(f"{outcome.status} {outcome.error} {outcome.output}")
    return outcome.result


def _files_of(index: Path) -> list[str]:
    """Return the files of an index that hold anything, in an order that does not change."""
    held = [one for one in index.iterdir() if one.stat().st_size and one.suffix != ".lock"]
    held.sort(key=lambda one: (one.name.split("-")[0], one.suffix, one.stat().st_size))
    return [one.name for one in held]
