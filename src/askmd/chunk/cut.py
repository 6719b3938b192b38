"""Where a block that is too long may be cut: items, rows, lines, sentences, then anywhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence

from askmd.chunk.measure import CHARS_PER_TOKEN
from askmd.chunk.source import Range, Source
from askmd.contracts import TokenCounter
from askmd.types import BlockKind

Cutter = Callable[[Source, Range], Iterator[int]]
"""Yields offsets inside a range, ascending, at which it may be cut."""

LEAST_CHARS = 16
"""Shorter units are glued to the next: a megabyte of one-letter lines stays cheap to count."""
LEAST_SENTENCE = 32
"""A shorter sentence says little by itself."""
LEAST_IDEOGRAPHS = 8
"""The same for text that is not ASCII alone."""
_MARKER = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)", re.MULTILINE)
_NEWLINE = re.compile(r"\n")
_BLANK = re.compile(r"[ \t\n]++")
_CLOSERS = r"\"'\u201d\u2019\u00bb)\]*_`"
_FULL_WIDTH_CLOSERS = r"\u300d\u300f\uff09\u3011"
# A run of marks is matched once, from its start: the look-behind keeps a row of dots linear.
# Latin, Arabic, Indic, Armenian and Ethiopic marks have a blank after them. Ideographic and
# full-width ones need none, nor do Burmese, Khmer and Tibetan ones; Thai and Lao end a sentence,
# and a clause, with a blank and no mark.
_SENTENCE_END = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026\u061f\u06d4\u0964\u0965\u0589\u1362]++[{_CLOSERS}]*+(?=\s)"
    rf"|[\u3002\uff01\uff1f\uff61\uff0e\u104b\u17d4\u17d5\u0f0d]++[{_CLOSERS}{_FULL_WIDTH_CLOSERS}]*+"
    r"|(?<=[\u0e00-\u0eff])[ \t]++(?=[\u0e00-\u0eff])"
    r"|\n(?=[ \t]*\n|[ \t]*(?:[-+*]|\d{1,9}[.)])[ \t])"
)
# A sentence does not end inside these, however its text looks.
_WHOLE = re.compile(
    r"`[^`\n]{1,300}`|!?\[[^\[\]]{0,500}\]\([^()\s]{0,500}(?:\s{1,9}\"[^\"]{0,200}\")?\)"
    r"|</?[A-Za-z][^<>]{0,300}>|\[\[[^\[\]\n]{1,200}\]\]|\{[{%][^{}\n]{0,200}[}%]\}"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|ca|approx|resp|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|No|Nos|Fig|Figs|Eq"
    r"|Sec|Ch|pp|p|vol|ed|eds|Inc|Ltd|Co|Corp|dept|est|z\.B|d\.h|bzw)|\b[A-Z]|\A\d{1,3})\.$"
)
_LONGEST_ABBREVIATION = 10
_COMMAS = "\u3001\uff0c\uff1b\uff1a"
_JOINER = "\u200d"
"""Holds the parts of one emoji together."""
_LONGEST_LETTER = 32
"""Code points; longer rows of accents are nobody's letter."""


def cutters_of(kind: BlockKind) -> tuple[Cutter, ...]:
    """Return how a block of a kind is cut, coarse cuts first."""
    if kind == "list":
        return (_items, _sentences, _lines, _words)
    if kind in ("paragraph", "heading", "item", "note"):
        return (_sentences, _lines, _words)
    return (_lines, _sentences, _words)


def units(source: Source, whole: Range, cutter: Cutter) -> list[Range]:
    """Return the pieces between the cuts, trimmed, none of them needlessly short."""
    found: list[Range] = []
    start = whole.start
    least = LEAST_SENTENCE if cutter is _sentences else LEAST_CHARS
    for cut in (*cutter(source, whole), whole.end):
        if cut < whole.end and _is_short(source.text, start, cut, least):
            continue
        if unit := source.trimmed(start, cut):
            found.append(unit)
        start = cut
    return found


def _is_short(text: str, start: int, end: int, least: int) -> bool:
    """Return whether a unit is too short to stand alone; an ideograph says a word."""
    length = end - start
    return length < least and (length < LEAST_IDEOGRAPHS or text[start:end].isascii())


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
    """Return the last blank before ``end`` if half of the piece stands before it, else ``end``.

    Scripts without blanks are cut after a comma of theirs, or before a whole letter at least.
    """
    if text[end].isspace():
        return end
    blank = max(text.rfind(character, start, end) for character in " \n\t")
    comma = 1 + max(text.rfind(character, start, end) for character in _COMMAS)
    if max(blank, comma) > (start + end) // 2:
        return max(blank, comma)
    return _letter_start(text, start, end)


def _letter_start(text: str, start: int, end: int) -> int:
    """Return where the letter starts that stands at ``end``, its accents and joiners with it."""
    for cut in range(end, max(start, end - _LONGEST_LETTER), -1):
        is_joined = text[cut - 1] == _JOINER or text[cut] == _JOINER
        if not is_joined and not unicodedata.category(text[cut]).startswith("M"):
            return cut
    return end


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
    for cut in _outside_markup(source, whole, _SENTENCE_END):
        before = source.text[max(whole.start, cut - _LONGEST_ABBREVIATION) : cut]
        if not _ABBREVIATION.search(before):
            yield cut


def _words(source: Source, whole: Range) -> Iterator[int]:
    """Yield where words end, if there is markup that a cut by tokens could tear."""
    has_markup = _WHOLE.search(source.text, whole.start, whole.end) is not None
    return _outside_markup(source, whole, _BLANK) if has_markup else iter(())


def _outside_markup(source: Source, whole: Range, pattern: re.Pattern[str]) -> Iterator[int]:
    """Yield where a pattern's matches end, but for those inside a link, a tag or a code span."""
    unbroken = _WHOLE.finditer(source.text, whole.start, whole.end)
    start = end = 0
    for match in pattern.finditer(source.text, whole.start, whole.end):
        cut = match.end()
        while end < cut and (held := next(unbroken, None)):
            start, end = held.span()
        if not start < cut < end:
            yield cut


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
