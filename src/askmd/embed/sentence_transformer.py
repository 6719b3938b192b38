"""A local model, run by sentence-transformers; on a GPU where there is one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askmd.contracts import TokenCounter
from askmd.embed.gate import unit_vectors
from askmd.embed.known_prefixes import prefixes
from askmd.embed.location import locate
from askmd.embed.model_folder import ModelFolder, describe
from askmd.embed.running import loading, quiet_libraries, readable
from askmd.errors import EmbeddingError
from askmd.types import Identity

if TYPE_CHECKING:
    from askmd.types import Vector, Vectors

__all__ = ["ModelFolder", "SentenceTransformerEmbedder", "describe", "locate", "prefixes"]

BATCH_TEXTS = 32


class SentenceTransformerEmbedder:
    """Embeds with a model from a folder on this machine; safe to share between threads.

    The model is loaded at the first text: until then this costs a few JSON files.
    """

    def __init__(
        self,
        folder: Path,
        model: str,
        counter: TokenCounter,
        *,
        query_prefix: str = "",
        passage_prefix: str = "",
    ) -> None:
        """Take a folder that ``locate`` found, and the name the user knows it by."""
        self.counter = counter
        self._folder = folder
        self._name = model
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._model: Any = None
        # Also held while encoding: the tokenizers library refuses to be used by two at once.
        self._lock = threading.Lock()

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
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per passage: float32, shape (len(texts), dim), in the same order.

        Raises EmbeddingError if the model cannot be loaded or answers with no such vectors.
        """
        return self._encode([self._passage_prefix + text for text in texts])

    def embed_query(self, text: str) -> Vector:
        """Return the question's unit vector: float32, shape (dim,)."""
        vector: Vector = self._encode([self._query_prefix + text])[0]
        return vector

    def close(self) -> None:
        """Let go of the model."""
        with self._lock:
            self._model = None

    @cached_property
    def _described(self) -> ModelFolder:
        return describe(self._folder)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        described = self._described
        if not texts:
            return unit_vectors([], 0, described.dim)
        with self._lock:
            if self._model is None:
                self._model = _load(described)
            try:
                raw = self._model.encode(
                    [readable(text) for text in texts],
                    batch_size=BATCH_TEXTS,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            except RuntimeError as error:  # torch: out of memory, a device that fell over
                raise EmbeddingError(f"the model {self._name} failed: {error}") from error
        return unit_vectors(raw, len(texts), described.dim, maker=f"the model {self._name}")


def _load(described: ModelFolder) -> Any:
    """Return the model, loaded from its folder alone: no code of its own, no pickle, no hub."""
    with quiet_libraries():
        from sentence_transformers import SentenceTransformer

        with loading(described.folder):
            model = SentenceTransformer(
                str(described.folder),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
    # Chunks are cut to this window; a model that read less would cut them off silently.
    model.max_seq_length = described.window
    # Prefixes are put before the text here and nowhere else.
    model.default_prompt_name = None
    return model
