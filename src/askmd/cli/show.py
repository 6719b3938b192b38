"""Results on stdout, as text or JSON; notices on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from askmd.errors import AskmdError
from askmd.terminal import clean, escaped, say, source_line

if TYPE_CHECKING:
    from askmd.ingest import DryRun, IngestReport
    from askmd.types import Failure, Hit, Passage, Search

SNIPPET_LINES = 4
"""Lines of a hit's text that a terminal is shown."""
_SHARES: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("meaning", "from_meaning", {"cosine": "cosine"}),
    ("words", "from_words", {"wording": "fit", "bm25": "bm25"}),
    ("neighbours", "from_neighbours", {}),
)
"""What a score is made of: for people, among a hit's scores, and the measures behind it."""
_ROUNDED = 1e-5


def notice_degraded(degraded: str | None) -> None:
    """Say what was left out of an answer."""
    if degraded:
        say(f"degraded: {degraded}")


def print_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    print(escaped(json.dumps(value, ensure_ascii=False)), flush=True)


def print_search(found: Search, *, explain: bool, is_filtered: bool, as_json: bool) -> None:
    """Print hits as source lines with the first lines of their text."""
    if as_json:
        print_json(asdict(found))
        return
    if not found.hits:
        way = "another --filter" if is_filtered else "other words"
        say(f"nothing found; try {way}, or `askmd status` to see what is indexed")
    for hit in found.hits:
        print(f"{hit.rank}. {bold(source_line(hit))}")
        if explain:
            print(f"   {explained(hit)}")
        lines = [line for line in clean(hit.text).split("\n") if line.strip()]
        for line in lines[:SNIPPET_LINES]:
            print(f"   {line}")
        print()


def print_passages(found: Search, passages: Sequence[Passage], as_json: bool) -> None:
    """Print what an LLM would be sent, whole."""
    rows = [asdict(passage) for passage in passages]
    if as_json:
        print_json(asdict(found) | {"passages": rows})
        return
    for passage in passages:
        print(f"[{passage.number}] {bold(source_line(passage))}\n\n{clean(passage.text)}\n")


def explained(hit: Hit) -> str:
    """Return what a hit's score is made of, on one line."""
    own = [
        f"{name} {hit.scores[share]:.3f}{_measured(hit, kinds)}"
        for name, share, kinds in _SHARES
        if share in hit.scores
    ]
    total = sum(hit.scores.get(share, 0.0) for _, share, _ in _SHARES)
    is_moved = bool(own) and abs(total - hit.score) > _ROUNDED
    place = f"score {hit.score:.3f}"
    if not own:
        told = [f"{name}{_measured(hit, kinds)}" for name, _, kinds in _SHARES]
        place += " by " + " and ".join(one for one in told if "(" in one)
    elif is_moved:
        # A reranker, or what it repeats, gave it another place: scores stay with the places.
        place += f" of its place; its own {total:.3f} = " + " + ".join(own)
    else:
        place += " = " + " + ".join(own)
    return "; ".join([place, *_besides(hit)])


def _measured(hit: Hit, kinds: Mapping[str, str]) -> str:
    """Return the measures behind a part of a score, in brackets."""
    known = [f"{name} {hit.scores[kind]:.3f}" for kind, name in kinds.items() if kind in hit.scores]
    return f" ({', '.join(known)})" if known else ""


def _besides(hit: Hit) -> Iterator[str]:
    """Yield what is told of a hit and is no part of its score."""
    if "rerank" in hit.scores:
        yield f"the reranker gave it {hit.scores['rerank']:.3f}"
    if hit.above_floor is not None:
        yield f"above floor {hit.above_floor:+.3f}"


def bold(text: str) -> str:
    """Return text in bold for a terminal, as it is for anything else."""
    is_plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR")
    return text if is_plain else click.style(text, bold=True)


def summary(report: IngestReport) -> str:
    """Return what an ingest did, in one line."""
    documents, chunks = report.documents, report.chunks
    kinds = ("new", "changed", "moved", "unchanged", "removed", "failed")
    done = ", ".join(
        f"{getattr(documents, kind)} {kind}" for kind in kinds if getattr(documents, kind)
    )
    return (
        f"{documents.seen} files ({done}) → {chunks.total} chunks: {chunks.embedded} embedded, "
        f"{chunks.reused} reused; longest {report.longest_chunk_tokens} tokens, "
        f"{chunks.truncated} truncated; {report.seconds:.1f} s"
    )


def print_error(error: AskmdError, *, as_json: bool) -> None:
    """Print an error as one line, or as JSON, on stderr."""
    if not as_json:
        say(f"askmd: {error}")
        return
    fields = {"code": error.code, "message": error.message, "next": error.next_step}
    print(escaped(json.dumps({"error": fields}, ensure_ascii=False)), file=sys.stderr)


def print_failures(failures: Sequence[Failure]) -> None:
    """Name each file that could not be indexed, and why."""
    for failure in failures:
        say(f"failed: {failure.path}: {failure.reason}")


def print_report(report: IngestReport, as_json: bool) -> None:
    """Print what an ingest did, and name what failed."""
    print_failures(report.failures)
    if as_json:
        print_json(asdict(report))
    else:
        print(summary(report))
        say('next: askmd ask "your question"')


def print_plan(plan: DryRun, as_json: bool) -> None:
    """Print what an ingest would do."""
    print_failures(plan.failures)
    if as_json:
        print_json(asdict(plan))
        return
    cost = "" if plan.price_usd is None else f", about ${plan.price_usd:.4f}"
    print(
        f"{plan.files} files to index, {plan.texts} chunks to embed, {plan.tokens} tokens, "
        f"about {plan.seconds:.0f} s{cost}"
    )


def print_config(rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Print each setting's value and origin, in columns."""
    lines = {f"{key} = {json.dumps(row['value'])}": row["origin"] for key, row in rows.items()}
    width = max(map(len, lines))
    for line, origin in lines.items():
        print(clean(f"{line:{width}}  # {origin}"))


def print_status(facts: Mapping[str, Any]) -> None:
    """Print what the index holds, a fact a line, then every path and its size."""
    held = f"{facts['documents']} documents, {facts['chunks']} chunks"
    vectors = f"{facts['dim']} dimensions, {facts['precision']}"
    lines = [
        f"{held} (longest {facts['longest_chunk_tokens']} of {facts['max_tokens']} tokens)",
        f"root   {facts['root']}",
        f"index  {facts['index']}  {_size(facts['bytes'])}",
        f"model  {facts['model']} ({facts['provider']}, {vectors})",
        f"last ingest  {facts['last_ingest'] or 'not finished yet'}",
        *(f"  {_size(size):>9}  {path}" for path, size in facts["paths"].items()),
    ]
    for line in lines:
        print(clean(line))


def _size(size: float) -> str:
    """Return bytes as people read them."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
