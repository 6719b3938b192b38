"""Containers that an opener and a closer enclose: ``:::tip``, ``/// note``, ``{% hint %}``.

A pair is found with what stands between in view: fences hide openers and closers, and pairs of
one name nest. Every line is looked at once, whatever is left open.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from askmd.markdown.spans import Span, language
from askmd.types import BlockKind

# Docusaurus, VitePress, Pandoc (":::") and PyMdown blocks ("///"). A dotted name is an object that
# mkdocstrings documents.
_MARKED = re.compile(
    r" {0,3}(?P<mark>:{3,}|/{3,}(?=[ \t]))[ \t]*\{?\.?(?P<name>[^\s:/{}\[.]++)(?![.:])"
)
_MARKED_CLOSER = re.compile(r" {0,3}(:{3,}|/{3,})[ \t]*$")
_LIQUID = re.compile(
    r" {0,3}\{%-?[ \t]*(?P<close>end|/[ \t]*)?(?P<name>[A-Za-z][\w-]*+)(?P<rest>[^%]*+)%\}[ \t]*$"
)
_HUGO = re.compile(
    r" {0,3}\{\{[<%]-?[ \t]*(?P<close>/[ \t]*)?(?P<name>[A-Za-z][\w./-]*+)"
    r"(?P<rest>(?:[^>%]|[>%](?!\}\}))*+)[>%]\}\}[ \t]*$"
)
_FENCE = re.compile(r"(?:[ \t>]|[-+*][ \t]|\d{1,9}[.)][ \t])*+(`{3,}(?=[^`]*$)|~{3,})")
# Themes name page structure freely (steps, webui, cards), and its headings are the page's own. So
# only what is known for an aside, a tab or code hides those inside; any other pair is looked
# through.
_HIDING = frozenset(
    re.split(
        " ",
        "note notes warning warn caution danger error hint tip tips info important attention notice"
        " alert admonition callout success question example aside quote blockquote"
        " details expand expandable accordion collapse collapsible spoiler toggle"
        " tab tabs tabpane tabpanel tab-item code-tabs codetabs code-group codegroup"
        " code codeblock code-block highlight raw-code sourcecode mermaid math katex comment",
    )
)
_STRUCTURE = re.compile(
    r"(?:panel-tabset|content-visible|content-hidden|columns?|section)$|(?:column|layout)-"
)
"""Divs of Quarto and Pandoc that lay out the page."""
_VERBATIM = frozenset({"highlight", "codeblock", "comment"})
_CODEBLOCK = re.compile(r"(?:^|[ \t])lang:(\S+)")
_LONGEST = 9
"""Markers longer than this count as this long, so that a look-up stays cheap."""

Key = tuple[str, str | int]
"""What an opener and its closer have in common: the notation, and the name or the mark's length."""


class _Mark(NamedTuple):
    """A line that opens or closes a container."""

    key: Key
    closes: bool
    name: str = ""
    rest: str = ""

    @property
    def hides(self) -> bool:
        """Whether headings inside are none of the page's."""
        if self.key[0] in ":/":
            return not _STRUCTURE.match(self.name)
        return not _HIDING.isdisjoint(self.name.lower().split("/"))


class Containers:
    """Where the enclosed containers of one document end."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Take lines without their newlines; none is looked at before it is asked for."""
        self._lines = lines
        self._ends: dict[int, int] = {}
        self._passed: set[int] = set()
        self._paired = 0

    def block(self, index: int) -> Span | None:
        """Return the container that opens on a line; what nothing closes is none.

        Of a pair that hides nothing, either line is a comment.
        """
        mark = _mark(self._lines[index])
        if index in self._passed:
            return Span("comment", index, index + 1)
        if mark is None or mark.closes:
            return None
        closers = self._closers.get(mark.key, [])
        position = bisect_right(closers, index)
        if position == len(closers):
            return None
        end = closers[position] + 1
        if mark.name in _VERBATIM:
            kind: BlockKind = "comment" if mark.name == "comment" else "fence"
            return Span(kind, index, end, info=_language(mark))
        self._pair(index)
        if not mark.hides:
            return self._transparent(index)
        # Where the pairs do not add up, ":::" is closed by the next of its length or longer.
        end = self._ends.get(index, end if mark.key[0] in ":/" else 0)
        return Span("container", index, end, info=mark.name) if end else None

    def _transparent(self, index: int) -> Span | None:
        if index not in self._ends:
            return None
        self._passed.add(self._ends[index] - 1)
        return Span("comment", index, index + 1)

    @cached_property
    def _closers(self) -> Mapping[Key, list[int]]:
        found: dict[Key, list[int]] = {}
        for index, line in enumerate(self._lines):
            mark = _mark(line)
            if mark and mark.closes:
                for key in _shorter(mark.key):
                    found.setdefault(key, []).append(index)
        return found

    def _pair(self, first: int) -> None:
        """Pair openers with closers from a line on, up to where that line's container ends."""
        if first < self._paired:
            return
        opened: dict[Key, list[int]] = {}
        index = first
        for index, line in _outside_fences(self._lines, first):
            mark = _mark(line)
            if mark and not mark.closes:
                opened.setdefault(mark.key, []).append(index)
            elif mark:
                key = next((key for key in _shorter(mark.key) if opened.get(key)), None)
                if key:
                    self._ends[opened[key].pop()] = index + 1
                if first in self._ends:
                    break
        self._paired = index + 1


def _outside_fences(lines: Sequence[str], first: int) -> Iterator[tuple[int, str]]:
    fence = ""
    for index in range(first, len(lines)):
        line = lines[index]
        if fence:
            bare = line.strip(" \t>")
            fence = "" if bare.startswith(fence) and not bare.strip(fence[0]) else fence
        elif ("```" in line or "~~~" in line) and (opening := _FENCE.match(line)):
            fence = opening[1]
        else:
            yield index, line
    yield len(lines) - 1, ""


def _shorter(key: Key) -> list[Key]:
    """Return what a closer may close: its own kind, and of marks also shorter ones after that."""
    notation, length = key
    if isinstance(length, str):
        return [key]
    return [(notation, shorter) for shorter in range(length, 2, -1)]


def _mark(line: str) -> _Mark | None:
    reading = _NOTATIONS.get(line.lstrip(" ")[:2])
    return reading(line) if reading else None


def _marked(line: str) -> _Mark | None:
    if opener := _MARKED.match(line):
        mark = opener["mark"]
        return _Mark((mark[0], min(len(mark), _LONGEST)), False, opener["name"].lower())
    if closer := _MARKED_CLOSER.match(line):
        return _Mark((closer[1][0], min(len(closer[1]), _LONGEST)), True)
    return None


def _templated(line: str) -> _Mark | None:
    """Read a Liquid tag or a Hugo shortcode that stands alone on its line."""
    is_liquid = line.lstrip(" ").startswith("{%")
    tag = (_LIQUID if is_liquid else _HUGO).match(line)
    if tag is None:
        return None
    rest = tag["rest"].strip(" \t-")
    if rest.endswith("/"):
        return None
    return _Mark(("%" if is_liquid else "<", tag["name"]), bool(tag["close"]), tag["name"], rest)


_NOTATIONS: Mapping[str, Callable[[str], _Mark | None]] = {
    "::": _marked,
    "//": _marked,
    "{%": _templated,
    "{{": _templated,
}


def _language(mark: _Mark) -> str:
    if mark.name == "highlight":
        return language(mark.rest.replace('"', " ").replace("'", " "))
    lang = _CODEBLOCK.search(mark.rest)
    return lang[1] if lang and mark.name == "codeblock" else ""
