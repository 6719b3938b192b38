"""T20: many generated files under a limit of memory, the same again, one edit, and searches.

The peak is what a process had at most in the machine's memory, mapped files among it, which the
system takes back when it needs room; its own is what it cannot take back. The limit that the system
enforces is one of address space, which is larger: see ``ROOM``.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import threading
import time
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faults.campaign import Campaign, Verdict
from faults.world import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askmd.types import Vectors

SECTIONS = 5
"""A file's sections, each a chunk."""
FILES_PER_FOLDER = 100
SIZES = (2_000, 20_000, 200_000)
"""Files of the trials, by number."""
LEAST_MEMORY = 300_000_000
"""Bytes of memory that a process may have beside the vectors."""
ROOM = 1_500_000_000
"""Address space beside that: what libraries reserve for threads, and words that are mapped."""
MOST_UNCHANGED_SECONDS = 30.0
"""For looking through 200,000 files that are as they were."""
SEARCHES = 40
_DIM = 384
_WORDS = 4_000
_WORDS_PER_SECTION = (20, 45)
_OLD_SECONDS = 3_600
_HOURS = 4 * 3600.0


def vocabulary() -> tuple[list[str], list[float]]:
    """Return invented words and how often each occurs, summed up: few often, most seldom."""
    chance = random.Random(20)
    syllables = [first + last for first in "bdfgklmnprstvz" for last in "aeiou"]
    words = sorted(
        {"".join(chance.choices(syllables, k=chance.randint(2, 4))) for _ in range(6000)}
    )
    chance.shuffle(words)
    words = words[:_WORDS]
    return words, list(accumulate(1 / (rank + 3) for rank in range(len(words))))


def generate(root: str, files: int) -> int:
    """Write a folder of so many files, always the same; return how many chunks they make."""
    words, weights = vocabulary()
    chance = random.Random(files)
    long_ago = time.time() - _OLD_SECONDS
    for number in range(files):
        folder = Path(root) / f"area-{number // FILES_PER_FOLDER // 50:02}"
        path = folder / f"topic-{number // FILES_PER_FOLDER:04}" / f"note-{number:06}.md"
        if number % FILES_PER_FOLDER == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        parts = []
        for section in range(SECTIONS):
            count = chance.randint(*_WORDS_PER_SECTION)
            text = " ".join(chance.choices(words, cum_weights=weights, k=count))
            parts.append(f"{'##' if section else '#'} {text[:30].title()} {number}\n\n{text}.\n")
        path.write_text("\n".join(parts), encoding="utf-8")
        # A file that is young is read again, whatever its stamp says.
        os.utime(path, (long_ago, long_ago))
    return files * SECTIONS


def ingest(root: str, index: str, most_memory: int = 0, *, verify: bool = False) -> dict[str, Any]:
    """Bring an index up to date under a limit of address space; return what that took.

    most_memory: bytes of address space beyond what this process has already; 0 for no limit.
    """
    from askmd.embed.hash import HashEmbedder
    from askmd.ingest import ingest_folder
    from askmd.tokens import HashCounter

    class Counting(HashEmbedder):
        calls = 0
        texts = 0

        def embed(self, texts: Sequence[str]) -> Vectors:
            self.calls += 1
            self.texts += len(texts)
            return super().embed(texts)

    embedder, watch = Counting(HashCounter()), Watch()
    _limit(most_memory)
    started, spent = time.monotonic(), time.process_time()
    report = ingest_folder(root, settings(index), embedder=embedder, verify=verify)
    return {
        "seconds": time.monotonic() - started,
        "processor_seconds": time.process_time() - spent,
        "peak": memory("VmHWM"),
        "own": watch.most(),
        "calls": embedder.calls,
        "texts": embedder.texts,
        "seen": report.documents.seen,
        "unchanged": report.documents.unchanged,
        "changed": report.documents.changed,
        "new": report.documents.new,
        "failed": report.documents.failed,
        "chunks": report.chunks.total,
    }


def search(index: str, most_memory: int = 0) -> dict[str, Any]:
    """Search an index in every mode; return the first search's seconds, the others', and memory."""
    from askmd.retriever import Retriever

    watch = Watch()
    _limit(most_memory)
    words, weights = vocabulary()
    chance = random.Random(7)
    taken, found = [], 0
    with Retriever.open(settings(index)) as retriever:
        for number in range(SEARCHES):
            question = " ".join(chance.choices(words, cum_weights=weights, k=4))
            started = time.monotonic()
            mode = ("hybrid", "dense", "words")[number % 3]
            found += len(retriever.search(question, limit=10, mode=mode)) == 10
            taken.append(time.monotonic() - started)
    later = sorted(taken[3:])
    return {
        "first": taken[0],
        "median": later[len(later) // 2],
        "slowest": later[-1],
        "full": found,
        "peak": memory("VmHWM"),
        "own": watch.most(),
    }


def memory(kind: str) -> int:
    """Return bytes of memory of this process, as the system calls them; 0 where it does not say."""
    status = Path("/proc/self/status")
    for line in status.read_text("ascii").splitlines() if status.exists() else ():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) * 1024
    return 0


