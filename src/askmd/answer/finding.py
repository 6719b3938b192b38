"""What an answer needs of whoever finds and reads documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from askmd.types import Chars, Chunk, Filter, Lines, Mode, Search

EVERYTHING = Filter()


class Finder(Protocol):
    """What an answer needs of a retriever."""

    def snapshot(self) -> AbstractContextManager[None]:
        """Let every call inside, from this thread, see one and the same state of the index."""

    @property
    def generation(self) -> int:
        """The index's generation; it grows with each committed write."""

    def find(self, question: str, *, limit: int | None, mode: Mode | None, where: Filter) -> Search:
        """Return the best hits; its own limit and mode where none are given."""

    def has_evidence(self, search: Search) -> bool:
        """Tell whether the documents have anything to do with the question."""

    def read(self, path: str, chars: Chars) -> str | None:
        """Return a range of a document; None where it cannot be had any more."""

    def neighbours(self, id: str, distance: int) -> Sequence[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""

    def is_stale(self, path: str) -> bool:
        """Tell whether a document's file has changed since it was indexed."""

    def stands_at(self, path: str, text: str, lines: Lines) -> Lines | None:
        """Return where a text stands in a document's file as it is now; None where it does not.

        Of several places the one nearest to ``lines``.
        """


class Library(Finder, Protocol):
    """A finder that also knows where its documents are, and what they say of themselves."""

    @property
    def root(self) -> Path:
        """The documents' folder; it need not exist."""

    def metadata(self, path: str) -> Mapping[str, object]:
        """Return a document's front matter; empty where it has none, or is not in the index."""
