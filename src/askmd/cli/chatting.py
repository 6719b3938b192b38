"""``askmd chat``: one question after the other."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import answering, asking, common, linking
from askmd.cli.session import Conversation, chat_settings, lines_of_stdin, open_chat
from askmd.cli.show import explained, print_error, print_json
from askmd.cli.verbs import UNCLEAN, askmd
from askmd.errors import AskmdError, UsageError
from askmd.terminal import clean, source_line

if TYPE_CHECKING:
    from askmd.answer import Chat
    from askmd.repl import Files, Views
    from askmd.types import Filter, Mode, Search

SNIPPET_LINES = 2
"""Lines of a hit's text that the chat shows."""


@askmd.command()
@click.option(
    "--continue", "is_continued", is_flag=True, help="Go on with this index's last conversation."
)
@linking
@answering
@asking
@common
def chat(
    is_continued: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Ask one question after the other; with --json, one a line of stdin.

    /help lists what the chat can do besides.
    """
    from askmd import repl

    if as_json and is_continued:
        raise UsageError("--continue does not go with --json", "leave one of them out")
    with open_chat(chat_settings(options), options) as opened:
        if as_json:
            sys.exit(_chat_as_json(opened.chat))
        files = _files(opened.config.index_folder, is_continued)
        status = repl.run(opened.chat, opened.retriever, _views(opened, options["mode"]), files)
    # At a terminal the user has seen what failed.
    sys.exit(0 if sys.stdin.isatty() else status)


def _files(index: Path, is_continued: bool) -> Files:
    """Return where the chat of an index keeps what outlives it."""
    from askmd import places
    from askmd.repl import Files

    return Files(places.history_file(), places.conversation_file(index), is_continued)


def _views(opened: Conversation, mode: Mode | None) -> Views:
    """Return what the chat shows as the other verbs do."""
    from askmd.repl import Views

    retriever = opened.retriever

    def search(question: str, limit: int | None, where: Filter) -> list[str]:
        return _hits(retriever.find(question, limit=limit, mode=mode, where=where))

    def why(question: str, place: str, limit: int | None, where: Filter) -> list[str]:
        from askmd.cli.explaining import lines_of

        return lines_of(retriever.why(question, place, limit=limit, mode=mode, where=where))

    return Views(search, why, opened.link_of)


def _hits(found: Search) -> list[str]:
    """Return hits as lines: place, score, the beginning of the text."""
    lines = [f"degraded: {found.degraded}"] if found.degraded else []
    if not found.hits:
        lines.append("nothing found; try other words, or /filter off")
    for hit in found.hits:
        lines += [f"{hit.rank}. {source_line(hit)}", f"   {explained(hit)}"]
        text = [line for line in clean(hit.text).split("\n") if line.strip()]
        lines += [f"   {line}" for line in text[:SNIPPET_LINES]]
    return lines


def _chat_as_json(conversation: Chat) -> int:
    """Print one answer or error a line of stdin; return the exit status."""
    statuses: list[int] = []
    for question in lines_of_stdin():
        try:
            record = conversation.ask(question).result()
            print_json(asdict(record))
            statuses.append(UNCLEAN if record.status == "incomplete" else 0)
        except AskmdError as error:
            print_error(error, as_json=True)
            statuses.append(error.exit_status)
    is_hopeless = UNCLEAN not in statuses and 0 not in statuses
    return max(statuses) if is_hopeless else (UNCLEAN if any(statuses) else 0)
