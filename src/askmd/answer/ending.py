"""A finished answer's record: what it cites, what its sources bear out, what has changed since."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askmd.answer.finding import Finder
from askmd.prompt import visible
from askmd.types import Citation, Passage, Usage

if TYPE_CHECKING:
    from askmd.citations import Checked

Link = Callable[[Citation], "str | None"]
"""Where a citation leads; None where it leads nowhere."""


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in whatever money; 0 where it is unknown."""

    prompt: float = 0.0
    answer: float = 0.0

    def cost(self, usage: Usage | None) -> float | None:
        """Return what the tokens cost; None where a count or both prices are missing."""
        if usage is None or not (self.prompt or self.answer):
            return None
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return None
        spent = usage.prompt_tokens * self.prompt + usage.completion_tokens * self.answer
        return round(spent / 1e6, 8)


@dataclass(frozen=True, slots=True)
class Proof:
    """What an answer's text was checked to."""

    citations: tuple[Citation, ...] = ()
    checked: Checked | None = None
    findings: tuple[str, ...] = ()


def quoting(passages: Sequence[Passage], cited: Sequence[int], at_hand: Sources) -> Proof:
    """Return the citations of an answer that is made of the passages' own words."""
    from askmd.citations import citations_of

    return Proof(tuple(map(at_hand.fresh, citations_of(passages, cited))))


def prove(
    text: str,
    passages: Sequence[Passage],
    cited: Sequence[int],
    invented: Sequence[int],
    at_hand: Sources,
) -> Proof:
    """Return an LLM's answer checked against the passages it was sent and the files of today."""
    from askmd.citations import UNCITED, check, citations_of

    # What was sent is what the LLM can have quoted: see ``prompt.visible`` for what is not sent.
    checked = check(text, [replace(one, text=visible(one.text, "")) for one in passages])
    citations = tuple(map(at_hand.fresh, citations_of(passages, cited, checked)))
    findings = [never_sent(number) for number in invented]
    if not cited and not invented:
        # Even where it claims nothing that would need a citation: whoever is strict wants one.
        findings.append(UNCITED)
    findings += [line for line in checked.findings if line != UNCITED]
    findings += [
        f"[{one.number}] {one.path} has changed and no longer holds what is cited"
        for one in citations
        if one.stale and one.stands_at is None
    ]
    return Proof(citations, checked, tuple(findings))


def never_sent(number: int) -> str:
    """Return the finding about a mark whose passage does not exist."""
    return f"[{number}] names a passage that was never sent"


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents behind citations, as they are now."""

    finder: Finder | None
    """None for a saved answer, whose documents may be anywhere."""
    link: Link | None = None

    generation: int | None = None
    """Of the index, when it was searched."""

    def fresh(self, citation: Citation) -> Citation:
        """Return a citation with where it leads, and whether its file has changed."""
        finder = self.finder
        if finder is not None:
            is_stale = finder.is_stale(citation.path)
            # An index that has moved on says that a file is as it was indexed, but not when.
            if is_stale or self.generation not in (None, finder.generation):
                place = finder.stands_at(citation.path, citation.text, citation.lines)
                if is_stale or place != citation.lines:
                    citation = replace(citation, stale=True, stands_at=place)
        return replace(citation, url=self.link(citation)) if self.link else citation
