from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.citations import LONGEST_MARK, MarkFilter, citations_of
from askmd.types import Anchors, Citation, Passage

ANCHORS = Anchors("a", "a_1", "a-1")
PIECES = ["[", "]", "1", "2", "9", ", ", "-", " ", "\n", "`", "```", "~~~", "sh", "[1]", "[9]", "a"]
PIECES += ["    ", "\n\n", "- ", "(", ":"]
FOREIGN = [
    "(",
    ")",
    "*",
    "**",
    "$",
    "$$",
    "{",
    "}",
    "=",
    '"',
    "0",
    "8080",
    "\u3010",
    "\u3011",
    "\u2020",
    "^",
    "passage ",
    "source",
    "and",
    "\u30109\u3011",
    "[^1]",
]


@dataclass(frozen=True)
class Cited:
    """What a whole answer comes to, as ``Answer`` puts it together from a stream."""

    text: str
    citations: tuple[Citation, ...]
    invented: tuple[int, ...]


def cite(answer: str, passages: Sequence[Passage]) -> Cited:
    marks = MarkFilter({passage.number for passage in passages})
    text = marks.feed(answer) + marks.flush()
    return Cited(text, citations_of(passages, marks.cited), tuple(marks.invented))


def cited_numbers(text: str) -> list[int]:
    marks = MarkFilter(range(1, 1000))
    marks.feed(text)
    marks.flush()
    return list(marks.cited)


def passage(number: int) -> Passage:
    return Passage(number, "a.md", ("A",), "a", (1, 2), (0, 9), ("c",), 0.5, "text text", ANCHORS)


def citation(number: int) -> Citation:
    return Citation(
        number,
        "a.md",
        ("A",),
        "a",
        (1, 2),
        (0, 9),
        ("c",),
        0.5,
        "text text",
        anchors=ANCHORS,
    )


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
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9]", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("[" + "1, " * 40 + "1]", []),
        ("[1-51] and [100-300]", [1, 51, 100, 300]),
        ("It is down[1].", [1]),
        ("So:\n\n    print(a[1])\n\n    a[2]\nnext [3]", [3]),
        ("So:\n\n\ta[1]", []),
        ("a paragraph\n    goes on [1]", [1]),
        ("1. item\n\n    its paragraph [1]\n\n        its code [2]", [1]),
        ("- a\n\n  b\n\nc\n\n    d [1]", []),
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
        ("[1, 2, 3, 4, 5, 6, 7, 8, 9]", "[1, 2, 3]", [1, 2, 3], (4, 5, 6, 7, 8, 9)),
        ("Do it [1-99].", "Do it [1-99].", [], ()),
        ("Do it [1, 1, 9].", "Do it [1].", [1], (9,)),
        ("Set arr[9] = 3.", "Set arr[9] = 3.", [], ()),
        ("x[0] and x_[9] and a[1][9]", "x[0] and x_[9] and a[1]", [1], (9,)),
        ("x[0][9] and [a][9]", "x[0][9] and [a][9]", [], ()),
        ("It is down[1], or up[1, 9].", "It is down[1], or up[1, 9].", [1], ()),
        ("结果[9]。", "结果。", [], (9,)),
        ("see [9](http://x)", "see [9](http://x)", [], ()),
        ("see [2](http://x)", "see [2](http://x)", [2], ()),
        ("see [9] (there)", "see (there)", [], (9,)),
        ("[9]: http://foo", "[9]: http://foo", [], ()),
        ("a\n  [9]: http://foo", "a\n  [9]: http://foo", [], ()),
        ("So [9]: this.", "So: this.", [], (9,)),
        ("So:\n\n    print([9])", "So:\n\n    print([9])", [], ()),
    ],
)
def test_a_mark_of_a_passage_that_was_never_sent_is_cut_out(
    text: str, shown: str, numbers: list[int], invented: tuple[int, ...]
):
    cited = cite(text, [passage(3), passage(1), passage(2)])

    assert cited == Cited(shown, tuple(map(citation, numbers)), invented)


