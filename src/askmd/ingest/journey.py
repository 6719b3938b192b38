"""One run of ingest: what is pending is embedded, written and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from askmd import files, store
from askmd.contracts import Embedder
from askmd.errors import EmbeddingError, FolderError, Interrupted, TextsRejected
from askmd.ingest.reading import Reading, Untouched
from askmd.types import CancelCheck, Document, Failure, Indexed, Progress, ProgressCallback, Stamp

if TYPE_CHECKING:
    from askmd.types import Vector

BATCH_TEXTS = 64
"""Texts embedded between two looks at the cancel flag; what a kill loses at most."""
PENDING_CHUNKS = 1024
"""Chunks held in memory before they are written, whether they need embedding or not."""


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
    pending: list[Indexed] = field(default_factory=list)
    pending_chunks: int = 0
    missing: dict[bytes, str] = field(default_factory=dict)
    """Texts of pending chunks that have no vector yet, by their key."""

    def read(self, reading: Reading, listing: Sequence[files.Found | Failure]) -> None:
        """Read, cut, embed and write everything that is new to the index."""
        for number, source in enumerate(reading.sources(listing)):
            self._tell("reading", number, len(listing), "files")
            self._take(source)
            is_full = self.pending_chunks >= PENDING_CHUNKS or len(self.pending) >= PENDING_CHUNKS
            if is_full or len(self.missing) >= BATCH_TEXTS:
                self._flush()
        self._flush()
        self.writer.touch(self.stamps)
        self._tell("reading", len(listing), len(listing), "files")

    def remove_gone(self, root: Path, standing: Mapping[str, Document], *, prune: bool) -> None:
        """Remove documents whose file is gone; refuses where most of them are.

        standing: what the index holds until this run is done; of a rebuild, the old one's.
        """
        unread = tuple(one.path for one in self.failures if one.path.endswith("/"))
        gone = [path for path in standing if path not in self.seen]
        # What an unreadable folder holds is not gone; but a rebuild has no more of it.
        gone = [path for path in gone if path not in self.known or not path.startswith(unread)]
        moved = (Counter(standing[path].digest for path in gone) & self.digests).total()
        lost = len(gone) - moved
        if 2 * lost > len(standing) and not prune:
            raise FolderError(
                f"{root} lost {lost} of its {len(standing)} files; all stay in the index",
                "bring them back, or accept it with `askmd ingest --prune`",
            )
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
        known = self.writer.known_keys(list(texts)) | self.missing.keys()
        fresh = {key: text for key, text in texts.items() if key not in known}
        self.counts["reused"] += len(source.chunks) - len(fresh)
        self.missing |= fresh
        self.pending.append(source)
        self.pending_chunks += len(source.chunks)

    def _kind(self, source: Indexed) -> str:
        return "changed" if source.document.path in self.known else "new"

    def _flush(self) -> None:
        """Embed what is missing and write what is pending; each batch is kept as it comes."""
        vectors: dict[bytes, Vector] = {}
        keys = list(self.missing)
        refused: dict[bytes, str] = {}
        for start in range(0, len(keys), BATCH_TEXTS):
            if vectors:
                self.writer.put_vectors(vectors)
            self._stop_if_cancelled()
            vectors = self._embed(keys[start : start + BATCH_TEXTS], refused)
            done = self.counts["embedded"]
            left = max(0, len(keys) - start - BATCH_TEXTS)
            # Files come one by one: only of a long one is it known how much is left.
            is_long = len(keys) > 4 * BATCH_TEXTS
            self._tell("embedding", done, done + left if is_long else 0, "chunks")
        self._drop(refused)
        if self.pending or vectors:
            self.writer.write(self.pending, vectors=vectors)
        self.pending, self.pending_chunks, self.missing = [], 0, {}

    def _embed(self, keys: list[bytes], refused: dict[bytes, str]) -> dict[bytes, Vector]:
        """Return vectors by key; texts the embedder refuses are noted, the others go on."""
        try:
            vectors = self.embedder.embed([self.missing[key] for key in keys])
        except TextsRejected as error:
            refused |= {keys[position]: why for position, why in error.reasons.items()}
            rest = [key for key in keys if key not in refused]
            return self._embed(rest, refused) if rest else {}
        except EmbeddingError as error:
            if done := self.counts["embedded"]:
                error.message += f" ({done} chunks were embedded and are kept)"
            raise
        self.counts["embedded"] += len(keys)
        return dict(zip(keys, vectors, strict=True))

    def _drop(self, refused: Mapping[bytes, str]) -> None:
        """Fail the pending files that hold a refused text; what is indexed of them stays."""
        kept: list[Indexed] = []
        for one in self.pending:
            bad = next((c for c in one.chunks if store.vector_key(c.embedded) in refused), None)
            if bad is None:
                kept.append(one)
                continue
            self.counts[self._kind(one)] -= 1
            why = refused[store.vector_key(bad.embedded)]
            reason = f"the embedder refused lines {bad.lines[0]}-{bad.lines[1]}: {why}"
            self._fail(Failure(one.document.path, reason))
        self.pending = kept

    def _stop_if_cancelled(self) -> None:
        if self.cancel and self.cancel():
            raise Interrupted(
                f"stopped; {self.counts['embedded']} chunks were embedded and are kept",
                "run the same command to go on",
            )

    def _tell(self, stage: str, done: int, total: int, unit: str) -> None:
        if self.progress:
            self.progress(Progress(stage, done, total, unit))
