"""askmd answers questions from a folder of Markdown files, and proves its answers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askmd.answer import Answer, Chat
    from askmd.config import Config
    from askmd.errors import AskmdError
    from askmd.filters import parse_filter
    from askmd.ingest import IngestReport, ingest_folder
    from askmd.retriever import Retriever
    from askmd.types import AnswerRecord, Chunk, Citation, Filter, Hit, Passage, Search

__version__ = "0.1.0"

_HOMES = {
    "Answer": "askmd.answer",
    "AnswerRecord": "askmd.types",
    "AskmdError": "askmd.errors",
    "Chat": "askmd.answer",
    "Chunk": "askmd.types",
    "Citation": "askmd.types",
    "Config": "askmd.config",
    "Filter": "askmd.types",
    "Hit": "askmd.types",
    "IngestReport": "askmd.ingest",
    "Passage": "askmd.types",
    "Retriever": "askmd.retriever",
    "Search": "askmd.types",
    "ingest_folder": "askmd.ingest",
    "parse_filter": "askmd.filters",
}

__all__ = [
    "Answer",
    "AnswerRecord",
    "AskmdError",
    "Chat",
    "Chunk",
    "Citation",
    "Config",
    "Filter",
    "Hit",
    "IngestReport",
    "Passage",
    "Retriever",
    "Search",
    "ingest_folder",
    "parse_filter",
]


if not TYPE_CHECKING:  # or every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that ``import askmd`` costs nothing."""
        if name not in _HOMES:
            raise AttributeError(f"module 'askmd' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Name what there is, imported or not."""
    return [*__all__, "__version__"]
