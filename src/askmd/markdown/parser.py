"""Blocks by markdown-it-py: CommonMark as it is specified, for documents of ordinary size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from askmd.markdown.containers import Containers
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
    "container": "container",
}


class TooNested(Exception):
    """The document nests deeper than the parser reads."""


def find(lines: Sequence[str], containers: Containers) -> list[Span]:
    """Return the top-level blocks in order; lines that are in no block (definitions) are left out.

    Raises TooNested where the parser would lose text.
    """
    # A carriage return or NUL is text here; to the parser it is a newline or another character.
    source = "\n".join(lines).replace("\r", " ").replace("\0", " ")
    tokens = _parser().parse(source, {"containers": containers})
    if any(token.level >= _MAX_NESTING - 2 for token in tokens):
        raise TooNested
    return list(_spans(tokens))


def _spans(tokens: Sequence[Token]) -> Iterator[Span]:
    for position, token in enumerate(tokens):
        kind = _KINDS.get(token.type)
        if kind is None or token.level or token.map is None:
            continue
        first, end = token.map
        if kind == "heading":
            text = tokens[position + 1].content
            yield Span(kind, first, end, int(token.tag[1]), text)
        else:
            info = language(token.info) if kind == "fence" else token.info
            yield Span(kind, first, end, info=info)


@cache
def _parser() -> MarkdownIt:
    """Return the parser: block rules only, no tables, whose cost is the product of their sides."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING})
    parser.disable(["inline", "text_join"])
    interrupts = RuleOptionsType(alt=["paragraph", "reference", "blockquote", "list"])
    parser.block.ruler.before("fence", "container", _container, interrupts)
    return parser


def _container(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """Take a container as one block, unread; the signature is markdown-it's."""
    containers: Containers = state.env["containers"]
    if state.is_code_block(first):
        return False
    last = containers.end(first)
    if last is None or last > end:
        return False
    if not silent:
        token = state.push("container", "", 0)
        token.map = [first, last]
        token.info = containers.kind(first)
        state.line = last
    return True
