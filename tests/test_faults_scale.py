"""Thousands of files under a limit of memory; so many as 200,000 are for benchmarks/faults.py."""

from __future__ import annotations

from pathlib import Path

from faults.campaign import run
from faults.forks import ForkServer
from faults.scale import LEAST_MEMORY, SIZES, Scale


def test_thousands_of_files_fit_the_limit_and_only_what_is_new_is_embedded(
    tmp_path: Path, forks: ForkServer
) -> None:
    tally = run(Scale, tmp_path, forks, count=Scale.short)

    assert tally.bad == []
    # Without the vectors, which are few here: nothing grows with the files that need not.
    assert tally.figures[f"unchanged_{SIZES[0]}_peak_megabytes_max"] < LEAST_MEMORY / 1e6
