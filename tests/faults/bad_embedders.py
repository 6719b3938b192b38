"""Embeddings servers that answer badly: what each does, and how `askmd ingest` is to end.

A row of ``FAULTS`` is a server, the end that it deserves, what the one line on stderr then says
and how often it may be asked. ``Nights`` is many files and a server that fails now and then.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from askmd.config import Config
from askmd.embed import OpenAIEmbedder
from askmd.errors import EmbeddingError
from askmd.ingest import ingest_folder, journey
from askmd.settings import EmbeddingSettings, IndexSettings
from askmd.store import vector_key
from askmd.tokens import HashCounter
from chat_faults import CHUNKED, Disguised, Nobody, Server, chunked, head
from faults import world
from faults.campaign import Campaign, Verdict
from faults.forks import ForkServer
from servers import (
    Recorded,
    Reply,
    Script,
    ScriptedServer,
    embedding_reply,
    embeddings,
    error_reply,
    json_reply,
    sequence,
    vector_of,
)
from wire_server import RESET, Piece, WireServer

KEY = "sk-canary-0123456789"
DIM = 4
BATCH = 4
"""Texts in a request, so that a few documents take several."""
End = Literal["done", "partly", "failed"]
STATUS: Mapping[End, int] = {"done": 0, "failed": 1, "partly": 4}
Opening = Callable[[str], Server]
"""Makes a server; it is told the address of another one, which is never to hear of anything."""
Make = Callable[[list[str]], Reply]
"""Makes a reply to some texts."""


@dataclass(frozen=True)
class Fault:
    """A bad server, and how an ingest with it is to end."""

    name: str
    server: Opening
    end: End
    said: str = ""
    """A part of the line on stderr."""
    attempts: int = 0
    """How often it is asked in all; 0: that is not looked at."""
    pauses: tuple[tuple[float, float], ...] | None = None
    """The least and most seconds before each new attempt; None: what askmd sees fit."""
    timeout_seconds: float = 5.0
    deadline_seconds: float = 0.0
    """When it must be over at the latest; 0: after one timeout."""

    @property
    def deadline(self) -> float:
        return self.deadline_seconds or self.timeout_seconds

    def config(self, base_url: str) -> str:
        """The settings the server is used with."""
        return (
            f'[embedding]\nprovider = "openai"\nmodel = "small"\nbase_url = "{base_url}"\n'
            f'api_key_env = "MY_KEY"\ntimeout_seconds = {self.timeout_seconds}\n'
        )


# --- what is sent back ----------------------------------------------------------------------


def good(texts: Sequence[str]) -> list[Any]:
    return [vector_of(text) for text in texts]


def making(change: Callable[[list[Any]], list[Any]]) -> Make:
    """Return what answers with good vectors that were changed."""
    return lambda texts: embedding_reply(change(good(texts)))


def first(vector: Any) -> Make:
    """Return what answers with something else for the first text."""
    return making(lambda vectors: [vector, *vectors[1:]])


def items(change: Callable[[dict[str, Any]], object]) -> Make:
    """Return what answers with each part of a good reply changed."""

    def make(texts: list[str]) -> Reply:
        reply = json.loads(embeddings(Recorded("POST", "", {}, {"input": texts})).body)  # type: ignore[arg-type]
        for item in reply["data"]:
            change(item)
        return json_reply(reply)

    return make


def indexed(number: Callable[[int, int], Any]) -> Make:
    """Return what answers with other indexes, made of each one and of their count."""
    return lambda texts: embedding_reply(
        good(texts), indexes=[number(place, len(texts)) for place in range(len(texts))]
    )


def shuffled(texts: list[str]) -> Reply:
    order = list(reversed(range(len(texts))))
    return embedding_reply([vector_of(texts[place]) for place in order], indexes=order)


def written(texts: list[str], number: str) -> Reply:
    """Answer with one number spelled so, as no library of ours would write it."""
    vectors = [[1.5] * DIM, *good(texts)[1:]]
    body = embedding_reply(vectors).body
    assert isinstance(body, bytes)
    return Reply(body=body.replace(b"1.5", number.encode(), 1))


def other(**parts: Any) -> Make:
    """Return what answers well, with other words around it."""

    def make(texts: list[str]) -> Reply:
        body = embedding_reply(good(texts)).body
        assert isinstance(body, bytes)
        return json_reply({**json.loads(body), **parts})

    return make


def whole(reply: Reply) -> Make:
    return lambda _texts: reply


# --- when it is sent ------------------------------------------------------------------------


def scripted(script: Script) -> Opening:
    return lambda _elsewhere: ScriptedServer(script)


def as_script(make: Make) -> Script:
    return lambda request: make(request.body["input"])


def always(make: Make | Reply) -> Opening:
    return scripted(as_script(make if callable(make) else whole(make)))


def after(count: int, make: Make | Reply, times: int = 1000) -> Opening:
    """Return a server that is bad after some good replies, for some times."""
    bad = as_script(make if callable(make) else whole(make))

    def opening(_elsewhere: str) -> Server:
        steps: list[Reply | Script] = [*[embeddings] * count, *[bad] * times]
        return ScriptedServer(sequence(*steps, embeddings))

    return opening


def once(make: Make | Reply) -> Opening:
    return after(1, make, 1)


def poisoned(make: Make | Reply) -> Opening:
    """Return a server that is bad wherever the first document's second section comes along."""
    bad = as_script(make if callable(make) else whole(make))

    def script(request: Recorded) -> Reply:
        spoilt = any(POISON in text for text in request.body["input"])
        return bad(request) if spoilt else embeddings(request)

    return scripted(script)


