"""Whether a server gives every text the same vector: finite, of length one, and worth nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from askmd.embed.openai_reply import Unusable

if TYPE_CHECKING:
    from askmd.types import Vectors

FEWEST = 3
"""So many texts with one vector are doubted: two may well be one text to a model."""
_PROBES = ("gateway timeout", "the cat sleeps", "42")
_NEAR = 1e-3


def check_apart(
    texts: Sequence[str], vectors: Vectors, ask: Callable[[Sequence[str]], Vectors], *, maker: str
) -> None:
    """Raise Unusable where different texts have one vector without being alike.

    Texts in a script that a model does not know are alike to it. So texts of one vector are asked
    for once more, among others that every model tells apart.
    """
    alike = _alike(texts, vectors)
    if not alike:
        return
    again = ask([*alike, *_PROBES])
    first, others = again[: len(alike)], again[len(alike) :]
    if _is_one(first) and not _is_one(others):
        return
    raise Unusable(
        f"{maker} answered with the same vector for different texts",
        "restart that server, or check which model it runs",
    )


def _alike(texts: Sequence[str], vectors: Vectors) -> list[str]:
    """Return the first texts that share a vector to the last bit; none where too few do.

    Texts that differ in case and blanks alone are one: many models read them so.
    """
    sharing: dict[bytes, dict[str, str]] = {}
    for text, vector in zip(texts, vectors, strict=True):
        sharing.setdefault(vector.tobytes(), {}).setdefault(" ".join(text.casefold().split()), text)
    found = next((group for group in sharing.values() if len(group) >= FEWEST), {})
    return list(found.values())[:FEWEST]


def _is_one(vectors: Vectors) -> bool:
    return bool(np.abs(vectors - vectors[0]).max() < _NEAR)
