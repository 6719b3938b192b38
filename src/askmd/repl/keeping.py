"""A conversation on disk: after each turn for ``--continue``, and where the user wants it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from askmd.errors import AskmdError, UsageError
from askmd.repl.screen import tell
from askmd.types import AnswerRecord


class Keeper:
    """Writes a conversation to its file, for its owner alone; without a file, nothing."""

    def __init__(self, file: Path | None) -> None:
        """Take the file; it is made when there is something to keep."""
        self._file = file

    def keep(self, turns: Sequence[AnswerRecord]) -> None:
        """Replace what is kept; where that cannot be, say so once."""
        if self._file is None or not turns:
            return
        from askmd.records import conversation_as_json

        try:
            _replace(self._file, conversation_as_json(turns))
        except OSError as error:
            tell(f"this conversation cannot be kept: {self._file}: {error.strerror}")
            self._file = None

    def drop(self) -> None:
        """Remove what is kept; where that cannot be, say so."""
        if self._file is None:
            return
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            tell(f"the conversation is still kept: {self._file}: {error.strerror}")


def kept_turns(file: Path) -> tuple[AnswerRecord, ...]:
    """Return the conversation that was kept in a file; nothing, and a notice, where there is none.

    A file that cannot be read is left alone until the next answer takes its place.
    """
    from askmd.records import conversation_from

    try:
        return conversation_from(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        tell("there is no conversation to continue; a new one begins")
    except (OSError, ValueError) as error:
        tell(f"the last conversation cannot be read ({_reason(error)}); a new one begins")
    return ()


def save_transcript(name: str, turns: Sequence[AnswerRecord]) -> Path:
    """Write a conversation as Markdown and return where.

    Raises UsageError where another file is there already: only a transcript is written over.
    """
    from askmd.records import as_transcript

    file = _named(name)
    try:
        if file.exists() and not _is_transcript(file):
            raise UsageError(f"{file} is there already", "choose another name")
        _replace(file, as_transcript(turns))
    # A name with a NUL in it is a ValueError.
    except (OSError, ValueError) as error:
        raise AskmdError(f"{file} cannot be written: {_reason(error)}", "choose another") from error
    return file


def load_transcript(name: str) -> tuple[AnswerRecord, ...]:
    """Return the conversation that a transcript keeps; raises AskmdError where it keeps none."""
    from askmd.records import read_transcript

    file = _named(name)
    try:
        return read_transcript(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AskmdError(
            f"{file} cannot be loaded: {_reason(error)}", "name a file that /save wrote"
        ) from error


def _named(name: str) -> Path:
    """Return the file of a name; raises UsageError where its ~ is nobody's."""
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{name} names no user's home", "name another file") from error


def _is_transcript(file: Path) -> bool:
    from askmd.records import read_transcript

    try:
        read_transcript(file.read_text(encoding="utf-8"))
    except ValueError:
        return False
    return True


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _replace(file: Path, text: str) -> None:
    """Write a file as a whole, readable for its owner alone; raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            new.write(text)
        Path(temporary).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise
