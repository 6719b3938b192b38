from __future__ import annotations

import inspect
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from askmd.errors import ConfigError
from askmd.files import Found, Selection, UnreadableFile, read, walk
from askmd.types import Failure

LIMIT = 20_000_000


def grow(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n", encoding="utf-8")
    return root


def paths(root: Path, **selection: tuple[str, ...]) -> list[str]:
    return [found.path for found in walk(root, Selection(**selection))]  # type: ignore[arg-type]


def test_markdown_is_found_by_its_three_suffixes_in_the_order_of_paths(tmp_path: Path):
    grow(tmp_path, "b.markdown", "a/c.md", "a/B.MDX", "notes.txt", "md")
    assert paths(tmp_path) == ["a/B.MDX", "a/c.md", "b.markdown"]


def test_hidden_folders_node_modules_and_virtual_environments_are_skipped(tmp_path: Path):
    grow(tmp_path, ".obsidian/x.md", "node_modules/p/readme.md", "env/lib/x.md", "a.md", ".b.md")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    assert paths(tmp_path) == ["a.md"]


def test_the_index_itself_is_skipped(tmp_path: Path):
    grow(tmp_path, "index/x.md", "a.md")
    found = walk(tmp_path, Selection(skipped=(tmp_path / "index",)))
    assert [one.path for one in found] == ["a.md"]


def test_gitignore_and_askmdignore_are_respected_the_latter_last(tmp_path: Path):
    grow(tmp_path, "build/x.md", "draft.md", "keep.md", "sub/draft.md", "sub/deep/secret.md")
    (tmp_path / ".gitignore").write_text("build/\ndraft.md\n", encoding="utf-8")
    (tmp_path / ".askmdignore").write_text("!/draft.md\n", encoding="utf-8")
    (tmp_path / "sub" / ".gitignore").write_text("secret.md\n", encoding="utf-8")
    assert paths(tmp_path) == ["draft.md", "keep.md"]


def test_the_rules_of_the_repository_above_hold_in_its_docs_folder(tmp_path: Path):
    grow(tmp_path, "docs/generated/x.md", "docs/a.md")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("docs/generated/\n", encoding="utf-8")
    assert paths(tmp_path / "docs") == ["a.md"]


def test_rules_above_that_belong_to_no_repository_do_not_count(tmp_path: Path):
    grow(tmp_path, "docs/a.md")
    (tmp_path / ".gitignore").write_text("*.md\n", encoding="utf-8")
    assert paths(tmp_path / "docs") == ["a.md"]


def test_include_and_exclude_choose_by_pattern(tmp_path: Path):
    grow(tmp_path, "guides/a.md", "guides/old/b.md", "blog/c.md")
    assert paths(tmp_path, include=("guides/**",), exclude=("old/",)) == ["guides/a.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links_are_never_followed(tmp_path: Path):
    grow(tmp_path, "outside/secret.md", "root/a.md")
    root = tmp_path / "root"
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "file.md").symlink_to(tmp_path / "outside" / "secret.md")
    (root / "loop").symlink_to(root)
    assert paths(root) == ["a.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_a_pipe_with_a_markdown_name_is_no_document(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.md")
    assert paths(tmp_path) == []
    with pytest.raises(UnreadableFile, match="not a regular file"):
        read(tmp_path / "pipe.md", max_bytes=LIMIT)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names there")
def test_a_pipe_named_gitignore_is_not_waited_for(tmp_path: Path):
    grow(tmp_path, "a.md")
    os.mkfifo(tmp_path / ".gitignore")
    assert paths(tmp_path) == ["a.md"]


def test_lines_of_an_ignore_file_that_are_no_patterns_are_passed_over(tmp_path: Path):
    grow(tmp_path, "a.md", "b.md")
    (tmp_path / ".gitignore").write_text("!\n[z-a]\nb.md\n", encoding="utf-8")
    assert paths(tmp_path) == ["a.md"]


def test_a_setting_that_is_no_pattern_is_an_error_of_the_configuration(tmp_path: Path):
    with pytest.raises(ConfigError, match="'!' is no pattern"):
        paths(grow(tmp_path, "a.md"), exclude=("!",))


def test_folders_may_be_nested_deeper_than_python_recurses(tmp_path: Path):
    deep = "d/" * 200
    grow(tmp_path, f"{deep}a.md")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 100)
    try:
        assert paths(tmp_path) == [f"{deep}a.md"]
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs to become somebody else")
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_folder_that_cannot_be_entered_is_reported_and_the_rest_is_found(
    tmp_path: Path, mode: int
):
    grow(tmp_path, "secret/a.md", "b.md")
    for parent in [*tmp_path.parents][:4]:
        if "pytest" in parent.name or parent.name.startswith("popen"):
            parent.chmod(0o755)
    tmp_path.chmod(0o755)
    (tmp_path / "secret").chmod(mode)
    try:
        found = as_nobody(
            lambda: [f"{one.path} {type(one).__name__}" for one in walk(tmp_path, Selection())]
        )
    finally:
        (tmp_path / "secret").chmod(0o755)
    assert found[0] == "b.md Found"
    assert found[1].startswith("secret/") and found[1].endswith(" Failure")


