from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.passages import Around, Read, assemble, prompt_text
from askmd.types import Anchors, Chars, Chunk, Hit, Passage

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
        rank, 1 - rank / 100, {}, None, chunk, path, (heading,), heading.lower(), lines, chars, body
    )


def read(path: str, chars: Chars) -> str | None:
    return TEXT[slice(*chars)] if path == "a.md" else None


def summary(passages: Sequence[Passage]) -> list[tuple[int, str, Chars]]:
    return [(p.number, p.path, p.chars) for p in passages]


def test_files_come_by_their_best_hit_and_a_files_passages_in_its_own_order():
    hits = [
        hit(1, PARTS["c"], heading="Two"),
        hit(2, PARTS["b"], path="b.md"),
        hit(3, PARTS["a"]),
    ]

    passages = assemble(hits[::-1], Words(), budget_tokens=100)

    assert passages == [
        Passage(
            1,
            "a.md",
            ("One",),
            "one",
            (1, 3),
            PARTS["a"],
            ("a.md0",),
            0.97,
            "# One\n\nfirst words here",
        ),
        Passage(
            2,
            "a.md",
            ("Two",),
            "two",
            (10, 10),
            PARTS["c"],
            ("a.md53",),
            0.99,
            "third words, the last ones",
        ),
        Passage(
            3,
            "b.md",
            ("One",),
            "one",
            (5, 7),
            PARTS["b"],
            ("b.md25",),
            0.98,
            "## Two\n\nsecond words here",
        ),
    ]


def page(number: int) -> Chars:
    """Return the range of a part of ``LONG`` that is 250 words."""
    return (1250 * number, 1250 * number + 1249)


LONG = "".join(f"{word:04d}" + (" " if word % 250 else "\n") for word in range(1, 6001))


def test_a_weak_neighbour_does_not_push_a_strong_passage_back():
    ranked = [page(4), page(0), page(9), page(5), page(3)]
    hits = [hit(rank, chars, text=LONG) for rank, chars in enumerate(ranked, start=1)]

    passages = assemble(
        hits, Words(), budget_tokens=2000, read=lambda _path, chars: LONG[slice(*chars)]
    )

    best, weak = [page(0), page(4), page(9)], [page(3), page(5)]
    assert [one.chars for one in passages] == best + weak


def test_what_comes_after_the_front_is_merged_and_in_document_order_however_long_it_is():
    ranked = [page(n) for n in (20, 8, 2, 17, 14, 11, 5, 16, 10, 4, 15)]
    hits = [hit(rank, chars, text=LONG) for rank, chars in enumerate(ranked, start=1)]

    passages = assemble(
        hits, Words(), budget_tokens=4000, read=lambda _path, chars: LONG[slice(*chars)]
    )

    front = [page(2), page(8), page(20), page(11), page(14), page(17)]
    merged = [(page(first)[0], page(last)[1]) for first, last in ((4, 5), (10, 10), (15, 16))]
    assert [one.chars for one in passages] == front + merged


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
    assert merged.score == 0.98


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


@pytest.mark.parametrize(
    ("scores", "sent"), [((1.0, 0.5, 0.3), 2), ((-1.0, -5.0, -9.0), 3), ((0.0, 0.0, 0.0), 3)]
)
def test_a_hit_that_scores_little_beside_the_best_is_not_worth_its_tokens(
    scores: Sequence[float], sent: int
):
    files = [hit(rank, PARTS["a"], path=f"{rank}.md") for rank in range(1, 4)]
    hits = [replace(one, score=score) for one, score in zip(files, scores, strict=True)]

    assert len(assemble(hits, Words(), budget_tokens=1000)) == sent


def test_a_first_hit_that_is_too_large_is_cut_after_a_word_and_says_so():
    [passage] = assemble([hit(1, (0, len(TEXT)))], Words(), budget_tokens=14)

    assert passage.text == TEXT[slice(*passage.chars)]
    assert Words().count([prompt_text(passage)]) == [14]
    assert passage.text.endswith("## Two\n\nsecond")
    assert passage.lines == (1, 7)


def test_a_budget_below_the_heading_still_leaves_something():
    [passage] = assemble([hit(1, PARTS["a"])], Words(), budget_tokens=1)

    assert passage.text == "#"


