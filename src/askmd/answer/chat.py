"""A conversation: each question answered with the ones before it in mind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from askmd.answer.budget import Budget, Tokens
from askmd.answer.ending import Link, Prices, Sources
from askmd.answer.finding import EVERYTHING, Finder, Library
from askmd.answer.fitting import Desk, Fitted
from askmd.answer.running import Answer, Asked, Speaker
from askmd.answer.told import Told, quoted, refused
from askmd.contracts import LLM, Completion, TokenCounter
from askmd.errors import LLMError, PromptTooLong
from askmd.passages import candidates_for
from askmd.prompt import visible
from askmd.types import AnswerRecord, Filter, Mode, Rewriter, Search, Usage

if TYPE_CHECKING:
    from askmd.config import Config
    from askmd.conversation import Reading

REMEMBERED_TURNS = 10
"""Questions with their answers that the next answer may be told of."""
REWRITING_TOKENS = 120
"""A search question is one line."""
ANSWER_TOKENS = 1000
_SMALLER = 0.6
"""Of what was sent, where a server says that it is too long, but not what it has room for."""
_ATTEMPTS = 3


class Chat:
    """Answers questions, each with the ones before it in mind."""

    def __init__(
        self,
        retriever: Finder,
        llm: LLM | None,
        counter: TokenCounter,
        *,
        budget_tokens: int,
        answer_tokens: int = ANSWER_TOKENS,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
        prices: Prices = Prices(),  # noqa: B008
        link: Link | None = None,
    ) -> None:
        """Take the parts; without an LLM the best passages are quoted.

        budget_tokens: of passages and the conversation so far, which may take a quarter, as
        ``counter`` counts them. limit: of the hits that are looked at; None: as many as fill the
        budget. mode: of the search; the retriever's own where it is None. link: where a citation
        leads.
        """
        self.limit = limit
        """Of the hits that are looked at; None: as many as fill the budget."""
        self.where = where
        """Which chunks may be found."""
        self._retriever = retriever
        self._llm = llm
        self._counter = counter
        self._budget_tokens = budget_tokens
        self._answer_tokens = answer_tokens
        self._mode = mode
        self._prices = prices
        self._sources = Sources(retriever, link)
        self._turns: list[AnswerRecord] = []
        self._era = 0
        """Of the conversation: an answer to an earlier one is no part of this."""
        self._is_warm = False

    @classmethod
    def open(
        cls,
        config: Config,
        retriever: Library,
        *,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
        is_quoting: bool = False,
    ) -> Chat:
        """Return a chat as the configuration wants it, over an open retriever.

        limit, mode, where: as for the chat itself. is_quoting: ask no LLM, even if there is one.
        Raises LLMError where the LLM's key is missing, ConfigError for links that lead nowhere.
        """
        from askmd.compose import linker, open_llm, prompt_counter

        return cls(
            retriever,
            None if is_quoting else open_llm(config),
            prompt_counter(config),
            budget_tokens=config.llm.budget_tokens,
            answer_tokens=config.llm.answer_tokens,
            limit=limit,
            mode=mode,
            where=where,
            prices=Prices(config.llm.prompt_price, config.llm.answer_price),
            link=linker(config, retriever),
        )

    def ask(self, question: str) -> Answer:
        """Return a running answer; the LLM is asked for it when its text is first wanted.

        The search question of a follow-up may be asked of the LLM at once. Raises what searching
        raises; LLMError comes from iterating.
        """
        self.warm()
        is_sent = self._llm is not None
        return self.answer(self._asked(question, is_sent=is_sent, may_ask=is_sent))

    def answer(self, asked: Asked) -> Answer:
        """Return a running answer to a question that ``show`` has prepared, here or elsewhere."""
        llm, turns, era = self._llm, self._recent(), self._era
        speaker = Speaker(
            # Whatever becomes of the chat, an answer goes on as it was asked.
            complete=lambda one: self._complete(one, llm, turns),
            model=lambda: llm.model if llm else None,
            sources=self._sources,
            prices=self._prices,
            remember=lambda record: self._remember(record, era),
        )
        return Answer(asked, speaker)

    def warm(self) -> None:
        """Begin in the background what a first answer waits for; returns at once."""
        if self._llm is not None and not self._is_warm:
            self._is_warm = True
            self._llm.warm()

    def show(self, question: str) -> Asked:
        """Return what an LLM would be sent, and send nothing, whether there is one or not."""
        return self._asked(question, is_sent=True, may_ask=False)

    @property
    def turns(self) -> tuple[AnswerRecord, ...]:
        """Every finished answer of the conversation, the oldest first."""
        return tuple(self._turns)

    def take_back(self) -> AnswerRecord | None:
        """Drop the last turn and return it; None where there is none."""
        return self._turns.pop() if self._turns else None

    def forget(self) -> None:
        """Begin a new conversation."""
        self.resume(())

    def resume(self, turns: Sequence[AnswerRecord]) -> None:
        """Go on with another conversation than this one."""
        self._turns = list(turns)
        self._era += 1

    @property
    def has_llm(self) -> bool:
        """Whether answers are written by an LLM."""
        return self._llm is not None

    @property
    def model(self) -> str | None:
        """The LLM's name; None without one."""
        return self._llm.model if self._llm else None

    def models(self) -> list[str]:
        """Return the models that the LLM's server has; raises LLMError if it does not say."""
        return _an(self._llm).models()

    def use(self, model: str) -> None:
        """Let another model of the same server answer from now on."""
        self._llm = _an(self._llm).with_model(model)

    def tokens(self) -> Tokens:
        """Return what the conversation has taken so far, and what is left."""
        desk = self._desk(self._llm)
        history = desk.cost(desk.history(self._recent()))
        used = [turn.usage for turn in self._turns if turn.usage is not None]
        costs = [turn.cost for turn in self._turns if turn.cost is not None]
        return Tokens(
            budget=desk.budget.tokens,
            history=history,
            left=max(0, desk.budget.history - history),
            window=self._llm.window if self._llm else None,
            prompt_tokens=sum(one.prompt_tokens or 0 for one in used),
            answer_tokens=sum(one.completion_tokens or 0 for one in used),
            cost=round(sum(costs), 8) if costs else None,
        )

    def _asked(self, question: str, *, is_sent: bool, may_ask: bool) -> Asked:
        """Return a question searched for, and what is sent of what was found."""
        began, turns = time.monotonic(), self._recent()
        reading, by, told = self._read(question, turns, may_ask=may_ask)
        asked = Asked(question, _nothing(reading.query), (), began=began)
        asked = replace(asked, search_usage=told.usage, fault=told.fault)
        if reading.kind == "about_answer" and turns:
            again = self._again(asked, turns, is_sent=is_sent)
            if again is not None:
                return again
            asked = replace(asked, wording=f"{turns[-1].question}\n{question}")
        # What may stand alone is taken at its word, as long as the documents speak of it.
        queries = [question, reading.query] if reading.kind == "unsure" else [reading.query]
        # What is found and what is read around it are of one generation of the index.
        with self._retriever.snapshot():
            search, has_evidence = self._search(list(dict.fromkeys(queries)))
            rewritten = by if search.question != question else None
            generation = self._retriever.generation
            asked = replace(asked, search=search, rewritten=rewritten, generation=generation)
            if not has_evidence:
                return replace(asked, told=refused(search.hits))
            if is_sent:
                return self._fitted(asked, turns, self._desk(self._llm))
            passages = self._desk(self._llm).quoted(search.hits)
            return replace(asked, passages=passages, told=quoted(passages))

    def _search(self, queries: Sequence[str]) -> tuple[Search, bool]:
        """Return what the first search question with evidence found, else what the last one did."""
        for query in queries:
            search = self._retriever.find(
                query,
                limit=self.limit or candidates_for(self._budget_tokens),
                mode=self._mode,
                where=self.where,
            )
            if search.hits and self._retriever.has_evidence(search):
                return search, True
        return search, False

    def _fitted(self, asked: Asked, turns: Sequence[AnswerRecord], desk: Desk) -> Asked:
        """Return a question with what is sent of its hits."""
        wording = asked.wording or asked.question
        return self._over(asked, desk.fitted(wording, asked.search.hits, turns))

    def _over(self, asked: Asked, fitted: Fitted) -> Asked:
        return replace(
            asked,
            passages=fitted.passages,
            messages=fitted.messages,
            answer_tokens=fitted.answer_tokens,
            degraded=fitted.degraded,
        )

    def _again(self, asked: Asked, turns: Sequence[AnswerRecord], *, is_sent: bool) -> Asked | None:
        """Return a question about the last answer, which keeps its passages and is not searched.

        None where the last answer was no LLM's, but one is to answer now.
        """
        last = turns[-1]
        if last.status == "refused":
            return replace(asked, told=Told("refused", last.answer))
        asked = replace(asked, passages=last.passages)
        if not is_sent:
            return replace(asked, told=quoted(last.passages))
        if last.status == "extracted":
            return None
        return self._over(asked, self._desk(self._llm).again(asked.question, turns))

    def _read(
        self, question: str, turns: Sequence[AnswerRecord], *, may_ask: bool
    ) -> tuple[Reading, Rewriter, _Worded]:
        """Return how a question is meant, who says so, and what asking took."""
        from askmd import conversation

        reading, worded = conversation.read(question, turns), _Worded()
        if reading.kind in ("alone", "about_answer"):
            return reading, "rule", worded
        if may_ask:
            try:
                worded = self._worded(question, turns)
            except LLMError as error:
                worded = _Worded(fault=f"searched without the LLM's help: {error.message}")
        if worded.reading is not None:
            return worded.reading, "llm", worded
        return reading, "rule", worded

    def _worded(self, question: str, turns: Sequence[AnswerRecord]) -> _Worded:
        """Return how the LLM reads a question; no reading where it makes no sense of it."""
        from askmd import conversation

        nonce = secrets.token_hex(8)
        sent = conversation.rewriting(
            question, turns, nonce=nonce, visible=lambda text: visible(text, nonce)
        )
        completion = _an(self._llm).stream(sent, answer_tokens=REWRITING_TOKENS)
        try:
            reply = "".join(completion)
        finally:
            completion.close()
        return _Worded(conversation.rewritten(reply, question, turns), completion.usage)

    def _complete(
        self, asked: Asked, llm: LLM | None, turns: Sequence[AnswerRecord]
    ) -> tuple[Asked, Completion]:
        """Put a question to the LLM, in fewer words where its window turns out to be small."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return asked, _an(llm).stream(asked.messages, answer_tokens=asked.answer_tokens)
            except PromptTooLong as error:
                if attempt == _ATTEMPTS:
                    raise
                asked = self._smaller(asked, turns, self._desk(llm, self._told(asked, error)))
        raise ValueError("a last attempt neither began nor failed")

    def _told(self, asked: Asked, error: PromptTooLong) -> int:
        """Return the window that a server named, or one that is smaller than what was sent."""
        if error.window is not None:
            return error.window
        texts = [message.content for message in asked.messages]
        return int(sum(self._counter.count(texts)) * _SMALLER) + self._answer_tokens

    def _smaller(self, asked: Asked, turns: Sequence[AnswerRecord], desk: Desk) -> Asked:
        """Return the same question for another window."""
        if asked.search.hits:
            with self._retriever.snapshot():
                return self._fitted(asked, turns, desk)
        return self._over(asked, desk.again(asked.question, turns))

    def _desk(self, llm: LLM | None, window: int | None = None) -> Desk:
        known = window or (llm.window if llm else None) or self._counter.window
        # An answer may take half of a small window, for there must be something to answer from.
        answer = min(self._answer_tokens, known // 2)
        return Desk(self._retriever, self._counter, Budget(self._budget_tokens, answer, known))

    def _recent(self) -> tuple[AnswerRecord, ...]:
        return tuple(self._turns[-REMEMBERED_TURNS:])

    def _remember(self, record: AnswerRecord, era: int) -> None:
        """Keep a finished answer as part of its conversation; one of no words is none."""
        if record.answer and era == self._era:
            self._turns.append(record)


@dataclass(frozen=True, slots=True)
class _Worded:
    """What an LLM made of a question."""

    reading: Reading | None = None
    usage: Usage | None = None
    fault: str | None = None


def _an(llm: LLM | None) -> LLM:
    if llm is None:
        raise LLMError("there is no LLM to ask", "name one with --base-url and --model")
    return llm


def _nothing(query: str) -> Search:
    """Return a search question that nothing was found for yet."""
    return Search(query, "hybrid", None, ())
