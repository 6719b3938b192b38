"""Backups under fire: kills, flips, a writer that never stops."""

from __future__ import annotations

import shutil
from pathlib import Path

from faults import world
from faults.backups import Backups
from faults.campaign import run
from faults.forks import ForkServer


def test_a_kill_while_saving_or_restoring_leaves_what_was_or_what_was_wanted(
    tmp_path: Path, forks: ForkServer
):
    tally = run(Backups, tmp_path, forks, count=Backups.short)
    assert (tally.bad, tally.trials) == ([], Backups.short)
    kinds = set(tally.kinds)
    assert {"save killed: as before", "restore killed: as before"} <= kinds, kinds


def test_a_backup_beside_a_writer_that_never_stops_is_one_committed_generation(
    tmp_path: Path, forks: ForkServer
):
    root, index = tmp_path / "docs", tmp_path / "index"
    world.write(root, world.documents(1))
    assert forks.call("faults.world:ingest", root=str(root), index=str(index)).status == 0
    told = forks.call(
        "faults.backups:save_beside_a_writer",
        root=str(root),
        index=str(index),
        place=str(tmp_path),
        rounds=5,
    )
    assert told.status == 0, told.error
    *wrong, last = told.result
    # What was there before the writer came is in no record of it.
    assert (wrong, last) in (([], f"{many} generations were saved") for many in (4, 5))


def test_any_flipped_bit_of_a_backup_is_noticed(tmp_path: Path, forks: ForkServer):
    index, file = _saved(tmp_path, forks)
    arguments = {"file": str(file), "index": str(index), "seed": 7, "count": 300}
    told = forks.call("faults.backups:flips", is_sealed_anew=False, **arguments)
    assert told.status == 0, told.error
    assert {"usage", "index_corrupt"} >= set(told.result)
    assert sum(told.result.values()) == 300


def test_a_flipped_bit_under_a_sum_that_is_right_is_noticed_or_harmless(
    tmp_path: Path, forks: ForkServer
):
    index, file = _saved(tmp_path, forks)
    arguments = {"file": str(file), "index": str(index), "seed": 8, "count": 40}
    told = forks.call("faults.backups:flips", is_sealed_anew=True, **arguments)
    assert told.status == 0, told.error
    assert told.result.get("wrong", 0) == 0, told.result
    assert sum(told.result.values()) == 40


def _saved(place: Path, forks: ForkServer) -> tuple[Path, Path]:
    root, index, file = place / "docs", place / "index", place / "notes.backup"
    world.write(root, world.documents(2, count=6))
    assert forks.call("faults.world:ingest", root=str(root), index=str(index)).status == 0
    assert forks.call("faults.backups:save", index=str(index), file=str(file)).status == 0
    shutil.rmtree(place / "broken-index", ignore_errors=True)
    return index, file
