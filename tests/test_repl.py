from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from askmd import repl
from askmd.answer import Tokens
from askmd.errors import AskmdError, FolderError, IndexMismatch, LLMError, NoIndex
from askmd.records import conversation_from
from askmd.repl.completing import ChatCompleter
from askmd.repl.keeping import Keeper
from askmd.repl.keyboard import fitted, status_line
from askmd.repl.loop import LEAVE
from askmd.repl.opening import Spot, editor_command, inside, line_of, open_spot
from askmd.repl.talk import Library, Talk, Views
from askmd.terminal import clean
from askmd.types import AnswerRecord, Citation, Filter, Passage, Search
from conftest import Askmd

YES = ("Use ", "it [2].")
SOURCE = "[2] doc2.md:3-9  Keys"
PASSAGES = tuple(
    Passage(n, f"doc{n}.md", ("Keys",), "keys", (3, 9), (0, 12), (f"c{n}",), 1 / n, "Use the key.")
    for n in (1, 2)
)
CITATION = Citation(
    2, "doc2.md", ("Keys",), "keys", (3, 9), (0, 12), ("c2",), 0.5, "Use the key.", support=0.75
)


def answered(question: str, answer: str = "Use it [2].") -> AnswerRecord:
    return AnswerRecord(
        question, question, answer, "answered", (CITATION,), PASSAGES, "speaker", None, None
    )


class Spoken:
    """A running answer that says what it was told to; an exception among the pieces is raised."""

    def __init__(self, chat: Talker, question: str, pieces: Sequence[str | BaseException]) -> None:
        self.search = Search(chat.searched or question, "hybrid", None, ())
        self.search_query = self.search.question
        self.rewritten = "rule" if chat.searched else None
        self.cut_reason = chat.cut_reason
        self.is_closed = False
        self._chat = chat
        self._question = question
        self._pieces = list(pieces)
        self._said = ""
        self._record: AnswerRecord | None = None

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            if isinstance(piece, BaseException):
                raise piece
            self._said += piece
            yield piece

    def __enter__(self) -> Spoken:
        return self

    def __exit__(self, *_how: object) -> None:
        self.close()

    def close(self) -> None:
        self.is_closed = True
        if self._record is None and self._said:
            self.result()

    def result(self) -> AnswerRecord:
        if self._record is None:
            self._record = replace(
                answered(self._question, self._said), search_query=self.search_query
            )
            self._chat.turns += (self._record,)
        return self._record

    def source_lines(self, link_of: object = None) -> list[str]:
        return [SOURCE] if "[2]" in self.result().answer else []

    def notices(self) -> list[str]:
        return list(self._chat.notices)


class Talker:
    """A conversation whose answers are given; the last one for ever."""

    def __init__(self, *answers: Sequence[str | BaseException]) -> None:
        self._answers = list(answers) or [YES]
        self.asked: list[str] = []
        self.given: list[Spoken] = []
        self.turns: tuple[AnswerRecord, ...] = ()
        self.where = Filter()
        self.limit: int | None = None
        self.has_llm = True
        self.model: str | None = "speaker"
        self.searched = ""
        self.cut_reason: str | None = None
        self.notices: list[str] = []

    def ask(self, question: str) -> Spoken:
        self.asked.append(question)
        pieces = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.given.append(Spoken(self, question, pieces))
        return self.given[-1]

    def take_back(self) -> AnswerRecord | None:
        last, self.turns = (self.turns[-1], self.turns[:-1]) if self.turns else (None, ())
        return last

    def forget(self) -> None:
        self.turns = ()

    def resume(self, turns: Sequence[AnswerRecord]) -> None:
        self.turns = tuple(turns)

    def models(self) -> list[str]:
        return ["speaker", "an\x1b[2Jother"]

    def use(self, model: str) -> None:
        self.model = model

    def tokens(self) -> Tokens:
        return Tokens(3000, 100, 650, 8192, 1234, 56, 0.0012)


@dataclass
class Shelf:
    """An index of two documents."""

    root: Path = Path("handbook")
    generation: int = 1
    fault: AskmdError | None = None
    reads: int = 0
    held: list[str] = field(default_factory=lambda: ["doc1.md", "guides/doc2.md", "a\x1b[2J.md"])

    def paths(self) -> list[str]:
        if self.fault is not None:
            raise self.fault
        self.reads += 1
        return self.held

    def headings(self) -> list[tuple[str, str]]:
        return [("doc1.md", "Keys"), ("guides/doc2.md", "Old keys"), ("guides/doc2.md", "")]


