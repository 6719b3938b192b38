"""Labels → the ranges of documents they name; what names nothing is told, never scored."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import accumulate
from posixpath import basename

from askmd import markdown
from askmd.evaluate.questions import Label, Question
from askmd.types import Chars

Read = Callable[[str, Chars], str | None]
"""Returns a range of a document's text as indexed; None where it cannot be had."""

WHOLE = (0, sys.maxsize)
_KEPT_TEXTS, _KEPT_OUTLINES = 16, 4096
_SUGGESTIONS = 20
"""Wrong paths for which the right one is looked for: it means a look at every path."""
_JOINT = " > "


@dataclass(frozen=True, slots=True)
class Target:
    """What a question is to find."""

    path: str
    chars: Chars | None
    """None: any part of the file."""
    grade: float
    place: str
    """For people: ``path#anchor``, ``path:first-last`` or the path alone."""
    section: str
    """``path#anchor`` of the heading it stands under; the path where there is none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A question whose labels point nowhere; it is left out of every figure."""

    id: str
    line: int
    """In the file of questions."""
    what: str


class LabelFault(Exception):
    """A label points nowhere; the reason is its only argument."""


@dataclass(frozen=True, slots=True)
class Part:
    """A headed section with the sections below it."""

    path: tuple[str, ...]
    anchor: str
    chars: Chars


@dataclass(frozen=True, slots=True)
class _Outline:
    """A document's headed sections."""

    parts: tuple[Part, ...]
    starts: tuple[int, ...]
    names: Mapping[str, tuple[Part, ...]]
    """Every way to name one, folded: ``#anchor``, its heading, the ends of its path."""


class Library:
    """The indexed documents, as far as labels speak of them."""

    def __init__(self, paths: Collection[str], read: Read) -> None:
        """Take the paths that are indexed and what reads one of them."""
        self._paths = frozenset(paths)
        self._read = read
        self._text = lru_cache(_KEPT_TEXTS)(self._read_whole)
        self._starts = lru_cache(_KEPT_TEXTS)(self._started)
        self._outline = lru_cache(_KEPT_OUTLINES)(self._outlined)
        self._suggestions = _SUGGESTIONS

    def targets(self, question: Question) -> tuple[Target, ...]:
        """Return what a question is to find; raises LabelFault where a label points nowhere."""
        return tuple(self._target(label) for label in question.expect)

    def read(self, path: str, chars: Chars) -> str | None:
        """Return a range of a document as indexed; None where its file has changed since."""
        text = self._text(path)
        return None if text is None else text[chars[0] : chars[1]]

    def nearest(self, path: str) -> str | None:
        """Return the indexed path that was meant, most likely."""
        if self._suggestions == 0:
            return None
        self._suggestions -= 1
        named = sorted(one for one in self._paths if basename(one) == basename(path))
        near = get_close_matches(path, named or sorted(self._paths), 1, 0.0 if named else 0.7)
        return near[0] if near else None

    def _read_whole(self, path: str) -> str | None:
        return self._read(path, WHOLE)

    def _target(self, label: Label) -> Target:
        if label.path not in self._paths:
            near = self.nearest(label.path)
            meant = f"; is {near} meant?" if near else ""
            raise LabelFault(f"{label.path} is not in the index{meant}")
        if label.chars is None and label.lines is None and label.heading is None:
            return Target(label.path, None, label.grade, label.path, label.path)
        chars, place = self._located(label)
        return Target(label.path, chars, label.grade, place, self._section(label.path, chars))

    def _located(self, label: Label) -> tuple[Chars, str]:
        text = self._text(label.path)
        if text is None:
            raise LabelFault(f"{label.path} has changed since it was indexed; run `askmd ingest`")
        if label.chars is not None:
            return self._by_chars(label, label.chars, text)
        if label.lines is not None:
            return self._by_lines(label, label.lines, text)
        return self._by_heading(label, label.heading or "")

    def _by_chars(self, label: Label, chars: Chars, text: str) -> tuple[Chars, str]:
        if chars[1] > len(text):
            raise LabelFault(f"{label.path} has {len(text)} characters, none at {chars[1]}")
        first = text.count("\n", 0, chars[0]) + 1
        last = first + text.count("\n", *chars)
        return chars, f"{label.path}:{first}-{last}" if last > first else f"{label.path}:{first}"

    def _by_lines(self, label: Label, lines: Chars, text: str) -> tuple[Chars, str]:
        starts = self._starts(label.path)
        if lines[1] >= len(starts):
            raise LabelFault(f"{label.path} has {len(starts) - 1} lines, none numbered {lines[1]}")
        chars = _trimmed(text, (starts[lines[0] - 1], starts[lines[1]]))
        if chars is None:
            raise LabelFault(f"{label.path} is blank in lines {lines[0]}-{lines[1]}")
        return chars, f"{label.path}:{lines[0]}-{lines[1]}"

    def _by_heading(self, label: Label, heading: str) -> tuple[Chars, str]:
        """Return the range of the one section that a heading, or the end of its path, names."""
        outline = self._outline(label.path)
        found = outline.names.get(_folded(heading), ())
        if not found:
            known = list(dict.fromkeys(one.path[-1] for one in outline.parts if one.path))
            near = get_close_matches(heading, known, 1, 0.5)
            meant = f"; is {near[0]!r} meant?" if near else ""
            raise LabelFault(f"{label.path} has no heading {heading!r}{meant}")
        if len(found) > 1:
            anchors = " or ".join(f'"#{one.anchor}"' for one in found[:3])
            what = f"{label.path} has {len(found)} headings {heading!r}"
            raise LabelFault(f"{what}; write its anchor: {anchors}")
        return found[0].chars, f"{label.path}#{found[0].anchor}"

    def _section(self, path: str, chars: Chars) -> str:
        """Return ``path#anchor`` of the section a range begins in; the path without one."""
        outline = self._outline(path)
        place = max(0, bisect_right(outline.starts, chars[0]) - 1)
        near = [one for one in outline.parts[place : place + 1] if one.chars[0] < chars[1]]
        return f"{path}#{near[0].anchor}" if near and near[0].anchor else path

    def _started(self, path: str) -> list[int]:
        return _line_starts(self._text(path) or "")

    def _outlined(self, path: str) -> _Outline:
        parts = sections_of(self._text(path) or "")
        names: dict[str, tuple[Part, ...]] = {}
        for part in parts:
            for name in _names(part):
                names[name] = (*names.get(name, ()), part)
        return _Outline(parts, tuple(one.chars[0] for one in parts), names)


