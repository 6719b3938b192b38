"""What one thread is answered in each generation, kept by who writes, and answers judged by it.

Each writer keeps, before anything follows on a generation, what it is answered in it. Every answer
a reader gets is compared with what was kept of its generation.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from askmd.errors import IndexLocked
from faults import world

if TYPE_CHECKING:
    from askmd.retriever import Retriever
    from askmd.types import Mode, Progress

MOST_LOCKED_SECONDS = 5.0
"""A writer that comes too late says so after half a second, on a machine that has nothing else."""
BATCH_TEXTS = 12
MODES: tuple[Mode, ...] = ("hybrid", "dense", "words")
ASKED = list(itertools.product(world.QUESTIONS, MODES))
LIMIT = 5
_SAME_SCORE = 1e-4
_LOCKED = re.compile(r"(process \d+|another process) is writing")
Answer = list[list[Any]]
"""For each hit its chunk, path, lines, text's hash and score."""


def answer(retriever: Retriever, number: int) -> Answer:
    """Return what a question of ASKED is answered."""
    question, mode = ASKED[number % len(ASKED)]
    return [
        [hit.chunk, hit.path, *hit.lines, world.digest(hit.text), hit.score]
        for hit in retriever.search(question, limit=LIMIT, mode=mode)
    ]


def is_same(one: Answer, other: Answer) -> bool:
    """Whether two answers are the same but for what a sum in another order comes to."""
    pairs = list(zip(one, other, strict=False))
    is_close = all(abs(mine[-1] - theirs[-1]) < _SAME_SCORE for mine, theirs in pairs)
    return len(one) == len(other) and is_close and [h[:-1] for h in one] == [h[:-1] for h in other]


class Witness:
    """Keeps what one thread is answered in each generation that a writer leaves behind."""

    def __init__(self, index: str, kept: Path) -> None:
        """Look at an index, and keep a file for each generation in a folder."""
        from askmd.retriever import Retriever

        self._open = lambda: Retriever.open(world.settings(index))
        self._manifest = Path(index) / "manifest.json"
        self._kept = kept
        self._last = -1
        self._retriever: Retriever | None = None

    def look(self, progress: Progress | None = None) -> None:
        """Keep the answers of the generation that is current, unless they are kept."""
        with contextlib.suppress(FileNotFoundError):
            current = json.loads(self._manifest.read_text(encoding="utf-8"))["generation"]
            if current != self._last and current > 0:
                self._last = self._keep()

    def _keep(self) -> int:
        self._retriever = self._retriever or self._open()
        with self._retriever.snapshot():
            generation = self._retriever.generation
            file = self._kept / f"{generation}.json"
            if not file.exists():
                answers = [answer(self._retriever, number) for number in range(len(ASKED))]
                draft = file.with_suffix(f".{os.getpid()}")
                draft.write_text(json.dumps(answers), encoding="utf-8")
                draft.replace(file)
        return generation


def witnessed(kept: Path) -> dict[int, list[Answer]]:
    """Return the answers of each generation, in the order of ASKED."""
    return {int(one.stem): json.loads(one.read_bytes()) for one in kept.glob("*.json")}


