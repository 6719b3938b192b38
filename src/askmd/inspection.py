"""How documents are cut: one of them shown, or a whole folder of them proved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from askmd import chunk, compose, files, markdown, store
from askmd.chunk import Fault, Proof
from askmd.config import Config
from askmd.contracts import Embedder, TokenCounter
from askmd.errors import AskmdError, FolderError, IndexFault, Interrupted, NoIndex
from askmd.markdown import front_matter
from askmd.types import (
    CancelCheck,
    Chunk,
    Failure,
    Outline,
    Place,
    Progress,
    ProgressCallback,
    Stamp,
)

IndexState = Literal["none", "unreadable", "outside", "absent", "same", "behind", "other"]
"""What the index knows of a document: there is none, or a damaged one; it belongs to a folder that
the document is not in; it lacks the document, or holds these very chunks, or those of an older
text, or this text cut with other settings."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """How one document is cut."""

    path: str
    """Relative to the documents' root if the file is below it, else as it was given."""
    root: str
    """The documents' root: the folder the index belongs to, or would."""
    lines: int
    chars: int
    outline: Outline
    front_matter_fault: str
    """Why the front matter is text; empty where it is not, or there is none."""
    max_tokens: int
    """The bound that each chunk is cut to."""
    chunks: tuple[Chunk, ...]
    faults: tuple[Fault, ...]
    index: IndexState


@dataclass(frozen=True, slots=True)
class FileFault:
    """One thing that is wrong with how a file of a folder was cut."""

    path: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Check:
    """What was proved of a folder; ``dataclasses.asdict`` of it is ``inspect --check --json``."""

    files: int
    """Files that were met, those that failed among them."""
    failed: int
    characters: int
    """Non-blank characters after the front matter."""
    covered: int
    """How many of them are in at least one chunk."""
    chunks: int
    truncated: int
    """Chunks that count more tokens than the bound."""
    longest_chunk_tokens: int
    max_tokens: int
    """The bound that each chunk is cut to."""
    faults: tuple[FileFault, ...]
    failures: tuple[Failure, ...]
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether every file could be read and every chunk is what it claims to be."""
        return not self.faults and not self.failures


def inspect_file(
    path: str | Path, config: Config | None = None, *, embedder: Embedder | None = None
) -> Inspection:
    """Return how a file on disk, or else a document below the index's root, is cut.

    It needs no index and loads no model. ``embedder``: instead of the one the settings name.
    Raises FolderError if the file cannot be read or cut.
    """
    config = config or Config.load()
    root = _root(config)
    location = _located(Path(path), root)
    if location.is_dir():
        raise FolderError(f"{path} is a folder", f"run `askmd inspect --check {path}`")
    name = _document_path(location, root, Path(path))
    with _measuring(config, embedder) as reading:
        try:
            cut = reading.cut(location, name)
        except files.UnreadableFile as error:
            reason, _, remedy = str(error).partition("; ")
            raise FolderError(f"{name}: {reason}", remedy) from error
    text = cut.source.text
    return Inspection(
        path=name,
        root=str(root),
        lines=text.count("\n") + (text != "" and not text.endswith("\n")),
        chars=len(text),
        outline=cut.outline,
        front_matter_fault=front_matter.read(text).fault,
        max_tokens=reading.bound,
        chunks=tuple(cut.chunks),
        faults=cut.proof.faults,
        index=_state(config, name, cut, is_outside=not location.is_relative_to(root)),
    )


def check_folder(
    folder: str | Path,
    config: Config | None = None,
    *,
    embedder: Embedder | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> Check:
    """Return what is proved of all files that an ingest of a folder would cut, or of one file.

    One file at a time is held in memory. ``embedder``: instead of the one the settings name.
    Raises FolderError if there is no such folder or nothing in it, Interrupted once ``cancel``
    says so.
    """
    started = time.monotonic()
    config = config or Config.load()
    listing = _listing(Path(folder), config)
    proved: dict[str, Proof] = {}
    failures: list[Failure] = []
    with _measuring(config, embedder) as reading:
        for done, found in enumerate(listing):
            if cancel and cancel():
                raise Interrupted(f"stopped; {done} of {len(listing)} files were checked")
            if progress:
                progress(Progress("checking", done, len(listing), "files"))
            try:
                proved[found.path] = reading.proof(found)
            except files.UnreadableFile as error:
                failures.append(Failure(found.path, str(error)))
    return _report(proved, failures, reading.bound, time.monotonic() - started)


def _report(proved: dict[str, Proof], failures: list[Failure], bound: int, seconds: float) -> Check:
    """Return the sums of what was proved file by file."""
    proofs = proved.values()
    return Check(
        files=len(proved) + len(failures),
        failed=len(failures),
        characters=sum(one.characters for one in proofs),
        covered=sum(one.covered for one in proofs),
        chunks=sum(one.chunks for one in proofs),
        truncated=sum(one.truncated for one in proofs),
        longest_chunk_tokens=max((one.longest_tokens for one in proofs), default=0),
        max_tokens=bound,
        faults=tuple(
            FileFault(path, fault.line, fault.what)
            for path, one in proved.items()
            for fault in one.faults
        ),
        failures=tuple(failures),
        seconds=round(seconds, 3),
    )


@dataclass(frozen=True, slots=True)
class _Cut:
    """One file, cut and proved."""

    source: files.Source
    outline: Outline
    chunks: list[Chunk]
    proof: Proof


@dataclass(frozen=True, slots=True)
class _Reading:
    """How files are read and cut under the settings."""

    config: Config
    counter: TokenCounter
    bound: int

    def proof(self, found: files.Found | Failure) -> Proof:
        """Return what is proved of one file; raises as ``cut`` does."""
        if isinstance(found, Failure):
            raise files.UnreadableFile(found.reason)
        return self.cut(found.location, found.path).proof

    def cut(self, location: Path, path: str) -> _Cut:
        """Return one file as an ingest would cut it, proved.

        Raises UnreadableFile with the reason, ConfigError for a bound that leaves no room.
        """
        settings = self.config.documents
        limit = int(settings.max_megabytes * 1e6)
        try:
            source = files.read(location, max_bytes=limit, encoding=settings.encoding)
            text = source.text
            outline = markdown.parse(text)
            chunks = chunk.split(path, text, outline, self.counter, max_tokens=self.bound)
            start = markdown.body_start(text)
            proof = chunk.prove(text, start, chunks, self.counter, self.bound)
        except FileNotFoundError as error:
            raise files.UnreadableFile("it vanished while it was read") from error
        except (AskmdError, files.UnreadableFile):
            raise
        except Exception as error:
            # Whatever a file holds, the others are not to suffer for it.
            reason = f"askmd cannot cut it ({type(error).__name__}: {error}); please report it"
            raise files.UnreadableFile(reason) from error
        return _Cut(source, outline, chunks, proof)


@contextmanager
def _measuring(config: Config, given: Embedder | None) -> Iterator[_Reading]:
    """Lend what cuts by the counter of the given embedder, or of the settings' own."""
    with ExitStack() as stack:
        embedder = given or stack.enter_context(closing(compose.open_embedder(config)))
        yield _Reading(config, embedder.counter, compose.bound(config, embedder))


