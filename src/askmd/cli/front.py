"""The front door's inside: run one verb; every failure is one line."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from askmd.cli.show import print_error
from askmd.cli.verbs import askmd
from askmd.errors import AskmdError, UsageError
from askmd.terminal import clean, say

INTERRUPTED = 130


def run() -> NoReturn:
    """Run the command line and leave with CONTRACT's exit status."""
    options = _options()
    _open_streams()
    logging.getLogger("askmd").handlers = [_Notices(logging.WARNING)]
    try:
        code = _run(sys.argv[1:])
        sys.stdout.flush()
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
        code = _fail(_unexpected(error), options)
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


class _Notices(logging.Handler):
    """Shows what the library logs as the notices of a command."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record as one line."""
        say(record.getMessage())


def _options() -> set[str]:
    """Return the options on the command line: an error may come before they are parsed."""
    words = sys.argv[1:]
    return set(words[: words.index("--")] if "--" in words else words)


def _fail(error: AskmdError, options: set[str]) -> int:
    """Print an error as one line, or as JSON, and return its exit status."""
    if "--debug" in options:
        import traceback

        print(_without_keys(clean("".join(traceback.format_exception(error)))), file=sys.stderr)
    print_error(error, as_json="--json" in options)
    return error.exit_status


def _without_keys(text: str) -> str:
    """Return text without the values of environment variables that look like keys."""
    for name, value in os.environ.items():
        if name.upper().endswith(("KEY", "TOKEN", "SECRET", "PASSWORD")) and len(value) > 7:
            text = text.replace(value, "***")
    return text


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


def _closed_pipe() -> int:
    """Leave quietly when the reader of stdout went away, as ``| head`` does."""
    # Python flushes stdout once more at exit; it must not find the broken pipe again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
