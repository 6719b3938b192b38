"""A cross-encoder's folder read without the library that runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmd.embed.model_files import tensor_names, transformer, weight_files, window
from askmd.embed.model_folder import modules_of
from askmd.errors import ConfigError

_KIND = "ForSequenceClassification"
_HEADS = frozenset({"classifier", "classification_head", "score", "logits_proj"})
_NEXT_STEP = "name a cross-encoder in search.reranker, or leave it empty"


@dataclass(frozen=True, slots=True)
class CrossEncoderFolder:
    """What a cross-encoder's files say of it."""

    folder: Path
    window: int
    """Tokens the model reads of a question and a passage together, special tokens inside."""


def describe_cross_encoder(folder: Path) -> CrossEncoderFolder:
    """Return what the files of a cross-encoder say, without importing what would run it.

    Raises ConfigError where it cannot be used safely, or gives no single score, EmbeddingError
    where its files are damaged.
    """
    modules = modules_of(folder)
    if len(modules) > 1:
        kinds = ", ".join(module.kind for module in modules)
        raise ConfigError(
            f"the model in {folder} is no plain cross-encoder: it is made of {kinds}", _NEXT_STEP
        )
    base = modules[0].folder
    config = transformer(folder, base)
    _check_kind(folder, config)
    names = [name for file in weight_files(folder, base) for name in tensor_names(file)]
    # Transformers would fill an absent head with random numbers and go on.
    if not any(_HEADS & set(name.split(".")) for name in names):
        raise ConfigError(
            f"the model in {folder} was never trained to score: its weights have no classifier",
            _NEXT_STEP,
        )
    return CrossEncoderFolder(folder, window(base, config))


def _check_kind(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise ConfigError unless a configuration is that of a model with one score a pair."""
    architectures = config.get("architectures")
    name = architectures[0] if isinstance(architectures, list) and architectures else None
    if not str(name).endswith(_KIND):
        raise ConfigError(
            f"the model in {folder} is no cross-encoder: its architecture is {name or 'not said'}, "
            f"and none that ends in {_KIND}",
            _NEXT_STEP,
        )
    labels = config.get("id2label")
    # Two is what transformers takes where neither is written.
    count = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    if count != 1:
        raise ConfigError(
            f"the model in {folder} sorts pairs into {count} classes and has no single score",
            _NEXT_STEP,
        )
