"""The chat as its users have it: ``python -m askmd chat`` in a real pseudo-terminal."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chat_scripts import SSE, chunk, event, events
from conftest import HANDBOOK, HASH
from servers import Recorded, Reply, ScriptedServer, json_reply

if sys.platform == "win32":
    pytest.skip("SKIPPED LOUDLY: Windows has no pseudo-terminals", allow_module_level=True)

import termios

import pexpect
import pyte

PATIENCE_SECONDS = 30.0
QUESTION = "How are requests to a website forwarded?"
FOLLOW_UP = "And which web server does it?"
SEARCHED = "Which web server forwards requests to a website?"
ANSWER = ["Requests are forwarded ", "with `proxy_pass` [1]."]
SOURCE = "[1] nginx.md:5-7  Nginx > Reverse proxy"
_READY = re.compile(r"(?:\A|\n)>\n+ \S.* · .*\Z")
"""The last prompt, nothing typed behind it, and the status line below."""
_COLOURS = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


class Terminal:
    """A chat in a pseudo-terminal, and what its screen shows."""

    def __init__(
        self,
        command: list[str],
        desk: Desk,
        *,
        columns: int,
        rows: int,
        environment: dict[str, str],
    ) -> None:
        self.raw = b""
        self._screen = _Screen(columns, rows)
        self._rows = [""] * rows
        self._stream = pyte.ByteStream(self._screen)
        self._child = pexpect.spawn(
            command[0],
            command[1:],
            dimensions=(rows, columns),
            cwd=desk.folder,
            env={**desk.environment, **environment},
            # Whoever runs the tests under nohup has it ignored, and a child inherits that.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        self._screen.answer = self._child.send
        # pexpect is polite to programs that switch their echo off late; this one does not.
        self._child.delaybeforesend = None
        self._child.ptyproc.delayafterclose = 0
        self.modes_left: list[Any] = []

    @property
    def shown(self) -> str:
        """The screen, as lines without the blanks at their ends."""
        for row in self._screen.dirty:
            cells = self._screen.buffer[row]
            text = "".join(cells[column].data for column in range(self._screen.columns))
            self._rows[row] = text.rstrip()
        self._screen.dirty.clear()
        return "\n".join(self._rows).rstrip()

    def type(self, keys: str) -> None:
        self._child.send(keys)

    def until(self, *texts: str) -> str:
        """Read on until the screen shows every text, and return the screen."""
        return self.till(lambda shown: all(text in shown for text in texts), texts)

    def till(self, is_so: Callable[[str], bool], wanted: object = "") -> str:
        """Read on until something is so of the screen."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so(self.shown):
            assert time.monotonic() < deadline, f"waited for {wanted!r}, saw:\n{self.shown}"
            assert self._read(), f"the chat ended before {wanted!r}:\n{self.shown}"
        return self.shown

    def ready(self) -> str:
        """Read on until a line can be typed: the prompt, and the status line at the bottom."""
        return self.till(lambda shown: bool(_READY.search(shown)), "the prompt")

    def say(self, line: str, *texts: str) -> str:
        """Type a line, read on until the screen shows every text and the next can be typed."""
        self.type(f"{line}\r")
        self.until(*texts)
        return self.ready()

    def left(self) -> int | None:
        """Read to the end, and return the exit status; None where a signal ended it."""
        while self._read():
            pass
        self._child.wait()
        self.modes_left = self.modes()
        self._child.close()
        return self._child.exitstatus

    def modes(self) -> list[Any]:
        """How the terminal treats keys and output."""
        return termios.tcgetattr(self._child.child_fd)

    def signal(self, number: int) -> None:
        self._child.kill(number)

    def close(self) -> None:
        """End what still runs."""
        if not self._child.closed and self._child.isalive():
            self._child.kill(signal.SIGKILL)
            self._child.wait()
        self._child.close()

    def _read(self) -> bool:
        try:
            data = self._child.read_nonblocking(65536, timeout=PATIENCE_SECONDS)
        except pexpect.EOF:
            return False
        except pexpect.TIMEOUT:
            return True
        self.raw += data
        self._stream.feed(data)
        return True


