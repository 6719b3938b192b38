"""How near grown text comes to the documents it is grown from.

    python benchmarks/speed_fit.py N SEED            prints the table
    python benchmarks/speed_fit.py N SEED --write    and puts it into benchmarks/RESULTS.md

Both are cut by the default chunker and counted by the default model's tokenizer; streamed chunks
are taken as they come.
"""

from __future__ import annotations

import argparse
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import grow
import quality
from askmd import Config, chunk, compose, markdown
from askmd.evidence import STOP_WORDS
from askmd.types import Chunk


def words_of(text: str) -> list[str]:
    """Return a text's words of three letters and more."""
    return re.findall(r"[^\W\d_]{3,}", text.lower())


@dataclass(frozen=True, slots=True)
class Counted:
    """How often words occur in some chunks."""

    chunks: int
    characters: int
    often: Counter[str]
    """Occurrences."""
    holding: Counter[str]
    """Chunks that hold a word."""

    def share(self, word: str) -> float:
        """Return the share of chunks that hold a word, in per cent."""
        return 100 * self.holding[word] / self.chunks


def count(texts: Sequence[str]) -> Counted:
    """Return how often words occur in chunks."""
    often: Counter[str] = Counter()
    holding: Counter[str] = Counter()
    for text in texts:
        words = words_of(text)
        often.update(words)
        holding.update(set(words))
    return Counted(len(texts), sum(map(len, texts)), often, holding)


def commonest(counted: Counted, most: int = 50) -> list[str]:
    """Return the content words that most chunks hold."""
    ranked = (word for word, _ in counted.holding.most_common() if word not in STOP_WORDS)
    return list(islice(ranked, most))


def row(name: str, counted: Counted, real: Counted) -> str:
    """Return a line of the table."""
    words = commonest(real)
    mean = sum(map(counted.share, words)) / len(words)
    apart = sorted(
        math.exp(abs(math.log(max(counted.share(word), 1e-9) / real.share(word)))) for word in words
    )
    cells = [
        f"{counted.chunks:,}",
        f"{counted.characters / counted.chunks:.0f}",
        f"{slope(counted.often):.3f}",
        f"{mean:.2f}",
        f"{apart[len(apart) // 2]:.2f}",
        f"{apart[-1]:.2f}",
        f"{len(counted.often):,}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def table(real: Sequence[str], grown: Mapping[str, Sequence[str]]) -> str:
    """Return the table: the documents' own chunks, then grown ones."""
    names = ["text", "chunks", "characters each", "slope of log frequency by log rank"]
    names += ["% that hold one of the 50 commonest content words"]
    names += ["apart by a factor, median word", "most", "different words"]
    counted = count(real)
    rows = [row("the shared documents", counted, counted)]
    rows += [row(name, count(texts), counted) for name, texts in grown.items()]
    return "\n".join([f"| {' | '.join(names)} |", "|" + " --- |" * len(names), *rows])


def slope(counts: Counter[str], first: int = 10, last: int = 2000) -> float:
    """Return the slope of log frequency by log rank, by least squares: about -1 is Zipf's law."""
    ranked = sorted(counts.values(), reverse=True)[first - 1 : last]
    points = [(math.log(first + n), math.log(count)) for n, count in enumerate(ranked)]
    mean_x, mean_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    across = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return across / sum((x - mean_x) ** 2 for x, _ in points)


def cut(texts: Iterable[str]) -> list[str]:
    """Return the texts of the chunks that documents are cut into."""
    return [one.text for one in cut_chunks(texts)]


def cut_chunks(texts: Iterable[str]) -> list[Chunk]:
    """Return the chunks that documents are cut into by the defaults."""
    embedder = compose.open_embedder(Config.load())
    most = embedder.counter.window
    return [
        one
        for number, text in enumerate(texts)
        for one in chunk.split(
            f"{number}.md", text, markdown.parse(text), embedder.counter, max_tokens=most
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, metavar="N", help="chunks, about")
    parser.add_argument("seed", type=int, metavar="SEED")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args()
    paths = grow.documents()
    corpus = grow.read_corpus(paths)
    real = cut(path.read_text(encoding="utf-8") for path in paths)
    filed = cut(grow.files(corpus, options.count, options.seed))
    streamed = [
        one.text
        for indexed in grow.stream(corpus, options.count, options.seed)
        for one in indexed.chunks
    ]
    text = table(real, {f"files, N = {options.count:,}": filed, "streamed": streamed})
    print(text)
    if options.write:
        quality.write(text, "grown")


if __name__ == "__main__":
    main()
