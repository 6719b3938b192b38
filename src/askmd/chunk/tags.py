"""HTML's and JSX's tags as a reader meets them: a blank between words, or the title they carry."""

from __future__ import annotations

import re

_INSIDE_WORDS = frozenset(
    {"a", "abbr", "b", "big", "code", "del", "em", "font", "i", "img", "ins", "kbd", "mark", "s"}
    | {"samp", "small", "span", "strike", "strong", "sub", "sup", "u", "wbr"}
)
_BETWEEN_WORDS = frozenset(
    {"br", "center", "div", "figcaption", "figure", "hr", "li", "ol", "p", "picture", "pre"}
    | {"table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"}
)
_OF_BLOCKS = frozenset(
    {"address", "article", "aside", "audio", "blockquote", "body", "button", "caption", "cite"}
    | {"col", "colgroup", "dd", "details", "dfn", "dialog", "dl", "dt", "embed", "fieldset"}
    | {"footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "html", "iframe"}
    | {"input", "label", "legend", "link", "main", "meta", "nav", "noscript", "object", "option"}
    | {"optgroup", "param", "path", "q", "script", "section", "select", "source", "style"}
    | {"summary", "svg", "textarea", "time", "title", "track", "var", "video"}
)
"""Markup in a block of HTML; who writes ``<title>`` in a sentence writes about it."""
_VOID = frozenset(
    {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_NAME = re.compile(r"</?([A-Za-z][\w.:-]*)")
_TAG = re.compile(r"<(/?)([A-Za-z][\w.:-]*)[^<>]{0,1000}?(/?)>")
_TITLE = re.compile(
    r"(?<![\w-])(?:title|label|alt|summary|header|description|name|text|caption|content)"
    r"\s?=\s?(?:\"([^\"]{1,300})\"|'([^']{1,300})')"
)


def read_tag(tag: str, *, is_html: bool) -> str:
    """Return what a tag says, or the tag itself where it is no markup: ``Vec<item>``, ``<NAME>``.

    ``is_html``: it stands in a block of HTML, where rarer elements and any component are markup.
    """
    found = _NAME.match(tag)
    name = found[1] if found else ""
    if not _is_markup(name, tag, is_html):
        return tag
    said = titles(tag)
    if said:
        return f" {said} "
    return "" if name.lower() in _INSIDE_WORDS else " "


def titles(tag: str) -> str:
    """Return the values of a tag's attributes that are written for readers."""
    return " ".join(one or other for one, other in _TITLE.findall(tag))


def opens_more(text: str) -> bool:
    """Return whether a piece of HTML opens an element that it does not close."""
    depth = 0
    for closes, name, is_empty in _TAG.findall(text):
        if not is_empty and name.lower() not in _VOID:
            depth += -1 if closes else 1
    return depth > 0


def _is_markup(name: str, tag: str, is_html: bool) -> bool:
    lower = name.lower()
    if lower in _INSIDE_WORDS or lower in _BETWEEN_WORDS or (is_html and lower in _OF_BLOCKS):
        return True
    if name.isupper() or not name[:1].isupper():
        return False
    return is_html or "=" in tag or tag.startswith("</") or tag.endswith("/>")
