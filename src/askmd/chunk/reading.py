"""What the embedder reads of a piece of Markdown: its words, without what only a program reads.

The file's own text is what is stored and cited; this is for the model's eyes alone. So a slip here
costs a little likeness and never a character: one linear look with patterns is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from html import unescape

from askmd.chunk.tags import read_tag, titles
from askmd.types import BlockKind

MAX_NOTE_CHARS = 200
"""A longer footnote is cut where it is read in the text that refers to it."""
LONGEST_WORD = 200
"""Characters of base64 without a blank that are no word any more."""
NOTE_SHARE = 4
"""Footnotes are read in other text up to so many times the document's length in all."""

_CODE: frozenset[BlockKind] = frozenset({"fence", "code"})
_RUN = re.compile(r"([^\w\s`~])\1{31,}+")
# A token of word pieces for each of these marks: a ruler across the page would fill a chunk.
_RULERS = tuple(mark * 32 for mark in "-=*._#+:^<>|/\\\u2500\u2501\u2550\u00b7\u2022")
_BLOB = re.compile(
    r"data:[\w.+-]{1,40}/[\w.+-]{1,80}[^,\s()\"'<>]{0,80},[A-Za-z0-9+/=_%-]{40,}+"
    r"|(?<![A-Za-z0-9+/_-])(?=[A-Za-z+/_-]{0,199}[0-9])[A-Za-z0-9+/_-]{200,}+={0,2}"
)
_INCLUDE = re.compile(
    r"^[ \t>]*+(?:\{\{#(?:include|playground|rustdoc_include|title)\b[^{}\n]{0,300}\}\}"
    r"|\{\*[^{}\n]{1,300}\*\}|;?-{1,3}8<-{1,3}[ \t]*(?:[\"'][^\n]*|)$)",
    re.MULTILINE,
)
_MARKED = re.compile(r"[`~*\[\]<>{}&\\|%!/+-]|([^\w\s])\1{31}|:::|===|\?\?\?|\n\s*\n")
_SHORT = 200
"""A shorter text without marks is read as it stands."""
_FENCE = re.compile(r"^[ \t>]*+(?:(?:[-+*]|\d{1,9}[.)])[ \t>]*+)?(`{3,}+|~{3,}+)", re.MULTILINE)
_CODE_SPAN = re.compile(r"``[^`\n]{1,500}``|`[^`\n]{1,500}`")
_KEPT = re.compile("\0(\\d+)\0")
_DELIMITER_ROW = re.compile(r"^[ \t>]*+(?:\|[ \t]*+)?:?-[-:| \t]*+$\n?", re.MULTILINE)
_DASHES = re.compile(r"-{4,}+")
_QUOTE = re.compile(r"^(?:[ \t]{0,12}>)++ ?", re.MULTILINE)
_ALERT = re.compile(r"\[!([\w-]{1,40})\][-+]?[ \t]*\n?")
_CONTAINER = re.compile(
    r"^[ \t]*+(?:(?::{3,}|/{3,})[ \t]*$\n?"
    r"|(?::{3,}|/{3,}|!!!|\?\?\?\+?|===[!+]?)[ \t]*"
    r"(?P<name>\{?[\w.#-]{1,60}\}?)?[ \t]*\|?[ \t]*(?P<title>[^\n]{0,200}))",
    re.MULTILINE,
)
_STRONG = re.compile(
    r"(?<![\w*/])\*\*(?=[^\s*])([^*\n]{1,500}+)(?<=\S)\*\*(?![\w*/])|~~([^~\n]{1,500}+)~~"
)
_REMARK = re.compile(r"(?<!\S)%%[^%\n]{1,500}%%(?!\S)")
_ATTRIBUTES = re.compile(
    r"(?<![ \t])[ \t]*+\{:?[ \t]?(?:[.#][\w-]|(?<=:)[\w-]+=)[^{}\n]{0,200}\}[ \t]*+$", re.M
)
_TARGET = (
    r"(?:<[^<>\n]{0,2000}>|\{[{%][^{}\n]{0,300}[}%]\}[^()\s]{0,300}"
    r"|[^()\s]{0,2000}(?:\([^()\s]{0,500}\)[^()\s]{0,500})?)"
    r"(?:\s{1,9}(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\s{0,9}"
)
_IMAGE = re.compile(
    r"!\[\[(?P<embed>[^\[\]\n]{1,300})\]\]"
    rf"|!\[(?P<alt>[^\[\]]{{0,500}})\](?:\({_TARGET}\)|\[[^\[\]\n]{{0,200}}\])"
    r"(?:\{[^{}\n]{0,200}\})?"
)
_WORDY = r"(?:\s++[\w:@.#*-]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|\{[^{}]*+\}|[^\s\"'<>=]++))?)"
_INLINE = re.compile(
    r"\[\[(?P<wiki>[^\[\]\n]{1,300})\]\]"
    r"|\[\^(?P<note>[^\[\]\s]{1,100})\](?!:)"
    rf"|\[(?P<text>[^\[\]]{{1,1000}})\](?:\({_TARGET}\)(?:\{{[^{{}}\n]{{0,200}}\}})?"
    r"|\[(?P<label>[^\[\]\n]{0,200})\])"
    rf"|(?P<tag></?[A-Za-z][\w.:-]{{0,60}}{_WORDY}{{0,40}}+\s*+/?>)"
    r"|(?P<template>\{%[^%\n]{0,300}%\}|\{\{[<%][^{}\n]{0,300}[>%]\}\})"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<entity>&(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|\w{2,31});)"
)
_DEFINITION = re.compile(
    r"^ {0,3}\[(?:\^[^\[\]\s]{1,100}\]:[ \t]*+"
    r"|(?P<label>[^\[\]\n]{1,200})\]:[ \t]{0,9}(?:<[^<>\n]{0,2000}>|[^\s<]\S{0,2000})"
    r"(?:[ \t]{1,9}(?P<title>\"[^\"\n]{0,300}\"|'[^'\n]{0,300}'|\([^()\n]{0,300}\)))?[ \t]*+$)",
    re.MULTILINE,
)
_TITLE = re.compile(r"(?:title=)?\"([^\"]{1,200})\"|'([^']{1,200})'")
_BLANKS = re.compile(r"(?<![ \t])[ \t]*+\n[ \t]*+\n\s*+")


