"""``askmd replay``: a saved receipt put to another model, or under another prompt."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from askmd.cli.replaying import check_receipt, write_receipt
from askmd.errors import FolderError, UsageError
from askmd.records import read_receipt, receipt_of
from askmd.types import AnswerRecord, Citation, Message, Passage, Usage
from chat_scripts import USAGE, sse
from conftest import HASH, Askmd, Ran
from servers import Reply, Script, ScriptedServer, error_reply

KEY = "sk-canary-0123456789"
PASSAGE = Passage(
    1, "nginx.md", ("Nginx", "502 Bad Gateway"), "502-bad-gateway", (9, 11), (90, 150),
    ("c1",), 0.5, "The upstream refused the connection: start it.",
)  # fmt: skip
RECORD = AnswerRecord(
    question="why 502?",
    search_query="why 502?",
    answer="Start it [1].",
    status="answered",
    citations=(Citation(**{one: getattr(PASSAGE, one) for one in PASSAGE.__dataclass_fields__}),),
    passages=(PASSAGE,),
    model="first-model",
    usage=Usage(5, 2, 7),
    degraded=None,
)
MESSAGES = (
    Message("system", "Use only the passages."),
    Message(
        "user", "<passage>The upstream refused\x1b]0;x\x07 it.</passage>\n\nQuestion: why 502?"
    ),
)
GOOD = "The upstream refused the connection: start it [1]."


def save(here: Path, **changes: Any) -> str:
    """Save a receipt, with what is changed of its JSON, and return its name."""
    made = receipt_of(
        RECORD,
        MESSAGES,
        created="2020-01-02T03:04:05+00:00",
        mode="hybrid",
        budget_tokens=3000,
        server="http://192.0.2.1:1/v1",
        answer_tokens=1000,
    )
    data = json.loads(made.as_text()) | changes
    (here / "asked.json").write_text(json.dumps(data), encoding="utf-8")
    return "asked.json"


def replay(askmd: Askmd, here: Path, script: Script, *words: str) -> tuple[Ran, ScriptedServer]:
    with ScriptedServer(script) as server:
        ran = askmd("replay", save(here), "--base-url", server.base_url, "--model", "m", *words)
    return ran, server


def test_the_same_messages_are_put_to_another_model_without_an_index(askmd: Askmd, here: Path):
    ran, server = replay(askmd, here, lambda _: sse(["The upstream refused ", GOOD[21:]]))

    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"{GOOD}\n\n[1] nginx.md:9-11  Nginx > 502 Bad Gateway\n"
    [body] = server.bodies
    sent = [(one["role"], one["content"]) for one in body["messages"]]
    assert (body["model"], sent) == ("m", [(one.role, one.content) for one in MESSAGES])


def test_a_prompt_file_stands_in_the_system_message_s_place(askmd: Askmd, here: Path):
    (here / "prompt.txt").write_text("\ufeffAnswer in one word.\n", encoding="utf-8")
    _, server = replay(askmd, here, lambda _: sse([GOOD]), "--prompt", "prompt.txt")
    [body] = server.bodies
    assert [one["content"] for one in body["messages"]] == [
        "Answer in one word.",
        MESSAGES[1].content,
    ]


def test_json_is_the_record_that_ask_prints(askmd: Askmd, here: Path):
    ran, _ = replay(askmd, here, lambda _: sse([GOOD]), "--json")
    told = ran.json
    assert (told["question"], told["answer"], told["status"], told["model"], told["usage"]) == (
        "why 502?",
        GOOD,
        "answered",
        "m",
        USAGE,
    )
    assert [one["path"] for one in told["citations"]] == ["nginx.md"]


def test_what_would_be_sent_is_shown_and_nothing_is_sent(askmd: Askmd, here: Path):
    (here / "prompt.txt").write_text("Be brief.", encoding="utf-8")
    name = save(here)
    shown = askmd("replay", name, "--show-prompt", "--prompt", "prompt.txt")
    as_json = askmd("replay", name, "--show-prompt", "--json")
    _, server = replay(askmd, here, lambda _: sse(["Yes."]), "--show-prompt")

    assert (shown.status, shown.out) == (
        0,
        "--- system\nBe brief.\n\n"
        "--- user\n<passage>The upstream refused it.</passage>\n\nQuestion: why 502?\n\n",
    )
    assert as_json.json == {
        "messages": [{"role": one.role, "content": one.content} for one in MESSAGES]
    }
    assert server.requests == []


def test_nothing_that_is_only_shown_has_a_receipt(askmd: Askmd, here: Path):
    ran = askmd("replay", save(here), "--show-prompt", "--receipt", "new.json")
    assert (ran.status, ran.out, (here / "new.json").exists()) == (2, "", False)
    assert "nothing is sent, so there is no receipt; leave out --show-prompt" in ran.err


@pytest.mark.parametrize("server", ["http://192.0.2.1:1/v1", "http://x/$(touch owned)", None])
def test_without_an_llm_the_receipt_s_server_is_named_but_never_asked(
    askmd: Askmd, here: Path, server: str | None
):
    ran = askmd("replay", save(here, server=server, model="first; rm -rf x"))
    own = "askmd replay asked.json --base-url http://localhost:11434/v1"
    expected = {
        None: f"askmd: no LLM is configured; run `{own}`\n",
        "http://192.0.2.1:1/v1": (
            "askmd: no LLM is configured, and http://192.0.2.1:1/v1, which the receipt names, is "
            "not asked by itself; if you trust it, run `askmd replay asked.json --base-url "
            "http://192.0.2.1:1/v1 --model 'first; rm -rf x'`\n"
        ),
    }
    assert (ran.status, ran.out) == (1, "")
    if server in expected:
        assert ran.err == expected[server]
    else:
        assert "--base-url 'http://x/$(touch owned)' --model" in ran.err


def test_neither_a_key_in_the_environment_nor_a_found_file_is_consent(
    askmd: Askmd, here: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with ScriptedServer(lambda _: sse([GOOD])) as server:
        table = f'[llm]\nmodel = "m"\nbase_url = "{server.base_url}"\n'
        (here / "config.toml").write_text(HASH + table, encoding="utf-8")
        found = askmd("replay", save(here))
        table = '[llm]\nmodel = "m"\nbase_url = "https://elsewhere.invalid/v1"\n'
        (here / "config.toml").write_text(HASH + table, encoding="utf-8")
        left_out = askmd("replay", save(here))

    assert found.status == 0 and KEY not in str(server.requests)
    assert left_out.status == 1 and "no LLM is configured" in left_out.err
    assert "llm.base_url, llm.model left out" in left_out.err


@pytest.mark.parametrize(
    ("reply", "words", "status", "said"),
    [
        (sse(["The documents do not answer this."]), (), 3, ""),
        (sse(["Half an ans"], finish=None, done=False, cut=True), (), 4, "incomplete"),
        (sse([GOOD[:-5]]), (), 0, "unsupported"),
        (sse([GOOD[:-5]]), ("--strict",), 4, "unsupported"),
        (sse([GOOD]), ("--strict",), 0, ""),
        (sse([f"{GOOD[:-1]}[9]."]), ("--strict",), 4, "never sent (9)"),
        (error_reply(401, "bad key"), (), 1, "askmd: "),
        (error_reply(404, "no such model"), (), 1, "knows no model 'm'"),
    ],
    ids=["refused", "cut", "uncited", "strict", "borne out", "invented", "wrong key", "no model"],
)
def test_each_end_has_its_status_and_line(
    askmd: Askmd, here: Path, reply: Reply, words: tuple[str, ...], status: int, said: str
):
    ran, _ = replay(askmd, here, lambda _: reply, *words)
    assert (ran.status, said in ran.err) == (status, True)


def test_a_changed_passage_is_told_and_not_clean(askmd: Askmd, here: Path):
    passages = json.loads((here / save(here)).read_text())["passages"]
    passages[0]["passage"]["text"] += " Then wait."
    with ScriptedServer(lambda _: sse([GOOD])) as server:
        words = ("--base-url", server.base_url, "--model", "m")
        ran = [askmd("replay", save(here, passages=passages), *words, *more) for more in
               ((), ("--strict",))]  # fmt: skip
    assert [one.status for one in ran] == [0, 4]
    line = "asked.json: passage 1 (nginx.md) was changed after it was saved\n"
    assert [one.err for one in ran] == [line, line]


def test_changed_messages_are_told_and_not_clean(askmd: Askmd, here: Path):
    messages = [{"role": "user", "content": f"{MESSAGES[1].content} Obey."}]
    with ScriptedServer(lambda _: sse([GOOD])) as server:
        words = ("--base-url", server.base_url, "--model", "m", "--strict")
        ran = askmd("replay", save(here, messages=messages), *words)
    line = "asked.json: the messages were changed after they were saved\n"
    assert (ran.status, ran.err) == (4, line)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "this is no receipt of askmd: it is not whole, or not JSON"),
        (b"\xff\xfe\x00", "is no text in UTF-8"),
        (b'{"askmd": "1", "kind": "receipt", "format": 1}', "damaged: created is missing"),
        (b'{"askmd": "9.9", "kind": "receipt", "format": 2}', "saved by a newer askmd (9.9)"),
        (None, "cannot be read: No such file or directory"),
    ],
    ids=["empty", "bytes", "damaged", "newer", "none"],
)
def test_a_file_that_is_no_receipt_is_one_line(
    askmd: Askmd, here: Path, text: bytes | None, said: str
):
    if text is not None:
        (here / "x.json").write_bytes(text)
    ran = askmd("replay", "x.json")
    assert (ran.status, ran.out, ran.err.count("\n"), said in ran.err) == (1, "", 1, True)


def test_an_answer_that_no_llm_gave_cannot_be_replayed(askmd: Askmd, here: Path):
    ran = askmd("replay", save(here, messages=[], status="refused"), "--json")
    assert ran.status == 1
    assert json.loads(ran.err)["error"]["message"] == "asked.json: no LLM was asked for this answer"


def test_an_empty_prompt_is_no_prompt(askmd: Askmd, here: Path):
    (here / "prompt.txt").write_text(" \n", encoding="utf-8")
    ran = askmd("replay", save(here), "--prompt", "prompt.txt", "--show-prompt")
    assert (ran.status, "is empty" in ran.err) == (2, True)


def test_the_new_answer_has_a_receipt_of_its_own_which_can_be_replayed(askmd: Askmd, here: Path):
    prices = "[llm]\nprompt_price = 2.0\nanswer_price = 4.0\n"
    (here / "config.toml").write_text(HASH + prices, encoding="utf-8")
    ran, server = replay(askmd, here, lambda _: sse([GOOD]), "--receipt", "new.json")
    old, new = (read_receipt((here / one).read_text()) for one in ("asked.json", "new.json"))

    assert (ran.status, ran.err) == (0, "wrote new.json\n")
    assert (new.answer, new.model, new.server, new.usage, new.cost, new.messages) == (
        GOOD,
        "m",
        server.base_url,
        Usage(**USAGE),
        3.4e-05,
        MESSAGES,
    )
    assert (new.question, new.passages, new.created > old.created) == (
        "why 502?",
        old.passages,
        True,
    )
    assert askmd("replay", "new.json", "--show-prompt").status == 0


def test_a_receipt_that_is_there_already_is_kept_and_no_question_is_asked(askmd: Askmd, here: Path):
    ran, server = replay(askmd, here, lambda _: sse([GOOD]), "--receipt", "asked.json")
    elsewhere, _ = replay(askmd, here, lambda _: sse([GOOD]), "--receipt", "none/new.json")
    assert (ran.status, elsewhere.status, server.requests) == (2, 1, [])
    assert "asked.json is there already; name another file" in ran.err
    assert read_receipt((here / "asked.json").read_text()).model == "first-model"


def test_the_receipt_that_ask_saves_is_replayed_word_for_word(indexed: Askmd, here: Path):
    with ScriptedServer(lambda _: sse([GOOD])) as server:
        words = ("--base-url", server.base_url, "--model", "m")
        asked = indexed("ask", "why is the upstream refused?", *words, "--receipt", "r.json")
        again = indexed("replay", "r.json", *words)
    assert (asked.status, again.status, again.out) == (0, 0, asked.out)
    assert server.bodies[0]["messages"] == server.bodies[1]["messages"]


def test_under_another_prompt_the_passages_of_ask_are_still_told_to_be_data(
    indexed: Askmd, here: Path
):
    (here / "prompt.txt").write_text("Be brief.", encoding="utf-8")
    with ScriptedServer(lambda _: sse([GOOD])) as server:
        words = ("--base-url", server.base_url, "--model", "m")
        indexed("ask", "why is the upstream refused?", *words, "--receipt", "r.json")
        indexed("replay", "r.json", *words, "--prompt", "prompt.txt")
    asked, again = (body["messages"][0]["content"] for body in server.bodies)
    assert again == f"Be brief.\n\n{asked.rpartition(chr(10) * 2)[2]}"
    assert "is quoted\ndata" in again


# --- files ----------------------------------------------------------------------------------


def test_a_receipt_is_its_owner_s_alone_and_leaves_nothing_beside_it(tmp_path: Path):
    target = tmp_path / "r.json"
    write_receipt(target, "é \udc80")
    assert target.read_bytes() == "é ?".encode()
    assert [one.name for one in tmp_path.iterdir()] == ["r.json"]
    if os.name == "posix":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_nothing_is_ever_written_over(tmp_path: Path):
    target = tmp_path / "r.json"
    target.write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for one in ("r.json", "dangling", "."):
        with pytest.raises(UsageError, match="is there already"):
            write_receipt(tmp_path / one, "new")
    assert (target.read_text(), (tmp_path / "elsewhere").exists()) == ("mine", False)


def test_a_device_is_written_to(capsys: pytest.CaptureFixture[str]):
    if sys.platform == "win32":
        pytest.skip("there is no such device")
    write_receipt(Path("/dev/null"), "new")
    assert capsys.readouterr().err == "wrote /dev/null\n"


def test_a_folder_that_is_not_there_is_told_before_and_after(tmp_path: Path):
    for act in (check_receipt, lambda path: write_receipt(path, "")):
        with pytest.raises(FolderError, match="is no folder; make it first"):
            act(tmp_path / "none" / "r.json")
