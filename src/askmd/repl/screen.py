"""What the chat shows while it waits, and how its own words look beside an answer's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from shutil import get_terminal_size
from textwrap import wrap

import click

from askmd.terminal import clean, is_drawn

PROMPT = "> "


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


def is_of_stdout(error: Exception) -> bool:
    """Tell whether stdout failed with an error: what it could not write, it cannot write now."""
    try:
        sys.stdout.flush()
    except OSError as again:
        return isinstance(error, OSError) and again.errno == error.errno
    return False


@contextmanager
def kept_keyboard(*, is_silent: bool = False) -> Iterator[None]:
    """Leave the keyboard as it was found, whatever its modes become within the block.

    is_silent: what is typed is kept for the next prompt, which shows it.
    """
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
    if is_silent:
        silent[3] &= ~termios.ECHO
        # Ctrl-\ would end the process at once, and leave the silence behind.
        silent[6][termios.VQUIT] = bytes([os.fpathconf(keyboard, "PC_VDISABLE")])
        termios.tcsetattr(keyboard, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        # A terminal that hung up has no modes.
        with suppress(termios.error):
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