def test_a_first_hit_that_begins_with_blanks_is_cut_from_its_first_word():
    [passage] = assemble([hit(1, (23, len(TEXT)))], Words(), budget_tokens=1)

    assert (passage.text, passage.chars, passage.lines) == ("##", (25, 27), (5, 5))


def test_without_hits_there_are_no_passages():
    assert assemble([], Words(), budget_tokens=100) == []


SENTENCE = "The key is read from the file that the variable names, once, when the server starts. "
TWICE = SENTENCE * 2
"""Long enough to be told from a phrase that happens to stand in two places."""


def placed(rank: int, text: str, start: int, *, path: str = "a.md", heading: str = "One") -> Hit:
    chars = (start, start + len(text))
    return replace(hit(rank, (0, 0), path=path, heading=heading), chars=chars, text=text)


def ranges(*hits: Hit) -> list[tuple[str, Chars]]:
    passages = assemble(hits, Words(), budget_tokens=1000)
    return [(passage.path, passage.chars) for passage in passages]


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(TWICE, id="as it is"),
        pytest.param(TWICE.upper().replace(" ", "\n"), id="in capitals, a word a line"),
        pytest.param(TWICE[4:-20], id="a part"),
        pytest.param(
            TWICE.replace("server", "**server**").replace("key", "`key`"), id="in bold, and as code"
        ),
    ],
)
def test_what_was_sent_from_one_file_is_not_sent_from_another(copy: str):
    hits = [placed(1, TWICE, 0), placed(2, copy, 0, path="b.md"), placed(3, "Other.", 0, path="c")]

    assert ranges(*hits) == [("a.md", (0, len(TWICE))), ("c", (0, 6))]


def test_of_copies_in_one_file_the_first_is_sent_at_the_place_of_the_best():
    hits = [placed(1, TWICE, 9000), placed(2, "Other.", 0, path="b.md"), placed(3, TWICE, 100)]

    assert ranges(*hits) == [("a.md", (100, 100 + len(TWICE))), ("b.md", (0, 6))]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(placed(2, TWICE.replace("file", "vault", 1), 9000), id="one word differs"),
        pytest.param(placed(2, SENTENCE + "It may change.", 9000), id="more is said"),
        pytest.param(placed(2, TWICE, 1500), id="beside it in its section"),
    ],
)
def test_what_says_more_or_stands_beside_its_copy_is_sent(other: Hit):
    assert ranges(placed(1, TWICE, 0), other) == [("a.md", (0, len(TWICE))), ("a.md", other.chars)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("From C++", "From C#", id="a language"),
        pytest.param("If size < 20", "If size > 20", id="a comparison"),
        pytest.param("At -5 degrees", "At +5 degrees", id="a number's sign"),
        pytest.param("Where a == b", "Where a != b", id="an operator"),
        pytest.param("Write **kwargs", "Write kwargs", id="marks that are not emphasis"),
    ],
)
def test_sections_that_differ_in_a_sign_are_both_sent(one: str, other: str):
    first, second = f"## {one}\n\n{TWICE}", f"## {other}\n\n{TWICE}"

    assert ranges(
        placed(1, second, 9000, heading=other), placed(2, first, 0, heading=one)
    ) == [("a.md", (0, len(first))), ("a.md", (9000, 9000 + len(second)))]  # fmt: skip


def test_of_copies_under_different_headings_the_best_is_sent():
    hits = [placed(1, TWICE, 9000, heading="Two"), placed(2, TWICE, 100, heading="One")]

    assert ranges(*hits) == [("a.md", (9000, 9000 + len(TWICE)))]


def test_a_part_of_another_text_is_sent_where_its_heading_is_another():
    whole = TWICE + "It is not read again until the server is told to."
    hits = [placed(1, whole, 0), placed(2, TWICE, 9000, heading="Two")]

    assert ranges(*hits) == [("a.md", (0, len(whole))), ("a.md", (9000, 9000 + len(TWICE)))]


def test_a_text_full_of_marks_is_read_in_no_time():
    marks = [mark * 200_000 for mark in ("*a ", "`a ", "**a", "#", "* ", "a*`")]
    hits = [placed(n, text, 0, path=f"{n}.md") for n, text in enumerate(marks, start=1)]

    started = time.monotonic()
    assemble(hits, Words(), budget_tokens=1)

    assert time.monotonic() - started < 20


def test_a_phrase_may_stand_in_many_files():
    hits = [placed(n, "Default: 10.", 0, path=f"{n}.md", heading=f"key {n}") for n in range(1, 4)]

    assert [path for path, _ in ranges(*hits)] == ["1.md", "2.md", "3.md"]


