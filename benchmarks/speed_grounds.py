"""What is measured on: grown folders and indexes of any size, real questions, real vectors.

All of it is made once in a folder and found there again.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import grow
import quality
from askmd import Config, compose, store
from askmd.settings import EmbeddingSettings, IndexSettings
from askmd.types import Indexed
from speed_clock import evenly, spend

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from speed_vectors import Vectors

HERE = Path(__file__).absolute().parent
SEED = 5
SIZES = (1_000, 10_000, 100_000, 1_000_000)
PRECISIONS = ("float32", "int8")
QUESTIONS = 300
"""So many of the sets' questions are asked, at even distances, where each is timed by itself."""
BATCH_CHUNKS = 4_000
CORPUS = (quality.EVAL.parent / "corpora" / "fastapi").absolute()


@dataclass(frozen=True, slots=True)
class Built:
    """A large index with what is known of its making."""

    index: Path
    matrix: Path
    """All vectors in the order of the chunks' numbers: a .npy file."""
    ids: Path
    """The chunks' ids in the same order: a .npy file."""


@dataclass(frozen=True)
class Ground:
    """A folder of things to measure on."""

    home: Path
    runs: int
    most: int
    """No size is larger."""
    peer_python: str | None
    plot: Path
    """Where the plot is drawn."""

    @property
    def sizes(self) -> list[int]:
        """The sizes that are measured, in chunks."""
        return [size for size in SIZES if size <= self.most] or [self.most]

    @cached_property
    def corpus(self) -> grow.Corpus:
        """The shared documents, taken apart."""
        return grow.read_corpus(grow.documents())

    def settings(self, precision: str) -> Path:
        """Return a settings file that asks for a precision."""
        path = self.home / f"{precision}.toml"
        path.write_text(f'[embedding]\nprecision = "{precision}"\n', encoding="utf-8")
        return path

    def folder(self, chunks: int) -> Path:
        """Return a grown folder of about so many chunks."""
        target = self.home / f"grown-{chunks}"
        return once(target, lambda new: grow.write_folder(new, self.corpus, chunks, SEED))

    def files(self, count: int) -> Path:
        """Return a grown folder of so many files."""
        texts = grow.files(self.corpus, 100 * count, SEED)
        target = self.home / f"files-{count}"
        return once(target, lambda new: grow.write_texts(new, islice(texts, count)))

    def documents(self) -> Path:
        """Return the real folder that ingest is measured on, or a grown one of fewer chunks."""
        return CORPUS if self.most >= SIZES[1] else self.folder(self.most)

    def index(self, chunks: int, precision: str) -> Path:
        """Return the index of a grown folder, made by ``askmd ingest`` with the real model."""
        folder = self.folder(chunks)
        target = self.home / f"index-{chunks}-{precision}"
        return once(target, lambda new: spend(self.askmd("ingest", folder, new, precision)))

    def askmd(self, verb: str, what: str | Path, index: Path, precision: str) -> list[str | Path]:
        """Return the command that ingests a folder, or searches for a question."""
        program = Path(sys.executable).with_name("askmd")
        options = ["--index", index, "--config", self.settings(precision)]
        return [program, verb, what, *options]

    def store(self, chunks: int, precision: str, *, uniform: bool = False) -> Built:
        """Return an index of so many grown chunks and vectors, written through the store."""
        target = self.home / f"store-{chunks}-{'uniform' if uniform else precision}"

        def write(new: Path) -> None:
            started = time.monotonic()
            last = _write_store(self, new, chunks, precision, uniform=uniform)
            told = {"seconds": time.monotonic() - started, "last_seconds": last}
            (new / "told.json").write_text(json.dumps(told), encoding="utf-8")

        once(target, write)
        return Built(target / "index", target / "matrix.npy", target / "ids.npy")


def config_of(index: Path, precision: str) -> Config:
    """Return the defaults with an index and a precision."""
    embedding = EmbeddingSettings(precision=precision)
    return replace(Config.load(), index=IndexSettings(str(index)), embedding=embedding)


