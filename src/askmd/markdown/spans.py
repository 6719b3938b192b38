"""Spans of lines: blocks before they get the numbers of the document they stand in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from askmd.types import BlockKind

_LANGUAGE = re.compile(r"[{.]*([^\s,{}]*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Lines ``first`` to ``end``, half open, counted from 0 after the front matter."""

    kind: BlockKind
    first: int
    end: int
    level: int = 0
    info: str = ""
    """A heading's inline source, a fence's language, a container's kind."""


def language(info: str) -> str:
    """Return the language a fence's info string names: ``rust`` of ``rust,ignore``."""
    match = _LANGUAGE.match(info.strip())
    return match[1] if match else ""


def complete(spans: Sequence[Span], lines: Sequence[str]) -> Iterator[Span]:
    """Yield the spans without blank edges, and a paragraph for text that is in none of them.

    CommonMark's link definitions are in no token; they are text to be found all the same.
    """
    covered = 0
    for span in spans:
        yield from _paragraphs(lines, covered, span.first)
        covered = max(covered, span.end)
        end = span.end
        while end > span.first and not lines[end - 1].strip():
            end -= 1
        # A line of U+2028 or form feeds is a paragraph to CommonMark, and blank to everyone else.
        if end > span.first:
            yield Span(span.kind, span.first, end, span.level, span.info)
    yield from _paragraphs(lines, covered, len(lines))


def _paragraphs(lines: Sequence[str], first: int, end: int) -> Iterator[Span]:
    start = first
    for index in range(first, end):
        if not lines[index].strip():
            if start < index:
                yield Span("paragraph", start, index)
            start = index + 1
    if start < end:
        yield Span("paragraph", start, end)
