"""What `ask` refuses: real questions, near ones that the documents do not answer, and far ones.

    python benchmarks/refusal.py                       the sets of ../shared, indexed anew
    python benchmarks/refusal.py --indexes FOLDER      and their indexes kept there
    python benchmarks/refusal.py --write               put the tables into benchmarks/RESULTS.md

Real are a set's own questions and those of `evidence/*/real_SET.jsonl`; near those of
`near_SET.jsonl`, by hand; far the own questions of the other sets; nonsense `nonsense.jsonl`. What
lies in `evidence/tuned` was looked at while the gate was built, what lies in `unseen` was not.
Default model, default settings.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from askmd import Config, Retriever, compose, ingest_folder
from askmd.contracts import Embedder
from askmd.settings import IndexSettings
from quality import EVAL, write

HERE = Path(__file__).parent
CORPORA = EVAL.parent / "corpora"
DOCUMENTS = {
    "anthropic_docs": EVAL / "anthropic_docs" / "docs",
    "fastapi": CORPORA / "fastapi" / "docs",
    "chroma": EVAL / "chroma" / "docs",
    "xquad": EVAL / "xquad" / "docs",
}
SHORT_NAMES = {"anthropic_docs": "anthropic"}
HALVES = ("tuned", "unseen")
LIMIT = 20
MOST = 200
"""Questions of one kind that are asked of a set: of more, some at even distances."""
STEPS = (-0.15, -0.1, -0.05, 0.0, 0.05, 0.1, 0.15, 0.2)
"""Floors of the curve, as distances from the one that is measured."""


@dataclass(frozen=True)
class Kind:
    """Questions of one kind asked of one set."""

    name: str
    best: tuple[float, ...]
    """Of each question, how far its best hit stands above the floor."""

    def refused(self, step: float = 0.0) -> str:
        """Return the share refused at a floor so much higher, in percent; empty without any."""
        share = sum(one < step for one in self.best) / max(1, len(self.best))
        return f"{100 * share:.1f}" if self.best else ""


def questions_in(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [json.loads(line)["question"] for line in lines[:: max(1, -(-len(lines) // MOST))]]


def kinds_of(name: str) -> dict[str, list[str]]:
    """Return the questions to ask of a set, by kind."""
    own = {one: EVAL / one / "questions.jsonl" for one in DOCUMENTS}
    short = SHORT_NAMES.get(name, name)
    others = [file for one, file in own.items() if one != name and file.exists()]
    kinds = {"set's own": questions_in(own[name])}
    for kind, file in (("real", f"real_{short}"), ("near", f"near_{short}")):
        for half in HALVES:
            kinds[f"{kind}, {half}"] = questions_in(HERE / "evidence" / half / f"{file}.jsonl")
    kinds["far"] = [question for file in others for question in questions_in(file)]
    for half in HALVES:
        kinds[f"nonsense, {half}"] = questions_in(HERE / "evidence" / half / "nonsense.jsonl")
    return kinds


def ask_all(name: str, index: Path, embedder: Embedder) -> list[Kind]:
    """Return how every question fares against a set, which is indexed if it is not yet."""
    config = replace(Config.load(), index=IndexSettings(str(index)))
    if not (index / "manifest.json").exists():
        ingest_folder(DOCUMENTS[name], config, embedder=embedder)
    retriever = Retriever.open(config, embedder=embedder)

    def best(question: str) -> float:
        hits = retriever.search(question, limit=LIMIT)
        return max((hit.above_floor for hit in hits if hit.above_floor is not None), default=-9.0)

    return [
        Kind(kind, tuple(best(question) for question in questions))
        for kind, questions in kinds_of(name).items()
    ]


def tables(found: dict[str, list[Kind]]) -> str:
    """Return what is refused as it is, and the share refused at other floors."""
    names = [kind.name for kind in next(iter(found.values()))]
    lines = [f"| refused, % | {' | '.join(names)} |", "|" + " --- |" * (len(names) + 1)]
    for name, kinds in found.items():
        cells = [f"{kind.refused()} ({len(kind.best)})" if kind.best else "" for kind in kinds]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", f"| set | floor | {' | '.join(names)} |", "|" + " --- |" * (len(names) + 2)]
    for name, kinds in found.items():
        for step in STEPS:
            cells = [kind.refused(step) for kind in kinds]
            lines.append(f"| {name} | {step:+.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--indexes", type=Path, help="where the sets' indexes are kept")
    parser.add_argument("--out", type=Path, help="a file for every question's score, as JSON")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    options = parser.parse_args()
    if not EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {EVAL}")
    indexes = options.indexes or Path(tempfile.mkdtemp())
    embedder = compose.open_embedder(Config.load())
    found = {name: ask_all(name, indexes / name, embedder) for name in DOCUMENTS}
    text = tables(found)
    print(text)
    if options.out:
        scores = {name: {kind.name: kind.best for kind in kinds} for name, kinds in found.items()}
        options.out.write_text(json.dumps(scores), encoding="utf-8")
    if options.write:
        write(text, "refusal")


if __name__ == "__main__":
    main()
