"""How a file is cut, shown and proved: each kind of fault is noticed, each figure is true."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import compose
from askmd.chunk import Fault, Proof, prove, split
from askmd.cli.inspecting import SHOWN_FAULTS, percent, print_inspection
from askmd.config import Config
from askmd.embed.hash import HashEmbedder
from askmd.errors import FolderError, Interrupted
from askmd.inspection import Check, FileFault, check_folder, inspect_file
from askmd.markdown import body_start, parse
from askmd.settings import DocumentSettings, IndexSettings
from askmd.tokens import HashCounter
from askmd.types import Anchors, Chunk, Progress
from conftest import HASH, Askmd, CountingEmbedder
from test_sample_docs import HOME, block_after, without_times

BOUND = 32
COUNTER = HashCounter()
SENTENCE = "Every harbour has a pilot who knows where the water is deep enough."
TEXT = (
    "---\ntitle: Harbours\n---\n"
    f"# Arriving\n\n{SENTENCE} {SENTENCE}\n\n{SENTENCE}\n\n"
    f"## Mooring\n\n{SENTENCE}\n\nA second bell.\n"
)
START = body_start(TEXT)
CHUNKS = split("harbour.md", TEXT, parse(TEXT), COUNTER, max_tokens=BOUND)


def proved(chunks: Sequence[Chunk], bound: int = BOUND) -> Proof:
    return prove(TEXT, START, chunks, COUNTER, bound)


def broken(place: int, **changes: object) -> list[Chunk]:
    """Return the real chunks, one of them with other fields."""
    changed = replace(CHUNKS[place], **changes)  # type: ignore[arg-type]
    return [changed if one is CHUNKS[place] else one for one in CHUNKS]


def moved(place: int, start: int, end: int) -> list[Chunk]:
    """Return the real chunks, one of them with another range and all that follows from it."""
    lines = (TEXT.count("\n", 0, start) + 1, TEXT.count("\n", 0, end - 1) + 1)
    return broken(place, chars=(start, end), lines=lines, text=TEXT[start:end])


def said(place: int, embedded: str) -> list[Chunk]:
    """Return the real chunks, one of them with another text to embed, truly counted."""
    return broken(place, embedded=embedded, tokens=COUNTER.count([embedded])[0])


def test_real_chunks_have_no_fault_and_cover_everything():
    characters = len("".join(TEXT[START:].split()))
    longest = max(one.tokens for one in CHUNKS)
    assert proved(CHUNKS) == Proof(len(CHUNKS), characters, characters, longest, 0, ())
    assert len(CHUNKS) >= 3


def test_a_chunk_that_repeats_the_end_of_the_one_before_is_no_fault():
    [start, end] = CHUNKS[1].chars
    assert proved(moved(1, start - 20, end)) == proved(CHUNKS)


def test_an_empty_document_is_covered():
    assert prove("---\na: b\n---\n\n", 13, [], COUNTER, BOUND) == Proof(0, 0, 0, 0, 0, ())


def test_a_lost_chunk_is_noticed_with_every_character():
    lost = CHUNKS[1]
    missing = len("".join(lost.text.split()))
    proof = proved([one for one in CHUNKS if one is not lost])
    what = f"in no chunk: {lost.text[:40] + '…'!r}, non-blank characters: {missing}"
    assert proof.faults == (Fault(lost.lines[0], what),)
    assert proof.characters - proof.covered == missing


@pytest.mark.parametrize(("place", "edge"), [(0, "first"), (-1, "last"), (1, "last")])
def test_one_lost_character_is_noticed(place: int, edge: str):
    start, end = CHUNKS[place].chars
    kept = (start + 1, end) if edge == "first" else (start, end - 1)
    proof = proved(moved(place, *kept))
    letter = TEXT[start] if edge == "first" else TEXT[end - 1]
    line = CHUNKS[place].lines[0 if edge == "first" else 1]
    assert proof.faults == (Fault(line, f"in no chunk: {letter!r}, non-blank characters: 1"),)
    assert proof.characters - proof.covered == 1


def test_blank_characters_may_be_in_no_chunk():
    text = f"\n\t \u2003\n{SENTENCE}\n\n \n"
    chunks = split("a.md", text, parse(text), COUNTER, max_tokens=BOUND)
    assert prove(text, 0, chunks, COUNTER, BOUND).faults == ()


BREAKS: dict[str, tuple[Callable[[], list[Chunk]], str]] = {
    "text": (
        lambda: broken(1, text=CHUNKS[1].text.upper()),
        "has not the text of its range {0}-{1}",
    ),
    "first line": (
        lambda: broken(1, lines=(1, CHUNKS[1].lines[1])),
        "says lines 1-{3}, but touches {2}-{3}",
    ),
    "last line": (
        lambda: broken(1, lines=(CHUNKS[1].lines[0], 99)),
        "says lines {2}-99, but touches {2}-{3}",
    ),
    "tokens": (
        lambda: broken(1, tokens=CHUNKS[1].tokens - 1),
        f"says {CHUNKS[1].tokens - 1} tokens, but counts {CHUNKS[1].tokens}",
    ),
    "nothing embedded": (lambda: said(1, " \n"), "has nothing to embed"),
    "too long": (
        lambda: said(1, "word " * (BOUND - 1)),
        f"counts {BOUND + 1} tokens, above the bound of {BOUND}",
    ),
    "same id": (lambda: broken(1, id=CHUNKS[0].id), "has the id of another chunk"),
    "same place": (
        lambda: [CHUNKS[0], replace(CHUNKS[0], id=CHUNKS[1].id), *CHUNKS[1:]],
        "does not stand after the chunk before it",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_chunk_is_noticed_and_named(name: str):
    make, what = BREAKS[name]
    chunks = make()
    one = next(new for new, old in zip(chunks, CHUNKS, strict=False) if new != old)
    what = what.format(*CHUNKS[1].chars, *CHUNKS[1].lines)
    line = CHUNKS[0].lines[0] if name == "same place" else CHUNKS[1].lines[0]
    # A wrong first line is no place to send anyone to: the fault names the true one.
    expected = (Fault(line, f"chunk {one.id} {what}"),)
    if name == "same place":
        repeated = Fault(CHUNKS[1].lines[0], f"chunk {one.id} has the id of another chunk")
        expected = (*expected, repeated)
    assert (proved(chunks).faults, proved(chunks).covered) == (expected, proved(CHUNKS).covered)


def test_a_chunk_above_the_bound_counts_as_truncated():
    proof = proved(said(1, "word " * (BOUND - 1)))
    assert (proof.truncated, proof.longest_tokens) == (1, BOUND + 1)


def test_chunks_in_the_wrong_order_are_noticed():
    proof = proved([CHUNKS[1], CHUNKS[0], *CHUNKS[2:]])
    what = f"chunk {CHUNKS[0].id} does not stand after the chunk before it"
    assert (proof.faults, proof.covered) == (
        (Fault(CHUNKS[0].lines[0], what),),
        proof.characters,
    )


def test_a_chunk_inside_another_is_noticed_and_loses_nothing():
    start, end = CHUNKS[0].chars
    inner = replace(moved(0, start + 1, end - 9)[0], id="inner")
    proof = proved([CHUNKS[0], inner, *CHUNKS[1:]])
    what = "chunk inner does not stand after the chunk before it"
    assert (proof.faults, proof.covered) == (
        (Fault(inner.lines[0], what),),
        proof.characters,
    )


@pytest.mark.parametrize(
    ("place", "chars"),
    [
        (-1, (CHUNKS[-1].chars[0], len(TEXT) + 1)),
        (0, (START - 1, CHUNKS[0].chars[1])),
        (0, (-5, CHUNKS[0].chars[1])),
        (1, (50, 50)),
        (1, (60, 50)),
    ],
    ids=["past the end", "front matter", "negative", "empty", "backwards"],
)
def test_a_range_that_is_no_part_of_the_text_is_noticed_and_covers_nothing(
    place: int, chars: tuple[int, int]
):
    proof = proved(broken(place, chars=chars))
    changed = CHUNKS[place]
    span = f"{chars[0]}-{chars[1]}"
    what = f"chunk {changed.id} has the range {span}, no part of {START}-{len(TEXT)}"
    assert Fault(changed.lines[0], what) in proof.faults
    assert proof.characters - proof.covered == len("".join(changed.text.split()))


def test_a_long_document_is_proved_in_linear_time():
    text = "word\n" * 400_000
    word = replace(CHUNKS[0], text="word", embedded="word", tokens=3)
    chunks = [
        replace(word, id=str(n), lines=(n + 1, n + 1), chars=(5 * n, 5 * n + 4))
        for n in range(0, 400_000, 2)
    ]
    started = time.monotonic()
    proof = prove(text, 0, chunks, COUNTER, BOUND)
    assert time.monotonic() - started < 15
    assert (proof.characters, proof.covered, len(proof.faults)) == (1_600_000, 800_000, 200_000)


class Forgetful(HashCounter):
    """Counts one more each time it sees a text again: what was cut by it does not hold."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[str] = Counter()

    def count(self, texts: Sequence[str]) -> list[int]:
        counts = []
        for text, tokens in zip(texts, super().count(texts), strict=True):
            counts.append(tokens + self._seen[text])
            self._seen[text] += 1
        return counts


