"""A retriever with a reranker: hits in its order, its faults said, its settings obeyed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import Retriever, ingest_folder, store
from askmd.config import Config
from askmd.errors import EmbedderUnreachable, EmbeddingError
from askmd.settings import SearchSettings
from askmd.types import Vector
from conftest import Askmd, CountingEmbedder


class FakeReranker:
    """Scores a text by a function of it, and knows whether it was closed."""

    model = "fake"

    def __init__(self, score: Callable[[str], float]) -> None:
        self.score = score
        self.seen: list[str] = []
        self.is_closed = False

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        self.seen += texts
        return [self.score(text) for text in texts]

    def close(self) -> None:
        self.is_closed = True


class DeadReranker(FakeReranker):
    """A reranker whose model is gone."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        raise EmbeddingError("the model m failed: out of memory")


class DeadEmbedder(CountingEmbedder):
    """An embedder whose server is down when a question comes."""

    def embed_query(self, text: str) -> Vector:
        raise EmbedderUnreachable("http://127.0.0.1:9 cannot be reached", "start the server")


@pytest.fixture
def index(handbook: Path, settings: Config) -> Config:
    ingest_folder(handbook, settings)
    return settings


def retriever(config: Config, reranker: FakeReranker, *, is_dead: bool = False) -> Retriever:
    embedder = DeadEmbedder() if is_dead else CountingEmbedder()
    return Retriever(store.open_store(config.index_folder), embedder, config, reranker=reranker)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "words"])
def test_hits_come_in_the_rerankers_order_with_its_scores(index: Config, mode: str):
    reranker = FakeReranker(lambda text: -float(len(text)))
    with retriever(index, reranker) as opened:
        hits = opened.search("replace each key in nginx", limit=3, mode=mode)  # type: ignore[arg-type]
    shortest = sorted(reranker.seen, key=len)[:3]
    assert [len(" > ".join(hit.heading) + "\n" + hit.text) for hit in hits] == [
        len(text) for text in shortest
    ]
    assert [hit.scores["rerank"] for hit in hits] == [-len(text) for text in shortest]
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert [hit.rank for hit in hits] == [1, 2, 3]
    assert reranker.is_closed


def test_a_hit_far_below_the_limit_may_come_first(index: Config):
    reranker = FakeReranker(lambda text: float("Autovacuum" in text))
    with retriever(index, reranker) as opened:
        [hit] = opened.search("replace each key", limit=1)
    assert hit.path == "postgres.md"


def test_without_the_reranker_the_search_goes_on_and_says_so(index: Config):
    with retriever(index, DeadReranker(len)) as opened, Retriever.open(index) as plain:
        found, usual = opened.find("replace each key"), plain.find("replace each key")
    assert found == replace(usual, degraded="not reranked: the model m failed: out of memory")


def test_what_else_was_left_out_is_said_too(index: Config):
    with retriever(index, DeadReranker(len), is_dead=True) as opened:
        degraded = opened.find("replace each key").degraded
    assert degraded == (
        "found by words alone: http://127.0.0.1:9 cannot be reached; "
        "not reranked: the model m failed: out of memory"
    )


def test_no_reranker_is_asked_unless_one_is_named(index: Config):
    with Retriever.open(index) as opened:
        assert "rerank" not in opened.search("replace each key")[0].scores


def test_a_reranker_that_is_not_there_is_one_line_and_status_1(indexed: Askmd, here: Path):
    (here / "config.toml").write_text(
        '[embedding]\nprovider = "hash"\n[search]\nreranker = "./nowhere"\n', encoding="utf-8"
    )
    ran = indexed("search", "key")
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "nowhere is no folder of a model" in ran.err


@pytest.mark.model
def test_a_real_model_of_the_settings_orders_the_hits(index: Config, tmp_path: Path):
    import tiny_cross_encoder

    folder = tiny_cross_encoder.make(tmp_path / "model")
    config = replace(index, search=SearchSettings(reranker=str(folder)))
    with Retriever.open(config) as opened:
        hits = opened.search("how do I vacuum dead rows?", limit=9)
    texts = [
        "\n".join([*([" > ".join(hit.heading)] if hit.heading else []), hit.text]) for hit in hits
    ]
    alone = tiny_cross_encoder.logits(folder, "how do I vacuum dead rows?", texts)
    assert [hit.scores["rerank"] for hit in hits] == pytest.approx(alone, abs=1e-5)
    assert alone == sorted(alone, reverse=True)
