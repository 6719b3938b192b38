"""What is derived from the tables, against the tables: the word index, and every segment.

Imported when an index is examined: it needs numpy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from askmd.store.connections import Connection
from askmd.store.derived import Damaged, Derived
from askmd.store.examining.looks import Examination, Mend, counted
from askmd.store.folder import segment_prefix
from askmd.store.manifest import FIX_STEP
from askmd.store.reading import Words
from askmd.store.schema import TOKENIZER, State, read_state
from askmd.store.sealing import words_sum
from askmd.store.word_parts import Arrays, InMemory, Part
from askmd.store.word_runs import RUN, invert
from askmd.store.word_tokens import Tokenizer

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_PIECE = 1 << 20
"""Places and postings that are looked at at once."""
_COPY = f"""
CREATE TEMP VIEW chunk_words AS
SELECT number, words_heading, coalesce(words_text, text) AS words_text FROM held.chunks;
CREATE VIRTUAL TABLE temp.words USING fts5 (
    words_heading, words_text, content = 'chunk_words', content_rowid = 'number',
    tokenize = "{TOKENIZER}"
);
"""
_SHADOWS = ("config", "data", "docsize", "idx")
_CHECK = "INSERT INTO temp.words (words, rank) VALUES ('integrity-check', ?)"
_IN_RANGE = "FROM chunks {} WHERE chunks.number > ? AND chunks.number <= ? ORDER BY chunks.number"
_WORDS = "SELECT number, id, words_heading, coalesce(words_text, text) " + _IN_RANGE.format("")
_VECTORS = "SELECT number, vector " + _IN_RANGE.format("LEFT JOIN vectors ON key = vector_key")
_Same = Callable[[Examination, sqlite3.Connection, Derived], bool]


class _Differs(ValueError):
    """A derived file is whole, but not of these tables."""


_FAULTS = (Damaged, _Differs, OSError, ValueError, LookupError, TypeError)
"""What reading a derived file can raise, and comparing it."""


# --- the word index --------------------------------------------------------------------------


def look_at_words(
    look: Examination, connection: sqlite3.Connection, database: Path, *, is_frozen: bool
) -> bool:
    """Return whether FTS5 finds its index whole and of the chunks; else note that it is not.

    FTS5 checks itself by a statement that counts as a write, so it gets a copy of its own tables
    that is thrown away; the chunks it reads where they are.
    """
    uri = f"{database.absolute().as_uri()}?mode=ro{'&immutable=1' if is_frozen else ''}"
    with closing(sqlite3.connect(":memory:", uri=True, isolation_level=None)) as copy:
        copy.text_factory = lossless
        look.watch(copy)
        try:
            copy.execute("ATTACH ? AS held", (uri,))
            copy.execute("BEGIN")
            _copy_words(copy)
            copy.execute(_CHECK, (0,))
            if not look.lost.changed:
                # A chunk that has changed is no measure; its own finding says so.
                copy.execute(_CHECK, (1,))
            wanted = look.state.words if look.state else None
            if wanted is not None and words_sum(connection) != wanted:
                raise _Differs("it has changed")
        except (sqlite3.Error, UnicodeError, _Differs) as error:
            look.stop_if_cancelled()
            message = f"the word index (FTS5) is not that of the chunks ({error})"
            look.add("words", message, FIX_STEP, mend=Mend.WORDS)
            return False
    return True


def _copy_words(copy: sqlite3.Connection) -> None:
    # Not executescript, which would end the transaction.
    for statement in _COPY.strip().removesuffix(";").split(";\n"):
        copy.execute(statement)
    for shadow in _SHADOWS:
        copy.execute(f"DELETE FROM temp.words_{shadow}")
        copy.execute(f"INSERT INTO temp.words_{shadow} SELECT * FROM held.words_{shadow}")
    copy.execute("COMMIT")


def lossless(data: bytes) -> str:
    """Return text that may be damaged: what is not UTF-8 becomes what no checksum matches."""
    return data.decode("utf-8", "surrogateescape")


# --- segments --------------------------------------------------------------------------------


def look_at_segments(look: Examination, connection: sqlite3.Connection, database: Path) -> int:
    """Return how many segments there are; note those that are not what the tables say."""
    state = look.state
    if state is None:
        return 0
    for kind in _KINDS:
        prefix, covered = segment_prefix(kind, database.name), 0
        for name in (one for one in state.segments if one.startswith(prefix)):
            try:
                covered = _look_at_segment(look, connection, database.parent / name, kind, covered)
            except FileNotFoundError:
                if not _has_moved_on(database, state):
                    _add(look, f"{name} is missing")
            except _FAULTS as fault:
                look.stop_if_cancelled()
                _add(look, f"{name}: {fault}")
    return len(state.segments)


def _look_at_segment(
    look: Examination, connection: sqlite3.Connection, path: Path, kind: str, covered: int
) -> int:
    """Return the last chunk number of a segment, which is to begin behind the one before it.

    Raises Damaged where it is not what was written, _Differs where that is not what the tables say.
    """
    file = Derived(path)
    origin, state = file.origin, look.state
    if state is None or (origin.uuid, origin.numbering) != (state.uuid, state.numbering):
        raise _Differs("it was derived from another state of the index")
    if origin.after != covered:
        raise _Differs("it does not follow on the one before it")
    file.check()
    if not _KINDS[kind](look, connection, file):
        raise _Differs(f"its {kind} are not those of the chunks")
    return origin.last


def _add(look: Examination, what: str) -> None:
    message = f"searches do without a derived file, or are misled: {what}"
    look.add("segments", message, FIX_STEP, mend=Mend.SEGMENTS)


def _has_moved_on(database: Path, state: State) -> bool:
    """Return whether a writer has named other segments since they were looked for."""
    connection = Connection(database)
    try:
        return read_state(connection.sqlite, database).segments != state.segments
    finally:
        connection.close()


def _places(look: Examination, file: Derived, numbers: Sequence[int]) -> tuple[Array, Array]:
    """Return which of the chunks are sound, and where the file holds these."""
    held = file.rows("numbers")
    wanted = np.array(numbers, np.int64)
    is_sound = np.array([number not in look.lost.changed for number in numbers], bool)
    places = np.searchsorted(held, wanted[is_sound])
    if not np.array_equal(held[np.minimum(places, len(held) - 1)], wanted[is_sound]):
        raise _Differs("it lacks chunks")
    return np.flatnonzero(is_sound), places


def _rows(
    look: Examination, connection: sqlite3.Connection, statement: str, file: Derived, unit: str
) -> Iterator[list[Any]]:
    """Yield what the tables hold of a file's range, some hundreds of chunks at a time."""
    origin, done = file.origin, 0
    cursor = connection.execute(statement, (origin.after, origin.last))
    while batch := cursor.fetchmany(RUN):
        look.tell(done, origin.count, unit)
        yield batch
        done += len(batch)


