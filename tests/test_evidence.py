"""What a question asks for, and whether the documents speak of it."""

# ruff: noqa: RUF001 - questions come in every script.

from __future__ import annotations

import pytest

from askmd.evidence import (
    COSINE_FLOOR,
    Signs,
    above_floor,
    content_words,
    has_evidence,
    signs,
)


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
        ("検索の方法", ["検索", "索の", "の方", "方法"]),
        ("Dockerの設定は？", ["docker", "の設", "設定", "定は"]),
        ("iPhone 的 SIM", ["iphone", "sim"]),
        ("ＡＰＩキー", ["api", "キー"]),
        ("서버를 다시 시작", ["서버", "버를", "다시", "시작"]),
        ("ไทยแท้", ["ไท", "ทย", "ยแ", "แท้"]),
        ("हिन्दी में किताब", ["हिन्दी", "में", "किताब"]),
        ("Как ещё?", ["как", "еще"]),
        ("Cafe\u0301-Bar", ["café-bar", "café", "bar"]),
        ("كيف أفتح الملف؟", ["كيف", "أفتح", "الملف"]),
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


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How do I rotate the API key?", Signs(("rotate", "api", "key"), ())),
        ("what is it?", Signs((), ())),
        ("如何配置端口？", Signs((), ("配置", "置端", "端口"))),
        ("iPhone的价格", Signs(("iphone",), ("价格",))),
        ("フランスの首都はどこですか", Signs(("フランス",), ("首都",))),
        ("キーの鍵", Signs(("キー",), ("鍵",))),
        ("りんごはどこ", Signs(("りんごは", "んごはど", "ごはどこ"), ())),
        ("nginx는 무엇", Signs(("nginx",), ())),
        ("พอร์ตอะไร", Signs(("พอร์ต",), ())),
        ("ប្រទេស", Signs(("ប្រទេស",), ())),
    ],
)
def test_signs_of_an_answer_are_words_stretches_of_sounds_and_pairs_of_syllables(
    question: str, expected: Signs
):
    assert signs(question) == expected


@pytest.mark.parametrize(
    ("known", "matched"),
    [
        ([], 0),
        (["ab"], 0),
        (["ab", "cd", "ef"], 0),
        (["ab", "cd", "ef", "gh"], 4),
        (["nginx"], 1),
        (["nginx", "ab"], 1),
    ],
)
def test_one_pair_of_ten_is_chance_and_a_third_of_them_is_evidence(known: list[str], matched: int):
    pairs = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "qr", "st")

    assert Signs(("nginx",), pairs).matched(known) == matched
