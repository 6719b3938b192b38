"""Sixteen threads on one Retriever during ingests: each answer is the serial one of its generation.

The process that ingests keeps what its one thread is answered in each generation; see ``witness``.
"""

from __future__ import annotations

import itertools
import random
import shutil
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults import world
from faults.campaign import Campaign, Verdict
from faults.crowd import Crowd
from faults.witness import ASKED, Found, Log, Place, Witness, answer, ingest_once, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askmd.retriever import Retriever

THREADS = 16
SEARCHES = 200
"""Of each thread."""
_DOCUMENTS = 5
_WEIGHTS = [3 if mode == "dense" else 1 for _, mode in ASKED]
"""Of these there can be many in a few seconds."""
_SWITCH_SECONDS = 1e-3
"""A thread is interrupted this often: five times as often as usual."""


def share(place: Place, log: Log, parent: int) -> None:
    """Search one Retriever from many threads at once."""
    import sys

    from askmd.retriever import Retriever

    sys.setswitchinterval(_SWITCH_SECONDS)
    count = int((place.home / "searches").read_text("ascii"))
    with Retriever.open(world.settings(place.index)) as retriever:
        told: list[dict[str, Any]] = []
        threads = [
            threading.Thread(target=_search, args=(retriever, number, count, told))
            for number in range(THREADS)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    for one in told:
        log.note(**one)


def _search(retriever: Retriever, thread: int, count: int, told: list[dict[str, Any]]) -> None:
    """Search so many times; what happens is added to a list that all threads share."""
    chance = random.Random(thread)
    for _ in range(count):
        [number] = chance.choices(range(len(ASKED)), _WEIGHTS)
        started = time.monotonic()
        try:
            with retriever.snapshot():
                generation, found = retriever.generation, answer(retriever, number)
        except Exception as error:
            told.append({"error": f"thread {thread}: {error!r}"})
            return
        taken = time.monotonic() - started
        told.append(
            {
                "thread": thread,
                "generation": generation,
                "asked": number,
                "found": found,
                "seconds": taken,
            }
        )


def change(place: Place, log: Log, parent: int) -> None:
    """Bring the index up to date with one version of the documents after the other, until over."""
    witness = Witness(place.index, place.kept)
    for version in _versions(place):
        if not place.goes_on(parent):
            return
        world.write(Path(place.root), world.documents(version, _DOCUMENTS))
        ingest_once(place, witness, log, rebuild=version % 7 == 3)


def _versions(place: Place) -> Iterator[int]:
    return (place.seed * 1000 + number % 40 for number in itertools.count())


def conduct(home: str, seed: int, searches: int) -> dict[str, Any]:
    """Let threads search while another process ingests; return what was wrong, and figures."""
    place = Place(Path(home), seed)
    shutil.rmtree(place.home, ignore_errors=True)
    place.kept.mkdir(parents=True)
    (place.home / "searches").write_text(str(searches), "ascii")
    world.write(Path(place.root), world.documents(seed, _DOCUMENTS))
    crowd = Crowd(place)
    crowd.add("first", lambda place, log, parent: _first(place, log))
    crowd.wait()
    began = time.time()
    crowd.add("changing", change)
    crowd.add("sharing", share)
    late = crowd.wait("sharing", 280.0)
    place.over.touch()
    late += crowd.wait("changing")
    found = judge(place, began)
    _expect(found, late, searches)
    return {"wrong": found.wrong, "figures": found.timed()}


def _first(place: Place, log: Log) -> None:
    ingest_once(place, Witness(place.index, place.kept), log)


def _expect(found: Found, late: int, searches: int) -> None:
    """Note it where less was done than was to be."""
    if late:
        found.fault("a process that did not end", late)
    if found.figures["queries"] != THREADS * searches and not found.wrong:
        found.fault("too few answers", found.figures["queries"])


class Sharing(Campaign):
    """Threads that share a Retriever."""

    name = "T10 threads"
    short = 1
    long = 5

    def trial(self, number: int) -> Verdict | None:
        """Search from all threads while another process ingests and rebuilds."""
        outcome = self.server.call(
            "faults.threads:conduct",
            home=str(self.place / "threads"),
            seed=number + 1,
            searches=SEARCHES,
            limit=400.0,
        )
        if outcome.status != 0:
            return Verdict("nobody conducted", True, outcome.error or outcome.output)
        wrong, figures = outcome.result["wrong"], outcome.result["figures"]
        told = "; ".join(f"{len(many)} x {kind}: {many[0]}" for kind, many in wrong.items())
        return Verdict(next(iter(wrong), "whole"), bool(wrong), told, figures)
