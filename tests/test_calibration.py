"""What nonsense scores in an index: measured once, kept beside it, told of every hit."""

# ruff: noqa: RUF001, E501 - people ask in every script, and wide ones count twice.

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import Config, Retriever, ingest_folder
from askmd.errors import EmbedderUnreachable
from askmd.evidence import EVERYDAY
from askmd.settings import IndexSettings
from askmd.types import Vector, Vectors
from conftest import CountingEmbedder


@pytest.fixture
def index(handbook: Path, settings: Config) -> Config:
    ingest_folder(handbook, settings)
    return settings


def floors(config: Config) -> list[Path]:
    return sorted(config.index_folder.glob("floor-*.json"))


def best(retriever: Retriever, question: str) -> float:
    marks = [hit.above_floor for hit in retriever.search(question)]
    return max(mark for mark in marks if mark is not None)


def test_an_ingest_embeds_no_more_than_the_documents(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    report = ingest_folder(handbook, settings, embedder=embedder)
    assert (len(embedder.take()), floors(settings)) == (report.chunks.total, [])


def test_the_first_search_measures_the_floor_and_the_next_process_reads_it(index: Config):
    first, second = CountingEmbedder(), CountingEmbedder()
    with Retriever.open(index, embedder=first) as retriever:
        found = retriever.search("replace each key")
    with Retriever.open(index, embedder=second) as retriever:
        again = retriever.search("replace each key")
    assert set(EVERYDAY) < set(first.seen)
    assert (second.seen, again, len(floors(index))) == (["replace each key"], found, 1)


def test_a_search_by_words_measures_nothing_that_needs_the_embedder(
    index: Config, embedder: CountingEmbedder
):
    with Retriever.open(index, embedder=embedder) as retriever:
        found = retriever.find("autovacuum", mode="words")
        assert retriever.has_evidence(found)
    assert (embedder.seen, floors(index)) == ([], [])


def test_the_floor_stays_through_an_edit_and_is_measured_again_once_a_quarter_is_new(
    handbook: Path, settings: Config
):
    for number in range(20):
        (handbook / f"note{number}.md").write_text(f"# Note {number}\n\nText {number}.\n")
    ingest_folder(handbook, settings)
    measured = []
    for names in (["note1.md"], ["note2.md"], [f"note{number}.md" for number in range(3, 19)]):
        with Retriever.open(settings) as retriever:
            retriever.search("key")
        measured.append(floors(settings)[0].stat().st_mtime_ns)
        for name in names:
            (handbook / name).write_text(f"# Another\n\nAbout something else: {name}.\n")
        ingest_folder(handbook, settings)
    with Retriever.open(settings) as retriever:
        retriever.search("key")
    measured.append(floors(settings)[0].stat().st_mtime_ns)
    assert measured[0] == measured[1] == measured[2] < measured[3]


def test_a_rebuild_sweeps_the_old_floor_away(handbook: Path, index: Config):
    with Retriever.open(index) as retriever:
        retriever.search("key")
    [old] = floors(index)
    ingest_folder(handbook, index, rebuild=True)
    with Retriever.open(index) as retriever:
        retriever.search("key")
    [new] = floors(index)
    assert new.name != old.name


@pytest.mark.parametrize("text", ["", "{}", "null", '{"text": 7}', "\x00\xff", "[1]"])
def test_a_damaged_floor_is_measured_again(index: Config, text: str):
    with Retriever.open(index) as retriever:
        found = retriever.search("key")
    [file] = floors(index)
    whole = json.loads(file.read_text(encoding="utf-8"))
    file.write_bytes(text.encode("latin-1"))
    with Retriever.open(index) as retriever:
        assert retriever.search("key") == found
    assert json.loads(file.read_text(encoding="utf-8")) == whole


def test_a_floor_of_other_fields_is_measured_again(index: Config):
    with Retriever.open(index) as retriever:
        found = retriever.search("key")
    [file] = floors(index)
    kept = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(kept | {"text": '{"cosine": 0.9}'}), encoding="utf-8")
    with Retriever.open(index) as retriever:
        assert retriever.search("key") == found


