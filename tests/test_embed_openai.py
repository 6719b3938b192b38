from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

from askmd.embed import OpenAIEmbedder
from askmd.errors import ConfigError, EmbedderUnreachable, EmbeddingError, TextsRejected
from askmd.tokens import HashCounter
from askmd.types import Identity
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

KEY = "sk-secret-canary"
TEXTS = ["one", "two", "three"]


@contextmanager
def embedding(
    reply: Reply | Script = embeddings, **options: Any
) -> Iterator[tuple[OpenAIEmbedder, ScriptedServer, list[float]]]:
    """Run a scripted server and an embedder that asks it; pauses are noted instead of slept."""
    script = (lambda _request: reply) if isinstance(reply, Reply) else reply
    pauses: list[float] = []
    with ScriptedServer(script) as server:
        given = {"base_url": server.base_url, "api_key": KEY, "key_name": "MY_KEY", **options}
        embedder = OpenAIEmbedder("small", HashCounter(8191), sleep=pauses.append, **given)
        yield embedder, server, pauses
        embedder.close()


def expected(texts: list[str]) -> np.ndarray:
    raw = np.array([vector_of(text) for text in texts])
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def refusing(poison: str) -> Script:
    """Answer as OpenAI does: one text it will not have spoils the whole batch."""

    def script(request: Recorded) -> Reply:
        if any(poison in text for text in request.body["input"]):
            return error_reply(400, f"'{poison}' is not allowed here")
        return embeddings(request)

    return script


# --- what is sent ---------------------------------------------------------------------------


def test_passages_come_back_as_unit_vectors_in_their_order() -> None:
    with embedding() as (embedder, server, pauses):
        vectors = embedder.embed(TEXTS)
    np.testing.assert_allclose(vectors, expected(TEXTS), rtol=1e-6)
    assert vectors.dtype == np.float32
    assert pauses == []
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/embeddings")
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {"input": TEXTS, "model": "small", "encoding_format": "float"}


def test_dimensions_and_prefixes_are_sent_where_they_are_set() -> None:
    options = {"dimensions": 4, "query_prefix": "q: ", "passage_prefix": "p: "}
    with embedding(**options) as (embedder, server, _):
        [passage], query = embedder.embed(["one"]), embedder.embed_query("one")
    np.testing.assert_allclose([passage, query], expected(["p: one", "q: one"]), rtol=1e-6)
    assert [(body["input"], body["dimensions"]) for body in server.bodies] == [
        (["p: one"], 4),
        (["q: one"], 4),
    ]


def test_nothing_of_the_environment_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("API_KEY", "ADMIN_KEY", "ORG_ID", "PROJECT_ID"):
        monkeypatch.setenv(f"OPENAI_{name}", "stray")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/stray")
    foreign = ["X-Secret", "Cookie", "OpenAI-Organization", "User-Agent", "authorization", "Host"]
    lines = "\n".join(f"{name}: Bearer stray" for name in foreign)
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", lines)
    with embedding(api_key="") as (embedder, server, _):
        embedder.embed(["one"])
    [request] = server.requests
    headers = dict(request.headers)
    assert int(headers.pop("content-length")) > 0
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "askmd",
        "accept": "application/json",
        "accept-encoding": "identity",
        "authorization": "Bearer none",
        "content-type": "application/json",
    }


def test_batches_are_bounded_by_texts_and_by_tokens() -> None:
    texts = ["a", "b", "c", "d e f g h", "i", "a b c d e f g h i j k l"]
    with embedding(batch_texts=2, batch_tokens=10) as (embedder, server, _):
        vectors = embedder.embed(texts)
    assert [body["input"] for body in server.bodies] == [
        ["a", "b"],
        ["c", "d e f g h"],
        ["i"],
        ["a b c d e f g h i j k l"],
    ]
    np.testing.assert_allclose(vectors, expected(texts), rtol=1e-6)


