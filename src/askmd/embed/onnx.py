"""A local model that was exported to ONNX, run by ONNX Runtime on the cores of this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from askmd.contracts import TokenCounter
from askmd.embed.folder_embedder import FolderEmbedder, Take
from askmd.embed.model_folder import ModelFolder
from askmd.embed.running import closed, loading, readable
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

    @property
    def precision(self) -> str:
        """``float32`` or ``int8``, as the file was made."""
        return self._precision

    def open(self) -> None:
        """Open the file and the tokenizer; raises EmbeddingError where they cannot be used."""
        self._opened()

    def rows(self, texts: Sequence[str], take: Take) -> None:
        """Hand over what the model makes of each text; equal texts are read once."""
        running = self._opened()
        places: dict[str, list[int]] = {}
        for position, text in enumerate(texts):
            places.setdefault(text, []).append(position)
        # The longest first: no core is left with a long one at the end.
        unique = sorted(places, key=len, reverse=True)
        with closing(self._vectors(running, unique)) as vectors:
            for text, vector in zip(unique, vectors, strict=True):
                wishes = [take(position, vector) for position in places[text]]
                if not all(wishes):
                    return

    def close(self) -> None:
        """Let go of the model and its threads, for good, after the texts they are at."""
        with self._lock:
            self._is_closed = True
            running, self._running = self._running, None
        if running is not None:
            running.close()

    def _vectors(self, running: _Running, texts: Sequence[str]) -> Generator[Vector]:
        try:
            yield from running.vectors(texts)
        except Exception as error:  # The libraries raise classes of their own, and RuntimeError.
            if self._is_closed:
                raise closed(self._name) from error
            raise EmbeddingError(f"the model {self._name} failed: {error}") from error

    def _opened(self) -> _Running:
        with self._lock:
            if self._is_closed:
                raise closed(self._name)
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
        self._is_closed = False
        self._lock = threading.Lock()

    def vectors(self, texts: Sequence[str]) -> Iterator[Vector]:
        """Yield each text's vector, in the same order; what nobody asks for any more is left."""
        if len(texts) < 2 or self._cores < 2:
            yield from map(self._vector, texts)
        else:
            yield from self._threads().map(self._vector, texts)

    def close(self) -> None:
        """Let the threads end, each after the text it is at."""
        with self._lock:
            self._is_closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            # Not waited for: Python takes a thread for ended when a Ctrl-C breaks into its join.
            pool.shutdown(wait=False, cancel_futures=True)

    def _vector(self, text: str) -> Vector:
        self._check_open()
        read = token_ids(self._tokenizer, text, lowercase=self._lowercase)
        ids = np.array([read], dtype=np.int64)
        vector: Vector = self._session.run(None, {"input_ids": ids})[0][0]
        return vector

    def _threads(self) -> ThreadPoolExecutor:
        with self._lock:
            self._check_open()
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._cores, thread_name_prefix="askmd-embed")
            return self._pool

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("closed")


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
