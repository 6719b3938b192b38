"""T11: a command that is told to stop stops soon, says so by its status and keeps what it did."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from faults import world
from faults.campaign import run
from faults.forks import ForkServer
from faults.signals import SLACK_SECONDS, STOP_SECONDS, Signals, hang_up, start


def test_a_signal_ends_a_command_soon_with_its_status_and_what_was_embedded_is_kept(
    forks: ForkServer, tmp_path: Path
):
    tally = run(Signals, tmp_path, forks, count=Signals.short)

    assert tally.bad == []
    assert tally.trials == Signals.short


def test_an_ingest_whose_terminal_is_closed_keeps_what_it_embedded(
    forks: ForkServer, tmp_path: Path
):
    docs, index = tmp_path / "docs", tmp_path / "index"
    world.write(docs, world.documents(5, 400))

    ended = hang_up(
        ["ingest", str(docs)],
        tmp_path,
        awaited="embedding",
    )

    assert ended.status == 129, ended.shown
    assert ended.seconds < STOP_SECONDS + SLACK_SECONDS
    found = forks.call("faults.dying:look", index=str(index)).result
    assert found["dump"]["faults"] == []
    again = forks.call("faults.world:ingest", root=str(docs), index=str(index), batch=64).result
    assert 0 < again["chunks"]["embedded"] < again["chunks"]["total"]


@pytest.fixture
def whole(forks: ForkServer, tmp_path: Path) -> Path:
    """A folder with documents and their index."""
    world.write(tmp_path / "docs", world.documents(6, 3))
    root, index = str(tmp_path / "docs"), str(tmp_path / "index")
    assert "error" not in forks.call("faults.world:ingest", root=root, index=index).result
    return tmp_path


def test_a_search_whose_reader_goes_away_ends_quietly(whole: Path):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(["search", "-k", "50", world.QUESTIONS[0]], whole, **pipes) as searching:
        assert searching.stdout and searching.stderr
        searching.stdout.readline()
        searching.stdout.close()
        said = searching.stderr.read()

    assert (searching.returncode, said) == (0, b"")


def test_an_ingest_nobody_reads_the_report_of_is_done_all_the_same(whole: Path, forks: ForkServer):
    wanted = world.documents(7, 4)
    world.write(whole / "docs", wanted)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(["ingest", str(whole / "docs"), "--json"], whole, **pipes) as ingesting:
        assert ingesting.stdout and ingesting.stderr
        ingesting.stdout.close()
        said = ingesting.stderr.read()

    assert (ingesting.returncode, said) == (0, b"")
    held = forks.call("faults.world:dump", index=str(whole / "index")).result
    assert (sorted(held["documents"]), held["faults"]) == (sorted(wanted), [])
