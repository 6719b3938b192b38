"""What is safe is mended: afterwards the index is whole, and answers as it did before."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from askmd.doctor import Finding, check, fix
from askmd.retriever import Retriever
from doctor_damage import DERIVED, FILES, HOPELESS, KNOWN, MENDED, ROWS, Do, database
from faults import world

pytestmark = pytest.mark.usefixtures("private_home")
_UNCHANGED = {**DERIVED, **FILES}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents and their index, of which each test has a copy."""
    place = tmp_path_factory.mktemp("model")
    world.write(place / "docs", world.documents(1, 8))
    world.ingest(str(place / "docs"), str(place / "index"), batch=64)
    return place


def answers_of(index: Path) -> object:
    """Return what an index answers in each mode, or its error."""
    return world.answers(str(index), ("journal checkpoint rollback",))


@pytest.fixture(scope="module")
def answers(model: Path) -> object:
    """What the index answers while it is whole."""
    return answers_of(model / "index")


@pytest.fixture
def index(model: Path, tmp_path: Path) -> Path:
    shutil.copytree(model, tmp_path / "copy")
    return tmp_path / "copy" / "index"


def wrong(findings: list[Finding]) -> list[Finding]:
    """Return what is not as it should be, but for documents that are still to be read."""
    kept = {"outdated", "sqlite"}
    return [one for one in findings if one.next and one.code not in kept and not one.fixed]


@pytest.mark.parametrize("name", _UNCHANGED)
def test_what_is_derived_is_made_anew_and_answers_the_same(index: Path, answers: object, name: str):
    MENDED[name].do(index)

    findings = fix(world.settings(index))

    assert {one.code for one in findings if one.fixed} == MENDED[name].codes
    assert wrong(findings) == []
    assert answers_of(index) == answers


@pytest.mark.parametrize("name", ROWS)
def test_documents_with_damage_are_taken_out_and_read_again_by_the_next_ingest(
    index: Path, answers: object, name: str
):
    ROWS[name].do(index)

    findings = fix(world.settings(index))

    assert {one.code for one in findings if one.fixed} == ROWS[name].codes
    assert wrong(findings) == []
    assert [one.message for one in findings if one.code == "outdated"] == [
        f"{index.parent / 'docs'}: 1 file new, 0 changed and 0 gone since they were indexed"
    ]
    report = world.ingest(str(index.parent / "docs"), str(index))
    assert (report["documents"]["new"], report["documents"]["unchanged"]) == (1, 7)
    assert world.state(str(index))["dump"]["faults"] == []
    assert answers_of(index) == answers


def test_what_a_vector_cost_is_not_paid_again(index: Path):
    ROWS["a chunk's text"].do(index)
    fix(world.settings(index))

    report = world.ingest(str(index.parent / "docs"), str(index))

    assert (report["chunks"]["embedded"], report["chunks"]["reused"]) == (0, 4)


@pytest.mark.parametrize("name", ["a vector that went", "the words' first row", "no manifest"])
def test_what_is_called_mended_can_be_opened_and_answers(index: Path, name: str):
    # What MemPalace's repair did not: it said that all was well of an index nobody could load.
    config = world.settings(index)
    MENDED[name].do(index)
    fix(config)

    with Retriever.open(config) as retriever:
        retriever.warm()
        hits = retriever.search("journal checkpoint rollback", limit=5)

    assert len(hits) == 5
    assert [one for one in check(config) if one.is_fault] == []


def test_everything_at_once_is_mended_at_once(index: Path, answers: object):
    for damage in MENDED.values():
        if damage not in (MENDED["writes that were lost"], MENDED["a manifest that is late"]):
            try_to(damage.do, index)

    findings = fix(world.settings(index))

    assert wrong(findings) == []
    world.ingest(str(index.parent / "docs"), str(index))
    assert wrong(check(world.settings(index))) == []
    assert answers_of(index) == answers


def try_to(do: Do, index: Path) -> None:
    """Do what can still be done to an index that much befell already."""
    with contextlib.suppress(OSError, ValueError, TypeError, sqlite3.Error):
        do(index)


