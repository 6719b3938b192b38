"""Ways to make one ranking of two, tried on the public question sets with the default model.

    python benchmarks/fusion.py            prints the table
    python benchmarks/fusion.py --write    and puts it into benchmarks/RESULTS.md

Every way ranks the same chunks by the same cosines and BM25 scores, all of them known; the
retriever itself looks at the best few hundred only, and quality.py measures that.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import quality
from askmd import Config, Retriever, evidence, ingest_folder, rank
from askmd.rank import Ranking
from askmd.settings import IndexSettings
from askmd.types import Filter, Place, Scored

EVERY = 1_000_000
METRICS = ("recall@4000ch", "recall@5", "hit@1")


class Asked:
    """One question's full rankings, and where the chunks stand."""

    def __init__(self, retriever: Retriever, question: str) -> None:
        index = retriever._index
        vector = retriever._embedder.embed_query(question)
        self.cosines = index.dense(vector, EVERY, Filter())
        self.words = index.words(evidence.content_words(question), EVERY, Filter())
        self.places = index.places([one.id for one in self.cosines])


Way = Callable[[Asked], Sequence[Scored]]


def floors(asked: Asked) -> list[Scored]:
    """Scale from natural floors: the least cosine of all, a BM25 of 0."""
    least = asked.cosines[-1].score
    return rank.fuse([Ranking(asked.cosines, least), Ranking(asked.words, 0.0)])


def pools(asked: Asked) -> list[Scored]:
    """Scale each ranking's best 200 by their own least score; what is below counts 0."""
    best = [ranking[:200] for ranking in (asked.cosines, asked.words)]
    return rank.fuse([Ranking(top, top[-1].score if top else 0.0) for top in best])


def reciprocal(asked: Asked) -> list[Scored]:
    """Reciprocal rank fusion with k = 60 (Cormack, Clarke and Büttcher, SIGIR 2009)."""
    total: dict[str, float] = {}
    for ranking in (asked.cosines, asked.words):
        for place, one in enumerate(ranking, start=1):
            total[one.id] = total.get(one.id, 0.0) + 1 / (60 + place)
    return sorted((Scored(id, score) for id, score in total.items()), key=lambda one: -one.score)


def better_neighbour(share: float) -> Way:
    def way(asked: Asked) -> list[Scored]:
        return rank.support(floors(asked), asked.places, share)

    return way


def both_neighbours(share: float) -> Way:
    def way(asked: Asked) -> list[Scored]:
        fused = floors(asked)
        at = {asked.places[one.id]: one.score for one in fused}
        scored = []
        for one in fused:
            place = asked.places[one.id]
            beside = [at.get(Place(place.path, place.position + step), 0.0) for step in (-1, 1)]
            scored.append(Scored(one.id, one.score + share * sum(beside)))
        return sorted(scored, key=lambda one: -one.score)

    return way


WAYS: dict[str, Way] = {
    "cosine alone": lambda asked: asked.cosines,
    "BM25 alone": lambda asked: asked.words,
    "reciprocal rank fusion": reciprocal,
    "scaled over the best 200": pools,
    "scaled from natural floors": floors,
    "+ 0.1 of the better neighbour": better_neighbour(0.1),
    "+ 0.2 of the better neighbour (askmd)": better_neighbour(0.2),
    "+ 0.3 of the better neighbour": better_neighbour(0.3),
    "+ 0.1 of both neighbours": both_neighbours(0.1),
    "+ 0.2 of both neighbours": both_neighbours(0.2),
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
            asked = [Asked(retriever, json.loads(row)["question"]) for row in rows]
            spans = {
                id: [chunk.path, *chunk.chars]
                for id, chunk in retriever._index.chunks(list(asked[0].places)).items()
            }
    return {
        title: score.score(
            home, [[spans[s.id] for s in way(one)[: quality.LIMIT]] for one in asked]
        )
        for title, way in WAYS.items()
    }


def main() -> None:
    if not quality.EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {quality.EVAL}")
    found = {name: figures_of(name) for name in quality.SETS}
    heads = [f"{name} {metric}" for name in quality.SETS for metric in METRICS]
    lines = [f"| way | {' | '.join(heads)} |", "|" + " --- |" * (len(heads) + 1)]
    for title in WAYS:
        cells = [f"{found[name][title][m]:.1f}" for name in quality.SETS for m in METRICS]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    text = "\n".join(lines)
    print(text)
    if "--write" in sys.argv:
        quality.write(text, "fusion")


if __name__ == "__main__":
    main()
