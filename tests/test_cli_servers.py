"""The command line against servers: answers that are written, embeddings that are fetched."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from chat_scripts import USAGE, sse
from conftest import HASH, Askmd, Ran
from servers import Reply, Script, ScriptedServer, embeddings, error_reply, sequence

QUESTION = "why is the upstream refused?"
KEY = "sk-canary-0123456789"


def ask(askmd: Askmd, script: Script, *words: str) -> tuple[Ran, ScriptedServer]:
    with ScriptedServer(script) as server:
        ran = askmd("ask", QUESTION, "--base-url", server.base_url, "--model", "m", *words)
    return ran, server


def test_an_answer_is_streamed_and_its_sources_follow(indexed: Askmd):
    ran, server = ask(indexed, lambda _: sse(["The upstream is ", "down [1", "]. Or not [99]."]))
    assert (ran.status, ran.err) == (
        0,
        "taken out of the answer: marks of passages never sent (99)\n",
    )
    assert (
        ran.out
        == "The upstream is down [1]. Or not.\n\n[1] nginx.md:9-11  Nginx > 502 Bad Gateway\n"
    )
    [request] = server.requests
    assert (request.path, request.body["model"], request.body["stream"]) == (
        "/v1/chat/completions",
        "m",
        True,
    )
    assert "The upstream refused the connection" in request.body["messages"][-1]["content"]


def test_an_answer_as_json_has_citations_usage_and_model(indexed: Askmd):
    ran, _ = ask(indexed, lambda _: sse(["Start it [1]."]), "--json")
    answer = ran.json
    assert (answer["answer"], answer["status"], answer["model"]) == (
        "Start it [1].",
        "answered",
        "m",
    )
    assert answer["usage"] == USAGE
    [citation] = answer["citations"]
    assert (citation["number"], citation["path"], citation["lines"], citation["stale"]) == (
        1,
        "nginx.md",
        [9, 11],
        False,
    )


@pytest.mark.parametrize(
    ("reply", "words", "status", "said"),
    [
        (error_reply(401, "bad key"), (), 1, "refused the key in MY_KEY"),
        (error_reply(404, "no such model"), (), 1, "knows no model 'm'"),
        (Reply(body=b"<html>", headers={"Content-Type": "text/html"}), (), 1, "chat completion"),
        (sse(["Half an ans"], finish=None, done=False, cut=True), (), 4, "incomplete"),
        (sse(["The documents do not answer this."]), (), 3, ""),
        (sse(["Just so."]), ("--strict",), 4, "unsupported: the answer cites none"),
        (sse(["Start the upstream [1][99]."]), ("--strict",), 4, "never sent (99)"),
        (sse(["Just so."]), (), 0, "unsupported: the answer cites none"),
    ],
    ids=[
        "wrong key",
        "no model",
        "web page",
        "cut",
        "not answered",
        "uncited",
        "invented",
        "uncited, lenient",
    ],
)
def test_each_end_of_an_answer_has_its_status_and_line(
    reply: Reply,
    words: tuple[str, ...],
    status: int,
    said: str,
    indexed: Askmd,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("MY_KEY", KEY)
    text = '[embedding]\nprovider = "hash"\n[llm]\napi_key_env = "MY_KEY"\n'
    (here / "named.toml").write_text(text, encoding="utf-8")
    ran, server = ask(indexed, lambda _: reply, "--config", "named.toml", *words)
    assert (ran.status, ran.err.count("\n")) == (status, 1 if said else 0)
    assert said in ran.err
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in ran.out + ran.err


def test_a_refused_question_never_reaches_the_llm(indexed: Askmd):
    with ScriptedServer(lambda _: sse(["never"])) as server:
        ran = indexed("ask", "who baked xylophone pancakes?", "--base-url", server.base_url)
    assert (ran.status, server.requests) == (3, [])


def test_a_server_that_a_found_file_named_gets_no_key(
    indexed: Askmd, here: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer(lambda _: sse(["Start it [1]."])) as server:
        text = f'{HASH}[llm]\nbase_url = "{server.base_url}"\nmodel = "m"\n'
        (here / "config.toml").write_text(text, encoding="utf-8")
        found = indexed("ask", QUESTION)
        named = indexed("ask", QUESTION, "--config", "config.toml")
    assert (found.status, named.status) == (0, 0)
    keys = [request.headers["authorization"] for request in server.requests]
    assert [KEY in key for key in keys] == [False, True]


def test_documents_cannot_drive_the_terminal(indexed: Askmd, here: Path):
    text = "# Evil \x1b]0;title\x07\n\nRed \x1b[31mherring\x1b[0m zebra.\n"
    (here / "handbook" / "evil\x1b[2J.md").write_text(text, encoding="utf-8")
    assert indexed("ingest").status == 0
    found = indexed("search", "zebra", "--mode", "words")
    answer, _ = ask(indexed, lambda _: sse(["Clear \x1b[2", "J it [1].\x1b]52;c;eA==\x07"]))
    assert [text for text in (found.out, found.err, answer.out, answer.err) if "\x1b" in text] == []
    assert "Red herring zebra." in found.out


def embedding_config(here: Path, url: str) -> None:
    text = f'[embedding]\nprovider = "openai"\nmodel = "small"\nbase_url = "{url}"\n'
    (here / "config.toml").write_text(text, encoding="utf-8")


def test_a_server_embeds_and_when_it_is_down_words_answer(
    askmd: Askmd,
    handbook: Path,
    here: Path,
):
    with ScriptedServer(embeddings) as server:
        embedding_config(here, server.base_url)
        report = askmd("ingest", "handbook", "--json").json
        assert report["chunks"]["embedded"] == report["chunks"]["total"] == 7
        assert askmd("search", "autovacuum", "--json").json["degraded"] is None
    ran = askmd("search", "autovacuum", "--json")
    assert (ran.status, ran.json["hits"][0]["path"]) == (0, "postgres.md")
    assert "found by words alone" in ran.json["degraded"]
    dense = askmd("search", "autovacuum", "--mode", "dense", "--json")
    assert (dense.status, json.loads(dense.err)["error"]["code"]) == (1, "embedder_unreachable")


def test_one_poisoned_text_costs_its_file_alone(askmd: Askmd, handbook: Path, here: Path):
    def script(request: object) -> Reply:
        body = request.body  # type: ignore[attr-defined]
        if any("dead rows" in text for text in body["input"]):
            return error_reply(400, "this text is poison")
        return embeddings(request)  # type: ignore[arg-type]

    with ScriptedServer(script) as server:
        embedding_config(here, server.base_url)
        ran = askmd("ingest", "handbook", "--json")
    assert (ran.status, ran.json["documents"]["new"]) == (4, 2)
    [failure] = ran.json["failures"]
    assert failure["path"] == "postgres.md" and "poison" in failure["reason"]


@pytest.mark.parametrize(
    ("replies", "status"),
    [
        ([sse(["Yes [1]."]), sse(["Yes [1]."])], 0),
        ([sse(["Yes [1]."]), error_reply(401, "no")], 4),
        ([sse(["Half"], finish=None, done=False, cut=True), sse(["Yes [1]."])], 4),
        ([error_reply(401, "no"), error_reply(401, "no")], 1),
    ],
    ids=["all answered", "one failed", "one cut", "all failed"],
)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_a_chat_through_a_pipe_goes_on_and_ends_with_the_status_of_its_answers(
    replies: list[Reply],
    status: int,
    options: tuple[str, ...],
    indexed: Askmd,
    monkeypatch: pytest.MonkeyPatch,
):
    asked = "why refused?\nwhat does a reverse proxy forward?\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(asked))
    with ScriptedServer(sequence(*replies)) as server:
        ran = indexed("chat", "--base-url", server.base_url, "--model", "m", *options)
    assert (ran.status, len(server.requests)) == (status, 2)
