"""What an answer rests on: its ``[n]`` marks, read while it streams, checked against what was sent.

marks   the numbers, and the marks that point nowhere
"""

from askmd.citations.marks import LONGEST_MARK, LONGEST_RANGE, MarkFilter, citations_of

__all__ = ["LONGEST_MARK", "LONGEST_RANGE", "MarkFilter", "citations_of"]
