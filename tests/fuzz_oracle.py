"""What cmark, CommonMark's reference implementation in C, says of a document's headings.

Only documents of plain CommonMark are held against it; why others are not is named here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from html import unescape

import cmarkgfm
from cmarkgfm.cmark import Options

from fuzz_grammar import Heading

NL = "\n"
DIALECT = re.compile(
    r":::|///|^!!!|^\?\?\?|^=== *[\"']|%%|\{[%{/#:.]|\[\^|\[\[|^\+\+\+|\A---"
    r"|^ *(?:import|export) |</?[A-Z]\w*|\$\$|^[ \t]*: |^[ \t>]*\[!",
    re.MULTILINE,
)
DELIMITER_ROW = re.compile(r"^(?=.*-)(?=.*\|)[ \t>]*[|:\- \t]+$", re.MULTILINE)
ODD_BLANK = re.compile(
    "[\r\0\x0b\x0c\x1c-\x1f\x85\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff\ud800-\udfff]"
)
TEXT_UNDER_DEFINITION = re.compile(
    r"^[ \t>]*(?:[-+*] +|\d+[.)] +)*\[.*\]:.*\n(?=[ \t>]*\S)", re.MULTILINE
)
DEEP_QUOTE_MARK = re.compile(r"^(?: {4}|\t)[ \t]*>", re.MULTILINE)
BLANK_ITEM = re.compile(r"^[ \t>]*(?:[-+*]|\d+[.)])[ \t]*\n[ \t]+$", re.MULTILINE)
NESTED_QUOTE = re.compile(r"^ {0,3}>[ \t]*>[ \t]{5,}\S", re.MULTILINE)
MARKER = re.compile(r"[ \t]*(?:[-+*>]|\d+[.)])")


def has_lazy_tag(text: str) -> bool:
    """Return whether a tag opens a line that may go on an item's or quote's paragraph."""
    is_inside, is_after_blank = False, False
    for line in text.split(NL):
        if not line.strip():
            is_after_blank = True
            continue
        goes_on = is_inside and (not is_after_blank or line[0] in " \t")
        is_inside, is_after_blank = goes_on or MARKER.match(line) is not None, False
        if is_inside and line.lstrip(" \t>").startswith("<"):
            return True
    return False


EXCLUDED: dict[str, Callable[[str], object]] = {
    "a dialect's construct": DIALECT.search,
    "a table's delimiter row": DELIMITER_ROW.search,
    # Python, cmark and markdown-it disagree about which of these are blank.
    "a blank that is not ASCII": ODD_BLANK.search,
    # cmark takes it off a paragraph that keeps its lines: a heading then starts above its text,
    # and an indented line is no code. markdown-it reads on as if a block had ended.
    "text right under a link definition": TEXT_UNDER_DEFINITION.search,
    # cmark lets any tag interrupt the paragraph there, as it does nowhere else.
    "a tag on a lazy line": has_lazy_tag,
    # markdown-it takes such a line for the quote's own, cmark for text that goes on lazily.
    "a quote's mark behind four blanks": DEEP_QUOTE_MARK.search,
    # cmark lets an empty item go on after a line of blanks, against the specification.
    "an empty item above a line of blanks": BLANK_ITEM.search,
    # Ours does not count how far in a list's text stands in a quote in a quote, and takes a lazy
    # line after it, underlined, for a heading.
    "text five blanks in, in a quote in a quote": NESTED_QUOTE.search,
}
"""Reason → a test that is true of documents that are not held against cmark."""

_TAG = re.compile(
    r"<(/?)(blockquote|li|h[1-6])(?: data-sourcepos=\"(\d+):\d+-\d+:\d+\")?>|<[^>]*>|[^<]+"
)
_UNDERLINE = re.compile(r" {0,3}(?:=+|-+)[ \t]*$")
_MARKUP = re.compile(r"[\\`*_\[\]<&~!{}]")


def excluded(text: str) -> str:
    """Return why a document is not held against cmark, or ''."""
    return next((reason for reason, is_true in EXCLUDED.items() if is_true(text)), "")


def told(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the first line, level and text of the headings at top level.

    Raw HTML is left out of cmark's answer, so that every tag in it is cmark's own.
    """
    html = cmarkgfm.markdown_to_html(text, options=Options.CMARK_OPT_SOURCEPOS)
    depth, line, said = 0, 0, ""
    for match in _TAG.finditer(html):
        closes, name, first = match[1], match[2], match[3]
        if name in ("blockquote", "li"):
            depth += -1 if closes else 1
        elif name and depth == 0 and not closes:
            line, said = int(first), ""
        elif name and depth == 0:
            yield line, int(name[1]), " ".join(unescape(said).split())
        elif not match[0].startswith("<"):
            said += match[0]


def faults(text: str, found: Sequence[Heading]) -> list[str]:
    """Return where headings differ from cmark's: level, first line, and text where it is plain.

    cmark's last line is not to be trusted (it may be the line after); ours is the underline.
    """
    lines = text.split(NL)
    wanted = list(told(text))
    ours = [(head.lines[0], head.level) for head in found]
    if ours != [(line, level) for line, level, _ in wanted]:
        return [f"headings {ours}, but cmark has {wanted}"]
    wrong = []
    for head, (_, _, said) in zip(found, wanted, strict=True):
        first, last = head.lines
        if first < last and not _UNDERLINE.match(lines[last - 1]):
            wrong.append(f"no underline on line {last}")
        if not _MARKUP.search(NL.join(lines[first - 1 : last])) and head.text != said:
            wrong.append(f"heading {head.text!r}, but cmark has {said!r}")
    return wrong
