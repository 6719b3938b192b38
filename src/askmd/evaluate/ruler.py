"""One question's search → its result: which metrics there are, and over what they are taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from askmd.contracts import TokenCounter
from askmd.evaluate import metrics
from askmd.evaluate.labels import Library
from askmd.evaluate.metrics import DEPTH, Wanted
from askmd.evaluate.questions import Question
from askmd.evaluate.records import Result
from askmd.passages import assemble, candidates_for
from askmd.types import Chunk, Passage, Search

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Ruler:
    """What every question of an evaluation is measured by."""

    limit: int
    """The first hits that count."""
    budget_tokens: int
    """Of passages."""
    counter: TokenCounter
    around: Callable[[str, int], Sequence[Chunk]]
    """Returns the chunks up to a distance around one, for passages to be widened by."""

    @property
    def depth(self) -> int:
        """How many hits are looked at."""
        return max(self.limit, DEPTH, candidates_for(self.budget_tokens))

    @property
    def headlines(self) -> tuple[str, ...]:
        """The metrics whose loss is a regression."""
        return (
            f"recall@{self.limit}",
            f"recall@{self.budget_tokens}tok",
            f"mrr@{DEPTH}",
            "kept",
            "refused",
        )

    def ordered(self, figures: Mapping[str, _Value]) -> dict[str, _Value]:
        """Return figures by metric, in the order they are shown."""
        first, second, reciprocal, *decisions = self.headlines
        at = f"@{self.limit}"
        found = [f"precision{at}", f"iou{at}", "hit@1", f"hit{at}", reciprocal, f"ndcg@{DEPTH}"]
        order = dict.fromkeys([first, second, *found, *decisions])
        return {name: figures[name] for name in order if name in figures}

    def measured(
        self,
        question: Question,
        wanted: Wanted,
        search: Search,
        library: Library,
        is_refused: bool,
    ) -> Result:
        """Return what a search found of a question."""
        told: dict[str, float] = {}
        ranks = metrics.ranks(wanted, search.hits)
        if wanted.targets:
            told = self._recalls(wanted, search, library)
            told |= self._ranked(wanted, search, ranks)
            told["kept"] = float(not is_refused)
        else:
            told["refused"] = float(is_refused)
        is_found = told.get(f"hit@{self.limit}", 0.0) > 0
        return Result(
            id=question.id,
            question=question.question,
            digest=question.digest,
            expected=tuple(one.place for one in wanted.targets),
            sections=tuple(one.section for one in wanted.targets),
            ranks=ranks,
            is_refused=is_refused,
            passed=is_refused != bool(wanted.targets) and (is_found or not wanted.targets),
            metrics={name: round(value, 6) for name, value in self.ordered(told).items()},
        )

    def _recalls(self, wanted: Wanted, search: Search, library: Library) -> dict[str, float]:
        """Return what is measured in characters."""
        first = search.hits[: self.limit]
        passages = self._passages(search, library)
        most = self._most_characters(wanted, library)
        told = {
            f"recall@{self.limit}": metrics.recall(wanted, first),
            f"recall@{self.budget_tokens}tok": metrics.recall(wanted, passages, most),
        }
        if wanted.is_ranged:
            precision, iou = metrics.precision_and_iou(wanted, first)
            told |= {f"precision@{self.limit}": precision, f"iou@{self.limit}": iou}
        return told

    def _ranked(
        self, wanted: Wanted, search: Search, ranks: Sequence[int | None]
    ) -> dict[str, float]:
        """Return what is measured by ranks."""
        best = min((rank for rank in ranks if rank is not None), default=None)
        has_files = all(one.chars is None for one in wanted.targets)
        places = metrics.file_ranks(wanted, search.hits) if has_files else ranks
        return {
            "hit@1": float(best == 1),
            f"hit@{self.limit}": float(best is not None and best <= self.limit),
            f"mrr@{DEPTH}": metrics.reciprocal_rank(best),
            f"ndcg@{DEPTH}": metrics.ndcg(wanted, places),
        }

    def _passages(self, search: Search, library: Library) -> list[Passage]:
        """Return what an LLM would be sent."""
        hits = search.hits[: candidates_for(self.budget_tokens)]
        budget = self.budget_tokens
        return assemble(
            hits, self.counter, budget_tokens=budget, read=library.read, around=self.around
        )

    def _most_characters(self, wanted: Wanted, library: Library) -> float:
        """Return how many labelled characters the budget holds, at least 1."""
        ranges = [(one.path, one.chars) for one in metrics.united(wanted.targets) if one.chars]
        if not ranges:
            return math.inf
        text = "\n".join(library.read(path, chars) or "" for path, chars in ranges)
        [tokens] = self.counter.count([text])
        if tokens <= self.budget_tokens:
            return math.inf
        return max(1, self.counter.cut(text, self.budget_tokens))
