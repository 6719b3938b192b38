"""What can be had of front matter that YAML or TOML refuses: each pair that is sound by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_CHARS = 1000
"""A longer value stays where it is."""
MAX_LOADED = 500
"""So many pairs are loaded one by one; of those after them, the plain ones are had."""
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
    start: re.Pattern[str]
    """A line that begins a pair or a table, whatever its value."""


YAML = Notation(
    re.compile(r"[ \t]*(?:<<|[\"']?\w[\w .$/@-]{0,99}[\"']?)[ \t]*:(?:[ \t]|$)"),
    re.compile(r"(\w[\w .-]{0,99}?)[ \t]*:[ \t]+(\S.*)"),
    re.compile(r"[\"']?\w[\w .$/@-]{0,99}[\"']?[ \t]*:(?:[ \t]|$)"),
)
TOML = Notation(
    re.compile(r"[ \t]*(?:[\"']?\w[\w .\"'-]{0,99}=|\[)"),
    re.compile(r"(\w[\w-]{0,99})[ \t]*=[ \t]*(\S.*)"),
    re.compile(r"[\"']?\w[\w .\"'-]{0,99}=|\[\[?[\w .\"'-]{1,99}\]\]?[ \t]*(?:#.*)?$"),
)


@dataclass(frozen=True, slots=True)
class Salvage:
    """What was had of front matter that cannot be read whole."""

    metadata: Mapping[str, object]
    faulty_line: int
    """Where the first pair stands that is not sound, counted from 1; 0 where all of them are."""


def is_meant(lines: Sequence[str], notation: Notation) -> bool:
    """Return whether the lines between two markers look like front matter at all.

    A blank line and a ``#`` line after the first marker are a rule and a heading.
    """
    written = [line for line in lines if line.strip()]
    if not written or (not lines[0].strip() and any(line.startswith("#") for line in written)):
        return False
    said = (line for line in written if not line.lstrip().startswith("#"))
    return notation.opening.match(next(said, "")) is not None


def read(
    lines: Sequence[str], notation: Notation, load: Callable[[str], Mapping[str, object]]
) -> Salvage:
    """Return the pairs that can mean one thing only; of a key that comes twice, none.

    load: reads one pair with its lines; what it raises is ValueError.
    """
    found: dict[str, object] = {}
    repeated: set[str] = set()
    faulty_line = 0
    for number, (first, piece) in enumerate(_pieces(lines, notation)):
        try:
            if number >= MAX_LOADED:
                raise ValueError("more pairs than anyone writes")
            pairs = load("\n".join(piece))
        except ValueError:
            match = notation.pair.match(piece[0])
            faulty_line = faulty_line or first
            if match and _goes_on(match[2]):
                break  # What follows may belong to this value.
            pairs = _plain_pair(match, piece)
        if again := pairs.keys() & found.keys():
            faulty_line = faulty_line or first
            repeated |= again
        found |= pairs
    kept = {key: value for key, value in found.items() if key not in repeated}
    return Salvage(kept, faulty_line)


def _pieces(lines: Sequence[str], notation: Notation) -> Iterator[tuple[int, list[str]]]:
    """Yield each pair's lines with the first one's number; of TOML, each table's as well."""
    starts = [number for number, line in enumerate(lines) if notation.start.match(line)]
    table = next((place for place, one in enumerate(starts) if lines[one][0] == "["), len(starts))
    starts[table:] = [one for one in starts[table:] if lines[one][0] == "["]
    for first, end in pairwise([*starts, len(lines)]):
        yield first + 1, list(lines[first:end])


def _plain_pair(match: re.Match[str] | None, piece: Sequence[str]) -> dict[str, str]:
    """Return a pair whose value is its own characters, on one line; else nothing."""
    is_longer = len(piece) > 1 and piece[1].startswith((" ", "\t"))
    value = _plain(match[2]) if match and not is_longer else ""
    return {match[1]: value} if match and value else {}


def _goes_on(value: str) -> bool:
    value = value.rstrip()
    closer = value[:3] if value.startswith(('"""', "'''")) else _CLOSERS.get(value[0])
    return closer is not None and (len(value) < 2 * len(closer) or not value.endswith(closer))


def _plain(value: str) -> str:
    """Return what a value says, or '' where it may mean something else than its characters."""
    value = value.partition(" #")[0].rstrip()
    if len(value) > MAX_CHARS or not value.isprintable() or value in ("", "null"):
        return ""
    if quoted := _QUOTED.fullmatch(value):
        return quoted[1] or quoted[2] or ""
    return "" if value[0] in _UNPLAIN else value
