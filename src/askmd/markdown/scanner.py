"""Blocks by one linear pass over the lines, for what the parser would take minutes or memory for.

CommonMark's block structure as far as it decides what is a heading: fences, comments and other
HTML, lists, quotes and containers hide theirs. The tests hold it against the parser. It knows
nothing of what is inside a list or quote beyond where that ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it.rules_block.html_block import HTML_SEQUENCES

from askmd.markdown.containers import Containers
from askmd.markdown.spans import Span, language

_HEADING = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(?:(?P<mark>`{3,})(?P<info>[^`]*)$|(?P<tilde>~{3,})(?P<rest>.*)$)")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_QUOTE = re.compile(r" {0,3}>")
_MARKER = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])(?=[ \t]|$)")
_DEFINITION = re.compile(
    r" {0,3}\[(?:[^\[\]\\]|\\.)+\]:[ \t]*(?:<[^<>]*>|[^\s<]\S*)"
    r"(?:[ \t]+(?:\"[^\"]*\"|'[^']*'|\([^()]*\)))?[ \t]*$"
)
_LEAD = 120
"""Code points of a line that are looked at for its indentation and markers."""
_NEVER = 10**9
"""An indentation no line has."""

Line = str
Rule = Callable[["Scan", int], "Span | None"]


class Scan:
    """One document's lines and containers, read from the top."""

    def __init__(self, lines: Sequence[Line], containers: Containers) -> None:
        """Take lines without newlines."""
        self.lines = lines
        self.containers = containers

    def interrupts(self, index: int, *, lazily: bool = False) -> bool:
        """Return whether a line ends the paragraph above it.

        ``lazily``: the paragraph stands in a list or quote and the line does not, so that any
        list item ends it, not only one that CommonMark lets interrupt a paragraph.
        """
        line = self.lines[index]
        if line[:1].isalpha():
            return False
        if not line.strip(" \t"):
            return True
        if _indent(line) > 3:
            return False
        starts = (_HEADING, _FENCE, _QUOTE, _RULE)
        return (
            any(pattern.match(line) for pattern in starts)
            or _starts_list(line, inside_paragraph=not lazily)
            or _html_closer(line, inside_paragraph=True) is not None
            or self.containers.end(index) is not None
        )


def find(lines: Sequence[Line], containers: Containers) -> list[Span]:
    """Return the top-level blocks in order, at a cost that grows with the text alone."""
    scan = Scan(lines, containers)
    spans: list[Span] = []
    index = 0
    while index < len(lines):
        # A link definition is no block, nor a paragraph that an underline could make a heading.
        if not lines[index].strip(" \t") or _DEFINITION.match(lines[index]):
            index += 1
            continue
        rules = _rules_for(lines[index][0])
        span = next(found for rule in rules if (found := rule(scan, index)) is not None)
        spans.append(span)
        index = span.end
    return spans


def _rules_for(first_character: str) -> tuple[Rule, ...]:
    """Return the rules that may take a line: most lines start with a letter, and need but one."""
    if first_character.isalpha():
        return _RULES[-1:]
    return _RULES[-2:] if first_character == "#" else _RULES


def _code(scan: Scan, first: int) -> Span | None:
    end = first
    for index in range(first, len(scan.lines)):
        if not scan.lines[index].strip(" \t"):
            continue
        if _indent(scan.lines[index]) < 4:
            break
        end = index + 1
    return Span("code", first, end) if end > first else None


def _container(scan: Scan, first: int) -> Span | None:
    end = scan.containers.end(first)
    return Span("container", first, end, info=scan.containers.kind(first)) if end else None


def _fence(scan: Scan, first: int) -> Span | None:
    opening = _FENCE.match(scan.lines[first])
    if opening is None:
        return None
    mark = opening["mark"] or opening["tilde"]
    end = next(
        (i + 1 for i in range(first + 1, len(scan.lines)) if _closes(scan.lines[i], mark)),
        len(scan.lines),
    )
    return Span("fence", first, end, info=language(opening["info"] or opening["rest"] or ""))


def _closes(line: Line, mark: str) -> bool:
    if not line.lstrip(" ").startswith(mark) or _indent(line) > 3:
        return False
    return not line.strip(" \t").strip(mark[0])


def _quote(scan: Scan, first: int) -> Span | None:
    if not _QUOTE.match(scan.lines[first]):
        return None
    inside = _Inside()
    for index in range(first, len(scan.lines)):
        line = scan.lines[index]
        if mark := _QUOTE.match(line):
            inside.read(line[mark.end() : _LEAD].removeprefix(" "))
        elif not inside.lazy or scan.interrupts(index, lazily=True):
            return Span("quote", first, index)
    return Span("quote", first, len(scan.lines))


def _rule(scan: Scan, first: int) -> Span | None:
    return Span("rule", first, first + 1) if _RULE.match(scan.lines[first]) else None


def _list(scan: Scan, first: int) -> Span | None:
    """Take a list with everything indented under its items, and lazy lines after them."""
    if not _starts_list(scan.lines[first], inside_paragraph=False):
        return None
    item = _Item(scan.lines[first])
    end = first + 1
    for index in range(first + 1, len(scan.lines)):
        line = scan.lines[index]
        if not line.strip(" \t"):
            item.blank()
            continue
        if _indent(line) >= item.width:
            item.add(line)
        elif item.has_sibling(line):
            item = _Item(line)
        elif not item.inside.lazy or scan.interrupts(index, lazily=True):
            break
        end = index + 1
    return Span("list", first, end)