def as_nobody(look: Callable[[], list[str]]) -> list[str]:
    """Return what a user without rights sees; root's tests would see everything."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # The child only looks and leaves; it starts no thread and takes no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            os.write(writer, "\n".join(look()).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as answer:
        seen = answer.read().split("\n")
    os.waitpid(child, 0)
    return seen


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes only there")
def test_a_name_that_is_not_utf8_is_reported_and_shown_escaped(tmp_path: Path):
    (tmp_path / os.fsdecode(b"caf\xe9.md")).write_text("x", encoding="utf-8")
    [failure] = walk(tmp_path, Selection())
    assert failure == Failure("caf\\udce9.md", "its name is not UTF-8; rename it")


def test_the_same_bytes_read_in_another_way_are_another_content(tmp_path: Path):
    (tmp_path / "a.md").write_bytes(b"caf\xe9\n")
    (tmp_path / "b.md").write_bytes(b"cafe\n")
    digests = {
        (name, encoding): read(tmp_path / name, max_bytes=LIMIT, encoding=encoding).digest
        for name in ("a.md", "b.md")
        for encoding in ("latin-1", "koi8-r")
    }
    assert digests["a.md", "latin-1"] != digests["a.md", "koi8-r"]
    assert digests["b.md", "latin-1"] == digests["b.md", "koi8-r"]


def test_an_oversized_file_is_refused_with_a_reason(tmp_path: Path):
    (tmp_path / "b.md").write_bytes(b"x" * 11)
    with pytest.raises(UnreadableFile, match="larger than"):
        read(tmp_path / "b.md", max_bytes=10)


def test_a_file_that_just_changed_gets_no_stamp_to_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = grow(tmp_path, "a.md") / "a.md"
    assert read(file, max_bytes=LIMIT).stamp.mtime_ns == 0
    monkeypatch.setattr("askmd.files.reading.YOUNG_NANOSECONDS", 0)
    [found] = walk(tmp_path, Selection())
    assert isinstance(found, Found)
    assert read(file, max_bytes=LIMIT).stamp == found.stamp


@pytest.mark.skipif(sys.platform == "win32", reason="a change leaves no time of its own there")
def test_a_file_whose_time_was_set_back_is_as_young_as_its_change(tmp_path: Path):
    file = grow(tmp_path, "a.md") / "a.md"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert read(file, max_bytes=LIMIT).stamp.mtime_ns == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_folder_that_became_a_link_after_the_walk_is_not_read_through(tmp_path: Path):
    grow(tmp_path, "outside/a.md", "root/sub/a.md")
    root = tmp_path / "root"
    [found] = walk(root, Selection())
    assert isinstance(found, Found)
    (root / "sub").rename(root / "old")
    (root / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(UnreadableFile, match="it is a link, or stands behind one"):
        read(found.location, max_bytes=LIMIT, root=root)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_folder_to_be_skipped_is_known_by_whatever_path_names_it(tmp_path: Path):
    grow(tmp_path, "root/index/x.md", "root/a.md")
    (tmp_path / "link").symlink_to(tmp_path / "root")
    found = walk(tmp_path / "root", Selection(skipped=(tmp_path / "link" / "index",)))
    assert [one.path for one in found] == ["a.md"]
