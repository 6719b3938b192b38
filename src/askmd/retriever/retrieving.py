"""A question to ranked hits, by meaning and by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from askmd import compose, evidence, files, rank, store
from askmd.config import Config
from askmd.contracts import Embedder, Store
from askmd.errors import EmbeddingError, IndexCorrupt, UsageError
from askmd.types import Chars, Chunk, Filter, Hit, Mode, Scored, Search

if TYPE_CHECKING:
    from askmd.types import Vector

POOL = 200
"""Candidates that each ranking brings to the fusion, at least."""
WORDS_POOL = 1000
"""Chunks whose BM25 is known when the candidates of meaning are scored."""
EVERYTHING = Filter()


class Retriever:
    """Finds passages in one index; shared between threads safely.

    A newer generation of the index is seen at the next search.
    """

    def __init__(self, index: Store, embedder: Embedder, config: Config) -> None:
        """Take over an open index and the embedder its vectors are made with."""
        self._index = index
        self._embedder = embedder
        self._config = config

    @classmethod
    def open(cls, config: Config | None = None, *, embedder: Embedder | None = None) -> Retriever:
        """Open the index of the settings.

        Raises NoIndex if there is none, IndexMismatch if it is made of other vectors than the
        settings ask for, IndexCorrupt if its files are damaged.
        """
        config = config or Config.load()
        # The index first: where there is none, no model is looked for.
        store.open_store(config.index_folder).close()
        embedder = embedder or compose.open_embedder(config)
        identity = compose.wanted_identity(config, embedder)
        return cls(store.open_store(config.index_folder, identity), embedder, config)

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
        terms = [] if mode == "dense" else evidence.content_words(question)
        # The model may take its time; what is found comes from one state of the index.
        with self._index.snapshot():
            candidates = self._candidates(vector, terms, max(POOL, 2 * limit), where)
            best = rank.fuse(list(candidates.values()))
            if len(candidates) > 1:
                best = rank.support(best, self._index.places([one.id for one in best]))
            hits = self._hits(best[:limit], candidates)
        return Search(question, mode, degraded, hits)

    def has_evidence(self, search: Search) -> bool:
        """Whether anything in the index speaks of the question at all.

        The bar is that of ``evidence``: a content word that occurs, or a cosine above the floor.
        """
        signs = evidence.signs(search.question)
        known = self._index.vocabulary_has([*signs.words, *signs.pairs])
        cosines = [hit.scores["cosine"] for hit in search.hits if "cosine" in hit.scores]
        return evidence.has_evidence(max(cosines, default=None), signs.matched(known))

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

    def neighbours(self, id: str, distance: int = 1) -> list[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""
        return self._index.neighbours(id, distance)

    @property
    def generation(self) -> int:
        """The index's generation; it grows by one with each committed write."""
        return self._index.generation

    def close(self) -> None:
        """Let go of the index and the embedder; calling it twice is harmless."""
        self._index.close()
        self._embedder.close()

    def __enter__(self) -> Retriever:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _source(self, path: str) -> files.Source:
        settings = self._config.documents
        limit = int(settings.max_megabytes * 1e6)
        location = self._index.root / path
        return files.read(location, max_bytes=limit, encoding=settings.encoding)

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

    def _candidates(
        self, vector: Vector | None, terms: Sequence[str], pool: int, where: Filter
    ) -> dict[str, rank.Ranking]:
        """Return the rankings to fuse, by the kind of their scores.

        The best of each ranking are candidates, and have their cosine known even where meaning
        alone would not have brought them.
        """
        rankings: dict[str, rank.Ranking] = {}
        words = self._index.words(terms, max(pool, WORDS_POOL), where) if terms else []
        if vector is not None:
            near = self._index.dense(vector, pool, where)
            found = {one.id for one in near}
            others = [one.id for one in words[:pool] if one.id not in found]
            cosines = self._index.cosines(vector, others)
            near += [Scored(id, cosine) for id, cosine in zip(others, cosines, strict=True)]
            # The least alike of all that may be found: the zero that models do not agree on.
            [least] = self._index.dense(-vector, 1, where) or [Scored("", 0.0)]
            rankings["cosine"] = rank.Ranking(near, -least.score)
        if terms:
            rankings["bm25"] = rank.Ranking(words, 0.0)
        return rankings

    def _hits(
        self, best: Sequence[Scored], rankings: Mapping[str, rank.Ranking]
    ) -> tuple[Hit, ...]:
        """Return the chosen chunks with their text and the parts of their scores."""
        chunks = self._index.chunks([one.id for one in best])
        parts = {
            kind: {one.id: one.score for one in ranking.scores}
            for kind, ranking in rankings.items()
        }
        if len(chunks) < len(best):
            raise IndexCorrupt("the index lost chunks it had found", "run `askmd ingest --rebuild`")
        hits: list[Hit] = []
        for one in best:
            scores = {kind: part[one.id] for kind, part in parts.items() if one.id in part}
            hits.append(_hit(chunks[one.id], len(hits) + 1, one.score, scores))
        return tuple(hits)


def _hit(chunk: Chunk, place: int, score: float, scores: Mapping[str, float]) -> Hit:
    cosine = scores.get("cosine")
    return Hit(
        rank=place,
        score=round(score, 6),
        scores={kind: round(value, 6) for kind, value in scores.items()},
        above_floor=None if cosine is None else round(evidence.above_floor(cosine), 6),
        chunk=chunk.id,
        path=chunk.path,
        heading=chunk.heading,
        anchor=chunk.anchor,
        anchors=chunk.anchors,
        lines=chunk.lines,
        chars=chunk.chars,
        text=chunk.text,
    )
