from __future__ import annotations

import gzip
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from askmd.errors import LLMError
from askmd.llm import OpenAICompletion, OpenAILLM
from askmd.types import Message, Usage
from chat_scripts import SSE, USAGE, chunk, event, events, sse, stream_of
from servers import Recorded, Reply, Script, ScriptedServer, error_reply, json_reply, sequence

KEY = "sk-secret-canary"
ASKED = [Message("system", "Be brief."), Message("user", "Hello?")]


@contextmanager
def asking(
    reply: Reply | Script, **options: Any
) -> Iterator[tuple[OpenAILLM, ScriptedServer, list[float]]]:
    """Run a scripted server and an LLM that asks it; pauses are noted instead of slept."""
    script = (lambda _request: reply) if isinstance(reply, Reply) else reply
    pauses: list[float] = []
    with ScriptedServer(script) as server:
        settings: dict[str, Any] = {
            "base_url": server.base_url,
            "api_key": KEY,
            "key_name": "MY_KEY",
            "sleep": pauses.append,
        }
        yield OpenAILLM("tiny", **(settings | options)), server, pauses


def outcome(completion: OpenAICompletion) -> tuple[str, Usage | None, str | None]:
    text = "".join(completion)
    return text, completion.usage, completion.cut_reason


def refusal(reply: Reply | Script, **options: Any) -> str:
    """Return the error's line for a server that gives no answer."""
    with asking(reply, **options) as (llm, _server, _pauses), pytest.raises(LLMError) as caught:
        llm.stream(ASKED)
    line = str(caught.value)
    assert KEY not in line
    assert "\n" not in line
    return line


def refusal_without_model(listed: Reply) -> str:
    with ScriptedServer(lambda _request: listed) as server:
        llm = OpenAILLM("", base_url=server.base_url, api_key=None, timeout_seconds=0.4)
        with pytest.raises(LLMError) as caught:
            llm.stream(ASKED)
    return str(caught.value)


def second(text: str, *, finish: str | None = None) -> dict[str, Any]:
    """Return a chunk of a second answer beside the first."""
    choice = {"index": 1, "delta": {"content": text}, "finish_reason": finish}
    return {"choices": [choice]}


def refusing(said: str) -> dict[str, Any]:
    delta = {"content": None, "refusal": said}
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def thinking(said: str, name: str = "reasoning_content") -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {name: said}, "finish_reason": None}]}


@contextmanager
def dripping_headers() -> Iterator[str]:
    """Run a server that sends one byte of its headers at a time, for five seconds."""

    def drip() -> None:
        connection, _address = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            for _ in range(100):
                connection.sendall(b"x")
                if stopping.wait(0.05):
                    return

    stopping = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=drip, daemon=True)
        server.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        stopping.set()
        server.join(5)


