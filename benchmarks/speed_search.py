"""How fast one warm process finds: rows ``vectors``, ``words``, ``hybrid`` and ``growth``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from speed_asking import FEW, words_of
from speed_clock import evenly, in_turns, percentile, ratio, spend, table
from speed_grounds import (
    HERE,
    QUESTIONS,
    SIZES,
    Built,
    Ground,
    database_of,
    once,
    size_of,
    some_questions,
    told_of,
)

ASKING, PEERS = HERE / "speed_asking.py", HERE / "speed_peers.py"
Told = dict[str, Any]
PRECISION = "int8"
_NEAR = 2e-6
"""Cosines this near are equal to the store, which tells six decimals."""
_TOP = 5


def asking(ground: Ground, kind: str, built: Built, limit: int = 10) -> Callable[[int], Told]:
    """Return a maker that asks an index in a process of its own."""
    command = [sys.executable, ASKING, kind, built.index, ground.home, str(limit)]
    return lambda _: dict(spend(command).told)


def middles(told: Sequence[Told], key: str = "seconds") -> tuple[float, float]:
    """Return the medians over the runs of the 50th and the 95th percentile, in ms."""
    return (
        median(1000 * percentile(one[key], 50) for one in told),
        median(1000 * percentile(one[key], 95) for one in told),
    )


def both(told: Sequence[Told], key: str = "seconds") -> str:
    """Return the two percentiles as a cell."""
    return " / ".join(f"{one:.2f}" for one in middles(told, key))


def vectors(ground: Ground) -> str:
    """Return how vectors are found, how many of the nearest are, and what that needs on disk."""
    built = {f"{size:,}": ground.store(size, PRECISION) for size in ground.sizes}
    uniform = ground.sizes[-1] if ground.most < SIZES[2] else SIZES[2]
    built[f"{uniform:,}, uniform random"] = ground.store(uniform, PRECISION, uniform=True)
    rows = [[name, *_found_vectors(ground, one)] for name, one in built.items()]
    heads = ["vectors", "dense(10), p50 / p95 ms", "dense(200)", "all rows by numpy, p50 ms"]
    heads += ["so much faster", "recall@10 %", "cold open, s", "derived / float32 bytes"]
    reach = ["at most, of the largest", "3 ms", "", "", "", "98", "1", "1.3"]
    made = [f"- {name}: {told_of(one)}" for name, one in built.items()]
    return "\n\n".join(
        [table(heads, [*rows, reach]), _crossing(ground), "\n".join(made), _ratios(ground)]
    )


def _found_vectors(ground: Ground, built: Built) -> list[str]:
    makers = {
        "dense": asking(ground, "dense", built),
        "many": asking(ground, "dense", built, 200),
        "exact": asking(ground, "exact", built),
        "first": asking(ground, "first", built),
    }
    taken = in_turns(makers, ground.runs)
    truth = asking(ground, "truth", built)(0)["found"]
    fast = [percentile(one["seconds"], 50) for one in taken["dense"]]
    slow = [percentile(one["seconds"], 50) for one in taken["exact"]]
    derived = size_of(built.index.glob("vectors-*"))
    return [
        both(taken["dense"]),
        both(taken["many"]),
        f"{1000 * median(slow):.2f}",
        f"{ratio(slow, fast):.1f}",
        f"{100 * _recall(taken['dense'][0]['found'], truth):.2f}",
        f"{median(one['seconds'][0] for one in taken['first']):.2f}",
        f"{derived / built.matrix.stat().st_size:.2f}",
    ]


def _recall(found: Sequence[Any], truth: Sequence[Any]) -> float:
    """Return the mean share of the nearest that were found; what is as near will do too."""
    shares = []
    for own, best in zip(found, truth, strict=True):
        least, names = best[-1][1] - _NEAR, {id for id, _ in best}
        shares.append(sum(id in names or score >= least for id, score in own) / len(best))
    return sum(shares) / len(shares)


def _crossing(ground: Ground) -> str:
    """Return in how many questions the first five change where an approximate index begins."""
    from askmd.store.vectors import APPROXIMATE

    if ground.most < APPROXIMATE:
        return f"Too few chunks to cross the size of {APPROXIMATE:,}."
    below, above = (
        _places(ground, ground.store(size, PRECISION)) for size in (APPROXIMATE - 1, APPROXIMATE)
    )
    moved = sum(one != other for one, other in zip(below, above, strict=True))
    return (
        f"From {APPROXIMATE - 1:,} to {APPROXIMATE:,} chunks, where the approximate index begins, "
        f"{moved} of {len(below)} questions have another order of their first five "
        f"({100 * moved / len(below):.1f} %, at most 2)."
    )


def _places(ground: Ground, built: Built) -> list[list[int]]:
    """Return which rows each question finds first; the same rows have other text in each size."""
    import numpy as np

    rows = {id.decode(): row for row, id in enumerate(np.load(built.ids))}
    found = asking(ground, "dense", built, _TOP)(0)["found"]
    # Of equal ones the store puts the lower id first, which is another here than there.
    return [[row for _, row in sorted((-score, rows[id]) for id, score in one)] for one in found]


def _ratios(ground: Ground) -> str:
    """Return how real, grown and uniform vectors lie to each other."""
    import numpy as np

    from speed_grounds import question_vectors, real_vectors
    from speed_vectors import ratios, uniform_vectors

    real, _ = real_vectors(ground.home)
    asked = question_vectors(ground.home)
    sets = {f"real: {len(real):,}": real}
    for size in ground.sizes:
        sets[f"grown: {size:,}"] = np.load(ground.store(size, PRECISION).matrix, mmap_mode="r")
    [drawn] = uniform_vectors(len(real), real.shape[1], 1, rows=len(real))
    sets[f"uniform random: {len(real):,}"] = drawn
    rows = []
    for name, some in sets.items():
        told = ratios(asked, np.ascontiguousarray(some))
        cells = (told.cosine, told.first_to_tenth, told.first_to_median)
        rows.append([name, *(" / ".join(f"{one:.2f}" for one in cell) for cell in cells)])
    heads = ["vectors, percentiles 10 / 50 / 90 over questions", "cosine of the nearest"]
    return table([*heads, "distance, first to tenth", "first to median of all"], rows)


def words(ground: Ground) -> str:
    """Return how words are found, beside FTS5, bm25s and tantivy on the same text."""
    sizes = [size for size in ground.sizes if size >= SIZES[2]] or ground.sizes[-1:]
    rows = []
    for size in sizes:
        rows += [[f"{size:,}", *row] for row in _found_words(ground, size)]
    heads = ["chunks", "who", "10 best, p50 / p95 ms", "1000 best", "askmd takes, of this"]
    heads += ["the same ten as FTS5, % of questions", "at most; at least"]
    return table(heads, rows)


def _found_words(ground: Ground, size: int) -> list[list[str]]:
    built = ground.store(size, PRECISION)
    makers: dict[str, Callable[[int], Told]] = {}
    # FTS5 takes minutes at a million, and the peers' indexes as long to be built: once, without.
    is_huge = size > SIZES[2]
    for limit in (10, 1000):
        makers[f"askmd {limit}"] = asking(ground, "words", built, limit)
        makers[f"FTS5 by SQL {limit}"] = asking(ground, "fts5", built, limit)
        if ground.peer_python and not is_huge:
            for name in ("bm25s", "tantivy"):
                makers[f"{name} {limit}"] = _peer(ground, built, name, limit)
                makers[f"{name} {limit}"](0)
    taken = in_turns(makers, 1 if is_huge else ground.runs)
    own = [percentile(one["seconds"], 50) for one in taken["askmd 10"]]
    same = _same(taken["askmd 10"][0]["found"], taken["FTS5 by SQL 1000"][0]["found"])
    reach = {SIZES[2]: "5 / 15 ms; 98 %", SIZES[3]: "15 / 40 ms; 98 %"}.get(size, "")
    rows = []
    for name in (name.removesuffix(" 10") for name in makers if name.endswith(" 10")):
        other = [percentile(one["seconds"], 50) for one in taken[f"{name} 10"]]
        cells = [both(taken[f"{name} 10"]), both(taken[f"{name} 1000"])]
        is_own = name == "askmd"
        agreed = [f"{same:.1f}", reach] if is_own else ["", ""]
        rows.append([name, *cells, "" if is_own else f"{ratio(own, other):.2f}", *agreed])
    return rows


def _same(found: Sequence[Any], truth: Sequence[Any]) -> float:
    """Return the share of questions with the same ten, in per cent; equals change places freely."""
    agreed = 0
    for own, best in zip(found, truth, strict=True):
        least = best[:10][-1][1] - 1e-9 if best else 0.0
        scores = dict(best)
        agreed += len(own) == len(best[:10]) and all(scores.get(id, -1) >= least for id, _ in own)
    return 100 * agreed / len(found)


def _peer(ground: Ground, built: Built, name: str, limit: int) -> Callable[[int], Told]:
    target = ground.home / f"peers-{built.index.parent.name}"
    python, queries = str(ground.peer_python), ground.home / "queries.json"
    queries.write_text(json.dumps(words_of(some_questions())), encoding="utf-8")
    tokens = target.with_name(f"{target.name}.tokens")
    once(tokens, lambda new: spend([python, PEERS, "tokens", database_of(built.index), new]))
    command = [python, PEERS, name, target, queries, str(limit)]
    return lambda _: {"seconds": spend(command).told}


def hybrid(ground: Ground) -> str:
    """Return what a whole search takes beside the model's own time for the same question."""
    size = min(SIZES[2], ground.most)
    makers = {"askmd": asking(ground, "hybrid", ground.store(size, PRECISION))}
    taken = in_turns(makers, ground.runs)["askmd"]
    heads = ["hybrid search, ms", "p50", "p95", "at most"]
    kinds = {"whole": "the whole", "model": "the model (int8)", "seconds": "what is not the model"}
    rows = []
    for key, name in kinds.items():
        cells = [f"{one:.1f}" for one in middles(taken, key)]
        rows.append([name, *cells, "15" if key == "seconds" else ""])
    whole = [percentile(one["whole"], 50) for one in taken]
    model = [percentile(one["model"], 50) for one in taken]
    rows.append(["the whole, times the model", f"{ratio(whole, model):.1f}", "", ""])
    return f"{size:,} chunks, {QUESTIONS} questions.\n\n{table(heads, rows)}"


