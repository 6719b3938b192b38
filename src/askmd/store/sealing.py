"""What a commit notes of the whole index, so that a reader notices what vanished or changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from askmd.errors import IndexCorrupt
from askmd.store.manifest import FIX_STEP, REBUILD_STEP
from askmd.store.schema import State, check_chunks, count_chunks, put_meta, remove_meta, tables_sum

SUMMED_CHUNKS = 20_000
"""With fewer, each commit sums the words: that takes a millisecond for a thousand of them."""
_WORDS = (
    "SELECT id, block FROM words_data ORDER BY id",
    "SELECT segid, term, pgno FROM words_idx ORDER BY segid, term",
    "SELECT k, v FROM words_config ORDER BY k",
    # One long text: there is a row for each chunk.
    "SELECT group_concat(id || ' ' || hex(sz)) FROM (SELECT id, sz FROM words_docsize ORDER BY id)",
)


@dataclass(frozen=True, slots=True)
class Growth:
    """How many more there are than before."""

    documents: int = 0
    chunks: int = 0

    def __add__(self, other: Growth) -> Growth:
        """Return what both come to."""
        return Growth(self.documents + other.documents, self.chunks + other.chunks)


def seal(
    connection: sqlite3.Connection, *, has_changed: bool = True, growth: Growth | None = None
) -> int:
    """Note how much there is and what the words are; return how many chunks there are.

    has_changed: whether documents or chunks have; only then long sums are not made, and what
    they were is forgotten. growth: since it was last noted; None where all is to be counted, which
    a commit of many would take longer for than for all else. To be called at a transaction's end.
    """
    now = _count(connection) if growth is None else _noted(connection) + growth
    if has_changed and now.chunks >= SUMMED_CHUNKS:
        remove_meta(connection, "words")
    elif has_changed or not _has_sum(connection):
        put_meta(connection, words=words_sum(connection))
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
    put_meta(
        connection,
        chunks=str(now.chunks),
        documents=str(now.documents),
        last_number=str(last[0] if last else 0),
    )
    return now.chunks


def _count(connection: sqlite3.Connection) -> Growth:
    [(documents,)] = connection.execute("SELECT count(*) FROM documents")
    return Growth(documents, count_chunks(connection))


def _noted(connection: sqlite3.Connection) -> Growth:
    noted = dict(
        connection.execute("SELECT key, value FROM meta WHERE key IN ('documents', 'chunks')")
    )
    return Growth(**{key: int(value) for key, value in noted.items()})


def _has_sum(connection: sqlite3.Connection) -> bool:
    return bool(connection.execute("SELECT 1 FROM meta WHERE key = 'words'").fetchone())


def count_vectors(connection: sqlite3.Connection, added: int) -> None:
    """Note that there are so many vectors more, or fewer."""
    if added:
        [(known,)] = connection.execute("SELECT value FROM meta WHERE key = 'vectors'")
        put_meta(connection, vectors=str(int(known) + added))


def words_sum(connection: sqlite3.Connection) -> str:
    """Return a hash of all that FTS5 keeps of the words."""
    # FTS5 holds back what was written in a transaction until a savepoint.
    if connection.in_transaction:
        connection.execute("SAVEPOINT words_written")
        connection.execute("RELEASE words_written")
    found = blake2b(digest_size=16)
    for statement in _WORDS:
        for row in connection.execute(statement):
            _add(found, row)
    return found.hexdigest()


def _add(found: blake2b, row: Iterable[object]) -> None:
    for value in row:
        data = value if isinstance(value, bytes) else str(value).encode()
        found.update(b"%d:" % len(data))
        found.update(data)


class WordsCheck:
    """Looks at the words once a generation; shared between threads safely."""

    def __init__(self) -> None:
        """Have looked at none yet."""
        self._checked: tuple[str, int] | None = None

    def check(self, connection: sqlite3.Connection, state: State, database: Path) -> None:
        """Raise as ``check_words`` does, unless these were sound before."""
        if self._checked != (state.numbering, state.generation):
            check_words(connection, state, database)
            self._checked = (state.numbering, state.generation)


def check_words(connection: sqlite3.Connection, state: State, database: Path) -> None:
    """Raise IndexCorrupt where FTS5 would not find what was written.

    In the middle of a long ingest there is no sum; then nothing is checked but the count.
    """
    check_chunks(count_chunks(connection), state, database)
    if state.words is not None and words_sum(connection) != state.words:
        raise IndexCorrupt(f"{database} is damaged: its words have changed", FIX_STEP)


def check_whole(connection: sqlite3.Connection, state: State, database: Path) -> None:
    """Raise IndexCorrupt where tables are not as they were made, or chunks are lost."""
    if tables_sum(connection) != state.tables:
        raise IndexCorrupt(f"{database} is damaged: its tables have changed", REBUILD_STEP)
    check_chunks(count_chunks(connection), state, database)
    last = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
    if (last[0] if last else 0) != state.last_number:
        # A number that is given twice would make what is derived lie.
        raise IndexCorrupt(f"{database} is damaged: its numbers have changed", FIX_STEP)
