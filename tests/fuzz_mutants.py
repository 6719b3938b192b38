"""Examples disturbed: by whole lines, and by what stands in the bytes of real files."""

from __future__ import annotations

import codecs
import json
import re
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random

from askmd import files

NL = "\n"
NOISE = (
    "", " ", "\t", "# yes", "## yes ##", "    # code", "===", "---", "- ", "1. x", "> q", ">",
    "```", "~~~", "````sh", "<!--", "-->", "<div>", "</div>", "<pre>", "[x]: /u", "| a | b |",
    "|---|---|",
    "***", "text", "\\", "`", "服务器。", "<a", "&amp;", "  text", "[^1]: note", ":::tip", ":::",
    "!!! note", "---\ntitle: x\n---", "%%", "{% if x %}", "{% raw %}", "[[x]]", "<Card>", "</Card>",
    "\u2028", "\x0c", "\u00a0",
)  # fmt: skip
MARKS = (" ", "  ", "   ", "    ", "\t", "> ", "- ")

Mutation = Callable[[Random, list[str], Sequence[str]], None]


def spliced(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    at = random.randrange(len(lines))
    lines[at:at] = random.choice(examples).split(NL)[: random.randint(1, 3)]


def doubled(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    lines.insert(random.randrange(len(lines)), random.choice(lines))


def thinned(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    if len(lines) > 1:
        del lines[random.randrange(len(lines))]


def swapped(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    at, to = random.randrange(len(lines)), random.randrange(len(lines))
    lines[at], lines[to] = lines[to], lines[at]


def indented(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    first, last = sorted(random.choices(range(len(lines)), k=2))
    mark = random.choice(MARKS)
    lines[first : last + 1] = [mark + line for line in lines[first : last + 1]]


def interrupted(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    lines.insert(random.randrange(len(lines)), random.choice(NOISE))


def disturbed(random: Random, lines: list[str], examples: Sequence[str]) -> None:
    at = random.randrange(len(lines))
    cut = random.choice([len(lines[at]), random.randint(0, len(lines[at]))])
    lines[at] = lines[at][:cut] + random.choice(NOISE) + lines[at][cut:]


MUTATIONS: tuple[Mutation, ...] = (
    spliced, doubled, thinned, swapped, indented, interrupted, disturbed,
)  # fmt: skip


def mutated(random: Random, examples: Sequence[str]) -> str:
    """Return a few examples one after the other, disturbed a few times or not at all."""
    chosen = random.choices(examples, k=random.choice([1, 1, 2, 3, 5]))
    lines = random.choice(["", NL]).join(chosen).split(NL)
    for _ in range(random.choice([0, 1, 1, 2, 4])):
        random.choice(MUTATIONS)(random, lines, examples)
    return NL.join(lines)


CHARACTERS = (
    "\r\n", "\r", "\0", "\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\ufeff", "\u200b", "\x1b[31m",
    "\x1c", "\u00ad", "\u202e", "\ufffd", "\U000e0041", "\ud800", "\udfff", "\ue000", "\u0301",
    "\x7f", "\x01",
)  # fmt: skip
NEWLINES = ("\r\n", "\r", "\n\r", "\u2028\n", "\x0c\n", "\x85")
ENCODINGS = (
    ("utf-8", b""),
    ("utf-8", b""),
    ("utf-8", codecs.BOM_UTF8),
    ("utf-16-le", codecs.BOM_UTF16_LE),
    ("utf-16-be", codecs.BOM_UTF16_BE),
    ("utf-32-le", codecs.BOM_UTF32_LE),
)


def noisy(random: Random, text: str) -> str | None:
    """Return the text disturbed, as ``files`` reads it; None where it refuses it as no text.

    One in four does not pass through a file: whoever calls the library may hand in anything.
    """
    for _ in range(random.randint(1, 6)):
        at = random.randint(0, len(text))
        text = text[:at] + random.choice(CHARACTERS) * random.choice([1, 1, 3]) + text[at:]
    if random.random() < 0.3:
        text = text.replace(NL, random.choice(NEWLINES))
    if random.random() < 0.25:
        return text
    encoding, mark = random.choice(ENCODINGS)
    data = bytearray(mark + text.encode(encoding, random.choice(["surrogatepass", "replace"])))
    for _ in range(random.choice([0, 0, 0, 1, 3])):
        data[random.randrange(len(data))] = random.randrange(256)
    scratch().write_bytes(data)
    try:
        return files.read(scratch(), max_bytes=1_000_000).text
    except files.UnreadableFile as error:
        assert str(error), "refused without a reason"
        return None


@cache
def scratch() -> Path:
    """Return the one file of this process that noise is written to."""
    folder = tempfile.TemporaryDirectory()
    scratch.folder = folder  # type: ignore[attr-defined]  # removed when the process ends
    return Path(folder.name) / "noise.md"


_EXAMPLE = re.compile(r"^`{32} example\n(.*?)^\.$", re.DOTALL | re.MULTILINE)


def published(location: Path) -> list[str]:
    """Return the examples of a ``commonmark.json`` or ``spec.txt`` that was published."""
    text = location.read_text(encoding="utf-8")
    if location.suffix == ".json":
        return [example["markdown"] for example in json.loads(text)]
    return [found.replace("→", "\t") for found in _EXAMPLE.findall(text)]