def sections_of(text: str) -> tuple[Part, ...]:
    """Return a document's headed sections in order, each with the range of all below it."""
    try:
        sections = markdown.split_sections(text)
    except ValueError:
        return ()
    starts = _line_starts(text)
    headed = [one for one in sections if one.blocks and one.blocks[0].kind == "heading"]
    levels = [one.blocks[0].level for one in headed]
    parts = []
    for section, end in zip(headed, _ends(levels), strict=True):
        last = min(headed[end - 1].lines[1], len(starts) - 1)
        chars = _trimmed(text, (starts[section.lines[0] - 1], starts[last]))
        if chars is not None:
            parts.append(Part(section.path, section.anchor, chars))
    return tuple(parts)


def _ends(levels: list[int]) -> list[int]:
    """Return for each heading the place of the next one that is not below it."""
    ends = [len(levels)] * len(levels)
    waiting: list[int] = []
    for place, level in enumerate(levels):
        while waiting and levels[waiting[-1]] >= level:
            ends[waiting.pop()] = place
        waiting.append(place)
    return ends


def _names(part: Part) -> set[str]:
    """Return every way to name a section: ``#anchor``, its heading, the ends of its path."""
    ends = {_JOINT.join(part.path[start:]) for start in range(len(part.path))}
    return {_folded(name) for name in (*ends, f"#{part.anchor}")}


def _folded(name: str) -> str:
    """Return a name as it is compared: without case, its blanks single."""
    return " ".join(name.casefold().split())


def _line_starts(text: str) -> list[int]:
    """Return where each line starts, and where the text ends."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    return [*starts[:-1], len(text)]


def _trimmed(text: str, chars: Chars) -> Chars | None:
    """Return a range without the blanks at its ends; None where nothing else is there."""
    inside = text[slice(*chars)]
    start = chars[0] + len(inside) - len(inside.lstrip())
    end = chars[1] - (len(inside) - len(inside.rstrip()))
    return (start, end) if start < end else None
