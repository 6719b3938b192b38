"""A document's row: what it is, and which chunks with which headings are its own, in order.

All of it stands under one checksum. So who asks where a chunk stands, what stands beside it or
which chunks a filter lets through need not trust the indexes over the chunks, where damage would
only make something vanish.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmd.errors import IndexCorrupt
from askmd.store.manifest import MEND_STEP
from askmd.store.rows import DOCUMENT_COLUMNS, checksum_of, read_document, stamp_values
from askmd.store.schema import State
from askmd.types import Document, Stamp

_KEPT = 4096
_ROW = f"number, {DOCUMENT_COLUMNS}, numbers, headings, longest_tokens"
_DOCUMENTS = f"SELECT checksum, {_ROW} FROM documents"
_CHUNKS = "SELECT number, heading, tokens FROM chunks WHERE document = ? ORDER BY position"


@dataclass(frozen=True, slots=True)
class Outline:
    """A document and its chunks, as they were written."""

    number: int
    values: tuple[Any, ...]
    """In the order of DOCUMENT_COLUMNS."""
    numbers: tuple[int, ...]
    """Of its chunks, in order."""
    headings_json: str
    longest_tokens: int
    """Of its chunks; 0 without one."""

    @property
    def path(self) -> str:
        """The document's path."""
        return str(self.values[0])

    @property
    def metadata(self) -> Any:
        """The document's front matter."""
        return json.loads(self.values[-1])

    @property
    def headings(self) -> list[tuple[str, ...]]:
        """Of its chunks, in order."""
        return [tuple(path) for path in json.loads(self.headings_json)]


class Outlines:
    """Documents that were read and checked, for as long as the index stays as it is.

    Shared between threads safely.
    """

    def __init__(self) -> None:
        """Know of none yet."""
        self._known: tuple[tuple[str, int], dict[int, Outline]] = (("", 0), {})

    def of(self, state: State) -> dict[int, Outline]:
        """Return those of a state by their numbers, to which others may be added."""
        now = (state.numbering, state.generation)
        then, known = self._known
        if then != now or len(known) > _KEPT:
            known = {}
            self._known = (now, known)
        return known


def read_outlines(connection: sqlite3.Connection, database: Path) -> Iterator[Outline]:
    """Yield every document, in the order of paths.

    Raises IndexCorrupt where one is not what was written, or some are missing.
    """
    count = 0
    for row in connection.execute(f"{_DOCUMENTS} ORDER BY path"):
        yield _outline(row, database)
        count += 1
    expected = connection.execute("SELECT value FROM meta WHERE key = 'documents'").fetchone()
    if expected is None or int(expected[0]) != count:
        raise IndexCorrupt(f"{database} is damaged: it has lost a document", MEND_STEP)


def find_outlines(
    connection: sqlite3.Connection,
    numbers: Iterable[int],
    database: Path,
    known: dict[int, Outline] | None = None,
) -> dict[int, Outline]:
    """Return the documents of these numbers, each of which there must be.

    known: those that were read before, to which the others are added.
    """
    wanted, known = set(numbers), {} if known is None else known
    rows = connection.execute(
        f"{_DOCUMENTS} WHERE number IN (SELECT value FROM json_each(?))",
        (json.dumps(list(wanted - known.keys())),),
    )
    known |= {row[1]: _outline(row, database) for row in rows}
    if not wanted <= known.keys():
        raise IndexCorrupt(f"{database} is damaged: it has lost a document", MEND_STEP)
    return {number: known[number] for number in wanted}


def find_outline(
    connection: sqlite3.Connection, path: str, database: Path, *, is_index_checked: bool = False
) -> Outline | None:
    """Return the document of a path; None where the index does not hold it.

    is_index_checked: whoever read every document need not look through all of them once more for
    each one that is new; with 200,000 of them that would be hours.
    """
    found = connection.execute(f"{_DOCUMENTS} WHERE path = ?", (path,)).fetchone()
    if found is not None and found[2] == path:
        return _outline(found, database)
    if found is None and is_index_checked:
        return None
    # The table itself, which damage to the index over paths leaves as it was.
    [(is_lost,)] = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM documents NOT INDEXED WHERE path = ?)", (path,)
    )
    if is_lost or found is not None:
        raise IndexCorrupt(f"{database} is damaged: it has lost a document", MEND_STEP)
    return None


def outlines_of_chunks(
    connection: sqlite3.Connection,
    numbers: Sequence[int],
    database: Path,
    known: dict[int, Outline],
) -> dict[int, tuple[Outline, int]]:
    """Return the document of each of these chunks, all of which there are, and its place in it.

    known: see ``find_outlines``.
    """
    rows = connection.execute(
        "SELECT number, document FROM chunks WHERE number IN (SELECT value FROM json_each(?))",
        (json.dumps(list(numbers)),),
    )
    documents = dict(rows.fetchall())
    outlines = find_outlines(connection, documents.values(), database, known)
    places = {
        number: (one, place)
        for one in outlines.values()
        for place, number in enumerate(one.numbers)
        if number in documents
    }
    if places.keys() != set(numbers):
        raise IndexCorrupt(f"{database} is damaged: it has lost chunks", MEND_STEP)
    return places


def _outline(row: Sequence[Any], database: Path) -> Outline:
    """Return what a row holds; raises IndexCorrupt if it is not what was written."""
    checksum, number, *values, numbers, headings, longest_tokens = row
    try:
        is_sound = checksum_of(row[1:]) == checksum
    except TypeError:
        # A damaged row can hold another type than was written.
        is_sound = False
    if not is_sound:
        raise IndexCorrupt(
            f"{database} is damaged: the document {values[0]!s} has changed", MEND_STEP
        )
    return Outline(number, tuple(values), tuple(json.loads(numbers)), headings, longest_tokens)


def document_of(outline: Outline, database: Path) -> Document:
    """Return a document as others know it."""
    return read_document(outline.values, database)


def seal_document(connection: sqlite3.Connection, number: int) -> None:
    """Note in a document's row which chunks are its own, as they stand now, and its checksum."""
    chunks = connection.execute(_CHUNKS, (number,)).fetchall()
    connection.execute(
        "UPDATE documents SET (numbers, headings, longest_tokens) = (?, ?, ?) WHERE number = ?",
        (
            json.dumps([chunk for chunk, *_ in chunks]),
            f"[{', '.join(heading for _, heading, _ in chunks)}]",
            max((tokens for *_, tokens in chunks), default=0),
            number,
        ),
    )
    _put_checksum(connection, number)


def touch_documents(
    connection: sqlite3.Connection, stamps: Mapping[str, Stamp], database: Path
) -> None:
    """Note new stamps of documents whose content is the same."""
    for path, stamp in stamps.items():
        outline = find_outline(connection, path, database)
        if outline is not None:
            connection.execute(
                "UPDATE documents SET (size, mtime_ns, ctime_ns, inode) = (?, ?, ?, ?) "
                "WHERE number = ?",
                (*stamp_values(stamp), outline.number),
            )
            _put_checksum(connection, outline.number)


def _put_checksum(connection: sqlite3.Connection, number: int) -> None:
    row = connection.execute(f"SELECT {_ROW} FROM documents WHERE number = ?", (number,)).fetchone()
    connection.execute(
        "UPDATE documents SET checksum = ? WHERE number = ?", (checksum_of(row), number)
    )
