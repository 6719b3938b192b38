"""Time to the first token: what askmd adds before the server's own, cold and in a chat.

    python benchmarks/first_token.py FOLDER [--chunks 10000] [--runs 15]

FOLDER keeps the grown index, as for ``speed.py``. The server is a process of its own that answers
at once, so that what is measured is ours. Cold: from the start of a process to the first byte on
its stdout, `askmd ask` beside a script that does nothing but one streamed call with the ``openai``
client, taken in turns. In a chat: from the question to the first delta, beside a call of the bare
client in the same process, in turns; each question is a new one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median

import quality
from askmd import Chat, Config, Retriever
from askmd.settings import IndexSettings, LLMSettings
from speed_clock import table
from speed_grounds import Ground, some_questions

BARE = """
import sys, openai
client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
stream = client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": sys.argv[2]}], stream=True
)
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
"""
ALONE = """
import sys
from askmd import cli
from askmd.cli import beside
beside._can_fork = lambda: False
cli.main()
"""


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of a connection with one streamed sentence."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lines = head.decode("latin-1").lower().split("\r\n")
            size = next((int(x[15:]) for x in lines if x.startswith("content-length:")), 0)
            await reader.readexactly(size)
            body = b"".join(b"data: %s\n\n" % one for one in _EVENTS)
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _chunk(text: str | None, finish: str | None) -> bytes:
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}).encode()


_EVENTS = [_chunk("Start the upstream [1].", None), _chunk(None, "stop"), b"[DONE]"]


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def serving() -> Iterator[str]:
    """Yield the address of a server that answers at once."""
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        finally:
            server.kill()


def first_byte(command: Sequence[str | Path]) -> float:
    """Return the seconds from a process's start to the first byte on its stdout."""
    started = time.perf_counter()
    with subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        first = os.read(child.stdout.fileno(), 1)
        seconds = time.perf_counter() - started
        child.stdout.read()
    if not first or child.returncode not in (0, 4):
        sys.exit(f"{command[:3]} failed with {child.returncode}")
    return seconds


def answerable(index: Path, count: int) -> list[str]:
    """Return questions that the index has evidence for: no LLM is asked the others."""
    config = replace(Config.load(), index=IndexSettings(str(index)))
    with Retriever.open(config) as retriever:
        found = (retriever.find(question) for question in some_questions(4 * count))
        return [one.question for one in found if retriever.has_evidence(one)][:count]


def cold(index: Path, settings: Path, url: str, questions: Sequence[str]) -> list[list[str]]:
    """Return the rows of whole processes."""
    askmd = Path(sys.executable).with_name("askmd")
    taken: list[list[float]] = [[], [], []]
    for question in questions:
        where = ["--config", settings, "--index", index]
        asked = ["ask", *where, "--base-url", url, "--model", "m", question]
        commands: list[list[str | Path]] = [
            [sys.executable, "-c", BARE, url, question],
            [askmd, *asked],
            [sys.executable, "-c", ALONE, *asked],
        ]
        for seconds, command in zip(taken, commands, strict=True):
            seconds.append(first_byte(command))
    # The first of each is the disk's, and the index's floor is measured.
    bare, ours, alone = (seconds[1:] for seconds in taken)
    names = ("cold, from process start", "the same without the process beside")
    return [
        _row(name, one, bare, f"{median(one) / median(bare):.2f} times", most)
        for name, one, most in zip(names, (ours, alone), ("1.4 times", ""), strict=True)
    ]


def in_chat(index: Path, url: str, questions: Sequence[str]) -> list[str]:
    """Return the row of a chat that is open; every question stands alone."""
    import openai

    config = replace(
        Config.load(), index=IndexSettings(str(index)), llm=LLMSettings(model="m", base_url=url)
    )
    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    ours: list[float] = []
    bare: list[float] = []
    with Retriever.open(config) as retriever:
        chat = Chat.open(config, retriever)
        for question in questions:
            started = time.perf_counter()
            stream = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": question}], stream=True
            )
            next(iter(stream))
            bare.append(time.perf_counter() - started)
            stream.close()
            chat.forget()
            started = time.perf_counter()
            answer = chat.ask(question)
            next(answer)
            ours.append(time.perf_counter() - started)
            answer.result()
    added = median(ours[1:]) - median(bare[1:])
    return _row("in a chat", ours[1:], bare[1:], f"+{added * 1000:.0f} ms", "+60 ms")


def _row(name: str, ours: list[float], bare: list[float], figure: str, most: str) -> list[str]:
    cells = [
        f"{median(x) * 1000:.0f} ({min(x) * 1000:.0f} to {max(x) * 1000:.0f})" for x in (ours, bare)
    ]
    return [name, str(len(ours)), *cells, figure, most]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the grown index is kept, or `serve`")
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="put it into RESULTS.md")
    given = parser.parse_args()
    if str(given.folder) == "serve":
        asyncio.run(_serve())
    ground = Ground(given.folder.absolute(), given.runs, given.chunks, None, Path())
    index = ground.index(given.chunks, "int8")
    asked = answerable(index, 4 * given.runs)
    with serving() as url:
        rows = cold(index, ground.settings("int8"), url, asked[: given.runs + 1])
        rows.append(in_chat(index, url, asked[given.runs + 1 :]))
    heads = ["first token", "questions", "askmd ms, median (range)", "bare `openai` call ms"]
    text = table([*heads, "askmd against it", "at most"], rows)
    print(text)
    if given.write:
        quality.write(text, "first_token")


if __name__ == "__main__":
    main()