KINDS = {"dense": "vectors", "words": "words", "hybrid": "hybrid, less the model", "cold": "cold"}


def growth(ground: Ground) -> str:
    """Return what each kind of search takes at each size; draws it."""
    taken: dict[str, list[Told]] = {}
    for size in ground.sizes:
        taken |= _one_size(ground, size)
    found = {
        kind: [1000 * median(_middle(one) for one in taken[f"{kind} {n}"]) for n in ground.sizes]
        for kind in KINDS
    }
    rows = [[KINDS[kind], *(f"{one:.1f}" for one in values)] for kind, values in found.items()]
    for kind, values in found.items():
        rows.append([f"{KINDS[kind]}, to the smallest", *(f"{v / values[0]:.1f}" for v in values)])
    heads = ["p50, ms", *(f"{size:,} chunks" for size in ground.sizes)]
    from speed_plot import draw

    draw(ground.plot, ground.sizes, {KINDS[kind]: one for kind, one in found.items()})
    return f"![how each grows]({ground.plot.name})\n\n{table(heads, rows)}"


def _one_size(ground: Ground, size: int) -> Mapping[str, list[Told]]:
    built = ground.store(size, PRECISION)
    asked = evenly(some_questions(), FEW)

    def cold(run: int) -> Told:
        command = ground.askmd("search", asked[run], built.index, PRECISION)
        return {"seconds": [spend(command).seconds]}

    makers = {f"{kind} {size}": asking(ground, kind, built) for kind in KINDS if kind != "cold"}
    makers[f"cold {size}"] = cold
    cold(ground.runs)
    return in_turns(makers, ground.runs)


def _middle(told: Told) -> float:
    return percentile(told["seconds"], 50)
