"""What stands between two marks in a paragraph: code spans, and words in quotation marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from askmd.types import Chars

_RUN = re.compile(r"`+|\n")
_OPENERS: dict[str, str] = {
    "\u201d": "\u201c\u201e\u201d",
    "\u201c": "\u201e",
    "\u201e": "",
    "\u00bb": "\u00ab",
    "\u00ab": "\u00bb",
    "\u300d": "\u300c",
    "\u300c": "",
    "\u300f": "\u300e",
    "\u300e": "",
    "\u2019": "\u2018\u201a",
    "\u2018": "\u201a",
    "\u201a": "",
    '"': '"',
    "'": "'",
}
"""Each quotation mark, with those that it closes; it opens one where it closes none."""
_MARKS = re.compile("[" + "".join(_OPENERS) + "]")
_LEAST_BLANKS = {"'": 2, "\u2019": 1, "\u2018": 1}
"""Blanks between two marks that may be apostrophes, by the second: fewer are no quotation."""
_NEVER_OPEN = frozenset("\u2019\u300d\u300f")


def code_spans(text: str) -> list[Chars]:
    """Return the ranges of a paragraph's code spans, backticks inside; none leaves its line."""
    runs = list(_RUN.finditer(text))
    closing: dict[int, int] = {}
    ahead: dict[str, int] = {}
    for place in reversed(range(len(runs))):
        if runs[place][0] == "\n":
            ahead.clear()
            continue
        if runs[place][0] in ahead:
            closing[place] = ahead[runs[place][0]]
        ahead[runs[place][0]] = place
    spans: list[Chars] = []
    after = 0
    for place, end in sorted(closing.items()):
        if place >= after:
            spans.append((runs[place].start(), runs[end].end()))
            after = end + 1
    return spans


def quotations(text: str, spans: Sequence[Chars]) -> list[Chars]:
    """Return what a paragraph puts in quotation marks, in order, without the marks.

    Of one inside another only the outer one; none that begins or ends in a code span.
    """
    found: list[Chars] = []
    opened: dict[str, int] = {}
    place = 0
    for mark in _MARKS.finditer(text):
        at = mark.start()
        while place < len(spans) and spans[place][1] <= at:
            place += 1
        if place < len(spans) and spans[place][0] <= at:
            continue
        start = _opening(text, at, opened)
        if start is not None:
            if _is_parted(text, start, at):
                found.append((start + 1, at))
            opened = {char: other for char, other in opened.items() if other < start}
        elif mark[0] not in _NEVER_OPEN and _may_open(text, at):
            opened[mark[0]] = at
    return _outer(found)


def _opening(text: str, at: int, opened: dict[str, int]) -> int | None:
    """Return where the quotation begins that the mark here ends; None if it ends none."""
    char = text[at]
    starts = [opened[one] for one in _OPENERS[char] if one in opened]
    if not starts or (text[at + 1 : at + 2].isalnum() and char in "\"'\u2019"):
        return None
    if char in "\"'" and text[at - 1].isspace():
        return None
    return max(starts)


def _is_parted(text: str, start: int, at: int) -> bool:
    """Tell whether there are words enough between two marks that may be apostrophes."""
    least = _LEAST_BLANKS.get(text[at], 0)
    # Looked for in a few words: what has no blank may go on for ever.
    return not least or text.count(" ", max(start, at - 200), at) >= least


def _may_open(text: str, at: int) -> bool:
    """Tell whether a quotation mark stands where one begins."""
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    if text[at] not in "\"'":
        return bool(after)
    return not before.isalnum() and bool(after) and not after.isspace()


def _outer(ranges: list[Chars]) -> list[Chars]:
    """Return ranges in order without those that stand in an earlier one."""
    outer: list[Chars] = []
    for first, last in sorted(ranges, key=lambda one: (one[0], -one[1])):
        if first < last and (not outer or first >= outer[-1][1]):
            outer.append((first, last))
    return outer
