"""A sentence-transformers folder read without the library: what an index must know of a model.

Importing sentence_transformers takes 7 to 9 seconds; these are a few JSON files. What would run
code of the model's own, or unpickle its weights, is refused here, before anything is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from askmd.errors import ConfigError, EmbeddingError

DEFAULT_WINDOW = 512
"""Tokens, where no file of the model bounds them: what BERT's kin read."""

_TRANSFORMER_CONFIGS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_MODULES = frozenset({"Transformer", "Pooling", "Normalize", "Dense", "Dropout", "LayerNorm"})
_WEIGHED = frozenset({"Transformer", "Dense", "LayerNorm"})
_WIDTHS = ("hidden_size", "d_model", "dim", "n_embd", "embedding_size")
_POSITION_OFFSET = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet", "longformer"})
_LONGEST_HEADER = 100_000_000


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
class _Module:
    kind: str
    folder: Path


def describe(folder: Path) -> ModelFolder:
    """Return what the files of a model's folder say, without importing what would run it.

    Raises ConfigError where a model cannot be used safely or at all, EmbeddingError where its
    files are damaged. A folder of plain transformers, without modules.json, is mean-pooled.
    """
    modules = _modules(folder)
    base = modules[0].folder
    config = _json(base / "config.json")
    for described in (config, _json(base / "tokenizer_config.json", optional=True)):
        if "auto_map" in described:
            raise _remote_code(folder, "its configuration has an auto_map")
    tokenizer_file = base / "tokenizer.json"
    if not tokenizer_file.is_file():
        raise ConfigError(
            f"the model in {folder} has no tokenizer.json", "choose a model that has one"
        )
    sentence = _transformer_config(base)
    return ModelFolder(
        folder=folder,
        dim=_dim(modules, config),
        window=_window(base, config, sentence),
        lowercase=sentence.get("do_lower_case") is True,
        prompts=_prompts(folder),
        tokenizer_file=tokenizer_file,
        weights=_weights(folder, modules),
    )


def sha256_of(file: Path) -> str:
    """Return the hex sha256 of a file; read once a process, and again when it changes."""
    try:
        status = file.stat()
        return _sha256(file, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise EmbeddingError(
            f"{file} cannot be read: {error.strerror}", "fetch it again"
        ) from error


@lru_cache(maxsize=64)
def _sha256(file: Path, size: int, mtime_ns: int) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _json(file: Path, *, optional: bool = False) -> dict[str, Any]:
    loaded = _load(file, optional=optional)
    if not isinstance(loaded, dict):
        raise EmbeddingError(f"{file} holds no JSON object", "fetch the model again")
    return loaded


def _load(file: Path, *, optional: bool) -> Any:
    if optional and not file.is_file():
        return {}
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", "name a folder that holds a whole model"
        ) from error
    except (ValueError, RecursionError) as error:
        raise EmbeddingError(f"{file} is not JSON: {error}", "fetch the model again") from error


# --- modules --------------------------------------------------------------------------------


def _modules(folder: Path) -> list[_Module]:
    listed = folder / "modules.json"
    if not listed.is_file():
        return [_Module("Transformer", folder)]
    entries = _load(listed, optional=False)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise EmbeddingError(f"{listed} holds no list of modules", "fetch the model again")
    modules = [_module(folder, entry) for entry in entries]
    if not modules or modules[0].kind != "Transformer":
        raise ConfigError(
            f"the model in {folder} does not begin with a Transformer", "choose another model"
        )
    return modules


def _module(folder: Path, entry: Mapping[str, Any]) -> _Module:
    kind, path = entry.get("type"), entry.get("path", "")
    if not isinstance(kind, str) or not isinstance(path, str):
        raise EmbeddingError(f"{folder / 'modules.json'} is damaged", "fetch the model again")
    if not kind.startswith("sentence_transformers."):
        raise _remote_code(folder, f"modules.json names {kind}")
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
    return _Module(name, inside)


def _remote_code(folder: Path, why: str) -> ConfigError:
    return ConfigError(
        f"the model in {folder} needs code of its own, which askmd does not run: {why}",
        "choose another model",
    )


# --- sizes ----------------------------------------------------------------------------------


def _dim(modules: Sequence[_Module], config: Mapping[str, Any]) -> int:
    dim = next((config[key] for key in _WIDTHS if key in config), None)
    for module in modules[1:]:
        if module.kind == "Pooling":
            dim = _pooled(_json(module.folder / "config.json"), dim)
        elif module.kind == "Dense":
            dim = _json(module.folder / "config.json").get("out_features")
    if not isinstance(dim, int) or dim < 1:
        raise ConfigError(
            f"the model in {modules[0].folder} does not say how long its vectors are",
            "choose another model",
        )
    return dim


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


def _transformer_config(base: Path) -> dict[str, Any]:
    found = next((name for name in _TRANSFORMER_CONFIGS if (base / name).is_file()), None)
    return _json(base / found) if found else {}


def _window(base: Path, config: Mapping[str, Any], sentence: Mapping[str, Any]) -> int:
    """Return the least of what sentence-transformers, positions and tokenizer allow."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and config.get("model_type") in _POSITION_OFFSET:
        padding = config.get("pad_token_id")
        # These number their positions from behind the padding token's.
        positions -= (padding if isinstance(padding, int) else 1) + 1
    own = sentence.get("max_seq_length")
    if own is None:
        tokenizer = _json(base / "tokenizer_config.json", optional=True)
        own = tokenizer.get("model_max_length")
    bounds = [bound for bound in (own, positions) if isinstance(bound, int) and bound > 0]
    # Transformers writes 10^30 where a tokenizer has no bound.
    return min([bound for bound in bounds if bound < 10**9], default=DEFAULT_WINDOW)


def _prompts(folder: Path) -> dict[str, str]:
    config = _json(folder / "config_sentence_transformers.json", optional=True)
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


def _weights(folder: Path, modules: Sequence[_Module]) -> str:
    files = [file for module in modules for file in _weight_files(folder, module)]
    for file in files:
        _check_header(file)
    sums = [sha256_of(file) for file in files]
    if len(sums) == 1:
        return sums[0]
    return hashlib.sha256("\n".join(sums).encode("ascii")).hexdigest()


def _weight_files(folder: Path, module: _Module) -> Iterator[Path]:
    if module.kind not in _WEIGHED:
        return
    whole = module.folder / "model.safetensors"
    if whole.is_file():
        yield whole
        return
    shards = sorted(module.folder.glob("model-*-of-*.safetensors"))
    if not shards:
        raise ConfigError(
            f"the model in {folder} has no safetensors in {module.folder.name or '.'}: "
            "other weights can hold code, and askmd does not load them",
            "choose a model or revision with model.safetensors",
        )
    yield from shards


def _check_header(file: Path) -> None:
    """Raise EmbeddingError unless a safetensors file's header is whole and fits its size.

    The format: 8 bytes with the header's length, the header in JSON, the tensors' bytes.
    """
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        size = file.stat().st_size
        header = opened.read(length) if length <= min(size - 8, _LONGEST_HEADER) else b""
    try:
        tensors = json.loads(header)
        ends = [t["data_offsets"][1] for name, t in tensors.items() if name != "__metadata__"]
        is_whole = max(ends, default=0) == size - 8 - length
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise EmbeddingError(f"{file} is damaged or cut off", "fetch the model again")