@pytest.mark.parametrize("name", {**HOPELESS, **KNOWN})
def test_what_cannot_be_mended_stays_as_it_is(index: Path, name: str):
    damage = {**HOPELESS, **KNOWN}[name]
    damage.do(index)
    kept = {path.name: path.read_bytes() for path in index.iterdir() if "-shm" not in path.name}

    findings = fix(world.settings(index))

    assert [one for one in findings if one.fixed] == []
    assert damage.codes <= {one.code for one in findings}
    assert {name: (index / name).read_bytes() for name in kept} == kept


def test_damaged_rows_stay_while_their_documents_are_away(index: Path):
    ROWS["a chunk's text"].do(index)
    shutil.rmtree(index.parent / "docs")

    findings = fix(world.settings(index))

    [fault] = [one for one in findings if one.code == "chunks"]
    assert (fault.is_fault, fault.fixed, fault.next) == (
        True,
        False,
        "run `askmd ingest --rebuild`",
    )
    assert database(index).exists()


# Of a document whose own row is damaged nothing is sure that says which file it was.
@pytest.mark.parametrize("name", [one for one in ROWS if not one.startswith("a document")])
def test_a_damaged_document_whose_file_is_away_stays_until_it_is_back(
    index: Path, answers: object, name: str
):
    ROWS[name].do(index)
    settings, docs = world.settings(index), index.parent / "docs"
    paths = {path for one in check(settings) for path in one.paths}
    away = docs.rename(docs.with_name("away"))
    docs.mkdir()
    before = held(index)

    findings = fix(settings)

    faults = [one for one in findings if one.is_fault and one.paths]
    assert faults
    assert [one.fixed for one in faults] == [False] * len(faults)
    assert all(one.next.startswith(f"bring back {min(paths)}, then run") for one in faults)
    assert all(one.next.endswith("; without them run `askmd ingest --rebuild`") for one in faults)
    assert held(index) == before

    docs.rmdir()
    away.rename(docs)
    assert wrong(fix(settings)) == []
    world.ingest(str(docs), str(index))
    assert answers_of(index) == answers


@pytest.mark.parametrize("name", [*ROWS, "the words' first row", "an index of SQLite's"])
def test_an_ingest_that_verifies_says_what_the_doctor_says_and_changes_nothing(
    index: Path, answers: object, name: str
):
    MENDED[name].do(index)
    docs, before = str(index.parent / "docs"), held(index)
    faults = [one for one in check(world.settings(index)) if one.is_fault]

    report = world.ingest(docs, str(index), options={"verify": True})

    assert (report["error"], report["next"]) == ("index_corrupt", faults[0].next)
    assert faults[0].message in report["message"]
    assert held(index) == before
    fix(world.settings(index))
    assert "error" not in world.ingest(docs, str(index), options={"verify": True})
    assert answers_of(index) == answers


# Words and indexes in the database are the doctor's.
_OUTSIDE = [name for name, one in DERIVED.items() if not one.codes & {"words", "indexes"}]


@pytest.mark.parametrize("name", _OUTSIDE)
def test_an_ingest_that_verifies_makes_anew_what_is_derived(
    index: Path, answers: object, name: str
):
    MENDED[name].do(index)

    report = world.ingest(str(index.parent / "docs"), str(index), options={"verify": True})

    assert report["documents"]["unchanged"] == 8
    assert [one for one in check(world.settings(index)) if one.is_fault] == []
    assert answers_of(index) == answers


def held(index: Path) -> tuple[int, ...]:
    """Return how many documents and chunks there are."""
    with contextlib.closing(sqlite3.connect(database(index))) as connection:
        tables = ("documents", "chunks")
        rows = [connection.execute(f"SELECT count(*) FROM {one}").fetchone() for one in tables]
    return tuple(count for (count,) in rows)


def test_a_whole_index_is_not_written(index: Path):
    before = {
        path.name: path.stat().st_mtime_ns
        for path in index.iterdir()
        # SQLite's readers leave their marks there.
        if not path.name.endswith(("-shm", "-wal"))
    }

    findings = fix(world.settings(index))

    assert [one for one in findings if one.fixed] == []
    assert {name: (index / name).stat().st_mtime_ns for name in before} == before
