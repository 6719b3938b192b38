"""Where to cut a text so that its head has at most so many tokens, whoever counts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

HEAD_PER_TOKEN = 8
"""Characters read for each token of a limit, before reading on."""


def cut_at(
    text: str,
    limit: int,
    *,
    ends: Callable[[str], Iterable[int] | None],
    count: Callable[[Sequence[str]], list[int]],
) -> int:
    """Return an offset whose text counts at most ``limit``, checked with ``count``; at least 0.

    ``ends(head)`` is None if all of the head fits, else where the tokens that do fit end. Only as
    much of the text is read as can matter: cutting a huge text costs no more than what is cut off.
    """
    length = HEAD_PER_TOKEN * max(limit, 1) + 64
    found = ends(text[:length])
    while found is None and length < len(text):
        length *= 2
        found = ends(text[:length])
    if found is None:
        return len(text)
    offsets = sorted({end for end in found if end > 0})
    return _last_that_fits(offsets, lambda offset: count([text[:offset]])[0] <= limit)


def _last_that_fits(offsets: Sequence[int], fits: Callable[[int], bool]) -> int:
    """Return the last offset that fits, or nearly; 0 if none does.

    A cut may change how the characters before it are tokenized, so the last one is tried first and
    the others by halves.
    """
    best, low, high = 0, 0, len(offsets) - 1
    middle = high
    while low <= high:
        if fits(offsets[middle]):
            best, low = offsets[middle], middle + 1
        else:
            high = middle - 1
        middle = (low + high + 1) // 2
    return best


def well_formed(text: str) -> str:
    """Return the text with lone surrogates, which no tokenizer reads, as question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
