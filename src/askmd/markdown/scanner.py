"""Blocks by one linear pass over the lines.

CommonMark's block structure as far as it decides what is a heading: fences, comments and other
HTML, lists, quotes and containers hide theirs. markdown-it-py would take up to 24 seconds a
megabyte, and drops what nests deeply; the tests hold this reading against it, and against GitHub's
own parser. It knows nothing of what is inside a list or quote beyond where that ends.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markdown_it.rules_block.html_block import HTML_SEQUENCES

from askmd.markdown.dialects import NOTE, STARTS, Dialects
from askmd.markdown.lists import FENCE, HEADING, QUOTE, RULE, Inside, closes, list_end, starts_list
from askmd.markdown.spans import DEFINITION, LEAD, Span, indent, language
from askmd.markdown.tables import RULER, ruled_end

_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_DEFINITION = re.compile(r" {0,3}" + DEFINITION, re.MULTILINE)

Rule = Callable[["Scan", int], "Span | None"]


class Scan:
    """One document's lines and dialects, read from the top."""

    def __init__(self, lines: Sequence[str], dialects: Dialects) -> None:
        """Take lines without newlines."""
        self.lines = lines
        self.dialects = dialects

    def interrupts(self, index: int, *, lazily: bool = False) -> bool:
        """Return whether a line ends the paragraph above it.

        ``lazily``: the paragraph stands in a list or quote and the line does not, so that any
        list item ends it, not only one that CommonMark lets interrupt a paragraph.
        """
        line = self.lines[index]
        if line[:1].isalpha():
            return False
        if not line or not line.strip(" \t"):
            return True
        if indent(line) > 3:
            return False
        start = line[:4].lstrip(" ")[0]
        pattern = _INTERRUPTING.get(start)
        return (
            (pattern is not None and pattern.match(line) is not None)
            or ((start in "-+*_" or start.isdigit()) and _begins_list_or_rule(line, lazily))
            or (start == "<" and _html_closer(line, inside_paragraph=True) is not None)
            or (start in STARTS and self.dialects.block(index, inside_paragraph=True) is not None)
        )


_INTERRUPTING = {"#": HEADING, "`": FENCE, "~": FENCE, ">": QUOTE}


def _begins_list_or_rule(line: str, lazily: bool) -> bool:
    return RULE.match(line) is not None or starts_list(line, inside_paragraph=not lazily)


def find(lines: Sequence[str], dialects: Dialects) -> list[Span]:
    """Return the top-level blocks in order, at a cost that grows with the text alone."""
    scan = Scan(lines, dialects)
    spans: list[Span] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if not line or not line.strip(" \t"):
            index += 1
            continue
        if "[" in line[:4] and (end := _definition_end(scan, index)):
            index = end
            continue
        span = None
        for rule in _RULES.get(line[0], _PARAGRAPH):
            span = rule(scan, index)
            if span is not None:
                break
        assert span is not None, "a paragraph can be made of anything"
        spans.append(span)
        index = span.end
    return spans


def _definition_end(scan: Scan, first: int) -> int:
    """Return the line after a link's definition, 0 where there is none.

    That is no block, nor a paragraph that an underline could make a heading.
    """
    lines = scan.lines[first : first + 3]
    if "]:" not in lines[0] or NOTE.match(lines[0]):
        return 0
    found = _DEFINITION.match("\n".join(lines))
    end = first + found[0].count("\n") + 1 if found else 0
    if any(scan.interrupts(index) for index in range(first + 1, end)):
        return first + 1 if _DEFINITION.match(lines[0]) else 0
    return end


def _code(scan: Scan, first: int) -> Span | None:
    end = first
    for index in range(first, len(scan.lines)):
        if not scan.lines[index].strip(" \t"):
            continue
        if indent(scan.lines[index]) < 4:
            break
        end = index + 1
    return Span("code", first, end) if end > first else None


