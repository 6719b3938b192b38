"""The passages an answer cites, as the records that doors print."""

from __future__ import annotations

from collections.abc import Container, Sequence

from askmd.citations.checking import Checked
from askmd.types import Citation, Passage, Quote


def citations_of(
    passages: Sequence[Passage], numbers: Container[int], checked: Checked | None = None
) -> tuple[Citation, ...]:
    """Return a citation for each passage whose number is among ``numbers``, by number.

    checked: what the answer's text came to, for the quotes and the support of each.
    """
    quotes = _quotes_by_number(checked) if checked else {}
    support = checked.support if checked else {}
    return tuple(
        Citation(
            number=passage.number,
            path=passage.path,
            heading=passage.heading,
            anchor=passage.anchor,
            anchors=passage.anchors,
            lines=passage.lines,
            chars=passage.chars,
            chunks=passage.chunks,
            score=passage.score,
            text=passage.text,
            quotes=tuple(quotes.get(passage.number, ())),
            support=support.get(passage.number),
        )
        for passage in sorted(passages, key=lambda passage: passage.number)
        if passage.number in numbers
    )


def _quotes_by_number(checked: Checked) -> dict[int, list[Quote]]:
    """Return the quotes of the sentences that cite a passage, by its number."""
    found: dict[int, list[Quote]] = {}
    for sentence in checked.sentences:
        for number in sentence.citations if sentence.quotes else ():
            found.setdefault(number, []).extend(sentence.quotes)
    return found
