"""The index on disk: what it keeps, finds and refuses, and what becomes of it when things break."""

# ruff: noqa: RUF001 - words of every script are looked for.

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from askmd.contracts import Store
from askmd.errors import (
    EmbeddingError,
    IndexCorrupt,
    IndexFault,
    IndexLocked,
    IndexMismatch,
    NoIndex,
)
from askmd.filters import parse_filter
from askmd.store import (
    MEND_STEP,
    REBUILD_STEP,
    Counts,
    SQLiteStore,
    open_store,
    open_writer,
    vector_key,
)
from askmd.types import Anchors, Chunk, Document, Filter, Identity, Indexed, Scored, Stamp

if TYPE_CHECKING:
    from askmd.types import Vector

DIM = 16
NOW = "2026-01-02T03:04:05+00:00"
ALL = Filter()
IDENTITY = Identity(
    provider="hash",
    model="hash",
    revision="1",
    dim=DIM,
    query_prefix="",
    passage_prefix="",
    tokenizer="words",
    max_tokens=200,
    chunker=1,
)
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions and limits")


def embed(text: str, dim: int = DIM) -> Vector:
    """Return a unit vector that depends on the text alone."""
    seed = int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
    vector = np.random.default_rng(seed).standard_normal(dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


def make(path: str, *texts: str, title: str = "", **metadata: object) -> Indexed:
    """Return a document whose chunks are ``Heading: text`` pieces, cut as the real ones are."""
    chunks, line, start = [], 1, 0
    for text in texts:
        heading, _, body = text.rpartition(": ")
        path_of_headings = tuple(heading.split(" > ")) if heading else ()
        name = blake2b(f"{path}|{heading}|{body}".encode(), digest_size=8).hexdigest()
        end = start + len(body)
        chunks.append(
            Chunk(
                name,
                path,
                path_of_headings,
                heading.lower(),
                (line, line + 1),
                (start, end),
                body,
                f"{heading}\n{body}",
                len(text.split()),
            )
        )
        line, start = line + 2, end + 1
    digest = blake2b("\n".join(texts).encode()).hexdigest()
    document = Document(path, digest, Stamp(1, 2, 3, 2**64 - 1), title, "", metadata)
    return Indexed(document, chunks)


def vectors_of(*indexed: Indexed) -> dict[bytes, Vector]:
    return {vector_key(c.embedded): embed(c.embedded) for one in indexed for c in one.chunks}


def as_read(chunk: Chunk) -> Chunk:
    return replace(chunk, embedded="")


def held(store: SQLiteStore, terms: Iterable[str]) -> set[str]:
    """Return the terms that some chunk holds."""
    return {term for term, count in store.occurrences(list(terms), ()).counts.items() if count}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path / ".askmd"


def fill(
    folder: Path,
    *indexed: Indexed,
    removed: Sequence[str] = (),
    rebuild: bool = False,
    identity: Identity = IDENTITY,
) -> None:
    """Write documents as one ingest does."""
    with open_writer(folder, identity, folder.parent / "docs", rebuild=rebuild) as writer:
        writer.write(indexed, removed=removed, vectors=vectors_of(*indexed))
        writer.finish(NOW)


NGINX = make(
    "guides/nginx.md",
    "Nginx: Nginx serves static files.",
    "Nginx > Reverse proxy: Pass requests on with proxy_pass.",
    "Nginx > Errors: A 502 says bad gateway.",
    title="Web servers",
    tags=["web", "Proxy"],
)
SSH = make("guides/ssh.md", "Keys: Make an ssh key pair.", "Agent: Load it once.", draft=True)
HOME = make("index.md", "Welcome: Start here with nginx or ssh.")
LIBRARY = (NGINX, SSH, HOME)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that nobody may change; made once, for every commit waits for the disk."""
    folder = tmp_path_factory.mktemp("finished") / ".askmd"
    fill(folder, *LIBRARY)
    return folder


@pytest.fixture
def library(folder: Path, finished: Path) -> Path:
    shutil.copytree(finished, folder)
    return folder


@pytest.fixture
def store(library: Path) -> Iterator[SQLiteStore]:
    with open_store(library, IDENTITY) as store:
        yield store


def database_of(folder: Path) -> Path:
    return folder / json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["database"]


def vectors_of_index(folder: Path) -> Path:
    [file] = folder.glob("vectors-*.segment")
    return file


def query(folder: Path, statement: str) -> list[tuple[object, ...]]:
    """Return what a separate process's sqlite would see."""
    connection = sqlite3.connect(database_of(folder))
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def best(store: Store, text: str, limit: int = 1, where: Filter = ALL) -> list[str]:
    return [one.id for one in store.dense(embed(text), limit, where)]


def assert_whole(folder: Path) -> None:
    """Check the invariants that hold after every commit, whatever happened before."""
    connection = sqlite3.connect(database_of(folder))
    try:
        connection.execute("INSERT INTO words (words, rank) VALUES ('integrity-check', 1)")
        [(orphan_chunks,)] = connection.execute(
            "SELECT count(*) FROM chunks WHERE vector_key NOT IN (SELECT key FROM vectors) "
            "OR document NOT IN (SELECT number FROM documents)"
        )
        [(mismarked,)] = connection.execute(
            "SELECT count(*) FROM vectors WHERE (orphaned_at IS NULL) != "
            "EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)"
        )
        assert (orphan_chunks, mismarked) == (0, 0)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python source in another process that can import this module."""
    return subprocess.run(
        [sys.executable, "-c", f"from test_store import *\n{script}", *map(str, arguments)],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# --- what goes in comes out -----------------------------------------------------------------


def test_documents_and_chunks_come_back_as_they_were_written(store: Store):
    every = {chunk.id: as_read(chunk) for one in LIBRARY for chunk in one.chunks}

    assert store.documents() == {one.document.path: one.document for one in LIBRARY}
    assert store.chunks(["gone", *every]) == every
    assert store.identity == IDENTITY
    assert store.generation == 1


def test_the_index_tells_how_much_it_holds(store: SQLiteStore):
    assert store.counts() == Counts(3, 6, 6, longest_chunk_tokens=9, last_ingest=NOW)


def test_text_of_any_kind_survives(folder: Path):
    odd = make("ünïcode/ß.md", 'H: a\0b "quoted" \u2028 \x85 \U0001f600', title="\ud800 half")

    fill(folder, odd)

    with open_store(folder) as store:
        assert store.chunks([odd.chunks[0].id]) == {odd.chunks[0].id: as_read(odd.chunks[0])}
        assert store.documents()["ünïcode/ß.md"].title == "? half"


@pytest.mark.parametrize(
    ("anchors", "stored"),
    [
        (Anchors("setup", "setup", "setup"), ""),
        (Anchors("setup", "setup_1", "setup-1"), '["setup", "setup_1", "setup-1"]'),
        (Anchors(), '["", "", ""]'),
    ],
)
def test_the_anchors_of_each_publisher_come_back_and_equal_ones_take_no_room(
    folder: Path, anchors: Anchors, stored: str
):
    one = make("a.md", "Setup: Install it.")
    chunk = replace(one.chunks[0], anchors=anchors)

    fill(folder, Indexed(one.document, [chunk]))

    assert query(folder, "SELECT anchors FROM chunks") == [(stored,)]
    with open_store(folder) as store:
        assert store.chunks([chunk.id]) == {chunk.id: as_read(chunk)}


def test_neighbours_stand_before_and_after_in_order(store: Store):
    first, middle, last = (as_read(chunk) for chunk in NGINX.chunks)

    assert store.neighbours(middle.id, 1) == [first, last]
    assert store.neighbours(first.id, 1) == [middle]
    assert store.neighbours(last.id, 5) == [first, middle]
    assert store.neighbours("gone", 1) == []


def test_the_root_is_found_again_when_both_folders_move_together(library: Path, tmp_path: Path):
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    shutil.move(library, moved)
    shutil.move(tmp_path / "docs", moved)

    with open_store(moved / ".askmd", IDENTITY) as store:
        assert store.root == (moved / "docs").resolve()
    with open_writer(moved / ".askmd", IDENTITY, moved / "docs") as writer:
        assert len(writer.documents()) == 3


# --- searching ------------------------------------------------------------------------------


def test_the_nearest_chunk_is_the_one_with_the_same_vector(store: Store):
    chunk = NGINX.chunks[1]

    [found] = store.dense(embed(chunk.embedded), 1, ALL)

    assert found == Scored(chunk.id, pytest.approx(1.0, abs=1e-6))


def test_dense_search_is_exact_and_in_order(store: Store):
    chunks = [chunk for one in LIBRARY for chunk in one.chunks]
    question = embed("anything")
    truth = {chunk.id: float(embed(chunk.embedded) @ question) for chunk in chunks}

    found = store.dense(question, 100, ALL)

    assert [one.id for one in found] == sorted(truth, key=truth.__getitem__, reverse=True)
    assert {one.id: one.score for one in found} == pytest.approx(truth, abs=1e-6)
    ids = ["gone", *truth]
    assert store.cosines(question, ids) == pytest.approx([-1.0, *truth.values()], abs=1e-6)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["guides/**"], [NGINX, SSH]),
        (["index.md"], [HOME]),
        (["tag=PROXY"], [NGINX]),
        (["draft=true", "guides/"], [SSH]),
        (["nothing/"], []),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_filter_leaves_the_best_of_what_passes(
    store: Store, filters: list[str], expected: list[Indexed], limit: int
):
    where = parse_filter(filters)
    passing = {chunk.id for one in expected for chunk in one.chunks}
    question = embed("anything")

    dense = store.dense(question, limit, where)
    words = store.words(["nginx", "ssh", "gateway", "keys"], limit, where)

    def among_passing(found: list[Scored]) -> list[Scored]:
        return [one for one in found if one.id in passing][:limit]

    assert dense == among_passing(store.dense(question, 50, ALL))
    unfiltered = store.words(["nginx", "ssh", "gateway", "keys"], 50, ALL)
    assert words == among_passing(unfiltered)


def test_a_heading_filter_chooses_single_chunks(store: Store):
    where = parse_filter(["heading=reverse"])

    assert best(store, "anything", 10, where) == [NGINX.chunks[1].id]
    assert [one.id for one in store.words(["nginx"], 10, where)] == [NGINX.chunks[1].id]


def test_words_are_found_in_text_heading_and_title_and_higher_is_better(store: Store):
    proxy, errors = NGINX.chunks[1], NGINX.chunks[2]

    assert [one.id for one in store.words(["gateways"], 9, ALL)] == [errors.id]
    assert [one.id for one in store.words(["proxy"], 9, ALL)] == [proxy.id]
    assert store.words(["servers"], 9, ALL)[0].id == NGINX.chunks[0].id
    scores = [one.score for one in store.words(["nginx", "ssh"], 9, ALL)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] > 0
    assert len(scores) == 5


@pytest.mark.parametrize(
    "terms",
    [
        ["what's", "the", 'key"?'],
        ["AND", "OR", "NOT", "NEAR(", "nginx*"],
        ['"', "'", "''", '""', "*", "^", "-", "(", ")", "{", "}", ":", "+", "\\", "\0", "; DROP"],
        ["text:nginx", "words_heading:", "a\0b", "\ud800", "検索", "😀", ""],
        [f"term{number}" for number in range(5_000)],
    ],
)
def test_whatever_is_asked_is_words_and_never_syntax(store: Store, terms: list[str]):
    found = store.words([*terms, "gateway"], 50, ALL)

    assert NGINX.chunks[2].id in [one.id for one in found]
    assert held(store, [*terms, "gateway"]) >= {"gateway"}


CHINESE = make("zh.md", "设置: 打开配置文件，修改端口号。", "重启: 然后重新启动服务器。")
THAI = make("th.md", "การตั้งค่า: เปิดไฟล์และเปลี่ยนพอร์ต")
PICTURE = make("picture.md", f"Logo: The quokka ![](data:image/png;base64,{'QUJD' * 99})")
SCRIPTS = (CHINESE, THAI, PICTURE, NGINX)


def test_words_without_spaces_are_found_inside_their_sentence(folder: Path):
    fill(folder, *SCRIPTS)

    with open_store(folder) as store:
        found = {
            term: [one.id for one in store.words([term], 9, ALL)]
            for term in ("配置", "配置文件", "文置", "件", "。", "设", "พอร์ต", "quokka", "QUJD")
        }
        assert held(store, found) == {term for term, ids in found.items() if ids}
    [first, _], [thai], [picture] = CHINESE.chunks, THAI.chunks, PICTURE.chunks
    assert found == {
        "配置": [first.id],
        "配置文件": [first.id],
        "文置": [],
        "件": [first.id],
        "。": [],
        "设": [first.id],
        "พอร์ต": [thai.id],
        "quokka": [picture.id],
        "QUJD": [],
    }


def test_only_text_that_is_searched_otherwise_is_kept_a_second_time(folder: Path):
    fill(folder, *SCRIPTS)

    rows = query(
        folder, "SELECT path, words_text FROM chunks JOIN documents ON document = documents.number"
    )

    assert {path for path, words in rows if words is None} == {"guides/nginx.md"}
    assert ("zh.md", " 然后 后重 重新 新启 启动 动服 服务 务器 器 。") in rows


def test_the_words_of_every_script_stay_true_through_changes_and_can_be_rebuilt(folder: Path):
    fill(folder, *SCRIPTS)
    kept = make("zh.md", "设置: 打开配置文件，修改端口号。", "重启: Then restart the server.")
    fill(folder, kept, removed=["th.md"])
    assert_whole(folder)

    with open_store(folder) as store:
        assert held(store, ["服务", "พอ", "配置", "restart"]) == {"配置", "restart"}
    connection = sqlite3.connect(database_of(folder))
    before = connection.execute("SELECT * FROM words('配置 OR nginx') ORDER BY rowid").fetchall()
    connection.execute("UPDATE chunks SET words_text = NULL WHERE words_text IS NOT NULL")
    assert connection.execute("SELECT * FROM words('配置')").fetchall() == []
    connection.rollback()
    connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
    assert (
        before
        == connection.execute("SELECT * FROM words('配置 OR nginx') ORDER BY rowid").fetchall()
    )
    connection.close()
    assert_whole(folder)


@pytest.mark.parametrize("column", ["words_text", "words_heading", "anchors"])
def test_what_is_derived_for_a_search_is_under_the_chunks_checksum(folder: Path, column: str):
    fill(folder, CHINESE)
    connection = sqlite3.connect(database_of(folder))
    connection.execute(f"UPDATE chunks SET {column} = 'forged'")
    connection.commit()
    connection.close()

    with (
        open_store(folder) as store,
        pytest.raises(IndexCorrupt, match=r"a chunk of zh\.md has changed"),
    ):
        store.chunks([CHINESE.chunks[0].id])


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        ("हिन्दी में लिखी किताब", ["किताब", "हिन्दी"], ["कि", "ताब"]),
        ("Das Café in Zürich", ["cafe", "CAFÉ", "zürich", "Zu\u0308rich"], ["caf"]),
        ("كِتَابٌ قديم", ["كتاب", "قديم"], ["كت"]),
        ("סֵפֶר ישן", ["ספר", "ישן"], ["ספ"]),
        ("Ещё одна ёлка", ["еще", "елка", "ЁЛКА"], ["лка"]),
        ("Η ΟΔΟΣ της Αθήνας", ["οδός", "αθηνας", "Αθήνας"], ["θήνα"]),
        ("step 1\ufe0f\u20e3 of ⚠\ufe0f danger", ["1", "danger"], ["\ufe0f", "\u20e3"]),
        ("ＡＰＩ　２．０", ["api", "API", "2.0"], ["ap"]),
    ],
    ids=["Hindi", "Latin", "Arabic", "Hebrew", "Russian", "Greek", "emoji", "full width"],
)
def test_a_word_is_whole_with_its_marks_and_found_as_people_type_it(
    folder: Path, text: str, found: list[str], not_found: list[str]
):
    fill(folder, make("a.md", f"H: {text}"))

    with open_store(folder) as store:
        assert held(store, [*found, *not_found]) == set(found)


def test_no_terms_and_no_limit_find_nothing(store: Store):
    assert store.words([], 10, ALL) == []
    assert store.words(["", " "], 10, ALL) == []
    assert store.words(["nginx"], 0, ALL) == []
    assert store.dense(embed("x"), 0, ALL) == []


def test_the_index_knows_which_words_occur_at_all(store: SQLiteStore):
    assert held(store, ["Gateways", "pasta", "?", ""]) == {"Gateways"}


def test_an_index_without_vectors_finds_nothing(folder: Path):
    with open_writer(folder, replace(IDENTITY, dim=0), folder.parent / "docs") as writer:
        writer.finish(NOW)

    with open_store(folder, IDENTITY) as store:
        assert store.dense(embed("x"), 5, ALL) == []
        assert store.cosines(embed("x"), ["a"]) == [-1.0]
        assert store.words(["x"], 5, ALL) == []


@pytest.mark.parametrize("question", [embed("x", 8), np.full(DIM, np.nan, dtype=np.float32)])
def test_a_question_of_another_kind_is_refused(store: Store, question: Vector):
    with pytest.raises((IndexMismatch, EmbeddingError)):
        store.dense(question, 5, ALL)


# --- writing only what changed --------------------------------------------------------------


def test_a_renamed_document_costs_no_embedding(library: Path):
    renamed = make("moved/nginx.md", "Nginx: Nginx serves static files.")
    keys = {vector_key(chunk.embedded) for chunk in renamed.chunks}

    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        assert writer.known_keys(list(keys)) == keys
        writer.write([renamed], removed=["guides/nginx.md"])
        writer.finish(NOW)

    with open_store(library, IDENTITY) as store:
        assert best(store, renamed.chunks[0].embedded) == [renamed.chunks[0].id]
        assert "guides/nginx.md" not in store.documents()
    assert_whole(library)


def test_a_chunk_that_only_moved_keeps_its_number_and_its_place_is_new(library: Path):
    before = dict(query(library, "SELECT id, number FROM chunks"))
    first, *rest = (as_read(c) for c in NGINX.chunks)
    text = "Nginx > New: Something above."
    edited = make(
        "guides/nginx.md",
        "Nginx: Nginx serves static files.",
        text,
        "Nginx > Reverse proxy: Pass requests on with proxy_pass.",
        "Nginx > Errors: A 502 says bad gateway.",
    )

    fill(library, edited)

    after = dict(query(library, "SELECT id, number FROM chunks"))
    new = edited.chunks[1].id
    stays = rest[0].id, rest[1].id
    assert {id: after[id] for id in stays} == {id: before[id] for id in stays}
    assert after[new] > max(before.values())
    with open_store(library, IDENTITY) as store:
        assert store.neighbours(new, 1) == [first, as_read(edited.chunks[2])]
        assert store.chunks([rest[1].id])[rest[1].id].lines == (7, 8)
        assert store.words(["serves"], 9, ALL) != []
        assert held(store, ["web"]) == set()
    assert_whole(library)


def test_a_chunk_whose_vector_changed_gets_a_new_number(library: Path):
    chunk = HOME.chunks[0]
    other = replace(chunk, embedded="another breadcrumb\n" + chunk.text)
    before = dict(query(library, "SELECT id, number FROM chunks"))

    fill(library, Indexed(HOME.document, [other]))

    after = dict(query(library, "SELECT id, number FROM chunks"))
    assert after[chunk.id] > max(before.values())
    with open_store(library, IDENTITY) as store:
        assert best(store, other.embedded) == [chunk.id]
        assert store.cosines(embed(chunk.embedded), [chunk.id])[0] < 0.99


def test_two_chunks_may_share_one_vector(folder: Path):
    twins = [make(name, "Same: The same text.") for name in ("a.md", "b.md")]

    fill(folder, *twins)

    with open_store(folder, IDENTITY) as store:
        assert store.counts().vectors == 1
        assert set(best(store, twins[0].chunks[0].embedded, 9)) == {t.chunks[0].id for t in twins}
    fill(folder, removed=["a.md"])
    with open_store(folder, IDENTITY) as store:
        assert best(store, twins[1].chunks[0].embedded, 9) == [twins[1].chunks[0].id]
    assert_whole(folder)


def test_a_removed_document_is_gone_from_every_answer(library: Path):
    fill(library, removed=["guides/nginx.md", "never/was.md"])

    with open_store(library, IDENTITY) as store:
        assert store.words(["gateway"], 9, ALL) == []
        assert set(best(store, "x", 9)) == {c.id for c in (*SSH.chunks, *HOME.chunks)}
        assert set(store.documents()) == {"guides/ssh.md", "index.md"}
    assert_whole(library)


def test_unused_vectors_wait_thirty_days_or_go_at_once(library: Path):
    docs = library.parent / "docs"
    seconds = 1_000_000.0
    with open_writer(library, IDENTITY, docs, now=lambda: seconds) as writer:
        writer.write([], removed=["guides/nginx.md"])
        writer.put_vectors({b"early": embed("early")})
        assert writer.sweep() == 0
        assert writer.counts().vectors == 7
        seconds += 31 * 24 * 3600
        assert writer.sweep() == 4
        writer.write([], removed=["index.md"])
        assert writer.sweep() == 0
        assert writer.sweep(everything=True) == 1
        assert writer.counts().vectors == 2
    assert_whole(library)


def test_a_vector_that_is_used_again_is_not_swept(library: Path):
    fill(library, removed=["index.md"])
    fill(library, HOME)

    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        assert writer.sweep(everything=True) == 0
    assert_whole(library)


def test_stamps_are_renewed_without_a_new_generation(library: Path):
    stamp = Stamp(10, 20, 30, 40)
    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        writer.touch({"index.md": stamp})

    with open_store(library) as store:
        assert store.documents()["index.md"] == replace(HOME.document, stamp=stamp)
        assert store.generation == 1


def test_every_write_is_one_generation_in_the_manifest_too(folder: Path):
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        generations = [writer.generation]
        for one in LIBRARY:
            generations.append(writer.write([one], vectors=vectors_of(one)))
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            assert manifest["generation"] == generations[-1]
        writer.put_vectors({b"k": embed("k")})
        generations.append(writer.write([], vectors={b"l": embed("l")}))

    assert generations == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("vector", "error"),
    [
        (embed("x") * 1.01, EmbeddingError),
        (np.zeros(DIM, dtype=np.float32), EmbeddingError),
        (np.full(DIM, np.nan, dtype=np.float32), EmbeddingError),
        (np.full(DIM, np.inf, dtype=np.float32), EmbeddingError),
        (embed("x").astype(np.float64), EmbeddingError),
        (embed("x")[None], EmbeddingError),
        (embed("x", 8), IndexMismatch),
    ],
    ids=["long", "zero", "nan", "inf", "float64", "matrix", "dimension"],
)
def test_a_bad_vector_is_refused_with_everything_beside_it(
    library: Path, vector: Vector, error: type[Exception]
):
    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        before = writer.counts()
        with pytest.raises(error):
            writer.put_vectors({b"good": embed("good"), b"bad": vector})
        with pytest.raises(error):
            writer.write([], removed=["index.md"], vectors={b"bad": vector})

        assert writer.counts() == before


def test_a_chunk_without_a_vector_rolls_the_whole_write_back(library: Path):
    new = make("new.md", "New: Nobody embedded this.")
    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        before = writer.documents()
        with pytest.raises(EmbeddingError, match=r"1 chunks of new\.md have no vector"):
            writer.write([new], removed=["index.md"])

        assert writer.documents() == before
        assert writer.generation == 1


def test_two_chunks_with_one_id_are_refused_and_not_merged(library: Path):
    chunk = HOME.chunks[0]
    with (
        open_writer(library, IDENTITY, library.parent / "docs") as writer,
        pytest.raises(IndexFault, match="one id"),
    ):
        writer.write([Indexed(HOME.document, [chunk, chunk])])


# --- identity and root ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "field", ["provider", "model", "revision", "query_prefix", "passage_prefix", "tokenizer"]
)
def test_an_index_of_another_identity_is_refused_by_name(library: Path, field: str):
    other = replace(IDENTITY, **{field: "other"})

    with pytest.raises(IndexMismatch, match=f"{field} .*{field} 'other'") as caught:
        open_store(library, other)
    assert "askmd ingest --rebuild" in caught.value.next_step
    with pytest.raises(IndexMismatch, match=f"{field} 'other'"):
        open_writer(library, other, library.parent / "docs")


def test_other_dimension_bound_chunker_or_length_is_refused(library: Path):
    for other in (
        replace(IDENTITY, dim=8),
        replace(IDENTITY, max_tokens=100),
        replace(IDENTITY, chunker=2),
        replace(IDENTITY, normalised=False),
    ):
        with pytest.raises(IndexMismatch):
            open_store(library, other)


def test_an_unknown_dimension_equals_any_and_is_learnt_from_the_first_vector(folder: Path):
    unknown = replace(IDENTITY, dim=0)

    fill(folder, *LIBRARY, identity=unknown)

    with open_store(folder, unknown) as store:
        assert store.identity == IDENTITY
    fill(folder, HOME, identity=unknown)
    with open_store(folder, IDENTITY) as store:
        assert best(store, HOME.chunks[0].embedded) == [HOME.chunks[0].id]
    with (
        open_writer(folder, unknown, folder.parent / "docs") as writer,
        pytest.raises(IndexMismatch, match="8 numbers, the index holds 16"),
    ):
        writer.put_vectors({b"k": embed("k", 8)})


def test_a_dimension_asked_for_binds_an_index_that_has_no_vector_yet(folder: Path):
    docs = folder.parent / "docs"
    with open_writer(folder, replace(IDENTITY, dim=0), docs):
        pass
    with open_writer(folder, IDENTITY, docs) as writer, pytest.raises(IndexMismatch):
        writer.put_vectors({b"k": embed("k", 8)})


@pytest.mark.parametrize("rebuild", [False, True], ids=["ingest", "rebuild"])
def test_an_index_that_holds_nothing_takes_other_settings_and_another_root(
    folder: Path, rebuild: bool
):
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    with open_writer(folder, IDENTITY, folder.parent / "docs"):
        pass  # its embedder was not there

    with open_writer(folder, OTHER, elsewhere, rebuild=rebuild) as writer:
        assert writer.identity == OTHER
        writer.write([HOME], vectors=vectors_of(HOME))
        writer.finish(NOW)

    with open_store(folder, OTHER) as store:
        assert (store.root, set(store.documents())) == (elsewhere.resolve(), {"index.md"})
        assert best(store, HOME.chunks[0].embedded) == [HOME.chunks[0].id]
    with pytest.raises(IndexMismatch):
        open_writer(folder, IDENTITY, elsewhere)


def test_an_index_that_holds_no_more_than_vectors_keeps_its_settings(folder: Path):
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        writer.put_vectors(vectors_of(HOME))

    with pytest.raises(IndexMismatch, match="model 'other'"):
        open_writer(folder, OTHER, folder.parent / "docs")


def test_another_root_is_refused_and_names_the_option(library: Path, tmp_path: Path):
    for rebuild in (False, True):
        with pytest.raises(IndexMismatch, match="belongs to") as caught:
            open_writer(library, IDENTITY, tmp_path / "other", rebuild=rebuild)
        assert "--index" in caught.value.next_step


# --- the folder -----------------------------------------------------------------------------


def test_no_index_is_an_error_that_names_the_command_and_makes_nothing(tmp_path: Path):
    with pytest.raises(NoIndex, match="no index in") as caught:
        open_store(tmp_path / "none")

    assert caught.value.next_step == "run `askmd ingest FOLDER`"
    assert not (tmp_path / "none").exists()


@POSIX
def test_only_the_owner_can_read_the_index(folder: Path):
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        writer.write([HOME], vectors=vectors_of(HOME))
        during = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
        writer.finish(NOW)
    after = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(during.values()) == set(after.values()) == {0o600}
    assert (folder / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_a_folder_with_other_files_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "thesis.md").write_text("# Years of work", encoding="utf-8")

    with pytest.raises(IndexFault, match=r"thesis\.md") as caught:
        open_writer(tmp_path, IDENTITY, tmp_path)

    assert "--index" in caught.value.next_step
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.md"]


def test_a_file_in_the_folder_s_place_is_one_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("x", encoding="utf-8")

    with pytest.raises(IndexFault, match="file"):
        open_writer(tmp_path / "file", IDENTITY, tmp_path)
    with pytest.raises(NoIndex):
        open_store(tmp_path / "file")


def test_every_file_is_listed_with_its_size(store: SQLiteStore, library: Path):
    listed = dict(store.files())

    files = {database_of(library), vectors_of_index(library), library / "manifest.json"}
    assert files <= set(listed)
    assert all(path.stat().st_size == size for path, size in listed.items())


def test_leftovers_of_crashes_are_swept_and_other_files_are_not(library: Path):
    leftovers = ["index-0123456789abcdef.sqlite3", "index-0123456789abcdef.sqlite3-wal"]
    leftovers += ["vectors-0123456789abcdef.faiss", "manifest.json.0123456789abcdef.tmp"]
    for name in (*leftovers, "notes.tmp", "index-mine.sqlite3"):
        (library / name).touch()

    fill(library, HOME)

    names = {file.name for file in library.iterdir()}
    assert names.isdisjoint(leftovers)
    assert {"notes.tmp", "index-mine.sqlite3"} <= names


def test_importing_the_store_loads_neither_numpy_nor_faiss():
    script = "import sys, askmd.store; print({'numpy', 'faiss'} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "set()"


# --- one writer, many readers ---------------------------------------------------------------


def test_a_second_writer_is_told_who_holds_the_lock(library: Path):
    script = """
try:
    open_writer(Path(sys.argv[1]), IDENTITY, Path(sys.argv[1]).parent / "docs")
except IndexLocked as error:
    print(error)
"""
    with open_writer(library, IDENTITY, library.parent / "docs"):
        done = run(script, library)
        with pytest.raises(IndexLocked):
            open_writer(library, IDENTITY, library.parent / "docs")

    assert f"process {os.getpid()} is writing the index" in done.stdout, done.stderr
    fill(library, HOME)


def test_a_writer_that_fails_to_open_lets_go_of_the_lock(library: Path):
    with pytest.raises(IndexMismatch):
        open_writer(library, replace(IDENTITY, model="other"), library.parent / "docs")

    fill(library, HOME)


def test_of_many_first_writers_each_succeeds_or_is_told_to_wait(folder: Path):
    outcomes: list[str] = []

    def create(number: int) -> None:
        one = make(f"{number}.md", f"H{number}: Text number {number}.")
        try:
            fill(folder, one)
            outcomes.append(one.document.path)
        except IndexLocked:
            outcomes.append("locked")

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 8
    with open_store(folder, IDENTITY) as store:
        assert set(store.documents()) == set(outcomes) - {"locked"} != set()
    assert_whole(folder)


def test_a_reader_sees_the_next_generation_at_its_next_call(store: SQLiteStore, library: Path):
    new = make("new.md", "New: Fresh words about pasta.")
    assert best(store, new.chunks[0].embedded) != [new.chunks[0].id]

    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        writer.write([new], removed=["index.md"], vectors=vectors_of(new))
        assert store.generation == 2
        assert best(store, new.chunks[0].embedded) == [new.chunks[0].id]
        assert [one.id for one in store.words(["pasta"], 9, ALL)] == [new.chunks[0].id]
        assert best(store, "x", 99, parse_filter(["index.md"])) == []


def version(number: int) -> list[Indexed]:
    return [make(f"v/{name}.md", f"V{number}: v{number} {name} text.") for name in "abcd"]


NUMBERS = {one.chunks[0].id: number for number in range(30) for one in version(number)}


def watch(store: Store, done: threading.Event, faults: list[Exception]) -> None:
    """Search until told to stop: no answer may mix generations, or be older than the last."""
    last = 0
    try:
        while not done.is_set():
            [dense] = {NUMBERS[one.id] for one in store.dense(embed("x"), 9, ALL)}
            [words] = {NUMBERS[one.id] for one in store.words(["text"], 9, ALL)}
            assert last <= dense <= words
            last = words
    except Exception as error:
        faults.append(error)


def test_threads_read_whole_generations_while_a_writer_commits(library: Path):
    done, faults = threading.Event(), list[Exception]()
    fill(library, *version(0), removed=[one.document.path for one in LIBRARY])
    store = open_store(library, IDENTITY)
    threads = [threading.Thread(target=watch, args=(store, done, faults)) for _ in range(4)]
    for thread in threads:
        thread.start()

    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        for number in range(1, 30):
            writer.write(version(number), vectors=vectors_of(*version(number)))
        writer.finish(NOW)
    done.set()
    for thread in threads:
        thread.join()

    assert faults == []
    assert {NUMBERS[id] for id in best(store, "x", 9)} == {29}
    store.close()


def test_a_thread_s_connection_ends_with_the_thread(store: SQLiteStore):
    for _ in range(5):
        thread = threading.Thread(target=store.counts)
        thread.start()
        thread.join()

    assert len(store._connections) == 1


def test_one_document_is_found_by_its_path(store: SQLiteStore):
    known = store.documents()
    assert {path: store.document(path) for path in known} == known
    assert store.document("nowhere.md") is None


def test_a_closed_store_says_so_and_closes_twice(library: Path):
    store = open_store(library)
    store.close()
    store.close()

    with pytest.raises(IndexFault, match="closed"):
        store.counts()


@POSIX
def test_a_read_only_index_is_searched_and_nothing_is_created(library: Path):
    script = """
import numpy.ma, askmd.store.snapshots, askmd.store.word_search, askmd.store.word_runs
if os.geteuid() == 0:
    # Root may write everywhere, so the reader is somebody else.
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
with open_store(Path(sys.argv[1]), IDENTITY) as store:
    print(len(store.dense(embed("x"), 9, ALL)), len(store.words(["nginx"], 9, ALL)))
"""
    before = sorted(library.iterdir())
    for file in before:
        file.chmod(0o444)
    library.chmod(0o555)
    for parent in library.parents:
        if parent.stat().st_uid == os.geteuid() and parent.name.startswith(
            ("pytest-", "popen-", "test_")
        ):
            parent.chmod(0o755)
    try:
        done = run(script, library)
    finally:
        library.chmod(0o700)

    assert done.stdout == "6 4\n", done.stderr
    assert sorted(library.iterdir()) == before


def test_closing_while_other_threads_search_waits_for_them(library: Path):
    faults: list[str] = []

    def search(store: SQLiteStore) -> None:
        try:
            while True:
                store.words(["nginx", "ssh"], 9, ALL)
        except IndexFault as fault:
            faults.append(fault.message)

    for _ in range(20):
        store = open_store(library)
        threads = [threading.Thread(target=search, args=(store,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        store.words(["nginx"], 9, ALL)
        store.close()
        for thread in threads:
            thread.join()

    assert faults == [f"the index in {library} was closed"] * 60


# --- rebuild --------------------------------------------------------------------------------

OTHER = replace(IDENTITY, model="other")


def test_readers_keep_the_old_index_until_the_rebuilt_one_is_published(library: Path):
    old = database_of(library)
    with open_store(library) as store:
        with open_writer(library, OTHER, library.parent / "docs", rebuild=True) as writer:
            assert writer.documents() == {}
            writer.write([HOME], vectors=vectors_of(HOME))
            assert (store.identity, len(store.documents())) == (IDENTITY, 3)
            generation = store.generation
            writer.finish(NOW)
            assert writer.counts() == Counts(1, 1, 1, 7, NOW)

        assert (store.identity, set(store.documents())) == (OTHER, {"index.md"})
        assert store.generation > generation
        assert best(store, "x", 9) == [HOME.chunks[0].id]
    assert not old.exists()
    assert not list(library.glob("rebuild-*"))
    assert len(list(library.glob("*.sqlite3"))) == len(list(library.glob("vectors-*"))) == 1
    assert_whole(library)


def test_a_rebuild_is_newer_than_an_index_that_was_left_ahead_of_its_manifest(library: Path):
    manifest = library / "manifest.json"
    before = manifest.read_bytes()
    for path in ("one.md", "two.md", "three.md"):
        fill(library, make(path, f"{path}: Something new."))
    manifest.write_bytes(before)
    with open_store(library) as store:
        ahead = store.generation
        # Empty: no write of its own makes it newer.
        with open_writer(library, IDENTITY, library.parent / "docs", rebuild=True) as writer:
            writer.finish(NOW)
        assert store.generation > ahead
        assert store.documents() == {}


def test_a_reader_with_an_embedder_refuses_what_a_rebuild_put_in_place(store: Store, library: Path):
    fill(library, HOME, rebuild=True, identity=OTHER)

    with pytest.raises(IndexMismatch, match="model 'other'"):
        store.dense(embed("x"), 9, ALL)


def test_a_broken_off_rebuild_leaves_the_old_index_and_gives_its_vectors_to_the_next(
    library: Path,
):
    docs = library.parent / "docs"
    keys = set(vectors_of(HOME, SSH))
    with open_writer(library, OTHER, docs, rebuild=True) as writer:
        writer.write([HOME], vectors=vectors_of(HOME))
        writer.put_vectors(vectors_of(SSH))

    with open_store(library, IDENTITY) as store:
        assert len(store.documents()) == 3
    fill(library, NGINX)
    with open_writer(library, OTHER, docs, rebuild=True) as writer:
        assert writer.documents() == {}
        assert writer.known_keys(keys) == keys
        writer.write([HOME, SSH])
        writer.finish(NOW)

    with open_store(library, OTHER) as store:
        assert set(store.documents()) == {"index.md", "guides/ssh.md"}
        assert store.words(["nginx"], 9, ALL) != []
    assert_whole(library)


def test_a_broken_off_rebuild_of_another_identity_is_thrown_away(library: Path):
    docs = library.parent / "docs"
    with open_writer(library, OTHER, docs, rebuild=True) as writer:
        writer.write([HOME], vectors=vectors_of(HOME))
    third = replace(IDENTITY, model="third")

    with open_writer(library, third, docs, rebuild=True) as writer:
        assert writer.known_keys(set(vectors_of(HOME))) == set()
        assert len(list(library.glob("rebuild-*.sqlite3"))) == 1


def test_a_rebuild_nobody_takes_up_again_is_swept(library: Path):
    docs = library.parent / "docs"
    with open_writer(library, OTHER, docs, rebuild=True) as writer:
        writer.write([HOME], vectors=vectors_of(HOME))
    with open_writer(library, IDENTITY, docs) as writer:
        writer.sweep()
        assert len(list(library.glob("rebuild-*.sqlite3"))) == 1
        writer.sweep(everything=True)

    assert list(library.glob("rebuild-*")) == []


def test_a_damaged_unfinished_rebuild_is_thrown_away(library: Path):
    (library / "rebuild-0123456789abcdef.sqlite3").write_bytes(b"nonsense" * 1000)

    fill(library, HOME, rebuild=True)

    with open_store(library, IDENTITY) as store:
        assert set(store.documents()) == {"index.md"}


def test_an_empty_rebuild_is_published_too(library: Path):
    with open_store(library) as store:
        fill(library, rebuild=True)

        assert (store.documents(), store.generation) == ({}, 2)
        assert best(store, "x") == []


def test_a_rebuild_needs_no_index_to_begin_with(folder: Path):
    fill(folder, HOME, rebuild=True)

    with open_store(folder, IDENTITY) as store:
        assert set(store.documents()) == {"index.md"}


# --- what breaks ----------------------------------------------------------------------------


def kill_during_write(folder: Path) -> subprocess.CompletedProcess[str]:
    """Write a change in a process that dies in the middle of its transaction."""
    script = """
class Deadly(list):
    def __iter__(self):
        yield from list.__iter__(self)
        os._exit(9)

with open_writer(Path(sys.argv[1]), IDENTITY, Path(sys.argv[1]).parent / "docs") as writer:
    new = make("new.md", "New: A document that comes too late.")
    writer.put_vectors({b"kept": embed("kept")})
    writer.write(Deadly([new]), removed=["index.md"], vectors=vectors_of(new))
"""
    return run(script, folder)


def test_a_writer_killed_in_a_transaction_leaves_the_last_commit(library: Path):
    died = kill_during_write(library)

    assert died.returncode == 9, died.stderr
    with open_store(library, IDENTITY) as store:
        assert store.documents() == {one.document.path: one.document for one in LIBRARY}
        assert store.generation == 1
    with open_writer(library, IDENTITY, library.parent / "docs") as writer:
        assert writer.known_keys([b"kept"]) == {b"kept"}
        new = make("new.md", "New: A document that comes too late.")
        assert writer.write([new], removed=["index.md"], vectors=vectors_of(new)) == 2
    assert_whole(library)


def test_a_crash_between_commit_and_manifest_is_no_loss(library: Path):
    manifest = (library / "manifest.json").read_bytes()
    fill(library, removed=["index.md"])
    (library / "manifest.json").write_bytes(manifest)

    with open_store(library, IDENTITY) as store:
        assert store.generation == 2
    with open_writer(library, IDENTITY, library.parent / "docs"):
        assert (
            json.loads((library / "manifest.json").read_text(encoding="utf-8"))["generation"] == 2
        )


def test_a_database_that_lost_commits_is_noticed_and_mended_by_the_next_ingest(
    library: Path, caplog: pytest.LogCaptureFixture
):
    database = database_of(library)
    old = database.read_bytes()
    lost = make("lost.md", "Lost: This will be lost.")
    fill(library, lost)
    database.write_bytes(old)

    with pytest.raises(IndexCorrupt, match="lost its last 1 writes") as caught:
        open_store(library, IDENTITY)
    assert caught.value.next_step == "run `askmd ingest`"
    instead = make("instead.md", "Instead: Another text gets the same chunk number.")
    fill(library, instead)

    assert "lost its last 1 writes" in caplog.text
    with open_store(library, IDENTITY) as store:
        assert set(store.documents()) == {*(o.document.path for o in LIBRARY), "instead.md"}
        assert best(store, instead.chunks[0].embedded) == [instead.chunks[0].id]
        assert store.generation == 4
    assert_whole(library)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"nonsense\n" * 100,
        lambda data: data[:-20] + bytes([data[-20] ^ 4]) + data[-19:],
        lambda data: data[:30] + bytes([data[30] ^ 1]) + data[31:],
    ],
    ids=["half", "empty", "nonsense", "flipped", "header"],
)
def test_a_damaged_file_of_vectors_is_made_anew_and_said_in_the_log(
    library: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[bytes], bytes]
):
    file = vectors_of_index(library)
    sound = file.read_bytes()
    file.write_bytes(damage(sound))

    with caplog.at_level(logging.WARNING), open_store(library, IDENTITY) as store:
        for chunk in (*NGINX.chunks, *SSH.chunks):
            assert best(store, chunk.embedded) == [chunk.id]
    assert "made anew" in caplog.text
    fill(library)
    assert vectors_of_index(library).read_bytes()[: 6 * DIM * 4] == sound[: 6 * DIM * 4]


def test_a_missing_file_of_vectors_is_no_loss(library: Path):
    vectors_of_index(library).unlink()

    with open_store(library, IDENTITY) as store:
        assert best(store, HOME.chunks[0].embedded) == [HOME.chunks[0].id]
    fill(library)
    assert vectors_of_index(library).stat().st_size > 0


def test_an_older_file_of_vectors_is_brought_up_to_date(library: Path):
    file = vectors_of_index(library)
    old = file.read_bytes()
    new = make("new.md", "New: Fresh.", "New > More: Fresh as well.")
    fill(library, new, removed=["index.md"])
    for path in library.glob("vectors-*.segment"):
        path.unlink()
    file.write_bytes(old)

    with open_store(library, IDENTITY) as store:
        found = set(best(store, "x", 99))
        assert found == {c.id for one in (NGINX, SSH, new) for c in one.chunks}
        for chunk in (*new.chunks, *NGINX.chunks):
            assert best(store, chunk.embedded) == [chunk.id]


def test_the_vectors_of_another_index_are_not_used(library: Path, tmp_path: Path):
    other = tmp_path / "other" / ".askmd"
    (tmp_path / "other" / "docs").mkdir(parents=True)
    fill(other, *(make(one.document.path, "Else: x.", "Else: y.") for one in LIBRARY))
    shutil.copy(vectors_of_index(other), vectors_of_index(library))

    with open_store(library, IDENTITY) as store:
        assert best(store, HOME.chunks[0].embedded) == [HOME.chunks[0].id]


def test_the_database_of_another_index_is_not_read(library: Path, tmp_path: Path):
    other = tmp_path / "other" / ".askmd"
    (tmp_path / "other" / "docs").mkdir(parents=True)
    fill(other, HOME)
    shutil.copy(database_of(other), database_of(library))

    with pytest.raises(IndexCorrupt, match="not the database its manifest names"):
        open_store(library)


def canonical(store: Store) -> object:
    ids = [chunk.id for one in LIBRARY for chunk in one.chunks]
    cosines = store.cosines(embed("x"), ids)
    found = [(one.id, one.score) for one in store.dense(embed("x"), 9, ALL)]
    return store.chunks(ids), cosines, found


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.99])
def test_a_truncated_database_is_detected_or_harmless(library: Path, share: float):
    with open_store(library, IDENTITY) as store:
        truth = canonical(store)
    database = database_of(library)
    data = database.read_bytes()
    database.write_bytes(data[: int(len(data) * share)])

    try:
        with open_store(library, IDENTITY) as store:
            assert canonical(store) == truth
    except IndexCorrupt as error:
        assert database.name in error.message
        assert error.next_step == "run `askmd ingest --rebuild`"


def test_a_flipped_bit_in_the_database_never_gives_a_wrong_answer(library: Path):
    with open_store(library, IDENTITY) as store:
        truth = canonical(store)
    vectors_of_index(library).unlink()
    database = database_of(library)
    data = database.read_bytes()
    random = np.random.default_rng(7)
    verdicts = {"detected": 0, "harmless": 0}
    for position in (*range(0, 100, 7), *random.integers(100, len(data), 120)):
        flipped = bytearray(data)
        flipped[position] ^= 1 << random.integers(8)
        database.write_bytes(flipped)
        try:
            with open_store(library, IDENTITY) as store:
                assert canonical(store) == truth, f"byte {position}"
            verdicts["harmless"] += 1
        except (IndexFault, IndexMismatch):
            verdicts["detected"] += 1
        for companion in library.glob("*-shm"):
            companion.unlink()

    assert verdicts["detected"] > 5


ASKED: dict[str, Callable[[SQLiteStore], list[Scored]]] = {
    "dense": lambda store: store.dense(embed("x"), 9, ALL),
    "filtered": lambda store: store.dense(embed("x"), 9, parse_filter(["guides/", "tags=web"])),
    "words": lambda store: store.words(["nginx", "3"], 9, ALL),
}


@pytest.fixture(scope="session")
def larger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index whose tables are of several pages each."""
    folder = tmp_path_factory.mktemp("larger") / ".askmd"
    fill(
        folder,
        *(
            make(
                f"guides/{n}.md",
                *(f"H{n} > P{k}: {n} {k} nginx and ssh {'word ' * 40}" for k in range(4)),
                tags=["web"] if n % 2 else [],
            )
            for n in range(12)
        ),
    )
    return folder


@pytest.mark.parametrize("is_open", [False, True], ids=["opened after", "open before"])
@pytest.mark.parametrize("asked", ASKED)
def test_a_page_of_zeros_in_the_database_is_detected_or_harmless(
    folder: Path, larger: Path, asked: str, is_open: bool
):
    shutil.copytree(larger, folder)
    ask = ASKED[asked]
    with open_store(folder, IDENTITY) as store:
        truth = ask(store)
    database = database_of(folder)
    data = database.read_bytes()
    verdicts = {"detected": 0, "harmless": 0}
    for start in range(0, len(data), 1024):
        damaged = data[:start] + bytes(4096) + data[start + 4096 :]
        database.write_bytes(data if is_open else damaged)
        try:
            with open_store(folder, IDENTITY) as store:
                database.write_bytes(damaged)
                assert ask(store) == truth, f"zeros from byte {start}"
            verdicts["harmless"] += 1
        except IndexCorrupt as error:
            assert error.next_step in (MEND_STEP, REBUILD_STEP)
            verdicts["detected"] += 1
        for companion in folder.glob("*-shm"):
            companion.unlink()

    assert len(truth) == 9
    assert verdicts["detected"] > 5
    assert verdicts["harmless"] > 5


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("DELETE FROM chunks", "holds 0 chunks of 6"),
        ("DELETE FROM vectors", "6 chunks have 0 vectors"),
        ("DELETE FROM documents", "has lost a document"),
        ("UPDATE chunks SET id = x'00' WHERE number = 1", "lost chunks"),
        ("UPDATE vectors SET vector = 1", "a vector has changed"),
        ("UPDATE documents SET metadata = '{}'", "the document .* has changed"),
        ("UPDATE meta SET value = '7' WHERE key = 'chunks'", "description is not readable"),
        ("UPDATE meta SET value = 'x' WHERE key = 'chunks'", "description is not readable"),
    ],
)
def test_rows_that_do_not_agree_are_damage_and_never_an_empty_answer(
    library: Path, damage: str, message: str
):
    vectors_of_index(library).unlink()
    connection = sqlite3.connect(database_of(library))
    connection.execute(damage)
    connection.commit()
    connection.close()

    with pytest.raises(IndexCorrupt, match=message), open_store(library, IDENTITY) as store:
        store.dense(embed("x"), 3, parse_filter(["tags=web"]))
        store.dense(embed("x"), 3, ALL)
        store.chunks([HOME.chunks[0].id])


