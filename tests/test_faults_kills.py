"""T1: a process killed while it writes loses nothing that was acknowledged."""

from __future__ import annotations

from pathlib import Path

from faults.campaign import run
from faults.forks import ForkServer
from faults.kills import Kills


def test_after_a_kill_the_index_opens_as_it_was_committed_and_the_next_ingest_goes_on(
    forks: ForkServer, tmp_path: Path
):
    tally = run(Kills, tmp_path, forks, count=Kills.short)

    assert tally.bad == []
    assert tally.trials == Kills.short
