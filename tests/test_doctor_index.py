"""Everything of an index is checked: what is wrong with it, and whose command mends it."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import faiss
import numpy as np
import pytest

from askmd import compose
from askmd.doctor import Finding, check, fix
from askmd.errors import IndexLocked, Interrupted
from askmd.store import open_writer
from askmd.store.derived import Derived, drafting
from askmd.store.lock import WriteLock
from askmd.types import Progress
from doctor_damage import EVERY, HOPELESS, PAGE, opened
from faults import world

pytestmark = pytest.mark.usefixtures("private_home")
SOUND = {"index", "derived", "files", "settings", "up_to_date", "versions", "sqlite"}
"""What is said of an index that is whole."""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents and their index, of which each test has a copy."""
    place = tmp_path_factory.mktemp("model")
    world.write(place / "docs", world.documents(1, 8))
    world.ingest(str(place / "docs"), str(place / "index"), batch=64)
    return place


@pytest.fixture
def index(model: Path, tmp_path: Path) -> Path:
    shutil.copytree(model, tmp_path / "copy")
    return tmp_path / "copy" / "index"


def wrong(findings: list[Finding]) -> set[str]:
    return {one.code for one in findings} - SOUND


def test_a_whole_index_is_reassuring(index: Path):
    findings = check(world.settings(index))

    sound = [one.message for one in findings if not one.next]
    assert [one for one in findings if one.is_fault] == []
    assert f"{index}: 8 documents, 32 chunks and 32 vectors match their checksums" in sound
    assert "the word index and 2 segments hold what the chunks and vectors do" in sound
    assert f"{index.parent / 'docs'}: its 8 documents are as they were indexed" in sound
    assert "the settings fit the index: hash-384, 384 numbers a vector" in sound


def test_looking_changes_nothing(index: Path):
    before = world.state(str(index))
    files = {path: path.read_bytes() for path in index.iterdir() if "-shm" not in path.name}

    check(world.settings(index))

    assert {path: path.read_bytes() for path in files} == files
    assert world.state(str(index)) == before


@pytest.mark.parametrize("name", EVERY)
def test_what_befell_an_index_is_found_and_nothing_else(index: Path, name: str):
    damage = EVERY[name]
    damage.do(index)

    findings = check(world.settings(index))

    found = [one for one in findings if one.code in damage.codes]
    assert damage.codes <= wrong(findings)
    assert damage.codes == wrong(findings) or name in HOPELESS
    assert any(one.is_fault for one in findings) == damage.is_fault
    assert {path for one in found for path in one.paths} == set(damage.paths)
    assert all(one.next for one in found)


@pytest.mark.parametrize("name", HOPELESS)
def test_where_nothing_helps_the_step_is_a_rebuild(index: Path, name: str):
    HOPELESS[name].do(index)

    faults = [one for one in check(world.settings(index)) if one.is_fault]

    assert any("--rebuild" in one.next for one in faults)


def test_several_damages_are_several_findings(index: Path):
    names = ("a chunk's text", "a vector of length two", "a bit of a words segment", "open files")
    for name in names:
        EVERY[name].do(index)

    found = wrong(check(world.settings(index)))

    assert found == {"chunks", "vectors", "segments", "permissions"}


def test_a_table_that_is_gone_does_not_hide_the_others(index: Path):
    with opened(index) as connection:
        connection.execute("DROP TABLE vectors")
    EVERY["a document's title"].do(index)

    found = wrong(check(world.settings(index)))

    assert found >= {"database", "documents", "tables"}


def test_an_index_of_an_earlier_askmd_says_so(index: Path):
    with opened(index) as connection:
        connection.execute("DELETE FROM meta WHERE key = 'checksum'")
        connection.execute("UPDATE meta SET value = '2' WHERE key = 'schema'")

    [fault] = [one for one in check(world.settings(index)) if one.is_fault]

    assert (fault.code, fault.next) == ("index_mismatch", "run `askmd ingest`")


def test_documents_that_changed_since_are_counted(index: Path):
    root = index.parent / "docs"
    wanted = {**world.documents(1, 8), "new.md": "# New\n", PAGE: "# Other\n"}
    del wanted["page-6.md"]
    world.write(root, wanted)
    (root / "page-0.md").touch()

    [note] = [one for one in check(world.settings(index)) if one.code == "outdated"]

    assert note.message == f"{root}: 1 file new, 1 changed and 1 gone since they were indexed"
    assert (note.is_fault, note.next) == (False, "run `askmd ingest`")


def test_documents_of_which_most_went_are_a_fault(index: Path):
    root = index.parent / "docs"
    world.write(root, world.documents(1, 3))

    [fault] = [one for one in check(world.settings(index)) if one.is_fault]

    assert (fault.code, fault.message) == ("folder", f"{root} lost 5 of its 8 files")
    assert "--prune" in fault.next


def test_documents_that_moved_are_not_lost(index: Path):
    root = index.parent / "docs"
    world.write(root, {f"moved/{path}": text for path, text in world.documents(1, 8).items()})

    findings = check(world.settings(index))

    assert [one for one in findings if one.is_fault] == []
    [note] = [one for one in findings if one.code == "outdated"]
    assert note.message == f"{root}: 8 files new, 0 changed and 8 gone since they were indexed"