@pytest.mark.parametrize(
    ("damage", "ask"),
    [
        ("DELETE FROM vectors", lambda store: store.cosines(embed("x"), [HOME.chunks[0].id])),
        ("DELETE FROM documents", lambda store: store.places([HOME.chunks[0].id])),
        ("DELETE FROM documents", lambda store: store.neighbours(NGINX.chunks[0].id, 1)),
        (
            "DROP TRIGGER chunks_deleted; DELETE FROM chunks WHERE position > 0",
            lambda store: store.words(["ssh", "bad"], 9, ALL),
        ),
    ],
    ids=["a vector", "a document", "a neighbour's document", "a chunk of a word"],
)
def test_a_lost_row_is_damage_for_a_reader_that_is_open(
    store: SQLiteStore, library: Path, damage: str, ask: Callable[[SQLiteStore], object]
):
    # What stands in a segment is answered from there.
    vectors_of_index(library).unlink()
    connection = sqlite3.connect(database_of(library))
    connection.executescript(damage)
    connection.close()

    with pytest.raises(IndexCorrupt):
        ask(store)


def test_a_damaged_schema_that_is_not_utf_8_is_damage(library: Path):
    database = database_of(library)
    data = database.read_bytes()
    database.write_bytes(data.replace(b"CREATE TABLE meta", b"CREATE T\xff\xfeLE meta"))

    with pytest.raises(IndexCorrupt, match=database.name) as caught:
        open_store(library, IDENTITY)
    assert caught.value.next_step == "run `askmd ingest --rebuild`"


