"""The verb ``ask``: one question, one answer, what it rests on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import answering, asking, common, linking
from askmd.cli.session import (
    EMBEDDED,
    Conversation,
    chat_settings,
    open_chat,
    prepared,
    question_of,
    tell_endpoint,
)
from askmd.cli.show import print_json
from askmd.cli.verbs import REFUSED, UNCLEAN, askmd
from askmd.errors import UsageError
from askmd.terminal import clean, say, stream_answer

if TYPE_CHECKING:
    from askmd.answer import Answer, Asked
    from askmd.config import Config
    from askmd.types import AnswerRecord, Citation


@askmd.command()
@click.argument("question", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Exit 4 where the documents do not bear it all out.")
@click.option("--show-prompt", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option(
    "--receipt",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save all of it as JSON, for `askmd replay`.",
)
@linking
@answering
@asking
@common
def ask(
    question: tuple[str, ...],
    strict: bool,
    show_prompt: bool,
    receipt: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer QUESTION from the documents and cite the lines; "-" reads it from stdin."""
    text = question_of((sys.stdin.read(),) if question == ("-",) else question)
    if receipt is not None and show_prompt:
        raise UsageError("nothing is sent, so there is no receipt", "leave out --show-prompt")
    if receipt is not None:
        from askmd.cli.replaying import check_receipt

        check_receipt(receipt)
    config = chat_settings(options)
    if show_prompt:
        with open_chat(config, options, is_sending=False) as opened:
            print_prompt(opened.chat.show(text), as_json)
        return
    record = _answered(text, config, options, receipt, as_json)
    leave_as(record, is_strict=strict)


def _answered(
    question: str, config: Config, options: dict[str, Any], receipt: Path | None, as_json: bool
) -> AnswerRecord:
    """Print an answer; what is sent for it is found while the client that sends it is loaded."""
    from askmd.cli.beside import beside
    from askmd.compose import endpoint
    from askmd.endpoint import load_early

    url = None if options["no_llm"] else endpoint(config, "llm")
    with ExitStack() as open_ones:
        found = None
        if url:
            tell_endpoint(config, "embedding", EMBEDDED)
            work = beside(lambda: prepared(question, config, options))
            found = open_ones.enter_context(work)
            load_early(url)
        opened = open_ones.enter_context(open_chat(config, options, is_late=found is not None))
        asked = found() if found is not None else None
        chat = opened.chat
        with chat.ask(question) if asked is None else chat.answer(asked) as answer:
            record = print_answer(answer, as_json, opened.link_of)
        if receipt is not None:
            save_receipt(receipt, answer, opened)
    return record


def print_answer(
    answer: Answer, as_json: bool, link_of: Callable[[Citation], str] | None = None
) -> AnswerRecord:
    """Print an answer as it comes, what it cites, and what is to be said of it."""
    if as_json:
        record = answer.result()
        print_json(asdict(record))
    else:
        stream_answer(answer)
        record = answer.result()
        lines = answer.source_lines(link_of)
        print(*(["", *lines] if lines else []), sep="\n", end="\n" if lines else "")
    for notice in answer.notices():
        say(notice)
    return record


def print_prompt(asked: Asked, as_json: bool) -> None:
    """Print what an LLM would be sent, to the letter; on a terminal without its codes."""
    if as_json:
        print_json({"messages": [asdict(message) for message in asked.messages]})
    elif asked.told is not None:
        say(f"nothing would be sent: {asked.told.text}")
    for message in asked.messages if not as_json else ():
        print(f"--- {message.role}\n{clean(message.content)}\n")
    if asked.told is not None:
        sys.exit(REFUSED)


def save_receipt(file: Path, answer: Answer, opened: Conversation) -> None:
    """Save what was asked, found, sent and answered."""
    from askmd.cli.replaying import write_receipt
    from askmd.compose import endpoint
    from askmd.records import Built, receipt_of

    record, llm = answer.result(), opened.config.llm
    saved = receipt_of(
        record,
        answer.messages,
        answer.search.hits,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        mode=answer.search.mode,
        budget_tokens=llm.budget_tokens,
        filters=opened.chat.where,
        index=Built.of(opened.retriever.identity, answer.generation or opened.retriever.generation),
        server=endpoint(opened.config, "llm") if record.model else None,
        answer_tokens=answer.answer_tokens if record.model else None,
    )
    write_receipt(file, saved.as_text())


def leave_as(record: AnswerRecord, *, is_strict: bool) -> None:
    """Leave with the status of an answer."""
    if record.status == "refused":
        sys.exit(REFUSED)
    if record.status == "incomplete" or (is_strict and record.findings):
        sys.exit(UNCLEAN)
