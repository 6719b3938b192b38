"""Texts and terms as the tokens of the word index: FTS5's own, each a 64-bit hash.

Whatever is not ASCII may be a letter, but no ASCII sign is ever part of a word. So a text is cut at
those, and what each distinct piece holds is asked of FTS5's tokenizer itself, once.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from askmd.store.rows import clean
from askmd.store.schema import TOKENIZER
from askmd.words import is_lone, segmented

if TYPE_CHECKING:
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Counts = npt.NDArray[np.int64]

MOST_KNOWN = 60_000
"""Distinct pieces that are kept from one batch of texts to the next."""
MOST_TERMS = 2_000
"""Terms of questions whose tokens are kept."""
# ASCII's letters become small, its signs a blank; what belongs to other characters stays.
_CUT = bytes(
    byte if byte >= 0x80 or chr(byte).isalnum() else 0x20 for byte in bytes(range(256)).lower()
)
_TABLES = f"""
CREATE VIRTUAL TABLE read USING fts5 (text, content = '', tokenize = "{TOKENIZER}");
CREATE VIRTUAL TABLE tokens USING fts5vocab (read, instance);
"""
_TOKENS = "SELECT doc, offset, CAST(term AS BLOB) FROM tokens ORDER BY doc, offset"


def hash_token(token: bytes) -> int:
    """Return what stands for a token: of a million, two are alike once in thirty million times."""
    return int.from_bytes(blake2b(token, digest_size=8).digest(), "little")


class Tokenizer:
    """Reads texts and terms; shared between threads safely."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._lock = threading.Lock()
        self._memory = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._memory.executescript(_TABLES)
        self._terms: dict[str, tuple[int, ...] | None] = {}
        self._forget()

    def _forget(self) -> None:
        self._pieces: dict[bytes, int] = {}
        self._counts = np.zeros(0, np.int64)
        self._hashes = np.zeros(0, np.uint64)

    def terms(self, terms: Iterable[str]) -> dict[str, tuple[int, ...] | None]:
        """Return each term's tokens in order; None for one that only FTS5 can look for."""
        with self._lock:
            if len(self._terms) > MOST_TERMS:
                self._terms.clear()
            wanted = dict.fromkeys(terms)
            new = [term for term in wanted if term not in self._terms]
            # FTS5 ends a query at a NUL.
            texts = [segmented(clean(one).replace("\0", " "), with_ends=False) for one in new]
            for term, text, tokens in zip(new, texts, self._tokenized(texts), strict=True):
                is_whole = all(tokens) and not is_lone(text.strip())
                hashes = tuple(hash_token(token) for token in tokens)
                self._terms[term] = hashes if is_whole else None
            return {term: self._terms[term] for term in wanted}

    def texts(self, texts: Sequence[str]) -> tuple[Hashes, Counts]:
        """Return the tokens of all texts, one after the other, and how many each text has."""
        with self._lock:
            if len(self._pieces) > MOST_KNOWN:
                self._forget()
            pieces = [text.encode().translate(_CUT).split() for text in texts]
            known = self._pieces
            new = [one for one in dict.fromkeys(p for of in pieces for p in of) if one not in known]
            self._learn(new)
            places = np.fromiter((known[p] for of in pieces for p in of), np.int64)
            held = self._counts[places]
            ends = np.cumsum(held)
            bounds = np.cumsum([len(of) for of in pieces], dtype=np.int64)
            # The ends of the texts, counted in tokens.
            ends_of = np.concatenate([[0], ends])[bounds] if len(bounds) else bounds
            return self._gathered(places, held, ends), np.diff(ends_of, prepend=0)

    def _gathered(self, places: Counts, held: Counts, ends: Counts) -> Hashes:
        starts = (np.cumsum(self._counts) - self._counts)[places]
        if not (held == 1).all():
            starts = np.repeat(starts - (ends - held), held) + np.arange(int(ends[-1]))
        gathered: Hashes = self._hashes[starts]
        return gathered

    def _learn(self, pieces: Sequence[bytes]) -> None:
        """Keep the tokens of pieces: one of each that is ASCII, any number of others."""
        plain = [piece for piece in pieces if piece.isascii()]
        others = [piece for piece in pieces if not piece.isascii()]
        read = self._tokenized([b" ".join(plain).decode(), *(one.decode() for one in others)])
        tokens = [[one] for one in read[0]] + read[1:]
        assert len(tokens) == len(pieces), "a run of ASCII letters and digits is one token"
        known = len(self._pieces)
        hashes = [hash_token(token) for of_piece in tokens for token in of_piece]
        counts = [len(of_piece) for of_piece in tokens]
        # Arrays of what is in the pieces alone: an interruption in between leaves nothing askew.
        before = int(self._counts[:known].sum())
        self._hashes = np.concatenate([self._hashes[:before], np.array(hashes, np.uint64)])
        self._counts = np.concatenate([self._counts[:known], np.array(counts, np.int64)])
        self._pieces.update(zip([*plain, *others], range(known, known + len(pieces)), strict=True))

    def _tokenized(self, texts: Sequence[str]) -> list[list[bytes]]:
        """Return the tokens of each text, by FTS5."""
        found: list[list[bytes]] = [[] for _ in texts]
        memory = self._memory
        if memory.in_transaction:
            # Whoever was here before was interrupted.
            memory.execute("ROLLBACK")
        memory.execute("BEGIN")
        memory.executemany("INSERT INTO read (rowid, text) VALUES (?, ?)", enumerate(texts))
        for number, _, token in memory.execute(_TOKENS):
            # SQLite gives nothing for a token of no letters: an accent that stands alone.
            found[number].append(token or b"")
        memory.execute("INSERT INTO read (read) VALUES ('delete-all')")
        memory.execute("COMMIT")
        return found