def test_a_folder_is_checked_with_the_same_files_as_an_ingest(
    handbook: Path, settings: Config, embedder: CountingEmbedder
):
    (handbook / ".gitignore").write_text("draft*\n", encoding="utf-8")
    (handbook / "draft.md").write_text("# Draft\n", encoding="utf-8")
    (handbook / "notes.txt").write_text("no Markdown\n", encoding="utf-8")
    (handbook / "index").mkdir()
    (handbook / "index" / "own.md").write_text("# The index's own\n", encoding="utf-8")
    settings = replace(
        settings,
        documents=DocumentSettings(exclude=("nginx.md",)),
        index=IndexSettings(str(handbook / "index")),
    )
    seen: list[Progress] = []
    check = check_folder(handbook, settings, embedder=embedder, progress=seen.append)
    cut = [inspect_file(handbook / name, settings) for name in ("access/ssh.md", "postgres.md")]
    chunks = [chunk for one in cut for chunk in one.chunks]
    texts = [(handbook / "access" / "ssh.md").read_text(), (handbook / "postgres.md").read_text()]
    characters = sum(len("".join(text[body_start(text) :].split())) for text in texts)
    assert replace(check, seconds=0.0) == Check(
        files=2,
        failed=0,
        characters=characters,
        covered=characters,
        chunks=len(chunks),
        truncated=0,
        longest_chunk_tokens=max(one.tokens for one in chunks),
        max_tokens=256,
        faults=(),
        failures=(),
        seconds=0.0,
    )
    assert check.is_clean
    assert [(one.done, one.total) for one in seen] == [(0, 2), (1, 2)]
    assert embedder.seen == []


