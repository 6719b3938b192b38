"""The constructs that documentation dialects add to CommonMark, as one table.

CommonMark does not know them, so a ``#`` line inside one would look like a section. A new dialect
is a line in the table.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from askmd.markdown import components
from askmd.markdown.containers import Containers
from askmd.markdown.headings import ATTRIBUTE_LINE
from askmd.markdown.spans import Span, indent

# MkDocs: admonitions, collapsible ones, and tabs.
INDENTED = re.compile(
    r' {0,3}(?:(?:!!!|\?\?\?\+?)[ \t]+([\w-]+)|===[!+]?[ \t]+["\'](?=.*["\'][ \t]*$))'
)
MAX_CODE_LINES = 60
"""Maths and template literals that are not closed by then are none."""
NOTE = re.compile(r" {0,3}\[\^([^\[\]\s]+)\]:")
"""What a footnote's text stands after."""
_ENDS_NOTE = re.compile(
    r" {0,3}(?:#{1,6}(?:[ \t]|$)|```|~~~|[<>|]|[-+*](?:[ \t]|$)|\d{1,9}[.)][ \t]|\[[^\[\]]+\]:"
    r"|:::|///|!!!|\?\?\?|===|%%|\{[%{/]|(?:[-*_][ \t]*+){3,}$)"
)


class Dialects:
    """The constructs of one document that CommonMark does not know."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Take lines without their newlines."""
        self.lines = lines
        self.containers = Containers(lines)
        self._found: dict[int, Span | None] = {}
        self._endings: dict[str, list[int]] = {}

    def block(self, index: int, *, inside_paragraph: bool = False) -> Span | None:
        """Return the block that a construct makes of a line and those after it, None without one.

        ``inside_paragraph``: the line follows one of a paragraph, which not everything ends.
        """
        start = self.lines[index][:4].lstrip(" ")[:1]
        construct = _CONSTRUCTS.get(start)
        if construct is None or (inside_paragraph and not construct.interrupts):
            return None
        if index not in self._found:
            self._found[index] = construct.read(self, index)
        return self._found[index]

    def next_ending(self, suffix: str, index: int) -> int | None:
        """Return the first line after one that ends with a suffix."""
        if suffix not in self._endings:
            self._endings[suffix] = [
                number
                for number, line in enumerate(self.lines)
                if suffix in line and line.rstrip().endswith(suffix)
            ]
        found = self._endings[suffix]
        position = bisect_right(found, index)
        return found[position] if position < len(found) else None


def _container(dialects: Dialects, index: int) -> Span | None:
    return dialects.containers.block(index)


def _indented(dialects: Dialects, index: int) -> Span | None:
    opener = INDENTED.match(dialects.lines[index])
    if opener is None:
        return None
    end = _indented_end(dialects.lines, index, indent(dialects.lines[index]) + 4)
    return Span("container", index, end, info=(opener[1] or "tab").lower())


def _indented_end(lines: Sequence[str], index: int, width: int) -> int:
    end = index + 1
    for position in range(index + 1, len(lines)):
        line = lines[position]
        if line.startswith((" ", "\t")) and not line.isspace() and indent(line) >= width:
            end = position + 1
        elif line.strip():
            break
    return end


def _braced(dialects: Dialects, index: int) -> Span | None:
    """Take MDX's comments and template literals, kramdown's attributes, Liquid and Hugo."""
    line = dialects.lines[index]
    start = line.lstrip(" ")[:3]
    if start == "{/*":
        return _comment(dialects, index, "{/*", "*/}")
    if start.startswith("{`"):
        return _literal(dialects, index)
    if start.startswith("{:"):
        return Span("comment", index, index + 1) if ATTRIBUTE_LINE.match(line) else None
    return _container(dialects, index)


def _literal(dialects: Dialects, index: int) -> Span | None:
    """Take MDX's template literal over several lines."""
    lines = dialects.lines
    if "`" in lines[index].lstrip(" ")[2:]:
        return None
    for end in range(index + 1, min(len(lines), index + MAX_CODE_LINES)):
        line = lines[end].strip(" \t")
        if line.startswith("{`"):
            return None
        if line.endswith("`}"):
            return Span("code", index, end + 1)
    return None


