"""An answer's Markdown → its statements: where each stands, what it cites, what it quotes.

Paragraphs, list items, table rows and quotes are read by lines; fences and indented code are left
out. What has no mark of its own takes those of the next marked sentence of its paragraph or item,
for models put marks at the end; items, rows and quotes without any take those of the paragraph
that introduces them, and a quote those that stand alone below it. A quote that begins with a label
like "Note:" is no quotation, and a line of a list of sources no statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from askmd.citations.code import IndentTracker
from askmd.citations.cutting import cut
from askmd.citations.marks import MARK, numbers_of
from askmd.citations.spans import code_spans, quotations
from askmd.citations.vocabulary import CALLOUTS
from askmd.types import Chars

Kind = Literal["text", "item", "row", "quote", "heading", "listing"]

_FENCE = re.compile(r"[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)*+(?P<run>`{3,}|~{3,})(?P<info>.*)")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]++")
_ITEM = re.compile(r"[ \t]*+(?:(?:[-*+]|\d{1,9}[.)])[ \t]++)++(?:\[[ xX]\][ \t]++)?(?=\S)")
_QUOTE = re.compile(r"[ \t]*+(?:>[ \t]?)++[ \t]*+")
_CALLOUT = re.compile(r"\[![A-Za-z]{1,20}\]")
_EMOJI = r"[\u203c\u2049\u2139\u23e9-\u23fa\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]\ufe0f?"
_EMOJIS = re.compile(rf"(?:{_EMOJI}[ \t]*+)++")
_LABELLED = re.compile(
    rf"(?P<emoji>(?:{_EMOJI}[ \t]*+)*+)[*_]{{0,3}}(?P<label>[^\W\d_]{{1,20}}+)?"
    r"(?P<end>[*_]{0,3}[ ]?[:\uff1a][*_]{0,3}[ \t]*|[*_]{2,3}[ \t]*$)?"
)
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


def statements(
    answer: str, valid: Container[int], is_listing: Callable[[str], bool] = lambda _line: False
) -> list[Statement]:
    """Return the sentences of an answer in order, those of lists of sources as such.

    valid: the numbers that may be cited.
    is_listing: tells whether a line only names sources.
    """
    found: list[Statement] = []
    lent: tuple[int, ...] = ()
    last: list[Statement] = []
    for unit in _units(answer, is_listing):
        read = _read(answer, unit, valid)
        if unit.kind == "listing":
            found += read
            last = []
            continue
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
    whole = unit.kind in ("quote", "row", "heading", "listing")
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
            named = numbers_of(found[0])
            # What was left in the text with a number that was never sent is no mark.
            numbers.update(dict.fromkeys(named if all(one in valid for one in named) else ()))
    return tuple(numbers)


def _units(answer: str, is_listing: Callable[[str], bool]) -> Iterator[_Unit]:
    """Yield what an answer's lines make up, in order, without its code."""
    reader = _LineReader(is_listing)
    at = 0
    for line in answer.split("\n"):
        yield from reader.step(line.rstrip("\r"), at)
        at += len(line) + 1
    yield from reader.end()


class _LineReader:
    """Gathers lines into units."""

    def __init__(self, is_listing: Callable[[str], bool]) -> None:
        self._is_listing = is_listing
        self._unit: _Unit | None = None
        self._fence = ""
        self._is_callout = False
        self._indent = IndentTracker()

    def step(self, line: str, at: int) -> Iterator[_Unit]:
        """Take the next line, which stands at an offset; yield the unit that ends before it."""
        is_indented = self._indent.read(line)
        self._is_callout = self._is_callout and bool(line.strip())
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
        callout = self._callout(line, offset) if quote else None
        self._is_callout = bool(quote and (callout or self._is_callout))
        if self._is_listing(line):
            return "listing", offset
        if quote and not self._is_callout:
            return "quote", offset
        if heading := _HEADING.match(line, offset):
            return "heading", heading.end()
        if item := _ITEM.match(line, offset):
            return "item", item.end()
        if line.startswith("|", offset):
            return "row", offset
        return "text", callout.end() if callout else offset

    def _callout(self, line: str, offset: int) -> re.Match[str] | None:
        """Return what makes a line of a quote a callout's first; a quotation may not turn into one.

        ``[!NOTE]``, an emoji, or a label like "Note:" after one or none.
        """
        if callout := _CALLOUT.match(line, offset):
            return callout
        if self._is_callout or (self._unit and self._unit.kind == "quote"):
            return None
        found = _LABELLED.match(line, offset)
        if found and found["end"] and (found["label"] or "").casefold() in CALLOUTS:
            return found
        return _EMOJIS.match(line, offset)

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
