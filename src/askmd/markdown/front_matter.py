"""Front matter: the YAML or TOML mapping some documents open with."""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_CHARS = 64 * 1024
"""Front matter longer than this is plain text."""
MAX_TOML_DOTS = 2000
"""More dots are plain text: tomllib takes 15 seconds for one key of 30,000 parts."""
_CLOSERS = {"---": ("---", "..."), "+++": ("+++",)}


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What stands above the document itself."""

    metadata: Mapping[str, object] = field(default_factory=dict)
    """Keys and values, JSON types only."""
    end: int = 0
    """Offset of the first code point after it; 0 without front matter."""


def read(text: str) -> FrontMatter:
    """Return the front matter of a document; what cannot be read as a mapping stays text."""
    opener = text.partition("\n")[0].rstrip() if text.startswith(("---", "+++")) else ""
    if opener not in _CLOSERS:
        return FrontMatter()
    source, end = _enclosed(text, _CLOSERS[opener])
    if not end:
        return FrontMatter()
    try:
        found = _load_yaml(source) if opener == "---" else _load_toml(source)
        metadata = _as_json(found) if found is not None else {}
    # RecursionError: a few kilobytes of "[" are enough. ValueError: digits without end, and TOML.
    except (yaml.YAMLError, ValueError, RecursionError):
        return FrontMatter()
    return FrontMatter(metadata, end) if isinstance(metadata, dict) else FrontMatter()


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
    return tomllib.loads(source)


def _as_json(value: Any) -> Any:
    """Return the value in JSON's types: dates as ISO strings, what has no such form as None."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(_as_json(key)): _as_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return None
