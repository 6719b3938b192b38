"""A Filter applied to the index: the numbers of the chunks that may be found at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

from askmd.filters import allows_document, allows_heading
from askmd.types import Filter


@dataclass(frozen=True, slots=True)
class Numbers:
    """Chunk numbers, ascending."""

    values: tuple[int, ...]
    as_json: str
    """The same as a JSON array, as SQL takes them."""


def select_numbers(connection: sqlite3.Connection, where: Filter) -> Numbers | None:
    """Return the chunks that pass the filter; None where it lets everything through."""
    if where == Filter():
        return None
    documents = json.dumps(list(_select_documents(connection, where)))
    rows = connection.execute(
        "SELECT number, heading FROM chunks "
        "WHERE document IN (SELECT value FROM json_each(?)) ORDER BY number",
        (documents,),
    )
    if where.headings:
        rows_allowed = (
            n for n, heading in rows if allows_heading(where, tuple(json.loads(heading)))
        )
    else:
        rows_allowed = (number for number, _ in rows)
    values = tuple(rows_allowed)
    return Numbers(values, json.dumps(values))


def _select_documents(connection: sqlite3.Connection, where: Filter) -> Iterator[int]:
    for number, path, metadata in connection.execute(
        "SELECT number, path, metadata FROM documents"
    ):
        if allows_document(where, path, json.loads(metadata) if where.metadata else {}):
            yield number
