"""Threads that share a Retriever during ingests."""

from __future__ import annotations

from pathlib import Path

from faults.campaign import run
from faults.forks import ForkServer
from faults.threads import SEARCHES, THREADS, Sharing


def test_threads_get_the_serial_answers_of_their_generation(
    tmp_path: Path, forks: ForkServer
) -> None:
    tally = run(Sharing, tmp_path, forks, count=Sharing.short)

    assert tally.bad == []
    assert tally.figures["queries"] == THREADS * SEARCHES * Sharing.short
    # Otherwise nothing changed under them.
    assert tally.figures["generations"] > 3
