"""The front door: parse, call one function, print; every failure is one line."""

from __future__ import annotations

import gc
from typing import NoReturn

__all__ = ["main"]

COLLECTED_AT = 50_000
"""New objects between two looks for garbage: at Python's 700 a fifth of a start is spent looking
among modules, which are none."""


def main() -> NoReturn:
    """Run the command line and leave with CONTRACT's exit status."""
    gc.set_threshold(COLLECTED_AT, 20, 20)
    from askmd.cli.front import run

    run()
