"""What a question asks for, and whether the documents speak of it."""

# ruff: noqa: RUF001 - questions come in every script.

from __future__ import annotations

import pytest

from askmd.evidence import (
    EVERYDAY,
    WORDS_ALONE,
    Floor,
    Signs,
    Sought,
    above_floor,
    above_floor_by_words,
    content_words,
    is_common,
    signs,
    sought,
    weigh,
)
from askmd.types import Occurrences
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
    ("question", "expected"),
    [
        (
            "Is ERR_CONN_RESET fatal?",
            Sought(("err_conn_reset", "err", "conn", "reset", "fatal"), ()),
        ),
        ("iPhone的价格", Sought(("iphone",), ("价格",))),
        ("พอร์ต nginx", Sought(("nginx",), ("พอร์ต",))),
        ("what is it?", Sought((), ())),
        ("Wo ist der Schlüssel?", Sought(("schlüssel",), ())),
        ("¿Dónde está la llave?", Sought(("llave",), ())),
        ("Где лежит ключ?", Sought(("лежит", "ключ"), ())),
    ],
)
def test_words_count_one_by_one_and_stretches_of_an_unspaced_script_together(
    question: str, expected: Sought
):
    assert sought(question) == expected


@pytest.mark.parametrize(
    ("word", "common"),
    [
        *((word, True) for word in ("file", "files", "running", "largely", "tries", "stopped")),
        *((word, False) for word in ("kafka", "nginx", "x", "", "ing", "größe", "設定")),
    ],
)
def test_a_common_english_word_is_known_in_its_forms(word: str, common: bool):
    assert is_common(word) is common


FLOOR = Floor(cosine=0.2, stray=0.3, span=0.27, novelty=1.0, score=0.0, words=0.0)
TOTAL = 1000


def score(
    question: str, cosine: float, held: dict[str, int], *, other: dict[str, int] | None = None
) -> float:
    """What a hit scores that holds some words, by how many chunks hold each; others hold others."""
    counts = held | (other or {})
    among = {word: frozenset({"hit"}) for word in held}
    weighed = weigh(sought(question), Occurrences(TOTAL, counts, among))
    return above_floor(weighed, "hit", cosine, FLOOR)


def test_a_nearer_hit_stands_higher():
    scores = [score("rotate the api key", cosine, {"key": 50}) for cosine in (0.2, 0.3, 0.5, 0.7)]
    assert scores == sorted(scores)
    assert scores[1] - scores[0] == pytest.approx(0.1)


def test_a_hit_that_holds_a_word_stands_above_one_that_does_not():
    held = score("rotate the api key", 0.4, {"key": 50}, other={"rotate": 9})
    assert held > score("rotate the api key", 0.4, {}, other={"key": 50, "rotate": 9})


def test_a_rare_word_counts_for_more_than_one_that_stands_everywhere():
    counts = {"autovacuum": 2, "kubelet": 900}
    rare = score("autovacuum kubelet", 0.4, {"autovacuum": 2}, other=counts)
    assert rare > score("autovacuum kubelet", 0.4, {"kubelet": 900}, other=counts)


def test_a_name_that_stands_nowhere_tells_more_than_a_common_word_that_does_not():
    known = {"task": 90, "queue": 30}
    alone = score("task queue", 0.5, known)
    assert alone > score("task queue please hurry", 0.5, known)
    assert score("task queue please hurry", 0.5, known) > score("task queue kafka", 0.5, known)


def test_of_a_few_lines_an_absent_name_says_little():
    few = Floor(cosine=0.2, stray=0.3, span=0.27, novelty=0.1, score=0.0, words=0.0)
    weighed = weigh(sought("kafka queue"), Occurrences(3, {"queue": 1}, {}))
    assert above_floor(weighed, "hit", 0.5, few) > above_floor(weighed, "hit", 0.5, FLOOR)


def test_where_no_word_occurs_only_a_cosine_far_above_the_strays_counts():
    assert (
        score("¿dónde está el registro?", 0.40, {}) < 0 < score("¿dónde está el registro?", 0.5, {})
    )


def test_the_scale_is_the_embedders_own():
    narrow = Floor(cosine=0.72, stray=0.75, span=0.09, novelty=1.0, score=0.0, words=0.0)
    weighed = weigh(sought("rotate key"), Occurrences(TOTAL, {"key": 50, "rotate": 9}, {}))
    assert above_floor(weighed, "hit", 0.72 + 0.03, narrow) == pytest.approx(
        above_floor(weighed, "hit", 0.2 + 0.09, FLOOR)
    )


def test_everyday_questions_are_many_and_of_many_scripts():
    scripts = {"latin" if text.isascii() else text[0] for text in EVERYDAY}
    assert (len(EVERYDAY), len(set(EVERYDAY))) == (111, 111)
    assert len(scripts) > 30


def test_one_pair_of_ten_is_chance_and_half_of_them_are_all_that_can_be():
    pairs = ("備份", "份放", "放多", "多少", "少天", "天數", "數量", "量表", "表格", "格式")

    def by_words(known: int) -> float:
        found = dict.fromkeys(pairs[:known], 3)
        among = {pair: frozenset({"hit"}) for pair in found}
        weighed = weigh(Sought((), pairs), Occurrences(TOTAL, found, among))
        return above_floor_by_words(weighed, "hit", WORDS_ALONE)

    assert by_words(1) < 0 < by_words(5)
    assert by_words(5) == by_words(10)


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
    asked = sought(question)
    # A phrase of pairs, as the index looks for it; a lone character begins some pair.
    known = [term for term in asked.terms if f" {segmented(term, with_ends=False).strip()}" in read]
    seen = Occurrences(1, dict.fromkeys(known, 1), dict.fromkeys(known, frozenset({"hit"})))
    return above_floor_by_words(weigh(asked, seen), "hit", WORDS_ALONE) >= 0


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
