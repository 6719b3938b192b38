"""What can be had of front matter that YAML or TOML refuses: the plain pairs, as strings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_CHARS = 1000
"""A longer value stays where it is."""
_QUOTED = re.compile(r"\"([^\"\\]*)\"|'([^']*)'")
_CLOSERS = {'"': '"', "'": "'", "[": "]", "{": "}"}
_UNPLAIN = frozenset("[]{}&*!|>%@`\"',#~")
"""What starts a value that is more than its own characters."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How YAML or TOML writes one pair on one line."""

    opening: re.Pattern[str]
    """The first line that is not a comment."""
    pair: re.Pattern[str]
    """A key and its value; neither is indented."""


YAML = Notation(
    re.compile(r"[ \t]*(?:<<|[\"']?\w[\w .$/@-]{0,99}[\"']?)[ \t]*:(?:[ \t]|$)"),
    re.compile(r"(\w[\w .-]{0,99}?)[ \t]*:[ \t]+(\S.*)"),
)
TOML = Notation(
    re.compile(r"[ \t]*(?:[\"']?\w[\w .\"'-]{0,99}=|\[)"),
    re.compile(r"(\w[\w-]{0,99})[ \t]*=[ \t]*(\S.*)"),
)


def is_meant(lines: Sequence[str], notation: Notation) -> bool:
    """Return whether the lines between two markers look like front matter at all.

    A blank line and a ``#`` line after the first marker are a rule and a heading.
    """
    written = [line for line in lines if line.strip()]
    if not written or (not lines[0].strip() and any(line.startswith("#") for line in written)):
        return False
    said = (line for line in written if not line.lstrip().startswith("#"))
    return notation.opening.match(next(said, "")) is not None


def pairs(lines: Sequence[str], notation: Notation) -> dict[str, str]:
    """Return the pairs that can mean one thing only; of a key that comes twice, none."""
    found: dict[str, str] = {}
    repeated: set[str] = set()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        match = notation.pair.match(line)
        if line.startswith("[") or (match and _goes_on(match[2])):
            break  # What follows belongs to a table, or to this value.
        if match is None or following.startswith((" ", "\t")):
            continue
        if match[1] in found:
            repeated.add(match[1])
        if value := _plain(match[2]):
            found[match[1]] = value
    return {key: value for key, value in found.items() if key not in repeated}


def _goes_on(value: str) -> bool:
    closer = _CLOSERS.get(value[0])
    return closer is not None and (len(value.rstrip()) < 2 or not value.rstrip().endswith(closer))


def _plain(value: str) -> str:
    """Return what a value says, or '' where it may mean something else than its characters."""
    value = value.partition(" #")[0].rstrip()
    if len(value) > MAX_CHARS or not value.isprintable() or value in ("", "null"):
        return ""
    if quoted := _QUOTED.fullmatch(value):
        return quoted[1] or quoted[2] or ""
    return "" if value[0] in _UNPLAIN else value
