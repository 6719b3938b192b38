from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from askmd import __version__
from conftest import HASH, Askmd


def test_ingest_says_what_it_did_and_what_to_try_next(askmd: Askmd, handbook: Path):
    ran = askmd("ingest", "handbook")
    assert ran.status == 0
    assert ran.out.startswith("3 files (3 new) → 7 chunks: 7 embedded, 0 reused; longest ")
    assert ", 0 truncated; " in ran.out
    assert ran.err == 'next: askmd ask "your question"\n'


def test_ingest_as_json_is_what_the_outside_counts_on(askmd: Askmd, handbook: Path):
    report = askmd("ingest", "handbook", "--json").json
    assert report["documents"] == {
        "seen": 3,
        "new": 3,
        "changed": 0,
        "moved": 0,
        "unchanged": 0,
        "removed": 0,
        "failed": 0,
    }
    assert report["chunks"] == {"total": 7, "embedded": 7, "reused": 0, "truncated": 0}
    assert set(report) == {"documents", "chunks", "longest_chunk_tokens", "failures", "seconds"}


def test_without_a_folder_ingest_takes_the_one_the_index_belongs_to(indexed: Askmd, here: Path):
    (here / "handbook" / "new.md").write_text("# New\n", encoding="utf-8")
    assert indexed("ingest", "--json").json["documents"]["new"] == 1


def test_a_bad_file_is_named_and_the_status_is_4(askmd: Askmd, handbook: Path):
    (handbook / "bad.md").write_bytes(b"caf\xe9\n")
    ran = askmd("ingest", "handbook")
    assert (ran.status, ran.err.split(":")[:2]) == (4, ["failed", " bad.md"])


def test_a_dry_run_writes_nothing(askmd: Askmd, handbook: Path, here: Path):
    ran = askmd("ingest", "handbook", "--dry-run")
    assert ran.out.startswith("3 files to index, 7 chunks to embed, ")
    assert not (here / ".askmd").exists()


def test_search_prints_source_lines_and_text(indexed: Askmd):
    ran = indexed("search", "upstream", "refused", "-k", "1", "--mode", "words")
    assert ran.out.splitlines() == [
        "1. nginx.md:9-11  Nginx > 502 Bad Gateway",
        "   ## 502 Bad Gateway",
        "   The upstream refused the connection: start it.",
        "",
    ]


def test_search_as_json_is_what_the_outside_counts_on(indexed: Askmd):
    found = indexed("search", "upstream refused", "--json").json
    assert (found["question"], found["mode"], found["degraded"]) == (
        "upstream refused",
        "hybrid",
        None,
    )
    assert set(found["hits"][0]) == {
        *("rank", "score", "scores", "above_floor", "chunk", "path"),
        *("heading", "anchor", "anchors", "lines", "chars", "text"),
    }
    assert found["hits"][0]["lines"] == [9, 11]


def test_search_shows_the_passages_an_llm_would_be_sent(indexed: Askmd):
    found = indexed("search", "upstream refused", "--passages", "--budget", "100", "--json").json
    assert {"question", "mode", "degraded", "hits", "passages"} == set(found)
    assert (found["passages"][0]["number"], found["passages"][0]["path"]) == (1, "nginx.md")
    text = indexed("search", "upstream refused", "--passages").out
    assert text.startswith("[1] nginx.md:9-11  Nginx > 502 Bad Gateway\n\n## 502 Bad Gateway\n")


def test_search_explains_the_parts_of_a_score(indexed: Askmd):
    explained = indexed("search", "upstream refused", "-k", "1", "--explain").out.splitlines()[1]
    assert [word in explained for word in ("score 0.", "cosine", "bm25", "floor")] == [True] * 4


def test_search_reads_one_question_a_line_from_stdin(
    indexed: Askmd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "questions").write_text("upstream\n\nautovacuum\n", encoding="utf-8")
    with (tmp_path / "questions").open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        rows = [json.loads(row) for row in indexed("search", "-", "--json").out.splitlines()]
    assert [row["hits"][0]["path"] for row in rows] == ["nginx.md", "postgres.md"]


@pytest.mark.parametrize(
    ("given", "paths"),
    [
        ("access/**", {"access/ssh.md"}),
        ("tags=tuning", {"postgres.md"}),
        ("heading=rotation", {"access/ssh.md"}),
    ],
)
def test_filters_choose_by_path_front_matter_and_heading(
    indexed: Askmd, given: str, paths: set[str]
):
    hits = indexed("search", "key proxy rows", "--filter", given, "--json").json["hits"]
    assert {hit["path"] for hit in hits} == paths


def test_ask_without_an_llm_quotes_passages_and_says_how_to_set_one(indexed: Askmd):
    ran = indexed("ask", "why is the upstream refused?")
    assert ran.status == 0
    assert "The upstream refused the connection: start it." in ran.out
    assert "[1] nginx.md:9-11  Nginx > 502 Bad Gateway" in ran.out
    assert len(ran.err.splitlines()) == 2
    assert "no LLM is configured" in ran.err and "--base-url" in ran.err


