"""The configured servers, asked for next to nothing."""

from __future__ import annotations

import time
from contextlib import closing
from typing import TYPE_CHECKING

from askmd import compose, store
from askmd.addresses import shown
from askmd.config import Config
from askmd.doctor.finding import Finding, fault
from askmd.doctor.llm import check_llm
from askmd.errors import AskmdError, IndexFault
from askmd.store import REBUILD_STEP

if TYPE_CHECKING:
    from askmd.types import Identity

TEXT = "ready"
"""What an embedder's server is sent."""


def check_online(config: Config) -> list[Finding]:
    """Return whether the configured servers answer; nothing of the documents is sent.

    The embedder's is sent one word, the LLM's what ``check_llm`` sends.
    """
    findings = [_of_embedder(config)]
    if not config.llm.is_configured:
        return [*findings, Finding("no_llm", False, "no LLM is configured: passages are quoted")]
    try:
        return [*findings, *check_llm(config)]
    except AskmdError as error:
        return [*findings, fault(error)]


def _of_embedder(config: Config) -> Finding:
    url = compose.endpoint(config, "embedding")
    if url is None:
        return Finding("embedder_here", False, "texts are embedded on this machine, by no server")
    built = _built(config)
    started = time.monotonic()
    try:
        with closing(compose.open_embedder(config, built)) as embedder:
            dim = len(embedder.embed_query(TEXT))
    except AskmdError as error:
        return fault(error)
    seconds = time.monotonic() - started
    if built is not None and built.dim not in (0, dim):
        message = f"{shown(url)} gives vectors of {dim} numbers, the index holds {built.dim}"
        return Finding("embedder_dim", True, message, f"{REBUILD_STEP}, or restore its model")
    message = f"{shown(url)} embeds: {dim} numbers, after {seconds:.1f} s"
    return Finding("embedder_answers", False, message)


def _built(config: Config) -> Identity | None:
    """Return what the index is made of; None where there is none, or it does not say."""
    try:
        with closing(store.open_store(config.index_folder)) as index:
            return index.identity
    except IndexFault:
        return None
