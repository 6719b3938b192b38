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


PROTECTIONS = (
    Protection(
        "a file synced before its rename",
        "store/folder.py",
        "os.fsync(file.fileno())",
        "pass",
        ("test_faults_power.py",),
    ),
    Protection(
        "a folder synced after a rename",
        "store/folder.py",
        "        sync_folder(path.parent)",
        "        pass",
        ("test_faults_power.py",),
    ),
    Protection(
        "commits that wait for the disk",
        "store/database.py",
        "synchronous = FULL",
        "synchronous = OFF",
        ("test_faults_power.py",),
    ),
    Protection(
        "one transaction for a reading",
        "store/database.py",
        '        connection.execute("BEGIN")\n',
        "        pass\n",
        ("test_faults_threads.py",),
    ),
    Protection(
        "one writer",
        "store/lock.py",
        "self._lock.acquire(timeout=WAIT_SECONDS)",
        "pass",
        ("test_store.py::test_a_second_writer_is_told_who_holds_the_lock",),
    ),
    Protection(
        "a chunk's checksum",
        "store/rows.py",
        "is_sound = chunk_checksum(path, values) == checksum",
        "is_sound = True",
        ("test_store.py::test_a_changed_text_or_vector_is_detected",),
    ),
    Protection(
        "a document's checksum",
        "store/outlines.py",
        "is_sound = checksum_of(row[1:]) == checksum",
        "is_sound = True",
        ("test_faults_corruption.py::test_what_is_read_of_a_row_is_checked_before_it_is_believed",),
    ),
    Protection(
        "a segment's checksums",
        "store/derived.py",
        "if digest != self._sums[block * _SUM : (block + 1) * _SUM]:",
        "if False:",
        ("test_derived.py",),
    ),
    Protection(
        "the high-water mark, for readers",
        "store/reader.py",
        "if state.generation < manifest.generation:",
        "if False:",
        (
            "test_store.py::test_a_database_that_lost_commits_is_noticed_and_mended_by_the_next_ingest",
        ),
    ),
    Protection(
        "the high-water mark, for the writer",
        "store/opening.py",
        "if state.generation < manifest.generation:",
        "if False:",
        (
            "test_store.py::test_a_database_that_lost_commits_is_noticed_and_mended_by_the_next_ingest",
        ),
    ),
    Protection(
        "whose database it is",
        "store/schema.py",
        "if manifest.uuid != state.uuid:",
        "if False:",
        ("test_store.py::test_the_database_of_another_index_is_not_read",),
    ),
    Protection(
        "what the vectors are made of",
        "store/schema.py",
        "    if differing:",
        "    if False:",
        ("test_faults_identities.py",),
    ),
    Protection(
        "files for their owner only",
        "store/folder.py",
        "os.fchmod(handle, 0o600)",
        "os.fchmod(handle, 0o644)",
        (
            "test_store.py::test_only_the_owner_can_read_the_index",
            "test_faults_private.py",
        ),
    ),
    Protection(
        "the first cause, not the ROLLBACK's",
        "store/database.py",
        "    if connection.in_transaction:\n        with suppress(sqlite3.Error):\n",
        "    if True:\n        if True:\n",
        (
            "test_store.py::test_a_full_disk_is_one_clear_line_and_the_last_commit_stays",
            "test_faults_failing.py",
        ),
    ),
    Protection(
        "a newer state for every thread",
        "store/vector_index.py",
        " and former.is_of(state)",
        "",
        ("test_faults_threads.py",),
    ),
    Protection(
        "no link on the way to a file",
        "files/below.py",
        "    if root is None:",
        "    if True:",
        ("test_faults_file_systems.py",),
    ),
    Protection(
        "the index never indexed",
        "files/walk.py",
        "in scope.skipped",
        "in ()",
        ("test_faults_file_systems.py",),
    ),
    Protection(
        "a young file read again",
        "files/reading.py",
        "newest = max(status.st_mtime_ns, status.st_ctime_ns)",
        "newest = status.st_mtime_ns",
        ("test_faults_file_systems.py",),
    ),
    Protection(
        "most files gone: nothing is removed",
        "ingest/journey.py",
        "if 2 * lost > len(standing) and not prune:",
        "if False:",
        ("test_ingest.py",),
    ),
    Protection(
        "vectors in the order of their texts",
        "embed/openai_reply.py",
        "return [by_index[index] for",
        "return list(items) or [by_index[index] for",
        ("test_faults_embedders.py",),
    ),
    Protection(
        "finite vectors",
        "embed/gate.py",
        "if not np.isfinite(vectors).all():",
        "if False:",
        ("test_faults_embedders.py",),
    ),
    Protection(
        "no redirect with a key",
        "endpoint.py",
        "follow_redirects=False",
        "follow_redirects=True",
        ("test_faults_embedders.py",),
    ),
    Protection(
        "no links out of a model's folder",
        "embed/location.py",
        "check_links(folder)",
        "pass",
        ("test_faults_models.py",),
    ),
    Protection(
        "a backup's sum",
        "store/backup.py",
        " or _sum(file, size, watch).encode() != seal[1]",
        "",
        ("test_faults_backups.py",),
    ),
    Protection(
        "a reader that writes nothing but searches on a full disk",
        "store/connections.py",
        'is_full = getattr(error, "sqlite_errorcode", 0) in _NO_ROOM',
        "is_full = False",
        ("test_faults_full.py",),
    ),
)


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