@pytest.mark.parametrize(
    "text",
    [
        "The chars [0-9] in the class.",
        "The chars [1-9], [^0-9] and 【0】 in the class.",
        "the number in the interval [0, 1] and defaults",
        "Valid values are [0, 100];",
        "It returns [404] when it is gone, [500].",
        "It is in room [42] on the left",
        '{"ids": [1, 2, 3], "x": [5]}',
        '"ids": [5], ids = [5], ids=[5], "[5, 6]"',
        "$$ a_{[9]} = [9] $$",
        "$$\na_1 = [1] [9]\n$$",
        "$x_{9} + [9]$ and \\( [1] [9] \\) and \\[ [9] \\]",
        "f([9]) and {name [9]}",
        "argv[9], list[9].",
        "8080[9]x and 8080[9](a)",
    ],
)
def test_a_bracket_of_code_data_or_math_is_text(text: str):
    assert cite(text, [passage(1)]) == Cited(text, (), ())


@pytest.mark.parametrize(
    ("text", "shown", "numbers", "invented"),
    [
        ("It costs $5 [1], or $6 [9].", "It costs $5 [1], or $6.", [1], (9,)),
        ("Set {name} [9] to x [1]", "Set {name} to x [1]", [1], (9,)),
        ('He said "yes" [9], "no"[9].', 'He said "yes", "no".', [], (9,)),
        ("$$ x $$\n\nSo [9].", "$$ x $$\n\nSo.", [], (9,)),
        ("$$ never closed\n\nSo [9].", "$$ never closed\n\nSo.", [], (9,)),
        ("It is so [99].", "It is so.", [], (99,)),
        ("It is so [1][98]\n", "It is so [1]\n", [1], (98,)),
        ("x = [1] and {[1]}", "x = [1] and {[1]}", [1], ()),
        ("The port is 8080[9].", "The port is 8080.", [], (9,)),
        ("It takes 3.5[9], no more", "It takes 3.5, no more", [], (9,)),
        ("It takes 3.5[9]", "It takes 3.5", [], (9,)),
        ("Do it ([9]).", "Do it.", [], (9,)),
        ("Do it **[9]**.", "Do it.", [], (9,)),
        ("Do it (**[9]**), (*[9][8]*).", "Do it,.", [], (9, 8)),
        ("Do it ([1][9]) ([9][1])", "Do it ([1]) ([1])", [1], (9,)),
        ("Do it ([9], then stop)", "Do it (, then stop)", [], (9,)),
        ("**Do it**[9] **now**", "**Do it** **now**", [], (9,)),
        ("结果\uff08[9]\uff09。", "结果。", [], (9,)),
        ("* [9] Do it\n***\n**(x)**", "* Do it\n***\n**(x)**", [], (9,)),
        ("f([1]) (", "f([1]) (", [1], ()),
    ],
)
def test_what_stands_around_a_mark_tells_what_it_is(
    text: str, shown: str, numbers: list[int], invented: tuple[int, ...]
):
    assert cite(text, [passage(1)]) == Cited(shown, tuple(map(citation, numbers)), invented)


def test_a_bracket_that_was_copied_with_the_word_before_it_is_text():
    sent = ["Codes\nare [7] or [8, 9];\n*see* `[5]`.", "Cite it as [99]."]
    marks = MarkFilter({1}, texts=sent)
    said = "The codes are [7] or [8, 9]; see [5], are [1]. So [7]. And\n[7] is [99], so [99]."

    shown = marks.feed(said) + marks.flush()

    assert shown == "The codes are [7] or [8, 9]; see [5], are [1]. So. And\n is, so."
    assert (list(marks.cited), list(marks.invented)) == ([1], [7, 99])


def test_history_loses_every_mark_where_nothing_was_sent():
    marks = MarkFilter(())

    assert marks.feed("One [1]. Two [42] three ([9]).") + marks.flush() == "One. Two three."


