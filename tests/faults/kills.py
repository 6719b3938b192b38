"""T1: kill -9 in the middle of everything that writes, and what a fresh process then finds."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from faults import world
from faults.campaign import Campaign, Verdict
from faults.dying import BATCH, PLACES, QUESTIONS
from faults.forks import SOURCE, ForkServer

LOST_TEXTS = 2 * BATCH
"""What a kill costs at most: the batch that is being written, and the one embedded meanwhile."""
_CHANGES = ("change", "delete", "rename", "add", "mixed")
_OPTIONS = {"verify": {"verify": True}, "rebuild": {"rebuild": True}}
_OPTIONS_BESIDE_A_REBUILD = {"prune": {"prune": True}, "rebuild taken up": {"rebuild": True}}


@dataclass(frozen=True, slots=True)
class Notes:
    """What a child noted before it died."""

    generation: int | None
    """The last one that was acknowledged; None where none was."""
    embedded: int


def read_notes(path: Path) -> Notes:
    """Return what stands in a child's notes."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    pairs = [line.split() for line in lines if line]
    generations = [int(number) for kind, number in pairs if kind == "generation"]
    embedded = sum(int(number) for kind, number in pairs if kind == "embedded")
    return Notes(generations[-1] if generations else None, embedded)


@dataclass(frozen=True, slots=True)
class Clean:
    """Documents, and what an index holds and answers that never saw a fault."""

    texts: world.Documents
    documents: Mapping[str, str]
    answers: Any


@dataclass(frozen=True, slots=True)
class Scene:
    """Something to be killed in: what was before, and what is to come of it."""

    name: str
    start: Path | None
    """A folder with the index before; None where there is none."""
    generation: int | None
    """Of that index."""
    old: Clean
    new: Clean
    options: Mapping[str, bool]
    embedded: int
    """Texts that an undisturbed run embeds."""
    again: int
    """Texts that the same command embeds once more after that: those of a rebuild."""
    seconds: float
    """How long that takes."""
    passes: Mapping[str, int]
    """How often it passes each point."""


@dataclass(frozen=True, slots=True)
class Kill:
    """When a process is killed: at a point, or after so many seconds."""

    point: str = ""
    at: int = 0
    kill_after: float | None = None


