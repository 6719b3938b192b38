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

_SHORTER = 0.8
"""Of an answer that has no room: what is tried next."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What is sent, and what had to be left out of it."""

    passages: tuple[Passage, ...]
    messages: tuple[Message, ...]
    answer_tokens: int
    """What is left for the answer."""
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
                return self._fitted(passages, sent, self._cut(room, wanted))
            if history:
                history = _without_oldest(history)
                continue
            # Marks around passages cost too: asking for the excess alone would come close forever.
            room = min(room, self._cost_of(passages))
            room -= max(excess, room // 10, 1)
            if room < LEAST_PASSAGE_TOKENS:
                raise self._too_long()

    def again(self, question: str, turns: Sequence[AnswerRecord]) -> Fitted:
        """Return the messages for a question about the last answer, over the same passages.

        Where there is no room for all, earlier turns are left out, then passages that the answer
        does not cite, then the end of the answer, then other passages; all but the first are said.
        """
        last = turns[-1]
        passages, said = list(last.passages), _messages_of([last], with_marks=True)
        cited = {citation.number for citation in last.citations}
        earlier = self.history(turns[:-1])
        while True:
            sent = _sent(question, passages, [*earlier, *said], answers_again=True)
            if not self._exceeds(sent, passages, [*earlier, *said]):
                break
            unused = [one for one in passages if one.number not in cited]
            if earlier:
                earlier = _without_oldest(earlier)
            elif unused:
                passages.remove(unused[-1])
            elif (shorter := self._shortened(said)) != said:
                said = shorter
            elif len(passages) > 1:
                passages.pop()
            else:
                raise self._too_long()
        return self._fitted(tuple(passages), sent, _left_out(last, passages, said))

    def _exceeds(
        self, sent: Sequence[Message], passages: Sequence[Passage], history: Sequence[Message]
    ) -> bool:
        """Whether the window has no room, or passages and history exceed their budget."""
        if self.budget.excess(sent, self.counter):
            return True
        return self._cost_of(passages) + self.cost(history) > self.budget.tokens

    def _shortened(self, said: Sequence[Message]) -> list[Message]:
        least = self.budget.history // 4
        budget = max(least, int(self.cost(said) * _SHORTER))
        return fit_history(said, self.counter, budget_tokens=budget, keep_last=True) or list(said)

    def _fitted(
        self, passages: tuple[Passage, ...], sent: Sequence[Message], degraded: str | None
    ) -> Fitted:
        return Fitted(passages, tuple(sent), self.budget.answer_tokens, degraded)

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

    def _cost_of(self, passages: Sequence[Passage]) -> int:
        return sum(self.counter.count([passage.text for passage in passages])) if passages else 0

    def _cut(self, room: int, wanted: int) -> str | None:
        if room == wanted:
            return None
        return (
            f"the window of {self.budget.window} tokens has room for {room} of "
            f"{self.budget.tokens} tokens of passages"
        )

    def _too_long(self) -> PromptTooLong:
        return PromptTooLong(
            f"rules, question and {self.budget.answer_tokens} tokens of answer leave no room for a "
            f"passage in a window of {self.budget.window} tokens",
            "lower llm.answer_tokens; if the model reads more, run `askmd doctor --llm`",
            window=self.budget.window,
        )


def _left_out(
    last: AnswerRecord, passages: Sequence[Passage], said: Sequence[Message]
) -> str | None:
    """Return what a question about the last answer is sent without."""
    left = len(last.passages) - len(passages)
    missing = [f"{left} of the last answer's passages were left out"] if left else []
    if said and len(said[-1].content) < len(last.answer):
        missing.append("the end of the last answer was left out")
    return f"{' and '.join(missing)}: there was no room" if missing else None


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
