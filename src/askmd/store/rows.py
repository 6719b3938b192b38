"""Documents and chunks as rows, each under a checksum that a reader verifies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from askmd.errors import IndexCorrupt
from askmd.store.manifest import MEND_STEP
from askmd.types import Anchors, Chunk, Document, Stamp
from askmd.words import segmented

DOCUMENT_COLUMNS = "path, digest, size, mtime_ns, ctime_ns, inode, title, description, metadata"
CHUNK_COLUMNS = (
    'id, position, heading, anchor, anchors, first_line, last_line, start, "end", text, tokens, '
    "words_heading, words_text, vector_key"
)
_SIZE = 16
"""Bytes of a key or checksum: no accident repeats one in 2**128."""
_canonical = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is stored, without its number and its document's."""

    values: tuple[Any, ...]
    """In the order of CHUNK_COLUMNS."""
    checksum: bytes

    @property
    def id(self) -> str:
        """The chunk's id."""
        return str(self.values[0])

    @property
    def vector_key(self) -> bytes:
        """The key of the chunk's vector."""
        return bytes(self.values[-1])


def vector_key(embedded: str) -> bytes:
    """Return the key under which a text's vector is kept: blake2b of what is embedded, 16 bytes."""
    return blake2b(embedded.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()


def vector_checksum(key: bytes, vector: bytes) -> bytes:
    """Return what a stored vector's bytes are checked against."""
    return blake2b(key + vector, digest_size=_SIZE).digest()


def chunk_rows(document: Document, chunks: Sequence[Chunk]) -> list[ChunkRow]:
    """Return a document's chunks as rows; the first also answers to its title and description."""
    rows = []
    for position, chunk in enumerate(chunks):
        words = [" > ".join(chunk.heading)]
        if position == 0:
            words += filter(None, (document.title, document.description))
        words_text = segmented(chunk.text)
        values = (
            chunk.id,
            position,
            json.dumps(chunk.heading),
            chunk.anchor,
            _write_anchors(chunk),
            *chunk.lines,
            *chunk.chars,
            chunk.text,
            chunk.tokens,
            segmented(clean("\n".join(words))),
            None if words_text == chunk.text else words_text,
            vector_key(chunk.embedded),
        )
        rows.append(ChunkRow(values, chunk_checksum(document.path, values)))
    return rows


def check_chunk(path: str | None, values: tuple[Any, ...], checksum: bytes, database: Path) -> str:
    """Return the path of a chunk's document.

    values: in the order of CHUNK_COLUMNS. Raises IndexCorrupt if the row is not what was written.
    """
    try:
        is_sound = chunk_checksum(path, values) == checksum
    except (TypeError, AttributeError):
        # A damaged row can hold another type than was written.
        is_sound = False
    if path is None or not is_sound:
        document = path or "a lost document"
        raise IndexCorrupt(f"{database} is damaged: a chunk of {document} has changed", MEND_STEP)
    return path


def read_chunk(path: str | None, values: tuple[Any, ...], checksum: bytes, database: Path) -> Chunk:
    """Return a chunk from its row; raises IndexCorrupt if the row is not what was written."""
    path = check_chunk(path, values, checksum, database)
    id, _, heading, anchor, anchors, first_line, last_line, start, end, text, tokens, *_ = values
    return Chunk(
        id=id,
        path=path,
        heading=tuple(json.loads(heading)),
        anchor=anchor,
        lines=(first_line, last_line),
        chars=(start, end),
        text=text,
        embedded="",
        tokens=tokens,
        anchors=Anchors(*json.loads(anchors)) if anchors else Anchors(anchor, anchor, anchor),
    )


def _write_anchors(chunk: Chunk) -> str:
    """Return a chunk's anchors as JSON; nothing where all three are its anchor."""
    anchors = list(astuple(chunk.anchors))
    return "" if anchors == [chunk.anchor] * 3 else json.dumps(anchors)


def document_values(document: Document) -> tuple[Any, ...]:
    """Return a document in the order of DOCUMENT_COLUMNS."""
    return (
        document.path,
        document.digest,
        *stamp_values(document.stamp),
        clean(document.title),
        clean(document.description),
        json.dumps(dict(document.metadata)),
    )


def stamp_values(stamp: Stamp) -> tuple[int, int, int, str]:
    """Return a stamp as it is stored: an inode can be larger than SQLite's integers."""
    return stamp.size, stamp.mtime_ns, stamp.ctime_ns, str(stamp.inode)


def clean(text: str) -> str:
    """Return a text that SQLite takes: YAML's escapes can spell half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode()


def read_document(values: tuple[Any, ...], database: Path) -> Document:
    """Return a document from a row in the order of DOCUMENT_COLUMNS."""
    path, digest, size, mtime_ns, ctime_ns, inode, title, description, metadata = values
    try:
        stamp = Stamp(size, mtime_ns, ctime_ns, int(inode))
        return Document(path, digest, stamp, title, description, json.loads(metadata))
    except (ValueError, TypeError) as error:
        raise IndexCorrupt(f"{database} is damaged: {path} is not readable", MEND_STEP) from error


def chunk_checksum(path: str | None, values: tuple[Any, ...]) -> bytes:
    """Return what a chunk, in the order of CHUNK_COLUMNS, is checked against."""
    *texts, key = values
    return checksum_of([path, *texts, key.hex()])


def checksum_of(values: Sequence[object]) -> bytes:
    """Return what texts and numbers are checked against."""
    canonical = _canonical(values).encode("utf-8", "surrogatepass")
    return blake2b(canonical, digest_size=_SIZE).digest()
