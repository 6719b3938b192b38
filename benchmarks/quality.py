"""What askmd finds on the public question sets, beside its peers, scored by the sets' own scorer.

    python benchmarks/quality.py                         askmd alone, all sets
    python benchmarks/quality.py --peer-python PYTHON    and every peer, by an interpreter with them
    python benchmarks/quality.py --out FOLDER            keep results there and run only what is new
    python benchmarks/quality.py --write                 put the table into benchmarks/RESULTS.md

A row "askmd" has recall@4000ch of what ``search --passages`` sends and the rest of hits; "askmd,
hits" has all of hits; "an oracle" puts the chunks that askmd cut into the best order there is.

The sets lie in ../shared/eval beside the checkout. Everything runs with the default model and the
defaults: no setting is chosen for a set.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EVAL = HERE.parents[1] / "shared" / "eval"
SETS = ("anthropic_docs", "chroma", "xquad")
METRICS = ("recall@4000ch", "recall@5", "iou@5", "hit@1", "mrr@10")
LIMIT = 30


def run_askmd(home: Path, out: Path, precision: str = "") -> None:
    """Ingest a set with the defaults, ask its questions, write the peers' kind of result file.

    precision: of the vectors; empty: the default.
    """
    from askmd import Config, Retriever, ingest_folder
    from askmd.cli.session import passages_of
    from askmd.passages import candidates_for
    from askmd.settings import IndexSettings

    rows = (home / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(row)["question"] for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        config = Config.load()
        config = replace(
            config,
            index=IndexSettings(str(Path(folder) / "index")),
            embedding=replace(config.embedding, precision=precision),
        )
        report = ingest_folder(home / "docs", config)
        with Retriever.open(config) as retriever:
            retriever.search("warm up")
            started = time.perf_counter()
            found = [retriever.search(question, limit=LIMIT) for question in questions]
            seconds = time.perf_counter() - started
            budget = config.llm.budget_tokens
            read = [
                passages_of(
                    retriever,
                    config,
                    retriever.find(question, limit=candidates_for(budget)),
                    budget,
                )
                for question in questions
            ]
            cut = [
                [chunk.path, *chunk.chars] for chunk in retriever._index.sample(report.chunks.total)
            ]
    result = {
        "peer": "askmd",
        "chunks": report.chunks.total,
        "ingest_s": round(report.seconds, 2),
        "query_ms": round(1000 * seconds / len(questions), 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "results": [[[hit.path, *hit.chars] for hit in hits] for hits in found],
        "passages": [[[one.path, *one.chars] for one in passages] for passages in read],
        "cut": cut,
    }
    out.write_text(json.dumps(result), encoding="utf-8")


def run_peer(script: Path, python: str, home: Path, out: Path) -> None:
    """Run one peer's own script; a peer that fails is named and left out."""
    command = [python, script.name, str(home / "docs"), str(home / "questions.jsonl"), str(out)]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*command, str(LIMIT)], cwd=script.parent, env=environment, check=False)
    if done.returncode:
        print(f"{script.stem} failed on {home.name}", file=sys.stderr)


def results_of(name: str, out: Path, peer_python: str | None) -> list[Path]:
    """Return a set's result files, askmd's first, running what is not there yet."""
    home = EVAL / name
    own = out / f"{name}-askmd.json"
    if not own.exists():
        # A process of its own: its peak memory is its own.
        subprocess.run([sys.executable, __file__, "--one", str(home), str(own)], check=True)
    for script in sorted((EVAL / "peers").glob("*_peer.py")) if peer_python else []:
        target = out / f"{name}-{script.stem.removesuffix('_peer')}.json"
        if not target.exists():
            run_peer(script, str(peer_python), home, target)
    return [own, *sorted(path for path in out.glob(f"{name}-*.json") if path != own)]


