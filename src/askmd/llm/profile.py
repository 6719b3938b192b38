"""What one model on one server was found to take and to refuse, remembered between runs."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

TokenLimit = Literal["max_tokens", "max_completion_tokens", ""]
"""How a request names the tokens an answer may have; empty where neither name is taken."""

VERSION = 1
"""Of what the file says; another one's content is forgotten."""
MOST_SERVERS = 200
"""How many are remembered; those that were learned first are forgotten when there are more."""
LONGEST_SECONDS = 30 * 24 * 3600.0
"""How long something learned counts: a server may have learned something itself since."""
LONGEST_WINDOW_SECONDS = 24 * 3600.0
"""How long a window counts: a wrong one would go on to leave passages out."""
WAIT_SECONDS = 1.0
"""How long another process may write before nothing is remembered."""
_LIMITS: tuple[TokenLimit, ...] = ("max_tokens", "max_completion_tokens", "")
WINDOWS = range(256, 100_000_001)
"""What a window can be in earnest."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a request to one model on one server may hold."""

    takes_usage_option: bool = True
    """Whether it may ask for the token counts of a stream."""
    takes_temperature: bool = True
    takes_system_role: bool = True
    """Whether instructions may stand in a message of their own."""
    token_limit: TokenLimit = "max_tokens"
    window: int | None = None
    """Tokens it reads and writes in all; None where nobody has told."""


class Profiles(Protocol):
    """Remembers profiles by a server's address and a model's name."""

    def recall(self, address: str, model: str) -> Profile | None:
        """Return what was learned; None where nothing was, or too long ago."""

    def remember(self, address: str, model: str, profile: Profile) -> None:
        """Keep what was learned; where that cannot be, do nothing."""


class ProfileFile:
    """Profiles in one JSON file; a damaged or unwritable one costs a request, no more."""

    def __init__(self, file: Path, *, now: Callable[[], float] = time.time) -> None:
        """Take the file to remember them in, which need not exist."""
        self._file = file
        self._now = now

    def recall(self, address: str, model: str) -> Profile | None:
        """Return what was learned; None where nothing was, or too long ago."""
        found = self._read().get(_key(address, model))
        profile = _profile(found) if found is not None else None
        if profile is None or found is None or self._is_young(found.get("window_learned")):
            return profile
        return replace(profile, window=None)

    def remember(self, address: str, model: str, profile: Profile) -> None:
        """Keep what was learned; where that cannot be, do nothing."""
        from filelock import FileLock

        # NotImplementedError: a file system without locks. Whoever comes too late has lost a hint.
        with suppress(OSError, NotImplementedError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = self._file.with_name(f"{self._file.name}.lock")
            with FileLock(lock, timeout=WAIT_SECONDS, mode=0o600, poll_interval=0.01):
                self._add(_key(address, model), profile)

    def _add(self, key: str, profile: Profile) -> None:
        """Put a profile into the file that nobody else writes now; raises OSError."""
        known = self._read()
        before, now = known.pop(key, {}), self._now()
        stamp = before.get("window_learned")
        # What is learned of other things makes a window no younger.
        is_same = before.get("window") == profile.window and self._is_young(stamp)
        known[key] = {
            "learned": now,
            "window_learned": stamp if is_same else now,
            **asdict(profile),
        }
        for old in list(known)[:-MOST_SERVERS]:
            del known[old]
        _write(self._file, {"version": VERSION, "servers": known})

    def _read(self) -> dict[str, dict[str, Any]]:
        """Return what is known and not too old; nothing of a file that makes no sense."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            servers = found["servers"] if found["version"] == VERSION else {}
            return {key: one for key, one in servers.items() if self._counts(one)}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}

    def _is_young(self, stamp: Any) -> bool:
        """Whether a window that was learned then still counts."""
        is_number = isinstance(stamp, (int, float))
        return is_number and 0 <= self._now() - stamp <= LONGEST_WINDOW_SECONDS

    def _counts(self, found: dict[str, Any]) -> bool:
        # A clock that was set back must not make anything count for ever.
        return 0 <= self._now() - float(found["learned"]) <= LONGEST_SECONDS


def _key(address: str, model: str) -> str:
    return f"{address.rstrip('/')} {model}"


def _profile(found: dict[str, Any]) -> Profile | None:
    """Return a profile that was read; None of what is none."""
    usage, temperature, system = (
        found.get(f"takes_{what}") for what in ("usage_option", "temperature", "system_role")
    )
    limit = next((one for one in _LIMITS if one == found.get("token_limit")), None)
    if not isinstance(usage, bool) or not isinstance(temperature, bool):
        return None
    if not isinstance(system, bool) or limit is None:
        return None
    window = found.get("window")
    kept = window if type(window) is int and window in WINDOWS else None
    return Profile(usage, temperature, system, limit, kept)


def _write(file: Path, content: dict[str, Any]) -> None:
    """Replace the file as a whole, for its owner alone; raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix="servers-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            json.dump(content, opened)
        Path(temporary).replace(file)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
