"""An index of the former schema brought up to date where it stands; nothing is embedded again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from askmd.store.database import transaction
from askmd.store.outlines import seal_document
from askmd.store.reading import check_every_chunk
from askmd.store.rows import DOCUMENT_COLUMNS, read_document
from askmd.store.schema import SCHEMA, is_former, put_meta, tables_sum
from askmd.store.sealing import seal

_NEW_COLUMNS = (
    "numbers TEXT NOT NULL DEFAULT '[]'",
    "headings TEXT NOT NULL DEFAULT '[]'",
    "longest_tokens INTEGER NOT NULL DEFAULT 0",
    "checksum BLOB NOT NULL DEFAULT x''",
)

_DOCUMENTS = f"SELECT number, {DOCUMENT_COLUMNS} FROM documents"


def upgrade(connection: sqlite3.Connection, database: Path) -> None:
    """Bring an index of the former schema up to date, all or nothing; any other stays as it is.

    Raises IndexCorrupt where a chunk is not what was written.
    """
    if not is_former(connection):
        return
    with transaction(connection):
        for column in _NEW_COLUMNS:
            connection.execute(f"ALTER TABLE documents ADD COLUMN {column}")
        seal_rows(connection, database)
        # Nobody knows whether the words are still what was written.
        connection.execute("INSERT INTO words (words) VALUES ('rebuild')")
        seal(connection)
        put_meta(connection, schema=SCHEMA, tables=tables_sum(connection))


def seal_rows(connection: sqlite3.Connection, database: Path) -> None:
    """Put every document under its checksum, and note how many vectors there are.

    Raises IndexCorrupt where a chunk is not what was written.
    """
    check_every_chunk(connection, database)
    for number, *values in connection.execute(_DOCUMENTS).fetchall():
        read_document(tuple(values), database)
        seal_document(connection, number)
    [(vectors,)] = connection.execute("SELECT count(*) FROM vectors")
    put_meta(connection, vectors=str(vectors))
