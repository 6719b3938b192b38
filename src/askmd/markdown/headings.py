"""A heading's source → its plain text and its anchor."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKUP = re.compile(r"[\\`*_\[\]<&~!]")
_ATTRIBUTE = re.compile(r"#(?P<id>[^\s#{}]+)|\.[^\s{}]+|[\w-]+=\S+")
_REFERENCE = re.compile(r"\[([^\[\]]+)\]\[[^\[\]]*\]")
_PUNCTUATION = re.compile(r"[^\w\- ]")
MAX_CHARS = 1000
"""A longer heading is an accident: it is cut, for every path and chunk under it repeats it."""


def plain(source: str) -> tuple[str, str]:
    """Return a heading's text without markers, and the id that ``{#id}`` names or ''."""
    source, anchor = _without_attributes(source.strip())
    if len(source) > MAX_CHARS:
        source = shortened(source)
    elif _MARKUP.search(source):
        # Reference links need definitions that may stand anywhere; their text is enough here.
        tokens: list[Token] = []
        _parser().inline.parse(_REFERENCE.sub(r"\1", source), _parser(), {}, tokens)
        source = "".join(map(_text, tokens))
    return " ".join(source.split()), anchor


def shortened(heading: str) -> str:
    """Return a heading or title, cut at MAX_CHARS."""
    return heading if len(heading) <= MAX_CHARS else heading[:MAX_CHARS] + "…"


class Anchors:
    """Hands out anchors as GitHub does, each once a document."""

    def __init__(self) -> None:
        """Start a document: no anchor is taken."""
        self._taken: dict[str, int] = {}

    def take(self, text: str, explicit: str = "") -> str:
        """Return the explicit id or the text's slug, with -1, -2 and so on when it is taken.

        The rules of https://github.com/Flet/github-slugger.
        """
        slug = anchor = explicit or slugify(text)
        while anchor in self._taken:
            self._taken[slug] += 1
            anchor = f"{slug}-{self._taken[slug]}"
        self._taken[anchor] = 0
        return anchor


def slugify(text: str) -> str:
    """Return the text in lower case, punctuation dropped, blanks as dashes."""
    kept = _PUNCTUATION.sub(lambda match: match[0] if _is_mark(match[0]) else "", text.lower())
    return kept.replace(" ", "-")


def _is_mark(character: str) -> bool:
    """Return whether a character is an accent or vowel sign: words to Ruby, not to ``re``."""
    return unicodedata.category(character).startswith("M")


def _without_attributes(source: str) -> tuple[str, str]:
    """Cut ``{#id}``, ``{ #id .class }`` or ``{: #id }`` from the end of a heading."""
    opening = source.rfind("{")
    if opening < 0 or not source.endswith("}"):
        return source, ""
    words = source[opening + 1 : -1].removeprefix(":").split()
    matches = [_ATTRIBUTE.fullmatch(word) for word in words]
    if not words or not all(matches):
        return source, ""
    ids = [match["id"] for match in matches if match and match["id"]]
    return source[:opening].rstrip(), ids[0] if ids else ""


def _text(token: Token) -> str:
    if token.type in ("text", "code_inline", "text_special"):
        return token.content
    if token.type == "image":
        return "".join(_text(child) for child in token.children or [])
    return " " if token.type in ("softbreak", "hardbreak") else ""


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("strikethrough")
