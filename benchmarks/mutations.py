"""Whether the tests notice when a protection is taken out: one at a time, each in a copy.

    python benchmarks/mutations.py              every protection
    python benchmarks/mutations.py --only fsync those whose name holds this
    python benchmarks/mutations.py --write      and the table into benchmarks/RESULTS.md

Each protection is a few characters of the source that are replaced in a copy of the tree, and the
tests that must fail then; first they are run without a change, where they must pass. Exits 1
if a protection can go unnoticed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import quality

ROOT = Path(__file__).parents[1]
LIMIT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Protection:
    """A protection that can be taken out."""

    name: str
    file: str
    """Below src/askmd."""
    present: str
    """The characters that protect; they stand once in the file."""
    absent: str
    """What stands there without the protection."""
    tests: tuple[str, ...]
    """What must notice: files or names of tests below tests."""


PROTECTIONS: tuple[Protection, ...] = ()


def copy_of_tree(home: Path) -> Path:
    """Return a copy of what is tested, and of nothing else."""
    target = home / "askmd"
    names = ("src", "tests", "sample_docs", "pyproject.toml", "config.toml", "README.md")
    for name in (*names, "sample_questions.jsonl", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.mkdir(exist_ok=True)
            shutil.copy(source, target / name)
    return target


def run_tests(tree: Path, tests: tuple[str, ...]) -> tuple[bool, str]:
    """Return whether tests pass in a tree, and the last line they printed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider"]
    command += [f"tests/{name}" for name in tests]
    environment = {"PYTHONPATH": f"{tree / 'src'}", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        ran = subprocess.run(
            command,
            cwd=tree,
            env=dict(os.environ) | environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False, "it ran past its limit"
    failed = [line for line in ran.stdout.splitlines() if line.startswith("FAILED")]
    last = failed[0].split(" - ")[0] if failed else (ran.stdout.splitlines() or ["nothing"])[-1]
    return ran.returncode == 0, last


def without(tree: Path, one: Protection) -> tuple[str, str]:
    """Return what the tests say of a tree without a protection; the tree is as before then."""
    file = tree / "src" / "askmd" / one.file
    whole = file.read_text(encoding="utf-8")
    if whole.count(one.present) != 1:
        return "not tried", f"{one.file} holds it {whole.count(one.present)} times"
    file.write_text(whole.replace(one.present, one.absent), encoding="utf-8")
    try:
        is_passed, last = run_tests(tree, one.tests)
    finally:
        file.write_text(whole, encoding="utf-8")
    return ("unnoticed" if is_passed else "noticed"), last


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="protections whose name holds this")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args()
    wanted = [one for one in PROTECTIONS if options.only in one.name]
    lines = ["| protection taken out | where | outcome | noticed by |", "|" + " --- |" * 4]
    unnoticed = 0
    with tempfile.TemporaryDirectory() as home:
        tree = copy_of_tree(Path(home))
        tests = tuple(sorted({test for one in wanted for test in one.tests}))
        is_passed, last = run_tests(tree, tests)
        if not is_passed:
            sys.exit(f"the tests fail without a change: {last}")
        for one in wanted:
            started = time.monotonic()
            outcome, last = without(tree, one)
            unnoticed += outcome != "noticed"
            print(f"{outcome}: {one.name} ({time.monotonic() - started:.0f} s, {last})", flush=True)
            told = last.removeprefix("FAILED tests/")
            lines.append(f"| {one.name} | `{one.file}` | {outcome} | `{told}` |")
    text = "\n".join(lines)
    print(text)
    if options.write:
        quality.write(text, "mutations")
    sys.exit(1 if unnoticed else 0)


if __name__ == "__main__":
    main()
