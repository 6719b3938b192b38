"""Markdown → what the embedder reads. Which text becomes which stands in tests/cases/embedded/*.md.

A case is a title with its bound in brackets, a dot, Markdown, a dot, each chunk's lines and what is
embedded of it, a dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from askmd.chunk import split
from askmd.markdown import parse
from askmd.tokens import HashCounter

CASES = Path(__file__).parent / "cases" / "embedded"
NL = "\n"


def cases() -> Iterator[pytest.ParameterSet]:
    for file in sorted(CASES.glob("*.md")):
        lines = file.read_text(encoding="utf-8").split(NL)
        dots = [number for number, line in enumerate(lines) if line == "."]
        for first, second, third in zip(dots[::3], dots[1::3], dots[2::3], strict=True):
            text = "".join(line + NL for line in lines[first + 1 : second])
            expected = "".join(line + NL for line in lines[second + 1 : third])
            title = lines[first - 1]
            bound = re.search(r"\((\d+)\)$", title)
            assert bound
            yield pytest.param(text, int(bound[1]), expected, id=f"{file.stem}: {title}")


def drawn(text: str, bound: int) -> str:
    """Return a document's chunks as the cases draw them."""
    chunks = split("a.md", text, parse(text), HashCounter(), max_tokens=bound)
    return "".join(
        f"[{chunk.lines[0]}-{chunk.lines[1]}]{NL}{chunk.embedded}{NL}" for chunk in chunks
    )


@pytest.mark.parametrize(("text", "bound", "expected"), list(cases()))
def test_a_case_is_embedded_as_it_says(text: str, bound: int, expected: str):
    assert drawn(text, bound) == expected