def test_no_texts_send_nothing() -> None:
    with embedding() as (embedder, server, _):
        assert embedder.embed([]).shape == (0, 0)
    assert server.requests == []


def test_the_identity_knows_its_dimension_once_the_server_has_told_it() -> None:
    with embedding(query_prefix="q: ") as (embedder, _, _):
        before = embedder.identity(max_tokens=200, chunker=3)
        embedder.embed(["one"])
        after = embedder.identity(max_tokens=200, chunker=3)
    assert before == Identity(
        provider="openai",
        model="small",
        revision="",
        dim=0,
        query_prefix="q: ",
        passage_prefix="",
        tokenizer="hash-pieces-8",
        max_tokens=200,
        chunker=3,
    )
    assert (before.dim, after.dim) == (0, 4)


def test_a_closed_embedder_can_be_closed_again() -> None:
    with embedding() as (embedder, _, _):
        embedder.embed(["one"])
        embedder.close()
        embedder.close()


def test_threads_share_an_embedder() -> None:
    results: dict[int, Any] = {}
    with embedding() as (embedder, server, _):

        def ask(number: int) -> None:
            results[number] = embedder.embed_query(f"question {number}")

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.requests) == 8
    found = [results[number] for number in range(8)]
    np.testing.assert_allclose(found, expected([f"question {n}" for n in range(8)]), rtol=1e-6)


# --- what comes back ------------------------------------------------------------------------


def test_vectors_are_put_in_the_order_of_their_indexes() -> None:
    shuffled = [2, 0, 1]
    reply = embedding_reply([vector_of(TEXTS[i]) for i in shuffled], indexes=shuffled)
    with embedding(reply) as (embedder, _, _):
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)


