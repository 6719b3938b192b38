"""What the tests share: the shared folder, a small handbook, settings without a model."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from askmd import cli
from askmd.config import Config
from askmd.embed.hash import HashEmbedder
from askmd.settings import EmbeddingSettings, IndexSettings
from askmd.tokens import HashCounter

if TYPE_CHECKING:
    from askmd.types import Vectors
    from faults.forks import ForkServer

SHARED = Path(__file__).parents[2] / "shared"

HANDBOOK = {
    "nginx.md": (
        "# Nginx\n\nNginx is a web server.\n\n"
        "## Reverse proxy\n\nForward requests to a website with `proxy_pass`.\n\n"
        "## 502 Bad Gateway\n\nThe upstream refused the connection: start it.\n"
    ),
    "postgres.md": (
        "---\ntitle: Postgres\ntags: [database, tuning]\n---\n\n"
        "Raise `max_wal_size` when writes are slow.\n\n"
        "## Vacuum\n\nAutovacuum removes dead rows.\n"
    ),
    "access/ssh.md": (
        "SSH keys\n========\n\nGenerate one with `ssh-keygen -t ed25519`.\n\n"
        "Rotation\n--------\n\nReplace each key every year.\n"
    ),
}


def pytest_configure() -> None:
    """Let Ctrl-C be Ctrl-C: a shell has it ignored in the background, and children inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a costly start (a model, a server) in one worker."""
    for item in items:
        for name in ("model", "server"):
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public corpora and question sets; a test that needs it skips loudly without."""
    if not SHARED.is_dir():
        pytest.skip("SKIPPED LOUDLY: the shared folder with corpora and question sets is not here")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One cache for the whole run: a model is exported once, and never into the user's own."""
    # Under xdist each worker has a folder of its own inside the run's.
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "askmd-cache"
    with pytest.MonkeyPatch.context() as patch:
        # What platformdirs reads on Linux, macOS and Windows.
        for name in ("XDG_CACHE_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA"):
            patch.setenv(name, str(cache))
        yield cache


@pytest.fixture
def handbook(tmp_path: Path) -> Path:
    """A folder of three small documents."""
    root = tmp_path / "handbook"
    for name, text in HANDBOOK.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture
def settings(tmp_path: Path) -> Config:
    """Settings without a model, the index in a folder of its own."""
    return replace(
        Config(),
        index=IndexSettings(str(tmp_path / "index")),
        embedding=EmbeddingSettings(provider="hash"),
    )


class CountingEmbedder(HashEmbedder):
    """The hash embedder, remembering every text it was given."""

    def __init__(self) -> None:
        super().__init__(HashCounter())
        self.seen: list[str] = []
        self.before_batch: Callable[[Sequence[str]], None] = lambda texts: None

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.before_batch(texts)
        self.seen += texts
        return super().embed(texts)

    def take(self) -> list[str]:
        """Return what was embedded since the last look."""
        seen, self.seen = self.seen, []
        return seen


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


HASH = '[embedding]\nprovider = "hash"\n'


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Askmd = Callable[..., Ran]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with askmd's settings, and a home of its own."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(HASH, encoding="utf-8")
    return tmp_path


@pytest.fixture
def askmd(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Askmd:
    """Run the command line in this process."""

    def run(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["askmd", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        return Ran(int(left.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def indexed(askmd: Askmd, handbook: Path) -> Askmd:
    assert askmd("ingest", "handbook").status == 0
    return askmd


@pytest.fixture
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a current folder of this test's own."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


@pytest.fixture(scope="session")
def forks() -> Iterator[ForkServer]:
    """A process with everything imported, which forks a child for each call."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("SKIPPED LOUDLY: the fork server needs Linux")
    from faults.forks import ForkServer

    with ForkServer() as server:
        yield server
