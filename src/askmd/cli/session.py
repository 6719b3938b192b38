"""What verbs need before they can do anything: settings, an open index, a conversation."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from askmd.cli.show import print_failures, summary
from askmd.errors import AskmdError, FolderError, IndexFault, NoIndex, UsageError
from askmd.terminal import say

if TYPE_CHECKING:
    from askmd.answer import Asked, Chat
    from askmd.config import Config
    from askmd.ingest import IngestReport
    from askmd.inspection import Check
    from askmd.retriever import Retriever
    from askmd.types import Citation, Mode, Passage, Search


EMBEDDED = "the documents' text and your questions"
"""What an embedder's server is sent."""


def configure(config_file: Path | None, index: Path | None, **flags: tuple[str, Any]) -> Config:
    """Return the resolved settings and say what was left out of them."""
    from askmd.compose import configure

    if index is not None:
        flags["index.path"] = ("--index", str(index))
    config = configure(config_file, flags)
    for notice in config.notices:
        say(notice)
    return config


def own_folder(config: Config) -> Path:
    """Return the folder an index belongs to, else the configured one, else this one."""
    from askmd.store import REBUILD_STEP, open_store

    try:
        store = open_store(config.index_folder)
    except NoIndex:
        return Path(config.documents.folder or ".")
    except IndexFault as error:
        # What it belongs to cannot be read; guessing might index the wrong folder.
        if config.documents.folder:
            return Path(config.documents.folder)
        if error.next_step != REBUILD_STEP:
            raise
        raise type(error)(error.message, "run `askmd ingest FOLDER --rebuild`") from error
    try:
        return store.root
    finally:
        store.close()


def run_ingest(
    folder: Path,
    config: Config,
    *,
    rebuild: bool = False,
    prune: bool = False,
    verify: bool = False,
) -> IngestReport:
    """Run an ingest with progress; Ctrl-C stops it between two batches."""
    from askmd.ingest import ingest_folder
    from askmd.terminal import progress_bar

    tell_endpoint(config, "embedding", "the documents' text and your questions")
    with progress_bar() as progress, cancel_on_signal() as cancel:
        return ingest_folder(
            folder,
            config,
            rebuild=rebuild,
            prune=prune,
            verify=verify,
            progress=progress,
            cancel=cancel,
        )


def run_check(folder: Path, config: Config) -> Check:
    """Prove how a folder is cut, with progress; Ctrl-C stops it between two files."""
    from askmd.inspection import check_folder
    from askmd.terminal import progress_bar

    with progress_bar() as progress, cancel_on_signal() as cancel:
        return check_folder(folder, config, progress=progress, cancel=cancel)


