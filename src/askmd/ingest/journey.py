"""One run of ingest: what is pending is embedded, written and counted.

While one batch of texts is embedded, the next files are read and cut, and what the batch before
completed is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from askmd import files, store
from askmd.contracts import Embedder
from askmd.errors import EmbeddingError, FolderError, Interrupted
from askmd.ingest.batch import LOOK_SECONDS, Batch, Embedded
from askmd.ingest.reading import Reading, Untouched
from askmd.types import (
    CancelCheck,
    Chunk,
    Document,
    Failure,
    Indexed,
    Progress,
    ProgressCallback,
    Stamp,
)

if TYPE_CHECKING:
    from askmd.types import Vector

BATCH_TEXTS = 64
"""Texts embedded together; what a kill loses at most, but for those read meanwhile."""
PENDING_CHUNKS = 1024
"""Chunks held in memory before they are written, whether they need embedding or not."""
GRACE_SECONDS = 1.0
"""How long texts in flight are waited for once the user wants to stop."""
_GO_ON = "the same command goes on from there"


@dataclass(frozen=True, slots=True)
class _Pending:
    """A file that is to be written once its texts have vectors."""

    source: Indexed
    place: int
    """So many texts have vectors when this file's have: they are embedded in order."""


@dataclass(slots=True)
class Journey:
    """One run of ingest: what is pending, what was done."""

    writer: store.IndexWriter
    embedder: Embedder
    progress: ProgressCallback | None
    cancel: CancelCheck | None
    known: Mapping[str, Document]
    """What the index held at the start, by path."""
    counts: Counter[str] = field(default_factory=Counter)
    """Of documents by what became of them, and of chunks ``embedded`` and ``reused``."""
    failures: list[Failure] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    digests: Counter[str] = field(default_factory=Counter)
    """Contents of files that are new to the index under their path."""
    stamps: dict[str, Stamp] = field(default_factory=dict)
    """Newer stamps of files whose content is the same."""
    pending: list[_Pending] = field(default_factory=list)
    pending_chunks: int = 0
    missing: dict[bytes, str] = field(default_factory=dict)
    """Texts of pending chunks that nobody embeds yet, by their key, in order."""
    flying: Batch | None = None
    """The texts that are embedded just now."""
    refused: dict[bytes, str] = field(default_factory=dict)
    """Texts that the embedder does not take, and why."""
    queued: int = 0
    """Texts that were ever missing."""
    landed: int = 0
    """Those that were embedded since, or refused."""

    def read(self, reading: Reading, listing: Sequence[files.Found | Failure]) -> None:
        """Read, cut, embed and write everything that is new to the index."""
        try:
            self._read(reading, listing)
        finally:
            # Whatever ended it: nobody waits for these any more.
            if self.flying:
                self.flying.stop()

    def _read(self, reading: Reading, listing: Sequence[files.Found | Failure]) -> None:
        for number, source in enumerate(reading.sources(listing)):
            self._tell("reading", number, len(listing), "files")
            self._take(source)
            while len(self.missing) >= BATCH_TEXTS:
                self._advance()
            if self.pending_chunks >= PENDING_CHUNKS or len(self.pending) >= PENDING_CHUNKS:
                self._flush()
        self._flush()
        self.writer.touch(self.stamps)
        self._tell("reading", len(listing), len(listing), "files")

    def check_gone(
        self, root: Path, reading: Reading, listing: Sequence[files.Found | Failure]
    ) -> None:
        """Raise FolderError, before anything is written, where most of the index's files are gone.

        Once new files were written, the next run would find that fewer than half are.
        """
        there = {one.path for one in listing}
        unread = tuple(path for path in there if path.endswith("/"))
        gone = [path for path in self.known if path not in there and not path.startswith(unread)]
        if 2 * len(gone) > len(self.known):
            moved = _count_moved(gone, self.known, Counter(reading.digests(listing)))
            _check_lost(root, len(gone) - moved, self.known, ())

    def remove_gone(self, root: Path, standing: Mapping[str, Document], *, prune: bool) -> None:
        """Remove documents whose file is gone; refuses where most of them are.

        standing: what the index holds until this run is done; of a rebuild, the old one's.
        """
        unread = tuple(one.path for one in self.failures if one.path.endswith("/"))
        gone = [path for path in standing if path not in self.seen]
        # What an unreadable folder holds is not gone; but a rebuild has no more of it.
        gone = [path for path in gone if path not in self.known or not path.startswith(unread)]
        moved = _count_moved(gone, standing, self.digests)
        lost = len(gone) - moved
        if not prune:
            _check_lost(root, lost, standing, self.failures)
        if removed := [path for path in gone if path in self.known]:
            self.writer.write([], removed=removed, vectors={})
        moved = moved if self.known else 0
        self.counts.update(removed=lost, moved=moved, new=-moved)

    def _take(self, source: Indexed | Untouched | Failure) -> None:
        """Sort one file into what is done, what is pending and what failed."""
        self._stop_if_cancelled()
        if isinstance(source, Indexed):
            self.seen.add(source.document.path)
            self._queue(source)
            return
        if isinstance(source, Failure):
            self._fail(source)
            # An unreadable file is not a deleted one: what is indexed of it stays.
            self.seen |= {source.path} & self.known.keys()
            return
        self.seen.add(source.path)
        self.counts["unchanged"] += 1
        if source.stamp:
            self.stamps[source.path] = source.stamp

    def _fail(self, failure: Failure) -> None:
        """Note a file that failed; the next run reads it again, whatever its stamp says."""
        self.failures.append(failure)
        if failure.path in self.known:
            self.stamps[failure.path] = Stamp(0, 0, 0, 0)

    def _queue(self, source: Indexed) -> None:
        """Put a file with new content among the pending ones."""
        self.counts[self._kind(source)] += 1
        if source.document.path not in self.known:
            self.digests[source.document.digest] += 1
        texts = {store.vector_key(one.embedded): one.embedded for one in source.chunks}
        known = self.writer.known_keys(list(texts)) | self.missing.keys() | self.refused.keys()
        if self.flying:
            known |= self.flying.texts.keys()
        fresh = {key: text for key, text in texts.items() if key not in known}
        self.counts["reused"] += len(source.chunks) - len(fresh)
        self.missing |= fresh
        self.queued += len(fresh)
        self.pending.append(_Pending(source, self.queued))
        self.pending_chunks += len(source.chunks)

    def _kind(self, source: Indexed) -> str:
        return "changed" if source.document.path in self.known else "new"

    def _flush(self) -> None:
        """Embed whatever is missing and write whatever is pending."""
        while self.missing or self.flying:
            self._advance()
        self._keep({})

    def _advance(self) -> None:
        """Send the next batch off, and keep what the one before it has become."""
        self._stop_if_cancelled()
        embedded = self._land()
        keys = list(self.missing)[:BATCH_TEXTS]
        if keys:
            batch = {key: self.missing.pop(key) for key in keys}
            self.flying = Batch(self.embedder, batch)
        self._keep(embedded.vectors)
        # Files come one by one: only of a long one is it known how much is left.
        left = len(self.missing) + len(keys)
        is_long = left > 4 * BATCH_TEXTS
        done = self.counts["embedded"]
        self._tell("embedding", done, done + left if is_long else 0, "chunks")

    def _land(self) -> Embedded:
        """Return what became of the batch in flight, once it is done; of none nothing."""
        if self.flying is None:
            return Embedded()
        while not self.flying.is_done(LOOK_SECONDS):
            self._stop_if_cancelled()
        batch, self.flying = self.flying, None
        try:
            embedded = batch.result()
        except EmbeddingError as error:
            self._save(batch)
            if done := self.counts["embedded"]:
                error.message += f" ({done} chunks were embedded and are kept)"
                error.next_step = "; ".join(filter(None, [error.next_step, _GO_ON]))
            raise
        self.refused |= embedded.refused
        self.landed += len(batch.texts)
        self.counts["embedded"] += len(embedded.vectors)
        return embedded

    def _keep(self, vectors: Mapping[bytes, Vector]) -> None:
        """Write new vectors, and the files that need no others any more."""
        whole = 0
        while whole < len(self.pending) and self.pending[whole].place <= self.landed:
            whole += 1
        ready = self._without_refused([one.source for one in self.pending[:whole]])
        if ready:
            self.writer.write(ready, vectors=vectors)
        elif vectors:
            self.writer.put_vectors(vectors)
        self.pending_chunks -= sum(len(one.source.chunks) for one in self.pending[:whole])
        del self.pending[:whole]

    def _without_refused(self, sources: Sequence[Indexed]) -> list[Indexed]:
        """Fail the files that hold a refused text, and return the rest.

        What is indexed of such a file stays.
        """
        kept: list[Indexed] = []
        for one in sources:
            bad = next((c for c in one.chunks if self._why_refused(c)), None)
            if bad is None:
                kept.append(one)
                continue
            self.counts[self._kind(one)] -= 1
            first, last = bad.lines
            reason = f"the embedder refused lines {first}-{last}: {self._why_refused(bad)}"
            self._fail(Failure(one.document.path, reason))
        return kept

    def _why_refused(self, one: Chunk) -> str | None:
        return self.refused.get(store.vector_key(one.embedded)) if self.refused else None

    def _stop_if_cancelled(self) -> None:
        if self.cancel and self.cancel():
            self._save_the_flying()
            raise Interrupted(
                f"stopped; {self.counts['embedded']} chunks were embedded and are kept",
                "run the same command to go on",
            )

    def _save_the_flying(self) -> None:
        """Keep the vectors of the batch in flight that are there, or come soon."""
        batch, self.flying = self.flying, None
        if batch is not None:
            batch.stop()
            batch.is_done(GRACE_SECONDS)
            self._save(batch)

    def _save(self, batch: Batch) -> None:
        """Keep the vectors of a batch that will not be finished."""
        if vectors := batch.so_far().vectors:
            self.counts["embedded"] += len(vectors)
            self.writer.put_vectors(vectors)

    def _tell(self, stage: str, done: int, total: int, unit: str) -> None:
        if self.progress:
            self.progress(Progress(stage, done, total, unit))


def _count_moved(gone: Sequence[str], standing: Mapping[str, Document], new: Counter[str]) -> int:
    """Return how many documents that are gone have their content among the new ones."""
    return (Counter(standing[path].digest for path in gone) & new).total()


def _check_lost(
    root: Path, lost: int, standing: Mapping[str, Document], failures: Sequence[Failure]
) -> None:
    """Raise FolderError where most of the documents that stood are lost.

    failures: of which a rebuild has nothing; what is indexed is kept by any other ingest.
    """
    if 2 * lost > len(standing):
        unread = [one for one in failures if one.path in standing]
        why = f" (not readable: {unread[0].path}: {unread[0].reason})" if unread else ""
        raise FolderError(
            f"{root} lost {lost} of its {len(standing)} files{why}; all stay in the index",
            "bring them back, or accept it with `askmd ingest --prune`",
        )
