"""A question to ranked hits."""

# ruff: noqa: RUF001 - people ask in every script.

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import Retriever, ingest_folder
from askmd.config import Config
from askmd.errors import EmbedderUnreachable, IndexMismatch, NoIndex, UsageError
from askmd.filters import parse_filter
from askmd.types import Identity, Vector
from conftest import CountingEmbedder


class DeadEmbedder(CountingEmbedder):
    """An embedder whose server is down when a question comes."""

    def embed_query(self, text: str) -> Vector:
        raise EmbedderUnreachable("http://127.0.0.1:9 cannot be reached", "start the server")


class OtherEmbedder(CountingEmbedder):
    """An embedder of another model."""

    def identity(self, *, max_tokens: int, chunker: int) -> Identity:
        own = super().identity(max_tokens=max_tokens, chunker=chunker)
        return replace(own, model="another", revision="9")


@pytest.fixture
def index(handbook: Path, settings: Config) -> Config:
    ingest_folder(handbook, settings)
    return settings


def test_a_hit_has_all_that_the_outside_counts_on(index: Config, handbook: Path):
    with Retriever.open(index) as retriever:
        hit = retriever.search("why is the upstream refused?", limit=3)[0]
    text = (handbook / "nginx.md").read_text(encoding="utf-8")
    assert (hit.rank, hit.path, hit.heading, hit.anchor) == (
        1,
        "nginx.md",
        ("Nginx", "502 Bad Gateway"),
        "502-bad-gateway",
    )
    assert (hit.lines, hit.text) == ((9, 11), text[hit.chars[0] : hit.chars[1]])
    assert set(hit.scores) == {"cosine", "bm25", "wording"}
    assert hit.above_floor is not None


def test_hits_are_ranked_from_1_best_first(index: Config):
    with Retriever.open(index) as retriever:
        hits = retriever.search("keys and rows", limit=4)
    assert [hit.rank for hit in hits] == [1, 2, 3, 4]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


@pytest.fixture
def many(tmp_path: Path, settings: Config) -> Config:
    """Return the settings of an index with more chunks than are looked at one by one."""
    folder = tmp_path / "many"
    folder.mkdir()
    nouns = ["key", "row", "proxy", "backup", "lock", "queue", "user"]
    for n in range(160):
        one, other = nouns[n % 7], nouns[(n // 7) % 7]
        text = f"# Page {n}\n\nThe {one} of {n} needs a {other}.\n\n## More\n\nRotate {one} {n}.\n"
        (folder / f"{n:03}.md").write_text(text, encoding="utf-8")
    ingest_folder(folder, settings)
    return settings


@pytest.mark.parametrize("mode", ["hybrid", "dense", "words"])
def test_the_first_hits_are_the_same_however_many_are_asked_for(many: Config, mode: str):
    with Retriever.open(many) as retriever:
        few, all_of_them = (
            [
                (hit.chunk, hit.score)
                for hit in retriever.search("rotate the key of a user", limit=n, mode=mode)
            ]  # type: ignore[arg-type]
            for n in (10, 300)
        )
    assert few == all_of_them[:10]
    scores = [score for _, score in all_of_them]
    assert scores == sorted(scores, reverse=True)
    assert len({id for id, _ in all_of_them}) == len(all_of_them)


def test_a_question_behind_a_pasted_page_is_still_heard(many: Config):
    page = " ".join(f"filler{n} word{n}" for n in range(400))
    with Retriever.open(many) as retriever:
        [hit] = retriever.search(f"{page} Rotate proxy 9", mode="words", limit=1)
    assert (hit.path, hit.heading[-1]) == ("009.md", "More")


@pytest.mark.parametrize("mode", ["hybrid", "dense", "words"])
def test_every_mode_finds_the_section(index: Config, mode: str):
    with Retriever.open(index) as retriever:
        hits = retriever.search("replace each key", mode=mode, limit=1)  # type: ignore[arg-type]
    assert hits[0].heading == ("SSH keys", "Rotation")


def test_a_words_only_search_knows_no_cosine(index: Config):
    with Retriever.open(index) as retriever:
        hit = retriever.search("autovacuum", mode="words")[0]
    assert (set(hit.scores), hit.above_floor) == ({"bm25", "wording"}, None)


COOKBOOK = {
    "zh.md": "# 部署指南\n\n## 反向代理\n\n修改配置文件后请重新启动，否则新的端口不会生效。\n",
    "ja.md": "# 運用手順\n\n## 複製\n\n毎晩データベースを複製し、週に一度復元を試します。\n",
    "ko.md": "# 운영 안내\n\n## 인증서\n\n인증서는 만료 한 달 전에 갱신합니다.\n",
    "th.md": "# คู่มือ\n\n## รหัสผ่าน\n\nผู้ใช้ต้องเปลี่ยนรหัสผ่านทุกสามเดือนและห้ามใช้ซ้ำ\n",
    "hi.md": "# मार्गदर्शिका\n\n## सूचनाएँ\n\nचेतावनी मिलते ही मौजूद इंजीनियर को फ़ोन करें।\n",
    "ru.md": "# Руководство\n\n## Очередь\n\nЕсли очередь растёт, добавьте ещё один обработчик.\n",
    "el.md": "# Οδηγός\n\n## Αρχεία\n\nΤα παλιά αρχεία διαγράφονται μετά από έναν μήνα.\n",
    "ar.md": "# الدليل\n\n## الصلاحيات\n\nيمنح المدير صلاحية القراءة لكل عضو جديد في الفريق.\n",
}
"""Notes of an operator in eight scripts."""


@pytest.fixture
def cookbook(tmp_path: Path, settings: Config) -> Config:
    root = tmp_path / "cookbook"
    root.mkdir()
    for name, text in COOKBOOK.items():
        (root / name).write_text(text, encoding="utf-8")
    ingest_folder(root, settings)
    return settings


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("改了配置文件为什么端口没有生效？", "zh.md"),
        ("データベースの復元はいつ試しますか", "ja.md"),
        ("인증서를 언제 갱신해야 하나요?", "ko.md"),
        ("ต้องเปลี่ยนรหัสผ่านเมื่อไร", "th.md"),
        ("चेतावनी मिलने पर किस इंजीनियर को फ़ोन करें?", "hi.md"),
        ("Что делать, если ОЧЕРЕДЬ растет?", "ru.md"),
        ("Ποτε διαγραφονται τα παλια αρχεια;", "el.md"),
        ("من يمنح صَلاحِيَّة القراءة؟", "ar.md"),
    ],
)
def test_words_find_a_document_in_the_script_it_is_asked_in(
    cookbook: Config, question: str, path: str
):
    with Retriever.open(cookbook) as retriever:
        found = retriever.find(question, mode="words")
        assert retriever.has_evidence(found)
    assert found.hits[0].path == path