class Broken(Shelf):
    """An index that another process took away."""

    @property
    def generation(self) -> int:  # type: ignore[override]
        raise NoIndex("there is no index", "run `askmd ingest`")

    @generation.setter
    def generation(self, value: int) -> None:
        """It has none."""

    def paths(self) -> list[str]:
        raise NoIndex("there is no index", "run `askmd ingest`")


class Looked:
    """What was looked for, and a line for each."""

    def __init__(self) -> None:
        self.searches: list[Any] = []
        self.reasons: list[Any] = []

    def views(self) -> Views:
        return Views(self._search, self._why)

    def _search(self, *asked: Any) -> list[str]:
        self.searches.append(asked)
        return ["1. doc1.md:3-9  Keys"]

    def _why(self, *asked: Any) -> list[str]:
        self.reasons.append(asked)
        if "gone" in asked[1]:
            raise FolderError(f"the index holds no {asked[1]}")
        return ["Shown."]


def talk(
    *lines: str,
    chat: Talker | None = None,
    shelf: Library | None = None,
    views: Views | None = None,
    files: repl.Files | None = None,
) -> int:
    parts: Any = (chat or Talker(), shelf or Shelf(), views or Looked().views())
    return repl.run(*parts, files or repl.Files(), lines=[f"{line}\n" for line in lines])


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def typing(keys: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend that a user at a terminal presses these keys."""
    monkeypatch.setattr(sys, "stdin", Keyboard())
    monkeypatch.setenv("TERM", "xterm")
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        yield


Capture = pytest.CaptureFixture[str]


def test_a_question_is_answered_with_its_citations_below(capsys: Capture):
    status = talk("Which key?", "")

    assert (status, capsys.readouterr()) == (0, (f"Use it [2].\n\n{SOURCE}\n", ""))


def test_what_an_llm_says_cannot_reach_the_terminal(capsys: Capture):
    talk("Which key?", chat=Talker(["a\x1b]52;c;cm0=\x07b\x1b[2Jc\u202e.\r"]))

    assert capsys.readouterr().out == "abc.\n"


def test_quit_and_exit_leave_before_the_next_question():
    for word in ("/quit", "/exit"):
        chat = Talker()
        talk(word, "Which key?", chat=chat)
        assert chat.asked == []


def test_one_failed_and_one_stopped_answer_do_not_end_the_chat(capsys: Capture):
    chat = Talker(
        [LLMError("the server is away", "start it")], ["Half an ", KeyboardInterrupt()], YES
    )

    status = talk("one", "two", "three", chat=chat)

    assert status == 4
    assert capsys.readouterr() == (
        f"Half an \nUse it [2].\n\n{SOURCE}\n",
        "the server is away; start it\nstopped\n",
    )
    assert [one.is_closed for one in chat.given] == [True, True, True]


@pytest.mark.parametrize(
    ("answers", "status"),
    [([[LLMError("away")]], 1), ([[LLMError("away")], YES], 4), ([YES], 0)],
    ids=["all failed", "one failed", "none failed"],
)
def test_the_status_says_what_failed(answers: list[Any], status: int):
    assert talk("one", "two", chat=Talker(*answers)) == status


def test_a_cut_answer_is_told_below_its_sources_and_in_the_status(capsys: Capture):
    chat = Talker()
    chat.cut_reason, chat.notices = "token limit", ["the answer is incomplete: token limit"]

    assert talk("Which key?", chat=chat) == 4
    assert capsys.readouterr().err == "the answer is incomplete: token limit\n"


def test_what_was_searched_for_instead_is_shown(capsys: Capture):
    chat = Talker()
    chat.searched = "Which key\x1b[2J opens the door?"

    talk("And the door?", chat=chat)

    assert capsys.readouterr().err == "searched for: Which key opens the door?\n"


def test_sources_are_shown_again_with_their_scores(capsys: Capture):
    talk("/sources", "Which key?", "/sources")

    out, err = capsys.readouterr()
    assert out.split("\n")[3:5] == [
        "[1] doc1.md:3-9  Keys  (score 1.000)",
        f"{SOURCE}  (score 0.500, cited, support 0.75)",
    ]
    assert err == "no answer yet was made from passages\n"


def test_why_explains_a_cited_a_numbered_or_a_named_place(capsys: Capture):
    looked, chat = Looked(), Talker()
    chat.limit, chat.searched = 5, "Which key?"

    talk("/why", "Which?", "/why", "/why 1", "/why a.md#B", "/why gone.md",
         chat=chat, views=looked.views())  # fmt: skip

    places = ["doc2.md:3", "doc1.md:3", "a.md#B", "gone.md"]
    assert looked.reasons == [("Which key?", place, 5, Filter()) for place in places]
    assert [line for line in capsys.readouterr().err.split("\n") if "searched" not in line] == [
        "nothing was asked yet; ask something first",
        "the index holds no gone.md",
        "",
    ]


def test_search_finds_without_an_answer_under_the_same_filter():
    looked, chat = Looked(), Talker()

    talk(
        "/search", "/filter guides/**", "/k 7", "/search old keys", chat=chat, views=looked.views()
    )

    assert looked.searches == [("old keys", 7, Filter(("guides/**",)))]
    assert chat.asked == []


def test_a_filter_is_set_shown_and_taken_off(capsys: Capture):
    chat = Talker()

    talk("/filter", "/filter guides/** tag=ssh 'heading=Old Keys'", "/filter 'open", "/filter a=",
         chat=chat)  # fmt: skip
    kept = chat.where
    talk("/filter off", chat=chat)

    assert kept == Filter(("guides/**",), (("tag", "ssh"),), ("old keys",))
    assert chat.where == Filter()
    assert capsys.readouterr().err.split("\n")[:3] == [
        "searched: every document",
        "searched: only guides/** and tag=ssh and 'heading=old keys'",
        "'open has a quote that is not closed; close it",
    ]


def test_k_takes_a_number_of_hits_and_nothing_else(capsys: Capture):
    chat = Talker()

    talk("/k", "/k 3", "/k 0", "/k many", chat=chat)

    assert chat.limit == 3
    assert capsys.readouterr().err.split("\n") == [
        "an answer is made from as many hits as fill the budget",
        "an answer is made from 3 hits",
        "0 is no number of hits; choose 1 to 10000, or off",
        "many is no number of hits; choose 1 to 10000, or off",
        "",
    ]


def test_models_are_listed_and_changed(capsys: Capture):
    chat = Talker()

    talk("/model", "/model other", chat=chat)

    assert chat.model == "other"
    assert capsys.readouterr() == (
        "  speaker\n  another\n",
        "speaker answers; its server has:\nfrom now on other answers\n",
    )


def test_without_an_llm_there_is_no_model_to_choose(capsys: Capture):
    chat = Talker()
    chat.has_llm = False

    talk("/model other", chat=chat)

    assert capsys.readouterr().err == "no LLM is configured: the best passages are quoted\n"


def test_retry_takes_the_place_of_the_last_answer():
    chat = Talker(YES, ["Better [2]."])

    talk("/retry", "Which key?", "/retry", chat=chat)

    assert chat.asked == ["Which key?", "Which key?"]
    assert [turn.answer for turn in chat.turns] == ["Better [2]."]


def test_a_retry_that_fails_leaves_the_answer_it_was_to_replace():
    chat = Talker(YES, [LLMError("away")])

    talk("Which key?", "/retry", chat=chat)

    assert [turn.answer for turn in chat.turns] == ["Use it [2]."]


def test_a_retry_that_fails_can_be_made_again_and_its_sources_shown(capsys: Capture):
    chat = Talker(YES, [LLMError("away")], ["Better [2]."])

    talk("Which key?", "/retry", "/sources", "/retry", chat=chat)

    assert [turn.answer for turn in chat.turns] == ["Better [2]."]
    out, err = capsys.readouterr()
    assert (f"{SOURCE}  (score 0.500" in out, err) == (True, "away\n")


@pytest.mark.parametrize("emptying", ["\x03", "\x15", "\x03\x03"])
def test_a_draft_that_was_emptied_is_no_longer_to_replace_a_question(
    emptying: str, monkeypatch: pytest.MonkeyPatch
):
    chat = Talker()
    parts: Any = (chat, Shelf(), Looked().views())

    with typing(f"Which key?\r/edit\r{emptying}And the door?\r/quit\r", monkeypatch):
        repl.run(*parts)

    assert [turn.question for turn in chat.turns] == ["Which key?", "And the door?"]


@pytest.mark.parametrize("name", ["~nosuch/x.md", "a\0b", "x" * 5000])
def test_a_name_that_no_file_can_have_ends_its_command_alone(name: str, capsys: Capture):
    chat = Talker()

    talk("Which key?", f"/save {name}", f"/load {name}", "And then?", chat=chat)

    assert chat.asked == ["Which key?", "And then?"]
    said = capsys.readouterr().err.split("\n")
    assert (len(said), [line.startswith(clean(name)) for line in said[:2]]) == (3, [True, True])


def test_a_number_of_thousands_of_digits_ends_its_command_alone(capsys: Capture):
    chat, many = Talker(), "9" * 5000

    talk("Which key?", f"/open {many}", f"/open a.md:{many}", f"/k {many}", "And?", chat=chat)

    assert chat.asked == ["Which key?", "And?"]
    assert capsys.readouterr().err.count("\n") == 3


def test_what_nobody_foresaw_ends_its_line_alone(caplog: pytest.LogCaptureFixture):
    chat = Talker([ZeroDivisionError("by nothing")], YES)

    status = talk("one", "two", chat=chat)

    assert (status, chat.asked) == (4, ["one", "two"])
    assert caplog.messages == ["that failed: ZeroDivisionError: by nothing; the chat goes on"]


def test_a_stdout_that_takes_no_more_ends_the_chat(monkeypatch: pytest.MonkeyPatch):
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    chat = Talker()
    monkeypatch.setattr(sys, "stdout", Full())

    with pytest.raises(OSError, match="No space left"):
        talk("one", "two", chat=chat)

    assert chat.asked == ["one"]


def test_an_edited_question_takes_the_place_of_the_last_one(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    chat = Talker()
    parts: Any = (chat, Shelf(), Looked().views())

    with typing("Which key?\r/edit\r\x7f now?\r/quit\r", monkeypatch):
        repl.run(*parts)

    assert chat.asked == ["Which key?", "Which key now?"]
    assert [turn.question for turn in chat.turns] == ["Which key now?"]


def test_a_command_after_edit_leaves_the_conversation_as_it_was(capsys: Capture):
    chat = Talker()

    talk("Which key?", "/edit", "/k", "And then?", chat=chat)

    assert [turn.question for turn in chat.turns] == ["Which key?", "And then?"]
    assert "to be written anew: Which key?\n" in capsys.readouterr().err


def test_reset_and_new_forget_the_conversation(capsys: Capture):
    for command in ("/reset", "/new"):
        chat = Talker()
        talk("Which key?", command, "/sources", chat=chat)
        assert chat.turns == ()
        assert capsys.readouterr().err.split("\n")[0] == "the conversation so far is forgotten"


def test_a_conversation_is_saved_as_markdown_and_loaded_again(tmp_path: Path, capsys: Capture):
    file, first, second = tmp_path / "talk.md", Talker(), Talker()

    talk(f"/save {file}", "Which key?", f"/save {file}", f"/save {file}", "/save", chat=first)
    talk("/load", f"/load {file}", "/sources", chat=second)

    assert second.turns == first.turns
    assert "## Which key?" in file.read_text(encoding="utf-8")
    assert capsys.readouterr().err.split("\n") == [
        "there is no conversation yet; ask something first",
        f"wrote {file}: 1 question",
        f"wrote {file}: 1 question",
        "no file is named; write /save FILE.md",
        "no file is named; write /load FILE.md",
        "the conversation goes on after 1 question",
        "",
    ]


def test_a_file_that_is_no_transcript_is_neither_written_over_nor_loaded(
    tmp_path: Path, capsys: Capture
):
    notes, binary = tmp_path / "notes.md", tmp_path / "binary.md"
    notes.write_text("# Notes\n", encoding="utf-8")
    binary.write_bytes(b"\xff\xfe\x00")
    chat = Talker()

    talk("Which key?", f"/save {notes}", f"/save {binary}", f"/load {notes}", f"/load {binary}",
         f"/load {tmp_path / 'none.md'}", f"/save {tmp_path / 'notes.md' / 'x.md'}",
         chat=chat)  # fmt: skip

    assert notes.read_text(encoding="utf-8") == "# Notes\n"
    assert len(chat.turns) == 1
    said = capsys.readouterr().err.split("\n")
    assert said[:2] == [f"{file} is there already; choose another name" for file in (notes, binary)]
    assert [line.split(":")[0] for line in said[2:5]] == [
        f"{file} cannot be loaded" for file in (notes, binary, tmp_path / "none.md")
    ]
    assert said[5].startswith(f"{notes / 'x.md'} cannot be written: ")


def test_tokens_tells_what_was_taken_and_what_is_left(capsys: Capture):
    talk("/tokens")

    assert capsys.readouterr().out == (
        "sent      1,234 tokens\n"
        "answered  56 tokens\n"
        "cost      0.0012\n"
        "history   100 tokens, 650 left\n"
        "budget    3,000 tokens of passages and history for each answer\n"
        "window    8,192 tokens\n"
    )


def test_help_lists_every_command_once(capsys: Capture):
    talk("/help")

    names = [line.split()[0] for line in capsys.readouterr().out.split("\n") if line[:1] == "/"]
    assert names == [
        "/sources", "/open", "/why", "/search", "/filter", "/k", "/model", "/retry", "/edit",
        "/reset", "/save", "/load", "/tokens", "/help", "/quit",
    ]  # fmt: skip


def test_an_unknown_command_suggests_the_nearest(capsys: Capture):
    chat = Talker()

    talk("/serach proxy", "/nonsense", chat=chat)

    assert chat.asked == []
    assert capsys.readouterr().err == (
        "there is no /serach; did you mean /search?\n"
        "there is no /nonsense; /help lists what there is\n"
    )


@pytest.mark.parametrize("line", ["/etc/nginx.conf is where?", "/tmp is full, what now?"])
def test_a_question_that_begins_with_a_path_is_a_question(line: str):
    chat = Talker()

    talk(line, chat=chat)

    assert chat.asked == [line]


def test_a_conversation_is_kept_after_each_turn_for_its_owner_alone(tmp_path: Path):
    file, chat = tmp_path / "state" / "talk.json", Talker()

    talk("one", "two", chat=chat, files=repl.Files(conversation=file))

    assert conversation_from(file.read_text(encoding="utf-8")) == chat.turns
    assert [one.name for one in file.parent.iterdir()] == ["talk.json"]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_conversation_that_was_reset_is_not_kept_and_a_loaded_one_is(tmp_path: Path):
    file, saved = tmp_path / "state" / "talk.json", tmp_path / "talk.md"
    files = repl.Files(conversation=file)

    talk("Which key?", f"/save {saved}", "/reset", files=files)
    is_kept = file.exists()
    talk(f"/load {saved}", files=files)

    assert is_kept is False
    assert [turn.question for turn in conversation_from(file.read_text(encoding="utf-8"))] == [
        "Which key?"
    ]


def test_a_reset_before_the_first_question_leaves_an_older_conversation_kept(tmp_path: Path):
    file = tmp_path / "talk.json"
    Keeper(file).keep([answered("Which key?")])

    talk("/reset", files=repl.Files(conversation=file))

    assert file.exists()


def test_a_kept_conversation_goes_on_only_where_it_is_wanted(tmp_path: Path, capsys: Capture):
    file = tmp_path / "talk.json"
    Keeper(file).keep([answered("Which key?")])
    new, old = Talker(), Talker()

    talk("/help", chat=new, files=repl.Files(conversation=file))
    talk("/sources", chat=old, files=repl.Files(conversation=file, is_continued=True))

    assert (len(new.turns), [turn.question for turn in old.turns]) == (0, ["Which key?"])
    out, err = capsys.readouterr()
    assert out.endswith(f"{SOURCE}  (score 0.500, cited, support 0.75)\n")
    assert err == "going on after: Which key?\n"


def test_a_new_conversation_replaces_the_kept_one_with_its_first_answer(tmp_path: Path):
    file, failing, chat = tmp_path / "talk.json", Talker([LLMError("away")]), Talker()
    Keeper(file).keep([answered("Which key?")])
    kept = file.read_text(encoding="utf-8")

    talk("And then?", chat=failing, files=repl.Files(conversation=file))
    assert file.read_text(encoding="utf-8") == kept
    talk("And then?", chat=chat, files=repl.Files(conversation=file))

    assert [turn.question for turn in conversation_from(file.read_text(encoding="utf-8"))] == [
        "And then?"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no conversation to continue; a new one begins"),
        ("{", "the last conversation cannot be read ("),
        ('{"kind": "other"}', "the last conversation cannot be read ("),
    ],
    ids=["none", "broken", "foreign"],
)
def test_a_conversation_that_cannot_be_continued_is_said_and_a_new_one_begins(
    text: str | None, said: str, tmp_path: Path, capsys: Capture
):
    file, chat = tmp_path / "talk.json", Talker()
    if text is not None:
        file.write_text(text, encoding="utf-8")

    status = talk("one", chat=chat, files=repl.Files(conversation=file, is_continued=True))

    assert (status, len(chat.turns)) == (0, 1)
    assert capsys.readouterr().err.startswith(said)


def test_json_continues_no_conversation(askmd: Askmd):
    ran = askmd("chat", "--continue", "--json")

    assert (ran.status, "--continue does not go with --json" in ran.err) == (2, True)


def test_a_conversation_that_cannot_be_kept_is_said_once(tmp_path: Path, capsys: Capture):
    (tmp_path / "file").write_text("", encoding="utf-8")

    status = talk("one", "two", files=repl.Files(conversation=tmp_path / "file" / "talk.json"))

    assert status == 0
    assert capsys.readouterr().err.count("this conversation cannot be kept") == 1


def test_an_index_that_was_updated_is_told_once(capsys: Capture):
    shelf = Shelf()

    class Updating(Talker):
        def ask(self, question: str) -> Spoken:
            shelf.generation = 2
            return super().ask(question)

    talk("one", "two", "three", chat=Updating(), shelf=shelf)

    assert capsys.readouterr().err == "the index was updated: 3 documents\n"


def test_an_index_that_is_gone_or_another_ends_the_question_alone(capsys: Capture):
    error = IndexMismatch("this index holds other vectors", "run `askmd ingest --rebuild`")

    class Lost(Talker):
        def ask(self, question: str) -> Spoken:
            raise error

    status = talk("one", "/k", chat=Lost(), shelf=Broken())

    assert status == 1
    assert capsys.readouterr().err == (
        f"{error}\nan answer is made from as many hits as fill the budget\n"
    )


def test_a_pipe_is_read_without_a_prompt(monkeypatch: pytest.MonkeyPatch, capsys: Capture):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Which key?\nAnd then?\n"))
    parts: Any = (Talker(["Yes."]), Shelf(), Looked().views())

    repl.run(*parts)

    assert capsys.readouterr() == ("Yes.\nYes.\n", "")


def test_a_terminal_that_knows_no_sequences_is_only_asked_for_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    monkeypatch.setattr(sys, "stdin", Keyboard("Which key?\n"))
    monkeypatch.setenv("TERM", "dumb")
    parts: Any = (Talker(["Yes."]), Shelf(), Looked().views())

    repl.run(*parts)

    assert capsys.readouterr() == ("> Yes.\n> ", "")


class Impatient(Keyboard):
    """A terminal at which Ctrl-C is pressed again and again."""

    def readline(self, *_size: object) -> str:  # type: ignore[override]
        raise KeyboardInterrupt


def test_control_c_leaves_such_a_terminal_too(monkeypatch: pytest.MonkeyPatch, capsys: Capture):
    monkeypatch.setattr(sys, "stdin", Impatient())
    monkeypatch.setenv("TERM", "dumb")
    parts: Any = (Talker(), Shelf(), Looked().views())

    assert repl.run(*parts) == 0
    assert capsys.readouterr() == ("> > ", f"{LEAVE}\n")


# --- keys -----------------------------------------------------------------------------------


def typed(keys: str, monkeypatch: pytest.MonkeyPatch, history: Path | None = None) -> list[str]:
    """Return what is asked when a user presses these keys."""
    chat = Talker(["Yes."])
    parts: Any = (chat, Shelf(), Looked().views(), repl.Files(history=history))
    with typing(keys, monkeypatch):
        repl.run(*parts)
    return chat.asked


def test_at_a_terminal_lines_are_typed_and_kept_for_their_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    history = tmp_path / "state" / "history"

    assert typed("Which key?\r/quit\r", monkeypatch, history) == ["Which key?"]

    assert "+Which key?" in history.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("keys", "times_warned"),
    [("\x04", 0), ("\x03\x03", 1), ("typed\x03\x03\x03", 1), ("typed\x03\x04", 0)],
)
def test_control_d_leaves_and_control_c_empties_the_line_then_warns_then_leaves(
    keys: str, times_warned: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    assert typed(keys, monkeypatch) == []

    assert capsys.readouterr().err.count(LEAVE) == times_warned


@pytest.mark.parametrize(
    ("keys", "question"),
    [
        ("One\x1b\rtwo\r", "One\ntwo"),
        ("\x1b[200~One\r\ntwo\nthree\x1b[201~\r", "One\ntwo\nthree"),
        ("\x1b[200~/quit\nor not\x1b[201~\r", "/quit\nor not"),
    ],
    ids=["escape enter", "pasted", "pasted command"],
)
def test_several_lines_are_one_question(keys: str, question: str, monkeypatch: pytest.MonkeyPatch):
    assert typed(f"{keys}\x04", monkeypatch) == [question]


def test_a_history_that_cannot_be_kept_is_said_and_typing_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
):
    (tmp_path / "file").write_text("", encoding="utf-8")

    assert typed("Which?\r\x04", monkeypatch, tmp_path / "file" / "history") == ["Which?"]

    assert "what you type is not kept: " in capsys.readouterr().err


def test_the_status_line_tells_model_documents_and_tokens():
    assert [status_line(one) for one in (opened(), opened(shelf=Broken()))] == [
        "speaker · 3 documents · 650 tokens left",
        "speaker · no index · 650 tokens left",
    ]
    quoting = Talker()
    quoting.has_llm = False
    assert status_line(opened(quoting)) == "quoting · 3 documents"


@pytest.mark.parametrize("columns", [1, 2, 10, 29, 30, 60])
def test_a_status_line_fits_whatever_the_terminal_is(columns: int):
    shown = fitted("a-model-with-a-long-name · 3 documents", columns)

    assert "\n" not in shown
    assert len(shown) <= max(columns, 2)
    assert shown.endswith("documents") == (columns >= 17 + 2)


# --- completion -----------------------------------------------------------------------------


def opened(chat: Talker | None = None, shelf: Library | None = None) -> Talk:
    parts: Any = (chat or Talker(), shelf or Shelf(), Looked().views(), Keeper(None))
    return Talk(*parts)


def offered(line: str, one: Talk | None = None) -> list[str]:
    """Return what a line could become."""
    completer = ChatCompleter(one or opened())
    found = completer.get_completions(Document(line), CompleteEvent())
    return [f"{line[: len(line) + item.start_position]}{item.text}" for item in found]


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("/s", ["/sources", "/search", "/save"]),
        ("/new", []),
        ("Which /s", []),
        ("/k ", []),
        ("/open gui", ["/open guides/doc2.md", "/open guides/doc2.md#Old keys"]),
        ("/open DOC2.md", ["/open guides/doc2.md", "/open guides/doc2.md#Old keys"]),
        ("/why doc1.md#k", ["/why doc1.md#Keys"]),
        ("/filter heading=ke", ["/filter heading=Keys"]),
        ("/filter 'heading=old k", ["/filter 'heading=Old keys'"]),
        ("/filter heading=keys guides", ["/filter heading=keys 'guides/**'",
                                         "/filter heading=keys guides/doc2.md"]),
        ("/filter o", ["/filter off", "/filter doc1.md", "/filter guides/doc2.md"]),
    ],
)  # fmt: skip
def test_a_line_is_completed_with_what_the_index_holds(line: str, lines: list[str]):
    assert offered(line) == lines


def test_numbers_of_the_last_answers_sources_are_offered():
    chat = Talker()
    chat.turns = (answered("Which key?"),)

    assert offered("/open ", opened(chat))[:2] == ["/open 1", "/open 2"]


def test_the_index_is_read_once_a_generation_and_not_at_every_key():
    shelf = Shelf()
    completer = ChatCompleter(opened(shelf=shelf))

    for generation, reads in ((1, 1), (1, 1), (2, 2)):
        shelf.generation = generation
        list(completer.get_completions(Document("/open d"), CompleteEvent()))
        assert shelf.reads == reads


def test_an_index_that_cannot_be_read_offers_nothing():
    assert offered("/open ", opened(shelf=Broken())) == []


# --- opening --------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "handbook"
    (folder / "guides").mkdir(parents=True)
    text = "# Title\n\none\x1b[2J\n\n## Keys ##\n\nUse them.\n"
    (folder / "guides" / "doc.md").write_text(text, encoding="utf-8")
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("editor", "words"),
    [
        ("vim", ["vim", "+7", "FILE"]),
        ("/usr/bin/nvim -R", ["/usr/bin/nvim", "-R", "+7", "FILE"]),
        ("emacs -nw", ["emacs", "-nw", "+7", "FILE"]),
        ("hx", ["hx", "FILE:7"]),
        ("code --wait", ["code", "--wait", "-g", "FILE:7"]),
        ("'/a b/codium' -w", ["/a b/codium", "-w", "-g", "FILE:7"]),
        ("subl -w", ["subl", "-w", "FILE:7"]),
        ("vi; rm -rf x", ["vi;", "rm", "-rf", "x", "FILE"]),
        ("unknown", ["unknown", "FILE"]),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="SKIPPED LOUDLY: a POSIX shell's quotes")
def test_an_editor_is_called_with_the_line_as_it_wants_it(editor: str, words: list[str]):
    file = Path("FILE")

    assert editor_command(editor, file, 7) == words


@pytest.mark.parametrize("editor", ["'vim", "  "])
def test_an_editor_that_is_no_command_is_an_error(editor: str):
    with pytest.raises(AskmdError):
        editor_command(editor, Path("FILE"), 1)


@pytest.mark.parametrize(
    "path", ["../secret.md", "guides", "none.md", "/etc/passwd", "guides/link.md", "a\0b"]
)
def test_nothing_outside_the_root_is_opened(path: str, root: Path):
    if hasattr(os, "symlink") and sys.platform != "win32":
        (root / "guides" / "link.md").symlink_to(root.parent / "secret.md")

    with pytest.raises(FolderError):
        inside(root, path)


def test_off_a_terminal_the_cited_lines_are_printed_cleaned(root: Path, capsys: Capture):
    open_spot(Spot("guides/doc.md", (3, 5)), root, {"EDITOR": "/never/started"})

    assert capsys.readouterr().out == "one\n\n## Keys ##\n"


@pytest.mark.parametrize(
    ("heading", "line"),
    [("keys", 9), ("Title > Keys", 9), (" title >  KEYS", 9), ("the-foo-tool", 13), ("none", None),
     ("", None), ("comment", None)],
)  # fmt: skip
def test_a_heading_is_found_on_its_line_and_a_comment_in_code_is_none(
    heading: str, line: int | None, tmp_path: Path
):
    text = (
        "# Title\n\n```sh\n# comment\n# Keys\n```\n\none\n## Keys ##\n\nUse.\n\n## The `foo` tool\n"
    )
    file = tmp_path / "doc.md"
    file.write_text(text, encoding="utf-8")

    assert line_of(file, heading) == line


def test_a_path_that_holds_the_mark_of_headings_is_opened(root: Path, capsys: Capture):
    (root / "C#").mkdir()
    (root / "C#" / "intro.md").write_text("# Intro\n\nC#.\n\n## F# too\n", encoding="utf-8")

    talk("/open C#/intro.md", "/open C#/intro.md#F# too", "/open C#/intro.md:3",
         "/open C#/intro.md#Gone", f"/open {'#' * 9000}", shelf=Shelf(root))  # fmt: skip

    out, err = capsys.readouterr()
    assert out == "# Intro\n## F# too\nC#.\n# Intro\n"
    assert err.split("\n")[0] == "C#/intro.md has no heading Gone; here is where it begins"
    assert err.split("\n")[1].endswith(f"is no file inside {root}; run `askmd ingest` if it moved")


def test_lines_that_a_file_does_not_have_are_told(root: Path, capsys: Capture):
    talk("/open guides/doc.md:9999", "/open guides/doc.md:0", shelf=Shelf(root))

    assert capsys.readouterr() == (
        "",
        "doc.md has 7 lines, and no line 9999; name one it has\n"
        "doc.md has 7 lines, and no line 0; name one it has\n",
    )


def test_sources_paths_lines_and_headings_can_be_opened(root: Path, capsys: Capture):
    chat = Talker()
    stale = replace(CITATION, path="guides/doc.md", stale=True, stands_at=(7, 7))
    chat.turns = (replace(answered("Which?"), citations=(stale,)),)

    talk("/open 2", "/open [2]", "/open guides/doc.md:3", "/open guides/doc.md#Keys",
         "/open guides/doc.md", "/open 9", "/open ../secret.md", "/open 1",
         chat=chat, shelf=Shelf(root))  # fmt: skip

    out, err = capsys.readouterr()
    assert out == "Use them.\nUse them.\none\n## Keys ##\n# Title\n"
    assert [line.split(";")[0] for line in err.split("\n")[:-1]] == [
        "the last answer has no source 9",
        f"../secret.md is no file inside {root}",
        f"doc1.md is no file inside {root}",
    ]
