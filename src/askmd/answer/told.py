"""Answers that need no LLM: the documents are silent, or their own words are quoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from askmd.prompt import NOT_ANSWERED
from askmd.terminal import source_line
from askmd.types import Hit, Passage

QUOTED_PASSAGES = 3
QUOTED_CHARACTERS = 1200
"""Of one passage, where no LLM is there to say it in fewer words."""
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that needs no LLM."""

    status: Literal["refused", "extracted"]
    text: str
    cited: tuple[int, ...] = ()
    """Numbers of the passages it quotes."""


def refused(hits: Sequence[Hit]) -> Told:
    """Return the answer where the documents do not speak of the question."""
    return Told("refused", refusal(hits))


def quoted(passages: Sequence[Passage]) -> Told:
    """Return the best passages' own words, each followed by its mark and source line."""
    best = passages[:QUOTED_PASSAGES]
    text = "\n\n".join(
        f"{_shortened(passage.text)}\n\n[{passage.number}] {source_line(passage)}"
        for passage in best
    )
    return Told("extracted", text, tuple(passage.number for passage in best))


def refusal(hits: Sequence[Hit]) -> str:
    """Return the fixed line, with the headings that came nearest."""
    nearest = list(dict.fromkeys(source_line(hit) for hit in hits))[:_NEAREST]
    if not nearest:
        return NOT_ANSWERED
    return "\n".join([f"{NOT_ANSWERED} Nearest are:", *(f"- {line}" for line in nearest)])


def _shortened(text: str) -> str:
    """Return text up to ``QUOTED_CHARACTERS``, cut after a line where it can be, fences closed."""
    text = text.strip("\n").rstrip()
    if len(text) > QUOTED_CHARACTERS:
        head = text[:QUOTED_CHARACTERS]
        text = (head.rpartition("\n")[0] or head).rstrip() + "\n…"
    fences = [line for line in text.split("\n") if line.lstrip().startswith("```")]
    return f"{text}\n```" if len(fences) % 2 else text