def test_a_writer_refuses_a_database_that_lost_chunks(library: Path):
    connection = sqlite3.connect(database_of(library))
    connection.execute("DELETE FROM chunks WHERE position > 0")
    connection.commit()
    connection.close()

    with pytest.raises(IndexCorrupt, match="holds 3 chunks of 6"):
        open_writer(library, IDENTITY, library.parent / "docs")


def make_former(library: Path) -> None:
    """Turn an index into what an earlier askmd made."""
    connection = sqlite3.connect(database_of(library))
    for column in ("numbers", "headings", "longest_tokens", "checksum"):
        connection.execute(f"ALTER TABLE documents DROP COLUMN {column}")
    known = "'uuid', 'generation', 'numbering', 'identity', 'root', 'last_ingest', 'segments'"
    connection.execute(f"DELETE FROM meta WHERE key NOT IN ({known})")
    connection.execute("INSERT INTO meta VALUES ('schema', '2')")
    connection.commit()
    connection.close()


def test_an_index_of_an_earlier_askmd_is_brought_up_to_date_where_it_stands(library: Path):
    with open_store(library, IDENTITY) as store:
        before = (store.documents(), best(store, "x", 9), store.words(["ssh"], 9, ALL))
    vectors = query(library, "SELECT * FROM vectors ORDER BY key")
    make_former(library)

    with pytest.raises(IndexMismatch, match="an earlier askmd") as caught:
        open_store(library, IDENTITY)
    assert caught.value.next_step == "run `askmd ingest`"
    open_writer(library, IDENTITY, library.parent / "docs").close()

    with open_store(library, IDENTITY) as store:
        after = (store.documents(), best(store, "x", 9), store.words(["ssh"], 9, ALL))
        counts = store.counts()
    assert after == before
    assert (counts.documents, counts.chunks, counts.vectors) == (3, 6, len(vectors))
    assert query(library, "SELECT * FROM vectors ORDER BY key") == vectors
    assert_whole(library)