def _are_vectors_same(look: Examination, connection: sqlite3.Connection, file: Derived) -> bool:
    if file.shape("matrix")[0] != file.shape("numbers")[0]:
        return False
    for batch in _rows(look, connection, _VECTORS, file, "segments of vectors"):
        sound, places = _places(look, file, [number for number, _ in batch])
        matrix = file.rows("matrix")[places]
        stored = b"".join(batch[place][1] for place in sound)
        if matrix.astype("<f4", copy=False).tobytes() != stored:
            return False
    return "index" not in file or _is_index_whole(file)


def _is_index_whole(file: Derived) -> bool:
    """Return whether the approximate index has each row once."""
    import faiss

    try:
        index: Any = faiss.deserialize_index(file.rows("index"))
    except RuntimeError as error:
        raise _Differs(f"this FAISS does not read it ({error})") from error
    count, lists = file.shape("numbers")[0], index.invlists
    held = [
        faiss.rev_swig_ptr(lists.get_ids(number), lists.list_size(number)).copy()
        for number in range(index.nlist)
        if lists.list_size(number)
    ]
    rows = np.sort(np.concatenate(held)) if held else np.zeros(0, np.int64)
    return bool(index.d == file.origin.dim and np.array_equal(rows, np.arange(count)))


def _are_words_same(look: Examination, connection: sqlite3.Connection, file: Derived) -> bool:
    part, tokenizer = Part(file, file.origin.last), Tokenizer()
    tokens = file.rows("tokens")
    if not np.all(tokens[1:] > tokens[:-1]):
        return False
    held = _prints(file)
    for batch in _rows(look, connection, _WORDS, file, "segments of words"):
        sound, places = _places(look, file, [number for number, *_ in batch])
        chunks = [Words(*batch[place]) for place in sound]
        if part.ids(places) != [one.id for one in chunks]:
            return False
        if not np.array_equal(_prints(InMemory(invert(tokenizer, chunks))), held[places]):
            return False
    return True


_KINDS: Mapping[str, _Same] = {"vectors": _are_vectors_same, "words": _are_words_same}
"""How a segment of a kind is compared with the tables."""


def _prints(arrays: Arrays) -> Array:
    """Return a number for each row, made of all its words, how often they come and where.

    Sums of mixed numbers, which do not depend on an order: the file has the rows of a word
    together, the tables have the words of a row together.
    """
    starts = arrays.rows("starts").astype(np.int64)
    prints = _mixed(arrays.rows("headings"), np.diff(starts))
    for begin, stop, tokens in _pieces(arrays, "postings"):
        rows = arrays.rows("rows", begin, stop)
        _add_up(prints, rows, _mixed(tokens, arrays.rows("often", begin, stop)))
    for begin, stop, tokens in _pieces(arrays, "spots"):
        places = arrays.rows("places", begin, stop).astype(np.int64)
        rows = np.searchsorted(starts, places, "right") - 1
        # One place is no word's: it keeps what stands where from what stands how often.
        _add_up(prints, rows, _mixed(tokens, places - starts[rows] + (1 << 20)))
    return prints


def _pieces(arrays: Arrays, kind: str) -> Iterator[tuple[int, int, Array]]:
    """Yield ranges of postings or spots, and the token of each one in them."""
    ends, tokens = arrays.rows(f"{kind}_starts"), arrays.rows("tokens")
    total = int(ends[-1])
    for begin in range(0, total, _PIECE):
        stop = min(total, begin + _PIECE)
        yield begin, stop, tokens[np.searchsorted(ends, np.arange(begin, stop), "right") - 1]


def _add_up(prints: Array, rows: Array, values: Array) -> None:
    with np.errstate(over="ignore"):
        np.add.at(prints, rows, values)


def _mixed(one: Array, other: Array) -> Array:
    """Return a number for each pair, in which every bit of both counts (after splitmix64)."""
    with np.errstate(over="ignore"):
        mixed: Array = one.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= other.astype(np.uint64) * np.uint64(0xD1B54A32D192ED03)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed ^= mixed >> np.uint64(shift)
            mixed *= np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return mixed


def describe(look: Examination, segments: int) -> None:
    """Note that what is derived is sound."""
    what = f" and {counted(segments, 'segment')} hold" if segments else " holds"
    look.add_note("derived", f"the word index{what} what the chunks and vectors do")
