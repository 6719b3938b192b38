"""What int8 vectors find beside float32 ones, question by question, on the public question sets.

    python benchmarks/precision.py [--out FOLDER] [--write]

Each set is ingested twice, in a process of its own, and asked with the defaults; only
``embedding.precision`` differs. The interval is the 95 % one of a paired bootstrap over questions;
pooled, each question counts once.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import quality

ROUNDS = 5000
METRIC = "recall@4000ch"
KINDS = {"results": "hits", "passages": "passages"}


def result(name: str, precision: str, out: Path) -> Path:
    """Return a set's result file for one precision, made where it is not there yet."""
    target = out / f"{name}-{precision}.json"
    if not target.exists():
        home = quality.EVAL / name
        command = [sys.executable, quality.__file__, "--one", str(home), str(target), precision]
        subprocess.run(command, check=True)
    return target


def gains(name: str, kind: str, out: Path) -> list[float]:
    """Return for each question what int8 gains over float32, in points."""
    sys.path.insert(0, str(quality.EVAL))
    import score

    each = {}
    for precision in ("float32", "int8"):
        found = json.loads(result(name, precision, out).read_text(encoding="utf-8"))[kind]
        each[precision] = [one[METRIC] for one in score.score_each(quality.EVAL / name, found)]
    pairs = zip(each["int8"], each["float32"], strict=True)
    return [100 * (int8 - float32) for int8, float32 in pairs]


def line(name: str, kind: str, found: list[float]) -> str:
    """Return one line of the table: the mean gain and its interval."""
    draw = random.Random(0)
    count = len(found)
    means = sorted(sum(draw.choices(found, k=count)) / count for _ in range(ROUNDS))
    low, high = means[int(0.025 * ROUNDS)], means[int(0.975 * ROUNDS)]
    mean = sum(found) / count
    return f"| {name} | {KINDS[kind]} | {mean:+.2f} | {low:+.2f} to {high:+.2f} | {count} |"


def table(out: Path) -> str:
    """Return the whole table as Markdown."""
    lines = ["| set | of | int8 - float32, points | 95 % interval | questions |"]
    lines.append("|" + " --- |" * 5)
    for kind in KINDS:
        found = {name: gains(name, kind, out) for name in quality.SETS}
        lines += [line(name, kind, one) for name, one in found.items()]
        pooled = [gain for one in found.values() for gain in one]
        lines.append(line("all, pooled", kind, pooled))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="where result files are kept")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args()
    if not quality.EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {quality.EVAL}")
    out = options.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    text = table(out.absolute())
    print(text)
    if options.write:
        quality.write(text, "precision")


if __name__ == "__main__":
    main()
