"""A cited place in the user's editor, at its line; else in a pager."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import click

from askmd.errors import AskmdError, FolderError
from askmd.terminal import clean
from askmd.types import Lines

_LINE_FIRST = {"vi", "vim", "nvim", "gvim", "view", "nano", "pico", "emacs", "emacsclient"} | {
    "micro", "kak", "joe", "ne", "mg", "jed", "kate",
}  # fmt: skip
_GO_TO = {"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"}
_COLON = {"subl", "sublime_text", "zed", "zeditor", "hx", "helix"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Lines of a document."""

    path: str
    """Relative to the root."""
    lines: Lines


def open_spot(spot: Spot, root: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Show a document at its lines: in the editor, in a pager, or off a terminal as text.

    Raises FolderError where it is no file inside the root, AskmdError where no editor starts.
    """
    file = inside(root, spot.path)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("\n".join(_cleaned(file)[spot.lines[0] - 1 : spot.lines[1]]))
        return
    editor = environment.get("VISUAL") or environment.get("EDITOR")
    if editor:
        _run(editor_command(editor, file, spot.lines[0]))
    else:
        # The pager begins where its text does.
        head = f"{clean(spot.path)}, from line {spot.lines[0]}\n\n"
        click.echo_via_pager(head + "\n".join(_cleaned(file)[spot.lines[0] - 1 :]) + "\n")


def inside(root: Path, path: str) -> Path:
    """Return a document's file; raises FolderError unless it is one, and inside the root."""
    base = root.resolve()
    try:
        file = (base / path).resolve()
        is_there = file.is_relative_to(base) and file.is_file()
    except (OSError, RuntimeError, ValueError):
        is_there = False
    if not is_there:
        raise FolderError(f"{path} is no file inside {base}", "run `askmd ingest` if it moved")
    return file


def editor_command(editor: str, file: Path, line: int) -> list[str]:
    """Return the words that start an editor at a line; raises AskmdError for what is no command.

    editor: as in $EDITOR: a program and its options, in a shell's quotes.
    """
    try:
        words = shlex.split(editor, posix=os.name != "nt")
    except ValueError as error:
        raise AskmdError(f"$EDITOR is no command: {editor}", "close its quotes") from error
    if not words:
        raise AskmdError("$EDITOR names no program", "set it, or unset it for a pager")
    words = [word.strip('"') for word in words] if os.name == "nt" else words
    name = _name(words[0])
    if name in _GO_TO:
        return [*words, "-g", f"{file}:{line}"]
    if name in _COLON:
        return [*words, f"{file}:{line}"]
    return [*words, f"+{line}", str(file)] if name in _LINE_FIRST else [*words, str(file)]


def line_of(file: Path, heading: str) -> int:
    """Return the line a heading stands on; the first where it is not found."""
    wanted = heading.rsplit(" > ", 1)[-1].strip().casefold()
    for number, line in enumerate(_cleaned(file), start=1):
        if line.strip().strip("#").strip().casefold() == wanted:
            return number
    return 1


def _name(program: str) -> str:
    name = PureWindowsPath(program).name if os.name == "nt" else PurePosixPath(program).name
    return name.casefold().removesuffix(".exe").removesuffix(".cmd")


def _cleaned(file: Path) -> list[str]:
    """Return a file's lines, fit for a terminal."""
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise FolderError(f"{file} cannot be read: {error.strerror}") from error
    return clean(text).split("\n")


def _run(command: Sequence[str]) -> None:
    """Run an editor until it is left; never through a shell."""
    program = shutil.which(command[0])
    if program is None:
        raise AskmdError(f"there is no editor {command[0]}", "set $EDITOR to one that is")
    try:
        with _left_to_the_editor():
            status = subprocess.run([program, *command[1:]], check=False).returncode
    except OSError as error:
        raise AskmdError(f"{command[0]} cannot be started: {error.strerror}") from error
    if status:
        raise AskmdError(f"{command[0]} ended with status {status}")


@contextmanager
def _left_to_the_editor() -> Iterator[None]:
    """Let Ctrl-C reach the editor alone."""
    # Not SIG_IGN, which a child inherits.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
