"""Sections → token-bounded chunks with stable ids; the counter of tokens is handed in.

Names are imported when they are first used: a search asks for the version alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askmd.chunk.assemble import split
    from askmd.chunk.proof import Fault, Proof, prove

VERSION = 3
"""Grows whenever the same text would be cut or embedded differently."""

_HOMES = {
    "Fault": "askmd.chunk.proof",
    "Proof": "askmd.chunk.proof",
    "prove": "askmd.chunk.proof",
    "split": "askmd.chunk.assemble",
}

__all__ = ["VERSION", "Fault", "Proof", "prove", "split"]


if not TYPE_CHECKING:  # or every misspelt name would pass a type checker

    def __getattr__(name: str) -> Any:
        """Import a name when it is first used."""
        if name not in _HOMES:
            raise AttributeError(f"module 'askmd.chunk' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)
