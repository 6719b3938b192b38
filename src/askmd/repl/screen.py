"""What the chat shows while it waits, and how its own words look beside an answer's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from shutil import get_terminal_size
from textwrap import wrap

import click

from askmd.terminal import clean, is_drawn, stream_markdown, waiting

PROMPT = "> "


def show(pieces: Iterable[str]) -> None:
    """Print an answer as it comes, after a sign of life until it does."""
    coming = iter(pieces)
    with waiting("waiting for the answer"):
        first = next(coming, "")
    stream_markdown(chain([first], coming))


def tell(text: str, *, is_dim: bool = False) -> None:
    """Write a notice to stderr: one line, on a terminal broken between words.

    is_dim: it is the chat's own remark, and looks so where that can be seen.
    """
    line = " ".join(clean(text).split("\n"))
    if is_drawn(sys.stderr):
        line = "\n".join(_broken(line, get_terminal_size().columns, 2))
        if is_dim and not os.environ.get("NO_COLOR"):
            line = click.style(line, dim=True)
    click.echo(line, err=True)


def show_lines(lines: Iterable[str], *, indent: int = 4) -> None:
    """Print what a command was asked for; on a terminal lines break between words.

    indent: of what does not fit on a line.
    """
    columns = get_terminal_size().columns if is_drawn(sys.stdout) else 0
    for line in map(clean, lines):
        rows = _broken(line, columns, indent) if columns else [line]
        print(*rows, sep="\n", flush=True)


def _broken(line: str, columns: int, indent: int) -> list[str]:
    """Return a line as rows; words longer than a row are left to the terminal."""
    if len(line) <= columns:
        return [line]
    return wrap(
        line,
        columns,
        subsequent_indent=" " * min(indent, columns // 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


@contextmanager
def quiet_keyboard() -> Iterator[None]:
    """Keep what is typed while an answer comes out of its text; the next prompt shows it."""
    if sys.platform == "win32":
        yield
        return
    import termios

    try:
        keyboard = sys.stdin.fileno()
        before, silent = termios.tcgetattr(keyboard), termios.tcgetattr(keyboard)
    except (OSError, ValueError, termios.error):
        yield
        return
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(keyboard, termios.TCSANOW, silent)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
