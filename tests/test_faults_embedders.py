"""Bad embeddings servers through the real command line: nothing wrong is stored, all is told."""

from __future__ import annotations

import functools
import logging
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from askmd import store
from askmd.embed import OpenAIEmbedder
from askmd.ingest import journey
from conftest import Askmd
from faults import world
from faults.bad_embedders import (
    BATCH,
    DOCUMENTS,
    FAULTS,
    KEY,
    STATUS,
    Fault,
    Nights,
    bad_vectors,
    unit_of,
)
from faults.campaign import run
from faults.forks import ForkServer
from servers import ScriptedServer, embeddings

TOLERANCE_SECONDS = 4.0
"""Far above what is measured: other tests run beside these."""
WELL = Fault("none", lambda _: ScriptedServer(embeddings), "done")
MOST_BYTES = 400_000_000
_NOTICES = ("next: askmd ask ",)
_CONTROL = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]")


@pytest.fixture(autouse=True)
def many_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "BATCH_TEXTS", BATCH)
    monkeypatch.setenv("MY_KEY", KEY)


@pytest.fixture(scope="module")
def healthy() -> Any:
    with ScriptedServer(embeddings) as server:
        yield server


def ingest(askmd: Askmd, here: Path, fault: Fault, base_url: str) -> Any:
    (here / "bad.toml").write_text(fault.config(base_url), encoding="utf-8")
    return askmd("ingest", "notes", "--config", "bad.toml", "--index", "index")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, healthy: ScriptedServer) -> Any:
    """What an index holds that no bad server had a part in, and the texts that were embedded."""
    from dataclasses import replace

    from askmd.config import Config
    from askmd.ingest import ingest_folder
    from askmd.settings import EmbeddingSettings, IndexSettings

    home = tmp_path_factory.mktemp("clean")
    world.write(home / "notes", DOCUMENTS)
    settings = EmbeddingSettings("openai", "small", base_url=healthy.base_url)
    config = replace(Config(), index=IndexSettings(str(home / "index")), embedding=settings)
    ingest_folder(home / "notes", config)
    texts = [text for body in healthy.bodies for text in body["input"]]
    return world.dump(str(home / "index")), texts


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_bad_embedder_ends_as_the_table_says_and_nothing_wrong_is_stored(
    fault: Fault,
    askmd: Askmd,
    here: Path,
    healthy: ScriptedServer,
    clean: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    held, texts = clean
    world.write(here / "notes", DOCUMENTS)
    pauses: list[float] = []
    noting = functools.partial(OpenAIEmbedder, sleep=pauses.append)
    # The command line has no switch for its clock, and nobody wants to wait for the real one.
    monkeypatch.setattr("askmd.embed.openai_compatible.OpenAIEmbedder", noting)
    caplog.set_level(logging.DEBUG)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with ScriptedServer(embeddings) as thief, fault.server(thief.base_url) as server:
        began = time.monotonic()
        ran = ingest(askmd, here, fault, server.base_url)
        seconds = time.monotonic() - began
        asked, elsewhere = len(server.requests), len(thief.requests)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)

    assert (ran.status, elsewhere) == (STATUS[fault.end], 0), ran.err
    assert fault.said in ran.err
    assert _told(ran.err, fault) == []
    assert KEY not in ran.out + ran.err + caplog.text
    assert _CONTROL.search(ran.out + ran.err) is None
    assert not fault.attempts or asked == fault.attempts
    assert _are_fit(fault, pauses), pauses
    assert seconds < fault.deadline + TOLERANCE_SECONDS
    assert grown < MOST_BYTES or sys.platform != "linux"
    assert bad_vectors(here / "index", texts) == []
    store.open_store(here / "index").close()

    again = ingest(askmd, here, WELL, healthy.base_url)
    assert (again.status, _told(again.err, WELL)) == (0, [])
    whole = world.dump(str(here / "index"))
    assert (whole["documents"], whole["faults"]) == (held["documents"], [])
    assert whole["identity"] == held["identity"]


def _told(err: str, fault: Fault) -> list[str]:
    """Return the lines on stderr beyond the one that is due, and that one without a next step."""
    lines = [
        line
        for line in err.splitlines()
        if not line.startswith(_NOTICES) and not line.endswith("; this is said once")
    ]
    if fault.end == "done":
        return lines
    without_step = [one for one in lines[:1] if fault.end == "failed" and ";" not in one]
    return without_step + lines[1 if fault.end == "failed" else len(lines) :]


def _are_fit(fault: Fault, pauses: list[float]) -> bool:
    if fault.pauses is None:
        return True
    return len(pauses) == len(fault.pauses) and all(
        least <= pause <= most for (least, most), pause in zip(fault.pauses, pauses, strict=True)
    )


def test_every_bad_embedder_has_a_name_of_its_own_and_there_are_enough() -> None:
    assert [name for name, count in Counter(one.name for one in FAULTS).items() if count > 1] == []
    assert {fault.end for fault in FAULTS} == {"done", "partly", "failed"}
    assert len(FAULTS) >= 60


def test_a_vector_of_another_text_would_be_noticed(clean: Any, tmp_path: Path) -> None:
    _, [one, *others] = clean
    assert abs(unit_of(one) - unit_of(others[0])).max() > 1e-3


class Evening(Nights):
    """The same with fewer files."""

    files: ClassVar[int] = 150
    batch: ClassVar[int] = 8


def test_a_flaky_embedder_ends_as_a_clean_build(forks: ForkServer, tmp_path: Path) -> None:
    tally = run(Evening, tmp_path, forks, count=Evening.short)
    assert (tally.bad, tally.trials) == ([], Evening.short)
    assert tally.figures["runs"] < Evening.most_runs
    # More than a healthy server needs, who was asked in batches of eight.
    assert tally.figures["requests"] > 1.2 * 600 / Evening.batch
