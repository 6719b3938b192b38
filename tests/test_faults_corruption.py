"""T5: a damaged index answers as it did when it was whole, or says that it is damaged."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from askmd.errors import IndexCorrupt
from askmd.store import SQLiteStore, open_store
from askmd.types import Filter
from faults import corruption, world
from faults.campaign import run
from faults.corruption import Corruption
from faults.forks import SOURCE, TESTS, ForkServer

ALL = Filter()
GUIDES = Filter(metadata=(("kind", "guide"),))


@pytest.mark.parametrize("first", [0, Corruption.short // 2])
def test_no_damage_to_a_file_of_an_index_makes_it_lie(
    forks: ForkServer, tmp_path: Path, first: int
):
    tally = run(Corruption, tmp_path, forks, count=Corruption.short // 2, first=first)

    assert tally.bad == []
    assert tally.trials == Corruption.short // 2
    assert tally.kinds["detected"] > 40
    assert tally.kinds["detected and mended"] > 1
    assert tally.kinds["ingest harmless"] + tally.kinds["ingest refused and mended"] > 4


def test_a_fresh_interpreter_reads_a_whole_index_as_a_forked_one_does(
    forks: ForkServer, tmp_path: Path
):
    whole = forks.call("faults.corruption:prepare", place=str(tmp_path)).result
    index = tmp_path / "main" / "index"
    ask = "import json, sys; from faults import corruption; "
    ask += "print(json.dumps(corruption.probe(sys.argv[1])))"

    ran = subprocess.run(
        [sys.executable, "-c", ask, str(index)],
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join([str(TESTS), str(SOURCE)])},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )

    told = json.loads(ran.stdout)
    assert (told["found"], told["warnings"]) == (whole["found"], [])


# --- each protection by itself -------------------------------------------------------------------


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of documents and their index, which nobody changes."""
    place = tmp_path_factory.mktemp("corruption")
    corruption.prepare(str(place))
    return place / "main"


@pytest.fixture
def index(prepared: Path, tmp_path: Path) -> Path:
    """An index of documents of which every second is a guide; no segment holds the last ones."""
    shutil.copytree(prepared, tmp_path / "main")
    return tmp_path / "main" / "index"


def database_of(index: Path) -> Path:
    [database] = index.glob("index-*.sqlite3")
    return database


def damage(index: Path, statements: str) -> None:
    """Change rows behind askmd's back: no trigger tells the words of it."""
    find = "SELECT sql FROM sqlite_master WHERE name = 'chunks_updated'"
    with closing(sqlite3.connect(database_of(index))) as connection:
        [(trigger,)] = connection.execute(find)
        connection.executescript(f"DROP TRIGGER chunks_updated; {statements}; {trigger}")


def ids_of(store: SQLiteStore) -> list[str]:
    return [one.id for one in store.words(["replica", "journal", "token"], 99, ALL)]


def words_by_fts5(store: SQLiteStore) -> object:
    with corruption.without_numpy():
        return store.words(["replica"], 9, ALL)


def places_by_fts5(store: SQLiteStore) -> object:
    ids = ids_of(store)
    with corruption.without_numpy():
        return store.word_places(["replica"], ids)


Ask = Callable[[SQLiteStore], object]
_MOVED = "UPDATE chunks SET document = (SELECT max(document) FROM chunks) WHERE position = 1"
ROWS: dict[str, tuple[str, Ask]] = {
    "front matter, where a filter reads it": (
        "UPDATE documents SET metadata = replace(metadata, 'note', 'guide')",
        lambda store: store.words(["replica"], 9, GUIDES),
    ),
    "a document's title": (
        "UPDATE documents SET title = 'x' WHERE number > 2",
        lambda store: store.documents(),
    ),
    "which chunks are a document's": (
        "UPDATE documents SET numbers = '[]' WHERE number > 2",
        lambda store: store.words(["replica"], 9, Filter(globs=("*.md",))),
    ),
    "a document that is gone": (
        "PRAGMA foreign_keys = OFF; DELETE FROM documents WHERE number > 2",
        lambda store: store.words(["replica"], 9, Filter(globs=("page-*",))),
    ),
    "a chunk that stands in another document": (
        _MOVED,
        lambda store: [store.places([id]) for id in ids_of(store)],
    ),
    "what stands beside a chunk": (
        _MOVED,
        lambda store: [store.beside([id]) for id in ids_of(store)],
    ),
    "FTS5's words": (
        "UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10",
        words_by_fts5,
    ),
    "FTS5's lengths": ("UPDATE words_docsize SET sz = x'0101'", words_by_fts5),
    "FTS5's pages": ("DELETE FROM words_idx", words_by_fts5),
    "a text, where its words are looked at": (
        "UPDATE chunks SET text = replace(text, 'replica', 'rumour')",
        places_by_fts5,
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_what_is_read_of_a_row_is_checked_before_it_is_believed(index: Path, name: str):
    statements, ask = ROWS[name]
    with open_store(index) as store:
        ask(store)
    with open_store(index) as store:
        damage(index, statements)
        with pytest.raises(IndexCorrupt):
            ask(store)


OPENING = {
    "where the documents are": "UPDATE meta SET value = '../elsewhere' WHERE key = 'root'",
    "which files are derived": "DELETE FROM meta WHERE key = 'segments'",
    "the numbers that were given": "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'chunks'",
    "a trigger": "DROP TRIGGER chunks_deleted",
    "the tokenizer": (
        "PRAGMA writable_schema = ON; UPDATE sqlite_master SET "
        "sql = replace(sql, 'remove_diacritics 2', 'remove_diacritics 0') WHERE name = 'words'"
    ),
    "a chunk": "DELETE FROM chunks WHERE number = (SELECT max(number) FROM chunks)",
}

STEPS = {
    "the numbers that were given": "run `askmd doctor --fix`",
    "a chunk": "run `askmd doctor --fix`, then `askmd ingest`",
}


@pytest.mark.parametrize("name", OPENING)
def test_what_an_index_says_of_itself_is_checked_when_it_is_opened(index: Path, name: str):
    damage(index, OPENING[name])

    with pytest.raises(IndexCorrupt) as caught:
        open_store(index)
    step = STEPS.get(name, "run `askmd ingest --rebuild`")
    assert caught.value.next_step == step
    mended = corruption.mend(str(index.parent / "docs"), str(index), step)
    assert [one for one in mended["found"].values() if "error" in one] == []


@pytest.mark.parametrize(
    "change", ["UPDATE chunks SET text = 'x' || text", "UPDATE chunks SET heading = '[\"x\"]'"]
)
def test_an_ingest_does_not_replace_a_document_whose_chunks_have_changed(index: Path, change: str):
    """FTS5 would be told to forget words that it never knew."""
    damage(index, change)
    root = index.parent / "docs"
    (root / "page-0.md").write_text("# New\n\nOther words.\n", encoding="utf-8")

    report = world.ingest(str(root), str(index))

    assert report["error"] == "index_corrupt"
    assert report["next"] == "run `askmd doctor --fix`, then `askmd ingest`"
    mended = corruption.mend(str(root), str(index), report["next"])
    assert mended["report"]["documents"]["failed"] == 0
    assert [one for one in mended["found"].values() if "error" in one] == []


def test_a_damaged_measurement_is_made_anew(index: Path):
    before = world.answers(str(index))
    [floor] = index.glob("floor-*.json")
    kept = json.loads(floor.read_text(encoding="utf-8"))
    floor.write_text(json.dumps(kept | {"text": kept["text"].replace("0.", "0.9", 1)}))

    with open_store(index) as store:
        assert store.calibration() is None
    assert world.answers(str(index)) == before