def test_text_without_spaces_is_repeated_too():
    text = "密钥从变量所指定的文件中读取一次服务器启动时读取之后不再读取"

    assert ranges(placed(1, text, 0), placed(2, text, 0, path="b.md")) == [("a.md", (0, len(text)))]


SECTION = "# One\n\nfirst words here\n\nsecond words here\n\nthird words here\n\n# Two\n\nmore\n"
PIECES = [(0, 23), (25, 42), (44, 60), (62, 73)]


def chunk(number: int) -> Chunk:
    found = hit(1, PIECES[number], text=SECTION, heading="Two" if number == 3 else "One")
    return Chunk(
        f"piece {number}", found.path, found.heading, found.anchor, found.lines, found.chars,
        found.text, "", 0,
    )  # fmt: skip


def around(id: str, distance: int) -> list[Chunk]:
    place = int(id.removeprefix("piece "))
    return [chunk(n) for n in range(4) if n != place and abs(n - place) <= distance]


def found(number: int, rank: int = 1) -> Hit:
    piece = hit(rank, PIECES[number], text=SECTION, heading="Two" if number == 3 else "One")
    return replace(piece, chunk=f"piece {number}")


def read_section(_path: str, chars: Chars) -> str:
    return SECTION[slice(*chars)]


def test_a_hit_is_widened_to_its_section_where_that_is_cheap():
    hits = [found(1), found(2, rank=2)]

    passages = assemble(hits, Words(), budget_tokens=100, read=read_section, around=around)

    assert passages == [
        Passage(
            1,
            "a.md",
            ("One",),
            "one",
            (1, 7),
            (0, 60),
            ("piece 0", "piece 1", "piece 2"),
            0.99,
            SECTION[:60],
        )
    ]


def far_section(id: str, distance: int) -> list[Chunk]:
    before = replace(chunk(0), heading=("One",))
    return [replace(before, id=f"before {n}") for n in range(distance)]


@pytest.mark.parametrize(
    ("budget", "reader", "neighbours"),
    [
        pytest.param(30, read_section, around, id="too dear"),
        pytest.param(100, lambda _path, _chars: None, around, id="the file has changed"),
        pytest.param(100, lambda _path, chars: "x" * (chars[1] - chars[0]), around, id="moved"),
        pytest.param(100, read_section, far_section, id="no end in reach"),
        pytest.param(100, read_section, lambda _id, _distance: [], id="nothing around"),
        pytest.param(100, None, around, id="nothing to read with"),
    ],
)
def test_a_hit_whose_section_is_dear_or_not_to_be_had_stays_as_it_is(
    budget: int, reader: Read | None, neighbours: Around
):
    [passage] = assemble([found(1)], Words(), budget_tokens=budget, read=reader, around=neighbours)

    assert (passage.chars, passage.text) == (PIECES[1], "second words here")


def test_hits_that_the_budget_never_comes_to_are_not_counted():
    counted: list[str] = []

    class Counting(Words):
        def count(self, texts: Sequence[str]) -> list[int]:
            counted.extend(texts)
            return super().count(texts)

    hits = [placed(n, f"{TWICE} {n}.", 0, path=f"{n}.md") for n in range(1, 51)]
    passages = assemble(hits, Counting(), budget_tokens=100)

    assert (len(passages), len(counted)) == (2, 8)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 70), st.integers(1, 20)), max_size=8),
    st.integers(1, 60),
)
def test_passages_are_ranges_of_the_document_within_the_budget(
    ranges: list[tuple[int, int]], budget: int
):
    parts = [
        Chunk("part", "a.md", ("One",), "one", (1, 1), chars, TEXT[slice(*chars)], "", 0)
        for chars in PARTS.values()
    ]
    spans = [(start, min(len(TEXT), start + length)) for start, length in ranges]
    hits = [hit(rank, span) for rank, span in enumerate(spans, start=1)]

    passages = assemble(hits, Words(), budget_tokens=budget, read=read, around=lambda *_: parts)

    assert [p.text for p in passages] == [TEXT[slice(*p.chars)] for p in passages]
    assert [p.number for p in passages] == list(range(1, len(passages) + 1))
    costs = Words().count([prompt_text(p) for p in passages])
    assert sum(costs) <= budget or len(costs) == 1
