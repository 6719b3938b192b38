"""Intervals, differences of paired evaluations, and JUnit's XML."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from askmd.evaluate import (
    Change,
    Difference,
    Evaluation,
    Finding,
    QuestionsError,
    Result,
    as_junit,
    compare,
)
from askmd.evaluate.paired import measures
from askmd.evaluate.records import FORMAT

HEADLINES = ("recall@5", "mrr@10")


def result(id: str, digest: str = "d", rank: int | None = 1, **metrics: float) -> Result:
    named = {name.replace("_", "@"): value for name, value in metrics.items()}
    return Result(id, f"{id}?", digest, ("a.md",), ("a.md",), (rank,), False, True, named)


def evaluation(results: Sequence[Result], findings: tuple[Finding, ...] = ()) -> Evaluation:
    return Evaluation(
        FORMAT, 5, 3000, "hybrid", None, HEADLINES, measures(results), tuple(results), findings
    )


def recalls(*values: float) -> Evaluation:
    return evaluation([result(f"q{n}", recall_5=value) for n, value in enumerate(values)])


def difference(here: Sequence[float], there: Sequence[float]) -> Difference:
    return compare(recalls(*here), recalls(*there), "there").differences["recall@5"]


def test_an_interval_holds_the_mean_and_narrows_with_more_questions():
    chance = random.Random(1)
    few, many = ([chance.random() for _ in range(count)] for count in (20, 500))
    narrow, wide = recalls(*many).metrics["recall@5"], recalls(*few).metrics["recall@5"]
    assert narrow.low < narrow.mean < narrow.high
    assert 2 * (narrow.high - narrow.low) < wide.high - wide.low


def test_an_interval_is_that_of_the_normal_approximation_where_that_holds():
    values = [0.0] * 200 + [1.0] * 200
    one = recalls(*values).metrics["recall@5"]
    assert (one.mean, one.questions) == (0.5, 400)
    assert (one.low, one.high) == pytest.approx((0.451, 0.549), abs=0.004)


def test_a_metric_is_averaged_over_the_questions_that_have_it():
    rows = [result("a", recall_5=1.0), result("b", refused=0.0), result("c", recall_5=0.0)]
    told = measures(rows)
    assert {name: (one.mean, one.questions) for name, one in told.items()} == {
        "recall@5": (0.5, 2),
        "refused": (0.0, 1),
    }


def test_the_same_figures_have_the_same_intervals_at_every_run():
    assert recalls(0.1, 0.5, 0.9) == recalls(0.1, 0.5, 0.9)


@pytest.mark.parametrize(
    ("here", "there", "verdict"),
    [
        ([1.0] * 30, [0.5] * 30, "gain"),
        ([0.5] * 30, [1.0] * 30, "loss"),
        ([1.0, 0.0] * 15, [0.0, 1.0] * 15, "noise"),
        ([0.5] * 30, [0.5] * 30, "none"),
        ([1.0] * 5, [0.0] * 5, "unknown"),
        ([1.0] * 6, [0.0] * 6, "gain"),
    ],
    ids=["gain", "loss", "noise", "none", "five questions", "six questions"],
)
def test_a_difference_has_a_verdict(here: list[float], there: list[float], verdict: str):
    assert difference(here, there).verdict == verdict


def test_pairing_sees_what_two_intervals_beside_each_other_would_not():
    chance = random.Random(2)
    there = [0.8 * chance.random() for _ in range(40)]
    here = [value + 0.05 + 0.02 * chance.random() for value in there]
    ours, theirs = recalls(*here).metrics["recall@5"], recalls(*there).metrics["recall@5"]
    assert ours.low < theirs.high
    assert difference(here, there).verdict == "gain"


def test_a_comparison_names_what_changed_and_what_is_not_shared():
    here = evaluation(
        [
            result("same", recall_5=1.0),
            result("lost", rank=7, recall_5=0.0, mrr_10=0.5),
            result("won", recall_5=1.0),
            result("edited", "new", recall_5=1.0),
            result("added", recall_5=1.0),
        ]
    )
    there = evaluation(
        [
            result("removed", recall_5=1.0),
            result("won", rank=None, recall_5=0.0),
            result("edited", "old", recall_5=0.0),
            result("lost", recall_5=1.0, mrr_10=1.0),
            result("same", recall_5=1.0),
        ]
    )
    told = compare(here, there, "base.json")
    assert (told.there, told.questions, told.regressions) == ("base.json", 3, ())
    assert told.lost == (Change("lost", "lost?", -0.75, 7, 1),)
    assert told.gained == (Change("won", "won?", 1.0, 1, None),)
    assert (told.only_here, told.only_there, told.changed) == (
        ("added",),
        ("removed",),
        ("edited",),
    )


def test_only_a_headline_is_a_regression():
    there = [result(f"q{n}", recall_5=1.0, hit_1=1.0) for n in range(10)]
    here = [replace(one, metrics={"recall@5": 1.0, "hit@1": 0.0}) for one in there]
    told = compare(evaluation(here), evaluation(there), "base.json")
    assert (told.differences["hit@1"].verdict, told.regressions) == ("loss", ())
    worse = [replace(one, metrics={"recall@5": 0.0, "hit@1": 0.0}) for one in there]
    told = compare(evaluation(worse), evaluation(there), "base.json")
    assert told.regressions == ("recall@5",)


def test_evaluations_of_other_lengths_or_other_questions_are_not_compared():
    ours = recalls(1.0)
    with pytest.raises(QuestionsError, match="add -k 10 --budget 3000"):
        compare(ours, replace(ours, limit=10), "base.json")
    with pytest.raises(QuestionsError, match="shares no question"):
        compare(ours, evaluation([result("other", recall_5=1.0)]), "base.json")


# --- JUnit --------------------------------------------------------------------------------------


def cases(told: Evaluation) -> Mapping[str, list[str]]:
    root = ElementTree.fromstring(as_junit(told, "questions"))
    [suite] = root
    assert suite.attrib == root.attrib
    return {
        case.attrib["name"]: [child.attrib.get("message", child.text or "") for child in case]
        for case in suite
    }


def test_junit_has_a_case_a_question():
    told = evaluation(
        [
            result("found", rank=2, recall_5=1.0),
            replace(result("missed", rank=None, recall_5=0.0), passed=False),
            replace(result("refused", recall_5=1.0), is_refused=True, passed=False),
            replace(result("kept"), expected=(), sections=(), ranks=(), passed=False),
        ],
        (Finding("lost", 9, "lost.md is not in the index"),),
    )
    assert cases(told) == {
        "found: found?": ["a.md: rank 2\nnot refused\nrecall@5 1.000"],
        "missed: missed?": [
            "nothing of what is expected is among the first 5 hits",
            "a.md: not found\nnot refused\nrecall@5 0.000",
        ],
        "refused: refused?": [
            "refused, though the documents answer it",
            "a.md: rank 1\nrefused\nrecall@5 1.000",
        ],
        "kept: kept?": ["not refused, though the documents do not answer it", "not refused"],
        "lost": ["line 9: lost.md is not in the index"],
    }
    root = ElementTree.fromstring(as_junit(told, "questions"))
    assert root.attrib == {"name": "questions", "tests": "5", "failures": "3", "errors": "1"}


def test_junit_is_xml_whatever_a_question_says():
    odd = '<b> & "q" \x00\x1b[2J\ud800\ufffe\n]]> é 日'
    told = evaluation([replace(result("q", recall_5=1.0), question=odd, id="i\x07d")])
    [name] = cases(told)
    assert name == 'i\ufffdd: <b> & "q" \ufffd\ufffd[2J\ufffd\ufffd\n]]> é 日'
