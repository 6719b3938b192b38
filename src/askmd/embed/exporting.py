"""A model's folder becomes ONNX files: run as a process of its own, which alone needs torch.

``python -m askmd.embed.exporting FOLDER TARGET``: TARGET, an empty folder, gets the files and a
model.json that says what they are, or why there are none.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from askmd.embed.exported import FORMAT, RECORD, versions
from askmd.embed.gate import unit_vectors
from askmd.embed.model_folder import ModelFolder, describe
from askmd.embed.onnx import OnnxEmbedder, onnx_runtime, token_ids, tokenizer_of
from askmd.embed.sentence_transformer import load_model
from askmd.embed.sums import Sums
from askmd.errors import AskmdError

MOST_DIFFERENCE = 1e-4
"""Largest difference of a component of a unit vector between the export and the model itself."""
LEAST_COSINE = 0.97
"""Mean cosine between int8 and float32, below which int8 is not used."""
MOST_BYTES = 1_900_000_000
"""Of weights in float32: one ONNX file holds at most 2 GB."""
_LONG_TOKENS = 1024
"""Longer texts are compared by their tokens alone: attention would fill the memory."""

_PROBES = (
    "gateway",
    "How do I fix a 502 error on nginx?",
    "My server keeps returning bad gateway responses.",
    "  Blanks around it,\n\na line\tand a TAB.  ",
    "HOW TO ROTATE THE KEY of a ServiceAccount: STEP BY STEP",
    "how to rotate the key of a serviceaccount: step by step",
    "Größe, naïveté, e\u0301tude: Übergröße → 東京 は日本の首都です。 Привет, мир! مرحبا 🌐",
    "```python\ndef f(x_y: int) -> dict[str, int]:\n    return {'a': x_y ** 2}\n```",
    "| name | default |\n|---|---|\n| `max_wal_size` | 1 GB |",
    "Guides > Deploying > Behind a proxy\n\nTell the server which path prefix the proxy strips, "
    "so that the links in its own documentation lead where they should. " * 3,
    "!?",
)


Quantise = Callable[[Path, Path], None]
"""Writes one graph's weights as int8 into another file."""
FreeBytes = Callable[[Path], int]
"""Returns how much the disk under a folder still takes."""


class _Unfit(Exception):
    """The model cannot be exported, or its export is another model."""


def free_bytes(folder: Path) -> int:
    """Return how much the disk under a folder still takes."""
    return shutil.disk_usage(folder).free


def quantise(source: Path, target: Path) -> None:
    """Write a graph's weights as int8 into another file."""
    quantization = import_module("onnxruntime.quantization")
    quantization.quantize_dynamic(
        str(source),
        str(target),
        per_channel=True,
        # Seven bits: eight overflow on processors with AVX2 alone, which then differ.
        reduce_range=True,
        weight_type=quantization.QuantType.QInt8,
    )


def main(folder: str, target: str) -> None:
    """Do what the module says, quietly, for as long as the process that asked for it is there."""
    os.umask(0o077)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    write_export(Path(folder), Path(target))


