"""The input line: history, search, completion, several lines, and what stands below it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import (
    CompleteEvent,
    Completer,
    ThreadedCompleter,
    get_common_complete_suffix,
)
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import has_focus
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output, create_output

from askmd.errors import AskmdError
from askmd.repl.completing import ChatCompleter
from askmd.repl.screen import PROMPT, tell
from askmd.repl.talk import Talk
from askmd.terminal import clean, is_drawn, warm_markdown

HINT = "ask something; /help lists what else there is"


class Keyboard:
    """Reads what a user types at a terminal."""

    def __init__(self, talk: Talk, history: Path | None) -> None:
        """Make ready; history is the file that lines are kept in, for their owner alone."""
        self._talk = talk
        self._below = ""
        self._is_begun = False
        completer = ThreadedCompleter(ChatCompleter(talk))
        self._history = _history(history)
        self._session: PromptSession[str] = PromptSession(
            history=self._history,
            completer=completer,
            complete_while_typing=True,
            key_bindings=_keys(completer, self._start_anew),
            bottom_toolbar=lambda: fitted(self._below, get_app().output.get_size().columns),
            multiline=True,
            prompt_continuation="  ",
            enable_suspend=True,
            output=_output(),
        )
        self._session.default_buffer.on_text_changed += self._see_change
        # An answer is drawn by it; it is at hand before the first question is typed.
        warm_markdown()

    def read(self, draft: str = "") -> str | None:
        """Return what was typed, beginning with a draft; None once the user leaves.

        Ctrl-C empties the line; on an empty one it raises KeyboardInterrupt.
        """
        self._below = status_line(self._talk)
        if not self._is_begun:
            tell(HINT, is_dim=True)
        elif is_drawn(sys.stderr):
            # What is asked stands apart from what was answered before.
            print(file=sys.stderr, flush=True)
        self._is_begun = True
        try:
            return self._session.prompt(PROMPT, default=draft)
        except EOFError:
            return None
        finally:
            self._tell_unkept()

    def _see_change(self, buffer: Buffer) -> None:
        if not buffer.text:
            self._start_anew()

    def _start_anew(self) -> None:
        """Take what is typed into an empty line for another question than the draft was."""
        self._talk.is_replacing = False

    def _tell_unkept(self) -> None:
        if isinstance(self._history, _KeptLines) and (unkept := self._history.unkept):
            self._history.unkept = ""
            tell(f"what you type is not kept: {unkept}")


class _KeptLines(FileHistory):
    """Lines kept in a file; those that cannot be are remembered while the chat is open."""

    unkept = ""
    """Why not all lines are kept, until it was told."""
    _has_failed = False

    def store_string(self, string: str) -> None:
        """Append a line to the file, or know why it could not be done."""
        try:
            super().store_string(string)
        except (OSError, UnicodeError) as error:
            # Nothing can be told now: the input line is still drawn.
            self.unkept = "" if self._has_failed else str(error)
            self._has_failed = True


def status_line(talk: Talk) -> str:
    """Return what a user wants to see all the time: model, documents, tokens left."""
    parts = [clean(talk.chat.model or "") if talk.chat.has_llm else "quoting"]
    try:
        parts.append(f"{talk.documents():,} documents")
    except AskmdError:
        parts.append("no index")
    if talk.chat.has_llm:
        parts.append(f"{talk.chat.tokens().left:,} tokens left")
    return " · ".join(parts)


def fitted(text: str, columns: int) -> str:
    """Return text on one line of so many columns: the first part is shortened, if any is."""
    room = max(columns - 2, 1)
    if len(text) > room:
        first, dot, rest = text.partition(" · ")
        kept = max(room - len(dot) - len(rest) - 1, 0)
        text = f"{first[:kept]}…{dot}{rest}"[:room]
    return f" {text}"


def _history(file: Path | None) -> History:
    if file is None:
        return InMemoryHistory()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        # It may be there from before, or from another program, with the usual rights.
        file.chmod(0o600)
    except OSError as error:
        tell(f"what you type is not kept: {file}: {error.strerror}")
        return InMemoryHistory()
    return _KeptLines(str(file))


def _output() -> Output | None:
    """Return where the input line is drawn while answers go elsewhere; None for the usual place."""
    is_elsewhere = not sys.stdout.isatty() and is_drawn(sys.stderr)
    return create_output(stdout=sys.stderr) if is_elsewhere else None


def _keys(completer: Completer, start_anew: Callable[[], None]) -> KeyBindings:
    keys = KeyBindings()
    is_typing = has_focus(DEFAULT_BUFFER)

    @keys.add("c-c", filter=is_typing)
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
            start_anew()
        else:
            event.app.exit(exception=KeyboardInterrupt)

    @keys.add("enter", filter=is_typing)
    def _send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=is_typing)
    def _break_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("tab", filter=is_typing)
    def _complete(event: KeyPressEvent) -> None:
        event.app.create_background_task(_completed(event.current_buffer, completer))

    return keys


async def _completed(buffer: Buffer, completer: Completer) -> None:
    """Insert the one completion there is, or what all have in common, or the next of the list."""
    # prompt_toolkit's own Tab is lost where a list is being made at that moment.
    document = buffer.document
    if buffer.complete_state and buffer.complete_state.complete_index is not None:
        buffer.complete_next()
        return
    wanted = CompleteEvent(completion_requested=True)
    found = [one async for one in completer.get_completions_async(document, wanted)]
    if buffer.document != document:
        return
    if len(found) == 1:
        buffer.apply_completion(found[0])
    elif common := get_common_complete_suffix(document, found):
        buffer.insert_text(common)
    elif buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.start_completion(select_first=True)