def test_an_answer_streams_with_its_usage():
    with asking(sse(["Hel", "lo", " [1]."])) as (llm, server, _pauses):
        completion = llm.stream(ASKED)
        pieces = list(completion)

    assert pieces == ["Hel", "lo", " [1]."]
    assert completion.usage == Usage(11, 3, 14)
    assert completion.cut_reason is None
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.bodies == [
        {
            "model": "tiny",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello?"},
            ],
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


def test_a_text_is_handed_out_before_the_next_one_is_sent():
    def slow(_request: Recorded) -> Reply:
        return stream_of(event(chunk("first")), 30.0, event(chunk("second", finish="stop")))

    with asking(slow) as (llm, _server, _pauses):
        completion = llm.stream(ASKED)
        started = time.monotonic()
        assert next(iter(completion)) == "first"
        completion.close()
    assert time.monotonic() - started < 5


def test_closing_a_completion_aborts_the_request():
    def endless(_request: Recorded) -> Reply:
        def body() -> Iterator[bytes | float]:
            while True:
                yield event(chunk("on and on "))
                yield 0.01

        return Reply(headers=SSE, body=body())

    with asking(endless) as (llm, server, _pauses):
        completion = llm.stream(ASKED)
        texts = iter(completion)
        next(texts)
        completion.close()
        assert server.aborted.wait(5)
        assert completion.cut_reason is not None


def test_a_character_split_over_two_packets_arrives_whole():
    whole = b"".join(events(["Größe: 検索 🙂"]))
    pieces = [whole[i : i + 1] for i in range(len(whole))]

    with asking(stream_of(*pieces)) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED)) == ("Größe: 検索 🙂", Usage(11, 3, 14), None)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        pytest.param(sse(["a"], usage=None), ("a", None, None), id="usage is never sent"),
        pytest.param(sse(["a"], done=False), ("a", Usage(11, 3, 14), None), id="no [DONE]"),
        pytest.param(
            sse(["a"], usage=None, done=False), ("a", None, None), id="neither usage nor [DONE]"
        ),
        pytest.param(
            sse(["a"], usage={"prompt_tokens": 5}), ("a", Usage(5), None), id="half of the usage"
        ),
        pytest.param(
            stream_of(
                b": comment\n\n",
                event({"choices": [], "prompt_filter_results": []}),
                event(chunk(None)),
                event(chunk("")),
                *events(["a"]),
            ),
            ("a", Usage(11, 3, 14), None),
            id="comments, empty choices and empty deltas",
        ),
        pytest.param(
            stream_of(*events(["a"], usage=None, done=False), cut=True),
            ("a", None, None),
            id="cut after the finish reason",
        ),
        pytest.param(
            json_reply(
                {
                    "choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}],
                    "usage": USAGE,
                }
            ),
            ("whole", Usage(11, 3, 14), None),
            id="one JSON body though a stream was asked for",
        ),
        pytest.param(
            stream_of(
                *[
                    event(second(text)) if text else event(chunk("a"))
                    for text in ["", "b", "", "c"]
                ],
                event(second("d", finish="length")),
                *events([]),
            ),
            ("aa", Usage(11, 3, 14), None),
            id="two answers at once",
        ),
        pytest.param(
            sse(["a"], usage={"prompt_tokens": "11", "completion_tokens": 3.0, "total_tokens": -1}),
            ("a", Usage(11, 3, None), None),
            id="counts as text, as a fraction, below nothing",
        ),
        pytest.param(
            sse(["a"], usage={"prompt_tokens": 1e300, "completion_tokens": True}),
            ("a", None, None),
            id="counts that are none",
        ),
        pytest.param(
            stream_of(b"\xef", b"\xbb\xbf" + b"".join(events(["a", "b"]))),
            ("ab", Usage(11, 3, 14), None),
            id="a byte order mark",
        ),
        pytest.param(
            stream_of(
                *[event(json.dumps(chunk(half))) for half in ("x\ud83d", "\ude42y\ud83d", "z")],
                *events([]),
            ),
            ("x\U0001f642y\ufffdz", Usage(11, 3, 14), None),
            id="halves of a character",
        ),
        pytest.param(
            stream_of(event(json.dumps(chunk("x\ud83d"))), *events([])),
            ("x\ufffd", Usage(11, 3, 14), None),
            id="half a character at the end",
        ),
        pytest.param(
            stream_of(event(chunk("a", finish="null")), *events(["b"])),
            ("ab", Usage(11, 3, 14), None),
            id="no reason, as text",
        ),
        pytest.param(
            stream_of(*events(["a"], usage=None, done=False), event(chunk(None, finish="stop"))),
            ("a", None, None),
            id="finished twice",
        ),
    ],
)
def test_servers_that_differ_in_how_they_stream_are_understood(
    reply: Reply, expected: tuple[str, Usage | None, str | None]
):
    with asking(reply) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED)) == expected


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(sse(["a"], finish="length"), "token limit", id="length"),
        pytest.param(sse(["a"], finish="content_filter"), "content filter", id="filter"),
        pytest.param(sse(["a"], finish="tool_calls"), "with 'tool_calls'", id="tool calls"),
        pytest.param(sse(["a"], finish="function_call"), "'function_call'", id="function call"),
        pytest.param(sse(["a"], finish=f"{KEY}!"), "with '***!'", id="unknown"),
        pytest.param(sse(["a"], finish="MAX_TOKENS"), "token limit", id="Gemini's length"),
        pytest.param(sse(["a"], finish=None), "without saying", id="no finish reason"),
        pytest.param(
            sse(["a"], finish=None, usage=None, done=False, cut=True), "broke off", id="cut"
        ),
        pytest.param(
            stream_of(event(chunk("a")), event("{broken"), event("[DONE]")),
            "unreadable",
            id="invalid JSON",
        ),
        pytest.param(
            stream_of(event(chunk("a")), b"data: \xff\xfe\n\n"), "unreadable", id="bad UTF-8"
        ),
        pytest.param(
            stream_of(event(chunk("a")), event({"error": {"message": "out of memory"}})),
            "out of memory",
            id="error event",
        ),
        pytest.param(stream_of(event(chunk("a")), 3.0), "silent for 0.3 seconds", id="hang"),
        pytest.param(
            stream_of(event(chunk("a")), event({"object": "error", "message": "no memory"})),
            "no memory",
            id="vLLM's error event",
        ),
        pytest.param(
            stream_of(event(chunk("a")), event("[" * 100_000)), "unreadable", id="brackets"
        ),
        pytest.param(
            stream_of(event(chunk("a")), event(refusing("I cannot.")), *events([])),
            "the model refused to go on: 'I cannot.'",
            id="refusal",
        ),
    ],
)
def test_trouble_after_the_first_text_leaves_an_answer_that_says_it_is_cut(
    reply: Reply, reason: str
):
    with asking(reply, timeout_seconds=0.3) as (llm, server, pauses):
        text, _usage, cut_reason = outcome(llm.stream(ASKED))

    assert text == "a"
    assert reason in str(cut_reason)
    assert len(server.requests) == 1
    assert pauses == []


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        pytest.param(
            error_reply(401, f"bad key {KEY}"), "refused the key in MY_KEY (401)", id="401"
        ),
        pytest.param(error_reply(403, "no"), "refused the key in MY_KEY (403)", id="403"),
        pytest.param(error_reply(404, "no model"), "knows no model 'tiny'", id="404"),
        pytest.param(error_reply(400, f"too long {KEY}"), "(400): too long ***;", id="400"),
        pytest.param(
            Reply(200, {"Content-Type": "text/html"}, b"<html>Welcome</html>"),
            "it sent a web page",
            id="HTML",
        ),
        pytest.param(Reply(200, {}, b"{nonsense"), "something unreadable", id="invalid JSON"),
        pytest.param(Reply(200, {}, b"[]"), "JSON that is no completion", id="a list"),
        pytest.param(json_reply({"error": {"message": "boom"}}), "it says 'boom'", id="JSON error"),
        pytest.param(
            stream_of(event({"error": {"message": "overloaded"}})),
            "broke off: overloaded",
            id="error event",
        ),
        pytest.param(stream_of(event("{broken")), "something unreadable", id="broken event"),
        pytest.param(stream_of(event({"error": "boom"})), "broke off: boom", id="error text"),
        pytest.param(
            stream_of(b'event: error\ndata: {"message": "boom"}\n\n'),
            "it says 'boom'",
            id="an event of the kind error",
        ),
        pytest.param(
            stream_of(*[event(thinking("x" * 1_000_000))] * 6), "no end", id="endless thoughts"
        ),
        pytest.param(Reply(body=b"[" * 100_000), "something unreadable", id="brackets"),
        pytest.param(json_reply({"choices": 5, "_fields_set": 1}), "no text", id="odd keys"),
        pytest.param(
            stream_of(event(refusing("I can")), event(refusing("not.")), *events([])),
            "the model refused: 'I cannot.'",
            id="refusal",
        ),
        pytest.param(
            error_reply(400, "x" * 195 + KEY), f"{'x' * 195}***", id="a key where a text is cut"
        ),
        pytest.param(
            stream_of(event(thinking("hm")), cut=True), "broke off", id="cut in its thoughts"
        ),
        pytest.param(
            stream_of(event(chunk("")), event({"error": {"message": "overloaded"}})),
            "broke off: overloaded",
            id="error event after an empty delta",
        ),
        pytest.param(stream_of(event("[DONE]")), "it sent no text", id="no text"),
        pytest.param(sse([]), "it sent no text", id="finished without text"),
        pytest.param(sse([" ", "\n\t"]), "it sent no text", id="white space alone"),
        pytest.param(sse([], finish="length"), "before the first word", id="all spent"),
        pytest.param(sse([], finish="tool_calls"), "stopped with 'tool_calls'", id="tool calls"),
        pytest.param(
            Reply(200, {"Content-Encoding": "gzip"}, gzip.compress(b"{}")),
            "something unreadable",
            id="packed though it was not to be",
        ),
        pytest.param(
            stream_of(*[b"data: " + b"x" * 1_000_000] * 10), "has no end", id="an endless line"
        ),
        pytest.param(Reply(400, {}, b"x" * 9_000_000), "has no end", id="an error without an end"),
    ],
)
def test_no_answer_is_one_line_without_the_key_and_is_asked_for_once(reply: Reply, line: str):
    with asking(reply) as (llm, server, pauses), pytest.raises(LLMError) as caught:
        llm.stream(ASKED)

    assert line in str(caught.value)
    assert KEY not in f"{caught.value}{caught.value.next_step}"
    assert "\n" not in str(caught.value)
    assert len(server.requests) == 1
    assert pauses == []


