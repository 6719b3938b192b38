"""Text as word search reads it."""

# ruff: noqa: RUF001 - other scripts are what this is about.

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmd.words import Run, is_lone, is_unspaced, runs, segmented


def question(text: str) -> list[str]:
    return segmented(text, with_ends=False).split()


def indexed(text: str) -> list[str]:
    return segmented(text).split()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("検索の方法", ["検索", "索の", "の方", "方法"]),
        ("鍵", ["鍵"]),
        ("C言語とAPI", ["C", "言語", "語と", "API"]),
        ("设置,端口。8080", ["设置", ",", "端口", "。8080"]),
        ("설정 파일을", ["설정", "파일", "일을"]),
        ("ラーメン", ["ラー", "ーメ", "メン"]),
        ("ﾗｰﾒﾝ", ["ラー", "ーメ", "メン"]),
        ("ﾊﾟﾝﾀﾞ", ["パン", "ンダ"]),
        ("人々", ["人々"]),
        ("いすゞ", ["いす", "すゞ"]),
        ("𠮷野家", ["𠮷野", "野家"]),
        ("ＡＰＩ２", ["API2"]),
        ("x：ＡPI", ["x:API"]),
        ("㍿", ["株式", "式会", "会社"]),
        ("⽇本", ["日本"]),
        ("葛\U000e0100城", ["葛城"]),
        ("ที่นี่", ["ที่นี่"]),
        ("น้ำแข็ง", ["น้ํา", "าแ", "แข็", "ข็ง"]),
        ("ສະບາຍ", ["ສະ", "ະບ", "ບາ", "າຍ"]),
        ("ខ្មែរ", ["ខ្មែរ"]),
        ("ဗုဒ္ဓဘာသာ", ["ဗုဒ္ဓ", "ဒ္ဓဘာ", "ဘာသာ"]),
        ("ไทยไทย日本", ["ไท", "ทย", "ยไ", "ไท", "ทย", "日本"]),
        ("บทที่๑๒", ["บท", "ทที่", "๑๒"]),
    ],
)
def test_scripts_without_spaces_stand_in_overlapping_pairs(text: str, words: list[str]):
    assert question(text) == words


def test_in_an_index_each_character_begins_a_word():
    assert indexed("公開鍵 と 水") == ["公開", "開鍵", "鍵", "と", "水"]
    assert indexed("ไทย") == ["ไท", "ทย", "ย"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Plain English, and  two blanks.\n",
        "größer naïve café Zürich Việt đ ñ",
        "Сервер й Й ї",
        "हिन्दी भाषा में किताब",
        "سلام خادم",
        "שלום עולם",
        "Λογος",
        "⚠️ emoji 👩‍🚀 1️⃣",
        "a\0b\ufffd\ufffe",
    ],
)
def test_everything_else_stays_as_it_is(text: str):
    assert segmented(text) == text


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("Ρυθμίσεις διακομιστή", "Ρυθμισεις διακομιστη"),
        ("ὁδός ΐ", "οδος ι"),
        ("ещё Ёлка", "еще Елка"),
        ("כְּתִיב", "כתיב"),
        ("كِتَابٌ", "كتاب"),
        ("خـــادم", "خادم"),
        ("أحمد إلى آخر ٱلملف مدرسة", "احمد الي اخر الملف مدرسه"),
        ("ا\u0654حمد", "احمد"),
        ("می\u200cخواهم کتاب‌ها", "ميخواهم كتابها"),
        ("خانۀ", "خانه"),
    ],
)
def test_accents_and_points_that_their_writers_leave_out_go(written: str, typed: str):
    assert segmented(written) == segmented(typed) == typed


def test_a_join_that_stands_in_no_arabic_word_stays():
    assert segmented("\u0915\u094d\u200c\u0937 ا\u200c b") == "\u0915\u094d\u200c\u0937 ا\u200c b"


def test_composed_and_decomposed_text_is_one():
    for text in ("パンダ", "설정", "Ρυθμίσεις", "ещё", "йод", "น้ำ", "café", "फ़ाइल"):
        assert segmented(unicodedata.normalize("NFD", text)) == segmented(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a ![x](data:image/png;base64,iVBORw0KGgo=) b", "a ![x]( ) b"),
        ("a " + "QUJD" * 50 + "== b", "a   b"),
        ("a " + "x/+9" * 50 + ".b", "a  .b"),
        ("a " + "x" * 199 + " b", "a " + "x" * 199 + " b"),
        ("a " + "word-" * 99 + " b", "a " + "word-" * 99 + " b"),
        ("data:text/plain,hello base64,", "data:text/plain,hello base64,"),
    ],
    ids=["a data URI", "padded", "200 characters", "199 characters", "with hyphens", "no base64"],
)
def test_what_is_encoded_and_not_written_is_left_out(text: str, left: str):
    assert segmented(text) == left


def test_runs_are_of_one_script_each():
    assert list(runs("C言語のﾃｽﾄ ภาษา")) == [
        Run("han", ("言", "語")),
        Run("hiragana", ("の",)),
        Run("katakana", ("テ", "ス", "ト")),
        Run("thai", ("ภ", "า", "ษ", "า")),
    ]
    assert list(runs("no such run, größer")) == []


def test_a_lone_character_is_told_from_a_pair_and_from_a_letter():
    assert [is_lone(term) for term in ("鍵", "鍵を", "ที่", "ที่น", "a", "", "é")] == [
        True, False, True, False, False, False, False,
    ]  # fmt: skip
    assert [is_unspaced(term) for term in ("鍵", "ไท", "key", "")] == [True, True, False, False]


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_keeps_what_is_no_mark_and_can_be_segmented_again(text: str):
    once = segmented(text, with_ends=False)
    assert segmented(once, with_ends=False).split() == once.split()
    assert segmented(text).isascii() or not text.isascii()


@pytest.mark.parametrize(
    "piece",
    ["配置反向代理服务器。", "ที่นี่", "ู", "្ក", "x" * 199 + " ", "data:", ";base64,data:x", "ё", "Ａ"],
)
def test_a_long_text_takes_time_in_proportion_to_its_length(piece: str):
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    segmented(text)
    assert time.perf_counter() - started < 20
