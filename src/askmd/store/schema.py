"""The tables, and the few facts about the whole index that ``meta`` holds."""

from __future__ import annotations

import json
import secrets
import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from askmd.errors import IndexCorrupt, IndexMismatch
from askmd.store.folder import absolute_root, is_same_folder
from askmd.store.manifest import MEND_STEP, REBUILD_STEP, Manifest
from askmd.store.rows import checksum_of
from askmd.types import Identity

SCHEMA = "3"
FORMER = "2"
"""The schema that an ingest brings up to date: see ``upgrading``."""

_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
_VECTORS = """
CREATE TABLE vectors (
    key BLOB PRIMARY KEY,     -- blake2b-16 of the text that was embedded
    vector BLOB NOT NULL,     -- float32, little-endian
    checksum BLOB NOT NULL,
    orphaned_at REAL          -- Unix time since when no chunk refers to it; NULL while one does
)"""
# There are few at a time, and each ingest looks for the old ones among a million.
_ORPHANS = "CREATE INDEX vectors_orphaned ON vectors (orphaned_at) WHERE orphaned_at IS NOT NULL"
# Mn and Mc: the vowel signs of many scripts belong to their word. The sign that makes a picture of
# the character before it is of that kind too, and does not.
TOKENIZER = "porter unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc' separators '\ufe0f'"
_CONTENT = (
    """
CREATE TABLE documents (
    number INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    inode TEXT NOT NULL,      -- up to 128 bits on Windows
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    metadata TEXT NOT NULL,   -- JSON
    numbers TEXT NOT NULL DEFAULT '[]',         -- JSON: its chunks, in order
    headings TEXT NOT NULL DEFAULT '[]',        -- JSON: the headings of these
    longest_tokens INTEGER NOT NULL DEFAULT 0,  -- of these
    checksum BLOB NOT NULL DEFAULT x''
)""",
    # AUTOINCREMENT: a number is never given twice, so what is derived from a chunk can be keyed
    # by its number and brought up to date by looking at numbers alone.
    """
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES documents (number) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    heading TEXT NOT NULL,    -- JSON, an array
    anchor TEXT NOT NULL,
    anchors TEXT NOT NULL,    -- JSON, an array of three; '' where all are the anchor
    first_line INTEGER NOT NULL,
    last_line INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    text TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    words_heading TEXT NOT NULL,
    words_text TEXT,          -- the text as word search reads it; NULL where that is the text
    vector_key BLOB NOT NULL REFERENCES vectors (key),
    checksum BLOB NOT NULL
)""",
    "CREATE INDEX chunks_document ON chunks (document, position)",
    "CREATE INDEX chunks_vector ON chunks (vector_key)",
    """
CREATE VIEW chunk_words AS
SELECT number, words_heading, coalesce(words_text, text) AS words_text FROM chunks""",
    f"""
CREATE VIRTUAL TABLE words USING fts5 (
    words_heading, words_text, content = 'chunk_words', content_rowid = 'number',
    tokenize = "{TOKENIZER}"
)""",
    """
CREATE TRIGGER chunks_inserted AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, words_heading, words_text)
    VALUES (new.number, new.words_heading, coalesce(new.words_text, new.text));
END""",
    """
CREATE TRIGGER chunks_deleted AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, words_heading, words_text)
    VALUES ('delete', old.number, old.words_heading, coalesce(old.words_text, old.text));
END""",
    """
CREATE TRIGGER chunks_updated AFTER UPDATE OF words_heading, words_text, text ON chunks
WHEN (old.words_heading, old.words_text, old.text)
    IS NOT (new.words_heading, new.words_text, new.text)
BEGIN
    INSERT INTO words (words, rowid, words_heading, words_text)
    VALUES ('delete', old.number, old.words_heading, coalesce(old.words_text, old.text));
    INSERT INTO words (rowid, words_heading, words_text)
    VALUES (new.number, new.words_heading, coalesce(new.words_text, new.text));
END""",
)


