"""What the user's cache holds of a model's export to ONNX, trusted only as it was made."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from askmd.embed.model_files import load_json
from askmd.embed.model_folder import ModelFolder, modules_of
from askmd.embed.sums import SumOf
from askmd.errors import AskmdError, EmbeddingError

FORMAT = 1
"""Changes with every way of exporting that gives other files."""
RECORD = "model.json"
_LIBRARIES = ("torch", "transformers", "sentence-transformers", "onnx", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Export:
    """What is known of a model's export."""

    folder: Path
    sums: Mapping[str, str]
    """sha256 of each file that may be used, by precision: ``float32``, ``int8``."""
    failure: str
    """Why the model cannot be exported; empty when it can."""
    lack: str = ""
    """Why there is no int8; empty where there is."""
    may_be_mended: bool = False
    """Whether int8 is missing because the making broke off, not because its vectors are bad."""

    def file(self, precision: str) -> Path:
        """Return where the file of a precision is."""
        return self.folder / f"{precision}.onnx"


def find_export(cache: Path, described: ModelFolder, sum_of: SumOf) -> Export | None:
    """Return a model's export, its files as they were made; None where it is to be made."""
    if not is_ours(cache):
        return None
    found = read_export(export_folder(cache, described, sum_of))
    if found is None:
        return None
    if found.failure:
        # Another version of a library may do better.
        return found if _record(found.folder).get("versions") == versions() else None
    try:
        sums = {precision: sum_of(found.file(precision)) for precision in found.sums}
    except EmbeddingError:
        return None
    return found if sums == found.sums else None


def read_export(folder: Path) -> Export | None:
    """Return what a folder's record says; None where there is none, or none that makes sense."""
    record = _record(folder)
    sums, failure = record.get("sums", {}), record.get("failure", "")
    if record.get("format") != FORMAT or not isinstance(failure, str):
        return None
    if not isinstance(sums, dict) or not (failure or "float32" in sums):
        return None
    lack = "" if "int8" in sums or failure else str(record.get("lack") or "making it broke off")
    # No cosine: nobody has seen an int8 vector yet.
    return Export(folder, sums, failure, lack, bool(lack) and not record.get("cosine"))


def export_folder(cache: Path, described: ModelFolder, sum_of: SumOf) -> Path:
    """Return where a model's export is: a hash of all that its graph and its check depend on."""
    modules = modules_of(described.folder)
    parts = [
        FORMAT,
        described.weights,
        described.window,
        described.lowercase,
        sum_of(described.tokenizer_file),
        [module.kind for module in modules],
        [load_json(module.folder / "config.json", optional=True) for module in modules],
    ]
    return cache / hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def is_ours(folder: Path) -> bool:
    """Whether a folder is there and only this user, or root, can have put files into it."""
    try:
        status = folder.stat()
    except OSError:
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid in {0, os.geteuid()} and not status.st_mode & 0o022


def versions() -> dict[str, str]:
    """Return the versions of the libraries an export is made with."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def _record(folder: Path) -> Mapping[str, object]:
    try:
        found = load_json(folder / RECORD, optional=True)
    except AskmdError:
        return {}
    return found if isinstance(found, dict) else {}