def test_a_missing_key_names_the_variable_to_set():
    line = refusal(error_reply(401, "who are you?"), api_key=None)

    assert "wants a key (401), and none is set; set the environment variable MY_KEY" in line


def test_without_a_key_nothing_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, KEY)
    foreign = ["X-Secret", "Cookie", "OpenAI-Organization", "User-Agent", "authorization", "Host"]
    lines = "\n".join(f"{name}: Bearer {KEY}" for name in foreign)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", lines)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    with asking(sse(["a"]), api_key=None) as (llm, server, _pauses):
        assert outcome(llm.stream(ASKED))[0] == "a"

    headers = dict(server.requests[0].headers)
    assert int(headers.pop("content-length")) > 0
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "askmd",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": "Bearer none",
        "content-type": "application/json",
    }


def test_a_name_and_password_in_the_address_stand_for_the_key():
    with ScriptedServer(lambda _request: sse(["a"])) as server:
        address = server.base_url.replace("//", "//me:pass@")
        assert outcome(OpenAILLM("tiny", base_url=address, api_key=None).stream(ASKED))[0] == "a"

    assert server.requests[0].headers["authorization"] == "Basic bWU6cGFzcw=="


def test_a_lone_surrogate_is_sent_as_a_question_mark():
    with asking(sse(["a"])) as (llm, server, _pauses):
        assert outcome(llm.stream([Message("user", "a\ud800b")]))[0] == "a"

    assert server.bodies[0]["messages"] == [{"role": "user", "content": "a?b"}]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "[::1]"])