@dataclass(frozen=True, slots=True)
class State:
    """What an index says of itself."""

    uuid: str
    generation: int
    numbering: str
    """Names the run of chunk numbers; a database that lost commits begins a new one."""
    identity: Identity
    root: str
    """The documents' root, as ``folder.relative_root`` wrote it."""
    last_ingest: str | None
    """ISO time of the last finished ingest."""
    chunks: int | None
    """How many chunks the last commit left; None where a former askmd wrote it."""
    encoding: str | None
    """What unmarked files were read as; None where not all of them were read so."""
    segments: tuple[str, ...] = ()
    """Names of the derived files that are this index's own; see ``segments``."""
    vectors: int = 0
    """How many vectors the last commit left."""
    last_number: int = 0
    """The greatest number that was ever given to a chunk."""
    tables: str = ""
    """See ``tables_sum``."""
    words: str | None = None
    """See ``sealing.words_sum``; None where the last commit did without."""


def create_tables(
    connection: sqlite3.Connection, identity: Identity, root: str, generation: int
) -> None:
    """Make an empty index; to be called inside a transaction."""
    connection.execute(_META)
    connection.execute(_VECTORS)
    connection.execute(_ORPHANS)
    for statement in _CONTENT:
        connection.execute(statement)
    put_meta(
        connection,
        schema=SCHEMA,
        uuid=uuid.uuid4().hex,
        generation=str(generation),
        numbering=secrets.token_hex(8),
        identity=json.dumps(asdict(identity)),
        root=root,
        chunks="0",
        documents="0",
        vectors="0",
        last_number="0",
        tables=tables_sum(connection),
    )


def empty_content(connection: sqlite3.Connection, now: float) -> None:
    """Forget documents and chunks but keep the vectors; to be called inside a transaction."""
    for thing in ("TABLE words", "VIEW chunk_words", "TABLE chunks", "TABLE documents"):
        connection.execute(f"DROP {thing}")
    for statement in _CONTENT:
        connection.execute(statement)
    connection.execute("UPDATE vectors SET orphaned_at = ? WHERE orphaned_at IS NULL", (now,))
    remove_meta(connection, "words")
    put_meta(
        connection,
        numbering=secrets.token_hex(8),
        chunks="0",
        documents="0",
        last_number="0",
        segments="[]",
        tables=tables_sum(connection),
    )


def adopt(connection: sqlite3.Connection, identity: Identity, root: str) -> None:
    """Make an index that holds nothing one of another identity and root; in a transaction."""
    put_meta(
        connection,
        identity=json.dumps(asdict(identity)),
        root=root,
        numbering=secrets.token_hex(8),
    )


def is_empty(connection: sqlite3.Connection) -> bool:
    """Return whether there is neither a document nor a vector."""
    [(holds_any,)] = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM documents) OR EXISTS (SELECT 1 FROM vectors)"
    )
    return not holds_any


def count_chunks(connection: sqlite3.Connection) -> int:
    """Return how many chunks there are."""
    [(count,)] = connection.execute("SELECT count(*) FROM chunks")
    return int(count)


def check_chunks(count: int, state: State, path: Path) -> None:
    """Raise IndexCorrupt if the chunks found are not as many as the last commit left."""
    if state.chunks not in (None, count):
        raise IndexCorrupt(
            f"{path} is damaged: it holds {count} chunks of {state.chunks}", MEND_STEP
        )


_PUT_META = (
    "INSERT INTO meta (key, value) VALUES (?, ?) "
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)


def put_meta(connection: sqlite3.Connection, **values: str) -> None:
    """Set facts about the whole index, and the checksum over all of them."""
    connection.executemany(_PUT_META, list(values.items()))
    connection.execute(_PUT_META, ("checksum", _meta_sum(_read_meta(connection))))


def remove_meta(connection: sqlite3.Connection, key: str) -> None:
    """Take back a fact."""
    connection.execute("DELETE FROM meta WHERE key = ?", (key,))
    put_meta(connection)


def put_encoding(connection: sqlite3.Connection, encoding: str | None) -> None:
    """Set what every unmarked file was read as, or that it is not known."""
    if encoding is None:
        remove_meta(connection, "encoding")
    else:
        put_meta(connection, encoding=encoding)


def tables_sum(connection: sqlite3.Connection) -> str:
    """Return a hash of what the tables, indexes and triggers are."""
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
    return checksum_of(rows.fetchall()).hex()