def test_ask_as_json_is_what_the_outside_counts_on(indexed: Askmd):
    answer = indexed("ask", "why is the upstream refused?", "--no-llm", "--json").json
    assert set(answer) == {
        *("question", "search_query", "answer", "status", "citations"),
        *("passages", "model", "usage", "degraded"),
        *("rewritten", "cut_reason", "invented", "sentences", "findings"),
        *("cost", "seconds", "first_seconds"),
    }
    assert (answer["status"], answer["citations"][0]["path"]) == ("extracted", "nginx.md")
    assert {
        "number",
        "path",
        "heading",
        "anchor",
        "lines",
        "chars",
        "chunks",
        "score",
        "text",
    } <= set(answer["passages"][0])


def test_a_question_without_evidence_is_refused_with_status_3(indexed: Askmd):
    ran = indexed("ask", "who baked xylophone pancakes?", "--json")
    assert (ran.status, ran.json["status"]) == (3, "refused")


def test_ask_without_an_index_ingests_the_configured_folder_first(
    askmd: Askmd, handbook: Path, here: Path
):
    text = HASH + '[documents]\nfolder = "handbook"\n'
    (here / "config.toml").write_text(text, encoding="utf-8")
    ran = askmd("ask", "why is the upstream refused?", "--no-llm")
    assert ran.status == 0
    assert "no index yet: ingesting" in ran.err
    assert "nginx.md:9-11" in ran.out


def test_status_lists_what_the_index_holds_and_every_path(indexed: Askmd, here: Path):
    facts = indexed("status", "--json").json
    assert (facts["documents"], facts["chunks"], facts["provider"]) == (3, 7, "hash")
    own = [size for path, size in facts["paths"].items() if path.startswith(facts["index"])]
    assert facts["bytes"] == sum(own) > 0
    assert facts["root"] == str(here / "handbook")
    assert "3 documents, 7 chunks" in indexed("status").out


def test_config_shows_values_and_where_they_come_from(askmd: Askmd):
    rows = askmd("config", "--json").json
    assert rows["embedding.provider"]["value"] == "hash"
    assert rows["embedding.provider"]["origin"].endswith("config.toml")
    assert rows["search.limit"] == {"value": 10, "origin": "default"}


