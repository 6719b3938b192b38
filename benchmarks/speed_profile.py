"""Where the time goes: the stages of a first ingest, of a cold search and of a warm one.

    python benchmarks/speed_profile.py ingest FOLDER INDEX
    python benchmarks/speed_profile.py cold INDEX QUESTION
    python benchmarks/speed_profile.py warm INDEX

Each prints the seconds of its stages. The stages of an ingest run one after the other here; askmd
lets them overlap.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from speed_clock import Spent, in_turns, spend, table

PRECISION = "int8"
_BATCH_FILES = 20


class Stages:
    """Adds up what each stage takes, in the order they come first."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of what happens inside."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - started


def ingest(folder: str, index: str) -> Stages:
    """Return what each stage of a first ingest takes by itself."""
    stages = Stages()
    with stages.stage("imports"):
        from askmd import compose, store
        from askmd.ingest.reading import Reading, list_documents
        from askmd.types import Indexed
        from speed_grounds import config_of
    config = config_of(Path(index), PRECISION)
    with stages.stage("opening the model"):
        embedder = compose.open_embedder(config)
        embedder.embed(["a first text"])
        identity = compose.wanted_identity(config, embedder)
    root = Path(folder)
    with stages.stage("reading, parsing and cutting"):
        reading = Reading(root, config, embedder.counter, identity.max_tokens, {})
        found = reading.sources(list_documents(root, config))
        sources = [one for one in found if isinstance(one, Indexed)]
    texts = {store.vector_key(one.embedded): one.embedded for s in sources for one in s.chunks}
    with stages.stage("embedding"):
        vectors = dict(zip(texts, embedder.embed(list(texts.values())), strict=True))
    with store.open_writer(Path(index), identity, root) as writer:
        with stages.stage("writing chunks, vectors and words to SQLite"):
            for start in range(0, len(sources), _BATCH_FILES):
                batch = sources[start : start + _BATCH_FILES]
                keys = [store.vector_key(one.embedded) for s in batch for one in s.chunks]
                writer.write(batch, vectors={key: vectors[key] for key in keys})
        with stages.stage("derived files, end"):
            writer.finish("2026-01-01T00:00:00+00:00")
    return stages


def cold(index: str, question: str) -> Stages:
    """Return what each stage of a process's first search takes."""
    stages = Stages()
    with stages.stage("importing the command line"):
        import askmd.cli
        import askmd.cli.verbs  # noqa: F401
    with stages.stage("importing the search"):
        from askmd import compose, store
        from askmd.config import Config
        from askmd.retriever import Retriever
    # Only what askmd itself loads counts: this module has the settings by hand.
    from dataclasses import replace

    from askmd.settings import EmbeddingSettings, IndexSettings

    config = replace(
        Config.load(), index=IndexSettings(index), embedding=EmbeddingSettings(precision=PRECISION)
    )
    with stages.stage("opening the index"):
        opened = store.open_store(Path(index))
        embedder = compose.open_embedder(config, opened.identity)
        retriever = Retriever(opened, embedder, config)
    with stages.stage("the model: libraries, file, first question"):
        embedder.embed_query(question)
    with stages.stage("the store: what a first search touches"):
        opened.warm()
    with stages.stage("the search, its question embedded once more"):
        retriever.find(question)
    return stages


class Timed:
    """A store that notes what each of its methods takes."""

    def __init__(self, index: Any, stages: Stages) -> None:
        self._index = index
        self._stages = stages

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._index, name)
        if not callable(value) or name in ("snapshot", "close"):
            return value

        def call(*given: Any, **named: Any) -> Any:
            with self._stages.stage(f"store.{name}"):
                return value(*given, **named)

        return call


def warm(index: str) -> Stages:
    """Return the median over questions of what each part of a warm search takes."""
    from askmd import Retriever, compose, store
    from speed_grounds import config_of, some_questions

    config = config_of(Path(index), PRECISION)
    opened = store.open_store(Path(index))
    embedder = compose.open_embedder(config, opened.identity)
    each: dict[str, list[float]] = defaultdict(list)
    asked = some_questions()
    with Retriever(opened, embedder, config) as retriever:
        for question in asked[:20]:
            retriever.find(question)
        for question in asked:
            stages = Stages()
            timed = Retriever(Timed(opened, stages), Timed(embedder, stages), config)  # type: ignore[arg-type]
            with stages.stage("whole"):
                timed.find(question)
            for name, seconds in stages.seconds.items():
                each[name].append(seconds)
    told = Stages()
    whole = median(each.pop("whole"))
    for name, values in each.items():
        told.seconds[name.replace("store.embed_query", "the model")] = sum(values) / len(asked)
    rest = whole - sum(told.seconds.values())
    told.seconds["ranking and all else"] = rest
    return told


def profile(ground: Any) -> str:
    """Return the stages of all three, medians over the runs."""
    import shutil

    from speed_grounds import SIZES, some_questions

    small, large = (min(size, ground.most) for size in SIZES[1:3])
    index, store = ground.index(small, PRECISION), ground.store(large, PRECISION).index
    asked = some_questions(ground.runs)

    def made(*words: object) -> Callable[[int], Spent]:
        command = [sys.executable, __file__, *map(str, words)]
        return lambda _: spend(command)

    def first(run: int) -> Spent:
        shutil.rmtree(ground.home / "profiled", ignore_errors=True)
        return made("ingest", ground.documents(), ground.home / "profiled")(run)

    makers = {
        f"first ingest of {ground.documents().name}": first,
        f"cold search, {small:,} chunks": lambda run: made("cold", index, asked[run])(run),
        f"warm search, {large:,} chunks": made("warm", store),
    }
    # The first search of an index measures its floor.
    made("cold", index, asked[0])(0)
    taken = in_turns(makers, ground.runs)
    shutil.rmtree(ground.home / "profiled")
    return "\n\n".join(_stages(name, spent) for name, spent in taken.items())


def _stages(name: str, spent: list[Spent]) -> str:
    seconds = {stage: median(one.told[stage] for one in spent) for stage in spent[0].told}
    if not name.startswith("warm"):
        inside = [sum(one.told.values()) for one in spent]
        whole = median(one.seconds - own for one, own in zip(spent, inside, strict=True))
        seconds["the interpreter, to its end"] = whole
    total = sum(seconds.values())
    rows = [
        [stage, f"{1000 * value:,.1f}", f"{100 * value / total:.0f}"]
        for stage, value in seconds.items()
    ]
    rows.append(["sum", f"{1000 * total:,.1f}", "100"])
    return table([name, "ms", "%"], rows)


KINDS = {one.__name__: one for one in (ingest, cold, warm)}

if __name__ == "__main__":
    print(json.dumps(KINDS[sys.argv[1]](*sys.argv[2:]).seconds))
