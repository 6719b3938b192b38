from __future__ import annotations

import io
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from askmd import repl
from askmd.answer import Chat
from askmd.errors import LLMError
from test_answer import Shelf, Speaker, Spoken, Words, hit


class Moody:
    """An LLM that fails once, is interrupted once, and then answers."""

    model = "moody"

    def __init__(self) -> None:
        self.completions: list[Spoken] = []

    def stream(self, messages: object) -> Spoken:
        self.completions.append(Interrupted(["Half an "], None))
        if len(self.completions) == 1:
            raise LLMError("the server is away", "start it")
        return self.completions[-1] if len(self.completions) == 2 else Spoken(["Yes [1]."], None)


class Interrupted(Spoken):
    """A completion during which the user presses Ctrl-C."""

    def __iter__(self) -> Iterator[str]:
        yield from self._pieces
        raise KeyboardInterrupt


class Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def chat(llm: Speaker | Moody | None, shelf: Shelf | None = None) -> Chat:
    return Chat(shelf or Shelf(hit(1), hit(2)), llm, Words(), budget_tokens=100)


@contextmanager
def typing(keys: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend that a user at a terminal presses these keys."""
    monkeypatch.setattr(sys, "stdin", Keyboard())
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        yield


def test_a_question_is_answered_with_its_citations_below(capsys: pytest.CaptureFixture[str]):
    repl.run(chat(Speaker("Use ", "it [2].")), lines=["Which key?\n", "\n"])

    assert capsys.readouterr().out == "Use it [2].\n\n[2] doc2.md:3-9  Keys\n"


def test_what_an_llm_says_cannot_reach_the_terminal(capsys: pytest.CaptureFixture[str]):
    pieces = "a\x1b]52;c;cm0=\x07b\x1b[2Jc\u202e [1].\r"

    repl.run(chat(Speaker(*pieces)), lines=["Which key?"])

    assert capsys.readouterr().out == "abc [1].\n\n[1] doc1.md:3-9  Keys\n"


def test_quit_and_exit_leave_before_the_next_question(capsys: pytest.CaptureFixture[str]):
    for word in ("/quit", "/exit"):
        repl.run(chat(Speaker("Yes.")), lines=[word, "Which key?"])

    assert capsys.readouterr() == ("", "")


def test_one_failed_and_one_stopped_answer_do_not_end_the_chat(
    capsys: pytest.CaptureFixture[str],
):
    llm = Moody()

    repl.run(chat(llm), lines=["one", "two", "three"])

    out, err = capsys.readouterr()
    assert out == "Half an\nYes [1].\n\n[1] doc1.md:3-9  Keys\n"
    assert err == "the server is away; start it\nstopped\n"
    assert llm.completions[1].is_closed


def test_a_cut_answer_and_a_degraded_search_are_told_on_stderr(
    capsys: pytest.CaptureFixture[str],
):
    shelf = Shelf(hit(1), degraded="found by words alone")

    repl.run(chat(Speaker("Half", cut_reason="token limit"), shelf), lines=["Which key?"])

    assert capsys.readouterr() == (
        "Half\n",
        "degraded: found by words alone\nthe answer is incomplete: token limit\n",
    )


def test_a_quotation_shows_each_source_once(capsys: pytest.CaptureFixture[str]):
    repl.run(chat(None, Shelf(hit(1))), lines=["Which key?"])

    assert capsys.readouterr().out == "Use the key.\n\n[1] doc1.md:3-9  Keys\n"


def test_a_source_that_changed_is_marked(capsys: pytest.CaptureFixture[str]):
    shelf = Shelf(hit(1))
    shelf.stale.add("doc1.md")

    repl.run(chat(Speaker("Yes [1]."), shelf), lines=["Which key?"])

    assert "[1] doc1.md:3-9  Keys  (changed since it was indexed)\n" in capsys.readouterr().out


def test_sources_lists_what_the_last_answer_was_made_from(capsys: pytest.CaptureFixture[str]):
    repl.run(chat(Speaker("Yes.")), lines=["/sources", "Which key?", "/sources"])

    out, err = capsys.readouterr()
    assert out == "Yes.\n[1] doc1.md:3-9  Keys\n[2] doc2.md:3-9  Keys\n"
    assert err == "no answer yet was made from passages\n"


def test_new_forgets_the_conversation(capsys: pytest.CaptureFixture[str]):
    llm = Speaker("Yes.")

    repl.run(chat(llm), lines=["Which key?", "/new", "Which key?"])

    assert [len(messages) for messages in llm.asked] == [2, 2]
    assert capsys.readouterr().err == "the conversation so far is forgotten\n"


def test_help_lists_the_commands_and_an_unknown_one_names_it(
    capsys: pytest.CaptureFixture[str],
):
    llm = Speaker("Yes.")

    repl.run(chat(llm), lines=["/help", "/nonsense"])

    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["/sources", "/new", "/help", "/quit"]
    assert err == "there is no /nonsense; /help lists what there is\n"
    assert llm.asked == []


def test_a_question_that_begins_with_a_path_is_a_question(capsys: pytest.CaptureFixture[str]):
    repl.run(chat(Speaker("Yes.")), lines=["/etc/nginx.conf is where?"])

    assert capsys.readouterr().out == "Yes.\n"


def test_a_pipe_is_read_without_a_prompt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("Which key?\nAnd then?\n"))

    repl.run(chat(Speaker("Yes.")))

    assert capsys.readouterr() == ("Yes.\nYes.\n", "")


def test_at_a_terminal_lines_are_typed_and_kept_for_their_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    history = tmp_path / "state" / "history"

    with typing("Which key?\r/quit\r", monkeypatch):
        repl.run(chat(Speaker("Yes.")), history_file=history)

    assert capsys.readouterr().out == "Yes.\n"
    assert "+Which key?" in history.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert stat.S_IMODE(history.stat().st_mode) == 0o600


@pytest.mark.parametrize("keys", ["\x04", "\x03", "typed\x03\x03", "typed\x03\x04"])
def test_control_d_leaves_and_control_c_empties_the_line_first(
    keys: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    llm = Speaker("Yes.")

    with typing(keys, monkeypatch):
        repl.run(chat(llm))

    assert llm.asked == []
