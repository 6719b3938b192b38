"""Sections → token-bounded chunks with stable ids; the counter of tokens is handed in."""

from askmd.chunk.assemble import VERSION, split
from askmd.chunk.proof import Fault, Proof, prove

__all__ = ["VERSION", "Fault", "Proof", "prove", "split"]
