"""What a server refuses is found out once, remembered, and found out anew when it is old."""

from __future__ import annotations

import json
import stat
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from askmd.errors import LLMError, PromptTooLong
from askmd.llm import OpenAILLM, Probe, Profile, ProfileFile, probe
from askmd.types import Message, Usage
from chat_scripts import event, sse, stream_of
from servers import Recorded, Reply, Script, ScriptedServer, error_reply, json_reply

ASKED = [Message("system", "Be brief."), Message("user", "Hello?")]
LONG = [Message("user", "Hello? " * 40_000)]
MERGED = [{"role": "user", "content": "Be brief.\n\nHello?"}]
DAY = 24 * 3600.0


def llm_at(server: ScriptedServer, file: Path | None = None, **options: Any) -> OpenAILLM:
    profiles = ProfileFile(file) if file else None
    settings: dict[str, Any] = {"answer_tokens": 50, "sleep": lambda _seconds: None}
    return OpenAILLM(
        "tiny",
        base_url=server.base_url,
        api_key="sk-canary",
        profiles=profiles,
        **(settings | options),
    )


def refusing(message: str, *, status: int = 400, when: str = "") -> Script:
    """Refuse a request that holds an option, or a message of the system where none is named."""

    def script(request: Recorded) -> Reply:
        body = request.body
        roles = {one["role"] for one in body["messages"]}
        is_refused = when in body if when else "system" in roles
        return error_reply(status, message) if is_refused else sse(["ok"])

    return script


def text_of(llm: OpenAILLM) -> str:
    return "".join(llm.stream(ASKED))


