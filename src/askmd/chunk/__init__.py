"""Sections → token-bounded chunks with stable ids; the counter of tokens is handed in."""

from askmd.chunk.assemble import VERSION, split

__all__ = ["VERSION", "split"]
