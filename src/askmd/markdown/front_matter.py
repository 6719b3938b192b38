"""Front matter: the YAML or TOML mapping some documents open with."""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from askmd.markdown import salvage

MAX_CHARS = 64 * 1024
"""Front matter longer than this is plain text."""
MAX_DEPTH = 32
"""Front matter that nests deeper is not read: writers of JSON recurse."""
MAX_INTEGER_BITS = 2048
"""Larger integers become hexadecimal text: Python may refuse to write 640 decimal digits."""
MAX_TOML_DOTS = 2000
"""More dots are plain text: tomllib takes 15 seconds for one key of 30,000 parts."""
_CLOSERS = {"---": ("---", "..."), "+++": ("+++",)}
# What the loaders raise on text that nobody vetted: `!!bool z` is a KeyError, `!!timestamp z` an
# AttributeError, a few kilobytes of "[" a RecursionError, digits without end a ValueError.
_UNREADABLE = (
    yaml.YAMLError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands above the document itself."""

    metadata: Mapping[str, object] = field(default_factory=dict)
    """Keys and values, JSON types only."""
    end: int = 0
    """Offset of the first code point after it; 0 without one, or with one that cannot be read."""
    unread_lines: int = 0
    """How many lines at the top are front matter that cannot be read: text, but never headings."""
    fault: str = ""
    """Why it cannot be read; empty where it can, or where it is none."""


def read(text: str) -> FrontMatter:
    """Return the front matter of a document; what cannot be read as a mapping stays text.

    Raises nothing, whatever the text.
    """
    opener = text.partition("\n")[0].rstrip() if text.startswith(("---", "+++")) else ""
    if opener not in _CLOSERS:
        return FrontMatter()
    source, end = _enclosed(text, _CLOSERS[opener])
    if not end:
        return FrontMatter()
    load, notation = _NOTATIONS[opener]
    try:
        metadata = _as_json(load(source)) if source.strip() else {}
    except _UNREADABLE:
        return _unread(source, notation, load)
    return FrontMatter(metadata, end) if isinstance(metadata, dict) else FrontMatter()


def _unread(source: str, notation: salvage.Notation, load: Callable[[str], object]) -> FrontMatter:
    """Return what can be had of front matter that is none as a whole."""
    lines = source.split("\n")[:-1]
    if not salvage.is_meant(lines, notation):
        return FrontMatter()

    def one(piece: str) -> dict[str, object]:
        try:
            found = _as_json(load(piece))
        except _UNREADABLE as error:
            raise ValueError("no pair that can be read") from error
        if not isinstance(found, dict):
            raise ValueError("no pair")
        return found

    saved = salvage.read(lines, notation, one)
    # The marker above stands on the first line.
    where = f"line {saved.faulty_line + 1}" if saved.faulty_line else "it"
    return FrontMatter(saved.metadata, unread_lines=len(lines) + 2, fault=f"{where} cannot be read")


def _enclosed(text: str, closers: tuple[str, ...]) -> tuple[str, int]:
    """Return the lines between the first line and the closing one, and where that one ends.

    The end is 0 where no line closes the front matter soon enough.
    """
    start = position = text.find("\n") + 1
    while 0 < position < min(len(text), MAX_CHARS):
        newline = text.find("\n", position)
        end = len(text) if newline < 0 else newline + 1
        if end <= MAX_CHARS and text[position:end].rstrip() in closers:
            return text[start:position], end
        position = end
    return "", 0


class _Loader(yaml.SafeLoader):
    """YAML without anchors and aliases: a few hundred bytes of them make gigabytes."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise yaml.YAMLError("front matter may not use anchors or aliases")
        return super().compose_node(parent, index)

    def timestamp_or_text(self, node: yaml.ScalarNode) -> object:
        """Return a date; a date that no calendar has (2024-13-45) stays the text it is."""
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError):
            return node.value


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _Loader.timestamp_or_text)


def _load_yaml(source: str) -> object:
    found: object = yaml.load(source, Loader=_Loader)
    return found


def _load_toml(source: str) -> object:
    if source.count(".") > MAX_TOML_DOTS:
        raise ValueError("front matter with more dotted keys than anyone writes")
    # Nothing but comments is no front matter: they may be headings between two rules.
    return tomllib.loads(source) or None


_NOTATIONS: dict[str, tuple[Callable[[str], object], salvage.Notation]] = {
    "---": (_load_yaml, salvage.YAML),
    "+++": (_load_toml, salvage.TOML),
}


def _as_json(value: object, depth: int = 0) -> Any:
    """Return the value in JSON's types; ValueError where it nests deeper than MAX_DEPTH."""
    if depth > MAX_DEPTH:
        raise ValueError("front matter nests deeper than anyone writes")
    if isinstance(value, dict):
        return {
            str(_as_json(key, depth + 1)): _as_json(item, depth + 1) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_as_json(item, depth + 1) for item in value]
    return _scalar(value)


def _scalar(value: object) -> str | int | float | None:
    """Return dates as ISO strings, numbers JSON cannot hold as text, the formless as None."""
    if isinstance(value, str):
        # YAML's "\ud83d\ude00" are two surrogates of one character, a single one is none.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, int):
        return value if value.bit_length() <= MAX_INTEGER_BITS else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else None
