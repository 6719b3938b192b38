"""FAULTS.md T7: input made to hurt costs what its length costs, or is refused with a reason.

Each is read and cut in a process of its own, whose processor time and memory are its own.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import pathological
from askmd import files, markdown
from askmd.tokens import HashCounter
from pathological import INPUTS

SIZE = 200_000
"""Characters; ``benchmarks/fuzz.py --pathological`` takes a megabyte and more."""


@pytest.mark.parametrize("name", INPUTS)
def test_input_made_to_hurt_is_cut_whole_at_a_bearable_cost(name: str):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["askmd.markdown", "askmd.chunk", "askmd.tokens"])
    with ProcessPoolExecutor(1, context) as process:
        cost = process.submit(pathological.measured, name, SIZE, HashCounter()).result()
    assert cost.faults == ()
    assert cost.is_bearable, cost


def test_a_refusal_that_tells_why_is_bearable():
    text = pathological.INPUTS["items"](1_000_000)
    with pytest.raises(ValueError, match=pathological.REFUSAL):
        markdown.parse(text)
    cost = pathological.measured("items", 1_000_000, HashCounter())
    assert (cost.faults, cost.chunks, cost.seconds <= cost.most_seconds) == ((), 0, True)


def test_there_are_at_least_forty_of_them_and_each_is_another():
    texts = {make(5000) for make in INPUTS.values()}
    assert len(texts) == len(INPUTS) >= 40


def test_a_file_of_a_hundred_megabytes_is_refused_with_a_reason(tmp_path: Path):
    location = tmp_path / "large.md"
    with location.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(files.UnreadableFile, match="larger than 20 MB; raise"):
        files.read(location, max_bytes=20_000_000)
