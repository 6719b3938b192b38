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
    outlines  documents' rows, which say what their chunks are
    sealing   what a commit notes of the whole          upgrading  an earlier askmd's index
    replacing a document in its old one's place
    writer, opening                                     connections, reader
    copying   rows against their checksums, into another's tables
    examining whether all of it is what was written, and what is safe to do where it is not
    backup    the index as one file                     restoring  and brought back

The last three are imported by who needs them: no other verb has to wait for that.

Importing this package loads neither numpy nor FAISS; the first vector loads
numpy, and a segment of 50,000 vectors FAISS.
"""

from askmd.store.manifest import MEND_STEP, REBUILD_STEP
from askmd.store.opening import open_writer
from askmd.store.reader import SQLiteStore, open_store
from askmd.store.reading import Counts
from askmd.store.rows import vector_key
from askmd.store.schema import check_identity
from askmd.store.writer import IndexWriter

__all__ = [
    "MEND_STEP",
    "REBUILD_STEP",
    "Counts",
    "IndexWriter",
    "SQLiteStore",
    "check_identity",
    "open_store",
    "open_writer",
    "vector_key",
]