class Kills(Campaign):
    """A process is killed while it brings an index up to date."""

    name: ClassVar[str] = "T1 kill -9"
    short: ClassVar[int] = 100
    long: ClassVar[int] = 2_000
    trials_of_a_world: ClassVar[int] = 500

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Make the first world's scenes."""
        super().__init__(place, server)
        self._seed = -1
        self._scenes: list[Scene] = []
        self._points: list[tuple[Scene, str]] = []
        self._mixed: dict[str, Any] = {}
        self.prepare(0)

    def prepare(self, seed: int) -> None:
        """Make the scenes of a world: its documents, changes, clean results and durations."""
        if seed == self._seed:
            return
        self._seed = seed
        self._mixed = {}
        before = {**world.documents(seed, 6), "long.md": world.text_of(seed, 12)}
        start = self.place / f"start-{seed}"
        empty = Clean({}, {}, None)
        old = self._clean(before, start)
        self._scenes = [self._scene("ingest", None, empty, old)]
        for kind in _CHANGES:
            new = self._clean(world.changed(before, kind, seed), self.place / "clean")
            shutil.rmtree(self.place / "clean")
            self._scenes.append(self._scene(kind, start, old, new))
        for kind, options in _OPTIONS.items():
            self._scenes.append(self._scene(kind, start, old, new, options))
        broken = self._broken_off(start)
        for kind, options in _OPTIONS_BESIDE_A_REBUILD.items():
            self._scenes.append(self._scene(kind, broken, old, new, options))
        self._points = _in_turn(self._scenes, random.Random(seed))
        passed = {point for _, point in self._points}
        if lost := [place for place in PLACES if not any(one.endswith(place) for one in passed)]:
            raise RuntimeError(f"no scene passes {', '.join(lost)}")

    def trial(self, number: int) -> Verdict:
        """Kill once or twice: at a named point by turns, else at a random moment."""
        self.prepare(number // self.trials_of_a_world)
        chance = random.Random(number)
        if number % 2:
            scene, point = chance.choice(self._scenes), ""
        else:
            scene, point = self._points[number // 2 % len(self._points)]
        kills = [Kill(point, chance.randint(1, scene.passes[point]))] if point else []
        more = chance.choice((0, 0, 0, 0, 1)) + (not point)
        kills += [Kill(kill_after=chance.uniform(0, scene.seconds)) for _ in range(more)]
        here = self.place / "trial"
        begin(here, scene.start, scene.new)
        current = current_database(here)
        finished = 0
        for kill in kills:
            self._do(here, scene.options, **asdict(kill), is_armed=bool(kill.point))
            finished += bool(scene.again) and current != (current := current_database(here))
        asked = number % (10 if number < self.short else 100) == 0
        faults = self._judge(here, scene, is_asked=asked)
        twice = read_notes(here / "notes").embedded - scene.embedded
        # A rebuild that was done before it was killed is done once more.
        twice -= finished * scene.again
        if twice > len(kills) * LOST_TEXTS:
            faults.append(f"{twice} texts were embedded twice")
        kind = scene.name if point else f"{scene.name}, any moment"
        return Verdict(kind, bool(faults), f"{scene.name}: {kills}: {'; '.join(faults)}")

    def _clean(self, texts: world.Documents, here: Path) -> Clean:
        """Return what becomes of documents in a new index."""
        world.write(here / "docs", texts)
        self._do(here, {})
        return clean(texts, self._look(here))

    def _scene(
        self,
        name: str,
        start: Path | None,
        old: Clean,
        new: Clean,
        options: Mapping[str, bool] = MappingProxyType({}),
    ) -> Scene:
        """Return a scene, having run through it twice without a kill."""
        here = self.place / "scene"
        generation = self._look(start)["dump"]["generation"] if start else None
        begin(here, start, new)
        done = self._do(here, options, is_armed=True)
        embedded = read_notes(here / "notes").embedded
        self._do(here, options)
        again = read_notes(here / "notes").embedded - embedded
        passes = done.result["passes"]
        # How long it takes when nobody counts.
        begin(here, start, new)
        done = self._do(here, options)
        return Scene(
            name, start, generation, old, new, options, embedded, again, done.seconds, passes
        )

    def _broken_off(self, start: Path) -> Path:
        """Return a folder as at the start, with a rebuild in it that was not finished."""
        broken = start.with_name(f"{start.name}-broken-off")
        shutil.copytree(start, broken)
        point = "after askmd.store.writer:IndexWriter.write"
        self._do(broken, {"rebuild": True}, point=point, at=2, is_armed=True)
        return broken

    def _do(self, here: Path, options: Mapping[str, bool], **fault: Any) -> Any:
        return self.server.call(
            "faults.dying:ingest",
            docs=str(here / "docs"),
            index=str(here / "index"),
            notes=str(here / "notes"),
            options=dict(options),
            **fault,
        )

    def _look(self, here: Path) -> dict[str, Any]:
        done = self.server.call("faults.dying:look", index=str(here / "index"))
        if done.status:
            raise RuntimeError(done.error)
        found: dict[str, Any] = done.result
        return found

    def _judge(self, here: Path, scene: Scene, *, is_asked: bool) -> list[str]:
        """Return what is wrong with an index after a kill, and after the next ingest."""
        notes = read_notes(here / "notes")
        found = self._look(here)
        faults = self._after_the_kill(scene, notes, found)
        if is_asked and not faults and "error" not in found["answers"]:
            faults += ask_another(here / "index", found["answers"])
        done = self._do(here, scene.options)
        if done.status or "error" in done.result["report"]:
            return [*faults, f"the next ingest failed: {done.error or done.result['report']}"]
        return faults + differences(self._look(here), scene.new)

    def _after_the_kill(self, scene: Scene, notes: Notes, found: Mapping[str, Any]) -> list[str]:
        held, answers = found["dump"], found["answers"]
        acknowledged = scene.generation if notes.generation is None else notes.generation
        if "error" in held or "error" in answers:
            is_none = answers.get("error") == "no_index" and acknowledged is None
            return [] if is_none else [f"it does not open: {held} {answers}"[:1000]]
        faults = list(held["faults"])
        if acknowledged is not None and held["generation"] < acknowledged:
            faults.append(f"generation {held['generation']} after {acknowledged}")
        old, new = scene.old.documents, scene.new.documents
        mine = held["documents"]
        strange = [
            path
            for path in {*mine, *old, *new}
            if mine.get(path) not in (old.get(path), new.get(path))
        ]
        if strange:
            faults.append(f"neither old nor new: {sorted(strange)}")
        elif "rebuild" in scene.options and mine not in (old, new):
            faults.append("a rebuild shows before it is done")
        elif answers != self._answers(scene, mine):
            faults.append("the answers are not those of its documents")
        return faults

    def _answers(self, scene: Scene, held: Mapping[str, str]) -> Any:
        """Return what an index answers that was made of just these documents."""
        for clean in (scene.old, scene.new):
            if held == clean.documents and clean.answers is not None:
                return clean.answers
        key = json.dumps(sorted(held.items()))
        if key not in self._mixed:
            texts = {
                path: (scene.old if scene.old.documents.get(path) == value else scene.new).texts[
                    path
                ]
                for path, value in held.items()
            }
            here = self.place / "mixed"
            self._mixed[key] = self._clean(texts, here).answers if texts else _NOTHING
            shutil.rmtree(here, ignore_errors=True)
        return self._mixed[key]


_NOTHING = {
    f"{mode}: {question}": [] for mode in ("hybrid", "dense", "words") for question in QUESTIONS
}
"""What an empty index answers."""


def current_database(here: Path) -> str:
    """Return the name of the database that is current; empty where there is none."""
    manifest = here / "index" / "manifest.json"
    return json.loads(manifest.read_text(encoding="utf-8"))["database"] if manifest.exists() else ""


def clean(texts: world.Documents, found: Mapping[str, Any]) -> Clean:
    """Return what ``look`` found in an index that never saw a fault."""
    return Clean(texts, found["dump"]["documents"], found["answers"])


def differences(found: Mapping[str, Any], wanted: Clean) -> list[str]:
    """Return in what an index differs, in the end, from one that never saw a fault."""
    held = found["dump"]
    if "error" in held:
        return [f"in the end it does not open: {held}"]
    faults = [f"in the end {one}" for one in held["faults"]]
    if held["documents"] != wanted.documents:
        faults.append("in the end it does not hold what a clean run does")
    if found["answers"] != wanted.answers:
        faults.append("in the end it does not answer as a clean run's does")
    if found["leftovers"]:
        faults.append(f"in the end these are left over: {found['leftovers']}")
    return faults


def begin(here: Path, start: Path | None, new: Clean) -> None:
    """Lay out the index before, and the documents as they are to be."""
    shutil.rmtree(here, ignore_errors=True)
    if start:
        shutil.copytree(start, here, ignore=shutil.ignore_patterns("notes"))
    world.write(here / "docs", new.texts)


def _in_turn(scenes: list[Scene], chance: random.Random) -> list[tuple[Scene, str]]:
    """Return every point of every scene, so that each point comes once before any comes twice."""
    rounds: list[tuple[int, float, Scene, str]] = []
    for point in sorted({point for scene in scenes for point in scene.passes}):
        passing = [scene for scene in scenes if point in scene.passes]
        chance.shuffle(passing)
        rounds += [(turn, chance.random(), scene, point) for turn, scene in enumerate(passing)]
    rounds.sort(key=lambda one: one[:2])
    return [(scene, point) for *_, scene, point in rounds]


def ask_another(index: Path, answers: Mapping[str, Any]) -> list[str]:
    """Return what is wrong where a fresh interpreter answers otherwise than a forked child."""
    question = QUESTIONS[0]
    words = ["search", "--json", "-k", "5", "--index", str(index), question]
    settings = index.parent / "hash.toml"
    settings.write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "askmd", *words, "--config", str(settings)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        timeout=60,
    )
    if done.returncode:
        return [f"a fresh interpreter failed: {done.stderr}"]
    hits = json.loads(done.stdout)["hits"]
    found = [[one["chunk"], one["path"], one["lines"], world.digest(one["text"])] for one in hits]
    wanted = [hit[:4] for hit in answers[f"hybrid: {question}"]]
    return [] if found == wanted else ["a fresh interpreter answers otherwise"]
