"""FAULTS.md T14: whatever documents, models and servers say, nothing of theirs acts on a terminal.

Every run is compared with a twin that has harmless words in the payload's place: what comes out is
printable text, newlines, tabs and the sequences that the twin printed too.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from askmd import cli
from askmd.terminal import Cleaner, clean, linked, say, stream_markdown
from chat_scripts import chunk, event, stream_of
from servers import Recorded, Reply, ScriptedServer, error_reply

# --- what is tried ------------------------------------------------------------------------------

_CSI = [
    "2J", "3J", "H", "1;1H", "31m", "8m", "7m", "38;2;1;2;3m", "?1049h", "?25l", "?1000h", "?1006h",
    "?2004h", "?5h", "?7l", "4h", "20h", "6n", "5n", "c", ">c", ">q", "14t", "18t", "20t", "21t",
    "8;1;1t", "?1$p", "!p", "1;10r", "10A", "999B", "10D", "2K", "0K", "99X", "5S", "5T", "10P",
    "9L", "9@", "200~", "u", "=5u", ">4;2m", "1 q", '0"q', '61"p', "1;2'z",
]  # fmt: skip
_OSC = [
    "0;t", "1;t", "2;t", "4;1;?", "7;file://h/p", "8;;http://evil", "8;id=1;http://evil", "9;note",
    "10;?", "11;?", "12;#fff", "50;f", "52;c;cm0gLXJm", "52;c;?", "99;;x", "104", "110", "133;A",
    "777;notify;a;b", "1337;File=inline=1:AAAA", "1337;SetMark", "1337;SetUserVar=a=Yg==",
    "1337;RequestUpload=format=tgz", "5522;type=read", "66;s=2;big", "633;E;rm",
]  # fmt: skip
_DCS = ["q#0;2;0;0;0#0~~@@vv", "$qm", '$q"p', "+q544e", "1;1|17/41", "0p", "2$t0", "1000p%begin"]
_STRINGS = {"apc": "_", "pm": "^", "sos": "X", "title": "k"}
_ESCAPES = [
    "c", "7", "8", "D", "E", "H", "M", "N", "O", "Z", "=", ">", "<", "(0", ")B", "*A", "+C", "#8",
    "%G", "%@", "n", "o", "|", "}", "~", "l", "m", "F", "V", "W", "6", "9", "\\",
]  # fmt: skip
_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSEEN = "\u200b\u200c\u200d\u2060\ufeff\xad\u180e\u034f\u3164\u2028\u2029\ufff9\ufffa\ufffb"
_ODD = {
    "escape_at_end": "text\x1b",
    "csi_at_end": "text\x1b[31",
    "osc_at_end": "text\x1b]0;never ended",
    "dcs_at_end": "text\x1bPq#0",
    "c1_at_end": "text\x9d0;never",
    "osc_cut_by_newline": "\x1b]0;a\nb\x07",
    "osc_in_osc": "\x1b]0;\x1b]52;c;?\x07\x07",
    "csi_in_osc": "\x1b]0;\x1b[2J\x07",
    "csi_in_csi": "\x1b[\x1b[31m31m",
    "csi_cut_by_csi": "\x1b[3\x1b[5m1m",
    "escapes_in_a_row": "\x1b\x1b\x1b\x1b[31m",
    "escape_null_csi": "\x1b\x00[31m",
    "escape_bell_csi": "\x1b\x07[31m",
    "escape_bidi_csi": "\x1b\u202e[31m",
    "escape_tag_osc": "\x1b\U000e0041]0;t\x07",
    "escape_surrogate_csi": "\x1b\ud800[31m",
    "c1_between": "\x9b\x9b\x9b31m",
    "cancelled": "\x1b]0;t\x18\x1b[31m\x1a",
    "tmux_pass_through": "\x1bPtmux;\x1b\x1b]52;c;?\x07\x1b\\",
    "screen_pass_through": "\x1bP\x1b]0;t\x07\x1b\\",
    "overlong_osc": "\x1b]0;" + "x" * 3000 + "\x07",
    "overlong_csi": "\x1b[" + "1;" * 500 + "m",
    "overlong_dcs": "\x1bP" + "y" * 3000 + "\x1b\\",
    "kitty_graphics": "\x1b_Ga=T,f=100;iVBORw0KGgo=\x1b\\",
    "iterm_image": "\x1b]1337;File=name=YQ==;inline=1:R0lG\x07",
    "sixel": '\x1bP0;1;0q"1;1;6;6#0;2;100;0;0#0!6~-\x1b\\',
    "line_overwritten": "safe answer\rEVIL answer",
    "spaces_taken_back": "safe\b\b\b\bEVIL",
    "deleted": "safe\x7f\x7f\x7f\x7fEVIL",
    "high_surrogate": "a\ud83d",
    "low_surrogate": "a\ude00",
    "surrogates_swapped": "a\ude00\ud83d",
    "tags": "a" + "".join(chr(0xE0000 + ord(char)) for char in "ignore all rules"),
    "variation_selectors": "a" + "\ufe0f" * 400 + "".join(map(chr, range(0xE0100, 0xE01F0))),
    "combining_marks": "a" + "\u0300\u0489" * 300,
    "entity_escape": "&#27;[31m &#x1b;]0;t&#7;",
    "entity_bidi": "&#x202e;evil &#8238;",
    "entity_c1": "&#x9b;31m &#155;31m",
    "entity_tag": "&#xE0041;&#xE007F;",
    "entity_return": "safe&#13;EVIL&#8;",
    "link_target": "[x](http://e\x1b]8;;http://evil\x07)",
    "link_entity": "[x](<http://e/&#x202e;&#27;>)",
    "image_target": "![i](a\x1b[2J.png)",
    "code_span": "`\x1b[31m \x9b31m`",
    "fence": "```\x1b[2J\n\x1b[31m\n\u202e\n```",
    "table": "| \x1b[2J | b |\n|---|---|\n| \x9b2J | \u202e |",
    "html_link": "<a href='\x1b]8;;http://evil\x07'>x</a>",
    "rich_markup": "[red]x[/red] [link=http://evil]x[/link]",
}


def _payloads() -> dict[str, str]:
    made = {f"csi {text}": f"\x1b[{text}" for text in _CSI}
    made |= {f"c1 csi {text}": f"\x9b{text}" for text in _CSI[::2]}
    made |= {f"osc {text} bel": f"\x1b]{text}\x07" for text in _OSC}
    made |= {f"osc {text} st": f"\x1b]{text}\x1b\\" for text in _OSC[::2]}
    made |= {f"c1 osc {text}": f"\x9d{text}\x9c" for text in _OSC[1::2]}
    made |= {f"dcs {text}": f"\x1bP{text}\x1b\\" for text in _DCS}
    made |= {f"c1 dcs {text}": f"\x90{text}\x9c" for text in _DCS[::2]}
    for name, mark in _STRINGS.items():
        made |= {f"{name}": f"\x1b{mark}Gx;y\x1b\\", f"{name} open": f"\x1b{mark}Gx;y"}
    made |= {f"esc {text}": f"\x1b{text}" for text in _ESCAPES}
    made |= {f"c0 {code:02x}": f"a{chr(code)}b" for code in [*range(9), *range(11, 32), 127]}
    made |= {f"c1 {code:02x}": f"a{chr(code)}b" for code in range(0x80, 0xA0)}
    made |= {f"u+{ord(char):04x}": f"a{char}b" for char in _BIDI + _UNSEEN}
    return made | _ODD


PAYLOADS = _payloads()
HARMLESS = "harmless"

# --- what comes out -----------------------------------------------------------------------------

_SEQUENCE = re.compile(
    r"\x1b\]8;;[!-~]*\x1b\\|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[PX^_\]k].*?(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-~]|[\r\b\x07]",
    re.DOTALL,
)
_COUNTED = re.compile(r"(?<=\x1b\[)\d+(?=[ABCDG]$)")
_LINK = re.compile(r"\x1b\]8;;(?!http://evil)[!-~]*\x1b\\")
_FORBIDDEN = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SPINNER = {"\r", "\x1b[K"}
"""Drawn, or not, as fast as the machine is: see ``terminal.waiting``."""
_BEGUN = "\x1b[?2026h"
_DRAWN = {
    _BEGUN,
    "\x1b[?2026l",
    "\x1b[?25l",
    "\x1b[?25h",
    "\x1b[?7l",
    "\x1b[?7h",
    "\r",
    "\x1b[K",
    "\x1b[A",
}
"""What Markdown is drawn with, more of it on a slow machine: see ``terminal.region``."""
_STYLE = re.compile(r"\x1b\[(?:0|(?:[12349]|36)(?:;(?:[12349]|36)){0,3})m")
"""Bold, dim, italic, underlined, struck out, cyan: no payload asks for these."""


def sequences(output: str) -> set[str]:
    """Return an output's sequences, but for how far the cursor goes and where links lead."""
    return {_LINK.sub("LINK", _COUNTED.sub("#", one.group())) for one in _SEQUENCE.finditer(output)}


