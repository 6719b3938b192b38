"""The verb ``ask``: what it shows instead of sending, what it saves, where its citations lead."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chat_scripts import sse
from conftest import HASH, Askmd
from servers import ScriptedServer

QUESTION = "why is the upstream refused?"


def test_a_prompt_is_shown_to_the_letter_and_nothing_is_sent(indexed: Askmd):
    with ScriptedServer(lambda _: sse(["never"])) as server:
        shown = indexed("ask", QUESTION, "--show-prompt", "--base-url", server.base_url)
        told = indexed("ask", QUESTION, "--show-prompt", "--json")
        nothing = indexed("ask", "who baked xylophone pancakes?", "--show-prompt")
        assert server.requests == []
    assert (shown.status, told.status, nothing.status) == (0, 0, 3)
    assert shown.out.startswith("--- system\nYou answer questions")
    assert "The upstream refused the connection: start it." in shown.out
    assert [message["role"] for message in told.json["messages"]] == ["system", "user"]
    assert nothing.err.startswith("nothing would be sent: ")


def test_what_is_shown_wants_no_key(indexed: Askmd, here: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (here / "remote.toml").write_text(f'{HASH}[llm]\nmodel = "gpt-5-mini"\n', encoding="utf-8")
    ran = indexed("ask", QUESTION, "--show-prompt", "--config", "remote.toml")
    assert (ran.status, ran.err) == (0, "")


def test_a_receipt_that_could_not_be_written_costs_no_question(indexed: Askmd, here: Path):
    (here / "taken.json").write_text("mine", encoding="utf-8")
    with ScriptedServer(lambda _: sse(["Start it [1]."])) as server:
        llm = ("--base-url", server.base_url, "--model", "m")
        taken = indexed("ask", QUESTION, *llm, "--receipt", "taken.json")
        lost = indexed("ask", QUESTION, *llm, "--receipt", "nowhere/new.json")
        shown = indexed("ask", QUESTION, *llm, "--receipt", "new.json", "--show-prompt")
        assert server.requests == []
    assert (taken.status, lost.status, shown.status) == (2, 1, 2)
    assert (here / "taken.json").read_text(encoding="utf-8") == "mine"


def test_a_receipt_holds_what_was_asked_found_sent_and_answered(indexed: Askmd, here: Path):
    with ScriptedServer(lambda _: sse(["Start it [1]."])) as server:
        llm = ("--base-url", server.base_url, "--model", "m")
        ran = indexed("ask", QUESTION, *llm, "--receipt", "new.json", "--filter", "*.md")
        [request] = server.bodies
    saved = json.loads((here / "new.json").read_text(encoding="utf-8"))
    assert (ran.status, saved["question"], saved["answer"]) == (0, QUESTION, "Start it [1].")
    assert saved["messages"] == request["messages"]
    assert (saved["model"], saved["server"]) == ("m", server.base_url)
    assert saved["answer_tokens"] == request["max_tokens"]
    assert (saved["filters"]["globs"], saved["usage"]["total_tokens"]) == (["*.md"], 14)


@pytest.mark.parametrize(
    ("kind", "template", "url"),
    [
        ("site", "https://docs.example.com/{page}/#{anchor}", "/nginx/#502-bad-gateway"),
        (
            "github",
            "https://github.com/me/docs/blob/main/{path}#L{first}-L{last}",
            "/nginx.md#L9-L11",
        ),
    ],
)
def test_citations_lead_where_a_template_says(
    kind: str, template: str, url: str, indexed: Askmd, here: Path
):
    text = f'{HASH}[links]\n{kind} = "{template}"\n'
    (here / "links.toml").write_text(text, encoding="utf-8")
    ran = indexed("ask", QUESTION, "--config", "links.toml", "--link", kind, "--no-llm", "--json")
    without = indexed("ask", QUESTION, "--config", "links.toml", "--no-llm", "--json")
    assert ran.json["citations"][0]["url"].endswith(url)
    assert without.json["citations"][0]["url"] is None


def test_a_link_without_a_template_says_how_to_write_one(indexed: Askmd):
    ran = indexed("ask", QUESTION, "--link", "github")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert "links.github has no template" in ran.err and "{path}#L{first}" in ran.err


def test_a_found_file_cannot_say_where_links_lead(indexed: Askmd, here: Path):
    text = f'{HASH}[links]\nto = "site"\nsite = "https://evil.example/{{path}}"\n'
    (here / "config.toml").write_text(text, encoding="utf-8")
    ran = indexed("ask", QUESTION, "--no-llm", "--json")
    assert (ran.status, ran.json["citations"][0]["url"]) == (0, None)
    assert "links.to, links.site left out" in ran.err


def test_strict_is_clean_where_everything_is_borne_out(indexed: Askmd):
    sound = 'The page says "the upstream refused the connection": start it [1].'
    with ScriptedServer(lambda _: sse([sound])) as server:
        llm = ("--base-url", server.base_url, "--model", "m", "--strict", "--json")
        ran = indexed("ask", QUESTION, *llm)
    assert (ran.status, ran.json["findings"], ran.err) == (0, [], "")
    [citation] = ran.json["citations"]
    assert [quote["verdict"] for quote in citation["quotes"]] == ["supported"]
    assert citation["support"] > 0.7