def each(change: Callable[[list[float]], Any]) -> Opening:
    """Return a server whose every vector is changed so."""
    return always(making(lambda vectors: [change(one) for one in vectors]))


def later(change: Callable[[list[float]], Any]) -> Opening:
    """Return one that does so from its second reply on."""
    return after(1, making(lambda vectors: [change(one) for one in vectors]))


def for_one(vector: Any, *, alone: bool = True) -> Opening:
    """Return a server with such a vector for one text, or only where it does not come alone."""

    def make(texts: list[str]) -> Reply:
        spoils = alone or len(texts) > 1
        return embedding_reply(
            [vector if spoils and POISON in text else vector_of(text) for text in texts]
        )

    return always(make)


def for_many(reply: Reply) -> Opening:
    """Return a server that answers so where more than two texts come together."""
    return always(lambda texts: reply if len(texts) > 2 else embedding_reply(good(texts)))


def wire(*pieces: Piece) -> Opening:
    return lambda _elsewhere: WireServer(lambda: pieces)


def wired(script: Callable[[], Iterable[Piece]]) -> Opening:
    return lambda _elsewhere: WireServer(script)


def limited(retry_after: str | None, times: int = 1) -> Opening:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return after(1, error_reply(429, "slow down", headers=headers), times)


def in_half_a_minute(elsewhere: str) -> Server:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    return limited(date)(elsewhere)


def redirect(status: int) -> Opening:
    return lambda elsewhere: ScriptedServer(
        lambda _request: Reply(status, {"Location": f"{elsewhere}/embeddings"})
    )


def round_and_round(_elsewhere: str) -> Server:
    return ScriptedServer(lambda request: Reply(307, {"Location": request.path}))