NO_SYSTEM = [
    (400, "System role not supported"),
    (400, "Only user and assistant roles are supported!"),
    (500, "Conversation roles must alternate user/assistant/user/assistant/..."),
    (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model."),
    (400, "Developer instruction is not enabled for models/gemma-3-27b-it"),
    (
        422,
        "[{'loc': ['body', 'messages', 0, 'role'], 'msg': 'Input should be', 'input': 'system'}]",
    ),
    (500, "this chat template does not support system messages"),
]


@pytest.mark.parametrize(("status", "message"), NO_SYSTEM)
def test_instructions_go_before_the_question_where_there_is_no_system_role(
    status: int, message: str
):
    with ScriptedServer(refusing(message, status=status)) as server:
        llm = llm_at(server)
        assert (text_of(llm), text_of(llm)) == ("ok", "ok")

    assert [body["messages"] for body in server.bodies[1:]] == [MERGED, MERGED]
    assert llm.profile == Profile(takes_system_role=False)


def test_a_failure_that_only_speaks_of_a_system_is_asked_again_as_it_was():
    with ScriptedServer(lambda _request: error_reply(500, "unexpected system error")) as server:
        llm = llm_at(server)
        with pytest.raises(LLMError, match=r"failed \(500\)"):
            text_of(llm)

    assert len(server.requests) == 3
    assert llm.profile == Profile()


def test_documents_that_come_back_in_an_error_are_not_what_the_server_says():
    echo = "our temperature, the maximum context length is 512 tokens, the role of a system"
    row = {"loc": ["body", "messages"], "msg": "no", "input": [{"content": echo}]}
    with ScriptedServer(lambda _request: json_reply({"detail": [row]}, status=422)) as server:
        llm = llm_at(server)
        with pytest.raises(LLMError) as caught:
            text_of(llm)

    assert type(caught.value) is LLMError
    assert (len(server.requests), llm.profile) == (1, Profile())


def test_the_newer_name_of_the_token_limit_gives_way_to_the_older_one(tmp_path: Path):
    file = tmp_path / "servers.json"
    with ScriptedServer(
        refusing("Unknown parameter: max_completion_tokens", when="max_completion_tokens")
    ) as server:
        ProfileFile(file).remember(
            server.base_url, "tiny", Profile(token_limit="max_completion_tokens")
        )
        assert text_of(llm_at(server, file)) == "ok"
        assert text_of(llm_at(server, file)) == "ok"

    assert [sorted({"max_tokens", "max_completion_tokens"} & set(b)) for b in server.bodies] == [
        ["max_completion_tokens"],
        ["max_tokens"],
        ["max_tokens"],
    ]


def test_a_limit_that_is_too_large_is_left_out_once_and_not_for_ever(tmp_path: Path):
    message = "max_tokens is too large: 50. This model supports at most 40 completion tokens"
    with ScriptedServer(refusing(message, when="max_tokens")) as server:
        llm = llm_at(server, tmp_path / "servers.json")
        assert text_of(llm) == "ok"

    assert "max_tokens" not in server.bodies[1]
    assert llm.profile == Profile()
    assert not (tmp_path / "servers.json").exists()


def test_what_is_learned_is_remembered_and_asked_for_once(tmp_path: Path):
    file = tmp_path / "state" / "servers.json"
    with ScriptedServer(refusing("temperature is not supported", when="temperature")) as server:
        assert [text_of(llm_at(server, file)) for _ in range(3)] == ["ok"] * 3

    assert ["temperature" in body for body in server.bodies] == [True, False, False, False]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {one.name for one in file.parent.iterdir()} - {"servers.json.lock"} == {"servers.json"}


def test_what_no_request_confirmed_is_not_remembered(tmp_path: Path):
    file = tmp_path / "servers.json"
    reply = error_reply(400, "I dislike your temperature, and you")
    with ScriptedServer(lambda _request: reply) as server, pytest.raises(LLMError):
        text_of(llm_at(server, file))

    assert len(server.requests) == 2
    assert not file.exists()


def test_nothing_secret_stands_in_the_file(tmp_path: Path):
    file = tmp_path / "servers.json"
    with ScriptedServer(refusing("temperature?", when="temperature")) as server:
        address = server.base_url.replace("//", "//me:sk-canary@") + "?code=sk-canary"
        llm = OpenAILLM("m", base_url=address, api_key="sk-canary", profiles=ProfileFile(file))
        assert text_of(llm) == "ok"

    kept = file.read_text(encoding="utf-8")
    assert "canary" not in kept
    assert list(json.loads(kept)["servers"]) == [f"{server.base_url} m"]
    assert {request.path for request in server.requests} == {"/v1/chat/completions?code=sk-canary"}


@pytest.mark.parametrize(("days", "is_known"), [(29.0, True), (31.0, False), (-1.0, False)])
def test_what_was_learned_counts_for_thirty_days(tmp_path: Path, days: float, is_known: bool):
    learned = Profile(takes_temperature=False, window=4096)
    ProfileFile(tmp_path / "f.json", now=lambda: 1e9).remember("http://a/v1", "m", learned)

    later = ProfileFile(tmp_path / "f.json", now=lambda: 1e9 + days * DAY)

    kept = replace(learned, window=None)
    assert later.recall("http://a/v1/", "m") == (kept if is_known else None)
    assert later.recall("http://a/v1", "other") is None


BROKEN = [
    b"",
    b"\xff\xfe{",
    b"[]",
    b"7",
    b'{"version": 1}',
    b'{"version": 2, "servers": {"http://a m": {"learned": 1}}}',
    b'{"version": 1, "servers": {"http://a m": 5}}',
    b'{"version": 1, "servers": {"http://a m": {"learned": "x"}}}',
    b'{"version": 1, "servers": {"http://a m": {"learned": 1000000000}}}',
    b"[" * 100_000,
]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_file_means_that_nothing_is_known(tmp_path: Path, content: bytes):
    file = tmp_path / "servers.json"
    file.write_bytes(content)
    profiles = ProfileFile(file, now=lambda: 1e9)

    assert profiles.recall("http://a", "m") is None
    profiles.remember("http://a", "m", Profile(window=2048))
    assert profiles.recall("http://a", "m") == Profile(window=2048)


def test_a_file_that_cannot_be_written_costs_nothing_but_memory(tmp_path: Path):
    (tmp_path / "taken").write_text("a file, not a folder")
    profiles = ProfileFile(tmp_path / "taken" / "servers.json")

    profiles.remember("http://a", "m", Profile(window=2048))

    assert profiles.recall("http://a", "m") is None


def test_only_so_many_servers_are_remembered(tmp_path: Path):
    profiles = ProfileFile(tmp_path / "servers.json")
    for number in range(205):
        profiles.remember(f"http://{number}", "m", Profile(window=2048))

    known = [profiles.recall(f"http://{number}", "m") is not None for number in (0, 4, 5, 204)]
    assert known == [False, False, True, True]


LENGTHS: list[tuple[int, Any, int | None]] = [
    (
        400,
        {
            "message": "This model's maximum context length is 4,097 tokens. However, your "
            "messages resulted in 9000 tokens.",
            "code": "context_length_exceeded",
        },
        4097,
    ),
    (400, {"message": "too long", "code": "context_length_exceeded"}, None),
    (
        400,
        {
            "message": "the request exceeds the available context size, try increasing it",
            "type": "exceed_context_size_error",
            "n_ctx": 2048,
        },
        2048,
    ),
    (400, {"message": "request (9 tokens) exceeds the available context size (512 tokens)"}, 512),
    (500, {"message": "Requested tokens (3000) exceed context window of 2048"}, 2048),
    (400, {"message": "prompt is too long: 203456 tokens > 200000 maximum"}, 200000),
    (
        400,
        {"message": "Prompt contains 40000 tokens, too large for model with 32768 maximum context"},
        32768,
    ),
    (
        400,
        {"message": "The input token count exceeds the maximum number of tokens allowed (900)."},
        900,
    ),
    (422, {"message": "`inputs` must have less than 1024 tokens. Given: 2000"}, 1024),
    (400, {"message": "input is longer than the model's context length (4096 tokens)"}, 4096),
    (400, {"message": "the model is loaded with context length of only 4096 tokens"}, 4096),
    (400, {"message": "input length exceeds the context length"}, None),
    (413, {"message": "Request Entity Too Large"}, None),
    (400, {"message": "context length is 3 tokens"}, None),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "window"), LENGTHS)
