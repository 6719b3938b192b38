"""Processes timed as wholes, what is compared taken in turns, and tables of it."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

Taken = TypeVar("Taken")

# In a small process of its own: a child's peak counts what its parent held when it began.
_LAUNCH = """
import json, os, sys, time
out, *command = sys.argv[1:]
started = time.perf_counter()
child = os.posix_spawnp(command[0], command, os.environ)
status, usage = os.wait4(child, 0)[1:]
seconds = time.perf_counter() - started
if status == 0:
    with open(out, "w") as file:
        json.dump([seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024], file)
sys.exit(os.waitstatus_to_exitcode(status) != 0)
"""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took, from its start to its end."""

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    printed: str
    """All of its stdout."""

    @property
    def told(self) -> Any:
        """The JSON that it printed, in its last line."""
        return json.loads(self.printed.strip().rpartition("\n")[2])


def spend(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
) -> Spent:
    """Return what a command took, with those of its children that it waited for.

    Exits with what it complained of where it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "spent.json"
        launch = [sys.executable, "-I", "-S", "-c", _LAUNCH, out, *command]
        ran = subprocess.run(
            [str(word) for word in launch],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            # No settings are to be found where it runs.
            cwd=folder,
            env={**os.environ, "HF_HUB_OFFLINE": "1", **(environment or {})},
        )
        if ran.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed:\n{ran.stderr[-2000:]}")
        return Spent(*json.loads(out.read_text()), ran.stdout)


def in_turns(makers: Mapping[str, Callable[[int], Taken]], runs: int) -> dict[str, list[Taken]]:
    """Return what each maker gave in each run: one of each, then one of each again.

    A maker is told the number of the run.
    """
    taken: dict[str, list[Taken]] = {name: [] for name in makers}
    for number in range(runs):
        for name, make in makers.items():
            print(f"  run {number + 1} of {runs}: {name}", file=sys.stderr, flush=True)
            taken[name].append(make(number))
    return taken


def ratio(own: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios in each run: what slows a whole run down, slows both."""
    return median(one / other for one, other in zip(own, others, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that so many per cent do not exceed."""
    return sorted(values)[max(0, math.ceil(share / 100 * len(values)) - 1)]


def evenly(values: Sequence[Taken], count: int) -> list[Taken]:
    """Return so many values, or all of fewer, at even distances."""
    step = max(1.0, len(values) / count)
    return [values[int(n * step)] for n in range(min(count, len(values)))]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def spent_cells(spent: Sequence[Spent]) -> list[str]:
    """Return the medians of seconds, CPU seconds and peak memory."""
    return [
        f"{median(one.seconds for one in spent):.3f}",
        f"{median(one.cpu_seconds for one in spent):.2f}",
        f"{median(one.peak_megabytes for one in spent):.0f}",
    ]
