"""Vectors from OpenAI, or from any server that speaks its API: Ollama, vLLM, TEI, LiteLLM."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from askmd.addresses import is_address
from askmd.contracts import TokenCounter
from askmd.embed.gate import unit_vectors
from askmd.embed.openai_doubts import check_apart
from askmd.embed.openai_faults import explain, is_refusal, may_pass, name_of
from askmd.embed.openai_limits import hanging_up, limits, start_clock
from askmd.embed.openai_reply import Spoilt, Unusable, read_vectors
from askmd.endpoint import (
    LONGEST_PAUSE_SECONDS,
    Endpoint,
    asked_seconds,
    detail,
    faults,
    open_client,
    pause_seconds,
    readable,
)
from askmd.errors import ConfigError, EmbeddingError, TextsRejected
from askmd.types import Identity

if TYPE_CHECKING:
    import openai

    from askmd.types import Vector, Vectors

QUERY_ATTEMPTS = 2
QUERY_PAUSE_SECONDS = 5.0
"""A question has someone waiting, and words to fall back on."""
FIRST_ATTEMPTS = 3
"""How often a server is asked that answers with what is no answer, and never did better."""
_PROBE = "a"


class OpenAIEmbedder:
    """Embeds over HTTP, in batches bounded by texts and tokens; safe to share between threads."""

    def __init__(
        self,
        model: str,
        counter: TokenCounter,
        *,
        base_url: str,
        api_key: str,
        key_name: str = "",
        dimensions: int = 0,
        query_prefix: str = "",
        passage_prefix: str = "",
        batch_texts: int = 64,
        batch_tokens: int = 100_000,
        timeout_seconds: float = 60.0,
        attempts: int = 5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Say whom to ask; nothing is sent yet.

        key_name: the environment variable that ``api_key`` is from, for messages. dimensions: the
        length of vector to ask for, 0 for the model's own. timeout_seconds: how long a batch may
        take. attempts: how often a batch that fails in passing is sent in all.
        """
        self.counter = counter
        self._endpoint = Endpoint(base_url, model, key_name, api_key.strip(), timeout_seconds)
        self._dimensions = dimensions
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._batch_texts = batch_texts
        self._batch_tokens = batch_tokens
        self._attempts = attempts
        self._sleep = sleep
        self._client: openai.OpenAI | None = None
        self._lock = threading.Lock()
        self._dim = dimensions
        self._has_answered = False

    def identity(self, *, max_tokens: int, chunker: int) -> Identity:
        """Return what these vectors are made of; ``dim`` is 0 until the server has told it."""
        return Identity(
            provider="openai",
            model=self._endpoint.model,
            revision="",
            dim=self._dim,
            query_prefix=self._query_prefix,
            passage_prefix=self._passage_prefix,
            tokenizer=self.counter.vocabulary,
            max_tokens=max_tokens,
            chunker=chunker,
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per passage: float32, shape (len(texts), dim), in the same order.

        Raises TextsRejected if the server refuses single texts, EmbedderUnreachable if it is down,
        EmbeddingError for everything else.
        """
        if not texts:
            return unit_vectors([], 0, self._dim)
        rejected: dict[int, str] = {}
        parts = [self._embed(texts, batch, rejected) for batch in self._batches(texts)]
        if rejected:
            raise TextsRejected(dict(sorted(rejected.items())))
        return np.concatenate([part for some in parts for part in some])

    def embed_query(self, text: str) -> Vector:
        """Return the question's unit vector: float32, shape (dim,)."""
        try:
            attempts = min(QUERY_ATTEMPTS, self._attempts)
            vectors = self._ask([self._query_prefix + text], attempts, QUERY_PAUSE_SECONDS)
        except faults() as error:
            raise explain(error, self._endpoint) from error
        vector: Vector = vectors[0]
        return vector

    def warm(self) -> None:
        """Begin in the background what the first text would wait for: nothing here."""

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def __repr__(self) -> str:
        """Return the name and address; never the key."""
        return f"<OpenAIEmbedder: {name_of(self._endpoint)}>"

    def _batches(self, texts: Sequence[str]) -> Iterator[range]:
        first, tokens = 0, 0
        for place, count in enumerate(self.counter.count(texts)):
            is_full = place - first == self._batch_texts or tokens + count > self._batch_tokens
            if is_full and place > first:
                yield range(first, place)
                first, tokens = place, 0
            tokens += count
        yield range(first, len(texts))

    def _embed(
        self,
        texts: Sequence[str],
        batch: range,
        rejected: dict[int, str],
        *,
        is_probed: bool = False,
    ) -> list[Vectors]:
        """Return the vectors of a batch in parts; note the texts that are refused by themselves.

        is_probed: the server takes other texts, so that it is not at fault itself.
        """
        inputs = [self._passage_prefix + texts[i] for i in batch]
        try:
            return [self._told_apart(inputs)]
        except Spoilt as error:
            if not is_probed:
                self._probe(error)
            if len(batch) > 1:
                return self._mended(texts, batch, error, rejected)
            rejected[batch[0]] = error.message
            return []
        except faults() as error:
            if not is_refusal(error):
                raise explain(error, self._endpoint) from error
            if not is_probed:
                self._probe()
            if len(batch) == 1:
                told = detail(error, self._endpoint.without_key)
                rejected[batch[0]] = f"the server refused it{told}"
                return []
        middle = len(batch) // 2
        halves = (batch[:middle], batch[middle:])
        return [
            part for half in halves for part in self._embed(texts, half, rejected, is_probed=True)
        ]

    def _told_apart(self, inputs: Sequence[str]) -> Vectors:
        """Return the vectors of passages; raises Unusable where different ones have the same."""
        ask = partial(self._ask, attempts=self._attempts)
        attempt = 1
        while True:
            vectors = ask(inputs)
            try:
                check_apart(inputs, vectors, ask, maker=name_of(self._endpoint))
                return vectors
            except Unusable as error:
                if attempt >= FIRST_ATTEMPTS:
                    raise
                self._sleep(pause_seconds(error, attempt))
                attempt += 1

    def _mended(
        self, texts: Sequence[str], batch: range, found: Spoilt, rejected: dict[int, str]
    ) -> list[Vectors]:
        """Return what was right with a reply, and what becomes right where a text goes alone."""
        parts: list[Vectors] = []
        for position, row in zip(batch, found.rows, strict=True):
            alone = range(position, position + 1)
            if row is None:
                parts += self._embed(texts, alone, rejected, is_probed=True)
            else:
                parts.append(row[np.newaxis])
        return parts

    def _probe(self, found: Spoilt | None = None) -> None:
        """Raise EmbeddingError if the server refuses any text: then it is not the texts' fault.

        found: what is wrong with its vectors, if it answered with some.
        """
        try:
            self._ask([_PROBE], self._attempts)
        except Unusable as error:
            raise found or error from error
        except faults() as error:
            raise explain(error, self._endpoint) from error

    def _ask(
        self,
        inputs: Sequence[str],
        attempts: int,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
    ) -> Vectors:
        """Return the unit vectors of one request; lets the last of ``faults`` through."""
        texts = [readable(text) for text in inputs]
        attempt = 1
        while True:
            try:
                return self._once(texts)
            except Unusable as error:
                pause = pause_seconds(error, attempt)
                most = attempts if self._has_answered else min(attempts, FIRST_ATTEMPTS)
                if attempt >= most:
                    raise
            except faults() as error:
                pause = pause_seconds(error, attempt)
                # Asking sooner than it says would be asking against its word.
                wait = max(pause, asked_seconds(error) or 0.0)
                if attempt >= attempts or wait > longest_pause or not may_pass(error):
                    raise
            self._sleep(pause)
            attempt += 1

    def _once(self, texts: list[str]) -> Vectors:
        try:
            found = read_vectors(
                self._send(texts), len(texts), self._dim, maker=name_of(self._endpoint)
            )
        except EmbeddingError as error:
            # Its own words may stand in there.
            error.message = self._endpoint.without_key(error.message)
            error.args = (error.message,)
            raise
        self._dim = found.shape[1]
        self._has_answered = True
        return found

    def _send(self, inputs: list[str]) -> bytes:
        import openai

        create = self._open().embeddings.with_streaming_response.create
        with (
            hanging_up(self._endpoint, self.close),
            create(
                input=inputs,
                model=self._endpoint.model,
                dimensions=self._dimensions or openai.omit,
                encoding_format="float",
            ) as reply,
        ):
            return reply.read()

    def _open(self) -> openai.OpenAI:
        with self._lock:
            if self._client is None:
                self._client = _client(self._endpoint)
            return self._client


def _client(endpoint: Endpoint) -> openai.OpenAI:
    if endpoint.key_fault:
        raise ConfigError(endpoint.key_fault)
    if not is_address(endpoint.base_url):
        raise ConfigError(
            f"{name_of(endpoint)} has no address that can be used", "correct embedding.base_url"
        )
    return open_client(endpoint, on_request=[start_clock(endpoint)], on_response=[limits(endpoint)])