def test_where_the_index_cannot_be_written_the_floor_is_in_memory(
    index: Config, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_file: object, **_options: object) -> None:
        raise PermissionError(30, "Read-only file system")

    # root may write anywhere; so the folder is made read-only here.
    monkeypatch.setattr("askmd.store.calibration.replace_file", refuse)
    embedder = CountingEmbedder()
    with Retriever.open(index, embedder=embedder) as retriever:
        assert best(retriever, "why was the upstream connection refused?") > 0
        embedder.take()
        retriever.search("replace each key")
    assert (embedder.seen, floors(index)) == (["replace each key"], [])


class NoBatch(CountingEmbedder):
    """An embedder that answers a question, and no batch of texts."""

    asked = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        if len(texts) > 1:
            self.asked += 1
            raise EmbedderUnreachable("too many texts", "wait")
        return super().embed(texts)


def test_a_floor_that_cannot_be_measured_fails_no_search_and_words_decide(index: Config):
    embedder = NoBatch()
    with Retriever.open(index, embedder=embedder) as retriever:
        real = retriever.find("what does autovacuum do?")
        nonsense = retriever.find("who baked xylophone pancakes?")
        assert [hit.above_floor for hit in real.hits] == [None] * len(real.hits)
        assert (retriever.has_evidence(real), retriever.has_evidence(nonsense)) == (True, False)
    assert embedder.asked == 1


