"""A heading's source → its plain text, and as the programs that publish Markdown show it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from askmd.markdown.components import TAG

MAX_CHARS = 1000
"""A longer heading is an accident: it is cut, for every path and chunk under it repeats it."""
MAX_MARKUP = 64
"""A heading with more marks is not parsed: brackets cost the parser their square."""
MAX_PARSED = 4000
"""So many different headings of a document are parsed; the marks of the others are dropped."""
_MARKUP = re.compile(r"[\\`*_\[\]<&~!{]")
_MARKERS = re.compile(r"[\\`*\[\]~]++")
# Attributes as Pandoc, kramdown and Python-Markdown write them; "-" is Pandoc's for no number.
_ATTRIBUTE = re.compile(
    r"\s*(?:#(?P<id>[^\s#{}]+)|\.[^\s{}]+|[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s\"']+)|-)(?=\s|$)"
)
# What MDX takes for a comment: React's documentation, and Docusaurus after "#", put ids there.
_MDX_COMMENT = re.compile(r"\{/\*(?:(?P<id>[\w-]+)|\s*#(?P<marked>[\w-]+)\s*|.*)\*/\}")
ATTRIBUTE_LINE = re.compile(r" {0,3}\{:[^{}]*+\}[ \t]*$")
"""A line of attributes for the block above it, as kramdown writes them."""
_REFERENCE = re.compile(r"\[([^\[\]]+)\]\[[^\[\]]*\]")
_NOTE_REFERENCE = re.compile(r"\[\^[^\[\]\s]+\]")
# Code spans come first, so that what they quote stays.
_TEMPLATED = re.compile(
    r"(`+).*?\1|!?\[\[(?P<page>[^\[\]|]+)(?:\|(?P<alias>[^\[\]]+))?\]\]"
    r"|\{\{.*?\}\}|\{%.*?%\}|" + re.sub(r"\?P<name>", "", TAG.pattern)
)
LONE_ANCHOR = re.compile(
    r"[ \t]*<a(?=\s)[^<>]*?\s(?:name|id)\s*=\s*[\"']?([^\"'\s<>]+)[^<>]*>[ \t]*(?:</a>)?[ \t]*$",
    re.IGNORECASE,
)
"""A line that is nothing but a link's target."""
_ANCHOR = re.compile(r"<a(?=\s)[^<>]*?\s(?:name|id)\s*=\s*[\"']?([^\"'\s<>]+)", re.IGNORECASE)
# As Python-Markdown has them: attributes at a heading's end, and tags.
_ATTRIBUTES = re.compile(r" +\{:? *([^} \n][^\n]*)\} *$")
_WORD = re.compile(r"([^ =}]+)=(?:\"(.*?)\"|'(.*?)'|([^ =}]+))|([^ =}]+)")
_HTML = re.compile(
    r"</?+[a-zA-Z][^\s\"'<>@]*+"
    r"(?:\s+[^\s\"'=<>]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s\"'=<>]++))?+)*+\s*+/?>"
)
_DOCUSAURUS_ID = re.compile(r"\s*\{#((?:.(?!\{#|\}))*.)\}$")


class Heading(NamedTuple):
    """What a heading reads, and what each publisher makes its id of."""

    text: str
    """Without markers, tags, templates and attributes."""
    github: str
    mkdocs: str
    docusaurus: str
    explicit: str = ""
    """The id that ``{#id}``, or a link's target at the heading, gives."""
    mkdocs_id: str = ""
    docusaurus_id: str = ""


class Headings:
    """The headings of one document, the same one read once."""

    def __init__(self) -> None:
        self._known: dict[str, Heading] = {}
        self._parsed = 0

    def read(self, source: str) -> Heading:
        """Return what a heading's inline source says."""
        heading = self._known.get(source)
        if heading is None:
            heading = self._known[source] = self._heading(source.strip())
        return heading

    def _heading(self, source: str) -> Heading:
        marks = len(_MARKUP.findall(source[:MAX_CHARS]))
        base, explicit = _without_attributes(source) if marks else (source, "")
        if len(base) > MAX_CHARS or marks > MAX_MARKUP or (marks and self._parsed >= MAX_PARSED):
            text = " ".join(_MARKERS.sub("", shortened(base)).split())
            return Heading(text, text, text, text, explicit)
        if not marks:
            text = " ".join(source.split())
            return Heading(text, source, text, source)
        self._parsed += 1
        return _parsed(base, source[len(base) :], explicit)


