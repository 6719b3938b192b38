"""A conversation as Markdown for people, with the whole of it in a comment for ``/load``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from askmd.records.answers import conversation_as_json, conversation_from
from askmd.types import AnswerRecord, Citation

_TITLE = "# A conversation with askmd"
_MARK = "<!-- askmd conversation"
_KEPT = re.compile(rf"^{_MARK}[ \t]*\r?\n(?P<kept>.*?)\r?\n-->", re.DOTALL | re.MULTILINE)
_UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_MARKUP = re.compile(r"[\\`*_\[\]<>&#|~!$]")
_DEFINITION = re.compile(r"^([ \t>*+-]{0,80})\[(?=[^\n]{0,1000}\]:)", re.MULTILINE)
"""Where a link's target is set apart, for the whole file: for our own ``[1]`` too."""
_TAG = re.compile(
    r"<(?=[/!?]|[a-z][\w:.-]{0,100}[\s/][^<>]{0,2000}="
    r"|(?:blockquote|iframe|math|noscript|plaintext|script|select|style|svg|template|textarea|title"
    r"|xmp)\b)",
    re.IGNORECASE,
)
"""Of HTML, what can load something or end the quotation: a tag with an attribute, and a few
without. ``Vec<T>`` is none."""


def as_transcript(records: Sequence[AnswerRecord]) -> str:
    """Return a conversation as Markdown: a heading a question, the answer quoted, its sources.

    An answer cannot reach out of its quotation, and nothing in it is fetched by a preview.
    ``read_transcript`` has the same records back.
    """
    turns = "\n".join("\n".join(_turn(record)) for record in records)
    # Two dashes end a comment and are JSON's only in texts, where they may be escaped.
    kept = conversation_as_json(records).replace("--", "-\\u002d")
    return f"{_TITLE}\n\n{turns}\n{_MARK}\n{kept}-->\n"


def read_transcript(text: str) -> tuple[AnswerRecord, ...]:
    """Return the conversation that a transcript keeps, in order.

    Raises ValueError, in one line, where the file keeps none, a broken or a newer one.
    """
    start = text.rfind(f"\n{_MARK}")
    found = _KEPT.match(text, start + 1) if start >= 0 else None
    if found is None:
        raise ValueError("this file keeps no conversation of askmd, or not the end of it")
    return conversation_from(found["kept"])


def _turn(record: AnswerRecord) -> Iterator[str]:
    """Yield the lines of one turn, an empty one last."""
    yield f"## {_text(record.question) or '(no question)'}"
    yield ""
    if record.search_query != record.question:
        yield f"*searched for:* {_text(record.search_query)}"
        yield ""
    yield from (f"> {line}".rstrip() for line in _harmless(record.answer).split("\n"))
    yield ""
    if record.citations:
        yield from map(_source, record.citations)
        yield ""
    yield f"*{' · '.join(_facts(record))}*"
    yield ""


def _source(citation: Citation) -> str:
    """Return a citation as an item of a list: ``[1] path:first-last  Heading > Sub``."""
    first, last = citation.lines
    lines = f"{first}-{last}" if last > first else f"{first}"
    heading = _text(" > ".join(citation.heading))
    changed = " *(changed since it was indexed)*" if citation.stale else ""
    place = f"- \\[{citation.number}\\] {_code(f'{citation.path}:{lines}')}  {heading}"
    return f"{place.rstrip()}{changed}"


def _facts(record: AnswerRecord) -> Iterator[str]:
    """Yield what is told of an answer below it."""
    yield record.status
    if record.cut_reason:
        yield _text(record.cut_reason)
    if record.model:
        yield _text(record.model)
    if record.usage and record.usage.total_tokens is not None:
        yield f"{record.usage.total_tokens} tokens"
    if record.seconds is not None:
        yield f"{record.seconds:.1f} s"


def _harmless(answer: str) -> str:
    """Return an answer's Markdown without images, tags that load something, and link targets.

    Without reading what is code: a backslash too many in an example is the lesser evil, and the
    exact text is kept in the comment.
    """
    text = answer.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    text = _TAG.sub(r"\<", _DEFINITION.sub(r"\1\\[", _UNSHOWN.sub("", text)))
    # An image ends before the next empty line, and has "](": vec![1, 2] is none.
    blocks = text.split("\n\n")
    return "\n\n".join(one.replace("![", r"!\[") if "](" in one else one for one in blocks)


def _text(text: str) -> str:
    """Return text on one line in which nothing is Markdown."""
    line = " ".join(_UNSHOWN.sub(" ", text).split())
    return _MARKUP.sub(lambda found: f"\\{found.group()}", line)


def _code(text: str) -> str:
    """Return text on one line as a code span, whatever backticks it has."""
    line = " ".join(_UNSHOWN.sub(" ", text).split())
    longest = max(map(len, re.findall("`+", line)), default=0)
    marks = "`" * (longest + 1)
    return f"{marks} {line} {marks}" if longest else f"{marks}{line}{marks}"
