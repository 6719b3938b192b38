"""The files of a model's folder, read before any library may touch them.

What would run code of the model's own, fetch more of it, or unpickle its weights is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from askmd.errors import ConfigError, EmbeddingError

DEFAULT_WINDOW = 512
"""Tokens, where no file of the model bounds them: what BERT's kin read."""

_TRANSFORMER_CONFIGS = tuple(
    f"sentence_{kind}_config.json"
    for kind in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
_POSITION_OFFSET = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet", "longformer"})
_LONGEST_HEADER = 100_000_000
_LONGEST_JSON = 16_000_000
_LONGEST_TOKENIZER = 256_000_000
_MOST_FILES = 10_000
_WISHES = frozenset(
    f"{kind}_{end}"
    for kind in ("model", "config", "tokenizer", "processor")
    for end in ("args", "kwargs")
)
_HARMLESS = frozenset(
    {
        "add_pooling_layer",
        "attn_implementation",
        "dtype",
        "model_max_length",
        "padding_side",
        "torch_dtype",
        # Sentence-transformers takes it out again.
        "trust_remote_code",
        "use_fast",
    }
)
# Transformers fetches a kernel, which is code, where one of these names a repository.
_IMPLEMENTATIONS = ("attn_implementation", "_attn_implementation", "experts_implementation")


def read_json(file: Path, *, optional: bool = False) -> dict[str, Any]:
    """Return the object in a file; an empty one where an optional file is absent."""
    loaded = load_json(file, optional=optional)
    if not isinstance(loaded, dict):
        raise EmbeddingError(f"{file} holds no JSON object", "fetch the model again")
    return loaded


def load_json(file: Path, *, optional: bool = False) -> Any:
    """Return what a JSON file holds, of any type."""
    if optional and not file.is_file():
        return {}
    try:
        check_size(file, _LONGEST_JSON)
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be read: {error.strerror}", "name a folder that holds a whole model"
        ) from error
    except (ValueError, RecursionError) as error:
        raise EmbeddingError(f"{file} is not JSON: {error}", "fetch the model again") from error


def check_size(file: Path, most_bytes: int) -> None:
    """Raise EmbeddingError for a file that nobody could read whole: too large, or a device."""
    # A pipe or a device is opened by nobody: to read one may take for ever.
    if file.exists() and not file.is_file():
        raise EmbeddingError(f"{file} is no plain file", "do not use this model")
    if file.stat().st_size > most_bytes:
        raise EmbeddingError(
            f"{file} is larger than {most_bytes // 1_000_000} MB", "do not use this model"
        )


def transformer(folder: Path, base: Path) -> dict[str, Any]:
    """Return the configuration of the transformer in ``base``, whose files are all there and safe.

    folder: the whole model's, to be named in errors.
    """
    config = read_json(base / "config.json")
    tokenizer = read_json(base / "tokenizer_config.json", optional=True)
    for described in (config, tokenizer):
        if "auto_map" in described:
            raise remote_code(folder, "its configuration has an auto_map")
    _check_kernels(folder, config)
    _check_wishes(folder, base)
    if config.get("transformers_weights") or tokenizer.get("fast_tokenizer_files"):
        raise ConfigError(
            f"the model in {folder} names other files than the usual ones, which askmd does not "
            "read",
            "choose another model",
        )
    if (base / "adapter_config.json").is_file():
        raise ConfigError(
            f"the model in {folder} is an adapter to another one, which askmd does not run",
            "choose a model whose weights are whole",
        )
    if not (base / "tokenizer.json").is_file():
        raise ConfigError(
            f"the model in {folder} has no tokenizer.json", "choose a model that has one"
        )
    check_size(base / "tokenizer.json", _LONGEST_TOKENIZER)
    return config


def _check_kernels(folder: Path, described: Mapping[str, Any]) -> None:
    for name in _IMPLEMENTATIONS:
        if "/" in str(described.get(name, "")):
            raise remote_code(folder, f"its configuration has {name} {described[name]}")


def _check_wishes(folder: Path, base: Path) -> None:
    """Raise ConfigError for what a model's own settings must not ask of the libraries.

    They go as arguments to what loads it: other files, kernels from a hub, folders to write to.
    """
    for file in (base / name for name in _TRANSFORMER_CONFIGS):
        config = read_json(file, optional=True)
        for key in _WISHES & config.keys():
            wishes = config[key] if isinstance(config[key], dict) else {key: config[key]}
            _check_kernels(folder, wishes)
            if foreign := sorted(wishes.keys() - _HARMLESS):
                raise ConfigError(
                    f"the model in {folder} asks for what askmd does not do: "
                    f"{key} {', '.join(foreign)} in {file.name}",
                    "choose another model",
                )
        if _methods(config.get("modality_config")) - {"forward"}:
            raise ConfigError(
                f"the model in {folder} is not run as others are: {file.name} names a method",
                "choose another model",
            )


