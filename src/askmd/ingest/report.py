"""What an ingest did, or would do."""

from __future__ import annotations

from dataclasses import dataclass

from askmd.types import Failure


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """What became of the folder's files."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    moved: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ChunkCounts:
    """What became of the chunks."""

    total: int = 0
    """Chunks in the index now."""
    embedded: int = 0
    """Texts the model was given."""
    reused: int = 0
    """Chunks of new or changed files whose vector was known already."""
    truncated: int = 0
    """Chunks longer than the model reads; always 0, for one would be an error."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did; ``dataclasses.asdict`` of it is ``ingest --json``."""

    documents: DocumentCounts
    chunks: ChunkCounts
    longest_chunk_tokens: int
    failures: tuple[Failure, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class DryRun:
    """What an ingest would do, with nothing written and nothing embedded."""

    files: int
    """New and changed files."""
    texts: int
    """Chunks that would be embedded."""
    tokens: int
    seconds: float
    """A rough guess: the tokens at the rate of two ordinary cores, or of a server."""
    price_usd: float | None
    """What the embedder's maker asks for the tokens; None where it costs nothing or is unknown."""
    failures: tuple[Failure, ...]
