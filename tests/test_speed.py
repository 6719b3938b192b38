"""What the measurements reckon with: medians of ratios, percentiles, the memory of a process."""

from __future__ import annotations

import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import speed_clock  # noqa: E402
import speed_makers  # noqa: E402


def test_a_run_that_was_slow_for_both_does_not_move_their_ratio():
    assert speed_clock.ratio([1.0, 10.0, 1.2], [2.0, 20.0, 2.0]) == 0.5


def test_a_percentile_is_a_value_that_was_measured():
    values = [float(n) for n in range(1, 101)]
    assert [speed_clock.percentile(values, share) for share in (0, 50, 95, 100)] == [1, 50, 95, 100]


def test_values_are_taken_at_even_distances_and_all_of_few():
    assert speed_clock.evenly(range(10), 4) == [0, 2, 5, 7]
    assert speed_clock.evenly(range(3), 4) == [0, 1, 2]


def test_makers_take_turns_and_are_told_the_run():
    order: list[tuple[str, int]] = []
    makers = {name: lambda run, name=name: order.append((name, run)) for name in "ab"}
    speed_clock.in_turns(makers, 2)
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_a_process_is_charged_its_own_memory_and_not_its_parents():
    held = b"x" * 200_000_000
    spent = speed_clock.spend([sys.executable, "-c", "print(1); print('[2, 3]')"])
    assert (spent.told, spent.peak_megabytes < 100, len(held)) == ([2, 3], True, 200_000_000)


def test_a_token_of_the_default_model_costs_about_23_million_operations():
    assert round(speed_makers.flop_of_text(200) / 200 / 1e6, 1) == 23.1
