"""An index saved as one file and brought back: what comes back, what is refused, where it goes."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from askmd.config import Config
from askmd.errors import (
    AskmdError,
    IndexCorrupt,
    IndexLocked,
    IndexMismatch,
    Interrupted,
    UsageError,
)
from askmd.ingest import ingest_folder
from askmd.retriever import Retriever
from askmd.store import open_store, open_writer, outlines
from askmd.store.backup import ANOTHER_STEP, save_backup
from askmd.store.copying import DOCUMENT_ROW
from askmd.store.restoring import restore_backup
from askmd.store.rows import CHUNK_COLUMNS, checksum_of, vector_checksum
from askmd.types import Progress
from conftest import HASH, Askmd, CountingEmbedder
from faults.backups import sealed

QUESTIONS = ("upstream refused", "rotate keys every year", "autovacuum")
POSIX = pytest.mark.skipif(os.name == "nt", reason="POSIX permissions, pipes and limits")


@pytest.fixture
def index(handbook: Path, settings: Config) -> Path:
    """The folder of an index of the handbook."""
    ingest_folder(handbook, settings)
    return settings.index_folder


@pytest.fixture
def file(index: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    target = tmp_path / "notes.backup"
    save_backup(index, target)
    return target


def answers(settings: Config) -> list[list[tuple[str, float, str]]]:
    with Retriever.open(settings) as retriever:
        return [
            [(hit.chunk, round(hit.score, 6), hit.text) for hit in retriever.search(one, limit=4)]
            for one in QUESTIONS
        ]


def database_of(index: Path) -> Path:
    return index / json.loads((index / "manifest.json").read_text(encoding="utf-8"))["database"]


def everything_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith((".lock", "-shm"))
        # Whoever opens a database makes a log, though there be nothing in it.
        if path.stat().st_size or not path.name.endswith("-wal")
    }


def forged(file: Path, *statements: str, are_sums_right: bool = False) -> Path:
    """Return a backup in which somebody changed something and made its sum right again.

    are_sums_right: those of its rows too.
    """
    target = file.with_name("forged.backup")
    body = file.read_bytes()
    target.write_bytes(body[: body.rindex(b"\naskmd backup")])
    with closing(sqlite3.connect(target)) as connection:
        for statement in statements:
            connection.execute(statement)
        if are_sums_right:
            _sum_rows(connection)
        connection.commit()
    target.write_bytes(sealed(target.read_bytes()))
    return target


def _sum_rows(connection: sqlite3.Connection) -> None:
    for row in connection.execute(f"SELECT {DOCUMENT_ROW} FROM documents").fetchall():
        _put(connection, "documents SET checksum = ? WHERE number = ?", checksum_of(row), row[0])
    rows = connection.execute(
        f"SELECT path, chunks.number, {CHUNK_COLUMNS} FROM chunks "
        "LEFT JOIN documents ON documents.number = document"
    )
    for path, number, *texts, key in rows.fetchall():
        found = checksum_of([path, *texts, key.hex()])
        _put(connection, "chunks SET checksum = ? WHERE number = ?", found, number)
    for key, vector in connection.execute("SELECT key, vector FROM vectors").fetchall():
        found = vector_checksum(key, vector)
        _put(connection, "vectors SET checksum = ? WHERE key = ?", found, key)
    meta = connection.execute("SELECT key, value FROM meta WHERE key != 'checksum' ORDER BY key")
    found = checksum_of(meta.fetchall())
    _put(connection, "meta SET value = ? WHERE key = 'checksum'", found.hex())


def _put(connection: sqlite3.Connection, what: str, *values: object) -> None:
    connection.execute(f"UPDATE {what}", values)


# --- what goes in comes out -----------------------------------------------------------------


def test_what_is_brought_back_answers_as_before_and_is_a_newer_generation(
    index: Path, file: Path, settings: Config, handbook: Path, embedder: CountingEmbedder
):
    before = answers(settings)
    (handbook / "nginx.md").write_text("# Other\n\nNothing of before.\n", encoding="utf-8")
    ingest_folder(handbook, settings)
    with open_store(index) as reader:
        old = reader.generation
        restored = restore_backup(file, index)
        assert reader.generation > old
    assert (restored.documents, restored.chunks, restored.root) == (3, 7, handbook)
    assert answers(settings) == before
    ingest_folder(handbook, settings, embedder=embedder)
    assert [text for text in embedder.take() if "Other" not in text] == []


def test_everything_stored_comes_back(index: Path, file: Path, tmp_path: Path):
    other = tmp_path / "other"
    restore_backup(file, other)
    with open_store(index) as one, open_store(other) as two:
        assert one.documents() == two.documents()
        assert one.counts() == two.counts()
        assert (one.identity, one.encoding, one.root) == (two.identity, two.encoding, two.root)
        assert one.headings(100) == two.headings(100)


def test_an_index_that_was_never_finished_comes_back_unfinished(
    handbook: Path, settings: Config, tmp_path: Path, embedder: CountingEmbedder
):
    identity = _identity_of(settings, embedder)
    open_writer(settings.index_folder, identity, handbook).close()
    file = tmp_path / "empty.backup"
    save_backup(settings.index_folder, file)
    restored = restore_backup(file, tmp_path / "other")
    assert (restored.documents, restored.root, restored.is_found) == (0, handbook, True)
    with open_store(tmp_path / "other") as store:
        assert store.counts().last_ingest is None


def _identity_of(settings: Config, embedder: CountingEmbedder):
    from askmd import compose

    return compose.wanted_identity(settings, embedder)


def test_what_was_deleted_is_not_in_a_backup(
    index: Path, handbook: Path, settings: Config, tmp_path: Path
):
    (handbook / "access" / "ssh.md").unlink()
    ingest_folder(handbook, settings)
    save_backup(index, tmp_path / "later.backup")
    assert b"ssh-keygen" not in (tmp_path / "later.backup").read_bytes()


def test_progress_is_told_of_both(index: Path, file: Path, tmp_path: Path):
    told: list[Progress] = []
    save_backup(index, tmp_path / "again.backup", progress=told.append)
    restore_backup(file, tmp_path / "other", progress=told.append)
    ends = {(one.stage, one.unit): (one.done, one.total) for one in told if one.unit == "rows"}
    assert ends == {("saving", "rows"): (17, 17), ("restoring", "rows"): (17, 17)}


# --- the file -------------------------------------------------------------------------------


@POSIX
def test_only_the_owner_can_read_a_backup_and_nothing_is_left_beside_it(file: Path):
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in file.parent.iterdir() if one.name.startswith("notes")] == [
        "notes.backup"
    ]


def test_any_sqlite_reads_a_backup(file: Path):
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM chunks").fetchall() == [(7,)]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("delete",)]


def test_a_backup_takes_the_place_of_a_backup_and_of_nothing_else(
    index: Path, file: Path, tmp_path: Path
):
    old = file.read_bytes()
    save_backup(index, file, now=lambda: 0.0)
    assert file.read_bytes() != old
    other = tmp_path / "thesis.txt"
    other.write_text("ten years of work", encoding="utf-8")
    with pytest.raises(AskmdError, match=r"thesis\.txt is there already and is no backup"):
        save_backup(index, other)
    with pytest.raises(AskmdError, match="is there already and is no backup"):
        save_backup(index, database_of(index).rename(tmp_path / "a.sqlite3"))
    assert other.read_text(encoding="utf-8") == "ten years of work"


def test_the_backup_of_another_index_is_not_replaced(tmp_path: Path):
    docs, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "notes.backup")
    old = file.read_bytes()
    _, other = project(tmp_path, "two")
    with pytest.raises(UsageError) as raised:
        save_backup(other, file)
    assert str(raised.value) == (
        f"{file} holds the backup of the index of {docs}; name another file, or remove it"
    )
    assert file.read_bytes() == old
    ingested(docs, rebuild=True)
    save_backup(index, file)
    docs.parent.rename(tmp_path / "moved")
    save_backup(tmp_path / "moved" / "index", file)
    file.write_bytes(file.read_bytes()[:5000])
    save_backup(other, file)
    assert restore_backup(file, tmp_path / "third").root == tmp_path / "two" / "docs"


def test_both_tables_of_documents_have_the_columns_that_their_checksum_takes():
    assert outlines._ROW == DOCUMENT_ROW


def test_what_a_killed_backup_left_is_swept_a_day_later(index: Path, file: Path):
    old, young, foreign = (
        file.with_name(f"{name}.tmp")
        for name in (f"{file.name}.{'0' * 16}", f"{file.name}.{'1' * 16}", f"{file.name}.mine")
    )
    for one in (old, young, foreign):
        one.write_bytes(b"")
    yesterday = time.time() - 25 * 3600
    for one in (old, foreign):
        os.utime(one, (yesterday, yesterday))
    save_backup(index, file)
    assert [one.exists() for one in (old, young, foreign)] == [False, True, True]


@POSIX
def test_on_a_full_disk_the_old_backup_stays_and_nothing_is_left(index: Path, file: Path):
    old = file.read_bytes()
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))\n"
        "from askmd.store.backup import save_backup\n"
        "from askmd.errors import AskmdError\n"
        "try: save_backup(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except AskmdError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(index), str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "notes.backup" in ran.stdout, ran.stderr
    assert "cannot be written: " in ran.stdout
    assert "; make room there, or name another place\n" in ran.stdout
    assert file.read_bytes() == old
    assert list(file.parent.glob("*.tmp")) == []


@POSIX
def test_on_a_full_disk_the_standing_index_stays(index: Path, file: Path):
    before = everything_in(index)
    script = (
        "import resource, signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))\n"
        "from askmd.store.restoring import restore_backup\n"
        "from askmd.errors import AskmdError\n"
        "try: restore_backup(Path(sys.argv[2]), Path(sys.argv[1]))\n"
        "except AskmdError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(index), str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.stdout.startswith("the disk takes no more of the index in "), ran.stderr
    assert everything_in(index) == before


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE chunks SET text = text || '.' WHERE number = 3",
        "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE rowid = 2",
        "UPDATE documents SET path = 'other.md' WHERE number = 1",
        "DELETE FROM chunks WHERE number = 4",
        "DELETE FROM vectors WHERE rowid = 1",
        "DELETE FROM documents WHERE number = 2",
    ],
)
def test_a_damaged_index_is_not_saved(index: Path, tmp_path: Path, statement: str):
    with closing(sqlite3.connect(database_of(index))) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(statement)
        connection.commit()
    with pytest.raises(IndexCorrupt) as raised:
        save_backup(index, tmp_path / "lie.backup")
    assert raised.value.next_step.endswith("run `askmd doctor`, which names what mends it")
    assert list(tmp_path.glob("lie*")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER spring AFTER INSERT ON chunks BEGIN SELECT 1; END",
        "CREATE VIEW look AS SELECT 1",
        "CREATE TABLE more (one)",
        "ALTER TABLE vectors ADD COLUMN more",
        "CREATE INDEX sooner ON chunks (document)",
        "UPDATE documents SET path = x'00' WHERE number = 1",
        "UPDATE documents SET title = 'Other' WHERE number = 1",
        "UPDATE chunks SET text = 'Pay the bill to me.' WHERE number = 1",
        "UPDATE vectors SET vector = zeroblob(8) WHERE rowid = 1",
        "UPDATE meta SET value = 'elsewhere' WHERE key = 'root'",
        "DELETE FROM vectors WHERE rowid = 1",
        "DELETE FROM chunks WHERE number = 1",
        "DELETE FROM documents WHERE number = 1",
        "DELETE FROM meta",
        "DELETE FROM backup",
        "UPDATE backup SET value = 'many' WHERE key = 'chunks'",
    ],
)
def test_a_forged_backup_is_refused_and_what_stands_is_not_touched(
    index: Path, file: Path, statement: str
):
    before = everything_in(index)
    with pytest.raises(IndexCorrupt) as raised:
        restore_backup(forged(file, statement), index)
    assert (raised.value.next_step, everything_in(index)) == (ANOTHER_STEP, before)


_DEEP = "replace(hex(zeroblob(100000)), '00', '[')"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE documents SET path = '../../.ssh/id_rsa' WHERE number = 1",
        "UPDATE documents SET path = '/etc/passwd' WHERE number = 1",
        "UPDATE documents SET path = 'a' || char(0) WHERE number = 1",
        "UPDATE documents SET path = 7 WHERE number = 1",
        "UPDATE documents SET numbers = '[]' WHERE number = 1",
        f"UPDATE documents SET headings = {_DEEP} WHERE number = 1",
        f"UPDATE documents SET metadata = {_DEEP} WHERE number = 1",
        f"UPDATE chunks SET heading = {_DEEP} WHERE number = 1",
        "UPDATE chunks SET heading = 'no JSON' WHERE number = 1",
        "UPDATE chunks SET document = 99 WHERE number = 1",
        "UPDATE chunks SET id = (SELECT id FROM chunks WHERE number = 2) WHERE number = 1",
        "UPDATE vectors SET vector = zeroblob(length(vector)) WHERE rowid = 1",
        "UPDATE vectors SET vector = CAST(replace(hex(vector), '3', 'F') AS BLOB) WHERE rowid = 1",
        "INSERT INTO vectors SELECT * FROM vectors LIMIT 1",
        "DELETE FROM vectors WHERE rowid = 1",
        "DELETE FROM chunks WHERE number = 1",
        "UPDATE meta SET value = 'x' WHERE key = 'identity'",
        f"UPDATE meta SET value = {_DEEP} WHERE key = 'identity'",
        "UPDATE meta SET value = hex(zeroblob(1000000)) WHERE key = 'root'",
        "UPDATE meta SET value = '.' || char(0) WHERE key = 'root'",
        "UPDATE meta SET value = '9' WHERE key = 'documents'",
        "UPDATE backup SET value = '9' WHERE key = 'vectors'",
    ],
)
def test_a_backup_that_no_askmd_wrote_is_refused_even_where_every_sum_is_right(
    index: Path, file: Path, statement: str
):
    before = everything_in(index)
    with pytest.raises(IndexCorrupt) as raised:
        restore_backup(forged(file, statement, are_sums_right=True), index)
    assert (raised.value.next_step, everything_in(index)) == (ANOTHER_STEP, before)


def test_a_backup_of_another_format_names_the_version_that_reads_it(index: Path, file: Path):
    other = forged(
        file,
        "UPDATE backup SET value = '2' WHERE key = 'format'",
        "UPDATE backup SET value = '9.1' WHERE key = 'askmd'",
    )
    with pytest.raises(
        IndexMismatch, match=r"another version of askmd; restore it with askmd 9\.1$"
    ):
        restore_backup(other, index)


@pytest.mark.parametrize("kept", [0, 50, 4096, -1, -40])
def test_a_cut_backup_is_refused(index: Path, file: Path, kept: int):
    before = everything_in(index)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(AskmdError, match=r"is no backup|is damaged"):
        restore_backup(file, index)
    assert everything_in(index) == before


@POSIX
def test_a_pipe_or_a_device_is_no_backup(index: Path, tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for one in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(AskmdError, match="is no backup"):
            restore_backup(one, index)
        with pytest.raises(AskmdError, match="is there already and is no backup"):
            save_backup(index, one)


def test_a_journal_that_lies_beside_a_backup_is_not_played_back(
    index: Path, file: Path, settings: Config
):
    before = answers(settings)
    file.with_name(f"{file.name}-journal").write_bytes(os.urandom(8192))
    restore_backup(file, index)
    assert answers(settings) == before


@pytest.mark.parametrize("after", range(4))
def test_what_is_stopped_leaves_everything_as_it_was(
    index: Path, file: Path, tmp_path: Path, after: int
):
    before, calls = everything_in(index) | {"": file.read_bytes()}, iter(range(100))
    with pytest.raises(Interrupted):
        restore_backup(file, index, cancel=lambda: next(calls) >= after)
    calls = iter(range(100))
    with pytest.raises(Interrupted):
        save_backup(index, file, cancel=lambda: next(calls) >= after)
    assert everything_in(index) | {"": file.read_bytes()} == before
    assert list(tmp_path.glob("*.tmp")) == []


def test_while_another_process_writes_a_backup_is_taken_but_none_is_brought_back(
    index: Path, file: Path, handbook: Path, settings: Config, embedder: CountingEmbedder
):
    with open_writer(index, _identity_of(settings, embedder), handbook):
        assert save_backup(index, file).documents == 3
        with pytest.raises(IndexLocked):
            restore_backup(file, index)


# --- what it is put in the place of ---------------------------------------------------------


def _lose_the_manifest(index: Path) -> None:
    (index / "manifest.json").unlink()


def _break_the_manifest(index: Path) -> None:
    (index / "manifest.json").write_text("{", encoding="utf-8")


def _break_the_database(index: Path) -> None:
    database_of(index).write_bytes(b"\0" * 8192)


def _lose_the_database(index: Path) -> None:
    database_of(index).unlink()


@pytest.mark.parametrize(
    "damage",
    [
        shutil.rmtree,
        _lose_the_manifest,
        _break_the_manifest,
        _break_the_database,
        _lose_the_database,
    ],
)
def test_a_damaged_index_is_replaced(
    index: Path, file: Path, settings: Config, damage: Callable[[Path], None]
):
    before = answers(settings)
    damage(index)
    restore_backup(file, index)
    assert answers(settings) == before
    assert len(list(index.glob("index-*.sqlite3"))) == 1


def test_an_index_of_another_folder_that_is_there_is_not_replaced(
    index: Path, file: Path, settings: Config, tmp_path: Path
):
    other = tmp_path / "others"
    other.mkdir()
    (other / "one.md").write_text("# One\n\nText.\n", encoding="utf-8")
    shutil.rmtree(index)
    ingest_folder(other, settings)
    before = everything_in(index)
    with pytest.raises(IndexMismatch) as raised:
        restore_backup(file, index)
    assert "others" in raised.value.message
    assert "--index" in raised.value.next_step
    assert everything_in(index) == before


COMMON = ("README.md", "CHANGELOG.md", "docs/index.md")
"""What any two projects have."""


def project(place: Path, name: str, *more: str) -> tuple[Path, Path]:
    """Return the documents of a project and the index of them, which lies beside."""
    docs = place / name / "docs"
    for path in (*COMMON, *more):
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_text(f"# {path}\n\nOf {name}.\n", encoding="utf-8")
    return docs, ingested(docs)


def ingested(docs: Path, *, rebuild: bool = False, prune: bool = False) -> Path:
    settings = Config.load(_config(docs.parent, docs.parent / "index"))
    ingest_folder(docs, settings, rebuild=rebuild, prune=prune)
    return settings.index_folder


def saved(index: Path, file: Path) -> Path:
    save_backup(index, file)
    return file


def change_the_schema(index: Path) -> None:
    with closing(sqlite3.connect(database_of(index))) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
        connection.commit()


def lose_all_but_the_root(index: Path) -> None:
    with closing(sqlite3.connect(database_of(index))) as connection:
        connection.execute("DELETE FROM meta WHERE key != 'root'")
        connection.execute("DROP TABLE documents")
        connection.commit()


def leave_as_it_is(index: Path) -> None:
    assert index.exists()


def unplug_the_documents(index: Path) -> None:
    (index.parent / "docs").rename(index.parent / "unplugged")


@pytest.mark.parametrize(
    "damage",
    [
        leave_as_it_is,
        _lose_the_manifest,
        _break_the_manifest,
        change_the_schema,
        lose_all_but_the_root,
        unplug_the_documents,
    ],
)
def test_the_index_of_another_project_is_not_replaced_though_the_names_are_the_same(
    tmp_path: Path, damage: Callable[[Path], None]
):
    _, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    docs, other = project(tmp_path, "two")
    damage(other)
    before = everything_in(other)
    with pytest.raises(IndexMismatch) as raised:
        restore_backup(file, other, others=[docs])
    assert f"the index in {other} belongs to {docs}, " in raised.value.message
    assert "`askmd restore " in raised.value.next_step
    assert everything_in(other) == before


def test_another_projects_backup_is_put_there_by_who_names_the_folder(tmp_path: Path):
    _, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    docs, other = project(tmp_path, "two")
    assert restore_backup(file, other, root=docs).root == docs


def test_a_folder_that_is_there_keeps_its_index_whatever_other_folder_is_named(tmp_path: Path):
    docs, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    theirs, other = project(tmp_path, "two")
    with pytest.raises(IndexMismatch, match=f"askmd restore {file} {theirs}"):
        restore_backup(file, other, root=docs)
    theirs.rename(tmp_path / "unplugged")
    assert restore_backup(file, other, root=docs).root == docs


def test_one_name_in_common_does_not_make_a_folder_that_of_the_documents(tmp_path: Path):
    docs, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    shutil.rmtree(docs)
    docs.mkdir()
    (docs / "README.md").write_text("# Another\n", encoding="utf-8")
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(docs, elsewhere / "docs")
    restored = restore_backup(file, elsewhere / "index")
    assert (restored.root, restored.is_found) == (docs, True)


@pytest.mark.parametrize("rebuild", [False, True])
def test_an_old_backup_goes_into_the_index_of_a_folder_whose_files_were_all_edited(
    tmp_path: Path, rebuild: bool
):
    docs, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    for number, path in enumerate(sorted(docs.rglob("*.md"))):
        path.write_text(f"# Edited {number}\n\nText.\n", encoding="utf-8")
        path.rename(path.with_name(f"{number}.md"))
    ingested(docs, rebuild=rebuild, prune=True)
    restored = restore_backup(file, index)
    assert (restored.root, restored.documents, restored.is_found) == (docs, 3, False)


def test_a_rebuilt_index_keeps_its_folder_though_a_copy_of_it_holds_more(tmp_path: Path):
    docs, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    copy = tmp_path / "copy"
    shutil.copytree(docs, copy)
    for path in docs.rglob("*.md"):
        path.write_text("# Edited\n\nText.\n", encoding="utf-8")
    (docs / "README.md").unlink()
    ingested(docs, rebuild=True, prune=True)
    assert restore_backup(file, index, others=[copy]).root == docs


def test_a_project_that_moved_with_an_index_made_anew_is_known_by_its_contents(tmp_path: Path):
    docs, index = project(tmp_path, "one", "more.md")
    file = saved(index, tmp_path / "one.backup")
    docs.parent.rename(tmp_path / "moved")
    moved = tmp_path / "moved" / "docs"
    (moved / "more.md").write_text("# Edited\n", encoding="utf-8")
    shutil.rmtree(tmp_path / "moved" / "index")
    index = ingested(moved)
    assert restore_backup(file, index).root == moved
    (moved / "README.md").write_text("# Edited\n\nAll of it.\n", encoding="utf-8")
    (moved / "CHANGELOG.md").write_text("# Edited\n\nAll of it.\n", encoding="utf-8")
    ingested(moved)
    assert restore_backup(file, index).root == moved


def test_documents_that_moved_are_bound_to_the_folder_that_is_named(
    tmp_path: Path, embedder: CountingEmbedder
):
    docs, index = project(tmp_path, "one")
    moved = tmp_path / "one" / "moved"
    docs.rename(moved)
    file = saved(index, tmp_path / "one.backup")
    assert restore_backup(file, index, root=moved).root == moved
    with open_store(index) as store:
        assert store.root == moved
    settings = Config.load(_config(tmp_path, index))
    ingest_folder(moved, settings, embedder=embedder)
    assert embedder.take() == []


def test_what_was_brought_back_is_of_the_same_line_as_its_backup(tmp_path: Path):
    docs, index = project(tmp_path, "one")
    file = saved(index, tmp_path / "one.backup")
    moved = tmp_path / "moved"
    docs.rename(moved)
    restore_backup(file, index, root=moved)
    for path in moved.rglob("*.md"):
        path.write_text("# Edited\n\nText.\n", encoding="utf-8")
    ingest_folder(moved, Config.load(_config(tmp_path, index)))
    assert restore_backup(file, index).root == moved
    assert save_backup(index, file).documents == 3


# --- where the documents are ----------------------------------------------------------------


def test_documents_that_moved_are_found_by_what_is_there(
    file: Path, handbook: Path, tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    moved = tmp_path / "elsewhere" / "notes"
    moved.parent.mkdir()
    handbook.rename(moved)
    index = tmp_path / "new-machine" / "index"
    lost = restore_backup(file, index)
    assert (lost.root, lost.is_found) == (handbook, False)
    assert restore_backup(file, index, others=[tmp_path, moved]).root == moved
    named = restore_backup(file, index, root=moved)
    assert (named.root, named.is_found) == (moved, True)
    settings = Config.load(_config(tmp_path, index))
    ingest_folder(moved, settings, embedder=embedder)
    assert embedder.take() == []


def _config(folder: Path, index: Path) -> Path:
    file = folder / "moved.toml"
    file.write_text(f"{HASH}[index]\npath = {json.dumps(str(index))}\n", encoding="utf-8")
    return file


def test_the_folder_beside_the_index_comes_first_where_both_hold_the_documents(
    file: Path, handbook: Path, tmp_path: Path
):
    twin = tmp_path / "twin"
    shutil.copytree(handbook, twin / "handbook")
    assert restore_backup(file, twin / "index").root == twin / "handbook"
    (twin / "handbook" / "nginx.md").unlink()
    assert restore_backup(file, tmp_path / "third" / "index").root == handbook


def test_a_folder_that_only_lies_where_theirs_did_is_not_taken(
    file: Path, handbook: Path, tmp_path: Path
):
    shutil.rmtree(handbook)
    other = tmp_path / "other"
    (other / "handbook").mkdir(parents=True)
    (other / "handbook" / "secret.md").write_text("# Mine\n", encoding="utf-8")
    restored = restore_backup(file, other / "index")
    assert (restored.root, restored.is_found) == (handbook, False)


# --- the verbs ------------------------------------------------------------------------------


def test_the_verbs_say_what_they_did(indexed: Askmd, here: Path):
    saved = indexed("backup", "notes.backup")
    assert saved.out.startswith(f"3 documents, 7 chunks saved in {here / 'notes.backup'}: ")
    told = indexed("backup", "notes.backup", "--json").json
    assert set(told) == {
        "backup",
        "index",
        "documents",
        "chunks",
        "generation",
        "bytes",
        "seconds",
    }
    assert told["bytes"] == (here / "notes.backup").stat().st_size
    restored = indexed("restore", "notes.backup")
    assert (restored.status, restored.err) == (0, "")
    assert restored.out.startswith("3 documents, 7 chunks as of 20")
    where = f" are back in {here / '.askmd'}, for the documents in {here / 'handbook'}\n"
    assert restored.out.endswith(where)
    assert indexed("restore", "notes.backup", "--json").json["root"] == str(here / "handbook")
    assert indexed("search", "upstream refused").out.startswith("1. nginx.md:9-11")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("backup", "handbook"), 2, "is a folder; name a file, such as "),
        (("backup", "no/where"), 2, "there is no folder "),
        (("backup", ".askmd/x"), 2, "would stand in the index that it is to save; "),
        (("backup", "config.toml"), 2, "config.toml is there already and is no backup; "),
        (("backup", "x", "--index", "none"), 1, "there is no index in "),
        (("restore", "config.toml"), 2, "config.toml is no backup; name a file that `askmd "),
        (("restore", "absent"), 2, "absent is not there; name a file that `askmd backup FILE`"),
        (("restore", "handbook"), 2, "handbook is no backup; "),
        (("restore", "n.backup", "nowhere"), 1, "no such folder: nowhere; name the one"),
        (("restore", "n.backup", "--index", "handbook"), 1, "handbook is no index: it holds "),
    ],
)
def test_what_cannot_be_done_is_one_line(
    indexed: Askmd, words: tuple[str, ...], status: int, said: str
):
    assert indexed("backup", "n.backup").status == 0
    ran = indexed(*words)
    assert (ran.status, said in ran.err, ran.err.count("\n")) == (status, True, 1), ran.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("backup", "handbook/notes.md"), 2, "notes.md would be one of the documents in "),
        (("backup", "handbook/access/N.MDX"), 2, "name it otherwise, such as N.backup, or anoth"),
        (("backup", "handbook/notes.backup"), 0, ""),
        (("backup", "notes.md"), 0, ""),
        (("backup", "loop"), 1, "loop cannot be written: Too many levels of symbolic links; mend"),
        (("restore", "loop"), 1, "loop cannot be read: Too many levels of symbolic links; mend"),
        (("restore", "n.backup", "loop"), 1, "cannot use loop: Too many levels of symbolic "),
        (("backup", "n" * 300), 1, "n cannot be written: File name too long; name a shorter path"),
        (("backup", "n" * 250), 1, "n cannot be written: File name too long; name a shorter path"),
        (("restore", "n" * 300), 1, "n cannot be read: File name too long; name a shorter path"),
        (("restore", "n.backup", "n" * 300), 1, "n: File name too long; name a shorter path"),
    ],
)
@POSIX
def test_no_name_is_too_odd_for_one_line(
    indexed: Askmd, here: Path, words: tuple[str, ...], status: int, said: str
):
    (here / "loop").symlink_to("loop")
    assert indexed("backup", "n.backup").status == 0
    ran = indexed(*words)
    assert (ran.status, said in ran.err, "unexpected" in ran.err) == (status, True, False), ran.err
    assert ran.err.count("\n") == (1 if status else 0)
    assert (here / "loop").is_symlink()


def test_a_folder_of_the_settings_that_leads_nowhere_is_passed_over(indexed: Askmd, here: Path):
    (here / "loop").symlink_to("loop")
    (here / "config.toml").write_text(HASH + '[documents]\nfolder = "loop"\n', encoding="utf-8")
    assert indexed("backup", "n.backup").status == 0
    assert indexed("restore", "n.backup").status == 0


def test_after_a_restore_the_notices_name_what_is_to_be_done(
    indexed: Askmd, here: Path, handbook: Path
):
    assert indexed("backup", "notes.backup").status == 0
    handbook.rename(here / "moved")
    (here / "config.toml").write_text(HASH + "[chunks]\nmax_tokens = 64\n", encoding="utf-8")
    ran = indexed("restore", "notes.backup")
    lost, other = ran.err.splitlines()
    assert lost.startswith(f"none of the documents is in {handbook}; run `askmd restore notes.")
    assert "was built with max_tokens 256, but the settings ask for max_tokens 64" in other
    assert ran.status == 0
    assert indexed("restore", "notes.backup", "moved").err.count("\n") == 1
