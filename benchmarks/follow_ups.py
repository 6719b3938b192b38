"""What a turn means after those before it, by rule, and what its search question finds.

    python benchmarks/follow_ups.py              the default model on sample_docs, indexed anew
    python benchmarks/follow_ups.py --wrong      and every turn that is read wrongly
    python benchmarks/follow_ups.py --write      put the tables into benchmarks/RESULTS.md

The turns of `follow_ups/tuned.jsonl` were looked at while the rule was written; those of
`follow_ups/unseen.jsonl` were written before it, by the same hand, and asked when it was done.
Earlier turns are about `sample_docs` and the documentation of FastAPI; what a follow-up should find
is told for `sample_docs` alone.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from askmd import Config, Retriever, conversation, ingest_folder
from askmd.settings import IndexSettings
from askmd.types import AnswerRecord, Citation, Hit
from quality import write

HERE = Path(__file__).parent
SETS = ("tuned", "unseen")
KINDS = ("alone", "follow_up", "about_answer")
READ_AS = (*KINDS, "unsure")
DEEP = 5


@dataclass(frozen=True)
class Turn:
    """One turn of a conversation, and how it is meant."""

    language: str
    before: tuple[AnswerRecord, ...]
    question: str
    kind: str
    expect: tuple[tuple[str, str], ...]
    """Path and heading of what should be found; any of them is enough."""
    ideal: str
    """The search question that a person makes of it; empty where nothing is to be found."""

    def read(self) -> conversation.Reading:
        """Return how the rule reads it."""
        return conversation.read(self.question, self.before)

    def is_found(self, hits: Sequence[Hit]) -> bool:
        """Return whether what it asks for is among the hits."""
        return any(
            hit.path == path and heading in hit.heading
            for hit in hits
            for path, heading in self.expect
        )


def turns_of(name: str) -> list[Turn]:
    """Return a set's turns in their order."""
    lines = (HERE / "follow_ups" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [_turn(json.loads(line)) for line in lines]


def _turn(row: dict[str, Any]) -> Turn:
    return Turn(
        language=row["language"],
        before=tuple(_record(turn) for turn in row["turns"]),
        question=row["question"],
        kind=row["kind"],
        expect=tuple((one["path"], one["heading"]) for one in row["expect"]),
        ideal=row["ideal"],
    )


def _record(turn: dict[str, Any]) -> AnswerRecord:
    """Return an earlier turn as it was answered: what it asked and cited."""
    cited = Citation(
        number=1, path=turn["path"], heading=tuple(turn["heading"]), anchor="", lines=(1, 1),
        chars=(0, 1), chunks=(), score=1.0, text="",
    )  # fmt: skip
    return AnswerRecord(
        question=turn["question"], search_query=turn["question"], answer="", status="answered",
        citations=(cited,), passages=(), model=None, usage=None, degraded=None,
    )  # fmt: skip


def readings(turns: Sequence[Turn]) -> Counter[tuple[str, str]]:
    """Return how often a turn of one kind is read as another."""
    return Counter((turn.kind, turn.read().kind) for turn in turns)


def kinds_table(sets: dict[str, list[Turn]]) -> str:
    """Return how the turns of each kind are read, all languages and English alone."""
    lines = [
        "| turns | kind | count | "
        + " | ".join(f"read as {kind}" for kind in READ_AS)
        + " | right, % |",
        "|" + " --- |" * (len(READ_AS) + 4),
    ]
    for name, turns in sets.items():
        english = [turn for turn in turns if turn.language == "en"]
        others = [turn for turn in turns if turn.language != "en"]
        for title, some in ((f"{name}, English", english), (f"{name}, others", others)):
            read = readings(some)
            for kind in KINDS:
                count = sum(read[kind, other] for other in READ_AS)
                cells = [str(read[kind, other]) for other in READ_AS]
                right = f"{100 * read[kind, kind] / max(1, count):.1f}"
                lines.append(f"| {title} | {kind} | {count} | {' | '.join(cells)} | {right} |")
    return "\n".join(lines)


def found_table(sets: dict[str, list[Turn]], search: Callable[[str], Sequence[Hit]]) -> str:
    """Return what follow-ups find as they stand, by the rule and as a person would ask."""
    lines = [
        "| follow-ups | count | question | hit@1, % | hit@5, % |",
        "| --- | --- | --- | --- | --- |",
    ]
    asked: dict[str, Callable[[Turn], str]] = {
        "as it stands": lambda turn: turn.question,
        "by the rule": lambda turn: turn.read().query,
        "by hand": lambda turn: turn.ideal,
    }
    for name, turns in sets.items():
        for title, is_english in ((f"{name}, English", True), (f"{name}, others", False)):
            some = [t for t in turns if t.expect and (t.language == "en") == is_english]
            for way, query in asked.items():
                hits = [(turn, search(query(turn))) for turn in some]
                cells = [
                    f"{100 * sum(turn.is_found(got[:deep]) for turn, got in hits) / len(some):.1f}"
                    for deep in (1, DEEP)
                ]
                lines.append(f"| {title} | {len(some)} | {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SETS, help="one of the two sets")
    parser.add_argument("--wrong", action="store_true", help="print what is read wrongly")
    parser.add_argument("--write", action="store_true", help="put the tables into RESULTS.md")
    options = parser.parse_args()
    sets = {name: turns_of(name) for name in SETS if options.only in (None, name)}
    if options.wrong:
        for turn in (turn for turns in sets.values() for turn in turns):
            read = turn.read()
            if read.kind != turn.kind:
                print(f"{turn.kind} read as {read.kind}: {turn.question} -> {read.query}")
    with tempfile.TemporaryDirectory() as folder:
        config = replace(Config.load(), index=IndexSettings(str(Path(folder) / "index")))
        ingest_folder(HERE.parent / "sample_docs", config)
        with Retriever.open(config) as retriever:
            found = found_table(sets, lambda question: retriever.search(question, limit=DEEP))
    text = f"{kinds_table(sets)}\n\n{found}"
    print(text)
    if options.write:
        write(text, "follow_ups")


if __name__ == "__main__":
    main()
