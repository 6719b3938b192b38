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

from askmd.errors import AskmdError, FolderError, UsageError
from askmd.markdown import split_sections
from askmd.repl.screen import kept_keyboard
from askmd.terminal import clean, is_drawn
from askmd.types import Lines

_LINE_FIRST = {"vi", "vim", "nvim", "gvim", "view", "nano", "pico", "emacs", "emacsclient"} | {
    "micro", "kak", "joe", "ne", "mg", "jed", "kate",
}  # fmt: skip
_GO_TO = {"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"}
# Leaving the other screen takes the cursor to where it was saved, even if nobody went there.
_SAVE_CURSOR, _LEAVE_SCREEN = "\x1b7", "\x1b[?25h\x1b[?1049l"
_COLON = {"subl", "sublime_text", "zed", "zeditor", "hx", "helix"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Lines of a document."""

    path: str
    """Relative to the root."""
    lines: Lines


def open_spot(spot: Spot, root: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Show a document at its lines: in the editor, in a pager, or off a terminal as text.

    Raises FolderError where it is no file inside the root, UsageError where it has no such lines,
    AskmdError where no editor starts.
    """
    file = inside(root, spot.path)
    first, last = spot.lines
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(*_lines_from(file, first)[: last - first + 1], sep="\n")
        return
    editor = environment.get("VISUAL") or environment.get("EDITOR")
    if editor:
        _run(editor_command(editor, file, max(first, 1)))
    else:
        # The pager begins where its text does.
        head = f"{clean(spot.path)}, from line {first}\n\n"
        click.echo_via_pager(head + "\n".join(_lines_from(file, first)) + "\n")


def inside(root: Path, path: str) -> Path:
    """Return a document's file; raises FolderError unless it is one, and inside the root."""
    base = root.resolve()
    if not is_inside(base, path):
        raise FolderError(f"{path} is no file inside {base}", "run `askmd ingest` if it moved")
    return (base / path).resolve()


def is_inside(root: Path, path: str) -> bool:
    """Tell whether there is such a file, and inside the root."""
    try:
        base = root.resolve()
        file = (base / path).resolve()
        return file.is_relative_to(base) and file.is_file()
    except (OSError, RuntimeError, ValueError):
        return False


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


def line_of(file: Path, heading: str) -> int | None:
    """Return the line a heading stands on; None where it is not found.

    heading: its text, with those above it before it or not, or its anchor.
    """
    wanted = _folded(heading)
    try:
        sections = split_sections(_text(file))
    except ValueError:
        return None
    for section in sections:
        parts = [_folded(part) for part in section.path]
        names = {" > ".join(parts[depth:]) for depth in range(len(parts))}
        if wanted in names | {section.anchor} - {""}:
            return section.blocks[0].lines[0] if section.blocks else section.lines[0]
    return None


def _folded(heading: str) -> str:
    return " ".join(clean(heading).split()).casefold()


def _name(program: str) -> str:
    name = PureWindowsPath(program).name if os.name == "nt" else PurePosixPath(program).name
    return name.casefold().removesuffix(".exe").removesuffix(".cmd")


def _lines_from(file: Path, first: int) -> list[str]:
    """Return a file's lines from one on, fit for a terminal; raises UsageError without that one."""
    lines = clean(_text(file)).removesuffix("\n").split("\n")
    if not 1 <= first <= len(lines):
        many = f"{len(lines)} line{'s' * (len(lines) != 1)}"
        raise UsageError(f"{file.name} has {many}, and no line {first}", "name one it has")
    return lines[first - 1 :]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise FolderError(f"{file} cannot be read: {error.strerror}") from error


def _run(command: Sequence[str]) -> None:
    """Run an editor until it is left; never through a shell."""
    program = shutil.which(command[0])
    if program is None:
        raise AskmdError(f"there is no editor {command[0]}", "set $EDITOR to one that is")
    try:
        with kept_keyboard(), _left_to_the_editor():
            status = _status([program, *command[1:]])
    except OSError as error:
        raise AskmdError(f"{command[0]} cannot be started: {error.strerror}") from error
    if status:
        raise AskmdError(f"{command[0]} ended with status {status}")


def _status(command: Sequence[str]) -> int:
    """Return the exit status of what draws as it likes; if it failed, its screen is put away."""
    is_drawn_on = is_drawn(sys.stdout)
    if is_drawn_on:
        print(_SAVE_CURSOR, end="", flush=True)
    status = subprocess.run(command, check=False).returncode
    if status and is_drawn_on:
        print(_LEAVE_SCREEN, end="", flush=True)
    return status


@contextmanager
def _left_to_the_editor() -> Iterator[None]:
    """Let Ctrl-C reach the editor alone."""
    # Not SIG_IGN, which a child inherits.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
