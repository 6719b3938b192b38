"""Derived files: what is written is what is read, and nothing else ever is."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from askmd.store.derived import BLOCK, Damaged, Derived, Origin, drafting, read_origin

ORIGIN = Origin("u", "n", 3, 0, 12_000, 12_000)
MATRIX = np.arange(36_000, dtype=np.float32).reshape(12_000, 3)
NUMBERS = np.arange(1, 12_001, dtype=np.int64)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.segment"
    with drafting(path) as draft:
        draft.put("numbers", NUMBERS)
        draft.put("matrix", *np.array_split(MATRIX, 7))
        draft.put("none", np.empty((0, 3), dtype=np.uint8))
        draft.finish(ORIGIN)
    return path


def test_a_file_gives_back_what_was_written_however_it_is_asked(file: Path) -> None:
    derived = Derived(file)

    assert (derived.origin, read_origin(file)) == (ORIGIN, ORIGIN)
    assert derived.shape("matrix") == (12_000, 3)
    np.testing.assert_array_equal(derived.rows("matrix"), MATRIX)
    np.testing.assert_array_equal(derived.rows("matrix", 11_000, 99_999), MATRIX[11_000:])
    np.testing.assert_array_equal(derived.rows("numbers", 5, 9), NUMBERS[5:9])
    assert derived.rows("none").shape == (0, 3)
    places = np.array([11_999, 0, 5461], dtype=np.int64)
    np.testing.assert_array_equal(derived.check_rows("matrix", places)[places], MATRIX[places])


def test_a_flipped_bit_is_told_where_it_is_read_and_nowhere_else(file: Path) -> None:
    start = NUMBERS.nbytes + 7_000 * 12
    content = bytearray(file.read_bytes())
    content[start] ^= 1
    file.write_bytes(content)

    derived = Derived(file)

    np.testing.assert_array_equal(derived.rows("matrix", 0, 1_000), MATRIX[:1_000])
    for read in (
        lambda: derived.rows("matrix", 6_999, 7_001),
        lambda: derived.check_rows("matrix", np.array([7_000])),
        lambda: derived.check(),
    ):
        with pytest.raises(Damaged):
            read()


def test_no_damage_anywhere_in_a_file_goes_unnoticed(file: Path) -> None:
    whole = file.read_bytes()
    chance = random.Random(7)
    spots = [chance.randrange(len(whole)) for _ in range(150)]
    spots += range(len(whole) - 600, len(whole))

    for spot in spots:
        content = bytearray(whole)
        content[spot] ^= 1 << chance.randrange(8)
        file.write_bytes(content)
        with pytest.raises(Damaged):
            Derived(file).check()


@pytest.mark.parametrize("size", [0, 1, 32, BLOCK, -1])
def test_a_file_that_was_cut_off_or_grew_is_damaged(file: Path, size: int) -> None:
    whole = file.read_bytes()

    for content in (whole[:size], whole + b"\0"):
        file.write_bytes(content)
        with pytest.raises(Damaged):
            read_origin(file)


def test_a_file_that_was_not_finished_does_not_appear(tmp_path: Path) -> None:
    path = tmp_path / "some.segment"

    with pytest.raises(KeyError), drafting(path) as draft:
        draft.put("numbers", NUMBERS)
        raise KeyError

    assert list(tmp_path.iterdir()) == []