@pytest.mark.parametrize(
    "question",
    [
        "法国的首都是哪里，有多少人口？",
        "おいしいラーメンの作り方は",
        "주말에 볼 만한 영화는 무엇인가요",
        "เมืองหลวงของฝรั่งเศสคืออะไร",
        "फ्रांस की राजधानी क्या है",
        "Какая столица у Франции?",
    ],
)
def test_a_question_about_something_else_has_no_evidence_in_any_script(
    cookbook: Config, question: str
):
    with Retriever.open(cookbook) as retriever:
        assert not retriever.has_evidence(retriever.find(question, mode="words"))


def test_a_filter_holds_in_every_mode(index: Config):
    where = parse_filter(["access/**"])
    with Retriever.open(index) as retriever:
        found = {
            mode: {hit.path for hit in retriever.search("proxy key", mode=mode, where=where)}
            for mode in ("hybrid", "dense", "words")
        }
    assert found == {mode: {"access/ssh.md"} for mode in ("hybrid", "dense", "words")}


@pytest.mark.parametrize(
    "question", ["what's the key?", '"', "a AND OR NOT *", "col:umn NEAR(x)", "¿?", "鍵", "'; --"]
)
def test_any_question_is_a_valid_query(index: Config, question: str):
    with Retriever.open(index) as retriever:
        assert retriever.find(question).degraded is None


def test_an_empty_question_and_a_limit_of_0_are_usage_errors(index: Config):
    with Retriever.open(index) as retriever:
        with pytest.raises(UsageError, match="empty"):
            retriever.search("  ")
        with pytest.raises(UsageError, match="0 hits"):
            retriever.search("key", limit=0)


def test_with_the_embedder_down_words_answer_and_it_is_said(index: Config):
    with Retriever.open(index, embedder=DeadEmbedder()) as retriever:
        found = retriever.find("autovacuum")
        assert found.hits[0].path == "postgres.md"
        assert found.degraded == "found by words alone: http://127.0.0.1:9 cannot be reached"
        with pytest.raises(EmbedderUnreachable):
            retriever.search("autovacuum", mode="dense")


def test_vectors_of_two_models_never_meet(index: Config):
    with pytest.raises(IndexMismatch, match=r"another.*askmd ingest --rebuild"):
        Retriever.open(index, embedder=OtherEmbedder())


def test_without_an_index_the_next_command_is_named(settings: Config):
    with pytest.raises(NoIndex, match="askmd ingest"):
        Retriever.open(settings)


def test_a_newer_generation_is_seen_at_the_next_search(index: Config, handbook: Path):
    with Retriever.open(index) as retriever:
        before = retriever.generation
        assert retriever.search("zebra", mode="words") == []
        (handbook / "zoo.md").write_text("# Zoo\n\nA zebra.\n", encoding="utf-8")
        ingest_folder(handbook, index)
        assert [hit.path for hit in retriever.search("zebra")][:1] == ["zoo.md"]
        assert retriever.generation > before


def test_evidence_is_a_word_that_occurs_or_a_near_vector(index: Config):
    with Retriever.open(index) as retriever:
        seen = {
            question: retriever.has_evidence(retriever.find(question))
            for question in ("what does autovacuum do?", "who baked xylophone pancakes?")
        }
    assert seen == {"what does autovacuum do?": True, "who baked xylophone pancakes?": False}


def test_a_changed_file_is_stale_and_not_read(index: Config, handbook: Path):
    with Retriever.open(index) as retriever:
        assert (retriever.is_stale("nginx.md"), retriever.read("nginx.md", (2, 7))) == (
            False,
            "Nginx",
        )
        (handbook / "nginx.md").write_text("# Apache\n", encoding="utf-8")
        (handbook / "postgres.md").unlink()
        assert (retriever.is_stale("nginx.md"), retriever.read("nginx.md", (2, 7))) == (True, None)
        assert retriever.is_stale("postgres.md")


def test_one_retriever_serves_many_threads_during_an_ingest(index: Config, handbook: Path):
    faults: list[BaseException] = []

    def ask(retriever: Retriever) -> None:
        try:
            for _ in range(20):
                assert retriever.search("replace each key")[0].path == "access/ssh.md"
        except BaseException as error:
            faults.append(error)

    with Retriever.open(index) as retriever:
        threads = [threading.Thread(target=ask, args=(retriever,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for number in range(5):
            (handbook / f"new{number}.md").write_text(
                f"# New {number}\n\nText.\n", encoding="utf-8"
            )
            ingest_folder(handbook, index)
        for thread in threads:
            thread.join()
    assert faults == []
