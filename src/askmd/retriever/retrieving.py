"""A question to ranked hits, by meaning and by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from askmd import compose, evidence, files, rank, store
from askmd.config import Config
from askmd.contracts import Embedder, Reranker, Store
from askmd.errors import EmbeddingError, IndexCorrupt, UsageError
from askmd.retriever.calibration import Gate
from askmd.retriever.ranking import Ranked, rank_chunks
from askmd.retriever.reranking import RERANKED, rerank
from askmd.retriever.sources import Sources, place_of
from askmd.types import Chars, Chunk, Filter, Hit, Identity, Lines, Mode, Scored, Search

if TYPE_CHECKING:
    from askmd.retriever.why import Why
    from askmd.types import Vector

EVERYTHING = Filter()
MOST_HEADINGS = 50_000
"""For a list to choose from."""


class Retriever:
    """Finds passages in one index; shared between threads safely.

    A newer generation of the index is seen at the next search.
    """

    def __init__(
        self,
        index: Store,
        embedder: Embedder,
        config: Config,
        *,
        reranker: Reranker | None = None,
    ) -> None:
        """Take over an open index, the embedder its vectors are made with, and a reranker."""
        self._reranker = reranker
        self._index = index
        self._embedder = embedder
        self._config = config
        self._gate = Gate(index, embedder)
        self._sources = Sources(config)

    @classmethod
    def open(cls, config: Config | None = None, *, embedder: Embedder | None = None) -> Retriever:
        """Open the index of the settings.

        Raises NoIndex if there is none, IndexMismatch if it is made of other vectors than the
        settings ask for, IndexCorrupt if its files are damaged.
        """
        config = config or Config.load()
        with ExitStack() as undo:
            # The index first: where there is none, no model is looked for.
            index = undo.enter_context(store.open_store(config.index_folder))
            if embedder is None:
                embedder = compose.open_embedder(config, index.identity)
                undo.callback(embedder.close)
            index.require(compose.wanted_identity(config, embedder))
            reranker = compose.open_reranker(config)
            undo.pop_all()
        return cls(index, embedder, config, reranker=reranker)

    def warm(self) -> None:
        """Load what a first search waits for, the model in the background; for who searches soon.

        Whatever fails here is told by the search.
        """
        self._embedder.warm()
        self._index.warm()

    def search(
        self,
        question: str,
        *,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
    ) -> list[Hit]:
        """Return the best hits, best first; see ``find`` for what was left out."""
        return list(self.find(question, limit=limit, mode=mode, where=where).hits)

    def find(
        self,
        question: str,
        *,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
    ) -> Search:
        """Return the best hits and what had to be left out to find them.

        limit, mode: the settings' own where they are None. With the embedder out of reach a hybrid
        search answers from words alone and says so in ``degraded``.
        Raises UsageError for an empty question, EmbeddingError if only vectors could answer.
        """
        if not question.strip():
            raise UsageError("the question is empty", "ask something")
        limit = self._config.search.limit if limit is None else limit
        if limit < 1:
            raise UsageError(f"a search for {limit} hits finds nothing", "ask for at least one")
        mode = mode or self._config.search.mode
        vector, degraded = self._vector(question, mode)
        words = () if mode == "dense" else evidence.content_words(question)
        # The model may take its time; what is found comes from one state of the index.
        with self._index.snapshot():
            asked = rank.wording(question, words)
            ranked = rank_chunks(self._index, vector, asked, limit=limit, where=where)
            depth = max(limit, RERANKED) if self._reranker else limit
            unread = [one.id for one in ranked.best[:depth] if one.id not in ranked.read]
            chunks = {**ranked.read, **self._index.chunks(unread)}
            read = rerank(self._reranker, question, ranked.best, chunks)
            hits = _hits(read.best[:limit], chunks, ranked, read.scores)
            hits = self._gate.told(question, hits)
        degraded = "; ".join(filter(None, [degraded, read.fault])) or None
        return Search(question, mode, degraded, hits)

    def why(
        self,
        question: str,
        path: str,
        heading: str | None = None,
        *,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
    ) -> Why:
        """Return why a place in the documents is found for a question, or is not.

        path: as a search prints it, or on disk; ``path#heading`` and ``path:line`` will do too.
        Raises FolderError where the index holds no such place; see ``find`` for the rest.
        """
        from askmd.retriever.target import locate
        from askmd.retriever.why import Asked, explain

        limit = self._config.search.limit if limit is None else limit

        def find(limit: int, where: Filter) -> Search:
            return self.find(question, limit=limit, mode=mode, where=where)

        def vector(found: Search) -> Vector | None:
            # Where the embedder was out of reach it is not asked twice.
            has_cosine = any("cosine" in hit.scores for hit in found.hits)
            return self._vector(question, found.mode)[0] if has_cosine else None

        def hit(chunk: Chunk, place: int, score: float, scores: Mapping[str, float]) -> Hit:
            return self._gate.told(question, [_hit(chunk, place, score, scores)])[0]

        target = locate(self._index, self._config, self.read, path, heading)
        asked = Asked(
            question,
            limit,
            where,
            self._index,
            find,
            vector,
            hit,
            self.has_evidence,
            self.is_stale,
        )
        return explain(asked, target)

    def has_evidence(self, search: Search) -> bool:
        """Whether anything in the index speaks of the question at all.

        The bar is the floor that was measured of the index: see ``calibration``.
        """
        return self._gate.has_evidence(search.question, search.hits)

    def read(self, path: str, chars: Chars) -> str | None:
        """Return a range of a document as indexed; None where its file has changed since."""
        document = self._index.document(path)
        if document is None:
            return None
        try:
            source = self._source(path)
        except (files.UnreadableFile, OSError):
            return None
        return source.text[chars[0] : chars[1]] if source.digest == document.digest else None

    def is_stale(self, path: str) -> bool:
        """Whether a document's file has changed, or gone, since it was indexed."""
        document = self._index.document(path)
        try:
            return document is None or self._source(path).digest != document.digest
        except (files.UnreadableFile, OSError):
            return True

    def stands_at(self, path: str, text: str, lines: Lines) -> Lines | None:
        """Return where a text stands in a document's file as it is now; None where it does not.

        Of several places the one nearest to ``lines``.
        """
        try:
            return place_of(text, self._source(path).text, lines)
        except (files.UnreadableFile, OSError):
            return None

    def neighbours(self, id: str, distance: int = 1) -> list[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""
        return self._index.neighbours(id, distance)

    @property
    def generation(self) -> int:
        """The index's generation; it grows by one with each committed write."""
        return self._index.generation

    def snapshot(self) -> AbstractContextManager[None]:
        """Let every call inside, from this thread, see one and the same state of the index."""
        return self._index.snapshot()

    @property
    def identity(self) -> Identity:
        """What the index's vectors are made of."""
        return self._index.identity

    @property
    def root(self) -> Path:
        """The documents' folder; it need not exist."""
        return self._index.root

    def paths(self) -> list[str]:
        """Return every document's path, relative to the root, in order."""
        return sorted(self._index.documents())

    def headings(self, limit: int = MOST_HEADINGS) -> list[tuple[str, str]]:
        """Return documents' paths with their headings in order, each pair once; at most so many."""
        return self._index.headings(limit)

    def metadata(self, path: str) -> Mapping[str, object]:
        """Return a document's front matter; empty where it has none, or is not in the index."""
        document = self._index.document(path)
        return document.metadata if document else {}

    def close(self) -> None:
        """Let go of the index and the embedder; calling it twice is harmless."""
        self._index.close()
        self._embedder.close()
        if self._reranker is not None:
            self._reranker.close()

    def __enter__(self) -> Retriever:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _source(self, path: str) -> files.Source:
        return self._sources.read(self._index.root, path)

    def _vector(self, question: str, mode: Mode) -> tuple[Vector | None, str | None]:
        """Return the question's vector, or None and why a hybrid search goes without."""
        if mode == "words":
            return None, None
        try:
            return self._embedder.embed_query(question), None
        except EmbeddingError as error:
            if mode == "dense":
                raise
            return None, f"found by words alone: {error.message}"


def _hits(
    best: Sequence[Scored],
    chunks: Mapping[str, Chunk],
    ranked: Ranked,
    reranked: Mapping[str, float],
) -> tuple[Hit, ...]:
    """Return the chosen chunks with their text and the parts of their scores."""
    parts = {**ranked.parts, "rerank": reranked}
    if any(one.id not in chunks for one in best):
        raise IndexCorrupt("the index lost chunks it had found", store.MEND_STEP)
    hits: list[Hit] = []
    for one in best:
        scores = {kind: part[one.id] for kind, part in parts.items() if one.id in part}
        hits.append(_hit(chunks[one.id], len(hits) + 1, one.score, scores))
    return tuple(hits)


def _hit(chunk: Chunk, place: int, score: float, scores: Mapping[str, float]) -> Hit:
    return Hit(
        rank=place,
        score=round(score, 6),
        scores={kind: round(value, 6) for kind, value in scores.items()},
        above_floor=None,
        chunk=chunk.id,
        path=chunk.path,
        heading=chunk.heading,
        anchor=chunk.anchor,
        anchors=chunk.anchors,
        lines=chunk.lines,
        chars=chunk.chars,
        text=chunk.text,
    )
