"""A folder of documents, its changes, an index of it, and what that holds in canonical form.

What stands here runs in children of the fork server: arguments and results are JSON.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from askmd.config import Config
from askmd.errors import AskmdError
from askmd.settings import EmbeddingSettings, IndexSettings
from askmd.types import Mode

_WORDS = (
    "server",
    "proxy",
    "index",
    "vector",
    "nginx",
    "restart",
    "socket",
    "memory",
    "thread",
    "kernel",
    "bucket",
    "replica",
    "shard",
    "token",
    "cursor",
    "commit",
    "rollback",
    "journal",
    "snapshot",
    "checkpoint",
    "deploy",
    "tunnel",
    "certificate",
    "renew",
    "quota",
    "latency",
    "timeout",
    "backoff",
    "gateway",
    "upstream",
    "mirror",
    "archive",
    "restore",
    "backup",
    "vacuum",
    "tuning",
)
QUESTIONS = (
    "How do I renew the certificate?",
    "journal checkpoint rollback",
    "what is the quota of a bucket",
    "upstream gateway timeout",
    "vacuum and tuning of the replica",
    "mirror the archive",
)
_MODES: tuple[Mode, ...] = ("hybrid", "dense", "words")
Documents = dict[str, str]
"""Texts by their path."""


def text_of(seed: int, sections: int = 4) -> str:
    """Return a document of some sections, always the same for a seed."""
    chance = random.Random(seed)
    parts = [f"---\ntags: [{chance.choice(_WORDS)}]\n---\n"]
    for number in range(sections):
        heading = " ".join(chance.choices(_WORDS, k=3)).capitalize()
        body = " ".join(chance.choices(_WORDS, k=chance.randint(20, 90)))
        parts.append(f"{'#' * (1 + bool(number))} {heading} {seed}\n\n{body.capitalize()}.\n")
    return "\n".join(parts)


def documents(seed: int, count: int = 12) -> Documents:
    """Return a small folder, some of it in subfolders."""
    return {
        f"{'guides/' if number % 3 else ''}page-{number}.md": text_of(seed * 1000 + number)
        for number in range(count)
    }


def changed(before: Mapping[str, str], kind: str, seed: int) -> Documents:
    """Return a folder after a change: one of KINDS, or ``mixed``, which is all of them."""
    chance = random.Random(seed)
    after = dict(before)
    names = sorted(before)
    chance.shuffle(names)
    for one in KINDS if kind == "mixed" else (kind,):
        _CHANGES[one](after, names, chance)
    return after


def _change(after: Documents, names: list[str], chance: random.Random) -> None:
    for name in names[:3]:
        after[name] = text_of(chance.randrange(10**9))


def _delete(after: Documents, names: list[str], chance: random.Random) -> None:
    for name in names[3:5]:
        del after[name]


def _rename(after: Documents, names: list[str], chance: random.Random) -> None:
    for name in names[5:8]:
        after[f"moved/{Path(name).name}"] = after.pop(name)


def _add(after: Documents, names: list[str], chance: random.Random) -> None:
    for number in range(3):
        after[f"new-{number}.md"] = text_of(chance.randrange(10**9))


_CHANGES: dict[str, Callable[[Documents, list[str], random.Random], None]] = {
    "change": _change,
    "delete": _delete,
    "rename": _rename,
    "add": _add,
}
KINDS = tuple(_CHANGES)


def write(root: Path, wanted: Mapping[str, str]) -> None:
    """Make a folder hold these documents and no others; what is the same is not touched."""
    root.mkdir(parents=True, exist_ok=True)
    for path in sorted(root.rglob("*.md")):
        if path.relative_to(root).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        target = root / name
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def settings(index: str | Path, **embedding: Any) -> Config:
    """Return settings with the hash embedder and an index in a folder."""
    return replace(
        Config(),
        index=IndexSettings(str(index)),
        embedding=replace(EmbeddingSettings(provider="hash"), **embedding),
    )


def ingest(
    root: str, index: str, *, batch: int = 4, options: Mapping[str, bool] | None = None
) -> dict[str, Any]:
    """Bring an index up to date, with small batches so that there are many commits.

    Returns the report; of an error askmd explains, its code, message and next step.
    """
    from askmd.ingest import ingest_folder, journey

    usual, journey.BATCH_TEXTS = journey.BATCH_TEXTS, batch  # type: ignore[misc]
    try:
        return asdict(ingest_folder(root, settings(index), **(options or {})))
    except AskmdError as error:
        return told(error)
    finally:
        journey.BATCH_TEXTS = usual  # type: ignore[misc]


def told(error: AskmdError) -> dict[str, Any]:
    """Return what an error says, as JSON has it."""
    return {"error": error.code, "message": error.message, "next": error.next_step}


def answers(index: str, questions: tuple[str, ...] = QUESTIONS) -> Any:
    """Return what each mode finds for some questions: id, path and text's hash, best first.

    Of an error askmd explains, its code, message and next step.
    """
    from askmd.retriever import Retriever

    found: dict[str, Any] = {}
    try:
        with Retriever.open(settings(index)) as retriever:
            for mode in _MODES:
                for question in questions:
                    hits = retriever.search(question, limit=5, mode=mode)
                    found[f"{mode}: {question}"] = [
                        [
                            hit.chunk,
                            hit.path,
                            list(hit.lines),
                            digest(hit.text),
                            round(hit.score, 4),
                        ]
                        for hit in hits
                    ]
    except AskmdError as error:
        return told(error)
    return found


def dump(index: str) -> Any:
    """Return what an index holds, independent of the order it was written in.

    documents: by path the hash of everything stored of it and of its chunks and vectors. faults:
    what is not as it must be, in words. generation: of the database.
    """
    folder = Path(index)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    path = folder / manifest["database"]
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("BEGIN")
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        return {
            "documents": _documents(connection),
            "faults": _faults(connection, manifest, meta),
            "generation": int(meta["generation"]),
            "identity": meta["identity"],
        }


def _documents(connection: sqlite3.Connection) -> dict[str, str]:
    held: dict[str, list[Any]] = {}
    columns = "path, digest, title, description, metadata"
    for path, *values in connection.execute(f"SELECT {columns} FROM documents"):
        held[path] = [values]
    for path, *values in connection.execute(
        "SELECT documents.path, chunks.id, position, heading, anchor, anchors, first_line, "
        'last_line, start, "end", text, tokens, words_heading, words_text, hex(vector_key), '
        "hex(vector) FROM chunks JOIN documents ON documents.number = chunks.document "
        "LEFT JOIN vectors ON vectors.key = chunks.vector_key ORDER BY path, position"
    ):
        held[path].append(values)
    return {path: digest(json.dumps(values)) for path, values in sorted(held.items())}


_COUNTS = {
    "chunks without a document": (
        "SELECT count(*) FROM chunks WHERE document NOT IN (SELECT number FROM documents)"
    ),
    "chunks without a vector": (
        "SELECT count(*) FROM chunks WHERE vector_key NOT IN (SELECT key FROM vectors)"
    ),
    "unused vectors that count as used": (
        "SELECT count(*) FROM vectors WHERE orphaned_at IS NULL "
        "AND key NOT IN (SELECT vector_key FROM chunks)"
    ),
    "used vectors that count as unused": (
        "SELECT count(*) FROM vectors WHERE orphaned_at IS NOT NULL "
        "AND key IN (SELECT vector_key FROM chunks)"
    ),
    "chunks that words lack or have too many": (
        "SELECT abs((SELECT count(*) FROM words_docsize) - (SELECT count(*) FROM chunks))"
    ),
    "words of chunks that are not there": (
        "SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT number FROM chunks)"
    ),
}


def _faults(
    connection: sqlite3.Connection, manifest: Mapping[str, Any], meta: Mapping[str, str]
) -> list[str]:
    found = []
    for name, question in _COUNTS.items():
        [(count,)] = connection.execute(question)
        if count:
            found.append(f"{count} {name}")
    [(count,)] = connection.execute("SELECT count(*) FROM chunks")
    if "chunks" in meta and int(meta["chunks"]) != count:
        found.append(f"{count} chunks, but meta says {meta['chunks']}")
    if manifest["uuid"] != meta["uuid"]:
        found.append("the manifest names another database")
    if int(meta["generation"]) < int(manifest["generation"]):
        found.append("the database is behind its manifest")
    return found


def state(index: str, questions: tuple[str, ...] = QUESTIONS) -> dict[str, Any]:
    """Return a dump, or its error, and the answers: what a fresh process makes of an index."""
    try:
        held = dump(index)
    except (OSError, ValueError, KeyError, sqlite3.Error, UnicodeDecodeError) as error:
        held = {"error": type(error).__name__, "message": str(error)}
    return {"dump": held, "answers": answers(index, questions)}


def digest(text: str) -> str:
    """Return a short hash of a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
