"""What one answer was made from and how it was asked for: to be checked, and asked again."""

from __future__ import annotations

import json
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
_MARKS_TOLD = "\n\nEach passage stands between <passage-"
"""Where a system message begins to tell what the marks around passages mean."""


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
    messages_sha256: str | None = None
    """Of the messages, as ``json.dumps`` writes ``[[role, content], ...]``; None in a receipt of
    an older askmd."""

    def as_text(self) -> str:
        """Return indented JSON that ends in a newline."""
        head = {"askmd": __version__, "kind": _KIND, "format": FORMAT}
        return as_json(head | as_data(self), indent=1) + "\n"

    @property
    def sent(self) -> tuple[Passage, ...]:
        """The passages, as they are now."""
        return tuple(one.passage for one in self.passages)

    def changes(self) -> list[str]:
        """Return a line for each passage, and for the messages, that are not those of its hash.

        It tells of a slip, not of a forger, who would change the hash too.
        """
        told = [
            f"passage {sent.passage.number} ({sent.passage.path}) was changed after it was saved"
            for sent in self.passages
            if digest(sent.passage.text) != sent.sha256
        ]
        if self.messages_sha256 not in (None, _digest_of(self.messages)):
            told.append("the messages were changed after they were saved")
        return told

    def prompted(self, system: str) -> Receipt:
        """Return the receipt with another system message before the rest of what was sent.

        What the old one says of the marks around passages is kept below it: the passages still
        stand between them, and that they are data must be told under any rules.
        """
        rest = [message for message in self.messages if message.role != "system"]
        old = "".join(message.content for message in self.messages if message.role == "system")
        _, begins, marks = old.rpartition(_MARKS_TOLD)
        messages = (Message("system", f"{system}{begins}{marks}" if begins else system), *rest)
        return replace(self, messages=messages, messages_sha256=_digest_of(messages))

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
            messages_sha256=_digest_of(messages),
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
        messages_sha256=_digest_of(messages),
        server=None if server is None else shown(server),
        answer_tokens=answer_tokens,
        degraded=record.degraded,
    )


def read_receipt(text: str) -> Receipt:
    """Return a saved receipt; ``changes()`` tells what was altered since.

    Raises ValueError, in one line, for what is broken, foreign or newer than this, and for places
    and passage numbers that no document has.
    """
    data = load(text, _KIND, FORMAT)
    try:
        receipt = read_as(Receipt, data)
        _check_places(receipt)
        return receipt
    except ValueError as error:
        raise ValueError(f"this receipt is damaged: {error}") from error


def digest(text: str) -> str:
    """Return the hash that a receipt keeps of a text: hex sha256 of its UTF-8."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _digest_of(messages: Sequence[Message]) -> str:
    return digest(json.dumps([[message.role, message.content] for message in messages]))


def _check_places(receipt: Receipt) -> None:
    """Raise ValueError for what no saved answer holds."""
    for place, passage in enumerate(receipt.sent):
        _check_passage(passage, f"passages.{place}.passage")
    for place, citation in enumerate(receipt.citations):
        _check_passage(citation, f"citations.{place}")
        if citation.stands_at is not None:
            _check_range(citation.stands_at, 1, f"citations.{place}.stands_at")
    for place, hit in enumerate(receipt.hits):
        _check_range(hit.lines, 1, f"hits.{place}.lines")
        _check_range(hit.chars, 0, f"hits.{place}.chars")
    numbers = [passage.number for passage in receipt.sent]
    if len(set(numbers)) < len(numbers):
        raise ValueError("two passages have the same number")


def _check_passage(passage: Passage | Citation, place: str) -> None:
    if passage.number < 1:
        raise ValueError(f"{place}.number must be 1 or more, not {passage.number}")
    _check_range(passage.lines, 1, f"{place}.lines")
    _check_range(passage.chars, 0, f"{place}.chars")


def _check_range(value: tuple[int, int], least: int, place: str) -> None:
    first, last = value
    if not least <= first <= last:
        raise ValueError(f"{place} must run upwards from {least} or more, not {first} to {last}")


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
