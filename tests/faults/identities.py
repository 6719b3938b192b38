"""T19: an index asked with other settings than it was made with, and rebuilt for them.

The other settings are those of another embedder, which in a child stands in the hash embedder's
place: one field of its identity differs, and so do its vectors.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

from faults import dying, kills, world
from faults.campaign import Campaign, Verdict
from faults.forks import ForkServer, Outcome

OTHERS: Mapping[str, Any] = {
    "provider": "other",
    "model": "other-384",
    "revision": "other",
    "dim": 128,
    "query_prefix": "query: ",
    "passage_prefix": "passage: ",
    "tokenizer": "other-pieces",
    "max_tokens": 60,
    "chunker": 999,
    "normalised": False,
    "precision": "int8",
}
"""By the field of an identity, another value."""
FIELDS = (*OTHERS, "schema")
NAMED = {**{name: name for name in OTHERS}, "schema": "another version of askmd"}
"""By what differs, the words with which a refusal names it."""
FIX = re.compile(r"askmd ingest (FOLDER )?--rebuild")
_TRIALS_OF_A_FIELD = 5
QUESTION = world.QUESTIONS[0]


# --- in a child --------------------------------------------------------------------------------


def become(field: str) -> None:
    """Ask from now on for an index that differs in this field; empty: for the usual one."""
    from askmd.embed.hash import HashEmbedder
    from askmd.store import schema

    if not field:
        return
    if field == "schema":
        dying.replace_everywhere(schema, "SCHEMA", lambda known: "999")
        return

    def identity(known: Callable[..., Any]) -> Callable[..., Any]:
        def told(embedder: HashEmbedder, **options: Any) -> Any:
            return replace(known(embedder, **options), **{field: OTHERS[field]})

        return told

    def embed(known: Callable[..., Any]) -> Callable[..., Any]:
        return lambda embedder, texts: known(embedder, [f"{text} {field}" for text in texts])

    def make(known: Callable[..., None]) -> Callable[..., None]:
        return lambda embedder, counter: known(embedder, counter, dim=OTHERS["dim"])

    dying.replace_everywhere(HashEmbedder, "identity", identity)
    dying.replace_everywhere(HashEmbedder, "embed", embed)
    if field == "dim":
        dying.replace_everywhere(HashEmbedder, "__init__", make)


def ingest(field: str, **arguments: Any) -> dict[str, Any]:
    """Ingest as ``dying.ingest`` does, with settings that differ in a field."""
    become(field)
    return dying.ingest(**arguments)


def look(field: str, index: str) -> dict[str, Any]:
    """Return what a fresh process with such settings makes of an index; see ``dying.look``."""
    become(field)
    return dying.look(index)


def askmd(words: Sequence[str], field: str = "") -> None:
    """Run the command line with such settings; leaves with its exit status."""
    become(field)
    from askmd import cli

    sys.argv = ["askmd", *words]
    # The server has read from its own, and this one is empty.
    sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    cli.main()


def read_meanwhile(index: str, docs: str, field: str) -> list[list[Any]]:
    """Return what was answered, before, during and after a rebuild for another field.

    Each is a pair: of a retriever that was opened before, and of one that is opened then; of an
    error its code.
    """
    from askmd.compose import open_embedder
    from askmd.errors import AskmdError
    from askmd.ingest import ingest_folder
    from askmd.retriever import Retriever

    settings = world.settings(index)
    # Made before the settings differ: what the index was made with.
    usual = open_embedder(settings)
    found: list[list[Any]] = []

    def ask(retriever: Retriever) -> Any:
        try:
            return [
                [hit.chunk, round(hit.score, 4)]
                for question in dying.QUESTIONS
                for hit in retriever.search(question, limit=5)
            ]
        except AskmdError as error:
            return error.code

    def ask_both() -> None:
        try:
            with Retriever.open(settings, embedder=usual) as fresh:
                found.append([ask(first), ask(fresh)])
        except AskmdError as error:
            found.append([ask(first), error.code])

    with Retriever.open(settings, embedder=usual) as first:
        ask_both()
        other = _Other(field)
        ingest_folder(
            docs, settings, rebuild=True, embedder=other, progress=lambda progress: ask_both()
        )
        ask_both()
    with Retriever.open(settings, embedder=other) as last:
        found.append([ask(last), ask(last)])
    return found


class _Other:
    """An embedder whose identity differs in a field, and its vectors with it."""

    def __init__(self, field: str) -> None:
        from askmd.embed.hash import HashEmbedder
        from askmd.tokens import HashCounter

        self.counter = HashCounter()
        self._known = HashEmbedder(self.counter, dim=OTHERS["dim"] if field == "dim" else 384)
        self._field = field

    def identity(self, **options: Any) -> Any:
        return replace(self._known.identity(**options), **{self._field: OTHERS[self._field]})

    def embed(self, texts: Sequence[str]) -> Any:
        return self._known.embed([f"{text} {self._field}" for text in texts])

    def embed_query(self, text: str) -> Any:
        return self.embed([text])[0]

    def warm(self) -> None:
        self._known.warm()

    def close(self) -> None:
        self._known.close()


# --- in the parent -----------------------------------------------------------------------------


def held_bytes(folder: Path) -> dict[str, str]:
    """Return an index's files by the hash of what they hold; not what SQLite's readers put there.

    A reader's -shm file holds no data, nor does a log of no length.
    """
    return {
        path.name: world.digest(path.read_bytes().hex())
        for path in sorted(folder.iterdir())
        if not path.name.endswith("-shm") and (path.stat().st_size or path.suffix != ".sqlite3-wal")
    }


class Refusals(Campaign):
    """Each field of the identity is changed alone: who asks, and who ingests, is refused."""

    name: ClassVar[str] = "T19 refusals"
    short: ClassVar[int] = len(FIELDS)
    long: ClassVar[int] = len(FIELDS)

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Make an index."""
        super().__init__(place, server)
        self._docs, self._index = place / "docs", place / "index"
        self._settings = place / "hash.toml"
        self._settings.write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
        world.write(self._docs, world.documents(1, 6))
        server.call("faults.world:ingest", root=str(self._docs), index=str(self._index))
        self._answer = self._run("search", QUESTION, field="").output

    def trial(self, number: int) -> Verdict | None:
        """Ask and ingest with one field changed, then ask with the usual settings."""
        if number >= len(FIELDS):
            return None
        field = FIELDS[number]
        before = held_bytes(self._index)
        faults = _refusal(field, self._run("search", QUESTION, field=field))
        faults += _refusal(field, self._run("ingest", str(self._docs), field=field))
        faults += _refusal_in_json(field, self._run("ingest", "--json", field=field))
        if held_bytes(self._index) != before:
            faults.append("it was changed on the disk")
        if self._run("search", QUESTION, field="").output != self._answer:
            faults.append("the old settings find something else")
        return Verdict("refused", bool(faults), f"{field}: {'; '.join(faults)}")

    def _run(self, verb: str, *words: str, field: str) -> Outcome:
        options = ["--config", str(self._settings), "--index", str(self._index)]
        return self.server.call(
            "faults.identities:askmd", words=[verb, *options, *words], field=field
        )