class _Inside:
    """What is open inside a list item or quote while its lines go by."""

    def __init__(self) -> None:
        self.fence = ""
        self.lazy = False

    def read(self, content: Line) -> None:
        """Take a line without what makes it part of the item or quote."""
        if self.fence:
            self.fence = "" if _closes(content, self.fence) else self.fence
            return
        content = _without_markers(content)
        opening = _FENCE.match(content)
        self.fence = (opening["mark"] or opening["tilde"]) if opening else ""
        self.lazy = _continues(content, was_lazy=self.lazy)


class _Item:
    """A top-level list item: how far in its content stands, and what is open there."""

    def __init__(self, line: Line) -> None:
        lead = line[:_LEAD].expandtabs(4)
        marker = _MARKER.match(lead)
        assert marker is not None
        content = lead[marker.end() :]
        gap = len(content) - len(content.lstrip(" "))
        # Five blanks and more are one blank and indented code; none at all is an empty item.
        self.sign = marker[2][-1]
        self.width = marker.end() + (gap if 1 <= gap <= 4 and content.strip() else 1)
        self.is_empty = not content.strip()
        self.inside = _Inside()
        self.inside.read(self._content(line))

    def has_sibling(self, line: Line) -> bool:
        """Return whether a line is the next item of the same list: another sign starts another."""
        marker = _MARKER.match(line)
        return marker is not None and marker[2][-1] == self.sign and not _RULE.match(line)

    def blank(self) -> None:
        """Take a blank line: no lazy line may follow; an item that began blank is over."""
        self.inside.lazy = False
        if self.is_empty:
            self.width = _NEVER

    def add(self, line: Line) -> None:
        """Take a line that is indented under the item."""
        self.is_empty = False
        self.inside.read(self._content(line))

    def _content(self, line: Line) -> Line:
        return line[:_LEAD].expandtabs(4)[self.width :]


def _without_markers(content: Line) -> Line:
    """Return what stands after the list markers that open a line."""
    while (marker := _MARKER.match(content)) and not _RULE.match(content):
        content = content[marker.end() :].removeprefix(" ")
    return content


def _continues(content: Line, *, was_lazy: bool) -> bool:
    """Return whether content inside a list or quote is a paragraph that a lazy line goes on."""
    content = _without_markers(content.rstrip(" \t"))
    while quote := _QUOTE.match(content):
        content = _without_markers(content[quote.end() :].removeprefix(" "))
    if _indent(content) > 3:
        return was_lazy
    closed = (_HEADING, _FENCE, _RULE)
    return bool(content) and not any(pattern.match(content) for pattern in closed)


def _html(scan: Scan, first: int) -> Span | None:
    closer = _html_closer(scan.lines[first], inside_paragraph=False)
    if closer is None:
        return None
    if closer.search(scan.lines[first].strip(" \t")):
        return Span("html", first, first + 1)
    ends_blank = bool(closer.search(""))
    for index in range(first + 1, len(scan.lines)):
        if closer.search(scan.lines[index].strip(" \t") if ends_blank else scan.lines[index]):
            return Span("html", first, index if ends_blank else index + 1)
    return Span("html", first, len(scan.lines))


def _html_closer(line: Line, *, inside_paragraph: bool) -> re.Pattern[str] | None:
    """Return what ends the HTML block that starts on a line, None where none does."""
    stripped = line.lstrip(" ")
    if not stripped.startswith("<") or len(line) - len(stripped) > 3:
        return None
    for opening, closer, may_interrupt in HTML_SEQUENCES:
        if opening.search(stripped):
            return closer if may_interrupt or not inside_paragraph else None
    return None


def _heading(scan: Scan, first: int) -> Span | None:
    marker = _HEADING.match(scan.lines[first])
    if marker is None:
        return None
    content = scan.lines[first][marker.end() :].rstrip(" \t")
    unclosed = content.rstrip("#")
    if not unclosed or unclosed[-1] in " \t":
        content = unclosed
    return Span("heading", first, first + 1, len(marker[1]), content.strip())


def _paragraph(scan: Scan, first: int) -> Span | None:
    """Take a paragraph, or the setext heading that an underline makes of it."""
    for index in range(first + 1, len(scan.lines)):
        line = scan.lines[index]
        if _UNDERLINE.match(line):
            level = 1 if "=" in line else 2
            return Span(
                "heading", first, index + 1, level, "\n".join(scan.lines[first:index]).strip()
            )
        if scan.interrupts(index):
            return Span("paragraph", first, index)
    return Span("paragraph", first, len(scan.lines))


def _starts_list(line: Line, *, inside_paragraph: bool) -> bool:
    marker = _MARKER.match(line)
    if marker is None:
        return False
    if not inside_paragraph:
        return True
    return marker[2] in ("-", "+", "*", "1.", "1)") and bool(line[marker.end() :].strip(" \t"))


def _indent(line: Line) -> int:
    """Return a line's indentation in columns; tabs stop at every fourth."""
    if not line.startswith((" ", "\t")):
        return 0
    lead = line[:_LEAD].expandtabs(4)
    return len(lead) - len(lead.lstrip(" "))


_RULES: tuple[Rule, ...] = (
    _code,
    _container,
    _fence,
    _quote,
    _rule,
    _list,
    _html,
    # These two stay last, see _rules_for.
    _heading,
    _paragraph,
)
