"""A folder read and cut, file by file, against what the index knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from askmd import chunk, files, markdown
from askmd.config import Config
from askmd.contracts import TokenCounter
from askmd.errors import AskmdError, EmbeddingError, FolderError
from askmd.types import Document, Failure, Indexed, Stamp


@dataclass(frozen=True, slots=True)
class Untouched:
    """A file whose content the index has already; only its stamp may be new."""

    path: str
    stamp: Stamp | None


def list_documents(root: Path, config: Config) -> list[files.Found | Failure]:
    """Return a folder's documents, unread; none where the folder is gone.

    Raises FolderError if the folder itself cannot be read, or is the index's own.
    """
    if not root.exists():
        return []
    with suppress(FileNotFoundError):
        if root.samefile(config.index_folder):
            raise FolderError(f"{root} is the index's own folder", "name another with `--index`")
    settings = config.documents
    skipped = (config.index_folder,)
    selection = files.Selection(settings.include, settings.exclude, skipped)
    found = list(files.walk(root, selection))
    if found and isinstance(found[0], Failure) and found[0].path == "./":
        reason = found[0].reason
        raise FolderError(f"{root} cannot be read: {reason}", "mend its permissions")
    return found


@dataclass(frozen=True, slots=True)
class Reading:
    """The folder read and cut, file by file, against what the index knows."""

    root: Path
    config: Config
    counter: TokenCounter
    max_tokens: int
    known: Mapping[str, Document]
    verify: bool = False

    def sources(
        self, listing: Iterable[files.Found | Failure]
    ) -> Iterator[Indexed | Untouched | Failure]:
        """Yield each file cut into chunks, or found untouched, or with the reason it failed."""
        for found in listing:
            try:
                yield found if isinstance(found, Failure) else self._source(found)
            except files.UnreadableFile as error:
                yield Failure(found.path, str(error))
            except FileNotFoundError:
                yield Failure(found.path, "it vanished while it was read")
            except AskmdError:
                raise
            except Exception as error:
                # Whatever a file holds, the others are not to suffer for it.
                reason = f"askmd cannot cut it ({type(error).__name__}: {error}); please report it"
                yield Failure(found.path, reason)

    def digests(self, listing: Iterable[files.Found | Failure]) -> Iterator[str]:
        """Yield the digest of each file that is new to the index under its path."""
        for found in listing:
            if isinstance(found, files.Found) and found.path not in self.known:
                with suppress(files.UnreadableFile, FileNotFoundError):
                    yield self._read(found).digest

    def _source(self, found: files.Found) -> Indexed | Untouched:
        """Return a file's chunks if its content is new to the index."""
        known = self.known.get(found.path)
        if known and known.stamp == found.stamp and not self.verify:
            return Untouched(found.path, None)
        source = self._read(found)
        if known and known.digest == source.digest:
            return Untouched(found.path, source.stamp)
        return self._cut(found.path, source)

    def _read(self, found: files.Found) -> files.Source:
        settings = self.config.documents
        limit = int(settings.max_megabytes * 1e6)
        encoding = settings.encoding
        return files.read(found.location, max_bytes=limit, encoding=encoding, root=self.root)

    def _cut(self, path: str, source: files.Source) -> Indexed:
        """Return a document and its chunks; raises EmbeddingError if the bound does not hold."""
        outline = markdown.parse(source.text)
        limit = self.max_tokens
        chunks = chunk.split(path, source.text, outline, self.counter, max_tokens=limit)
        for one in chunks:
            if one.tokens > limit:
                raise EmbeddingError(
                    f"{path}:{one.lines[0]} would be truncated from {one.tokens} to {limit} tokens",
                    "this is a fault of askmd; please report the file",
                )
        document = Document(
            path, source.digest, source.stamp, outline.title, outline.description, outline.metadata
        )
        return Indexed(document, chunks)
