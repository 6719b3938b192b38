"""What a terminal is shown: cleaned text, notices, progress, streamed Markdown, links."""

from askmd.terminal.answering import stream_answer
from askmd.terminal.cleaning import (
    LONGEST_STRING,
    Cleaner,
    Sourced,
    clean,
    escaped,
    say,
    source_line,
)
from askmd.terminal.hyperlinks import linked
from askmd.terminal.markdown_stream import is_drawn, stream_markdown, warm_markdown
from askmd.terminal.progress import progress_bar
from askmd.terminal.waiting import waiting

__all__ = [
    "LONGEST_STRING",
    "Cleaner",
    "Sourced",
    "clean",
    "escaped",
    "is_drawn",
    "linked",
    "progress_bar",
    "say",
    "source_line",
    "stream_answer",
    "stream_markdown",
    "waiting",
    "warm_markdown",
]
