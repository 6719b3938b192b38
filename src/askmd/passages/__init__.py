"""Hits in, the best passages for a token budget out.

Repeated text is dropped, a hit is widened to its section where that is cheap, and neighbours that
were both found become one continuous range.
"""

from askmd.passages.assembling import assemble, candidates_for
from askmd.passages.pricing import prompt_text
from askmd.passages.ranges import Read
from askmd.passages.widening import Around

__all__ = ["Around", "Read", "assemble", "candidates_for", "prompt_text"]