@contextmanager
def cancel_on_signal() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C, SIGTERM or SIGHUP into a flag that long work looks at.

    A second one ends the process. What the caller has it ignore, as ``nohup`` does, stays ignored.
    """
    import signal

    from askmd.cli.ending import Told

    told = Told()

    def catch(number: int, frame: object) -> None:
        if told.is_new(number):
            _say_stopping()

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    old = {number: signal.getsignal(number) for number in (getattr(signal, one) for one in names)}
    taken = {number: known for number, known in old.items() if known is not signal.SIG_IGN}
    for number in taken:
        signal.signal(number, catch)
    try:
        yield lambda: told.first is not None
    except AskmdError as error:
        if told.first is not None:
            error.exit_status = 128 + told.first
        raise
    finally:
        for number, known in taken.items():
            signal.signal(number, known)


def _say_stopping() -> None:
    # It may have interrupted a notice that was being written; then there is no second one.
    with suppress(RuntimeError):
        try:
            say("stopping; once more stops at once")
        except OSError:
            # The terminal is gone: what is said from now on must not fail, nor hide the status.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@contextmanager
def open_retriever(config: Config, mode: Mode | None = None) -> Iterator[Retriever]:
    """Open the index; where there is none yet, ingest the configured folder first.

    mode: of the searches to come; those by words alone want no model.
    """
    from askmd.retriever import Retriever

    tell_endpoint(config, "embedding", EMBEDDED)
    try:
        retriever = Retriever.open(config)
    except NoIndex:
        if not config.documents.folder:
            raise
        say(f"no index yet: ingesting {_shown(Path(config.documents.folder))} first")
        report = run_ingest(Path(config.documents.folder), config)
        print_failures(report.failures)
        say(summary(report))
        retriever = Retriever.open(config)
    with retriever:
        if (mode or config.search.mode) != "words":
            retriever.warm()
        yield retriever


def passages_of(
    retriever: Retriever, config: Config, found: Search, budget_tokens: int
) -> list[Passage]:
    """Return what an LLM would be sent of a search."""
    from askmd.compose import prompt_counter
    from askmd.passages import assemble

    counter = prompt_counter(config)
    return assemble(
        found.hits,
        counter,
        budget_tokens=budget_tokens,
        read=retriever.read,
        around=retriever.neighbours,
    )


@dataclass(frozen=True, slots=True)
class Conversation:
    """An open chat, and what it stands on."""

    chat: Chat
    retriever: Retriever
    config: Config

    def link_of(self, citation: Citation) -> str:
        """Return where a citation leads: as the settings say, else its file."""
        from askmd.links import file_url

        line = (citation.stands_at or citation.lines)[0]
        return citation.url or file_url(self.retriever.root / citation.path, line)


def chat_settings(options: Mapping[str, Any]) -> Config:
    """Return the settings with the options of ``ask`` and ``chat``."""
    given = {
        "llm.model": ("--model", options["model"]),
        "llm.base_url": ("--base-url", options["base_url"]),
        "links.to": ("--link", options["link"]),
    }
    flags = {key: flag for key, flag in given.items() if flag[1]}
    return configure(options["config_file"], options["index"], **flags)


@contextmanager
def open_chat(
    config: Config,
    options: Mapping[str, Any],
    *,
    is_sending: bool = True,
    is_late: bool = False,
) -> Iterator[Conversation]:
    """Open a conversation with the options of ``ask`` and ``chat``.

    is_sending: whether an LLM is really asked. is_late: whether the index is to be opened only
    when something is asked of it.
    """
    is_quoting = options["no_llm"]
    with ExitStack() as opened:
        retriever = late(
            lambda: opened.enter_context(open_retriever(config, options["mode"])),
            is_late=is_late,
        )
        # What is merely shown needs no key.
        chat = _chat(config, options, retriever, is_quoting=is_quoting or not is_sending)
        if chat.has_llm:
            chat.warm()
            tell_endpoint(config, "llm", "your question and the passages found for it")
        elif is_sending and not is_quoting:
            say("no LLM is configured, so the best passages are quoted; to have answers written:")
            say("  add --base-url http://localhost:11434/v1 --model llama3.2, or fill in [llm]")
        yield Conversation(chat, retriever, config)


def prepared(question: str, config: Config, options: Mapping[str, Any]) -> Asked:
    """Return what an LLM would be sent, with the options of ``ask``; raises where that fails."""
    from askmd.retriever import Retriever

    with Retriever.open(config) as retriever:
        if (options["mode"] or config.search.mode) != "words":
            retriever.warm()
        return _chat(config, options, retriever, is_quoting=False).show(question)


def late(open_it: Callable[[], Retriever], *, is_late: bool) -> Retriever:
    """Return a retriever, or what becomes one when something is first asked of it."""
    if not is_late:
        return open_it()

    class Late:
        @cached_property
        def now(self) -> Retriever:
            return open_it()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.now, name)

    return cast("Retriever", Late())


def _chat(
    config: Config, options: Mapping[str, Any], retriever: Retriever, *, is_quoting: bool
) -> Chat:
    from askmd.answer import Chat
    from askmd.filters import parse_filter

    return Chat.open(
        config,
        retriever,
        limit=options["limit"],
        mode=options["mode"],
        where=parse_filter(options["filters"]),
        is_quoting=is_quoting,
    )


def tell_endpoint(config: Config, purpose: str, what: str) -> None:
    """Say once for each endpoint off this machine what is sent to it."""
    from askmd import compose, places
    from askmd.addresses import is_loopback, shown

    url = compose.endpoint(config, purpose)
    if url and not is_loopback(url) and places.is_first_use(shown(url), purpose):
        say(f"{shown(url)} is sent {what}; this is said once")


def other_files(config: Config) -> dict[Path, int]:
    """Return what askmd uses outside the index, and its size in bytes."""
    from askmd import compose, places

    paths = [path for path in (*config.files, *places.paths()) if path.is_file()]
    sizes = {path: path.stat().st_size for path in paths}
    if model := compose.model_folder(config):
        sizes[model] = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    return sizes


def _shown(path: Path) -> Path:
    """Return a path as short as it can be typed here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def question_of(words: tuple[str, ...]) -> str:
    """Return the question in one piece; raises UsageError if there is none."""
    text = " ".join(words).strip()
    if not text:
        raise UsageError("the question is empty", 'run `askmd ask "how do I …?"`')
    return text


def lines_of_stdin() -> Iterator[str]:
    """Yield the questions of stdin, one a line."""
    is_empty = True
    for line in sys.stdin:
        if line.strip():
            is_empty = False
            yield line.strip()
    if is_empty:
        raise UsageError("there is no question on stdin", "write one a line")


def write_new(path: Path, text: str) -> None:
    """Write a file that must not be there yet."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "remove it first, or edit it") from error
    except OSError as error:
        raise FolderError(
            f"{path} cannot be written: {error.strerror}", "try another folder"
        ) from error
    say(f"wrote {path}")
