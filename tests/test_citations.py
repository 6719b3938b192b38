from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.citations import Cited, MarkFilter, cite, cited_numbers
from askmd.types import Citation, Passage

PIECES = ["[", "]", "1", "2", "9", ", ", "-", " ", "\n", "`", "```", "~~~", "sh", "[1]", "[9]", "a"]


def passage(number: int) -> Passage:
    return Passage(number, "a.md", ("A",), "a", (1, 2), (0, 9), ("c",), 0.5, "text text")


def citation(number: int) -> Citation:
    return Citation(number, "a.md", ("A",), "a", (1, 2), (0, 9), ("c",), 0.5, "text text")


def streamed(text: str, cuts: list[int]) -> str:
    marks = MarkFilter({1, 2, 3})
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    return "".join(map(marks.feed, pieces)) + marks.flush()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("Yes [1].", [1]),
        ("Yes [2][1].", [2, 1]),
        ("Yes [1, 2] and [2,3].", [1, 2, 3]),
        ("Yes [1-3], [5\u20136].", [1, 2, 3, 5, 6]),
        ("Yes [ 4 ].", [4]),
        ("[[1]]", [1]),
        ("[1](a.md)", [1]),
        ("see [2024] and [x] and [1a] and []", []),
        ("items[0]", []),
        ("`argv[1]` and ``a ` [1]``", []),
        ("```sh\necho [1]\n```\nthen [2]", [2]),
        ("~~~\n[1]\n~~~\n[2]", [2]),
        ("````\n```\n[1]\n````\n[2]", [2]),
        ("- item\n  ```\n  [1]\n  ```\n  [2]", [2]),
        ("```js x [1]\n[2]\n``` not closed [3]\n[4]\n```\n[5]", [5]),
        ("```[1]``` then [2]", [2]),
        ("a lone ` [1]\nnext [2]", [2]),
        ("[1\n]", []),
        ("[" + "1, " * 10 + "1]", []),
        ("", []),
    ],
)
def test_marks_are_read_where_they_are_no_code(text: str, numbers: list[int]):
    assert cited_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "shown", "numbers", "invented"),
    [
        ("Do it [2], then that [1].", "Do it [2], then that [1].", [1, 2], ()),
        ("Do it [9].", "Do it.", [], (9,)),
        ("Do it [9] now.", "Do it now.", [], (9,)),
        ("Do it [1][9].", "Do it [1].", [1], (9,)),
        ("Do it [1, 9].", "Do it [1].", [1], (9,)),
        ("Do it [1-4].", "Do it [1, 2, 3].", [1, 2, 3], (4,)),
        ("Do it [3-1].", "Do it [3-1].", [1, 3], ()),
        ("`a[9]` stays", "`a[9]` stays", [], ()),
        ("trailing [", "trailing [", [], ()),
        ("two  spaces  [9]", "two  spaces ", [], (9,)),
    ],
)
def test_a_mark_of_a_passage_that_was_never_sent_is_cut_out(
    text: str, shown: str, numbers: list[int], invented: tuple[int, ...]
):
    cited = cite(text, [passage(3), passage(1), passage(2)])

    assert cited == Cited(shown, tuple(map(citation, numbers)), invented)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.lists(st.integers(0, 120), max_size=15),
)
def test_a_streamed_answer_is_the_same_wherever_it_is_cut(text: str, cuts: list[int]):
    assert streamed(text, cuts) == cite(text, [passage(1), passage(2), passage(3)]).text


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_what_is_shown_cites_nothing_that_was_not_sent(text: str):
    shown = cite(text, [passage(1), passage(2)]).text

    assert set(cited_numbers(shown)) <= {1, 2}


@settings(deadline=None)
@given(st.text(), st.lists(st.integers(0, 80), max_size=8))
def test_text_without_brackets_passes_unchanged(text: str, cuts: list[int]):
    plain = text.replace("[", "(")

    assert streamed(plain, cuts) == plain


def test_no_more_than_a_mark_is_held_back():
    marks = MarkFilter({1})
    text = "see [" + "1" * 100

    shown = marks.feed(text)

    assert len(text) - len(shown) <= 25
    assert shown + marks.flush() == text


def test_text_before_a_bracket_is_shown_at_once():
    marks = MarkFilter({1})

    assert [marks.feed(piece) for piece in ("Yes", " [", "1", "]", ".")] == [
        "Yes",
        "",
        "",
        " [1]",
        ".",
    ]
