"""Servers that answer a chat completion badly: what each does, and how `askmd ask` is to end.

A row of ``FAULTS`` is a server, the end that it deserves, what the one line on stderr then says,
and how often it may be asked. ``tests/test_bad_servers.py`` holds askmd to it, and
``benchmarks/bad_servers.py`` prints what came of it.
"""

from __future__ import annotations

import gzip
import itertools
import json
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Literal, Self

from chat_scripts import SSE, USAGE, chunk, event, events, sse, stream_of
from servers import Recorded, Reply, ScriptedServer, error_reply, json_reply, sequence
from wire_server import RESET, Piece, Wire, WireServer

KEY = "sk-canary-0123456789"
DOCUMENT = "# Nginx\n\n## 502 Bad Gateway\n\nThe upstream refused the connection: start it.\n"
QUESTION = "why is the upstream refused?"
TEXT = "Start it [1]."
GOOD = sse(["Start ", "it [1]."])

End = Literal["answered", "incomplete", "failed"]
STATUS: Mapping[End, int] = {"answered": 0, "failed": 1, "incomplete": 4}


class Nobody:
    """An address at which no server is."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.requests: list[Recorded] = []
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.base_url = f"http://{host}:{unused.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        """There is nothing to stop."""


class Disguised(WireServer):
    """A server whose address says TLS where it has none, or the other way round."""

    @property
    def base_url(self) -> str:
        wrong = {"http": "https", "https": "http"}[self._scheme]
        return f"{wrong}://127.0.0.1:{self.port}/v1"


Server = ScriptedServer | WireServer | Nobody
Opening = Callable[[str], Server]
"""Makes a server; it is told the address of another one, which is never to hear of anything."""


@dataclass(frozen=True)
class Fault:
    """A bad server, and how asking it is to end."""

    name: str
    server: Opening
    end: End
    said: str | tuple[str, ...] = ()
    """Fragments of the one line on stderr; an answered question has none."""
    text: str = ""
    """What stands on stdout before the sources: all of it, or how it begins if it is incomplete."""
    requests: int = 1
    """How often the server is asked."""
    most_requests: int = 0
    """How often at most, where it may also be less; 0: exactly as often as ``requests`` says."""
    pauses: tuple[tuple[float, float], ...] | None = None
    """The least and most seconds before each new attempt; None: askmd's own, growing."""
    timeout_seconds: float = 5.0
    deadline_seconds: float = 0.0
    """When it must be over; 0: after the timeout."""
    words: tuple[str, ...] = ("--model", "m")
    environment: Mapping[str, str] = field(default_factory=dict)
    """``{elsewhere}`` is the other server's address."""
    notices: int = 0
    """Lines on stderr that are not about the fault."""

    @property
    def fragments(self) -> tuple[str, ...]:
        return (self.said,) if isinstance(self.said, str) else self.said

    @property
    def deadline(self) -> float:
        return self.deadline_seconds or self.timeout_seconds

    @property
    def config(self) -> str:
        """The settings it is asked with."""
        return (
            '[embedding]\nprovider = "hash"\n'
            f'[llm]\napi_key_env = "MY_KEY"\ntimeout_seconds = {self.timeout_seconds}\n'
        )

    def environ(self, elsewhere: str) -> dict[str, str]:
        """Return the environment it is asked in; ``elsewhere`` is the other server's address."""
        told = {name: value.format(elsewhere=elsewhere) for name, value in self.environment.items()}
        return {"MY_KEY": KEY, **told}


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one call of ``askmd ask``."""

    status: int
    out: str
    err: str
    seconds: float
    requests: int
    """How often the bad server was asked."""
    elsewhere: int
    """How often another server was."""
    pauses: Sequence[float] | None = None
    """Slept before each new attempt; None where nobody looked."""


def complaints(fault: Fault, asked: Asked, *, tolerance_seconds: float) -> list[str]:
    """Return all that is wrong with how an answer from a bad server ended."""
    lines = asked.err.splitlines()[fault.notices :]
    most = 0 if fault.end == "answered" else 1
    shown = asked.out.split("\n\n[1] ")[0].rstrip("\n")
    is_shown = shown.startswith(fault.text) if fault.end == "incomplete" else shown == fault.text
    wrong = {
        f"exit {asked.status}, not {STATUS[fault.end]}": asked.status != STATUS[fault.end],
        f"{len(lines)} lines on stderr, not {most}: {asked.err!r}": len(lines) != most,
        f"on stdout {asked.out[:200]!r}, not {fault.text!r}": not is_shown,
        f"control characters: {asked.out + asked.err!r}": bool(_CONTROL.search(_both(asked))),
        f"not foreseen: {asked.err!r}": "Traceback" in asked.err or "unexpected " in asked.err,
        f"the key is shown: {asked.out + asked.err!r}": KEY in _both(asked),
        f"asked {asked.requests} times": not _is_asked_enough(fault, asked.requests),
        f"another server was asked {asked.elsewhere} times": asked.elsewhere > 0,
        f"paused for {asked.pauses}": not _are_fit(fault.pauses, asked.pauses),
        f"took {asked.seconds:.2f} s of {fault.deadline:g}": (
            asked.seconds > fault.deadline + tolerance_seconds
        ),
    }
    missing = [
        f"{fragment!r} is not said: {asked.err!r}"
        for fragment in fault.fragments
        if fragment not in asked.err
    ]
    return [complaint for complaint, holds in wrong.items() if holds] + missing


_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")


def _both(asked: Asked) -> str:
    return asked.out + asked.err


def _is_asked_enough(fault: Fault, requests: int) -> bool:
    if fault.most_requests:
        return 1 <= requests <= fault.most_requests
    return requests == fault.requests


def _are_fit(wanted: Sequence[tuple[float, float]] | None, pauses: Sequence[float] | None) -> bool:
    if wanted is None or pauses is None:
        return True
    return len(wanted) == len(pauses) and all(
        least <= pause <= most for (least, most), pause in zip(wanted, pauses, strict=True)
    )


def http(*replies: Reply) -> Opening:
    """Return a server that gives these replies in turn, and the last one for ever."""
    return lambda _elsewhere: ScriptedServer(sequence(*replies))


def streaming(pieces: Callable[[], Iterable[bytes | float]]) -> Opening:
    """Return a server with a stream of its own for each request: one may be endless."""
    return lambda _elsewhere: ScriptedServer(lambda _request: Reply(headers=SSE, body=pieces()))


def wire(*pieces: Piece) -> Opening:
    return lambda _elsewhere: WireServer(lambda: pieces)


def wired(script: Wire) -> Opening:
    return lambda _elsewhere: WireServer(script)


def head(*headers: str, status: str = "HTTP/1.1 200 OK") -> bytes:
    return "\r\n".join([status, *headers, "", ""]).encode("latin-1")


FOR_EVER_SECONDS = 20.0
EVENTS = "Content-Type: text/event-stream"
CHUNKED = "Transfer-Encoding: chunked"
WHOLE = b"".join(events(["Start ", "it [1]."]))
BEGUN = event(chunk("Start it"))
"""The text up to where it is cut."""
COMPLETION = {
    "choices": [{"index": 0, "message": {"content": TEXT}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def chunked(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def delta(finish: str | None = None, **parts: Any) -> bytes:
    """Return an event whose one delta has these parts."""
    choice = {"index": 0, "delta": parts, "finish_reason": finish}
    return event({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


def spoken(index: int, text: str) -> dict[str, Any]:
    return {"index": index, "delta": {"content": text}, "finish_reason": None}


def both(text: str, other: str) -> list[bytes]:
    """Return two events, of the answer and of another one that nobody asked for."""
    return [event({"choices": [one]}) for one in (spoken(0, text), spoken(1, other))]


def often(piece: bytes, seconds: float = 0.05) -> Iterator[bytes | float]:
    """Yield a piece again and again, with a pause after each: longer than anybody ought to wait."""
    return itertools.islice(itertools.cycle([piece, seconds]), int(2 * FOR_EVER_SECONDS / seconds))


def said_then(*pieces: bytes | float) -> Opening:
    return http(stream_of(BEGUN, *pieces))


def redirect(status: int) -> Opening:
    def opening(elsewhere: str) -> Server:
        away = {"Location": f"{elsewhere}/chat/completions"}
        return ScriptedServer(lambda _request: Reply(status, away))

    return opening


def refusing(*options: str, shape: Callable[[str], Reply]) -> Opening:
    """Return a server that refuses each of the options by name, as long as it is sent."""

    def script(request: Recorded) -> Reply:
        sent = [name for name in options if name in request.body]
        return shape(sent[0]) if sent else GOOD

    return lambda _elsewhere: ScriptedServer(script)


def limited(retry_after: str | None, *, then: Reply = GOOD) -> Opening:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return http(error_reply(429, "slow down", headers=headers), then)


def in_half_a_minute(_elsewhere: str) -> Server:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    return ScriptedServer(
        sequence(error_reply(429, "slow down", headers={"Retry-After": date}), GOOD)
    )


def listing(reply: Reply) -> Opening:
    """Return a server that answers well, but lists its models so."""

    def script(request: Recorded) -> Reply:
        return reply if request.path.endswith("/models") else GOOD

    return lambda _elsewhere: ScriptedServer(script)


UNREACHED = "no LLM could be reached at"
UNREADABLE = "something unreadable"
NO_TEXT = "it sent no text"
CUT = "the answer is incomplete: "
SILENT = "was silent for 0.5 seconds"
TOTAL = 20
"""How many times its timeout a server may take in all, however lively it is."""
PAGE = {"Content-Type": "text/html"}
CONTEXT_LENGTH = (
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 "
    "tokens. Please reduce the length of the messages."
)
BACKOFF = (0.5, 0.625)
TWICE = (BACKOFF, (1.0, 1.25))


def answered(name: str, server: Opening, **more: Any) -> Fault:
    return Fault(name, server, "answered", text=TEXT, **more)


def cut(name: str, server: Opening, *said: str, text: str = "Start it", **more: Any) -> Fault:
    return Fault(name, server, "incomplete", (CUT, *said), text, **more)


def failed(name: str, server: Opening, *said: str, **more: Any) -> Fault:
    return Fault(name, server, "failed", said, **more)


def hang(name: str, server: Opening, **more: Any) -> Fault:
    return failed(name, server, SILENT, timeout_seconds=0.5, **more)


CONNECTION = [
    failed("refused", lambda _: Nobody(), UNREACHED, requests=0, pauses=TWICE),
    failed("an unknown host", lambda _: Nobody("name.invalid"), UNREACHED, requests=0, notices=1),
    failed(
        "TLS asked of a plain port",
        lambda _: Disguised(lambda: [head("Content-Length: 0")], is_rude=True),
        UNREACHED,
        requests=0,
    ),
    failed("plain HTTP to a TLS port", lambda _: Disguised(tuple, is_tls=True), "", requests=0),
    failed(
        "a self-signed certificate",
        lambda _: WireServer(lambda: [head(EVENTS), WHOLE], is_tls=True),
        "certificate",
        requests=0,
    ),
    failed("closed without a byte", wire(), UNREACHED, requests=3, pauses=TWICE),
    answered(
        "closed without a byte, then good",
        http(Reply(drop=True), Reply(drop=True), GOOD),
        requests=3,
        pauses=TWICE,
    ),
    failed("reset before the headers", wire(RESET), UNREACHED, requests=3),
    failed("reset in the headers", wire(b"HTTP/1.1 200 OK\r\nX-", RESET), UNREACHED, requests=3),
    failed("reset after the headers", wire(head(EVENTS), RESET), "broke off", requests=3),
    cut("reset after a text", wire(head(EVENTS), BEGUN, 0.1, RESET), "broke off"),
    cut("closed after a text", wire(head(EVENTS), BEGUN), "without saying"),
    failed(
        "closed after a part of the headers", wire(b"HTTP/1.1 200 OK\r\nX-"), UNREACHED, requests=3
    ),
    answered(
        "a proxy in the environment",
        http(GOOD),
        environment={
            **dict.fromkeys(["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"], "{elsewhere}"),
            **dict.fromkeys(["NO_PROXY", "no_proxy"], ""),
        },
    ),
]

SILENCE = [
    hang("a hang before the headers", wire(60.0)),
    hang("a hang in the headers", wire(b"HTTP/1.1 200 OK\r\nX-", 60.0)),
    hang("a hang after the headers", wire(head(EVENTS), 60.0)),
    hang(
        "a hang before TLS is agreed", lambda _: Disguised(lambda: [60.0], is_rude=True), requests=0
    ),
    hang(
        "headers of a byte at a time", wired(lambda: [head()[:-2], b"X: ", *([b"x", 0.05] * 999)])
    ),
    hang("comments, a byte at a time", streaming(lambda: often(b":"))),
    hang("whole comments for ever", streaming(lambda: often(b": still here\n\n"))),
    hang("empty deltas for ever", streaming(lambda: often(event(chunk(""))))),
    hang("empty choices for ever", streaming(lambda: often(event({"choices": []})))),
    hang(
        "an event of a byte at a time",
        streaming(lambda: itertools.chain(*([bytes([byte]), 0.05] for byte in WHOLE))),
    ),
    hang(
        "an error of a byte at a time",
        lambda _: ScriptedServer(lambda _request: Reply(400, body=often(b" "))),
    ),
    hang(
        "a JSON body of a byte at a time",
        lambda _: ScriptedServer(lambda _request: Reply(200, body=often(b" "))),
    ),
    cut("a hang after a text", said_then(60.0), SILENT, timeout_seconds=0.5),
    cut(
        "comments after a text",
        streaming(lambda: itertools.chain([BEGUN], often(b": still here\n\n"))),
        SILENT,
        timeout_seconds=0.5,
    ),
    answered(
        "a hang after the end",
        http(stream_of(*events(["Start ", "it [1]."], usage=None, done=False), 60.0)),
        timeout_seconds=12.0,
        deadline_seconds=3.5,
    ),
    answered(
        "a letter at a time",
        streaming(lambda: itertools.chain(*([event(chunk(one)), 0.1] for one in TEXT), events([]))),
        timeout_seconds=0.5,
        deadline_seconds=2.0,
    ),
    cut(
        "a letter at a time, for ever",
        streaming(lambda: often(event(chunk("a")), 0.02)),
        text="aaa",
        timeout_seconds=0.2,
        deadline_seconds=0.2 * TOTAL,
    ),
    failed(
        "thoughts for ever",
        streaming(lambda: often(delta(reasoning_content="hm"), 0.02)),
        timeout_seconds=0.2,
        deadline_seconds=0.2 * TOTAL,
    ),
    cut(
        "a text without an end",
        streaming(lambda: itertools.repeat(event(chunk("on and on " * 2000)))),
        "token limit",
        text="on and on",
    ),
    failed(
        "thoughts without an end",
        streaming(lambda: itertools.repeat(delta(reasoning_content="hm " * 100_000))),
        timeout_seconds=0.2,
        deadline_seconds=0.2 * TOTAL,
    ),
]

STREAM = [
    answered("no [DONE]", http(sse([TEXT], done=False))),
    answered("no usage", http(sse([TEXT], usage=None))),
    answered("neither usage nor [DONE]", http(sse([TEXT], usage=None, done=False))),
    answered("cut after the finish reason", http(sse([TEXT], usage=None, done=False, cut=True))),
    cut("no finish reason", http(sse(["Start it"], finish=None)), "without saying"),
    cut(
        "neither finish reason nor [DONE]",
        http(sse(["Start it"], finish=None, usage=None, done=False)),
        "without saying",
    ),
    cut("cut before the finish reason", http(stream_of(BEGUN, cut=True)), "broke off"),
    cut("cut inside an event", http(stream_of(BEGUN, BEGUN[:20], cut=True)), "broke off"),
    cut("out of tokens", http(sse(["Start it"], finish="length")), "token limit"),
    cut("filtered", http(sse(["Start it"], finish="content_filter")), "content filter"),
    cut("an unknown finish reason", http(sse(["Start it"], finish=f"\x1b[2J{KEY}\n"))),
    failed("invalid JSON", http(stream_of(event("{broken"))), UNREADABLE),
    cut("invalid JSON after a text", said_then(event("{broken"), event("[DONE]")), UNREADABLE),
    failed("events that are no objects", http(stream_of(*map(event, ["null", "[]", "7", '"x"'])))),
    failed("JSON nested too deeply", http(stream_of(event("[" * 200_000))), UNREADABLE),
    cut("JSON nested too deeply after a text", said_then(event("[" * 200_000)), UNREADABLE),
    failed("a number of 5,000 digits", http(stream_of(event("7" * 5000))), UNREADABLE),
    failed("bad UTF-8", http(stream_of(b"data: \xff\xfe\n\n")), UNREADABLE),
    cut("bad UTF-8 after a text", said_then(b"data: \xff\xfe\n\n"), UNREADABLE),
    failed(
        "bad UTF-8 inside a text", http(stream_of(WHOLE.replace(b"Start", b"\xff"))), UNREADABLE
    ),
    Fault(
        "characters split over packets",
        http(
            stream_of(
                *(bytes([one]) for one in b"".join(events(["Start the upstream: 検索 🙂 [1]."])))
            )
        ),
        "answered",
        text="Start the upstream: 検索 🙂 [1].",
    ),
    Fault(
        "half a character, escaped",
        http(stream_of(WHOLE.replace(b"Start", b"Start the upstream \\ud800"))),
        "answered",
        text="Start the upstream \ufffd it [1].",
    ),
    answered(
        "comments and keep-alives",
        http(stream_of(b": a\n\n", b"\n\n", event(chunk("")), b":\n\n", *events([TEXT]))),
    ),
    answered("lines that end in CR LF", http(stream_of(WHOLE.replace(b"\n", b"\r\n")))),
    answered("lines that end in CR", http(stream_of(WHOLE.replace(b"\n", b"\r")))),
    answered(
        "a byte order mark first", http(stream_of(b"\xef\xbb\xbf" + b"".join(events([TEXT]))))
    ),
    answered("no space after data:", http(stream_of(WHOLE.replace(b"data: ", b"data:")))),
    answered(
        "an event in two lines",
        http(stream_of(WHOLE.replace(b'"choices"', b'\ndata: "choices"'))),
    ),
    answered(
        "other fields around the data",
        http(stream_of(WHOLE.replace(b"data:", b"id: 1\nretry: 9\nevent: message\ndata:"))),
    ),
    failed(
        "an error event",
        http(stream_of(event({"error": {"message": f"overloaded\n\x1b[2J {KEY}"}}))),
        "overloaded",
        "***",
    ),
    cut("an error event after a text", said_then(event({"error": {"message": "boom"}})), "boom"),
    failed("an error event in one word", http(stream_of(event({"error": "boom"})))),
    cut("an error event in one word after a text", said_then(event({"error": "boom"}))),
    failed("an error of another shape", http(stream_of(b"event: error\n", event({"detail": "x"})))),
    cut(
        "a line called error after a text",
        said_then(b'error: {"code":500,"message":"no memory"}\n\n'),
        "broke off: no memory",
    ),
    answered("thoughts that the template opened and closed", http(sse(["</thi", "nk>\n\n", TEXT]))),
    cut("a 500 after a text", said_then(event({"error": {"message": "500", "code": 500}})), "500"),
]

ANSWERS = [
    failed("no choices", http(stream_of(event({"choices": []}), event("[DONE]"))), NO_TEXT),
    failed("choices that are none", http(stream_of(event({"choices": "x"}))), NO_TEXT),
    failed("choices of null", http(stream_of(event({"choices": [None, 7]}))), NO_TEXT),
    failed("a delta that is none", http(stream_of(event({"choices": [{"delta": "x"}]}))), NO_TEXT),
    failed("null content", http(stream_of(delta(content=None), delta("stop"))), NO_TEXT),
    failed("a number as content", http(stream_of(delta("stop", content=7))), NO_TEXT),
    failed("the finish alone", http(sse([])), NO_TEXT),
    failed("white space alone", http(sse([" \n", "\t"])), NO_TEXT),
    failed("nothing but [DONE]", http(stream_of(event("[DONE]"))), NO_TEXT),
    failed("tool calls", http(stream_of(delta("tool_calls", tool_calls=[{"index": 0}]))), "tool"),
    failed(
        "a function call", http(stream_of(delta("function_call", function_call={}))), "function"
    ),
    cut("tool calls after a text", said_then(delta("tool_calls", tool_calls=[{}])), "tool_calls"),
    failed("a refusal", http(stream_of(delta(refusal="I cannot."), delta("stop"))), ""),
    failed(
        "reasoning alone", http(stream_of(delta(reasoning_content="hm"), delta("stop"))), NO_TEXT
    ),
    failed("a thought never closed", http(sse(["<think>", "hm, start it"])), NO_TEXT),
    failed("all tokens spent on thought", http(sse(["<think>hm"], finish="length")), "used up"),
    answered("another tag", http(sse(["<thin", "king>hm [2]</think></thinking>", TEXT]))),
    answered("a thought before the answer", http(sse(["<think>hm [2]</think>", TEXT]))),
    answered(
        "a second choice",
        http(stream_of(*both("Start ", "Never "), *both("it [1].", "mind."), *events([]))),
    ),
    answered(
        "two choices in one event",
        http(stream_of(event({"choices": [spoken(0, TEXT), spoken(1, "Other.")]}), *events([]))),
    ),
    answered("content in the last event", http(stream_of(event(chunk(TEXT, finish="stop"))))),
    answered(
        "content after the finish",
        http(stream_of(event(chunk("Start ", finish="stop")), *events(["it [1]."]))),
    ),
    answered(
        "usage in words",
        http(sse([TEXT], usage={"prompt_tokens": "eleven", "total_tokens": []})),  # type: ignore[dict-item]
    ),
    answered("usage below nought", http(sse([TEXT], usage={"prompt_tokens": -5}))),
    answered(
        "usage that is none", http(stream_of(*events([TEXT], usage=None), event({"usage": 7})))
    ),
    answered(
        "numbers as strings",
        http(stream_of(WHOLE.replace(b'"index": 0', b'"index": "0"').replace(b": 1,", b': "1",'))),
    ),
    answered("the parts of a message", http(stream_of(delta("stop", content=[{"text": TEXT}])))),
    answered("JSON instead of a stream", http(json_reply(COMPLETION))),
    cut(
        "JSON that is cut short",
        http(
            json_reply(
                {"choices": [{"message": {"content": "Start it"}, "finish_reason": "length"}]}
            )
        ),
        "token limit",
    ),
    failed("JSON that says an error", http(json_reply({"error": {"message": "boom"}})), "boom"),
    *(
        failed(f"the JSON body {body or 'empty'}", http(Reply(body=body.encode())))
        for body in ["[]", "null", '""', "7", "{}", "", '{"choices": [{}]}']
    ),
    failed("a JSON body nested too deeply", http(Reply(body=b"[" * 200_000)), UNREADABLE),
    failed("half a JSON body", http(Reply(body=json.dumps(COMPLETION).encode()[:50])), UNREADABLE),
    failed("a web page", http(Reply(200, PAGE, b"<html>Welcome\n to</html>")), "web page"),
    failed("plain text", http(Reply(200, {"Content-Type": "text/plain"}, b"Start it."))),
    answered("a stream called plain text", http(Reply(200, {"Content-Type": "text/plain"}, WHOLE))),
    answered("a stream called nothing", wire(head(), WHOLE)),
    failed(
        "packed though it was not to be",
        http(Reply(200, {**SSE, "Content-Encoding": "gzip"}, gzip.compress(WHOLE))),
    ),
    answered(
        "called packed, and is not", http(Reply(200, {**SSE, "Content-Encoding": "gzip"}, WHOLE))
    ),
    failed(
        "an endless JSON body",
        lambda _: ScriptedServer(lambda _request: Reply(body=itertools.repeat(b" " * 1_000_000))),
        "has no end",
    ),
    failed(
        "an endless web page",
        lambda _: ScriptedServer(
            lambda _request: Reply(502, PAGE, itertools.repeat(b"x" * 1_000_000))
        ),
        "has no end",
    ),
    failed(
        "an endless event",
        streaming(lambda: itertools.chain([b"data: "], itertools.repeat(b"x" * 1_000_000))),
        "has no end",
    ),
    cut(
        "an endless event after a text",
        streaming(lambda: itertools.chain([BEGUN, b"data: "], itertools.repeat(b"x" * 1_000_000))),
        "has no end",
    ),
    failed("204", wire(head(status="HTTP/1.1 204 No Content")), ""),
    failed("an empty stream", http(Reply(200, SSE, b"")), NO_TEXT),
]

STATUSES = [
    *(
        failed(f"{status} to another host", redirect(status), "redirects elsewhere")
        for status in (301, 302, 303, 307, 308)
    ),
    failed("304", wire(head(status="HTTP/1.1 304 Not Modified")), ""),
    *(
        answered(
            f"400: no {option}",
            refusing(option, shape=lambda name: error_reply(400, f"Unsupported: '{name}'")),
            requests=2,
            pauses=(),
        )
        for option in ("stream_options", "max_tokens", "temperature")
    ),
    answered(
        "400: none of the options",
        refusing(
            "stream_options",
            "max_tokens",
            "temperature",
            shape=lambda name: error_reply(400, f"Unsupported parameter: '{name}'"),
        ),
        requests=4,
        pauses=(),
    ),
    answered(
        "422: no stream_options",
        refusing(
            "stream_options",
            shape=lambda name: json_reply({"detail": [{"loc": ["body", name]}]}, status=422),
        ),
        requests=2,
    ),
    failed(
        "400 whatever is left out",
        http(error_reply(400, "stream_options, max_tokens, temperature: I like nothing")),
        "(400)",
        most_requests=5,
    ),
    failed(
        "400: too long",
        http(error_reply(400, CONTEXT_LENGTH, code="context_length_exceeded")),
        "",
        most_requests=5,
    ),
    failed("400", http(error_reply(400, f"no\n\x1b[2J such {KEY}")), "(400)", "such ***"),
    failed("400 with a page", http(Reply(400, PAGE, b"<html>\nbad</html>")), "(400)"),
    failed("400 with JSON nested too deeply", http(Reply(400, body=b"[" * 200_000)), "(400)"),
    *(
        failed(f"400: {name}", http(json_reply(body, status=400)), f"(400): {said};")
        for name, body, said in [
            ("Gemini's list", [{"error": {"code": 400, "message": "bad field"}}], "bad field"),
            ("FastAPI's word", {"detail": "no such LoRA"}, "no such LoRA"),
            ("FastAPI's rows", {"detail": [{"loc": ["body", "n"], "msg": "odd"}]}, "body.n: odd"),
            ("Ollama's word", {"error": "needs more memory"}, "needs more memory"),
        ]
    ),
    failed(
        "400: Gemini's key",
        http(json_reply([{"error": {"message": "API key not valid. Pass one."}}], status=400)),
        "refused the key in MY_KEY (400)",
    ),
    failed("401", http(error_reply(401, f"bad key {KEY}")), "refused the key in MY_KEY (401)"),
    failed("403", http(error_reply(403, "no")), "refused the key in MY_KEY (403)"),
    failed("404", http(error_reply(404, "no such model")), "knows no model 'm'"),
    failed("405", http(error_reply(405, "GET only")), "(405)"),
    failed("413", http(error_reply(413, "too large")), "(413)", most_requests=5),
    failed("422", http(json_reply({"detail": [{"msg": "odd"}]}, status=422)), "(422)"),
    failed("451", http(Reply(451)), "(451)"),
    failed(
        "999",
        wire(head("Connection: close", "Content-Length: 0", status="HTTP/1.1 999 Odd")),
        "",
        requests=3,
    ),
]

RETRIES = [
    answered("408, then good", http(error_reply(408, "slow"), GOOD), requests=2, pauses=(BACKOFF,)),
    failed("408", http(error_reply(408, "slow")), "(408)", requests=3, pauses=TWICE),
    answered("429, Retry-After: 7", limited("7"), requests=2, notices=1, pauses=((7, 7),)),
    answered("429, Retry-After: 0", limited("0"), requests=2, pauses=((0, 0),)),
    answered("429, Retry-After: 0.25", limited("0.25"), requests=2, pauses=((0.25, 0.25),)),
    answered(
        "429, Retry-After a date", in_half_a_minute, requests=2, notices=1, pauses=((25, 30),)
    ),
    # Longer than askmd waits: asking sooner would be asking against the server's word.
    failed("429, Retry-After: 1e9", limited("1e9"), "asks to wait more than a year", pauses=()),
    failed("429, Retry-After: 3600", limited("3600"), "asks to wait 60 minutes", pauses=()),
    answered("429, Retry-After: 60", limited("60"), requests=2, notices=1, pauses=((60, 60),)),
    answered(
        "429, retry-after-ms: 250",
        http(error_reply(429, "", headers={"retry-after-ms": "250", "Retry-After": "9"}), GOOD),
        requests=2,
        pauses=((0.25, 0.25),),
    ),
    failed("402", http(error_reply(402, "broke")), "wants payment or credits (402): broke"),
    *(
        answered(f"{name}, then good", http(reply, GOOD), requests=2, pauses=(BACKOFF,))
        for name, reply in [
            ("an event with code 429", stream_of(event({"error": {"code": 429, "message": "x"}}))),
            ("JSON with code 502", json_reply({"error": {"code": 502, "message": "x"}})),
            ("a line called error", stream_of(b'error: {"code":500,"message":"x"}\n\n')),
        ]
    ),
    answered("429, Retry-After: -5", limited("-5"), requests=2, pauses=(BACKOFF,)),
    answered("429, Retry-After: nan", limited("nan"), requests=2, pauses=(BACKOFF,)),
    answered("429, Retry-After: soon", limited("soon"), requests=2, pauses=(BACKOFF,)),
    answered("429, Retry-After: ½", limited("\xbd"), requests=2, pauses=(BACKOFF,)),
    answered("429 without Retry-After", limited(None), requests=2, pauses=(BACKOFF,)),
    answered(
        "429, Retry-After a date long past",
        limited("Mon, 01 Jan 1990 00:00:00 GMT"),
        requests=2,
        pauses=(BACKOFF,),
    ),
    answered(
        "429, Retry-After a date beyond all",
        limited("Fri, 31 Dec 99999 23:59:59 GMT"),
        requests=2,
        pauses=(BACKOFF,),
    ),
    failed(
        "429 for ever",
        http(error_reply(429, "slow down", headers={"Retry-After": "2"})),
        "(429): slow down",
        requests=3,
        pauses=((2, 2), (2, 2)),
    ),
    failed(
        "a spent quota",
        http(error_reply(429, "no money", code="insufficient_quota")),
        "no money",
        pauses=(),
    ),
    *(
        answered(
            f"{status}, then good",
            http(error_reply(status, "oops"), GOOD),
            requests=2,
            pauses=(BACKOFF,),
        )
        for status in (500, 502, 503, 504)
    ),
    answered(
        "503, Retry-After: 3",
        http(error_reply(503, "", headers={"Retry-After": "3"}), GOOD),
        notices=1,
        requests=2,
        pauses=((3, 3),),
    ),
    answered(
        "a page of a gateway, then good",
        http(Reply(502, PAGE, b"<html>bad</html>"), GOOD),
        requests=2,
        pauses=(BACKOFF,),
    ),
    failed("500 for ever", http(error_reply(500, "oops")), "(500): oops", requests=3, pauses=TWICE),
    failed(
        "a page of a gateway",
        http(Reply(502, PAGE, b"<html>bad\n gateway</html>")),
        "(502)",
        requests=3,
    ),
    answered(
        "cut before the first text, then good",
        http(stream_of(b":\n\n", cut=True), GOOD),
        requests=2,
        pauses=(BACKOFF,),
    ),
]

WIRE = [
    answered("HTTP/1.0", wire(head(EVENTS, status="HTTP/1.0 200 OK"), WHOLE)),
    answered("100 Continue first", wire(b"HTTP/1.1 100 Continue\r\n\r\n", head(EVENTS), WHOLE)),
    answered(
        "103 Early Hints first", wire(b"HTTP/1.1 103 Early Hints\r\n\r\n", head(EVENTS), WHOLE)
    ),
    failed(
        "100 Continue for ever",
        wired(lambda: itertools.cycle([b"HTTP/1.1 100 Continue\r\n\r\n", 0.05])),
        SILENT,
        timeout_seconds=0.5,
    ),
    failed(
        "two status lines",
        wire(b"HTTP/1.1 200 OK\r\n" + head(EVENTS), WHOLE),
        UNREACHED,
        requests=3,
    ),
    failed("no status line", wire(WHOLE), UNREACHED, requests=3),
    failed(
        "a status of four digits",
        wire(head(EVENTS, status="HTTP/1.1 2000 OK"), WHOLE),
        UNREACHED,
        requests=3,
    ),
    failed("another protocol", wire(b"SSH-2.0-OpenSSH_9.6\r\n"), UNREACHED, requests=3),
    failed(
        "30,000 headers",
        wire(head(EVENTS, *(f"X-{n}: {n}" for n in range(30_000))), WHOLE),
        UNREACHED,
        requests=3,
    ),
    failed(
        "a header of a megabyte",
        wire(head(EVENTS, f"X: {'x' * 1_000_000}"), WHOLE),
        UNREACHED,
        requests=3,
    ),
    failed(
        "headers without an end",
        wired(
            lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"], itertools.repeat(b"X: x\r\n" * 999))
        ),
        UNREACHED,
        requests=3,
    ),
    failed(
        "chunks of no size", wire(head(EVENTS, CHUNKED), b"zz\r\n", WHOLE), "broke off", requests=3
    ),
    cut(
        "chunks of no size after a text",
        wire(head(EVENTS, CHUNKED), chunked(BEGUN), b"zz\r\n"),
        "broke off",
    ),
    cut(
        "a chunk shorter than it says",
        wire(head(EVENTS, CHUNKED), chunked(BEGUN), b"fff\r\nabc"),
        "broke off",
    ),
    cut(
        "a chunk longer than it says",
        wire(head(EVENTS, CHUNKED), chunked(BEGUN), b"1\r\nabc"),
        "broke off",
    ),
    cut("chunks without the last one", wire(head(EVENTS, CHUNKED), chunked(BEGUN)), "broke off"),
    cut("a length too long", wire(head(EVENTS, "Content-Length: 9999"), BEGUN), "broke off"),
    answered("a length too long, but finished", wire(head(EVENTS, "Content-Length: 9999"), WHOLE)),
    cut(
        "a length too short",
        wire(head(EVENTS, f"Content-Length: {len(BEGUN)}"), BEGUN, WHOLE),
        "without saying",
    ),
    failed(
        "a JSON body longer than it is",
        wire(head("Content-Type: application/json", "Content-Length: 9999"), b'{"choices"'),
        "",
        most_requests=3,
    ),
    failed(
        "a length below nought",
        wire(head(EVENTS, "Content-Length: -5"), WHOLE),
        UNREACHED,
        requests=3,
    ),
    failed(
        "two lengths",
        wire(head(EVENTS, "Content-Length: 5", "Content-Length: 6"), WHOLE),
        UNREACHED,
        requests=3,
    ),
    failed(
        "a length in words",
        wire(head(EVENTS, "Content-Length: many"), WHOLE),
        UNREACHED,
        requests=3,
    ),
]

MODELS = [
    *(
        failed(f"/models: {name}", listing(reply), "--model", words=(), **more)
        for name, reply, more in [
            ("an empty list", json_reply({"object": "list", "data": []}), {}),
            ("no list", json_reply([]), {}),
            ("a word", json_reply("no"), {}),
            ("names that are none", json_reply({"data": [{"id": 7}]}), {}),
            ("404", error_reply(404, "no such path"), {}),
            ("500", error_reply(500, "no hub"), {"most_requests": 3}),
        ]
    ),
    failed("/models: a web page", listing(Reply(200, PAGE, b"<html>Hello</html>")), "", words=()),
    failed("/models: unreadable", listing(Reply(body=b"{broken")), "", words=()),
    failed("/models: nested too deeply", listing(Reply(body=b"[" * 200_000)), "", words=()),
    failed(
        "/models: without an end",
        listing(Reply(body=itertools.repeat(b" " * 1_000_000))),
        "has no end",
        words=(),
    ),
    failed(
        "/models: a hang", listing(Reply(delay_seconds=60)), SILENT, words=(), timeout_seconds=0.5
    ),
    failed("/models: 401", listing(error_reply(401, "who?")), "refused the key", words=()),
]

FAMILIES: Mapping[str, list[Fault]] = {
    "the connection": CONNECTION,
    "silence and no end": SILENCE,
    "the stream": STREAM,
    "what it answers": ANSWERS,
    "refusals and redirects": STATUSES,
    "asked again": RETRIES,
    "broken HTTP": WIRE,
    "the list of models": MODELS,
}
FAULTS = [fault for faults in FAMILIES.values() for fault in faults]
