"""The front door: parse, call one function, print; every failure is one line."""

from __future__ import annotations

import gc
import os
from typing import NoReturn

__all__ = ["main"]

COLLECTED_AT = 50_000
"""New objects between two looks for garbage: at Python's 700 a fifth of a start is spent looking
among modules, which are none."""


def main() -> NoReturn:
    """Run the command line and leave with CONTRACT's exit status."""
    gc.set_threshold(COLLECTED_AT, 20, 20)
    # A product with one question is as fast on one thread, and none has to be started for it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from askmd.cli.front import run

    try:
        run()
    finally:
        # The process ends: nobody needs to look for what else could be freed.
        gc.freeze()
