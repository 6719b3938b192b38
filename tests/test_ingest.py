from __future__ import annotations

import os
import random
import shutil
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from askmd import Retriever, ingest_folder
from askmd.config import Config
from askmd.errors import (
    EmbedderUnreachable,
    FolderError,
    IndexCorrupt,
    IndexMismatch,
    Interrupted,
    NoIndex,
    TextsRejected,
)
from askmd.ingest import ChunkCounts, DocumentCounts, dry_run
from askmd.ingest.batch import Batch, while_wanted
from askmd.settings import ChunkSettings, DocumentSettings
from askmd.types import Failure, Progress
from conftest import CountingEmbedder


def paths_found(settings: Config, question: str) -> list[str]:
    with Retriever.open(settings) as retriever:
        return [hit.path for hit in retriever.search(question, mode="words")]


def test_a_first_ingest_embeds_every_chunk_and_says_so(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    report = ingest_folder(handbook, settings, embedder=embedder)
    assert report.documents == DocumentCounts(seen=3, new=3)
    assert report.chunks == ChunkCounts(total=7, embedded=7, reused=0, truncated=0)
    assert len(embedder.take()) == 7
    assert 0 < report.longest_chunk_tokens <= 256


def test_a_second_ingest_embeds_nothing(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    ingest_folder(handbook, settings, embedder=embedder)
    embedder.take()
    report = ingest_folder(handbook, settings, embedder=embedder)
    assert (report.documents, embedder.take()) == (DocumentCounts(seen=3, unchanged=3), [])


def test_a_new_date_on_the_same_bytes_is_no_change(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    ingest_folder(handbook, settings, embedder=embedder)
    os.utime(handbook / "nginx.md", (1_000_000_000, 1_000_000_000))
    assert ingest_folder(handbook, settings, embedder=embedder).documents.unchanged == 3


def test_new_bytes_under_an_old_date_and_size_are_seen_when_asked_to_verify(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    file = handbook / "nginx.md"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    ingest_folder(handbook, settings, embedder=embedder)
    status = file.stat()
    with file.open("r+b") as handle:
        handle.write(b"# nginX")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert ingest_folder(handbook, settings, embedder=embedder, verify=True).documents.changed == 1


def test_only_the_section_that_changed_is_embedded_again(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    ingest_folder(handbook, settings, embedder=embedder)
    embedder.take()
    file = handbook / "nginx.md"
    text = file.read_text(encoding="utf-8").replace("start it", "restart it")
    file.write_text(text, encoding="utf-8")
    report = ingest_folder(handbook, settings, embedder=embedder)
    [embedded] = embedder.take()
    assert "restart it" in embedded
    assert report.documents == DocumentCounts(seen=3, changed=1, unchanged=2)
    assert report.chunks == ChunkCounts(total=7, embedded=1, reused=2)


def test_lines_put_in_above_cost_only_their_own_chunk(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    ingest_folder(handbook, settings, embedder=embedder)
    embedder.take()
    file = handbook / "nginx.md"
    text = "A word before everything.\n\n" + file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    ingest_folder(handbook, settings, embedder=embedder)
    assert embedder.take() == ["A word before everything."]
    with Retriever.open(settings) as retriever:
        [hit, *_] = retriever.search("upstream refused", mode="words")
    assert text[hit.chars[0] : hit.chars[1]] == hit.text


def test_a_renamed_file_and_a_renamed_folder_cost_nothing(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    ingest_folder(handbook, settings, embedder=embedder)
    embedder.take()
    (handbook / "nginx.md").rename(handbook / "web.md")
    (handbook / "access").rename(handbook / "entry")
    report = ingest_folder(handbook, settings, embedder=embedder)
    assert report.documents == DocumentCounts(seen=3, moved=2, unchanged=1)
    assert embedder.take() == []
    assert paths_found(settings, "ed25519") == ["entry/ssh.md"]


def test_a_deleted_file_is_gone_from_what_is_found(handbook: Path, settings: Config):
    ingest_folder(handbook, settings)
    (handbook / "postgres.md").unlink()
    report = ingest_folder(handbook, settings)
    assert (report.documents.removed, report.chunks.total) == (1, 5)
    assert paths_found(settings, "autovacuum") == []


@pytest.mark.parametrize("what", ["emptied", "missing", "mostly vanished"])
def test_a_vanished_folder_never_empties_the_index_without_prune(
    what: str, handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    if what == "mostly vanished":
        (handbook / "nginx.md").unlink()
        (handbook / "postgres.md").unlink()
    else:
        shutil.rmtree(handbook)
        if what == "emptied":
            handbook.mkdir()
    with pytest.raises(FolderError, match="--prune"):
        ingest_folder(handbook, settings)
    assert paths_found(settings, "autovacuum") == ["postgres.md"]
    report = ingest_folder(handbook, settings, prune=True)
    assert report.documents.removed == (2 if what == "mostly vanished" else 3)


@pytest.mark.parametrize("what", ["emptied", "mostly vanished", "unreadable"])
def test_a_rebuild_does_not_empty_the_index_either(what: str, handbook: Path, settings: Config):
    ingest_folder(handbook, settings)
    for name in ("nginx.md", "postgres.md", "access/ssh.md"):
        if what == "unreadable" and name != "nginx.md":
            (handbook / name).write_bytes(b"caf\xe9")
        elif what == "emptied" or name != "nginx.md":
            (handbook / name).unlink()
    with pytest.raises(FolderError, match="--prune"):
        ingest_folder(handbook, settings, rebuild=True)
    assert paths_found(settings, "autovacuum") == ["postgres.md"]


def test_a_rebuild_of_a_renamed_folder_loses_nothing(handbook: Path, settings: Config):
    ingest_folder(handbook, settings)
    (handbook / "access").rename(handbook / "entry")
    (handbook / "nginx.md").rename(handbook / "web.md")
    assert ingest_folder(handbook, settings, rebuild=True).chunks.total == 7


def test_a_folder_named_by_dots_is_that_folder(
    handbook: Path, settings: Config, monkeypatch: pytest.MonkeyPatch
):
    (handbook / ".git").mkdir()
    (handbook / "access" / ".gitignore").write_text("*.md\n", encoding="utf-8")
    monkeypatch.chdir(handbook / "access")
    assert ingest_folder("..", settings).documents.seen == 2


def test_the_same_bytes_read_in_another_encoding_are_a_change(handbook: Path, settings: Config):
    (handbook / "price.md").write_bytes(b"# Price\n\nFive \x80\n")
    for encoding, sign in (("latin-1", "\x80"), ("cp1252", "€")):
        read_so = replace(settings, documents=DocumentSettings(encoding=encoding))
        os.utime(handbook / "price.md", (1_000_000_000, len(encoding)))
        ingest_folder(handbook, read_so)
        with Retriever.open(read_so) as retriever:
            assert retriever.search("five", mode="words")[0].text.endswith(sign)


def texts_about(question: str, settings: Config) -> list[str]:
    with Retriever.open(settings) as retriever:
        return [hit.text for hit in retriever.search(question, mode="words")]


@pytest.mark.parametrize("is_stopped", [False, True], ids=["at once", "after an interruption"])
def test_another_encoding_is_read_though_no_stamp_has_changed(
    is_stopped: bool, handbook: Path, settings: Config, embedder: CountingEmbedder
):
    (handbook / "price.md").write_bytes(b"# Price\n\nFive \x80\n")
    for file in handbook.rglob("*.md"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    latin, windows = (
        replace(settings, documents=DocumentSettings(encoding=name))
        for name in ("latin-1", "cp1252")
    )
    ingest_folder(handbook, latin, embedder=embedder)
    if is_stopped:
        with pytest.raises(Interrupted):
            ingest_folder(handbook, windows, embedder=embedder, cancel=lambda: True)
    assert dry_run(handbook, windows, embedder=embedder).files == 1

    report = ingest_folder(handbook, windows, embedder=embedder)

    assert (report.documents.changed, report.documents.unchanged) == (1, 3)
    assert texts_about("five", windows) == ["# Price\n\nFive €"]
    assert dry_run(handbook, windows, embedder=embedder).files == 0


def test_a_file_that_another_encoding_does_not_fit_fails_again_each_time(
    handbook: Path, settings: Config
):
    (handbook / "price.md").write_bytes(b"# Price\n\nFive \x80\n")
    os.utime(handbook / "price.md", (1_000_000_000, 1_000_000_000))
    for encoding, failed in (("latin-1", 0), ("ascii", 1), ("ascii", 1), ("latin-1", 0)):
        read_so = replace(settings, documents=DocumentSettings(encoding=encoding))
        assert ingest_folder(handbook, read_so).documents.failed == failed


def test_a_folder_without_markdown_and_a_folder_that_is_none_are_errors(
    tmp_path: Path, settings: Config
):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.md").write_text("x", encoding="utf-8")
    for folder, words in [
        ("empty", "no Markdown in"),
        ("nowhere", "no such folder"),
        ("file.md", "is a file"),
    ]:
        with pytest.raises(FolderError, match=words):
            ingest_folder(tmp_path / folder, settings)
    with pytest.raises(NoIndex):
        Retriever.open(settings)


def test_one_bad_file_is_reported_and_never_stops_the_rest(handbook: Path, settings: Config):
    (handbook / "latin.md").write_bytes(b"caf\xe9\n")
    (handbook / "binary.md").write_bytes(b"\x00\x01")
    report = ingest_folder(handbook, settings)
    assert report.documents == DocumentCounts(seen=5, new=3, failed=2)
    assert [failure.path for failure in report.failures] == ["binary.md", "latin.md"]


def test_a_file_that_became_unreadable_keeps_what_was_indexed_of_it(
    handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    (handbook / "postgres.md").write_bytes(b"\xff\x00")
    report = ingest_folder(handbook, settings)
    assert (report.documents.failed, report.documents.removed) == (1, 0)
    assert paths_found(settings, "autovacuum") == ["postgres.md"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_entered_keeps_what_was_indexed_of_it(
    handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    (handbook / "access").chmod(0)
    try:
        report = ingest_folder(handbook, settings)
    finally:
        (handbook / "access").chmod(0o700)
    assert report.failures == (Failure("access/", "permission denied"),)
    assert paths_found(settings, "ed25519") == ["access/ssh.md"]


def test_a_text_the_embedder_refuses_fails_its_file_alone(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    def refuse_vacuum(texts: Sequence[str]) -> None:
        bad = {place: "too odd" for place, text in enumerate(texts) if "dead rows" in text}
        if bad:
            raise TextsRejected(bad)

    embedder.before_batch = refuse_vacuum
    report = ingest_folder(handbook, settings, embedder=embedder)
    assert report.documents == DocumentCounts(seen=3, new=2, failed=1)
    assert report.failures == (Failure("postgres.md", "the embedder refused lines 8-10: too odd"),)
    embedder.before_batch = lambda texts: None
    embedder.take()
    assert ingest_folder(handbook, settings, embedder=embedder).documents.new == 1
    assert len(embedder.take()) == 1


def many_files(root: Path, count: int) -> Path:
    root.mkdir()
    for number in range(count):
        text = f"# Note {number}\n\nBody {number * 7919}.\n"
        (root / f"{number:04}.md").write_text(text, encoding="utf-8")
    return root


def test_progress_never_passes_its_total_and_ends_with_every_file(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 90)
    long = "".join(f"## Part {n}\n\nText {n}.\n\n" for n in range(600))
    (root / "long.md").write_text(long, encoding="utf-8")
    told: list[Progress] = []
    ingest_folder(root, settings, embedder=embedder, progress=told.append)
    known = [one for one in told if one.total]
    assert [one for one in known if one.done > one.total] == []
    assert {one.stage for one in known} == {"reading", "embedding"}
    assert told[-1] == Progress("reading", 91, 91, "files")


def test_an_interrupted_ingest_keeps_what_it_embedded_and_goes_on(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 300)
    with pytest.raises(Interrupted, match="run the same command to go on"):
        ingest_folder(root, settings, embedder=embedder, cancel=lambda: len(embedder.seen) > 100)
    first = len(embedder.take())
    report = ingest_folder(root, settings, embedder=embedder)
    assert 100 < first < 300
    assert first + len(embedder.take()) == 300
    assert report.chunks.total == 300


class Slow(CountingEmbedder):
    """Hands over one vector after another, and stands still before the 64th."""

    def __init__(self) -> None:
        super().__init__()
        self.is_still, self.may_go_on = threading.Event(), threading.Event()

    def embed_each(self, texts: Sequence[str], take: Callable[[int, Any], bool]) -> None:
        for position, text in enumerate(texts):
            if position == 63:
                self.is_still.set()
                self.may_go_on.wait(20)
            if not take(position, self.embed([text])[0]):
                return


def test_what_is_embedded_of_a_batch_when_the_user_stops_is_kept(tmp_path: Path, settings: Config):
    root, slow = many_files(tmp_path / "many", 64), Slow()
    with pytest.raises(Interrupted, match="63 chunks were embedded and are kept"):
        ingest_folder(root, settings, embedder=slow, cancel=slow.is_still.is_set)
    slow.may_go_on.set()
    again = CountingEmbedder()
    assert ingest_folder(root, settings, embedder=again).chunks.embedded == 1


def test_a_stopped_batch_goes_no_further():
    slow = Slow()
    batch = Batch(slow, {b"%d" % number: f"text {number}" for number in range(200)})
    slow.is_still.wait(20)
    batch.stop()
    slow.may_go_on.set()
    assert batch.is_done(20)
    assert len(batch.so_far().vectors) == len(slow.seen) == 64


def test_a_wait_ends_when_the_user_wants_to_stop():
    wanted = threading.Event()
    with pytest.raises(Interrupted, match="stopped before anything was embedded"):
        while_wanted(lambda: wanted.wait(20), lambda: True)
    wanted.set()
    assert while_wanted(lambda: 7, lambda: False) == while_wanted(lambda: 7, None) == 7
    with pytest.raises(EmbedderUnreachable):
        while_wanted(_unreachable, lambda: False)


def _unreachable() -> None:
    raise EmbedderUnreachable("the server is down", "start it")


def test_a_server_that_goes_down_halfway_loses_nothing_that_was_embedded(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 300)

    def fail_late(texts: Sequence[str]) -> None:
        if len(embedder.seen) > 100:
            raise EmbedderUnreachable("the server is down", "start it")

    embedder.before_batch = fail_late
    with pytest.raises(
        EmbedderUnreachable, match=r"down \(128 chunks were embedded and are kept\)"
    ):
        ingest_folder(root, settings, embedder=embedder)
    first = len(embedder.take())
    embedder.before_batch = lambda texts: None
    ingest_folder(root, settings, embedder=embedder)
    assert first + len(embedder.take()) == 300


def test_an_index_made_with_other_settings_refuses_and_names_the_remedy(
    handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    other = replace(settings, chunks=ChunkSettings(max_tokens=64))
    for use in (lambda: ingest_folder(handbook, other), lambda: Retriever.open(other)):
        with pytest.raises(IndexMismatch, match="askmd ingest --rebuild"):
            use()
    report = ingest_folder(handbook, other, rebuild=True)
    assert report.documents.new == 3
    with Retriever.open(other) as retriever:
        assert retriever.search("autovacuum")


def test_an_index_belongs_to_one_folder(tmp_path: Path, handbook: Path, settings: Config):
    ingest_folder(handbook, settings)
    other = many_files(tmp_path / "other", 2)
    for use in (ingest_folder, dry_run):
        with pytest.raises(IndexMismatch, match="--index"):
            use(other, settings)


def test_documents_that_moved_without_their_index_are_taken_up_by_a_rebuild(
    tmp_path: Path, handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    moved = handbook.rename(tmp_path / "moved")
    with pytest.raises(IndexMismatch, match=r"which is gone.*askmd restore FILE"):
        ingest_folder(moved, settings)
    assert ingest_folder(moved, settings, rebuild=True).chunks.total == 7


def test_an_interrupted_rebuild_leaves_the_old_index_and_goes_on(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 300)
    ingest_folder(root, settings, embedder=embedder)
    other = replace(settings, chunks=ChunkSettings(max_tokens=64))
    embedder.take()
    with pytest.raises(Interrupted):
        ingest_folder(
            root, other, rebuild=True, embedder=embedder, cancel=lambda: len(embedder.seen) > 100
        )
    with Retriever.open(settings, embedder=embedder) as retriever:
        assert retriever.search("Note 7", mode="words")
    first = len(embedder.take())
    ingest_folder(root, other, rebuild=True, embedder=embedder)
    assert 100 < first < 300
    assert first + len(embedder.take()) == 300


def test_an_index_inside_its_folder_is_never_indexed(handbook: Path, settings: Config):
    inside = replace(settings, index=replace(settings.index, path=str(handbook / "index")))
    ingest_folder(handbook, inside)
    (handbook / "index" / "trap.md").write_text("# Trap\n", encoding="utf-8")
    assert ingest_folder(handbook, inside).documents.seen == 3


def test_a_dry_run_counts_what_an_ingest_then_does_and_writes_nothing(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    plan = dry_run(handbook, settings, embedder=embedder)
    assert (plan.files, plan.texts, settings.index_folder.exists()) == (3, 7, False)
    ingest_folder(handbook, settings, embedder=embedder)
    assert len(embedder.take()) == plan.texts
    after = dry_run(handbook, settings, embedder=embedder)
    assert (after.files, after.texts, after.tokens) == (0, 0, 0)


def test_settings_choose_the_files(handbook: Path, settings: Config):
    chosen = replace(settings, documents=DocumentSettings(exclude=("access/",)))
    assert ingest_folder(handbook, chosen).documents.seen == 2


def edit_one_paragraph(file: Path, draw: random.Random) -> None:
    """Put one new word into one random paragraph of prose."""
    paragraphs = file.read_text(encoding="utf-8").split("\n\n")
    prose = [
        n for n, text in enumerate(paragraphs) if n and text[:1].isalpha() and "```" not in text
    ]
    chosen = draw.choice(prose)
    words = paragraphs[chosen].split(" ")
    words.insert(draw.randrange(1, len(words) + 1), f"edit{draw.randrange(10**9)}")
    paragraphs[chosen] = " ".join(words)
    file.write_text("\n\n".join(paragraphs), encoding="utf-8")


@pytest.mark.shared
def test_200_random_edits_embed_only_the_edited_section_and_two_chunks_at_most_on_average(
    shared: Path, tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = tmp_path / "rustbook"
    shutil.copytree(shared / "corpora" / "rustbook", root)
    for path in root.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    root.chmod(0o755)
    ingest_folder(root, settings, embedder=embedder)
    draw = random.Random(20261123)
    long_enough = [path for path in sorted(root.rglob("*.md")) if path.stat().st_size > 4000]
    embedder.take()
    embedded = []
    for _ in range(200):
        file = draw.choice(long_enough)
        edit_one_paragraph(file, draw)
        report = ingest_folder(root, settings, embedder=embedder)
        headings = {text.split("\n")[0] for text in embedder.seen}
        assert (report.documents.changed, len(headings)) == (1, 1)
        embedded.append(len(embedder.take()))
    assert min(embedded) >= 1
    assert sum(embedded) / len(embedded) <= 2.0


def test_a_folder_that_lost_most_files_is_refused_every_time_and_nothing_is_written(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 10)
    ingest_folder(root, settings, embedder=embedder)
    for file in sorted(root.rglob("*.md"))[:9]:
        file.unlink()
    for number in range(9):
        (root / f"other-{number}.md").write_text(f"# Other {number}\n\nUnlike.\n", encoding="utf-8")

    for _ in range(2):
        with pytest.raises(FolderError, match="lost 9 of its 10 files; all stay in the index"):
            ingest_folder(root, settings, embedder=embedder)
    assert ingest_folder(root, settings, embedder=embedder, prune=True).documents.removed == 9


def test_an_index_whose_manifest_is_gone_is_not_taken_for_none(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 3)
    ingest_folder(root, settings, embedder=embedder)
    manifest = settings.index_folder / "manifest.json"
    manifest.unlink()
    before = sorted(path.name for path in settings.index_folder.glob("*.sqlite3"))

    with pytest.raises(IndexCorrupt, match=r"manifest\.json is missing; run `askmd doctor --fix`"):
        ingest_folder(root, settings, embedder=embedder)
    with pytest.raises(IndexCorrupt, match=r"manifest\.json is missing"):
        Retriever.open(settings, embedder=embedder)

    assert sorted(path.name for path in settings.index_folder.glob("*.sqlite3")) == before


def test_a_rebuild_that_can_read_nothing_says_why(
    tmp_path: Path, settings: Config, embedder: CountingEmbedder
):
    root = many_files(tmp_path / "many", 3)
    ingest_folder(root, settings, embedder=embedder)
    for file in root.rglob("*.md"):
        file.write_bytes(b"caf\xe9\n")

    with pytest.raises(FolderError, match=r"lost 3 of its 3 files \(not readable: .*UTF-8"):
        ingest_folder(root, settings, embedder=embedder, rebuild=True)
    report = ingest_folder(root, settings, embedder=embedder)
    assert (len(report.failures), report.chunks.total) == (3, 3)