def test_this_machine_is_never_asked_through_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch):
    with ScriptedServer(lambda _: sse(["a"])) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base_url.removesuffix("/v1"))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        # Nobody listens at port 9.
        llm = OpenAILLM("m", base_url=f"http://{host}:9/v1", api_key=KEY, attempts=1)
        with pytest.raises(LLMError, match="could be reached"):
            llm.stream(ASKED)
        assert proxy.requests == []


def test_a_key_that_no_header_may_carry_is_refused_before_anything_is_sent():
    with asking(sse(["a"]), api_key="schlüssel\nx") as (llm, server, _pauses):
        with pytest.raises(LLMError, match="the key in MY_KEY is no key"):
            llm.stream(ASKED)
        assert server.requests == []


def test_a_newline_after_the_key_is_not_part_of_it():
    with asking(sse(["a"]), api_key=f"{KEY}\n") as (llm, server, _pauses):
        llm.stream(ASKED).close()

    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_an_address_without_v1_is_hinted_at_when_nothing_is_there():
    with ScriptedServer(lambda _request: error_reply(404, "not found")) as server:
        address = server.base_url.removesuffix("/v1")
        with pytest.raises(LLMError) as caught:
            OpenAILLM("tiny", base_url=address, api_key=None).stream(ASKED)

    assert caught.value.next_step == f"try llm.base_url = {address}/v1"


def test_a_refused_connection_names_the_address_but_not_its_password():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        llm = OpenAILLM(
            "tiny",
            base_url=f"http://me:{KEY}@127.0.0.1:{port}/v1",
            api_key=None,
            sleep=lambda _seconds: None,
        )
        with pytest.raises(LLMError) as caught:
            llm.stream(ASKED)

    assert str(caught.value).startswith(f"no LLM could be reached at http://127.0.0.1:{port}/v1: ")
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("address", ["http://[broken", "nonsense", "ftp://127.0.0.1/v1"])
def test_an_address_that_is_none_is_one_line(address: str):
    llm = OpenAILLM("tiny", base_url=address, api_key=None, attempts=1)

    with pytest.raises(LLMError) as caught:
        llm.stream(ASKED)

    assert address in str(caught.value)


