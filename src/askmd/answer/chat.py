"""A question answered: searched, put to the LLM within its budget, streamed, cited.

Without an LLM the best passages are quoted; without evidence nothing is asked at all.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, Self

from askmd.citations import MarkFilter, citations_of
from askmd.contracts import LLM, Completion, TokenCounter
from askmd.passages import assemble, candidates_for
from askmd.prompt import NOT_ANSWERED, fit_history, messages
from askmd.terminal import source_line
from askmd.types import (
    AnswerRecord,
    Chars,
    Chunk,
    Filter,
    Hit,
    Message,
    Mode,
    Passage,
    Search,
    Status,
    Usage,
)

if TYPE_CHECKING:
    from askmd.config import Config

REMEMBERED_TURNS = 10
"""Questions with their answers that a chat keeps."""
EVERYTHING = Filter()
QUOTED_PASSAGES = 3
QUOTED_CHARACTERS = 1200
"""Of one passage, where no LLM is there to say it in fewer words."""

_CLOSED = "the answer was closed before its end"


class Finder(Protocol):
    """What an answer needs of a retriever."""

    def find(self, question: str, *, limit: int | None, mode: Mode | None, where: Filter) -> Search:
        """Return the best hits; its own limit and mode where none are given."""

    def has_evidence(self, search: Search) -> bool:
        """Tell whether the documents have anything to do with the question."""

    def read(self, path: str, chars: Chars) -> str | None:
        """Return a range of a document; None where it cannot be had any more."""

    def neighbours(self, id: str, distance: int) -> Sequence[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""

    def is_stale(self, path: str) -> bool:
        """Tell whether a document's file has changed since it was indexed."""


