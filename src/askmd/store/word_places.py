"""Where words stand in some chunks, as the word index reads them: its own tokenizer, its stems.

FTS5 does not tell positions; a few hundred chunks are read again in memory in some 20 ms.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from askmd.store.reading import find_words
from askmd.store.rows import clean
from askmd.store.schema import TOKENIZER
from askmd.types import WordPlaces
from askmd.words import is_lone, segmented

_HEADING, _TEXT = "heading", "text"
_TABLES = f"""
CREATE VIRTUAL TABLE held USING fts5 (
    {_HEADING}, {_TEXT}, content = '', tokenize = "{TOKENIZER}"
);
CREATE VIRTUAL TABLE held_words USING fts5vocab (held, instance);
CREATE VIRTUAL TABLE asked USING fts5 (term, content = '', tokenize = "{TOKENIZER}");
CREATE VIRTUAL TABLE asked_words USING fts5vocab (asked, instance);
"""
_Tokens = tuple[str, ...]
_Column = tuple[int, str]
"""A chunk's number, and the heading or the text."""
_Offsets = dict[_Column, list[int]]


def read_word_places(
    connection: sqlite3.Connection, terms: Iterable[str], among: Mapping[int, str], database: Path
) -> dict[str, WordPlaces]:
    """Return where the terms stand in each of some chunks, whose ids are given.

    Raises IndexCorrupt where one of them is not what was written.
    """
    chunks = find_words(connection, list(among), database)
    with closing(sqlite3.connect(":memory:")) as memory:
        memory.executescript(_TABLES)
        sequences = _tokenized(memory, list(dict.fromkeys(terms)))
        memory.executemany(
            f"INSERT INTO held (rowid, {_HEADING}, {_TEXT}) VALUES (?, ?, ?)",
            ((one.number, one.heading, one.text) for one in chunks),
        )
        offsets = _offsets(memory, {token for tokens in sequences.values() for token in tokens})
        lengths = _lengths(memory)
    places = _places(sequences, offsets)
    return {
        one.id: WordPlaces(
            lengths.get((one.number, _HEADING), 0),
            lengths.get((one.number, _TEXT), 0),
            places.get((one.number, _HEADING), {}),
            places.get((one.number, _TEXT), {}),
        )
        for one in chunks
    }


def _tokenized(memory: sqlite3.Connection, terms: Sequence[str]) -> dict[str, _Tokens]:
    """Return the tokens of each term in order; a ``*`` ends one that is a beginning."""
    texts = [segmented(clean(term).replace("\0", " "), with_ends=False).strip() for term in terms]
    memory.executemany("INSERT INTO asked (rowid, term) VALUES (?, ?)", enumerate(texts))
    tokens: dict[int, list[str]] = defaultdict(list)
    ordered = "SELECT doc, term FROM asked_words ORDER BY doc, offset"
    for number, token in memory.execute(ordered):
        # FTS5 has no name for what is nothing but marks.
        if token is not None:
            tokens[number].append(token)
    return {
        term: tuple(f"{token}*" if is_lone(text) else token for token in tokens[number])
        for number, (term, text) in enumerate(zip(terms, texts, strict=True))
    }


def _offsets(memory: sqlite3.Connection, tokens: Collection[str]) -> dict[str, _Offsets]:
    """Return by token where it stands."""
    found: dict[str, _Offsets] = {}
    for token in tokens:
        word = token.removesuffix("*")
        last = f"{word}\U0010ffff" if token.endswith("*") else word
        rows = memory.execute(
            "SELECT doc, col, offset FROM held_words WHERE term BETWEEN ? AND ?", (word, last)
        )
        standing = found[token] = defaultdict(list)
        for number, column, offset in rows:
            standing[number, column].append(offset)
    return found


def _lengths(memory: sqlite3.Connection) -> dict[_Column, int]:
    rows = memory.execute("SELECT doc, col, count(*) FROM held_words GROUP BY doc, col")
    return {(number, column): count for number, column, count in rows}


def _places(
    sequences: Mapping[str, _Tokens], offsets: Mapping[str, _Offsets]
) -> dict[_Column, dict[str, tuple[int, ...]]]:
    """Return by column where each term begins, ascending."""
    places: dict[_Column, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for term, tokens in sequences.items():
        first, *rest = [offsets[token] for token in tokens] or [{}]
        for column, begins in first.items():
            for step, following in enumerate(rest, start=1):
                here = set(following.get(column, ()))
                begins = [place for place in begins if place + step in here]
            if begins:
                places[column][term] = tuple(sorted(begins))
    return places
