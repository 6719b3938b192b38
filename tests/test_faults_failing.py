"""T3: a call that fails costs no more than the run it failed in; see faults/failing.py."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path

import pytest

from faults import shim, strace, world
from faults.campaign import run
from faults.failing import FailingCalls, FailingReads, Scenario
from faults.forks import ForkServer
from faults.shim import Operation
from faults.strace import FailingProcesses

needs_the_shim = pytest.mark.skipif(not shim.is_possible(), reason=shim.NEEDS)
needs_strace = pytest.mark.skipif(not strace.is_possible(), reason=strace.NEEDS)


class OneIngest(FailingProcesses):
    def scenarios(self) -> list[Scenario]:
        return FailingCalls(self.place, self.server).scenarios


@needs_the_shim
def test_whichever_call_fails_an_ingest_says_why_and_the_next_one_mends_what_is_left(
    forks: ForkServer, tmp_path: Path
):
    tally = run(FailingCalls, tmp_path, forks, count=FailingCalls.short)

    assert tally.bad == []
    assert tally.is_whole
    assert tally.kinds["refused"] >= 50
    assert tally.kinds["warned"] >= 5


@needs_the_shim
def test_whichever_call_fails_a_search_finds_the_same_or_says_why_it_cannot(
    forks: ForkServer, tmp_path: Path
):
    tally = run(FailingReads, tmp_path, forks, count=FailingReads.short)

    assert tally.bad == []
    assert tally.kinds["refused"] >= 20


@needs_the_shim
@needs_strace
def test_the_shim_sees_the_calls_that_the_system_sees(forks: ForkServer, tmp_path: Path):
    seen, made = tmp_path / "seen", tmp_path / "made"
    for place in (seen, made):
        world.write(place / "docs", world.documents(7, 4))

    by_system = strace.record(seen, tmp_path / "log", {})
    outcome = forks.call(
        "faults.shim:record_ingest", root=str(made / "docs"), log=str(tmp_path / "operations")
    )

    assert outcome.status == 0, outcome.error
    by_shim = shim.load(tmp_path / "operations")
    assert [one.generation for one in strace.marks(by_system)] == [0, 1]
    assert _outline(by_shim) == _outline(by_system)


@needs_strace
def test_a_real_process_says_why_it_failed_and_loses_nothing(forks: ForkServer, tmp_path: Path):
    campaign = OneIngest(tmp_path, forks)
    last = {(one.call, is_sticky): place for place, (one, is_sticky) in enumerate(campaign.trials)}

    verdicts = [campaign.trial(last[call, False]) for call in ("openat", "fdatasync", "rename")]

    assert [one.what for one in verdicts if one and one.is_bad] == []
    assert len(campaign.trials) > len(campaign.points) > 100


def _outline(operations: list[Operation]) -> list[tuple[str, str]]:
    """Return kinds and names of calls, without what chance puts into a name.

    Of writes to the same file that follow on each other one.
    """
    named = [(one.kind, re.sub("[0-9a-f]{16}", "*", one.name)) for one in operations]
    return [one for one, _ in groupby(named)]
