"""Text that a terminal opens when it is clicked on (OSC 8), where the terminal is known for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from askmd.terminal.cleaning import clean

LONGEST_URL = 2083
"""Characters; VTE, and with it most of Linux' terminals, takes no longer one."""

_PROGRAMS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal"}
_TERMS = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "wezterm", "contour")
_OLDEST_VTE = 5000
"""0.50: the first that neither shows the sequence nor falls over it."""
_URL_SIGNS = "!#$%&'()*+,/:;=?@[]~"


def linked(text: str, url: str | None, stream: TextIO | None = None) -> str:
    """Return text, cleaned and on one line, as a link where the stream's terminal has links.

    Known are iTerm2, WezTerm, VS Code, Ghostty, Hyper, Tabby, Rio, Warp, kitty, Alacritty, foot,
    Contour, Windows Terminal, Konsole and VTE (GNOME's and others); not tmux or screen.
    ``FORCE_HYPERLINK=1`` says that it has links, whatever it is, ``FORCE_HYPERLINK=0`` that not.
    """
    shown = " ".join(clean(text).split("\n"))
    target = _target(url or "")
    if not target or not shown or not _has_links(stream or sys.stdout, os.environ):
        return shown
    return f"\x1b]8;;{target}\x1b\\{shown}\x1b]8;;\x1b\\"


def _target(url: str) -> str:
    """Return a URL in printable ASCII, the rest percent-encoded; empty where it is too long."""
    from urllib.parse import quote

    target = quote(url, safe=_URL_SIGNS, errors="replace")
    return target if len(target) <= LONGEST_URL else ""


def _has_links(stream: TextIO, environment: Mapping[str, str]) -> bool:
    forced = environment.get("FORCE_HYPERLINK")
    if forced:
        return forced.strip() not in ("0", "false", "no")
    term = environment.get("TERM", "")
    if not stream.isatty() or term == "dumb" or term.startswith(("screen", "tmux")):
        return False
    return (
        environment.get("TERM_PROGRAM") in _PROGRAMS
        or term.startswith(_TERMS)
        or "WT_SESSION" in environment
        or "KONSOLE_VERSION" in environment
        or _number(environment.get("VTE_VERSION", "")) >= _OLDEST_VTE
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
