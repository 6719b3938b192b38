"""A local model that reads a question and a passage together, run by sentence-transformers."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from askmd.embed.cross_encoder_folder import CrossEncoderFolder
from askmd.embed.running import loading, quiet_libraries, readable
from askmd.errors import EmbeddingError

BATCH_PAIRS = 16


class CrossEncoderReranker:
    """Scores with a model from a folder on this machine; safe to share between threads.

    The model is loaded at the first question. A pair that is longer than the model's window is
    cut by the model's own tokenizer: the longer of the two texts loses its end first.
    """

    def __init__(self, described: CrossEncoderFolder, model: str) -> None:
        """Take what ``describe_cross_encoder`` read, and the name the user knows the model by."""
        self._described = described
        self._name = model
        self._model: Any = None
        # Also held while scoring: the tokenizers library refuses to be used by two at once.
        self._lock = threading.Lock()

    @property
    def model(self) -> str:
        """The model's name as the settings give it."""
        return self._name

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score per text, in the same order; higher is better.

        A score is the model's own logit: no activation flattens the best ones into equals. Raises
        EmbeddingError if the model cannot be loaded or run, or answers with what is no number.
        """
        if not texts:
            return []
        pairs = [(readable(question), readable(text)) for text in texts]
        with self._lock:
            if self._model is None:
                self._model = _load(self._described)
            try:
                raw = self._model.predict(
                    pairs, batch_size=BATCH_PAIRS, show_progress_bar=False, convert_to_numpy=True
                )
            except Exception as error:  # Torch out of memory; whatever a strange model makes it.
                raise EmbeddingError(f"the model {self._name} failed: {error}") from error
        return finite_scores(raw, len(texts), maker=f"the model {self._name}")

    def close(self) -> None:
        """Let go of the model."""
        with self._lock:
            self._model = None


def finite_scores(raw: Any, count: int, *, maker: str) -> list[float]:
    """Return ``raw`` as ``count`` scores; raises EmbeddingError, naming ``maker``, if it is not."""
    scores = np.asarray(raw, dtype=np.float64)
    if scores.shape != (count,):
        raise EmbeddingError(f"{maker} answered with shape {scores.shape} for {count} texts")
    if not np.isfinite(scores).all():
        raise EmbeddingError(f"{maker} answered with scores that are not finite")
    return [float(score) for score in scores]


def _load(described: CrossEncoderFolder) -> Any:
    """Return the model, loaded from its folder alone: no code of its own, no pickle, no hub."""
    with quiet_libraries():
        from sentence_transformers import CrossEncoder
        from torch.nn import Identity

        with loading(described.folder):
            return CrossEncoder(
                str(described.folder),
                max_length=described.window,
                # Given here, so that no name in the model's files is looked up and called.
                activation_fn=Identity(),
                trust_remote_code=False,
                local_files_only=True,
                model_kwargs={"use_safetensors": True},
            )
