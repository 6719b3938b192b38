"""A paragraph → its sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from askmd.citations.marks import MARK
from askmd.types import Chars

_END = re.compile(
    r"(?<![.!?\u2026])(?:(?P<stop>[.!?\u2026]++)|(?P<full>[\u3002\uff01\uff1f\uff61]++))"
    r"[\"'\u201d\u201c\u2019\u2018\u00bb\u00ab\u300d\u300f)*_]*+"
    rf"(?P<marks>(?:[ \t]*+{MARK})*+)[*_]*+"
)
_ABBREVIATIONS = """
    e.g i.e eg ie z u cf vs viz al approx ca resp incl excl fig figs eq sec ch dr mr mrs ms prof st
    z.b d.h u.a s.o bzw ggf vgl evtl nr abs zzgl inkl p.ex ex p pp vol ed
"""
_NEVER_LAST = frozenset(_ABBREVIATIONS.split())
"""What stands before a full stop that ends no sentence."""
_NUMBERED = frozenset({"no", "nos", "art", "tab", "bd"})
"""The same where a number follows."""
_GERMAN_MONTHS = """
    Januar Februar M\u00e4rz April Mai Juni Juli August September Oktober November Dezember
"""
_MONTHS = tuple(_GERMAN_MONTHS.split())
"""What may follow the full stop of a day."""
_LONGEST_ABBREVIATION = 12
_WORD = re.compile(r"[^\W_][\w.]*$")
_NEXT = re.compile(r"[\s>*_\"'\u201c\u201e\u00ab\u2018(\[]*+")


def cut(text: str, protected: Sequence[Chars]) -> list[Chars]:
    """Return the ranges of a paragraph's sentences, in order, blanks around them left out.

    protected: code and quotations, in which none ends but at their very end.
    """
    starts = [0]
    for end in _ends(text, _merged(protected)):
        starts.append(end)
    starts.append(len(text))
    return [trimmed for a, b in pairwise(starts) if (trimmed := _trimmed(text, a, b))]


def _ends(text: str, protected: Sequence[Chars]) -> Iterator[int]:
    place = 0
    for found in _END.finditer(text):
        first, last = found.span("stop" if found["stop"] else "full")
        while place < len(protected) and protected[place][1] <= first:
            place += 1
        inside = place < len(protected) and protected[place][0] <= first
        if inside and last < protected[place][1]:
            continue
        if found["full"] or _is_end(text, found):
            yield found.end()


def _is_end(text: str, found: re.Match[str]) -> bool:
    """Tell whether a full stop, or whatever stands for one, ends a sentence."""
    if found.end() == len(text):
        return True
    if not text[found.end()].isspace():
        return False
    following = _NEXT.match(text, found.end())
    at = following.end() if following else found.end()
    if found["marks"]:
        return True
    if text[at : at + 1].islower():
        return False
    return found["stop"] != "." or not _is_abbreviation(text, found.start("stop"), at)


def _is_abbreviation(text: str, stop: int, following: int) -> bool:
    word = _WORD.search(text[max(0, stop - _LONGEST_ABBREVIATION) : stop])
    last = word[0].casefold() if word else ""
    if last in _NEVER_LAST or (len(last) == 1 and text[stop - 1].isupper() and last != "i"):
        return True
    if last in _NUMBERED:
        return text[following : following + 1].isdigit()
    if last.isdigit():
        return text.startswith(_MONTHS, following)
    # As in U.S. and U.N.
    return len(last) > 2 and last[-2] == "." and last[-1].isalpha()


def _merged(ranges: Sequence[Chars]) -> list[Chars]:
    merged: list[Chars] = []
    for first, last in sorted(ranges):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _trimmed(text: str, first: int, last: int) -> Chars | None:
    piece = text[first:last]
    start = first + len(piece) - len(piece.lstrip(" \t\n\r>"))
    end = last - (len(piece) - len(piece.rstrip()))
    return (start, end) if start < end else None
