"""The main reason that a place was found or not, in a sentence, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from askmd.retriever.why import Standing, Why

_MOST_HITS = 10_000
"""What ``-k`` takes."""
_NEAR = 10
"""A rank that is near, however few hits were asked for."""
_NAMED = 3
"""Words that a sentence names of many."""


def because(why: Why) -> str:
    """Return why a place was shown, or was not, in a sentence."""
    rank = why.hit.rank
    if why.filtered_by:
        also = f"; without it, it would be number {rank}" if rank else ""
        return f"The filter {_listed(why.filtered_by)} leaves it out{also}."
    if not rank:
        return f"No search finds it: {_missed(why)}."
    if why.is_shown:
        return f"It is number {rank}: {' and '.join(_strengths(why))}."
    if why.repeats:
        return f"It nearly repeats {why.repeats}, which stands before it, so it stepped back."
    before = why.rank_before_reranking
    if before is not None and before <= why.limit:
        return f"The reranker moved it from number {before} to {rank}."
    return _far(why)


def next_step(why: Why) -> str:
    """Return what to do next; empty where there is nothing to mend."""
    if why.filtered_by:
        depth = f"; {_depth(why)}" if _is_deep(why) else ""
        return f"leave that part of the filter out{depth}"
    if why.is_shown:
        return "ask in words that the documents use" if why.is_refused else ""
    if not why.hit.rank:
        if why.degraded:
            return "mend what is left out, or ask with a word that it holds"
        return "ask with a word that it holds, or with --mode hybrid"
    lacking = [one.word for one in why.words if one.place == "elsewhere"]
    nowhere = [one.word for one in why.words if one.place == "nowhere"]
    steps = [_depth(why)]
    if why.repeats:
        steps.append(f"or read {why.repeats}")
    elif lacking:
        steps.append(f"it would rise if its text said {_listed(lacking)}")
    elif nowhere:
        steps.append(f"no document says {_listed(nowhere)}: ask with another word")
    return "; ".join(steps)


def _depth(why: Why) -> str:
    """Return what number of hits shows it."""
    count = why.shown_by or 0
    return f"-k {count} shows it" if count <= _MOST_HITS else f"it takes {count:,} hits to see it"


def _is_deep(why: Why) -> bool:
    return why.hit.rank > why.limit and why.shown_by is not None


def _missed(why: Why) -> str:
    """Return why a place is no candidate at all."""
    if why.degraded:
        return f"it holds none of the question's words, and it is {why.degraded}"
    if why.mode == "words":
        return "it holds none of the question's words, and --mode words looks at nothing else"
    return "neither its meaning nor its words were looked at"


def _far(why: Why) -> str:
    """Return what of a place is far from the question."""
    held = _held(why)
    if why.mode == "dense":
        return f"By meaning it is {_number(why.dense)}, and meaning alone was looked at."
    if why.dense is None:
        return f"By words it is {_number(why.bm25)}, and words alone were looked at; {held}."
    by_meaning, by_words = _number(why.dense), _number(why.bm25)
    is_near, is_worded = _is_near(why, why.dense), _is_near(why, why.bm25)
    if is_near and is_worded:
        return (
            f"It is near by meaning ({by_meaning}) and by words ({by_words}), but others have more "
            "of both, or their words stand closer together."
        )
    if is_worded:
        return f"It is found by its words ({by_words}), but by meaning it is {by_meaning}."
    held += f" ({by_words} by words)" if why.bm25 else ""
    if is_near:
        return f"It is found by meaning ({by_meaning}), but {held}."
    return f"It is far by meaning ({by_meaning}), and {held}."


def _is_near(why: Why, standing: Standing | None) -> bool:
    return standing is not None and standing.rank <= max(why.limit, _NEAR)


def _strengths(why: Why) -> Iterator[str]:
    if why.rank_before_reranking is not None:
        yield f"the reranker found it at number {why.rank_before_reranking}"
    if why.dense is not None:
        yield f"by meaning {_number(why.dense)}"
    if why.words:
        yield f"by words {_number(why.bm25)} ({_held(why)})" if why.bm25 else _held(why)


def _number(standing: Standing | None) -> str:
    return f"number {standing.rank:,}" if standing else "nowhere"


def _held(why: Why) -> str:
    """Return how many of the question's words it holds."""
    count = sum(one.place in ("heading", "text") for one in why.words)
    total = len(why.words)
    if not total:
        return "the question has no word to look for"
    if count == total:
        return f"it holds {f'all {total}' if total > 1 else 'all'} of the question's words"
    if not count:
        return "it holds none of the question's words"
    return f"it holds only {count} of the question's {total} words"


def _listed(words: Sequence[str]) -> str:
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(repr(word) for word in words[:_NAMED]) + more