GOOD = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
UNUSABLE = {
    "too few": (embedding_reply(GOOD[:2]), "2 vectors for 3 texts"),
    "too many": (embedding_reply([*GOOD, [1.0, 1.0]]), "4 vectors for 3 texts"),
    "none": (embedding_reply([]), "0 vectors for 3 texts"),
    "doubled index": (embedding_reply(GOOD, indexes=[0, 1, 1]), "missing or doubled indexes"),
    "index from one": (embedding_reply(GOOD, indexes=[1, 2, 3]), "missing or doubled indexes"),
    "no index": (
        json_reply({"data": [{"embedding": vector} for vector in GOOD]}),
        "missing or doubled indexes",
    ),
    "mixed dimensions": (embedding_reply([[1.0], *GOOD[1:]]), "different lengths"),
    "nan": (embedding_reply([[float("nan"), 1.0], *GOOD[1:]]), "not finite"),
    "infinite": (embedding_reply([[float("inf"), 1.0], *GOOD[1:]]), "not finite"),
    "zero": (embedding_reply([[0.0, 0.0], *GOOD[1:]]), "zeros"),
    "null": (embedding_reply([[None, 1.0], *GOOD[1:]]), "not all numbers"),
    "texts for numbers": (embedding_reply([["1", "2"], *GOOD[1:]]), "not all numbers"),
    "empty vectors": (embedding_reply([[], [], []]), "without a vector"),
    "base64": (embedding_reply(["AACAPwAAAEA="] * 3), "base64"),
    "a vector a token": (embedding_reply([[[1.0, 2.0]], [[1.0]], [[2.0]]]), "for each token"),
    "no vector": (embedding_reply([None, *GOOD[1:]]), "without a vector"),
    "a denormal": (embedding_reply([[5e-324, 0.0], *GOOD[1:]]), "zeros"),
    "a number for a vector": (embedding_reply([3.0, *GOOD[1:]]), "without a vector"),
    "an object": (json_reply({"embedding": GOOD}), "without a list of embeddings"),
    "a list": (json_reply(GOOD), "without a list of embeddings"),
    "null data": (json_reply({"data": None}), "without a list of embeddings"),
    "html": (
        Reply(headers={"Content-Type": "text/html"}, body=b"<html>Welcome</html>"),
        "not JSON",
    ),
    "broken JSON": (Reply(body=b'{"data": ['), "not JSON"),
    "bad UTF-8": (Reply(body=b"\xff\xfe\xfa"), "not JSON"),
    "an empty body": (Reply(body=b""), "answered with nothing"),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_an_answer_without_usable_vectors_names_the_model_and_its_server(fault: str) -> None:
    reply, reason = UNUSABLE[fault]
    with embedding(reply) as (embedder, server, _):
        with pytest.raises(EmbeddingError, match=reason) as raised:
            embedder.embed(TEXTS)
        assert f"the embedder small at {server.base_url}" in str(raised.value)
        # Three times the texts, three times a word alone where only vectors were wrong.
        assert len(server.requests) in (3, 6)


@pytest.mark.parametrize("fault", UNUSABLE)
def test_an_answer_that_is_unusable_once_is_asked_for_again(fault: str) -> None:
    bad, _ = UNUSABLE[fault]
    with embedding(sequence(bad, embeddings)) as (embedder, server, pauses):
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    assert (len(server.requests), len(pauses)) == (2, 1)


def spoiling(poison: str, bad: Any, *, alone: bool = True) -> Script:
    """Answer with no vector for one text, or only where it does not come alone."""

    def script(request: Recorded) -> Reply:
        texts = request.body["input"]
        spoils = alone or len(texts) > 1
        vectors = [bad if spoils and poison in text else vector_of(text) for text in texts]
        return embedding_reply(vectors)

    return script


BAD_VECTORS = {
    "nan": [float("nan")] * 4,
    "zeros": [0.0] * 4,
    "denormal": [5e-324] * 4,
    "null": None,
    "nulls": [None] * 4,
    "texts": ["1"] * 4,
    "empty": [],
}


@pytest.mark.parametrize("kind", BAD_VECTORS)
def test_a_text_that_never_gets_a_vector_is_named_and_spoils_no_other(kind: str) -> None:
    texts = [f"text {number}" for number in range(16)]
    texts[5] = "a poison pill"
    with embedding(spoiling("poison", BAD_VECTORS[kind])) as (embedder, server, _):
        with pytest.raises(TextsRejected) as raised:
            embedder.embed(texts)
        rest = [text for text in texts if "poison" not in text]
        np.testing.assert_allclose(embedder.embed(rest), expected(rest), rtol=1e-6)
    [(place, reason)] = raised.value.reasons.items()
    assert (place, "answered with" in reason) == (5, True)
    # Thrice all, a word of our own, five times the text alone, and the rest at the end.
    assert len(server.requests) == 3 + 1 + 5 + 1


def test_a_text_that_is_spoilt_by_its_neighbours_alone_gets_its_vector() -> None:
    texts = ["one", "a poison pill", "three"]
    with embedding(spoiling("poison", [float("nan")] * 4, alone=False)) as (embedder, _, _):
        np.testing.assert_allclose(embedder.embed(texts), expected(texts), rtol=1e-6)


def test_a_server_that_begins_to_refuse_everything_is_itself_at_fault() -> None:
    fault = error_reply(400, "no model is loaded")
    with embedding(sequence(embeddings, fault)) as (embedder, server, _):
        embedder.embed(["one"])
        with pytest.raises(EmbeddingError, match="no model is loaded") as raised:
            embedder.embed([f"text {number}" for number in range(64)])
    assert not isinstance(raised.value, TextsRejected)
    assert len(server.requests) == 3


SAME = [1.0, 2.0, 3.0, 4.0]


def test_one_vector_for_different_texts_is_refused() -> None:
    def script(request: Recorded) -> Reply:
        return embedding_reply([SAME for _ in request.body["input"]])

    with embedding(script) as (embedder, server, _):
        with pytest.raises(EmbeddingError, match="same vector for different texts"):
            embedder.embed(TEXTS)
        assert len(server.requests) == 6


def test_one_vector_for_different_texts_once_is_asked_for_again() -> None:
    same = embedding_reply([SAME for _ in TEXTS])
    with embedding(sequence(same, embeddings)) as (embedder, server, pauses):
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    assert (len(server.requests), len(pauses)) == (3, 1)


def test_one_vector_for_a_part_of_a_batch_is_refused_if_its_texts_are_not_alike() -> None:
    texts = [f"text {number}" for number in range(8)]

    def script(request: Recorded) -> Reply:
        asked = request.body["input"]
        head = [SAME] * (len(asked) // 2) if len(asked) == len(texts) else []
        return embedding_reply([*head, *map(vector_of, asked[len(head) :])])

    refused = pytest.raises(EmbeddingError, match="same vector for different texts")
    with embedding(script) as (embedder, _, _), refused:
        embedder.embed(texts)


def test_texts_that_are_alike_to_the_model_may_share_a_vector() -> None:
    def script(request: Recorded) -> Reply:
        seen = [text if text.isascii() else "[UNK]" for text in request.body["input"]]
        return embedding_reply([vector_of(text) for text in seen])

    texts = ["東京", "京都", "大阪", "Nara"]
    with embedding(script) as (embedder, server, _):
        vectors = embedder.embed(texts)
    np.testing.assert_allclose(vectors, expected(["[UNK]"] * 3 + ["Nara"]), rtol=1e-6)
    assert len(server.requests) == 2


def test_texts_that_differ_in_case_and_blanks_alone_are_not_doubted() -> None:
    def script(request: Recorded) -> Reply:
        texts = [" ".join(text.lower().split()) for text in request.body["input"]]
        return embedding_reply([vector_of(text) for text in texts])

    with embedding(script) as (embedder, server, _):
        embedder.embed(["one  two", "One two", "ONE TWO", "one two "])
    assert len(server.requests) == 1


def test_the_words_of_an_error_inside_a_200_are_told_without_the_key() -> None:
    reply = json_reply({"error": {"message": f"{KEY} ran out of memory"}})
    refused = pytest.raises(EmbeddingError, match=r"list of embeddings: \*\*\* ran out of memory")
    with embedding(reply) as (embedder, _, _), refused as raised:
        embedder.embed(["one"])
    assert KEY not in repr(raised.value)


def test_a_text_that_is_spoilt_and_then_refused_alone_is_named() -> None:
    def script(request: Recorded) -> Reply:
        texts = request.body["input"]
        if texts == ["a poison pill"]:
            return error_reply(400, "not that")
        return embedding_reply([None if "poison" in text else vector_of(text) for text in texts])

    with embedding(script) as (embedder, _, _), pytest.raises(TextsRejected) as raised:
        embedder.embed(["one", "a poison pill"])
    assert raised.value.reasons == {1: "the server refused it: not that"}


def test_a_dimension_that_changes_is_refused() -> None:
    with embedding(sequence(embeddings, embedding_reply([[1.0, 2.0]]))) as (embedder, _, _):
        embedder.embed(["one"])
        with pytest.raises(EmbeddingError, match="2 numbers a vector, not 4"):
            embedder.embed(["two"])


def test_dimensions_that_the_server_ignores_are_refused() -> None:
    refused = pytest.raises(EmbeddingError, match="4 numbers a vector, not 3")
    with embedding(dimensions=3) as (embedder, _, _), refused:
        embedder.embed(["one"])


# --- asking again ---------------------------------------------------------------------------


def busy(retry_after: str | None, status: int = 429) -> Reply:
    return error_reply(status, "busy", headers={"Retry-After": retry_after} if retry_after else {})


def soon() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "told"),
    [("61", "61 seconds"), ("7200", "120 minutes"), ("1e9", "more than a year")],
)
def test_who_asks_for_more_than_a_minute_is_told_as_such_and_not_asked_again(
    retry_after: str, told: str
) -> None:
    with embedding(busy(retry_after)) as (embedder, server, pauses):
        with pytest.raises(EmbedderUnreachable, match=f"asks to wait {told}; try again later"):
            embedder.embed(["one"])
        assert (len(server.requests), pauses) == (1, [])


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503])
def test_a_fault_that_passes_is_asked_again_with_growing_pauses(status: int) -> None:
    fault = error_reply(status, "passing")
    with embedding(sequence(fault, fault, fault, embeddings)) as (embedder, server, pauses):
        np.testing.assert_allclose(embedder.embed(TEXTS), expected(TEXTS), rtol=1e-6)
    assert len(server.requests) == 4
    first, second, third = pauses
    assert 0.5 <= first <= 0.625 < 1.0 <= second <= 1.25 < 2.0 <= third <= 2.5


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("7", 7, 7),
        ("0.25", 0.25, 0.25),
        ("0", 0, 0),
        ("60", 60, 60),
        ("a date", 20, 30),
        ("-5", 0.5, 0.625),
        ("nan", 0.5, 0.625),
        ("soon", 0.5, 0.625),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0.5, 0.625),
        (None, 0.5, 0.625),
    ],
    ids=[
        "seconds",
        "part",
        "zero",
        "a minute",
        "date",
        "negative",
        "nan",
        "word",
        "past",
        "absent",
    ],
)
def test_retry_after_is_waited_for_up_to_a_minute(
    retry_after: str | None, least: float, most: float
) -> None:
    asked = soon() if retry_after == "a date" else retry_after
    with embedding(sequence(busy(asked), embeddings)) as (embedder, _, pauses):
        embedder.embed(["one"])
        [pause] = pauses
    assert least <= pause <= most


