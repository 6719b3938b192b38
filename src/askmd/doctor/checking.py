"""The index, its settings and its documents looked at, and mended where that is safe."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace

from askmd import compose, store
from askmd.addresses import is_loopback
from askmd.config import Config
from askmd.contracts import Embedder
from askmd.doctor.documents import of_documents
from askmd.doctor.finding import Finding, fault
from askmd.doctor.versions import of_versions
from askmd.errors import AskmdError, EmbeddingError, IndexFault, NoIndex
from askmd.settings import DEFAULT_MODEL
from askmd.store.examining import Examination, examine, mend
from askmd.types import CancelCheck, Identity, ProgressCallback

_NOWHERE = "http://127.0.0.1:9/v1"


def check(
    config: Config, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
) -> list[Finding]:
    """Return what is found without a request and without loading a model.

    All of the index is read. Raises Interrupted once ``cancel`` says so.
    """
    try:
        look = examine(config.index_folder, progress, cancel)
    except NoIndex as error:
        return _without_index(config, error)
    return _in_order(_around(config, look, progress, cancel))


def fix(
    config: Config, progress: ProgressCallback | None = None, cancel: CancelCheck | None = None
) -> list[Finding]:
    """Mend what is safe to mend, and return what that was and what remains.

    Raises IndexLocked while another process writes the index, IndexFault where it cannot be
    written, Interrupted once ``cancel`` says so.
    """
    try:
        done = mend(config.index_folder, progress, cancel)
    except NoIndex as error:
        return _without_index(config, error)
    fixed = [
        Finding(one.code, False, one.message, one.then, fixed=True, paths=one.paths)
        for one in done.mended
    ]
    return _in_order([*fixed, *_around(config, done.now, progress, cancel)])


def _without_index(config: Config, error: NoIndex) -> list[Finding]:
    return _in_order([*_of_settings(config), fault(error), *of_versions()])


def _in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return what was mended, what is wrong, what is sound and what is worth knowing."""
    return sorted(findings, key=lambda one: (not one.fixed, not one.is_fault, bool(one.next)))


def _around(
    config: Config,
    look: Examination,
    progress: ProgressCallback | None,
    cancel: CancelCheck | None,
) -> list[Finding]:
    """Return what was seen of an index, of its settings and of its documents."""
    findings = [
        Finding(one.code, one.is_fault, one.message, one.next, paths=one.paths) for one in look.seen
    ]
    identity = look.state.identity if look.state else None
    findings += _of_settings(config, identity)
    if look.root is not None and not any(one.is_fault for one in findings if one.code != "folder"):
        findings += _of_opening(config)
    if look.root is not None:
        findings += _of_documents(config, look, progress, cancel)
    return [*findings, *of_versions()]


def _of_documents(
    config: Config,
    look: Examination,
    progress: ProgressCallback | None,
    cancel: CancelCheck | None,
) -> list[Finding]:
    """Return how far the index is behind its folder, where it can be told."""
    assert look.root is not None
    try:
        with closing(store.open_store(config.index_folder)) as index:
            known = index.documents()
    except IndexFault:
        # What is wrong with it was said; whether the folder is there is worth saying too.
        return [] if look.root.is_dir() else of_documents(config, look.root, {})
    return of_documents(config, look.root, known, progress, cancel)


def _of_opening(config: Config) -> list[Finding]:
    """Return why a search could not begin: what was found sound is not to fail after all."""
    try:
        with closing(store.open_store(config.index_folder)) as index:
            index.warm()
    except IndexFault as error:
        return [fault(error)]
    return []


def _of_settings(config: Config, built: Identity | None = None) -> list[Finding]:
    """Return why no embedder can be made of the settings, or whether it fits the index."""
    try:
        with closing(_open_here(config, built)) as embedder:
            wanted = compose.wanted_identity(config, embedder)
            if built is None:
                return []
            if not embedder.counter.exact:
                # Which vocabulary it would be is known once that is on this machine.
                wanted = replace(wanted, tokenizer=built.tokenizer)
        store.check_identity(built, wanted, config.index_folder)
    except AskmdError as error:
        return [fault(error)]
    model = built.model or built.provider
    message = f"the settings fit the index: {model}, {built.dim} numbers a vector"
    return [Finding("settings", False, message)]


def _open_here(config: Config, built: Identity | None) -> Embedder:
    """Return the embedder of the settings, with nothing fetched from anywhere.

    Raises EmbeddingError where its model is not on this machine.
    """
    settings = config.embedding
    url = compose.endpoint(config, "embedding")
    if url is not None and not is_loopback(url):
        # A vocabulary is fetched only for a server elsewhere, and vectors do not tell servers.
        config = replace(config, embedding=replace(settings, base_url=_NOWHERE))
    is_local = settings.provider == "sentence-transformers"
    if not is_local or compose.model_folder(config) is not None:
        return compose.open_embedder(config, built)
    # As if it came from a file nobody trusts: so its name is not sent to a hub.
    untrusted = frozenset({*config.untrusted, "embedding.model"})
    try:
        return compose.open_embedder(replace(config, untrusted=untrusted), built)
    except EmbeddingError as error:
        model = settings.model or DEFAULT_MODEL
        raise EmbeddingError(
            f"the model {model} is not on this machine",
            "run `askmd ingest`, which fetches it, or name a local folder in embedding.model",
        ) from error
