"""Vectors from OpenAI, or from any server that speaks its API: Ollama, vLLM, TEI, LiteLLM."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from askmd.addresses import is_address
from askmd.contracts import TokenCounter
from askmd.embed.gate import unit_vectors
from askmd.embed.openai_faults import explain, is_refusal, may_pass, name_of
from askmd.embed.openai_limits import limits, start_clock
from askmd.embed.openai_reply import read_vectors
from askmd.endpoint import (
    LONGEST_PAUSE_SECONDS,
    Endpoint,
    detail,
    faults,
    open_client,
    pause_seconds,
    readable,
)
from askmd.errors import ConfigError, TextsRejected
from askmd.types import Identity

if TYPE_CHECKING:
    import openai

    from askmd.types import Vector, Vectors

QUERY_ATTEMPTS = 2
QUERY_PAUSE_SECONDS = 5.0
"""A question has someone waiting, and words to fall back on."""
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

    def _embed(self, texts: Sequence[str], batch: range, rejected: dict[int, str]) -> list[Vectors]:
        """Return the vectors of a batch in parts; note the texts that are refused by themselves."""
        try:
            return [self._ask([self._passage_prefix + texts[i] for i in batch], self._attempts)]
        except faults() as error:
            if not is_refusal(error):
                raise explain(error, self._endpoint) from error
            self._probe()
            if len(batch) == 1:
                told = detail(error, self._endpoint.without_key)
                rejected[batch[0]] = f"the server refused it{told}"
                return []
        middle = len(batch) // 2
        halves = (batch[:middle], batch[middle:])
        return [part for half in halves for part in self._embed(texts, half, rejected)]

    def _probe(self) -> None:
        """Raise EmbeddingError if the server refuses any text: then it is not the texts' fault."""
        if self._has_answered:
            return
        try:
            self._ask([_PROBE], self._attempts)
        except faults() as error:
            raise explain(error, self._endpoint) from error

    def _ask(
        self,
        inputs: Sequence[str],
        attempts: int,
        longest_pause: float = LONGEST_PAUSE_SECONDS,
    ) -> Vectors:
        """Return the unit vectors of one request; lets the last of ``faults`` through."""
        content = self._content(inputs, attempts, longest_pause)
        vectors = read_vectors(content, len(inputs), self._dim, maker=name_of(self._endpoint))
        self._dim = vectors.shape[1]
        self._has_answered = True
        return vectors

    def _content(self, inputs: Sequence[str], attempts: int, longest_pause: float) -> bytes:
        texts = [readable(text) for text in inputs]
        attempt = 1
        while True:
            try:
                return self._send(texts)
            except faults() as error:
                pause = pause_seconds(error, attempt)
                if attempt >= attempts or pause > longest_pause or not may_pass(error):
                    raise
                self._sleep(pause)
                attempt += 1

    def _send(self, inputs: list[str]) -> bytes:
        import openai

        with self._open().embeddings.with_streaming_response.create(
            input=inputs,
            model=self._endpoint.model,
            dimensions=self._dimensions or openai.omit,
            encoding_format="float",
        ) as reply:
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