class Prefixed(CountingEmbedder):
    """An embedder that reads questions otherwise than passages."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def identity(self, *, max_tokens: int, chunker: int):  # type: ignore[no-untyped-def]
        own = super().identity(max_tokens=max_tokens, chunker=chunker)
        return replace(own, query_prefix="query: ", passage_prefix="passage: ")

    def embed_query(self, text: str) -> Vector:
        self.asked.append(text)
        return super().embed_query(text)


def test_everyday_questions_are_embedded_as_questions(handbook: Path, settings: Config):
    embedder = Prefixed()
    ingest_folder(handbook, settings, embedder=embedder)
    with Retriever.open(settings, embedder=embedder) as retriever:
        assert best(retriever, "why was the upstream connection refused?") > 0
    assert set(EVERYDAY[:40]) < set(embedder.asked)
    assert len(embedder.asked) < 100


def test_one_file_of_a_few_lines_answers_what_it_says_and_no_more(tmp_path: Path, settings: Config):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "keys.md").write_text("# Keys\n\nRotate the API key each year.\n")
    ingest_folder(tmp_path / "docs", settings)
    with Retriever.open(settings) as retriever:
        seen = {
            question: retriever.has_evidence(retriever.find(question))
            for question in ("how often to rotate the api key?", "who painted the Mona Lisa?")
        }
    assert list(seen.values()) == [True, False]


FOLDERS = {
    "de": {
        "sicherung.md": "# Sicherung\n\nDie Datenbank wird jede Nacht um zwei Uhr gesichert. Die "
        "Sicherungen bleiben dreißig Tage auf dem Server liegen.\n",
        "zugang.md": "# Zugang\n\nNeue Mitarbeiter erhalten ihren Schlüssel von der Leitung. "
        "Verlorene Schlüssel werden sofort gesperrt und ersetzt.\n",
        "ausfall.md": "# Ausfall\n\nFällt der Dienst aus, ruft das System den Bereitschaftsdienst "
        "an. Der Vorfall wird danach gemeinsam besprochen.\n",
        "drucker.md": "# Drucker\n\nDer Drucker im zweiten Stock braucht Toner der Marke Brother. "
        "Papierstau behebt man über die hintere Klappe.\n",
        "urlaub.md": "# Urlaub\n\nUrlaub wird vier Wochen vorher beantragt. Resturlaub verfällt "
        "Ende März des folgenden Jahres.\n",
    },
    "zh": {
        "备份.md": "# 备份\n\n数据库每天凌晨两点自动备份，备份文件在服务器上保留三十天。\n",
        "权限.md": "# 权限\n\n新员工的门禁卡由行政部门发放，遗失的门禁卡要立刻停用。\n",
        "故障.md": "# 故障\n\n服务中断时系统会打电话给值班工程师，事后大家一起复盘。\n",
        "打印机.md": "# 打印机\n\n二楼的打印机使用兄弟牌墨粉，卡纸时请打开后盖处理。\n",
        "休假.md": "# 休假\n\n休假需要提前四周申请，剩余假期在次年三月底作废。\n",
    },
    "ja": {
        "バックアップ.md": "# バックアップ\n\nデータベースは毎晩二時に複製され、三十日間サーバーに保存されます。\n",
        "入館.md": "# 入館\n\n新入社員の入館証は総務部が発行します。紛失した入館証はすぐに無効にします。\n",
        "障害.md": "# 障害\n\nサービスが停止すると当番の技術者に電話がかかります。後で全員で振り返ります。\n",
        "印刷機.md": "# 印刷機\n\n二階の印刷機はブラザーのトナーを使います。紙詰まりは後ろの蓋を開けて直します。\n",
        "休暇.md": "# 休暇\n\n休暇は四週間前に申請します。残った休暇は翌年三月末に失効します。\n",
    },
}  # fmt: skip
"""A few short documents in one language each."""
REAL = {
    "de": (
        "Wie lange bleiben die Sicherungen auf dem Server?",
        "Was passiert, wenn ein Schlüssel verloren geht?",
        "Welchen Toner braucht der Drucker?",
        "Wann verfällt mein Resturlaub?",
    ),
    "zh": ("备份文件保留多久？", "门禁卡丢了怎么办", "打印机卡纸怎么处理？", "剩余假期什么时候作废"),
    "ja": (
        "データベースは何時に複製されますか",
        "入館証を紛失したらどうなりますか",
        "印刷機のトナーは何ですか",
        "残った休暇はいつ失効しますか",
    ),
}  # fmt: skip
OFF_TOPIC = {
    "de": (
        "Wer hat die Zauberflöte komponiert?",
        "Wie backe ich einen Apfelkuchen?",
        "Welcher Planet ist der größte?",
    ),
    "zh": ("谁写了红楼梦？", "苹果派怎么烤", "最大的行星是哪一颗？"),
    "ja": ("モナリザを描いたのは誰ですか", "林檎のケーキの焼き方", "世界で最も長い川はどこですか"),
}
ENGLISH = {
    "backup.md": "# Backups\n\nThe database is copied at two every night; copies stay 30 days.\n",
    "access.md": "# Access\n\nNew staff get a key from the office. Lost keys are blocked at once.\n",
    "outage.md": "# Outages\n\nWhen the service stops, the engineer on call is rung up.\n",
}


def has_evidence(retriever: Retriever, questions: Sequence[str], mode: str) -> dict[str, bool]:
    found = {question: retriever.find(question, mode=mode) for question in questions}  # type: ignore[arg-type]
    return {question: retriever.has_evidence(search) for question, search in found.items()}


def indexed(root: Path, texts: dict[str, str], config: Config) -> Retriever:
    root.mkdir()
    for name, text in texts.items():
        (root / name).write_text(text, encoding="utf-8")
    config = replace(config, index=IndexSettings(str(root.with_suffix(".index"))))
    ingest_folder(root, config)
    return Retriever.open(config)


@pytest.fixture(params=["hash", pytest.param("model", marks=pytest.mark.model)])
def any_embedder(request: pytest.FixtureRequest, settings: Config) -> Iterator[Config]:
    yield settings if request.param == "hash" else Config()


@pytest.mark.parametrize("mode", ["hybrid", "words"])
@pytest.mark.parametrize("language", FOLDERS)
def test_documents_of_any_language_answer_in_theirs_and_refuse_what_they_do_not_say(
    language: str, mode: str, any_embedder: Config, tmp_path: Path
):
    with indexed(tmp_path / language, FOLDERS[language], any_embedder) as retriever:
        assert has_evidence(retriever, REAL[language], mode) == dict.fromkeys(REAL[language], True)
        off_topic = OFF_TOPIC[language]
        assert has_evidence(retriever, off_topic, mode) == dict.fromkeys(off_topic, False)


@pytest.mark.parametrize("language", FOLDERS)
def test_english_documents_do_not_answer_what_is_off_topic_in_another_language(
    language: str, any_embedder: Config, tmp_path: Path
):
    off_topic = OFF_TOPIC[language]
    with indexed(tmp_path / "en", ENGLISH, any_embedder) as retriever:
        assert has_evidence(retriever, off_topic, "hybrid") == dict.fromkeys(off_topic, False)
