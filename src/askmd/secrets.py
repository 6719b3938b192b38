"""Keys blotted out of what is shown: as they are, and as servers and libraries write them."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus

SHORTEST_KEY = 8
"""What is shorter may be a word, such as the ``none`` that servers without keys are given."""
BLOT = "***"


def blotted(text: str, keys: Iterable[str]) -> str:
    """Return text without these keys: plain, escaped, percent-encoded or inside base64."""
    found = _pattern(tuple(keys))
    return found.sub(BLOT, text) if found else text


class KeyFilter:
    """Passes a stream without a key that the other side repeats, wherever its deltas are cut."""

    def __init__(self, key: str, *others: str) -> None:
        """Begin with nothing held back; a key that may be a word is let through."""
        self._key = key if len(key) >= SHORTEST_KEY else ""
        self._held = ""
        self._next = KeyFilter(*others) if others else None

    def feed(self, delta: str) -> str:
        """Return what can be shown now; the beginning of a key is held back."""
        shown = self._passed(delta) if self._key else delta
        return self._next.feed(shown) if self._next else shown

    def flush(self) -> str:
        """Return what was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return self._next.feed(held) + self._next.flush() if self._next else held

    def _passed(self, delta: str) -> str:
        *blots, rest = (self._held + delta).split(self._key)
        longest = min(len(rest), len(self._key) - 1)
        sizes = range(longest, -1, -1)
        size = next(size for size in sizes if rest.endswith(self._key[:size]))
        shown, self._held = rest[: len(rest) - size], rest[len(rest) - size :]
        return BLOT.join([*blots, shown])


@lru_cache(maxsize=64)
def _pattern(keys: tuple[str, ...]) -> re.Pattern[str] | None:
    spelled = {form for key in keys if key for form in _spellings(key)}
    # The longest first: one key may begin with another.
    ordered = sorted(spelled, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None


def _spellings(key: str) -> Iterator[str]:
    yield key
    if len(key) < SHORTEST_KEY:
        return
    yield from (repr(key)[1:-1], json.dumps(key)[1:-1])
    raw = key.encode("utf-8", "surrogateescape")
    yield from (quote(raw, ""), quote_plus(raw))
    for shift in range(3):
        # The characters that no neighbour has a part in.
        coded = base64.b64encode(bytes(shift) + raw).decode()
        inner = coded[(8 * shift + 5) // 6 : 8 * (shift + len(raw)) // 6]
        yield from (inner, inner.replace("+", "-").replace("/", "_"))
