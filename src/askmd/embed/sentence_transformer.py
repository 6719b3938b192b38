"""A local model, run by sentence-transformers; on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from askmd.embed.folder_embedder import FolderEmbedder, Take
from askmd.embed.model_folder import ModelFolder
from askmd.embed.running import closed, loading, quiet_libraries, readable
from askmd.errors import EmbeddingError

GPU_TEXTS = 32
CPU_TEXTS = 16
"""Texts embedded together: a processor gains nothing by more, and cannot be stopped between."""


class SentenceTransformerEmbedder(FolderEmbedder):
    """Embeds with a model from a folder on this machine; safe to share between threads.

    The model is loaded at the first text: until then this costs a few JSON files.
    """

    _model: Any = None
    # The lock is held while encoding too: the tokenizers library refuses to be used by two at once.

    def rows(self, texts: Sequence[str], take: Take) -> None:
        """Hand over what the model makes of each text; those of about one length go together."""
        order = sorted(range(len(texts)), key=lambda position: -len(texts[position]))
        while order:
            rows = self._encoded(texts, order)
            for position, row in zip(order, rows, strict=False):
                if not take(position, row):
                    return
            del order[: len(rows)]

    def close(self) -> None:
        """Let go of the model, for good, after the texts it is at."""
        self._is_closed = True
        with self._lock:
            self._model = None

    def _encoded(self, texts: Sequence[str], order: Sequence[int]) -> Any:
        """Return what the model makes of the first texts in that order: as many as go together."""
        with self._lock:
            if self._is_closed:
                raise closed(self._name)
            if self._model is None:
                self._model = load_model(self._described)
            count = CPU_TEXTS if self._model.device.type == "cpu" else GPU_TEXTS
            try:
                return self._model.encode(
                    [readable(texts[position]) for position in order[:count]],
                    batch_size=count,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            except RuntimeError as error:  # torch: out of memory, a device that fell over
                raise EmbeddingError(f"the model {self._name} failed: {error}") from error


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
