"""What every embedder of a model's folder has in common, whatever runs the model."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from askmd.contracts import TokenCounter
from askmd.embed.model_folder import ModelFolder
from askmd.embed.running import outlasting
from askmd.types import Identity

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors

Take = Callable[[int, Any], bool]
"""Takes what the model made of the text at a position; returns whether more is wanted."""


class FolderEmbedder(ABC):
    """Says what its vectors are made of, puts prefixes before texts, lets only units through."""

    def __init__(
        self,
        described: ModelFolder,
        model: str,
        counter: TokenCounter,
        *,
        query_prefix: str = "",
        passage_prefix: str = "",
    ) -> None:
        """Take what ``describe`` read of a folder, and the name the user knows the model by."""
        self.counter = counter
        self._described = described
        self._name = model
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def precision(self) -> str:
        """``float32`` or ``int8``: see ``Identity.precision``."""
        return "float32"

    def identity(self, *, max_tokens: int, chunker: int) -> Identity:
        """Return what these vectors are made of, read from the folder's files alone."""
        return Identity(
            provider="sentence-transformers",
            model=self._name,
            revision=self._described.weights,
            dim=self._described.dim,
            query_prefix=self._query_prefix,
            passage_prefix=self._passage_prefix,
            tokenizer=self.counter.vocabulary,
            max_tokens=max_tokens,
            chunker=chunker,
            precision=self.precision,
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per passage: float32, shape (len(texts), dim), in the same order.

        Raises EmbeddingError if the model cannot be loaded or answers with no such vectors.
        """
        return self._units(self.rows, self._prefixed(texts))

    def embed_each(self, texts: Sequence[str], take: Callable[[int, Vector], bool]) -> None:
        """Hand over each passage's unit vector with its position, in any order, as it is made.

        Ends early once ``take`` returns False. Raises as ``embed`` does.
        """
        passages = self._prefixed(texts)

        def take_row(position: int, row: Any) -> bool:
            return take(position, self._checked([row])[0])

        outlasting(lambda: self.rows(passages, take_row))

    def embed_query(self, text: str) -> Vector:
        """Return the question's unit vector: float32, shape (dim,)."""
        vector: Vector = self._units(self.query_rows, [self._query_prefix + text])[0]
        return vector

    @abstractmethod
    def rows(self, texts: Sequence[str], take: Take) -> None:
        """Hand over what the model makes of each text, which is all it reads, in any order.

        Ends early once ``take`` returns False.
        """

    def query_rows(self, texts: Sequence[str], take: Take) -> None:
        """Do the same for questions, which come one by one."""
        self.rows(texts, take)

    def warm(self) -> None:  # noqa: B027
        """Begin in the background what the first text would wait for: nothing here."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the model, for good; texts that still wait for it are left."""

    def _prefixed(self, texts: Sequence[str]) -> list[str]:
        return [self._passage_prefix + text for text in texts]

    def _units(self, rows: Callable[[Sequence[str], Take], None], texts: Sequence[str]) -> Vectors:
        found: list[Any] = [None] * len(texts)

        def take(position: int, row: Any) -> bool:
            found[position] = row
            return True

        def work() -> Vectors:
            if texts:
                rows(texts, take)
            return self._checked(found)

        return outlasting(work)

    def _checked(self, raw: Sequence[Any]) -> Vectors:
        from askmd.embed.gate import unit_vectors

        return unit_vectors(raw, len(raw), self._described.dim, maker=f"the model {self._name}")
