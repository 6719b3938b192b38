"""The table of ``chat_faults`` through the real command line: each bad server ends as it says."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from askmd.config import Config
from askmd.ingest import ingest_folder
from askmd.llm import OpenAILLM
from askmd.settings import EmbeddingSettings, IndexSettings
from chat_faults import DOCUMENT, FAULTS, GOOD, KEY, QUESTION, Asked, Fault, complaints
from chat_scripts import sse
from conftest import Askmd
from servers import Recorded, Reply, ScriptedServer, error_reply, sequence

TOLERANCE_SECONDS = 4.0
"""Far above what is measured: other tests run beside these."""
START_SECONDS = 15.0
"""What a process of its own may take beside its server."""
FRESH = [
    "refused",
    "a hang before the headers",
    "a hang after a text",
    "500 for ever",
    "307 to another host",
    "JSON nested too deeply after a text",
    "no usage",
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one page that all scripts here are asked over: none of them writes to it."""
    home = tmp_path_factory.mktemp("library")
    (home / "docs").mkdir()
    (home / "docs" / "nginx.md").write_text(DOCUMENT, encoding="utf-8")
    embedding = EmbeddingSettings(provider="hash")
    config = replace(Config(), index=IndexSettings(str(home / "index")), embedding=embedding)
    ingest_folder(home / "docs", config)
    return home / "index"


def named(name: str) -> Fault:
    [fault] = [fault for fault in FAULTS if fault.name == name]
    return fault


def words(fault: Fault, here: Path, library: Path, address: str) -> list[str]:
    (here / "bad.toml").write_text(fault.config, encoding="utf-8")
    call = ["ask", QUESTION, "--config", "bad.toml", "--index", str(library)]
    return [*call, "--base-url", address, *fault.words]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_bad_server_ends_as_the_table_says(
    fault: Fault, askmd: Askmd, library: Path, here: Path, monkeypatch: pytest.MonkeyPatch
):
    pauses: list[float] = []
    noting = functools.partial(OpenAILLM, sleep=pauses.append)
    # The command line has no switch for its clock, and nobody wants to wait for the real one.
    monkeypatch.setattr("askmd.llm.OpenAILLM", noting)
    with ScriptedServer(lambda _: GOOD) as thief, fault.server(thief.base_url) as server:
        for name, value in fault.environ(thief.base_url.removesuffix("/v1")).items():
            monkeypatch.setenv(name, value)
        began = time.monotonic()
        ran = askmd(*words(fault, here, library, server.base_url))
        seconds = time.monotonic() - began
        asked, elsewhere = len(server.requests), len(thief.requests)

    ended = Asked(ran.status, ran.out, ran.err, seconds, asked, elsewhere, pauses)
    wrong = complaints(fault, ended, tolerance_seconds=TOLERANCE_SECONDS)
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("name", FRESH)
def test_a_bad_server_ends_so_in_a_process_of_its_own(name: str, library: Path, here: Path):
    fault = named(name)
    with ScriptedServer(lambda _: GOOD) as thief, fault.server(thief.base_url) as server:
        began = time.monotonic()
        ran = subprocess.run(
            [sys.executable, "-m", "askmd", *words(fault, here, library, server.base_url)],
            env={**os.environ, **fault.environ(thief.base_url)},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        seconds = time.monotonic() - began
        asked, elsewhere = len(server.requests), len(thief.requests)

    ended = Asked(ran.returncode, ran.stdout, ran.stderr, seconds, asked, elsewhere)
    assert "\n".join(complaints(fault, ended, tolerance_seconds=START_SECONDS)) == ""


def test_every_script_has_a_name_of_its_own_and_the_table_is_as_long_as_promised():
    assert [
        name for name, count in Counter(fault.name for fault in FAULTS).items() if count > 1
    ] == []
    assert {fault.end for fault in FAULTS} == {"answered", "incomplete", "failed"}
    assert len(FAULTS) >= 150


def test_a_second_asked_for_is_really_waited(indexed: Askmd):
    replies = sequence(error_reply(429, "slow", headers={"Retry-After": "1"}), GOOD)
    with ScriptedServer(replies) as server:
        began = time.monotonic()
        ran = indexed("ask", QUESTION, "--base-url", server.base_url, "--model", "m")
        seconds = time.monotonic() - began

    assert (ran.status, ran.err, len(server.requests)) == (0, "", 2)
    assert seconds >= 1


def test_a_cookie_of_a_failed_attempt_is_not_brought_back(indexed: Askmd):
    bitten = error_reply(429, "slow", headers={"Set-Cookie": "a=b", "Retry-After": "0"})
    with ScriptedServer(sequence(bitten, GOOD)) as server:
        assert indexed("ask", QUESTION, "--base-url", server.base_url, "--model", "m").status == 0

    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


@pytest.mark.parametrize(
    "counts",
    [
        {"prompt_tokens": -5, "completion_tokens": -1, "total_tokens": -6},
        {"prompt_tokens": True, "completion_tokens": False, "total_tokens": True},
        {"prompt_tokens": "eleven", "completion_tokens": [3], "total_tokens": {}},
        {"prompt_tokens": 11.5, "completion_tokens": None},
        {"prompt_tokens": float("inf"), "completion_tokens": float("nan")},
    ],
    ids=["below nought", "booleans", "words", "fractions", "infinite"],
)
def test_counts_that_count_nothing_are_no_usage(counts: dict[str, int], indexed: Askmd):
    with ScriptedServer(lambda _: sse(["Start it [1]."], usage=counts)) as server:
        ran = indexed("ask", QUESTION, "--base-url", server.base_url, "--model", "m", "--json")

    usage = ran.json["usage"] or {}
    assert (ran.status, ran.json["status"]) == (0, "answered")
    assert {type(count) for count in usage.values() if count is not None} <= {int}
    assert [count for count in usage.values() if count is not None and count < 0] == []


@pytest.mark.parametrize(
    "reply",
    [
        error_reply(401, f"bad key {KEY}"),
        error_reply(400, f"bad key {KEY}"),
        error_reply(404, f"bad key {KEY}", headers={"X-Key": KEY}),
        Reply(500, {"Retry-After": "0"}, f"<p>{KEY}</p>".encode()),
        Reply(307, {"Location": f"http://127.0.0.1:9/{KEY}"}),
        sse([f"Your key is {KEY[:9]}", f"{KEY[9:]}."], finish=KEY),
    ],
    ids=["401", "400", "404", "500", "redirect", "finish reason"],
)
def test_a_key_that_a_server_says_back_is_in_no_notice_even_with_debug(
    reply: Reply, indexed: Askmd, here: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MY_KEY", KEY)
    (here / "bad.toml").write_text(FAULTS[0].config, encoding="utf-8")

    def script(request: Recorded) -> Reply:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        return reply

    with ScriptedServer(script) as server:
        call = ["ask", QUESTION, "--config", "bad.toml", "--base-url", server.base_url]
        ran = indexed(*call, "--model", "m", "--debug")

    assert ran.status in (1, 4)
    assert ran.err != ""
    assert KEY not in ran.err
