"""A folder brought into the index: only text that is new to it is embedded."""

from __future__ import annotations

import contextlib
import datetime
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from askmd import compose, files, store
from askmd.config import Config
from askmd.contracts import Embedder
from askmd.errors import LOOP_STEP, FolderError, IndexFault, NoIndex, step_after
from askmd.ingest.batch import while_wanted
from askmd.ingest.journey import Journey
from askmd.ingest.reading import Reading, list_documents
from askmd.ingest.report import ChunkCounts, DocumentCounts, DryRun, IngestReport
from askmd.types import CancelCheck, Document, Failure, Identity, Indexed, ProgressCallback

__all__ = ["ChunkCounts", "DocumentCounts", "DryRun", "IngestReport", "dry_run", "ingest_folder"]


def ingest_folder(
    folder: str | Path,
    config: Config | None = None,
    *,
    rebuild: bool = False,
    prune: bool = False,
    verify: bool = False,
    embedder: Embedder | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> IngestReport:
    """Bring the index up to date with a folder and return what was done.

    rebuild: make a new index beside the old one and swap at the end.
    prune: accept that the folder vanished or lost most of its files; sweep unused vectors at once.
    verify: read every file instead of trusting size and times, and every row of the index.
    embedder: instead of the one the settings name.

    Raises FolderError, IndexMismatch, IndexCorrupt, IndexLocked, EmbeddingError, or Interrupted
    once ``cancel`` says so; what was committed until then stays, and the next call goes on from
    there.
    """
    started = time.monotonic()
    config = config or Config.load()
    root = _root(folder, may_be_gone=prune)
    built = None if rebuild else _built(config)
    with _embedder(config, embedder, built) as model:
        identity = while_wanted(lambda: compose.wanted_identity(config, model), cancel)
        listing = list_documents(root, config)
        _check_listing(root, listing, config)
        standing = _standing_documents(config) if rebuild else {}
        if verify and not rebuild:
            _check_index(config, progress, cancel)
        with store.open_writer(config.index_folder, identity, root, rebuild=rebuild) as writer:
            known = writer.documents()
            encoding = config.documents.encoding
            verify = _is_all_read(writer, encoding) or verify
            reading = Reading(root, config, model.counter, identity.max_tokens, known, verify)
            journey = Journey(writer, model, progress, cancel, known)
            if not (prune or rebuild):
                journey.check_gone(root, reading, listing)
            journey.read(reading, listing)
            journey.remove_gone(root, standing if rebuild else known, prune=prune)
            writer.note_encoding(encoding)
            writer.sweep(everything=prune)
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            writer.finish(now, is_thorough=verify)
            held = writer.counts()
    return _report(journey, held, time.monotonic() - started)


def _is_all_read(writer: store.IndexWriter, encoding: str) -> bool:
    """Return whether files would be read otherwise than they were, which no stamp tells."""
    if writer.encoding == encoding:
        return False
    # After an interruption they are read again too.
    writer.note_encoding(None)
    return True


def _report(journey: Journey, held: store.Counts, seconds: float) -> IngestReport:
    """Return what a finished journey did."""
    kinds = {kind: journey.counts[kind] for kind in ("new", "changed", "moved", "unchanged")}
    failed = len(journey.failures)
    return IngestReport(
        documents=DocumentCounts(
            seen=sum(kinds.values()) + failed,
            **kinds,
            removed=journey.counts["removed"],
            failed=failed,
        ),
        chunks=ChunkCounts(held.chunks, journey.counts["embedded"], journey.counts["reused"]),
        longest_chunk_tokens=held.longest_chunk_tokens,
        failures=tuple(journey.failures),
        seconds=round(seconds, 3),
    )


def dry_run(
    folder: str | Path, config: Config, *, embedder: Embedder | None = None, rebuild: bool = False
) -> DryRun:
    """Return how many files and tokens an ingest would embed; nothing is written."""
    root = _root(folder, may_be_gone=False)
    listing = list_documents(root, config)
    _check_listing(root, listing, config)
    with contextlib.ExitStack() as stack:
        built = None if rebuild else _built(config)
        model = stack.enter_context(_embedder(config, embedder, built))
        identity = compose.wanted_identity(config, model)
        index = None if rebuild else _reader(config, identity)
        known: Mapping[str, Document] = {}
        verify = index is not None and index.encoding != config.documents.encoding
        if index:
            stack.callback(index.close)
            index.check_root(root)
            known = index.documents()
        reading = Reading(root, config, model.counter, identity.max_tokens, known, verify)
        changed, texts, failures = 0, dict[bytes, int](), []
        for found in reading.sources(listing):
            if isinstance(found, Failure):
                failures.append(found)
            elif isinstance(found, Indexed):
                changed += 1
                texts |= {store.vector_key(one.embedded): one.tokens for one in found.chunks}
        missing = texts.keys() - (index.known_keys(list(texts)) if index else set())
    tokens = sum(texts[key] for key in missing)
    rate, price = compose.embedding_rate(config), compose.embedding_price(config)
    return DryRun(
        files=changed,
        texts=len(missing),
        tokens=tokens,
        seconds=round(tokens / rate, 1),
        price_usd=None if price is None else round(price * tokens / 1e6, 6),
        failures=tuple(failures),
    )


@contextlib.contextmanager
def _embedder(config: Config, given: Embedder | None, built: Identity | None) -> Iterator[Embedder]:
    """Lend the embedder that was given, or open the settings' own and close it again."""
    if given is not None:
        yield given
        return
    opened = compose.open_embedder(config, built)
    try:
        yield opened
    finally:
        opened.close()


def _check_index(
    config: Config, progress: ProgressCallback | None, cancel: CancelCheck | None
) -> None:
    # Loads numpy, which an ingest that finds nothing new does without.
    from askmd.store.examining import make_sound

    make_sound(config.index_folder, progress, cancel)


def _check_listing(root: Path, listing: Sequence[object], config: Config) -> None:
    """Raise FolderError where there is nothing to index and no index that could lose anything."""
    if listing:
        return
    index = _reader(config)
    if index is None:
        raise FolderError(
            f"no Markdown in {root} ({', '.join(files.SUFFIXES)})",
            "name the folder that holds the files",
        )
    index.close()


def _reader(config: Config, identity: Identity | None = None) -> store.SQLiteStore | None:
    """Return the index as it stands, or None where there is none yet."""
    try:
        return store.open_store(config.index_folder, identity)
    except NoIndex:
        return None


def _built(config: Config) -> Identity | None:
    """Return what the index as it stands is made of; None where there is none to follow."""
    try:
        index = _reader(config)
    except IndexFault:
        # Whoever opens it to write says what is wrong with it.
        return None
    if index is None:
        return None
    try:
        # What holds nothing binds nobody.
        return index.identity if index.is_bound else None
    except IndexFault:
        return None
    finally:
        index.close()


def _root(folder: str | Path, *, may_be_gone: bool) -> Path:
    """Return a folder of documents, absolute; raises FolderError unless it can be read."""
    try:
        root = Path(folder).resolve()
        str(root).encode("utf-8")
        is_there, is_folder = root.exists(), root.is_dir()
    except UnicodeEncodeError as error:
        raise FolderError("the folder's name is not UTF-8", "rename it") from error
    except OSError as error:
        step = step_after(error, "mend its permissions")
        raise FolderError(f"{folder} cannot be read: {error.strerror}", step) from error
    except RuntimeError as error:
        # A link in a circle, before Python 3.13.
        raise FolderError(f"{folder} cannot be read: {error}", LOOP_STEP) from error
    except ValueError as error:
        raise FolderError(f"{folder} cannot be read: {error}", "name another folder") from error
    if is_folder or (may_be_gone and not is_there):
        return root
    if is_there:
        raise FolderError(f"{root} is a file, not a folder", f"run `askmd ingest {root.parent}`")
    raise FolderError(
        f"no such folder: {root}",
        "name the folder that holds the Markdown files; if it is gone for good, add --prune",
    )


def _standing_documents(config: Config) -> Mapping[str, Document]:
    """Return what the index holds that a rebuild would replace; nothing where it is damaged."""
    try:
        index = _reader(config)
    except IndexFault:
        return {}
    if index is None:
        return {}
    try:
        return index.documents()
    except IndexFault:
        return {}
    finally:
        index.close()