def test_a_file_that_fails_never_stops_the_others(handbook: Path, settings: Config):
    (handbook / "access" / "bad.md").write_bytes(b"caf\xe9\n")
    check = check_folder(handbook, settings)
    assert (check.files, check.failed, check.is_clean) == (4, 1, False)
    assert [one.path for one in check.failures] == ["access/bad.md"]


def test_what_does_not_hold_is_a_fault_with_file_and_line(tmp_path: Path, settings: Config):
    (tmp_path / "a.md").write_text("\n\nOne line.\n", encoding="utf-8")
    check = check_folder(tmp_path / "a.md", settings, embedder=HashEmbedder(Forgetful()))
    [chunk] = inspect_file(tmp_path / "a.md", settings).chunks
    [fault] = check.faults
    assert (fault.path, fault.line, check.is_clean) == ((tmp_path / "a.md").as_posix(), 3, False)
    assert re.fullmatch(rf"chunk {chunk.id} says \d+ tokens, but counts \d+", fault.what)


def test_a_check_stops_between_two_files(handbook: Path, settings: Config):
    answers = iter([False, True])
    with pytest.raises(Interrupted, match="1 of 3 files were checked"):
        check_folder(handbook, settings, cancel=lambda: next(answers))


@pytest.mark.parametrize("name", ["nowhere", "empty", "a.md/b.md", "loop"])
def test_a_folder_that_cannot_be_checked_is_said(name: str, tmp_path: Path, settings: Config):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.md").write_text("text\n", encoding="utf-8")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(FolderError):
        check_folder(tmp_path / name, settings)


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "100.000 %"),
        (7, 7, "100.000 %"),
        (1_034_566, 1_034_567, "99.999 %"),
        (10**9 - 1, 10**9, "99.999 %"),
        (1, 3, "33.333 %"),
        (1, 10_000, "0.010 %"),
    ],
)
def test_a_share_is_rounded_down(part: int, whole: int, shown: str):
    assert percent(part, whole) == shown