def _parsed(base: str, attributes: str, explicit: str) -> Heading:
    runs = list(_runs(base))
    plain = _TEMPLATED.sub(_readable, base)
    # What is nothing but a template says at least the template.
    said = runs if plain == base or not plain.strip() else list(_runs(plain))
    text = _NOTE_REFERENCE.sub("", "".join(run.text for run in said))
    anchors = (_ANCHOR.match(run.tag) for run in runs if run.tag)
    targets = [found[1] for found in anchors if found]
    shown = "".join(run.text for run in runs if not run.is_alt) + attributes
    mkdocs, mkdocs_id = _in_mkdocs(runs, attributes)
    docusaurus, docusaurus_id = _in_docusaurus(runs, attributes, explicit)
    return Heading(
        " ".join(text.split()),
        shown,
        mkdocs,
        docusaurus,
        explicit or (targets[0] if targets else ""),
        mkdocs_id,
        docusaurus_id,
    )


def _in_mkdocs(runs: Sequence[_Run], attributes: str) -> tuple[str, str]:
    shown = [run.text if run.is_code else _HTML.sub("", run.text) for run in runs if not run.is_alt]
    text = _NOTE_REFERENCE.sub("", "".join(shown)) + attributes
    found = _ATTRIBUTES.search(text)
    if found is None or "}" in found[1]:
        return text, ""
    words = [match.groups(default="") for match in _WORD.finditer(found[1])]
    ids = [word[1:] for *_, word in words if word.startswith("#")]
    ids += ["".join(values) for key, *values, word in words if key == "id" and not word]
    return text[: found.start()].rstrip("#").rstrip(), ids[-1] if ids else ""


def _in_docusaurus(runs: Sequence[_Run], attributes: str, explicit: str) -> tuple[str, str]:
    if attributes.lstrip().startswith("{/*"):
        attributes = f" {{#{explicit}}}" if explicit else ""
    shown = [run.text if run.is_code else TAG.sub("", run.text) for run in runs]
    text = _NOTE_REFERENCE.sub("", "".join(shown)) + attributes
    found = _DOCUSAURUS_ID.search(text)
    return (text[: found.start()], found[1]) if found else (text, "")


def _readable(match: re.Match[str]) -> str:
    """Return code as it is, a wiki link's text, and of templates and tags nothing."""
    if match[1]:
        return match[0]
    return match["alias"] or match["page"] or ""


def shortened(heading: str) -> str:
    """Return a heading or title, cut at MAX_CHARS."""
    return heading if len(heading) <= MAX_CHARS else heading[:MAX_CHARS] + "…"


def _without_attributes(source: str) -> tuple[str, str]:
    """Cut ``{#id}``, ``{ #id .class }``, ``{-}`` or ``{/*id*/}`` from the end of a heading."""
    opening = source.rfind("{")
    if opening < 0 or not source.endswith("}"):
        return source, ""
    comment = _MDX_COMMENT.fullmatch(source, opening)
    if comment:
        return source[:opening].rstrip(), comment["id"] or comment["marked"] or ""
    attributes = _attributes(source[opening:])
    if attributes is None:
        return source, ""
    return source[:opening].rstrip(), attributes


def line_id(line: str) -> str:
    """Return the id that a line of attributes gives the heading above it, or ''."""
    return (_attributes(line.strip()) or "") if ATTRIBUTE_LINE.match(line) else ""


def _attributes(braced: str) -> str | None:
    """Return the id among the attributes in braces, or ''; None where they are something else."""
    inner = braced[1:-1].removeprefix(":").rstrip()
    position, found = 0, ""
    while position < len(inner):
        attribute = _ATTRIBUTE.match(inner, position)
        if attribute is None:
            return None
        found = found or attribute["id"] or ""
        position = attribute.end()
    return found if inner else None


class _Run(NamedTuple):
    """A stretch of a heading's text, or a tag in it."""

    text: str
    is_code: bool = False
    is_alt: bool = False
    tag: str = ""


def _runs(source: str) -> Iterator[_Run]:
    # Reference links need definitions that may stand anywhere; their text is enough here.
    tokens: list[Token] = []
    _parser().inline.parse(_REFERENCE.sub(r"\1", source), _parser(), {}, tokens)
    for token in tokens:
        if token.type in ("text", "code_inline", "text_special"):
            yield _Run(token.content, is_code=token.type != "text")
        elif token.type == "image":
            yield _Run(_alt(token), is_alt=True)
        elif token.type == "html_inline":
            yield _Run("", tag=token.content)
        elif token.type in ("softbreak", "hardbreak"):
            yield _Run("\n")


def _alt(token: Token) -> str:
    """Return an image's alternative text; of code and breaks in it, the text."""
    children = token.children or []
    return "".join(
        " " if child.type.endswith("break") else _alt(child) if child.children else child.content
        for child in children
    )


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("strikethrough")
