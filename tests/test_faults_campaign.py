"""The campaigns' own record: what was done is known again, and gone on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from faults.campaign import Campaign, Verdict, resumed, run

NOBODY: Any = None


class Thirds(Campaign):
    name: ClassVar[str] = "T0 thirds"
    short: ClassVar[int] = 3
    long: ClassVar[int] = 9

    def trial(self, number: int) -> Verdict | None:
        if number > 8:
            return None
        return Verdict(
            "third" if number % 3 else "whole", number == 4, "four", {"most_max": number}
        )


def test_a_run_goes_on_where_the_one_before_it_was_broken_off(tmp_path: Path):
    record = tmp_path / "record.json"
    run(Thirds, tmp_path, NOBODY, count=3, record=record)
    begun = resumed("T0 thirds", record)
    assert (begun.next, begun.is_whole, dict(begun.kinds)) == (3, True, {"whole": 1, "third": 2})

    tally = run(Thirds, tmp_path, NOBODY, count=100, record=record)

    assert (tally.trials, tally.next, tally.is_whole) == (9, 9, True)
    assert dict(tally.kinds) == {"whole": 3, "third": 6}
    assert tally.bad == [(4, "third", "four")]
    assert tally.figures == {"most_max": 8}
