"""The contracts between askmd's rooms: whoever brings another model or searcher meets these."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from askmd.types import (
    Chunk,
    Document,
    Filter,
    Identity,
    Message,
    Occurrences,
    Place,
    Scored,
    Usage,
    WordPlaces,
)

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors


class TokenCounter(Protocol):
    """Counts the tokens one model sees."""

    @property
    def window(self) -> int:
        """How many tokens the model reads of one text, special tokens inside."""

    @property
    def exact(self) -> bool:
        """Whether counts are the model's own; otherwise they are never below them."""

    @property
    def vocabulary(self) -> str:
        """sha256 of the tokenizer's file, or the name of its vocabulary: ``Identity.tokenizer``."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return each text's tokens, special tokens and the model's passage prefix inside."""

    def cut(self, text: str, limit: int) -> int:
        """Return an offset, as large as is found, whose head counts at most ``limit``."""


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def counter(self) -> TokenCounter:
        """The counter whose tokens this embedder's window is measured in."""

    def identity(self, *, max_tokens: int, chunker: int) -> Identity:
        """Return what this embedder's vectors are made of, without loading the model."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per passage: float32, shape (len(texts), dim), in the same order.

        Raises TextsRejected if single texts are refused, EmbeddingError for everything else.
        """

    def embed_query(self, text: str) -> Vector:
        """Return the question's unit vector: float32, shape (dim,)."""

    def warm(self) -> None:
        """Begin in the background what the first text would wait for; returns at once."""

    def close(self) -> None:
        """Let go of connections and models; calling it twice is harmless."""


class Reranker(Protocol):
    """Reads a question and a passage together, and says how well they fit."""

    @property
    def model(self) -> str:
        """The model's name as the settings give it."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text, in the same order; higher is better.

        Raises EmbeddingError if the model cannot be had or answers with what is no number.
        """

    def close(self) -> None:
        """Let go of the model; calling it twice is harmless."""


class LLM(Protocol):
    """Streams a chat completion."""

    def warm(self) -> None:
        """Begin in the background what the first completion would wait for; returns at once."""

    @property
    def model(self) -> str:
        """The model's name as the server knows it."""

    @property
    def window(self) -> int | None:
        """How many tokens it reads and writes in all, as far as its server has told; else None."""

    def stream(
        self, messages: Sequence[Message], *, answer_tokens: int | None = None
    ) -> Completion:
        """Start a completion of at most ``answer_tokens``; its own limit where that is None.

        Raises PromptTooLong where the messages exceed its window, LLMError for every other failure
        before the first delta.
        """

    def models(self) -> list[str]:
        """Return the models its server has; raises LLMError where it does not say."""

    def with_model(self, name: str) -> LLM:
        """Return another model of the same server."""


class Completion(Protocol):
    """A running completion: iterate for text, then read how it ended."""

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it arrives."""

    @property
    def usage(self) -> Usage | None:
        """Token counts, once the server has told them."""

    @property
    def cut_reason(self) -> str | None:
        """Why the text is incomplete; None when the server said it was finished."""

    def close(self) -> None:
        """Abort the request if it is still running."""


class Store(Protocol):
    """Chunks and vectors on disk. Ids are strings; nothing here is SQL."""

    @property
    def identity(self) -> Identity:
        """What the stored vectors are made of."""

    @property
    def generation(self) -> int:
        """Grows by one with each committed write."""

    def warm(self) -> None:
        """Load what a first search waits for; what fails is told by the search."""

    @property
    def root(self) -> Path:
        """The documents' folder; it need not exist."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let every call inside, from this thread, see one and the same committed state."""

    def documents(self) -> Mapping[str, Document]:
        """Return every document by its path."""

    def document(self, path: str) -> Document | None:
        """Return one document; None where the index does not hold it."""

    def headings(self, limit: int) -> list[tuple[str, str]]:
        """Return documents' paths with their headings in order, each pair once; at most so many."""

    def dense(self, vector: Vector, limit: int, where: Filter) -> list[Scored]:
        """Return the nearest chunks by cosine among those ``where`` allows, best first.

        Exact while that is fast; in a very large index nearly all of them, with exact cosines.
        """

    def least(self, vector: Vector, where: Filter) -> float | None:
        """Return about the least cosine among the chunks ``where`` allows; None without one."""

    def words(self, terms: Sequence[str], limit: int, where: Filter) -> list[Scored]:
        """Return the best chunks by BM25 that hold any of the terms, best first."""

    def bm25(self, terms: Sequence[str], ids: Sequence[str]) -> list[float]:
        """Return the score by BM25 of each chunk, in the same order; 0.0 without any term."""

    def occurrences(self, terms: Collection[str], ids: Sequence[str]) -> Occurrences:
        """Return how often each term occurs, and in which of the chunks with these ids."""

    def word_places(self, terms: Collection[str], ids: Sequence[str]) -> dict[str, WordPlaces]:
        """Return where the terms stand in each of the chunks that exist, by id."""

    def beside(self, ids: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
        """Return the ids of the chunks before and after each one in its document, by id."""

    def sample(self, count: int) -> list[Chunk]:
        """Return so many chunks, or all of fewer, at even distances through the index."""

    def calibration(self) -> str | None:
        """Return what was kept of this index while it was nearly the same; None without."""

    def keep_calibration(self, text: str) -> None:
        """Keep a text that was measured of this index; where that cannot be, do nothing."""

    def cosines(self, vector: Vector, ids: Sequence[str]) -> list[float]:
        """Return the cosine of each chunk's vector with ``vector``, in the same order."""

    def chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Return the chunks that exist, by id; ``embedded`` is empty, for it is not kept."""

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        """Return where each chunk that exists stands, by id."""

    def neighbours(self, id: str, distance: int) -> list[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""

    def close(self) -> None:
        """Let go of every connection; calling it twice is harmless."""