class Chat:
    """Answers questions, each with the ones before it in mind."""

    def __init__(
        self,
        retriever: Finder,
        llm: LLM | None,
        counter: TokenCounter,
        *,
        budget_tokens: int,
        limit: int | None = None,
        mode: Mode | None = None,
        where: Filter = EVERYTHING,
    ) -> None:
        """Take the parts; without an LLM the best passages are quoted.

        budget_tokens: of passages, as ``counter`` counts them; the history may take a quarter of
        as many again. limit: of the hits that are looked at; None: as many as fill the budget.
        mode: of the search; the retriever's own where it is None.
        """
        self._retriever = retriever
        self._llm = llm
        self._counter = counter
        self._budget_tokens = budget_tokens
        self._limit = limit
        self._mode = mode
        self._where = where
        self._turns: deque[tuple[Message, Message]] = deque(maxlen=REMEMBERED_TURNS)

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
    ) -> Chat:
        """Return a chat as the configuration wants it, over an open retriever.

        limit, mode, where: as for the chat itself. is_quoting: ask no LLM, even if there is one.
        Raises LLMError where the LLM's key is missing.
        """
        from askmd.compose import open_llm, prompt_counter

        return cls(
            retriever,
            None if is_quoting else open_llm(config),
            prompt_counter(config),
            budget_tokens=config.llm.budget_tokens,
            limit=limit,
            mode=mode,
            where=where,
        )

    def ask(self, question: str) -> Answer:
        """Return a running answer; the LLM is asked when its text is first wanted.

        Raises what searching raises; LLMError comes from iterating.
        """
        search = self._retriever.find(
            question,
            limit=self._limit or candidates_for(self._budget_tokens),
            mode=self._mode,
            where=self._where,
        )
        if not search.hits or not self._retriever.has_evidence(search):
            return Answer(self, search, (), _Told("refused", _refusal(search.hits)))
        passages = self._passages(search.hits)
        if self._llm is None:
            quoted = passages[:QUOTED_PASSAGES]
            return Answer(self, search, passages, _Told("extracted", _quotation(quoted), quoted))
        return Answer(self, search, passages, None)

    def forget(self) -> None:
        """Begin a new conversation."""
        self._turns.clear()

    @property
    def has_llm(self) -> bool:
        """Whether answers are written by an LLM."""
        return self._llm is not None

    @property
    def model(self) -> str | None:
        """The LLM's name; None without one."""
        return self._llm.model if self._llm else None

    def _passages(self, hits: Sequence[Hit]) -> tuple[Passage, ...]:
        """Return what an answer to a search is made from."""
        counter, budget = self._counter, self._budget_tokens
        if self._llm is None:
            # A reader wants the very chunks that were found, the best first.
            found = assemble(hits, counter, budget_tokens=budget)
            best = sorted(found, key=lambda passage: -passage.score)
            return tuple(replace(one, number=place) for place, one in enumerate(best, start=1))
        read, around = self._retriever.read, self._retriever.neighbours
        return tuple(assemble(hits, counter, budget_tokens=budget, read=read, around=around))

    def _complete(self, question: str, passages: Sequence[Passage]) -> Completion:
        """Put a question to the LLM; raises LLMError if no answer begins."""
        if self._llm is None:
            raise ValueError("there is no LLM to put a question to")
        told = [message for turn in list(self._turns) for message in turn]
        history = fit_history(told, self._counter, budget_tokens=self._budget_tokens // 4)
        nonce = secrets.token_hex(8)
        return self._llm.stream(messages(question, passages, history, nonce=nonce))

    def _remember(self, record: AnswerRecord) -> None:
        """Keep a finished answer as part of the conversation; refusals and quotations are none."""
        if record.status in ("answered", "incomplete") and record.answer:
            asked = Message("user", record.question)
            self._turns.append((asked, Message("assistant", record.answer)))

    def _is_stale(self, path: str) -> bool:
        """Tell whether a document has changed since it was indexed."""
        return self._retriever.is_stale(path)


@dataclass(frozen=True, slots=True)
class _Told:
    """An answer that needs no LLM."""

    status: Literal["refused", "extracted"]
    text: str
    cited: tuple[Passage, ...] = ()


class Answer:
    """A running answer: iterate for its text, then ask for the ``result()``.

    Leaving it as a context manager, or ``close()``, aborts a request that is still running.
    """

    def __init__(
        self, chat: Chat, search: Search, passages: tuple[Passage, ...], told: _Told | None
    ) -> None:
        """Take what was found; ``told`` is the whole answer where no LLM is asked."""
        self.search = search
        """What the question found."""
        self.passages = passages
        """What the LLM is sent, or what is quoted from."""
        self.cut_reason: str | None = None
        """Why the text is incomplete, once it has ended; None if it is whole."""
        self._chat = chat
        self._told = told
        self._marks = MarkFilter({passage.number for passage in passages})
        self._completion: Completion | None = None
        self._text: list[str] = []
        self._record: AnswerRecord | None = None
        self._pieces = self._run()

    @property
    def invented(self) -> tuple[int, ...]:
        """Numbers of passages that were never sent, whose marks were taken out of the text."""
        return tuple(self._marks.invented)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._record is not None:
            raise StopIteration
        return next(self._pieces)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.close()

    def close(self) -> None:
        """Abort the request if it is still running; the result is then incomplete."""
        if self._completion is not None:
            self._completion.close()
        if self._record is None:
            self.cut_reason = _CLOSED
            self._record = self._recorded()

    def result(self) -> AnswerRecord:
        """Return the finished answer, reading what is left of it; raises LLMError if none began."""
        for _piece in self:
            pass
        if self._record is None:
            raise RuntimeError("this answer failed before its end, and said so")
        return self._record

    def source_lines(self) -> list[str]:
        """Return what stands below the finished text: a line for each passage it cites.

        None for a quotation, which names its own.
        """
        record = self.result()
        if record.status == "extracted":
            return []
        stale = "  (changed since it was indexed)"
        return [
            f"[{one.number}] {source_line(one)}{stale if one.stale else ''}"
            for one in record.citations
        ]

    def notices(self) -> list[str]:
        """Return what is to be said about the finished answer, a line each."""
        said = []
        if degraded := self.result().degraded:
            said.append(f"degraded: {degraded}")
        if self.cut_reason:
            said.append(f"the answer is incomplete: {self.cut_reason}")
        if self.invented:
            numbers = ", ".join(map(str, self.invented))
            said.append(f"taken out of the answer: marks of passages never sent ({numbers})")
        return said

    def _run(self) -> Iterator[str]:
        for piece in self._source():
            if self._record is None and piece:
                self._text.append(piece)
                yield piece
        if self._record is None:
            self._record = self._recorded()
            self._chat._remember(self._record)

    def _source(self) -> Iterator[str]:
        """Yield the text with every mark that points nowhere left out."""
        if self._told is not None:
            yield self._told.text
            return
        self._completion = self._chat._complete(self.search.question, self.passages)
        for piece in self._completion:
            yield self._marks.feed(piece)
        yield self._marks.flush()
        self.cut_reason = self._completion.cut_reason

    def _recorded(self) -> AnswerRecord:
        text = "".join(self._text)
        numbers = [p.number for p in self._told.cited] if self._told else list(self._marks.cited)
        citations = citations_of(self.passages, numbers)
        return AnswerRecord(
            question=self.search.question,
            search_query=self.search.question,
            answer=text,
            status=self._status(text),
            citations=tuple(replace(c, stale=self._chat._is_stale(c.path)) for c in citations),
            passages=self.passages,
            model=None if self._told else self._chat.model,
            usage=self._usage(),
            degraded=self.search.degraded,
        )

    def _status(self, text: str) -> Status:
        if self.cut_reason is not None:
            return "incomplete"
        if self._told is not None:
            return self._told.status
        says_no = text.strip().casefold().startswith(NOT_ANSWERED.rstrip(".").casefold())
        return "refused" if says_no and not self._marks.cited else "answered"

    def _usage(self) -> Usage | None:
        return self._completion.usage if self._completion is not None else None


def _refusal(hits: Sequence[Hit]) -> str:
    """Return the refusal, with the headings that came nearest."""
    nearest = list(dict.fromkeys(source_line(hit) for hit in hits))[:3]
    if not nearest:
        return NOT_ANSWERED
    return "\n".join([f"{NOT_ANSWERED} Nearest are:", *(f"- {line}" for line in nearest)])


def _quotation(passages: Sequence[Passage]) -> str:
    """Return the passages' own words, each followed by its mark and source line."""
    return "\n\n".join(
        f"{_shortened(passage.text)}\n\n[{passage.number}] {source_line(passage)}"
        for passage in passages
    )


def _shortened(text: str) -> str:
    """Return text up to ``QUOTED_CHARACTERS``, cut after a line where it can be, fences closed."""
    text = text.strip("\n").rstrip()
    if len(text) > QUOTED_CHARACTERS:
        head = text[:QUOTED_CHARACTERS]
        text = (head.rpartition("\n")[0] or head).rstrip() + "\n…"
    fences = [line for line in text.split("\n") if line.lstrip().startswith("```")]
    return f"{text}\n```" if len(fences) % 2 else text
