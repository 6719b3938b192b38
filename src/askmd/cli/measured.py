"""An evaluation for people: a table, the worst questions, what differs and what is wrong."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from askmd.cli.show import bold
from askmd.terminal import clean, say

if TYPE_CHECKING:
    from askmd.evaluate import Change, Comparison, Difference, Evaluation, Result

SHOWN = 5
"""Questions, or findings, that a terminal is shown of many."""
_MEANINGS = {
    "recall": "of what is expected stands in",
    "precision": "of these characters are expected",
    "iou": "shared, of what is expected or found",
    "hit": "of the questions have something of it in",
    "mrr": "one over the rank of the first that helps",
    "ndcg": "graded, the sooner the better",
    "kept": "of the questions with an answer are not refused",
    "refused": "of those without an answer are refused",
}
_VERDICTS = {
    "gain": "a real gain",
    "loss": "a real loss",
    "noise": "noise",
    "unknown": "too few questions to tell",
}


def print_evaluation(evaluation: Evaluation, *, each: bool) -> None:
    """Print the figures with their intervals, and the questions that found least."""
    unanswered = sum(not one.expected for one in evaluation.results)
    count = len(evaluation.results)
    told = f", {unanswered} of them to be refused" if unanswered else ""
    print(bold(f"{count} question{'s' * (count != 1)}{told}; mode {evaluation.mode}"))
    print(f"{'':14}{'mean':>7}   95 % interval")
    for name, one in evaluation.metrics.items():
        interval = f"{_points(one.low):>5} to {_points(one.high):>5}"
        print(
            f"{name:14}{_points(one.mean):>7}  {interval}   {_meaning(name, evaluation)}".rstrip()
        )
    shown = evaluation.results if each else _worst(evaluation)
    if shown:
        print(f"\n{bold('each question' if each else 'worst')}")
    for line in _rows(shown):
        print(line)


def print_comparison(comparison: Comparison) -> None:
    """Print a sentence a metric, then the questions that changed most."""
    print(f"\n{bold(_line(f'compared with {comparison.there}, in points'))}")
    for name, one in comparison.differences.items():
        print(_sentence(name, one))
    for title, changes in (("lost most", comparison.lost), ("gained most", comparison.gained)):
        if changes:
            print(f"\n{title}")
        for change in changes[:SHOWN]:
            print(_line(f"  {_told(change)}  {change.id}  {change.question}"))
    for what, ids in (
        ("asked only here", comparison.only_here),
        ("asked only there", comparison.only_there),
        ("asked otherwise there, and left out", comparison.changed),
    ):
        if ids:
            say(f"{len(ids)} {what}: {_named(ids)}")


def say_what_is_wrong(evaluation: Evaluation, name: str = "") -> None:
    """Say what was left out of an evaluation, of these settings or of those in a file."""
    where = f" of {name}" if name else ""
    for one in evaluation.findings[:SHOWN]:
        say(f"left out{where}: question {one.id} (line {one.line}): {one.what}")
    if len(evaluation.findings) > SHOWN:
        more = len(evaluation.findings) - SHOWN
        say(f"left out{where}: {more} more; --json names all of them")
    if evaluation.degraded:
        say(f"degraded{where}: {evaluation.degraded}")


def say_regression(baseline: Comparison) -> None:
    """Say what is worse than the baseline, and the questions that lost most."""
    sentences = ", ".join(
        f"{name} {_signed(baseline.differences[name].mean)}" for name in baseline.regressions
    )
    lost = _named([change.id for change in baseline.lost], 3)
    say(f"worse than {baseline.there}, beyond noise: {sentences}; lost most: {lost}")


def say_next(evaluation: Evaluation) -> None:
    """Say what to look at next."""
    worst = next((one for one in _worst(evaluation) if one.expected), None)
    if worst is not None:
        say(f"next: askmd why {shlex.quote(worst.question)} {shlex.quote(_place(worst))}")


def _worst(evaluation: Evaluation) -> list[Result]:
    """Return the questions that failed, or found less than all, the worst first."""
    first, second = evaluation.headlines[:2]
    weak = [
        one for one in evaluation.results if not one.passed or one.metrics.get(second, 1.0) < 0.5
    ]
    weak.sort(
        key=lambda one: (one.passed, one.metrics.get(second, 0.0), one.metrics.get(first, 0.0))
    )
    return weak[:SHOWN]


def _rows(results: Sequence[Result]) -> Iterator[str]:
    """Yield a line a question, its columns as wide as they must be."""
    width = max((len(clean(one.id)) for one in results), default=0)
    for one in results:
        yield _line(f"  {clean(one.id):{min(width, 40)}}  {_found(one):12}  {one.question}")
        missing = [p for p, rank in zip(one.expected, one.ranks, strict=True) if rank is None]
        if missing and one.rank is not None:
            yield _line(f"  {'':{min(width, 40)}}  {'':12}  without {_named(missing, 2)}")


def _found(result: Result) -> str:
    """Return where a question's answer was found."""
    if not result.expected:
        return "refused" if result.is_refused else "not refused"
    if result.is_refused:
        return "refused"
    return f"rank {result.rank}" if result.rank else "not found"


def _place(result: Result) -> str:
    """Return what of a question's answer to look for: what was not found, if there is any."""
    pairs = list(zip(result.sections, result.ranks, strict=True))
    return max(pairs, key=lambda pair: pair[1] or 1_000_000)[0]


def _meaning(name: str, evaluation: Evaluation) -> str:
    kind, _, depth = name.partition("@")
    if kind not in ("recall", "hit"):
        return _MEANINGS[kind]
    if depth.endswith("tok"):
        where = f"passages of {depth.removesuffix('tok')} tokens"
    else:
        where = f"the first {depth} hits" if depth != "1" else "the first hit"
    return f"{_MEANINGS[kind]} {where}"


def _sentence(name: str, one: Difference) -> str:
    count = f"{one.questions} question{'s' * (one.questions != 1)}"
    if one.verdict == "none":
        return f"{name}: no difference over {count}"
    interval = f"95 % interval {_signed(one.low)} to {_signed(one.high)}"
    return f"{name}: {_signed(one.mean)}, {interval} over {count}: {_VERDICTS[one.verdict]}"


def _told(change: Change) -> str:
    """Return how far a question rose or fell."""
    there, here = (f"rank {rank}" if rank else "none" for rank in (change.rank_there, change.rank))
    ranks = f"{there} → {here}" if there != here else here
    return f"{_signed(change.difference):>6}  {ranks:17}"


def _named(names: Sequence[str], most: int = SHOWN) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _points(share: float) -> str:
    return f"{100 * share:.1f}"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


def _line(text: str) -> str:
    """Return text fit for a terminal, on one line."""
    return " ".join(clean(text).split("\n"))
