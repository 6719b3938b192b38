"""Search by vectors against numpy's own: exact in small segments, nearly so in large ones."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from askmd.filters import parse_filter
from askmd.store import SQLiteStore, open_store, open_writer
from askmd.store.database import connect_writer, transaction
from askmd.store.derived import Derived, read_origin
from askmd.store.nearest import DECIMALS
from askmd.store.schema import put_meta, read_state
from askmd.store.segments import bring_up_to_date, find_segments
from askmd.store.vectors import build_segment
from askmd.types import Indexed
from test_store import (
    ALL,
    DIM,
    IDENTITY,
    NOW,
    database_of,
    embed,
    fill,
    make,
    vectors_of,
)

APPROXIMATE = 300
"""How many rows make a segment large here."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path / ".askmd"


def document(number: int, version: int, chunks: int) -> Indexed:
    folder = "even" if number % 2 == 0 else "odd"
    texts = [f"H{number}: {version} {part % 7} {number % 5}" for part in range(chunks)]
    unique = [f"{text} {part}" for part, text in enumerate(texts)]
    return make(f"{folder}/{number}.md", *unique)


def truth(known: dict[str, Indexed], question: np.ndarray, under: str = "") -> dict[str, float]:
    """Return each chunk's cosine, as one product a chunk gives it."""
    return {
        chunk.id: round(float(embed(chunk.embedded).astype(np.float64) @ question), DECIMALS)
        for path, one in known.items()
        if path.startswith(under)
        for chunk in one.chunks
    }


def segments_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("vectors-*.segment"))


def derive_anew(folder: Path, approximate: int = APPROXIMATE) -> None:
    """Write all vectors as one segment, a large one from so many rows on."""
    for path in segments_of(folder):
        path.unlink()
    database = database_of(folder)
    connection = connect_writer(database)
    state = read_state(connection, database)
    build = partial(build_segment, connection, state, database, approximate=approximate)
    names = bring_up_to_date(connection, state, database, "vectors", build)
    with transaction(connection):
        words = [one for one in state.segments if one.startswith("words")]
        put_meta(connection, segments=json.dumps([*names, *words]))
    connection.close()


def assert_exact(store: SQLiteStore, known: dict[str, Indexed], question: np.ndarray) -> None:
    for under, where in (("", ALL), ("even/", parse_filter(["even/"]))):
        cosines = truth(known, question, under)
        best = sorted(cosines.items(), key=lambda one: (-one[1], one[0]))
        found = store.dense(question, len(best) + 9, where)
        assert [(one.id, one.score) for one in found] == [
            (id, pytest.approx(score, abs=2e-6)) for id, score in best
        ]
        few = store.dense(question, 3, where)
        assert [one.score for one in few] == [one.score for one in found[:3]]
        assert store.least(question, where) == (found[-1].score if found else None)
        assert store.cosines(question, [one.id for one in found]) == [one.score for one in found]


@pytest.mark.parametrize("seed", range(6))
def test_after_any_history_the_answers_are_those_of_a_search_through_everything(
    folder: Path, seed: int
):
    chance = np.random.default_rng(seed)
    known: dict[str, Indexed] = {}
    fill(folder)
    with open_store(folder) as store:
        for version in range(8):
            with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
                for _ in range(chance.integers(1, 4)):
                    changed = [
                        document(int(number), version, int(chance.integers(1, 40)))
                        for number in chance.choice(12, size=chance.integers(1, 5), replace=False)
                    ]
                    paths = {one.document.path for one in changed}
                    removed = [
                        path for path in known if path not in paths and chance.random() < 0.2
                    ]
                    writer.write(changed, removed=removed, vectors=vectors_of(*changed))
                    for path in removed:
                        del known[path]
                    known |= {one.document.path: one for one in changed}
                if chance.random() < 0.6:
                    writer.finish(NOW)
            assert_exact(store, known, embed(f"question {version}"))
    with open_store(folder) as store:
        assert_exact(store, known, embed("afterwards"))


def test_equal_texts_have_equal_cosines_wherever_they_stand(folder: Path):
    fill(folder, *(make(f"{n}.md", "Same: text.", f"Other {n}: x.") for n in range(101)))

    with open_store(folder) as store:
        same = embed("Same\ntext.")
        scores = {one.score for one in store.dense(same, 101, ALL)}
        ids = [one.id for one in store.dense(same, 101, ALL)]

    assert len(scores) == 1
    assert ids == sorted(ids)


def test_many_ingests_leave_few_segments_and_what_was_removed_leaves_them_in_time(folder: Path):
    known: dict[str, Indexed] = {}
    for number in range(24):
        one = document(number, 0, 35)
        known[one.document.path] = one
        fill(folder, one)
    counts = [len(segments_of(folder))]
    removed = [path for path in known if path.startswith("odd/")]
    fill(folder, removed=removed)
    counts.append(len(segments_of(folder)))

    assert counts == [pytest.approx(3, abs=2), 1]
    [file] = segments_of(folder)
    assert Derived(file).shape("matrix") == (12 * 35, DIM)
    with open_store(folder) as store:
        assert_exact(
            store, {p: one for p, one in known.items() if p.startswith("even/")}, embed("q")
        )


