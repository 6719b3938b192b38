"""What one answer was made from and how it was asked for: to be checked, and asked again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal, Self

from askmd import __version__
from askmd.addresses import shown
from askmd.records.reading import as_data, as_json, load, read_as
from askmd.types import (
    AnswerRecord,
    Chars,
    Citation,
    Filter,
    Hit,
    Identity,
    Lines,
    Message,
    Mode,
    Passage,
    Rewriter,
    Status,
    Usage,
)

FORMAT = 1
_KIND: Literal["receipt"] = "receipt"


@dataclass(frozen=True, slots=True)
class Built:
    """What the index held and was made of when the question was asked."""

    generation: int
    provider: str
    model: str
    precision: str

    @classmethod
    def of(cls, identity: Identity, generation: int) -> Self:
        """Return what is kept of an index's identity."""
        return cls(generation, identity.provider, identity.model, identity.precision)


@dataclass(frozen=True, slots=True)
class Found:
    """A hit as a receipt keeps it: its place and its scores, not its text."""

    rank: int
    chunk: str
    path: str
    lines: Lines
    chars: Chars
    score: float
    scores: Mapping[str, float]
    above_floor: float | None
    sha256: str
    """Of the chunk's text."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A passage as it was sent, with a hash that tells whether it was changed since."""

    passage: Passage
    sha256: str
    """Of the passage's text, in UTF-8."""
    scores: Mapping[str, Mapping[str, float]]
    """By chunk, the parts of its score; a chunk that came in as a neighbour only is absent."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A question, what was found and sent for it, and what came back."""

    created: str
    """When, in UTC, as ISO 8601 writes it."""
    question: str
    search_query: str
    rewritten: Rewriter | None
    mode: Mode
    filters: Filter
    budget_tokens: int
    index: Built | None
    hits: tuple[Found, ...]
    """Everything that was found, the best first."""
    passages: tuple[Sent, ...]
    messages: tuple[Message, ...]
    """Exactly as they were sent; none where no LLM was asked."""
    model: str | None
    server: str | None
    """Its address, without a user's name, a password or a query."""
    answer_tokens: int | None
    usage: Usage | None
    cost: float | None
    seconds: float | None
    first_seconds: float | None
    answer: str
    status: Status
    citations: tuple[Citation, ...]
    findings: tuple[str, ...]
    degraded: str | None = None
    cut_reason: str | None = None
    invented: tuple[int, ...] = ()

    def as_text(self) -> str:
        """Return indented JSON that ends in a newline."""
        head = {"askmd": __version__, "kind": _KIND, "format": FORMAT}
        return as_json(head | as_data(self), indent=1) + "\n"

    @property
    def sent(self) -> tuple[Passage, ...]:
        """The passages, as they are now."""
        return tuple(one.passage for one in self.passages)

    def changes(self) -> list[str]:
        """Return a line for each passage whose text is not the one that was saved."""
        return [
            f"passage {sent.passage.number} ({sent.passage.path}) was changed after it was saved"
            for sent in self.passages
            if digest(sent.passage.text) != sent.sha256
        ]

    def prompted(self, system: str) -> Receipt:
        """Return the receipt with another system message before the rest of what was sent."""
        rest = [message for message in self.messages if message.role != "system"]
        return replace(self, messages=(Message("system", system), *rest))

    def answered(
        self,
        record: AnswerRecord,
        messages: Sequence[Message],
        *,
        created: str,
        server: str | None,
        answer_tokens: int | None,
    ) -> Receipt:
        """Return the receipt of another answer to the same question from the same passages."""
        return replace(
            self,
            **_outcome(record),
            created=created,
            messages=tuple(messages),
            server=None if server is None else shown(server),
            answer_tokens=answer_tokens,
        )


def receipt_of(
    record: AnswerRecord,
    messages: Sequence[Message],
    hits: Sequence[Hit] = (),
    *,
    created: str,
    mode: Mode,
    budget_tokens: int,
    filters: Filter | None = None,
    index: Built | None = None,
    server: str | None = None,
    answer_tokens: int | None = None,
) -> Receipt:
    """Return the receipt of a finished answer; what is handed in is said at ``Receipt``."""
    scores = {hit.chunk: hit.scores for hit in hits}
    return Receipt(
        **_outcome(record),
        created=created,
        question=record.question,
        search_query=record.search_query,
        rewritten=record.rewritten,
        mode=mode,
        filters=filters or Filter(),
        budget_tokens=budget_tokens,
        index=index,
        hits=tuple(map(_found, hits)),
        passages=tuple(_sent(passage, scores) for passage in record.passages),
        messages=tuple(messages),
        server=None if server is None else shown(server),
        answer_tokens=answer_tokens,
        degraded=record.degraded,
    )


def read_receipt(text: str) -> Receipt:
    """Return a saved receipt; ``changes()`` tells what was altered since.

    Raises ValueError, in one line, for what is broken, foreign or newer than this.
    """
    data = load(text, _KIND, FORMAT)
    try:
        return read_as(Receipt, data)
    except ValueError as error:
        raise ValueError(f"this receipt is damaged: {error}") from error


def digest(text: str) -> str:
    """Return the hash that a receipt keeps of a text: hex sha256 of its UTF-8."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _outcome(record: AnswerRecord) -> dict[str, Any]:
    """Return the fields that tell what came back."""
    names = ("model", "usage", "cost", "seconds", "first_seconds", "answer", "status", "citations")
    also = ("findings", "cut_reason", "invented")
    return {name: getattr(record, name) for name in (*names, *also)}


def _found(hit: Hit) -> Found:
    return Found(
        rank=hit.rank,
        chunk=hit.chunk,
        path=hit.path,
        lines=hit.lines,
        chars=hit.chars,
        score=hit.score,
        scores=dict(hit.scores),
        above_floor=hit.above_floor,
        sha256=digest(hit.text),
    )


def _sent(passage: Passage, scores: Mapping[str, Mapping[str, float]]) -> Sent:
    own = {chunk: dict(scores[chunk]) for chunk in passage.chunks if chunk in scores}
    return Sent(passage, digest(passage.text), own)