class Full:
    """An address whose machine takes no more connections and says so to nobody."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self._listening = socket.socket()
        self._listening.bind(("127.0.0.1", 0))
        self._listening.listen(0)
        self._waiting = [self._knock() for _ in range(4)]
        self.base_url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"

    def _knock(self) -> socket.socket:
        made = socket.socket()
        made.setblocking(False)
        made.connect_ex(self._listening.getsockname())
        return made

    def __enter__(self) -> Full:
        return self

    def __exit__(self, *_how: object) -> None:
        for one in [*self._waiting, self._listening]:
            one.close()


# --- the table ------------------------------------------------------------------------------

POISON = "Poison pill"
DOCUMENTS: world.Documents = {
    **{f"page-{number}.md": world.text_of(number, sections=3) for number in range(4)},
    "poisoned.md": f"# Poisoned\n\nA harmless beginning.\n\n## {POISON}\n\nWhat follows.\n",
}
HTML = {"Content-Type": "text/html"}
NAN = float("nan")
EVEN = [1.0, 2.0, 3.0, 4.0]
BIG = b" " * 1_000_000
UNREACHED = "cannot be reached"
SILENT = "it was silent for 0.1 seconds"
TOO_LONG = "took more than 0.1 seconds"
KEPT = "(4 chunks were embedded and are kept)"
BACKOFF = (0.5, 0.625)
FIVE = (BACKOFF, (1.0, 1.25), (2.0, 2.5), (4.0, 5.0))


def failed(name: str, server: Opening, said: str, **more: Any) -> Fault:
    return Fault(name, server, "failed", said, **more)


def done(name: str, server: Opening, **more: Any) -> Fault:
    return Fault(name, server, "done", **more)


def partly(name: str, server: Opening, said: str, **more: Any) -> Fault:
    return Fault(name, server, "partly", said, **more)


def slow(name: str, server: Opening, said: str, **more: Any) -> Fault:
    """Return a server that keeps us waiting, who wait 0.1 seconds at each of five attempts."""
    return failed(name, server, said, timeout_seconds=0.1, deadline_seconds=1.0, **more)


def often(piece: bytes, seconds: float = 0.02) -> Iterator[bytes | float]:
    for _ in range(1500):
        yield from (piece, seconds)


VECTORS = [
    failed("a dimension that changes", later(lambda _: [1.0, 2.0]), "2 numbers a vector, not 4"),
    failed("mixed dimensions", always(first([1.0])), "different lengths", attempts=3),
    failed("nan for all", each(lambda _: [NAN] * DIM), "not finite"),
    failed(
        "nan for all from the second batch on", later(lambda _: [NAN] * DIM), f"not finite {KEPT}"
    ),
    failed(
        "infinity, spelled out", always(lambda texts: written(texts, "-Infinity")), "not finite"
    ),
    failed("1e999", always(lambda texts: written(texts, "1e999")), "not finite"),
    failed(
        "an integer of 400 digits", always(lambda texts: written(texts, "9" * 400)), "answered with"
    ),
    failed("zeros for all", each(lambda _: [0.0] * DIM), "zeros"),
    failed("minus nought for all", each(lambda _: [-0.0] * DIM), "zeros"),
    failed("denormal norms", each(lambda one: [number * 5e-324 for number in one]), "zeros"),
    failed("one vector for every text", each(lambda _: EVEN), "same vector for different texts"),
    failed(
        "one vector for every text from the second batch on",
        later(lambda _: EVEN),
        "same vector for different texts (4 chunks",
    ),
    done("huge norms", each(lambda one: [number * 1e305 for number in one])),
    done("tiny norms", each(lambda one: [number * 1e-300 for number in one])),
    done("whole numbers", each(lambda one: [int(number) for number in one])),
    partly("nan for one text", for_one([NAN] * DIM), "poisoned.md"),
    partly("null for one text", for_one(None), "poisoned.md"),
    done("nan for one text among others", for_one([NAN] * DIM, alone=False)),
    done("nan once", once(first([NAN] * DIM)), pauses=(BACKOFF,)),
    done("zeros once", once(first([0.0] * DIM)), pauses=(BACKOFF,)),
    failed("null embeddings", each(lambda _: None), "without a vector"),
    failed("empty embeddings", each(lambda _: []), "without a vector"),
    failed("null for a number", each(lambda one: [None, *one[1:]]), "not all numbers"),
    failed(
        "texts for numbers", each(lambda one: [str(number) for number in one]), "not all numbers"
    ),
    failed("true for a number", each(lambda one: [True, *one[1:]]), "not all numbers"),
    failed("base64", each(lambda _: "AACAPwAAAEAAAEBAAACAQA=="), "base64"),
    failed("a vector for each token", each(lambda one: [one, one]), "for each token"),
    failed("an object for a vector", each(lambda _: {"0": 1.0}), "without a vector"),
]

ORDER = [
    failed(
        "too few", always(making(lambda vectors: vectors[1:])), "3 vectors for 4 texts", attempts=3
    ),
    failed(
        "too many",
        always(making(lambda vectors: [*vectors, EVEN])),
        "5 vectors for 4 texts",
        attempts=3,
    ),
    done("too few once", once(making(lambda vectors: vectors[1:])), pauses=(BACKOFF,)),
    failed("no data", always(json_reply({"object": "list", "data": []})), "0 vectors for 4 texts"),
    failed("null data", always(json_reply({"object": "list", "data": None})), "without a list"),
    failed("an object for data", always(json_reply({"data": {"0": EVEN}})), "without a list"),
    failed(
        "doubled indexes",
        always(indexed(lambda place, count: min(place, count - 2))),
        "missing or doubled",
    ),
    failed("indexes from one", always(indexed(lambda place, _: place + 1)), "missing or doubled"),
    failed(
        "negative indexes",
        always(indexed(lambda place, count: place - count)),
        "missing or doubled",
    ),
    failed("indexes in words", always(indexed(lambda place, _: str(place))), "missing or doubled"),
    failed(
        "indexes with a point", always(indexed(lambda place, _: float(place))), "missing or doubled"
    ),
    failed("no indexes", always(items(lambda item: item.pop("index"))), "missing or doubled"),
    done("shuffled", always(shuffled)),
    done("another object", always(other(object="embedding_list"))),
    done("another model's name", always(other(model="ada"))),
    done("no usage", always(other(usage=None))),
]

STATUSES = [
    failed(
        "400 for all",
        always(error_reply(400, "dimensions is not supported")),
        "dimensions is not supported",
        attempts=2,
    ),
    failed(
        "422 for all",
        always(error_reply(422, "no such field")),
        "refused the request (422): no such field",
        attempts=2,
    ),
    failed(
        "413 for all",
        always(error_reply(413, "too large")),
        "refused the request (413)",
        attempts=2,
    ),
    failed(
        "400 for all from the second batch on",
        after(1, error_reply(400, "no model is loaded")),
        f"no model is loaded {KEPT}",
    ),
    partly(
        "400 for one text",
        poisoned(error_reply(400, "that is not allowed")),
        "the server refused it: that is not allowed",
    ),
    partly(
        "422 for one text",
        poisoned(error_reply(422, "too long")),
        "the server refused it: too long",
    ),
    done("413 for more than two texts", for_many(error_reply(413, "too large"))),
    done("400 once", once(error_reply(400, "busy"))),
    failed(
        "401",
        always(error_reply(401, f"wrong key {KEY}")),
        "refused the key in MY_KEY (401)",
        attempts=1,
    ),
    failed(
        "403",
        always(error_reply(403, f"wrong key {KEY}")),
        "refused the key in MY_KEY (403)",
        attempts=1,
    ),
    failed(
        "404",
        always(error_reply(404, f"no model small for {KEY}")),
        "was not found (404)",
        attempts=1,
    ),
    failed("405", always(error_reply(405, "not so")), "failed (405)", attempts=1),
    failed(
        "a spent quota",
        always(error_reply(429, "no money", code="insufficient_quota")),
        "no money",
        attempts=1,
    ),
    failed(
        "429 for ever",
        always(error_reply(429, "slow down", headers={"Retry-After": "2"})),
        "slow down",
        attempts=5,
        pauses=((2, 2),) * 4,
    ),
    done("429 for two seconds", limited("2"), pauses=((2, 2),)),
    done("429 until a date", in_half_a_minute, pauses=((20, 30),)),
    done("429 for a minute", limited("60"), pauses=((60, 60),)),
    failed("429 for two minutes", limited("120"), "it asks to wait 120 seconds", pauses=()),
    failed("429 for thirty years", limited("1e9"), "it asks to wait more than a year", pauses=()),
    done("429 for less than nothing", limited("-5"), pauses=(BACKOFF,)),
    done("429 for nan", limited("nan"), pauses=(BACKOFF,)),
    done("429 for a word", limited("soon"), pauses=(BACKOFF,)),
    done("429 without a time", limited(None), pauses=(BACKOFF,)),
    done("429 four times", limited(None, 4), pauses=FIVE),
    *[
        done(f"{status} once", once(error_reply(status, "passing")), pauses=(BACKOFF,))
        for status in (408, 500, 502, 503)
    ],
    failed(
        "500 for ever",
        always(error_reply(500, f"key {KEY} broke me")),
        "failed (500): key *** broke me",
        attempts=5,
        pauses=FIVE,
    ),
    failed(
        "502 with a page for ever",
        always(Reply(502, HTML, b"<html>Bad Gateway</html>")),
        "failed (502)",
        attempts=5,
    ),
    failed(
        "503 from the second batch on",
        after(1, error_reply(503, "down")),
        f"failed (503): down {KEPT}; try again later; the same command goes on from there",
        attempts=6,
    ),
    failed("307 to another host", redirect(307), "redirects elsewhere", attempts=1),
    failed("301 to another host", redirect(301), "redirects elsewhere", attempts=1),
    failed("a redirect to itself", round_and_round, "redirects elsewhere", attempts=1),
    failed("204", always(Reply(204)), "answered with nothing"),
]

CONNECTION = [
    failed("refused", lambda _: Nobody(), UNREACHED, attempts=0, pauses=FIVE),
    failed("an unknown host", lambda _: Nobody("name.invalid"), UNREACHED, deadline_seconds=20.0),
    failed("closed without a byte", wire(), UNREACHED, attempts=5),
    failed("reset before the headers", wire(RESET), UNREACHED, attempts=5),
    failed("reset in the headers", wire(b"HTTP/1.1 200 OK\r\nX-", RESET), UNREACHED, attempts=5),
    failed(
        "reset after the headers", wire(head("Content-Length: 99"), RESET), UNREACHED, attempts=5
    ),
    failed("closed in the headers", wire(b"HTTP/1.1 200 OK\r\nX-"), UNREACHED, attempts=5),
    failed(
        "TLS asked of a plain port",
        lambda _: Disguised(lambda: [head("Content-Length: 0")], is_rude=True),
        UNREACHED,
    ),
    failed("plain HTTP to a TLS port", lambda _: Disguised(tuple, is_tls=True), UNREACHED),
    failed(
        "a self-signed certificate",
        lambda _: WireServer(lambda: [head()], is_tls=True),
        "SSL_CERT_FILE",
        pauses=(),
    ),
    slow("a machine that takes no connection", lambda _: Full(), f"{UNREACHED}: timed out"),
    slow("a hang before the headers", wire(60.0), SILENT, attempts=5),
    slow("a hang in the headers", wire(b"HTTP/1.1 200 OK\r\nX-", 60.0), SILENT, attempts=5),
    slow("a hang after the headers", wire(head("Content-Length: 99"), 60.0), UNREACHED, attempts=5),
    slow(
        "a hang in the body",
        wire(head("Content-Length: 99"), b'{"data"', 60.0),
        UNREACHED,
        attempts=5,
    ),
    slow(
        "headers of a byte at a time",
        wired(lambda: [b"HTTP/1.1 200 OK\r\nX: ", *([b"x", 0.02] * 999)]),
        TOO_LONG,
        attempts=1,
    ),
    slow(
        "a body of a byte at a time",
        scripted(lambda _: Reply(body=often(b" "))),
        TOO_LONG,
        attempts=1,
    ),
    slow(
        "an error of a byte at a time",
        scripted(lambda _: Reply(500, body=often(b" "))),
        TOO_LONG,
        attempts=1,
    ),
    failed(
        "a cut body for ever",
        always(lambda texts: replace(embedding_reply(good(texts)), cut=True)),
        UNREACHED,
        attempts=5,
    ),
    done(
        "a cut body once",
        once(lambda texts: replace(embedding_reply(good(texts)), cut=True)),
        pauses=(BACKOFF,),
    ),
    done("dropped twice", after(1, Reply(drop=True), 2), pauses=FIVE[:2]),
    failed(
        "a length that is no number",
        wire(head("Content-Length: many"), b"{}"),
        UNREACHED,
        attempts=5,
    ),
    failed(
        "chunks without a size", wire(head(CHUNKED), b"nonsense\r\n\r\n"), UNREACHED, attempts=5
    ),
    failed(
        "chunks that are cut", wire(head(CHUNKED), chunked(b'{"data": [')), UNREACHED, attempts=5
    ),
    failed(
        "a header of a megabyte",
        wire(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1_000_000, b"\r\n\r\n"),
        UNREACHED,
        attempts=5,
    ),
    failed("no HTTP at all", wire(b"SSH-2.0-OpenSSH_9.2\r\n"), UNREACHED, attempts=5),
]

BODIES = [
    failed("an empty body", always(Reply()), "answered with nothing", attempts=3),
    failed("invalid JSON", always(Reply(body=b'{"data": [')), "not JSON", attempts=3),
    done("invalid JSON once", once(Reply(body=b'{"data": [')), pauses=(BACKOFF,)),
    failed(
        "a page with 200",
        always(Reply(headers=HTML, body=b"<html>Welcome</html>")),
        "not JSON",
        attempts=3,
    ),
    failed("bad UTF-8", always(Reply(body=b'{"data": "\xff\xfe\xfa"}')), "not JSON", attempts=3),
    failed("JSON nested too deeply", always(Reply(body=b"[" * 200_000)), "not JSON", attempts=3),
    failed("a list", always(json_reply([1, 2, 3])), "without a list of embeddings", attempts=3),
    failed("null", always(json_reply(None)), "without a list of embeddings", attempts=3),
    failed(
        "200 with an error in it",
        always(json_reply({"error": {"message": f"{KEY}: out of memory"}})),
        "without a list of embeddings: ***: out of memory",
        attempts=3,
    ),
    failed(
        "terminal codes in an error",
        always(error_reply(500, "\x1b]0;owned\x07\x1b[2Jred")),
        "failed (500)",
        attempts=5,
    ),
    failed(
        "a body of a gigabyte",
        scripted(lambda _: Reply(body=(BIG for _ in range(1000)))),
        "more than 64 MiB",
        attempts=1,
        deadline_seconds=10.0,
    ),
    failed(
        "an error of a gigabyte",
        scripted(lambda _: Reply(400, body=(BIG for _ in range(1000)))),
        "more than 64 MiB",
        attempts=1,
        deadline_seconds=10.0,
    ),
    failed(
        "a gzip bomb",
        always(Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(BIG * 50))),
        "not JSON",
        attempts=3,
    ),
]

FAULTS = [*VECTORS, *ORDER, *STATUSES, *CONNECTION, *BODIES]


# --- what is stored -------------------------------------------------------------------------


def unit_of(text: str) -> Any:
    raw = np.array(vector_of(text))
    return raw / np.linalg.norm(raw)


def bad_vectors(index: Path, texts: Iterable[str]) -> list[str]:
    """Return what is wrong with each stored vector that is not the good server's for its text."""
    manifest = index / "manifest.json"
    if not manifest.exists():
        return []
    database = index / json.loads(manifest.read_text(encoding="utf-8"))["database"]
    known = {vector_key(text): unit_of(text) for text in texts}
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT key, vector FROM vectors").fetchall()
    found = {key: np.frombuffer(stored, dtype="<f4") for key, stored in rows}
    return [
        f"{key.hex()}: {vector}"
        for key, vector in found.items()
        if key not in known
        or vector.shape != (DIM,)
        or not np.allclose(vector, known[key], rtol=0, atol=1e-6)
    ]