def test_a_server_that_stays_down_is_unreachable_after_five_attempts() -> None:
    with embedding(error_reply(503, "down for maintenance")) as (embedder, server, pauses):
        with pytest.raises(EmbedderUnreachable, match=r"failed \(503\): down for maintenance"):
            embedder.embed(["one"])
        assert (len(server.requests), len(pauses)) == (5, 4)


def test_a_question_is_asked_twice_at_most() -> None:
    with embedding(error_reply(503, "down")) as (embedder, server, _):
        with pytest.raises(EmbedderUnreachable):
            embedder.embed_query("one")
        assert len(server.requests) == 2


def test_a_question_does_not_wait_for_a_server_that_asks_for_patience() -> None:
    with embedding(busy("30")) as (embedder, server, pauses):
        with pytest.raises(EmbedderUnreachable):
            embedder.embed_query("one")
        assert (len(server.requests), pauses) == (1, [])


def test_a_spent_quota_is_not_asked_again() -> None:
    with embedding(error_reply(429, "no money", code="insufficient_quota")) as (
        embedder,
        server,
        _,
    ):
        with pytest.raises(EmbedderUnreachable, match="no money"):
            embedder.embed(["one"])
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    "broken",
    [
        Reply(drop=True),
        json_reply({"data": []}, cut=True),
        Reply(status=500, body=b'{"error": {"message": "half', cut=True),
    ],
    ids=["dropped", "cut", "cut error"],
)
def test_a_connection_that_breaks_is_tried_again(broken: Reply) -> None:
    with embedding(sequence(broken, embeddings)) as (embedder, server, pauses):
        np.testing.assert_allclose(embedder.embed(["one"]), expected(["one"]), rtol=1e-6)
    assert (len(server.requests), len(pauses)) == (2, 1)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (
        embedding(base_url=f"http://127.0.0.1:{port}/v1") as (embedder, _, pauses),
        pytest.raises(EmbedderUnreachable, match="cannot be reached") as raised,
    ):
        embedder.embed(["one"])
    assert "start the server" in raised.value.next_step
    assert len(pauses) == 4


