"""``askmd why``: a place in the documents, and why a question finds it or does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import asking, common
from askmd.cli.session import configure, open_retriever, question_of
from askmd.cli.show import bold, explained, print_json
from askmd.cli.verbs import askmd
from askmd.terminal import clean, say, source_line

if TYPE_CHECKING:
    from askmd.retriever.why import Standing, Why, Word

SHOWN_WORDS = 8
_PLACES = {"heading": "heading, ", "text": "text, "}


@askmd.command("why")
@click.argument("question")
@click.argument("place", metavar="PATH#HEADING")
@asking
@common
def explain_place(
    question: str,
    place: str,
    limit: int | None,
    mode: Any,
    filters: tuple[str, ...],
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Say why QUESTION finds a place in the documents, or what keeps it away.

    The place is a heading's text, the end of its path (A > B) or its anchor behind a path as
    `askmd search` prints it; PATH:LINE, or PATH alone, will do too.
    """
    from askmd.filters import parse_filter

    where = parse_filter(filters)
    asked = question_of((question,))
    config = configure(config_file, index)
    with open_retriever(config) as retriever:
        why = retriever.why(asked, place, limit=limit, mode=mode, where=where)
    if as_json:
        print_json(asdict(why))
        return
    for notice in _notices(why):
        say(notice)
    title, *lines = _told_of(why)
    print(bold(title), *lines, sep="\n")
    if why.next_step:
        say(f"next: {why.next_step}")


def lines_of(why: Why) -> list[str]:
    """Return all there is to say of a place, a line each, fit for a terminal."""
    next_step = [f"next: {why.next_step}"] if why.next_step else []
    return [*map(_line, _notices(why)), *_told_of(why), *map(_line, next_step)]


def _notices(why: Why) -> Iterator[str]:
    """Yield what was left out, and whether the file is another one by now."""
    if why.degraded:
        yield f"degraded: {why.degraded}"
    if why.is_stale:
        yield f"{why.hit.path} has changed since it was indexed; run `askmd ingest`"


def _told_of(why: Why) -> list[str]:
    """Return the place, the verdict, then each thing it rests on."""
    verdict = _line(f"{_verdict(why)}. {why.because}")
    facts = [_line(f"  {name:9} {told}") for name, told in _facts(why)]
    return [source_line(why.hit), verdict, "", *facts]


def _verdict(why: Why) -> str:
    """Return whether it is shown, in few words."""
    shown = f"Shown among the first {why.limit}" if why.is_shown else "Not shown"
    if why.is_shown or not why.hit.rank or why.filtered_by:
        return shown
    return f"{shown}: it is number {why.hit.rank:,}, and {why.limit} were asked for"


def _facts(why: Why) -> Iterator[tuple[str, str]]:
    """Yield what is known of a place, by name."""
    if why.hit.rank:
        yield "score", f"{explained(why.hit).removeprefix('score ')}{_last(why)}"
    if why.dense is not None:
        yield "meaning", f"{_standing(why.dense, 'chunks')}, cosine {why.dense.score:.3f}"
    if why.bm25 is not None:
        yield "words", f"{_standing(why.bm25, 'with any')}, bm25 {why.bm25.score:.3f}"
    yield from _wordings(why)
    if why.repeats:
        yield "repeats", why.repeats
    if why.rank_before_reranking is not None:
        yield "reranker", f"from number {why.rank_before_reranking} to {why.hit.rank}"
    if why.others:
        yield (
            "also",
            f"{why.others} more chunk{'s' * (why.others > 1)} of {why.place}, further down",
        )


def _wordings(why: Why) -> Iterator[tuple[str, str]]:
    """Yield which words it holds, which it lacks, and which are not looked for."""
    held = [one for one in why.words if one.place in ("heading", "text")]
    lacking = [one for one in why.words if one.place in ("beside", "elsewhere")]
    nowhere = [one.word for one in why.words if one.place == "nowhere"]
    if held:
        yield "holds", _named([_told(one) for one in held])
    if why.phrases:
        yield "together", _named([f'"{phrase}"' for phrase in why.phrases])
    if lacking:
        yield "lacks", _named([_told(one) for one in lacking])
    if nowhere:
        yield "unknown", f"{_named(nowhere)}: no document says so"
    if why.left_out:
        yield "ignored", _named(list(why.left_out))


def _last(why: Why) -> str:
    if why.last_score is None or why.is_shown or why.filtered_by:
        return ""
    return f"; the last one shown has {why.last_score:.3f}"


def _standing(standing: Standing, among: str) -> str:
    return f"number {standing.rank:,} of {standing.of:,} {among}"


def _told(word: Word) -> str:
    count = f"in {word.chunks:,} chunk{'s' * (word.chunks != 1)}"
    beside = ", one beside it" if word.place == "beside" else ""
    return f"{word.word} ({_PLACES.get(word.place, '')}{count}{beside})"


def _named(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_WORDS} more" if len(names) > SHOWN_WORDS else ""
    return ", ".join(names[:SHOWN_WORDS]) + more


def _line(text: str) -> str:
    """Return text fit for a terminal, on one line."""
    return " ".join(clean(text).split("\n"))
