"""A place that a person names, ``path#heading`` or ``path:line``, as chunks of the index."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from posixpath import basename, normpath
from typing import TYPE_CHECKING

from askmd import files, markdown
from askmd.config import Config
from askmd.contracts import Store
from askmd.errors import FolderError
from askmd.types import Anchors, Chars, Chunk, Document, Failure, Filter, Lines

if TYPE_CHECKING:
    from askmd.types import Vector

Read = Callable[[str, Chars], str | None]
"""Returns a range of a document's text as indexed; None where its file has changed since."""
WHOLE = (0, sys.maxsize)
_JOINT = " > "
# As `askmd search` prints it too, with the heading path behind two blanks.
_WITH_LINES = re.compile(r"(?P<path>.+?):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?(?:  .*)?")
_PLAIN = re.compile(r"[^\w./-]")


@dataclass(frozen=True, slots=True)
class Target:
    """A place in an indexed document."""

    document: Document
    place: str
    """As it can be typed again."""
    chunks: tuple[Chunk, ...]
    """What it is made of, in document order; never empty."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A headed section with those below it."""

    path: tuple[str, ...]
    anchors: frozenset[str]
    lines: Lines


def locate(
    index: Store, config: Config, read: Read, typed: str, heading: str | None = None
) -> Target:
    """Return the place that was typed.

    typed: a document's path as a search prints it, or on disk; with ``#heading`` or ``:line``
    behind it, or the heading apart: its text, the end of its path (``A > B``) or its anchor.
    Raises FolderError where the index holds no such place, with the nearest one that it holds.
    """
    ways = [_Typed(typed, heading)] if heading is not None else list(_ways(typed))
    for way in ways:
        document = _document(index, way.path)
        if document is not None:
            chunks = _chunks_of(index, document.path)
            if not chunks:
                raise FolderError(f"{document.path} is indexed, but there is no text in it")
            return _narrowed(document, chunks, read, way)
    raise _absent(index, config, ways)


@dataclass(frozen=True, slots=True)
class _Typed:
    """One way to read what was typed."""

    path: str
    heading: str | None = None
    lines: Lines | None = None


def _ways(typed: str) -> Iterator[_Typed]:
    """Yield the ways to read a place, the longest path first: ``#`` may be part of a name."""
    yield _Typed(typed)
    if found := _WITH_LINES.fullmatch(typed):
        first = int(found["first"])
        yield _Typed(found["path"], lines=(first, max(first, int(found["last"] or first))))
    marks = [place for place, character in enumerate(typed) if character == "#"]
    for mark in reversed(marks):
        yield _Typed(typed[:mark], typed[mark + 1 :])


def _document(index: Store, typed: str) -> Document | None:
    """Return the document that is indexed under a path, or stands at this place on disk."""
    try:
        typed.encode("utf-8")
        found = index.document(normpath(typed)) if typed else None
        if found is not None or not typed:
            return found
        location, root = Path(typed).resolve(), index.root.resolve()
    except (OSError, RuntimeError, ValueError):
        return None
    is_below = location.is_relative_to(root) and location != root
    return index.document(location.relative_to(root).as_posix()) if is_below else None


def _chunks_of(index: Store, path: str) -> list[Chunk]:
    """Return a document's chunks in order."""
    # Characters that patterns give a meaning to stand for any; what else matches is sorted out.
    where = Filter(globs=("/" + _PLAIN.sub("?", path),))
    total = index.occurrences((), ()).total
    ids = [one.id for one in index.dense(_any_vector(index), total, where)]
    places = {id: place for id, place in index.places(ids).items() if place.path == path}
    chunks = index.chunks(list(places))
    return sorted(chunks.values(), key=lambda one: places[one.id].position)


def _any_vector(index: Store) -> Vector:
    """Return a vector that every chunk has a cosine with; which one does not matter."""
    import numpy as np

    vector = np.zeros(max(1, index.identity.dim), dtype=np.float32)
    vector[0] = 1.0
    return vector


def _narrowed(document: Document, chunks: Sequence[Chunk], read: Read, way: _Typed) -> Target:
    """Return the part of a document that was named."""
    path = document.path
    if way.lines is not None:
        return _by_lines(document, chunks, way.lines)
    if way.heading is None:
        return Target(document, path, tuple(chunks))
    text = read(path, WHOLE)
    # A small section may stand in a chunk that has another heading: only the file says so.
    parts = _parts_of_chunks(chunks) if text is None else _parts_of_text(text)
    named = _named(parts, way.heading)
    found = tuple(one for one in chunks if any(_meet(one.lines, part.lines) for part in named))
    if not found:
        raise _no_heading(path, parts, way.heading)
    return Target(document, f"{path}#{way.heading.lstrip('#')}", found)


def _by_lines(document: Document, chunks: Sequence[Chunk], lines: Lines) -> Target:
    found = tuple(one for one in chunks if _meet(one.lines, lines))
    if not found:
        near = min(chunks, key=lambda one: abs(one.lines[0] - lines[0]))
        what = f"no chunk of {document.path} holds line {lines[0]}"
        raise FolderError(what, f"the nearest is {document.path}:{near.lines[0]}-{near.lines[1]}")
    return Target(document, f"{document.path}:{lines[0]}", found)


