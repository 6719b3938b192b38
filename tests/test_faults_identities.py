"""T19: an index made with other settings is refused until it is rebuilt, and serves until then."""

from __future__ import annotations

from pathlib import Path

import pytest

from faults import world
from faults.campaign import run
from faults.forks import ForkServer
from faults.identities import FIELDS, OTHERS, Migrations, Refusals


def test_each_changed_field_is_refused_in_one_line_that_names_it_and_the_mend(
    forks: ForkServer, tmp_path: Path
):
    tally = run(Refusals, tmp_path, forks, count=Refusals.short)

    assert tally.bad == []
    assert tally.trials == len(FIELDS)


def test_a_killed_rebuild_for_other_settings_leaves_the_old_index_and_its_own_vectors(
    forks: ForkServer, tmp_path: Path
):
    tally = run(Migrations, tmp_path, forks, count=Migrations.short)

    assert tally.bad == []
    assert tally.trials == Migrations.short


@pytest.mark.parametrize("field", ["model", "dim"])
def test_readers_are_answered_from_the_old_index_until_the_new_one_is_whole(
    forks: ForkServer, tmp_path: Path, field: str
):
    assert field in OTHERS
    docs, index = tmp_path / "docs", tmp_path / "index"
    world.write(docs, world.documents(3, 4))
    forks.call("faults.world:ingest", root=str(docs), index=str(index))

    read = forks.call(
        "faults.identities:read_meanwhile", index=str(index), docs=str(docs), field=field
    )

    assert read.error == ""
    [before, *during, after, new] = read.result
    assert before[0] == before[1] != []
    assert len(during) > 4
    assert during == [before] * len(during)
    assert after == ["index_mismatch", "index_mismatch"]
    assert new[0] == new[1] != before[0]