# --- many files, many faults ----------------------------------------------------------------

_PASSING: tuple[Callable[[random.Random, list[str]], Reply], ...] = (
    lambda _, texts: error_reply(429, "slow down", headers={"Retry-After": "3"}),
    lambda _, texts: error_reply(429, "slow down"),
    lambda _, texts: error_reply(500, "broken"),
    lambda _, texts: Reply(503, HTML, b"<html>no</html>"),
    lambda _, texts: Reply(drop=True),
    lambda _, texts: replace(embedding_reply(good(texts)), cut=True),
    lambda chance, texts: embedding_reply(
        [[NAN] * DIM if chance.random() < 0.3 else vector_of(text) for text in texts]
    ),
    lambda _, texts: embedding_reply([*good(texts)[1:], [0.0] * DIM]),
    lambda _, texts: shuffled(texts),
    lambda _, texts: indexed(lambda place, count: min(place, count - 2))(texts),
    lambda _, texts: embedding_reply(good(texts)[1:]),
    lambda _, texts: embedding_reply([EVEN] * len(texts)),
    lambda _, texts: embedding_reply([[1.0, 2.0]] * len(texts)),
    lambda _, texts: error_reply(400, "I would rather not"),
    lambda _, texts: Reply(headers=HTML, body=b"<html>Welcome</html>"),
    lambda _, texts: Reply(delay_seconds=2.0),
)


