from __future__ import annotations

from askmd.rank import fuse, scale
from askmd.types import Scored


def test_scores_are_scaled_to_the_range_from_0_to_1():
    ranking = [Scored("a", 30.0), Scored("b", 20.0), Scored("c", 10.0)]
    assert scale(ranking) == [Scored("a", 1.0), Scored("b", 0.5), Scored("c", 0.0)]


def test_equal_scores_all_become_1():
    assert scale([Scored("a", 0.3), Scored("b", 0.3)]) == [Scored("a", 1.0), Scored("b", 1.0)]


def test_an_empty_ranking_stays_empty():
    assert (scale([]), fuse([[], []])) == ([], [])


def test_a_chunk_that_both_rankings_like_beats_the_favourite_of_one():
    dense = [Scored("meaning", 0.9), Scored("both", 0.8), Scored("far", 0.1)]
    words = [Scored("word", 12.0), Scored("both", 11.0), Scored("rare", 2.0)]
    assert [one.id for one in fuse([dense, words])][:1] == ["both"]


def test_a_ranking_alone_keeps_its_order():
    ranking = [Scored("a", 5.0), Scored("b", 3.0), Scored("c", 1.0)]
    assert [one.id for one in fuse([ranking])] == ["a", "b", "c"]


def test_equal_sums_keep_the_order_of_the_first_ranking():
    first = [Scored("a", 1.0), Scored("b", 1.0)]
    assert [one.id for one in fuse([first, []])] == ["a", "b"]
