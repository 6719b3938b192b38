"""A sign of life while something is waited for."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import TextIO

from askmd.terminal.cleaning import clean
from askmd.terminal.markdown_stream import is_drawn
from askmd.terminal.size import terminal_size

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PATIENCE_SECONDS = 0.2
"""What is quicker than this needs no sign."""
_FRAME_SECONDS = 0.1


@contextmanager
def waiting(message: str, stream: TextIO | None = None) -> Iterator[None]:
    """Show a message and something that moves on a terminal, and take them away at the end.

    It stands on the line of the cursor, which is to be empty. Nothing is shown anywhere else,
    nor where the block is left at once.
    """
    target = stream or sys.stderr
    if not is_drawn(target):
        yield
        return
    # By hand, not by rich: it must not cost the first word the time to import it.
    ended = threading.Event()
    line = " ".join(clean(message).split("\n"))
    drawing = threading.Thread(target=_draw, args=(target, line, ended), daemon=True)
    drawing.start()
    try:
        yield
    finally:
        ended.set()
        drawing.join()


def _draw(target: TextIO, line: str, ended: threading.Event) -> None:
    """Draw until it is ended; a terminal that went away is left alone."""
    if ended.wait(_PATIENCE_SECONDS):
        return
    try:
        for frame in cycle(_FRAMES):
            # Two cells a character is the most it can take.
            room = max(terminal_size(target).columns // 2 - 2, 0)
            shown = line if len(line) <= room or line.isascii() else line[:room]
            target.write(f"\r{frame} {shown[: room * 2]}\x1b[K")
            target.flush()
            if ended.wait(_FRAME_SECONDS):
                break
        target.write("\r\x1b[K")
        target.flush()
    except (OSError, ValueError):
        return
