"""An inverted index of some chunks in arrays, made a run of chunks at a time, merged on the disk.

A token is a 64-bit hash; tokens are in the order of these. Each place of a token in the chunks,
one after the other, has a number; between heading and text, and between chunks, one is left out,
so that a phrase never reaches across.
"""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from askmd.store.derived import Draft, Origin, drafting
from askmd.store.reading import Words, read_words
from askmd.store.word_tokens import Tokenizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

RUN = 1000
"""Chunks that are sorted in memory at once."""
PIECE = 1 << 18
"""Places and postings that are merged at once; more only of one word."""
HEADING_WEIGHT = 2
"""What a word in the heading counts, as FTS5 is asked to; one in the text counts 1."""
MOST_OFTEN = 0xFFFF
_BITS = 8
_BUCKETS = 1 << _BITS
"""Ranges of hashes that are merged one after the other."""
_COUNTED = {"rows": "postings", "often": "postings", "places": "spots"}
"""What there is one of for each posting or place, by which of a token's counts says how many."""


@dataclass(frozen=True, slots=True)
class Run:
    """An inverted index of successive chunks."""

    chunks: dict[str, Array]
    """One of each for a chunk: see ``invert``."""
    words: dict[str, Array]
    """``tokens``, how many ``postings`` and ``spots`` each has, and these: see ``invert``."""
    end: int
    """The number of the first place behind the last chunk."""


def invert(tokenizer: Tokenizer, chunks: Sequence[Words], row: int = 0, place: int = 0) -> Run:
    """Return the inverted index of chunks.

    row, place: what the first chunk and its first token are counted as.
    """
    texts = [text for one in chunks for text in (one.heading, one.text)]
    hashes, counts = tokenizer.texts(texts)
    sizes = counts + 1
    begins = place + np.cumsum(sizes) - sizes
    if begins.size and int(begins[-1] + sizes[-1]) >= 1 << 32:
        raise OverflowError("so many words have no numbers")
    column = np.repeat(np.arange(len(texts)), counts)
    places = np.arange(len(hashes)) + (begins - np.cumsum(counts) + counts)[column]
    tokens, of_token = np.unique(hashes, return_inverse=True)
    # Numbers of 16 bits are sorted by their digits, several times as fast.
    order = np.argsort(
        of_token.astype(np.uint16 if len(tokens) <= 1 << 16 else np.uint32), kind="stable"
    )
    of_token, column = of_token[order], column[order]
    rows = column // 2
    is_first = np.ones(len(order), bool)
    is_first[1:] = (of_token[1:] != of_token[:-1]) | (rows[1:] != rows[:-1])
    first = np.flatnonzero(is_first)
    weights = np.where(column % 2 == 0, HEADING_WEIGHT, 1)
    often = np.add.reduceat(weights, first) if len(first) else first
    return Run(
        {
            "numbers": np.array([one.number for one in chunks], np.int64),
            "ids": np.frombuffer("".join(one.id for one in chunks).encode(), np.uint8),
            "id_sizes": np.array([len(one.id.encode()) for one in chunks], np.uint16),
            "starts": begins[::2].astype(np.uint32),
            "headings": counts[::2].astype(np.uint32),
        },
        {
            "tokens": tokens,
            "postings": np.bincount(of_token[first], minlength=len(tokens)).astype(np.uint32),
            "spots": np.bincount(of_token, minlength=len(tokens)).astype(np.uint32),
            "rows": (row + rows[first]).astype(np.uint32),
            "often": np.minimum(often, MOST_OFTEN).astype(np.uint16),
            "places": places[order].astype(np.uint32),
        },
        int(begins[-1] + sizes[-1]) if len(sizes) else place,
    )


