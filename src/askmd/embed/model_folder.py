"""A sentence-transformers folder read without the library: what an index must know of a model.

Importing sentence_transformers takes 7 to 9 seconds; these are a few JSON files.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from askmd.embed.known_prefixes import prefixes
from askmd.embed.model_files import (
    load_json,
    read_json,
    remote_code,
    sentence_config,
    tensor_names,
    transformer,
    weight_files,
    window,
)
from askmd.embed.sums import SumOf, Sums
from askmd.errors import ConfigError, EmbeddingError

_MODULES = frozenset({"Transformer", "Pooling", "Normalize", "Dense", "Dropout", "LayerNorm"})
_WEIGHED = frozenset({"Transformer", "Dense", "LayerNorm"})
_WIDTHS = ("hidden_size", "d_model", "dim", "n_embd", "embedding_size")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a model's files say of it."""

    folder: Path
    dim: int
    window: int
    """Tokens the model reads of one text, special tokens inside."""
    lowercase: bool
    """Whether texts are lowered before they are tokenized."""
    prompts: Mapping[str, str]
    """The model's own, by name, such as ``query`` and ``document``; its default under both."""
    tokenizer_file: Path
    weights: str
    """sha256 of the weights: of the one safetensors file, or over those of all in order."""


@dataclass(frozen=True, slots=True)
class Module:
    """One step of a model, as modules.json names it."""

    kind: str
    folder: Path


def describe(folder: Path, sum_of: SumOf | None = None) -> ModelFolder:
    """Return what the files of a model's folder say, without importing what would run it.

    sum_of: gives a file's sha256; else all of it is read. Raises ConfigError where a model cannot
    be used safely or at all, EmbeddingError where its files are damaged. A folder of plain
    transformers, without modules.json, is mean-pooled.
    """
    modules = modules_of(folder)
    base = modules[0].folder
    config = transformer(folder, base)
    prompts = _prompts(folder)
    _check_pooling(modules, prompts)
    return ModelFolder(
        folder=folder,
        dim=_dim(modules, config),
        window=window(base, config),
        lowercase=sentence_config(base).get("do_lower_case") is True,
        prompts=prompts,
        tokenizer_file=base / "tokenizer.json",
        weights=_weights(folder, modules, sum_of or Sums()),
    )


# --- modules --------------------------------------------------------------------------------


def modules_of(folder: Path) -> list[Module]:
    """Return the steps of a model, a Transformer first; that one alone without a modules.json."""
    listed = folder / "modules.json"
    if not listed.is_file():
        return [Module("Transformer", folder)]
    entries = load_json(listed)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise EmbeddingError(f"{listed} holds no list of modules", "fetch the model again")
    modules = [_module(folder, entry) for entry in entries]
    if not modules or modules[0].kind != "Transformer":
        raise ConfigError(
            f"the model in {folder} does not begin with a Transformer", "choose another model"
        )
    return modules


def _module(folder: Path, entry: Mapping[str, Any]) -> Module:
    kind, path = entry.get("type"), entry.get("path", "")
    if not isinstance(kind, str) or not isinstance(path, str):
        raise EmbeddingError(f"{folder / 'modules.json'} is damaged", "fetch the model again")
    if not kind.startswith("sentence_transformers."):
        raise remote_code(folder, f"modules.json names {kind}")
    name = kind.rpartition(".")[2]
    if name not in _MODULES:
        raise ConfigError(
            f"the model in {folder} has a module that askmd does not run: {kind}",
            "choose another model",
        )
    inside = folder / path
    parts = PurePosixPath(path.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in path:
        raise ConfigError(
            f"modules.json in {folder} leads outside the folder: {path}", "do not use this model"
        )
    return Module(name, inside)


# --- sizes ----------------------------------------------------------------------------------


def _dim(modules: Sequence[Module], config: Mapping[str, Any]) -> int:
    dim = next((config[key] for key in _WIDTHS if key in config), None)
    for module in modules[1:]:
        if module.kind == "Pooling":
            dim = _pooled(read_json(module.folder / "config.json"), dim)
        elif module.kind == "Dense":
            config = read_json(module.folder / "config.json")
            _check_activation(modules[0].folder, config.get("activation_function", ""))
            dim = config.get("out_features")
    if not isinstance(dim, int) or dim < 1:
        raise ConfigError(
            f"the model in {modules[0].folder} does not say how long its vectors are",
            "choose another model",
        )
    return dim


def _check_activation(folder: Path, name: object) -> None:
    """Raise ConfigError unless an activation is one of torch's own: its name is imported."""
    if name and not re.fullmatch(r"torch\.nn\.modules\.(activation|linear)\.\w+", str(name)):
        raise remote_code(folder, f"an activation function is {name}")


def _pooled(config: Mapping[str, Any], before: Any) -> Any:
    """Return the length after pooling: each mode adds a vector of the words' length."""
    width = config.get("embedding_dimension", config.get("word_embedding_dimension", before))
    mode = config.get("pooling_mode")
    if mode is None:
        flags = [value for key, value in config.items() if key.startswith("pooling_mode_")]
        modes = max(sum(flag is True for flag in flags), 1)
    else:
        modes = len(mode) if isinstance(mode, list) else 1
    return width * modes if isinstance(width, int) else width


def _check_pooling(modules: Sequence[Module], prompts: Mapping[str, str]) -> None:
    """Raise ConfigError for a model that reads prompts and leaves them out of its vectors."""
    if not any(prefixes("", prompts)):
        return
    for module in modules:
        config = module.folder / "config.json"
        if module.kind == "Pooling" and read_json(config).get("include_prompt") is False:
            raise ConfigError(
                f"the model in {modules[0].folder} has prompts, and its pooling leaves the prompt "
                "out, which askmd does not do",
                "choose another model",
            )


def _prompts(folder: Path) -> dict[str, str]:
    config = read_json(folder / "config_sentence_transformers.json", optional=True)
    given = config.get("prompts")
    prompts = {
        name: text
        for name, text in (given.items() if isinstance(given, dict) else ())
        if isinstance(text, str)
    }
    default = config.get("default_prompt_name")
    if isinstance(default, str) and default in prompts:
        prompts = {"query": prompts[default], "document": prompts[default], **prompts}
    return prompts


# --- weights --------------------------------------------------------------------------------


def _weights(folder: Path, modules: Sequence[Module], sum_of: SumOf) -> str:
    weighed = [module.folder for module in modules if module.kind in _WEIGHED]
    files = [file for part in weighed for file in weight_files(folder, part)]
    for file in files:
        tensor_names(file)
    sums = [sum_of(file) for file in files]
    if len(sums) == 1:
        return sums[0]
    return hashlib.sha256("\n".join(sums).encode("ascii")).hexdigest()