def test_config_init_writes_a_file_once(askmd: Askmd, here: Path):
    (here / "config.toml").unlink()
    assert askmd("config", "--init").status == 0
    assert "max_tokens = 256" in (here / "config.toml").read_text(encoding="utf-8")
    again = askmd("config", "--init")
    assert (again.status, again.err) == (
        2,
        "askmd: config.toml is there already; remove it first, or edit it\n",
    )


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        (["ingest", "nowhere"], 1, "no such folder"),
        (["ingest", "empty"], 1, "no Markdown in"),
        (["ask", "anything", "--config", "nowhere.toml"], 1, "no such configuration file"),
        (["ask", "anything", "--config", "typo.toml"], 1, "did you mean search.limit?"),
        (["ask", "anything"], 1, "askmd ingest"),
        (["search", "anything"], 1, "askmd ingest"),
        (["status"], 1, "askmd ingest"),
        (["ask", " "], 2, "the question is empty"),
        (["search", ""], 2, "the question is empty"),
        (["search", "x", "-k", "0"], 2, "-k"),
        (["search", "x", "--mode", "psychic"], 2, "--mode"),
        (["search"], 2, "QUESTION"),
        (["frobnicate"], 2, "frobnicate"),
        (["search", "x", "--frobnicate"], 2, "--frobnicate"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_bad_input_is_one_clear_line_and_the_right_status(
    words: list[str], status: int, line: str, askmd: Askmd, here: Path
):
    (here / "empty").mkdir()
    (here / "typo.toml").write_text("[search]\nlimt = 3\n", encoding="utf-8")
    ran = askmd(*words)
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert ran.err.startswith("askmd: ")
    assert line in ran.err


def test_an_error_as_json_has_code_message_and_next(askmd: Askmd):
    ran = askmd("search", "x", "--json")
    assert (ran.status, ran.out) == (1, "")
    error = json.loads(ran.err)["error"]
    assert (error["code"], "askmd ingest" in error["next"]) == ("no_index", True)


def test_an_index_of_another_model_is_refused_with_the_remedy(indexed: Askmd, here: Path):
    text = HASH + "[chunks]\nmax_tokens = 64\n"
    (here / "config.toml").write_text(text, encoding="utf-8")
    ran = indexed("search", "x")
    assert ran.status == 1
    assert "askmd ingest --rebuild" in ran.err


def test_a_corrupt_index_is_one_clear_line(indexed: Askmd, here: Path):
    [database] = (here / ".askmd").glob("*.sqlite3")
    database.write_bytes(b"not a database at all" * 1000)
    ran = indexed("search", "x")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "askmd ingest --rebuild" in ran.err
    assert indexed("ingest", "handbook", "--rebuild").status == 0
    assert indexed("search", "upstream").status == 0


def test_an_unreachable_llm_is_one_clear_line(indexed: Askmd):
    ran = indexed("ask", "upstream", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "http://127.0.0.1:9/v1" in ran.err


def test_a_key_in_the_environment_is_no_consent(indexed: Askmd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert indexed("ask", "upstream", "--json").json["status"] == "extracted"


def test_the_version_is_the_packages(askmd: Askmd):
    assert askmd("--version").out == f"askmd, version {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["status"], ["config"]])
def test_a_fresh_process_loads_nothing_heavy_to_tell_what_there_is(
    words: list[str], indexed: Askmd
):
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "askmd", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in ran.stderr.splitlines()}
    assert loaded & {"numpy", "faiss", "openai", "pydantic", "rich", "torch", "tiktoken"} == set()
    assert ran.stdout


@pytest.mark.parametrize("damage", ["manifest.json", "*.sqlite3"])
def test_the_remedy_for_a_corrupt_index_says_what_it_needs(damage: str, indexed: Askmd, here: Path):
    for file in (here / ".askmd").glob(damage):
        file.write_bytes(b"junk" * 1000)
    unnamed = indexed("ingest", "--rebuild")
    assert (unnamed.status, "askmd ingest FOLDER --rebuild" in unnamed.err) == (1, True)
    text = HASH + '[documents]\nfolder = "handbook"\n'
    (here / "config.toml").write_text(text, encoding="utf-8")
    assert indexed("ingest", "--rebuild").status == 0
    assert indexed("search", "upstream").status == 0


def test_a_reader_that_goes_away_is_no_failure(indexed: Askmd):
    command = [sys.executable, "-m", "askmd", "config"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        assert ran.stdout and ran.stderr
        ran.stdout.close()
        assert (b"Traceback" in ran.stderr.read(), ran.wait()) == (False, 0)


def test_an_empty_stdin_is_a_usage_error(indexed: Askmd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    ran = indexed("search", "-")
    assert (ran.status, "no question on stdin" in ran.err) == (2, True)


def test_failures_of_an_ingest_nobody_asked_for_are_named_too(
    askmd: Askmd, handbook: Path, here: Path
):
    (handbook / "bad.md").write_bytes(b"caf\xe9")
    text = HASH + '[documents]\nfolder = "handbook"\n'
    (here / "config.toml").write_text(text, encoding="utf-8")
    assert "failed: bad.md: line 1 is not UTF-8" in askmd("search", "upstream").err


def test_names_and_paths_cannot_forge_lines(askmd: Askmd, handbook: Path):
    (handbook / "bad\n0 failures.md").write_bytes(b"caf\xe9")
    assert askmd("ingest", "handbook").err.count("\n") == 2


def test_bare_askmd_shows_the_help(askmd: Askmd):
    ran = askmd()
    assert (ran.status, "Commands:" in ran.err) == (2, True)


def test_status_names_the_precision_of_the_vectors(indexed: Askmd):
    assert indexed("status", "--json").json["precision"] == "float32"
    assert "dimensions, float32)" in indexed("status").out


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "loop"),
        ("ingest", "handbook", "--index", "loop"),
        ("ingest", "handbook", "--index", "loop/index"),
        ("ingest", "handbook", "--dry-run", "--index", "loop"),
        ("search", "nginx", "--index", "loop"),
        ("status", "--index", "loop"),
        ("doctor", "--index", "loop"),
        ("eval", "loop"),
    ],
    ids=" ".join,
)
def test_a_link_that_leads_back_to_itself_is_named(
    words: tuple[str, ...], askmd: Askmd, handbook: Path, here: Path
):
    (here / "loop").symlink_to("pool")
    (here / "pool").symlink_to("loop")
    ran = askmd(*words)
    assert ran.status in (1, 4)
    said = ran.err + ran.out
    assert "loop" in said
    assert "unexpected" not in said
    assert "mend the link, which leads back to itself, or name another path" in said


@pytest.mark.parametrize("verb", [("ingest", "handbook"), ("search", "nginx"), ("status",)])
def test_a_name_that_is_too_long_is_said_to_be(verb: tuple[str, ...], askmd: Askmd, handbook: Path):
    ran = askmd(*verb, "--index", "x" * 300)
    assert (ran.status, ran.err.rpartition("; ")[2]) == (1, "name a shorter path\n")


def test_too_many_open_files_are_no_fault_of_askmds(askmd: Askmd, indexed: Askmd, here: Path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    script = f"""
import os, resource, sys
sys.argv = ["askmd", "ingest", "handbook"]
from askmd.cli import main
resource.setrlimit(resource.RLIMIT_NOFILE, ({{limit}}, {hard}))
main()
"""
    for limit in range(4, 24):
        ran = subprocess.run(
            [sys.executable, "-c", script.format(limit=limit)],
            cwd=here,
            capture_output=True,
            text=True,
        )
        said = ran.stderr.strip().splitlines()
        if ran.returncode == 0:
            break
        assert ran.returncode in (1, 4), (limit, said)
        assert "unexpected" not in ran.stderr, (limit, said)
        if ran.returncode == 1:
            assert len(said) == 1, (limit, said)
    assert limit > 5
    assert soft > limit