def _root(config: Config) -> Path:
    """Return the folder that documents' paths are relative to, whatever state the index is in."""
    try:
        with store.open_store(config.index_folder) as index:
            return index.root.resolve()
    except IndexFault:
        return Path(config.documents.folder or ".").resolve()


def _located(given: Path, root: Path) -> Path:
    """Return the file or folder that is meant, absolute, links followed."""
    for place in (given, root / given):
        try:
            location = place.resolve(strict=True)
            str(location).encode("utf-8")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except UnicodeEncodeError as error:
            raise FolderError("the file's name is not UTF-8", "rename it") from error
        except (OSError, RuntimeError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise FolderError(
                f"{given} cannot be read: {reason}", "mend its permissions"
            ) from error
        return location
    raise FolderError(
        f"no such file or folder: {given}", "name one, or a document as `askmd search` prints it"
    )


def _document_path(location: Path, root: Path, given: Path) -> str:
    """Return the path that a file has, or would have, as a document of the root."""
    is_below = location.is_relative_to(root)
    return (location.relative_to(root) if is_below else given).as_posix()


def _listing(given: Path, config: Config) -> list[files.Found | Failure]:
    """Return the documents of a folder as an ingest meets them, or the one file that is named."""
    root = _root(config)
    location = _located(given, root)
    if not location.is_dir():
        name = _document_path(location, root, given)
        return [files.Found(name, location, Stamp(0, 0, 0, 0))]
    settings = config.documents
    skipped = (config.index_folder.absolute(),)
    found = list(files.walk(location, files.Selection(settings.include, settings.exclude, skipped)))
    if [one.path for one in found] == ["./"]:
        raise FolderError(f"{location} cannot be read", "mend its permissions")
    if not found:
        suffixes = ", ".join(files.SUFFIXES)
        raise FolderError(f"no Markdown in {location} ({suffixes})", "name another folder")
    return found


def _state(config: Config, path: str, cut: _Cut, *, is_outside: bool) -> IndexState:
    """Return what the index knows of a document that was cut."""
    try:
        with store.open_store(config.index_folder) as index, index.snapshot():
            document = index.document(path)
            if is_outside:
                return "outside"
            if document is None:
                return "absent"
            if document.digest != cut.source.digest:
                return "behind"
            # Both hold all of one text, so what one has more of cannot stand past the other's end.
            held = index.places([one.id for one in cut.chunks])
            shown = {one.id: Place(path, place) for place, one in enumerate(cut.chunks)}
            return "same" if held == shown else "other"
    except NoIndex:
        return "none"
    except IndexFault:
        return "unreadable"
