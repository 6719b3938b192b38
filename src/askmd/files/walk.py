"""The documents of a folder: by name, by what git ignores, and never outside of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.errors import ConfigError
from askmd.files.below import Folder, look_at, open_folder
from askmd.files.decoding import UnreadableFile
from askmd.files.reading import read_bytes, reason_of, stamp_of
from askmd.types import Failure, Stamp

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

SUFFIXES = (".md", ".markdown", ".mdx")
IGNORE_FILES = (".gitignore", ".askmdignore")
MOST_IGNORE_BYTES = 1_000_000
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})


@dataclass(frozen=True, slots=True)
class Found:
    """A document's file as the walk met it, unread."""

    path: str
    """Relative to the root, with ``/``."""
    location: Path
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a folder are wanted."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    skipped: tuple[Path, ...] = ()
    """Folders that are never entered, such as the index; they need not be there."""


def walk(root: Path, selection: Selection) -> Iterator[Found | Failure]:
    """Yield the documents below a folder in the order of their paths, and what could not be read.

    A folder that could not be read ends with ``/``; what it holds is unknown, not gone. Raises
    ConfigError for a pattern of the selection that is none. Hidden folders, links,
    ``node_modules``, virtual environments and whatever ``.gitignore`` or ``.askmdignore`` names
    are passed over; git's rules of precedence hold.
    """
    include = _chosen(selection.include) if selection.include else None
    scope = _Scope(root, [(root, _chosen(selection.exclude))], _numbers(selection.skipped))
    # A stack of our own bears any depth.
    waiting: list[Found | Failure | _Ahead] = [_Ahead(Path(), _inherited_rules(root))]
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Ahead):
            waiting += reversed(_inside(scope, one))
        elif include is None or one.path.endswith("/") or include.match_file(one.path):
            yield one


_Rules = list[tuple[Path, "GitIgnoreSpec"]]
"""Patterns and the folder they speak of, the deepest last."""


@dataclass(frozen=True, slots=True)
class _Scope:
    """What holds for every folder of a walk."""

    root: Path
    forced: _Rules
    skipped: frozenset[tuple[int, int]]
    """Folders that are not entered, by device and number: whatever path leads to them."""


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A folder that is still to be read."""

    path: Path
    """Relative to the root."""
    rules: _Rules
    """Those of the folders above it."""


def _numbers(folders: Sequence[Path]) -> frozenset[tuple[int, int]]:
    """Return what tells folders from all others; of those that are not there nothing."""
    found = []
    for folder in folders:
        with suppress(OSError):
            found.append(_number(folder.stat()))
    return frozenset(found)


def _number(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _inside(scope: _Scope, ahead: _Ahead) -> list[Found | Failure | _Ahead]:
    """Return what is wanted in a folder, in the order of names, or why it cannot be read."""
    try:
        with open_folder(scope.root, ahead.path) as folder:
            if _number(look_at(folder, ".")) in scope.skipped:
                return []
            with os.scandir(folder) as entries:
                listing = sorted(entries, key=lambda entry: entry.name)
            if ahead.path.parts and any(entry.name == "pyvenv.cfg" for entry in listing):
                return []
            here = ahead.rules + _own_rules(scope.root / ahead.path, scope.root)
            inner = _Ahead(ahead.path, here)
            found = [_entry(scope, inner, folder, entry) for entry in listing]
    except OSError as error:
        return [Failure(f"{_shown(ahead.path)}/", reason_of(error))]
    return [one for one in found if one is not None]


def _entry(
    scope: _Scope, inside: _Ahead, folder: Folder, entry: os.DirEntry[str]
) -> Found | Failure | _Ahead | None:
    """Return an entry of a folder that was opened, with the folder's own rules; None unwanted."""
    path = inside.path / entry.name
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        if not (_may_hold_documents(entry.name) if is_folder else _looks_like_markdown(entry)):
            return None
        if _is_ignored(scope.root / path, is_folder, inside.rules + scope.forced):
            return None
        if is_folder:
            return _Ahead(path, inside.rules)
        shown = path.as_posix()
        if shown != _shown(path):
            return Failure(_shown(path), "its name is not UTF-8; rename it")
        return Found(shown, scope.root / path, stamp_of(look_at(folder, entry.name)))
    except OSError as error:
        return Failure(_shown(path), reason_of(error))


def _shown(path: Path) -> str:
    """Return a path that can be written, what is no UTF-8 in it escaped."""
    return path.as_posix().encode("utf-8", "backslashreplace").decode("utf-8")


def _may_hold_documents(name: str) -> bool:
    """Whether a folder of this name is looked into."""
    return not name.startswith(".") and name not in SKIPPED_FOLDERS


def _looks_like_markdown(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a regular file with a Markdown name; pipes, sockets, links are not."""
    is_named = entry.name.lower().endswith(SUFFIXES) and not entry.name.startswith(".")
    return is_named and entry.is_file(follow_symlinks=False)


def _exists(path: Path) -> bool:
    """Whether something is there, as far as can be seen; ``Path.exists`` raises where it cannot."""
    try:
        return path.exists()
    except OSError:
        return False


def _is_ignored(location: Path, is_folder: bool, rules: _Rules) -> bool:
    """Whether the last rule that speaks of a path, the deepest file first, leaves it out."""
    for base, spec in reversed(rules):
        path = location.relative_to(base).as_posix() + ("/" if is_folder else "")
        verdict = spec.check_file(path).include
        if verdict is not None:
            return verdict
    return False


def _own_rules(folder: Path, root: Path | None = None) -> _Rules:
    """Return the ignore rules that stand in a folder, the stronger file last.

    root: no link below it is followed on the way there.
    """
    rules: _Rules = []
    for name in IGNORE_FILES:
        try:
            data, _ = read_bytes(folder / name, MOST_IGNORE_BYTES, root)
        except (OSError, UnreadableFile):
            continue
        lines = data.decode("utf-8", "replace").splitlines()
        rules.append((folder, _spec(filter(_is_pattern, lines))))
    return rules


def _chosen(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Return the settings' own patterns, each of which must be one."""
    for pattern in patterns:
        if not _is_pattern(pattern):
            raise ConfigError(
                f"{pattern!r} is no pattern of gitignore's", "correct documents.include or exclude"
            )
    return _spec(patterns)


def _spec(patterns: Iterable[str]) -> GitIgnoreSpec:
    """Return patterns ready to match; raises ValueError or re.error where one is none."""
    from pathspec import GitIgnoreSpec

    return GitIgnoreSpec.from_lines(patterns)


def _is_pattern(line: str) -> bool:
    """Whether a line of an ignore file can be understood; git passes over those that cannot."""
    try:
        _spec([line])
    except (ValueError, re.error):
        return False
    return True


def _inherited_rules(root: Path) -> _Rules:
    """Return the rules of the folders above, up to the one that holds the git repository."""
    above: list[Path] = []
    for folder in (root, *root.parents):
        if _exists(folder / ".git"):
            return [rule for parent in reversed(above) for rule in _own_rules(parent)]
        above.append(folder.parent)
    return []
