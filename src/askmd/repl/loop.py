"""A line in, an answer out, until the user has had enough."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from askmd.answer import Chat
from askmd.errors import AskmdError
from askmd.repl.commands import obey
from askmd.repl.keeping import Keeper, kept_turns
from askmd.repl.screen import PROMPT, is_of_stdout, kept_keyboard, tell
from askmd.repl.talk import Library, Talk, Views

_LOG = logging.getLogger("askmd.repl")

LEAVE = "Ctrl-C once more leaves; so do Ctrl-D and /quit"


@dataclass(frozen=True, slots=True)
class Files:
    """Where a chat keeps what outlives it; nothing is kept without a place."""

    history: Path | None = None
    """Lines typed at a terminal, for their owner alone."""
    conversation: Path | None = None
    """The conversation, after each turn."""
    is_continued: bool = False
    """Whether the conversation that is kept there goes on."""


class _Lines(Protocol):
    def read(self, draft: str = "") -> str | None:
        """Return the next line; None at the end."""


def run(
    chat: Chat,
    library: Library,
    views: Views,
    files: Files = Files(),
    *,
    lines: Iterable[str] | None = None,
) -> int:
    """Read questions and print answers until the input ends or ``/quit`` is read.

    Returns 0; 4 where an answer failed or is incomplete; 1 where every question failed.

    lines: where questions come from instead of the terminal or a pipe.
    """
    if files.is_continued and files.conversation is not None:
        _continue(chat, files.conversation)
    talk = Talk(chat, library, views, Keeper(files.conversation))
    is_typed = lines is None and sys.stdin.isatty()
    with kept_keyboard():
        source = _typed(talk, files) if is_typed else _Given(lines)
        while not talk.is_over:
            draft, talk.draft = talk.draft, ""
            line = _read_patiently(talk, source, draft) if is_typed else source.read(draft)
            if line is None:
                break
            _take(talk, line.strip())
    return talk.status


def _typed(talk: Talk, files: Files) -> _Lines:
    """Return what a user types, at a terminal that can move its cursor or at one that cannot."""
    if os.environ.get("TERM") in ("dumb", "unknown"):
        return _Plain()
    from askmd.repl.keyboard import Keyboard

    return Keyboard(talk, files.history)


class _Given:
    """Lines of a list, or of a pipe."""

    def __init__(self, lines: Iterable[str] | None) -> None:
        self._lines = iter(sys.stdin if lines is None else lines)

    def read(self, draft: str = "") -> str | None:
        """Return the next line; None at the end. A draft can only be shown here."""
        if draft:
            tell(f"to be written anew: {draft}")
        return next(self._lines, None)


class _Plain:
    """Lines typed at a terminal that knows no escape sequence; it edits them itself."""

    def read(self, draft: str = "") -> str | None:
        """Return the next line; None at the end."""
        if draft:
            tell(f"to be written anew: {draft}")
        print(PROMPT, end="", flush=True)
        return sys.stdin.readline() or None


def _read_patiently(talk: Talk, source: _Lines, draft: str) -> str | None:
    """Return what was typed; the first Ctrl-C says how to leave, and a second one leaves."""
    try:
        return source.read(draft)
    except KeyboardInterrupt:
        talk.is_replacing = False
        tell(LEAVE)
    try:
        return source.read()
    except KeyboardInterrupt:
        return None


def _take(talk: Talk, line: str) -> None:
    """Obey or answer a line; whatever goes wrong with it, or stops it, ends the line alone."""
    is_replacing, talk.is_replacing = talk.is_replacing, False
    try:
        if line and not obey(talk, line):
            talk.ask(line, is_again=is_replacing)
    except AskmdError as error:
        tell(str(error))
    except KeyboardInterrupt:
        tell("stopped")
    except Exception as error:
        if isinstance(error, BrokenPipeError) or is_of_stdout(error):
            raise
        # The front door takes keys out of what is logged.
        _LOG.warning("that failed: %s: %s; the chat goes on", type(error).__name__, error)


def _continue(chat: Chat, conversation: Path) -> None:
    """Take up the conversation that was kept."""
    turns = kept_turns(conversation)
    if turns:
        chat.resume(turns)
        tell(f"going on after: {turns[-1].question}")
