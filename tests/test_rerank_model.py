"""Reranking with a real model: a tiny one made on the spot, so nothing is said of quality."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import tiny_cross_encoder
from askmd.embed import CrossEncoderReranker, describe_cross_encoder
from askmd.errors import AskmdError, ConfigError, EmbeddingError

# In one worker with the tests of the real embedder: both load torch.
pytestmark = pytest.mark.model

QUESTION = "how do I vacuum the dead rows?"
TEXTS = [
    "the server refused the key",
    "vacuum",
    "",
    "a proxy is a server that keeps the upstream in the dark " * 3,
    "dead rows",
    "the gateway " * 200,
    "Größe 東京 🌐",
]
CONNECTED: list[str] = []
"""Every connection that was tried since the tiny model was made."""


def opened(folder: Path) -> closing[CrossEncoderReranker]:
    return closing(CrossEncoderReranker(describe_cross_encoder(folder), "mine"))


def score(folder: Path, texts: list[str]) -> list[float]:
    with opened(folder) as reranker:
        return reranker.scores(QUESTION, texts)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a model's authors publish it."""
    sys.addaudithook(lambda event, _: event == "socket.connect" and CONNECTED.append(event))
    return tiny_cross_encoder.make(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def reranker(published: Path) -> Iterator[CrossEncoderReranker]:
    with opened(published) as reranker:
        yield reranker


@pytest.fixture
def model(published: Path, tmp_path: Path) -> Path:
    """A copy of the model, to be spoilt."""
    return shutil.copytree(published, tmp_path / "model")


def change(file: Path, **values: Any) -> None:
    held = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps(held | values), encoding="utf-8")


# --- scores ---------------------------------------------------------------------------------


def test_scores_and_their_order_are_those_of_transformers_alone(
    published: Path, reranker: CrossEncoderReranker
) -> None:
    scores = reranker.scores(QUESTION, TEXTS)
    alone = tiny_cross_encoder.logits(published, QUESTION, TEXTS)
    assert scores == pytest.approx(alone, abs=1e-5)
    places = range(len(TEXTS))
    assert sorted(places, key=scores.__getitem__) == sorted(places, key=alone.__getitem__)
    # Far enough apart that no rounding could have made the order.
    assert min(high - low for low, high in pairwise(sorted(alone))) > 1e-3
    assert CONNECTED == []


def test_a_score_does_not_depend_on_the_other_texts(reranker: CrossEncoderReranker) -> None:
    many = [text + " year" * number for number in range(3) for text in TEXTS]
    alone = [reranker.scores(QUESTION, [text])[0] for text in many]
    assert reranker.scores(QUESTION, many) == pytest.approx(alone, abs=1e-5)
    assert reranker.scores(QUESTION, many[::-1])[::-1] == pytest.approx(alone, abs=1e-5)


def test_the_end_of_the_longer_text_is_cut_where_a_pair_exceeds_the_window(
    reranker: CrossEncoderReranker,
) -> None:
    window = tiny_cross_encoder.WINDOW
    long, short = "gateway " * 300, "key " * 10
    # A question, a passage and three special tokens share the window.
    fitting = "gateway " * (window - 3 - 10)
    assert reranker.scores(short, [long]) == pytest.approx(reranker.scores(short, [fitting]))
    assert reranker.scores(long, [short]) == pytest.approx(reranker.scores(fitting, [short]))
    assert reranker.scores(short, [fitting]) != pytest.approx(
        reranker.scores(short, [fitting[:-8]])
    )


def test_no_texts_have_no_scores_and_a_lone_surrogate_is_read_as_a_question_mark(
    reranker: CrossEncoderReranker,
) -> None:
    assert reranker.scores(QUESTION, []) == []
    assert reranker.scores("\ud800", ["\udfff key"]) == reranker.scores("?", ["? key"])


def test_threads_may_share_a_reranker_and_closing_it_is_harmless(published: Path) -> None:
    with opened(published) as reranker, ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(reranker.scores, QUESTION, TEXTS) for _ in range(8)]
        answers = [one.result() for one in asked]
        reranker.close()
        reranker.close()
        assert answers == [reranker.scores(QUESTION, TEXTS)] * 8
        assert reranker.model == "mine"


