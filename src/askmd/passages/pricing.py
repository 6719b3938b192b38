"""What a passage costs in a prompt, and how much of it a budget pays for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from askmd.contracts import TokenCounter
from askmd.types import Passage

_MARK = "passage-0123456789abcdef"
"""As long as the marks of a prompt, whose nonce is not known yet."""
_BATCH = 8


def prompt_text(passage: Passage) -> str:
    """Return what a passage's tokens are counted by: it stands between marks in a prompt."""
    first, last = passage.lines
    heading = " > ".join(passage.heading)
    place = f'path="{passage.path}" heading="{heading}" lines="{first}-{last}"'
    return f'<{_MARK} number="99" {place}>\n{passage.text}\n</{_MARK}>\n\n'


def price(passage: Passage, counter: TokenCounter) -> int:
    """Return the tokens a passage takes, path and heading inside."""
    return counter.count([prompt_text(passage)])[0]


def priced(passages: Iterable[Passage], counter: TokenCounter) -> Iterator[tuple[Passage, int]]:
    """Yield each passage with its price, counting a few at a time: most are never asked for."""
    rest = iter(passages)
    while batch := list(islice(rest, _BATCH)):
        yield from zip(batch, counter.count(list(map(prompt_text, batch))), strict=True)


def cut(passage: Passage, counter: TokenCounter, budget_tokens: int) -> Passage:
    """Return the beginning of a passage that fits: from its first word, to the end of one."""
    passage = _without_blanks_before(passage)
    head = price(replace(passage, text=""), counter)
    end = max(1, counter.cut(passage.text, max(1, budget_tokens - head)))
    kept = passage.text[:end]
    if passage.text[end:] and not any(map(str.isspace, passage.text[end - 1 : end + 1])):
        words = kept.rsplit(maxsplit=1)
        kept = kept[: -len(words[1])] if len(words) == 2 else kept
    text = kept.rstrip() or passage.text[:end]
    first, start = passage.lines[0], passage.chars[0]
    lines = (first, first + text.count("\n"))
    return replace(passage, text=text, lines=lines, chars=(start, start + len(text)))


def _without_blanks_before(passage: Passage) -> Passage:
    """Return a passage from its first character that is no white space."""
    text = passage.text.lstrip()
    skipped = len(passage.text) - len(text)
    (first, last), (start, end) = passage.lines, passage.chars
    first += passage.text.count("\n", 0, skipped)
    return replace(passage, text=text, lines=(first, last), chars=(start + skipped, end))
