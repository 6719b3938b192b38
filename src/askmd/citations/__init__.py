"""What an answer rests on: its ``[n]`` marks, read while it streams, checked against what was sent.

code        what of a streamed text is code
places      where a bracket stands: in code, data, math, or copied from a passage
marks       the numbers, and the marks that point nowhere
spans       code spans and quotations of a paragraph
cutting     a paragraph's sentences
listed      lines that only name sources
sentences   an answer's statements: what each cites and quotes
folding     text as it is compared word for word
quotes      quotations looked up
vocabulary  words that say nothing: data
terms       what a sentence speaks of
languages   whether a sentence is in the passages' language
support     how far that stands in the passages
checking    all of it, and the findings
listing     the citations that doors print
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from askmd.citations.marks import LONGEST_MARK, LONGEST_RANGE, MarkFilter

if TYPE_CHECKING:
    from askmd.citations.checking import LEAST_SUPPORT, LEAST_UNCITED, UNCITED, Checked, check
    from askmd.citations.listing import citations_of

__all__ = [
    "LEAST_SUPPORT",
    "LEAST_UNCITED",
    "LONGEST_MARK",
    "LONGEST_RANGE",
    "UNCITED",
    "Checked",
    "MarkFilter",
    "check",
    "citations_of",
]


if not TYPE_CHECKING:  # or every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        """Import what is wanted of a finished answer when it is finished: its first word is not."""
        if name not in __all__:
            raise AttributeError(f"module 'askmd.citations' has no attribute {name!r}")
        room = "listing" if name == "citations_of" else "checking"
        return getattr(import_module(f"askmd.citations.{room}"), name)
