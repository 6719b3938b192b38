"""Streamed Markdown: whatever the cuts, the screen ends as if the whole text was drawn at once."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.markdown import Markdown

from askmd.terminal import linked, stream_markdown, waiting
from askmd.terminal.growing import LARGEST_BLOCK, Growing
from askmd.terminal.markdown_rows import Drawer, Row
from askmd.terminal.region import Region

HOME = Path(__file__).parents[1]
DOCUMENTS = [HOME / "tests" / "hostile.md", *sorted((HOME / "sample_docs").rglob("*.md"))]
WIDTHS = [60, 80, 200]
LINES = 24
ANSWER = """\
Use **two** steps [1], see [the page](http://127.0.0.1/a?b=1) and ![a plan](plan.png):

1. Stop it
2. Start it, with <b>care</b>

```sh
make all\t&& echo "done"   \n\n  next
```

> That is all [2].
"""


class Terminal(io.StringIO):
    """Remembers what is written, and how often."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if text:
            self.writes.append(text)
        return super().write(text)


@pytest.fixture(autouse=True)
def terminal_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary terminal of 80 columns, whatever runs the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "FORCE_HYPERLINK", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", str(LINES))


def shown(output: str, columns: int = 80) -> list[str]:
    """Return what a terminal shows of it, scrollback included, without trailing blanks."""
    screen = pyte.HistoryScreen(columns, LINES, history=100_000)
    pyte.Stream(screen).feed(output.replace("\n", "\r\n"))
    return rows_of(screen)


def rows_of(screen: pyte.HistoryScreen) -> list[str]:
    lines = [*screen.history.top, *(screen.buffer[y] for y in range(screen.lines))]
    rows = ["".join(line[x].data for x in range(screen.columns)).rstrip() for line in lines]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def sized(columns: int) -> None:
    os.environ["COLUMNS"] = str(columns)  # The fixture puts it back.


def drawn_in_pieces(pieces: Iterable[str], columns: int = 80) -> Terminal:
    """Draw after each piece, as a slow stream is."""
    sized(columns)
    terminal = Terminal()
    drawer = Drawer(terminal)
    growing, region = Growing(drawer), Region(terminal, drawer)
    for piece in pieces:
        region.draw(growing.feed(piece), growing.rest())
    region.draw(growing.end(), [])
    return terminal


def drawn_at_once(text: str, columns: int = 80) -> str:
    """Draw one rendering of the whole text."""
    sized(columns)
    drawer = Drawer(Terminal())
    return "".join(f"{drawer.paint(row)}\n" for row in drawer.rows(text))


def cut(text: str, places: Iterable[int]) -> list[str]:
    inside = sorted({place for place in places if 0 < place < len(text)})
    return [text[a:b] for a, b in pairwise([0, *inside, len(text)])]


def lines_of(text: str) -> list[str]:
    return [line for line in shown(drawn_at_once(text)) if line]


# --- the same as one drawing ------------------------------------------------------------------


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_in_pieces_ends_as_the_whole_document_drawn(document: Path, columns: int):
    text = document.read_text(encoding="utf-8")
    random = Random(columns)
    pieces = cut(text, [random.randrange(len(text)) for _ in range(15)])

    drawn = drawn_in_pieces(pieces, columns).getvalue()

    assert shown(drawn, columns) == shown(drawn_at_once(text, columns), columns)


BITS = [
    *(
        "# Top\n",
        "## Sub\n",
        "text",
        "more text\n",
        "\n",
        "\n\n",
        "- item\n",
        "* other\n",
        "  in\n",
    ),
    *(
        "1. one\n",
        "10) ten\n",
        "    code\n",
        "> quote\n",
        ">> deep\n",
        "---\n",
        "===\n",
        "-",
        "***\n",
    ),
    *(
        "```sh\n",
        "```\n",
        "  ```\n",
        "~~~\n",
        "````\n",
        "\tx\n",
        "make\tall  \n",
        "\\\n",
        "<!-- c\n",
    ),
    *(
        "| a | b |\n",
        "|---|:-:|\n",
        "| [1] | `z` |\n",
        "**b",
        "**",
        "`c`",
        "[1]",
        "[1]: http://a\n",
    ),
    *(
        "[t](http://a/b)",
        "![i](p.png)",
        "<b>",
        "&#x202e;",
        "&amp;",
        "検索",
        "👩\u200d💻",
        "x" * 90,
        " ",
    ),
]


@settings(deadline=None, max_examples=120)
@given(
    st.lists(st.sampled_from(BITS), max_size=25).map("".join),
    st.lists(st.integers(1, 200), max_size=12),
    st.sampled_from(WIDTHS),
)
def test_generated_markdown_in_pieces_ends_as_the_whole_text_drawn(
    text: str, places: list[int], columns: int
):
    drawn = drawn_in_pieces(cut(text, places), columns).getvalue()

    assert shown(drawn, columns) == shown(drawn_at_once(text, columns), columns)


def test_words_and_order_are_those_of_richs_own_rendering():
    text = (
        "# Top\n\nSome *plain* words that go on and on until the line is full, and then on.\n\n"
        "- one\n- two\n  - three\n\n## Sub\n\n| a | b |\n|---|---|\n| c | d |\n"
    )
    pipe = io.StringIO()
    Console(file=pipe, width=80, force_terminal=False).print(Markdown(text, hyperlinks=False))

    own = " ".join(lines_of(text)).split()

    assert [word for word in own if "─" not in word] == [
        word for word in pipe.getvalue().split() if "━" not in word and "─" not in word
    ]


# --- how it is drawn --------------------------------------------------------------------------


def test_what_is_finished_is_written_once():
    blocks = [f"Paragraph {number} of many.\n\n" for number in range(300)]

    drawn = drawn_in_pieces(blocks).getvalue()

    assert [drawn.count(f"Paragraph {number} ") for number in (0, 150, 298)] == [1, 1, 1]


def test_lines_of_a_long_fence_are_written_when_they_are_whole():
    lines = [f"line {number}\n" for number in range(500)]

    terminal = drawn_in_pieces(["```\n", *lines, "```\n"])

    assert shown(terminal.getvalue()) == [line.rstrip() for line in lines]
    assert sum(map(len, terminal.writes)) < 100 * len(lines)


def test_what_is_redrawn_is_never_taller_than_the_screen():
    terminal = drawn_in_pieces(f"- item {number}\n" for number in range(100))

    assert max(write.count("\x1b[A") for write in terminal.writes) == LINES - 3
    assert shown(terminal.getvalue()) == [f" • item {number}" for number in range(100)]


def test_every_write_leaves_the_cursor_shown_and_lines_wrapping():
    terminal = drawn_in_pieces(cut(ANSWER, range(0, 400, 3)))

    for write in terminal.writes:
        assert write.rfind("\x1b[?25h") > write.rfind("\x1b[?25l")
        assert write.rfind("\x1b[?7h") >= write.rfind("\x1b[?7l")


def test_a_line_that_may_become_a_heading_is_not_drawn_as_one():
    terminal = drawn_in_pieces(["Do this:\n", "-", " first\n"])

    assert "\x1b[1mDo this" not in terminal.getvalue()


def test_a_block_that_is_too_long_is_shown_as_text_and_nothing_of_it_is_lost():
    text = "word " * (LARGEST_BLOCK // 2)

    drawn = drawn_in_pieces(cut(text, range(0, len(text), 1000))).getvalue()

    assert "".join(shown(drawn)).replace(" ", "") == "word" * (LARGEST_BLOCK // 2)


HOSTILE = {
    "brackets": "[" * 50_000,
    "emphasis": "*a_" * 10_000,
    "items": "- a\n" * 4_000,
    "images": "![a](" * 8_000,
    "rows": ("|a" * 60 + "|\n") * 900,
    "table": "|a" * 64 + "|\n" + "|-" * 64 + "|\n" + "x\n" * 8_000,
    "quotes": ">" * 20_000,
    "strong": "**x" * 10_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_drawn_in_bounded_time(text: str):
    begun = time.process_time()

    drawn_in_pieces([text])

    assert time.process_time() - begun < 30  # The worst takes two seconds.


# --- what is shown ----------------------------------------------------------------------------


def test_targets_of_links_and_images_are_shown_and_html_and_marks_are_text():
    text = "[1] and [1](http://q), [a **b**](http://x/y) ![i](p.png) <http://u.v> <b>c</b>"

    assert lines_of(text) == [
        "[1] and [1] (http://q), a b (http://x/y) i (p.png) http://u.v <b>c</b>"
    ]
    assert "\x1b]" not in drawn_at_once(text)


def test_a_definition_hides_no_mark():
    assert lines_of("Yes [1].\n\n[1]: http://evil\n") == ["Yes [1].", "[1]: http://evil"]


@pytest.mark.parametrize(
    "entity", ["&#x202e;", "&#27;", "&#x9b;", "&#xE0041;", "&#13;", "&#x2066;"]
)
def test_an_entity_cannot_spell_what_the_text_must_not_hold(entity: str):
    text = f"a{entity}b\n\n[c{entity}](http://x/{entity}) ![d{entity}](e{entity})\n\n```{entity}\n"

    assert (
        re.sub(r"\x1b\[[\d;]*m", "", drawn_at_once(text)).isascii() or "\ufffd" in lines_of(text)[0]
    )
    assert not re.search(
        "[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f\x9b\r]", drawn_at_once(text)
    )


def test_code_can_be_copied_exactly():
    code = "\tmake  all   \n\n" + "long " * 60 + "end\n    four\n"

    drawn = drawn_in_pieces(cut(f"Do:\n\n```sh\n{code}```\n", range(0, 400, 7))).getvalue()

    last = "".join(re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", drawn))
    assert all(line in last for line in code.split("\n"))
    assert "\x1b[4" not in drawn


def test_without_colours_only_shape_is_left(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")

    drawn = drawn_in_pieces([ANSWER]).getvalue()

    assert not re.search(r"\x1b\[(\d;)*(3|4|9)\d", drawn)


# --- the stream -------------------------------------------------------------------------------


def test_a_stream_on_a_terminal_ends_as_the_whole_text_drawn():
    terminal = Terminal()

    stream_markdown(iter(cut(ANSWER, range(0, 400, 5))), stream=terminal)

    assert shown(terminal.getvalue()) == shown(drawn_at_once(ANSWER))
    assert len(terminal.writes) < 20


def test_a_pause_shows_what_came_before_it():
    terminal = Terminal()
    seen: list[str] = []

    def pieces() -> Iterator[str]:
        yield "first "
        yield "second"
        until = time.monotonic() + 20
        while "second" not in terminal.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
        seen.append(terminal.getvalue())

    stream_markdown(pieces(), stream=terminal)

    assert "first second" in shown(seen[0])


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_text(
    term: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TERM", term)
    terminal = Terminal()

    stream_markdown(["**a", "\x1b[2J", "b** [1]"], stream=terminal)

    assert terminal.writes == ["**a", "b** [1]", "\n"]


def test_a_pipe_gets_the_text_as_it_arrives_and_one_line_end():
    for text in ("a\n", "a"):
        pipe = io.StringIO()
        stream_markdown([text], stream=pipe)
        assert pipe.getvalue() == "a\n"


def test_nothing_is_written_for_no_text():
    for stream in (Terminal(), io.StringIO()):
        stream_markdown([], stream=stream)
        assert shown(stream.getvalue()) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("cut")])
@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_what_came_before_an_end_by_force_stays(error: BaseException, kind: type[io.StringIO]):
    def pieces() -> Iterator[str]:
        yield "Half an **ans"
        raise error

    stream = kind()
    with pytest.raises(type(error)):
        stream_markdown(pieces(), stream=stream)

    assert shown(stream.getvalue()) == ["Half an **ans"]
    assert re.sub(r"\x1b\[\?[\d]+[hl]", "", stream.getvalue()).endswith("\n")


def test_a_terminal_that_goes_away_ends_the_stream():
    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    def endless() -> Iterator[str]:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            time.sleep(0.01)
            yield "word "

    with pytest.raises(BrokenPipeError):
        stream_markdown(endless(), stream=Gone())


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_control_c_in_a_real_terminal_leaves_a_shown_cursor_and_the_text():
    import pexpect

    program = (
        "import itertools, time\nfrom askmd.terminal import stream_markdown\n"
        "def pieces():\n    yield 'Half **an** answer\\n\\n'\n"
        "    for n in itertools.count():\n        yield f'word{n} '\n        time.sleep(0.02)\n"
        "try:\n    stream_markdown(pieces())\nexcept KeyboardInterrupt:\n    print('STOPPED')\n"
    )
    child = pexpect.spawn(sys.executable, ["-c", program], dimensions=(LINES, 80), timeout=30)
    child.expect("word9 ")
    child.kill(signal.SIGINT)
    child.expect("STOPPED")
    drawn = (child.before + child.after).decode()
    child.close()

    assert drawn.rfind("\x1b[?25h") > drawn.rfind("\x1b[?25l")


def test_rows_compare_by_what_they_hold():
    assert (Row() == Row(), Row().cells, Row().is_plain) == (True, 0, True)


# --- another size -----------------------------------------------------------------------------

ITEMS = [f"- item {number}\n" for number in range(40)]
ITEM_ROWS = [f" • item {number}" for number in range(40)]
needs_pty = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")


class Window(pyte.HistoryScreen):
    """A terminal as tmux is: what leaves it, or is cleared from its first row on, is kept."""

    def erase_in_display(self, how: int = 0, *args: object, **kwargs: object) -> None:
        if how == 0 and (self.cursor.y, self.cursor.x) == (0, 0):
            for y in range(self.lines):
                self.history.top.append(self.buffer[y].copy())
        super().erase_in_display(how, *args, **kwargs)

    def made(self, lines: int) -> None:
        """Give up, or gain, rows below the cursor; then give up rows at the top."""
        row = self.cursor.y
        for _ in range(max(row - lines + 1, 0)):
            self.cursor.y = self.lines - 1
            self.index()
        self.cursor.y = min(row, lines - 1)
        self.lines = lines


def drawn_while_resized(pieces: Iterable[str], lines_from: dict[int, int]) -> list[str]:
    """Return what a window shows at the end.

    lines_from: the window's lines, by the piece that is the first drawn with them.
    """
    window, terminal = Window(80, LINES, history=100_000), Terminal()
    stream = pyte.Stream(window)
    stream.feed("> question\r\n")
    drawer = Drawer(terminal)
    growing, region = Growing(drawer), Region(terminal, drawer)
    for place, piece in enumerate([*pieces, None]):
        if place in lines_from:
            os.environ["LINES"] = str(lines_from[place])
            window.made(lines_from[place])
        if piece is None:
            region.draw(growing.end(), [])
        else:
            region.draw(growing.feed(piece), growing.rest())
        stream.feed("".join(terminal.writes).replace("\n", "\r\n"))
        terminal.writes.clear()
    return rows_of(window)


@pytest.mark.parametrize(
    "lines_from",
    [
        {15: 12},
        {15: 12, 20: 24},
        {15: 30},
        {20: 12},
        {15: 6},
        {15: 2, 16: 24},
        {15 + step: LINES - 1 - step for step in range(20)},
        {25 + step: LINES - 1 - step for step in range(12)},
    ],
    ids=repr,
)
def test_a_list_stands_once_whatever_the_window_shrinks_to(lines_from: dict[int, int]):
    assert drawn_while_resized(ITEMS, lines_from) == ["> question", *ITEM_ROWS]


def test_of_a_list_taller_than_the_screen_only_what_left_it_stands_twice():
    rows = drawn_while_resized(ITEMS, {30: 12})

    assert (rows[0], rows[-40:]) == ("> question", ITEM_ROWS)
    assert len(rows) <= 41 + LINES - 12


def test_what_changed_after_it_left_the_screen_is_shown_as_it_became():
    rows = drawn_while_resized(["**a\n", *(f"word{n}\\\n" for n in range(15)), "b**\n"], {15: 6})

    assert rows[-16:] == ["a word0", *(f"word{n}" for n in range(1, 15)), "b"]


@contextmanager
def pseudo_terminal(columns: int, lines: int) -> Iterator[tuple[io.TextIOWrapper, int]]:
    """Yield a terminal's two ends: a stream to write to, and what reads."""
    import fcntl
    import struct
    import termios

    reading, writing = os.openpty()
    fcntl.ioctl(writing, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    try:
        with os.fdopen(writing, "w", encoding="utf-8") as stream:
            yield stream, reading
    finally:
        os.close(reading)


@needs_pty
@pytest.mark.parametrize(
    ("real", "environment", "size"),
    [
        ((80, 24), {"LINES": "60", "COLUMNS": "200"}, (80, 24)),
        ((80, 24), {"LINES": "10", "COLUMNS": "40"}, (40, 24)),
        ((80, 24), {"LINES": "", "COLUMNS": ""}, (80, 24)),
        ((0, 0), {"LINES": "60", "COLUMNS": "200"}, (200, 60)),
    ],
)
def test_a_terminals_own_size_counts_and_the_environment_only_narrows_it(
    real: tuple[int, int],
    environment: dict[str, str],
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pseudo_terminal(*real) as (stream, _):
        drawer = Drawer(stream)
        widest = max(row.cells for row in drawer.rows("word " * 100))
        assert (drawer.size, widest) == (size, size[0] // 5 * 5 - 1)


@needs_pty
def test_waiting_keeps_to_a_line_of_the_terminal_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("COLUMNS", "200")
    with pseudo_terminal(40, 24) as (stream, reading), waiting("word " * 30, stream):
        frame = os.read(reading, 4096).decode()

    assert len(frame.strip("\r").removesuffix("\x1b[K")) < 40


class Tmux:
    """A window of tmux, which lays its rows out anew when it is narrowed."""

    def __init__(self, folder: Path, columns: int, lines: int, command: str) -> None:
        (folder / "tmux.conf").write_text("set -g status off\n", encoding="utf-8")
        self._words = ["tmux", "-S", str(folder / "socket"), "-f", str(folder / "tmux.conf")]
        size = ("-x", str(columns), "-y", str(lines))
        self.tell("new-session", "-d", *size, command)

    def tell(self, *words: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "TMUX"}
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        return subprocess.run(
            [*self._words, *words],
            env={**environment, "LC_ALL": "C.UTF-8"},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout

    def rows(self) -> list[str]:
        text = self.tell("capture-pane", "-p", "-S", "-")
        return [row.rstrip() for row in text.rstrip("\n").split("\n")]

    def till(self, is_so: Callable[[list[str]], bool]) -> list[str]:
        """Return what it shows, history included, as soon as something is so of it."""
        until = time.monotonic() + 30
        while not is_so(rows := self.rows()):
            assert time.monotonic() < until, "\n".join(rows)
            time.sleep(0.05)
        return rows


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[[int, int, str], Tmux]]:
    if shutil.which("tmux") is None:
        pytest.skip("SKIPPED LOUDLY: tmux is not installed, and no other terminal here reflows")
    opened: list[Tmux] = []

    def opener(columns: int, lines: int, command: str) -> Tmux:
        opened.append(Tmux(tmp_path, columns, lines, command))
        return opened[-1]

    yield opener
    for one in opened:
        one.tell("kill-server")


LIST_IN_A_WINDOW = """
import os, sys, time
from askmd.terminal import stream_markdown
words, half, size = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def pieces():
    for number in range(40):
        yield f"- item {number} {words}\\n"
        time.sleep(0.02)
        while number == half and "{}x{}".format(*os.get_terminal_size()) != size:
            time.sleep(0.02)
print("> question", flush=True)
stream_markdown(pieces())
print("DONE", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("words", "half", "size", "times"),
    [
        ("", 12, (100, 12), 1),
        ("", 30, (100, 12), 2),
        ("word " * 16 + "end", 12, (60, 24), 2),
        ("word " * 16 + "end", 30, (60, 24), 2),
        ("検索" * 20, 8, (45, 24), 2),
        ("word " * 16 + "end", 30, (60, 12), 2),
    ],
    ids=["lower", "lower-tall", "narrower", "narrower-tall", "narrower-wide-letters", "both"],
)
def test_a_list_in_tmux_stands_there_once_and_what_left_the_screen_twice_at_most(
    words: str,
    half: int,
    size: tuple[int, int],
    times: int,
    tmux: Callable[[int, int, str], Tmux],
):
    columns, lines = map(str, size)
    command = [sys.executable, "-c", LIST_IN_A_WINDOW, words, str(half), f"{columns}x{lines}"]
    window = tmux(100, 24, shlex.join(command))

    window.till(lambda rows: any(row.startswith(f" • item {half}") for row in rows))
    window.tell("resize-window", "-x", columns, "-y", lines)
    rows = window.till(lambda rows: "DONE" in rows)

    items = [found.group() for row in rows if (found := re.match(r" • item \d+", row))]
    assert (rows[0], items[-40:]) == ("> question", ITEM_ROWS)
    assert max(Counter(items).values()) <= times


# --- stopped and gone on ----------------------------------------------------------------------


@needs_pty
def test_after_fg_an_answer_goes_on_below_what_the_shell_wrote():
    terminal = Terminal()
    before = signal.getsignal(signal.SIGCONT)

    def pieces() -> Iterator[str]:
        yield "- one\n- two\n"
        until = time.monotonic() + 20
        while "two" not in terminal.getvalue() and time.monotonic() < until:
            time.sleep(0.01)
        terminal.write("^Z\nStopped\n$ fg\naskmd chat\n")
        os.kill(os.getpid(), signal.SIGCONT)
        yield "- three\n"

    stream_markdown(pieces(), stream=terminal)

    shell = [" • two^Z", "Stopped", "$ fg", "askmd chat", ""]
    assert shown(terminal.getvalue()) == [" • one", *shell, " • three"]
    assert signal.getsignal(signal.SIGCONT) == before


@needs_pty
def test_whoever_was_told_of_going_on_still_is():
    told: list[int] = []
    before = signal.signal(signal.SIGCONT, lambda number, frame: told.append(number))

    def pieces() -> Iterator[str]:
        os.kill(os.getpid(), signal.SIGCONT)
        yield "text"

    try:
        stream_markdown(pieces(), stream=Terminal())
    finally:
        signal.signal(signal.SIGCONT, before)

    assert told == [signal.SIGCONT]


def test_an_answer_is_drawn_in_a_thread_that_may_handle_no_signals():
    terminal = Terminal()
    drawing = threading.Thread(target=lambda: stream_markdown(["text"], stream=terminal))
    drawing.start()
    drawing.join()

    assert shown(terminal.getvalue()) == ["text"]


def test_control_z_and_fg_in_tmux_leave_the_shells_lines_and_the_answer_once(
    tmux: Callable[[int, int, str], Tmux], tmp_path: Path
):
    if shutil.which("bash") is None:
        pytest.skip("SKIPPED LOUDLY: no bash to stop a program and let it go on")
    program = tmp_path / "answer.py"
    program.write_text(LIST_IN_A_WINDOW, encoding="utf-8")
    window = tmux(100, 24, "PS1='shell$ ' bash --norc --noprofile -i")
    command = shlex.join([sys.executable, "answer.py", "", "12", "100x30"])

    window.tell("send-keys", "-l", f"cd {shlex.quote(str(tmp_path))}; clear; {command}")
    window.tell("send-keys", "Enter")
    window.till(lambda rows: " • item 12" in rows)
    window.tell("send-keys", "C-z")
    window.till(lambda rows: rows[-1] == "shell$")
    window.tell("send-keys", "-l", "fg")
    window.tell("send-keys", "Enter")
    window.till(lambda rows: rows[-1].endswith(command))
    window.tell("resize-window", "-x", "100", "-y", "30")
    rows = window.till(lambda rows: "DONE" in rows)

    items = [found.group() for row in rows if (found := re.match(r" • item \d+", row))]
    assert items == ITEM_ROWS
    assert (rows.count("> question"), rows.count("shell$ fg")) == (1, 1)


# --- links and waiting ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "is_linked"),
    [
        ({}, False),
        ({"TERM_PROGRAM": "iTerm.app"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "7600"}, True),
        ({"VTE_VERSION": "4200"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"WT_SESSION": "1"}, True),
        ({"KONSOLE_VERSION": "220400"}, True),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM": "tmux-256color", "VTE_VERSION": "7600"}, False),
        ({"TERM": "dumb", "WT_SESSION": "1"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"FORCE_HYPERLINK": "0", "WT_SESSION": "1"}, False),
    ],
)
def test_text_is_a_link_where_the_terminal_is_known_for_it(
    environment: dict[str, str], is_linked: bool, monkeypatch: pytest.MonkeyPatch
):
    for name in ("TERM_PROGRAM", "VTE_VERSION", "WT_SESSION", "KONSOLE_VERSION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    text = linked("a.md:1", "file:///a.md", Terminal())

    assert text == ("\x1b]8;;file:///a.md\x1b\\a.md:1\x1b]8;;\x1b\\" if is_linked else "a.md:1")


def test_a_link_is_text_off_a_terminal_and_without_a_target(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WT_SESSION", "1")

    assert linked("a", "http://b", io.StringIO()) == "a"
    assert linked("a", None, Terminal()) == linked("a", "", Terminal()) == "a"
    assert linked("a", "http://b/" + "x" * 3000, Terminal()) == "a"


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_target_and_no_text_ends_a_link_before_its_end(text: str, url: str):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORCE_HYPERLINK", "1")
        made = linked(text, url, Terminal())

    if made.startswith("\x1b"):
        target, shown_text = re.fullmatch(
            r"\x1b\]8;;([!-~]+)\x1b\\([^\x00-\x08\x0a-\x1f\x7f-\x9f]*)\x1b\]8;;\x1b\\", made
        ).groups()  # type: ignore[union-attr]
        assert (target != "", shown_text != "") == (True, True)
    else:
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", made)


def test_waiting_is_shown_on_a_terminal_and_taken_away():
    terminal = Terminal()

    with waiting("asking \x1b[31mthe model", terminal):
        until = time.monotonic() + 20
        while not terminal.getvalue() and time.monotonic() < until:
            time.sleep(0.01)

    assert "asking the model" in terminal.getvalue()
    assert shown(terminal.getvalue()) == []
    assert not [
        t
        for t in threading.enumerate()
        if t.name.startswith("Thread-") and t.daemon and "_draw" in t.name
    ]


def test_waiting_says_nothing_to_a_pipe_nor_when_it_was_short():
    pipe, terminal = io.StringIO(), Terminal()

    for stream in (pipe, terminal):
        with waiting("asking", stream):
            pass

    assert (pipe.getvalue(), terminal.getvalue()) == ("", "")