def _dollars(dialects: Dialects, index: int) -> Span | None:
    """Take display maths between ``$$`` and ``$$``; on a line of its own it needs no care."""
    lines = dialects.lines
    opening = lines[index].lstrip(" ")
    if not opening.startswith("$$") or "$$" in opening[2:]:
        return None
    for end in range(index + 1, min(len(lines), index + MAX_CODE_LINES)):
        if "$$" in lines[end]:
            is_closed = lines[end].rstrip(" \t").find("$$") == len(lines[end].rstrip(" \t")) - 2
            return Span("code", index, end + 1, info="math") if is_closed else None
    return None


def _brackets(dialects: Dialects, index: int) -> Span | None:
    r"""Take display maths between ``\[`` and ``\]``, each on a line of its own."""
    lines = dialects.lines
    if lines[index].strip(" \t") != "\\[":
        return None
    for end in range(index + 1, min(len(lines), index + MAX_CODE_LINES)):
        mark = lines[end].strip(" \t")
        if mark in ("\\[", "\\]"):
            return Span("code", index, end + 1, info="math") if mark == "\\]" else None
    return None


def _obsidian(dialects: Dialects, index: int) -> Span | None:
    return _comment(dialects, index, "%%", "%%")


def _comment(dialects: Dialects, index: int, opener: str, closer: str) -> Span | None:
    """Take a comment that has its lines for itself."""
    line = dialects.lines[index].strip(" \t")
    if not line.startswith(opener):
        return None
    closed = line.find(closer, len(opener))
    if closed >= 0:
        whole = closed + len(closer) == len(line)
        return Span("comment", index, index + 1) if whole else None
    last = dialects.next_ending(closer, index)
    return Span("comment", index, last + 1) if last is not None else None


def _component(dialects: Dialects, index: int) -> Span | None:
    return components.component(dialects.lines, index)


def _module(dialects: Dialects, index: int) -> Span | None:
    return components.module(dialects.lines, index)


def _note(dialects: Dialects, index: int) -> Span | None:
    """Take a footnote's definition: its paragraph, then what is indented under it."""
    label = NOTE.match(dialects.lines[index])
    if label is None:
        return None
    end = index + 1
    for position in range(index + 1, len(dialects.lines)):
        line = dialects.lines[position]
        if not line.strip():
            continue
        is_lazy = end == position and not _ENDS_NOTE.match(line)
        if not is_lazy and not line.startswith(("    ", "\t")):
            break
        end = position + 1
    return Span("note", index, end, info=label[1])


class _Construct(NamedTuple):
    """How a dialect's construct is read, and whether it ends a paragraph above it."""

    read: Callable[[Dialects, int], Span | None]
    interrupts: bool = True


_CONSTRUCTS: Mapping[str, _Construct] = {
    ":": _Construct(_container),  # ::: of Docusaurus, VitePress and Pandoc
    "/": _Construct(_container),  # /// of PyMdown
    "!": _Construct(_indented),  # !!! of MkDocs
    "?": _Construct(_indented),  # ??? of PyMdown
    "=": _Construct(_indented),  # === "Tab" of PyMdown
    "{": _Construct(_braced),  # {% of Liquid and Markdoc, {{< of Hugo, {/* of MDX, {: of kramdown
    "$": _Construct(_dollars),  # $$ of TeX
    "\\": _Construct(_brackets),  # \[ of TeX
    "%": _Construct(_obsidian),  # %% of Obsidian
    "<": _Construct(_component),  # <Tabs> of MDX
    "[": _Construct(_note),  # [^1]: of GitHub and PHP Markdown Extra
    "i": _Construct(_module, interrupts=False),  # import of MDX
    "e": _Construct(_module, interrupts=False),  # export of MDX
}
STARTS = frozenset(_CONSTRUCTS)
"""The characters, after up to three blanks, that a construct may start with."""
