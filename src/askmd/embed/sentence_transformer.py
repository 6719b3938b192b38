"""A local model, run by sentence-transformers; on a GPU where there is one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from askmd.contracts import TokenCounter
from askmd.embed.folder_embedder import FolderEmbedder
from askmd.embed.model_folder import ModelFolder
from askmd.embed.running import loading, quiet_libraries, readable
from askmd.errors import EmbeddingError

BATCH_TEXTS = 32


class SentenceTransformerEmbedder(FolderEmbedder):
    """Embeds with a model from a folder on this machine; safe to share between threads.

    The model is loaded at the first text: until then this costs a few JSON files.
    """

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
        super().__init__(
            described, model, counter, query_prefix=query_prefix, passage_prefix=passage_prefix
        )
        self._model: Any = None
        # Also held while encoding: the tokenizers library refuses to be used by two at once.
        self._lock = threading.Lock()

    def rows(self, texts: Sequence[str]) -> Any:
        """Return what the model makes of each text, in the same order."""
        with self._lock:
            if self._model is None:
                self._model = load_model(self._described)
            try:
                return self._model.encode(
                    [readable(text) for text in texts],
                    batch_size=BATCH_TEXTS,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            except RuntimeError as error:  # torch: out of memory, a device that fell over
                raise EmbeddingError(f"the model {self._name} failed: {error}") from error

    def close(self) -> None:
        """Let go of the model."""
        with self._lock:
            self._model = None


def load_model(described: ModelFolder, *, attention: str = "", device: str | None = None) -> Any:
    """Return the model, loaded from its folder alone: no code of its own, no pickle, no hub.

    attention: how attention is computed, by its name in transformers; empty: as it sees fit.
    """
    with quiet_libraries():
        from sentence_transformers import SentenceTransformer

        wishes = {"attn_implementation": attention} if attention else {}
        with loading(described.folder):
            model = SentenceTransformer(
                str(described.folder),
                device=device,
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True, **wishes},
            )
    # Chunks are cut to this window; a model that read less would cut them off silently.
    model.max_seq_length = described.window
    # Prefixes are put before the text here and nowhere else.
    model.default_prompt_name = None
    return model
