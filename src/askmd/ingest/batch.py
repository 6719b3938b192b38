"""Texts on their way to vectors: embedded in a thread of their own, while the journey goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from askmd.contracts import Embedder
from askmd.errors import Interrupted, TextsRejected
from askmd.types import CancelCheck

if TYPE_CHECKING:
    from askmd.types import Vector

LOOK_SECONDS = 0.2
"""How long a wait goes on without a look at the cancel flag."""

_Result = TypeVar("_Result")


@runtime_checkable
class GivesEach(Protocol):
    """An embedder whose vectors come one by one: what is made when it is stopped is kept."""

    def embed_each(self, texts: Sequence[str], take: Callable[[int, Vector], bool]) -> None:
        """Hand over each text's vector with its position, until ``take`` returns False."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of a batch: each text has a vector or was refused."""

    vectors: Mapping[bytes, Vector] = field(default_factory=dict)
    refused: Mapping[bytes, str] = field(default_factory=dict)
    """Why the embedder takes a text under no circumstances, by the text's key."""


class Batch:
    """Texts that are being embedded, by their key."""

    def __init__(self, embedder: Embedder, texts: Mapping[bytes, str]) -> None:
        """Begin at once."""
        self.texts = texts
        self._embedder = embedder
        self._vectors: dict[bytes, Vector] = {}
        self._refused: dict[bytes, str] = {}
        self._fault: BaseException | None = None
        self._is_stopped = False
        # A daemon: who gives up does not wait for a server that does not answer.
        self._thread = threading.Thread(target=self._run, name="askmd-embedding", daemon=True)
        self._thread.start()

    def is_done(self, seconds: float) -> bool:
        """Wait for so long at most, and return whether all is embedded."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Let texts that nobody has begun with be; returns at once."""
        self._is_stopped = True

    def result(self) -> Embedded:
        """Return what became of the texts, once they are done; raises as the embedder did."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self.so_far()

    def so_far(self) -> Embedded:
        """Return what became of texts until now, whatever becomes of the others."""
        return Embedded(dict(self._vectors), dict(self._refused))

    def _run(self) -> None:
        try:
            self._embed(list(self.texts))
        except BaseException as error:
            self._fault = error

    def _embed(self, keys: list[bytes]) -> None:
        """Note vectors by key; texts the embedder refuses are noted too, the others go on."""
        texts = [self.texts[key] for key in keys]

        def take(position: int, vector: Vector) -> bool:
            self._vectors[keys[position]] = vector
            return not self._is_stopped

        try:
            if isinstance(self._embedder, GivesEach):
                self._embedder.embed_each(texts, take)
            else:
                vectors = self._embedder.embed(texts)
                self._vectors.update(zip(keys, vectors, strict=True))
        except TextsRejected as error:
            self._refused |= {keys[position]: why for position, why in error.reasons.items()}
            rest = [key for key in keys if key not in self._refused]
            if rest and not self._is_stopped:
                self._embed(rest)


def while_wanted(work: Callable[[], _Result], cancel: CancelCheck | None) -> _Result:
    """Return what ``work`` returns; raises Interrupted, and leaves it, once ``cancel`` says so."""
    if cancel is None:
        return work()
    done: Future[_Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    thread = threading.Thread(target=run, name="askmd-opening", daemon=True)
    thread.start()
    while thread.is_alive():
        if cancel():
            raise Interrupted("stopped before anything was embedded", "run the same command again")
        thread.join(LOOK_SECONDS)
    return done.result()
