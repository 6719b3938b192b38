from __future__ import annotations

import io
import json
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.terminal import (
    LONGEST_STRING,
    Cleaner,
    clean,
    escaped,
    progress_bar,
    say,
    source_line,
)
from askmd.types import Passage, Progress

HARMLESS = "Größe\t検索 🙂 👩\u200d💻 “x”\nnext [1].\n"
PIECES = [
    "\x1b",
    "\x1b[",
    "\x1b]",
    "\x1bP",
    "\x1b\\",
    "\x07",
    "\x9b",
    "\x9c",
    "\x9d",
    "0;title",
    "31m",
    ";",
    " ",
    "\n",
    "\t",
    "\r",
    "\b",
    "\u202e",
    "\U000e0041",
    "\ud800",
    "(",
    "B",
    "text",
    "é",
    "\x00",
    "\x18",
]
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def fed(text: str, cuts: list[int]) -> str:
    """Return what comes out of a stream that is cut at these places."""
    cleaner = Cleaner()
    places = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    pieces = [text[a:b] for a, b in pairwise(places)]
    return "".join(map(cleaner.feed, pieces)) + cleaner.flush()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("\x1b[2J\x1b[1;1Hgone", "gone"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]0;title\x1b\\text", "text"),
        ("\x1b]52;c;cm0gLXJm\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;title\x9ctext", "text"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x1b_application\x1b\\text", "text"),
        ("\x1b^private\x1b\\text", "text"),
        ("\x1bXstring\x1b\\text", "text"),
        ("\x1bctext", "text"),
        ("\x1b(Btext", "text"),
        ("\x1b\x1b[31mred", "red"),
        ("safe\rEVIL", "safeEVIL"),
        ("line\r\nline\r\n", "line\nline\n"),
        ("a\b\b\x7f\x00\x0b\x0cb", "ab"),
        ("user\u202etxt.exe\u2066\u200f", "usertxt.exe"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("line\u2028line\u2029line", "line line line"),
        ("\x1b]0;never ended", "0;never ended"),
        ("\x1b]0;cut by\nits line", "0;cut by\nits line"),
        ("\x1b[31", "31"),
        ("\x1b", ""),
        ("", ""),
        (HARMLESS, HARMLESS),
    ],
)
def test_only_what_a_reader_may_see_is_left(text: str, shown: str):
    assert clean(text) == shown


@settings(deadline=None)
@given(HOSTILE)
def test_whatever_is_sent_no_control_character_comes_out(text: str):
    assert [char for char in clean(text) if char < " " and char not in "\n\t"] == []
    assert not set(clean(text)) & set("\x7f\x9b\x9c\x9d\u202e\U000e0041\ud800")


@settings(deadline=None)
@given(HOSTILE, st.lists(st.integers(0, 80), max_size=10))
def test_a_stream_shows_the_same_wherever_it_is_cut(text: str, cuts: list[int]):
    assert fed(text, cuts) == clean(text)


@settings(deadline=None)
@given(st.text(), st.lists(st.integers(0, 80), max_size=10))
def test_any_text_is_the_same_in_pieces_and_cleaning_it_twice_changes_nothing(
    text: str, cuts: list[int]
):
    assert fed(text, cuts) == clean(text) == clean(clean(text))


@settings(deadline=None)
@given(st.lists(st.one_of(st.text(), HOSTILE)))
def test_escaped_json_is_the_same_value_and_acts_on_nothing(value: list[str]):
    text = escaped(json.dumps(value, ensure_ascii=False))

    assert json.loads(text) == value
    assert clean(text) == text


@pytest.mark.parametrize("length", [LONGEST_STRING, LONGEST_STRING + 1])
def test_an_unended_string_hides_no_more_than_its_bound(length: int):
    text = f"\x1b]{'x' * length}\x07after"

    assert fed(text, list(range(len(text)))) == clean(text)
    assert clean(text) == ("after" if length <= LONGEST_STRING else "x" * length + "after")


def test_a_megabyte_of_openers_is_cleaned_in_linear_time():
    assert clean("\x1b]" * 200_000) == ""
    assert clean("\x9d" * 400_000) == ""


def test_a_source_line_has_path_lines_and_headings_and_nothing_that_acts():
    passage = Passage(
        1, "a\x1b[31m\nb.md", ("Top", "Sub\u202e"), "sub", (12, 31), (0, 5), ("c",), 0.5, "text"
    )

    assert source_line(passage) == "a b.md:12-31  Top > Sub"


def test_a_source_line_without_heading_or_with_one_line_is_short():
    passage = Passage(1, "a.md", (), "", (3, 3), (0, 5), ("c",), 0.5, "text")

    assert source_line(passage) == "a.md:3"


def test_a_notice_goes_to_stderr_cleaned(capsys: pytest.CaptureFixture[str]):
    say("no \x1b[31mindex")

    assert capsys.readouterr() == ("", "no index\n")


def test_progress_is_quiet_where_nobody_watches():
    pipe = io.StringIO()

    with progress_bar(pipe) as report:
        report(Progress("embedding", 1, 2, "chunks"))

    assert pipe.getvalue() == ""


def test_progress_on_a_terminal_shows_stage_count_and_unit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()

    with progress_bar(terminal) as report:
        report(Progress("reading", 0, 0, "files"))
        for done in range(1, 31):
            report(Progress("embedding", done, 30, "chunks"))

    drawn = terminal.getvalue()
    assert all(word in drawn for word in ("reading", "embedding", "30/30", "chunks/s", "0:00:00"))


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal()

    with progress_bar(terminal) as report:
        report(Progress("embedding", 1, 2, "chunks"))

    assert "\x1b[38" not in terminal.getvalue()
    assert "\x1b[3" not in terminal.getvalue()
