"""How fast text becomes vectors and an index; rows embedding, ingest, unchanged and memory."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

from speed_clock import Spent, evenly, in_turns, ratio, spend, spent_cells, table
from speed_grounds import HERE, PRECISIONS, Ground, database_of, once
from speed_makers import flop_of_products, flop_of_text

MAKERS = HERE / "speed_makers.py"
TEXTS = 600
"""So many of the chunks are embedded in one run."""
PRODUCTS = 150
FILES = 10_000
TIMES = 10
"""How much larger the grown folder is that memory is measured on."""
FASTAPI_CHUNKS = 2_442
ENCODE = "encode (sentence-transformers)"
REACH = {"float32": ("1.6", "80"), "int8": ("2.5", "")}
REACH_INGEST = {"float32": "1.45", "int8": "2.1"}
_SETTLED_SECONDS = 2.2
"""A file younger than two seconds is read again, to be sure."""
_LISTING = """
import os, sys
sum(entry.stat().st_size for home, _, names in os.walk(sys.argv[1])
    for entry in os.scandir(home) if entry.is_file())
"""


def embedding(ground: Ground) -> str:
    """Return tokens a second on real chunks, beside encode and what matrix products allow."""
    texts = texts_file(ground, min(TEXTS, ground.most))
    few = texts_file(ground, min(PRODUCTS, ground.most))
    count = sum(tokens for _, tokens in json.loads(texts.read_text("utf-8")))
    lengths = [tokens for _, tokens in json.loads(few.read_text("utf-8"))]
    commands: dict[str, list[str | Path]] = {
        ENCODE: ["encode", texts],
        **{f"askmd, {name}": ["askmd", texts, name] for name in PRECISIONS},
        "numpy": ["products", few, "numpy"],
        "torch": ["products", few, "torch"],
    }
    quiet = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

    def make(words: list[str | Path]) -> Callable[[int], float]:
        environment = quiet if words[0] == "products" else {}
        command = [sys.executable, MAKERS, *words]
        return lambda _: float(spend(command, environment=environment).told)

    taken = in_turns({name: make(words) for name, words in commands.items()}, ground.runs)
    products, whole = sum(map(flop_of_products, lengths)), sum(map(flop_of_text, lengths))
    # What the products would do in a second, in tokens of the whole model.
    limits = {name: [products / one for one in taken.pop(name)] for name in ("numpy", "torch")}
    best = max(limits, key=lambda name: median(limits[name]))
    rates = {name: [count / one for one in seconds] for name, seconds in taken.items()}
    rates[f"the limit: float32 products by {best}"] = [
        one * sum(lengths) / whole for one in limits[best]
    ]
    told = ", ".join(f"{name} {median(one) / 1e9:.0f} GFLOP/s" for name, one in limits.items())
    note = f"{count:,} tokens, {whole / sum(lengths) / 1e6:.1f} MFLOP each; products: {told}."
    return f"{note}\n\n{_rates(rates)}"


def _rates(rates: dict[str, list[float]]) -> str:
    heads = ["who", "tokens a second", "times encode", "at least", "% of the limit", "at least"]
    *_, limit = rates
    rows = []
    for name, values in rates.items():
        least, share = REACH.get(name.removeprefix("askmd, "), ("", ""))
        times = f"{ratio(values, rates[ENCODE]):.2f}"
        percent = f"{100 * ratio(values, rates[limit]):.0f}"
        rows.append([name, f"{median(values):,.0f}", times, least, percent, share])
    return table(heads, rows)


def texts_file(ground: Ground, count: int) -> Path:
    """Return a file of so many of the real folder's chunks and their tokens."""
    from speed_fit import cut_chunks

    path = ground.home / f"texts-{ground.documents().name}-{count}.json"
    if not path.exists():
        files = sorted(ground.documents().rglob("*.md"))
        chunks = cut_chunks(file.read_text(encoding="utf-8") for file in files)
        some = [[one.embedded, one.tokens] for one in evenly(chunks, count)]
        path.write_text(json.dumps(some), encoding="utf-8")
    return path


_first: dict[Path, dict[str, list[Spent]]] = {}


def first_ingests(ground: Ground) -> dict[str, list[Spent]]:
    """Return what a first ingest of the real folder takes; measured once for all rows."""
    if ground.home not in _first:
        folder = ground.documents()
        makers = {ENCODE: _encoding(ground, folder)}
        for precision in PRECISIONS:
            makers[f"askmd, {precision}"] = _ingesting(ground, folder, precision)
        _first[ground.home] = in_turns(makers, ground.runs)
    return _first[ground.home]


def _ingesting(ground: Ground, folder: Path, precision: str) -> Callable[[int], Spent]:
    def make(_: int) -> Spent:
        index = _fresh(ground)
        command = ground.askmd("ingest", folder, index, precision)
        return _with_tokens(spend([*command, "--json"]), index)

    return make