def flaky(seed: int, share: float) -> Script:
    """Return a script that fails that share of its requests, each in a way drawn by chance."""
    chance, lock = random.Random(seed), threading.Lock()

    def script(request: Recorded) -> Reply:
        with lock:
            if chance.random() >= share:
                return embeddings(request)
            return chance.choice(_PASSING)(chance, request.body["input"])

    return script


@contextmanager
def small_batches(texts: int) -> Iterator[None]:
    before = journey.BATCH_TEXTS
    journey.BATCH_TEXTS = texts  # type: ignore[misc]
    try:
        yield
    finally:
        journey.BATCH_TEXTS = before  # type: ignore[misc]


def embedder_of(base_url: str, pauses: list[float]) -> OpenAIEmbedder:
    """Return an embedder that notes its pauses instead of sleeping."""
    return OpenAIEmbedder(
        "small",
        HashCounter(8191),
        base_url=base_url,
        api_key=KEY,
        timeout_seconds=0.5,
        sleep=pauses.append,
    )


class Nights(Campaign):
    """A thousand files and a server that fails three times in ten: run until all is in."""

    name: ClassVar[str] = "T13 flaky embedder"
    short: ClassVar[int] = 1
    long: ClassVar[int] = 4
    files: ClassVar[int] = 1000
    batch: ClassVar[int] = 16
    most_runs: ClassVar[int] = 200

    def __init__(self, place: Path, server: ForkServer) -> None:
        super().__init__(place, server)
        self.documents = world.documents(7, self.files)
        self.root = place / "notes"
        world.write(self.root, self.documents)
        self.texts: list[str] = []
        with ScriptedServer(embeddings) as healthy:
            self._ingest(place / "clean", healthy.base_url, [])
            for body in healthy.bodies:
                self.texts += body["input"]
        self.clean = world.dump(str(place / "clean"))

    def trial(self, number: int) -> Verdict | None:
        index = self.place / f"index-{number}"
        pauses: list[float] = []
        ends: list[str] = []
        with ScriptedServer(flaky(number, 0.3)) as server:
            while len(ends) < self.most_runs and (not ends or ends[-1] != "done"):
                ends.append(self._ingest(index, server.base_url, pauses))
                if wrong := bad_vectors(index, self.texts):
                    return Verdict("bad vector stored", True, f"run {len(ends)}: {wrong[:3]}")
            requests = len(server.requests)
        held = world.dump(str(index))
        figures = {
            "runs_max": float(len(ends)),
            "runs": float(len(ends)),
            "requests": float(requests),
            "seconds_slept": sum(pauses),
        }
        what = f"{len(ends)} runs, {requests} requests: {', '.join(ends[-3:])}"
        if ends[-1] != "done":
            return Verdict("never done", True, what, figures)
        if (held["documents"], held["faults"]) != (self.clean["documents"], []):
            return Verdict("not the clean build", True, f"{what}; {held['faults']}", figures)
        return Verdict("clean", False, what, figures)

    def _ingest(self, index: Path, base_url: str, pauses: list[float]) -> str:
        """Return how one run ended: done, with failed files, or in one line."""
        config = replace(
            Config(), index=IndexSettings(str(index)), embedding=EmbeddingSettings("openai")
        )
        embedder = embedder_of(base_url, pauses)
        try:
            with small_batches(self.batch):
                report = ingest_folder(self.root, config, embedder=embedder)
        except EmbeddingError as error:
            return str(error)
        finally:
            embedder.close()
        return f"{report.documents.failed} files failed" if report.failures else "done"
