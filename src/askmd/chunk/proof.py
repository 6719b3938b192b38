"""Whether chunks are what they claim to be: nothing lost, nothing moved, nothing too long.

It shares no code with what cuts, so that both would have to err in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from askmd.contracts import TokenCounter
from askmd.types import Chars, Chunk, Lines

COUNTED_AT_ONCE = 256
"""Chunks whose tokens are counted in one call: tokenizers hold every token of a call."""
SHOWN_CHARS = 40


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with how a document was cut."""

    line: int
    """Where it is, 1-based."""
    what: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a document's chunks hold of it, and what is wrong with them."""

    chunks: int
    """How many there are."""
    characters: int
    """Non-blank characters after the front matter."""
    covered: int
    """How many of them are in at least one chunk."""
    longest_tokens: int
    """Tokens of the longest chunk, as counted here; 0 without chunks."""
    truncated: int
    """Chunks that count more tokens than the bound: the model would not read their end."""
    faults: tuple[Fault, ...]
    """In the order of their lines; empty where all is well."""


def prove(
    text: str, body_start: int, chunks: Sequence[Chunk], counter: TokenCounter, bound: int
) -> Proof:
    """Return what a document's chunks hold of ``text`` from ``body_start`` on, and every fault.

    None is found where each non-blank character is in a chunk, each chunk's text is its range and
    its lines are those the range touches, the chunks are in order, their ids differ, and what is
    embedded says something and counts exactly its ``tokens``, at most ``bound``.
    Takes time and memory linear in the text and the chunks.
    """
    inside = [one for one in chunks if body_start <= one.chars[0] < one.chars[1] <= len(text)]
    gaps = list(_gaps(text, body_start, inside))
    offsets = [edge for one in inside for edge in (one.chars[0], one.chars[1] - 1)]
    lines = _lines_at(text, [*offsets, *(start for start, _ in gaps)])
    counts = _counts(chunks, counter)
    faults = [
        Fault(
            lines[start], f"in no chunk: {_shown(lost)}, non-blank characters: {_non_blank(lost)}"
        )
        for start, lost in gaps
    ]
    for one in inside:
        start, last = one.chars[0], one.chars[1] - 1
        faults += _faults_of_range(one, text, (lines[start], lines[last]))
    faults += _faults_of_order(chunks, body_start, len(text))
    for one, tokens in zip(chunks, counts, strict=True):
        faults += _faults_of_embedded(one, tokens, bound)
    characters = _non_blank(text[body_start:])
    return Proof(
        chunks=len(chunks),
        characters=characters,
        covered=characters - sum(_non_blank(lost) for _, lost in gaps),
        longest_tokens=max(counts, default=0),
        truncated=sum(tokens > bound for tokens in counts),
        faults=tuple(sorted(faults, key=lambda fault: fault.line)),
    )


def _faults_of_range(chunk: Chunk, text: str, touched: Lines) -> Iterator[Fault]:
    """Yield what is wrong with a chunk's text and lines, its range being one of the text."""
    start, end = chunk.chars
    if text[start:end] != chunk.text:
        yield _fault(chunk, f"has not the text of its range {start}-{end}", touched[0])
    if chunk.lines != touched:
        said, true = ("-".join(map(str, each)) for each in (chunk.lines, touched))
        yield _fault(chunk, f"says lines {said}, but touches {true}", touched[0])


def _faults_of_order(chunks: Sequence[Chunk], body_start: int, size: int) -> Iterator[Fault]:
    """Yield the chunks that stand outside the text or not after the one before, or share an id."""
    reached: Chars = (-1, -1)
    seen: set[str] = set()
    for one in chunks:
        start, end = one.chars
        if not body_start <= start < end <= size:
            yield _fault(one, f"has the range {start}-{end}, no part of {body_start}-{size}")
        elif start <= reached[0] or end <= reached[1]:
            yield _fault(one, "does not stand after the chunk before it")
        else:
            reached = one.chars
        if one.id in seen:
            yield _fault(one, "has the id of another chunk")
        seen.add(one.id)


def _faults_of_embedded(chunk: Chunk, tokens: int, bound: int) -> Iterator[Fault]:
    """Yield what is wrong with what the embedder reads of a chunk."""
    if not chunk.embedded.strip():
        yield _fault(chunk, "has nothing to embed")
    if tokens != chunk.tokens:
        yield _fault(chunk, f"says {chunk.tokens} tokens, but counts {tokens}")
    if tokens > bound:
        yield _fault(chunk, f"counts {tokens} tokens, above the bound of {bound}")


def _fault(chunk: Chunk, what: str, line: int = 0) -> Fault:
    """Return a chunk's fault, on the line where it says it starts if nobody knows better."""
    return Fault(line or chunk.lines[0], f"chunk {chunk.id} {what}")


def _gaps(text: str, body_start: int, chunks: Sequence[Chunk]) -> Iterator[tuple[int, str]]:
    """Yield what no chunk's range holds, from its first non-blank character on, and where."""
    reached = body_start
    # In order already, or that is a fault of its own; sorted, nothing is reported lost that is not.
    for start, end in [*sorted(one.chars for one in chunks), (len(text), len(text))]:
        lost = text[reached : max(reached, start)]
        if said := lost.strip():
            yield reached + len(lost) - len(lost.lstrip()), said
        reached = max(reached, end)


def _lines_at(text: str, offsets: Iterable[int]) -> dict[int, int]:
    """Return the number of the line that each offset stands on; only line feeds end lines."""
    found: dict[int, int] = {}
    line, reached = 1, 0
    for offset in sorted(offsets):
        line += text.count("\n", reached, offset)
        reached = offset
        found[offset] = line
    return found


def _counts(chunks: Sequence[Chunk], counter: TokenCounter) -> list[int]:
    """Return how many tokens the embedder sees of each chunk."""
    counts: list[int] = []
    for start in range(0, len(chunks), COUNTED_AT_ONCE):
        counts += counter.count([one.embedded for one in chunks[start : start + COUNTED_AT_ONCE]])
    return counts


def _non_blank(text: str) -> int:
    return len(text) - sum(map(str.isspace, text))


def _shown(text: str) -> str:
    """Return the start of a text in quotes, on one line."""
    return repr(text if len(text) <= SHOWN_CHARS else text[:SHOWN_CHARS] + "…")
