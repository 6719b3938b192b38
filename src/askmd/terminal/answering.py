"""An answer as it comes, and a sign of life until it does."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from askmd.terminal.markdown_stream import stream_markdown, warm_markdown
from askmd.terminal.waiting import waiting


def stream_answer(pieces: Iterable[str]) -> None:
    """Write an answer's Markdown to stdout as it arrives; see ``stream_markdown``."""
    warm_markdown()
    coming = iter(pieces)
    with waiting("waiting for the answer"):
        first = next(coming, "")
    stream_markdown(chain([first], coming))
