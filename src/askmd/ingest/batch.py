"""Texts on their way to vectors: embedded in a thread of their own, while the journey goes on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askmd.contracts import Embedder
from askmd.errors import TextsRejected

if TYPE_CHECKING:
    from askmd.types import Vector


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
        self._embedded = Embedded()
        self._fault: BaseException | None = None
        # A daemon: who gives up does not wait for a server that does not answer.
        self._thread = threading.Thread(target=self._run, name="askmd-embedding", daemon=True)
        self._thread.start()

    def is_done(self, seconds: float) -> bool:
        """Wait for so long at most, and return whether all is embedded."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> Embedded:
        """Return what became of the texts, once they are done; raises as the embedder did."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self._embedded

    def _run(self) -> None:
        refused: dict[bytes, str] = {}
        try:
            vectors = self._embed(list(self.texts), refused)
            self._embedded = Embedded(vectors, refused)
        except BaseException as error:
            self._fault = error

    def _embed(self, keys: list[bytes], refused: dict[bytes, str]) -> dict[bytes, Vector]:
        """Return vectors by key; texts the embedder refuses are noted, the others go on."""
        try:
            vectors = self._embedder.embed([self.texts[key] for key in keys])
        except TextsRejected as error:
            refused |= {keys[position]: why for position, why in error.reasons.items()}
            rest = [key for key in keys if key not in refused]
            return self._embed(rest, refused) if rest else {}
        return dict(zip(keys, vectors, strict=True))
