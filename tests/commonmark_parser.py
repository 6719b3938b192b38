"""Blocks by markdown-it-py: another reading of documents that askmd's own is held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from askmd.markdown.dialects import Dialects
from askmd.markdown.spans import Span, language
from askmd.types import BlockKind

# At its limit markdown-it drops the rest of the document into the list it is in: so the limit is
# far above what people write (its own 20 is not), and what comes near it is not trusted.
_MAX_NESTING = 60
_KINDS: dict[str, BlockKind] = {
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "fence": "fence",
    "code_block": "code",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "blockquote_open": "quote",
    "html_block": "html",
    "hr": "rule",
}
_CONSTRUCT = "construct"


class TooNested(Exception):
    """The document nests deeper than the parser reads."""


def find(lines: Sequence[str], dialects: Dialects) -> list[Span]:
    """Return the top-level blocks in order; lines that are in no block (definitions) are left out.

    No line holds a newline of the parser's: a carriage return or NUL.
    Raises TooNested where the parser would lose text.
    """
    tokens = _parser().parse("\n".join(lines), {"dialects": dialects})
    if any(token.level >= _MAX_NESTING - 2 for token in tokens):
        raise TooNested
    return list(_spans(tokens))


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    for position, token in enumerate(tokens):
        if token.type == _CONSTRUCT:
            yield token.meta["span"]
        kind = _KINDS.get(token.type)
        if kind is None or token.level or token.map is None:
            continue
        first, end = token.map
        if kind == "heading":
            text = tokens[position + 1].content
            yield Span(kind, first, end, int(token.tag[1]), text)
        else:
            yield Span(kind, first, end, info=language(token.info))


@cache
def _parser() -> MarkdownIt:
    """Return the parser: block rules only, no tables, whose cost is the product of their sides."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
    parser.disable(["inline", "text_join"])
    interrupts = RuleOptionsType(alt=["paragraph", "reference", "blockquote", "list"])
    parser.block.ruler.before("fence", _CONSTRUCT, _construct, interrupts)
    return parser


def _construct(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """Take a dialect's construct as one block, unread; the signature is markdown-it's.

    Those in a list or quote are found when somebody looks inside: its lines stand elsewhere then.
    """
    is_outside = silent and state.sCount[first] < state.blkIndent
    if state.is_code_block(first) or (state.level and not is_outside):
        return False
    dialects: Dialects = state.env["dialects"]
    span = dialects.block(first, inside_paragraph=silent)
    if span is None or span.end > end:
        return False
    if not silent:
        token = state.push(_CONSTRUCT, "", 0)
        token.meta = {"span": span}
        state.line = span.end
    return True
