"""The chat: a line in, an answer out, until the user has had enough."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.answer import Answer, Chat
from askmd.errors import AskmdError
from askmd.terminal import Cleaner, say, source_line

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

PROMPT = "> "
HELP = """\
/sources  the passages the last answer was made from
/new      forget the conversation so far
/help     this list
/quit     leave; Ctrl-D does too, Ctrl-C stops an answer"""


def run(chat: Chat, *, history_file: Path | None = None, lines: Iterable[str] | None = None) -> int:
    """Read questions and print answers until the input ends or ``/quit`` is read.

    Returns 0; 4 where an answer failed or is incomplete; 1 where every question failed.

    history_file: the file that questions typed at a terminal are kept in, for its owner alone.
    lines: where questions come from instead of the terminal or a pipe.
    """
    loop = _Loop(chat)
    if lines is None:
        lines = _typed(history_file) if sys.stdin.isatty() else _piped()
    for line in lines:
        if not loop.take(line.strip()):
            break
    return loop.status


class _Loop:
    """What the chat does with a line."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._last: Answer | None = None
        self._answered = self._cut = self._failed = 0
        self._commands = {
            "/help": self._help,
            "/sources": self._sources,
            "/new": self._new,
        }

    def take(self, line: str) -> bool:
        """Obey or answer a line; tell whether to go on."""
        if line in ("/quit", "/exit"):
            return False
        command = self._commands.get(line)
        if command is not None:
            command()
        elif line.startswith("/") and line[1:].isalpha():
            say(f"there is no {line}; /help lists what there is")
        elif line:
            self._ask(line)
        return True

    @property
    def status(self) -> int:
        """The exit status, for who cannot read what was said."""
        if self._failed and not self._answered:
            return 1
        return 4 if self._failed or self._cut else 0

    def _ask(self, question: str) -> None:
        """Print an answer as it comes; whatever goes wrong with it ends the answer alone."""
        try:
            with self._chat.ask(question) as answer:
                self._last = answer
                _stream(answer)
                _close(answer)
                self._answered += 1
                self._cut += answer.cut_reason is not None
        except AskmdError as error:
            self._failed += 1
            say(str(error))
        except KeyboardInterrupt:
            print()
            say("stopped")

    def _help(self) -> None:
        print(HELP)

    def _sources(self) -> None:
        passages = self._last.passages if self._last else ()
        for passage in passages:
            print(f"[{passage.number}] {source_line(passage)}")
        if not passages:
            say("no answer yet was made from passages")

    def _new(self) -> None:
        self._chat.forget()
        self._last = None
        say("the conversation so far is forgotten")


def _stream(answer: Answer) -> None:
    """Print the text as it arrives, fit for a terminal."""
    cleaner = Cleaner()
    for piece in answer:
        print(cleaner.feed(piece), end="", flush=True)
    print(cleaner.flush(), flush=True)


def _close(answer: Answer) -> None:
    """Print what follows the text: the citations, and what is wrong with them or it."""
    lines = answer.source_lines()
    if lines:
        print("", *lines, sep="\n")
    for notice in answer.notices():
        say(notice)


def _piped() -> Iterator[str]:
    """Yield the lines of standard input."""
    yield from sys.stdin


def _typed(history: Path | None) -> Iterator[str]:
    """Yield the lines a user types; Ctrl-C empties the line, and on an empty one leaves."""
    session = _session(history)
    while True:
        try:
            yield session.prompt(PROMPT)
        except (EOFError, KeyboardInterrupt):
            return


def _session(history: Path | None) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    if history is not None:
        history.parent.mkdir(parents=True, exist_ok=True)
        history.touch(mode=0o600)
        # It may be there from before, or from another program, with the usual rights.
        history.chmod(0o600)
    commands = [line.split()[0] for line in HELP.split("\n")]
    return PromptSession(
        history=FileHistory(str(history)) if history else InMemoryHistory(),
        completer=WordCompleter(commands, sentence=True),
        key_bindings=_keys(),
    )


def _keys() -> KeyBindings:
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("c-c")
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    return keys
