"""Grown text is made anew the same, is as much as was asked for, and reads as its documents do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from askmd import chunk, markdown
from askmd.tokens import HashCounter

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import grow  # noqa: E402
import speed_fit  # noqa: E402


@pytest.fixture(scope="module")
def corpus() -> grow.Corpus:
    return grow.read_corpus(shared_documents())


def shared_documents() -> list[Path]:
    if not grow.SHARED.is_dir():
        pytest.skip(f"SKIPPED LOUDLY: no shared documents at {grow.SHARED}")
    return grow.documents()


def streamed(corpus: grow.Corpus, count: int, seed: int) -> list[str]:
    return [one.text for indexed in grow.stream(corpus, count, seed) for one in indexed.chunks]


def test_the_same_seed_grows_the_same_and_another_seed_other_text(corpus: grow.Corpus):
    first, again, other = (list(grow.stream(corpus, 200, seed)) for seed in (1, 1, 2))
    assert (first == again, first == other) == (True, False)


def test_a_stream_has_as_many_chunks_as_were_asked_for_and_no_text_or_id_twice(
    corpus: grow.Corpus,
):
    chunks = [one for indexed in grow.stream(corpus, 3000, 1) for one in indexed.chunks]
    texts, ids = {one.text for one in chunks}, {one.id for one in chunks}
    assert (len(chunks), len(texts), len(ids)) == (3000, 3000, 3000)


def test_a_folder_is_cut_into_about_as_many_chunks_as_were_asked_for(
    corpus: grow.Corpus, tmp_path: Path
):
    files = grow.write_folder(tmp_path, corpus, 1000, 1)
    paths = sorted(tmp_path.rglob("*.md"))
    texts = [
        one.text
        for path in paths
        for one in chunk.split(
            path.name,
            path.read_text(encoding="utf-8"),
            markdown.parse(path.read_text(encoding="utf-8")),
            HashCounter(256),
            max_tokens=256,
        )
    ]
    assert len(paths) == files
    assert 800 < len(texts) < 1200
    # Lines of code hold few words that can change: now and then some come twice.
    assert len(set(texts)) > 0.995 * len(texts)


def test_words_are_as_frequent_as_in_the_documents(corpus: grow.Corpus):
    real = speed_fit.count([own_text(source) for source in corpus.sources])
    grown = speed_fit.count(streamed(corpus, 4000, 1))
    assert speed_fit.slope(grown.often) == pytest.approx(speed_fit.slope(real.often), abs=0.05)
    total, grown_total = real.often.total(), grown.often.total()
    for word in speed_fit.commonest(real, 20):
        share = real.often[word] / total
        assert 0.5 < grown.often[word] / grown_total / share < 2.0, word


def own_text(source: grow.Source) -> str:
    return "\n".join(" ".join(unit.words) for unit in source.units)


def test_a_few_identifiers_come_often_and_most_of_them_rarely(corpus: grow.Corpus):
    growing = grow.Growing(corpus, 10_000, 1)
    names = [growing.identifier() for _ in range(10_000)]
    assert names.count(grow.name(1)) > 500
    assert len(set(names)) > 2000


def test_names_of_different_numbers_differ():
    names = {grow.name(number) for number in range(20_000)}
    assert len(names) == 20_000


def test_what_a_document_is_taken_apart_into_holds_all_its_words():
    text = "Before.\n\n# One\n\nA sentence. Another one!\n\n```sh\n# no heading\n\nls\n```\n\n"
    text += "- a\n- b\n"
    source = grow.read_source(text)
    assert [(part.level, part.title, len(part.units)) for part in source.parts] == [
        (0, "", 1),
        (1, "One", 5),
    ]
    assert [unit.before + " ".join(unit.words) for unit in source.units] == [
        "\n\nBefore.",
        "\n\nA sentence.",
        " Another one!",
        "\n\n```sh\n# no heading\n\nls\n```",
        "\n\n- a",
        "\n- b",
    ]
