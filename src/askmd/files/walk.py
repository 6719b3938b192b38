"""The documents of a folder: by name, by what git ignores, and never outside of it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.errors import ConfigError
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
class UnreadableFolder:
    """A folder the walk could not enter; what it holds is unknown, not gone."""

    path: Path
    reason: str


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
    """Folders that are never entered, such as the index; absolute."""


def walk(root: Path, selection: Selection) -> Iterator[Found | Failure]:
    """Yield the documents below a folder in the order of their paths, and what could not be read.

    A folder that could not be read ends with ``/``. Raises ConfigError for a pattern of the
    selection that is none. Hidden folders, links, ``node_modules``,
    virtual environments and whatever ``.gitignore`` or ``.askmdignore`` names are passed over;
    git's rules of precedence hold.
    """
    include = _chosen(selection.include) if selection.include else None
    forced = [(root, _chosen(selection.exclude))]
    for location in _walk(root, _inherited_rules(root), forced, selection.skipped):
        if isinstance(location, UnreadableFolder):
            yield Failure(location.path.relative_to(root).as_posix() + "/", location.reason)
            continue
        path = location.relative_to(root).as_posix()
        if include is None or include.match_file(path):
            yield _found(location, path)


def _found(location: Path, path: str) -> Found | Failure:
    """Return a file's stamp, or why it cannot be had."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
        return Failure(shown, "its name is not UTF-8; rename it")
    try:
        return Found(path, location, stamp_of(location.stat(follow_symlinks=False)))
    except OSError as error:
        return Failure(path, reason_of(error))


_Rules = list[tuple[Path, "GitIgnoreSpec"]]


def _walk(
    root: Path, rules: _Rules, forced: _Rules, skipped: Sequence[Path]
) -> Iterator[Path | UnreadableFolder]:
    """Yield wanted files below a folder, depth first in the order of their names."""
    # Files wait without rules; a stack of our own bears any depth.
    waiting: list[tuple[Path, _Rules | None]] = [(root, rules)]
    while waiting:
        location, above = waiting.pop()
        if above is None:
            yield location
            continue
        try:
            with os.scandir(location) as entries:
                listing = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            yield UnreadableFolder(location, reason_of(error))
            continue
        here = above + _own_rules(location)
        for entry in listing:
            if _is_wanted(entry, here + forced, skipped):
                waiting.append((location / entry.name, here if entry.is_dir() else None))


def _is_wanted(entry: os.DirEntry[str], rules: _Rules, skipped: Sequence[Path]) -> bool:
    """Whether an entry is a document or a folder that may hold some."""
    if entry.name.startswith(".") or entry.is_symlink():
        return False
    location = Path(entry.path)
    if not entry.is_dir():
        return _looks_like_markdown(entry) and not _is_ignored(location, False, rules)
    return _is_wanted_folder(location, skipped) and not _is_ignored(location, True, rules)


def _looks_like_markdown(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a regular file with a Markdown name; pipes and sockets are not."""
    return entry.name.lower().endswith(SUFFIXES) and entry.is_file()


def _is_wanted_folder(folder: Path, skipped: Sequence[Path]) -> bool:
    """Whether a folder may hold documents."""
    if folder.name in SKIPPED_FOLDERS or folder in skipped:
        return False
    return not _exists(folder / "pyvenv.cfg")


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


def _own_rules(folder: Path) -> _Rules:
    """Return the ignore rules that stand in a folder, the stronger file last."""
    rules: _Rules = []
    for name in IGNORE_FILES:
        try:
            data, _ = read_bytes(folder / name, MOST_IGNORE_BYTES)
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