PAGE = (
    "---\ntitle: Harbour\ntags: [sea, 2]\n---\n"
    f"# Arriving\n\n## Pilots\n\n{SENTENCE}\n\n{SENTENCE}\n"
)


@pytest.fixture
def page(here: Path) -> Path:
    file = here / "page.md"
    file.write_text(PAGE, encoding="utf-8")
    return file


def test_a_file_is_shown_with_its_headings_chunks_and_what_is_embedded(askmd: Askmd, page: Path):
    ran = askmd("inspect", "page.md")
    [chunk] = split("page.md", PAGE, parse(PAGE), COUNTER, max_tokens=256)
    embedded = [f"  │ {line}" if line else "  │" for line in chunk.embedded.split("\n")]
    start, end = chunk.chars
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "page.md",
        f"11 lines, {len(PAGE)} characters; 1 chunk, longest {chunk.tokens} of 256 tokens",
        "title: Harbour",
        "front matter:",
        '  title: "Harbour"',
        '  tags: ["sea", 2]',
        "",
        "# Arriving  lines 5-6, #arriving",
        f"  in the chunk of lines {chunk.lines[0]}-{chunk.lines[1]}",
        "",
        "## Pilots  lines 7-11, #pilots",
        f"  chunk {chunk.id}  lines 5-11, characters {start}-{end}, {chunk.tokens} of 256 tokens",
        *embedded,
    ]
    assert SENTENCE in chunk.embedded


def test_every_chunk_of_a_long_file_is_shown_once_and_in_order(askmd: Askmd, here: Path):
    text = TEXT + "".join(f"\n### Berth {n}\n\n{SENTENCE} {n}\n" for n in range(9))
    (here / "long.md").write_text(text, encoding="utf-8")
    (here / "config.toml").write_text(HASH + f"[chunks]\nmax_tokens = {BOUND}\n", encoding="utf-8")
    chunks = split("long.md", text, parse(text), COUNTER, max_tokens=BOUND)
    shown = re.findall(r"^  chunk (\w+) ", askmd("inspect", "long.md").out, re.MULTILINE)
    assert shown == [one.id for one in chunks]
    assert len(shown) > 9


def test_a_file_as_json_is_what_the_outside_counts_on(askmd: Askmd, page: Path):
    found = askmd("inspect", "page.md", "--json").json
    [chunk] = found.pop("chunks")
    sections = found.pop("sections")
    assert found == {
        "path": "page.md",
        "lines": 11,
        "chars": len(PAGE),
        "metadata": {"title": "Harbour", "tags": ["sea", 2]},
        "title": "Harbour",
        "max_tokens": 256,
        "index": "none",
        "faults": [],
    }
    assert set(chunk) == {
        *("id", "heading", "anchor", "anchors", "lines"),
        *("chars", "tokens", "text", "embedded"),
    }
    assert PAGE[slice(*chunk["chars"])] == chunk["text"]
    assert [set(one) for one in sections] == [{"path", "anchor", "anchors", "lines", "blocks"}] * 2
    assert sections[1]["blocks"] == [
        {"kind": "heading", "lines": [7, 7], "info": "Pilots"},
        {"kind": "paragraph", "lines": [9, 9], "info": ""},
        {"kind": "paragraph", "lines": [11, 11], "info": ""},
    ]


def test_an_empty_file_is_shown(askmd: Askmd, here: Path):
    (here / "empty.md").write_bytes(b"")
    ran = askmd("inspect", "empty.md")
    line = "0 lines, 0 characters; 0 chunks, longest 0 of 256 tokens"
    assert (ran.status, ran.out) == (0, f"empty.md\n{line}\n")


