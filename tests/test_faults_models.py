"""Hostile model folders: refused in one line, before anything that could run them is imported."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from askmd import places
from askmd.embed import Sums, describe, locate
from askmd.embed.exported import find_export
from askmd.embed.location import MINILM
from askmd.errors import ConfigError
from faults.hostile_models import CANARY, CHILD, EMBEDDER, FOLDERS, TOKENIZERS, Hostile, make

CASES = [
    (number, kind, hostile) for number, hostile in enumerate(FOLDERS) for kind in hostile.kinds
]
LIMIT_SECONDS = 60.0

pytestmark = pytest.mark.skipif(
    not hasattr(os, "mkfifo"), reason="SKIPPED LOUDLY: hostile folders need links and pipes"
)


def in_a_child(home: Path, calls: Sequence[tuple[str, str]]) -> Any:
    """Try folders in one process under an audit hook; return what was said and seen of each."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home)],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
        cwd=home,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one process said to every folder, and what an audit hook saw of it."""
    home = tmp_path_factory.mktemp("models").resolve()
    names = {}
    for number, kind, hostile in CASES:
        folder = home / f"{number}-{kind}"
        hostile.spoil(make(folder, kind))
        names[number, kind] = folder
    for number, data in enumerate(TOKENIZERS.values()):
        folder = make(home / f"tokenizer-{number}", EMBEDDER)
        (folder / "tokenizer.json").write_bytes(data)
        names[number, "tokenizer"] = folder
    found = in_a_child(home, [(kind, folder.name) for (_, kind), folder in names.items()])
    results = dict(zip(names, found["results"], strict=True))
    return {"results": results, "heavy": found["heavy"], "home": home, "names": names}


@pytest.mark.parametrize(
    ("number", "kind", "hostile"), CASES, ids=[f"{one.name}-{kind}" for _, kind, one in CASES]
)
def test_a_hostile_folder_is_refused_in_one_line_and_nothing_of_it_runs(
    number: int, kind: str, hostile: Hostile, told: Any
) -> None:
    said, events = told["results"][number, kind]
    assert (re.search(hostile.said, said) is not None, events) == (True, []), said
    assert "\n" not in said
    assert not said.startswith("UNFORESEEN")
    assert bool(said) == bool(hostile.said)
    # Names the folder, and says what to do.
    assert not said or (told["names"][number, kind].name in said and ";" in said)


@pytest.mark.parametrize("number", range(len(TOKENIZERS)), ids=list(TOKENIZERS))
def test_a_damaged_tokenizer_is_one_line(number: int, told: Any) -> None:
    said, events = told["results"][number, "tokenizer"]
    assert ("is not a tokenizer" in said, events) == (True, []), said


def test_no_library_that_runs_models_was_imported_and_no_canary_sang(told: Any) -> None:
    assert told["heavy"] == []
    assert not (told["home"] / CANARY).exists()


def test_the_audit_hook_would_see_what_must_not_happen(tmp_path: Path) -> None:
    loud = CHILD.replace("def tried(kind, folder):", "def tried(kind, folder):\n    sing(folder)")
    sing = """
def sing(folder):
    import pickle, socket, subprocess
    exec(compile("1", str(folder / "evil.py"), "exec"))
    (folder / "x").write_text("x")
    (folder / "made").mkdir()
    pickle.loads(b"cos\\ngetcwd\\n.")
    subprocess.run(["true"])
    with socket.socket() as one:
        one.connect_ex(("127.0.0.1", 9))
"""
    make(tmp_path / "model", EMBEDDER)
    done = subprocess.run(
        [sys.executable, "-c", sing + loud, str(tmp_path)],
        input=json.dumps([[EMBEDDER, "model"]]),
        capture_output=True,
        text=True,
        check=True,
    )
    [[_, events]] = json.loads(done.stdout)["results"]
    kinds = {event for event, _ in events}
    wanted = {"compile", "open", "os.mkdir", "pickle.find_class", "subprocess.Popen"}
    assert kinds >= {*wanted, "socket.connect"}


def test_a_hubs_cache_whose_files_are_links_is_taken(tmp_path: Path) -> None:
    snapshot = make(tmp_path / "models--a--b" / "snapshots" / "1", EMBEDDER)
    blobs = tmp_path / "models--a--b" / "blobs"
    blobs.mkdir()
    for name in ("model.safetensors", "config.json"):
        (snapshot / name).rename(blobs / name)
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    assert describe(locate(str(snapshot))).dim == 24
    (tmp_path / "stray.json").write_text("{}", encoding="utf-8")
    (snapshot / "tokenizer.json").unlink()
    (snapshot / "tokenizer.json").symlink_to("../../../stray.json")
    with pytest.raises(ConfigError, match="leads outside"):
        locate(str(snapshot))


def test_a_sum_is_taken_anew_though_size_and_time_were_put_back(tmp_path: Path) -> None:
    weights, kept = tmp_path / "w", tmp_path / "sums.json"
    weights.write_bytes(b"one")
    os.utime(weights, (1e9, 1e9))
    first = Sums(kept)(weights)
    assert str(weights) in kept.read_text(encoding="utf-8")
    weights.write_bytes(b"two")
    os.utime(weights, (1e9, 1e9))
    assert Sums(kept)(weights) != first


# --- the export's cache, and the model that everybody has -----------------------------------

_OFFLINE = """
import json, sys, time
began, calls = time.monotonic(), []
def seen(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen"):
        calls.append([event, repr(arguments)])
sys.addaudithook(seen)
from askmd import compose
from askmd.config import Config
from askmd.types import Identity
made = Identity("sentence-transformers", "", "", 0, "", "", "", 0, 0, precision="int8")
with_vectors = compose.open_embedder(Config(), made)
vector = with_vectors.embed_query("one two")
print(json.dumps([vector.shape, calls, time.monotonic() - began]))
"""


@pytest.mark.model
def test_a_cached_model_starts_offline_without_a_connection() -> None:
    compose_once = "from askmd import compose\nfrom askmd.config import Config\n"
    warm = f"{compose_once}compose.open_embedder(Config()).embed(['one'])"
    subprocess.run([sys.executable, "-c", warm], check=True, capture_output=True)
    command = [sys.executable, "-c", _OFFLINE]
    alone = ["unshare", "-rn"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode == 0:
        command = [*alone, *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shape, calls, seconds = json.loads(done.stdout)
    assert (shape, calls) == ([384], [])
    assert seconds < 15


@pytest.mark.model
@pytest.mark.parametrize("is_forged", [False, True], ids=["flipped", "led outside"])
def test_a_tampered_export_is_never_opened(is_forged: bool, tmp_path: Path) -> None:
    import shutil

    described = describe(locate(MINILM))
    found = find_export(places.models_folder(), described, Sums())
    assert found is not None
    cache = tmp_path / "models"
    shutil.copytree(found.folder, cache / found.folder.name)
    cache.chmod(0o700)
    assert find_export(cache, described, Sums()) is not None
    file = cache / found.folder.name / "float32.onnx"
    data = bytearray(file.read_bytes())
    if is_forged:
        file.unlink()
        outside = tmp_path / "outside.onnx"
        outside.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        file.symlink_to(outside)
    else:
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    assert find_export(cache, described, Sums()) is None
