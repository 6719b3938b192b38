"""Ways to make one ranking, tried on the public question sets with the default model.

    python benchmarks/fusion.py            prints the table
    python benchmarks/fusion.py --write    and puts it into benchmarks/RESULTS.md

The first rows rank every chunk by all cosines and BM25 scores; from "neighbours' scores" on it is
the retriever's own code with its constants changed, each row one step more. Below the line each row
is askmd with one thing different.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import quality
from askmd import Config, Retriever, evidence, ingest_folder, rank
from askmd.rank import Ranking, fusing, repeats
from askmd.retriever import ranking
from askmd.settings import IndexSettings
from askmd.types import Filter, Scored

EVERY = 1_000_000
METRICS = ("recall@4000ch", "recall@5", "iou@5", "hit@1", "mrr@10")
words_of = sys.modules["askmd.rank.wording"]
"""The module; its name in the package is the function's."""


class Remembering:
    """A store that answers the same call once: the ways differ in what they make of it."""

    def __init__(self, index: Any) -> None:
        self._index = index
        self._known: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._index, name)

        def call(*given: Any) -> Any:
            key = (
                f"{name} {[each.tobytes() if hasattr(each, 'tobytes') else each for each in given]}"
            )
            if key not in self._known:
                self._known[key] = method(*given)
            return self._known[key]

        return call


class Asked:
    """One question, and what each way is made of."""

    def __init__(self, retriever: Retriever, question: str) -> None:
        self.index: Any = Remembering(retriever._index)
        self.question = question
        self.vector = retriever._embedder.embed_query(question)
        self.words = evidence.content_words(question)

    @property
    def cosines(self) -> list[Scored]:
        """Every chunk by meaning."""
        return self.index.dense(self.vector, EVERY, Filter())

    @property
    def bm25(self) -> list[Scored]:
        """Every chunk that holds a word of the question."""
        return self.index.words(self.words, EVERY, Filter())

    def ranked(self, words: Sequence[str] | None = None) -> list[Scored]:
        """Rank as the retriever does."""
        asked = rank.wording(self.question, self.words if words is None else words)
        found = ranking.rank_chunks(
            self.index, self.vector, asked, limit=quality.LIMIT, where=Filter()
        )
        return list(found.best)


Way = Callable[[Asked], Sequence[Scored]]


@contextmanager
def altered(**constants: float) -> Iterator[None]:
    """Change constants of the ranking inside, each in the module that has it."""
    with ExitStack() as stack:
        for name, value in constants.items():
            [home] = [each for each in (words_of, fusing, repeats, ranking) if hasattr(each, name)]
            stack.enter_context(patch.object(home, name, value))
        yield


def with_constants(**constants: float) -> Way:
    def way(asked: Asked) -> Sequence[Scored]:
        with altered(**constants):
            return asked.ranked()

    return way


def floors(asked: Asked) -> list[Scored]:
    """Scale from natural floors: the least cosine of all, a BM25 of 0."""
    least = asked.cosines[-1].score
    return rank.fuse([Ranking(asked.cosines, least), Ranking(asked.bm25, 0.0)])


def pools(asked: Asked) -> list[Scored]:
    """Scale each ranking's best 200 by their own least score; what is below counts 0."""
    best = [found[:200] for found in (asked.cosines, asked.bm25)]
    return rank.fuse([Ranking(top, top[-1].score if top else 0.0) for top in best])


def reciprocal(asked: Asked) -> list[Scored]:
    """Reciprocal rank fusion with k = 60 (Cormack, Clarke and Büttcher, SIGIR 2009)."""
    total: dict[str, float] = {}
    for found in (asked.cosines, asked.bm25):
        for place, one in enumerate(found, start=1):
            total[one.id] = total.get(one.id, 0.0) + 1 / (60 + place)
    return sorted((Scored(id, score) for id, score in total.items()), key=lambda one: -one.score)


def capped(asked: Asked, most: int) -> list[Scored]:
    """Let a file hold so many places; what is beyond stands behind the first 60."""
    best = asked.ranked()
    places = asked.index.places([one.id for one in best[:60]])
    seen: Counter[str] = Counter()
    kept, back = [], []
    for one in best[:60]:
        path = places[one.id].path
        (kept if seen[path] < most else back).append(one)
        seen[path] += 1
    return [*kept, *back, *best[60:]]