class Watch:
    """Looks again and again how much memory of its own this process has."""

    def __init__(self) -> None:
        """Begin."""
        self._most = 0
        self._is_over = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._is_over.wait(0.05):
            self._most = max(self._most, memory("RssAnon"))

    def most(self) -> int:
        """Return the most bytes there were, and stop."""
        self._is_over.set()
        return max(self._most, memory("RssAnon"))


def _limit(more: int) -> None:
    """Let this process take so much more address space, and no more; 0 for no limit."""
    if more:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + more
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


class Scale(Campaign):
    """Many files: first, unchanged, with one section edited, and searched. Trials grow tenfold."""

    name = "T20 scale"
    short = 1
    long = 3

    def trial(self, number: int) -> Verdict | None:
        """Go through one size; the folder and its index stay, to be looked at."""
        if number >= len(SIZES):
            return None
        files = SIZES[number]
        root, index = self.place / f"documents-{files}", self.place / f"index-{files}"
        for folder in (root, index):
            shutil.rmtree(folder, ignore_errors=True)
        chunks = int(self._call("generate", root=str(root), files=files))
        matrix = chunks * _DIM * 4
        where = {"index": str(index), "most_memory": LEAST_MEMORY + matrix + ROOM}
        first = self._call("ingest", root=str(root), **where)
        again = self._call("ingest", root=str(root), **where)
        edit(root)
        edited = self._call("ingest", root=str(root), **where)
        found = self._call("search", **where)
        every = {"first": first, "unchanged": again, "edited": edited, "searches": found}
        wrong = _counts_wrong(first, again, edited, files, chunks)
        wrong += [
            f"{name}: {told['peak'] / 1e6:.0f} MB of memory"
            for name, told in every.items()
            if told["peak"] > LEAST_MEMORY + (derived_bytes(index) if told is found else matrix)
        ]
        if found["own"] > LEAST_MEMORY:
            wrong.append(f"searches: {found['own'] / 1e6:.0f} MB of memory of its own")
        if found["full"] < SEARCHES:
            wrong.append(f"{SEARCHES - found['full']} searches found too little")
        if files == SIZES[-1] and again["seconds"] > MOST_UNCHANGED_SECONDS:
            wrong.append(f"nothing new took {again['seconds']:.0f} s")
        figures = _figures(every, files)
        told = "; ".join(wrong) or ", ".join(f"{key} {value}" for key, value in figures.items())
        return Verdict("wrong" if wrong else "within bounds", bool(wrong), told, figures)

    def _call(self, name: str, **arguments: Any) -> Any:
        outcome = self.server.call(f"faults.scale:{name}", limit=_HOURS, **arguments)
        if outcome.status != 0:
            raise RuntimeError(outcome.error or f"{name} ended with {outcome.status}")
        return outcome.result


def derived_bytes(index: Path) -> int:
    """Return how large the files are that a search maps: vectors and words."""
    return sum(one.stat().st_size for one in index.glob("*.segment"))


def edit(root: Path) -> None:
    """Write other words into one section of one file."""
    [path] = root.glob("area-00/topic-0007/note-000742.md")
    *others, last = path.read_text(encoding="utf-8").split("\n\n")
    path.write_text("\n\n".join([*others, f"Edited {last}"]), encoding="utf-8")


def _counts_wrong(
    first: dict[str, Any], again: dict[str, Any], edited: dict[str, Any], files: int, chunks: int
) -> list[str]:
    """Return in words what was read, embedded or held otherwise than it must be."""
    wanted = {
        "first": (first, {"new": files, "failed": 0, "chunks": chunks, "texts": chunks}),
        "unchanged": (again, {"unchanged": files, "calls": 0, "chunks": chunks}),
        "edited": (edited, {"changed": 1, "unchanged": files - 1, "texts": 1, "chunks": chunks}),
    }
    return [
        f"{name}: {key} {told[key]}, not {value}"
        for name, (told, values) in wanted.items()
        for key, value in values.items()
        if told[key] != value
    ]


def _figures(every: dict[str, dict[str, Any]], files: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, told in every.items():
        for key in ("peak", "own"):
            figures[f"{name}_{files}_{key}_megabytes_max"] = round(told[key] / 1e6, 1)
        for key in ("seconds", "first", "median", "slowest"):
            if key in told:
                ending = "seconds_max" if key == "seconds" else f"{key}_seconds_max"
                figures[f"{name}_{files}_{ending}"] = round(told[key], 3)
    return figures
