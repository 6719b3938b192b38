"""The long tier of the fuzz: generated documents, and inputs made to hurt at full size.

    python benchmarks/fuzz.py --count 100000              documents from seed 0 on, on all cores
    python benchmarks/fuzz.py --seed 4711 --count 1       one of them again; or go on from there
    python benchmarks/fuzz.py --examples spec.txt         mutate the published specification's too
    python benchmarks/fuzz.py --pathological              only the inputs made to hurt
    python benchmarks/fuzz.py --count 100000 --write      both, their figures into RESULTS.md

Prints each violation with its seed and a document as small as still shows it. Exits 4 on any.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import quality

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import fuzz_mutants
import fuzzing
import pathological
from commonmark_examples import ALL
from fuzzing import Case, Tally, Violations
from pathological import Cost

SHARE = 500
SHOWN = 20
MEGABYTE = 1_000_000
COUNTERS = functools.cache(fuzzing.counters)
DIGESTED = range(1_000)
CONTEXT = multiprocessing.get_context("forkserver")


def share(seeds: range, examples: Sequence[str]) -> tuple[Violations, Tally]:
    tally = Tally()
    return fuzzing.violations(seeds, COUNTERS(), tally, examples), tally


def digest() -> str:
    return fuzzing.digest(DIGESTED, COUNTERS()["hash"])


def generated(seeds: range, examples: Sequence[str]) -> tuple[Violations, Tally]:
    """Return what is wrong with the documents of the seeds, and what was looked at."""
    found: Violations = {}
    tally = Tally()
    starts = range(seeds.start, seeds.stop, SHARE)
    with ProcessPoolExecutor(os.cpu_count(), CONTEXT) as processes:
        waiting = [
            processes.submit(share, range(first, min(first + SHARE, seeds.stop)), examples)
            for first in starts
        ]
        for done, future in enumerate(as_completed(waiting), start=1):
            wrong, looked = future.result()
            found |= wrong
            tally.add(looked)
            print(f"\r{done} of {len(starts)}, {len(found)} wrong", end="", file=sys.stderr)
        # Each process has a hash seed of its own.
        if processes.submit(digest).result() != digest():
            found[-1] = ["chunk ids differ between processes"]
    print(file=sys.stderr)
    return dict(sorted(found.items())), tally


def shown(found: Violations, examples: Sequence[str]) -> None:
    """Print the first violations, each with as small a document as shows it."""
    for seed, wrong in list(found.items())[:SHOWN]:
        print(f"seed {seed}: " + "; ".join(wrong)[:600])
        one = fuzzing.case(seed, sorted(COUNTERS()), examples) if seed >= 0 else None
        if isinstance(one, Case):
            counter = COUNTERS()[one.counter]
            small = fuzzing.shrunk(one, counter)
            said = "; ".join(fuzzing.violation(small, counter, Tally()))
            print(f"  {one.kind}, bound {one.bound}, {one.counter}: {said[:600]}\n  {small.text!r}")
    print(f"{len(found)} violations")


def figures(seeds: range, found: Violations, tally: Tally, seconds: float) -> str:
    """Return what was looked at as a table."""
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(tally.documents.items()))
    rows = [
        ("documents", f"{tally.documents.total():,}: {kinds}"),
        ("seeds", f"{seeds.start} to {seeds.stop - 1}"),
        ("characters, chunks", f"{tally.characters:,}, {tally.chunks:,}"),
        ("bounds, counters", f"{', '.join(map(str, fuzzing.BOUNDS))}; {', '.join(COUNTERS())}"),
        ("headings known by construction", f"of {tally.by_construction:,} documents"),
        ("headings held against cmark", f"of {tally.by_cmark:,} documents"),
        *(
            (f"not held against cmark: {name}", f"{n:,}")
            for name, n in tally.excluded.most_common()
        ),
        ("headings compared", f"{tally.headings:,}"),
        ("violations", f"**{len(found)}**"),
        ("minutes", f"{seconds / 60:.1f}"),
    ]
    return "\n".join(
        ["| generated documents | |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)]
    )


def costs() -> Iterator[tuple[str, str, Cost | str]]:
    """Yield counter, name and cost of each input at full size, each in a process of its own."""
    for counter in ("hash", "MiniLM"):
        for name in pathological.INPUTS:
            size = pathological.FULL.get(name, MEGABYTE)
            with ProcessPoolExecutor(1, CONTEXT) as process:
                future: Future[Cost] = process.submit(
                    pathological.measured, name, size, COUNTERS()[counter]
                )
                try:
                    yield counter, name, future.result()
                except BrokenProcessPool:
                    yield counter, name, "ended: it took too long or too much"


def share_of_limit(cost: Cost) -> float:
    return max(cost.seconds / cost.most_seconds, cost.grown / cost.most_grown)


def hurt() -> tuple[str, int]:
    """Return the dearest inputs of each counter as a table, and how many are too dear or wrong."""
    lines = [
        "| tokens by | inputs made to hurt | MB | seconds | at most | MB grown | at most |",
        "|" + " --- |" * 7,
    ]
    dear = 0
    found: dict[str, list[tuple[str, Cost]]] = {}
    for counter, name, cost in costs():
        if isinstance(cost, str) or cost.faults or not cost.is_bearable:
            dear += 1
            print(f"{counter}, {name}: {cost}")
        if isinstance(cost, Cost):
            found.setdefault(counter, []).append((name, cost))
    for counter, measured in found.items():
        measured.sort(key=lambda pair: -share_of_limit(pair[1]))
        over = sum(not cost.is_bearable for _, cost in measured)
        lines.append(f"| {counter} | all {len(measured)}, {over} above a limit | | | | | |")
        lines += [
            f"| {counter} | {name} | {cost.megabytes:.1f} | {cost.seconds:.1f} | "
            f"{cost.most_seconds:.1f} | {cost.grown:.0f} | {cost.most_grown:.0f} |"
            for name, cost in measured[:8]
        ]
    return "\n".join(lines), dear


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=5_000, help="documents")
    parser.add_argument("--seed", type=int, default=0, help="the first document's")
    parser.add_argument("--examples", type=Path, help="CommonMark's spec.txt or commonmark.json")
    parser.add_argument("--pathological", action="store_true", help="only the inputs made to hurt")
    parser.add_argument("--write", action="store_true", help="run both, write into RESULTS.md")
    return parser.parse_args()


def documents(chosen: argparse.Namespace) -> tuple[str, int]:
    """Return the figures of the generated documents, and how many are wrong."""
    started = time.monotonic()
    seeds = range(chosen.seed, chosen.seed + chosen.count)
    published = fuzz_mutants.published(chosen.examples) if chosen.examples else []
    examples = (*ALL, *published)
    found, tally = generated(seeds, examples)
    shown(found, examples)
    return figures(seeds, found, tally, time.monotonic() - started), len(found)


def main() -> int:
    chosen = options()
    steps: list[Callable[[], tuple[str, int]]] = []
    if chosen.write or not chosen.pathological:
        steps.append(lambda: documents(chosen))
    if chosen.write or chosen.pathological:
        steps.append(hurt)
    results = [step() for step in steps]
    text = "\n\n".join(table for table, _ in results)
    print(text)
    if chosen.write:
        quality.write(text, "fuzz")
    return 4 if any(wrong for _, wrong in results) else 0


if __name__ == "__main__":
    sys.exit(main())
