"""Hits in, the best passages for a token budget out; neighbours that were both found become one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from askmd.contracts import TokenCounter
from askmd.types import Chars, Hit, Passage

WIDEST_GAP = 200
"""Characters of white space between two chunks that are still one continuous range."""

_MARK = "passage-0123456789abcdef"
"""As long as the marks of a prompt, whose nonce is not known yet."""

_LEAST_CANDIDATES, _MOST_CANDIDATES = 10, 200
_SHORTEST_TOKENS = 30
"""A chunk that is shorter than this is rare: a budget divided by it gives candidates enough."""

Read = Callable[[str, Chars], str | None]
"""Returns a range of a document's text; None where it cannot be had any more."""


def candidates_for(budget_tokens: int) -> int:
    """Return how many hits to look at so that the budget, and not their number, decides."""
    return min(_MOST_CANDIDATES, max(_LEAST_CANDIDATES, budget_tokens // _SHORTEST_TOKENS))


def assemble(
    hits: Sequence[Hit],
    counter: TokenCounter,
    *,
    budget_tokens: int,
    read: Read | None = None,
) -> list[Passage]:
    """Return passages in the order of their best hits, numbered from 1, within the budget.

    Hits are taken by rank until the next one does not fit; path, heading and text all count. The
    first one is always taken, cut if it alone is too large. Taken hits of one document whose
    ranges overlap, touch, or have nothing but white space between them (as ``read`` shows it)
    become one passage, which stands under the heading its range begins with.
    """
    passages: list[Passage] = []
    for passage in _affordable(hits, counter, budget_tokens):
        passages = _joined(passages, passage, counter, read)
    return [replace(passage, number=place) for place, passage in enumerate(passages, start=1)]


def prompt_text(passage: Passage) -> str:
    """Return what a passage's tokens are counted by: it stands between marks in a prompt."""
    first, last = passage.lines
    heading = " > ".join(passage.heading)
    place = f'path="{passage.path}" heading="{heading}" lines="{first}-{last}"'
    return f'<{_MARK} number="99" {place}>\n{passage.text}\n</{_MARK}>\n\n'


def _affordable(hits: Sequence[Hit], counter: TokenCounter, budget_tokens: int) -> list[Passage]:
    """Return each hit as a passage of its own, by rank, until the budget is spent."""
    passages = [_passage(hit) for hit in sorted(hits, key=lambda hit: hit.rank)]
    left = budget_tokens
    taken: list[Passage] = []
    for passage in passages:
        [cost] = counter.count([prompt_text(passage)])
        if cost > left and taken:
            break
        taken.append(passage if cost <= left else _cut(passage, counter, left))
        left -= cost
    return taken


def _passage(hit: Hit) -> Passage:
    return Passage(
        number=0,
        path=hit.path,
        heading=hit.heading,
        anchor=hit.anchor,
        anchors=hit.anchors,
        lines=hit.lines,
        chars=hit.chars,
        chunks=(hit.chunk,),
        score=hit.score,
        text=hit.text,
    )


def _cut(passage: Passage, counter: TokenCounter, budget_tokens: int) -> Passage:
    """Return the beginning of a passage that fits, ending with a word where it can."""
    [head] = counter.count([prompt_text(replace(passage, text=""))])
    end = max(1, counter.cut(passage.text, max(1, budget_tokens - head)))
    kept = passage.text[:end]
    if passage.text[end:] and not any(map(str.isspace, passage.text[end - 1 : end + 1])):
        words = kept.rsplit(maxsplit=1)
        kept = kept[: -len(words[1])] if len(words) == 2 else kept
    text = kept.rstrip() or passage.text[:end]
    first, start = passage.lines[0], passage.chars[0]
    lines = (first, first + text.count("\n"))
    return replace(passage, text=text, lines=lines, chars=(start, start + len(text)))


def _joined(
    passages: Sequence[Passage], new: Passage, counter: TokenCounter, read: Read | None
) -> list[Passage]:
    """Return the passages with a new one, merged into the first it continues.

    A new one may lie between two others; then all three become one, at the better one's place.
    """
    result: list[Passage] = []
    place: int | None = None
    for passage in passages:
        merged = _merged(passage, new, counter, read)
        if merged is None:
            result.append(passage)
            continue
        new = merged
        if place is None:
            place = len(result)
    result.insert(len(result) if place is None else place, new)
    return result


def _merged(
    one: Passage, other: Passage, counter: TokenCounter, read: Read | None
) -> Passage | None:
    """Return two passages as one continuous range, or None where they are not."""
    if one.path != other.path:
        return None
    front, back = sorted((one, other), key=lambda passage: passage.chars)
    between = _between(front, back, read)
    if between is None:
        return None
    overlap = max(0, front.chars[1] - back.chars[0])
    merged = replace(
        front,
        lines=(front.lines[0], max(front.lines[1], back.lines[1])),
        chars=(front.chars[0], max(front.chars[1], back.chars[1])),
        chunks=tuple(dict.fromkeys(front.chunks + back.chunks)),
        score=max(front.score, back.score),
        text=front.text + between + back.text[overlap:],
    )
    before = sum(counter.count([prompt_text(one), prompt_text(other)]))
    # White space between the two costs tokens too: the budget was spent without it.
    return merged if counter.count([prompt_text(merged)])[0] <= before else None


def _between(front: Passage, back: Passage, read: Read | None) -> str | None:
    """Return the white space between two passages, or None if anything else is there."""
    start, end = front.chars[1], back.chars[0]
    if end <= start:
        return ""
    if read is None or end - start > WIDEST_GAP:
        return None
    gap = read(front.path, (start, end))
    return gap if gap and len(gap) == end - start and gap.isspace() else None
