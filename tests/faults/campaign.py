"""Trials by number, what each came to, and a run of many that goes on where it was broken off."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from faults.forks import ForkServer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a trial came to."""

    kind: str
    """In a word or two, to be counted: ``whole``, ``detected``, ``wrong answer``."""
    is_bad: bool = False
    """Whether the protection failed."""
    what: str = ""
    """What was done and what came of it, as far as it is to be kept; of a bad one always."""
    figures: dict[str, float] = field(default_factory=dict)
    """What was measured: of many trials the sum, the greatest for a name that ends in ``_max``."""


class Campaign:
    """A kind of fault and its trials."""

    name: ClassVar[str]
    """As FAULTS.md numbers it and in words: ``T1 kill -9``."""
    short: ClassVar[int]
    """So many trials run with the tests."""
    long: ClassVar[int]
    """So many run in benchmarks/faults.py --long."""

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Work in a folder that is empty, with children of a server; make what trials share."""
        self.place = place
        self.server = server

    def trial(self, number: int) -> Verdict | None:
        """Do the trial of this number; None where there is none so high."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what trials share."""


@dataclass(slots=True)
class Tally:
    """What the trials of a campaign came to."""

    name: str
    trials: int = 0
    next: int = 0
    """The number of the first trial that was not done."""
    is_whole: bool = False
    """Whether every trial that was wanted was done."""
    kinds: Counter[str] = field(default_factory=Counter)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    """The number, kind and words of each that failed."""
    figures: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, number: int, verdict: Verdict, seconds: float) -> None:
        """Count a trial."""
        self.trials += 1
        self.next = number + 1
        self.kinds[verdict.kind] += 1
        self.seconds += seconds
        if verdict.is_bad:
            self.bad.append((number, verdict.kind, verdict.what))
        for name, value in verdict.figures.items():
            known = self.figures.get(name, 0.0)
            self.figures[name] = max(known, value) if name.endswith("_max") else known + value


def run(
    kind: type[Campaign],
    place: Path,
    server: ForkServer,
    *,
    count: int,
    first: int = 0,
    record: Path | None = None,
    seconds: float = float("inf"),
    tell: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Return what ``count`` trials from ``first`` on came to.

    record: a file that remembers what was done, so that a later run goes on from there. seconds:
    when no further trial is begun.
    """
    tally = resumed(kind.name, record, first)
    end = time.monotonic() + seconds
    campaign = kind(place, server)
    try:
        while tally.next < first + count and time.monotonic() < end:
            started = time.monotonic()
            verdict = campaign.trial(tally.next)
            if verdict is None:
                tally.is_whole = True
                break
            tally.add(tally.next, verdict, time.monotonic() - started)
            if record:
                _keep(record, tally)
            tell(tally)
    finally:
        campaign.close()
    tally.is_whole = tally.is_whole or tally.next >= first + count
    if record:
        _keep(record, tally)
    return tally


def resumed(name: str, record: Path | None, first: int = 0) -> Tally:
    """Return what a campaign came to until now; nothing where there is no record."""
    if record is None or not record.exists():
        return Tally(name, next=first)
    told: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    told["kinds"] = Counter(told["kinds"])
    told["bad"] = [tuple(one) for one in told["bad"]]
    return Tally(**told)


def _keep(record: Path, tally: Tally) -> None:
    draft = record.with_suffix(".tmp")
    draft.write_text(
        json.dumps({one.name: getattr(tally, one.name) for one in fields(tally)}), encoding="utf-8"
    )
    draft.replace(record)