def test_a_rate_limit_is_waited_out_as_long_as_the_server_says():
    replies = sequence(error_reply(429, "slow down", headers={"Retry-After": "7"}), sse(["ok"]))

    with asking(replies) as (llm, server, pauses):
        assert outcome(llm.stream(ASKED))[0] == "ok"

    assert pauses == [7.0]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("60", 60, 60),
        ("0", 0, 0),
        ("-5", 0.5, 1),
        ("nan", 0.5, 1),
        ("soon", 0.5, 1),
        ("in half a minute", 15, 30),
    ],
)
def test_whatever_retry_after_says_the_pause_is_sane(value: str, least: float, most: float):
    if value == "in half a minute":
        value = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    replies = sequence(error_reply(429, "no", headers={"Retry-After": value}), sse(["ok"]))

    with asking(replies) as (llm, _server, pauses):
        outcome(llm.stream(ASKED))

    assert len(pauses) == 1
    assert least <= pauses[0] <= most


@pytest.mark.parametrize(
    "passing", [error_reply(500, "oops"), error_reply(503, ""), Reply(drop=True)]
)
def test_what_passes_is_asked_again_with_growing_pauses(passing: Reply):
    with asking(sequence(passing, passing, sse(["ok"]))) as (llm, _server, pauses):
        assert outcome(llm.stream(ASKED))[0] == "ok"

    assert len(pauses) == 2
    assert 0.5 <= pauses[0] < pauses[1] <= 1.25


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        (error_reply(500, "oops"), "failed (500): oops; try again later"),
        (error_reply(429, "slow down"), "takes no more requests for now (429): slow down"),
        (Reply(502, {"Content-Type": "text/html"}, b"<html>bad\n gateway</html>"), "failed (502);"),
        (Reply(drop=True), "no LLM could be reached at"),
        (sse([], finish=None, usage=None, done=False, cut=True), "broke off: peer closed"),
        (Reply(500, body=b"x" * 1000, cut=True), "broke"),
    ],
)
def test_what_does_not_pass_is_told_after_the_last_attempt(reply: Reply, line: str):
    assert line in refusal(reply)


def test_a_spent_quota_is_not_asked_again():
    reply = error_reply(429, "you exceeded your quota", code="insufficient_quota")

    with asking(reply) as (llm, server, pauses), pytest.raises(LLMError, match="exceeded"):
        llm.stream(ASKED)

    assert (len(server.requests), pauses) == (1, [])


def test_a_server_that_hangs_is_given_up_after_its_timeout_and_not_asked_again():
    started = time.monotonic()
    with asking(Reply(delay_seconds=30), timeout_seconds=0.3) as (llm, server, _pauses):
        with pytest.raises(LLMError, match=r"was silent for 0\.3 seconds"):
            llm.stream(ASKED)
        assert len(server.requests) == 1

    assert time.monotonic() - started < 5


SILENT = {
    "comments": b": still here\n\n",
    "comments without an end": b": still here\n",
    "single bytes": b"x",
    "empty deltas": event(chunk("")),
    "empty choices": event({"choices": []}),
}


@pytest.mark.parametrize("noise", SILENT)
@pytest.mark.parametrize("said", [[], [event(chunk("a"))]], ids=["at first", "after a text"])
def test_a_server_that_never_says_a_word_is_given_up_after_its_timeout(
    noise: str, said: list[bytes]
):
    reply = stream_of(*said, *[SILENT[noise], 0.05] * 200)
    started = time.monotonic()

    with asking(reply, timeout_seconds=0.4) as (llm, server, pauses):
        try:
            told = str(outcome(llm.stream(ASKED)))
        except LLMError as error:
            told = str(error)

    assert "was silent for 0.4 seconds" in told
    assert ("'a'" in told) is bool(said)
    assert (len(server.requests), pauses) == (1, [])
    assert time.monotonic() - started < 4


