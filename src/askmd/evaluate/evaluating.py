"""A question file against an index: every question searched as ``ask`` would, and measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from askmd import compose, store
from askmd.config import Config
from askmd.errors import Interrupted
from askmd.evaluate.labels import Finding, LabelFault, Library
from askmd.evaluate.metrics import Wanted
from askmd.evaluate.paired import measures
from askmd.evaluate.questions import Question, QuestionsError
from askmd.evaluate.records import FORMAT, Evaluation, Result
from askmd.evaluate.ruler import Ruler
from askmd.types import (
    CancelCheck,
    Chars,
    Chunk,
    Filter,
    Mode,
    Progress,
    ProgressCallback,
    Search,
)

LIMIT = 5
"""The first hits that count, unless another number is asked for."""
EVERYTHING = Filter()


class Finder(Protocol):
    """What an evaluation needs of a retriever."""

    def find(self, question: str, *, limit: int | None, mode: Mode | None, where: Filter) -> Search:
        """Return the best hits; its own limit and mode where none are given."""

    def has_evidence(self, search: Search) -> bool:
        """Tell whether the documents have anything to do with the question."""

    def read(self, path: str, chars: Chars) -> str | None:
        """Return a range of a document; None where it cannot be had any more."""

    def neighbours(self, id: str, distance: int = 1) -> list[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""


def evaluate(
    finder: Finder,
    questions: Sequence[Question],
    config: Config,
    *,
    limit: int = LIMIT,
    budget_tokens: int | None = None,
    mode: Mode | None = None,
    where: Filter = EVERYTHING,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> Evaluation:
    """Return what an open retriever finds of the questions.

    config: the settings it was opened with. limit: the first hits that count. budget_tokens: of
    passages; the settings' own where it is None. A question with a label that points nowhere is
    told as a finding and left out of every figure. Raises QuestionsError if none is left,
    Interrupted once ``cancel`` says so, and what searching raises.
    """
    budget = config.llm.budget_tokens if budget_tokens is None else budget_tokens
    ruler = Ruler(limit, budget, compose.prompt_counter(config), finder.neighbours)
    library = Library(indexed_paths(config), finder.read)
    run = _Run()
    for number, question in enumerate(questions, start=1):
        if cancel is not None and cancel():
            raise Interrupted(f"stopped after {number - 1} of {len(questions)} questions")
        try:
            wanted = Wanted(library.targets(question), question.is_any)
        except LabelFault as error:
            run.findings.append(Finding(question.id, question.line, str(error)))
            continue
        search = finder.find(question.question, limit=ruler.depth, mode=mode, where=where)
        is_refused = not search.hits or not finder.has_evidence(search)
        run.results.append(ruler.measured(question, wanted, search, library, is_refused))
        run.degraded.update([search.degraded] if search.degraded else [])
        if progress is not None:
            progress(Progress("asking", number, len(questions), "questions"))
    return run.told(ruler, mode or config.search.mode)


@dataclass(slots=True)
class _Run:
    """What there is to say so far."""

    results: list[Result] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    degraded: Counter[str] = field(default_factory=Counter)

    def told(self, ruler: Ruler, mode: Mode) -> Evaluation:
        """Return the whole; raises QuestionsError where no question was asked."""
        if not self.results:
            first = f"; the first: {self.findings[0].what}" if self.findings else ""
            raise QuestionsError(
                f"no question has a label that this index knows{first}",
                "write paths as `askmd search` prints them",
            )
        return Evaluation(
            format=FORMAT,
            limit=ruler.limit,
            budget_tokens=ruler.budget_tokens,
            mode=mode,
            degraded=_told(self.degraded, len(self.results)),
            headlines=ruler.headlines,
            metrics=ruler.ordered(measures(self.results)),
            results=tuple(self.results),
            findings=tuple(self.findings),
        )


def indexed_paths(config: Config) -> list[str]:
    """Return the path of every document that the settings' index holds, sorted."""
    index = store.open_store(config.index_folder)
    try:
        return sorted(index.documents())
    finally:
        index.close()


def _told(degraded: Counter[str], searches: int) -> str | None:
    """Return what searches had to leave out, and how many of them."""
    if not degraded:
        return None
    [(what, _)] = degraded.most_common(1)
    return f"{what} (in {degraded.total()} of {searches} searches)"
