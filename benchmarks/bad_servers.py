"""Servers that answer a chat completion badly, each asked once through the real command line.

    python benchmarks/bad_servers.py              the table
    python benchmarks/bad_servers.py --only 429   the scripts whose name holds this

The scripts, and what each must end as, are tests/chat_faults.py; pauses between attempts are noted,
not slept. Prints a table for RESULTS.md, and each script that did not end as it should. Exits 1 if
there is any.
"""

from __future__ import annotations

import argparse
import functools
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import askmd.llm
from askmd import cli
from askmd.llm import OpenAILLM
from chat_faults import DOCUMENT, FAMILIES, GOOD, KEY, QUESTION, Asked, Fault, complaints
from servers import ScriptedServer

TOLERANCE_SECONDS = 1.0
HOMES = ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a script."""

    fault: Fault
    asked: Asked
    keys_elsewhere: int
    wrong: Sequence[str]

    @property
    def seconds_over(self) -> float:
        """How long it took beyond its deadline."""
        return self.asked.seconds - self.fault.deadline


@contextmanager
def environment(told: Mapping[str, str]) -> Iterator[None]:
    """Set variables for a while."""
    before = dict(os.environ)
    os.environ.update(told)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run(words: Sequence[str]) -> tuple[int, str, str]:
    """Return the exit status of the command line, and what it printed."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    sys.argv = ["askmd", *words]
    status = 0
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        try:
            cli.main()
        except SystemExit as left:
            status = int(left.code or 0)
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode("utf-8") for stream in streams)  # type: ignore[attr-defined]
    return status, out, err


def outcome(fault: Fault, folder: Path) -> Outcome:
    """Ask one bad server and return how that ended."""
    pauses: list[float] = []
    askmd.llm.OpenAILLM = functools.partial(OpenAILLM, sleep=pauses.append)  # type: ignore[misc, assignment]
    settings = folder / "bad.toml"
    settings.write_text(fault.config, encoding="utf-8")
    with ScriptedServer(lambda _: GOOD) as thief, fault.server(thief.base_url) as server:
        call = ["ask", QUESTION, "--config", str(settings), "--index", str(folder / "index")]
        with environment(fault.environ(thief.base_url.removesuffix("/v1"))):
            began = time.monotonic()
            ended = run([*call, "--base-url", server.base_url, *fault.words])
            seconds = time.monotonic() - began
        asked = Asked(*ended, seconds, len(server.requests), len(thief.requests), pauses)
        keys = sum(KEY in str(request.headers) for request in thief.requests)
    wrong = complaints(fault, asked, tolerance_seconds=TOLERANCE_SECONDS)
    return Outcome(fault, asked, keys, wrong)


def row(name: str, outcomes: Sequence[Outcome]) -> str:
    clean = sum(not one.wrong for one in outcomes)
    ends = [sum(one.fault.end == end for one in outcomes) for end in ENDS]
    over = max(one.seconds_over for one in outcomes)
    most = max(one.asked.requests for one in outcomes)
    keys = sum(one.keys_elsewhere for one in outcomes)
    cells = [name, len(outcomes), clean, *ends, f"{max(over, 0):.2f}", most, keys]
    return "| " + " | ".join(map(str, cells)) + " |"


ENDS = ("answered", "incomplete", "failed")
HEAD = [
    "what is bad",
    "scripts",
    "ended as they should",
    *ENDS,
    "worst over the deadline, s",
    "most requests",
    "keys sent elsewhere",
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of a script's name")
    only = parser.parse_args().only
    found: dict[str, list[Outcome]] = {}
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        os.environ |= dict.fromkeys(HOMES, home)
        os.chdir(folder)
        (folder / "docs").mkdir()
        (folder / "docs" / "nginx.md").write_text(DOCUMENT, encoding="utf-8")
        (folder / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
        run(["ingest", "docs", "--index", str(folder / "index")])
        # The first answer imports the client, which is no server's fault.
        outcome(FAMILIES["the stream"][0], folder)
        for family, faults in FAMILIES.items():
            chosen = [fault for fault in faults if only in fault.name]
            if chosen:
                found[family] = [outcome(fault, folder) for fault in chosen]
        os.chdir("/")
    everything = [one for outcomes in found.values() for one in outcomes]
    print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD))
    for family, outcomes in found.items():
        print(row(family, outcomes))
    print(row("**all**", everything))
    for one in everything:
        for complaint in one.wrong:
            print(f"{one.fault.name}: {complaint}", file=sys.stderr)
    return int(any(one.wrong for one in everything))


if __name__ == "__main__":
    sys.exit(main())
