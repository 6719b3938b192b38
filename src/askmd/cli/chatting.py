"""``askmd chat``: one question after the other."""

from __future__ import annotations

import sys
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import answering, asking, common
from askmd.cli.session import configure, lines_of_stdin, open_retriever, tell_endpoint
from askmd.cli.show import explained, print_error, print_json
from askmd.cli.verbs import askmd
from askmd.errors import AskmdError
from askmd.terminal import clean, say, source_line

if TYPE_CHECKING:
    from askmd.answer import Chat
    from askmd.repl import Files, Views
    from askmd.retriever import Retriever
    from askmd.types import Filter, Mode, Search

UNCLEAN = 4
SNIPPET_LINES = 2
"""Lines of a hit's text that the chat shows."""


@askmd.command()
@click.option(
    "--continue", "is_continued", is_flag=True, help="Go on with this index's last conversation."
)
@answering
@asking
@common
def chat(
    is_continued: bool,
    mode: Any,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Ask one question after the other; with --json, one a line of stdin.

    /help lists what the chat can do besides.
    """
    from askmd import repl

    given = {"llm.model": "model", "llm.base_url": "base_url"}
    flags = {key: (f"--{name.replace('_', '-')}", options[name]) for key, name in given.items()}
    config = configure(config_file, index, **{k: v for k, v in flags.items() if v[1]})
    with open_retriever(config, mode) as retriever:
        conversation = _conversation(config, retriever, mode, **options)
        if as_json:
            sys.exit(_chat_as_json(conversation))
        files = _files(config.index_folder, is_continued)
        status = repl.run(conversation, retriever, _views(retriever, mode), files)
    # At a terminal the user has seen what failed.
    sys.exit(0 if sys.stdin.isatty() else status)


def _conversation(
    config: Any,
    retriever: Retriever,
    mode: Mode | None,
    *,
    no_llm: bool,
    limit: int | None,
    filters: tuple[str, ...],
    **_others: Any,
) -> Chat:
    """Return a conversation over an open index, and say where it goes."""
    from askmd.answer import Chat
    from askmd.filters import parse_filter

    where = parse_filter(filters)
    chat = Chat.open(config, retriever, limit=limit, mode=mode, where=where, is_quoting=no_llm)
    if chat.has_llm:
        tell_endpoint(config, "llm", "your question and the passages found for it")
    elif not no_llm:
        say("no LLM is configured, so the best passages are quoted; to have answers written:")
        say("  add --base-url http://localhost:11434/v1 --model llama3.2, or fill in [llm]")
    return chat


def _files(index: Path, is_continued: bool) -> Files:
    """Return where the chat of an index keeps what outlives it."""
    from askmd import places
    from askmd.repl import Files

    history = places.history_file()
    if history is None:
        return Files()
    # One conversation an index, by where that is.
    name = sha256(str(index.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Files(history, history.parent / "conversations" / f"{name}.json", is_continued)


def _views(retriever: Retriever, mode: Mode | None) -> Views:
    """Return what the chat shows of the index as the other verbs do."""
    from askmd.repl import Views

    def search(question: str, limit: int | None, where: Filter) -> list[str]:
        return _hits(retriever.find(question, limit=limit, mode=mode, where=where))

    def why(question: str, place: str, limit: int | None, where: Filter) -> list[str]:
        from askmd.cli.explaining import lines_of

        return lines_of(retriever.why(question, place, limit=limit, mode=mode, where=where))

    return Views(search, why)


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