class _Screen(pyte.Screen):
    """A screen that answers where its cursor is, as terminals do."""

    answer: Callable[[str], Any] = staticmethod(lambda data: None)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Model:
    """A server with a model that answers everybody the same."""

    def __init__(self) -> None:
        self.answer = ANSWER
        self.gate: threading.Event | None = None
        """What an answer waits for after its first piece."""

    def __call__(self, request: Recorded) -> Reply:
        if request.path.endswith("/models"):
            models = [{"id": name, "object": "model"} for name in ("scripted", "another")]
            return json_reply({"object": "list", "data": models})
        if "prepare searches" in request.body["messages"][0]["content"]:
            return Reply(headers=SSE, body=events([f"SEARCH: {SEARCHED}"]))
        return Reply(headers=SSE, body=self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        yield event(chunk(self.answer[0]))
        if self.gate is not None:
            self.gate.wait(PATIENCE_SECONDS)
        yield from events(self.answer[1:])


@dataclass
class Desk:
    """A folder with an indexed handbook, a home of its own, a server, terminals."""

    folder: Path
    server: ScriptedServer
    model: Model
    environment: dict[str, str]
    terminals: list[Terminal]

    def chat(self, *words: str, columns: int = 100, rows: int = 50, **environment: str) -> Terminal:
        return self.terminal(self.command(*words), columns=columns, rows=rows, **environment)

    def terminal(
        self, command: list[str], *, columns: int = 100, rows: int = 50, **environment: str
    ) -> Terminal:
        opened = Terminal(command, self, columns=columns, rows=rows, environment=environment)
        self.terminals.append(opened)
        return opened

    def command(self, *words: str, verb: str = "chat") -> list[str]:
        server = ["--base-url", self.server.base_url, "--model", "scripted"]
        return [sys.executable, "-m", "askmd", verb, *server, *words]

    def piped(self, *lines: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._run(self.command(), "\n".join(lines), environment)

    def shell(self, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self._run(["/bin/sh", "-c", script], "", environment)

    def ingest(self) -> None:
        command = [sys.executable, "-m", "askmd", "ingest", "handbook"]
        assert self._run(command, "", {}).returncode == 0

    def asked(self) -> list[str]:
        """What users said last in the requests for answers."""
        bodies = [body for body in self.server.bodies if body]
        return [
            body["messages"][-1]["content"]
            for body in bodies
            if "prepare searches" not in body["messages"][0]["content"]
        ]

    def _run(
        self, command: list[str], text: str, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=self.folder,
            env={**self.environment, **environment},
            timeout=PATIENCE_SECONDS,
            check=False,
        )


def environment_of(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    homes = dict.fromkeys(
        ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"), str(home)
    )
    return {**kept, **homes, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PAGER": "cat"}


@pytest.fixture(scope="module")
def indexed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "config.toml").write_text(HASH, encoding="utf-8")
    for name, text in HANDBOOK.items():
        (folder / "handbook" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "handbook" / name).write_text(text, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "askmd", "ingest", "handbook"],
        cwd=folder,
        env=environment_of(folder),
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture
def desk(indexed_folder: Path, tmp_path: Path) -> Iterator[Desk]:
    folder = tmp_path / "desk"
    shutil.copytree(indexed_folder, folder)
    model = Model()
    with ScriptedServer(model) as server:
        one = Desk(folder, server, model, environment_of(tmp_path / "home"), [])
        yield one
        if model.gate is not None:
            model.gate.set()
        for terminal in one.terminals:
            terminal.close()


def test_an_answer_grows_on_the_screen_and_its_source_stands_below(desk: Desk):
    desk.model.gate = threading.Event()
    terminal = desk.chat()
    begun = terminal.ready()

    terminal.type(f"{QUESTION}\r")
    half = terminal.until("Requests are forwarded")
    desk.model.gate.set()
    whole = terminal.until(SOURCE)
    after = terminal.ready()

    assert begun.startswith("ask something; /help lists what else there is\n>\n")
    assert re.search(r"\n scripted · 3 documents · [\d,]+ tokens left$", begun)
    assert "proxy_pass" not in half
    assert "Requests are forwarded with proxy_pass [1]." in whole
    assert after.count("Requests are forwarded") == 1


def test_control_c_stops_an_answer_and_the_chat_goes_on(desk: Desk):
    desk.model.gate = threading.Event()
    terminal = desk.chat()
    terminal.ready()
    terminal.type(f"{QUESTION}\r")
    terminal.until("Requests are forwarded")

    terminal.type("\x03")
    stopped = terminal.until("stopped")
    terminal.ready()
    desk.model.gate.set()
    desk.model.gate = None
    answered = terminal.say(QUESTION, SOURCE)
    terminal.type("\x04")

    assert "proxy_pass" not in stopped
    assert "with proxy_pass [1]." in answered
    assert terminal.left() == 0


def test_control_c_on_an_empty_line_says_how_to_leave_and_then_leaves(desk: Desk):
    terminal = desk.chat()
    terminal.ready()

    terminal.type("typed\x03")
    terminal.type("\x03")
    terminal.until("Ctrl-C once more leaves; so do Ctrl-D and /quit")
    terminal.ready()
    terminal.type("\x03")

    assert terminal.left() == 0
    assert desk.asked() == []


def test_tab_completes_commands_paths_and_headings(desk: Desk):
    terminal = desk.chat()
    terminal.ready()

    terminal.type("/so")
    terminal.until("what the last answer was made from")
    terminal.type("\t")
    terminal.until("> /sources\n")
    terminal.type("\x03/re\t")
    terminal.until("> /retry\n", "/reset")
    terminal.type("\x03/open acc")
    terminal.until("access/ssh.md", "access/ssh.md#Rotation")
    terminal.type("\t")
    terminal.until("> /open access/ssh.md\n")
    terminal.type("\x03/why nginx.md#rev\t")
    terminal.until("> /why nginx.md#Reverse proxy\n")
    terminal.type("\x03/filter heading=rot\t")
    terminal.until("> /filter heading=Rotation\n")
    terminal.type("\r")

    terminal.until("searched: only heading=rotation")


def test_every_command_does_its_work(desk: Desk):
    editor, opened = desk.folder / "vim", desk.folder / "opened"
    editor.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {opened}\n', encoding="utf-8")
    editor.chmod(0o700)
    terminal = desk.chat(EDITOR=f"'{editor}' -n", rows=120)
    terminal.ready()

    terminal.say("/help", "/sources  ", "/quit")
    terminal.say(QUESTION, SOURCE)
    terminal.say("/sources", f"{SOURCE}  (score ", "cited")
    terminal.say("/open 1")
    terminal.say("/why", "Shown among the first")
    terminal.say("/why access/ssh.md#Rotation", "access/ssh.md:6-9  SSH keys > Rotation")
    terminal.say("/search dead rows", "1. postgres.md:")
    terminal.say("/filter postgres.md", "searched: only postgres.md")
    terminal.say("/filter off", "searched: every document")
    terminal.say("/k 2", "an answer is made from 2 hits")
    terminal.say("/model", "scripted answers; its server has:", "another")
    terminal.say("/model another", "from now on another answers", " another · 3 documents")
    terminal.say("/tokens", "sent ", "budget ")
    terminal.say("/save talk.md", "wrote talk.md: 1 question")
    terminal.say("/retry", "with proxy_pass [1].")
    terminal.say("/reset", "the conversation so far is forgotten")
    terminal.say("/load talk.md", "the conversation goes on after 1 question")
    terminal.type("/edit\r")
    terminal.until(f"> {QUESTION}\n\n")
    terminal.type(" Tell me.\r")
    terminal.until(f"> {QUESTION} Tell me.")
    terminal.ready()
    terminal.say("/savee", "there is no /savee; did you mean /save?")
    terminal.type("/quit\r")

    assert terminal.left() == 0
    # The shell script is given what vim would be: its options, the line, the file.
    assert opened.read_text(encoding="utf-8") == f"-n\n+5\n{desk.folder}/handbook/nginx.md\n"
    assert QUESTION in (desk.folder / "talk.md").read_text(encoding="utf-8")
    assert [text.count("Tell me.") for text in desk.asked()] == [0, 0, 1]


@pytest.mark.parametrize("columns", [60, 200])
def test_a_narrow_and_a_wide_terminal_show_whole_lines_and_the_status_line(
    columns: int, desk: Desk
):
    words = [f"word{number}" for number in range(80)]
    desk.model.answer = [" ".join(words[:40]) + " ", " ".join(words[40:]) + " [1]."]
    terminal = desk.chat("--model", f"scripted-{'long' * 20}", columns=columns)
    terminal.ready()

    shown = terminal.say(QUESTION, "word79 [1].", "Reverse proxy")

    lines = shown.split("\n")
    answer = shown[: shown.index("[1] nginx.md")]
    assert [word for word in answer.split() if word in words] == words
    assert sum("tokens left" in line for line in lines) == 1
    assert re.fullmatch(r" scripted-\S+ · 3 documents · [\d,]+ tokens left", lines[-1])
    assert max(map(len, lines)) <= columns


def test_a_dumb_terminal_is_sent_no_escape_sequence(desk: Desk):
    terminal = desk.chat(TERM="dumb")
    terminal.until(">")

    terminal.type(f"{QUESTION}\r")
    terminal.until("with `proxy_pass` [1].", SOURCE)
    terminal.type("/sources\r")
    terminal.until("(score ")
    terminal.type("/quit\r")

    assert terminal.left() == 0
    assert b"\x1b" not in terminal.raw


def test_without_colour_none_is_sent(desk: Desk):
    terminal = desk.chat(NO_COLOR="1")
    terminal.ready()

    terminal.say(QUESTION, "with proxy_pass [1].", SOURCE)
    terminal.type("\x04")

    assert terminal.left() == 0
    assert _COLOURS.findall(terminal.raw) == []


def test_a_pipe_gets_answers_alone_and_no_escape_sequence(desk: Desk):
    ran = desk.piped(QUESTION, "/sources", "/quit", FORCE_COLOR="")

    answer = f"{''.join(ANSWER)}\n\n{SOURCE}\n"
    assert ran.returncode == 0
    assert ran.stdout.startswith(f"{answer}{SOURCE}  (score ")
    assert "\x1b" not in ran.stdout + ran.stderr


def test_answers_can_be_piped_away_while_questions_are_typed(desk: Desk):
    answers = desk.folder / "answers"
    terminal = desk.terminal(["/bin/sh", "-c", f"{shlex.join(desk.command())} > {answers}"])
    terminal.ready()

    terminal.type(f"{QUESTION}\r")
    terminal.till(lambda shown: QUESTION in shown)
    terminal.ready()
    terminal.type("\x04")

    assert terminal.left() == 0
    assert answers.read_text(encoding="utf-8") == f"{''.join(ANSWER)}\n\n{SOURCE}\n"


def test_a_follow_up_shows_what_is_searched_for(desk: Desk):
    terminal = desk.chat()
    terminal.ready()
    terminal.say(QUESTION, SOURCE)

    shown = terminal.say(FOLLOW_UP, f"searched for: {SEARCHED}")

    assert shown.index("searched for: ") < shown.rindex("Requests are forwarded")


def test_a_conversation_can_be_continued(desk: Desk):
    first = desk.chat()
    first.ready()
    first.say(QUESTION, SOURCE)
    first.type("\x04")
    assert first.left() == 0

    second = desk.chat("--continue")
    second.until(f"going on after: {QUESTION}")
    second.ready()
    second.say("/sources", f"{SOURCE}  (score ")
    second.say("/open 1", "nginx.md, from line 5", "## Reverse proxy")

    [kept] = (desk.folder.parent / "home").rglob("conversations/*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_what_another_process_ingests_is_found_and_told(desk: Desk):
    terminal = desk.chat()
    terminal.ready()
    terminal.say(QUESTION, SOURCE)
    new = desk.folder / "handbook" / "redis.md"
    new.write_text("# Redis\n\nRedis keeps sessions in memory.\n", encoding="utf-8")
    desk.ingest()

    desk.model.answer = ["In ", "memory [1]."]

    shown = terminal.say("Where does Redis keep sessions?", "[1] redis.md:1-3  Redis")

    assert "the index was updated: 4 documents" in shown
    assert " scripted · 4 documents · " in shown


def test_an_index_that_vanished_ends_a_question_and_not_the_chat(desk: Desk):
    terminal = desk.chat()
    terminal.ready()
    [index] = [path.parent for path in desk.folder.rglob("manifest.json")]
    shutil.move(index, desk.folder / "away")

    terminal.say(QUESTION, "no index", " scripted · no index · ")
    shutil.move(desk.folder / "away", index)
    terminal.say(QUESTION, SOURCE)
    terminal.type("\x04")

    assert terminal.left() == 0


def test_lines_broken_by_hand_and_pasted_ones_are_one_question(desk: Desk):
    terminal = desk.chat()
    terminal.ready()

    terminal.type(f"{QUESTION}\x1b\rBe brief.\x1b[200~ One\rtwo\nthree.\x1b[201~\r")
    terminal.until("[1] nginx.md:5-")
    terminal.ready()

    [asked] = desk.asked()
    assert f"{QUESTION}\nBe brief. One\ntwo\nthree." in asked


def test_what_was_asked_before_is_found_with_control_r_in_the_next_chat(desk: Desk):
    first = desk.chat()
    first.ready()
    first.say(QUESTION, SOURCE)
    first.type("\x04")
    first.left()

    second = desk.chat()
    second.ready()
    second.type("\x12websi")
    second.until(f"> {QUESTION}\n")
    second.type("\r\r")
    second.until(SOURCE)

    [history] = (desk.folder.parent / "home").rglob("history")
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_what_is_typed_while_an_answer_comes_waits_for_the_next_line(desk: Desk):
    desk.model.gate = threading.Event()
    terminal = desk.chat()
    terminal.ready()
    terminal.type(f"{QUESTION}\r")
    terminal.until("Requests are forwarded")

    terminal.type("typed ahead")
    desk.model.gate.set()
    shown = terminal.until(SOURCE, "> typed ahead\n")

    assert shown.count("typed ahead") == 1


SIGNALS = {"SIGTERM": 143, "SIGHUP": 129}


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_at_the_prompt_leaves_the_terminal_as_it_was(name: str, desk: Desk):
    terminal = desk.chat()
    before = terminal.modes()
    terminal.ready()

    terminal.signal(getattr(signal, name))

    assert terminal.left() == SIGNALS[name]
    assert terminal.modes_left == before
    assert "Traceback" not in terminal.shown


@pytest.mark.parametrize(
    ("name", "verb"), [("SIGTERM", "chat"), ("SIGHUP", "chat"), ("SIGTERM", "ask")]
)
def test_a_signal_amid_an_answer_leaves_the_terminal_as_it_was(name: str, verb: str, desk: Desk):
    desk.model.gate = threading.Event()
    command = desk.command(verb=verb) if verb == "chat" else desk.command(QUESTION, verb=verb)
    terminal = desk.terminal(command)
    before = terminal.modes()
    if verb == "chat":
        terminal.ready()
        terminal.type(f"{QUESTION}\r")
    terminal.until("Requests are forwarded")

    terminal.signal(getattr(signal, name))

    assert terminal.left() == SIGNALS[name]
    assert terminal.modes_left == before
    assert "Traceback" not in terminal.shown


def test_control_backslash_amid_an_answer_ends_nothing(desk: Desk):
    desk.model.gate = threading.Event()
    terminal = desk.chat()
    terminal.ready()
    terminal.type(f"{QUESTION}\r")
    terminal.until("Requests are forwarded")

    terminal.type("\x1c")
    desk.model.gate.set()

    terminal.until(SOURCE)
    terminal.ready()


def test_a_signal_that_the_caller_ignores_ends_nothing(desk: Desk):
    script = f"trap '' HUP; exec {shlex.join(desk.command())}"
    terminal = desk.terminal(["/bin/sh", "-c", script], TERM="dumb")
    terminal.until(">")

    terminal.signal(signal.SIGHUP)
    terminal.type(f"{QUESTION}\r")

    terminal.until(SOURCE)


def test_an_editor_that_dies_leaves_no_staircase_and_no_other_screen(desk: Desk):
    editor = desk.folder / "vim"
    broken = "#!/bin/sh\nstty raw -echo\nprintf '\\033[?1049h\\033[?25l'\nexit 3\n"
    editor.write_text(broken, encoding="utf-8")
    editor.chmod(0o700)
    terminal = desk.chat(EDITOR=str(editor), columns=200)
    before = terminal.modes()
    terminal.ready()
    terminal.say(QUESTION, SOURCE)

    terminal.say("/open 1", f"{editor} ended with status 3")
    shown = terminal.say("/sources", f"\n{SOURCE}  (score ")
    terminal.type("/quit\r")

    assert terminal.left() == 0
    assert terminal.modes_left == before
    assert terminal.raw.rindex(b"\x1b[?1049l") > terminal.raw.rindex(b"\x1b[?1049h")
    assert f"\n{editor} ended" in shown


def test_a_state_folder_that_vanishes_is_told_once_and_lines_are_remembered(desk: Desk):
    terminal = desk.chat()
    terminal.ready()
    [history] = (desk.folder.parent / "home").rglob("history")
    history.unlink()
    history.mkdir()

    terminal.say("/k 2", "an answer is made from 2 hits", "what you type is not kept: ")
    terminal.say("/k 3", "an answer is made from 3 hits")
    terminal.type("\x1b[A\x1b[A")
    shown = terminal.until("> /k 2\n")

    assert shown.count("what you type is not kept: ") == 1
    assert "Traceback" not in shown


def test_a_draft_that_was_emptied_replaces_no_answer(desk: Desk):
    terminal = desk.chat()
    terminal.ready()
    terminal.say(QUESTION, SOURCE)

    terminal.type("/edit\r")
    terminal.until(f"> {QUESTION}\n\n")
    terminal.type("\x03")
    terminal.say("What removes dead rows in postgres?", "[1] postgres.md")

    terminal.say("/save talk.md", "wrote talk.md: 2 questions")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="SKIPPED LOUDLY: no full device here")  # noqa: PTH110
@pytest.mark.parametrize("verb", ["chat", "ask"])
def test_a_stdout_that_is_full_is_told_in_one_line(verb: str, desk: Desk):
    asking = shlex.join(desk.command(QUESTION, verb="ask"))
    script = f"echo '{QUESTION}' | {shlex.join(desk.command())}" if verb == "chat" else asking

    ran = desk.shell(f"{script} > /dev/full")

    told = "askmd: stdout cannot be written: No space left on device"
    assert (ran.returncode, [line for line in ran.stderr.split("\n") if "stdout" in line]) == (
        1,
        [told],
    )
    assert "unexpected" not in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_a_byte_that_is_no_text_does_not_end_a_piped_chat(desk: Desk):
    script = f"printf 'caf\\351 {QUESTION}\\n/k 2\\n' | {shlex.join(desk.command())}"

    ran = desk.shell(script, PYTHONUTF8="0", LANG="en_US.UTF-8", PYTHONIOENCODING="utf-8:strict")

    assert (ran.returncode, SOURCE in ran.stdout) == (0, True)
    assert ran.stderr.endswith("an answer is made from 2 hits\n")
