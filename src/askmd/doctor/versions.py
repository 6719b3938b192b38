"""Libraries with a fault that is known, by the version that mends it; none is imported."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata

from askmd.doctor.finding import Finding

_Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Floor:
    """The first version of a library that is without a fault."""

    name: str
    version: _Version
    fault: str
    """What is wrong before, and what it means here."""
    step: str = ""
    """What mends it; by default a newer version."""


_FLOORS = (
    _Floor(
        "torch",
        (2, 10),
        "can be made to run code by a pickled model (CVE-2025-32434, CVE-2026-24747); "
        "askmd loads safetensors alone",
    ),
    _Floor("mcp", (1, 23), "does not keep web pages out of an HTTP server (CVE-2025-66416)"),
    _Floor(
        "pgvector",
        (0, 8, 4),
        "says nothing of the extension in the server, which before 0.8.4 can corrupt an index "
        "(CVE-2026-3172, the vacuum race)",
        "look there: SELECT extversion FROM pg_extension WHERE extname = 'vector'",
    ),
)
_SQLITE_FIXED = ((3, 51, 3), (3, 50, 7), (3, 44, 6))
"""The newest line with the fix, and the older ones that it was brought back to."""


def of_versions(
    version_of: Callable[[str], str | None] | None = None,
    sqlite: _Version = sqlite3.sqlite_version_info,
) -> list[Finding]:
    """Return a note for each library of a version with a known fault; one line where there is none.

    version_of: the version of an installed distribution; None where it is not installed.
    """
    version_of = version_of or _installed
    findings = []
    if not _is_sqlite_fixed(sqlite):
        findings.append(
            Finding(
                "sqlite",
                False,
                f"SQLite {_shown(sqlite)} can lose commits where two connections checkpoint at "
                "once; it does no harm here, for only the writer of an index does",
                "a Python with SQLite 3.51.3 or later (or 3.50.7, 3.44.6) is without it",
            )
        )
    for floor in _FLOORS:
        version = version_of(floor.name)
        if version is not None and _parsed(version) < floor.version:
            step = floor.step or f"run `pip install -U '{floor.name}>={_shown(floor.version)}'`"
            message = f"{floor.name} {version} {floor.fault}"
            findings.append(Finding(floor.name, False, message, step))
    if not findings:
        message = f"SQLite {_shown(sqlite)}, and no library of a version with a known fault"
        findings.append(Finding("versions", False, message))
    return findings


def _is_sqlite_fixed(version: _Version) -> bool:
    newest, *older = _SQLITE_FIXED
    return version >= newest or any(version[:2] == line[:2] and version >= line for line in older)


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _parsed(version: str) -> _Version:
    """Return the numbers a version begins with: what comes before a release counts as it."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()


def _shown(version: _Version) -> str:
    return ".".join(map(str, version))