def test_headers_that_never_end_are_given_up_after_the_timeout():
    started = time.monotonic()
    with dripping_headers() as address:
        llm = OpenAILLM("tiny", base_url=address, api_key=None, timeout_seconds=0.4)
        with pytest.raises(LLMError, match=r"was silent for 0\.4 seconds"):
            llm.stream(ASKED)
    assert time.monotonic() - started < 4


def test_an_answer_that_takes_longer_than_the_timeout_is_whole_if_it_keeps_talking():
    pieces = [part for text in "abcdefgh" for part in (event(chunk(text)), 0.1)]

    with asking(stream_of(*pieces, *events([])), timeout_seconds=0.4) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED)) == ("abcdefgh", Usage(11, 3, 14), None)


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_a_server_that_thinks_aloud_is_not_silent(name: str):
    pieces = [event(thinking("hm", name)), 0.1] * 8

    with asking(stream_of(*pieces, *events(["a"])), timeout_seconds=0.4) as (llm, _server, _p):
        assert outcome(llm.stream(ASKED))[0] == "a"


def test_a_reader_who_takes_their_time_is_not_the_servers_silence():
    with asking(sse(["a", "b"]), timeout_seconds=0.2) as (llm, _server, _pauses):
        completion = llm.stream(ASKED)
        texts = iter(completion)
        first = next(texts)
        time.sleep(0.5)
        assert (first, *texts) == ("a", "b")
        assert completion.cut_reason is None


@pytest.mark.parametrize(
    "finish", ["stop", "STOP", "eos", "eos_token", "stop_sequence", "end_turn", "COMPLETE"]
)
def test_a_servers_own_word_for_finished_is_understood(finish: str):
    with asking(sse(["a"], finish=finish)) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED)) == ("a", Usage(11, 3, 14), None)


@pytest.mark.parametrize(
    ("listed", "reason"),
    [
        (Reply(body=b"[" * 9_000_000), "has no end"),
        (Reply(body=[b" ", 0.05] * 100), "was silent for 0.4 seconds"),
    ],
    ids=["large", "slow"],
)
def test_a_list_of_models_is_bounded_in_size_and_time(listed: Reply, reason: str):
    started = time.monotonic()

    assert reason in refusal_without_model(listed)
    assert time.monotonic() - started < 4


def test_a_redirect_is_not_followed_and_carries_the_key_nowhere():
    with ScriptedServer(lambda _request: sse(["stolen"])) as thief:
        away = Reply(307, {"Location": f"{thief.base_url}/chat/completions"})
        line = refusal(away)

    assert "redirects elsewhere, which is not followed" in line
    assert thief.requests == []


@pytest.mark.parametrize(
    ("message", "lost", "gained"),
    [
        ("Unrecognized argument: stream_options", "stream_options", {}),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            "max_tokens",
            {"max_completion_tokens": 50},
        ),
        ("Unsupported value: 'temperature' does not support 0", "temperature", {}),
    ],
)
def test_an_option_the_server_refuses_by_name_is_left_out(
    message: str, lost: str, gained: dict[str, int]
):
    def picky(request: Recorded) -> Reply:
        return error_reply(400, message) if lost in request.body else sse(["ok"])

    with asking(picky, answer_tokens=50) as (llm, server, pauses):
        assert outcome(llm.stream(ASKED))[0] == "ok"

    first, second = server.bodies
    assert second == {key: value for key, value in first.items() if key != lost} | gained
    assert pauses == []


def test_a_server_that_refuses_every_option_is_asked_no_more_than_five_times():
    reply = error_reply(400, "stream_options, max_tokens, temperature: I like nothing")

    with asking(reply, answer_tokens=50) as (llm, server, _pauses), pytest.raises(LLMError):
        llm.stream(ASKED)

    assert len(server.requests) == 4


def test_without_a_model_the_first_one_the_server_lists_is_asked():
    def script(request: Recorded) -> Reply:
        if request.path == "/v1/models":
            return json_reply({"object": "list", "data": [{"id": "llama"}, {"id": "other"}]})
        return sse([request.body["model"]])

    with ScriptedServer(script) as server:
        llm = OpenAILLM("", base_url=server.base_url, api_key=None)
        assert outcome(llm.stream(ASKED))[0] == "llama"
        assert llm.model == "llama"


