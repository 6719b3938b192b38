"""Texts become unit vectors: a local model, an OpenAI-compatible server, or hashed words.

Names are imported when they are first used, so that this package costs nothing by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askmd.embed.gate import unit_vectors
    from askmd.embed.hash import HashEmbedder
    from askmd.embed.known_prefixes import prefixes
    from askmd.embed.location import locate
    from askmd.embed.model_folder import ModelFolder, describe
    from askmd.embed.openai_compatible import OpenAIEmbedder
    from askmd.embed.sentence_transformer import SentenceTransformerEmbedder

_HOMES = {
    "HashEmbedder": "askmd.embed.hash",
    "ModelFolder": "askmd.embed.model_folder",
    "OpenAIEmbedder": "askmd.embed.openai_compatible",
    "SentenceTransformerEmbedder": "askmd.embed.sentence_transformer",
    "describe": "askmd.embed.model_folder",
    "locate": "askmd.embed.location",
    "prefixes": "askmd.embed.known_prefixes",
    "unit_vectors": "askmd.embed.gate",
}

__all__ = [
    "HashEmbedder",
    "ModelFolder",
    "OpenAIEmbedder",
    "SentenceTransformerEmbedder",
    "describe",
    "locate",
    "prefixes",
    "unit_vectors",
]


if not TYPE_CHECKING:  # or every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        """Import a name when it is first used."""
        if name not in _HOMES:
            raise AttributeError(f"module 'askmd.embed' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
