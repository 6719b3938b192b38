from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.passages import assemble, prompt_text
from askmd.types import Anchors, Chars, Hit, Passage

TEXT = "# One\n\nfirst words here\n\n## Two\n\nsecond words here\n\n\nthird words, the last ones\n"
"""A document whose parts below are its chunks."""
PARTS = {"a": (0, 23), "b": (25, 50), "c": (53, 79)}


class Words:
    """Counts words as tokens."""

    window = 10_000
    exact = True
    vocabulary = "words"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def cut(self, text: str, limit: int) -> int:
        starts = [word.start() for word in re.finditer(r"\S+", text)]
        return len(text) if len(starts) <= limit else starts[limit]


def hit(
    rank: int, chars: Chars, *, path: str = "a.md", text: str = TEXT, heading: str = "One"
) -> Hit:
    first = 1 + text.count("\n", 0, chars[0])
    lines = (first, first + text.count("\n", *chars))
    chunk = f"{path}{chars[0]}"
    body = text[slice(*chars)]
    return Hit(
        rank, 1 / rank, {}, None, chunk, path, (heading,), heading.lower(), lines, chars, body
    )


def read(path: str, chars: Chars) -> str | None:
    return TEXT[slice(*chars)] if path == "a.md" else None


def summary(passages: Sequence[Passage]) -> list[tuple[int, str, Chars]]:
    return [(p.number, p.path, p.chars) for p in passages]


def test_hits_become_passages_by_rank_numbered_from_one():
    hits = [hit(2, PARTS["a"]), hit(1, PARTS["c"], heading="Two")]

    passages = assemble(hits, Words(), budget_tokens=100)

    assert passages == [
        Passage(
            1,
            "a.md",
            ("Two",),
            "two",
            (10, 10),
            PARTS["c"],
            ("a.md53",),
            1.0,
            "third words, the last ones",
        ),
        Passage(
            2,
            "a.md",
            ("One",),
            "one",
            (1, 3),
            PARTS["a"],
            ("a.md0",),
            0.5,
            "# One\n\nfirst words here",
        ),
    ]


def test_neighbours_with_white_space_between_become_one_at_the_better_ones_place():
    hits = [
        hit(1, (0, 9), path="b.md"),
        hit(2, PARTS["b"], heading="Two"),
        hit(3, (0, 9), path="c.md"),
        hit(4, PARTS["a"]),
    ]

    passages = assemble(hits, Words(), budget_tokens=100, read=read)

    assert summary(passages) == [(1, "b.md", (0, 9)), (2, "a.md", (0, 50)), (3, "c.md", (0, 9))]
    merged = passages[1]
    assert merged.text == TEXT[0:50]
    assert merged.lines == (1, 7)
    assert merged.heading == ("One",)
    assert merged.chunks == ("a.md0", "a.md25")
    assert merged.score == 0.5


def test_a_merged_passage_has_the_anchors_of_its_first_chunk():
    first, second = Anchors("one", "one_1", "one-1"), Anchors("two", "two", "two")
    hits = [
        replace(hit(1, PARTS["b"], heading="Two"), anchors=second),
        replace(hit(2, PARTS["a"]), anchors=first),
    ]

    [passage] = assemble(hits, Words(), budget_tokens=100, read=read)

    assert (passage.heading, passage.anchor, passage.anchors) == (("One",), "one", first)


def test_a_hit_between_two_others_joins_them():
    hits = [hit(1, PARTS["a"]), hit(2, PARTS["c"]), hit(3, PARTS["b"])]

    [passage] = assemble(hits, Words(), budget_tokens=100, read=read)

    assert (passage.chars, passage.text) == ((0, 79), TEXT[0:79])
    assert passage.chunks == ("a.md0", "a.md25", "a.md53")


@pytest.mark.parametrize("chars", [(15, 50), (23, 50), (5, 20)])
def test_overlapping_and_touching_hits_are_merged_without_reading(chars: Chars):
    hits = [hit(1, PARTS["a"]), hit(2, chars)]

    [passage] = assemble(hits, Words(), budget_tokens=100)

    assert passage.text == TEXT[slice(*passage.chars)]
    assert passage.chars == (0, max(23, chars[1]))


@pytest.mark.parametrize(
    ("second", "reader"),
    [
        pytest.param(hit(2, PARTS["b"]), None, id="nothing to read with"),
        pytest.param(hit(2, PARTS["c"]), read, id="text between"),
        pytest.param(hit(2, (25, 50), path="b.md"), read, id="another document"),
        pytest.param(hit(2, PARTS["b"]), lambda _path, _chars: None, id="the file is gone"),
        pytest.param(hit(2, PARTS["b"]), lambda _path, _chars: "", id="the file is shorter now"),
    ],
)
def test_what_is_not_known_to_be_continuous_stays_apart(second: Hit, reader: object):
    passages = assemble([hit(1, PARTS["a"]), second], Words(), budget_tokens=100, read=reader)  # type: ignore[arg-type]

    assert len(passages) == 2


def test_hits_are_taken_until_the_next_one_does_not_fit():
    hits = [hit(1, PARTS["a"]), hit(2, PARTS["c"], path="long.md"), hit(3, (0, 5), path="c.md")]
    costs = Words().count([prompt_text(p) for p in assemble(hits, Words(), budget_tokens=100)])

    taken = [
        len(assemble(hits, Words(), budget_tokens=budget))
        for budget in (sum(costs), sum(costs) - 1, sum(costs[:2]) - 1)
    ]

    assert taken == [3, 2, 1]


def test_a_first_hit_that_is_too_large_is_cut_after_a_word_and_says_so():
    [passage] = assemble([hit(1, (0, len(TEXT)))], Words(), budget_tokens=14)

    assert passage.text == TEXT[slice(*passage.chars)]
    assert Words().count([prompt_text(passage)]) == [14]
    assert passage.text.endswith("## Two\n\nsecond")
    assert passage.lines == (1, 7)


def test_a_budget_below_the_heading_still_leaves_something():
    [passage] = assemble([hit(1, PARTS["a"])], Words(), budget_tokens=1)

    assert passage.text == "#"


def test_without_hits_there_are_no_passages():
    assert assemble([], Words(), budget_tokens=100) == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 70), st.integers(1, 20)), max_size=8),
    st.integers(1, 60),
)
def test_passages_are_ranges_of_the_document_within_the_budget(
    ranges: list[tuple[int, int]], budget: int
):
    spans = [(start, min(len(TEXT), start + length)) for start, length in ranges]
    hits = [hit(rank, span) for rank, span in enumerate(spans, start=1)]

    passages = assemble(hits, Words(), budget_tokens=budget, read=read)

    assert [p.text for p in passages] == [TEXT[slice(*p.chars)] for p in passages]
    assert [p.number for p in passages] == list(range(1, len(passages) + 1))
    costs = Words().count([prompt_text(p) for p in passages])
    assert sum(costs) <= budget or len(costs) == 1
