"""Blocks → sections: heading paths, anchors, the numbers of the whole document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from askmd.markdown import front_matter
from askmd.markdown.anchors import Ids, assign
from askmd.markdown.definitions import definitions
from askmd.markdown.headings import LONE_ANCHOR, Heading, Headings, line_id, shortened
from askmd.markdown.limits import Size
from askmd.markdown.nested import Nest
from askmd.markdown.reading import find_blocks
from askmd.markdown.spans import Span
from askmd.types import Anchors, Outline, Section

_NO_ANCHORS = Anchors()


def parse(text: str) -> Outline:
    """Return the document's front matter, title, sections, footnotes and link definitions.

    ``text`` is decoded, its BOM cut, its newlines line feeds. The sections' blocks hold every
    non-blank line after the front matter; their lines count from 1 at the top of the whole text.
    Raises ValueError where it holds hundreds of thousands of blocks with hardly any text in them.
    """
    front = front_matter.read(text)
    offset = text.count("\n", 0, front.end)
    # Only line feeds end lines here; NUL is what CommonMark makes of it.
    lines = text[front.end :].replace("\r", " ").replace("\0", "\ufffd").split("\n")
    if not lines[-1]:
        lines.pop()
    body = _Body(lines, offset, _spans(lines, front.unread_lines))
    title = shortened(_string(front.metadata.get("title")))
    first_h1 = body.first_h1()
    sections = tuple(body.sections((title,) if title and not first_h1 else ()))
    description = _string(front.metadata.get("description"))
    notes, links = definitions(sections, lines, offset) if "]:" in text else ({}, {})
    return Outline(
        front.metadata, title or first_h1, description, sections, notes=notes, links=links
    )


def split_sections(text: str) -> list[Section]:
    """Return only the sections of a document; raises what ``parse`` does."""
    return list(parse(text).sections)


def body_start(text: str) -> int:
    """Return the offset of the first code point after the front matter; 0 without one."""
    return front_matter.read(text).end


def _spans(lines: Sequence[str], unread: int) -> list[Span]:
    """Return the blocks of the lines, the first ``unread`` of which are one paragraph."""
    if not unread:
        return find_blocks(lines)
    below = find_blocks(lines[unread:])
    moved = (span._replace(first=span.first + unread, end=span.end + unread) for span in below)
    return [Span("paragraph", 0, unread), *moved]


class _Body:
    """What stands after the front matter."""

    def __init__(self, lines: Sequence[str], offset: int, spans: Sequence[Span]) -> None:
        """Read the headings; ``offset`` lines of front matter stand above ``lines``."""
        headings, size = Headings(), Size(lines)
        self._lines = lines
        self._offset = offset
        self._spans = spans
        self._nest = Nest(headings, size)
        self._heads = [n for n, span in enumerate(spans) if span.kind == "heading"]
        size.add(len(spans), headings=len(self._heads))
        self._levels = [spans[position].level for position in self._heads]
        self._headings = [
            self._targeted(headings.read(spans[position].info), position)
            for position in self._heads
        ]

    def first_h1(self) -> str:
        """Return the text of the first level-1 heading that has one, else ''."""
        leveled = zip(self._levels, self._headings, strict=True)
        return next((heading.text for level, heading in leveled if level == 1 and heading.text), "")

    def sections(self, above: tuple[str, ...]) -> Iterator[Section]:
        """Yield the sections; ``above`` stands over every heading's path."""
        spans, offset = self._spans, self._offset
        starts = [0, *self._heads] if spans and self._heads[:1] != [0] else self._heads
        owned = self._owned(above)
        first = 0
        for start, end in pairwise([*starts, len(spans)]):
            path, anchor, anchors = above, "", _NO_ANCHORS
            if spans[start].kind == "heading":
                first = spans[start].first
                path, (anchor, anchors) = next(owned)
            blocks = [self._nest.block(span, self._lines, offset) for span in spans[start:end]]
            last = spans[end].first if end < len(spans) else len(self._lines)
            yield Section(path, anchor, (offset + first + 1, offset + last), tuple(blocks), anchors)

    def _owned(self, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Ids]]:
        """Yield each heading's path and ids."""
        paths = _paths(self._levels, self._headings, above)
        return zip(paths, assign(self._headings), strict=True)

    def _targeted(self, heading: Heading, position: int) -> Heading:
        """Return a heading with the id that the line above or below it gives it."""
        if heading.explicit:
            return heading
        below = self._spans[position].end
        if below < len(self._lines) and (given := line_id(self._lines[below])):
            return heading._replace(explicit=given)
        above = self._spans[position - 1] if position else None
        if above is None or above.kind not in ("paragraph", "html"):
            return heading
        line = self._lines[above.end - 1]
        target = LONE_ANCHOR.match(line) if "<" in line else None
        return heading._replace(explicit=target[1]) if target else heading


def _paths(
    levels: Sequence[int], headings: Sequence[Heading], above: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """Yield each heading's path: the headings above it that it stands under, then itself."""
    parents: list[tuple[int, tuple[str, ...]]] = []
    for level, heading in zip(levels, headings, strict=True):
        while parents and parents[-1][0] >= level:
            parents.pop()
        path = parents[-1][1] if parents else above
        if heading.text:
            path = (*path, heading.text)
        parents.append((level, path))
        yield path


def _string(value: object) -> str:
    """Return a metadata value as one line of text; lists and mappings are no text."""
    if value is None or isinstance(value, list | dict | bool):
        return ""
    return " ".join(str(value).split())
