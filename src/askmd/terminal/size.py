"""How large a terminal is."""

from __future__ import annotations

import os
import shutil
from typing import TextIO


def terminal_size(stream: TextIO) -> os.terminal_size:
    """Return a terminal's columns and lines, now.

    What the environment says stands for what is no terminal; a terminal it can only narrow.
    """
    named = shutil.get_terminal_size()
    try:
        real = os.get_terminal_size(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return named
    # COLUMNS and LINES may come from another terminal, a container's or a script's. 0 is unknown.
    columns = real.columns or named.columns
    if os.environ.get("COLUMNS"):
        columns = min(columns, named.columns)
    return os.terminal_size((columns, real.lines or named.lines))
