"""T2: a power failure loses nothing that was acknowledged; see faults/power.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults import shim
from faults.campaign import run
from faults.forks import ForkServer
from faults.power import PowerLoss, Recording, disorders, make_recordings

pytestmark = pytest.mark.skipif(not shim.is_possible(), reason=shim.NEEDS)


@dataclass(frozen=True)
class Recorded:
    place: Path
    recordings: list[Recording]

    def campaign(self, *deaf_to: str) -> type[PowerLoss]:
        """Return the campaign of these recordings, with a disk that is deaf to some calls."""
        recordings = self.recordings

        class OfThese(PowerLoss):
            def record(self) -> Iterator[Recording]:
                return iter(recordings)

        OfThese.deaf_to = frozenset(deaf_to)
        return OfThese


@pytest.fixture(scope="module")
def recorded(forks: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    place = tmp_path_factory.mktemp("power")
    return Recorded(place, list(make_recordings(place, forks)))


def test_after_a_power_failure_an_index_opens_as_it_was_acknowledged_or_says_what_it_lost(
    forks: ForkServer, recorded: Recorded
):
    tally = run(recorded.campaign(), recorded.place, forks, count=PowerLoss.short)

    assert tally.bad == []
    assert tally.trials == PowerLoss.short
    assert tally.kinds["as acknowledged"] >= 10


def test_every_file_is_synced_before_its_rename_and_its_folder_after_it(recorded: Recorded):
    found = {one.name: disorders(one) for one in recorded.recordings}

    assert found == {"first": [], "mixed": [], "rebuild": []}
    assert all(len(one.marks) >= 3 for one in recorded.recordings)


@pytest.mark.parametrize("call", ["sync", "sync_folder"])
def test_a_disk_that_does_not_sync_is_noticed(call: str, forks: ForkServer, recorded: Recorded):
    tally = run(recorded.campaign(call), recorded.place, forks, count=13)

    assert tally.bad