def once(target: Path, make: Callable[[Path], object]) -> Path:
    """Return a folder, made by ``make`` unless it is there; a broken attempt leaves none."""
    if not target.exists():
        new = target.with_name(f"{target.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        print(f"  making {target.name}", file=sys.stderr, flush=True)
        make(new)
        new.rename(target)
    return target


def size_of(paths: Iterator[Path]) -> int:
    """Return the bytes of some files."""
    return sum(path.stat().st_size for path in paths if path.is_file())


def questions() -> list[str]:
    """Return the questions of all sets."""
    if not quality.EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {quality.EVAL}")
    return [
        json.loads(row)["question"]
        for name in quality.SETS
        for row in (quality.EVAL / name / "questions.jsonl").read_text("utf-8").splitlines()
    ]


def some_questions(count: int = QUESTIONS) -> list[str]:
    """Return some of the questions, of all sets."""
    return evenly(questions(), count)


def database_of(index: Path) -> Path:
    """Return an index's database."""
    manifest = json.loads((index / "manifest.json").read_text("utf-8"))
    return index / manifest["database"]


def real_vectors(home: Path) -> tuple[Vectors, Vectors]:
    """Return the vectors of the shared documents' chunks, and those of all questions."""
    import numpy as np

    path = home / "real.npz"
    if not path.exists():
        from speed_fit import cut_chunks

        embedder = compose.open_embedder(config_of(home, "float32"))
        texts = [path.read_text(encoding="utf-8") for path in grow.documents()]
        chunks = [one.embedded for one in cut_chunks(texts)]
        asked = np.stack([embedder.embed_query(one) for one in questions()])
        np.savez(path, V=embedder.embed(chunks), Q=asked)
    held = np.load(path)
    return held["V"], held["Q"]


def question_vectors(home: Path, count: int = QUESTIONS) -> Vectors:
    """Return the vectors of ``some_questions``."""
    return real_vectors(home)[1][evenly(range(len(questions())), count)]


def _write_store(
    ground: Ground, folder: Path, chunks: int, precision: str, *, uniform: bool
) -> float:
    """Write a store with its vectors and ids beside it; return the seconds of its end."""
    import numpy as np
    from numpy.lib.format import open_memmap

    config = config_of(folder / "index", precision)
    identity = compose.wanted_identity(config, compose.open_embedder(config))
    folder.mkdir()
    shape = (chunks, identity.dim)
    matrix = open_memmap(folder / "matrix.npy", mode="w+", dtype=np.float32, shape=shape)
    ids: list[str] = []
    vectors = _vectors(ground, chunks, uniform=uniform)
    with store.open_writer(config.index_folder, identity, folder) as writer:
        for batch in _batches(grow.stream(ground.corpus, chunks, SEED)):
            texts = [one for indexed in batch for one in indexed.chunks]
            rows = np.stack(list(islice(vectors, len(texts))))
            matrix[len(ids) : len(ids) + len(texts)] = rows
            ids += [one.id for one in texts]
            keys = [store.vector_key(one.embedded) for one in texts]
            writer.write(batch, vectors=dict(zip(keys, rows, strict=True)))
        started = time.monotonic()
        writer.finish("2026-01-01T00:00:00+00:00")
        last = time.monotonic() - started
    np.save(folder / "ids.npy", np.array(ids, dtype="S32"))
    return last


def _vectors(ground: Ground, count: int, *, uniform: bool) -> Iterator[npt.NDArray[np.float32]]:
    from speed_vectors import grown_vectors, uniform_vectors

    real, _ = real_vectors(ground.home)
    some = uniform_vectors(count, real.shape[1], SEED)
    for rows in some if uniform else grown_vectors(real, count, SEED):
        yield from rows


def _batches(documents: Iterator[Indexed]) -> Iterator[list[Indexed]]:
    batch: list[Indexed] = []
    for one in documents:
        batch.append(one)
        if sum(len(each.chunks) for each in batch) >= BATCH_CHUNKS:
            yield batch
            batch = []
    if batch:
        yield batch


def told_of(built: Built) -> str:
    """Return what a store took to be written, and how large it is."""
    told = json.loads((built.index.parent / "told.json").read_text("utf-8"))
    derived = size_of(built.index.glob("*.segment"))
    return (
        f"written in {told['seconds']:.0f} s, {told['last_seconds']:.0f} s of it for what is "
        f"derived; {size_of(built.index.glob('*')) / 1e9:.2f} GB, {derived / 1e9:.2f} GB of it"
    )
