from __future__ import annotations

from askmd.rank import NEIGHBOUR_SHARE, Ranking, fuse, scale, support
from askmd.types import Place, Scored


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
