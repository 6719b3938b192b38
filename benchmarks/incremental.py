"""What ingest costs on real documentation with the default model: first, again, renamed.

    python benchmarks/incremental.py            prints the table
    python benchmarks/incremental.py --write    and puts it into benchmarks/RESULTS.md

Each run is a process of its own, timed from start to end. The corpora lie in ../shared.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import quality

CORPORA = quality.EVAL.parent / "corpora"


def ingest(folder: Path, index: Path) -> tuple[dict[str, Any], float]:
    """Return the report of one ``askmd ingest`` and its seconds from start to end."""
    command = [
        sys.executable,
        "-m",
        "askmd",
        "ingest",
        str(folder),
        "--index",
        str(index),
        "--json",
    ]
    started = time.monotonic()
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    return json.loads(ran.stdout), time.monotonic() - started


def row(name: str, step: str, report: dict[str, Any], seconds: float) -> str:
    documents, chunks = report["documents"], report["chunks"]
    cells = [
        *(documents["seen"], documents["failed"], documents["moved"]),
        *(chunks["total"], chunks["embedded"], chunks["truncated"]),
        *(report["longest_chunk_tokens"], f"{seconds:.1f}"),
    ]
    return f"| {name} | {step} | {' | '.join(str(cell) for cell in cells)} |"


def rows_of(name: str) -> list[str]:
    """Return a corpus ingested, ingested again, and again with its folder renamed."""
    with tempfile.TemporaryDirectory() as home:
        root, index = Path(home) / "root", Path(home) / "index"
        # Bytes only: the corpora are read-only, and a copy of that could not be renamed.
        shutil.copytree(CORPORA / name, root / "docs", copy_function=shutil.copyfile)
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            folder.chmod(0o755)
        # A file younger than two seconds is read again, to be sure.
        time.sleep(2)
        lines = [row(name, step, *ingest(root, index)) for step in ("first", "again")]
        (root / "docs").rename(root / "renamed")
        return [*lines, row(name, "folder renamed", *ingest(root, index))]


def main() -> None:
    if not CORPORA.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no corpora at {CORPORA}")
    heads = ["corpus", "ingest", "files", "failed", "moved", "chunks", "embedded", "truncated"]
    heads += ["longest", "seconds"]
    lines = [f"| {' | '.join(heads)} |", "|" + " --- |" * len(heads)]
    for name in ("fastapi", "rustbook"):
        lines += rows_of(name)
    text = "\n".join(lines)
    print(text)
    if "--write" in sys.argv:
        quality.write(text, "incremental")


if __name__ == "__main__":
    main()
