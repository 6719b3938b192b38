"""The front door: parse, call one function, print; every failure is one line."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import NoReturn

import click

from askmd.cli.verbs import askmd
from askmd.errors import AskmdError, UsageError
from askmd.terminal import clean, say

__all__ = ["askmd", "main"]

INTERRUPTED = 130


def main() -> NoReturn:
    """Run the command line and leave with CONTRACT's exit status."""
    debug = "--debug" in sys.argv
    try:
        # Windows' consoles and pipes default to a code page that has no "…".
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        logging.getLogger("askmd").handlers = [_Notices(logging.WARNING)]
        code = askmd.main(standalone_mode=False) or 0
        sys.stdout.flush()
    except AskmdError as error:
        code = _fail(error, debug)
    except click.UsageError as error:
        code = _fail(_usage_error(error), debug)
    except (KeyboardInterrupt, click.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        code = _closed_pipe()
    except Exception as error:
        code = _fail(_unexpected(error), debug)
    sys.exit(code)


class _Notices(logging.Handler):
    """Shows what the library logs as the notices of a command."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record as one line."""
        say(" ".join(record.getMessage().split()))


def _fail(error: AskmdError, debug: bool) -> int:
    """Print an error as one line, or as JSON, and return its exit status."""
    if debug:
        import traceback

        traceback.print_exception(error)
    if "--json" in sys.argv:
        fields = {"code": error.code, "message": error.message, "next": error.next_step}
        print(json.dumps({"error": fields}, ensure_ascii=False), file=sys.stderr)
    else:
        print(clean(f"askmd: {error}"), file=sys.stderr)
    return error.exit_status


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