def test_messages_that_are_too_long_are_told_with_the_window(
    tmp_path: Path, status: int, error: Any, window: int | None
):
    reply = json_reply({"error": error}, status=status)
    with ScriptedServer(lambda _request: reply) as server:
        llm = llm_at(server, tmp_path / "servers.json")
        with pytest.raises(PromptTooLong) as caught:
            llm.stream(LONG)

        assert caught.value.window == window
        assert (llm.window, llm_at(server, tmp_path / "servers.json").window) == (window, window)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        stream_of(event({"error": {"message": "maximum context length is 4096 tokens"}})),
        stream_of(event({"object": "error", "message": "maximum context length is 4096 tokens"})),
        json_reply({"error": "maximum context length is 4096 tokens"}),
        json_reply({"object": "error", "message": "maximum context length is 4096 tokens"}),
    ],
    ids=["error event", "vLLM's event", "JSON", "vLLM's JSON"],
)
def test_a_window_is_understood_in_an_error_inside_a_200(reply: Reply):
    with ScriptedServer(lambda _request: reply) as server, pytest.raises(PromptTooLong) as caught:
        llm_at(server).stream(LONG)

    assert caught.value.window == 4096


def test_the_configured_window_counts_before_the_remembered_one(tmp_path: Path):
    file = tmp_path / "servers.json"
    with ScriptedServer(lambda _request: sse(["ok"])) as server:
        ProfileFile(file).remember(server.base_url, "tiny", Profile(window=2048))

        assert llm_at(server, file, window=1024).window == 1024
        assert llm_at(server, file).window == 2048
        assert llm_at(server).window is None


def listing(*models: Any, then: Reply | None = None) -> Script:
    def script(request: Recorded) -> Reply:
        is_list = request.path == "/v1/models"
        return json_reply({"data": list(models)}) if is_list else then or sse(["ok"])

    return script


WINDOWS = [
    {"max_model_len": 4096},
    {"context_length": 4096},
    {"max_context_length": 9999, "loaded_context_length": 4096},
    {"context_window": 4096},
    {"meta": {"n_ctx_train": 4096}},
    {"meta": {"n_ctx_train": 9999, "n_ctx": 4096}, "max_model_len": None},
]