@dataclass(slots=True)
class Log:
    """A child's own file, a line for each thing that happened; a kill costs the last line."""

    path: Path

    def note(self, **told: Any) -> None:
        """Add a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": time.time(), **told}) + "\n")

    @staticmethod
    def read(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield each line of every log, in order, and whose it is."""
        for path in sorted(folder.glob("*.log")):
            for line in path.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):
                    yield path.stem, json.loads(line)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial stands."""

    home: Path
    seed: int

    @property
    def root(self) -> str:
        """The documents."""
        return str(self.home / "documents")

    @property
    def index(self) -> str:
        """The index."""
        return str(self.home / "index")

    @property
    def kept(self) -> Path:
        """What is kept of each generation."""
        return self.home / "kept"

    @property
    def over(self) -> Path:
        """Is there once everybody is to end."""
        return self.home / "over"

    def goes_on(self, parent: int) -> bool:
        """Whether nobody has said that it is over, or died who might."""
        return not self.over.exists() and os.getppid() == parent


def ingest_once(place: Place, witness: Witness, log: Log, *, rebuild: bool = False) -> None:
    """Bring the index up to date, or note that somebody else does."""
    from askmd.ingest import ingest_folder, journey

    journey.BATCH_TEXTS = BATCH_TEXTS
    started = time.monotonic()
    try:
        ingest_folder(
            place.root, world.settings(place.index), rebuild=rebuild, progress=witness.look
        )
    except IndexLocked as error:
        is_named = "another" not in error.message
        is_told = bool(_LOCKED.search(error.message)) or "keeps" in error.message
        log.note(locked=time.monotonic() - started, named=is_named, told=is_told)
    else:
        witness.look()
        log.note(ingested=time.monotonic() - started)


class Found:
    """What the logs of a trial tell."""

    def __init__(self, began: float) -> None:
        """Know nothing yet; began: Unix time of the first writer beside the readers."""
        self.wrong: dict[str, list[str]] = {}
        self.figures: Counter[str] = Counter()
        self._began = began
        self._idle: list[float] = []
        self._busy: list[float] = []
        self._newest: dict[str, int] = {}

    def fault(self, kind: str, what: object) -> None:
        """Note something wrong."""
        self.wrong.setdefault(kind, []).append(str(what)[:300])

    def line(self, name: str, told: dict[str, Any], kept: dict[int, list[Answer]]) -> None:
        """Judge a line of a log."""
        if "error" in told:
            self.fault("an error", f"{name}: {told['error']}")
        elif "found" in told:
            self._answer(name, told, kept)
        elif "locked" in told:
            self.figures["locked"] += 1
            self.figures["locked_named"] += told["named"]
            self._at_most("locked_seconds_max", told["locked"])
            if not told["told"] or told["locked"] > MOST_LOCKED_SECONDS:
                self.fault("a lock that is not told of", told)
        else:
            self.figures.update({key: 1 for key in told if key != "at"})

    def _answer(self, name: str, told: dict[str, Any], kept: dict[int, list[Answer]]) -> None:
        self.figures["queries"] += 1
        generation = told["generation"]
        who = f"{name} {told.get('thread', '')}"
        if generation < self._newest.get(who, 0):
            self.fault("a step back", f"{who}: {self._newest[who]}, then {generation}")
        self._newest[who] = generation
        if generation not in kept:
            # One nobody has written to yet holds nothing.
            if generation or told["found"]:
                self.fault("a generation that nobody left", generation)
        elif not is_same(told["found"], kept[generation][told["asked"]]):
            wanted = kept[generation][told["asked"]]
            self.fault("a wrong answer", [generation, ASKED[told["asked"]], told["found"], wanted])
        if "seconds" in told:
            (self._busy if told["at"] > self._began else self._idle).append(told["seconds"])

    def _at_most(self, name: str, value: float) -> None:
        self.figures[name] = max(self.figures[name], value)

    def timed(self) -> dict[str, float]:
        """Return what was counted, and how long searches took."""
        found = {key: float(value) for key, value in self.figures.items()}
        idle, busy = _slow(self._idle), _slow(self._busy)
        found |= {"idle_p99_milliseconds_max": 1000 * idle, "p99_milliseconds_max": 1000 * busy}
        return found | {"p99_times_idle_max": busy / idle if idle else 0.0}


def _slow(seconds: list[float]) -> float:
    """Return what 99 of 100 stay below."""
    return sorted(seconds)[len(seconds) * 99 // 100] if seconds else 0.0


def judge(place: Place, began: float) -> Found:
    """Return what the logs of a trial tell, compared with what was kept of each generation."""
    found, kept = Found(began), witnessed(place.kept)
    for name, told in Log.read(place.home):
        found.line(name, told, kept)
    found.figures["generations"] = len(kept)
    held = world.dump(place.index)
    for fault in held["faults"]:
        found.fault("an index that is not whole", fault)
    if found.figures["queries"] and held["generation"] < max(kept):
        found.fault("lost generations", f"{held['generation']} of {max(kept)}")
    return found
