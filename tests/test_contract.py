"""What programs and shells rely on: the Python names, signals, tracebacks, completion."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import askmd as package
from askmd import Chat, Config, Retriever, ingest_folder
from conftest import HASH, Askmd


def test_the_python_of_the_contract_runs_as_written(here: Path, handbook: Path):
    handbook.rename(here / "docs")
    config = Config.load("config.toml")
    report = ingest_folder("docs", config)
    assert report.documents.new == 3
    printed = io.StringIO()
    with Retriever.open(config) as retriever:
        hits = retriever.search("How do I rotate the API key?", limit=5)
        answer = Chat.open(config, retriever).ask("How do I rotate the API key?")
        for piece in answer:
            print(piece, end="", file=printed)
        cited = [(one.number, one.path, one.lines) for one in answer.result().citations]
    assert hits[0].path == "access/ssh.md"
    assert cited[0] == (1, "access/ssh.md", (6, 9))
    assert "Replace each key every year." in printed.getvalue()


def test_a_star_import_brings_the_public_names():
    names: dict[str, object] = {}
    exec("from askmd import *", names)
    assert set(package.__all__) <= names.keys()
    assert set(package.__all__) <= set(dir(package))


def test_debug_shows_the_traceback_and_words_of_a_question_are_no_options(askmd: Askmd):
    assert "Traceback" in askmd("search", "x", "--debug").err
    plain = askmd("search", "--", "how", "do", "--json", "and", "--debug", "work?")
    assert (plain.status, plain.err.count("\n"), plain.err[:7]) == (1, 1, "askmd: ")


def test_a_hit_a_passage_and_a_citation_carry_the_anchors_of_three_publishers(indexed: Askmd):
    found = indexed("search", "upstream", "-k", "1", "--passages", "--json").json
    asked = indexed("ask", "upstream", "--no-llm", "--json").json

    told = [found["hits"][0], found["passages"][0], asked["citations"][0], asked["passages"][0]]
    assert [set(one["anchors"]) for one in told] == [{"github", "mkdocs", "docusaurus"}] * 4


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_the_verbs(shell: str):
    def complete(instruction: str, **more: str) -> str:
        environment = os.environ | {"_ASKMD_COMPLETE": f"{shell}_{instruction}"} | more
        ran = subprocess.run(
            [str(Path(sys.executable).parent / "askmd")],
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        )
        return ran.stdout

    if not shutil.which("askmd", path=str(Path(sys.executable).parent)):
        pytest.skip("SKIPPED LOUDLY: the askmd script is not installed beside this interpreter")
    assert "_ASKMD_COMPLETE" in complete("source")
    words, place = ("in", "in") if shell == "fish" else ("askmd in", "1")
    assert "ingest" in complete("complete", COMP_WORDS=words, COMP_CWORD=place)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another thing there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_an_ingest_cleanly_and_the_next_one_goes_on(
    number: signal.Signals, here: Path
):
    many = here / "many"
    many.mkdir()
    for place in range(3000):
        (many / f"{place}.md").write_text(f"# Note {place}\n\nText {place}.\n", encoding="utf-8")
    command = [sys.executable, "-m", "askmd", "ingest", "many", "--json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as ran:
        database = here / ".askmd"
        # More than the empty tables take: the first vectors are kept.
        while ran.poll() is None and not any(
            log.stat().st_size > 300_000 for log in database.glob("*.sqlite3-wal")
        ):
            time.sleep(0.01)
        ran.send_signal(number)
        assert ran.stderr
        said = ran.stderr.read().splitlines()
        assert ran.wait() == 128 + number
    assert said[0] == "stopping; once more stops at once"
    assert json.loads(said[-1])["error"]["code"] == "interrupted"
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    report = json.loads(again.stdout)
    assert report["chunks"]["total"] == 3000 > report["chunks"]["embedded"]


def test_a_chat_as_json_is_one_answer_a_line(indexed: Askmd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("why refused?\n\nautovacuum\n"))
    rows = [json.loads(row) for row in indexed("chat", "--no-llm", "--json").out.splitlines()]
    assert [row["citations"][0]["path"] for row in rows] == ["nginx.md", "postgres.md"]


def test_several_questions_are_told_apart(indexed: Askmd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("upstream\nautovacuum\n"))
    lines = indexed("search", "-", "-k", "1").out.splitlines()
    assert [line for line in lines if line in ("upstream", "autovacuum")] == [
        "upstream",
        "autovacuum",
    ]


def test_status_names_the_settings_in_use(indexed: Askmd, here: Path):
    (here / "named.toml").write_text(HASH, encoding="utf-8")
    found = indexed("status", "--json").json["paths"]
    named = indexed("status", "--config", "named.toml", "--json").json["paths"]
    assert (str(here / "config.toml") in found, str(here / "named.toml") in named) == (True, True)


def test_a_provider_that_nobody_knows_is_refused_at_once(askmd: Askmd, here: Path):
    (here / "config.toml").write_text('[embedding]\nprovider = "hsah"\n', encoding="utf-8")
    for verb in (["config"], ["search", "x"], ["status"]):
        ran = askmd(*verb)
        assert (ran.status, "did you mean hash?" in ran.err) == (1, True)


def test_the_budget_and_not_the_number_of_hits_decides_what_is_sent(askmd: Askmd, here: Path):
    (here / "docs").mkdir()
    for place in range(60):
        text = f"# Harbour {place}\n\n" + f"The harbour has berth {place}. " * 8
        (here / "docs" / f"{place}.md").write_text(text, encoding="utf-8")
    askmd("ingest", "docs")

    def sent(*words: str) -> int:
        found = askmd("search", "harbour", "berth", "--json", *words).json
        return len(found["passages"])

    small, large = sent("--budget", "600"), sent("--budget", "6000")
    assert 0 < small < 10 < large
    assert sent("--budget", "6000", "-k", "3") == 3


def test_an_index_and_its_documents_move_together(
    indexed: Askmd, here: Path, monkeypatch: pytest.MonkeyPatch
):
    moved = here / "elsewhere"
    moved.mkdir()
    for name in ("handbook", ".askmd", "config.toml"):
        (here / name).rename(moved / name)
    monkeypatch.chdir(moved)
    report = indexed("ingest", "--json").json
    assert (report["documents"]["unchanged"], report["chunks"]["embedded"]) == (3, 0)
    assert indexed("search", "upstream").status == 0
