from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults import apart, full
from faults.campaign import run
from faults.forks import SOURCE, ForkServer


def can_mount() -> None:
    """Raise OSError where this process may not have mounts of its own."""
    apart.own_mounts()


@pytest.fixture(scope="module")
def mounts(forks: ForkServer) -> None:
    told = forks.call("test_faults_full:can_mount")
    if told.status:
        pytest.skip(f"SKIPPED LOUDLY: no mounts of one's own here: {told.error.splitlines()[-1]}")


def test_whatever_fills_the_disk_what_was_committed_is_answered_and_the_next_run_completes_it(
    tmp_path: Path, forks: ForkServer, mounts: None
):
    tally = run(full.FullDisk, tmp_path, forks, count=full.FullDisk.short)
    assert tally.bad == []
    assert tally.trials == full.FullDisk.short
    assert tally.kinds["told"] >= 8
    assert tally.kinds["enough room"] >= 4


SCRIPT = """
set -e
mount -t tmpfs -o size=100k tmpfs disk
export PYTHONPATH={source} HOME=$PWD XDG_CONFIG_HOME=$PWD XDG_STATE_HOME=$PWD XDG_CACHE_HOME=$PWD
exec {python} -m askmd ingest docs --index disk/index --json
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="SKIPPED LOUDLY: no unshare here")
def test_a_fresh_interpreter_on_a_full_disk_names_the_folder_and_the_next_step(
    tmp_path: Path, mounts: None
):
    full.world.write(tmp_path / "docs", full.world.documents(1))
    (tmp_path / "disk").mkdir()
    (tmp_path / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    script = SCRIPT.format(source=SOURCE, python=sys.executable)
    rights = "-m" if os.geteuid() == 0 else "-rm"
    ended = subprocess.run(
        ["unshare", rights, "sh", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    error = json.loads(ended.stderr.splitlines()[-1])["error"]
    folder = tmp_path / "disk" / "index"
    assert error["message"].startswith(f"the disk takes no more of the index in {folder} (")
    assert error["next"] == "make room there and run the same command; what was committed is kept"
