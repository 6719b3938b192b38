"""FAULTS.md T6: thousands of generated documents, each a seed; nothing is lost, nothing invented.

A seed that fails is looked at with ``python benchmarks/fuzz.py --seed N --count 1``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import fuzz_mutants
import fuzz_oracle
import fuzzing
from askmd.chunk import split
from askmd.contracts import TokenCounter
from askmd.markdown import parse
from askmd.tokens import HashCounter
from askmd.types import Block, Chunk
from commonmark_examples import ALL, EXAMPLES
from fuzz_grammar import Heading, Part
from fuzzing import BOUNDS, NAME, Case, Tally

DOCUMENTS = 5_000
SHARE = 500


@pytest.fixture(scope="module")
def counters() -> dict[str, TokenCounter]:
    found = fuzzing.counters()
    if "MiniLM" not in found:
        pytest.skip("SKIPPED LOUDLY: the package with the default model is not installed")
    return found


@pytest.mark.parametrize("first", range(0, DOCUMENTS, SHARE))
def test_generated_documents_are_read_and_cut_without_a_fault(
    first: int, counters: dict[str, TokenCounter]
):
    tally = Tally()
    assert fuzzing.violations(range(first, first + SHARE), counters, tally) == {}
    assert tally.documents.total() == SHARE
    # Each kind and both oracles have had enough to say.
    assert all(tally.documents[kind] > 60 for kind in ("grammar", "examples", "bytes"))
    assert tally.by_construction > 150
    assert tally.by_cmark > 100
    assert tally.headings > 700


def examples() -> Sequence[str]:
    """Return our own examples, and the specification's where COMMONMARK_SPEC names its file."""
    location = os.environ.get("COMMONMARK_SPEC")
    return (*ALL, *(fuzz_mutants.published(Path(location)) if location else ()))


@pytest.mark.parametrize("bound", BOUNDS)
def test_every_commonmark_example_is_read_and_cut_without_a_fault(bound: int):
    found = {}
    tally = Tally()
    for example in examples():
        one = Case("examples", (Part(example),), bound, "hash", is_cut_twice=True)
        if wrong := fuzzing.violation(one, HashCounter(), tally):
            found[example] = wrong
    assert found == {}
    assert len(set(ALL)) == len(ALL) >= 150
    assert len(EXAMPLES) >= 17
    assert tally.by_cmark > 0.9 * len(ALL)


def test_ids_do_not_depend_on_pythons_hash_seed():
    code = (
        "import fuzzing, askmd.tokens;print(fuzzing.digest(range(200), askmd.tokens.HashCounter()))"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert digests == {fuzzing.digest(range(200), HashCounter()) + "\n"}


TEXT = "---\na: b\n---\n# A\n\ntext\n\n## B\n\n" + "word " * 40 + "\n"


def cut() -> list[Chunk]:
    return split(NAME, TEXT, parse(TEXT), HashCounter(), max_tokens=24)


def seen(chunks: list[Chunk]) -> set[str]:
    """Return the first words of the faults that are seen."""
    found = fuzzing.faults(TEXT, chunks, HashCounter(), 24)
    return {fault.partition(" of ")[0] for fault in found}


def test_a_sound_cut_has_no_faults():
    assert (len(cut()) > 2, seen(cut())) == (True, set())


def test_what_is_broken_in_a_cut_is_seen():
    first, second, *rest = cut()
    start, end = second.chars
    broken = {
        "coverage": [first, *rest],
        "the end is lost": [first, second, *rest[:-1]],
        "ids repeat": [first, replace(second, id=first.id), *rest],
        "text": [first, replace(second, text=second.text + "x"), *rest],
        "lines": [first, replace(second, lines=(1, 2)), *rest],
        "tokens": [first, replace(second, tokens=second.tokens - 1), *rest],
        "bound": [first, replace(second, tokens=25), *rest],
        "embedded": [first, replace(second, embedded=" "), *rest],
        "order": [second, first, *rest],
        "path": [first, replace(second, path="other.md"), *rest],
        "not empty": [first, replace(second, text=" "), *rest],
    }
    assert {name: name in seen(chunks) for name, chunks in broken.items()} == dict.fromkeys(
        broken, True
    )
    moved = replace(second, chars=(start, end - 1))
    assert "text" in seen([first, moved, *rest])


def test_a_heading_that_cmark_does_not_see_is_a_fault():
    text = "```\n# no\n```\n\nYes\n===\n"
    assert list(fuzz_oracle.told(text)) == [(5, 1, "Yes")]
    assert fuzz_oracle.faults(text, [Heading((5, 6), 1, "Yes")]) == []
    assert len(fuzz_oracle.faults(text, [Heading((2, 2), 1, "no")])) == 1
    assert len(fuzz_oracle.faults(text, [Heading((5, 5), 1, "No")])) == 1


def test_headings_in_quotes_items_and_html_are_not_cmarks_either():
    text = "> # no\n\n- # no\n\n<h1>no</h1>\n\n# A *b* `<c>`\n"
    assert list(fuzz_oracle.told(text)) == [(7, 1, "A b <c>")]


def test_a_path_or_a_chunks_heading_that_is_not_its_own_is_a_fault():
    outline = parse("# A\n\ntext\n\n## B\n\ntext\n")
    headings = fuzzing.outlined(outline)
    assert fuzzing.path_faults(outline, headings, "") == []
    assert len(fuzzing.path_faults(outline, headings[::-1], "")) == 1
    [first, *_] = cut()
    assert fuzzing.heading_faults([first], parse(TEXT)) == []
    assert len(fuzzing.heading_faults([replace(first, heading=("C",))], parse(TEXT))) == 1


def test_a_block_outside_of_what_holds_it_is_a_fault():
    inner = Block("paragraph", (2, 3))
    assert fuzzing.nesting_faults([Block("quote", (1, 3), children=(inner,))], (1, 3)) == []
    assert len(fuzzing.nesting_faults([Block("quote", (1, 2), children=(inner,))], (1, 3))) == 1
    assert len(fuzzing.nesting_faults([inner, inner], (1, 3))) == 1


def test_an_exception_is_a_fault_and_a_document_shrinks_to_what_shows_it():
    class Broken(HashCounter):
        def count(self, texts: Sequence[str]) -> list[int]:
            if any("bad" in text for text in texts):
                raise RuntimeError("told to")
            return super().count(texts)

    parts = tuple(Part(line) for line in ("# A\n", "\n", "text\n", "bad\n", "more\n"))
    one = Case("examples", parts, 64, "any")
    assert fuzzing.violation(one, Broken(), Tally()) == ["RuntimeError: told to"]
    assert fuzzing.shrunk(one, Broken()).text == "bad\n"


def test_the_specifications_examples_are_read_from_either_of_its_files(tmp_path: Path):
    fence = "`" * 32
    (tmp_path / "spec.txt").write_text(
        f"# Tabs\n\n{fence} example\n→a\n.\n<p>a</p>\n{fence}\n", encoding="utf-8"
    )
    (tmp_path / "spec.json").write_text('[{"markdown": "\\ta\\n"}]', encoding="utf-8")
    assert [fuzz_mutants.published(tmp_path / name) for name in ("spec.txt", "spec.json")] == [
        ["\ta\n"],
        ["\ta\n"],
    ]
