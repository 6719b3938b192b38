"""A question to ranked hits, by meaning and by words."""

from askmd.retriever.retrieving import Retriever

__all__ = ["Retriever"]
