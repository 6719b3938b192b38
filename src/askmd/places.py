"""What belongs to the user rather than to one index: their settings, chat history, consents."""

from __future__ import annotations

import json
import os
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

from platformdirs import user_config_path, user_state_path


def settings_file() -> Path:
    """Return where the user's own configuration file is, whether it exists or not."""
    return user_config_path("askmd", appauthor=False) / "config.toml"


def history_file() -> Path:
    """Return where the chat keeps the lines that were typed; its folder is made if need be."""
    folder = _state_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / "history"


def paths() -> list[Path]:
    """Return every file askmd keeps for the user outside an index."""
    return [settings_file(), _state_folder() / "history", _consents_file()]


def is_trusted(file: Path) -> bool:
    """Whether the user has trusted this configuration file with exactly this content."""
    trusted = _consents().get("trusted", {}).get(str(file.resolve()))
    return bool(trusted == _digest(file))


def trust(file: Path) -> None:
    """Remember that this file, as it is now, may name endpoints and key variables."""
    consents = _consents()
    consents.setdefault("trusted", {})[str(file.resolve())] = _digest(file)
    _save(consents)


def is_first_use(endpoint: str, purpose: str) -> bool:
    """Whether text goes to this endpoint for the first time; from now on it does not.

    Where nothing can be remembered the answer stays yes, so that the notice is never lost.
    """
    consents = _consents()
    told = consents.setdefault("told", [])
    if [endpoint, purpose] in told:
        return False
    told.append([endpoint, purpose])
    _save(consents)
    return True


def _state_folder() -> Path:
    return user_state_path("askmd", appauthor=False)


def _consents_file() -> Path:
    return _state_folder() / "consents.json"


def _consents() -> dict[str, Any]:
    """Return what the user agreed to; a missing or broken file means nothing."""
    try:
        found = json.loads(_consents_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _save(consents: dict[str, Any]) -> None:
    """Replace the file as a whole; a full disk or a read-only home is not worth an error."""
    target = _consents_file()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix="consents-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(consents, file)
        Path(temporary).replace(target)
    except OSError:
        return


def _digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()
