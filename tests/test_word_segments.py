"""Words in segments: whatever is asked, they tell what FTS5 tells of the same chunks."""

# ruff: noqa: RUF001 - words of every script are looked for.

from __future__ import annotations

import random
import sqlite3
import threading
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd import rank
from askmd.evidence import sought
from askmd.store import open_store, open_writer, word_places, word_search, words
from askmd.store.derived import BLOCK, Derived, Origin
from askmd.store.reader import SQLiteStore
from askmd.store.reading import read_numbers, read_words
from askmd.store.rows import CHUNK_COLUMNS, chunk_checksum, clean, vector_key
from askmd.store.schema import create_tables
from askmd.store.selection import Numbers
from askmd.store.word_parts import InMemory, Part
from askmd.store.word_runs import build, invert
from askmd.store.word_search import Lexicon
from askmd.store.word_tokens import Tokenizer
from askmd.types import Chunk, Document, Filter, Identity, Indexed, Stamp
from askmd.words import segmented
from conftest import SHARED

IDENTITY = Identity("hash", "m", "", 2, "", "", "", 256, "1", True, "float32")
NOW = "2026-11-23T12:00:00+00:00"
ALL = Filter()
DATABASE = Path("memory")
SPELLED = (
    "key keys rotating Keys KEY the err_conn_reset ERR_CONN_RESET camelCase x86_64 3.11 v2 naïve "
    "naive café ÉCOLE straße Ελλάδα άλφα привет ещё 東京 重新启动 部署 京 ภาษาไทย กำ हिन्दी 한국어 "
    "🙂 👩\u200d💻 ❤️ ① ﬁne Ⅻ a b c -- \0 \ud800 \u0301 e\u0301 \u200d ſ İ ǅ \uffff 。重 \u00ad"
)
WORDS = SPELLED.split(" ")
TEXTS = st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), max_size=12).map(" ".join)
TERMS = st.one_of(TEXTS, st.sampled_from(WORDS))


