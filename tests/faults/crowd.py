"""T10: eight readers, two writers that compete, and a killer: one generation an answer."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from askmd.errors import AskmdError, NoIndex
from faults import world
from faults.campaign import Campaign, Verdict
from faults.witness import ASKED, Log, Place, Witness, answer, ingest_once, judge

READERS = 8
WRITERS = 2
FIRST_OPENERS = 20
FIRST_WRITERS = 5
"""So many of these bring a new index up to date, the others search it."""
IDLE_SECONDS = 1.5
BUSY_SECONDS = 7.0
MOST_LOG_BYTES = 64 * 1024 * 1024


def read(place: Place, log: Log, parent: int) -> None:
    """Search until it is over; now and then open the index anew."""
    from askmd.retriever import Retriever

    chance = random.Random(os.getpid())
    while place.goes_on(parent):
        with Retriever.open(world.settings(place.index)) as retriever:
            for _ in range(chance.randint(20, 200)):
                if not place.goes_on(parent):
                    break
                number, started = chance.randrange(len(ASKED)), time.monotonic()
                with retriever.snapshot():
                    generation, found = retriever.generation, answer(retriever, number)
                taken = time.monotonic() - started
                log.note(generation=generation, asked=number, found=found, seconds=taken)


def write(place: Place, log: Log, parent: int) -> None:
    """Bring the index up to date with one version of the documents after the other."""
    chance = random.Random(os.getpid())
    witness = Witness(place.index, place.kept)
    while place.goes_on(parent):
        version = place.seed * 1000 + chance.randrange(50)
        world.write(Path(place.root), world.documents(version, 10))
        ingest_once(place, witness, log, rebuild=chance.random() < 0.1)
        time.sleep(chance.random() * 0.2)


def open_first(place: Place, log: Log, parent: int) -> None:
    """Search an index that may just be coming to be, once."""
    from askmd.retriever import Retriever

    try:
        with Retriever.open(world.settings(place.index)) as retriever, retriever.snapshot():
            log.note(generation=retriever.generation, asked=0, found=answer(retriever, 0))
    except NoIndex:
        log.note(too_early=1)


def write_first(place: Place, log: Log, parent: int) -> None:
    """Bring an index up to date that is not there, with others that do the same."""
    ingest_once(place, Witness(place.index, place.kept), log)


Act = Callable[[Place, Log, int], None]


class Crowd:
    """Children of this process, each with a log of its own."""

    def __init__(self, place: Place) -> None:
        """Have nobody yet."""
        self.place = place
        self.acts: dict[int, tuple[str, Act]] = {}
        self._count = 0

    def add(self, name: str, act: Act) -> None:
        """Start one more; this process has one thread and nothing open."""
        self._count += 1
        log = Log(self.place.home / f"{name}-{self._count:04}.log")
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            _end(act, self.place, log, parent)
        self.acts[child] = name, act

    def kill(self, chance: random.Random) -> str:
        """Kill a writer, or sometimes a reader, and start another in its place."""
        wanted = "reader" if chance.random() < 0.25 else "writer"
        child = chance.choice([one for one, (name, _) in self.acts.items() if name == wanted])
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        self.add(*self.acts.pop(child))
        return wanted

    def end(self, name: str) -> None:
        """Kill all of a kind."""
        for child in [one for one, (kind, _) in self.acts.items() if kind == name]:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            del self.acts[child]

    def wait(self, name: str = "", seconds: float = 60.0) -> int:
        """Wait until all of a kind are done; kill who is not by then; return how many were not."""
        end, late = time.monotonic() + seconds, 0
        for child in [one for one, (kind, _) in self.acts.items() if not name or kind == name]:
            while os.waitpid(child, os.WNOHANG) == (0, 0):
                if time.monotonic() > end:
                    late += 1
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                    break
                time.sleep(0.01)
            del self.acts[child]
        return late


def _end(act: Act, place: Place, log: Log, parent: int) -> None:
    """Act in a child, note what it raises, and end it."""
    try:
        act(place, log, parent)
    except BaseException as error:
        told = world.told(error) if isinstance(error, AskmdError) else repr(error)
        with contextlib.suppress(BaseException):
            log.note(error=told)
    finally:
        os._exit(0)


def conduct(home: str, seed: int, idle: float, busy: float) -> dict[str, Any]:
    """Let them all loose in an empty folder; return what was wrong, and figures."""
    place = Place(Path(home), seed)
    shutil.rmtree(place.home, ignore_errors=True)
    place.kept.mkdir(parents=True)
    chance = random.Random(seed)
    world.write(Path(place.root), world.documents(seed * 1000, 10))
    crowd = Crowd(place)
    for number in range(FIRST_OPENERS):
        crowd.add(*(("first", write_first) if number < FIRST_WRITERS else ("opener", open_first)))
    late = crowd.wait()
    for _ in range(READERS):
        crowd.add("reader", read)
    time.sleep(idle)
    began = time.time()
    for _ in range(WRITERS):
        crowd.add("writer", write)
    kills, log_bytes = kill_for(busy, crowd, chance)
    crowd.end("writer")
    # The readers close last, beside a log that nobody emptied.
    place.over.touch()
    late += crowd.wait()
    crowd.add("last", lambda place, log, parent: Witness(place.index, place.kept).look())
    late += crowd.wait()
    found = judge(place, began)
    found.figures["wal_megabytes_max"] = log_bytes / 1e6
    found.figures.update({f"{name}s_killed": count for name, count in kills.items()})
    if late:
        found.fault("a process that did not end", late)
    if log_bytes > MOST_LOG_BYTES:
        found.fault("a log too long", log_bytes)
    return {"wrong": found.wrong, "figures": found.timed()}


def kill_for(seconds: float, crowd: Crowd, chance: random.Random) -> tuple[Counter[str], int]:
    """Kill one after the other for a while; return how many, and the longest log there was."""
    kills, log_bytes = Counter[str](), 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.1 + 1.2 * chance.random())
        kills[crowd.kill(chance)] += 1
        for log in Path(crowd.place.index).glob("*-wal"):
            log_bytes = max(log_bytes, _size(log))
    return kills, log_bytes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Competition(Campaign):
    """First opens, idle readers, then two writers beside them that are killed again and again."""

    name = "T10 crowd"
    short = 3
    long = 70

    def trial(self, number: int) -> Verdict | None:
        """Let a crowd loose for some ten seconds."""
        outcome = self.server.call(
            "faults.crowd:conduct",
            home=str(self.place / "crowd"),
            seed=number + 1,
            idle=IDLE_SECONDS,
            busy=BUSY_SECONDS,
            limit=300.0,
        )
        if outcome.status != 0:
            return Verdict("nobody conducted", True, outcome.error or outcome.output)
        wrong, figures = outcome.result["wrong"], outcome.result["figures"]
        told = "; ".join(f"{len(many)} x {kind}: {many[0]}" for kind, many in wrong.items())
        kind = next(iter(wrong), "whole")
        return Verdict(kind, bool(wrong), told, figures)
