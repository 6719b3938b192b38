"""A folder of Markdown files: which of them are documents, and their decoded text."""

from __future__ import annotations

import codecs
import os
import re
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from pathspec import GitIgnoreSpec

from askmd.errors import ConfigError
from askmd.types import Failure, Stamp

SUFFIXES = (".md", ".markdown", ".mdx")
IGNORE_FILES = (".gitignore", ".askmdignore")
MOST_IGNORE_BYTES = 1_000_000
SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
YOUNG_NANOSECONDS = 2_000_000_000
"""A file changed this recently may change again within one tick of its clock."""

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class UnreadableFile(Exception):
    """One file could not be read as text; the reason is its only argument."""


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


@dataclass(frozen=True, slots=True)
class Source:
    """A file's content."""

    text: str
    """Decoded, its byte order mark cut, every newline a ``\\n``."""
    digest: str
    """Hex blake2b of the bytes."""
    stamp: Stamp
    """Taken when it was opened; zeroed where the file is too young to be trusted later."""


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
        return Found(path, location, _stamp(location.stat(follow_symlinks=False)))
    except OSError as error:
        return Failure(path, _reason(error))


_Rules = list[tuple[Path, GitIgnoreSpec]]


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
            yield UnreadableFolder(location, _reason(error))
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
            data, _ = _read_bytes(folder / name, MOST_IGNORE_BYTES)
        except (OSError, UnreadableFile):
            continue
        lines = data.decode("utf-8", "replace").splitlines()
        rules.append((folder, GitIgnoreSpec.from_lines(filter(_is_pattern, lines))))
    return rules


def _chosen(patterns: Sequence[str]) -> GitIgnoreSpec:
    """Return the settings' own patterns, each of which must be one."""
    for pattern in patterns:
        if not _is_pattern(pattern):
            raise ConfigError(
                f"{pattern!r} is no pattern of gitignore's", "correct documents.include or exclude"
            )
    return GitIgnoreSpec.from_lines(patterns)


def _is_pattern(line: str) -> bool:
    """Whether a line of an ignore file can be understood; git passes over those that cannot."""
    try:
        GitIgnoreSpec.from_lines([line])
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


def read(location: Path, *, max_bytes: int, encoding: str = "") -> Source:
    """Return a file's text, digest and stamp.

    encoding: how to read what is neither marked nor UTF-8; empty: it is refused.
    Raises UnreadableFile with the reason, FileNotFoundError if it has vanished.
    """
    try:
        data, stamp = _read_bytes(location, max_bytes)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnreadableFile(_reason(error)) from error
    text, used = _decode(data, encoding)
    # The same bytes read in another way are another content.
    digest = blake2b(data, digest_size=20, person=used.encode("utf-8")[:16]).hexdigest()
    return Source(text.replace("\r\n", "\n").replace("\r", "\n"), digest, stamp)


def _read_bytes(location: Path, max_bytes: int) -> tuple[bytes, Stamp]:
    """Return a regular file's bytes and stamp, never following a link nor waiting on a pipe."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    handle = os.open(location, flags | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableFile("it is not a regular file")
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise UnreadableFile(
            f"it is larger than {max_bytes / 1e6:g} MB; raise documents.max_megabytes to index it"
        )
    is_young = time.time_ns() - status.st_mtime_ns < YOUNG_NANOSECONDS
    return data, Stamp(0, 0, 0, 0) if is_young else _stamp(status)


def _stamp(status: os.stat_result) -> Stamp:
    """Return the hint that a file has not changed."""
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


def _decode(data: bytes, fallback: str) -> tuple[str, str]:
    """Return the text by its mark, as UTF-8, or else by the declared fallback, which is named."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return _decode_as(data[len(mark) :], encoding), ""
    if b"\0" in data:
        raise UnreadableFile("it is a binary file: it holds NUL bytes and no byte order mark")
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError as error:
        if fallback:
            return _decode_as(data, fallback), fallback
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"line {line} is not UTF-8; convert it, or name its encoding in documents.encoding"
        ) from error


def _decode_as(data: bytes, encoding: str) -> str:
    """Return the text in a given encoding, or raise UnreadableFile."""
    try:
        text = data.decode(encoding)
    except (UnicodeError, LookupError, AssertionError) as error:
        raise UnreadableFile(f"it cannot be read as {encoding}: {error}") from error
    # Some encodings spell half of a surrogate pair, which no other program takes.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _reason(error: OSError) -> str:
    """Return an operating system's error without its number and path."""
    return (error.strerror or str(error)).lower()