def _methods(modalities: Any) -> set[str]:
    parts = modalities.values() if isinstance(modalities, dict) else ()
    return {str(one.get("method", "forward")) for one in parts if isinstance(one, dict)}


def check_links(folder: Path) -> None:
    """Raise ConfigError if a file of a model's folder is a link to somewhere else.

    A hub's cache keeps its files in a folder beside: what leads there is no stranger's.
    """
    home = folder.resolve()
    allowed = [home]
    if home.parent.name == "snapshots":
        allowed.append(home.parents[1] / "blobs")
    for number, file in enumerate(folder.rglob("*")):
        if number >= _MOST_FILES:
            raise ConfigError(f"{folder} holds too many files for a model", "name another folder")
        target = _target(file) if file.is_symlink() else None
        if target is not None and not any(target.is_relative_to(one) for one in allowed):
            raise ConfigError(
                f"the model in {folder} has a link that leads outside: {file.name}",
                "put a copy in its place if it is yours, else do not use this model",
            )


def _target(link: Path) -> Path:
    """Return where a link leads; itself where that is nowhere."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):
        return link


def remote_code(folder: Path, why: str) -> ConfigError:
    """Return the error for a model that only runs with Python of its own."""
    return ConfigError(
        f"the model in {folder} needs code of its own, which askmd does not run: {why}",
        "choose another model",
    )


def sentence_config(base: Path) -> dict[str, Any]:
    """Return what sentence-transformers keeps of a transformer beside its configuration."""
    found = next((name for name in _TRANSFORMER_CONFIGS if (base / name).is_file()), None)
    return read_json(base / found) if found else {}


def window(base: Path, config: Mapping[str, Any]) -> int:
    """Return the least of what sentence-transformers, positions and tokenizer allow."""
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int) and config.get("model_type") in _POSITION_OFFSET:
        padding = config.get("pad_token_id")
        # These number their positions from behind the padding token's.
        positions -= (padding if isinstance(padding, int) else 1) + 1
    own = sentence_config(base).get("max_seq_length")
    if own is None:
        own = read_json(base / "tokenizer_config.json", optional=True).get("model_max_length")
    bounds = [bound for bound in (own, positions) if isinstance(bound, int) and bound > 0]
    # Transformers writes 10^30 where a tokenizer has no bound.
    return min([bound for bound in bounds if bound < 10**9], default=DEFAULT_WINDOW)


# --- weights --------------------------------------------------------------------------------


def weight_files(folder: Path, base: Path) -> Iterator[Path]:
    """Yield the safetensors files of one part of a model; raises ConfigError if there are none."""
    whole = base / "model.safetensors"
    if whole.is_file():
        yield whole
        return
    shards = sorted(base.glob("model-*-of-*.safetensors"))
    listed = read_json(base / "model.safetensors.index.json", optional=True).get("weight_map", {})
    named = {str(name) for name in listed.values()} if isinstance(listed, dict) else set()
    if shards and named != {shard.name for shard in shards}:
        raise ConfigError(
            f"the model in {folder} lists other weights than it has", "fetch the model again"
        )
    if not shards:
        raise ConfigError(
            f"the model in {folder} has no safetensors in {base.name or '.'}: "
            "other weights can hold code, and askmd does not load them",
            "choose a model or revision with model.safetensors",
        )
    yield from shards


def tensor_names(file: Path) -> list[str]:
    """Return the names of a safetensors file's tensors.

    Raises EmbeddingError unless its header is whole and fits its size. The format: 8 bytes with
    the header's length, the header in JSON, the tensors' bytes.
    """
    try:
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            size = file.stat().st_size
            header = opened.read(length) if length <= min(size - 8, _LONGEST_HEADER) else b""
        tensors = json.loads(header)
        tensors.pop("__metadata__", None)
        ends = [tensor["data_offsets"][1] for tensor in tensors.values()]
        is_whole = max(ends, default=0) == size - 8 - length
    except OSError as error:
        raise EmbeddingError(
            f"{file} cannot be read: {error.strerror}", "fetch it again"
        ) from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise EmbeddingError(f"{file} is damaged or cut off", "fetch the model again")
    return list(tensors)
