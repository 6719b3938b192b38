"""Spans of lines: blocks before they get the numbers of the document they stand in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from askmd.types import BlockKind

LEAD = 120
"""Code points of a line that are looked at for its indentation and markers."""
_LANGUAGE = re.compile(r"[{.]*([^\s,{}]*)")
DEFINITION = (
    r"\[(?!\s*\])(?P<label>(?:[^\[\]\\]|\\.){1,999}+)\]:[ \t]*+\n?[ \t>]*+"
    r"(?:<[^<>\n]*+>|[^\s<]\S*+)"
    r"(?:(?:[ \t]++\n?|\n)[ \t>]*+(?P<title>\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?[ \t]*+$"
)
"""A link's definition, as a pattern of lines: its title and its target may stand on their own."""
# The group is atomic: where a comment ends does not change when something follows it.
_COMMENTS = re.compile(r"\s*(?:(?><!--.*?-->)\s*+)++\Z", re.DOTALL)
CALLOUT = re.compile(r" {0,3}> ?\[!([\w-]+)\]")
"""The first line of GitHub's alerts and Obsidian's callouts; the quote takes their name."""


class Span(NamedTuple):
    """Lines ``first`` to ``end``, half open, counted from 0 after the front matter.

    A tuple and no dataclass: a megabyte may hold half a million, at half the price each.
    """

    kind: BlockKind
    first: int
    end: int
    level: int = 0
    info: str = ""
    """A heading's inline source, a fence's language, a container's kind, a note's label."""


def language(info: str) -> str:
    """Return the language a fence's info string names: ``rust`` of ``rust,ignore``."""
    match = _LANGUAGE.match(info.strip())
    return match[1] if match else ""


def indent(line: str) -> int:
    """Return a line's indentation in columns; tabs stop at every fourth."""
    if not line.startswith((" ", "\t")):
        return 0
    lead = line[:LEAD].expandtabs(4)
    return len(lead) - len(lead.lstrip(" "))


def complete(spans: Sequence[Span], lines: Sequence[str]) -> Iterator[Span]:
    """Yield the spans without blank edges, and a paragraph for text that is in none of them.

    CommonMark's link definitions are in no token; they are text to be found all the same.
    """
    covered = 0
    for span in spans:
        first, end = span.first, span.end
        if covered < first and (first - covered > 1 or lines[covered]):
            yield from _paragraphs(lines, covered, first)
        covered = max(covered, end)
        while end > first and (not lines[end - 1] or lines[end - 1].isspace()):
            end -= 1
        # A line of U+2028 or form feeds is a paragraph to CommonMark, and blank to everyone else.
        if end > first:
            whole = span if end == span.end else span._replace(end=end)
            yield _NAMING[span.kind](whole, lines) if span.kind in _NAMING else whole
    yield from _paragraphs(lines, covered, len(lines))


def _callout(span: Span, lines: Sequence[str]) -> Span:
    callout = CALLOUT.match(lines[span.first])
    return span._replace(info=callout[1].lower()) if callout else span


def _comment(span: Span, lines: Sequence[str]) -> Span:
    if not lines[span.first].lstrip(" ").startswith("<!--"):
        return span
    text = "\n".join(lines[span.first : span.end])
    return span._replace(kind="comment") if _COMMENTS.match(text) else span


_NAMING: dict[BlockKind, Callable[[Span, Sequence[str]], Span]] = {
    "quote": _callout,
    "html": _comment,
}


def _paragraphs(lines: Sequence[str], first: int, end: int) -> Iterator[Span]:
    start = first
    for index in range(first, end):
        if not lines[index].strip():
            if start < index:
                yield Span("paragraph", start, index)
            start = index + 1
    if start < end:
        yield Span("paragraph", start, end)
