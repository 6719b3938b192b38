"""Chunks and vectors on disk: SQLite is the truth, words and FAISS are found through it.

    folder    names, permissions, files replaced as a whole        nothing below it
    manifest  which database is current, how far it came
    lock      one writer
    database  connections, transactions, SQLite's errors explained
    schema    tables, identity, root                    rows       documents and chunks as rows
    selection a Filter as chunk numbers                 words      FTS5 and BM25
    vectors   the FAISS file as bytes                   floats     vectors checked (numpy)
    nearest   FAISS, derived from SQLite                reading    questions to the tables
    replacing a document in its old one's place
    writer, opening                                     connections, reader

Importing this package loads neither numpy nor FAISS; the first vector does.
"""

from askmd.store.opening import open_writer
from askmd.store.reader import SQLiteStore, open_store
from askmd.store.reading import Counts
from askmd.store.rows import vector_key
from askmd.store.writer import IndexWriter

__all__ = ["Counts", "IndexWriter", "SQLiteStore", "open_store", "open_writer", "vector_key"]