def _refusal(field: str, told: Outcome) -> list[str]:
    """Return what is wrong with how a command line was refused."""
    lines = told.output.strip().split("\n")
    is_told = len(lines) == 1 and NAMED[field] in lines[0] and FIX.search(lines[0])
    return [] if told.status == 1 and is_told else [f"{told.status}: {told.output}{told.error}"]


def _refusal_in_json(field: str, told: Outcome) -> list[str]:
    try:
        error = json.loads(told.output)["error"]
    except (ValueError, LookupError):
        return [f"{told.status}: {told.output}{told.error}"]
    is_told = NAMED[field] in error["message"] and FIX.search(error["next"])
    is_refused = (told.status, error["code"]) == (1, "index_mismatch")
    return [] if is_told and is_refused else [f"{told.status}: {error}"]


class Migrations(Campaign):
    """A rebuild with other settings is killed: until it is published the old index answers."""

    name: ClassVar[str] = "T19 kills during a rebuild for another identity"
    short: ClassVar[int] = 15
    long: ClassVar[int] = 200

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Make an index with the usual settings."""
        super().__init__(place, server)
        self._start = place / "start"
        self._texts = world.documents(2, 5)
        world.write(self._start / "docs", self._texts)
        self._ingest(self._start, "", {})
        self._old = self._look(self._start, "")
        self._scenes: dict[str, kills.Scene] = {}

    def trial(self, number: int) -> Verdict:
        """Kill a rebuild for another field: at a named point by turns, else at a random moment."""
        chance = random.Random(number)
        field = FIELDS[number // _TRIALS_OF_A_FIELD % len(FIELDS)]
        scene = self._scene(field)
        here = self.place / "trial"
        kills.begin(here, scene.start, scene.new)
        if number % 2:
            kill = kills.Kill(kill_after=chance.uniform(0, scene.seconds))
        else:
            point = chance.choice(sorted(scene.passes))
            # By turns the last pass, which is near the moment of publication.
            first = scene.passes[point] if number % 4 else 1
            kill = kills.Kill(point, chance.randint(first, scene.passes[point]))
        self._ingest(here, field, scene.options, is_armed=bool(kill.point), **asdict(kill))
        is_done = kills.current_database(here) != kills.current_database(self._start)
        faults = self._judge(here, scene, field, is_done=is_done)
        kind = "published" if is_done else "not yet published"
        return Verdict(kind, bool(faults), f"{field}, {kill}: {'; '.join(faults)}")

    def _judge(self, here: Path, scene: kills.Scene, field: str, *, is_done: bool) -> list[str]:
        """Return what is wrong after a kill, and once the rebuild was taken up again."""
        faults = self._served(here, scene, field, is_done=is_done)
        done = self._ingest(here, field, scene.options)
        if done.status or "error" in done.result["report"]:
            return [*faults, f"the next rebuild failed: {done.error or done.result['report']}"]
        faults += kills.differences(self._look(here, field), scene.new)
        twice = kills.read_notes(here / "notes").embedded - scene.embedded * (1 + is_done)
        if twice > kills.LOST_TEXTS:
            faults.append(f"{twice} texts were embedded twice")
        return faults

    def _served(self, here: Path, scene: kills.Scene, field: str, *, is_done: bool) -> list[str]:
        """Return what is wrong unless one of both settings is answered, the other refused."""
        usual, other = self._look(here, ""), self._look(here, field)
        answered, refused = (other, usual) if is_done else (usual, other)
        wanted = scene.new.answers if is_done else self._old["answers"]
        faults = list(answered["dump"]["faults"])
        if answered["answers"] != wanted:
            faults.append(f"it answers otherwise: {str(answered['answers'])[:300]}")
        if refused["answers"].get("error") != "index_mismatch":
            faults.append(f"it does not refuse: {str(refused['answers'])[:300]}")
        return faults

    def _scene(self, field: str) -> kills.Scene:
        """Return what comes of a rebuild for a field that nobody kills."""
        if field not in self._scenes:
            here, options = self.place / "scene", {"rebuild": True}
            world.write(here / "docs", self._texts)
            self._ingest(here, field, {})
            new = kills.clean(self._texts, self._look(here, field))
            kills.begin(here, self._start, new)
            done = self._ingest(here, field, options, is_armed=True)
            embedded = kills.read_notes(here / "notes").embedded
            old = kills.clean(self._texts, self._old)
            generation = self._old["dump"]["generation"]
            passes = done.result["passes"]
            self._scenes[field] = kills.Scene(
                field,
                self._start,
                generation,
                old,
                new,
                options,
                embedded,
                embedded,
                done.seconds,
                passes,
            )
            shutil.rmtree(here)
        return self._scenes[field]

    def _ingest(self, here: Path, field: str, options: Mapping[str, bool], **fault: Any) -> Outcome:
        return self.server.call(
            "faults.identities:ingest",
            field=field,
            docs=str(here / "docs"),
            index=str(here / "index"),
            notes=str(here / "notes"),
            options=dict(options),
            **fault,
        )

    def _look(self, here: Path, field: str) -> dict[str, Any]:
        done = self.server.call("faults.identities:look", field=field, index=str(here / "index"))
        if done.status:
            raise RuntimeError(done.error)
        found: dict[str, Any] = done.result
        return found