def _encoding(ground: Ground, folder: Path) -> Callable[[int], Spent]:
    def make(_: int) -> Spent:
        index = _fresh(ground)
        spent = spend([sys.executable, MAKERS, "ingest", folder, index, "encode"])
        return _with_tokens(spent, index)

    return make


def _fresh(ground: Ground) -> Path:
    index = ground.home / "first"
    shutil.rmtree(index, ignore_errors=True)
    return index


def _with_tokens(spent: Spent, index: Path) -> Spent:
    with closing(sqlite3.connect(database_of(index))) as connection:
        [[tokens]] = connection.execute("SELECT sum(tokens) FROM chunks")
    shutil.rmtree(index)
    return replace(spent, printed=json.dumps(tokens))


def ingest(ground: Ground) -> str:
    """Return what a first ingest takes as a whole, beside the same with sentence-transformers."""
    taken = first_ingests(ground)
    heads = ["ingest", "seconds", "CPU seconds", "peak MB", "tokens a second", "times", "at least"]
    seconds = {name: [one.seconds for one in spent] for name, spent in taken.items()}
    rows = []
    for name, spent in taken.items():
        rate = f"{spent[0].told / median(seconds[name]):,.0f}"
        times = f"{ratio(seconds[ENCODE], seconds[name]):.2f}"
        least = REACH_INGEST.get(name.removeprefix("askmd, "), "")
        rows.append([name, *spent_cells(spent), rate, times, least])
    return table(heads, rows)


def memory(ground: Ground) -> str:
    """Return the peak memory of a first ingest, and of one of ten times as much."""
    small = first_ingests(ground)
    chunks = TIMES * min(FASTAPI_CHUNKS, ground.most)
    folder = ground.folder(chunks)
    rows = [[ENCODE, _peak(small[ENCODE]), "", "", ""]]
    for precision in reversed(PRECISIONS):
        name = f"askmd, {precision}"
        # One run: an ingest of this size takes minutes, and its peak hardly differs.
        large = [_ingesting(ground, folder, precision)(0)]
        more = ratio([large[0].peak_megabytes], [median(_peaks(small[name]))])
        tokens = f"{large[0].told / small[name][0].told:.1f}"
        rows.append([name, _peak(small[name]), _peak(large), f"{100 * (more - 1):+.0f}", tokens])
    heads = ["ingest", "peak MB (at most 500)", "of the grown folder"]
    heads += ["% more (at most 15)", "times the tokens"]
    return table(heads, rows)


def _peaks(spent: Sequence[Spent]) -> list[float]:
    return [one.peak_megabytes for one in spent]


def _peak(spent: Sequence[Spent]) -> str:
    return f"{median(_peaks(spent)):.0f}"


def unchanged(ground: Ground) -> str:
    """Return what an ingest takes where nothing has changed, and where one file has."""
    count = min(FILES, ground.most)
    folder, index = ground.files(count), ground.home / f"index-files-{count}"
    given = [sys.executable, MAKERS, "ingest", folder]
    once(index, lambda new: spend([*given, new, "drawn"]))
    command = ground.askmd("ingest", folder, index, "int8")
    edited = sorted(folder.rglob("*.md"))[count // 2]

    def nothing(_: int) -> Spent:
        time.sleep(_SETTLED_SECONDS)
        return spend(command)

    def one_file(run: int) -> Spent:
        with edited.open("a", encoding="utf-8") as file:
            file.write(f"\nA sentence that was not there before {time.time_ns()}, run {run}.\n")
        return nothing(run)

    list(map(nothing, range(2)))
    makers = {
        "each file's size, by a bare script": lambda _: spend(
            [sys.executable, "-c", _LISTING, folder]
        ),
        "nothing changed": nothing,
        "one file edited": one_file,
    }
    taken = in_turns(makers, ground.runs)
    bare, same, other = ([one.seconds for one in spent] for spent in taken.values())
    more = median(late - early for late, early in zip(other, same, strict=True))
    heads = ["ingest", "seconds", "CPU seconds", "peak MB", "times the bare script", "at most"]
    times = ["", f"{ratio(same, bare):.1f}", f"{ratio(other, bare):.1f}"]
    reach = ["", "1.5 s", f"1 s more (here {more:+.2f} s)"]
    rows = [
        [name, *spent_cells(spent), *cells]
        for (name, spent), *cells in zip(taken.items(), times, reach, strict=True)
    ]
    with closing(sqlite3.connect(database_of(index))) as connection:
        [[chunks]] = connection.execute("SELECT count(*) FROM chunks")
    return f"{count:,} files, {chunks:,} chunks.\n\n{table(heads, rows)}"
