"""Where a block that is too long may be cut: items, rows, lines, sentences, then anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from askmd.chunk.measure import CHARS_PER_TOKEN
from askmd.chunk.source import Range, Source
from askmd.contracts import TokenCounter
from askmd.types import BlockKind

Cutter = Callable[[Source, Range], Iterator[int]]
"""Yields offsets inside a range, ascending, at which it may be cut."""

LEAST_CHARS = 32
"""Shorter units are glued to the next: a megabyte of one-letter lines stays cheap to count."""
_MARKER = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)", re.MULTILINE)
_NEWLINE = re.compile(r"\n")
_CLOSERS = r"\"'\u201d\u2019\u00bb)\]*_`"
_FULL_WIDTH_CLOSERS = r"\u300d\u300f\uff09\u3011"
# A run of marks is matched once, from its start: the look-behind keeps a row of dots linear.
# Full-width marks (ideographic full stop, exclamation and question mark) need no blank after them.
_SENTENCE_END = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]++[{_CLOSERS}]*+(?=\s)"
    rf"|[\u3002\uff01\uff1f\uff61]++[{_CLOSERS}{_FULL_WIDTH_CLOSERS}]*+"
    r"|\n(?=[ \t]*\n|[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t])"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|ca|approx|resp|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|No|Nos|Fig|Figs|Eq"
    r"|Sec|Ch|pp|p|vol|ed|eds|Inc|Ltd|Co|Corp|dept|est|z\.B|d\.h|bzw)|\b[A-Z]|\A\d{1,3})\.$"
)
_LONGEST_ABBREVIATION = 10


def cutters_of(kind: BlockKind) -> tuple[Cutter, ...]:
    """Return how a block of a kind is cut, coarse cuts first."""
    if kind == "list":
        return (_items, _sentences)
    if kind in ("paragraph", "heading"):
        return (_sentences,)
    return (_lines, _sentences)


def units(source: Source, whole: Range, cutter: Cutter) -> list[Range]:
    """Return the pieces between the cuts, trimmed, none of them needlessly short."""
    found: list[Range] = []
    start = whole.start
    for cut in (*cutter(source, whole), whole.end):
        if cut - start < LEAST_CHARS and cut < whole.end:
            continue
        if unit := source.trimmed(start, cut):
            found.append(unit)
        start = cut
    return found


def by_tokens(source: Source, whole: Range, limit: int, counter: TokenCounter) -> list[Range]:
    """Return pieces that each count at most ``limit``: cut at words, else between code points."""
    found: list[Range] = []
    start, fitting = whole.start, 2 * limit
    while start < whole.end:
        fitting = _fitting(source.text, start, whole.end, 2 * fitting, limit, counter)
        end = start + fitting
        if end < whole.end:
            end = _word_end(source.text, start, end)
        if unit := source.trimmed(start, end):
            found.append(unit)
        start = end
    return found


def _fitting(text: str, start: int, end: int, reach: int, limit: int, counter: TokenCounter) -> int:
    """Return how many characters from ``start`` on fit; at least one.

    Looks at a window that grows, so that a long line costs what its length costs, not its square.
    """
    most = CHARS_PER_TOKEN * limit
    while True:
        reach = min(reach, most, end - start)
        fitting = counter.cut(text[start : start + reach], limit)
        if fitting < reach or reach in (most, end - start):
            return max(1, fitting)
        reach *= 4


def _word_end(text: str, start: int, end: int) -> int:
    """Return the last blank before ``end`` if half of the piece stands before it, else ``end``."""
    if text[end].isspace():
        return end
    blank = max(text.rfind(character, start, end) for character in " \n\t")
    return blank if blank > (start + end) // 2 else end


def _lines(source: Source, whole: Range) -> Iterator[int]:
    for newline in _NEWLINE.finditer(source.text, whole.start, whole.end):
        yield newline.end()


def _items(source: Source, whole: Range) -> Iterator[int]:
    """Yield where top-level items start: markers that are not indented under the first one."""
    first = _MARKER.match(source.text, whole.start, whole.end)
    width = len(first[0].expandtabs(4)) + 1 if first else 1
    for start in _lines(source, whole):
        marker = _MARKER.match(source.text, start, whole.end)
        if marker and len(marker[0].expandtabs(4)) - len(marker[0].strip()) < width:
            yield start


def _sentences(source: Source, whole: Range) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(source.text, whole.start, whole.end):
        before = source.text[max(whole.start, match.end() - _LONGEST_ABBREVIATION) : match.end()]
        if not _ABBREVIATION.search(before):
            yield match.end()


def glued(kind: BlockKind, pieces: Sequence[Range]) -> list[Range]:
    """Return a table's or fence's units with its frame joined to what it frames.

    A header row stands with the first row, a fence's opening and closing line with code.
    """
    joined = list(pieces)
    if kind in ("table", "fence") and len(joined) > 2:
        joined[:2] = [Range(joined[0].start, joined[1].end)]
    if kind == "fence" and len(joined) > 2:
        joined[-2:] = [Range(joined[-2].start, joined[-1].end)]
    return joined
