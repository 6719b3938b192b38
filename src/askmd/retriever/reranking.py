"""The best of a ranking read again by a reranker, question and passage together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from askmd.contracts import Reranker
from askmd.errors import EmbeddingError
from askmd.types import Chunk, Scored

RERANKED = 50
"""Chunks a reranker reads for a question, however many hits are asked for: so those asked for
less are the first of those asked for more. On the public sets 87 to 100 % of the text that answers
is among the first fifty; reading them takes a model of MiniLM's size some five seconds of a core.
"""


@dataclass(frozen=True, slots=True)
class Reranking:
    """A ranking after a reranker had its say."""

    best: Sequence[Scored]
    """Every chunk of the ranking, best first."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """What the reranker gave each chunk that it read, by id."""
    fault: str | None = None
    """Why it read none, in one line; None when it did."""


def rerank(
    reranker: Reranker | None, question: str, best: Sequence[Scored], chunks: Mapping[str, Chunk]
) -> Reranking:
    """Return the ranking with those of its first RERANKED that ``chunks`` holds in a new order.

    They change places among themselves, equals as they were, and the scores stay with the places:
    so scores go on falling, and what was not read keeps its own. Without a reranker, or where it
    fails, the ranking stays as it was.
    """
    if reranker is None:
        return Reranking(best)
    read = [one for one in best[:RERANKED] if one.id in chunks]
    try:
        given = reranker.scores(question, [_text(chunks[one.id]) for one in read])
    except EmbeddingError as error:
        return Reranking(best, fault=f"not reranked: {error.message}")
    scores = {one.id: score for one, score in zip(read, given, strict=True)}
    order = iter(sorted(scores, key=lambda id: -scores[id]))
    moved = [Scored(next(order), one.score) if one.id in scores else one for one in best]
    return Reranking(moved, scores)


def _text(chunk: Chunk) -> str:
    """Return a chunk as the embedder read it, nearly: its heading path above its text."""
    path = " > ".join(chunk.heading)
    return f"{path}\n{chunk.text}" if path else chunk.text