def test_other_files_in_the_place_of_most_are_no_comfort(index: Path):
    root = index.parent / "docs"
    world.write(root, {f"other-{number}.md": f"# Other {number}\n" for number in range(8)})

    [fault] = [one for one in check(world.settings(index)) if one.is_fault]

    assert fault.message == f"{root} lost 8 of its 8 files"


def test_why_a_new_file_cannot_be_read_is_said(index: Path):
    (index.parent / "docs" / "latin.md").write_bytes(b"caf\xe9\n")

    findings = check(world.settings(index))

    [note] = [one for one in findings if one.code == "unreadable"]
    assert note.message.startswith("latin.md cannot be read: ")
    assert "UTF-8" in note.message
    assert "outdated" not in wrong(findings)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there, and modes are none")
def test_a_link_to_the_index_is_as_private_as_the_index(index: Path):
    link, outside = index.with_name("link"), index.with_name("outside")
    link.symlink_to(index)
    outside.write_text("not ours", encoding="utf-8")
    outside.chmod(0o644)
    (index / f"index-{'0' * 16}.sqlite3-shm").symlink_to(outside)
    settings = world.settings(link)

    assert "permissions" not in wrong(check(settings))
    index.chmod(0o755)
    assert "permissions" in {one.code for one in fix(settings) if one.fixed}
    assert (stat.S_IMODE(index.stat().st_mode), stat.S_IMODE(outside.stat().st_mode)) == (
        0o700,
        0o644,
    )


def test_a_manifest_behind_a_writer_at_work_is_as_it_should_be(index: Path):
    EVERY["a manifest that is late"].do(index)
    assert "manifest" in wrong(check(world.settings(index)))

    (index / "write.pid").write_text(str(os.getppid()), encoding="utf-8")

    assert "manifest" not in wrong(check(world.settings(index)))


def test_a_writer_at_work_is_told_of_and_not_disturbed(index: Path):
    root = index.parent / "docs"
    (index / "write.pid").write_text(str(os.getppid()), encoding="utf-8")
    (index / "manifest.json.0123456789abcdef.tmp").touch(0o600)

    findings = check(world.settings(index))

    [note] = [one for one in findings if one.code == "writing"]
    assert note.message == f"process {os.getppid()} is writing the index"
    assert "leftovers" not in wrong(findings)
    assert root.is_dir()


def test_an_index_that_is_written_is_not_mended(index: Path):
    EVERY["open files"].do(index)
    lock = WriteLock(index)
    try:
        with pytest.raises(IndexLocked, match=f"process {os.getpid()} is writing"):
            fix(world.settings(index))
    finally:
        lock.release()


def test_progress_is_told_and_a_wish_to_stop_is_heard(index: Path):
    stages: list[Progress] = []
    EVERY["a mark"].do(index)

    check(world.settings(index), stages.append)
    with pytest.raises(Interrupted):
        fix(world.settings(index), None, lambda: len(stages) > 0)

    assert {one.unit for one in stages} >= {"vectors", "documents", "files"}
    assert "marks" in wrong(check(world.settings(index)))


def test_an_index_that_holds_nothing_is_whole(tmp_path: Path):
    config = world.settings(tmp_path / "index")
    (tmp_path / "docs").mkdir()
    with closing(compose.open_embedder(config)) as embedder:
        identity = compose.wanted_identity(config, embedder)
    open_writer(config.index_folder, identity, tmp_path / "docs").close()

    assert [one for one in check(config) if one.is_fault] == []


def with_lists(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Write a segment of vectors anew with an approximate index, of rows that were changed."""
    file = Derived(path)
    numbers, matrix = file.rows("numbers").copy(), file.rows("matrix").copy()
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(384), 384, 2, faiss.METRIC_INNER_PRODUCT)
    index.train(matrix)
    index.add(change(matrix))
    with drafting(path) as draft:
        draft.put("matrix", matrix)
        draft.put("numbers", numbers)
        draft.put("index", faiss.serialize_index(index))
        draft.finish(file.origin)


def test_an_approximate_index_holds_each_row_once(index: Path):
    [path] = index.glob("vectors-*.segment")

    with_lists(path, lambda matrix: matrix)
    whole = wrong(check(world.settings(index)))
    with_lists(path, lambda matrix: matrix[:-1])
    short = wrong(check(world.settings(index)))

    assert (whole, short) == (set(), {"segments"})


def test_a_rebuild_that_lacks_only_its_manifest_is_not_taken_for_a_leftover(index: Path):
    [database] = index.glob("index-*.sqlite3")
    for suffix in ("", "-wal"):
        if (current := database.with_name(database.name + suffix)).exists():
            shutil.copy(current, index / f"index-0123456789abcdef.sqlite3{suffix}")
    manifest = index / "manifest.json"
    data = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(data | {"generation": data["generation"] - 1}), encoding="utf-8")

    assert wrong(check(world.settings(index))) == {"manifest"}
    fix(world.settings(index))

    assert (index / "index-0123456789abcdef.sqlite3").exists()