def with_acronyms(asked: Asked) -> list[Scored]:
    """Look also for the first letters of three words and more that stand together capitalised."""
    names = re.findall(r"(?:[A-Z][a-z]+ ){2,}[A-Z][a-z]+", asked.question)
    short = ["".join(word[0] for word in name.split()).lower() for name in names]
    return asked.ranked([*asked.words, *short])


BARE = {
    "WORDS_WEIGHT": 0.5, "BESIDE_WEIGHT": 0.0, "PHRASE_WEIGHT": 0.0, "CLOSE_WEIGHT": 0.0,
    "RESEMBLANCE": 2.0,
}  # fmt: skip


def step(*done: str, **constants: float) -> Way:
    return with_constants(**{k: v for k, v in BARE.items() if k not in done}, **constants)


WAYS: dict[str, Way | None] = {
    "cosine alone": lambda asked: asked.cosines,
    "BM25 alone": lambda asked: asked.bm25,
    "reciprocal rank fusion": reciprocal,
    "scaled over the best 200": pools,
    "scaled from natural floors": floors,
    "+ neighbours' scores": step(),
    "+ neighbours' words": step("BESIDE_WEIGHT"),
    "+ phrases of the question": step("BESIDE_WEIGHT", "PHRASE_WEIGHT"),
    "+ words close together": step("BESIDE_WEIGHT", "PHRASE_WEIGHT", "CLOSE_WEIGHT"),
    "+ words 0.6, meaning 0.4": with_constants(RESEMBLANCE=2.0),
    "+ copies set back (askmd)": with_constants(),
    "---": None,
    "words 0.5": with_constants(WORDS_WEIGHT=0.5),
    "words 0.7": with_constants(WORDS_WEIGHT=0.7),
    "neighbours' words 0.1": with_constants(BESIDE_WEIGHT=0.1),
    "neighbours' words 0.3": with_constants(BESIDE_WEIGHT=0.3),
    "phrases 0.3": with_constants(PHRASE_WEIGHT=0.3),
    "phrases 0.8": with_constants(PHRASE_WEIGHT=0.8),
    "closeness 0.6": with_constants(CLOSE_WEIGHT=0.6),
    "closeness over 25 words": with_constants(CLOSE_WORDS=25),
    "heading 1.0": with_constants(HEADING_WEIGHT=1.0),
    "heading 3.0": with_constants(HEADING_WEIGHT=3.0),
    "one copy": with_constants(COPIES=1),
    "three copies": with_constants(COPIES=3),
    "at most 3 of a file": lambda asked: capped(asked, 3),
    "at most 5 of a file": lambda asked: capped(asked, 5),
    "acronyms too": with_acronyms,
}


def figures_of(name: str) -> dict[str, dict[str, float]]:
    """Return each way's figures on one set."""
    sys.path.insert(0, str(quality.EVAL))
    import score

    home = quality.EVAL / name
    rows = (home / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        config = replace(Config.load(), index=IndexSettings(str(Path(folder) / "index")))
        ingest_folder(home / "docs", config)
        with Retriever.open(config) as retriever:
            found: dict[str, list[Any]] = {title: [] for title, way in WAYS.items() if way}
            spans = {
                id: [chunk.path, *chunk.chars]
                for id, chunk in retriever._index.chunks(
                    [one.id for one in Asked(retriever, "all").cosines]
                ).items()
            }
            for row in rows:
                asked = Asked(retriever, json.loads(row)["question"])
                for title, way in WAYS.items():
                    if way is not None:
                        best = way(asked)[: quality.LIMIT]
                        found[title].append([spans[one.id] for one in best])
    return {title: score.score(home, results) for title, results in found.items()}


def main() -> None:
    if not quality.EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {quality.EVAL}")
    found = {name: figures_of(name) for name in quality.SETS}
    tables = []
    for name in quality.SETS:
        lines = [f"| {name} | {' | '.join(METRICS)} |", "|" + " --- |" * (len(METRICS) + 1)]
        for title, way in WAYS.items():
            cells = [f"{found[name][title][metric]:.1f}" if way else "" for metric in METRICS]
            lines.append(f"| {title if way else ''} | {' | '.join(cells)} |")
        tables.append("\n".join(lines))
    text = "\n\n".join(tables)
    print(text)
    if "--write" in sys.argv:
        quality.write(text, "fusion")


if __name__ == "__main__":
    main()