class Reader:
    """Reads the pieces of one document."""

    def __init__(self, text: str, notes: Mapping[str, str], links: Mapping[str, str]) -> None:
        """Take the document, and its footnotes and link definitions by their labels."""
        self._notes = notes
        self._links = links
        self._note_chars = NOTE_SHARE * len(text)
        self._noted: set[str] = set()
        self._kind: BlockKind = "paragraph"
        # Most documents hold none of these, and need not be searched again for each piece.
        self._noise = [(each, less) for marks, each, less in _NOISE if marks(text)]

    def read(self, text: str, kind: BlockKind) -> str:
        """Return a piece as the embedder reads it; empty where there is nothing to read."""
        if kind in ("comment", "rule"):
            return ""
        for pattern, less in self._noise:
            text = pattern.sub(less, text)
        if kind in _CODE:
            is_quoted = text.lstrip(" \t").startswith(">")
            return (_QUOTE.sub("", text) if is_quoted else text).rstrip()
        if len(text) < _SHORT and not _MARKED.search(text):
            return text.strip()
        if kind == "html":
            text = _without(_without(text, "<script", "</script>"), "<style", "</style>")
        self._noted.clear()
        self._kind = kind
        parts = _prose_and_code(text)
        parts[::2] = [self._prose(part) for part in parts[::2]]
        read = "".join(parts).strip()
        return _BLANKS.sub("\n\n", read) if len(read) < len(text) else read

    def _prose(self, text: str) -> str:
        """Return text without its markup; what stands in code spans is kept as it is."""
        kept: list[str] = []
        if "`" in text:
            kept = _CODE_SPAN.findall(text)
            places = iter(range(len(kept)))
            text = _CODE_SPAN.sub(lambda _: f"\0{next(places)}\0", text.replace("\0", "\ufffd"))
        for opener, closer in _REMARKS:
            text = _without(text, opener, closer)
        if self._kind == "container":
            text = _CONTAINER.sub(_opener, text)
        for mark, pattern, instead in _REWRITTEN:
            if mark in text:
                text = pattern.sub(instead, text)
        text = _INLINE.sub(self._inline, text)
        return _KEPT.sub(lambda found: kept[int(found[1])], text) if kept else text

    def _inline(self, match: re.Match[str]) -> str:
        return _READERS[match.lastgroup or ""](self, match)

    def _tag(self, match: re.Match[str]) -> str:
        return read_tag(match["tag"], is_html=self._kind == "html")

    def _note(self, match: re.Match[str]) -> str:
        """Return a footnote's text in brackets, once a piece, and never more than pays."""
        label = match["note"].casefold()
        note = self._notes.get(label, "")[:MAX_NOTE_CHARS]
        if not note or label in self._noted or self._note_chars < len(note):
            return ""
        self._noted.add(label)
        self._note_chars -= len(note)
        return f" ({note})"

    def _link(self, match: re.Match[str]) -> str:
        return match["text"]

    def _reference(self, match: re.Match[str]) -> str:
        label = " ".join((match["label"] or match["text"]).split()).casefold()
        return match["text"] if label in self._links else match[0]


