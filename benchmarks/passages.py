"""What an LLM is sent, put together in several ways, on the public question sets.

    python benchmarks/passages.py                    prints the table
    python benchmarks/passages.py --indexes FOLDER   uses ready indexes, FOLDER/SET, made by default
    python benchmarks/passages.py --write            and puts it into benchmarks/RESULTS.md

recall@4000ch counts the first 4,000 characters in the order that `search --passages` prints; "sent"
counts all of them, however many. A step is left out, or turned up, by setting what bounds it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import quality
from askmd import Config, Retriever, ingest_folder
from askmd.compose import prompt_counter
from askmd.passages import assemble, assembling, candidates_for
from askmd.settings import IndexSettings
from askmd.types import Chars, Hit, Passage

METRIC = "recall@4000ch"
BUDGET = 3000
NARROW = 1700
"""Tokens, as they are counted without a vocabulary, of about 4,000 characters."""
ENDLESS = 1_000_000

Span = tuple[str, int, int]


@dataclass(frozen=True)
class Way:
    """One way to put passages together."""

    title: str
    budget_tokens: int = BUDGET
    bounds: dict[str, Any] = field(default_factory=dict)
    """Names in ``askmd.passages.assembling``, and what they are for this way."""


def every(hits: Iterable[Hit]) -> Iterator[Hit]:
    return iter(hits)


def by_rank(run: Sequence[Passage]) -> list[Passage]:
    return list(run)


WAYS = [
    Way("passages (askmd)"),
    Way("no last run", bounds={"FRONT_TOKENS": ENDLESS}),
    Way("copies sent too", bounds={"without_copies": every}),
    Way("not widened", bounds={"SECTION_SHARE": 0.0}),
    Way("by rank inside a run", bounds={"_in_document_order": by_rank}),
    Way("runs of 500 tokens", bounds={"RUN_TOKENS": 500}),
    Way("runs of 1500 tokens", bounds={"RUN_TOKENS": 1500}),
    Way("all in one run, in document order", bounds={"RUN_TOKENS": ENDLESS}),
    Way("every hit is worth it", bounds={"WORTHY_SHARE": 0.0}),
    Way("worth 0.75 of the best", bounds={"WORTHY_SHARE": 0.75}),
    Way(f"passages, --budget {NARROW}", NARROW),
]


class Asked:
    """A set's questions with their hits, and an open retriever to read on."""

    def __init__(self, name: str, retriever: Retriever, config: Config) -> None:
        self.home = quality.EVAL / name
        rows = (self.home / "questions.jsonl").read_text(encoding="utf-8").splitlines()
        self.rows = [json.loads(row) for row in rows]
        limit = max(quality.LIMIT, candidates_for(BUDGET))
        self.hits = [retriever.search(row["question"], limit=limit) for row in self.rows]
        self.counter = prompt_counter(config)
        self.around = retriever.neighbours
        self._read = retriever.read

    @cache  # noqa: B019  (lives as long as the set is measured)
    def read(self, path: str, chars: Chars) -> str | None:
        """Return a range of a document, read from disk once for all ways."""
        return self._read(path, chars)

    def sent(self, way: Way) -> list[list[Span]]:
        """Return what each question sends, put together in one way."""
        with ExitStack() as stack:
            for name, value in way.bounds.items():
                stack.enter_context(patch.object(assembling, name, value))
            return [
                [(one.path, *one.chars) for one in self._assembled(hits, way.budget_tokens)]
                for hits in self.hits
            ]

    def _assembled(self, hits: Sequence[Hit], budget_tokens: int) -> list[Passage]:
        return assemble(
            hits[: candidates_for(budget_tokens)],
            self.counter,
            budget_tokens=budget_tokens,
            read=self.read,
            around=self.around,
        )

    def cells(self, sent: Sequence[Sequence[Span]]) -> list[str]:
        """Return recall of the first 4,000 characters, of all, and how many characters all are."""
        import score

        first = score.score(self.home, sent)[METRIC]
        whole = [
            score.recall(
                [(one["path"], tuple(one["chars"])) for one in row["expect"]],
                spans,
                row.get("any", False),
            )
            for row, spans in zip(self.rows, sent, strict=True)
            if row["expect"]
        ]
        size = sum(end - start for spans in sent for _, start, end in spans) / len(sent)
        return [f"{first:.1f}", f"{100 * sum(whole) / len(whole):.1f}", f"{size:.0f}"]

    def margin(self) -> str:
        """Return what passages gain over the plain hits, with the paired bootstrap's interval."""
        import score

        plain = self.plain()
        said = []
        for way in (WAYS[0], Way("", NARROW)):
            mean, low, high, count = score.compare(self.home, METRIC, self.sent(way), plain)
            said.append(f"{mean:+.1f} ({low:+.1f} to {high:+.1f}) with {way.budget_tokens} tokens")
        return f"- {self.home.name}: {', '.join(said)}, {count} questions"

    def plain(self) -> list[list[Span]]:
        """Return the hits as they are ranked."""
        return [[(hit.path, *hit.chars) for hit in hits[: quality.LIMIT]] for hits in self.hits]


def measured(name: str, folder: Path) -> tuple[dict[str, list[str]], str]:
    """Return each way's cells on one set, and the margin over plain hits."""
    config = replace(Config.load(), index=IndexSettings(str(folder / name)))
    if not (folder / name).exists():
        ingest_folder(quality.EVAL / name / "docs", config)
    with Retriever.open(config) as retriever:
        asked = Asked(name, retriever, config)
        cells = {f"the first {quality.LIMIT} hits, by rank": asked.cells(asked.plain())}
        cells |= {way.title: asked.cells(asked.sent(way)) for way in WAYS}
        return cells, asked.margin()


def table(folder: Path) -> str:
    """Return the table as Markdown, with a margin a set below it."""
    found = {name: measured(name, folder) for name in quality.SETS}
    heads = [f"{name} {what}" for name in found for what in (METRIC, "sent", "characters")]
    lines = [f"| way | {' | '.join(heads)} |", "|" + " --- |" * (len(heads) + 1)]
    for title in next(iter(found.values()))[0]:
        cells = [cell for rows, _ in found.values() for cell in rows[title]]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    margins = [margin for _, margin in found.values()]
    return "\n".join([*lines, "", "Passages over plain hits, on recall@4000ch:", "", *margins])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--indexes", type=Path, help="a folder with an index for each set")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args()
    if not quality.EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {quality.EVAL}")
    sys.path.insert(0, str(quality.EVAL))
    with tempfile.TemporaryDirectory() as made:
        text = table(options.indexes or Path(made))
    print(text)
    if options.write:
        quality.write(text, "passages")


if __name__ == "__main__":
    main()
