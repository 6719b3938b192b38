"""An answer's Markdown → its statements: where each stands, what it cites, what it quotes.

Paragraphs, list items, table rows and quotes are read by lines; fences and indented code are left
out. What has no mark of its own takes those of the next marked sentence of its paragraph or item,
for models put marks at the end; items, rows and quotes without any take those of the paragraph
that introduces them, and a quote those that stand alone below it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from askmd.citations.code import IndentTracker
from askmd.citations.cutting import cut
from askmd.citations.marks import MARK, numbers_of
from askmd.citations.spans import code_spans, quotations
from askmd.types import Chars

Kind = Literal["text", "item", "row", "quote", "heading"]

_FENCE = re.compile(r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+(?P<run>`{3,}|~{3,})(?P<info>.*)")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]++")
_ITEM = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)++(?:\[[ xX]\][ \t]++)?(?=\S)")
_QUOTE = re.compile(r"[ \t]*+(?:>[ \t]?)++[ \t]*+")
_CALLOUT = re.compile(r"\[![A-Za-z]{1,20}\]")
_RULE = re.compile(r"[ \t]*(?:[-*_=|:+][ \t]*){3,}")
_MARK = re.compile(MARK)
_GOES_ON: dict[Kind, tuple[Kind, ...]] = {"text": ("text", "item"), "quote": ("quote",)}
"""What a line of a kind goes on with; of the other kinds each line begins anew."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of an answer as it was read, before anything is looked up."""

    text: str
    chars: Chars
    kind: Kind
    citations: tuple[int, ...]
    quotes: tuple[str, ...]

    @property
    def without_marks(self) -> str:
        """The text without its citations."""
        return _MARK.sub("", self.text)

    @property
    def is_lead(self) -> bool:
        """Whether it only introduces what follows."""
        return self.without_marks.rstrip(" *_").endswith((":", "\uff1a"))

    @property
    def is_question(self) -> bool:
        """Whether it asks."""
        return self.without_marks.rstrip(' *_"\u201d').endswith(("?", "\uff1f"))


@dataclass(slots=True)
class _Unit:
    """Lines that belong together: a paragraph, an item, a row, a quote, a heading."""

    kind: Kind
    start: int
    end: int


def statements(answer: str, valid: Container[int]) -> list[Statement]:
    """Return the sentences of an answer in order; ``valid`` are the numbers that may be cited."""
    found: list[Statement] = []
    lent: tuple[int, ...] = ()
    last: list[Statement] = []
    for unit in _units(answer):
        read = _read(answer, unit, valid)
        if not read:
            marks = _marks(answer, unit.start, unit.end, (), valid)
            _lend(found, len(last), marks)
            continue
        if unit.kind in ("text", "heading"):
            lent = read[-1].citations if read[-1].is_lead else ()
        elif lent and not any(one.citations for one in read):
            read = [replace(one, citations=lent) for one in read]
        found += read
        last = read
    return found


def _lend(found: list[Statement], count: int, marks: tuple[int, ...]) -> None:
    """Give marks that stand alone to the statements before them that have none."""
    for place in range(len(found) - count, len(found)):
        if not found[place].citations and not found[place].is_lead:
            found[place] = replace(found[place], citations=marks)


def _read(answer: str, unit: _Unit, valid: Container[int]) -> list[Statement]:
    """Return the statements of a unit; none where it says nothing."""
    text = answer[unit.start : unit.end]
    spans = code_spans(text)
    quotes = [(0, _quote_end(text))] if unit.kind == "quote" else quotations(text, spans)
    whole = unit.kind in ("quote", "row", "heading")
    ranges = [(0, len(text))] if whole else cut(text, [*spans, *quotes])
    found: list[Statement] = []
    place = 0
    for first, last in ranges:
        inside = []
        while place < len(quotes) and quotes[place][0] < last:
            inside.append(text[slice(*quotes[place])])
            place += 1
        if not _says_something(text[first:last]):
            continue
        chars = (unit.start + first, unit.start + last)
        marks = _marks(text, first, last, spans, valid)
        found.append(Statement(text[first:last], chars, unit.kind, marks, tuple(inside)))
    return _with_marks_of_next(found)


