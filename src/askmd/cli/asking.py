"""The verb ``ask``: one question, one answer, what it rests on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import answering, asking, common, linking
from askmd.cli.session import Conversation, open_chat, question_of
from askmd.cli.show import print_json
from askmd.cli.verbs import REFUSED, UNCLEAN, askmd
from askmd.terminal import clean, say, stream_answer

if TYPE_CHECKING:
    from askmd.answer import Answer, Asked
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
    from askmd.cli.replaying import check_receipt

    text = question_of((sys.stdin.read(),) if question == ("-",) else question)
    if receipt is not None:
        check_receipt(receipt)
    with open_chat(**options, is_sending=not show_prompt) as opened:
        if show_prompt:
            print_prompt(opened.chat.show(text), as_json)
            return
        with opened.chat.ask(text) as answer:
            record = print_answer(answer, as_json, opened.link_of)
        if receipt is not None:
            save_receipt(receipt, answer, opened)
    leave_as(record, is_strict=strict)


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
        index=Built.of(opened.retriever.identity, opened.retriever.generation),
        server=endpoint(opened.config, "llm") if record.model else None,
        answer_tokens=llm.answer_tokens if record.model else None,
    )
    write_receipt(file, saved.as_text())


def leave_as(record: AnswerRecord, *, is_strict: bool) -> None:
    """Leave with the status of an answer."""
    if record.status == "refused":
        sys.exit(REFUSED)
    if record.status == "incomplete" or (is_strict and record.findings):
        sys.exit(UNCLEAN)
