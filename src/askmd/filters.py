"""What the user typed after ``--filter``, as a Filter, and whether something passes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from askmd.errors import UsageError
from askmd.types import Filter

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

HEADING = "heading"
NEXT_STEP = "write 'guides/**' (a path), 'tag=nginx' (front matter) or 'heading=install'"
_PAIR = re.compile(r"(?P<key>[^/*?\[\]!\\=]*)=(?P<value>.*)", re.DOTALL)
"""A slash or wildcard before the first ``=`` makes a path of it: ``./a=b.md`` is a file's name."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"(?<=\d{4}-\d\d-\d\d) +(?=\d)")
_SYNONYMS = {
    "tag": ("tags", "taxonomies.tags"),
    "tags": ("tag", "taxonomies.tags"),
    "category": ("categories", "taxonomies.categories"),
    "categories": ("category", "taxonomies.categories"),
}
_LISTED = {"tag", "tags", "taxonomies.tags", "keywords", "categories", "taxonomies.categories"}
"""Keys under which many write a list as one text: ``nginx, proxy`` or ``nginx proxy``."""


def parse_filter(texts: Sequence[str]) -> Filter:
    """Return the filter that several typed texts make together; all of them must hold.

    Raises UsageError for an empty text, key or value, and for a pattern git would not take.
    """
    globs: list[str] = []
    metadata: list[tuple[str, str]] = []
    headings: list[str] = []
    for text in texts:
        pair = _PAIR.fullmatch(text.strip())
        if pair is None:
            globs.append(_checked_glob(text))
            continue
        key, value = pair["key"].strip(), pair["value"].strip()
        if not key or not value:
            raise UsageError(f"the filter {text!r} lacks its key or its value", NEXT_STEP)
        if key.casefold() == HEADING:
            headings.append(value.casefold())
        else:
            metadata.append((key, value))
    return Filter(tuple(globs), tuple(metadata), tuple(headings))


def allows_document(where: Filter, path: str, metadata: Mapping[str, object]) -> bool:
    """Return whether a document's path matches every glob and its front matter every pair.

    path: relative to the root, with ``/``. Values are compared without regard to case
    or spelling (``yes`` is true, ``1.10`` is 1.1, a day is any time of it);
    ``a.b`` reaches into nested maps; of a list, one item suffices.
    """
    return all(_matches(glob, path) for glob in where.globs) and all(
        _holds(metadata, key, value.casefold()) for key, value in where.metadata
    )


def allows_heading(where: Filter, heading: tuple[str, ...]) -> bool:
    """Return whether each wanted text is part of some heading on the path."""
    folded = [text.casefold() for text in heading]
    return all(any(wanted in text for text in folded) for wanted in where.headings)


def _checked_glob(text: str) -> str:
    """Return the pattern as typed; raises UsageError if git's rules can make nothing of it."""
    glob = text.strip().removeprefix("./")
    try:
        is_pattern = _compiled(glob).patterns[0].include is not None
    except (ValueError, IndexError) as error:
        raise UsageError(f"{text!r} is not a pattern that git would take", NEXT_STEP) from error
    if not is_pattern:
        raise UsageError(f"{text!r} is not a pattern that git would take", NEXT_STEP)
    return glob


def _matches(glob: str, path: str) -> bool:
    # A lone negated pattern has nothing to take back in git; here it says "all but these".
    return _compiled(glob).match_file(path) is not glob.startswith("!")


@lru_cache(maxsize=256)
def _compiled(glob: str) -> GitIgnoreSpec:
    """Return the pattern, without its ``!``; a leading ``#`` is a name here, never a comment."""
    from pathspec import GitIgnoreSpec

    pattern = glob.removeprefix("!")
    if pattern.startswith(("#", "!")):
        pattern = f"\\{pattern}"
    return GitIgnoreSpec.from_lines([pattern])


def _holds(metadata: Mapping[str, object], key: str, wanted: str) -> bool:
    keys = (key, *_SYNONYMS.get(key, ()))
    return any(
        _says(value, wanted) or (name in _LISTED and wanted in _items(value))
        for name in keys
        for value in _values(metadata, name)
    )


def _items(value: object) -> list[str]:
    """Return what stands in a text between commas, or without one between blanks."""
    text = value.casefold() if isinstance(value, str) else ""
    return [item.strip() for item in text.split("," if "," in text else None)]


def _values(value: object, key: str) -> Iterator[object]:
    """Yield every scalar under a dotted key; an empty key is the value's own."""
    if isinstance(value, Mapping):
        if key in value:
            yield from _values(value[key], "")
        head, dot, rest = key.partition(".")
        if dot and head in value:
            yield from _values(value[head], rest)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _values(item, key)
    elif not key:
        yield value


def _says(value: object, wanted: str) -> bool:
    """Return whether a value is what was typed: front matter's types have many spellings."""
    text = str(value).strip().casefold()
    if isinstance(value, bool):
        return wanted in (("true", "yes", "on") if value else ("false", "no", "off"))
    if isinstance(value, int | float):
        return text == wanted or _number(wanted) == value
    is_day = _DAY.fullmatch(wanted) is not None and text.startswith(f"{wanted}t")
    moment = re.sub(r"z$", "+00:00", _TIME.sub("t", wanted))
    return text in (wanted, moment) or is_day


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
