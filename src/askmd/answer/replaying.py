"""A saved answer asked again: the same messages, of another model or under other rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askmd.answer.ending import Prices, Sources
from askmd.answer.running import Answer, Asked, Speaker
from askmd.types import Search

if TYPE_CHECKING:
    from askmd.contracts import LLM
    from askmd.records import Receipt


def replay(
    receipt: Receipt,
    llm: LLM,
    *,
    system: str | None = None,
    prices: Prices | None = None,
) -> Answer:
    """Return a running answer to exactly what a receipt says was sent; nothing is searched.

    system: rules in the place of those that were sent. Its citations are the receipt's passages;
    whether their files have changed nobody looks. LLMError comes from iterating.
    """
    saved = receipt if system is None else receipt.prompted(system)
    asked = Asked(
        question=saved.question,
        search=Search(saved.search_query, saved.mode, None, ()),
        passages=tuple(sent.passage for sent in saved.passages),
        messages=saved.messages,
        answer_tokens=saved.answer_tokens,
        rewritten=saved.rewritten,
        degraded=saved.degraded,
    )
    speaker = Speaker(
        complete=lambda one: (one, llm.stream(one.messages, answer_tokens=one.answer_tokens)),
        model=lambda: llm.model,
        sources=Sources(None),
        prices=prices or Prices(),
        remember=lambda record: None,
    )
    return Answer(asked, speaker)