def test_a_file_that_is_not_markdown_by_name_is_shown_if_it_is_named(askmd: Askmd, here: Path):
    (here / "README").write_text(f"{SENTENCE}\n", encoding="utf-8")
    assert f"  │ {SENTENCE}\n" in askmd("inspect", "README").out


def test_a_document_is_found_by_the_path_that_a_search_prints(indexed: Askmd, here: Path):
    assert (
        indexed("inspect", "access/ssh.md").out == indexed("inspect", "handbook/access/ssh.md").out
    )
    (here / "access").mkdir()
    (here / "access" / "ssh.md").write_text("on disk first\n", encoding="utf-8")
    assert "on disk first" in indexed("inspect", "access/ssh.md").out


def test_the_index_is_said_to_hold_these_chunks_or_to_be_behind(
    indexed: Askmd, here: Path, handbook: Path
):
    def state(name: str) -> str:
        shown = indexed("inspect", name).out.rstrip("\n").split("\n")[-1]
        return f"{indexed('inspect', name, '--json').json['index']}: {shown}"

    (handbook / "long.md").write_text(f"{SENTENCE}\n\n" * 9, encoding="utf-8")
    assert indexed("ingest").status == 0
    assert state("nginx.md") == "same: The index holds these chunks."
    (handbook / "new.md").write_text("# New\n", encoding="utf-8")
    absent = "absent: The index does not hold this document: run `askmd ingest`."
    assert state("new.md") == absent
    with (handbook / "nginx.md").open("a", encoding="utf-8") as file:
        file.write("\nOne more line.\n")
    assert state("nginx.md") == "behind: The index is behind: run `askmd ingest`."
    (handbook / "postgres.md").write_bytes(b"\n" + (handbook / "postgres.md").read_bytes())
    assert state("postgres.md") == "behind: The index is behind: run `askmd ingest`."
    assert indexed("ingest").status == 0
    assert [state(name)[:4] for name in ("nginx.md", "new.md", "postgres.md")] == ["same"] * 3
    (here / "config.toml").write_text(HASH + "[chunks]\nmax_tokens = 32\n", encoding="utf-8")
    other = "other: The index was cut with other settings: run `askmd ingest --rebuild`."
    assert state("long.md") == other
    [database] = (here / ".askmd").glob("*.sqlite3")
    database.write_bytes(b"not a database at all" * 1000)
    unreadable = "unreadable: The index cannot be read: run `askmd status`."
    assert state("handbook/nginx.md") == unreadable


def test_a_file_outside_the_indexs_folder_is_no_document_of_it(
    indexed: Askmd, here: Path, handbook: Path
):
    (here / "nginx.md").write_text("# Another\n", encoding="utf-8")
    shown = indexed("inspect", "./nginx.md").out.rstrip("\n").split("\n")[-1]
    assert shown == f"It is not below {handbook.resolve()}, which the index belongs to."
    assert indexed("inspect", "./nginx.md", "--json").json["index"] == "outside"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "---\ntags: [a]\ntitle: b: c\n---\n",
            ["line 3 cannot be read, so it is text, but of it is used:", '  tags: ["a"]'],
        ),
        ("---\ntags: &t [a]\n---\n", ["line 2 cannot be read, so it is text"]),
    ],
    ids=["in part", "nothing"],
)
def test_front_matter_that_is_text_is_said_with_its_line(
    text: str, shown: list[str], askmd: Askmd, here: Path
):
    (here / "a.md").write_text(text, encoding="utf-8")
    out = askmd("inspect", "a.md").out.splitlines()
    place = out.index(f"front matter: {shown[0]}")
    assert out[place : place + len(shown)] == [f"front matter: {shown[0]}", *shown[1:]]


def test_one_character_and_nothing_read_are_said_as_they_are(
    askmd: Askmd, here: Path, handbook: Path
):
    (here / "a.md").write_text("a", encoding="utf-8")
    (here / "bad.md").write_bytes(b"caf\xe9\n")
    assert "1 line, 1 character; 1 chunk" in askmd("inspect", "a.md").out
    assert "1 file, 1 non-blank character: 100" in askmd("inspect", "--check", "a.md").out
    ran = askmd("inspect", "--check", "bad.md")
    assert (ran.status, ran.out) == (4, "1 file (1 failed): nothing was read\n")


