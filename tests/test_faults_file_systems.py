from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.file_systems import CASES
from faults.forks import ForkServer


@pytest.fixture
def public() -> Iterator[Path]:
    """An empty folder that others may come to as well; pytest's own are closed to them."""
    place = Path(tempfile.mkdtemp(prefix="askmd-"))
    yield place
    shutil.rmtree(place, ignore_errors=True)


def test_there_are_as_many_cases_as_the_plan_asks_for():
    assert len(CASES) >= 50


@pytest.mark.parametrize("name", CASES)
def test_the_right_documents_are_indexed_and_nothing_from_outside(
    name: str, public: Path, forks: ForkServer
):
    played = forks.call("faults.file_systems:play", which=name, place=str(public))
    assert (played.status, played.error, played.output) == (0, "", "")
    if played.result:
        pytest.skip(f"SKIPPED LOUDLY: {played.result}")