def _read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())


def _meta_sum(meta: Mapping[str, str]) -> str:
    return checksum_of(sorted(item for item in meta.items() if item[0] != "checksum")).hex()


def is_former(connection: sqlite3.Connection) -> bool:
    """Return whether an index is of the former schema."""
    meta = _read_meta(connection)
    return meta.get("schema") == FORMER and "checksum" not in meta


def read_state(connection: sqlite3.Connection, path: Path) -> State:
    """Return what the index says of itself.

    Raises IndexMismatch if another version of askmd made it, IndexCorrupt if it makes no sense.
    """
    meta = _read_meta(connection)
    try:
        _check_meta(meta, path)
        # An index of before there was a choice does not say.
        data = {"precision": "float32", **json.loads(meta["identity"])}
        if data.keys() != {one.name for one in fields(Identity)}:
            raise IndexMismatch(f"{path} was made by another version of askmd", REBUILD_STEP)
        return State(
            uuid=meta["uuid"],
            generation=int(meta["generation"]),
            numbering=meta["numbering"],
            identity=Identity(**data),
            root=meta["root"],
            last_ingest=meta.get("last_ingest"),
            chunks=int(meta["chunks"]) if "chunks" in meta else None,
            encoding=meta.get("encoding"),
            segments=tuple(map(str, json.loads(meta.get("segments", "[]")))),
            vectors=int(meta["vectors"]),
            last_number=int(meta["last_number"]),
            tables=meta["tables"],
            words=meta.get("words"),
        )
    except (LookupError, ValueError, TypeError, AttributeError) as error:
        raise IndexCorrupt(
            f"{path} is damaged: its description is not readable", REBUILD_STEP
        ) from error


def _check_meta(meta: Mapping[str, str], path: Path) -> None:
    """Raise IndexMismatch for another version's index, LookupError for one that was changed."""
    schema = meta.get("schema", SCHEMA)
    if schema == FORMER and "checksum" not in meta:
        raise IndexMismatch(f"{path} was made by an earlier askmd", "run `askmd ingest`")
    if schema not in (SCHEMA, FORMER):
        raise IndexMismatch(f"{path} was made by another version of askmd", REBUILD_STEP)
    if meta["checksum"] != _meta_sum(meta):
        raise LookupError("checksum")


def check_identity(built: Identity, wanted: Identity, folder: Path) -> None:
    """Raise IndexMismatch, naming the fields, unless the vectors of both may meet."""
    if 0 in (built.dim, wanted.dim):
        wanted = replace(wanted, dim=built.dim)
    have, want = asdict(built), asdict(wanted)
    differing = [name for name in have if have[name] != want[name]]
    if differing:
        raise IndexMismatch(
            f"the index in {folder} was built with {_name_fields(have, differing)}, "
            f"but the settings ask for {_name_fields(want, differing)}",
            f"{REBUILD_STEP}, or restore the old settings",
        )


def _name_fields(values: dict[str, object], names: list[str]) -> str:
    return ", ".join(f"{name} {values[name]!r}" for name in names)


def check_root(folder: Path, stored: str, wanted: Path) -> None:
    """Raise IndexMismatch unless the index belongs to this root of documents."""
    built = absolute_root(folder, stored)
    if not is_same_folder(built, wanted.resolve()):
        if is_gone(built):
            raise IndexMismatch(
                f"the index in {folder} belongs to {built}, which is gone",
                f"if its documents are in {wanted} now, run `askmd backup FILE`, then "
                f"`askmd restore FILE {wanted}`",
            )
        raise IndexMismatch(
            f"the index in {folder} belongs to {built}, not to {wanted}",
            "give each folder its own index with `--index`",
        )


def is_gone(root: Path) -> bool:
    """Whether a root is certainly not there; one that cannot be looked at may be."""
    try:
        return not root.exists()
    except OSError:
        return False


def check_uuid(manifest: Manifest, state: State, path: Path) -> None:
    """Raise IndexCorrupt if a database stands in the place of another one."""
    if manifest.uuid != state.uuid:
        raise IndexCorrupt(f"{path} is not the database its manifest names", REBUILD_STEP)
