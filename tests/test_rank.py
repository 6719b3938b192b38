from __future__ import annotations

import pytest

from askmd.rank import (
    AHEAD,
    NEIGHBOUR_SHARE,
    Ranking,
    by_wording,
    fuse,
    rarest,
    scale,
    set_back,
    support,
    wording,
)
from askmd.types import Chunk, Occurrences, Place, Scored, WordPlaces


def ranking(floor: float = 0.0, **scores: float) -> Ranking:
    return Ranking([Scored(id, score) for id, score in scores.items()], floor)


def ids(scored: list[Scored]) -> list[str]:
    return [one.id for one in scored]


def test_scores_are_scaled_from_the_floor_to_the_best():
    scaled = scale(ranking(-0.1, a=0.9, b=0.4, c=-0.1))
    assert [(one.id, round(one.score, 9)) for one in scaled] == [("a", 1.0), ("b", 0.5), ("c", 0.0)]


def test_a_score_below_the_floor_counts_0():
    assert scale(ranking(0.2, a=1.0, b=0.1))[1] == Scored("b", 0.0)


def test_scores_that_are_all_at_the_floor_become_1():
    assert scale(ranking(0.3, a=0.3, b=0.3)) == [Scored("a", 1.0), Scored("b", 1.0)]


def test_an_empty_ranking_stays_empty():
    assert (scale(ranking()), fuse([ranking(), ranking()]), support([], {})) == ([], [], [])


def test_a_chunk_that_both_rankings_like_beats_the_favourite_of_one():
    dense = ranking(meaning=0.9, both=0.8, far=0.1)
    words = ranking(word=12.0, both=11.0, rare=2.0)
    assert ids(fuse([dense, words]))[0] == "both"


def test_a_ranking_alone_keeps_its_order():
    assert ids(fuse([ranking(a=5.0, b=3.0, c=1.0)])) == ["a", "b", "c"]


def test_equal_sums_keep_the_order_of_the_first_ranking():
    assert ids(fuse([ranking(a=1.0, b=1.0), ranking()])) == ["a", "b"]


def test_of_two_equal_chunks_the_one_beside_a_good_one_wins():
    fused = [Scored("good", 1.0), Scored("alone", 0.5), Scored("beside", 0.5)]
    places = {"good": Place("a", 7), "alone": Place("b", 8), "beside": Place("a", 8)}
    assert ids(support(fused, places)) == ["good", "beside", "alone"]


def test_only_the_better_neighbour_counts_and_scores_stay_between_0_and_1():
    fused = [Scored("a", 1.0), Scored("b", 1.0), Scored("c", 0.4)]
    places = {"a": Place("x", 0), "b": Place("x", 1), "c": Place("x", 2)}
    whole = 1 + NEIGHBOUR_SHARE
    assert support(fused, places) == [
        Scored("a", 1.0),
        Scored("b", 1.0),
        Scored("c", (0.4 + NEIGHBOUR_SHARE) / whole),
    ]


def test_a_chunk_that_is_gone_since_it_was_found_has_no_neighbours():
    assert support([Scored("a", 0.6)], {}) == [Scored("a", 0.6 / (1 + NEIGHBOUR_SHARE))]


def test_a_ranking_with_more_say_decides():
    one, other = ranking(a=1.0, b=0.2), ranking(b=1.0, a=0.2)
    assert ids(fuse([one, Ranking(other.scores, 0.0, weight=2.0)])) == ["b", "a"]


def test_a_question_is_looked_for_by_its_words_and_as_it_joins_them():
    asked = wording(
        "How do I rotate the key of a deploy user?", ["rotate", "key", "deploy", "user"]
    )
    assert asked.phrases == (
        ("rotate key", "rotate the key"),
        ("key deploy",),
        ("deploy user",),
    )
    assert asked.terms[:4] == ["rotate", "key", "deploy", "user"]


def standing(words: int = 20, **text: tuple[int, ...]) -> WordPlaces:
    return WordPlaces(0, words, {}, {name.replace("_", " "): at for name, at in text.items()})


ALONE = (None, None)
SEEN = Occurrences(1000, {"rotate": 10, "key": 10, "rotate key": 3}, {})


def scores(
    places: dict[str, WordPlaces], beside: dict[str, tuple[str | None, str | None]] | None = None
) -> dict[str, float]:
    asked = wording("rotate key", ["rotate", "key"])
    found = by_wording(asked, SEEN, places, beside or dict.fromkeys(places, ALONE))
    return {one.id: round(one.score, 6) for one in found}


def test_two_words_together_beat_the_same_words_apart():
    found = scores(
        {
            "apart": standing(rotate=(0,), key=(19,)),
            "near": standing(rotate=(0,), key=(5,)),
            "joined": standing(rotate=(0,), key=(1,), rotate_key=(0,)),
        }
    )
    assert list(found) == ["joined", "near", "apart"]


