"""What Tab offers: commands, documents' paths, headings, files."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from askmd.errors import AskmdError
from askmd.repl.commands import COMMANDS
from askmd.repl.talk import Library, Talk
from askmd.terminal import clean, source_line

MOST_OFFERED = 100
_HEADING = "heading="


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What an index holds, to choose from."""

    paths: tuple[str, ...] = ()
    headings: tuple[tuple[str, str], ...] = ()
    """Path and text."""


class Catalogues:
    """Reads a catalogue once a generation, from whatever thread."""

    def __init__(self, library: Library) -> None:
        """Take the index; it is read when something is wanted of it."""
        self._library = library
        self._lock = threading.Lock()
        self._generation: int | None = None
        self._catalogue = Catalogue()

    def current(self) -> Catalogue:
        """Return what the index holds now; nothing while it cannot be read."""
        with self._lock:
            try:
                generation = self._library.generation
                if generation != self._generation:
                    self._catalogue = self._read()
                    self._generation = generation
            except AskmdError:
                self._catalogue, self._generation = Catalogue(), None
            return self._catalogue

    def _read(self) -> Catalogue:
        # What a terminal would not show as it is cannot be chosen from a list either.
        paths = [path for path in self._library.paths() if clean(path) == path]
        headings = [
            (path, " ".join(clean(text).split())) for path, text in self._library.headings()
        ]
        return Catalogue(tuple(paths), tuple(pair for pair in headings if all(pair)))


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing to choose."""

    text: str
    beside: str = ""
    """Told beside it."""


class ChatCompleter(Completer):
    """Completes a line of the chat; to be run in a thread, for it may read the index."""

    def __init__(self, talk: Talk) -> None:
        """Take the chat whose index and last answer are chosen from."""
        self._talk = talk
        self._catalogues = Catalogues(talk.library)
        self._files = PathCompleter(expanduser=True)
        self._offers: dict[str, Callable[[str], Iterable[Offer]]] = {
            "/open": self._to_open,
            "/why": self._to_explain,
            "/filter": self._to_filter,
        }

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        """Yield what may stand where the cursor is; nothing within a question."""
        line = document.text_before_cursor
        name, blank, rest = line.partition(" ")
        if not line.startswith("/") or "\n" in line:
            return
        if not blank:
            yield from _matching(_commands(), name)
        elif name in ("/save", "/load"):
            yield from self._files.get_completions(Document(rest, len(rest)), event)
        elif name in self._offers:
            typed = _last_word(rest) if name == "/filter" else rest
            yield from _matching(self._offers[name](typed), typed)

    def _to_open(self, typed: str) -> Iterator[Offer]:
        if not typed or typed.isdecimal():
            for passage in self._talk.last.passages if self._talk.last else ():
                yield Offer(str(passage.number), source_line(passage))
        yield from self._to_explain(typed)

    def _to_explain(self, typed: str) -> Iterator[Offer]:
        catalogue = self._catalogues.current()
        if "#" not in typed:
            yield from map(Offer, catalogue.paths)
        # Paths first: a folder's name is part of all its headings' places.
        yield from (Offer(f"{path}#{text}") for path, text in catalogue.headings)

    def _to_filter(self, typed: str) -> Iterator[Offer]:
        catalogue = self._catalogues.current()
        bare = typed.lstrip("'\"")
        if bare.startswith(_HEADING):
            texts = dict.fromkeys(text for _, text in catalogue.headings)
            yield from (Offer(shlex.quote(f"{_HEADING}{text}")) for text in texts)
            return
        yield Offer(_HEADING, "part of a heading")
        folders = {path.rpartition("/")[0] for path in catalogue.paths} - {""}
        yield from (Offer(shlex.quote(f"{folder}/**"), "a folder") for folder in sorted(folders))
        yield from (Offer(shlex.quote(path)) for path in catalogue.paths)
        yield Offer("off", "search everywhere")


def _commands() -> Iterator[Offer]:
    for name, command in COMMANDS.items():
        if command.help:
            yield Offer(name, f"{command.argument}  {command.help}".strip())


def _matching(offers: Iterable[Offer], typed: str) -> Iterator[Completion]:
    """Yield the offers that hold what was typed, those that begin with it first."""
    wanted = typed.strip("'\"").casefold()
    found = [offer for offer in offers if wanted in offer.text.casefold()]
    begun = [offer for offer in found if _begins(offer.text, wanted)]
    others = [offer for offer in found if not _begins(offer.text, wanted)]
    # A command is known by its beginning; of a place, any part may be remembered.
    chosen: Sequence[Offer] = begun if typed.startswith("/") else [*begun, *others]
    for offer in chosen[:MOST_OFFERED]:
        yield Completion(offer.text, start_position=-len(typed), display_meta=offer.beside)


def _begins(text: str, wanted: str) -> bool:
    return text.lstrip("'\"").casefold().startswith(wanted)


def _last_word(text: str) -> str:
    """Return what is being typed: what stands behind the last blank outside quotes."""
    start, quote = 0, ""
    for place, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == " ":
            start = place + 1
    return text[start:]