@pytest.mark.parametrize(
    ("text", "shown", "numbers", "invented"),
    [
        ("Do it【1】.", "Do it[1].", [1], ()),
        ("结果【9】。", "结果。", [], (9,)),
        ("【1】安装", "【1】安装", [], ()),
        ("Do it 【2†source】.", "Do it [2].", [2], ()),
        ("【2†L1-L9】", "[2]", [2], ()),
        ("Do it [1†a.md].", "Do it [1].", [1], ()),
        ("Do it.[^1][^2]", "Do it.[1][2]", [1, 2], ()),
        ("Do it [^9].", "Do it.", [], (9,)),
        ("[^1]: the source", "[^1]: the source", [], ()),
        ("Do it [passage 1] [Passage 2].", "Do it [1] [2].", [1, 2], ()),
        ("Do it [Passages 1, 3 and 9].", "Do it [1, 3].", [1, 3], (9,)),
        ("Do it [passage-2], [source: 3].", "Do it [2], [3].", [2, 3], ()),
        ("Tu es [Quelle 1].", "Tu es [1].", [1], ()),
        ("Do it [1 & 2].", "Do it [1, 2].", [1, 2], ()),
        ("Do it (see [1]), **[2]**.", "Do it (see [1]), **[2]**.", [1, 2], ()),
        ("[Source 1](a.md) and [passage 2]: x", "[Source 1](a.md) and [2]: x", [2], ()),
        ("[Source 1]: a.md", "[Source 1]: a.md", [], ()),
        ("`[passage 1]` and [passes 1]", "`[passage 1]` and [passes 1]", [], ()),
        ("```\n【1】 [^1]\n```", "```\n【1】 [^1]\n```", [], ()),
        ("[passage one] [source] [^note]", "[passage one] [source] [^note]", [], ()),
    ],
)
def test_other_forms_that_are_surely_marks_become_the_plain_one(
    text: str, shown: str, numbers: list[int], invented: tuple[int, ...]
):
    cited = cite(text, [passage(3), passage(1), passage(2)])

    assert cited == Cited(shown, tuple(map(citation, numbers)), invented)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, *FOREIGN]), max_size=40).map("".join),
    st.lists(st.integers(0, 120), max_size=15),
)
def test_a_streamed_answer_is_the_same_wherever_it_is_cut(text: str, cuts: list[int]):
    assert streamed(text, cuts) == cite(text, [passage(1), passage(2), passage(3)]).text


@settings(deadline=None)
@given(st.lists(st.sampled_from([*PIECES, *FOREIGN]), max_size=40).map("".join))
def test_what_is_shown_cites_nothing_that_was_not_sent(text: str):
    # What stood around a mark inside another's bracket may look like one once it is cut out.
    flat = re.sub(r"\[([0-9 ,-]*)(?=\[)", r"(\1", text)
    shown = cite(flat, [passage(1), passage(2)]).text

    assert cite(shown, [passage(1), passage(2)]).invented == ()


@settings(deadline=None)
@given(st.text(), st.lists(st.integers(0, 80), max_size=8))
def test_text_without_brackets_passes_unchanged(text: str, cuts: list[int]):
    plain = text.replace("[", "(")

    assert streamed(plain, cuts) == plain


@pytest.mark.parametrize("tail", ["1", "1\u2020source ", "passage 1, ", "]" + "*" * 50, "(*"])
@pytest.mark.parametrize("lead", [" [1", " (**((**((**[1"])
def test_no_more_than_a_mark_is_held_back(tail: str, lead: str):
    marks = MarkFilter({1})
    text = "see" + lead + tail * 1000

    shown, held = "", []
    for fed, char in enumerate(text, start=1):
        shown += marks.feed(char)
        held.append(fed - len(shown))

    assert max(held) <= LONGEST_MARK + 1
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
