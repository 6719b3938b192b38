"""What can befall an index, done to it by hand, and what the doctor is to say of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from askmd.store.derived import Derived, drafting
from askmd.store.rows import vector_checksum

PAGE = "guides/page-7.md"
"""The document of the chunk with the number 20."""
DEAD = 4_194_304
"""No process has so high a number: Linux ends one before."""
Do = Callable[[Path], None]


@dataclass(frozen=True)
class Damage:
    do: Do
    """Damages the index in a folder."""
    codes: set[str]
    """What is found."""
    paths: tuple[str, ...] = ()
    """The documents that are named."""
    is_fault: bool = True
    is_mended: bool = True
    """Whether ``--fix`` does something about it."""


def database(index: Path) -> Path:
    [path] = index.glob("index-*.sqlite3")
    return path


@contextmanager
def opened(index: Path, *, without: str = "") -> Iterator[sqlite3.Connection]:
    """Lend a connection that keeps no promise, with a trigger or an index out of the way."""
    connection = sqlite3.connect(database(index), isolation_level=None)
    connection.execute("PRAGMA foreign_keys = OFF")
    with closing(connection):
        yield from _without(connection, without)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()


def _without(connection: sqlite3.Connection, name: str) -> Iterator[sqlite3.Connection]:
    found = connection.execute("SELECT * FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    connection.execute("PRAGMA writable_schema = RESET")
    if found:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", (name,))
        connection.execute("PRAGMA writable_schema = RESET")
    yield connection
    if found:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", found)
        connection.execute("PRAGMA writable_schema = RESET")


def sql(statement: str, *, without: str = "") -> Do:
    """Return what runs a statement."""

    def do(index: Path) -> None:
        with opened(index, without=without) as connection:
            connection.execute(statement)

    return do


def vector(make: Callable[[bytes], bytes]) -> Do:
    """Return what puts another vector in a chunk's place, under a checksum that fits it."""

    def do(index: Path) -> None:
        with opened(index) as connection:
            key, old = connection.execute(
                "SELECT key, vector FROM chunks JOIN vectors ON key = vector_key WHERE number = 20"
            ).fetchone()
            new = make(old)
            connection.execute(
                "UPDATE vectors SET (vector, checksum) = (?, ?) WHERE key = ?",
                (new, vector_checksum(key, new), key),
            )

    return do


