"""A local model and which library runs it: ONNX Runtime, or sentence-transformers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.contracts import TokenCounter
from askmd.embed.exported import Export, find_export
from askmd.embed.folder_embedder import FolderEmbedder, Take
from askmd.embed.gpu import has_gpu
from askmd.embed.model_folder import ModelFolder
from askmd.embed.running import closed
from askmd.embed.sums import SumOf
from askmd.errors import EmbeddingError

if TYPE_CHECKING:
    from askmd.embed.onnx import OnnxEmbedder
    from askmd.embed.preparing import Make

GPU_TEXTS = 256
"""Passages after which loading torch pays off where it has a GPU."""

log = logging.getLogger(__name__)


class LocalEmbedder(FolderEmbedder):
    """Embeds with a model from a folder on this machine; safe to share between threads.

    The model is exported to ONNX at its first use. Where that is impossible, and for many texts
    where there is a GPU, sentence-transformers runs it: both give the same float32 vectors.
    """

    def __init__(
        self,
        described: ModelFolder,
        model: str,
        counter: TokenCounter,
        *,
        cache: Path,
        sum_of: SumOf,
        precision: str = "",
        default: str = "float32",
        is_standing: bool = False,
        query_prefix: str = "",
        passage_prefix: str = "",
        make: Make | None = None,
        is_gpu_at_hand: Callable[[], bool] = has_gpu,
    ) -> None:
        """Take a described folder and where exports are kept.

        precision: what is asked for; empty: ``default`` where this machine can do it. is_standing:
        an index has it already, so that nothing is to be tried out before it is told.
        """
        super().__init__(
            described, model, counter, query_prefix=query_prefix, passage_prefix=passage_prefix
        )
        self._cache, self._sum_of, self._make = cache, sum_of, make
        self._wanted, self._default, self._is_standing = precision, default, is_standing
        self._is_gpu_at_hand = is_gpu_at_hand
        self._passages = 0
        self._export: Export | None = None
        self._is_hopeless = False
        self._closing = threading.Event()
        self._onnx: OnnxEmbedder | None = None
        # Held while a model is prepared or opened, by whoever needs it first.
        self._preparing = threading.RLock()
        self._undo = ExitStack()

    @cached_property
    def precision(self) -> str:
        """``float32`` or ``int8``: as asked for, else the best this machine and model can do.

        For an index that is to be made this may prepare the model.
        """
        if self._wanted and (self._is_standing or self._wanted == "float32"):
            return self._wanted
        if not self._wanted and (self._default == "float32" or self._has_gpu):
            return "float32"
        export = self._with_int8()
        if export is not None and "int8" in export.sums:
            return "int8"
        if self._wanted:
            raise self._no_int8()
        if export is not None and export.lack:
            _tell_lack_once(self._name, export.lack)
        return "float32"

    def rows(self, texts: Sequence[str], take: Take) -> None:
        """Hand over what the model makes of each passage."""
        self._check_open()
        self._passages += len(texts)
        if self._passages >= GPU_TEXTS and self.precision == "float32" and self._has_gpu:
            self._torch.rows(texts, take)
        else:
            self.query_rows(texts, take)

    def query_rows(self, texts: Sequence[str], take: Take) -> None:
        """Hand over what the model makes of each text, without a GPU where ONNX Runtime can."""
        onnx = self._opened()
        (self._torch if onnx is None else onnx).rows(texts, take)

    def warm(self) -> None:
        """Open the model in the background, if it was prepared before; returns at once."""
        if self._wanted or "precision" in self.__dict__:
            # Not a daemon: one that is killed inside a library's C++ takes the exit status along.
            threading.Thread(target=self._warm, name="askmd-warm", daemon=False).start()

    def close(self) -> None:
        """Let go of the model, for good; what it is at, or who prepares it, is stopped."""
        # Before the lock: who holds it while a model is prepared looks at this.
        self._closing.set()
        with self._preparing:
            if self._onnx is not None:
                self._onnx.close()
            self._onnx = None
            self._undo.close()
            if "_torch" in self.__dict__:
                self._torch.close()

    def _warm(self) -> None:
        try:
            with self._preparing:
                if self._export is None:
                    self._export = find_export(self._cache, self._described, self._sum_of)
                if self._export and self._onnx is None and not self._closing.is_set():
                    self._onnx = self._open(self._export)
        except Exception:  # Whatever it is, the first text meets it again and tells.
            log.debug("the model could not be opened ahead", exc_info=True)

    def _opened(self) -> OnnxEmbedder | None:
        """Return the export, open; None where sentence-transformers keeps the job."""
        with self._preparing:
            self._check_open()
            if self._onnx is None:
                export = self._prepared()
                self._onnx = self._open(export) if export else None
                if self._onnx is None and export and not export.failure and not self._is_hopeless:
                    # Another version of ONNX Runtime wrote the file, or it was damaged while read.
                    export = self._prepared(anew=True)
                    self._onnx = self._open(export) if export else None
            if self._onnx is None and self.precision == "int8":
                raise self._no_int8()
            return self._onnx

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise closed(self._name)

    def _open(self, export: Export) -> OnnxEmbedder | None:
        """Return an export, open; None where it has no such file or none that can be opened."""
        from askmd.embed.onnx import OnnxEmbedder

        precision = self.precision
        if precision not in export.sums or export.failure:
            return None
        file = export.file(precision)
        opened = OnnxEmbedder(
            self._described, self._name, self.counter, file=file, precision=precision
        )
        try:
            opened.open()
        except EmbeddingError as error:
            log.info("%s", error)
            return None
        return opened

    def _prepared(self, *, anew: bool = False) -> Export | None:
        """Return the model's export, made where there is none; None where it cannot be kept."""
        with self._preparing:
            if self._export is None and not self._is_hopeless:
                self._export = find_export(self._cache, self._described, self._sum_of)
            if anew or (self._export is None and not self._is_hopeless):
                self._is_hopeless = anew
                self._export = self._made(anew=anew)
            if self._export is not None and self._export.failure:
                _tell_once(self._name, self._export.failure)
            return self._export

    def _with_int8(self) -> Export | None:
        """Return the model's export; where only int8 broke off when it was made, once more."""
        from askmd.embed.preparing import NotKept

        with self._preparing:
            export = self._prepared()
            if export is not None and export.may_be_mended and not self._is_hopeless:
                self._is_hopeless = True
                with suppress(NotKept):
                    self._export = self._made_in(self._cache, anew=True)
            return self._export

    def _made(self, *, anew: bool) -> Export | None:
        from askmd.embed.preparing import NotKept

        try:
            return self._made_in(self._cache, anew=anew)
        except NotKept as error:
            self._is_hopeless = True
            if not (self._wanted == "int8" and self._is_standing):
                _tell_once(self._name, str(error))
                return None
            log.warning("%s: the model is prepared for this run only", error)
            return self._made_for_this_run()

    def _made_for_this_run(self) -> Export:
        from tempfile import TemporaryDirectory

        folder = Path(self._undo.enter_context(TemporaryDirectory(prefix="askmd-")))
        return self._made_in(folder, anew=True)

    def _made_in(self, cache: Path, *, anew: bool) -> Export:
        """Return the export, made in a cache by a process that ends when this embedder closes."""
        from askmd.embed.preparing import make_export, run_child

        is_stopped = self._closing.is_set
        make = self._make or partial(run_child, is_stopped=is_stopped)
        described, name, sum_of = self._described, self._name, self._sum_of
        return make_export(cache, described, name, sum_of, make, anew=anew, is_stopped=is_stopped)

    def _no_int8(self) -> EmbeddingError:
        why = (self._export.failure or self._export.lack) if self._export else ""
        return EmbeddingError(
            f"the model {self._name} cannot be run in int8 on this machine"
            + (f": {why}" if why else ""),
            'set embedding.precision = "float32" and run `askmd ingest --rebuild`',
        )

    @cached_property
    def _has_gpu(self) -> bool:
        return self._is_gpu_at_hand()

    @cached_property
    def _torch(self) -> FolderEmbedder:
        from askmd.embed.sentence_transformer import SentenceTransformerEmbedder

        return SentenceTransformerEmbedder(self._described, self._name, self.counter)


@lru_cache(maxsize=64)
def _tell_once(model: str, why: str) -> None:
    log.warning("%s is run by sentence-transformers, which starts slowly: %s", model, why)


@lru_cache(maxsize=64)
def _tell_lack_once(model: str, why: str) -> None:
    log.warning("the vectors of %s are float32, which is slower than int8: %s", model, why)