@pytest.mark.parametrize("told", WINDOWS)
def test_the_window_is_known_from_the_list_of_models_where_that_is_asked_for(told: dict[str, Any]):
    with ScriptedServer(listing({"id": "embedder-embed"}, {"id": "chatty", **told})) as server:
        llm = OpenAILLM("", base_url=server.base_url, api_key=None)
        assert llm.window is None
        assert text_of(llm) == "ok"
        assert (llm.model, llm.window) == ("chatty", 4096)
        assert llm_at(server).window is None

    assert [request.path for request in server.requests].count("/v1/models") == 1


def test_the_models_of_a_server_can_be_listed_and_another_one_asked():
    with ScriptedServer(listing({"id": "a"}, {"id": "b"}, {"id": 5}, "c")) as server:
        llm = llm_at(server, window=1024)
        assert llm.models() == ["a", "b"]
        other = llm.with_model("b")
        assert text_of(other) == "ok"

    assert (other.model, other.window, llm.model, llm.window) == ("b", None, "tiny", 1024)
    asked = server.requests[-1]
    assert (asked.body["model"], asked.body["max_tokens"]) == ("b", 50)
    assert asked.headers["authorization"] == "Bearer sk-canary"


@pytest.mark.parametrize("reply", [json_reply({"data": []}), error_reply(500, "no hub")])
def test_a_server_that_lists_nothing_is_one_line(reply: Reply):
    with (
        ScriptedServer(lambda _request: reply) as server,
        pytest.raises(LLMError, match="name one with --model"),
    ):
        llm_at(server).models()


def test_a_probe_finds_out_everything_at_once_and_forgets_what_was(tmp_path: Path):
    def picky(request: Recorded) -> Reply:
        body = request.body
        if request.path == "/v1/models":
            return json_reply({"data": [{"id": "tiny", "max_model_len": 4096}]})
        for option in ("temperature", "stream_options", "max_tokens"):
            if option in body:
                return error_reply(400, f"Unsupported parameter: {option}")
        roles = {one["role"] for one in body["messages"]}
        return error_reply(400, "System role not supported") if "system" in roles else sse(["ok"])

    expected = Profile(False, False, False, "max_completion_tokens", 4096)
    with ScriptedServer(picky) as server:
        file = tmp_path / "servers.json"
        ProfileFile(file).remember(server.base_url, "tiny", Profile(window=512, token_limit=""))
        found = probe(llm_at(server, file))
        assert text_of(llm_at(server, file)) == "ok"

    told = Probe("tiny", expected, ("tiny",), Usage(11, 3, 14), 0.0, None, None)
    assert replace(found, first_seconds=0.0) == told
    assert found.first_seconds is not None
    assert ProfileFile(file).recall(server.base_url, "tiny") == expected
    assert len(server.requests) == 1 + 5 + 1


def test_a_probe_of_a_server_that_fails_says_why_and_remembers_nothing(tmp_path: Path):
    with ScriptedServer(lambda _request: error_reply(401, "who?")) as server:
        found = probe(llm_at(server, tmp_path / "servers.json"))

    assert (found.first_seconds, found.usage, found.models) == (None, None, ())
    assert "refused the key (401)" in str(found.fault)
    assert list(tmp_path.iterdir()) == []


ODD = [
    (400, "invalid request near 'the context length is 512 tokens'"),
    (500, "could not AssumeRole in the system account"),
    (500, "failed: {'model': 'm', 'messages': [{'role': 'system', 'content': 'not supported'}]}"),
    (
        400,
        "Bad Request: {'temperature': 0, 'stream_options': {'include_usage': True}, "
        "'messages': [{'role': 'system', 'content': 'x'}]}",
    ),
]


