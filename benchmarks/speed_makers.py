"""Those who embed, each in a process of its own.

    python benchmarks/speed_makers.py encode TEXTS.json
    python benchmarks/speed_makers.py askmd TEXTS.json PRECISION
    python benchmarks/speed_makers.py products TEXTS.json numpy|torch
    python benchmarks/speed_makers.py ingest FOLDER INDEX encode
    python benchmarks/speed_makers.py ingest FOLDER INDEX drawn

TEXTS.json holds pairs of a text and its tokens. The first three print the seconds of the work
alone, without the start; ingest gives askmd an embedder, and is timed as a whole.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from askmd import Config
    from askmd.contracts import Embedder
    from askmd.types import Vector, Vectors

LAYERS, WIDTH, INNER = 6, 384, 1536
"""all-MiniLM-L6-v2."""
_WARM = 4


def flop_of_products(tokens: int) -> int:
    """Return the floating-point operations of the products with weights, for one text."""
    return LAYERS * tokens * (4 * 2 * WIDTH * WIDTH + 2 * 2 * WIDTH * INNER)


def flop_of_text(tokens: int) -> int:
    """Return those of the whole model, attention inside."""
    return flop_of_products(tokens) + LAYERS * 2 * 2 * tokens * tokens * WIDTH


def encode(texts: Sequence[str]) -> float:
    """Return what sentence-transformers takes as it is shipped."""
    model = _sentence_transformer()
    model.encode(texts[:_WARM], show_progress_bar=False)
    started = time.perf_counter()
    model.encode(texts, show_progress_bar=False)
    return time.perf_counter() - started


def askmd(texts: Sequence[str], precision: str) -> float:
    """Return what askmd's own embedder takes."""
    from askmd import compose
    from speed_grounds import config_of

    embedder = compose.open_embedder(config_of(Path("none"), precision))
    embedder.embed(texts[:_WARM])
    started = time.perf_counter()
    embedder.embed(texts)
    return time.perf_counter() - started


def products(lengths: Sequence[int], library: str) -> float:
    """Return what the model's products with weights take, one thread each on all cores at once."""
    multiply = _torch_products() if library == "torch" else _numpy_products()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(multiply, lengths[: 4 * _WARM]))
        started = time.perf_counter()
        list(pool.map(multiply, sorted(lengths, reverse=True)))
        return time.perf_counter() - started


def _numpy_products() -> Callable[[int], None]:
    import numpy as np

    random = np.random.default_rng(1)
    layers = [
        [random.random(shape, dtype=np.float32) for shape in _shapes()] for _ in range(LAYERS)
    ]
    held = threading.local()

    def multiply(tokens: int) -> None:
        if not hasattr(held, "rows"):
            # Memory that is in use already: new pages would be counted as products.
            held.rows = {w: random.random((512, w), dtype=np.float32) for w in (WIDTH, INNER)}
            held.out = {w: np.zeros((512, w), dtype=np.float32) for w in (WIDTH, INNER)}
        for weights in layers:
            for weight in weights:
                wide, narrow = weight.shape
                np.matmul(held.rows[wide][:tokens], weight, out=held.out[narrow][:tokens])

    return multiply


def _torch_products() -> Callable[[int], None]:
    import torch

    layers = [[torch.rand(shape) for shape in _shapes()] for _ in range(LAYERS)]
    held = threading.local()

    def multiply(tokens: int) -> None:
        if not hasattr(held, "rows"):
            # In each thread: in torch the number of threads is each one's own.
            torch.set_num_threads(1)
            held.rows = {wide: torch.rand((512, wide)) for wide in (WIDTH, INNER)}
            held.out = {wide: torch.zeros((512, wide)) for wide in (WIDTH, INNER)}
        with torch.inference_mode():
            for weights in layers:
                for weight in weights:
                    wide, narrow = weight.shape
                    torch.mm(held.rows[wide][:tokens], weight, out=held.out[narrow][:tokens])

    return multiply


def _shapes() -> list[tuple[int, int]]:
    return [(WIDTH, WIDTH)] * 4 + [(WIDTH, INNER), (INNER, WIDTH)]


def _sentence_transformer() -> Any:
    from sentence_transformers import SentenceTransformer

    from askmd.embed import locate
    from askmd.settings import DEFAULT_MODEL

    return SentenceTransformer(str(locate(DEFAULT_MODEL, "", may_fetch=False)))


class Given:
    """An embedder that is the default model to all the world, and has its vectors elsewhere."""

    def __init__(self, like: Embedder, embed: Callable[[Sequence[str]], Vectors]) -> None:
        self.counter = like.counter
        self.identity = like.identity
        self.embed = embed

    def embed_query(self, text: str) -> Vector:
        """Return the question's vector."""
        return self.embed([text])[0]

    def warm(self) -> None:
        """Nothing to begin."""

    def close(self) -> None:
        """Nothing to let go of."""


def encoding() -> Callable[[Sequence[str]], Vectors]:
    """Return what embeds by ``SentenceTransformer.encode``, imported at the first text."""
    model: list[Any] = []

    def embed(texts: Sequence[str]) -> Vectors:
        model[:] = model or [_sentence_transformer()]
        vectors: Vectors = model[0].encode(list(texts), show_progress_bar=False)
        return vectors

    return embed


def drawing() -> Callable[[Sequence[str]], Vectors]:
    """Return what draws vectors, where no model is measured."""
    from speed_vectors import uniform_vectors

    seeds = count()

    def embed(texts: Sequence[str]) -> Vectors:
        [vectors] = uniform_vectors(len(texts), WIDTH, next(seeds))
        return vectors

    return embed


def ingest(folder: str, index: str, kind: str) -> None:
    """Ingest a folder as askmd does, with another embedder."""
    from askmd import compose, ingest_folder
    from speed_grounds import config_of

    precision, given = ("float32", encoding) if kind == "encode" else ("int8", drawing)
    config: Config = config_of(Path(index), precision)
    embedder = Given(compose.open_embedder(config), given())
    report = ingest_folder(folder, config, embedder=embedder)
    print(json.dumps({"chunks": report.chunks.total}))


def main() -> None:
    kind, *rest = sys.argv[1:]
    if kind == "ingest":
        return ingest(*rest)
    pairs = json.loads(Path(rest[0]).read_text("utf-8"))
    texts = [text for text, _ in pairs]
    if kind == "encode":
        seconds = encode(texts)
    elif kind == "askmd":
        seconds = askmd(texts, rest[1])
    else:
        seconds = products([tokens for _, tokens in pairs], rest[1])
    print(json.dumps(seconds))
    return None


if __name__ == "__main__":
    main()
