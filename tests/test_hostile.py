"""The hostile file of the benchmark ``cutting.py``: every trap that splitters were seen to take."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import fuzzing
from askmd.chunk import split
from askmd.contracts import TokenCounter
from askmd.markdown import parse
from askmd.tokens import HashCounter
from askmd.types import Chunk
from fuzz_grammar import Heading

TEXT = (Path(__file__).parent / "hostile.md").read_text(encoding="utf-8")
NESTED = """\
- First shift
  - inspect the cable
    - log the wear in column `C`
    - photograph the drum
  - grease the bearing

  # trap eight: a heading inside an item
- Second shift
\t- repeat the inspection
\t- hand over the log"""


def cut(counter: TokenCounter, bound: int) -> list[Chunk]:
    return split(fuzzing.NAME, TEXT, parse(TEXT), counter, max_tokens=bound)


def test_the_file_holds_eight_traps():
    traps = re.findall(r"^[ ]*# trap (\w+)", TEXT, re.MULTILINE)
    assert traps == ["one", "two", "three", "four", "five", "six", "seven", "eight"]


def test_its_headings_are_the_written_ones_and_no_trap():
    assert fuzzing.outlined(parse(TEXT)) == [
        Heading((8, 8), 1, "Harbour operations"),
        Heading((17, 18), 1, "Signals"),
        Heading((30, 30), 2, "Quoting a fence"),
        Heading((44, 45), 2, "Crane schedule"),
        Heading((65, 65), 2, "Berths"),
        Heading((130, 130), 2, "The long night report"),
        Heading((147, 147), 3, "After the report"),
    ]


def test_tabs_and_nested_lists_are_kept_as_they_are_written():
    texts = [chunk.text for chunk in cut(HashCounter(), 256)]
    assert len([text for text in texts if NESTED in text]) == 1
    assert len([text for text in texts if "\n\tall: gate crane\n\t\t./run.sh --all" in text]) == 1


def counter(name: str) -> TokenCounter:
    found = fuzzing.counters()
    if name not in found:
        pytest.skip("SKIPPED LOUDLY: the package with the default model is not installed")
    return found[name]


@pytest.mark.parametrize("name", ["hash", "bytes", "MiniLM"])
def test_every_piece_of_its_table_is_embedded_with_the_header(name: str):
    header = "| Berth | Depth in metres | Crane | Remark |\n"
    chunks = cut(counter(name), 256)
    pieces = [one for one in chunks if re.search(r"^\| \d", one.text, re.MULTILINE)]
    assert len(pieces) > 2
    assert [one.lines for one in pieces if header not in one.embedded] == []


@pytest.mark.parametrize("bound", fuzzing.BOUNDS)
@pytest.mark.parametrize("name", ["hash", "bytes", "MiniLM"])
def test_it_is_cut_whole_and_within_the_bound(name: str, bound: int):
    assert fuzzing.faults(TEXT, cut(counter(name), bound), counter(name), bound) == []