@pytest.mark.parametrize(("status", "message"), ODD)
def test_an_odd_failure_teaches_nothing(tmp_path: Path, status: int, message: str):
    with ScriptedServer(lambda _request: error_reply(status, message)) as server:
        llm = llm_at(server, tmp_path / "servers.json", attempts=1)
        with pytest.raises(LLMError) as caught:
            text_of(llm)

    assert (type(caught.value), llm.profile, len(server.requests)) == (LLMError, Profile(), 1)
    assert list(tmp_path.iterdir()) == []


def test_a_window_that_what_was_sent_would_fit_into_is_not_learned(tmp_path: Path):
    reply = error_reply(400, "the context length is 100000 tokens")
    with ScriptedServer(lambda _request: reply) as server:
        llm = llm_at(server, tmp_path / "servers.json")
        with pytest.raises(PromptTooLong) as caught:
            text_of(llm)

    assert (caught.value.window, llm.window) == (None, None)


def test_a_window_is_understood_from_the_server_behind_a_gateway():
    raw = json.dumps({"error": {"message": "maximum context length is 4096 tokens"}})
    error = {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw}}
    reply = json_reply({"error": error}, status=400)
    with ScriptedServer(lambda _request: reply) as server, pytest.raises(PromptTooLong) as caught:
        llm_at(server).stream(LONG)

    assert caught.value.window == 4096


@pytest.mark.parametrize(("hours", "window"), [(23, 4096), (25, None)])
def test_a_window_counts_for_a_day_whatever_else_is_learned(
    tmp_path: Path, hours: int, window: int | None
):
    learned = Profile(window=4096)
    ProfileFile(tmp_path / "f", now=lambda: 1e9).remember("http://a", "m", learned)
    later = ProfileFile(tmp_path / "f", now=lambda: 1e9 + 20 * 3600)
    later.remember("http://a", "m", replace(learned, takes_temperature=False))

    found = ProfileFile(tmp_path / "f", now=lambda: 1e9 + hours * 3600).recall("http://a", "m")

    assert found == Profile(takes_temperature=False, window=window)


def test_an_answer_of_more_tokens_than_the_window_forgets_it(tmp_path: Path):
    file = tmp_path / "servers.json"
    usage = {"prompt_tokens": 2000, "completion_tokens": 100, "total_tokens": 2100}
    with ScriptedServer(lambda _request: sse(["ok"], usage=usage)) as server:
        ProfileFile(file).remember(server.base_url, "tiny", Profile(window=2048))
        llm = llm_at(server, file)
        assert (llm.window, text_of(llm), llm.window) == (2048, "ok", None)
        assert llm_at(server, file).window is None


def test_whoever_writes_at_once_loses_nothing_of_the_others(tmp_path: Path):
    file = tmp_path / "servers.json"

    def remember(number: int) -> None:
        ProfileFile(file).remember(f"http://{number}", "m", Profile(window=2048))

    writers = [threading.Thread(target=remember, args=(number,)) for number in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert len(json.loads(file.read_text(encoding="utf-8"))["servers"]) == 20


def test_a_file_that_is_locked_for_long_is_left_as_it_is(tmp_path: Path):
    from filelock import FileLock

    file = tmp_path / "servers.json"
    with FileLock(tmp_path / "servers.json.lock"):
        ProfileFile(file).remember("http://a", "m", Profile(window=2048))

    assert not file.exists()


def test_a_model_that_thinks_its_tokens_away_is_found_out_all_the_same(tmp_path: Path):
    def thinker(request: Recorded) -> Reply:
        if request.path == "/v1/models":
            return json_reply({"data": [{"id": "tiny:latest", "max_model_len": 4096}]})
        if "temperature" in request.body:
            return error_reply(400, "Unsupported parameter: temperature")
        return sse(["<think>hm"], finish="length")

    expected = Profile(takes_temperature=False, window=4096)
    with ScriptedServer(thinker) as server:
        file = tmp_path / "servers.json"
        found = probe(llm_at(server, file, answer_tokens=900))

    assert found == Probe("tiny", expected, ("tiny:latest",), None, None, None, None, 900)
    assert found.is_listed
    assert server.bodies[-1]["max_tokens"] == 900
    assert ProfileFile(file).recall(server.base_url, "tiny") == expected