def filled(chunks: Sequence[tuple[str, str]]) -> sqlite3.Connection:
    """Return the tables of an index that holds chunks with these headings and texts."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create_tables(connection, IDENTITY, "docs", 1)
    connection.execute(
        "INSERT INTO documents (number, path, digest, size, mtime_ns, ctime_ns, inode, title, "
        "description, metadata) VALUES (1, 'a.md', '', 0, 0, 0, '', '', '', '{}')"
    )
    for place, (heading, text) in enumerate(chunks):
        told = (clean(text), 1, segmented(clean(heading)), segmented(clean(text)), b"")
        values = (f"chunk {place}", 0, "[]", "", "", 1, 1, 0, 0, *told)
        connection.execute(
            f"INSERT INTO chunks (document, checksum, {CHUNK_COLUMNS}) "
            f"VALUES (1, ?{', ?' * len(values)})",
            (chunk_checksum("a.md", values), *values),
        )
    return connection


def lexicon_of(connection: sqlite3.Connection, cuts: Collection[int] = ()) -> Lexicon:
    """Return the same words in segments that begin at these places."""
    tokenizer, chunks = Tokenizer(), read_words(connection, 0, 10**9, 10**9, DATABASE)
    bounds = sorted({0, len(chunks), *(cut for cut in cuts if cut < len(chunks))})
    parts = [
        Part(InMemory(invert(tokenizer, chunks[start:stop])), chunks[stop - 1].number)
        for start, stop in pairwise(bounds)
    ]
    return Lexicon(tokenizer, parts, None)


def without(connection: sqlite3.Connection, lexicon: Lexicon, gone: Collection[int]) -> Lexicon:
    """Delete chunks and return the words of what stays."""
    connection.executemany("DELETE FROM chunks WHERE number = ?", [(one,) for one in gone])
    numbers = np.concatenate([part.numbers for part in lexicon.parts])
    return Lexicon(Tokenizer(), lexicon.parts, np.isin(numbers, list(gone)))


def assert_same(
    connection: sqlite3.Connection,
    lexicon: Lexicon,
    terms: Sequence[str],
    limit: int = 1000,
    allowed: Numbers | None = None,
) -> None:
    """Whatever the segments tell of terms, FTS5 tells."""
    best = lexicon.best(terms, limit, allowed)
    ids = [id for (id,) in connection.execute("SELECT id FROM chunks ORDER BY number")][:300]
    among = read_numbers(connection, ids)
    seen, standing = lexicon.occurrences(terms, among), lexicon.places(terms, among)
    assert (best is None) == (seen is None) == (standing is None)
    if best is None:
        return
    expected = words.best_by_words(connection, terms, limit, allowed, DATABASE)
    assert best == expected
    assert seen == words.find_occurrences(connection, terms, among)
    assert standing == word_places.read_word_places(connection, terms, among, DATABASE)


@given(
    st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8),
    st.lists(TERMS, min_size=1, max_size=5),
    st.sets(st.integers(1, 7)),
    st.sets(st.integers(1, 8), max_size=4),
    st.integers(1, 10),
)
@settings(max_examples=150, deadline=None)
def test_segments_tell_what_fts5_tells_of_any_text(
    chunks: list[tuple[str, str]], terms: list[str], cuts: set[int], gone: set[int], limit: int
):
    connection = filled(chunks)
    lexicon = lexicon_of(connection, cuts)

    assert_same(connection, lexicon, terms, limit)

    gone = {number for number in gone if number <= len(chunks)}
    assert_same(connection, without(connection, lexicon, gone), terms, limit)


@given(TEXTS, TEXTS)
@settings(max_examples=150, deadline=None)
def test_a_chunk_is_found_by_its_own_words(heading: str, text: str):
    connection = filled([(heading, text), ("other", "words")])

    assert_same(connection, lexicon_of(connection), [*heading.split(), *text.split(), text])


def test_a_chunk_with_more_of_a_word_than_a_byte_counts_has_its_score():
    connection = filled([("", "key " * n) for n in (1, 255, 256, 300, 5000)] + [("", "a b")] * 9)

    assert_same(connection, lexicon_of(connection), ["keys", "key key"])


def test_a_term_that_is_the_beginning_of_words_is_left_to_fts5():
    connection = filled([("", "重新启动")])

    assert lexicon_of(connection).best(["重"], 9, None) is None


def test_a_phrase_does_not_reach_from_a_heading_into_its_text_or_into_the_next_chunk():
    connection = filled([("one two", "three four"), ("five", "six"), ("", "seven"), ("two", "")])
    lexicon = lexicon_of(connection)

    seen = lexicon.occurrences(["one two", "two three", "four five", "six seven"], {})

    assert seen is not None
    assert seen.counts == {"one two": 1, "two three": 0, "four five": 0, "six seven": 0}


def test_only_what_is_allowed_is_found_and_its_scores_are_those_of_the_whole():
    connection = filled([("", f"key {'x ' * n}") for n in range(50)] + [("", "none")] * 99)
    allowed = Numbers((3, 5, 7, 140), "[3, 5, 7, 140]")

    assert_same(connection, lexicon_of(connection, {20}), ["key", "x"], allowed=allowed)


@pytest.mark.parametrize("held", [0, 5, 900, 40_000, 100_000])
@pytest.mark.parametrize("limit", [1, 1000])
def test_of_many_scores_the_best_are_among_those_that_are_looked_at(held: int, limit: int):
    scores = np.zeros(100_000)
    chance = np.random.default_rng(7)
    scores[chance.permutation(len(scores))[:held]] = chance.integers(1, 300, held)

    rows = word_search._promising(scores, limit)

    best = np.sort(scores)[::-1][: min(limit, held)]
    assert np.sort(scores[rows])[::-1][: min(limit, held)].tolist() == best.tolist()


# --- files --------------------------------------------------------------------------------


def real_chunks(count: int) -> list[tuple[str, str]]:
    """Return paragraphs of the shared documents under the names of their files."""
    paths = sorted((SHARED / "corpora").rglob("*.md"))
    chunks = [
        (path.stem.replace("-", " > "), paragraph)
        for path in paths
        for paragraph in path.read_text(encoding="utf-8").split("\n\n")
    ]
    return random.Random(3).sample(chunks, min(count, len(chunks)))


@pytest.mark.shared
def test_a_file_of_many_runs_tells_of_real_documents_what_fts5_tells(tmp_path: Path):
    connection = filled(real_chunks(3000))
    path = tmp_path / "words.segment"

    build(connection, DATABASE, path, Origin("u", "n", 2, 0, 3000, 3000), run=170)

    assert list(tmp_path.iterdir()) == [path]
    lexicon = Lexicon(Tokenizer(), [Part(Derived(path), 3000)], None)
    chance = random.Random(5)
    texts = [text for _, text in real_chunks(3000)]
    for text in chance.sample(texts, 60):
        question = " ".join(text.split()[:12])
        assert_same(connection, lexicon, rank.wording(question, sought(question).terms).terms)
    gone = chance.sample(range(1, 3001), 250)
    rest = without(connection, lexicon, gone)
    for text in chance.sample(texts, 20):
        assert_same(connection, rest, text.split()[:9], 20)


def test_a_file_says_the_same_however_many_runs_it_was_made_of(tmp_path: Path):
    connection = filled([(f"h{n % 7}", f"w{n} a{n % 3} common") for n in range(40)])
    origin = Origin("u", "n", 2, 0, 40, 40)

    build(connection, DATABASE, tmp_path / "one", origin, run=1000)
    build(connection, DATABASE, tmp_path / "many", origin, run=3)

    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


# --- an index -----------------------------------------------------------------------------


def document(name: str, *texts: str, title: str = "") -> Indexed:
    chunks = [
        Chunk(f"{name} {place} {text}", name, ("Top",), "", (1, 1), (0, 1), text, text, 1)
        for place, text in enumerate(texts)
    ]
    return Indexed(Document(name, str(texts), Stamp(0, 0, 0, 0), title), chunks)


def write(folder: Path, *indexed: Indexed, removed: Sequence[str] = ()) -> None:
    """Write documents as one ingest does."""
    unit = np.array([1, 0], np.float32)
    vectors = {vector_key(chunk.embedded): unit for one in indexed for chunk in one.chunks}
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        writer.write(indexed, removed=removed, vectors=vectors)
        writer.finish(NOW)


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("words-*.segment"))


def told(store: SQLiteStore, terms: Sequence[str]) -> object:
    """Return everything an index tells of terms."""
    best = store.words(terms, 1000, ALL)
    ids = sorted(one.id for one in best)
    return best, store.occurrences(terms, ids), store.word_places(terms, ids)


def told_by_fts5(folder: Path, terms: Sequence[str]) -> object:
    """Return the same from a copy of the index without segments."""
    [database] = folder.glob("index-*.sqlite3")
    connection = sqlite3.connect(database)
    best = words.best_by_words(connection, terms, 1000, None, database)
    ids = sorted(one.id for one in best)
    among = read_numbers(connection, ids)
    seen = words.find_occurrences(connection, terms, among)
    standing = word_places.read_word_places(connection, terms, among, database)
    connection.close()
    return best, seen, standing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path / ".askmd"


def test_every_history_of_an_index_is_told_as_fts5_tells_it(folder: Path):
    chance = random.Random(11)
    vocabulary = [f"w{n}" for n in range(30)]

    def new(name: str, size: int) -> Indexed:
        texts = [
            f"{' '.join(chance.choices(vocabulary, k=9))} {chance.random()}" for _ in range(size)
        ]
        return document(name, *texts, title=chance.choice(vocabulary))

    write(folder, *(new(f"{n}.md", 20) for n in range(20)))
    with open_store(folder) as store:
        names: set[int] = set()
        for step in range(14):
            names.add(len(segments(folder)))
            size = chance.choice([1, 3, 40, 200])
            gone = [f"{chance.randrange(20)}.md"] if step % 3 else []
            write(folder, new(f"{chance.randrange(30)}.md", size), removed=gone)
            for terms in (chance.sample(vocabulary, 3), ["w1 w2", "w3", "w4 w5 w6"]):
                assert told(store, terms) == told_by_fts5(folder, terms)
    assert names >= {1, 2}, "segments came and went"


def test_a_chunk_whose_title_changed_is_found_by_the_new_one_alone(folder: Path):
    write(folder, *(document(f"{n}.md", f"text {n}", title="old") for n in range(3)))
    write(folder, document("1.md", "text 1", title="new"))

    with open_store(folder) as store:
        found = {term: {one.id for one in store.words([term], 9, ALL)} for term in ("old", "new")}

    assert found == {"old": {"0.md 0 text 0", "2.md 0 text 2"}, "new": {"1.md 0 text 1"}}


def test_without_segments_the_answers_are_the_same(folder: Path):
    write(folder, document("a.md", *(f"key {n} of b{n % 5}" for n in range(90))))
    terms = ["key", "b3", "key 7"]
    with open_store(folder) as store:
        before = told(store, terms)
    for path in segments(folder):
        path.unlink()

    with open_store(folder) as store:
        assert told(store, terms) == before


def test_a_damaged_segment_is_left_with_one_word_and_made_anew(
    folder: Path, caplog: pytest.LogCaptureFixture
):
    write(folder, document("a.md", *(f"key {n} of b{n % 5}" for n in range(900))))
    [path] = segments(folder)
    content = bytearray(path.read_bytes())
    for place in range(0, len(content) - 10 * BLOCK // 8, 997):
        content[place] ^= 1
    path.write_bytes(content)
    terms = ["key", "b3", "key 7"]

    with open_store(folder) as store:
        assert told(store, terms) == told_by_fts5(folder, terms)
        assert told(store, terms) == told_by_fts5(folder, terms)

    said = [one.getMessage() for one in caplog.records if path.name in one.getMessage()]
    assert [message.split(" is ")[1] for message in said] == [
        "set aside and made anew by the next ingest: its content does not match its checksum"
    ]
    write(folder, document("b.md", "another"))
    assert len(segments(folder)) == 1
    with open_store(folder) as store:
        assert told(store, terms) == told_by_fts5(folder, terms)


def test_a_view_that_is_older_than_the_segments_sees_its_own_words(folder: Path):
    write(folder, document("a.md", *(f"key {n}" for n in range(90))))
    with open_store(folder) as store, store.snapshot():
        # Nothing was asked yet, so the segments are looked for after they have changed.
        generation = store.generation
        write(folder, *(document(f"{n}.md", f"key lock {n}") for n in range(200)), removed=["a.md"])
        assert len(store.words(["key"], 1000, ALL)) == 90
        assert store.occurrences(["key", "lock"], ()).counts == {"key": 90, "lock": 0}
        assert store.generation == generation


def test_many_threads_ask_while_an_ingest_writes(folder: Path):
    write(folder, document("a.md", *(f"key {n} of b{n % 5}" for n in range(90))))
    failures: list[BaseException] = []
    is_over = threading.Event()

    def ask(store: SQLiteStore) -> None:
        try:
            while not is_over.is_set():
                with store.snapshot():
                    held = store.occurrences(["key"], ()).counts["key"]
                    assert len(store.words(["key"], 10_000, ALL)) == held
        except BaseException as error:
            failures.append(error)

    with open_store(folder) as store:
        threads = [threading.Thread(target=ask, args=(store,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for step in range(8):
            write(folder, document(f"b{step}.md", *(f"key {step} {n}" for n in range(30))))
        is_over.set()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_process_without_numpy_does_without_the_segments_of_a_small_index(folder: Path):
    import subprocess
    import sys

    write(folder, document("a.md", "key one", "key two"))
    code = (
        "import sys; from pathlib import Path; from askmd.store import open_store; "
        "from askmd.types import Filter; store = open_store(Path(sys.argv[1])); "
        "print(len(store.words(['key'], 9, Filter())), 'numpy' in sys.modules)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "2 False\n"