def test_a_server_that_hangs_ends_at_the_timeout() -> None:
    began = time.monotonic()
    hanging = Reply(delay_seconds=30)
    with embedding(hanging, timeout_seconds=0.2, attempts=2) as (embedder, server, _):
        with pytest.raises(EmbedderUnreachable, match="cannot be reached"):
            embedder.embed(["one"])
        assert len(server.requests) == 2
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("status", [200, 400, 503])
def test_an_answer_that_drips_ends_at_the_timeout_and_is_not_asked_for_again(status: int) -> None:
    began = time.monotonic()
    dripping = Reply(status, body=[b" ", 0.05] * 200)
    with embedding(dripping, timeout_seconds=0.4) as (embedder, server, _):
        with pytest.raises(EmbedderUnreachable, match=r"took more than 0\.4 seconds"):
            embedder.embed(["one"])
        assert len(server.requests) == 1
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("status", [200, 400, 503])
def test_an_answer_without_an_end_is_refused_and_not_asked_for_again(status: int) -> None:
    endless = Reply(status, body=[b" " * 1_000_000] * 80)
    with embedding(endless) as (embedder, server, _):
        with pytest.raises(EmbeddingError, match="more than 64 MiB") as raised:
            embedder.embed(["one"])
        assert not isinstance(raised.value, EmbedderUnreachable)
        assert len(server.requests) == 1


