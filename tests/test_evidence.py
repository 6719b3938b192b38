from __future__ import annotations

import pytest

from askmd.evidence import COSINE_FLOOR, above_floor, content_words, has_evidence


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How do I rotate the API key?", ["rotate", "api", "key"]),
        ("What's the key? Don't guess.", ["key", "guess"]),
        ("Key key KEY", ["key"]),
        ("ERR_CONN_RESET", ["err_conn_reset", "err", "conn", "reset"]),
        ("docker build --no-cache", ["docker", "build", "--no-cache", "cache"]),
        ("use -v flag", ["use", "-v", "flag"]),
        ("What changed in v1.2.3?", ["changed", "v1.2.3", "v1"]),
        ("edit /etc/nginx.conf.", ["edit", "etc/nginx.conf", "etc", "nginx", "conf"]),
        ("C++ or C#", ["c++", "c#"]),
        ("fix a 502 error", ["fix", "502", "error"]),
        ("Wie größer?", ["wie", "größer"]),
        ("検索の方法", ["検索の方法"]),
        ("what is it?", []),
        ("", []),
        ("?!  --  ...", []),
    ],
)
def test_content_words_are_what_a_question_is_about(question: str, words: list[str]):
    assert content_words(question) == words


def test_one_word_that_occurs_is_evidence_whatever_the_cosine():
    assert has_evidence(-0.2, 1)
    assert has_evidence(None, 1)


def test_without_a_word_the_best_cosine_decides_at_the_floor():
    assert has_evidence(COSINE_FLOOR, 0)
    assert not has_evidence(COSINE_FLOOR - 0.001, 0)


def test_neither_words_nor_vectors_are_no_evidence():
    assert not has_evidence(None, 0)


def test_above_floor_is_the_distance_from_what_nonsense_scores():
    assert above_floor(0.40) == pytest.approx(0.25)
    assert above_floor(0.05) == pytest.approx(-0.10)