def _construct(scan: Scan, first: int) -> Span | None:
    return scan.dialects.block(first)


def _fence(scan: Scan, first: int) -> Span | None:
    opening = FENCE.match(scan.lines[first])
    if opening is None:
        return None
    mark = opening["mark"] or opening["tilde"]
    end = next(
        (i + 1 for i in range(first + 1, len(scan.lines)) if closes(scan.lines[i], mark)),
        len(scan.lines),
    )
    return Span("fence", first, end, info=language(opening["info"] or opening["rest"] or ""))


def _quote(scan: Scan, first: int) -> Span | None:
    if not QUOTE.match(scan.lines[first]):
        return None
    inside = Inside()
    for index in range(first, len(scan.lines)):
        line = scan.lines[index]
        if mark := QUOTE.match(line):
            inside.read(line[mark.end() : LEAD].removeprefix(" "))
        elif not inside.lazy or scan.interrupts(index, lazily=True):
            return Span("quote", first, index)
    return Span("quote", first, len(scan.lines))


def _rule(scan: Scan, first: int) -> Span | None:
    return Span("rule", first, first + 1) if RULE.match(scan.lines[first]) else None


def _list(scan: Scan, first: int) -> Span | None:
    if not starts_list(scan.lines[first], inside_paragraph=False):
        return None
    end = list_end(scan.lines, first, lambda index: scan.interrupts(index, lazily=True))
    return Span("list", first, end)


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


def _html_closer(line: str, *, inside_paragraph: bool) -> re.Pattern[str] | None:
    """Return what ends the HTML block that starts on a line, None where none does."""
    stripped = line.lstrip(" ")
    if not stripped.startswith("<") or len(line) - len(stripped) > 3:
        return None
    for opening, closer, may_interrupt in HTML_SEQUENCES:
        if opening.search(stripped):
            return closer if may_interrupt or not inside_paragraph else None
    return None


def _heading(scan: Scan, first: int) -> Span | None:
    line = scan.lines[first]
    marker = HEADING.match(line)
    if marker is None:
        return None
    content = line[marker.end() :].rstrip(" \t")
    if content[-1:] == "#":
        unclosed = content.rstrip("#")
        if not unclosed or unclosed[-1] in " \t":
            content = unclosed
    return Span("heading", first, first + 1, len(marker[1]), content.strip())


def _paragraph(scan: Scan, first: int) -> Span | None:
    """Take a paragraph, the setext heading that an underline makes of it, or Pandoc's table."""
    lines = scan.lines
    for index in range(first + 1, len(lines)):
        line = lines[index]
        if not line:
            return Span("paragraph", first, index)
        if line[0] in " =-" and _UNDERLINE.match(line):
            level = 1 if "=" in line else 2
            return Span("heading", first, index + 1, level, "\n".join(lines[first:index]).strip())
        if scan.interrupts(index):
            if line[0] in " -" and RULER.match(line) and (end := ruled_end(lines, first, index)):
                return Span("table", first, end)
            return Span("paragraph", first, index)
    return Span("paragraph", first, len(lines))


_PARAGRAPH: tuple[Rule, ...] = (_paragraph,)
_ALL: tuple[Rule, ...] = (
    _code,
    _construct,
    _fence,
    _quote,
    _rule,
    _list,
    _html,
    _heading,
    _paragraph,
)
_RULES: dict[str, tuple[Rule, ...]] = {
    **dict.fromkeys(STARTS, (_construct, _paragraph)),
    **dict.fromkeys(" \t", _ALL),
    **dict.fromkeys("`~", (_fence, _paragraph)),
    **dict.fromkeys("-*_", (_rule, _list, _paragraph)),
    **dict.fromkeys("+0123456789", (_list, _paragraph)),
    ">": (_quote,),
    "<": (_construct, _html, _paragraph),
    "#": (_heading, _paragraph),
}
"""The rules that may take a line, by its first character; any other opens a paragraph."""