def test_an_answer_that_was_packed_unasked_is_not_unpacked() -> None:
    bomb = Reply(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b" " * 1_000_000))
    with embedding(bomb) as (embedder, _, _), pytest.raises(EmbeddingError, match="not JSON"):
        embedder.embed(["one"])


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("poisoned", [0, 5, 15])
def test_one_poisoned_text_is_named_and_spoils_no_other(poisoned: int) -> None:
    texts = [f"text {number}" for number in range(16)]
    texts[poisoned] = "a poison pill"
    with embedding(refusing("poison")) as (embedder, server, _):
        with pytest.raises(TextsRejected) as raised:
            embedder.embed(texts)
        rest = [text for text in texts if "poison" not in text]
        np.testing.assert_allclose(embedder.embed(rest), expected(rest), rtol=1e-6)
    [(place, reason)] = raised.value.reasons.items()
    assert place == poisoned
    assert reason == "the server refused it: 'poison' is not allowed here"
    assert len(server.requests) <= 11


def test_several_poisoned_texts_in_several_batches_are_all_named() -> None:
    texts = ["fine", "poison", "fine", "poison", "poison", "fine", "poison"]
    with (
        embedding(refusing("poison"), batch_texts=3) as (embedder, _, _),
        pytest.raises(TextsRejected) as raised,
    ):
        embedder.embed(texts)
    assert list(raised.value.reasons) == [1, 3, 4, 6]


def test_a_batch_that_is_too_large_is_halved_until_it_is_taken() -> None:
    def script(request: Recorded) -> Reply:
        is_large = len(request.body["input"]) > 4
        return error_reply(413, "too large") if is_large else embeddings(request)

    texts = [f"text {number}" for number in range(16)]
    with embedding(script) as (embedder, _, _):
        np.testing.assert_allclose(embedder.embed(texts), expected(texts), rtol=1e-6)


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_every_text_is_itself_at_fault(status: int) -> None:
    reply = error_reply(status, "dimensions is not supported")
    with embedding(reply, dimensions=9) as (embedder, server, _):
        with pytest.raises(EmbeddingError, match="dimensions is not supported") as raised:
            embedder.embed([f"text {number}" for number in range(64)])
        assert not isinstance(raised.value, TextsRejected)
        assert [body["input"] for body in server.bodies[1:]] == [["a"]]


def test_a_refused_question_is_an_error_of_its_own() -> None:
    with (
        embedding(refusing("poison")) as (embedder, _, _),
        pytest.raises(EmbeddingError, match="refused the request"),
    ):
        embedder.embed_query("poison")