def write_export(
    folder: Path, target: Path, *, quantise: Quantise = quantise, free: FreeBytes = free_bytes
) -> None:
    """Export the model in one folder into another; what cannot be is recorded there.

    Raises OSError or MemoryError where that says nothing about the model.
    """
    record: dict[str, Any] = {"format": FORMAT, "versions": versions()}
    # The libraries leave files of their own beside those they were asked for.
    making = _Making(folder, target / "work", quantise, free)
    making.work.mkdir()
    try:
        record |= _export(describe(folder), making)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # Tracing raises whatever a strange model makes it.
        making.check_room(error)
        record["failure"] = _line(error)
    for precision in record.get("sums", ()):
        (making.work / f"{precision}.onnx").rename(target / f"{precision}.onnx")
    shutil.rmtree(making.work)
    (target / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Making:
    """What an export is made of, where, and by what."""

    folder: Path
    work: Path
    quantise: Quantise
    free: FreeBytes

    def check_room(self, error: Exception) -> None:
        """Raise OSError where the disk has no room for one more graph: that explains ``error``."""
        weights = sum(file.stat().st_size for file in self.folder.rglob("*.safetensors"))
        # Twice: what is kept in half precision is written in float32.
        if self.free(self.work) < 2 * weights:
            full = errno.ENOSPC
            raise OSError(full, os.strerror(full), str(self.work.parent.parent)) from error


def _line(error: Exception) -> str:
    if isinstance(error, _Unfit | AskmdError):
        return str(error)
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _end_with_parent() -> None:
    """End this process when the other one, which holds the pipe, is gone."""
    # Not sys.stdin: a thread that waits in it keeps the interpreter from ending in order.
    os.read(0, 1)
    os._exit(1)


def _export(described: ModelFolder, making: _Making) -> dict[str, Any]:
    """Write what can be of float32.onnx and int8.onnx; return what is to be known of them."""
    model = load_model(described, attention="eager", device="cpu")
    model.eval()
    if 4 * sum(one.numel() for one in model.parameters()) > MOST_BYTES:
        raise _Unfit("its weights do not fit into one ONNX file")
    texts = [*_PROBES, "The gateway refused it. " * _LONG_TOKENS]
    _check_tokens(model, described, texts)
    texts = [*_PROBES, "the gateway refused it " * (min(described.window, _LONG_TOKENS) // 3)]
    expected = unit_vectors(model.encode(texts, show_progress_bar=False), len(texts), 0)
    plain, file = making.work / "plain.onnx", making.work / "float32.onnx"
    _trace(model, plain)
    _optimise(plain, file)
    found = _vectors(described, file, texts)
    difference = float(np.abs(found - expected).max())
    if not difference < MOST_DIFFERENCE:
        raise _Unfit(f"its export's vectors differ by up to {difference:.2g} from its own")
    record: dict[str, Any] = {"sums": {"float32": Sums()(file)}, "difference": difference}
    try:
        cosine = _quantised(described, plain, making, texts, expected)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # Whatever a strange graph makes it raise: float32 stands.
        making.check_room(error)
        return record | {"lack": _line(error)}
    record["cosine"] = round(cosine, 4)
    if cosine < LEAST_COSINE:
        return record | {"lack": f"those in int8 have a cosine of {cosine:.2f} with them"}
    record["sums"]["int8"] = Sums()(making.work / "int8.onnx")
    return record


def _check_tokens(model: Any, described: ModelFolder, texts: Sequence[str]) -> None:
    """Raise _Unfit unless tokenizer.json alone cuts and reads texts as the model does."""
    tokenizer = tokenizer_of(described)
    for text in texts:
        own = model.tokenize([text])["input_ids"][0].tolist()
        if token_ids(tokenizer, text, lowercase=described.lowercase) != own:
            raise _Unfit("its tokenizer.json alone does not read texts as the model does")


def _trace(model: Any, file: Path) -> None:
    """Write the model, all its modules in a row, as a graph from one text's ids to its vector."""
    import torch

    example = model.tokenize([_PROBES[1]])
    has_types = "token_type_ids" in example

    class Steps(torch.nn.Module):  # type: ignore[misc,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any) -> Any:
            # One text, nothing padded: a mask of ones would only cost time.
            features = {"input_ids": input_ids}
            if has_types:
                features["token_type_ids"] = torch.zeros_like(input_ids)
            return self.model(features)["sentence_embedding"]

    with torch.inference_mode():
        torch.onnx.export(
            Steps().eval(),
            (example["input_ids"],),
            str(file),
            input_names=["input_ids"],
            output_names=["vector"],
            dynamic_axes={"input_ids": {1: "tokens"}},
            opset_version=17,
            dynamo=False,
        )


def _optimise(source: Path, target: Path) -> None:
    """Write a graph with its operations fused, as far as that fits every kind of processor."""
    onnxruntime = onnx_runtime()
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(target)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(str(source), options, providers=["CPUExecutionProvider"])


def _quantised(
    described: ModelFolder, plain: Path, making: _Making, texts: Sequence[str], expected: Any
) -> float:
    """Write int8.onnx; return the mean cosine of its vectors with the model's own."""
    raw, file = making.work / "raw.onnx", making.work / "int8.onnx"
    making.quantise(plain, raw)
    _optimise(raw, file)
    found = _vectors(described, file, texts)
    return float((found * expected).sum(axis=1).mean())


def _vectors(described: ModelFolder, file: Path, texts: Sequence[str]) -> Any:
    embedder = OnnxEmbedder(described, described.folder.name, _NoCounter(), file=file)
    try:
        return embedder.embed(texts)
    finally:
        embedder.close()


class _NoCounter:
    """Stands where a counter is asked for and none is needed."""

    window = 0
    exact = False
    vocabulary = ""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Never called."""
        raise NotImplementedError

    def cut(self, text: str, limit: int) -> int:
        """Never called."""
        raise NotImplementedError


if __name__ == "__main__":
    main(*sys.argv[1:])
