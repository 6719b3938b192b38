"""A file derived from the database: named arrays under checksums, mapped and checked by block.

    arrays, one after the other | a checksum for every block of them | a description in JSON |
    the description's checksum | its length | what kind of file this is

Opening one reads its end alone. Whoever takes rows has the blocks checked that hold them, once a
process, so a cold search reads little of a large file, and nothing that has changed in it.
"""

from __future__ import annotations

import json
import mmap
import os
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from askmd.store.folder import drafted, patiently

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]

FORMAT = 2
BLOCK = 1 << 16
FINE_BLOCK = 1 << 12
"""For a file of which single rows are read, here and there."""
_STRETCH = 1 << 26
"""So many bytes of a whole file are in memory at once while it is checked."""
_SUM = 16
_ALIGNED = 64
_MAGIC = b"askmd\x00d1"
_END = _SUM + 8 + len(_MAGIC)


class Damaged(ValueError):
    """A file is not what was written."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        """Say what is wrong, and with which file where that is open."""
        super().__init__(message)
        self.path = path


@dataclass(frozen=True, slots=True)
class Origin:
    """What of which database a file was derived from."""

    uuid: str
    numbering: str
    """Chunk numbers mean the same only within one numbering; see ``schema.State``."""
    dim: int
    """Length of a vector; 0 where the file holds none."""
    after: int
    """The file is about the chunks with numbers above this one,"""
    last: int
    """up to this one, inclusive,"""
    count: int
    """as many as there were of these"""
    generation: int = 0
    """in this generation; 0 where a former askmd wrote the file."""


class Derived:
    """An open file; shared between threads safely."""

    def __init__(self, path: Path) -> None:
        """Map a file; raises Damaged unless its end is whole, OSError if it cannot be read."""
        with patiently(lambda: path.open("rb")) as file:
            self.path = path
            description, self._sums = _read_end(file)
            self.bytes = os.fstat(file.fileno()).st_size
            payload = description["payload"]
            # An empty file cannot be mapped, and one with an end is none.
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            self._descriptor = os.dup(file.fileno())
        self._stamp = self._look()
        weakref.finalize(self, os.close, self._descriptor)
        self.origin = Origin(**description["origin"])
        self._payload: int = payload
        self._block: int = description["block"]
        self._arrays: dict[str, tuple[str, tuple[int, ...], int]] = {
            name: (kind, tuple(shape), start)
            for name, (kind, shape, start) in description["arrays"].items()
        }
        self._seen = bytearray(-(-payload // self._block))

    def check_unchanged(self) -> None:
        """Raise Damaged where somebody wrote into the file since it was opened.

        What was checked once is not looked at again, and what is cut off cannot even be read.
        """
        if self._look() != self._stamp:
            raise Damaged("it was changed while it was open", self.path)

    def _look(self) -> tuple[int, int]:
        status = os.fstat(self._descriptor)
        return status.st_size, status.st_mtime_ns

    def __contains__(self, name: str) -> bool:
        """Return whether there is an array of this name."""
        return name in self._arrays

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of an array."""
        return self._array(name)[1]

    def rows(self, name: str, start: int = 0, stop: int | None = None) -> Array:
        """Return rows of an array, read-only and not copied, once their blocks were checked.

        Raises Damaged where they are not what was written.
        """
        import numpy as np

        kind, shape, offset = self._array(name)
        stop = shape[0] if stop is None else min(stop, shape[0])
        start = min(start, stop)
        width = np.dtype(kind).itemsize * prod(shape[1:])
        self.check(offset + start * width, offset + stop * width)
        flat = np.frombuffer(
            self._map, kind, count=(stop - start) * prod(shape[1:]), offset=offset + start * width
        )
        return flat.reshape(stop - start, *shape[1:])

    def check_rows(self, name: str, places: npt.NDArray[np.int64]) -> Array:
        """Return the whole array, not copied, once the blocks of these rows were checked.

        Only those rows may be read of it.
        """
        import numpy as np

        kind, shape, offset = self._array(name)
        width = np.dtype(kind).itemsize * prod(shape[1:])
        starts = offset + places * width
        if width > self._block:
            for start in starts.tolist():
                self.check(start, start + width)
        else:
            self._check_blocks(
                np.concatenate([starts // self._block, (starts + width - 1) // self._block])
            )
        return np.frombuffer(self._map, kind, count=prod(shape), offset=offset).reshape(shape)

    def _array(self, name: str) -> tuple[str, tuple[int, ...], int]:
        if name not in self._arrays:
            raise Damaged("it is a file of another kind", self.path)
        return self._arrays[name]

    def check(self, start: int = 0, stop: int | None = None) -> None:
        """Raise Damaged unless the bytes of a range, by default all, are what was written."""
        if stop is None:
            for begin in range(start // _STRETCH * _STRETCH, self._payload, _STRETCH):
                self.check(max(start, begin), min(begin + _STRETCH, self._payload))
                self._let_go(begin)
        elif start < stop:
            for block in range(start // self._block, -(-stop // self._block)):
                self._check_block(block)

    def _let_go(self, begin: int) -> None:
        """Let the system take back the memory of a stretch; what reads it again has it again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED, begin, min(_STRETCH, len(self._map) - begin))

    def _check_blocks(self, blocks: npt.NDArray[np.int64]) -> None:
        import numpy as np

        for block in np.unique(blocks[np.frombuffer(self._seen, np.uint8)[blocks] == 0]).tolist():
            self._check_block(block)

    def _check_block(self, block: int) -> None:
        if self._seen[block]:
            return
        end = min((block + 1) * self._block, self._payload)
        with memoryview(self._map) as whole, whole[block * self._block : end] as part:
            digest = blake2b(part, digest_size=_SUM).digest()
        if digest != self._sums[block * _SUM : (block + 1) * _SUM]:
            raise Damaged("its content does not match its checksum", self.path)
        self._seen[block] = 1


def read_origin(path: Path) -> Origin:
    """Return what a file was derived from; raises Damaged or OSError, see ``Derived``."""
    with patiently(lambda: path.open("rb")) as file:
        return Origin(**_read_end(file)[0]["origin"])


def _read_end(file: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Return a file's description and its blocks' checksums."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END))
    end = file.read(_END)
    length = int.from_bytes(end[_SUM : _SUM + 8], "little")
    if len(end) < _END or end[_SUM + 8 :] != _MAGIC or length > size - _END:
        raise Damaged("its end is missing")
    file.seek(size - _END - length)
    text = file.read(length)
    if blake2b(text, digest_size=_SUM).digest() != end[:_SUM]:
        raise Damaged("its description is damaged")
    description = json.loads(text)
    if description["format"] != FORMAT:
        raise Damaged("it is of another format")
    payload: int = description["payload"]
    wanted = -(-payload // int(description["block"])) * _SUM
    if payload + wanted + length + _END != size:
        raise Damaged("it was cut off, or something was put into it")
    file.seek(payload)
    sums = file.read(wanted)
    if blake2b(sums, digest_size=_SUM).hexdigest() != description["sums"]:
        raise Damaged("its checksums are damaged")
    return description, sums


# --- writing --------------------------------------------------------------------------------


class Draft:
    """A file that is being written: array after array, each in as many pieces as it comes in."""

    def __init__(self, file: IO[bytes], block: int = BLOCK) -> None:
        """Write to a file that is open and empty; block: bytes under one checksum."""
        self._file = file
        self._block = block
        self._size = 0
        self._sums = bytearray()
        self._open_block = bytearray()
        self._arrays: dict[str, list[Any]] = {}

    def put(self, name: str, *pieces: Array) -> None:
        """Add an array whole, or the next rows of the one that was last begun."""
        for piece in pieces:
            if name not in self._arrays:
                self._write(b"\0" * (-self._size % _ALIGNED))
                # "<": the file means the same on every machine.
                kind = piece.dtype.newbyteorder("<").str
                self._arrays[name] = [kind, [0, *piece.shape[1:]], self._size]
            kind, shape, _ = self._arrays[name]
            if name != list(self._arrays)[-1] or list(piece.shape[1:]) != shape[1:]:
                raise ValueError(f"{name} cannot go on here")
            shape[0] += len(piece)
            self._write(piece.astype(kind, copy=False).tobytes())

    def reread(self, name: str, places: Iterable[int]) -> Iterator[Array]:
        """Yield rows that were written, one by one; nothing is mapped, so memory stays flat."""
        import numpy as np

        kind, shape, start = self._arrays[name]
        width = np.dtype(kind).itemsize * prod(shape[1:])
        self._file.flush()
        with Path(self._file.name).open("rb", buffering=0) as file:
            for place in places:
                file.seek(start + place * width)
                yield np.frombuffer(file.read(width), kind).reshape(shape[1:])

    def finish(self, origin: Origin) -> None:
        """Write what makes it a whole file."""
        if self._open_block:
            self._sums += blake2b(self._open_block, digest_size=_SUM).digest()
        text = json.dumps(
            {
                "format": FORMAT,
                "block": self._block,
                "origin": asdict(origin),
                "arrays": self._arrays,
                "payload": self._size,
                "sums": blake2b(self._sums, digest_size=_SUM).hexdigest(),
            }
        ).encode("ascii")
        digest = blake2b(text, digest_size=_SUM).digest()
        self._file.write(self._sums)
        self._file.write(text + digest + len(text).to_bytes(8, "little") + _MAGIC)

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)
        self._open_block += data
        whole = len(self._open_block) // self._block * self._block
        with memoryview(self._open_block) as view:
            for start in range(0, whole, self._block):
                part = view[start : start + self._block]
                self._sums += blake2b(part, digest_size=_SUM).digest()
                part.release()
        del self._open_block[:whole]


@contextmanager
def drafting(path: Path, block: int = BLOCK) -> Iterator[Draft]:
    """Write a file inside, to be finished there; it stands in ``path`` once all of it is safe."""
    with drafted(path) as file:
        yield Draft(file, block)
