"""What an answer rests on: its ``[n]`` marks, read while it streams, checked against what was sent.

code        what of a streamed text is code
marks       the numbers, and the marks that point nowhere
spans       code spans and quotations of a paragraph
cutting     a paragraph's sentences
sentences   an answer's statements: what each cites and quotes
folding     text as it is compared word for word
quotes      quotations looked up
vocabulary  words that say nothing: data
terms       what a sentence speaks of
support     how far that stands in the passages
checking    all of it, and the findings
listing     the citations that doors print
"""

from askmd.citations.checking import LEAST_SUPPORT, LEAST_UNCITED, UNCITED, Checked, check
from askmd.citations.listing import citations_of
from askmd.citations.marks import LONGEST_MARK, LONGEST_RANGE, MarkFilter

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