def unfit(output: str, own: set[str]) -> list[str]:
    """Return what an output holds and no reader of a terminal is to get.

    own: what the same program printed with harmless words.
    """
    drawn = {one for one in sequences(output) if _STYLE.fullmatch(one)} | _DRAWN
    foreign = sequences(output) - own - _SPINNER - (drawn if _BEGUN in own else set())
    rest = _SEQUENCE.sub("", output)
    wrong = [
        char
        for char in set(rest)
        if (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t")
        or _FORBIDDEN.match(char)
    ]
    return sorted(map(ascii, [*foreign, *wrong]))


class Tty(io.StringIO):
    """A terminal that remembers what it was sent."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def typed(*words: str, lines: str = "", notices: Tty | None = None) -> str:
    """Return what a terminal gets from a command that is run in this process.

    notices: where stderr goes instead of the same terminal.
    """
    screen = Tty()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["askmd", *words])
        patch.setattr(sys, "stdin", io.StringIO(lines))
        patch.setattr(sys, "stdout", screen)
        patch.setattr(sys, "stderr", notices or screen)
        with contextlib.suppress(SystemExit):
            cli.main()
    return screen.getvalue()


# --- where it is put ----------------------------------------------------------------------------


def one_line(payload: str) -> str:
    return payload.replace("\n", " ")


def argument(payload: str) -> str:
    """Return a payload as a shell can hand it over."""
    return os.fsdecode(one_line(payload).replace("\0", "").encode("utf-8", "replace"))


def document(payload: str, number: int) -> str:
    line = one_line(payload)
    title = json.dumps(f"Title{number} {line}")
    return (
        f"---\ntitle: {title}\ntags: [{json.dumps(line)}]\n---\n\n# Heading{number} {line}\n\n"
        f"Word{number} {payload} stands here.\n\n## Sub {line}\n\n```sh {line}\necho {line}\n```\n"
    )


def write_documents(root: Path, payloads: list[str]) -> list[str]:
    """Write a document for each payload, its name made with it where the system takes it."""
    names = []
    root.mkdir(parents=True)
    for number, payload in enumerate(payloads):
        text = document(payload, number).encode("utf-8", "surrogatepass")
        kept = re.sub(r"[/\0\ud800-\udfff]", "_", payload)[:60]
        for name in (f"{number} {kept}.md", f"{number}.md"):
            with contextlib.suppress(OSError, ValueError):
                (root / name).write_bytes(text)
                names.append(name)
                break
    return names


EVALUATED = 8
"""Of so many payloads one is in a question file: each question is asked many times."""
IN_FOLDER = ["\x1b[31m", "\x9b2J", "\x1b]0;t\x07", "\u202e", "\u2028", "\U000e0041", "\rEVIL"]
"""What the index's folder is named with: it is shown by ``status`` and ``config``."""


class Shelf:
    """A folder with an index, every payload in it or, in the twin, as many harmless words."""

    def __init__(self, root: Path, payloads: list[str]) -> None:
        self.root = root
        self.names = write_documents(root / "docs", payloads)
        index = IN_FOLDER if HARMLESS not in payloads else [HARMLESS]
        path = json.dumps(" ".join(index), ensure_ascii=False)
        settings = f'[embedding]\nprovider = "hash"\n[index]\npath = {path}\n'
        (root / "config.toml").write_text(settings, encoding="utf-8")
        questions = [
            {"id": f"{n} {one_line(p)}", "question": f"word{n} {p}", "expect": [{"path": name}]}
            for n, (p, name) in enumerate(zip(payloads, self.names, strict=True))
        ]
        lines = [json.dumps(row) for row in questions[::EVALUATED]]
        (root / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
        with self.entered():
            self.ingested = typed("ingest", "docs")

    @contextmanager
    def entered(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.root)
            for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
                patch.setenv(name, str(self.root / "home"))
            patch.setenv("TERM", "xterm-256color")
            patch.setenv("FORCE_HYPERLINK", "1")
            patch.setenv("COLUMNS", "100")
            # Nobody answers where the cursor is: the chat would wait a second for it each time.
            patch.setenv("PROMPT_TOOLKIT_NO_CPR", "1")
            for name in ("NO_COLOR", "FORCE_COLOR", "OPENAI_API_KEY"):
                patch.delenv(name, raising=False)
            yield


class Shelves:
    """The hostile shelf and its harmless twin."""

    def __init__(self, root: Path) -> None:
        self.payloads = list(PAYLOADS.values())
        self.hostile = Shelf(root / "hostile", self.payloads)
        self.harmless = Shelf(root / "harmless", [HARMLESS] * 12)


@pytest.fixture(scope="module")
def shelves(tmp_path_factory: pytest.TempPathFactory) -> Shelves:
    return Shelves(tmp_path_factory.mktemp("shelves"))


BATCH = 16
"""Payloads that are in a place together: one by one they would take minutes."""
Run = Callable[[Shelf, str, int], str]
"""What a terminal gets from payloads in a place, the first that of the numbered document."""


def answering(payload: str) -> Callable[[Recorded], Reply]:
    """Return a server that says a payload, its stream cut behind every byte."""
    text = f"So **it** is: {payload} [1].\n\n- {one_line(payload)}\n\n```\n{payload}\n"
    sound = text.encode("utf-8", "replace").decode("utf-8")
    whole = b"".join([event(chunk(sound)), event(chunk(None, finish="stop")), event("[DONE]")])
    # As escapes, one character each: surrogates come alone, and so do their halves.
    halves = [json.dumps(chunk(char)) for char in text]

    def script(request: Recorded) -> Reply:
        if "every byte" in json.dumps(request.body):
            return stream_of(*(whole[place : place + 1] for place in range(len(whole))))
        return stream_of(*(event(half) for half in halves), event("[DONE]"))

    return script


def ask(shelf: Shelf, payload: str, number: int) -> str:
    with ScriptedServer(answering(payload)) as server:
        return typed(
            *("ask", f"word{number} {argument(payload)}", "--mode", "words"),
            *("--base-url", server.base_url, "--model", f"m {argument(payload)}"),
        )


def ask_a_server_that_refuses(shelf: Shelf, payload: str, number: int) -> str:
    said = f"no: {payload}"
    with ScriptedServer(lambda _: error_reply(400, said, code=one_line(payload))) as server:
        return typed(
            *("ask", f"word{number} heading{number}", "--mode", "words"),
            *("--base-url", server.base_url, "--model", "m"),
        )


def ask_nobody(shelf: Shelf, payload: str, number: int) -> str:
    return typed("ask", f"word{number}", "--no-llm", "--mode", "words")


def ask_by_bytes(shelf: Shelf, payload: str, number: int) -> str:
    with ScriptedServer(answering(payload)) as server:
        return typed(
            *("ask", f"word{number} every byte", "--mode", "words"),
            *("--base-url", server.base_url, "--model", "m"),
        )


def search(shelf: Shelf, payload: str, number: int) -> str:
    question = f"word{number} {argument(payload)}"
    return typed("search", question, "--explain", "--mode", "words", "-k", "2")


def search_what_is_not_there(shelf: Shelf, payload: str, number: int) -> str:
    return typed("search", "word0", "--filter", f"title={argument(payload)}", "--mode", "words")


def inspect(shelf: Shelf, payload: str, number: int) -> str:
    names = shelf.names[number : number + BATCH]
    return "".join(typed("inspect", str(Path("docs") / name)) for name in names)


def why(shelf: Shelf, payload: str, number: int) -> str:
    return typed("why", f"word{number} {argument(payload)}", shelf.names[number])


def wrong_word(shelf: Shelf, payload: str, number: int) -> str:
    text = argument(payload)
    return typed(f"v{text}") + typed("search", f"--o{text}") + typed("search", "x", "-k", text)


def wrong_place(shelf: Shelf, payload: str, number: int) -> str:
    text = argument(payload)[:100]
    absent = typed("status", "--index", f"no/{text}") + typed("inspect", f"no {text}.md")
    return absent + typed("ingest", f"no {text}", "--debug") + typed("status", "--config", text)


def settings_of(shelf: Shelf, payload: str, number: int) -> str:
    text = json.dumps(payload.encode("utf-8", "replace").decode("utf-8"))
    file = shelf.root / "other.toml"
    shown = []
    for line in (f"[llm]\nmodel = {text}\n", f"[search]\nmode = {text}\n", f"[{text}]\na = 1\n"):
        file.write_text(line.replace("\x7f", "\\u007f"), encoding="utf-8")
        shown.append(typed("config", "--config", "other.toml"))
    return "".join(shown)


PLACES: Mapping[str, Run] = {
    "answer, question, model": ask,
    "answer cut at every byte": ask_by_bytes,
    "server's error": ask_a_server_that_refuses,
    "quotation": ask_nobody,
    "search": search,
    "filter": search_what_is_not_there,
    "inspect": inspect,
    "why": why,
    "verb and option": wrong_word,
    "path": wrong_place,
    "config": settings_of,
}
"""Each is tried with every payload."""


def batches() -> list[dict[str, str]]:
    names = list(PAYLOADS)
    parts = [names[place : place + BATCH] for place in range(0, len(names), BATCH)]
    return [{name: PAYLOADS[name] for name in part} for part in parts]


def came_through(shelves: Shelves, place: str) -> dict[str, list[str]]:
    """Return what came to the terminal from a place, by the payloads that were in it: nothing."""
    run = PLACES[place]
    with shelves.harmless.entered():
        own = set[str]().union(*(sequences(run(shelves.harmless, HARMLESS, n)) for n in range(2)))
        # What fails with one question may be answered with another.
        for other in (ask_nobody, ask):
            own |= sequences(other(shelves.harmless, HARMLESS, 0))
    got = {}
    with shelves.hostile.entered():
        for number, batch in enumerate(batches()):
            # A newline ends what an open sequence swallows.
            output = run(shelves.hostile, "\n\n".join(batch.values()), number * BATCH)
            got[", ".join(batch)] = unfit(output, own)
    return {names: found for names, found in got.items() if found}


WHOLE: Mapping[str, tuple[str, ...]] = {
    "ingest again": ("ingest", "docs", "--verify"),
    "ingest, planned": ("ingest", "docs", "--dry-run", "--rebuild"),
    "status": ("status",),
    "inspect all": ("inspect", "docs", "--check"),
    "eval": ("eval", "questions.jsonl", "--mode", "words", "--each"),
    "search many": ("search", "-", "--passages", "--mode", "words"),
    "chat": ("chat", "--no-llm", "--mode", "words"),
}
"""Each is run once, every payload in its documents and its input."""


def questions_of(payloads: list[str]) -> str:
    lines = [f"word{n} {one_line(p)}" for n, p in enumerate(payloads)]
    parts = [lines[place : place + 8] for place in range(0, len(lines), 8)]
    return "".join(f"{' '.join(part)}\n" for part in parts)


def whole_run(shelf: Shelf, place: str, payloads: list[str]) -> str:
    with shelf.entered():
        return typed(*WHOLE[place], lines=questions_of(payloads))


def came_through_at_once(shelves: Shelves, place: str) -> list[str]:
    """Return what a run over all payloads brought to the terminal."""
    own = sequences(whole_run(shelves.harmless, place, [HARMLESS] * 12))
    return unfit(whole_run(shelves.hostile, place, shelves.payloads), own)


# --- the tests ----------------------------------------------------------------------------------


def test_there_are_200_payloads_that_differ():
    assert len(set(PAYLOADS.values())) == len(PAYLOADS) >= 200


def test_the_check_finds_what_a_terminal_must_not_get():
    named = {name: p for name, p in PAYLOADS.items() if clean(p) != p}

    unseen = [name for name, payload in named.items() if not unfit(payload, set())]
    own = {"\x1b[1m", "\x1b[0m", "LINK"}

    # A lone return is what a spinner is drawn with; the streams below allow none.
    assert unseen == ["c0 0d", "line_overwritten"]
    assert unfit("\x1b[1mown\x1b[0m\n\t\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", own) == []


@pytest.mark.parametrize("place", PLACES)
def test_no_payload_comes_through_from(place: str, shelves: Shelves):
    assert came_through(shelves, place) == {}


@pytest.mark.parametrize("place", WHOLE)
def test_no_payload_comes_through_in_a_run_over_all(place: str, shelves: Shelves):
    assert came_through_at_once(shelves, place) == []


def test_what_ingesting_them_printed_holds_none(shelves: Shelves):
    own = sequences(shelves.harmless.ingested)

    assert unfit(shelves.hostile.ingested, own) == []


def test_the_payloads_were_where_they_were_looked_for(shelves: Shelves):
    with shelves.hostile.entered():
        output = "".join(run(shelves.hostile, "\x1b[31mred", 3) for run in PLACES.values())
    everything = whole_run(shelves.hostile, "search many", shelves.payloads)

    assert output.count("red") >= len(PLACES) - 2
    found = [number for number in range(len(PAYLOADS)) if f"Word{number} " in everything]
    assert len(found) > len(PAYLOADS) / 2


@pytest.mark.parametrize("name", PAYLOADS)
def test_no_cut_of_a_stream_lets_a_payload_through(name: str):
    payload = PAYLOADS[name] if len(PAYLOADS[name]) < 100 else PAYLOADS[name][:60]
    cuts = [[payload[:place], payload[place:], "\n"] for place in range(len(payload) + 1)]

    outputs = [
        "".join(map(cleaner.feed, cut)) + cleaner.flush() for cut in cuts for cleaner in [Cleaner()]
    ]

    assert {output: unfit(output, set()) for output in outputs} == {clean(payload + "\n"): []}
    assert "\r" not in outputs[0]


def test_no_cut_of_drawn_markdown_lets_a_payload_through(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    benign = Tty()
    twin = (
        f"# {HARMLESS}\n\n- **a** `b` {HARMLESS}\n\n> {HARMLESS}\n\n| a |\n|---|\n| b |\n\n```\nc\n"
    )
    stream_markdown([*twin], stream=benign)
    own = sequences(benign.getvalue())
    got = {}
    for name, payload in PAYLOADS.items():
        screen = Tty()
        stream_markdown([*f"{payload}\n\n# {payload}\n\n- **{payload}**", payload], stream=screen)
        got[name] = unfit(screen.getvalue(), own)
    assert {name: found for name, found in got.items() if found} == {}


def test_no_notice_and_no_link_lets_a_payload_through(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FORCE_HYPERLINK", "1")
    screen = Tty()
    for payload in PAYLOADS.values():
        say(payload, screen)
        screen.write(linked(payload, f"http://a/{payload}", screen) + "\n")

    assert unfit(screen.getvalue(), {"LINK"}) == []
    assert screen.getvalue().count("\n") == 2 * len(PAYLOADS)


AS_JSON: Mapping[str, tuple[str, ...]] = {
    "search": ("search", "-", "--mode", "words", "--json"),
    "passages": ("search", "-", "--passages", "--mode", "words", "--json"),
    "chat": ("chat", "--no-llm", "--mode", "words", "--json"),
    "status": ("status", "--json"),
    "config": ("config", "--json"),
    "inspect": ("inspect", "docs", "--check", "--json"),
    "eval": ("eval", "questions.jsonl", "--mode", "words", "--json"),
    "error": ("inspect", "no \x9b31m \u202e \u2028 \x7f.md", "--json"),
}


def json_came_through(shelves: Shelves, place: str) -> list[str]:
    """Return what of a JSON output would act on a terminal, or is not JSON."""
    notices = Tty()
    with shelves.hostile.entered():
        lines = questions_of(shelves.payloads)
        output = typed(*AS_JSON[place], lines=lines, notices=notices)
    if place == "error":
        output = notices.getvalue()
    values: list[Any] = [json.loads(line) for line in output.split("\n") if line]
    return unfit(output, set()) if values else ["nothing was printed"]


@pytest.mark.parametrize("place", AS_JSON)
def test_json_is_escaped(place: str, shelves: Shelves):
    assert json_came_through(shelves, place) == []


# --- real terminals -----------------------------------------------------------------------------

READY = "\x1b[?2004h"
"""What the chat's input line begins with: pasted text is told from typed text."""
DRAWN_WHOLE = "# a **b** `c`\n\n- d\n\n> e\n\n```\nf\n```"
IN_TERMINALS = [*_ODD, *list(PAYLOADS)[::23]]
"""Payloads that a chat in a pseudo-terminal is answered with."""


def spawned(shelf: Shelf, *words: str, steps: tuple[str, ...] = ()) -> str:
    """Return what a real pseudo-terminal gets from a command; steps are typed after each prompt."""
    import pexpect

    with shelf.entered():
        child = pexpect.spawn(
            sys.executable,
            ["-m", "askmd", *words],
            dimensions=(40, 100),
            timeout=60,
            encoding="utf-8",
            codec_errors="surrogateescape",
            echo=False,
        )
        screen = io.StringIO()
        child.logfile_read = screen
        for step in steps:
            child.expect_exact(READY)
            child.send(f"{step}\r")
        if steps:
            child.expect_exact(READY)
            child.sendeof()
        child.expect(pexpect.EOF)
        child.close()
    return screen.getvalue()


def chatted(shelf: Shelf, payloads: list[str]) -> str:
    """Return what a chat shows that is answered with each payload in turn."""

    def script(request: Recorded) -> Reply:
        # A question is made anew from the conversation by the same server: hostile there too.
        turn = re.findall(r"turn (\d+)", request.body["messages"][-1]["content"])[-1]
        said = [*f"{payloads[int(turn)]}\n\n[1] END\n"]
        return stream_of(*(event(json.dumps(chunk(char))) for char in said), event("[DONE]"))

    with ScriptedServer(script) as server:
        words = ("chat", "--base-url", server.base_url, "--model", "m", "--mode", "words")
        turns = [f"what does word1 in Heading1 mean, turn {n}" for n in range(len(payloads))]
        screen = spawned(shelf, *words, steps=(*turns, "/sources", "/why", "/help"))
    assert screen.count("END") >= len(payloads) / 2
    return screen


def came_through_a_pty(shelves: Shelves) -> list[str]:
    """Return what payloads brought to a real terminal, in a chat and a search."""
    parts = [IN_TERMINALS[place : place + 15] for place in range(0, len(IN_TERMINALS), 15)]
    hostile = ["\n\n".join(PAYLOADS[name] for name in part) for part in parts]
    words = ("search", "word1 word2 stands", "-k", "40", "--mode", "words")
    pairs = [
        (chatted(shelves.harmless, [DRAWN_WHOLE]), chatted(shelves.hostile, hostile)),
        (spawned(shelves.harmless, *words), spawned(shelves.hostile, *words)),
    ]
    own = set[str]().union(*(sequences(harmless) for harmless, _ in pairs))
    return list(chain.from_iterable(unfit(output, own) for _, output in pairs))


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_no_payload_comes_through_a_real_terminal(shelves: Shelves):
    assert came_through_a_pty(shelves) == []


@contextmanager
def shelves_for_a_while() -> Iterator[Shelves]:
    """Make the shelves outside of a test: see benchmarks/hostile_terminal.py."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as root:
        yield Shelves(Path(root))
