"""Documents → a first question file: sections spread over the files, a question for each."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from askmd.contracts import LLM
from askmd.evaluate import wording
from askmd.evaluate.asking import asked
from askmd.evaluate.labels import WHOLE, Part, Read, sections_of
from askmd.evaluate.questions import QuestionsError
from askmd.evidence import content_words

SHORTEST, LONGEST = 120, 6000
"""Characters of a section that is worth a question, and that still answers one."""
_DOCUMENTS = 3
"""Documents that are read for each question, so that there is a choice."""
_LEAST_DOCUMENTS = 100
_SEED = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A question nobody has looked at yet."""

    id: str
    question: str
    path: str
    heading: str
    """As a question file names it: its text, or ``#anchor`` where the file has it twice."""
    draft: Literal["heading", "llm"]
    """What it was made from."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A section that a question may be made for."""

    path: str
    part: Part
    context: tuple[str, ...]
    """The title, or the heading above one that says too little alone, then the heading."""
    is_unique: bool
    text: str
    is_english: bool

    @property
    def body(self) -> str:
        """The text below the heading."""
        return self.text.partition("\n")[2]

    def draft(self, question: str, kind: Literal["heading", "llm"]) -> Draft:
        """Return it with its question."""
        heading = self.part.path[-1] if self.is_unique else f"#{self.part.anchor}"
        return Draft(f"{self.path}#{self.part.anchor}", question, self.path, heading, kind)


def draft(
    paths: Collection[str], read: Read, count: int, *, llm: LLM | None = None
) -> Iterator[Draft]:
    """Yield questions about sections of the documents, ``count`` at most; the same at every run.

    Without an LLM a question is made of the headings; what an LLM asks in the passage's own words
    is dropped, and another section takes its place. Raises QuestionsError where no heading says
    enough, and LLMError once the server fails.
    """
    sections = _candidates(paths, read, count)
    yielded = 0
    for one in sections:
        if yielded == count:
            return
        question = asked(llm, one.context, one.text) if llm else one_of_heading(one)
        if question is not None:
            yielded += 1
            yield one.draft(question, "llm" if llm else "heading")
    if not yielded:
        raise QuestionsError(
            "no heading in the documents says enough to make a question of",
            "write the questions by hand: README shows how a line looks",
        )


def one_of_heading(section: _Candidate) -> str | None:
    """Return the question that a section's headings make; None where they repeat its text."""
    question = wording.question_of(section.context, section.text, is_english=section.is_english)
    return None if question is None or wording.copied(question, section.body) else question


def _candidates(paths: Collection[str], read: Read, count: int) -> Iterator[_Candidate]:
    """Yield sections: one of each document, then a second one of each, and so on."""
    chance = random.Random(_SEED)
    chosen = chance.sample(
        sorted(paths), min(len(paths), max(_LEAST_DOCUMENTS, _DOCUMENTS * count))
    )
    documents = [list(_sections(path, read)) for path in chosen]
    files_with = Counter(name for one in documents for name in {_name(section) for section in one})
    most = max(2, len(documents) // 20)
    rows: list[Sequence[_Candidate]] = []
    for sections in documents:
        # What stands in many files is a template's heading, and says nothing of this one.
        fit = [one for one in sections if files_with[_name(one)] <= most]
        rows.append(chance.sample(fit, len(fit)))
    for row in zip_longest(*rows):
        yield from (one for one in row if one is not None)


def _name(section: _Candidate) -> str:
    return section.part.path[-1].casefold()


def _sections(path: str, read: Read) -> Iterator[_Candidate]:
    """Yield the sections of a document that have a heading of their own and text enough."""
    text = read(path, WHOLE) or ""
    is_english = wording.is_english(text)
    parts = [one for one in sections_of(text) if one.path and one.anchor]
    names = Counter(one.path[-1].casefold() for one in parts)
    for place, part in enumerate(parts):
        below = parts[place + 1].chars[0] if place + 1 < len(parts) else len(text)
        is_title = len(part.path) == 1 and below < part.chars[1]
        inside = text[slice(*part.chars)]
        is_unique = names[part.path[-1].casefold()] == 1
        context = _context(part.path, is_unique)
        candidate = _Candidate(path, part, context, is_unique, inside, is_english)
        is_fit = len(candidate.body.strip()) >= SHORTEST and len(inside) <= LONGEST
        if is_fit and not is_title and not wording.is_generic(part.path[-1]):
            yield candidate


def _context(path: tuple[str, ...], is_unique: bool) -> tuple[str, ...]:
    """Return what places a heading, and the heading."""
    if len(path) == 1:
        return path
    is_short = len(content_words(path[-1])) < 2 and not wording.is_generic(path[-2])
    return (path[-2] if is_short or not is_unique else path[0], path[-1])
