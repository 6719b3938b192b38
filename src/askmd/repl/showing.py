"""What commands show, as lines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from askmd.terminal import source_line
from askmd.types import AnswerRecord, Filter

if TYPE_CHECKING:
    from askmd.answer import Tokens


def sources(record: AnswerRecord) -> Iterator[str]:
    """Yield what an answer was made from, a line each: place, score, and what became of it."""
    cited = {citation.number: citation for citation in record.citations}
    for passage in record.passages:
        told = [f"score {passage.score:.3f}"]
        citation = cited.get(passage.number)
        if citation is not None:
            told.append("cited")
            if citation.support is not None:
                told.append(f"support {citation.support:.2f}")
            if citation.stale:
                told.append("changed since it was indexed")
        yield f"[{passage.number}] {source_line(passage)}  ({', '.join(told)})"


def filtered(where: Filter) -> str:
    """Return a filter as it can be typed, in a sentence."""
    parts = [
        *where.globs,
        *(f"{key}={value}" for key, value in where.metadata),
        *(f"heading={text}" for text in where.headings),
    ]
    typed = " and ".join(map(_quoted, parts))
    return f"searched: only {typed}" if parts else "searched: every document"


def _quoted(part: str) -> str:
    """Return a part of a filter in quotes, if it takes them to be read as one part."""
    try:
        is_plain = shlex.split(part) == [part]
    except ValueError:
        is_plain = False
    return part if is_plain else shlex.quote(part)


def tokens(taken: Tokens) -> Iterator[str]:
    """Yield what a conversation has taken, a fact a line."""
    yield f"sent      {taken.prompt_tokens:,} tokens"
    yield f"answered  {taken.answer_tokens:,} tokens"
    if taken.cost is not None:
        yield f"cost      {taken.cost:.4f}"
    yield f"history   {taken.history:,} tokens, {taken.left:,} left"
    yield f"budget    {taken.budget:,} tokens of passages and history for each answer"
    if taken.window is not None:
        yield f"window    {taken.window:,} tokens"
