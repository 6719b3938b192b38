"""What MDX writes between Markdown: component tags and the ES modules they come from.

CommonMark would take a tag for an HTML block that swallows what is under it up to a blank line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.common.html_blocks import block_names

from askmd.markdown.spans import Span

TAG = re.compile(
    r"</?(?P<name>[A-Z][\w.]*+)(?=[\s/>])"
    r"(?:[^<>\"'{}]++|\"[^\"]*+\"|'[^']*+'|\{(?:[^{}]++|\{(?:[^{}]++|\{[^{}]*+\})*+\})*+\})*+>"
)
_UNCLOSED = re.compile(r"<(?P<name>[A-Z][\w.]*+)(?![:@-])")
MAX_TAG_LINES = 30
"""A tag that is not closed by then is no tag."""
_HTML = frozenset([*block_names, "pre", "script", "style", "textarea"])
"""Names that are HTML however they are written."""
_IMPORT = re.compile(
    r"import\s++(?:type\s++)?(?:"
    r"[\"'][^\"']++[\"'];?"
    r"|[\w$*{][^\"';]*?(?<=[\s}])from\s++[\"'][^\"']++[\"'];?"
    r"|(?:[\w$]++\s*+,\s*+)?\{[\w$,\s]*+"
    r")\s*+$"
)
_EXPORT = re.compile(
    r"export\s++(?:(?:const|let|var)\s++[\w$]++\s*+[=:]"
    r"|(?:async\s++)?function\b[\s*]*+[\w$]*+\s*+\(|class\s++[\w$]++[^.{]*+\{"
    r"|default\s++(?:[{(]|(?:async\s++)?function\b|[A-Z][\w$]*+;?\s*+$)"
    r"|\{[^{}]*+(?:\}|$)|\*\s++from\s++[\"'])"
)
_HEADING = re.compile(r"#{1,6}[ \t]|(?:im|ex)port ")
MAX_MODULE_LINES = 100
"""An export whose brackets are not closed by then ends at its first blank line."""


def component(lines: Sequence[str], index: int) -> Span | None:
    """Return a line of nothing but component tags, or one opening tag over several lines."""
    line = lines[index].strip(" \t")
    if _is_tags(line):
        return Span("html", index, index + 1)
    unclosed = _UNCLOSED.match(line)
    if unclosed is None or not _is_component(unclosed["name"]):
        return None
    tag = [line]
    for end in range(index + 1, min(len(lines), index + MAX_TAG_LINES)):
        following = lines[end].strip(" \t")
        if not following or following.startswith("<"):
            return None
        tag.append(following)
        if following.endswith(">") and _is_tags("\n".join(tag)):
            return Span("html", index, end + 1)
    return None


def _is_tags(text: str) -> bool:
    """Return whether a text is component tags, one after the other, and nothing else."""
    position = 0
    while position < len(text):
        tag = TAG.match(text, position)
        if tag is None or not _is_component(tag["name"]):
            return False
        position = tag.end()
        while text[position : position + 1].isspace():
            position += 1
    return bool(text)


def _is_component(name: str) -> bool:
    is_written_so = "." in name or not name.isupper()
    return is_written_so and name.lower() not in _HTML


def module(lines: Sequence[str], index: int) -> Span | None:
    """Return a block of ``import`` and ``export`` lines; prose that starts so is none."""
    line = lines[index]
    if not (_IMPORT.match(line) or _EXPORT.match(line)):
        return None
    return Span("html", index, _module_end(lines, index), info="esm")


def _module_end(lines: Sequence[str], first: int) -> int:
    """Return the first blank line outside brackets; where they do not add up, the first one."""
    depth = blank = 0
    index = first
    for index in range(first, min(len(lines), first + MAX_MODULE_LINES)):
        line = lines[index]
        if not line.strip():
            if depth <= 0:
                return index
            blank = blank or index
        elif blank and _HEADING.match(line):
            return blank
        depth += sum(map(line.count, "{[(")) - sum(map(line.count, "}])"))
    start = blank if blank and depth > 0 else index
    return next((n for n in range(start, len(lines)) if not lines[n].strip()), len(lines))
