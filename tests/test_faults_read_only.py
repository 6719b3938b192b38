from __future__ import annotations

import json
import os
from typing import Any

import pytest

from faults.forks import ForkServer
from faults.read_only import KEPT_BY, LEFT

READING = ("search", "ask", "status")
WRITING = ("ingest", "rebuild")


@pytest.fixture(scope="module", params=KEPT_BY)
def played(request: pytest.FixtureRequest, forks: ForkServer) -> tuple[str, dict[str, Any]]:
    """How every verb ended on an index that one thing keeps from being written."""
    kept_by = request.param
    if kept_by.startswith("another") and os.geteuid() != 0:
        pytest.skip("SKIPPED LOUDLY: only root can make another user's index")
    if kept_by == "a read-only disk":
        told = forks.call("test_faults_full:can_mount")
        if told.status:
            pytest.skip(f"SKIPPED LOUDLY: no mounts of one's own here: {told.error[-200:]}")
    outcome = forks.call("faults.read_only:play", kept_by=kept_by, limit=120)
    assert (outcome.status, outcome.error, outcome.output) == (0, "", "")
    return kept_by, outcome.result


Played = tuple[str, dict[str, Any]]


def can_be_read(kept_by: str, left: str) -> bool:
    """Whether all that is needed to read stands there: a log is nothing without its -shm."""
    return not kept_by.endswith("closed") and not left.endswith("without -shm")


def told(ended: dict[str, Any]) -> dict[str, str]:
    """Return the one line on standard error."""
    [line] = ended["err"].splitlines()
    error: dict[str, str] = json.loads(line)["error"]
    return error


@pytest.mark.parametrize("left", LEFT)
def test_what_can_be_read_answers_as_if_it_could_be_written(left: str, played: Played):
    kept_by, ended = played
    if not can_be_read(kept_by, left):
        pytest.skip("it cannot be read")
    assert [ended[left][verb]["status"] for verb in (*READING, "doctor")] in ([0] * 4, [0, 0, 0, 4])
    assert (
        json.loads(ended[left]["search"]["out"])["hits"]
        == json.loads(ended[left]["wanted"])["hits"]
    )


@pytest.mark.parametrize("left", LEFT)
def test_what_cannot_be_read_says_why_in_one_line(left: str, played: Played):
    kept_by, ended = played
    if can_be_read(kept_by, left):
        pytest.skip("it can be read")
    why = "Permission denied" if kept_by.endswith("closed") else "-wal cannot be read"
    for verb in READING:
        assert ended[left][verb]["status"] == 1
        error = told(ended[left][verb])
        assert (why in error["message"], error["next"] != "") == (True, True)
    assert ended[left]["doctor"]["status"] == 4


@pytest.mark.parametrize("left", LEFT)
def test_nothing_is_written_and_an_ingest_is_refused_at_once(left: str, played: Played):
    _, ended = played
    verbs = (*READING, "doctor", *WRITING)
    assert [ended[left][verb]["changed"] for verb in verbs] == [[]] * len(verbs)
    assert ["Traceback" in ended[left][verb]["err"] for verb in verbs] == [False] * len(verbs)
    for verb in WRITING:
        assert ended[left][verb]["status"] == 1
        assert ended[left][verb]["seconds"] < 5
        assert told(ended[left][verb])["code"] == "index"
