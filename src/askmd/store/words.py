"""Search by words: FTS5, BM25, and never a syntax error from what a person typed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from askmd.store.rows import clean
from askmd.store.schema import count_chunks
from askmd.store.selection import Numbers, read_ids
from askmd.types import Occurrences, Scored
from askmd.words import is_lone, segmented

HEADING_WEIGHT = 2.0
TEXT_WEIGHT = 1.0
CHECKED = 200
"""Of the chunks that segments found, the best, which are looked for before they are named."""

_BEST = f"""
SELECT rowid, -rank FROM words
WHERE words MATCH :query AND rank MATCH 'bm25({HEADING_WEIGHT}, {TEXT_WEIGHT})'
ORDER BY rank LIMIT :limit
"""
# The + keeps SQLite from running the whole MATCH once for each allowed number.
_BEST_OF_ALLOWED = _BEST.replace(
    "ORDER BY", "AND +rowid IN (SELECT value FROM json_each(:allowed)) ORDER BY"
)
# A filter of the counted rows and no condition: the words are looked through once.
_WHERE_IT_OCCURS = """
SELECT count(*), json_group_array(rowid) FILTER (
    WHERE rowid IN (SELECT value FROM json_each(:among))
) FROM words WHERE words MATCH :term
"""


def best_by_words(
    connection: sqlite3.Connection,
    terms: Sequence[str],
    limit: int,
    allowed: Numbers | None,
    database: Path,
) -> list[Scored]:
    """Return the best chunks by BM25 among the allowed ones (None: all), higher is better.

    Raises IndexCorrupt where the words know a chunk that is not there.
    """
    query = match_any(terms)
    if not query or limit <= 0:
        return []
    parameters: dict[str, object] = {"query": query, "limit": limit}
    if allowed is not None:
        parameters["allowed"] = allowed.as_json
    best = _BEST if allowed is None else _BEST_OF_ALLOWED
    rows = connection.execute(best, parameters).fetchall()
    ids = read_ids(connection, [number for number, _ in rows], database)
    found = [Scored(ids[number], score) for number, score in rows]
    return sorted(found, key=lambda one: (-one.score, one.id))


def scores_by_words(
    connection: sqlite3.Connection, terms: Sequence[str], among: Mapping[int, str]
) -> dict[str, float]:
    """Return the score by BM25 of each of some chunks, whose ids are given, if it holds a term."""
    query = match_any(terms)
    parameters = {"query": query, "limit": len(among), "allowed": json.dumps(list(among))}
    rows = connection.execute(_BEST_OF_ALLOWED, parameters) if query and among else ()
    return {among[number]: score for number, score in rows}


def find_occurrences(
    connection: sqlite3.Connection, terms: Iterable[str], among: Mapping[int, str]
) -> Occurrences:
    """Return where terms occur: in how many chunks, and in which of some, whose ids are given."""
    counts: dict[str, int] = {}
    holding: dict[str, frozenset[str]] = {}
    numbers = json.dumps(list(among))
    for term in dict.fromkeys(terms):
        parameters = {"term": _quote(term), "among": numbers}
        counts[term], found = connection.execute(_WHERE_IT_OCCURS, parameters).fetchone()
        holding[term] = frozenset(among[number] for number in json.loads(found))
    return Occurrences(count_chunks(connection), counts, holding)


def match_any(terms: Iterable[str]) -> str:
    """Return the FTS5 query for chunks that hold any of the terms; empty without a term."""
    return " OR ".join(_quote(term) for term in dict.fromkeys(terms) if term.strip())


def _quote(term: str) -> str:
    """Return a term as an FTS5 string: whatever stands in it, it is text and not syntax."""
    # FTS5 ends its query at a NUL.
    text = segmented(clean(term).replace("\0", " "), with_ends=False).strip()
    # In the index each character of a script without spaces begins a pair, or stands alone.
    return '"' + text.replace('"', '""') + ('" *' if is_lone(text) else '"')