@pytest.mark.parametrize(
    "listed",
    [
        json_reply({"object": "list", "data": []}),
        json_reply({"data": [{"id": 7}]}),
        json_reply([]),
        json_reply("no"),
        error_reply(500, "no hub"),
        error_reply(404, "no such path"),
    ],
)
def test_a_server_that_lists_no_model_asks_for_one(listed: Reply):
    with (
        ScriptedServer(lambda _request: listed) as server,
        pytest.raises(LLMError, match="name one with --model"),
    ):
        OpenAILLM("", base_url=server.base_url, api_key=None).stream(ASKED)


def test_an_answer_without_an_end_is_cut():
    piece = "x" * 100_000

    with asking(sse([piece] * 12, usage=None)) as (llm, _server, _pauses):
        text, _usage, cut_reason = outcome(llm.stream(ASKED))

    assert 1_000_000 < len(text) <= 1_100_000
    assert cut_reason is not None


def test_two_completions_of_one_llm_do_not_end_each_other():
    with asking(sse(["a", "b"])) as (llm, _server, _pauses):
        one, other = llm.stream(ASKED), llm.stream(ASKED)
        one.close()
        assert outcome(other) == ("ab", Usage(11, 3, 14), None)


def test_a_server_that_never_ends_its_stream_is_not_waited_for_once_it_has_finished():
    pieces = [event(chunk("whole")), event(chunk(None, finish="stop")), 60.0]
    with asking(stream_of(*pieces), timeout_seconds=0.5) as (llm, _server, _pauses):
        started = time.monotonic()
        assert outcome(llm.stream(ASKED))[:2] == ("whole", None)
        assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    "deltas",
    [
        ["<think>hmm [2]</think>\n\nok [1]"],
        ["<th", "ink>hmm", " [2]</thi", "nk>", "\n", "\nok", " [1]"],
        [*"\n<think></think>ok [1]"],
    ],
)
def test_reasoning_before_the_answer_is_no_part_of_it(deltas: list[str]):
    with asking(sse(deltas)) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED))[0] == "ok [1]"


@pytest.mark.parametrize("text", ["<thin", "<thing> is a tag", "a <think> later", "  indented"])
def test_what_only_looks_like_reasoning_stays(text: str):
    with asking(sse(list(text))) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED))[0] == text


def test_the_parts_of_a_message_are_its_text():
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    whole = chunk(None, finish="stop")
    whole["choices"][0]["delta"] = {"content": parts}
    with asking(stream_of(event(whole), event("[DONE]"))) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED))[0] == "one two"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_kind_of_redirect_carries_the_key_away(status: int):
    with ScriptedServer(lambda _request: sse(["stolen"])) as thief:
        line = refusal(Reply(status, {"Location": f"{thief.base_url}/chat/completions"}))

    assert "redirects elsewhere, which is not followed" in line
    assert thief.requests == []


def test_a_server_that_drips_for_ever_is_given_up_after_twenty_timeouts():
    pieces = [event(chunk("x")), 0.02] * 1000
    started = time.monotonic()

    with asking(stream_of(*pieces), timeout_seconds=0.2) as (llm, server, pauses):
        text, _usage, cut_reason = outcome(llm.stream(ASKED))

    assert set(text) == {"x"}
    assert "did not come to an end within 4 seconds" in str(cut_reason)
    assert (len(server.requests), pauses) == (1, [])
    assert time.monotonic() - started < 15


def test_a_long_pause_is_told_of(caplog: pytest.LogCaptureFixture):
    replies = sequence(error_reply(429, f"no {KEY}", headers={"Retry-After": "7"}), sse(["ok"]))

    with asking(replies) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED))[0] == "ok"

    [line] = [one.getMessage() for one in caplog.records if one.name.startswith("askmd")]
    assert line.endswith("takes no more requests for now (429): no ***; asking again in 7 seconds")


def test_all_pauses_together_are_bounded():
    reply = error_reply(503, "later", headers={"Retry-After": "50"})

    with asking(reply, attempts=9) as (llm, server, pauses), pytest.raises(LLMError):
        llm.stream(ASKED)

    assert (pauses, len(server.requests)) == ([50.0, 50.0], 3)