def test_what_a_file_says_cannot_act_on_the_terminal(askmd: Askmd, here: Path):
    evil = "\x1b]0;title\x07\x1b[2J\x9b31m\u202etxt"
    text = f'---\ntitle: "a\\e[31m{SENTENCE}"\n---\n# Head {evil}\n\nText {evil}\n'
    (here / "evil.md").write_text(text, encoding="utf-8")
    out = askmd("inspect", "evil.md").out
    assert set(out) & set("\x1b\x07\x9b\u202e") == set()
    assert "\n  │ Text txt\n" in out


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "is_bold"), [("", True), ("1", False)])
def test_headings_stand_out_on_a_terminal_alone(
    no_color: str, is_bold: bool, page: Path, settings: Config, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys, "stdout", Terminal())
    print_inspection(inspect_file(page, settings), as_json=False)
    shown = sys.stdout.getvalue()  # type: ignore[attr-defined]
    assert ("\x1b[1m## Pilots  lines 7-11, #pilots\x1b[0m\n" in shown) is is_bold
    assert ("\x1b" in shown) is is_bold


def test_the_anchors_of_other_publishers_are_named_where_they_differ(
    page: Path, settings: Config, capsys: pytest.CaptureFixture[str]
):
    found = inspect_file(page, settings)
    first, second = found.outline.sections
    anchors = Anchors(github=first.anchor, mkdocs="arrival", docusaurus="arrival")
    sections = (replace(first, anchors=anchors), second)
    outline = replace(found.outline, sections=sections)
    print_inspection(replace(found, outline=outline), as_json=False)
    shown = "# Arriving  lines 5-6, #arriving, mkdocs #arrival, docusaurus #arrival"
    assert shown in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        ([], 2, "no file is named; run `askmd inspect FILE`"),
        (["nowhere.md"], 1, "no such file or folder: nowhere.md"),
        (["page.md/below"], 1, "no such file or folder: page.md/below"),
        (["handbook"], 1, "handbook is a folder; run `askmd inspect --check handbook`"),
        (["bad.md"], 1, "bad.md: line 2 is not UTF-8"),
        (["binary.md"], 1, "binary.md: it is a binary file"),
        (["page.md", "--config", "tight.toml"], 1, "chunks.max_tokens = 4 is out of bounds"),
        (["--check", "nowhere"], 1, "no such file or folder: nowhere"),
        (["--check", "empty"], 1, "no Markdown in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_inspected_is_one_clear_line(
    words: list[str], status: int, line: str, askmd: Askmd, page: Path, handbook: Path
):
    (page.parent / "empty").mkdir()
    (page.parent / "bad.md").write_bytes(b"fine\ncaf\xe9\n")
    (page.parent / "binary.md").write_bytes(b"\x00\x01")
    text = HASH + "[chunks]\nmax_tokens = 4\n"
    (page.parent / "tight.toml").write_text(text, encoding="utf-8")
    ran = askmd("inspect", *words)
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert line in ran.err
    error = json.loads(askmd("inspect", *words, "--json").err)["error"]
    assert set(error) == {"code", "message", "next"}


@pytest.mark.skipif(sys.platform == "win32", reason="names are text there")
def test_a_name_that_is_not_utf_8_is_refused_as_an_ingest_does(settings: Config, tmp_path: Path):
    name = os.fsdecode(b"caf\xe9.md")
    (tmp_path / name).write_text("text\n", encoding="utf-8")
    with pytest.raises(FolderError, match="name is not UTF-8"):
        inspect_file(tmp_path / name, settings)
    assert [one.path for one in check_folder(tmp_path, settings).failures] == ["caf\\udce9.md"]


def test_a_check_prints_one_line_of_figures(askmd: Askmd, handbook: Path):
    ran = askmd("inspect", "--check", "handbook")
    figures = r"3 files, \d+ non-blank characters: 100\.000 % covered, \d+ chunks, 0 truncated, "
    assert re.fullmatch(figures + r"longest \d+ of 256 tokens; \d+\.\d s\n", ran.out)
    assert (ran.status, ran.err) == (0, "")
    assert askmd("inspect", "--check", "handbook/nginx.md").out.startswith("1 file, ")


