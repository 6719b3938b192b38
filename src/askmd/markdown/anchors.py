"""Headings → their ids, unique in the document, as each program that publishes them counts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from askmd.markdown.headings import Heading
from askmd.types import Anchors

_PUNCTUATION = re.compile(r"[^\w\- ]", re.ASCII)
_NUMBERED = re.compile(r"(.*)_([0-9]+)")


Ids = tuple[str, Anchors]
"""A heading's explicit id, else GitHub's of its plain text; and those that programs generate."""


def assign(headings: Sequence[Heading]) -> Iterator[Ids]:
    """Yield each heading's ids, in order."""
    # One counter stands for all three until a heading reads differently to one of them.
    plain = github = docusaurus = _Counter()
    mkdocs = _Underscored(heading.mkdocs_id for heading in headings)
    for heading in headings:
        if github is plain and _differs(heading):
            github, docusaurus = plain.copy(), plain.copy()
        anchor = plain.take(heading.explicit or slugify(heading.text))
        if github is plain:
            yield anchor, Anchors(anchor, mkdocs.take(heading), anchor)
            continue
        generated = "" if heading.docusaurus_id else docusaurus.take(slugify(heading.docusaurus))
        anchors = Anchors(
            github.take(slugify(heading.github)),
            mkdocs.take(heading),
            heading.docusaurus_id or generated,
        )
        yield anchor, anchors


def _differs(heading: Heading) -> bool:
    text, github, _, docusaurus, *explicit = heading
    return any(explicit) or not text == github == docusaurus


class _Counter:
    """GitHub's way to tell the same slugs apart: ``-1``, ``-2`` and so on.

    The rules of https://github.com/Flet/github-slugger, which Docusaurus uses.
    """

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def copy(self) -> _Counter:
        other = _Counter()
        other._taken = dict(self._taken)
        return other

    def take(self, slug: str) -> str:
        taken = self._taken
        anchor = slug
        while anchor in taken:
            taken[slug] += 1
            anchor = f"{slug}-{taken[slug]}"
        taken[anchor] = 0
        return anchor


class _Underscored:
    """Python-Markdown's way: ``_1``, ``_2``, none of which an explicit id may have.

    The rules of its ``toc`` extension, https://python-markdown.github.io/extensions/toc/.
    """

    def __init__(self, explicit: Iterator[str]) -> None:
        self._taken = set(filter(None, explicit))
        self._free: dict[str, dict[int, int]] = {}

    def take(self, heading: Heading) -> str:
        if heading.mkdocs_id:
            return heading.mkdocs_id
        anchor = underscored_slug(heading.mkdocs)
        if not anchor or anchor in self._taken:
            numbered = _NUMBERED.fullmatch(anchor)
            stem, number = (numbered[1], int(numbered[2])) if numbered else (anchor, 0)
            anchor = f"{stem}_{self._next(stem, number + 1)}"
        self._taken.add(anchor)
        return anchor

    def _next(self, stem: str, number: int) -> int:
        """Return the first free number; each number once found taken is passed over later."""
        skips = self._free.setdefault(stem, {})
        passed = [number]
        number = skips.get(number, number)
        while number in skips or f"{stem}_{number}" in self._taken:
            passed.append(number)
            number = skips.get(number, number + 1)
        # The number is about to be taken: the next one asked for starts after it.
        for each in passed:
            skips[each] = number + 1
        return number


@lru_cache(maxsize=4096)
def slugify(text: str) -> str:
    """Return the text in lower case, punctuation dropped, blanks as dashes: GitHub's slug."""
    text = text.lower()
    if text.isascii():
        return _PUNCTUATION.sub("", text).replace(" ", "-")
    return "".join(filter(_is_kept, text)).replace(" ", "-")


def _is_kept(character: str) -> bool:
    """Return whether Unicode calls a character part of a word, or it is a dash or blank."""
    if character in "- _":
        return True
    category = unicodedata.category(character)
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc")


@lru_cache(maxsize=4096)
def underscored_slug(text: str) -> str:
    """Return Python-Markdown's slug: ASCII alone, blanks and dashes as single dashes."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    text = re.sub(r"[^\w\s-]", "", text, flags=re.ASCII).strip().lower()
    return re.sub(r"[-\s]+", "-", text, flags=re.ASCII)