class Runs:
    """Runs on the disk, to be put together again array by array."""

    def __init__(self, file: IO[bytes]) -> None:
        """Keep them in a file that is empty."""
        self._file = file
        self._at: list[dict[str, tuple[str, int, Array]]] = []
        """By run and array: its kind, where it begins, and where each bucket begins in it."""

    def add(self, run: Run) -> None:
        """Keep a run."""
        edges = np.arange(1, _BUCKETS, dtype=np.uint64) << np.uint64(64 - _BITS)
        cuts = np.searchsorted(run.words["tokens"], edges)
        bounds = np.concatenate([[0], cuts, [len(run.words["tokens"])]])
        held = {}
        for name, array in (run.chunks | run.words).items():
            at = [0, len(array)] if name in run.chunks else bounds
            if name in _COUNTED:
                at = ends_of(run.words[_COUNTED[name]])[bounds]
            held[name] = array.dtype.str, self._file.tell(), np.array(at, np.uint32)
            self._file.write(array.tobytes())
        self._at.append(held)

    def joined(self, name: str) -> Iterator[Array]:
        """Yield what is one of each for a chunk, run by run."""
        for run in self._at:
            yield self._read(run, name, 0)

    def merged(self, name: str) -> Iterator[Array]:
        """Yield what belongs to tokens, in the order of these, in pieces."""
        for bucket in range(_BUCKETS):
            tokens = self._bucket("tokens", bucket)
            order = np.argsort(tokens, kind="stable")
            tokens = tokens[order]
            is_first = np.ones(len(tokens), bool)
            is_first[1:] = tokens[1:] != tokens[:-1]
            first = np.flatnonzero(is_first)
            if name == "tokens":
                yield tokens[first]
            elif name in _COUNTED:
                sizes = self._bucket(_COUNTED[name], bucket).astype(np.int64)
                yield from _in_order(self._bucket(name, bucket), sizes, order)
            elif len(first):
                yield np.add.reduceat(self._bucket(name, bucket)[order].astype(np.int64), first)

    def _bucket(self, name: str, bucket: int) -> Array:
        return np.concatenate([self._read(run, name, bucket) for run in self._at])

    def _read(self, run: dict[str, tuple[str, int, Array]], name: str, bucket: int) -> Array:
        kind, start, bounds = run[name]
        width = np.dtype(kind).itemsize
        self._file.seek(start + int(bounds[bucket]) * width)
        size = int(bounds[bucket + 1] - bounds[bucket]) * width
        return np.frombuffer(self._file.read(size), kind)


def _in_order(data: Array, sizes: Array, order: Array) -> Iterator[Array]:
    """Yield stretches of the data, of these sizes, in another order."""
    starts = np.cumsum(sizes) - sizes
    starts, sizes = starts[order], sizes[order]
    ends = np.cumsum(sizes)
    done = 0
    while done < len(order):
        before = int(ends[done] - sizes[done])
        stop = max(done + 1, int(np.searchsorted(ends, before + PIECE, "right")))
        held = sizes[done:stop]
        shift = starts[done:stop] - (ends[done:stop] - held)
        yield data[np.repeat(shift, held) + np.arange(before, int(ends[stop - 1]))]
        done = stop


def ends_of(sizes: Array) -> Array:
    """Return where stretches of these sizes begin, and where the last one ends."""
    ends = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=ends[1:])
    return ends


def build(
    connection: sqlite3.Connection, database: Path, path: Path, origin: Origin, run: int = RUN
) -> None:
    """Write the words segment of a range of chunk numbers; run: chunks in memory at once.

    Raises IndexCorrupt where a chunk is not what was written.
    """
    tokenizer = Tokenizer()
    row, place, after = 0, 0, origin.after
    # Named as the index's own drafts are, which the next ingest sweeps after a crash.
    suffix = f".{secrets.token_hex(8)}.tmp"
    with tempfile.TemporaryFile(dir=path.parent, suffix=suffix) as file:
        runs = Runs(file)
        while chunks := read_words(connection, after, origin.last, run, database):
            one = invert(tokenizer, chunks, row, place)
            row, place, after = row + len(chunks), one.end, chunks[-1].number
            runs.add(one)
        with drafting(path) as draft:
            _write(draft, runs, place)
            draft.finish(origin)


def _write(draft: Draft, runs: Runs, end: int) -> None:
    for name in ("numbers", "ids", "headings", "starts"):
        for piece in runs.joined(name):
            draft.put(name, piece)
    draft.put("starts", np.array([end], np.uint32))
    _put_ends(draft, "id_starts", runs.joined("id_sizes"))
    for name in ("tokens", "rows", "often", "places"):
        for piece in runs.merged(name):
            draft.put(name, piece)
    for name in ("postings", "spots"):
        _put_ends(draft, f"{name}_starts", runs.merged(name))


def _put_ends(draft: Draft, name: str, pieces: Iterable[Array]) -> None:
    last = 0
    draft.put(name, np.zeros(1, np.int64))
    for sizes in pieces:
        ends = last + np.cumsum(sizes, dtype=np.int64)
        last = int(ends[-1])
        draft.put(name, ends)
