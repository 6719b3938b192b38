"""Chunks and vectors on disk: SQLite is the truth, and what searches fast is derived from it.

    folder    names, permissions, files replaced as a whole        nothing below it
    manifest  which database is current, how far it came
    lock      one writer
    database  connections, transactions, SQLite's errors explained
    schema    tables, identity, root                    rows       documents and chunks as rows
    selection a Filter as chunk numbers                 words      FTS5 and BM25
    derived   a file of arrays under checksums          segments   which of them there are to be
    floats    vectors checked (numpy)                   vectors    a segment of them, written
    nearest   vectors searched, small segments whole    approximate  large ones, by FAISS
    snapshots a generation: segments and what they lack  vector_index  the newest, for all threads
    word_tokens  texts as FTS5 reads them               word_runs  a segment of words, written
    word_parts  one of them, read                       word_search  BM25, counts and places
    word_index  the newest, for all threads             word_places  the same places by FTS5
    reading   questions to the tables                   view       one state, chunks met in it
    replacing a document in its old one's place
    writer, opening                                     connections, reader

Importing this package loads neither numpy nor FAISS; the first vector loads
numpy, and a segment of 50,000 vectors FAISS.
"""

from askmd.store.opening import open_writer
from askmd.store.reader import SQLiteStore, open_store
from askmd.store.reading import Counts
from askmd.store.rows import vector_key
from askmd.store.writer import IndexWriter

__all__ = ["Counts", "IndexWriter", "SQLiteStore", "open_store", "open_writer", "vector_key"]
