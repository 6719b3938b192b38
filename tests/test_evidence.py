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
from askmd.words import segmented


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
        ("كيف أفتح الملف؟", ["كيف", "افتح", "الملف"]),
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
        ("备份放多久", Signs((), ("备份", "份放"))),
        ("谁会收到告警？", Signs((), ("收到", "到告", "告警"))),
        ("什么时候备份几天的日志", Signs((), ("备份", "日志"))),
        ("会话几乎过期", Signs((), ("会话", "话几", "几乎", "乎过", "过期"))),
        (
            "백업은 며칠 보관되나요",
            Signs(("백업", "보관"), ("백업", "업은", "보관", "관되", "되나", "나요")),
        ),
        ("할 수도 있나요", Signs((), ("할", "수도", "있나", "나요"))),
        ("เก็บกี่วัน", Signs(("เก็บ",), ())),
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


MANUALS = {
    "zh": (
        "备份每天晚上两点进行，在服务器上保存三十天。告警会发给值班的人，值班的人收到告警后处理。"
        "端口可以在配置文件里设置。数据库的密码每季度轮换。部署需要两个人批准。"
    ),
    "ko": (
        "백업은 매일 밤 두 시에 만들어지고 서버에 30일 동안 보관됩니다. "
        "알림은 당직자에게 전송됩니다. 설정 파일에서 포트를 바꿀 수도 있습니다. "
        "배포하려면 두 사람의 승인이 필요합니다."
    ),
    "th": "การสำรองข้อมูลทำทุกคืนเวลาตีสอง และเก็บไว้สามสิบวันบนเซิร์ฟเวอร์ การแจ้งเตือนส่งถึงผู้ดูแล",
}


def is_known(question: str, manual: str) -> bool:
    read = f" {segmented(manual)} "
    asked = signs(question)
    terms = {*asked.words, *asked.pairs}
    # A phrase of pairs, as the index looks for it; a lone character begins some pair.
    known = {term for term in terms if f" {segmented(term, with_ends=False).strip()}" in read}
    return has_evidence(None, asked.matched(known))


@pytest.mark.parametrize(
    ("language", "question"),
    [
        *(("zh", text) for text in ("备份放多久", "告警发给谁", "谁会收到告警？", "备份保存几天")),
        *(("ko", text) for text in ("백업은 며칠 보관되나요", "알림은 누가 받나요")),
        *(("th", text) for text in ("เก็บกี่วัน", "ใครได้รับการแจ้งเตือน")),
    ],
)
def test_a_real_question_is_known_by_its_words_alone(language: str, question: str):
    assert is_known(question, MANUALS[language])


@pytest.mark.parametrize(
    ("language", "question"),
    [
        *(("zh", text) for text in ("法国的首都是哪里？", "谁写了红楼梦？", "鲸鱼能活多久")),
        *(("zh", text) for text in ("世界杯冠军是谁", "几岁可以结婚", "怎么做番茄炒蛋")),
        *(("ko", text) for text in ("프랑스의 수도는 어디인가요", "고래는 몇 년을 사나요")),
        *(("ko", text) for text in ("월드컵 우승팀은 누구인가요", "김치찌개는 어떻게 만드나요")),
        *(("th", text) for text in ("เมืองหลวงของฝรั่งเศสคืออะไร", "ปลาวาฬอยู่ได้กี่ปี")),
    ],
)
def test_nonsense_is_not_known_by_its_words(language: str, question: str):
    assert not is_known(question, MANUALS[language])
