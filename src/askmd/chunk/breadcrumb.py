"""Heading paths as the embedder reads them: ``Install > Linux``, short enough to leave room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from askmd.chunk.measure import Measure

MAX_PATH_TOKENS = 64
SEPARATOR = " > "
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Breadcrumb:
    """One heading path, ready to stand above a chunk's text."""

    text: str
    tokens: int
    """Its tokens and those of the newline after it, without the special ones."""
    is_whole: bool
    """Whether it says every heading of the path in full."""


def breadcrumbs(
    paths: Iterable[tuple[str, ...]], measure: Measure
) -> dict[tuple[str, ...], Breadcrumb]:
    """Return each path's breadcrumb, cut from the middle to MAX_PATH_TOKENS."""
    wanted = list(dict.fromkeys(paths))
    limit = min(MAX_PATH_TOKENS, (measure.bound - measure.base) // 2)
    texts = [SEPARATOR.join(path) for path in wanted]
    found = {}
    for path, text, tokens in zip(wanted, texts, measure.tokens(texts), strict=True):
        is_whole = tokens <= limit
        if not is_whole:
            text, tokens = _shortened(path, limit, measure)
        found[path] = Breadcrumb(text, tokens + measure.joint, is_whole)
    return found


def _shortened(path: Sequence[str], limit: int, measure: Measure) -> tuple[str, int]:
    """Return the longest form that fits, and its tokens: the path's own heading goes last."""
    forms = []
    for kept in range(len(path) - 1, 0, -1):
        tail = (kept + 1) // 2
        names = [*path[: kept - tail], ELLIPSIS, *path[len(path) - tail :]]
        forms.append(SEPARATOR.join(names))
    forms.append(path[-1])
    for form, tokens in zip(forms, measure.tokens(forms), strict=True):
        if tokens <= limit:
            return form, tokens
    return _cut_end(path[-1], limit, measure)


def _cut_end(heading: str, limit: int, measure: Measure) -> tuple[str, int]:
    [mark] = measure.tokens([ELLIPSIS])
    fitting = measure.counter.cut(heading, limit + measure.base - mark)
    while fitting > 0:
        form = heading[:fitting].rstrip() + ELLIPSIS
        [tokens] = measure.tokens([form])
        if tokens <= limit:
            return form, tokens
        fitting = min(fitting - 1, fitting * 9 // 10)
    return "", 0
