"""How long a command takes from nothing: rows ``verbs`` and ``cold``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from speed_clock import Spent, in_turns, ratio, spend, spent_cells, table
from speed_grounds import (
    HERE,
    PRECISIONS,
    SIZES,
    Ground,
    database_of,
    once,
    some_questions,
)

CHUNKS = SIZES[1]


def verbs(ground: Ground) -> str:
    """Return what ``--help`` and ``status`` take beside an import of click."""
    index = ground.index(min(CHUNKS, ground.most), "int8")
    program = Path(sys.executable).with_name("askmd")
    commands: dict[str, list[str | Path]] = {
        "python -c 'import click'": [sys.executable, "-c", "import click"],
        "askmd --help": [program, "--help"],
        "askmd status": [
            *(program, "status"),
            *("--index", index, "--config", ground.settings("int8")),
        ],
    }
    taken = in_turns({name: _repeated(command) for name, command in commands.items()}, ground.runs)
    base, *_ = taken
    return table(
        ["command", "seconds", "CPU seconds", "peak MB", "times the import of click", "at most"],
        [
            [f"`{name}`", *spent_cells(spent), f"{_against(spent, taken[base]):.2f}", most]
            for (name, spent), most in zip(taken.items(), ("", "2.5", "4"), strict=True)
        ],
    )


def _repeated(command: list[str | Path]) -> Callable[[int], Spent]:
    """Return a maker that takes the best of three: these are over before the machine settles."""
    return lambda _: min((spend(command) for _ in range(3)), key=lambda one: one.seconds)


def _against(own: list[Spent], others: list[Spent]) -> float:
    return ratio([one.seconds for one in own], [one.seconds for one in others])


def cold(ground: Ground) -> str:
    """Return what a first search of a process takes, to its end."""
    chunks = min(CHUNKS, ground.most)
    asked = some_questions(ground.runs + 1)
    makers: dict[str, Callable[[int], Spent]] = {}
    for precision in PRECISIONS:
        index = ground.index(chunks, precision)
        makers[f"askmd search, {precision}"] = _searching(ground, index, precision, asked)
        makers[f"a bare script, {precision}"] = _bare(precision, asked)
    if ground.peer_python:
        makers["LangChain, its saved FAISS index"] = _langchain(ground, chunks, asked)
    for make in makers.values():
        # The first search of an index measures its floor; the files come into the page cache.
        make(ground.runs)
    taken = in_turns(makers, ground.runs)
    names = list(taken)
    rows = []
    for place, (name, spent) in enumerate(taken.items()):
        bare = taken[names[place // 2 * 2 + 1]] if place < 4 else None
        cells = [f"{_against(spent, bare):.2f}" if bare else ""]
        peer = taken[names[4]] if len(names) > 4 else None
        cells.append(f"{_against(peer, spent):.1f}" if peer else "")
        rows.append([name, *spent_cells(spent), *cells])
    heads = ["process", "seconds", "CPU seconds", "peak MB", "times the bare script (at most 1.3)"]
    heads.append("LangChain takes so many times as long (at least 12)")
    return f"{chunks:,} chunks.\n\n{table(heads, rows)}"


def _searching(
    ground: Ground, index: Path, precision: str, asked: list[str]
) -> Callable[[int], Spent]:
    return lambda run: spend(ground.askmd("search", asked[run], index, precision))


def _bare(precision: str, asked: list[str]) -> Callable[[int], Spent]:
    model, tokenizer = exported(precision)
    script = HERE / "speed_bare.py"
    return lambda run: spend([sys.executable, script, model, tokenizer, asked[run]])


def exported(precision: str) -> tuple[Path, Path]:
    """Return the default model's exported file that askmd opens, and its tokenizer."""
    from platformdirs import user_cache_path

    from askmd.embed import describe, locate
    from askmd.settings import DEFAULT_MODEL

    described = describe(locate(DEFAULT_MODEL, "", may_fetch=False))
    found = user_cache_path("askmd", appauthor=False).glob(f"models/*/{precision}.onnx")
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        sys.exit(f"no model was exported in {precision}: search once first")
    return newest, described.tokenizer_file


def _langchain(ground: Ground, chunks: int, asked: list[str]) -> Callable[[int], Spent]:
    python, script = str(ground.peer_python), HERE / "speed_peers.py"
    target = ground.home / f"langchain-{chunks}"

    def save(new: Path) -> None:
        import numpy as np

        from speed_vectors import stored_vectors

        database = database_of(ground.index(chunks, "float32"))
        matrix = ground.home / f"langchain-{chunks}.npy"
        np.save(matrix, stored_vectors([database]))
        spend([python, script, "langchain-save", matrix, database, new])
        matrix.unlink()

    once(target, save)
    return lambda run: spend([python, script, "langchain-search", target, asked[run]])