def row(name: str, path: Path) -> list[str]:
    """Return a system's lines of the table, scored by the sets' own scorer."""
    sys.path.insert(0, str(EVAL))
    import score

    result = json.loads(path.read_text(encoding="utf-8"))
    figures = score.score(EVAL / name, result["results"])
    peer = path.stem.removeprefix(f"{name}-")
    rows = {peer: figures}
    if "passages" in result:
        sent = score.score(EVAL / name, result["passages"])
        best = score.score(EVAL / name, oracle(name, result["cut"]))
        rows = {
            peer: figures | {METRICS[0]: sent[METRICS[0]]},
            f"{peer}, hits": figures,
            "an oracle over its chunks": best,
        }
    lines = []
    for title, found in rows.items():
        cells = [f"{found[metric]:.1f}" for metric in METRICS]
        lines.append(f"| {name} | {title} | {' | '.join([*cells, str(result['chunks'])])} |")
    return lines


def oracle(name: str, cut: list[list[Any]]) -> list[list[list[Any]]]:
    """Return for each question the chunks in the order of the labelled text that each adds."""
    rows = (EVAL / name / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [_best_order(json.loads(row)["expect"], cut) for row in rows]


def _best_order(labels: list[dict[str, Any]], cut: list[list[Any]]) -> list[list[Any]]:
    wanted = {(label["path"], char) for label in labels for char in range(*label["chars"])}
    holding = {
        tuple(chunk): {(chunk[0], char) for char in range(*chunk[1:])} & wanted
        for chunk in cut
        if any(chunk[0] == label["path"] for label in labels)
    }
    order: list[list[Any]] = []
    while any(holding.values()) and len(order) < LIMIT:
        best = max(holding, key=lambda chunk: (len(holding[chunk]), chunk[1] - chunk[2]))
        gained = holding.pop(best)
        holding = {chunk: chars - gained for chunk, chars in holding.items()}
        order.append(list(best))
    return order


def margin(name: str, results: list[Path]) -> str:
    """Return askmd's lead over a set's best peer, with the paired bootstrap's interval."""
    import score

    read = {}
    for path in results:
        result = json.loads(path.read_text(encoding="utf-8"))
        read[path] = result.get("passages", result["results"])
    figures = {path: score.score(EVAL / name, found)[METRICS[0]] for path, found in read.items()}
    own, best = results[0], max(results[1:], key=lambda path: figures[path])
    mean, low, high, count = score.compare(EVAL / name, METRICS[0], read[own], read[best])
    peer = best.stem.removeprefix(f"{name}-")
    return (
        f"- {name}: askmd - {peer} on {METRICS[0]} = {mean:+.1f}, "
        f"95 % interval {low:+.1f} to {high:+.1f} over {count} questions"
    )


def table(out: Path, peer_python: str | None) -> str:
    """Return the whole table as Markdown, and askmd's lead over the best peer of each set."""
    names = ["set", "system", *METRICS, "chunks"]
    lines = [f"| {' | '.join(names)} |", "|" + " --- |" * len(names)]
    margins = []
    for name in SETS:
        results = results_of(name, out, peer_python)
        lines += [line for path in results for line in row(name, path)]
        margins += [margin(name, results)] if len(results) > 1 else []
    return "\n".join([*lines, "", *margins])


def write(text: str, name: str) -> None:
    """Replace a table in RESULTS.md, between its two marks."""
    target = HERE / "RESULTS.md"
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = target.read_text(encoding="utf-8").split(begin)
    machine = f"{os.cpu_count()} cores, {platform.system()}, CPython {platform.python_version()}"
    said = f"{datetime.date.today()}, {machine}\n\n{text}\n"
    target.write_text(f"{before}{begin}\n{said}{end}{rest.split(end)[1]}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer-python", help="an interpreter that has the peers' libraries")
    parser.add_argument("--out", type=Path, help="where result files are kept")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        home, own, *precision = options.one
        return run_askmd(Path(home), Path(own), *precision)
    if not EVAL.is_dir():
        sys.exit(f"SKIPPED LOUDLY: no question sets at {EVAL}")
    out = options.out or Path(tempfile.mkdtemp())
    out.mkdir(parents=True, exist_ok=True)
    text = table(out.absolute(), options.peer_python)
    print(text)
    if options.write:
        write(text, "quality")
    return None


if __name__ == "__main__":
    main()