def segment(kind: str, change: Callable[[Path], None]) -> Do:
    """Return what changes a segment."""

    def do(index: Path) -> None:
        [path] = index.glob(f"{kind}-*.segment")
        change(path)

    return do


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 4
    path.write_bytes(bytes(data))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def another(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    """Return what writes a segment anew, whole, with one of its arrays changed."""

    def do(path: Path) -> None:
        file = Derived(path)
        arrays = {one: file.rows(one).copy() for one in file._arrays}
        arrays[name] = change(arrays[name])
        with drafting(path) as draft:
            for one, array in arrays.items():
                draft.put(one, array)
            draft.finish(file.origin)

    return do


def manifest(**changes: int) -> Do:
    """Return what adds to the manifest's numbers."""

    def do(index: Path) -> None:
        path = index / "manifest.json"
        data = json.loads(path.read_text(encoding="utf-8"))
        for name, value in changes.items():
            data[name] += value
        path.write_text(json.dumps(data), encoding="utf-8")

    return do


def file(name: str, text: str = "", mode: int = 0o600) -> Do:
    """Return what puts a file into the index's folder."""

    def do(index: Path) -> None:
        (index / name).write_text(text, encoding="utf-8")
        (index / name).chmod(mode)

    return do


def mode(bits: int, pattern: str = "") -> Do:
    """Return what opens the folder, or the files of a pattern, to others."""

    def do(index: Path) -> None:
        for path in index.glob(pattern) if pattern else [index]:
            path.chmod(bits)

    return do


def zero_page(index: Path) -> None:
    """Zero a page of the table of vectors."""
    with opened(index) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'vectors'")
        [(size,)] = connection.execute("PRAGMA page_size")
    with database(index).open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


def stray_entry(index: Path) -> None:
    """Leave an index of SQLite's with what its table had before."""
    statement = "UPDATE chunks SET position = position {} 100 WHERE number = 20"
    with opened(index) as connection:
        connection.execute(statement.format("+"))
    with opened(index, without="chunks_document") as connection:
        connection.execute(statement.format("-"))


OF_PAGE = f"(SELECT number FROM documents WHERE path = '{PAGE}')"
SECOND = "(SELECT vector_key FROM chunks WHERE number = 20)"
ROWS = {
    "a chunk's text": Damage(
        sql(
            "UPDATE chunks SET text = replace(text, 'e', 'o') WHERE number = 20",
            without="chunks_updated",
        ),
        {"chunks"},
        (PAGE,),
    ),
    "a chunk's lines": Damage(
        sql("UPDATE chunks SET first_line = 1 + first_line WHERE number = 20"), {"chunks"}, (PAGE,)
    ),
    "a chunk that is no UTF-8": Damage(
        sql(
            "UPDATE chunks SET text = CAST(x'fffe41' AS TEXT) WHERE number = 20",
            without="chunks_updated",
        ),
        {"chunks"},
        (PAGE,),
    ),
    "a chunk of another type": Damage(
        sql("UPDATE chunks SET heading = x'00ff' WHERE number = 20"), {"chunks"}, (PAGE,)
    ),
    "a chunk that went": Damage(
        sql("DELETE FROM chunks WHERE number = 20"), {"chunks", "count", "words"}, (PAGE,)
    ),
    "a document's title": Damage(
        sql(f"UPDATE documents SET title = 'Other' WHERE path = '{PAGE}'"), {"documents"}, (PAGE,)
    ),
    "a document's size": Damage(
        sql(f"UPDATE documents SET size = 'large' WHERE path = '{PAGE}'"), {"documents"}, (PAGE,)
    ),
    "a document that went": Damage(
        sql(f"DELETE FROM documents WHERE path = '{PAGE}'"), {"chunks", "count"}
    ),
    "a vector's bytes": Damage(
        sql(f"UPDATE vectors SET vector = zeroblob(length(vector)) WHERE key = {SECOND}"),
        {"vectors"},
        (PAGE,),
    ),
    "a vector of another length": Damage(vector(lambda old: old[:-4]), {"vectors"}, (PAGE,)),
    "a vector that is not a number": Damage(
        vector(lambda old: b"\xff" * len(old)), {"vectors"}, (PAGE,)
    ),
    "a vector of length two": Damage(
        vector(lambda old: (2 * np.frombuffer(old, "<f4")).tobytes()), {"vectors"}, (PAGE,)
    ),
    "a vector's key": Damage(
        sql(f"UPDATE vectors SET key = x'00112233' WHERE key = {SECOND}"),
        {"vectors", "no_vector"},
        (PAGE,),
    ),
    "a vector that went": Damage(
        sql(f"DELETE FROM vectors WHERE key = {SECOND}"), {"no_vector", "count"}, (PAGE,)
    ),
}
"""What takes a document out of the index: the next ingest reads it again."""
DERIVED = {
    "a mark": Damage(
        sql(f"UPDATE vectors SET orphaned_at = 1.0 WHERE key = {SECOND}"), {"marks"}, is_fault=False
    ),
    "the words' sizes": Damage(sql("DELETE FROM words_docsize WHERE id = 20"), {"words"}),
    "the words' data": Damage(
        sql("UPDATE words_data SET block = zeroblob(length(block)) WHERE id > 10"), {"words"}
    ),
    "the words' first row": Damage(sql("DELETE FROM words_data WHERE id = 10"), {"words"}),
    "the words' version": Damage(sql("UPDATE words_config SET v = 99"), {"words"}),
    "words of nobody": Damage(
        sql("INSERT INTO words (rowid, words_heading, words_text) VALUES (999, 'a', 'b')"),
        {"words"},
    ),
    "the last number": Damage(
        sql("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'chunks'"), {"numbers"}
    ),
    "an index of SQLite's": Damage(stray_entry, {"indexes"}),
    "a bit of a vectors segment": Damage(segment("vectors", flip), {"segments"}),
    "a bit of a words segment": Damage(segment("words", flip), {"segments"}),
    "a segment that was cut": Damage(segment("words", cut), {"segments"}),
    "a segment that went": Damage(segment("vectors", Path.unlink), {"segments"}),
    "a segment of other vectors": Damage(
        segment("vectors", another("matrix", lambda rows: rows[::-1])), {"segments"}
    ),
    "a segment of other chunks": Damage(
        segment("vectors", another("numbers", lambda numbers: numbers + 1)), {"segments"}
    ),
    "a segment of other ids": Damage(
        segment("words", another("ids", lambda ids: ids[::-1])), {"segments"}
    ),
    "a segment of words elsewhere": Damage(
        segment("words", another("places", lambda places: places[::-1])), {"segments"}
    ),
    "a segment of words more often": Damage(
        segment("words", another("often", lambda often: often + np.uint16(1))), {"segments"}
    ),
    "a segment of other words": Damage(
        segment("words", another("tokens", lambda tokens: tokens + np.uint64(1))), {"segments"}
    ),
}
"""What is made anew from the rows."""
FILES = {
    "no manifest": Damage(lambda index: (index / "manifest.json").unlink(), {"manifest"}),
    "a manifest of nonsense": Damage(file("manifest.json", "{"), {"manifest"}),
    "writes that were lost": Damage(manifest(generation=3), {"lost_writes"}),
    "a manifest that is late": Damage(manifest(generation=-1), {"manifest"}, is_fault=False),
    "a draft": Damage(file("manifest.json.0123456789abcdef.tmp"), {"leftovers"}, is_fault=False),
    "an old database": Damage(
        file("index-0123456789abcdef.sqlite3-wal"), {"leftovers"}, is_fault=False
    ),
    "a segment nobody names": Damage(
        file("words-0123456789abcdef-0123456789abcdef.segment"), {"leftovers"}, is_fault=False
    ),
    "a dead writer": Damage(file("write.pid", str(DEAD)), {"leftovers"}, is_fault=False),
    "an open folder": Damage(mode(0o755), {"permissions"}),
    "open files": Damage(mode(0o644, "*.sqlite3"), {"permissions"}),
}
"""What stands beside the rows."""
HOPELESS = {
    "a page": Damage(zero_page, {"database"}, is_mended=False),
    "the description": Damage(
        sql("UPDATE meta SET value = '../elsewhere' WHERE key = 'root'"),
        {"index_corrupt"},
        is_mended=False,
    ),
    "another database": Damage(
        sql("UPDATE meta SET value = 'x' WHERE key = 'uuid'"), {"index_corrupt"}, is_mended=False
    ),
    "a trigger": Damage(sql("DROP TRIGGER chunks_deleted"), {"tables"}, is_mended=False),
    "no database": Damage(
        lambda index: database(index).unlink(), {"index_corrupt"}, is_mended=False
    ),
    "a database of nonsense": Damage(
        lambda index: database(index).write_bytes(b"nothing of the kind" * 999) and None,
        {"index_corrupt"},
        is_mended=False,
    ),
}
"""What nothing mends but to make the index anew."""
KNOWN = {
    "a rebuild that was broken off": Damage(
        file("rebuild-0123456789abcdef.sqlite3"), {"rebuild"}, is_fault=False, is_mended=False
    ),
    "a stranger's file": Damage(file("thesis.docx"), {"foreign"}, is_fault=False, is_mended=False),
}
"""What is only worth knowing."""
MENDED = {**ROWS, **DERIVED, **FILES}
EVERY = {**MENDED, **HOPELESS, **KNOWN}