def _meet(one: Lines, other: Lines) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _parts_of_text(text: str) -> list[_Part]:
    """Return a document's headed sections."""
    return _with_below(
        _Part(one.path, _anchors(one.anchor, one.anchors), one.lines)
        for one in markdown.split_sections(text)
        if one.path
    )


def _parts_of_chunks(chunks: Sequence[Chunk]) -> list[_Part]:
    """Return the sections that chunks say they are of, for a file that has changed since."""
    headed = [one for one in chunks if one.heading]
    above = [
        _Part(one.heading[:depth], frozenset(), one.lines)
        for one in headed
        for depth in range(1, len(one.heading))
    ]
    own = (_Part(one.heading, _anchors(one.anchor, one.anchors), one.lines) for one in headed)
    return [*_with_below(own), *above]


def _with_below(parts: Iterable[_Part]) -> list[_Part]:
    """Return sections in order, each as far as those below it go."""
    parts = list(parts)
    whole = []
    for place, part in enumerate(parts):
        depth, last = len(part.path), part.lines[1]
        for below in parts[place + 1 :]:
            if len(below.path) <= depth or below.path[:depth] != part.path:
                break
            last = below.lines[1]
        whole.append(_Part(part.path, part.anchors, (part.lines[0], last)))
    return whole


def _anchors(anchor: str, others: Anchors) -> frozenset[str]:
    every = {anchor, others.github, others.mkdocs, others.docusaurus}
    return frozenset(every - {""})


def _named(parts: Sequence[_Part], typed: str) -> list[_Part]:
    """Return the sections that a text names: by an anchor as it is written, else by any name."""
    name = typed.lstrip("#").strip()
    exact = [one for one in parts if name in one.anchors]
    if exact:
        return exact
    wanted = _folded(name)
    return [one for one in parts if wanted in {_folded(each) for each in _names(one)}]


def _names(part: _Part) -> Iterator[str]:
    yield from part.anchors
    yield from (_JOINT.join(part.path[start:]) for start in range(len(part.path)))


def _folded(name: str) -> str:
    """Return a name as it is compared: without case, its blanks single."""
    return " ".join(name.casefold().split())


def _no_heading(path: str, parts: Sequence[_Part], typed: str) -> FolderError:
    known = {_folded(name): part.path[-1] for part in parts for name in _names(part)}
    near = get_close_matches(_folded(typed.lstrip("#")), list(known), 1, 0.5)
    meant = f"is {known[near[0]]!r} meant? " if near else ""
    step = f"{meant}`askmd inspect {path}` shows its headings"
    return FolderError(f"{path} has no heading {typed!r}", step)


def _absent(index: Store, config: Config, ways: Sequence[_Typed]) -> FolderError:
    """Return why a file is not indexed, or which one was meant."""
    for way in ways:
        for location in (Path(way.path), index.root / way.path):
            if way.path and _is_file(location):
                return _not_indexed(index, config, location.resolve())
    # Without a `#` or a line there is one way only, and the last is the shortest path.
    path = ways[-1].path
    known = sorted(index.documents())
    named = [one for one in known if basename(one) == basename(path)]
    near = get_close_matches(path, named or known, 1, 0.0 if named else 0.5)
    if near:
        step = f"is {near[0]} meant? `askmd search` prints paths as they are indexed"
        return FolderError(f"{path} is not in the index", step)
    step = "run `askmd search` with some of its words to see how paths are written"
    return FolderError(f"{path} is not in the index", step)


def _not_indexed(index: Store, config: Config, location: Path) -> FolderError:
    """Return why a file that is there is not in the index."""
    root = index.root.resolve()
    if not location.is_relative_to(root):
        what = f"{location} is not below {root}, which the index belongs to"
        return FolderError(what, "name a document as `askmd search` prints it")
    path = location.relative_to(root).as_posix()
    reason, step = _reason(config, root, path)
    return FolderError(f"{path} is not in the index: {reason}", step)


def _reason(config: Config, root: Path, path: str) -> tuple[str, str]:
    """Return why a file below the root is not indexed, and what to do."""
    if not path.lower().endswith(files.SUFFIXES):
        return f"its name does not end in {', '.join(files.SUFFIXES)}", "rename it"
    settings = config.documents
    skipped = (config.index_folder.absolute(),)
    chosen = files.Selection(settings.include, settings.exclude, skipped)
    if _walked(root, files.Selection(skipped=skipped), path) is None:
        rules = " or ".join(files.IGNORE_FILES)
        return f"it is hidden, a link, or left out by {rules}", "take the rule away"
    found = _walked(root, chosen, path)
    if found is None:
        return "documents.include or documents.exclude leaves it out", "run `askmd config`"
    if isinstance(found, Failure):
        return found.reason, "mend it and run `askmd ingest`"
    try:
        limit = int(settings.max_megabytes * 1e6)
        files.read(found.location, max_bytes=limit, encoding=settings.encoding)
    except files.UnreadableFile as error:
        return str(error), "mend it and run `askmd ingest`"
    return "it is newer than the index", "run `askmd ingest`"


def _walked(root: Path, selection: files.Selection, path: str) -> files.Found | Failure | None:
    """Return a file as an ingest would meet it; None where it would not."""
    return next((one for one in files.walk(root, selection) if one.path == path), None)


def _is_file(location: Path) -> bool:
    try:
        return location.is_file()
    except (OSError, ValueError):
        return False