REFUSALS = {
    401: "refused the key in MY_KEY",
    403: "refused the key in MY_KEY",
    404: r"was not found \(404\)",
    405: r"failed \(405\)",
}


@pytest.mark.parametrize("status", REFUSALS)
def test_a_status_that_will_not_pass_is_one_line_at_once(status: int) -> None:
    reply = error_reply(status, f"you sent {KEY}, which is wrong")
    with embedding(reply) as (embedder, server, _):
        with pytest.raises(EmbeddingError, match=REFUSALS[status]) as raised:
            embedder.embed(["one"])
        assert not isinstance(raised.value, EmbedderUnreachable)
        assert len(server.requests) == 1
    assert "\n" not in str(raised.value)


def test_a_server_that_wants_a_key_says_which_variable_to_set() -> None:
    with (
        embedding(error_reply(401, "no key"), api_key="") as (embedder, _, _),
        pytest.raises(EmbeddingError, match=r"wants a key .* variable MY_KEY"),
    ):
        embedder.embed(["one"])


def test_a_redirect_is_not_followed_and_gets_no_key() -> None:
    with ScriptedServer(embeddings) as elsewhere:
        reply = Reply(307, {"Location": f"{elsewhere.base_url}/embeddings"})
        with (
            embedding(reply) as (embedder, _, _),
            pytest.raises(EmbeddingError, match="redirects elsewhere"),
        ):
            embedder.embed(["one"])
    assert elsewhere.requests == []


def test_an_error_page_is_not_quoted() -> None:
    page = Reply(400, {"Content-Type": "text/html"}, b"<html><body>Bad Request</body></html>")
    with (
        embedding(page) as (embedder, _, _),
        pytest.raises(EmbeddingError, match=r"refused the request \(400\);"),
    ):
        embedder.embed(["one"])


# --- secrets --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500])
def test_the_key_stands_in_no_message(status: int) -> None:
    reply = error_reply(status, f"the key {KEY} is known to us")
    with embedding(reply, attempts=1) as (embedder, _, _):
        with pytest.raises(EmbeddingError) as raised:
            embedder.embed(["one"])
        assert KEY not in f"{raised.value} {raised.value.args} {embedder!r} {vars(embedder)}"


def test_a_rejected_texts_reason_does_not_hold_the_key() -> None:
    def script(request: Recorded) -> Reply:
        is_poison = "poison" in request.body["input"][0]
        return error_reply(400, f"{KEY} may not") if is_poison else embeddings(request)

    with embedding(script) as (embedder, _, _), pytest.raises(TextsRejected) as raised:
        embedder.embed(["poison"])
    assert raised.value.reasons == {0: "the server refused it: *** may not"}


def test_a_password_in_the_address_stands_in_no_message() -> None:
    with (
        embedding(base_url="http://user:password@127.0.0.1:9/v1") as (embedder, _, _),
        pytest.raises(ConfigError) as raised,
    ):
        embedder.embed(["one"])
    assert "password" not in f"{raised.value} {embedder!r}"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"api_key": "schlüssel"}, "the key in MY_KEY is no key"),
        ({"api_key": "two\nlines"}, "the key in MY_KEY is no key"),
        ({"base_url": "http://[half/v1"}, "no address that can be used"),
    ],
    ids=["umlaut", "lines", "address"],
)
def test_settings_that_cannot_be_sent_are_errors_of_the_configuration(
    options: dict[str, str], reason: str
) -> None:
    with embedding(**options) as (embedder, server, _):
        with pytest.raises(ConfigError, match=reason):
            embedder.embed(["one"])
        assert server.requests == []


def test_a_lone_surrogate_is_sent_as_a_question_mark() -> None:
    with embedding() as (embedder, server, _):
        embedder.embed_query("a\ud800b")
    assert server.bodies[0]["input"] == ["a?b"]
