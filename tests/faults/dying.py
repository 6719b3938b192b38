"""What a child does before it dies: it counts the points it passes, and notes what it did."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

from faults import world

BATCH = 4
"""Texts embedded together here."""
QUESTIONS = world.QUESTIONS[:1]
PLACES = (
    "askmd.store.lock:WriteLock.__init__",
    "askmd.store.lock:WriteLock.release",
    "askmd.store.folder:hide_from_git",
    "askmd.store.folder:create_file",
    "askmd.store.folder:replace_file",
    "askmd.store.folder:drafted",
    "askmd.store.folder:sync_folder",
    "askmd.store.folder:sweep_leftovers",
    "askmd.store.folder:remove_database",
    "askmd.store.manifest:write_manifest",
    "askmd.store.database:connect_writer",
    "askmd.store.database:transaction",
    "askmd.store.database:checkpoint",
    "askmd.store.schema:create_tables",
    "askmd.store.schema:empty_content",
    "askmd.store.schema:put_meta",
    "askmd.store.replacing:put_vectors",
    "askmd.store.replacing:replace_document",
    "askmd.store.replacing:remove_documents",
    "askmd.store.replacing:sweep_orphans",
    "askmd.store.segments:bring_up_to_date",
    "askmd.store.segments:sweep",
    "askmd.store.vectors:build_segment",
    "askmd.store.word_runs:build",
    "askmd.store.derived:Draft.finish",
    "askmd.store.writer:IndexWriter.write",
    "askmd.store.writer:IndexWriter.put_vectors",
    "askmd.store.writer:IndexWriter.touch",
    "askmd.store.writer:IndexWriter.sweep",
    "askmd.store.writer:IndexWriter.finish",
    "askmd.store.writer:IndexWriter.publish",
    "askmd.store.writer:IndexWriter.close",
    "os:fsync",
    "pathlib:Path.replace",
    "pathlib:Path.unlink",
)
"""Functions and methods before and after which a process may die; in a ``with``, inside too."""
_EVERY_STATEMENT = "an SQL statement"


class Killer:
    """Counts how often each point is passed, and ends the process at one of them."""

    def __init__(self, point: str = "", at: int = 0) -> None:
        """End it when ``point`` is passed for the ``at``-th time."""
        self.passes: Counter[str] = Counter()
        self._last = (point, at)

    def arm(self) -> None:
        """Stand before and after every place."""
        for place in PLACES:
            self._stand_at(place)
        self._watch_statements()

    def passed(self, point: str) -> None:
        """Note that a point was passed."""
        self.passes[point] += 1
        if (point, self.passes[point]) == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def _stand_at(self, place: str) -> None:
        module, _, name = place.partition(":")
        owner: Any = importlib.import_module(module)
        *outer, name = name.split(".")
        for one in outer:
            owner = getattr(owner, one)
        replace_everywhere(owner, name, lambda known: self._around(place, known))

    def _around(self, place: str, known: Callable[..., Any]) -> Callable[..., Any]:
        if hasattr(known, "__wrapped__"):

            @contextmanager
            def inside(*args: Any, **options: Any) -> Iterator[Any]:
                self.passed(f"before {place}")
                with known(*args, **options) as given:
                    self.passed(f"beginning {place}")
                    yield given
                    self.passed(f"ending {place}")
                self.passed(f"after {place}")

            return inside

        @wraps(known)
        def around(*args: Any, **options: Any) -> Any:
            self.passed(f"before {place}")
            result = known(*args, **options)
            self.passed(f"after {place}")
            return result

        return around

    def _watch_statements(self) -> None:
        from askmd.store import database

        def watched(known: Callable[..., sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
            def connect(path: Path) -> sqlite3.Connection:
                connection = known(path)
                connection.set_trace_callback(lambda text: self.passed(_EVERY_STATEMENT))
                return connection

            return connect

        replace_everywhere(database, "connect_writer", watched)


def replace_everywhere(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Put something in the place of a function, wherever askmd imported it; in a child only."""
    known = getattr(owner, name)
    changed = change(known)
    setattr(owner, name, changed)
    if isinstance(owner, type):
        return
    for module in [one for key, one in sys.modules.items() if key.startswith("askmd.")]:
        if vars(module).get(name) is known:
            setattr(module, name, changed)


def ingest(
    docs: str,
    index: str,
    *,
    notes: str,
    point: str = "",
    at: int = 0,
    options: Mapping[str, bool] | None = None,
    is_armed: bool = False,
) -> dict[str, Any]:
    """Bring an index up to date, or die; what was acknowledged and embedded stands in notes.

    is_armed: whether points are passed; without, it may only be killed from outside.
    Returns the report and how often each point was passed.
    """
    killer = Killer(point, at)
    if is_armed:
        killer.arm()
    take_notes(notes)
    report = world.ingest(docs, index, batch=BATCH, options=options)
    return {"report": report, "passes": killer.passes}


def take_notes(notes: str) -> None:
    """Note in a file each generation once it is acknowledged, and each text that is embedded."""
    from askmd.embed.hash import HashEmbedder
    from askmd.store import IndexWriter

    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def acknowledged(known: Callable[..., Any]) -> Callable[..., Any]:
        def act(writer: IndexWriter, *args: Any, **options: Any) -> Any:
            result = known(writer, *args, **options)
            if not writer._opened.is_rebuild:
                os.write(file, f"generation {writer.generation}\n".encode())
            return result

        return act

    def counted(known: Callable[..., Any]) -> Callable[..., Any]:
        def embed(embedder: HashEmbedder, texts: list[str]) -> Any:
            os.write(file, f"embedded {len(texts)}\n".encode())
            return known(embedder, texts)

        return embed

    replace_everywhere(IndexWriter, "write", acknowledged)
    replace_everywhere(IndexWriter, "publish", acknowledged)
    replace_everywhere(HashEmbedder, "embed", counted)


def look(index: str) -> dict[str, Any]:
    """Return what a fresh process makes of an index, and the files that have no business in it."""
    try:
        held = world.dump(index)
    except (OSError, ValueError, KeyError, sqlite3.Error) as error:
        held = {"error": type(error).__name__, "message": str(error)}
    found = world.answers(index, QUESTIONS)
    return {"dump": held, "answers": found, "leftovers": leftovers(Path(index))}


def leftovers(folder: Path) -> list[str]:
    """Return the names of files that no current index needs."""
    try:
        database = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["database"]
        uri = f"{(folder / database).as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            meta = dict(connection.execute("SELECT key, value FROM meta"))
    except (OSError, sqlite3.Error):
        return sorted(path.name for path in folder.glob("*"))
    kept = {"manifest.json", ".gitignore", "write.lock", database}
    kept |= {f"{database}-wal", f"{database}-shm", *json.loads(meta.get("segments", "[]"))}
    kept.add(database.replace("index-", "floor-").replace(".sqlite3", ".json"))
    return sorted(path.name for path in folder.iterdir() if path.name not in kept)
