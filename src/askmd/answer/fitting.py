"""What an LLM is sent: passages, history and question within one budget and one window."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from askmd.answer.budget import LEAST_PASSAGE_TOKENS, Budget
from askmd.answer.finding import Finder
from askmd.citations import MarkFilter
from askmd.contracts import TokenCounter
from askmd.errors import PromptTooLong
from askmd.passages import assemble
from askmd.prompt import fit_history, messages
from askmd.types import AnswerRecord, Hit, Message, Passage


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is sent, and what had to be left out of it."""

    passages: tuple[Passage, ...]
    messages: tuple[Message, ...]
    degraded: str | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a prompt is put together."""

    finder: Finder
    counter: TokenCounter
    budget: Budget

    def quoted(self, hits: Sequence[Hit]) -> tuple[Passage, ...]:
        """Return what a reader is quoted: the very chunks that were found, the best first."""
        found = assemble(hits, self.counter, budget_tokens=self.budget.tokens)
        best = sorted(found, key=lambda passage: -passage.score)
        return tuple(replace(one, number=place) for place, one in enumerate(best, start=1))

    def fitted(self, question: str, hits: Sequence[Hit], turns: Sequence[AnswerRecord]) -> Fitted:
        """Return the messages for a question over what was found for it.

        The oldest turns are left out first. Raises PromptTooLong where the window has no room
        even for a first passage.
        """
        history = self.history(turns)
        room = wanted = self.budget.tokens - self.cost(history)
        while True:
            passages = self._assembled(hits, room)
            sent = _sent(question, passages, history)
            excess = self.budget.excess(sent, self.counter)
            if not excess:
                return Fitted(passages, tuple(sent), self._cut(room, wanted))
            if history:
                history = _without_oldest(history)
                continue
            # Marks around passages cost too: asking for the excess alone would come close forever.
            room = min(room, sum(self._costs_of(passages))) - max(excess, room // 10)
            if room < LEAST_PASSAGE_TOKENS:
                raise self._too_long()

    def again(
        self, question: str, passages: Sequence[Passage], turns: Sequence[AnswerRecord]
    ) -> Fitted:
        """Return the messages for a question about the last answer, over the same passages."""
        earlier, last = self.history(turns[:-1]), _messages_of(turns[-1:], with_marks=True)
        kept = fit_history(
            [*earlier, *last], self.counter, budget_tokens=self.budget.history, keep_last=True
        )
        sent = _sent(question, passages, kept, answers_again=True)
        while excess := self.budget.excess(sent, self.counter):
            if len(kept) > len(last):
                kept = _without_oldest(kept)
            elif len(passages) > 1:
                passages = passages[:-1]
            else:
                raise self._too_long(excess)
            sent = _sent(question, passages, kept, answers_again=True)
        left = len(turns[-1].passages) - len(passages)
        said = f"{left} passages left out: the window has {self.budget.window} tokens"
        return Fitted(tuple(passages), tuple(sent), said if left else None)

    def history(self, turns: Sequence[AnswerRecord]) -> list[Message]:
        """Return as much of the conversation as its share of the budget allows, latest turns."""
        told = _messages_of(turns, with_marks=False)
        return fit_history(told, self.counter, budget_tokens=self.budget.history)

    def _assembled(self, hits: Sequence[Hit], room: int) -> tuple[Passage, ...]:
        read, around = self.finder.read, self.finder.neighbours
        return tuple(assemble(hits, self.counter, budget_tokens=room, read=read, around=around))

    def cost(self, sent: Sequence[Message]) -> int:
        """Return how many tokens messages have."""
        return sum(self.counter.count([message.content for message in sent])) if sent else 0

    def _costs_of(self, passages: Sequence[Passage]) -> list[int]:
        return self.counter.count([passage.text for passage in passages])

    def _cut(self, room: int, wanted: int) -> str | None:
        if room == wanted:
            return None
        return (
            f"the window of {self.budget.window} tokens has room for {room} of "
            f"{self.budget.tokens} tokens of passages"
        )

    def _too_long(self, excess: int = 0) -> PromptTooLong:
        over = f", by {excess} tokens" if excess else ""
        return PromptTooLong(
            f"the question and {self.budget.answer_tokens} tokens of answer do not fit a window of "
            f"{self.budget.window} tokens{over}",
            "lower llm.answer_tokens, raise llm.window if the model has more, or ask shorter",
            window=self.budget.window,
        )


def _sent(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Message],
    *,
    answers_again: bool = False,
) -> list[Message]:
    nonce = secrets.token_hex(8)
    return messages(question, passages, history, nonce=nonce, answers_again=answers_again)


def _messages_of(turns: Sequence[AnswerRecord], *, with_marks: bool) -> list[Message]:
    """Return what was said; marks name passages that are sent no more, unless they are."""
    said: list[Message] = []
    for turn in turns:
        if turn.status in ("answered", "incomplete") and turn.answer.strip():
            answer = turn.answer if with_marks else _without_marks(turn.answer)
            said += [Message("user", turn.question), Message("assistant", answer)]
    return said


def _without_marks(text: str) -> str:
    marks = MarkFilter(())
    return marks.feed(text) + marks.flush()


def _without_oldest(history: Sequence[Message]) -> list[Message]:
    """Return the history without its first question and answer."""
    return list(history[2:])
