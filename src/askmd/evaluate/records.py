"""What an evaluation says, and how it is kept in a file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from askmd.evaluate.labels import Finding
from askmd.evaluate.questions import QuestionsError, read_text
from askmd.types import Mode

_TOO_MUCH = (RecursionError, OverflowError)
"""What nesting without end and numbers without end raise."""
FORMAT = "askmd evaluation 1"
Verdict = Literal["gain", "loss", "noise", "none", "unknown"]
"""The interval lies above 0, below 0 or around it; nothing differs; too few questions to tell."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric over the questions that have it; every one from 0 to 1, higher is better."""

    mean: float
    low: float
    """Of the 95 % interval of the mean."""
    high: float
    questions: int


@dataclass(frozen=True, slots=True)
class Result:
    """One question's figures."""

    id: str
    question: str
    digest: str
    """Of the question and its labels: two results compare only if it agrees."""
    expected: tuple[str, ...]
    """For people: ``path#anchor``, ``path:first-last`` or a path; empty: it must be refused."""
    sections: tuple[str, ...]
    """``path#anchor`` of the heading that each stands under: what ``askmd why`` takes."""
    ranks: tuple[int | None, ...]
    """Each one's first useful hit; None: not among all that were looked at."""
    is_refused: bool
    """Whether ``ask`` would say that the documents do not answer it."""
    passed: bool
    """Refused as it must be, or let through and something of it found among the first hits."""
    metrics: Mapping[str, float]
    """Those that it has: nothing is recalled of a question that must be refused."""

    @property
    def rank(self) -> int | None:
        """The first useful hit's rank."""
        return min((one for one in self.ranks if one is not None), default=None)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an index finds of a question file."""

    format: str
    limit: int
    """The first hits that count."""
    budget_tokens: int
    """Of the passages that are measured."""
    mode: Mode
    degraded: str | None
    """What searches had to leave out, and in how many; None where nothing was."""
    headlines: tuple[str, ...]
    """The metrics whose loss is a regression."""
    metrics: Mapping[str, Measure]
    results: tuple[Result, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """How one metric differs over the questions that both have: here minus there."""

    mean: float
    low: float
    high: float
    questions: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """A question that is answered better or worse here than there."""

    id: str
    question: str
    difference: float
    """Mean over the headline metrics it has, here minus there."""
    rank: int | None
    """Of the first useful hit, here."""
    rank_there: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two evaluations, paired by question: here minus there."""

    there: str
    """The name of the other one."""
    questions: int
    differences: Mapping[str, Difference]
    regressions: tuple[str, ...]
    """Headline metrics whose whole interval lies below 0."""
    lost: tuple[Change, ...]
    """The worst first."""
    gained: tuple[Change, ...]
    """The best first."""
    only_here: tuple[str, ...]
    """Ids that only this evaluation has."""
    only_there: tuple[str, ...]
    changed: tuple[str, ...]
    """Ids whose question or labels are others than there; they are left out."""


def as_saved(evaluation: Evaluation) -> str:
    """Return what a file keeps: JSON with a line a question, so that versions can be compared."""
    data = asdict(evaluation)
    rows = [json.dumps(row, ensure_ascii=False) for row in data.pop("results")]
    head = json.dumps(data, ensure_ascii=False, indent=1).removesuffix("\n}")
    return head + ',\n "results": [\n  ' + ",\n  ".join(rows) + "\n ]\n}\n"


def read_saved(path: Path) -> Evaluation:
    """Return a saved evaluation; raises QuestionsError if the file holds none."""
    text = read_text(path)
    try:
        return _evaluation(json.loads(text))
    except (ValueError, TypeError, LookupError, AttributeError, *_TOO_MUCH) as error:
        step = "make one with `askmd eval QUESTIONS --save FILE`"
        raise QuestionsError(f"{path} holds no saved evaluation", step) from error


def _evaluation(data: Any) -> Evaluation:
    """Return what JSON says; raises one of a few for any nonsense."""
    if data["format"] != FORMAT:
        raise ValueError(data["format"])
    return Evaluation(
        format=FORMAT,
        limit=int(data["limit"]),
        budget_tokens=int(data["budget_tokens"]),
        mode=data["mode"],
        degraded=data["degraded"],
        headlines=tuple(map(str, data["headlines"])),
        metrics={str(name): _measure(one) for name, one in data["metrics"].items()},
        results=tuple(_result(one) for one in data["results"]),
        findings=tuple(Finding(**one) for one in data["findings"]),
    )


def _result(data: Any) -> Result:
    return Result(
        id=str(data["id"]),
        question=str(data["question"]),
        digest=str(data["digest"]),
        expected=tuple(map(str, data["expected"])),
        sections=tuple(map(str, data["sections"])),
        ranks=tuple(None if rank is None else int(rank) for rank in data["ranks"]),
        is_refused=bool(data["is_refused"]),
        passed=bool(data["passed"]),
        metrics={str(name): _figure(value) for name, value in data["metrics"].items()},
    )


def _measure(data: Any) -> Measure:
    low, high = _figure(data["low"]), _figure(data["high"])
    return Measure(_figure(data["mean"]), low, high, int(data["questions"]))


def _figure(value: Any) -> float:
    """Return a metric's value; raises ValueError for what no metric can be, NaN too."""
    if not 0 <= float(value) <= 1:
        raise ValueError(value)
    return float(value)