@pytest.mark.parametrize("moment", ["headers", "answer"])
def test_an_interrupt_ends_a_read_at_once(moment: str):
    reply = stream_of(event(chunk("a")), 30.0) if moment == "answer" else Reply(delay_seconds=30)
    main = threading.main_thread().ident
    assert main is not None
    started = time.monotonic()
    with asking(reply) as (llm, _server, _pauses):
        timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            outcome(llm.stream(ASKED))
        timer.join()
    assert time.monotonic() - started < 5


def test_an_interrupt_ends_a_pause_at_once():
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    reply = error_reply(503, "later", headers={"Retry-After": "50"})
    with (
        asking(reply, sleep=interrupted) as (llm, server, _pauses),
        pytest.raises(KeyboardInterrupt),
    ):
        llm.stream(ASKED)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("given", "sent"), [(None, 50), (7, 7)])
def test_a_question_may_have_a_limit_of_its_own(given: int | None, sent: int):
    with asking(sse(["a"]), answer_tokens=50) as (llm, server, _pauses):
        llm.stream(ASKED, answer_tokens=given).close()

    assert server.bodies[0]["max_tokens"] == sent


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("61", "61 seconds"),
        ("3600", "60 minutes"),
        ("86400", "24 hours"),
        ("259200", "3 days"),
        ("inf", "more than a year"),
    ],
)
def test_a_pause_longer_than_anybody_waits_is_told_and_not_made(value: str, said: str):
    reply = error_reply(429, "no", headers={"Retry-After": value})
    with asking(reply) as (llm, server, pauses), pytest.raises(LLMError) as caught:
        llm.stream(ASKED)

    assert f"(429): no; it asks to wait {said}; ask again then" in str(caught.value)
    assert (len(server.requests), pauses) == (1, [])


def test_thoughts_that_a_template_opened_lose_their_tag_and_are_told_of(
    caplog: pytest.LogCaptureFixture,
):
    deltas = ["hm\n</th", "ink>", "\n\nok. A line\n</think>\nstays"]
    with asking(sse(deltas)) as (llm, _server, _pauses):
        text, _usage, cut_reason = outcome(llm.stream(ASKED))

    assert (text, cut_reason) == ("hm\n\nok. A line\n</think>\nstays", None)
    assert [one.getMessage() for one in caplog.records if one.name == "askmd.llm"] == [
        "the answer begins with the model's thoughts: its template opens them"
    ]


@pytest.mark.parametrize("text", ["a </think>\n b", "a\n</think> b\n", "a\n</thi", "\n\na\n"])
def test_a_tag_that_has_no_line_of_its_own_stays(text: str):
    with asking(sse(list(text))) as (llm, _server, _pauses):
        assert outcome(llm.stream(ASKED))[0] == text


def test_closing_from_another_thread_ends_a_read_that_blocks():
    started = time.monotonic()
    with asking(stream_of(event(chunk("a")), 30.0), timeout_seconds=20.0) as (llm, _server, _p):
        completion = llm.stream(ASKED)
        timer = threading.Timer(0.2, completion.close)
        timer.start()
        text, _usage, cut_reason = outcome(completion)
        timer.join()

    assert (text, cut_reason is None) == ("a", False)
    assert time.monotonic() - started < 10


def test_a_key_in_the_addresss_query_is_blotted_like_any_other():
    secret = "q-0123456789"
    with asking(sse([f"It is {secret[:5]}", f"{secret[5:]}."])) as (_llm, server, _pauses):
        asked = OpenAILLM("m", base_url=f"{server.base_url}?key={secret}", api_key=KEY)
        assert outcome(asked.stream(ASKED))[0] == "It is ***."
    with asking(error_reply(400, f"bad {secret}")) as (_llm, server, _pauses):
        asked = OpenAILLM("m", base_url=f"{server.base_url}?key={secret}", api_key=None)
        with pytest.raises(LLMError, match=r"\(400\): bad \*\*\*;"):
            asked.stream(ASKED)


def test_a_name_with_the_key_in_it_is_no_models():
    rows = [{"id": f"m-{KEY}"}, {"id": f"m-{KEY.upper()}"}, {"id": "tiny"}]
    with asking(json_reply({"data": rows})) as (llm, _server, _pauses):
        assert llm.models() == ["tiny"]
    listed = json_reply({"data": rows[:2]})
    with asking(listed) as (llm, _server, _pauses), pytest.raises(LLMError, match="lists no model"):
        llm.models()