def _definition(match: re.Match[str]) -> str:
    """Return a link's label and title, and nothing in front of a footnote's text."""
    if not match["label"]:
        return ""
    title = (match["title"] or "")[1:-1]
    return f"{match['label']}: {title}" if title else match["label"]


def _holds_blob(text: str) -> bool:
    long = (line for line in text.split("\n") if len(line) >= LONGEST_WORD)
    return ";base64," in text or any(
        len(word) >= LONGEST_WORD for line in long for word in line.split()
    )


def _alert(match: re.Match[str]) -> str:
    return f"{match[1].capitalize()}: "


def _opener(match: re.Match[str]) -> str:
    """Return what the opening line of a container says: ``note: Title``."""
    rest = match["title"] or ""
    name = (match["name"] or "").strip("{}.#")
    quoted = _TITLE.search(rest)
    title = (quoted[1] or quoted[2]) if quoted else rest.partition("{")[0].strip()
    return f"{name}: {title}" if name and title else name or title


def _image(match: re.Match[str]) -> str:
    return _page(match["embed"]) if match["embed"] else match["alt"] or ""


def _page(target: str) -> str:
    """Return what a wiki link shows: its alias, else the page and the heading on it."""
    page, bar, alias = target.partition("|")
    is_alias = bar and not alias.replace("x", "").isdigit()
    return alias if is_alias else page.replace("#", " ").strip()


_REMARKS = (("<!--", "-->"), ("{/*", "*/}"))
_REWRITTEN: Sequence[tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]]] = (
    ("%%", _REMARK, ""),
    ("**", _STRONG, r"\1\2"),
    ("~~", _STRONG, r"\1\2"),
    ("{", _ATTRIBUTES, ""),
    ("----", _DELIMITER_ROW, lambda row: _DASHES.sub("---", row[0])),
    (">", _QUOTE, ""),
    ("[!", _ALERT, _alert),
    ("![", _IMAGE, _image),
    ("]:", _DEFINITION, _definition),
)
"""What is rewritten where its mark occurs, in this order."""
_NOISE: Sequence[tuple[Callable[[str], bool], re.Pattern[str], str]] = (
    (_holds_blob, _BLOB, ""),
    (lambda text: any(mark in text for mark in ("{{#", "{*", "8<")), _INCLUDE, ""),
    (lambda text: any(ruler in text for ruler in _RULERS), _RUN, r"\1\1\1"),
)
"""What most documents hold none of, with a quick look whether one does."""
_READERS: Mapping[str, Callable[[Reader, re.Match[str]], str]] = {
    "wiki": lambda reader, match: _page(match["wiki"]),
    "note": Reader._note,
    "text": Reader._link,
    "label": Reader._reference,
    "tag": Reader._tag,
    "template": lambda reader, match: titles(match["template"]),
    # Its backslash stays: it costs a token, and keeps what follows from being read as markup.
    "escaped": lambda reader, match: match[0],
    "entity": lambda reader, match: unescape(match[0]),
}


def _prose_and_code(text: str) -> list[str]:
    """Return the text in turns: prose, a fenced block, prose and so on."""
    if "```" not in text and "~~~" not in text:
        return [text]
    parts: list[str] = []
    start = 0
    opening = _FENCE.search(text)
    while opening:
        mark = opening[1]
        closer = _FENCE.search(text, opening.end())
        while closer and not closer[1].startswith(mark):
            closer = _FENCE.search(text, closer.end())
        end = closer.end() if closer else len(text)
        parts += [text[start : opening.start()], text[opening.start() : end]]
        start = end
        opening = _FENCE.search(text, end)
    return [*parts, text[start:]]


def _without(text: str, opener: str, closer: str) -> str:
    """Return text without what stands between two marks; an opener that nothing closes stays."""
    parts: list[str] = []
    start = 0
    opened = text.find(opener)
    while opened >= 0:
        closed = text.find(closer, opened + len(opener))
        if closed < 0:
            break
        parts.append(text[start:opened])
        start = closed + len(closer)
        opened = text.find(opener, start)
    return "".join([*parts, text[start:]]) if start else text
