"""A running answer: iterate for its text, then ask what it rests on."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Self

from askmd.answer.ending import Prices, Proof, Sources, never_sent, prove, quoting
from askmd.answer.told import Told, refusal
from askmd.citations import MarkFilter
from askmd.contracts import Completion
from askmd.errors import AskmdError
from askmd.prompt import RefusalFilter
from askmd.terminal import linked, source_line
from askmd.types import (
    AnswerRecord,
    Citation,
    Message,
    Passage,
    Rewriter,
    Search,
    Status,
    Usage,
)

MOST_FINDINGS = 3
"""Of an answer that are told below it: more would hide it."""
_CLOSED = "the answer was closed before its end"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, what was found for it, and what is sent of that."""

    question: str
    search: Search
    """What the search question found."""
    passages: tuple[Passage, ...]
    """What the LLM is sent, or what is quoted from."""
    messages: tuple[Message, ...] = ()
    """What the LLM is sent, to the letter; empty where none is asked."""
    told: Told | None = None
    """The whole answer, where no LLM is asked."""
    rewritten: Rewriter | None = None
    answer_tokens: int | None = None
    """Tokens the answer may have; the LLM's own limit where that is None."""
    search_usage: Usage | None = None
    """Tokens that the search question took."""
    wording: str = ""
    """What the LLM is asked, where that is not the question itself."""
    generation: int | None = None
    """Of the index, when it was searched."""
    fault: str | None = None
    """What went wrong with the search question."""
    degraded: str | None = None
    """What found no room, and why."""
    began: float = field(default_factory=time.monotonic)
    """When the question came, by the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who answers, and what becomes of the answer."""

    complete: Callable[[Asked], tuple[Asked, Completion]]
    """Puts a question to the LLM; returns it as it was sent. Raises LLMError if nothing begins."""
    model: Callable[[], str | None]
    sources: Sources
    prices: Prices
    remember: Callable[[AnswerRecord], None]


