"""The documents' files, read again for what is cited; the last few are kept while they stand."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from askmd import files
from askmd.config import Config
from askmd.types import Lines

KEPT = 4
"""Files whose text is kept: an answer's passages come from a few, a dozen reads from each."""


class Sources:
    """Reads documents as ingest did; shared between threads safely."""

    def __init__(self, config: Config) -> None:
        """Read by the settings that the index was made with."""
        self._settings = config.documents
        self._lock = threading.Lock()
        self._kept: dict[Path, files.Source] = {}

    def read(self, root: Path, path: str) -> files.Source:
        """Return a document's text and digest, from memory while its stamp says it is the same.

        Raises UnreadableFile with the reason, OSError if it has vanished.
        """
        location = root / path
        stamp = files.stamp_of(location.lstat())
        with self._lock:
            kept = self._kept.get(location)
        # A file that was young when it was read has no stamp to be told by.
        if kept is not None and kept.stamp == stamp:
            return kept
        limit = int(self._settings.max_megabytes * 1e6)
        encoding = self._settings.encoding
        source = files.read(location, max_bytes=limit, encoding=encoding, root=root)
        with self._lock:
            self._kept.pop(location, None)
            self._kept[location] = source
            for oldest in list(self._kept)[:-KEPT]:
                del self._kept[oldest]
        return source


def place_of(text: str, inside: str, lines: Lines) -> Lines | None:
    """Return the lines where a text stands whole; of several places the one nearest to ``lines``.

    None where it does not stand, or is nothing but blanks.
    """
    if not text.strip():
        return None
    first = _nearest(list(_starts(text, inside)), lines[0])
    return None if first is None else (first, first + text.rstrip("\n").count("\n"))


def _starts(text: str, inside: str) -> Iterator[int]:
    """Yield the line of each place where a text begins, 1-based."""
    line, counted, start = 1, 0, inside.find(text)
    while start >= 0:
        line += inside.count("\n", counted, start)
        yield line
        counted = start
        # Overlapping places would cost their number times the text's length, and differ little.
        start = inside.find(text, start + len(text))


def _nearest(places: Sequence[int], wanted: int) -> int | None:
    return min(places, key=lambda place: abs(place - wanted), default=None)
