"""A disk that loses power: what may be left of the calls that were done until then.

Certain is of a file's content what its last sync covered, and of a folder's names what the
folder's last sync covered. Of all that came later any part may be there, and of a write any of
its sectors.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from faults.shim import Operation

SECTOR = 512


@dataclass(slots=True)
class _File:
    """A file, under whatever name."""

    sure: bytearray = field(default_factory=bytearray)
    open: list[Operation] = field(default_factory=list)
    """Writes and truncations since the last sync."""


@dataclass(frozen=True, slots=True)
class _Naming:
    """A name that was given or taken away, and the folder's next sync makes it sure."""

    operation: Operation
    file: _File | None
    """None: a folder."""


@dataclass(frozen=True, slots=True)
class Loss:
    """How much of what was not synced is left."""

    content: float
    """The share of writes and truncations that reached the disk; 0: none, 1: all, whole."""
    is_torn: bool
    """Of a write that reached it some sectors may be missing."""
    is_ordered: bool
    """Names change on the disk in the order of the calls; else any of them may be missing."""


class Disk:
    """What a folder's files are, and what of that is sure."""

    def __init__(self, before: Mapping[str, bytes] | None = None) -> None:
        """Begin with files that are sure."""
        self._sure: dict[str, _File | None] = {}
        for name, content in (before or {}).items():
            self._sure[str(PurePosixPath(name).parent)] = None
            self._sure[name] = _File(bytearray(content))
        self._names = dict(self._sure)
        self._open: list[_Naming] = []

    def play(self, operations: Iterable[Operation]) -> None:
        """Do calls."""
        for one in operations:
            match one.kind:
                case "create":
                    self._name(one, _File())
                case "mkdir":
                    self._name(one, None)
                case "rename" | "unlink":
                    self._name(one, self._names.get(one.name))
                case "sync_folder":
                    self._sync_folder(one.name)
                case _:
                    self._change(one)

    def fail(self, chance: random.Random, loss: Loss) -> dict[str, bytes]:
        """Return the files as they may be once the power is back."""
        names = dict(self._sure)
        kept = chance.randint(0, len(self._open))
        for number, naming in enumerate(self._open):
            if number < kept if loss.is_ordered else chance.random() < 0.5:
                _rename(names, naming)
        return {
            name: _content(file, chance, loss)
            for name, file in names.items()
            if file is not None and _has_folders(names, name)
        }

    def _change(self, one: Operation) -> None:
        file = self._names.get(one.name)
        if file is None:
            raise ValueError(f"{one.name} is no file")
        if one.kind != "sync":
            file.open.append(one)
            return
        for change in file.open:
            _change(file.sure, change)
        file.open.clear()

    def _name(self, operation: Operation, file: _File | None) -> None:
        naming = _Naming(operation, file)
        self._open.append(naming)
        _rename(self._names, naming)

    def _sync_folder(self, folder: str) -> None:
        waiting = []
        for naming in self._open:
            if str(PurePosixPath(naming.operation.name).parent) == folder:
                _rename(self._sure, naming)
            else:
                waiting.append(naming)
        self._open = waiting


def _rename(names: dict[str, _File | None], naming: _Naming) -> None:
    one = naming.operation
    if one.kind in ("rename", "unlink"):
        names.pop(one.name, None)
    if one.kind != "unlink":
        names[one.to or one.name] = naming.file


def _has_folders(names: Mapping[str, _File | None], name: str) -> bool:
    """Return whether a name's folder is there too."""
    folder = str(PurePosixPath(name).parent)
    return folder == "." or folder in names


def _content(file: _File, chance: random.Random, loss: Loss) -> bytes:
    """Return what a file may hold."""
    content = bytearray(file.sure)
    open = list(file.open)
    if loss.is_torn and chance.random() < 0.5:
        chance.shuffle(open)
    for one in open:
        if chance.random() < loss.content:
            for part in _sectors(one, chance) if loss.is_torn else [one]:
                _change(content, part)
    return bytes(content)


def _sectors(one: Operation, chance: random.Random) -> Iterable[Operation]:
    """Yield what of a call reached the disk, sector by sector."""
    if one.kind == "truncate":
        yield one
        return
    share = chance.choice((0.2, 0.5, 0.9, 1.0))
    place, end = one.offset, one.offset + len(one.data)
    while place < end:
        behind = min(end, place // SECTOR * SECTOR + SECTOR)
        if chance.random() < share:
            data = one.data[place - one.offset : behind - one.offset]
            yield Operation("write", one.name, place, data)
        place = behind


def _change(content: bytearray, one: Operation) -> None:
    size = one.offset if one.kind == "truncate" else one.offset + len(one.data)
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if one.kind == "truncate":
        del content[size:]
    else:
        content[one.offset : size] = one.data


def read(folder: Path) -> dict[str, bytes]:
    """Return a folder's files by what they are called in operations."""
    return {
        f"{folder.name}/{path.name}": path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


def lay_out(place: Path, files: Mapping[str, bytes]) -> None:
    """Put files into a folder, but for the memory that processes shared: that is gone."""
    for name, content in files.items():
        if not name.endswith("-shm"):
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
