"""How well the words of a chunk, and of its neighbours, fit a question.

BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) over
three fields as in its BM25F: the heading path, the text, and for a smaller share the chunks before
and after, since a long text names its subject once. To that come, after the sequential dependence
model (Metzler and Croft, SIGIR 2005), two words that stand together as they do in the question, and
how much of the question stands in a few words' space.
"""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from askmd.types import Occurrences, Scored, WordPlaces

K1, B = 1.2, 0.75
"""How soon a repeated word says nothing new, and how much a long chunk is held against it."""
HEADING_WEIGHT = 2.0
BESIDE_WEIGHT = 0.2
"""What a word in the chunk before or after counts, beside one in the chunk itself."""
PHRASE_WEIGHT = 0.5
CLOSE_WEIGHT = 0.3
CLOSE_WORDS = 12
"""How many words of text a claim takes, roughly."""

_TOKEN = re.compile(r"\w+(?:[-.:/@+]+\w+)*")


@dataclass(frozen=True, slots=True)
class Wording:
    """What of a question's words is looked for."""

    words: tuple[str, ...]
    phrases: tuple[tuple[str, ...], ...]
    """For each two successive words the ways they may stand together."""

    @property
    def terms(self) -> list[str]:
        """Words and phrases, each once."""
        joined = [way for ways in self.phrases for way in ways]
        return list(dict.fromkeys([*self.words, *joined]))


@dataclass(frozen=True, slots=True)
class _Weights:
    """What each word and phrase tells: its inverse document frequency, as FTS5 reckons it."""

    words: Mapping[str, float]
    phrases: Mapping[tuple[str, ...], float]


def wording(question: str, words: Sequence[str]) -> Wording:
    """Return what to look for: words that carry meaning, and how the question joins them.

    ``words``: the question's content words in order. Two that follow one another count together as
    they stand, and with the one word that the question has between them.
    """
    tokens = _TOKEN.findall(question.lower())
    between = {
        (a, b): f"{a} {x} {b}" for a, x, b in zip(tokens, tokens[1:], tokens[2:], strict=False)
    }
    ways: dict[tuple[str, ...], None] = {}
    for a, b in pairwise(words):
        joined = (f"{a} {b}", between.get((a, b), ""))
        ways[tuple(filter(None, joined))] = None
    return Wording(tuple(words), tuple(ways))


def rarest(asked: Wording, counts: Mapping[str, int], most: int) -> Wording:
    """Return a wording of so many words, the rarest that occur, and of what joins these.

    counts: by word, how many chunks hold it; what is not there is not looked for.
    """
    held = sorted((word for word in counts if counts[word]), key=lambda word: counts[word])
    kept = set(held[:most])
    words = tuple(word for word in asked.words if word in kept)
    pairs = {f"{a} {b}" for a, b in pairwise(asked.words) if a in kept and b in kept}
    return Wording(words, tuple(ways for ways in asked.phrases if ways[0] in pairs))


def by_wording(
    asked: Wording,
    occurrences: Occurrences,
    places: Mapping[str, WordPlaces],
    beside: Mapping[str, tuple[str | None, str | None]],
) -> list[Scored]:
    """Return the chunks of ``beside`` by how well they fit, best first; 0 is no word in common.

    places: where the terms stand in those chunks and in their neighbours.
    """
    weights = _weights(asked, occurrences)
    around = {
        id: [one for one in both if one is not None and one in places]
        for id, both in beside.items()
    }
    lengths = {
        id: _length(places[id], [places[one] for one in others])
        for id, others in around.items()
        if id in places
    }
    mean = sum(lengths.values()) / max(1, len(lengths))
    scored = []
    for id, length in lengths.items():
        norm = K1 * (1 - B + B * length / max(mean, 1.0))
        often = _often(places[id], [places[one] for one in around[id]], weights.words)
        told = sum(
            weights.words[word] * times * (K1 + 1) / (times + norm) for word, times in often.items()
        )
        scored.append(Scored(id, told + _together(places[id], weights)))
    return sorted(scored, key=lambda one: (-one.score, one.id))


def _weights(asked: Wording, occurrences: Occurrences) -> _Weights:
    counts, total = occurrences.counts, occurrences.total
    return _Weights(
        {word: _idf(counts.get(word, 0), total) for word in asked.words},
        {ways: _idf(sum(counts.get(way, 0) for way in ways), total) for ways in asked.phrases},
    )


def _idf(count: int, total: int) -> float:
    """Return what a word tells that so many chunks hold; a word in most of them next to nothing."""
    count = min(count, total)
    return max(1e-6, math.log((total - count + 0.5) / (count + 0.5)))


def _length(own: WordPlaces, around: Sequence[WordPlaces]) -> float:
    return (
        own.heading_words + own.text_words + BESIDE_WEIGHT * sum(one.text_words for one in around)
    )


def _often(
    own: WordPlaces, around: Sequence[WordPlaces], words: Collection[str]
) -> dict[str, float]:
    """Return how often each word counts as standing in a chunk, its heading and its neighbours."""
    often: dict[str, float] = {}
    fields = [(own.text, 1.0), (own.heading, HEADING_WEIGHT)]
    for field, weight in [*fields, *((one.text, BESIDE_WEIGHT) for one in around)]:
        for term, held in field.items():
            if term in words:
                often[term] = often.get(term, 0.0) + weight * len(held)
    return often


def _together(own: WordPlaces, weights: _Weights) -> float:
    """Return what it counts that words stand together, by pairs and in one short stretch."""
    held = own.text.keys() | own.heading.keys()
    phrases = sum(weight for ways, weight in weights.phrases.items() if not held.isdisjoint(ways))
    return PHRASE_WEIGHT * phrases + CLOSE_WEIGHT * _closest(own, weights.words)


def _closest(own: WordPlaces, weights: Mapping[str, float]) -> float:
    """Return the most that the different words in one stretch of CLOSE_WORDS tell together."""
    standing = sorted(
        (place, word) for word in own.text if word in weights for place in own.text[word]
    )
    inside: Counter[str] = Counter()
    stretch: deque[tuple[int, str]] = deque()
    best, told = 0.0, 0.0
    for place, word in standing:
        told += 0 if inside[word] else weights[word]
        inside[word] += 1
        stretch.append((place, word))
        while stretch[0][0] <= place - CLOSE_WORDS:
            _, gone = stretch.popleft()
            inside[gone] -= 1
            told -= 0 if inside[gone] else weights[gone]
        best = max(best, told)
    return best
