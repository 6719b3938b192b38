"""A conversation: each question answered with the ones before it in mind."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from askmd import conversation
from askmd.answer.budget import Budget, Tokens
from askmd.answer.ending import Link, Prices, Sources
from askmd.answer.finding import EVERYTHING, Finder
from askmd.answer.fitting import Desk
from askmd.answer.running import Answer, Asked, Speaker
from askmd.answer.told import quoted, refused
from askmd.contracts import LLM, Completion, TokenCounter
from askmd.errors import LLMError, PromptTooLong
from askmd.passages import candidates_for
from askmd.prompt import visible
from askmd.types import AnswerRecord, Filter, Mode, Rewriter, Search

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

    @classmethod
    def open(
        cls,
        config: Config,
        retriever: Finder,
        *,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
        is_quoting: bool = False,
        link: Link | None = None,
    ) -> Chat:
        """Return a chat as the configuration wants it, over an open retriever.

        limit, mode, where, link: as for the chat itself. is_quoting: ask no LLM, even if there is
        one. Raises LLMError where the LLM's key is missing.
        """
        from askmd.compose import open_llm, prompt_counter

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
            link=link,
        )

    def ask(self, question: str) -> Answer:
        """Return a running answer; the LLM is asked for it when its text is first wanted.

        The search question of a follow-up may be asked of the LLM at once. Raises what searching
        raises; LLMError comes from iterating.
        """
        is_sent = self._llm is not None
        return Answer(self._asked(question, is_sent=is_sent, may_ask=is_sent), self._speaker())

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
        self._turns.clear()

    def resume(self, turns: Sequence[AnswerRecord]) -> None:
        """Go on with another conversation than this one."""
        self._turns = list(turns)

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
        return self._an_llm().models()

    def use(self, model: str) -> None:
        """Let another model of the same server answer from now on."""
        self._llm = self._an_llm().with_model(model)

    def tokens(self) -> Tokens:
        """Return what the conversation has taken so far, and what is left."""
        desk = self._desk()
        history = desk.cost(desk.history(self._recent()))
        used = [turn.usage for turn in self._turns if turn.usage is not None]
        costs = [turn.cost for turn in self._turns if turn.cost is not None]
        return Tokens(
            budget=desk.budget.tokens,
            history=history,
            history_budget=desk.budget.history,
            left=max(0, desk.budget.history - history),
            window=self._llm.window if self._llm else None,
            prompt_tokens=sum(one.prompt_tokens or 0 for one in used),
            answer_tokens=sum(one.completion_tokens or 0 for one in used),
            cost=round(sum(costs), 8) if costs else None,
        )

    def _asked(self, question: str, *, is_sent: bool, may_ask: bool) -> Asked:
        """Return a question searched for, and what is sent of what was found."""
        began = time.monotonic()
        turns = self._recent()
        reading, by, fault = self._read(question, turns, may_ask=may_ask)
        if reading.kind == "about_answer" and turns and turns[-1].passages:
            return self._again(question, turns, began, is_sent=is_sent)
        # What may stand alone is taken at its word, as long as the documents speak of it.
        queries = [question, reading.query] if reading.kind == "unsure" else [reading.query]
        # What is found and what is read around it are of one generation of the index.
        with self._retriever.snapshot():
            search, has_evidence = self._search(list(dict.fromkeys(queries)))
            rewritten = by if search.question != question else None
            asked = Asked(question, search, (), rewritten=rewritten, degraded=fault, began=began)
            if not has_evidence:
                return replace(asked, told=refused(search.hits))
            if is_sent:
                return self._fitted(asked, turns, self._desk())
            passages = self._desk().quoted(search.hits)
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
        fitted = desk.fitted(asked.question, asked.search.hits, turns)
        said = "; ".join(filter(None, [asked.degraded, fitted.degraded])) or None
        return replace(asked, passages=fitted.passages, messages=fitted.messages, degraded=said)

    def _again(
        self,
        question: str,
        turns: Sequence[AnswerRecord],
        began: float,
        *,
        is_sent: bool,
        desk: Desk | None = None,
    ) -> Asked:
        """Return a question about the last answer: it keeps its passages, and is not searched."""
        last = turns[-1]
        asked = Asked(question, _nothing(last.search_query), last.passages, began=began)
        if not is_sent:
            return replace(asked, told=quoted(last.passages))
        fitted = (desk or self._desk()).again(question, last.passages, turns)
        return replace(
            asked,
            passages=fitted.passages,
            messages=fitted.messages,
            degraded=fitted.degraded,
        )

    def _read(
        self, question: str, turns: Sequence[AnswerRecord], *, may_ask: bool
    ) -> tuple[Reading, Rewriter, str | None]:
        """Return how a question is meant, who says so, and what went wrong."""
        reading = conversation.read(question, turns)
        if reading.kind in ("alone", "about_answer"):
            return reading, "rule", None
        fault = None
        if may_ask and self._llm is not None:
            try:
                told = self._rewritten(question, turns)
            except LLMError as error:
                told, fault = None, f"searched without the LLM's help: {error.message}"
            if told is not None:
                return told, "llm", None
        return reading, "rule", fault

    def _rewritten(self, question: str, turns: Sequence[AnswerRecord]) -> Reading | None:
        """Return how the LLM reads a question; None where it makes no sense of it."""
        nonce = secrets.token_hex(8)
        sent = conversation.rewriting(
            question, turns, nonce=nonce, visible=lambda text: visible(text, nonce)
        )
        completion = self._an_llm().stream(sent, answer_tokens=REWRITING_TOKENS)
        try:
            reply = "".join(completion)
        finally:
            completion.close()
        return conversation.rewritten(reply, question, turns)

    def _speaker(self) -> Speaker:
        return Speaker(
            complete=self._complete,
            model=lambda: self.model,
            sources=self._sources,
            prices=self._prices,
            remember=self._remember,
        )

    def _complete(self, asked: Asked) -> tuple[Asked, Completion]:
        """Put a question to the LLM, in fewer words where its window turns out to be small."""
        llm, turns = self._an_llm(), self._recent()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return asked, llm.stream(asked.messages, answer_tokens=self._answer_tokens)
            except PromptTooLong as error:
                if attempt == _ATTEMPTS:
                    raise
                asked = self._smaller(asked, turns, error.window)
        raise ValueError("a last attempt neither began nor failed")

    def _smaller(self, asked: Asked, turns: Sequence[AnswerRecord], window: int | None) -> Asked:
        """Return the same question in a window that its server named, or in a smaller one."""
        if window is None:
            texts = [message.content for message in asked.messages]
            window = int(sum(self._counter.count(texts)) * _SMALLER) + self._answer_tokens
        desk = self._desk(window)
        if asked.search.hits:
            return self._fitted(replace(asked, degraded=None), turns, desk)
        return self._again(asked.question, turns, asked.began, is_sent=True, desk=desk)

    def _desk(self, window: int | None = None) -> Desk:
        known = window or (self._llm.window if self._llm else None) or self._counter.window
        # An answer may take half of a small window, for there must be something to answer from.
        answer = min(self._answer_tokens, known // 2)
        return Desk(self._retriever, self._counter, Budget(self._budget_tokens, answer, known))

    def _an_llm(self) -> LLM:
        if self._llm is None:
            raise LLMError("there is no LLM to ask", "name one with --base-url and --model")
        return self._llm

    def _recent(self) -> tuple[AnswerRecord, ...]:
        return tuple(self._turns[-REMEMBERED_TURNS:])

    def _remember(self, record: AnswerRecord) -> None:
        """Keep a finished answer as part of the conversation; one of no words is none."""
        if record.answer:
            self._turns.append(record)


def _nothing(query: str) -> Search:
    """Return a search question that nothing was found for yet."""
    return Search(query, "hybrid", None, ())