def test_a_word_in_the_chunk_beside_counts_a_little():
    found = scores(
        {
            "with": standing(rotate=(0,)),
            "without": standing(rotate=(0,)),
            "next": standing(key=(3,)),
        },
        {"with": (None, "next"), "without": ALONE},
    )
    assert list(found) == ["with", "without"]


def test_a_word_in_the_heading_counts_more_than_one_in_the_text():
    found = scores({"text": standing(key=(0,)), "heading": WordPlaces(1, 19, {"key": (0,)}, {})})
    assert list(found) == ["heading", "text"]


def test_a_repeated_word_says_less_each_time():
    found = scores({str(n): standing(key=tuple(range(0, 13 * n, 13)), words=60) for n in (1, 2, 3)})
    assert found["3"] > found["2"] > found["1"]
    assert found["3"] - found["2"] < found["2"] - found["1"]


def test_a_chunk_without_any_of_the_words_scores_0():
    assert scores({"a": standing()}) == {"a": 0.0}


def test_a_chunk_that_is_gone_is_left_out():
    assert scores({"a": standing(key=(0,))}, {"a": (None, "gone"), "lost": ALONE}).keys() == {"a"}


TEXT = "the loan is repaid in twelve parts and each of them bears the interest of its year"


def copy(changed: int = 0) -> str:
    """Return a text that differs in so many words from the others."""
    return " ".join(["other"] * changed + TEXT.split()[changed:])


def chunk(id: str, text: str, *, path: str = "a.md", start: int = 0) -> Chunk:
    chars = (start, start + len(text))
    return Chunk(id, path, ("A",), "a", (1, 1), chars, text, "", 9)


def falling(*chunks: Chunk) -> list[Scored]:
    return [Scored(one.id, 1 - n / 100) for n, one in enumerate(chunks)]


def set_back_all(*chunks: Chunk) -> tuple[list[str], dict[str, str]]:
    repeats = set_back(falling(*chunks), {one.id: one for one in chunks}, {})
    assert [one.score for one in repeats.best] == [one.score for one in falling(*chunks)]
    return ids(list(repeats.best)), dict(repeats.of)


def test_of_copies_in_one_file_the_first_takes_the_best_place():
    order, back = set_back_all(
        chunk("late", copy(), start=900),
        chunk("else", "nothing alike here"),
        chunk("early", copy()),
    )
    assert (order, back) == (["early", "else", "late"], {})


def test_copies_in_different_files_keep_their_order():
    order, _ = set_back_all(chunk("b", copy(), path="b.md"), chunk("a", copy(), path="a.md"))
    assert order == ["b", "a"]


def test_what_is_said_a_third_time_steps_back_behind_all_that_is_new():
    order, back = set_back_all(
        *(chunk(f"copy{n}", copy(), path=f"{n}.md") for n in range(4)),
        chunk("new", "all new words"),
    )
    assert (order, back) == (
        ["copy0", "copy1", "new", "copy2", "copy3"],
        {"copy2": "copy0", "copy3": "copy0"},
    )


@pytest.mark.parametrize(("changed", "is_copy"), [(1, True), (2, True), (6, False)])
def test_near_copies_share_most_runs_of_four_words(changed: int, is_copy: bool):
    texts = [copy(), copy(), copy(changed)]
    _, back = set_back_all(*(chunk(str(n), text, path=f"{n}.md") for n, text in enumerate(texts)))
    assert bool(back) is is_copy


def test_what_is_far_down_stays_where_it_is():
    chunks = [chunk(str(n), f"text number {n} {n} {n}", path=f"{n}.md") for n in range(AHEAD + 2)]
    order, _ = set_back_all(*chunks)
    assert order == [one.id for one in chunks]


def test_copies_that_differ_in_a_word_of_the_question_are_none():
    chunks = [chunk(f"{n}", copy(), start=100 * n) for n in range(4)]
    held = {one.id: frozenset({"delete"}) for one in chunks} | {"3": frozenset({"delete", "user"})}
    best = [Scored("3", 1.0), *falling(*chunks[:3])[1:], Scored("0", 0.1)]
    repeats = set_back(best, {one.id: one for one in chunks}, held)
    assert (repeats.best[0].id, dict(repeats.of)) == ("3", {"2": "0"})


def test_of_a_page_of_words_the_rarest_are_looked_for_wherever_they_stand():
    words = [f"common{n}" for n in range(60)] + ["cors", "origins", "nowhere"]
    counts = dict.fromkeys(words, 500) | {"cors": 3, "origins": 2, "nowhere": 0}
    asked = rarest(wording(" ".join(words), words), counts, 3)
    assert asked.words == ("common0", "cors", "origins")
    assert asked.phrases == (("cors origins",),)