def saved_by_sentence_transformers(published: Path, folder: Path, activation: str) -> Path:
    """Write the files that sentence-transformers adds when it saves a cross-encoder."""
    shutil.copytree(published, folder)
    kind = "sentence_transformers.base.modules.transformer.Transformer"
    modules = [{"idx": 0, "name": "0", "path": "", "type": kind}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    change(
        folder / "config_sentence_transformers.json",
        model_type="CrossEncoder",
        activation_fn=activation,
    )
    change(
        folder / "sentence_bert_config.json",
        transformer_task="sequence-classification",
        modality_config={"text": {"method": "forward", "method_output_name": "logits"}},
        module_output_name="scores",
    )
    change(folder / "config.json", sentence_transformers={"activation_fn": activation})
    return folder


@pytest.mark.parametrize(
    "activation", ["torch.nn.modules.activation.Sigmoid", "torch.seed", "os.getcwd"]
)
def test_the_activation_that_a_folder_names_is_not_called(
    published: Path, reranker: CrossEncoderReranker, tmp_path: Path, activation: str
) -> None:
    folder = saved_by_sentence_transformers(published, tmp_path / "saved", activation)
    assert score(folder, TEXTS) == pytest.approx(reranker.scores(QUESTION, TEXTS), abs=1e-5)


def test_a_model_without_bounds_reads_no_more_than_its_positions(model: Path) -> None:
    change(model / "tokenizer_config.json", model_max_length=int(1e30))
    assert describe_cross_encoder(model).window == tiny_cross_encoder.WINDOW


# --- models that are refused ----------------------------------------------------------------


class Canary:
    """A pickle of this writes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.file, "sung")


def pickled(model: Path, *, whole: bool = False) -> None:
    (model / "pytorch_model.bin").write_bytes(pickle.dumps(Canary(model / "canary")))
    if not whole:
        (model / "model.safetensors").unlink()


def with_modules(*kinds: str, path: str = "") -> Callable[[Path], None]:
    def spoil(model: Path) -> None:
        modules = [
            {"idx": number, "name": str(number), "path": path if number == 0 else "", "type": kind}
            for number, kind in enumerate(kinds)
        ]
        (model / "modules.json").write_text(json.dumps(modules), encoding="utf-8")

    return spoil


def with_code(file: str) -> Callable[[Path], None]:
    def spoil(model: Path) -> None:
        change(model / file, auto_map={"AutoModelForSequenceClassification": "evil.Model"})
        canary = model / "canary"
        code = f"from pathlib import Path\nPath({str(canary)!r}).write_text('sung')\n"
        (model / "evil.py").write_text(code, encoding="utf-8")

    return spoil


def without(name: str) -> Callable[[Path], None]:
    return lambda model: (model / name).unlink()


def cut(model: Path) -> None:
    whole = (model / "model.safetensors").read_bytes()
    (model / "model.safetensors").write_bytes(whole[:-3])


TRANSFORMER = "sentence_transformers.models.Transformer"
REFUSED = {
    "pickled weights": (pickled, ConfigError, "no safetensors"),
    "code of its own": (with_code("config.json"), ConfigError, "code of its own"),
    "a tokenizer's code": (with_code("tokenizer_config.json"), ConfigError, "code of its own"),
    "a custom module": (with_modules("evil.Model"), ConfigError, "code of its own.* evil.Model"),
    "a path up": (with_modules(TRANSFORMER, path="../.."), ConfigError, "leads outside"),
    "an embedder's modules": (
        with_modules(TRANSFORMER, "sentence_transformers.models.Pooling"),
        ConfigError,
        "no plain cross-encoder: it is made of Transformer, Pooling",
    ),
    "an adapter": (
        lambda model: change(model / "adapter_config.json", base_model_name_or_path="a/b"),
        ConfigError,
        "an adapter to another one",
    ),
    "no configuration": (without("config.json"), ConfigError, r"config.json cannot be read"),
    "no tokenizer": (without("tokenizer.json"), ConfigError, "no tokenizer.json"),
    "cut weights": (cut, EmbeddingError, "damaged or cut off"),
    "an architecture of another kind": (
        lambda model: change(model / "config.json", architectures=["BertModel"]),
        ConfigError,
        "no cross-encoder: its architecture is BertModel",
    ),
    "no architecture": (
        lambda model: change(model / "config.json", architectures=None),
        ConfigError,
        "no cross-encoder: its architecture is not said",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_a_model_that_is_unsafe_or_does_not_score_is_one_line(fault: str, model: Path) -> None:
    spoil, kind, reason = REFUSED[fault]
    spoil(model)
    with pytest.raises(AskmdError, match=reason) as raised:
        describe_cross_encoder(model)
    line = str(raised.value)
    assert (type(raised.value), str(model) in line, line.count("\n")) == (kind, True, 0)
    assert not (model / "canary").exists()


def test_a_pickle_beside_the_weights_is_not_opened(model: Path) -> None:
    pickled(model, whole=True)
    assert len(score(model, TEXTS)) == len(TEXTS)
    assert not (model / "canary").exists()


def test_a_model_of_several_classes_has_no_single_score(tmp_path: Path) -> None:
    folder = tiny_cross_encoder.make(tmp_path, labels=3)
    with pytest.raises(ConfigError, match="sorts pairs into 3 classes and has no single score"):
        describe_cross_encoder(folder)
    change(folder / "config.json", id2label={"0": "LABEL_0"}, label2id={"LABEL_0": 0})
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        score(folder, TEXTS)


def test_a_head_that_was_never_trained_is_not_made_up(tmp_path: Path) -> None:
    folder = tiny_cross_encoder.make(tmp_path, has_head=False)
    kind = ["BertForSequenceClassification"]
    change(folder / "config.json", architectures=kind, id2label={"0": "LABEL_0"})
    with pytest.raises(ConfigError, match="never trained to score"):
        describe_cross_encoder(folder)


def test_scores_that_are_no_numbers_are_refused(model: Path) -> None:
    from safetensors.numpy import load_file, save_file

    tensors = load_file(model / "model.safetensors")
    tensors["classifier.bias"][:] = float("nan")
    save_file(tensors, model / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EmbeddingError, match="the model mine answered with scores that are not"):
        score(model, TEXTS)


def test_a_model_that_cannot_be_loaded_or_run_is_one_line(model: Path) -> None:
    change(model / "config.json", num_attention_heads=7)
    with pytest.raises(EmbeddingError, match="cannot be loaded") as raised:
        score(model, TEXTS)
    assert str(raised.value).count("\n") == 0
    change(model / "config.json", num_attention_heads=2, model_type="nobody-knows")
    with pytest.raises(EmbeddingError, match="cannot be loaded"):
        score(model, TEXTS)


def test_a_model_that_fails_while_it_scores_is_one_line(published: Path) -> None:
    class Failing:
        def predict(self, *arguments: Any, **options: Any) -> None:
            raise RuntimeError("CUDA out of memory.\nTried to allocate 2 GiB")

    with opened(published) as reranker:
        reranker._model = Failing()
        with pytest.raises(EmbeddingError) as raised:
            reranker.scores(QUESTION, TEXTS)
    assert str(raised.value) == (
        "the model mine failed: CUDA out of memory. Tried to allocate 2 GiB"
    )
