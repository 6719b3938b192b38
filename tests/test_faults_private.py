from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from askmd.config import Config
from askmd.ingest import ingest_folder
from faults.forks import ForkServer


@pytest.fixture
def public() -> Iterator[Path]:
    """An empty folder that others may come to as well; pytest's own are closed to them."""
    place = Path(tempfile.mkdtemp(prefix="askmd-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place, ignore_errors=True)


KINDS = {
    ".gitignore", ".segment", ".sqlite3", ".tmp", "-shm", "-wal",
    "floor", "manifest.json", "write.lock", "write.pid",
}  # fmt: skip


@pytest.mark.parametrize(
    ("umask", "made_before"),
    [(0o000, None), (0o777, None), (0o022, 0o755)],
    ids=["umask 000", "umask 777", "a folder that was 0755"],
)
def test_no_file_of_an_index_is_anybody_elses_at_any_moment(
    umask: int, made_before: int | None, public: Path, forks: ForkServer
):
    told = forks.call(
        "faults.private:play", place=str(public), umask=umask, made_before=made_before, limit=120
    )
    assert (told.status, told.error, told.output) == (0, "", "")
    open_to_others = {
        kind: [oct(mode) for mode in modes if mode & 0o077] for kind, modes in told.result.items()
    }
    was_open = ["0o755"] if made_before else []
    assert open_to_others.pop("folder") == was_open
    assert {kind: modes for kind, modes in open_to_others.items() if modes} == {}
    assert set(open_to_others) >= KINDS
    assert told.result["folder"][-1 if made_before is None else 0] == 0o700


@pytest.mark.skipif(os.name == "nt", reason="SKIPPED LOUDLY: modes mean nothing there")
def test_an_index_that_was_copied_open_is_closed_by_the_next_ingest(
    handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    index = settings.index_folder
    for path in (index, *index.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    ingest_folder(handbook, settings)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in index.iterdir()}
    assert (stat.S_IMODE(index.stat().st_mode), modes) == (0o700, {0o600})