def _quote_end(text: str) -> int:
    """Return where a quote ends: before the marks below it."""
    mark = _MARK.search(text)
    if not mark or _says_something(text[mark.start() :]):
        return len(text)
    return len(text[: mark.start()].rstrip(" \t\n>-\u2013\u2014"))


def _says_something(text: str) -> bool:
    return any(char.isalnum() for char in _MARK.sub("", text))


def _with_marks_of_next(found: Sequence[Statement]) -> list[Statement]:
    """Return statements that have what the next marked one cites where they cite nothing."""
    following: tuple[int, ...] = ()
    done = []
    for one in reversed(found):
        if one.citations:
            following = one.citations
        elif following and not one.is_lead:
            done.append(replace(one, citations=following))
            continue
        done.append(one)
    return done[::-1]


def _marks(
    text: str, first: int, last: int, spans: Sequence[Chars], valid: Container[int]
) -> tuple[int, ...]:
    """Return the numbers that the marks of a range name, in order, each once; not in code."""
    numbers: dict[int, None] = {}
    place = 0
    for found in _MARK.finditer(text, first, last):
        while place < len(spans) and spans[place][1] <= found.start():
            place += 1
        if place == len(spans) or found.start() < spans[place][0]:
            numbers.update((one, None) for one in numbers_of(found[0]) if one in valid)
    return tuple(numbers)


def _units(answer: str) -> Iterator[_Unit]:
    """Yield what an answer's lines make up, in order, without its code."""
    reader = _LineReader()
    at = 0
    for line in answer.split("\n"):
        yield from reader.step(line.rstrip("\r"), at)
        at += len(line) + 1
    yield from reader.end()


class _LineReader:
    """Gathers lines into units."""

    def __init__(self) -> None:
        self._unit: _Unit | None = None
        self._fence = ""
        self._is_callout = False
        self._indent = IndentTracker()

    def step(self, line: str, at: int) -> Iterator[_Unit]:
        """Take the next line, which stands at an offset; yield the unit that ends before it."""
        is_indented = self._indent.read(line)
        if self._is_fenced(line) or is_indented or not line.strip(" \t>"):
            yield from self.end()
            return
        if _RULE.fullmatch(line):
            if self._unit and self._unit.kind == "row":
                self._unit.kind = "heading"
            yield from self.end()
            return
        kind, offset = self._kind(line)
        if self._unit and self._unit.kind in _GOES_ON.get(kind, ()):
            self._unit.end = at + len(line.rstrip())
            return
        yield from self.end()
        self._unit = _Unit(kind, at + offset, at + len(line.rstrip()))

    def end(self) -> Iterator[_Unit]:
        """Yield the unit that is being gathered."""
        if self._unit and self._unit.start < self._unit.end:
            yield self._unit
        self._unit = None

    def _kind(self, line: str) -> tuple[Kind, int]:
        """Return what a line begins or goes on with, and where its text begins."""
        quote = _QUOTE.match(line)
        offset = quote.end() if quote else 0
        callout = _CALLOUT.match(line, offset) if quote else None
        self._is_callout = bool(quote and (callout or self._is_callout))
        if quote and not self._is_callout:
            return "quote", offset
        if heading := _HEADING.match(line, offset):
            return "heading", heading.end()
        if item := _ITEM.match(line, offset):
            return "item", item.end()
        if line.startswith("|", offset):
            return "row", offset
        return "text", callout.end() if callout else offset

    def _is_fenced(self, line: str) -> bool:
        """Tell whether a line belongs to a fence, its first and last ones too."""
        found = _FENCE.match(line)
        if self._fence:
            closes = found and found["run"].startswith(self._fence) and not found["info"].strip()
            self._fence = "" if closes else self._fence
            return True
        if found and not (found["run"][0] == "`" and "`" in found["info"]):
            self._fence = found["run"]
            return True
        return False
