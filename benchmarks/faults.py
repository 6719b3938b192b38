"""What breaks in a system like this, done to askmd on purpose, again and again.

    python benchmarks/faults.py                    the short tiers, as the tests run them
    python benchmarks/faults.py --long             the long ones, an hour each at most
    python benchmarks/faults.py --long --only T5   one of them
    python benchmarks/faults.py --long --write     and the table into benchmarks/RESULTS.md

The campaigns are tests/faults/*.py. A trial is known by its number, which is its seed; what is
done is kept in a record beside the temporary files, from which the next run goes on, until --again
begins anew. Exits 1 if a protection failed in any trial.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import faults
import quality
from faults.campaign import Campaign, Tally, resumed, run
from faults.forks import ForkServer

LONGEST_SECONDS = 3600.0
TELL_SECONDS = 20.0


def campaigns(only: str) -> list[type[Campaign]]:
    """Return every campaign whose name holds a text, in the order of their numbers."""
    found = []
    for module in pkgutil.iter_modules(faults.__path__):
        loaded = importlib.import_module(f"faults.{module.name}")
        found += [
            one
            for one in vars(loaded).values()
            if isinstance(one, type)
            and issubclass(one, Campaign)
            and one.__module__ == loaded.__name__
            and hasattr(one, "long")
        ]
    wanted = [one for one in found if only.lower() in one.name.lower()]
    return sorted(wanted, key=lambda one: (int(re.sub(r"\D.*", "", one.name[1:]) or 0), one.name))


def record_of(kind: type[Campaign], home: Path, *, is_long: bool) -> Path:
    """Return where it stands what a campaign has done."""
    name = re.sub(r"\W+", "-", kind.name.lower()).strip("-")
    return home / f"{'long' if is_long else 'short'}-{name}.json"


def run_one(name: str, record: Path, *, is_long: bool, seconds: float) -> None:
    """Run one campaign in this process, and tell how it goes."""
    module, _, kind_name = name.partition(":")
    kind: type[Campaign] = getattr(importlib.import_module(module), kind_name)
    count = kind.long if is_long else kind.short
    told = time.monotonic()

    def tell(tally: Tally) -> None:
        nonlocal told
        if time.monotonic() - told > TELL_SECONDS or tally.next == count:
            told = time.monotonic()
            print(f"{kind.name}: {tally.next} of {count}, {len(tally.bad)} bad", flush=True)

    with ForkServer() as server, tempfile.TemporaryDirectory(prefix="askmd-faults-") as place:
        run(kind, Path(place), server, count=count, record=record, seconds=seconds, tell=tell)


def start(kind: type[Campaign], options: argparse.Namespace) -> Tally:
    """Return what a campaign came to, run in a process of its own."""
    record = record_of(kind, options.home, is_long=options.long)
    if options.again:
        record.unlink(missing_ok=True)
    command = [sys.executable, __file__, "--one", f"{kind.__module__}:{kind.__name__}"]
    command += ["--record", str(record), "--seconds", str(options.seconds)]
    ran = subprocess.run(command + ["--long"] * options.long, check=False)
    tally = resumed(kind.name, record)
    if ran.returncode:
        tally.bad.append((tally.next, "the campaign itself failed", f"exit {ran.returncode}"))
    return tally


def table(tallies: list[Tally]) -> str:
    """Return what the campaigns came to as Markdown."""
    lines = ["| campaign | trials (seeds) | what came of them | bad | seconds |"]
    lines.append("|" + " --- |" * 5)
    for one in tallies:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in one.kinds.most_common())
        figures = "; ".join(
            f"{name.removesuffix('_max').replace('_', ' ')} {value:,.6g}"
            for name, value in sorted(one.figures.items())
        )
        came = f"{kinds}{'; ' if figures else ''}{figures}"
        seeds = f"{one.trials:,} (0 to {one.next - 1})" if one.trials else "0"
        seeds += "" if one.is_whole else ", broken off"
        lines.append(f"| {one.name} | {seeds} | {came} | {len(one.bad)} | {one.seconds:,.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--long", action="store_true", help="the long tiers")
    parser.add_argument("--only", default="", help="campaigns whose name holds this")
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    parser.add_argument("--jobs", type=int, default=1, help="so many campaigns at a time")
    parser.add_argument("--seconds", type=float, default=LONGEST_SECONDS, help="for each campaign")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "askmd-faults")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--record", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return run_one(options.one, options.record, is_long=options.long, seconds=options.seconds)
    options.home.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max(1, options.jobs)) as pool:
        kinds = campaigns(options.only)
        tallies = list(pool.map(lambda kind: start(kind, options), kinds))
    text = table(tallies)
    print(text)
    for one in tallies:
        for number, kind, what in one.bad:
            print(f"BAD {one.name}, trial {number}: {kind}: {what}")
    if options.write:
        quality.write(text, "faults")
    sys.exit(1 if any(one.bad for one in tallies) else 0)


if __name__ == "__main__":
    main()
