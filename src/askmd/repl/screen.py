"""What the chat shows while it waits, and how its own words look beside an answer's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain

import click

from askmd.terminal import clean, is_drawn, stream_markdown, waiting

PROMPT = "> "


def show(pieces: Iterable[str]) -> None:
    """Print an answer as it comes, after a sign of life until it does."""
    coming = iter(pieces)
    with waiting("waiting for the answer"):
        first = next(coming, "")
    stream_markdown(chain([first], coming))


def note(text: str) -> None:
    """Write a line of the chat's own to stderr, dim where that can be seen."""
    line = " ".join(clean(text).split("\n"))
    is_plain = not is_drawn(sys.stderr) or bool(os.environ.get("NO_COLOR"))
    click.echo(line if is_plain else click.style(line, dim=True), err=True)


def show_lines(lines: Iterable[str]) -> None:
    """Print what a command was asked for."""
    for line in lines:
        print(clean(line), flush=True)


@contextmanager
def quiet_keyboard() -> Iterator[None]:
    """Keep what is typed while an answer comes out of its text; the next prompt shows it."""
    try:
        import termios

        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
    except (ImportError, OSError, ValueError, _termios_error()):
        yield
        return
    silent = termios.tcgetattr(keyboard)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)


def _termios_error() -> type[Exception]:
    """Return what termios raises where there is no terminal."""
    try:
        from termios import error
    except ImportError:
        return OSError
    return error
