"""What a document defines for use elsewhere in it: footnotes and links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from askmd.markdown.dialects import NOTE
from askmd.markdown.spans import DEFINITION
from askmd.types import Block, Section

MAX_NOTE_CHARS = 300
_FENCE = ("```", "~~~")
_LINK = re.compile(r"^[ \t>]*+(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]++)?" + DEFINITION, re.MULTILINE)


def definitions(
    sections: Sequence[Section], lines: Sequence[str], offset: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the footnotes' texts and the link definitions' titles by their labels.

    The first definition of a label counts. ``offset`` lines stand above ``lines``.
    """
    notes: dict[str, str] = {}
    links: dict[str, str] = {}
    for section in sections:
        for block in _leaves(section.blocks):
            text = lines[block.lines[0] - offset - 1 : block.lines[1] - offset]
            if block.kind == "note":
                notes.setdefault(block.info.casefold(), _note(text))
            elif block.kind in ("paragraph", "list", "item", "quote", "container"):
                for label, title in _links(block, "\n".join(text)):
                    links.setdefault(label, title)
    return notes, links


def _leaves(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        if block.children:
            yield from _leaves(block.children)
        else:
            yield block


def _note(lines: Sequence[str]) -> str:
    """Return a footnote's first paragraph, blanks single, cut at MAX_NOTE_CHARS."""
    label = NOTE.search(lines[0].lstrip(" \t>"))
    said = [lines[0].lstrip(" \t>")[label.end() :] if label else lines[0], *lines[1:]]
    words: list[str] = []
    chars = 0
    for line in said:
        if (words and not line.strip()) or chars > MAX_NOTE_CHARS:
            break
        words += line[: MAX_NOTE_CHARS * 4].split()
        chars += len(line)
    return " ".join(words)[:MAX_NOTE_CHARS].rstrip()


def _links(block: Block, text: str) -> Iterator[tuple[str, str]]:
    # Nobody has told the fences of a small list or container apart from its text.
    if "]:" not in text or (block.kind != "paragraph" and any(mark in text for mark in _FENCE)):
        return
    for match in _LINK.finditer(text):
        label, title = match["label"], (match["title"] or "")[1:-1]
        if not label.startswith("^"):
            yield " ".join(label.split()).casefold(), " ".join(title.split())
