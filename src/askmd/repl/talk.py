"""The state of a chat: the conversation, the last question and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from askmd.answer import Answer, Chat
from askmd.errors import IndexFault
from askmd.repl.keeping import Keeper
from askmd.repl.screen import kept_keyboard, tell
from askmd.terminal import stream_answer, waiting
from askmd.types import AnswerRecord, Citation, Filter, Hit


class Library(Protocol):
    """What the chat wants to know of the index; a newer state of it is seen at the next call.

    Everything raises IndexFault where the index cannot be read.
    """

    @property
    def generation(self) -> int:
        """Grows with each committed write."""

    @property
    def root(self) -> Path:
        """The documents' folder; it need not exist."""

    def paths(self) -> Sequence[str]:
        """Return every document's path, relative to the root."""

    def headings(self) -> Sequence[tuple[str, str]]:
        """Return documents' paths with the texts of their headings."""


@dataclass(frozen=True, slots=True)
class Views:
    """What another door knows how to show, as lines."""

    search: Callable[[str, int | None, Filter], list[str]]
    """The hits of a question."""
    why: Callable[[str, str, int | None, Filter], list[str]]
    """Why a question finds a place in the documents, or does not."""
    link_of: Callable[[Citation], str] | None = None
    """Where a citation leads."""


class Talk:
    """What commands and questions work on."""

    def __init__(self, chat: Chat, library: Library, views: Views, keeper: Keeper) -> None:
        """Take the parts, and the conversation as it is so far."""
        self.chat = chat
        self.library = library
        self.views = views
        self.question = ""
        """The last one; empty before the first."""
        self.last: AnswerRecord | None = None
        """The answer to it; None where there was none."""
        self.hits: tuple[Hit, ...] = ()
        """What was found for it, as far as it was searched for in this chat."""
        self.draft = ""
        """What the next input line begins with."""
        self.is_replacing = False
        """Whether the next question takes the place of the last one."""
        self.is_over = False
        self._keeper = keeper
        self._seen = self._generation()
        self._counted = (-1, 0)
        self._answered = self._cut = self._failed = 0
        self.take_up()

    @property
    def status(self) -> int:
        """The exit status, for who cannot read what was said."""
        if self._failed and not self._answered:
            return 1
        return 4 if self._failed or self._cut else 0

    def take_up(self) -> None:
        """Go on from the conversation's last answer, if it has one."""
        self.hits = ()
        self.last = self.chat.turns[-1] if self.chat.turns else None
        self.question = self.last.question if self.last else ""

    def documents(self) -> int:
        """Return how many documents there are; raises IndexFault where the index cannot be read."""
        generation = self.library.generation
        if generation != self._counted[0]:
            self._counted = (generation, len(self.library.paths()))
        return self._counted[1]

    def ask(self, question: str, *, is_again: bool = False) -> None:
        """Print an answer as it comes; raises whatever goes wrong with it, or stops it.

        is_again: it takes the place of the last question, unless nothing comes of it.
        """
        turns, before = self.chat.turns, (self.question, self.last, self.hits)
        if is_again and turns and turns[-1] is self.last:
            self.chat.take_back()
        self.question, self.last, self.hits = question, None, ()
        try:
            self._notice_update()
            with kept_keyboard(is_silent=True):
                self._answer(question)
        except Exception:
            self._failed += 1
            raise
        finally:
            if is_again and len(self.chat.turns) < len(turns):
                self.chat.resume(turns)
                self.question, self.last, self.hits = before

    def forget(self) -> None:
        """Begin a new conversation; this one is kept no longer either."""
        if self.chat.turns:
            self._keeper.drop()
        self.chat.forget()
        self.take_up()

    def resume(self, turns: Sequence[AnswerRecord]) -> None:
        """Go on with another conversation, which is kept from now on."""
        self.chat.resume(turns)
        self.take_up()
        self._keeper.keep(self.chat.turns)

    def _answer(self, question: str) -> None:
        with waiting("searching"):
            answer = self.chat.ask(question)
        with answer:
            self.hits = answer.search.hits
            if answer.rewritten:
                tell(f"searched for: {answer.search_query}", is_dim=True)
            try:
                stream_answer(answer)
            except KeyboardInterrupt:
                answer.close()
                self.last = answer.result()
                self._keeper.keep(self.chat.turns)
                raise
            self.last = answer.result()
            self._show_end(answer)
            self._answered += 1
            self._cut += answer.cut_reason is not None
            self._keeper.keep(self.chat.turns)

    def _show_end(self, answer: Answer) -> None:
        """Print what follows the text: the citations, and what is wrong with them or it."""
        lines = answer.source_lines(self.views.link_of)
        if lines:
            print("", *lines, sep="\n", flush=True)
        for notice in answer.notices():
            tell(notice)

    def _notice_update(self) -> None:
        """Say so once where another process has changed the index."""
        generation = self._generation()
        if generation is not None and generation != self._seen:
            if self._seen is not None:
                tell(f"the index was updated: {self.documents():,} documents", is_dim=True)
            self._seen = generation

    def _generation(self) -> int | None:
        """Return the index's generation; None where the search will tell what is wrong with it."""
        try:
            return self.library.generation
        except IndexFault:
            return None
