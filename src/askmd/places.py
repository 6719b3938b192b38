"""What belongs to the user rather than to one index: settings, chat history, consents, a cache."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_config_path, user_state_path

from askmd.errors import ConfigError


def settings_file() -> Path:
    """Return where the user's own configuration file is, whether it exists or not."""
    return user_config_path("askmd", appauthor=False) / "config.toml"


def has_settings() -> bool:
    """Whether the user has a configuration file of their own, as far as can be seen."""
    try:
        return settings_file().is_file()
    except OSError:
        return False


def history_file() -> Path | None:
    """Return where the chat keeps the lines that were typed; None where nothing can be kept."""
    folder = _state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder / "history" if os.access(folder, os.W_OK) else None


def conversation_file(index: Path) -> Path | None:
    """Return where an index's last conversation is kept; None where nothing can be kept."""
    history = history_file()
    if history is None:
        return None
    name = sha256(str(index.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return history.parent / "conversations" / f"{name}.json"


def paths() -> list[Path]:
    """Return every file askmd keeps for the user outside an index."""
    own = [settings_file(), _state_folder() / "history", _consents_file(), servers_file()]
    own += [sums_file(), servers_file().with_name("servers.json.lock")]
    own += sorted((_state_folder() / "conversations").glob("*"))
    return own + sorted(models_folder().glob("*/*"))


def models_folder() -> Path:
    """Return where exported models are kept; removing it costs the time to make them again."""
    return _cache_folder() / "models"


def servers_file() -> Path:
    """Return where it is kept what LLMs' servers refuse; removing it costs them a request each."""
    return _state_folder() / "servers.json"


def sums_file() -> Path:
    """Return where the sha256 of large files are remembered; removing it costs a second."""
    return _cache_folder() / "sums.json"


def is_trusted(file: Path) -> bool:
    """Whether the user has trusted this configuration file with exactly this content."""
    return bool(_consents()["trusted"].get(str(file.resolve())) == _digest(file))


def trust(file: Path) -> None:
    """Remember that this file, as it is now, may name endpoints and key variables."""
    consents = _consents()
    consents["trusted"][str(file.resolve())] = _digest(file)
    try:
        _save(consents)
    except OSError as error:
        target = _consents_file()
        raise ConfigError(
            f"{target} cannot be written: {error.strerror}", "mend its folder, or use --config"
        ) from error


def is_first_use(endpoint: str, purpose: str) -> bool:
    """Whether text goes to this endpoint for the first time; from now on it does not.

    Where nothing can be remembered the answer stays yes, so that the notice is never lost.
    """
    consents = _consents()
    if [endpoint, purpose] in consents["told"]:
        return False
    consents["told"].append([endpoint, purpose])
    with suppress(OSError):
        _save(consents)
    return True


def _state_folder() -> Path:
    return user_state_path("askmd", appauthor=False)


def _cache_folder() -> Path:
    return user_cache_path("askmd", appauthor=False)


def _consents_file() -> Path:
    return _state_folder() / "consents.json"


def _consents() -> dict[str, Any]:
    """Return what the user agreed to; a missing or broken file means nothing."""
    try:
        found = json.loads(_consents_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    read = found if isinstance(found, dict) else {}
    trusted, told = read.get("trusted"), read.get("told")
    return {
        "trusted": trusted if isinstance(trusted, dict) else {},
        "told": told if isinstance(told, list) else [],
    }


def _save(consents: dict[str, Any]) -> None:
    """Replace the file as a whole; raises OSError."""
    target = _consents_file()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix="consents-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(consents, file)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
