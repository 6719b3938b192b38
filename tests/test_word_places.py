"""Where words stand in chunks, told by the tokenizer that the word index itself uses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from askmd import Config, Retriever, ingest_folder
from askmd.store import open_store
from askmd.types import WordPlaces

PAGE = """# Keys

Rotating a key is easy. Rotate the keys of deploy users.

## Codes

The error ERR_CONN_RESET comes after --no-cache.

## 部署

请重新启动服务。
"""


@pytest.fixture
def found(tmp_path: Path, settings: Config) -> Iterator[tuple[Retriever, list[str]]]:
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.md").write_text(PAGE, encoding="utf-8")
    (folder / "b.md").write_text("# Other\n\nNothing of it.\n", encoding="utf-8")
    ingest_folder(folder, settings)
    with Retriever.open(settings) as retriever:
        first = retriever.search("rotate", mode="words", limit=1)[0].chunk
        yield retriever, [first, *(one.id for one in retriever.neighbours(first, 5))]


def places(found: tuple[Retriever, list[str]], *terms: str) -> list[WordPlaces]:
    retriever, ids = found
    with open_store(retriever._config.index_folder) as index:
        told = index.word_places(terms, ids)
    return [told[id] for id in ids]


def test_words_are_found_by_their_stems_and_counted_from_the_start(found):
    first, *_ = places(found, "rotates", "key", "user")
    assert first.heading == {"key": (0, 1)}, "the heading, and the document's title"
    assert first.text == {"rotates": (1, 6), "key": (0, 3, 8), "user": (11,)}
    assert first.text_words == 12


def test_a_phrase_stands_where_its_words_follow_one_another(found):
    first, *_ = places(found, "deploy users", "deploy keys", "keys of deploy")
    assert first.text == {"deploy users": (10,), "keys of deploy": (8,)}


def test_an_identifier_is_a_phrase_of_its_parts(found):
    _, codes, _ = places(found, "err_conn_reset", "--no-cache", "conn")
    assert codes.text == {"err_conn_reset": (3,), "--no-cache": (8,), "conn": (4,)}


def test_a_script_without_spaces_is_found_by_pairs_and_by_single_characters(found):
    *_, last = places(found, "重新", "重新 新启", "请", "新重")
    assert set(last.text) == {"重新", "重新 新启", "请"}


@pytest.mark.parametrize("term", ["", " ", '"', "\0", "\ud800", "NEAR(a b)", "*", "a" * 10_000])
def test_any_term_is_text(found, term: str):
    assert len(places(found, term)) == 3


def test_a_chunk_that_is_gone_is_left_out(found):
    retriever, ids = found
    with open_store(retriever._config.index_folder) as index:
        assert index.word_places(["key"], ["gone", ids[0]]).keys() == {ids[0]}
        assert index.beside(["gone"]) == {}


def test_what_stands_beside_a_chunk_is_of_its_own_document(found):
    retriever, ids = found
    with open_store(retriever._config.index_folder) as index:
        assert index.beside(ids) == {
            ids[0]: (None, ids[1]),
            ids[1]: (ids[0], ids[2]),
            ids[2]: (ids[1], None),
        }
