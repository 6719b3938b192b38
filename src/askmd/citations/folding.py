"""Text as it is compared word for word: without its case, its white space and its Markdown."""

from __future__ import annotations

import html
import re
import unicodedata

# Bounded, for a bracket or an address that never ends is looked at from every one before it.
_LINK = re.compile(
    r"!?\[(?P<text>[^\[\]]{0,300}+)\](?:\([^()\s]{0,500}+(?:\s{1,3}\"[^\"\n]{0,200}+\")?\)|\[[^\[\]]{0,100}+\])"
)
_LINE_START = re.compile(r"^[ \t>]*+(?:(?:[-*+]|\d{1,9}[.)]|#{1,6})[ \t]++)?", re.MULTILINE)
_MARKUP = re.compile(r"[*`_~|\\\u00ad\u200b-\u200d\u2060\ufeff]+")
_ALIKE = str.maketrans(
    {
        **dict.fromkeys('\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u300c\u300d\u300e\u300f"', "'"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2039\u203a\u2032\u00b4", "'"),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
    }
)
# A letter of a script without spaces is a word of its own here: a quotation may begin at any.
_LETTER = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u2e80-\u2fdf\u3005-\u30ff\u3100-\u31bf"
    "\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U000323af"
)
_TOKEN = re.compile(rf"[{_LETTER}]|[^\W{_LETTER}]+(?:(?<=\d)[.,:]\d+)*+|[^\w\s]")
_DASHES = re.compile(r" -(?: -)+ ")


def folded(text: str) -> str:
    """Return a text's words and other signs, each between single blanks, as they are compared.

    What stands in one folded text word for word is a part of it. Emphasis, code spans, list and
    quote marks are gone, a link is its text; quotation marks and dashes are the plain ones.
    """
    plain = _LINK.sub(_link_text, _LINE_START.sub("", html.unescape(text)))
    plain = unicodedata.normalize("NFKC", plain).translate(_ALIKE)
    tokens = " ".join(_TOKEN.findall(_MARKUP.sub(_blank_for_cells, plain).casefold()))
    return _DASHES.sub(" - ", f" {tokens} ") if tokens else ""


def _link_text(found: re.Match[str]) -> str:
    return found["text"]


def _blank_for_cells(found: re.Match[str]) -> str:
    return " " if "|" in found[0] else ""
