"""What a terminal is shown: cleaned text, notices, progress."""

from askmd.terminal.cleaning import LONGEST_STRING, Cleaner, Sourced, clean, say, source_line
from askmd.terminal.progress import progress_bar

__all__ = [
    "LONGEST_STRING",
    "Cleaner",
    "Sourced",
    "clean",
    "progress_bar",
    "say",
    "source_line",
]
