"""``askmd replay``: a saved receipt put to another model, or under another prompt."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from askmd.cli.asking import print_answer
from askmd.cli.options import common
from askmd.cli.session import configure, tell_endpoint
from askmd.cli.show import print_json
from askmd.cli.verbs import REFUSED, UNCLEAN, askmd
from askmd.errors import AskmdError, FolderError, LLMError, UsageError
from askmd.terminal import clean, say

if TYPE_CHECKING:
    from askmd.answer import Answer
    from askmd.config import Config
    from askmd.records import Receipt
    from askmd.types import AnswerRecord

_FILE = click.Path(path_type=Path, dir_okay=False)
_NO_RECEIPT = "save one with `askmd ask --receipt FILE`"
_OWN_ONLY = 0o600
MOST_BYTES = 100_000_000
"""A larger file is neither a receipt nor a prompt."""


@askmd.command("replay")
@click.argument("file", type=_FILE)
@click.option("--model", help="The LLM's name.")
@click.option("--base-url", help="An OpenAI-compatible server.")
@click.option("--prompt", type=_FILE, help="Put this file's text in the place of the rules.")
@click.option("--show-prompt", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option("--receipt", "target", type=_FILE, help="Save a receipt of the new answer.")
@click.option("--strict", is_flag=True, help="Exit 4 where something is not borne out.")
@common
def replay_receipt(
    file: Path,
    model: str | None,
    base_url: str | None,
    prompt: Path | None,
    show_prompt: bool,
    target: Path | None,
    strict: bool,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Ask what the receipt FILE asked again, from the same passages, without the documents.

    The server that a receipt names is never asked by itself: it may be somebody else's receipt.
    """
    if show_prompt and target is not None:
        raise UsageError("nothing is sent, so there is no receipt", "leave out --show-prompt")
    receipt = _read(file)
    if not receipt.messages:
        raise AskmdError(f"{file}: no LLM was asked for this answer", "there is nothing to replay")
    changes = receipt.changes()
    for line in changes:
        say(f"{file}: {line}")
    system = _prompt_of(prompt) if prompt else None
    if show_prompt:
        _show(receipt if system is None else receipt.prompted(system), as_json)
        return
    if target is not None:
        check_receipt(target)
    given = {"llm.model": ("--model", model), "llm.base_url": ("--base-url", base_url)}
    config = configure(config_file, index, **{k: v for k, v in given.items() if v[1]})
    answer = _ask(file, receipt, config, system)
    with answer:
        record = print_answer(answer, as_json)
    if target is not None:
        write_receipt(target, _new_receipt(receipt, record, answer, config).as_text())
    sys.exit(_status(record, strict=strict, is_changed=bool(changes)))


def check_receipt(path: Path) -> None:
    """Raise, before the question is asked, what ``write_receipt`` would raise after it."""
    if not path.absolute().parent.is_dir():
        raise FolderError(f"{path.parent} is no folder", "make it first")
    if os.path.lexists(path) and not _is_open_to_all(path):
        raise UsageError(f"{path} is there already", "name another file, or remove it first")


def write_receipt(path: Path, text: str) -> None:
    """Write a receipt whole or not at all, for its owner alone, and never over another file.

    A pipe or a device is written to. Raises UsageError or FolderError.
    """
    check_receipt(path)
    data = text.encode("utf-8", "replace")
    try:
        if os.path.lexists(path):
            path.write_bytes(data)
        else:
            _create(path, data)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "name another file") from error
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror}"
        raise FolderError(what, "name another file") from error
    say(f"wrote {path}")


def _is_open_to_all(path: Path) -> bool:
    """Whether a path is a pipe or a device, which nothing written to it replaces."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _create(path: Path, data: bytes) -> None:
    """Put a new file where none is; raises FileExistsError, and OSError for all else."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=".askmd-")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        try:
            # Unlike a rename it fails where a file has appeared meanwhile.
            path.hardlink_to(beside)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):
            # Some file systems know no hard links.
            path.touch(mode=_OWN_ONLY, exist_ok=False)
            beside.replace(path)
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def _read(file: Path) -> Receipt:
    from askmd.records import read_receipt

    try:
        return read_receipt(_text_of(file))
    except ValueError as error:
        raise AskmdError(f"{file}: {error}", _NO_RECEIPT) from error


def _text_of(file: Path) -> str:
    """Return a file's text; raises FolderError where it cannot be read."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise FolderError(
            f"{file} cannot be read: {error.strerror}", "name another file"
        ) from error
    if len(data) > MOST_BYTES:
        raise FolderError(f"{file} is far too large", "name another file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FolderError(f"{file} is no text in UTF-8", "name another file") from error


def _prompt_of(file: Path) -> str:
    """Return the text of another system message; raises UsageError where there is none."""
    text = _text_of(file).strip()
    if not text:
        raise UsageError(f"{file}, the prompt, is empty", "write in it what the LLM is to do")
    return text


def _show(receipt: Receipt, as_json: bool) -> None:
    """Print the messages that would be sent."""
    if as_json:
        print_json({"messages": [asdict(message) for message in receipt.messages]})
        return
    for message in receipt.messages:
        print(f"--- {message.role}\n{clean(message.content)}\n")


def _ask(file: Path, receipt: Receipt, config: Config, system: str | None) -> Answer:
    """Return the running answer of the configured LLM; raises LLMError where there is none."""
    from askmd.answer import Prices, replay
    from askmd.compose import open_llm

    llm = open_llm(config)
    if llm is None:
        raise _no_llm(file, receipt)
    tell_endpoint(config, "llm", "the messages of the receipt")
    prices = Prices(config.llm.prompt_price, config.llm.answer_price)
    return replay(receipt, llm, system=system, prices=prices)


def _no_llm(file: Path, receipt: Receipt) -> LLMError:
    """Return what to do where no LLM is configured, in words that can be typed."""
    from askmd.addresses import is_address

    said, server = "no LLM is configured", receipt.server or ""
    words = ["askmd", "replay", str(file), "--base-url"]
    if not is_address(server):
        return LLMError(said, f"run `{shlex.join([*words, 'http://localhost:11434/v1'])}`")
    words += [server, *(["--model", receipt.model] if receipt.model else [])]
    said += f", and {server}, which the receipt names, is not asked by itself"
    return LLMError(said, f"if you trust it, run `{shlex.join(words)}`")


def _new_receipt(receipt: Receipt, record: AnswerRecord, answer: Answer, config: Config) -> Receipt:
    from askmd.compose import endpoint

    return receipt.answered(
        record,
        answer.messages,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        server=endpoint(config, "llm"),
        answer_tokens=config.llm.answer_tokens,
    )


def _status(record: AnswerRecord, *, strict: bool, is_changed: bool) -> int:
    """Return the exit status of an answer."""
    if record.status == "refused":
        return REFUSED
    is_unclean = strict and bool(record.findings or is_changed)
    return UNCLEAN if record.status == "incomplete" or is_unclean else 0