def test_a_damaged_index_of_an_earlier_askmd_stays_as_it_is(library: Path):
    make_former(library)
    connection = sqlite3.connect(database_of(library))
    connection.execute("UPDATE chunks SET heading = '[]' WHERE position = 1")
    connection.commit()
    connection.close()

    with pytest.raises(IndexCorrupt, match=r"a chunk of .* has changed"):
        open_writer(library, IDENTITY, library.parent / "docs")
    assert query(library, "SELECT value FROM meta WHERE key = 'schema'") == [("2",)]


def test_a_changed_text_or_vector_is_detected(library: Path):
    vectors_of_index(library).unlink()
    connection = sqlite3.connect(database_of(library))
    connection.execute("UPDATE chunks SET text = 'forged', \"end\" = start + 6 WHERE position = 0")
    connection.execute("UPDATE vectors SET vector = zeroblob(64)")
    connection.commit()
    connection.close()

    with open_store(library, IDENTITY) as store:
        with pytest.raises(IndexCorrupt, match=r"a chunk of index\.md has changed"):
            store.chunks([HOME.chunks[0].id])
        with pytest.raises(IndexCorrupt, match="a vector has changed"):
            store.dense(embed("x"), 3, ALL)
        with pytest.raises(IndexCorrupt, match="a vector has changed"):
            store.cosines(embed("x"), [HOME.chunks[0].id])


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "[]", "{}", '{"format": 1, "database": "../../x", "uuid": "u", "generation": 1}'],
)
def test_a_damaged_manifest_is_corrupt_and_a_rebuild_mends_it(library: Path, manifest: str):
    (library / "manifest.json").write_text(manifest, encoding="utf-8")

    for attempt in (
        lambda: open_store(library),
        lambda: open_writer(library, IDENTITY, library.parent / "docs"),
    ):
        with pytest.raises(IndexCorrupt, match=r"manifest\.json") as caught:
            attempt()
        assert caught.value.next_step == "run `askmd ingest --rebuild`"
    fill(library, HOME, rebuild=True)
    with open_store(library, IDENTITY) as store:
        assert set(store.documents()) == {"index.md"}
    assert len(list(library.glob("*.sqlite3"))) == 1


