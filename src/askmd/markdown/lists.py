"""The items of a list: where each starts, and how far in its content stands.

One linear pass that the scanner finds the end of a list with, and whoever looks inside its items.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from askmd.markdown.spans import LEAD, indent

FENCE = re.compile(r" {0,3}(?:(?P<mark>`{3,})(?P<info>[^`]*)$|(?P<tilde>~{3,})(?P<rest>.*)$)")
HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
RULE = re.compile(r" {0,3}([-*_])[ \t]*+(?:\1[ \t]*+){2,}$")
QUOTE = re.compile(r" {0,3}>")
MARKER = re.compile(r"( {0,3})([-+*]|[0-9]{1,9}[.)])(?=[ \t]|$)")
_ORDINARY = re.compile(r"[-+*] [^\W\d_]")
"""An item as most are: it opens a paragraph, two columns in."""
_UNDERLINE = re.compile(r" {0,3}=+[ \t]*+$")
MAX_OPEN = 20
"""Items that stand deeper in each other are taken for one."""
Role = Literal["blank", "inside", "item", "outside"]
"""What a line is to an open list; one outside may still lazily go on a paragraph inside."""


class Item(NamedTuple):
    """Lines ``first`` to ``end``, half open, of one item of a list."""

    first: int
    end: int
    width: int
    """Columns before its content."""


def starts_list(line: str, *, inside_paragraph: bool) -> bool:
    """Return whether a line opens a list; not every marker may end a paragraph."""
    marker = MARKER.match(line)
    if marker is None:
        return False
    if not inside_paragraph:
        return True
    return marker[2] in ("-", "+", "*", "1.", "1)") and bool(line[marker.end() :].strip(" \t"))


def list_end(lines: Sequence[str], first: int, ends: Callable[[int], bool]) -> int:
    """Return the line after a list with everything under its items, and lazy lines after them.

    ``ends`` says of a line that could be lazy whether it ends the list instead.
    """
    opened = _OpenList(lines[first])
    end = first + 1
    for index in range(first + 1, len(lines)):
        line = lines[index]
        if line[:1].isalpha():
            # Nothing that starts at the margin with a letter is inside, or ends a paragraph.
            if not opened.inside.lazy:
                break
            end = index + 1
            continue
        role = opened.take(line)
        if role == "outside" and (not opened.inside.lazy or ends(index)):
            break
        if role != "blank":
            end = index + 1
    return end


def items(lines: Sequence[str], first: int, end: int) -> list[Item]:
    """Return the items of the list that these lines are."""
    found: list[Item] = []
    opened = _OpenList(lines[first])
    start, width = first, opened.width
    for index in range(first + 1, end):
        line = lines[index]
        if not line[:1].isalpha() and opened.take(line) == "item":
            found.append(Item(start, index, width))
            start, width = index, opened.width
    found.append(Item(start, end, width))
    return found


class Inside:
    """What is open inside a list item or quote while its lines go by."""

    __slots__ = ("_widths", "fence", "lazy")

    def __init__(self) -> None:
        self.fence = ""
        self.lazy = False
        self._widths: list[int] = []
        """Columns before the content of each item that is open, the outer ones first."""

    def read(self, content: str) -> None:
        """Take a line without what makes it part of the item or quote."""
        if self.fence:
            self.fence = "" if closes(content, self.fence) else self.fence
            return
        if content[:1].isalpha() and not self._widths:
            self.lazy = True
            return
        content = self._innermost(content)
        opening = FENCE.match(content)
        self.fence = (opening["mark"] or opening["tilde"]) if opening else ""
        if self.lazy and _UNDERLINE.match(content):
            self.lazy = False
        else:
            self.lazy = _continues(content, was_lazy=self.lazy)

    def _innermost(self, content: str) -> str:
        """Return what the innermost open item holds of a line; its markers open further ones."""
        columns = indent(content)
        if not self.lazy or MARKER.match(content.lstrip(" \t")):
            self._widths = [width for width in self._widths if width <= columns]
        inner = max((width for width in self._widths if width <= columns), default=0)
        content = content[:LEAD].expandtabs(4)[inner:] + content[LEAD:] if inner else content
        while (marker := MARKER.match(content)) and not RULE.match(content):
            inner += marker.end() + 1
            if len(self._widths) < MAX_OPEN:
                self._widths.append(inner)
            content = content[marker.end() :].removeprefix(" ")
        return content


class _OpenList:
    """A list while its lines go by: how far in the item's content stands, what is open there."""

    __slots__ = ("_is_empty", "_is_over", "_sign", "inside", "width")

    def __init__(self, line: str) -> None:
        self.width = 0
        self._sign = ""
        self._is_empty = self._is_over = False
        self.inside = Inside()
        self._open(line)

    def take(self, line: str) -> Role:
        """Take a line and return what it is; one outside changes nothing."""
        if line[:1] == self._sign and _ORDINARY.match(line):
            self._open_ordinary(line)
            return "item"
        if not line or not line.strip(" \t"):
            # No lazy line may follow; an item that began blank is over.
            self.inside.lazy = False
            self._is_over = self._is_empty
            return "blank"
        if indent(line) >= self.width and not self._is_over:
            self._is_empty = False
            self.inside.read(_content(line, self.width))
            return "inside"
        marker = MARKER.match(line)
        if marker is None or marker[2][-1] != self._sign or RULE.match(line):
            return "outside"
        self._open(line)
        return "item"

    def _open_ordinary(self, line: str) -> None:
        self._sign, self.width = line[0], 2
        self._is_over = self._is_empty = False
        self.inside.fence, self.inside.lazy = "", True

    def _open(self, line: str) -> None:
        if _ORDINARY.match(line):
            self._open_ordinary(line)
            return
        self._is_over = False
        lead = line[:LEAD].expandtabs(4)
        marker = MARKER.match(lead)
        if marker is None:
            # The parser sees a list that the scanner does not: it is one item, as it stands.
            self._sign, self.width, self._is_empty = "", 0, False
            return
        content = lead[marker.end() :]
        gap = len(content) - len(content.lstrip(" "))
        self._is_empty = not content.strip()
        self._sign = marker[2][-1]
        # Five blanks and more are one blank and indented code; none at all is an empty item.
        self.width = marker.end() + (gap if 1 <= gap <= 4 and not self._is_empty else 1)
        self.inside = Inside()
        if not self._is_empty:
            self.inside.read(_content(line, self.width))


def _content(line: str, width: int) -> str:
    return line[:LEAD].expandtabs(4)[width:]


def _without_markers(content: str) -> str:
    """Return what stands after the list markers that open a line."""
    while (marker := MARKER.match(content)) and not RULE.match(content):
        content = content[marker.end() :].removeprefix(" ")
    return content


def _continues(content: str, *, was_lazy: bool) -> bool:
    """Return whether content inside a list or quote is a paragraph that a lazy line goes on."""
    content = _without_markers(content.rstrip(" \t"))
    while quote := QUOTE.match(content):
        content = _without_markers(content[quote.end() :].removeprefix(" "))
    if indent(content) > 3:
        return was_lazy
    closed = (HEADING, FENCE, RULE)
    return bool(content) and not any(pattern.match(content) for pattern in closed)


def closes(line: str, mark: str) -> bool:
    """Return whether a line closes the fence that a mark opened."""
    if not line.lstrip(" ").startswith(mark) or indent(line) > 3:
        return False
    return not line.strip(" \t").strip(mark[0])
