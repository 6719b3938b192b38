"""Readers and writers of one index, and who kills them."""

from __future__ import annotations

from pathlib import Path

from faults.campaign import run
from faults.crowd import Competition
from faults.forks import ForkServer


def test_every_answer_among_killed_writers_is_of_one_generation(
    tmp_path: Path, forks: ForkServer
) -> None:
    tally = run(Competition, tmp_path, forks, count=Competition.short)

    assert tally.bad == []
    assert tally.trials == Competition.short
    assert tally.figures["queries"] > 100 * Competition.short
    assert tally.figures["generations"] > 2 * Competition.short
    assert tally.figures["writers_killed"] > 2 * Competition.short