def test_a_check_as_json_is_what_the_outside_counts_on(askmd: Askmd, handbook: Path):
    (handbook / "bad.md").write_bytes(b"caf\xe9\n")
    ran = askmd("inspect", "--check", "handbook", "--json")
    check = ran.json
    assert set(check) == {
        *("files", "failed", "characters", "covered", "chunks", "truncated"),
        *("longest_chunk_tokens", "max_tokens", "faults", "failures", "seconds"),
    }
    assert (ran.status, check["files"], check["failed"], check["faults"]) == (4, 4, 1, [])
    assert (check["failures"][0]["path"], check["covered"]) == ("bad.md", check["characters"])


def test_a_check_without_a_folder_takes_the_one_the_index_belongs_to(indexed: Askmd):
    assert indexed("inspect", "--check", "--json").json["files"] == 3
    assert indexed("inspect", "--check", "access", "--json").json["files"] == 1


def test_a_check_names_the_files_it_could_not_read(askmd: Askmd, handbook: Path):
    (handbook / "bad.md").write_bytes(b"caf\xe9\n")
    ran = askmd("inspect", "--check", "handbook")
    assert (ran.status, ran.out.startswith("4 files (1 failed), ")) == (4, True)
    assert ran.err.startswith("failed: bad.md: line 1 is not UTF-8")


def test_a_fault_is_named_and_the_status_is_4(
    askmd: Askmd, handbook: Path, monkeypatch: pytest.MonkeyPatch
):
    for n in range(SHOWN_FAULTS):
        (handbook / f"{n:02}.md").write_text(f"{SENTENCE} {n}\n", encoding="utf-8")
    monkeypatch.setattr(compose, "open_embedder", lambda config: HashEmbedder(Forgetful()))
    ran = askmd("inspect", "--check", "handbook")
    figures, *shown, rest = ran.out.splitlines()
    assert (ran.status, " 100.000 % covered" in figures) == (4, True)
    assert re.fullmatch(r"00\.md:1 chunk \w+ says \d+ tokens, but counts \d+", shown[0])
    check = askmd("inspect", "--check", "handbook", "--json").json
    faults = [FileFault(**one) for one in check["faults"]]
    assert len(shown) == SHOWN_FAULTS
    assert rest == f"and {len(faults) - SHOWN_FAULTS} more; --json names all of them"
    one = askmd("inspect", "handbook/00.md")
    last = one.out.splitlines()[-1]
    assert one.status == 4
    assert re.fullmatch(r"handbook/00\.md:1 chunk \w+ says \d+ tokens, but counts \d+", last)


class Interrupting(HashCounter):
    """Sends this process the signal that Ctrl-C does, at its first count."""

    is_sent = False

    def count(self, texts: Sequence[str]) -> list[int]:
        if not Interrupting.is_sent:
            Interrupting.is_sent = True
            signal.raise_signal(signal.SIGINT)
        return super().count(texts)


def test_ctrl_c_leaves_a_check_cleanly(
    askmd: Askmd, handbook: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(compose, "open_embedder", lambda config: HashEmbedder(Interrupting()))
    ran = askmd("inspect", "--check", "handbook")
    assert (ran.status, ran.out) == (130, "")
    assert ran.err.splitlines()[-1] == "askmd: stopped; 1 of 3 files were checked"


@pytest.mark.model
def test_what_the_readme_shows_was_really_printed_without_loading_a_model(tmp_path: Path):
    shutil.copytree(HOME / "sample_docs", tmp_path / "sample_docs")
    shutil.copy(HOME / "config.toml", tmp_path)

    def printed(*words: str) -> tuple[str, set[str]]:
        command = [sys.executable, "-X", "importtime", "-m", "askmd", "inspect", *words]
        ran = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", cwd=tmp_path, check=True
        )
        modules = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines()}
        return ran.stdout, modules

    shown, loaded = printed("data/backups.md")
    assert shown.startswith(block_after("inspect") + "\n")
    assert loaded & {"torch", "sentence_transformers", "transformers", "faiss"} == set()
    figures, _ = printed("--check")
    assert without_times(figures) == without_times(block_after("check") + "\n")
