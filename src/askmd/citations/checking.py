"""An answer held against the passages it was made from: sentence by sentence, quote by quote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from askmd.citations.languages import Languages
from askmd.citations.listed import Listing
from askmd.citations.quotes import Wording
from askmd.citations.sentences import Statement, statements
from askmd.citations.support import Grounds, Weighed, bits
from askmd.citations.vocabulary import SOURCES
from askmd.types import Passage, Quote, Sentence

LEAST_SUPPORT = 0.45
"""Below it a sentence that cites is a finding: see benchmarks/RESULTS.md for what that catches."""
LEAST_UNCITED = 0.4
"""The same of a sentence that cites nothing, in all that was sent."""
LEAST_CLAIM = 3.0
"""What the words of a sentence weigh, before it can be a claim without a citation."""
UNCITED = "the answer cites none of the passages"
LONGEST_SHOWN = 100
"""Characters of a sentence or quotation that a finding repeats."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What an answer came to when it was held against its passages."""

    sentences: tuple[Sentence, ...]
    findings: tuple[str, ...]
    """What nothing that was sent bears out, a line each."""
    support: Mapping[int, float]
    """By number, the mean support a passage alone lends the sentences that cite it."""


def check(answer_text: str, passages: Sequence[Passage]) -> Checked:
    """Return the sentences of an answer, what bears them out, and what is to be said against it.

    Code blocks are no sentences. Only what was sent is looked at, and only its words.
    """
    numbers = frozenset(passage.number for passage in passages)
    read = statements(answer_text, numbers, Listing(passages).holds)
    said = [one for one in read if one.kind != "listing"]
    grounds, wording = Grounds(passages), Wording(passages)
    weighed = [grounds.weigh(one.without_marks) for one in said]
    foreign = _foreign(said, passages)
    shown = [
        grounds.weigh_exact(one.without_marks) if is_foreign else weight
        for one, weight, is_foreign in zip(said, weighed, foreign, strict=True)
    ]
    sentences = [_sentence(one, weight, wording) for one, weight in zip(said, shown, strict=True)]
    findings = [
        line
        for one, sentence, weight, is_foreign in zip(said, sentences, weighed, foreign, strict=True)
        for line in _findings(one, sentence, None if is_foreign else weight, grounds)
    ]
    if not any(one.citations for one in read) and any(map(_is_claim, said, weighed)):
        findings.insert(0, UNCITED)
    return Checked(tuple(sentences), tuple(findings), _lent(sentences, shown))


def _foreign(said: Sequence[Statement], passages: Sequence[Passage]) -> list[bool]:
    """Tell of each statement whether it is in another language than what it cites."""
    texts = {one.number: "\n".join((*one.heading, one.text)) for one in passages}
    languages = Languages(texts, [one.without_marks for one in said])
    return [languages.is_foreign(one.without_marks, one.citations or texts) for one in said]


def _sentence(one: Statement, weight: Weighed, wording: Wording) -> Sentence:
    looked_up = [wording.look_up(text, one.citations) for text in one.quotes]
    return Sentence(
        text=one.text,
        chars=one.chars,
        citations=one.citations,
        support=weight.support(bits(one.citations)) if one.citations else None,
        quotes=tuple(quote for quote in looked_up if quote),
    )


def _findings(
    one: Statement, sentence: Sentence, weight: Weighed | None, grounds: Grounds
) -> Iterator[str]:
    """Yield what is to be said against a sentence; of its words nothing where ``weight`` is None.

    That is a sentence in another language than the passages.
    """
    for quote in sentence.quotes:
        if line := _finding_of(quote, one.citations):
            yield line
    if weight is None:
        return
    if sentence.support is not None and sentence.support < LEAST_SUPPORT:
        cited = _marks(one.citations)
        yield f"{cited} does not bear this out ({sentence.support:.2f}): {_shown(one.text)}"
    elif not one.citations and _is_claim(one, weight):
        support = weight.support(grounds.everywhere)
        if support is not None and support < LEAST_UNCITED:
            yield f"no passage bears this out ({support:.2f}): {_shown(one.text)}"


def _finding_of(quote: Quote, cited: Sequence[int]) -> str | None:
    if quote.verdict == "not_found":
        return f"quoted, but in no passage: {_shown(quote.text)}"
    if quote.verdict == "elsewhere" and cited:
        where = f"in {_marks(quote.found_in)}, not in {_marks(cited)}"
        return f"quoted, but {where}: {_shown(quote.text)}"
    return None


def _is_claim(one: Statement, weight: Weighed) -> bool:
    """Tell whether a sentence says something that a document would have to bear out."""
    if one.kind == "heading" or one.is_lead or one.is_question:
        return False
    words = one.text.casefold().split()
    return sum(weight.weights) >= LEAST_CLAIM and not any(
        word.strip(".,;:*_") in SOURCES for word in words
    )


def _lent(sentences: Sequence[Sentence], weighed: Sequence[Weighed]) -> dict[int, float]:
    """Return by number the mean support that a passage alone lends the sentences that cite it."""
    shares: dict[int, list[float]] = {}
    for sentence, weight in zip(sentences, weighed, strict=True):
        for number in sentence.citations if sentence.support is not None else ():
            shares.setdefault(number, []).append(weight.support(bits([number])) or 0.0)
    return {number: round(sum(all_) / len(all_), 3) for number, all_ in shares.items()}


def _marks(numbers: Sequence[int]) -> str:
    return f"[{', '.join(map(str, numbers))}]"


def _shown(text: str) -> str:
    """Return text on one line, shortened."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SHOWN else f"{line[: LONGEST_SHOWN - 1].rstrip()}…"
