"""What is done to a file: bits flipped, bytes lost, pages emptied, another file in its place."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 4096
PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Damage:
    """What is done to which file."""

    source: str
    """The index that is damaged: ``main`` or ``killed``."""
    file: str
    kind: str
    seed: int


def apply(damage: Damage, folder: Path, other: Path) -> str:
    """Damage a file in a folder; return what was done, in words."""
    path = folder / damage.file
    chance = random.Random(damage.seed)
    return KINDS[damage.kind].act(path, chance, other)


def _flip(path: Path, chance: random.Random, other: Path) -> str:
    return _flip_below(path, chance, path.stat().st_size)


def _flip_head(path: Path, chance: random.Random, other: Path) -> str:
    return _flip_below(path, chance, min(HEAD_BYTES, path.stat().st_size))


def _flip_below(path: Path, chance: random.Random, end: int) -> str:
    data = bytearray(path.read_bytes())
    place, bit = chance.randrange(end), 1 << chance.randrange(8)
    data[place] ^= bit
    path.write_bytes(data)
    return f"bit {bit} of byte {place} flipped"


def _set_byte(path: Path, chance: random.Random, other: Path) -> str:
    data = bytearray(path.read_bytes())
    place, value = chance.randrange(len(data)), chance.randrange(256)
    data[place] = value
    path.write_bytes(data)
    return f"byte {place} is {value}"


def _truncate(path: Path, chance: random.Random, other: Path) -> str:
    size = chance.randrange(path.stat().st_size)
    os.truncate(path, size)
    return f"cut to {size} bytes"


def _zero_page(path: Path, chance: random.Random, other: Path) -> str:
    data = bytearray(path.read_bytes())
    start = chance.randrange(len(data)) // PAGE_BYTES * PAGE_BYTES
    length = min(PAGE_BYTES, len(data) - start)
    data[start : start + length] = bytes(length)
    path.write_bytes(data)
    return f"{length} zeros from byte {start}"


def _swap_pages(path: Path, chance: random.Random, other: Path) -> str:
    data = bytearray(path.read_bytes())
    pages = max(1, len(data) // PAGE_BYTES)
    one, two = (chance.randrange(pages) * PAGE_BYTES for _ in range(2))
    first, second = data[one : one + PAGE_BYTES], data[two : two + PAGE_BYTES]
    data[two : two + len(first)], data[one : one + len(second)] = first, second
    path.write_bytes(data)
    return f"the pages from {one} and {two} are swapped"


def _noise(path: Path, chance: random.Random, other: Path) -> str:
    data = bytearray(path.read_bytes())
    start, length = chance.randrange(len(data)), chance.choice((2, 16, 512))
    data[start : start + length] = chance.randbytes(len(data[start : start + length]))
    path.write_bytes(data)
    return f"{length} bytes of noise from byte {start}"


def _empty(path: Path, chance: random.Random, other: Path) -> str:
    path.write_bytes(b"")
    return "empty"


def _delete(path: Path, chance: random.Random, other: Path) -> str:
    path.unlink()
    return "deleted"


def _swap(path: Path, chance: random.Random, other: Path) -> str:
    """Put the file of the same kind of another index in its place."""
    kind = path.name.split("-")[0]
    found = sorted(one for one in other.iterdir() if one.name.split("-")[0] == kind)
    same = [one for one in found if one.suffix == path.suffix] or found or sorted(other.iterdir())
    chosen = chance.choice(same)
    path.write_bytes(chosen.read_bytes())
    return f"swapped with another index's {chosen.suffix}"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of damage, and how often it is chosen."""

    weight: int
    act: Callable[[Path, random.Random, Path], str]


KINDS = {
    "flip in the head": Kind(20, _flip_head),
    "flip": Kind(40, _flip),
    "byte": Kind(10, _set_byte),
    "cut": Kind(6, _truncate),
    "zeros": Kind(10, _zero_page),
    "pages": Kind(4, _swap_pages),
    "noise": Kind(6, _noise),
    "empty": Kind(1, _empty),
    "deleted": Kind(1, _delete),
    "swapped": Kind(2, _swap),
}
