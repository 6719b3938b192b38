"""The readers of an index: many threads, many processes, beside one writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from askmd.errors import IndexCorrupt, IndexFault
from askmd.store import calibration, reading, word_places, words
from askmd.store.connections import Connection, Connections
from askmd.store.database import explained, reading_transaction
from askmd.store.folder import absolute_root, sizes
from askmd.store.manifest import MEND_STEP, REBUILD_STEP, Manifest, read_manifest
from askmd.store.outlines import Outlines
from askmd.store.reading import Counts
from askmd.store.replacing import find_keys
from askmd.store.schema import check_identity, check_root, check_uuid, read_state
from askmd.store.sealing import WordsCheck, check_whole
from askmd.store.selection import Numbers, Selections
from askmd.store.vector_index import VectorIndex
from askmd.store.view import View
from askmd.store.word_index import WordIndex
from askmd.types import (
    Chunk,
    Document,
    Filter,
    Identity,
    Occurrences,
    Place,
    Scored,
    WordPlaces,
)

if TYPE_CHECKING:
    from askmd.store.nearest import Snapshot
    from askmd.store.word_search import Lexicon
    from askmd.types import Vector

Found = TypeVar("Found")

_ATTEMPTS = 5


class SQLiteStore:
    """Reads an index; shared between threads safely, sees a newer generation at its next call.

    Every method raises IndexCorrupt where the index is damaged, IndexMismatch where a rebuild put
    vectors of another identity in its place.
    """

    def __init__(self, folder: Path, identity: Identity | None) -> None:
        """Read the index in a folder, with an identity only while it has that; see open_store."""
        self._folder = folder
        self._wanted = identity
        self._connections = Connections(folder)
        self._lock = threading.Lock()
        self._vectors = VectorIndex()
        self._words = WordIndex()
        self._held = threading.local()
        self._selections = Selections()
        self._words_check = WordsCheck()
        self._outlines = Outlines()

    def __enter__(self) -> Self:
        """Return itself, to be closed at the end of the block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    @property
    def identity(self) -> Identity:
        """What the stored vectors are made of."""
        with self._reading() as view:
            return view.state.identity

    @property
    def generation(self) -> int:
        """Grows by one with each committed write."""
        with self._reading() as view:
            return view.state.generation

    @property
    def is_bound(self) -> bool:
        """Whether there is any vector: what holds none can become one of another identity."""
        with self._reading() as view:
            return view.state.vectors > 0

    @property
    def encoding(self) -> str | None:
        """What unmarked files were read as; None where not all of them were read so."""
        with self._reading() as view:
            return view.state.encoding

    @property
    def root(self) -> Path:
        """The documents' folder, seen from where the index is now; it need not exist."""
        with self._reading() as view:
            return absolute_root(self._folder, view.state.root)

    def check_root(self, wanted: Path) -> None:
        """Raise IndexMismatch unless the index belongs to this folder of documents."""
        with self._reading() as view:
            check_root(self._folder, view.state.root, wanted)

    def warm(self) -> None:
        """Load and check what a first search touches."""
        with self._reading() as view:
            if view.state.identity.dim:
                self._vectors.take(view.connection, view.state, view.database)
            self._words.warm(view.connection, view.state, view.database)

    def require(self, identity: Identity) -> None:
        """Raise IndexMismatch unless the index has this identity, now and at each later call."""
        self._wanted = identity
        with self._reading():
            pass

    def documents(self) -> dict[str, Document]:
        """Return every document by its path."""
        with self._reading() as view:
            return reading.read_documents(view.connection, view.database)

    def document(self, path: str) -> Document | None:
        """Return one document; None where the index does not hold it."""
        with self._reading() as view:
            return reading.find_document(view.connection, path, view.database)

    def headings(self, limit: int) -> list[tuple[str, str]]:
        """Return documents' paths with their headings in order, each pair once; at most so many."""
        with self._reading() as view:
            return reading.read_headings(view.connection, limit, view.database)

    def dense(self, vector: Vector, limit: int, where: Filter) -> list[Scored]:
        """Return the nearest chunks by cosine among those ``where`` allows, best first.

        Exact, but in a very large index it may lack a few; see ``approximate``.
        vector: float32, shape (dim,), of length one. Raises IndexMismatch for another dimension,
        EmbeddingError for anything else that is no unit vector.
        """
        from askmd.store import floats, nearest

        with self._reading() as view:
            if not view.state.identity.dim:
                return []
            question = floats.check_question(vector, view.state.identity.dim)
            allowed = self._allowed(view, where)
            found = self._by_vectors(
                view, lambda snapshot: nearest.nearest(snapshot, question, limit, allowed)
            )
            ids = view.ids([number for number, _ in found])
        scored = [Scored(ids[number], score) for number, score in found]
        return sorted(scored, key=lambda one: (-one.score, one.id))[:limit]

    def least(self, vector: Vector, where: Filter) -> float | None:
        """Return about the least cosine among the chunks ``where`` allows; None without one.

        Raises as ``dense`` does.
        """
        from askmd.store import floats, nearest

        with self._reading() as view:
            if not view.state.identity.dim:
                return None
            question = floats.check_question(vector, view.state.identity.dim)
            allowed = self._allowed(view, where)
            return self._by_vectors(
                view, lambda snapshot: nearest.least(snapshot, question, allowed)
            )

    def words(self, terms: Sequence[str], limit: int, where: Filter) -> list[Scored]:
        """Return the best chunks by BM25 that hold any of the terms, best first; higher is better.

        A term is text, whatever stands in it; one of several words is a phrase.
        """
        with self._reading() as view:
            allowed = self._allowed(view, where)
            found = self._by_words(
                view,
                lambda lexicon: lexicon.best(terms, limit, allowed),
                lambda: words.best_by_words(view.connection, terms, limit, allowed, view.database),
            )
            first = [one.id for one in found[: words.CHECKED]]
            if len(view.numbers(first)) < len(first):
                raise IndexCorrupt(f"{view.database} is damaged: it lost chunks", MEND_STEP)
        return found

    def bm25(self, terms: Sequence[str], ids: Sequence[str]) -> list[float]:
        """Return the score by BM25 of each chunk, in the same order; 0.0 without any term."""
        with self._reading() as view:
            among = view.numbers(ids)
            found = self._by_words(
                view,
                lambda lexicon: lexicon.scores(terms, among),
                lambda: words.scores_by_words(view.connection, terms, among),
            )
        return [found.get(id, 0.0) for id in ids]

    def occurrences(self, terms: Collection[str], ids: Sequence[str]) -> Occurrences:
        """Return where terms occur, by the same stemming as a search: see ``Occurrences``.

        ids: the chunks among which those that hold a term are named.
        """
        with self._reading() as view:
            among = view.numbers(ids)
            return self._by_words(
                view,
                lambda lexicon: lexicon.occurrences(terms, among),
                lambda: words.find_occurrences(view.connection, terms, among),
            )

    def word_places(self, terms: Collection[str], ids: Sequence[str]) -> dict[str, WordPlaces]:
        """Return where the terms stand in each of the chunks that exist, by id."""
        with self._reading() as view:
            among = view.numbers(ids)
            read = partial(word_places.read_word_places, view.connection, terms, among)
            return self._by_words(
                view, lambda lexicon: lexicon.places(terms, among), lambda: read(view.database)
            )

    def beside(self, ids: Sequence[str]) -> dict[str, tuple[str | None, str | None]]:
        """Return the ids of the chunks before and after each one in its document, by id."""
        with self._reading() as view:
            among = view.numbers(ids)
            found = reading.read_beside(view.connection, among, view.database, view.outlines)
            for one in found:
                view.meet_beside(one)
        return {one.id: (one.before, one.after) for one in found}

    def sample(self, count: int) -> list[Chunk]:
        """Return so many chunks, or all of fewer, at even distances through the index."""
        with self._reading() as view:
            return reading.sample_chunks(view.connection, count, view.database)

    def cosines(self, vector: Vector, ids: Sequence[str]) -> list[float]:
        """Return the cosine of each chunk's vector with ``vector``, in the same order.

        A chunk that is gone since it was found has -1.0. Raises as ``dense`` does.
        """
        from askmd.store import floats, nearest

        with self._reading() as view:
            if not view.state.identity.dim:
                return [-1.0] * len(ids)
            question = floats.check_question(vector, view.state.identity.dim)
            numbers = view.numbers(ids)
            found = self._by_vectors(
                view, lambda snapshot: nearest.cosines(snapshot, question, numbers)
            )
        return [found.get(id, -1.0) for id in ids]

    def chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Return the chunks that exist, by id; ``embedded`` is empty, for it is not kept."""
        with self._reading() as view:
            return reading.read_chunks(view.connection, list(view.numbers(ids)), view.database)

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        """Return where each chunk that exists stands, by id."""
        with self._reading() as view:
            among = view.numbers(ids)
            return reading.read_places(view.connection, among, view.database, view.outlines)

    def neighbours(self, id: str, distance: int) -> list[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order.

        The chunk itself is not among them.
        """
        with self._reading() as view:
            for number in view.numbers([id]):
                return reading.read_neighbours(view.connection, number, distance, view.database)
        return []

    def known_keys(self, keys: Collection[bytes]) -> set[bytes]:
        """Return those of the keys (see ``vector_key``) whose vector is stored."""
        with self._reading() as view:
            return find_keys(view.connection, keys)

    def counts(self) -> Counts:
        """Return how much the index holds."""
        with self._reading() as view:
            return reading.read_counts(view.connection, view.database)

    def files(self) -> list[tuple[Path, int]]:
        """Return every file of the index with its size in bytes."""
        return sizes(self._folder)

    def close(self) -> None:
        """Let go of every connection once its query is done; calling it twice is harmless."""
        self._connections.close()
        self._vectors.close()

    def calibration(self) -> str | None:
        """Return what was kept of this index, or of it when it was nearly the same; else None."""
        with self._reading() as view:
            return calibration.read(self._folder, view.connection, view.state, view.database)

    def keep_calibration(self, text: str) -> None:
        """Keep what was measured of this index beside it; where it cannot be written, do not."""
        with self._reading() as view:
            calibration.write(self._folder, view.connection, view.state, view.database, text)

    def _allowed(self, view: View, where: Filter) -> Numbers | None:
        """Return which chunks a filter lets through; None where it is all."""
        return self._selections.select(view.connection, where, view.state, view.database)

    def _by_vectors(self, view: View, search: Callable[[Snapshot], Found]) -> Found:
        """Return what is found among the vectors of a view's generation."""
        return self._vectors.answer(view.connection, view.state, view.database, search)

    def _by_words(
        self,
        view: View,
        by_segments: Callable[[Lexicon], Found | None],
        otherwise: Callable[[], Found],
    ) -> Found:
        """Return what is found among the words of a view's generation, the other way without."""

        def by_fts5() -> Found:
            self._words_check.check(view.connection, view.state, view.database)
            return otherwise()

        return self._words.answer(view.connection, view.state, view.database, by_segments, by_fts5)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every call inside, from this thread, see one and the same committed state."""
        with self._reading() as view:
            outer, self._held.view = getattr(self._held, "view", None), view
            try:
                yield
            finally:
                self._held.view = outer

    @contextmanager
    def _reading(self) -> Iterator[View]:
        """See one committed state inside; the manifest is read first, so it cannot be newer."""
        held: View | None = getattr(self._held, "view", None)
        if held is not None:
            yield held
            return
        manifest, mine = self._connect()
        path = self._folder / manifest.database
        with mine.in_use, explained(path):
            self._connections.refuse_closed()
            with reading_transaction(mine.sqlite):
                yield self._view(manifest, mine.sqlite, path)

    def _view(self, manifest: Manifest, connection: sqlite3.Connection, path: Path) -> View:
        """Return what a transaction sees, if that may be searched."""
        state = read_state(connection, path)
        check_uuid(manifest, state, path)
        if state.generation < manifest.generation:
            lost = manifest.generation - state.generation
            raise IndexCorrupt(f"{path} lost its last {lost} writes", "run `askmd ingest`")
        if self._wanted:
            check_identity(state.identity, self._wanted, self._folder)
        return View(connection, state, path, self._outlines.of(state))

    def _connect(self) -> tuple[Manifest, Connection]:
        """Return the manifest and this thread's connection to the database it names."""
        path = self._folder
        for _ in range(_ATTEMPTS):
            manifest = read_manifest(self._folder)
            path = self._folder / manifest.database
            try:
                with explained(path):
                    return manifest, self._connections.connect(path)
            except IndexFault:
                if path.exists():
                    raise
            # A rebuild took the old database away between two looks: look again.
        raise IndexCorrupt(f"{path} is missing", REBUILD_STEP)


def open_store(folder: Path, identity: Identity | None = None) -> SQLiteStore:
    """Return the reader of the index in a folder.

    Raises NoIndex if there is none, IndexMismatch if it has not the identity that is asked for,
    IndexCorrupt if it is damaged.
    """
    store = SQLiteStore(folder.absolute(), identity)
    try:
        with store._reading() as view:
            check_whole(view.connection, view.state, view.database)
    except BaseException:
        store.close()
        raise
    return store
