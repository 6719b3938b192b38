"""What the doctor says."""

from __future__ import annotations

from dataclasses import dataclass

from askmd.errors import AskmdError


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: wrong, worth knowing, or sound."""

    code: str
    is_fault: bool
    message: str
    next: str = ""
    """The command or change that mends it; empty where nothing is to be done."""
    fixed: bool = False
    """Whether it was mended just now; ``next`` is then what is left to do."""
    paths: tuple[str, ...] = ()
    """The documents it is about, relative to the root."""


def fault(error: AskmdError) -> Finding:
    """Return an error as a fault."""
    return Finding(error.code, True, error.message, error.next_step)
