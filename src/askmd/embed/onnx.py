"""A local model that was exported to ONNX, run by ONNX Runtime on the cores of this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from askmd.contracts import TokenCounter
from askmd.embed.folder_embedder import FolderEmbedder
from askmd.embed.model_folder import ModelFolder
from askmd.embed.running import loading, readable
from askmd.errors import EmbeddingError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from askmd.types import Vector


class OnnxEmbedder(FolderEmbedder):
    """Embeds one text a call, one thread a call, as many calls at once as there are cores.

    That is faster than padded batches, and a text's vector does not depend on its neighbours.
    Safe to share between threads; the file is opened at the first text.
    """

    def __init__(
        self,
        described: ModelFolder,
        model: str,
        counter: TokenCounter,
        *,
        file: Path,
        precision: str = "float32",
    ) -> None:
        """Take an exported model: a graph from ``input_ids`` of one text to its vector."""
        super().__init__(described, model, counter)
        self._file = file
        self._precision = precision
        self._running: _Running | None = None
        self._lock = threading.Lock()

    @property
    def precision(self) -> str:
        """``float32`` or ``int8``, as the file was made."""
        return self._precision

    def open(self) -> None:
        """Open the file and the tokenizer; raises EmbeddingError where they cannot be used."""
        self._opened()

    def rows(self, texts: Sequence[str]) -> Any:
        """Return what the model makes of each text, in the same order; equal texts once."""
        running = self._opened()
        # The longest first: no core is left with a long one at the end.
        unique = sorted(dict.fromkeys(texts), key=len, reverse=True)
        try:
            found = dict(zip(unique, running.vectors(unique), strict=True))
        except Exception as error:  # The libraries raise classes of their own, and RuntimeError.
            raise EmbeddingError(f"the model {self._name} failed: {error}") from error
        return np.stack([found[text] for text in texts])

    def close(self) -> None:
        """Let go of the model and its threads."""
        with self._lock:
            running, self._running = self._running, None
        if running is not None:
            running.close()

    def _opened(self) -> _Running:
        with self._lock:
            if self._running is None:
                with loading(self._described.folder):
                    self._running = _Running(self._file, self._described)
            return self._running


class _Running:
    """An open model with its tokenizer and its threads."""

    def __init__(self, file: Path, described: ModelFolder) -> None:
        self._session = _session(file)
        self._tokenizer = tokenizer_of(described)
        self._lowercase = described.lowercase
        self._cores = cores()
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def vectors(self, texts: Sequence[str]) -> list[Vector]:
        """Return each text's vector, in the same order."""
        if len(texts) < 2 or self._cores < 2:
            return [self._vector(text) for text in texts]
        return list(self._threads().map(self._vector, texts))

    def close(self) -> None:
        """Let the threads end."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _vector(self, text: str) -> Vector:
        read = token_ids(self._tokenizer, text, lowercase=self._lowercase)
        ids = np.array([read], dtype=np.int64)
        vector: Vector = self._session.run(None, {"input_ids": ids})[0][0]
        return vector

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._cores, thread_name_prefix="askmd-embed")
            return self._pool


def tokenizer_of(described: ModelFolder) -> Tokenizer:
    """Return a model's tokenizer, cutting at the model's window and padding nothing."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_buffer(described.tokenizer_file.read_bytes())
    # Set once: while texts are being read, the library does not let anyone set it.
    tokenizer.enable_truncation(described.window)
    tokenizer.no_padding()
    return tokenizer


def token_ids(tokenizer: Tokenizer, text: str, *, lowercase: bool) -> list[int]:
    """Return the tokens a model reads of a text, special ones inside."""
    seen = readable(text)
    ids: list[int] = tokenizer.encode(seen.lower() if lowercase else seen).ids
    return ids


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def onnx_runtime() -> Any:
    """Return the library, which tells nobody that it runs."""
    # Its official builds report to Microsoft unless this is set before they are imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    return import_module("onnxruntime")


def _session(file: Path) -> Any:
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # What is in the cache was optimised when it was made: opening it takes a third of the time.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
