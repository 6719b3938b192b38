"""The one writer of an index."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from askmd.errors import IndexFault
from askmd.store import replacing
from askmd.store.database import (
    checkpoint,
    connect_writer,
    empty_log,
    explained,
    transaction,
)
from askmd.store.derived import Origin
from askmd.store.folder import (
    find_rebuilds,
    published_name,
    remove_database,
    segment_prefix,
    sweep_leftovers,
    sync_folder,
)
from askmd.store.lock import WriteLock
from askmd.store.manifest import Manifest, write_manifest
from askmd.store.outlines import touch_documents
from askmd.store.reading import Counts, read_counts, read_documents
from askmd.store.schema import State, put_encoding, put_meta
from askmd.store.sealing import count_vectors, seal
from askmd.store.segments import bring_up_to_date, count_held, sweep
from askmd.types import Document, Identity, Indexed, Stamp

if TYPE_CHECKING:
    from askmd.types import Vector

logger = logging.getLogger("askmd")
KEPT_SECONDS = 30 * 24 * 3600
"""How long a vector that no chunk refers to waits for its text to come back."""
EARLY_CHUNKS = 16_384
"""So many new chunks make readers slow before the ingest is done."""
LONG_LOG_BYTES = 32 * 1024 * 1024
"""A write-ahead log of this size is moved into the database before the journey ends."""
_NO_VECTORS: Mapping[bytes, Vector] = MappingProxyType({})


def _build_vectors(
    connection: sqlite3.Connection, state: State, database: Path, path: Path, origin: Origin
) -> None:
    """Write a segment of vectors; numpy is imported only for one that is wanted."""
    from askmd.store.vectors import build_segment

    build_segment(connection, state, database, path, origin)


def _build_words(
    connection: sqlite3.Connection, state: State, database: Path, path: Path, origin: Origin
) -> None:
    """Write a segment of words; numpy is imported only for one that is wanted."""
    from askmd.store.word_runs import build

    build(connection, database, path, origin)


_Build = Callable[[sqlite3.Connection, State, Path, Path, Origin], None]
_BUILDERS: Mapping[str, _Build] = {
    "vectors": _build_vectors,
    "words": _build_words,
}
"""What writes a segment, by its kind."""


@dataclass(slots=True)
class Opened:
    """A database that is ready to be written."""

    connection: sqlite3.Connection
    path: Path
    state: State
    is_rebuild: bool = False
    """Nobody reads it yet: the manifest names it once it is published."""


class IndexWriter:
    """Writes an index for one thread at a time; made by ``open_writer``, holds its lock.

    Every method raises IndexCorrupt for a damaged database and IndexFault for a full disk; what
    was committed before stays.
    """

    def __init__(self, opened: Opened, lock: WriteLock, now: Callable[[], float]) -> None:
        """Write what is open, under a lock that is held; ``now`` gives Unix time in seconds."""
        self._opened = opened
        self._lock = lock
        self._now = now
        self._folder = opened.path.parent
        self._underived = 0
        self._long_log = LONG_LOG_BYTES

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close; what was not committed is gone, an unfinished rebuild waits for the next one."""
        self.close()

    @property
    def identity(self) -> Identity:
        """What the vectors are made of; its dimension is known once there is a vector."""
        return self._opened.state.identity

    @property
    def generation(self) -> int:
        """Grows by one with each committed write."""
        return self._opened.state.generation

    @property
    def encoding(self) -> str | None:
        """What unmarked files were read as; None where not all of them were read so."""
        return self._opened.state.encoding

    def documents(self) -> dict[str, Document]:
        """Return every document by its path."""
        with explained(self._opened.path):
            return read_documents(self._opened.connection, self._opened.path)

    def known_keys(self, keys: Collection[bytes]) -> set[bytes]:
        """Return those of the keys (see ``vector_key``) whose vector need not be computed."""
        with explained(self._opened.path):
            return replacing.find_keys(self._opened.connection, keys)

    def counts(self) -> Counts:
        """Return how much the index holds now."""
        with explained(self._opened.path):
            return read_counts(self._opened.connection, self._opened.path)

    def write(
        self,
        indexed: Sequence[Indexed],
        *,
        removed: Sequence[str] = (),
        vectors: Mapping[bytes, Vector] = _NO_VECTORS,
    ) -> int:
        """Remove documents, put others in their places, all or nothing; return the generation.

        vectors: of texts that are new to the index, by ``vector_key``. Raises EmbeddingError if
        a chunk has no vector, or a vector is no finite float32 unit vector; IndexMismatch if it
        has another dimension.
        """
        generation = self.generation + bool(indexed or removed)
        with self._committing(vectors) as connection:
            now, path = self._now(), self._opened.path
            growth = replacing.remove_documents(connection, removed, now, path)
            for one in indexed:
                growth += replacing.replace_document(connection, one, now, path)
            put_meta(connection, generation=str(generation))
            chunks = seal(connection, growth=growth)
        if generation > self.generation:
            state = replace(self._opened.state, generation=generation, chunks=chunks)
            self._opened.state = state
            self._acknowledge()
            self._derive_early(sum(len(one.chunks) for one in indexed))
        return generation

    def put_vectors(self, vectors: Mapping[bytes, Vector]) -> None:
        """Keep vectors before their chunks are written, so that an interruption costs no more."""
        with self._committing(vectors):
            pass

    def touch(self, stamps: Mapping[str, Stamp]) -> None:
        """Note new stamps of documents whose content is the same."""
        with self._committing(_NO_VECTORS) as connection:
            touch_documents(connection, stamps, self._opened.path)

    def note_encoding(self, encoding: str | None) -> None:
        """Note what every unmarked file was read as; None while that is changing."""
        if encoding == self.encoding:
            return
        with self._committing(_NO_VECTORS) as connection:
            put_encoding(connection, encoding)
        self._opened.state = replace(self._opened.state, encoding=encoding)

    def sweep(self, *, everything: bool = False) -> int:
        """Delete vectors that no chunk has used for 30 days, or now; return how many.

        A rebuild that was broken off and not taken up again goes the same way.
        """
        before = None if everything else self._now() - KEPT_SECONDS
        if not self._opened.is_rebuild:
            self._sweep_rebuilds(before)
        with self._committing(_NO_VECTORS) as connection:
            swept = replacing.sweep_orphans(connection, before)
            count_vectors(connection, -swept)
            return swept

    def finish(self, last_ingest: str, *, is_thorough: bool = False) -> None:
        """Note an ingest's ISO time, write what is derived, empty the log, publish a rebuild.

        is_thorough: read the whole of what was derived before, not only the ends of files.
        """
        with self._committing(_NO_VECTORS) as connection:
            put_meta(connection, last_ingest=last_ingest)
            seal(connection, has_changed=False)
        with explained(self._opened.path):
            # The log first: on a full disk it holds the room that segments need.
            checkpoint(self._opened.connection)
            self._derive(is_thorough=is_thorough)
            checkpoint(self._opened.connection)
        self.publish()

    def publish(self) -> None:
        """Put a rebuilt index in the old one's place; nothing to do for any other."""
        if not self._opened.is_rebuild:
            return
        with explained(self._opened.path):
            path = self._rename()
            self._opened = Opened(connect_writer(path), path, self._opened.state)
            self._acknowledge()
            sweep_leftovers(self._folder, path.name)

    def close(self) -> None:
        """Let go of the database and the lock; calling it twice is harmless."""
        with suppress(sqlite3.Error):
            self._opened.connection.close()
        self._lock.release()

    @contextmanager
    def _committing(self, vectors: Mapping[bytes, Vector]) -> Iterator[sqlite3.Connection]:
        """Commit what happens inside together with the vectors, or nothing."""
        identity, stored = self._check(vectors)
        connection = self._opened.connection
        with explained(self._opened.path), transaction(connection):
            if identity != self.identity:
                put_meta(connection, identity=json.dumps(asdict(identity)))
            count_vectors(connection, replacing.put_vectors(connection, stored, self._now()))
            yield connection
        self._opened.state = replace(self._opened.state, identity=identity)
        self._shorten_log()

    def _check(self, vectors: Mapping[bytes, Vector]) -> tuple[Identity, dict[bytes, bytes]]:
        """Return the identity with its dimension, and the vectors as they are stored."""
        if not vectors:
            return self.identity, {}
        from askmd.store import floats

        dim = floats.check_vectors(vectors, self.identity.dim)
        stored = {key: floats.to_bytes(vector) for key, vector in vectors.items()}
        return replace(self.identity, dim=dim), stored

    def _acknowledge(self) -> None:
        """Say outside the database how far it came: a log that is lost later is noticed."""
        if self._opened.is_rebuild:
            return
        state = self._opened.state
        with explained(self._opened.path):
            manifest = Manifest(self._opened.path.name, state.uuid, state.generation)
            write_manifest(self._folder, manifest)

    def _shorten_log(self) -> None:
        if self._log_bytes() > self._long_log:
            # Cut off, for its size is all that tells how much waits in it.
            checkpoint(self._opened.connection)
            # What a reader still needs stays; nobody waits for that one at each commit.
            self._long_log = self._log_bytes() + LONG_LOG_BYTES

    def _log_bytes(self) -> int:
        log = self._opened.path.with_name(f"{self._opened.path.name}-wal")
        return log.stat().st_size if log.exists() else 0

    def _sweep_rebuilds(self, before: float | None) -> None:
        for path in find_rebuilds(self._folder):
            if before is None or path.stat().st_mtime < before:
                remove_database(path)

    def _derive_early(self, added: int) -> None:
        """Write segments in the middle of a long ingest, for those who search meanwhile.

        Each time half of the chunks are in none: what is written in all stays in proportion.
        """
        self._underived += added
        if self._opened.is_rebuild or self._underived < EARLY_CHUNKS:
            return
        self._underived = 0
        state, path = self._opened.state, self._opened.path
        with explained(path):
            if 2 * count_held(self._folder, path.name, "vectors", state) <= (state.chunks or 0):
                self._derive()

    def _derive(self, *, is_thorough: bool = False) -> None:
        """Write the segments that are wanting; without room the index is whole, but slower."""
        if not self.identity.dim:
            return
        try:
            for kind, build in _BUILDERS.items():
                self._write_segments(kind, build, is_thorough=is_thorough)
        except (OSError, OverflowError) as error:
            logger.warning(
                "%s is whole, but what makes searches in it fast could not be written (%s); "
                "make room and run `askmd ingest`",
                self._folder,
                error,
            )

    def _write_segments(self, kind: str, build: _Build, *, is_thorough: bool) -> None:
        connection, state, path = self._opened.connection, self._opened.state, self._opened.path
        build_one = partial(build, connection, state, path)
        names = bring_up_to_date(connection, state, path, kind, build_one, is_thorough=is_thorough)
        prefix = segment_prefix(kind, path.name)
        others = [name for name in state.segments if not name.startswith(prefix)]
        if (listed := (*others, *names)) != state.segments:
            with transaction(connection):
                put_meta(connection, segments=json.dumps(listed))
            self._opened.state = replace(state, segments=listed)
        sweep(self._folder, path.name, kind, names)

    def _rename(self) -> Path:
        """Close the rebuilt database and give it its final name; return its path."""
        path = self._opened.path
        empty_log(self._opened.connection)
        self._opened.connection.close()
        if self._log_bytes():
            # The log belongs to the old name; without it commits would be lost.
            raise IndexFault(
                f"the rebuilt index in {self._folder} could not be completed",
                "make room on the disk and run `askmd ingest --rebuild` again",
            )
        final = path.with_name(published_name(path.name))
        path.replace(final)
        sync_folder(self._folder)
        return final
