"""What each verb loads: a start is made of its imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from askmd import Config, ingest_folder

DOCS = Path(__file__).parent.parent / "sample_docs"
MODEL = {"onnxruntime", "tokenizers"}
HEAVY = {"torch", "sentence_transformers", "transformers", "huggingface_hub", "faiss", "openai"}
UNWANTED = {"tiktoken", "markdown_it", "pathspec", "yaml", "rich", "pydantic", "filelock"}
SAYS_WHAT_IT_LOADED = """
import atexit, sys
def tell():
    print(*sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
atexit.register(tell)
from askmd.cli import main
main()
"""


def loaded_by(*words: str, home: Path, **environment: str) -> set[str]:
    """Return the packages that a command has loaded once it has done its work."""
    done = subprocess.run(
        [sys.executable, "-c", SAYS_WHAT_IT_LOADED, *words],
        capture_output=True,
        encoding="utf-8",
        cwd=home,
        env=os.environ | environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture(scope="module")
def hashed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("hashed")
    (home / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    ingest_folder(DOCS, Config.load(home / "config.toml"))
    return home


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["search", "--help"], ["status"]])
def test_help_and_status_load_no_numbers_and_no_model(words: list[str], hashed: Path) -> None:
    loaded = loaded_by(*words, home=hashed)

    assert loaded & (MODEL | HEAVY | UNWANTED | {"numpy"}) == set()


def test_completion_loads_no_numbers_and_no_model(hashed: Path) -> None:
    words = {"COMP_WORDS": "askmd se", "COMP_CWORD": "1"}

    loaded = loaded_by(home=hashed, _ASKMD_COMPLETE="bash_complete", **words)

    assert loaded & (MODEL | HEAVY | UNWANTED | {"numpy"}) == set()


def test_a_search_without_a_model_loads_none(hashed: Path) -> None:
    loaded = loaded_by("search", "rotate", "a", "key", home=hashed)

    assert loaded & (MODEL | HEAVY | UNWANTED) == set()
    assert "numpy" in loaded


@pytest.mark.model
def test_a_search_with_a_local_model_loads_onnxruntime_and_nothing_larger(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[index]\npath = "index"\n', encoding="utf-8")
    ingest_folder(DOCS, Config.load(config))

    loaded = loaded_by("search", "rotate", "a", "key", home=tmp_path)

    assert loaded & (HEAVY | UNWANTED) == set()
    assert loaded >= MODEL
