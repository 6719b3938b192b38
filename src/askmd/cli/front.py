"""The front door's inside: run one verb; every failure is one line."""

from __future__ import annotations

import errno
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import click

from askmd.cli.ending import Ended, ended_by_signals
from askmd.cli.show import print_error
from askmd.cli.verbs import askmd
from askmd.errors import LOOP_STEP, AskmdError, UsageError, step_after
from askmd.secrets import SHORTEST_KEY, blotted
from askmd.terminal import clean, say

INTERRUPTED = 130

_KEY_NAMES = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "CREDENTIALS", "AUTH")
_SHORTEST_OTHER = 16
# A name and password in an address, and what a header says of who asks.
_USER = re.compile(r"(?<=://)[^\s/@'\"<>]{1,500}@")
_HEADER = re.compile(r"\b(bearer|basic)((?:\s|%20|\+)+)[\w.~+/=%-]{8,}", re.IGNORECASE)


def run() -> NoReturn:
    """Run the command line and leave with CONTRACT's exit status."""
    options = _options()
    _open_streams()
    logging.getLogger("askmd").handlers = [_Notices(logging.WARNING)]
    threading.excepthook = _thread_failed
    try:
        with ended_by_signals():
            code = _run(sys.argv[1:])
            sys.stdout.flush()
    except Ended as ended:
        code = _ended(ended)
    except AskmdError as error:
        code = _fail(error, options)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        code = error.exit_code
    except click.UsageError as error:
        code = _fail(_usage_error(error), options)
    except (KeyboardInterrupt, click.Abort):
        # The terminal shows ^C; the prompt is to stand on a line of its own.
        print(file=sys.stderr)
        code = INTERRUPTED
    except BrokenPipeError:
        code = _closed_pipe()
    except Exception as error:
        code = _fail(_not_written(error) or _refused(error) or _unexpected(error), options)
    sys.exit(code)


def _run(words: list[str]) -> int:
    """Run one verb and return its exit status."""
    if "_ASKMD_COMPLETE" in os.environ:
        askmd.main(prog_name="askmd")
    try:
        # Not click's own main: it takes a closed pipe for a failure.
        with askmd.make_context("askmd", words) as context:
            askmd.invoke(context)
    except click.exceptions.Exit as left:
        return left.exit_code
    except Ended:
        raise
    except SystemExit as left:
        return int(left.code or 0)
    return 0


def _open_streams() -> None:
    """Make the three streams fit for use, whatever the caller closed or how it encodes."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            # It lives as long as the process does.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            # Windows' consoles and pipes default to a code page that has no "…".
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        elif hasattr(stream, "reconfigure"):
            # A question with one byte that is no text is a question still.
            stream.reconfigure(errors="replace")


class _Notices(logging.Handler):
    """Shows what the library logs as the notices of a command."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record as one line."""
        say(_without_keys(record.getMessage()))


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    """Say in one line what ended a thread: its own traceback would go out as it is."""
    if failed.exc_type is not SystemExit:
        name = failed.thread.name if failed.thread else "a thread"
        say(_without_keys(f"{name} failed: {failed.exc_type.__name__}: {failed.exc_value}"))


def _options() -> set[str]:
    """Return the options on the command line: an error may come before they are parsed."""
    words = sys.argv[1:]
    return set(words[: words.index("--")] if "--" in words else words)


def _fail(error: AskmdError, options: set[str]) -> int:
    """Print an error as one line, or as JSON, and return its exit status."""
    if "--debug" in options:
        import traceback

        print(_without_keys(clean("".join(traceback.format_exception(error)))), file=sys.stderr)
    error.message = _without_keys(error.message)
    error.next_step = _without_keys(error.next_step)
    print_error(error, as_json="--json" in options)
    return error.exit_status


def _without_keys(text: str) -> str:
    """Return text without what may be a key: of the environment, an address or a header."""
    return blotted(_HEADER.sub(r"\1\2***", _USER.sub("***@", text)), _secrets())


def _secrets() -> Iterator[str]:
    """Yield the environment's values that may be keys, whatever their names.

    llm.api_key_env may name any variable, and an error may come before the settings are read.
    """
    for name, value in os.environ.items():
        if name.upper().endswith(_KEY_NAMES):
            is_secret = len(value) >= SHORTEST_KEY
        else:
            is_plain = "://" in value or " " in value or re.match(r"[/.~]|\w:", value)
            is_secret = len(value) >= _SHORTEST_OTHER and not is_plain
        if is_secret:
            yield value.strip()


def _usage_error(error: click.UsageError) -> UsageError:
    """Return click's complaint as ours."""
    command = error.ctx.command_path if error.ctx else "askmd"
    return UsageError(error.format_message().rstrip("."), f"run `{command} --help`")


def _unexpected(error: Exception) -> AskmdError:
    """Return the one line for a fault nobody foresaw."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    wrapped = AskmdError(
        f"unexpected {what}", "run it again with --debug, and report what it prints"
    )
    wrapped.__cause__ = error
    return wrapped


def _refused(error: Exception) -> AskmdError | None:
    """Return the one line for what the system refused where nobody looked; None for all else."""
    if isinstance(error, OSError) and error.strerror:
        where = f"cannot use {error.filename}" if error.filename else "the system refused a call"
        step = step_after(error, "mend that, then run the same command")
        wrapped = AskmdError(f"{where}: {error.strerror}", step)
    elif isinstance(error, ImportError) and (cause := _cause_of_import(error)):
        wrapped = AskmdError(f"Python cannot load its modules: {error}", step_after(cause, ""))
    elif isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):
        # So pathlib says before Python 3.13.
        wrapped = AskmdError(str(error), LOOP_STEP)
    else:
        return None
    wrapped.__cause__ = error
    return wrapped


def _cause_of_import(error: ImportError) -> OSError | None:
    """Return why the system could not load a module: the loader tells it in words only."""
    causes = (OSError(code, os.strerror(code)) for code in (errno.EMFILE, errno.ENFILE, errno.EIO))
    return next((cause for cause in causes if str(cause.strerror) in str(error)), None)


def _not_written(error: Exception) -> AskmdError | None:
    """Return the one line for a stdout that takes no more; None where it was something else."""
    if not isinstance(error, OSError) or _can_be_flushed():
        return None
    _give_up_stdout()
    wrapped = AskmdError(f"stdout cannot be written: {error.strerror}")
    wrapped.__cause__ = error
    return wrapped


def _closed_pipe() -> int:
    """Leave quietly when the reader of stdout went away, as ``| head`` does."""
    _give_up_stdout()
    return 0


def _ended(ended: Ended) -> int:
    """Return the status of a process that a signal ended; its terminal may be gone."""
    if not _can_be_flushed():
        _give_up_stdout()
    return int(str(ended.code))


def _can_be_flushed() -> bool:
    # What could not be written is tried again.
    try:
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _give_up_stdout() -> None:
    # Python flushes stdout once more at exit; it must not find the same fault again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