@pytest.fixture
def large(folder: Path) -> tuple[Path, dict[str, Indexed]]:
    """An index whose one segment has an approximate index, and what is in it."""
    known = {one.document.path: one for one in (document(n, 0, 60) for n in range(20))}
    fill(folder, *known.values())
    derive_anew(folder)
    return folder, known


def test_a_large_segment_gives_nearly_the_same_with_exact_cosines(
    large: tuple[Path, dict[str, Indexed]],
):
    folder, known = large
    [file] = segments_of(folder)
    shares, reordered = [], 0
    with open_store(folder) as store:
        for number in range(50):
            question = embed(f"question {number}")
            cosines = truth(known, question)
            best = sorted(cosines, key=lambda id: (-cosines[id], id))
            found = store.dense(question, 10, ALL)
            assert all(one.score == pytest.approx(cosines[one.id], abs=2e-6) for one in found)
            shares.append(len({one.id for one in found} & set(best[:10])) / 10)
            reordered += [one.id for one in found[:5]] != best[:5]
            assert store.least(question, ALL) == pytest.approx(min(cosines.values()), abs=0.05)

    assert "index" in Derived(file)
    assert np.mean(shares) >= 0.98
    assert reordered <= 1


def test_a_filter_of_a_large_segment_is_exact_and_what_is_gone_is_not_found(
    large: tuple[Path, dict[str, Indexed]],
):
    folder, known = large
    gone = ["even/0.md"]
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        writer.write([], removed=gone)
    left = {path: one for path, one in known.items() if path not in gone}
    question = embed("anything")

    with open_store(folder) as store:
        found = store.dense(question, 9999, parse_filter(["even/"]))
        everything = store.dense(question, 9999, ALL)

    cosines = truth(left, question, "even/")
    assert [one.id for one in found] == sorted(cosines, key=lambda id: (-cosines[id], id))
    assert {one.id for one in everything} == set(truth(left, question))


def flip(name: str) -> Callable[[Path], None]:
    """Return what changes one bit of each 64 KiB of an array, or of its only ones."""

    def act(file: Path) -> None:
        rows = Derived(file).rows(name)
        data = bytearray(file.read_bytes())
        start = data.find(rows.tobytes())
        for place in range(start, start + rows.nbytes, 1 << 14):
            data[place] ^= 4
        file.write_bytes(data)

    return act


@pytest.mark.parametrize("name", ["matrix", "numbers", "index"])
def test_damage_is_said_answered_from_the_database_and_mended_by_the_next_ingest(
    large: tuple[Path, dict[str, Indexed]], caplog: pytest.LogCaptureFixture, name: str
):
    folder, known = large
    [file] = segments_of(folder)
    flip(name)(file)
    question = embed("anything")

    with caplog.at_level(logging.WARNING), open_store(folder) as store:
        assert_exact(store, known, question)
        assert_exact(store, known, -question)

    said = [one.message for one in caplog.records if str(file) in one.message]
    assert len(said) == 1
    assert "made anew by the next ingest" in said[0]
    fill(folder)
    [mended] = segments_of(folder)
    assert mended != file
    Derived(mended).check()


def test_an_index_without_segments_opens_and_works(large: tuple[Path, dict[str, Indexed]]):
    folder, known = large
    for path in segments_of(folder):
        path.unlink()

    with open_store(folder) as store:
        assert_exact(store, known, embed("anything"))


def test_a_reader_of_an_older_state_is_right_beside_a_newer_segment(folder: Path):
    old = {one.document.path: one for one in (document(n, 0, 5) for n in range(4))}
    fill(folder, *old.values())
    with open_store(folder) as store:
        with store.snapshot():
            assert store.generation == 1
            new = document(0, 1, 5)
            fill(folder, new, removed=["odd/1.md"])
            derive_anew(folder, approximate=9999)
            assert_exact(store, old, embed("before"))
        now = {"even/0.md": new, **{p: old[p] for p in ("even/2.md", "odd/3.md")}}
        assert_exact(store, now, embed("after"))


def test_threads_search_right_while_segments_come_and_go(folder: Path):
    fixed = {one.document.path: one for one in (document(n, 0, 30) for n in range(2, 12, 2))}
    fill(folder, *fixed.values())
    where = parse_filter(["even/"])
    faults: list[BaseException] = []
    done = threading.Event()

    def search(store: SQLiteStore, name: int) -> None:
        question = embed(f"thread {name}")
        cosines = truth(fixed, question)
        best = sorted(cosines, key=lambda id: (-cosines[id], id))
        try:
            while not done.is_set():
                assert [one.id for one in store.dense(question, 20, where)] == best[:20]
                assert store.least(question, where) == pytest.approx(cosines[best[-1]], abs=2e-6)
        except BaseException as fault:
            faults.append(fault)

    with open_store(folder) as store:
        threads = [threading.Thread(target=search, args=(store, name)) for name in range(3)]
        for thread in threads:
            thread.start()
        for version in range(6):
            fill(folder, *(document(n, version, 40) for n in (1, 3, 5)))
        done.set()
        for thread in threads:
            thread.join()

    assert faults == []


def test_warming_reads_what_the_first_search_needs(large: tuple[Path, dict[str, Indexed]]):
    folder, known = large
    with open_store(folder) as store:
        store.warm()
        assert_exact(store, known, embed("warm"))


def test_an_index_of_other_numbers_a_row_takes_a_large_segment_too(folder: Path):
    known = {one.document.path: one for one in (document(n, 0, 60) for n in range(6))}
    fill(folder, *known.values())
    derive_anew(folder, approximate=1)

    with open_store(folder) as store:
        assert len(store.dense(embed("x"), 5, ALL)) == 5
    [file] = segments_of(folder)
    connection = connect_writer(database_of(folder))
    state = read_state(connection, database_of(folder))
    assert find_segments(folder, database_of(folder).name, "vectors", state) == [file]
    connection.close()


def test_a_long_ingest_writes_segments_before_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askmd.store.writer.EARLY_CHUNKS", 4)
    monkeypatch.setattr("askmd.store.segments.TAIL", 1)
    counts = []
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        for number in range(12):
            one = document(number, 0, 3)
            writer.write([one], vectors=vectors_of(one))
            files = folder.glob("vectors-*.segment")
            counts.append(sum(read_origin(file).count for file in files))

    assert counts == [0, 6, 6, 12, 12, 12, 12, 24, 24, 24, 24, 24]


def test_files_of_another_history_of_the_same_index_are_left_alone(folder: Path) -> None:
    """A backup laid over an index brings a database whose numbers are given a second time."""
    first = {one.document.path: one for one in (document(n, 0, 60) for n in range(2))}
    fill(folder, *first.values())
    backup = folder.with_name("backup")
    shutil.copytree(folder, backup)
    fill(folder, *(document(n, 1, 60) for n in range(2, 9)))
    shutil.copytree(backup, folder, dirs_exist_ok=True)
    known = first | {one.document.path: one for one in (document(n, 2, 60) for n in range(2, 9))}
    fill(folder, *(known[path] for path in known if path not in first))

    with open_store(folder) as store:
        assert_exact(store, known, embed("anything"))
        words = store.words(["2"], 1000, ALL)

    texts = {chunk.id: chunk.text.split() for one in known.values() for chunk in one.chunks}
    assert {one.id for one in words} == {id for id, text in texts.items() if "2" in text}


def test_after_the_newest_are_deleted_an_ingest_has_nothing_left_to_write(folder: Path) -> None:
    documents = [document(n, 0, 60) for n in range(8)]
    fill(folder, *documents)
    fill(folder, removed=[one.document.path for one in documents[5:]])
    once = sorted(folder.glob("*.segment"))
    fill(folder)

    assert sorted(folder.glob("*.segment")) == once
    assert {read_origin(file).count for file in once} == {300}


def test_a_file_that_is_written_into_while_it_is_open_is_let_go(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = {one.document.path: one for one in (document(n, 0, 60) for n in range(6))}
    fill(folder, *known.values())
    question = embed("anything")
    with open_store(folder) as store:
        assert_exact(store, known, question)
        words = store.words(["4"], 1000, ALL)
        for file in folder.glob("*.segment"):
            file.write_bytes(bytes(file.stat().st_size))
        with caplog.at_level(logging.WARNING):
            assert_exact(store, known, question)
            assert store.words(["4"], 1000, ALL) == words

    said = [one.message for one in caplog.records if "changed while it was open" in one.message]
    assert len(said) == 2


def test_kinds_of_files_that_were_swapped_are_made_anew(folder: Path) -> None:
    known = {one.document.path: one for one in (document(n, 0, 60) for n in range(6))}
    fill(folder, *known.values())
    [vectors], [words] = (list(folder.glob(f"{kind}-*.segment")) for kind in ("vectors", "words"))
    contents = vectors.read_bytes(), words.read_bytes()
    words.write_bytes(contents[0])
    vectors.write_bytes(contents[1])

    with open_store(folder) as store:
        assert_exact(store, known, embed("anything"))
        assert store.words(["4"], 5, ALL)


def test_vectors_that_are_all_equal_are_all_found_in_a_large_segment(folder: Path) -> None:
    one = make("a.md", *(f"same {n}" for n in range(400)))
    vectors = dict.fromkeys(vectors_of(one), embed("same"))
    with open_writer(folder, IDENTITY, folder.parent / "docs") as writer:
        writer.write([one], vectors=vectors)
        writer.finish(NOW)
    derive_anew(folder, approximate=APPROXIMATE)

    with open_store(folder) as store:
        found = store.dense(embed("same"), 10, ALL)

    ids = sorted(chunk.id for chunk in one.chunks)
    assert [(one.id, one.score) for one in found] == [(id, 1.0) for id in ids[:10]]
