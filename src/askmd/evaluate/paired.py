"""Figures of single questions → means with their intervals, and what two evaluations differ by.

Intervals are the bootstrap's percentiles: 2.5 and 97.5 % of the means of questions drawn again
with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13). Two
evaluations are paired: each draw takes a question with its difference (Sakai, Evaluating evaluation
metrics based on the bootstrap, SIGIR 2006). The draws are the same at every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from askmd.evaluate.questions import QuestionsError
from askmd.evaluate.records import (
    Change,
    Comparison,
    Difference,
    Evaluation,
    Measure,
    Result,
    Verdict,
)

ROUNDS = 5000
LEAST_QUESTIONS = 6
"""Fewer prove nothing: were all six better, a sign test would just reach 5 % (2 of 64)."""
_BLOCK = 4_000_000
_SEED = 0

Floats = npt.NDArray[np.float64]


def measures(results: Sequence[Result]) -> dict[str, Measure]:
    """Return every metric's mean and interval over the questions that have it."""
    rows = [one.metrics for one in results]
    return {name: Measure(*interval) for name, interval in _intervals(rows)}


def compare(here: Evaluation, there: Evaluation, name: str) -> Comparison:
    """Return how two evaluations differ over the questions they share.

    name: of the other one. Raises QuestionsError where they share none, or were measured by other
    lengths.
    """
    check_lengths(there, name, limit=here.limit, budget_tokens=here.budget_tokens)
    others = {one.id: one for one in there.results}
    shared = [one for one in here.results if one.id in others]
    same = [one for one in shared if one.digest == others[one.id].digest]
    if not same:
        raise QuestionsError(
            f"{name} shares no question with these", "save it again from this question file"
        )
    rows = [_minus(one, others[one.id]) for one in same]
    differences = {metric: _difference(*interval) for metric, interval in _intervals(rows)}
    changes = [_change(one, others[one.id], here.headlines) for one in same]
    changes.sort(key=lambda change: change.difference)
    ids = {one.id for one in here.results}
    kept = {one.id for one in same}
    return Comparison(
        there=name,
        questions=len(same),
        differences=differences,
        regressions=tuple(
            metric
            for metric in here.headlines
            if metric in differences and differences[metric].verdict == "loss"
        ),
        lost=tuple(one for one in changes if one.difference < 0),
        gained=tuple(one for one in reversed(changes) if one.difference > 0),
        only_here=tuple(one.id for one in here.results if one.id not in others),
        only_there=tuple(id for id in others if id not in ids),
        changed=tuple(one.id for one in shared if one.id not in kept),
    )


def check_lengths(saved: Evaluation, name: str, *, limit: int, budget_tokens: int) -> None:
    """Raise QuestionsError if another evaluation counted other lengths of what was found."""
    ours = f"-k {limit} --budget {budget_tokens}"
    theirs = f"-k {saved.limit} --budget {saved.budget_tokens}"
    if ours != theirs:
        what = f"{name} was measured with {theirs}, this is with {ours}"
        raise QuestionsError(what, f"add {theirs}, or save it again")


def _minus(here: Result, there: Result) -> dict[str, float]:
    return {
        name: round(value - there.metrics[name], 9)
        for name, value in here.metrics.items()
        if name in there.metrics
    }


def _change(here: Result, there: Result, headlines: Sequence[str]) -> Change:
    """Return how a question's headline metrics differ on average."""
    minus = _minus(here, there)
    told = [minus[name] for name in headlines if name in minus]
    mean = round(sum(told) / len(told), 6) if told else 0.0
    return Change(here.id, here.question, mean, here.rank, there.rank)


def _difference(mean: float, low: float, high: float, questions: int) -> Difference:
    verdict: Verdict = "noise"
    if mean == low == high == 0:
        verdict = "none"
    elif questions < LEAST_QUESTIONS:
        verdict = "unknown"
    elif low > 0:
        verdict = "gain"
    elif high < 0:
        verdict = "loss"
    return Difference(mean, low, high, questions, verdict)


def _intervals(
    rows: Sequence[Mapping[str, float]],
) -> Iterator[tuple[str, tuple[float, float, float, int]]]:
    """Yield each metric with its mean, its interval and how many questions have it."""
    names = dict.fromkeys(name for row in rows for name in row)
    having = {name: tuple(n for n, row in enumerate(rows) if name in row) for name in names}
    bounds: dict[str, tuple[float, float]] = {}
    for places in dict.fromkeys(having.values()):
        together = [name for name in names if having[name] == places]
        values = np.array([[rows[place][name] for name in together] for place in places])
        lows, highs = _bounds(values)
        bounds |= zip(together, zip(lows, highs, strict=True), strict=True)
    for name in names:
        mean = sum(rows[place][name] for place in having[name]) / len(having[name])
        low, high = bounds[name]
        yield name, (round(mean, 6), round(low, 6), round(high, 6), len(having[name]))


def _bounds(values: Floats) -> tuple[list[float], list[float]]:
    """Return where the middle 95 % of the means of drawn rows begin and end, a column each.

    values: shape (questions, metrics).
    """
    draw = np.random.default_rng(_SEED)
    count = len(values)
    block = max(1, _BLOCK // count)
    means = []
    for start in range(0, ROUNDS, block):
        size = min(block, ROUNDS - start)
        times = draw.multinomial(count, [1 / count] * count, size=size)
        means.append(times.astype(np.float64) @ values / count)
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975], axis=0)
    return low.tolist(), high.tolist()