@pytest.mark.parametrize("content", [None, b"", b"nonsense" * 999], ids=["gone", "empty", "noise"])
def test_a_damaged_database_is_named_and_a_rebuild_mends_it(library: Path, content: bytes | None):
    database = database_of(library)
    database.unlink()
    if content is not None:
        database.write_bytes(content)

    for attempt in (
        lambda: open_store(library),
        lambda: open_writer(library, IDENTITY, library.parent / "docs"),
    ):
        with pytest.raises(IndexCorrupt, match=database.name):
            attempt()
    fill(library, *LIBRARY, rebuild=True)
    with open_store(library, IDENTITY) as store:
        assert len(store.documents()) == 3


@POSIX
def test_a_full_disk_is_one_clear_line_and_the_last_commit_stays(library: Path):
    script = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
    long = "long " * 200
    big = [make(f"{n}.md", *(f"H{n} {k}: {k} {long}" for k in range(50))) for n in range(9)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    try:
        writer.write(big, vectors=vectors_of(*big))
    except IndexFault as error:
        print(type(error).__name__, error.message)
    print(writer.generation, len(writer.documents()))
"""
    done = run(script, library)

    assert f"IndexFault the disk takes no more of the index in {library}" in done.stdout, (
        done.stderr
    )
    assert done.stdout.endswith("1 3\n")
    with open_store(library, IDENTITY) as store:
        assert len(store.documents()) == 3
    fill(library, HOME)
    assert_whole(library)


def test_an_index_of_another_version_is_refused(library: Path):
    connection = sqlite3.connect(database_of(library))
    connection.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    connection.commit()
    connection.close()

    for attempt in (
        lambda: open_store(library),
        lambda: open_writer(library, IDENTITY, library.parent / "docs"),
    ):
        with pytest.raises(IndexMismatch, match="another version") as caught:
            attempt()
        assert caught.value.next_step == "run `askmd ingest --rebuild`"
    fill(library, HOME, rebuild=True)
    with open_store(library, IDENTITY) as store:
        assert set(store.documents()) == {"index.md"}


def test_the_reader_meets_the_contract(store: SQLiteStore):
    contract: Store = store
    mapping: Mapping[str, Document] = contract.documents()

    assert len(mapping) == 3
