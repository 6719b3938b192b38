"""Texts become unit vectors: a local model, an OpenAI-compatible server, or hashed words.

A cross-encoder stands here too: it is had, checked and run as a local embedder is.

Names are imported when they are first used, so that this package costs nothing by itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askmd.embed.cross_encoder import CrossEncoderReranker
    from askmd.embed.cross_encoder_folder import CrossEncoderFolder, describe_cross_encoder
    from askmd.embed.gate import unit_vectors
    from askmd.embed.hash import HashEmbedder
    from askmd.embed.known_prefixes import prefixes
    from askmd.embed.local import LocalEmbedder
    from askmd.embed.location import locate
    from askmd.embed.model_folder import ModelFolder, describe
    from askmd.embed.onnx import OnnxEmbedder
    from askmd.embed.openai_compatible import OpenAIEmbedder
    from askmd.embed.sentence_transformer import SentenceTransformerEmbedder
    from askmd.embed.sums import Sums

_HOMES = {
    "CrossEncoderFolder": "askmd.embed.cross_encoder_folder",
    "CrossEncoderReranker": "askmd.embed.cross_encoder",
    "HashEmbedder": "askmd.embed.hash",
    "LocalEmbedder": "askmd.embed.local",
    "ModelFolder": "askmd.embed.model_folder",
    "OnnxEmbedder": "askmd.embed.onnx",
    "OpenAIEmbedder": "askmd.embed.openai_compatible",
    "SentenceTransformerEmbedder": "askmd.embed.sentence_transformer",
    "Sums": "askmd.embed.sums",
    "describe": "askmd.embed.model_folder",
    "describe_cross_encoder": "askmd.embed.cross_encoder_folder",
    "locate": "askmd.embed.location",
    "prefixes": "askmd.embed.known_prefixes",
    "unit_vectors": "askmd.embed.gate",
}

__all__ = [
    "CrossEncoderFolder",
    "CrossEncoderReranker",
    "HashEmbedder",
    "LocalEmbedder",
    "ModelFolder",
    "OnnxEmbedder",
    "OpenAIEmbedder",
    "SentenceTransformerEmbedder",
    "Sums",
    "describe",
    "describe_cross_encoder",
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