class Answer:
    """A running answer: iterate for its text, then ask for the ``result()``.

    Leaving it as a context manager, or ``close()``, aborts a request that is still running.
    """

    def __init__(self, asked: Asked, speaker: Speaker) -> None:
        """Take a question that is ready to be answered; nothing is sent yet."""
        self.cut_reason: str | None = None
        """Why the text is incomplete, once it has ended; None if it is whole."""
        self._asked = asked
        self._speaker = speaker
        self._marks = _marks(asked)
        self._no = RefusalFilter(self._marks.cited)
        self._completion: Completion | None = None
        self._text: list[str] = []
        self._first_seconds: float | None = None
        self._record: AnswerRecord | None = None
        self._failure: AskmdError | None = None
        self._reading, self._ending = Lock(), Lock()
        self._pieces = self._run()

    @property
    def search(self) -> Search:
        """What the search question found."""
        return self._asked.search

    @property
    def search_query(self) -> str:
        """What was searched for: the question, or what the conversation makes of it."""
        return self._asked.search.question

    @property
    def rewritten(self) -> Rewriter | None:
        """Who made the search question; None where it is the question itself."""
        return self._asked.rewritten

    @property
    def passages(self) -> tuple[Passage, ...]:
        """What the LLM is sent, or what is quoted from."""
        return self._asked.passages

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the LLM is sent, to the letter; empty where none is asked."""
        return self._asked.messages

    @property
    def generation(self) -> int | None:
        """The index's, when it was searched; None where it was not."""
        return self._asked.generation

    @property
    def answer_tokens(self) -> int | None:
        """Tokens the answer may have; None where no LLM is asked."""
        return self._asked.answer_tokens

    @property
    def invented(self) -> tuple[int, ...]:
        """Numbers of passages that were never sent, whose marks were taken out of the text."""
        return tuple(self._marks.invented)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._record is not None:
            raise StopIteration
        try:
            with self._reading:
                return next(self._pieces)
        except AskmdError as error:
            self._failure = error
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self.close()

    def close(self) -> None:
        """Abort the request if it is still running; the result is then incomplete."""
        if self._record is None and self._failure is None:
            self.cut_reason = self.cut_reason or _CLOSED
        if self._completion is not None:
            self._completion.close()
        if self._failure is None:
            self._finish()
        with suppress(ValueError):
            # Where another thread reads it, it ends there.
            self._pieces.close()

    def result(self) -> AnswerRecord:
        """Return the finished answer, reading what is left of it; raises LLMError if none began."""
        for _piece in self:
            pass
        if self._record is None:
            raise self._failure or RuntimeError("this answer is read in another thread")
        return self._record

    def sources(self) -> tuple[Citation, ...]:
        """Return what stands below the finished text: what it cites.

        Nothing for a quotation, which names its own.
        """
        record = self.result()
        return () if record.status == "extracted" else record.citations

    def source_lines(self, link: Callable[[Citation], str] | None = None) -> list[str]:
        """Return ``sources`` as text, a line each.

        link: where each is to lead, on a terminal that knows links.
        """
        return [cited_line(one, link(one) if link else None) for one in self.sources()]

    def notices(self) -> list[str]:
        """Return what is to be said about the finished answer, a line each."""
        from askmd.citations import UNCITED

        record = self.result()
        said = [f"degraded: {record.degraded}"] if record.degraded else []
        if record.cut_reason:
            said.append(f"the answer is incomplete: {record.cut_reason}")
        if record.invented:
            numbers = ", ".join(map(str, record.invented))
            said.append(f"taken out of the answer: marks of passages never sent ({numbers})")
        own = set(map(never_sent, record.invented))
        # Half an answer may rest on what its other half would have cited.
        found = record.findings if record.status == "answered" else ()
        told = [f"unsupported: {one}" for one in found if one not in own]
        if UNCITED in found:
            # Each of its sentences would only say so again.
            told = [f"unsupported: {UNCITED}"]
        left = len(told) - MOST_FINDINGS
        more = [f"unsupported: {left} more; `ask --json` names them all"] if left > 0 else []
        return said + told[:MOST_FINDINGS] + more

    def _run(self) -> Generator[str]:
        for piece in self._source():
            if self._record is not None:
                return
            if piece:
                if self._first_seconds is None:
                    self._first_seconds = self._elapsed()
                self._text.append(piece)
                yield piece
        if self._record is None:
            self._finish()

    def _source(self) -> Iterator[str]:
        """Yield the text with every mark that points nowhere left out."""
        if self._asked.told is not None:
            yield self._asked.told.text
            return
        # A server whose window is smaller than was thought is sent fewer passages.
        self._asked, self._completion = self._speaker.complete(self._asked)
        self._marks = _marks(self._asked)
        self._no = RefusalFilter(self._marks.cited)
        if self._record is not None:
            # It was closed by another thread while the first word was waited for.
            self._completion.close()
            return
        for piece in self._completion:
            yield self._marks.feed(self._no.feed(piece))
        rest = self._no.flush()
        if self._no.says_no and not self._text:
            # The fixed line alone: it was held back, and what is nearest helps more.
            yield refusal(self.search.hits)
        else:
            yield self._marks.feed(rest) + self._marks.flush()
        self.cut_reason = self.cut_reason or self._completion.cut_reason

    def _finish(self) -> None:
        with self._ending:
            if self._record is None:
                self._record = self._recorded()
                self._speaker.remember(self._record)

    def _recorded(self) -> AnswerRecord:
        text, asked = "".join(self._text), self._asked
        status, usage = self._status(), self._usage()
        proof = self._proof(text, status)
        left_out = [asked.search.degraded, asked.fault, asked.degraded]
        checked = proof.checked
        return AnswerRecord(
            question=asked.question,
            search_query=asked.search.question,
            answer=text,
            status=status,
            citations=proof.citations,
            passages=asked.passages,
            model=None if asked.told else self._speaker.model(),
            usage=usage,
            degraded="; ".join(filter(None, left_out)) or None,
            rewritten=asked.rewritten,
            cut_reason=self.cut_reason,
            invented=self.invented,
            sentences=checked.sentences if checked else (),
            findings=proof.findings,
            cost=self._speaker.prices.cost(usage),
            seconds=self._elapsed(),
            first_seconds=self._first_seconds,
        )

    def _proof(self, text: str, status: Status) -> Proof:
        """Return what the text rests on; a refusal rests on nothing."""
        passages, generation = self._asked.passages, self._asked.generation
        sources = replace(self._speaker.sources, generation=generation)
        if self._asked.told is not None:
            return quoting(passages, self._asked.told.cited, sources)
        if status == "refused":
            return Proof()
        return prove(text, passages, list(self._marks.cited), self.invented, sources)

    def _status(self) -> Status:
        if self.cut_reason is not None:
            return "incomplete"
        if self._asked.told is not None:
            return self._asked.told.status
        return "refused" if self._no.says_no else "answered"

    def _usage(self) -> Usage | None:
        """Return what the answer took, the wording of its search question with it."""
        own = self._completion.usage if self._completion is not None else None
        return together(own, self._asked.search_usage)

    def _elapsed(self) -> float:
        return round(time.monotonic() - self._asked.began, 4)


def _marks(asked: Asked) -> MarkFilter:
    """Return what reads an answer's marks; a bracket that was sent may be copied from there."""
    numbers = {passage.number for passage in asked.passages}
    return MarkFilter(numbers, [message.content for message in asked.messages[-1:]])


def together(one: Usage | None, other: Usage | None) -> Usage | None:
    """Return the sum of two counts; what neither knows is unknown."""
    if one is None or other is None:
        return one or other
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    pairs = [(getattr(one, name), getattr(other, name)) for name in names]
    return Usage(*(None if a is b is None else (a or 0) + (b or 0) for a, b in pairs))


def cited_line(citation: Citation, url: str | None = None) -> str:
    """Return a citation as one line: its mark, its place, and what has become of its file."""
    place = linked(source_line(citation), url)
    return f"[{citation.number}] {place}{_freshness(citation)}"


def _freshness(citation: Citation) -> str:
    if not citation.stale:
        return ""
    if citation.stands_at is None:
        return "  (changed since it was indexed: this text is gone; run `askmd ingest`)"
    if citation.stands_at == citation.lines:
        return "  (changed since it was indexed, but not these lines)"
    first, last = citation.stands_at
    return f"  (changed since it was indexed: now at lines {first}-{last})"
