"""Blocks → sections: heading paths, anchors, the numbers of the whole document."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from askmd.markdown import front_matter, parser, scanner, tables
from askmd.markdown.containers import Containers
from askmd.markdown.headings import Anchors, plain, shortened
from askmd.markdown.spans import Span, complete
from askmd.types import Block, Outline, Section

MAX_PARSED_CHARS = 128 * 1024
"""Above this the linear scanner reads: the parser needs up to 24 seconds a megabyte."""

MAX_QUOTED_LINES = 100_000
"""Lines times the deepest quote's levels: the parser tries a lazy line on each level above it."""
_PREFIX = re.compile(r"(?:[ \t>]|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))*+")
"""The markers of quotes and list items that open a line."""


def parse(text: str) -> Outline:
    """Return the document's front matter, title and sections.

    ``text`` is decoded, its BOM cut, its newlines line feeds. The sections' blocks hold every
    non-blank line after the front matter; their lines count from 1 at the top of the whole text.
    """
    front = front_matter.read(text)
    offset = text.count("\n", 0, front.end)
    lines = text[front.end :].split("\n")
    if not lines[-1]:
        lines.pop()
    title = shortened(_string(front.metadata.get("title")))
    sections = _sections(_spans(lines, front.unread_lines), lines, offset)
    first_h1 = next((s.path[0] for s in sections if _is_h1(s)), "")
    if title and not first_h1:
        sections = [_under(title, section) for section in sections]
    description = _string(front.metadata.get("description"))
    return Outline(front.metadata, title or first_h1, description, tuple(sections))


def split_sections(text: str) -> list[Section]:
    """Return only the sections of a document."""
    return list(parse(text).sections)


def body_start(text: str) -> int:
    """Return the offset of the first code point after the front matter; 0 without one."""
    return front_matter.read(text).end


def _spans(lines: Sequence[str], unread: int) -> list[Span]:
    """Return the blocks of the lines, the first ``unread`` of which are one paragraph."""
    if not unread:
        return find_blocks(lines)
    below = find_blocks(lines[unread:])
    moved = (replace(span, first=span.first + unread, end=span.end + unread) for span in below)
    return [Span("paragraph", 0, unread), *moved]


def find_blocks(lines: Sequence[str]) -> list[Span]:
    """Return the top-level blocks of lines without newlines; every non-blank line is in one."""
    containers = Containers(lines)
    spans: list[Span] = []
    if _is_costly(lines):
        spans = scanner.find(lines, containers)
    else:
        try:
            spans = parser.find(lines, containers)
        except parser.TooNested:
            spans = scanner.find(lines, containers)
    whole = complete(spans, lines)
    return [part for span in whole for part in tables.separate(span, lines)]


def _is_costly(lines: Sequence[str]) -> bool:
    """Return whether the parser would take more than about a second."""
    if sum(map(len, lines)) + len(lines) > MAX_PARSED_CHARS:
        return True
    prefixes = (_PREFIX.match(line) for line in lines if ">" in line)
    deepest = max((match[0].count(">") for match in prefixes if match), default=0)
    return deepest * len(lines) > MAX_QUOTED_LINES


@dataclass(frozen=True, slots=True)
class _Opening:
    """What a heading gives to the section it opens."""

    path: tuple[str, ...]
    text: str
    anchor: str


def _sections(spans: Sequence[Span], lines: Sequence[str], offset: int) -> list[Section]:
    groups = _groups(spans)
    openings = _openings([group[0] for group in groups if group[0].kind == "heading"])
    sections: list[Section] = []
    for position, group in enumerate(groups):
        is_last = position + 1 == len(groups)
        end = len(lines) if is_last else groups[position + 1][0].first
        if group[0].kind == "heading":
            opening, first = next(openings), group[0].first
            head = _block(group[0], offset, opening.text)
            blocks = (head, *(_block(span, offset, span.info) for span in group[1:]))
        else:
            opening, first = _Opening((), "", ""), 0
            blocks = tuple(_block(span, offset, span.info) for span in group)
        numbers = (offset + first + 1, offset + end)
        sections.append(Section(opening.path, opening.anchor, numbers, blocks))
    return sections


def _groups(spans: Sequence[Span]) -> list[list[Span]]:
    """Return each heading with the blocks under it, after what stands above the first heading."""
    groups: list[list[Span]] = []
    for span in spans:
        if span.kind == "heading" or not groups:
            groups.append([])
        groups[-1].append(span)
    return groups


def _openings(heads: Sequence[Span]) -> Iterator[_Opening]:
    """Yield each heading's path: the headings above it that it stands under, then itself."""
    anchors = Anchors()
    above: list[tuple[int, str]] = []
    for head in heads:
        text, explicit = plain(head.info)
        while above and above[-1][0] >= head.level:
            above.pop()
        above.append((head.level, text))
        path = tuple(name for _, name in above if name)
        yield _Opening(path, text, anchors.take(text, explicit))


def _block(span: Span, offset: int, info: str) -> Block:
    return Block(span.kind, (offset + span.first + 1, offset + span.end), span.level, info)


def _is_h1(section: Section) -> bool:
    head = section.blocks[0]
    return head.kind == "heading" and head.level == 1 and bool(head.info)


def _under(title: str, section: Section) -> Section:
    return Section((title, *section.path), section.anchor, section.lines, section.blocks)


def _string(value: object) -> str:
    """Return a metadata value as one line of text; lists and mappings are no text."""
    if value is None or isinstance(value, list | dict | bool):
        return ""
    return " ".join(str(value).split())
