"""A model's folder exported to ONNX gives sentence-transformers' own vectors, without torch."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from askmd import compose, places
from askmd.config import Config
from askmd.embed import LocalEmbedder, SentenceTransformerEmbedder, Sums, describe, locate
from askmd.embed.exported import FORMAT, RECORD, find_export, versions
from askmd.embed.gpu import has_gpu
from askmd.embed.location import MINILM
from askmd.embed.preparing import NotKept, check_end, make_export, run_child
from askmd.errors import EmbeddingError, Interrupted
from askmd.settings import EmbeddingSettings
from askmd.tokens import TokenizerCounter
from askmd.types import Identity
from tiny_cross_encoder import make as make_transformer

TEXTS = ["gateway", "How do I rotate the KEY?", "the dead rows " * 40, "Größe → 東京 🌐", "a b\nc"]


def write(file: Path, data: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(data), encoding="utf-8")


def no_gpu() -> bool:
    return False


def opened(folder: Path, cache: Path, **options: Any) -> LocalEmbedder:
    described = describe(folder)
    counter = TokenizerCounter(described.tokenizer_file, window=described.window)
    options = {"is_gpu_at_hand": no_gpu, **options}
    return LocalEmbedder(described, "tiny", counter, cache=cache, sum_of=Sums(), **options)


def reference(folder: Path, texts: list[str] = TEXTS) -> Any:
    described = describe(folder)
    counter = TokenizerCounter(described.tokenizer_file, window=described.window)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return SentenceTransformerEmbedder(described, "tiny", counter).embed(texts)


# --- small models made on the spot ----------------------------------------------------------


def module(number: int, kind: str) -> dict[str, Any]:
    path = f"{number}_{kind}" if number else ""
    kind = f"sentence_transformers.models.{kind}"
    return {"idx": number, "name": str(number), "path": path, "type": kind}


def small_model(folder: Path, pooling: str, *others: str, lowercase: bool = False) -> Path:
    """Write a BERT of two layers with a pooling, and whatever else is named behind it."""
    make_transformer(folder, has_head=False)
    kinds = ["Transformer", "Pooling", *others]
    write(folder / "modules.json", [module(number, kind) for number, kind in enumerate(kinds)])
    write(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": lowercase})
    write(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": 32, f"pooling_mode_{pooling}": True}
        | ({} if pooling == "mean_tokens" else {"pooling_mode_mean_tokens": False}),
    )
    for number, kind in enumerate(kinds):
        if kind == "Dense":
            dense(folder / f"{number}_Dense")
        elif kind == "Normalize":
            (folder / f"{number}_Normalize").mkdir()
    return folder


def dense(folder: Path) -> None:
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(3)
    activation = "torch.nn.modules.activation.Tanh"
    write(
        folder / "config.json",
        {"in_features": 32, "out_features": 12, "bias": True, "activation_function": activation},
    )
    weights = {"linear.weight": torch.randn(12, 32), "linear.bias": torch.randn(12)}
    save_file(weights, folder / "model.safetensors")


MODELS = {
    "mean": ("mean_tokens",),
    "cls": ("cls_token", "Normalize"),
    "max": ("max_tokens",),
    "square root": ("mean_sqrt_len_tokens",),
    "weighted": ("weightedmean_tokens",),
    "last": ("lasttoken",),
    "dense": ("mean_tokens", "Dense", "Normalize"),
}


def exporting(**options: Any) -> Callable[[Path, Path], None]:
    """Export in this process, which has torch already: a child would import it each time."""

    def make(folder: Path, target: Path) -> None:
        from askmd.embed.exporting import write_export

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write_export(folder, target, **options)

    return make


@pytest.fixture(scope="module")
def make_here() -> Callable[[Path, Path], None]:
    return exporting()


@pytest.mark.parametrize("name", MODELS)
def test_an_export_gives_the_vectors_of_the_model_itself(
    name: str, tmp_path: Path, make_here: Any
) -> None:
    folder = small_model(tmp_path / "model", *MODELS[name])
    embedder = opened(folder, tmp_path / "cache" / "models", make=make_here)
    vectors = embedder.embed(TEXTS)
    export = find_export(tmp_path / "cache" / "models", describe(folder), Sums())
    embedder.close()
    assert export and export.failure == ""
    np.testing.assert_allclose(vectors, reference(folder), atol=1e-4)


def test_a_model_that_lowers_its_texts_is_exported_so(tmp_path: Path, make_here: Any) -> None:
    folder = small_model(tmp_path / "model", "mean_tokens", lowercase=True)
    embedder = opened(folder, tmp_path / "cache" / "models", make=make_here)
    upper, lower = embedder.embed(["HOW DO I", "how do i"])
    embedder.close()
    np.testing.assert_array_equal(upper, lower)
    np.testing.assert_allclose(upper, reference(folder, ["HOW DO I"])[0], atol=1e-4)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory, make_here: Any) -> tuple[Path, Path]:
    """A small model and a cache that holds its export."""
    folder = small_model(tmp_path_factory.mktemp("tiny"), "mean_tokens")
    cache = tmp_path_factory.mktemp("cache") / "models"
    embedder = opened(folder, cache, make=make_here)
    embedder.embed_query("one")
    embedder.close()
    return folder, cache


def never(folder: Path, target: Path) -> None:
    raise AssertionError("nothing was to be exported")


def copied(cache: Path, target: Path) -> Path:
    import shutil

    shutil.copytree(cache, target / "models")
    return target / "models"


def test_a_vector_does_not_depend_on_its_neighbours_and_equal_texts_are_equal(
    tiny: tuple[Path, Path],
) -> None:
    embedder = opened(*tiny, make=never, precision="int8", is_standing=True)
    alone = [embedder.embed([text])[0] for text in TEXTS]
    together = embedder.embed([*TEXTS, *reversed(TEXTS)])
    embedder.close()
    np.testing.assert_array_equal(together, [*alone, *reversed(alone)])


def test_many_threads_share_one_embedder(tiny: tuple[Path, Path]) -> None:
    embedder = opened(*tiny, make=never)
    expected = embedder.embed(TEXTS)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(embedder.embed(TEXTS))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    embedder.close()
    assert all(np.array_equal(vectors, expected) for vectors in found) and len(found) == 6


def test_a_closed_embedder_is_closed_for_good_and_may_be_closed_twice(
    tiny: tuple[Path, Path],
) -> None:
    used, unused = opened(*tiny, make=never), opened(*tiny, make=never)
    used.embed(TEXTS)
    for embedder in (used, unused):
        embedder.close()
        embedder.close()
        with pytest.raises(EmbeddingError, match="the model tiny was closed"):
            embedder.embed(TEXTS)
        with pytest.raises(EmbeddingError, match="the model tiny was closed"):
            embedder.embed_query("gateway")


def test_closing_lets_texts_that_wait_be(tiny: tuple[Path, Path]) -> None:
    embedder = opened(*tiny, make=never)
    taken: list[int] = []

    def take(position: int, vector: Any) -> bool:
        taken.append(position)
        embedder.close()
        return True

    with pytest.raises(EmbeddingError, match="was closed"):
        embedder.embed_each([f"text {number} " * 20 for number in range(300)], take)
    assert 1 <= len(taken) < 300


@pytest.mark.parametrize("library", ["ONNX Runtime", "sentence-transformers"])
def test_vectors_come_one_by_one_until_no_more_are_wanted(
    library: str, tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        is_onnx = library == "ONNX Runtime"
        where = tiny[1] if is_onnx else tmp_path / "cache" / "models"
        make = never if is_onnx else partial(failing, why="it is another one")
        embedder = opened(tiny[0], where, make=make)
        expected = embedder.embed(TEXTS)
        found: dict[int, Any] = {}

        def take(position: int, vector: Any) -> bool:
            found[position] = vector
            return len(found) < 3

        embedder.embed_each(TEXTS, take)
        embedder.close()
    assert len(found) == 3
    for position, vector in found.items():
        np.testing.assert_allclose(vector, expected[position], atol=1e-6)


def test_a_process_that_ends_while_a_daemon_embeds_ends_in_order(
    tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    code = """
import os, sys, threading
from pathlib import Path
sys.path.insert(0, sys.argv[3])
# One core: there the model runs in the thread that asks for it.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from test_onnx import never, opened
embedder = opened(Path(sys.argv[1]), Path(sys.argv[2]), make=never)
begun = threading.Event()
def take(position, vector):
    begun.set()
    return True
texts = [f"the gateway {number} refused it " * 9 for number in range(2000)]
threading.Thread(target=embedder.embed_each, args=(texts, take), daemon=True).start()
begun.wait()
embedder.close()
sys.exit(3)
"""
    words = [sys.executable, "-c", code, *map(str, tiny), str(Path(__file__).parent)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, "terminate called" in done.stderr) == (3, False)


def test_warming_opens_what_is_in_the_cache_and_makes_nothing(
    tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    ready = opened(*tiny, make=never, precision="float32", is_standing=True)
    unready = opened(tiny[0], tmp_path / "models", make=never, precision="int8", is_standing=True)
    for embedder in (ready, unready):
        embedder.warm()
        embedder.warm()
    assert ready.embed([]).shape == (0, 32)
    assert ready.embed_query("gateway").shape == (32,)
    with pytest.raises(AssertionError):
        unready.embed_query("gateway")
    ready.close()


def test_a_changed_file_is_never_run_and_the_model_is_exported_anew(
    tiny: tuple[Path, Path], tmp_path: Path, make_here: Any
) -> None:
    cache = copied(tiny[1], tmp_path)
    [file] = cache.glob("*/float32.onnx")
    data = bytearray(file.read_bytes())
    data[-9] ^= 1
    file.write_bytes(data)
    assert find_export(cache, describe(tiny[0]), Sums()) is None
    embedder = opened(tiny[0], cache, make=make_here)
    np.testing.assert_allclose(embedder.embed(TEXTS), reference(tiny[0]), atol=1e-4)
    embedder.close()


@pytest.mark.parametrize("spoilt", ["", "[]", '{"format": 0}', '{"format": 1, "sums": 3}'])
def test_a_damaged_record_means_that_there_is_no_export(
    spoilt: str, tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    cache = copied(tiny[1], tmp_path)
    [record] = cache.glob(f"*/{RECORD}")
    record.write_text(spoilt, encoding="utf-8")
    assert find_export(cache, describe(tiny[0]), Sums()) is None


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_cache_that_others_may_write_is_not_read(tiny: tuple[Path, Path], tmp_path: Path) -> None:
    cache = copied(tiny[1], tmp_path)
    assert find_export(cache, describe(tiny[0]), Sums()) is not None
    cache.chmod(0o777)
    assert find_export(cache, describe(tiny[0]), Sums()) is None


def failing(folder: Path, target: Path, why: str = "it has a strange layer") -> None:
    record = {"format": FORMAT, "versions": versions(), "failure": why}
    write(target / RECORD, record)


def test_a_model_that_cannot_be_exported_is_run_by_sentence_transformers_and_tried_once(
    tiny: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache" / "models"
    first = opened(tiny[0], cache, make=failing, default="int8")
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert first.identity(max_tokens=9, chunker=1).precision == "float32"
        vectors = opened(tiny[0], cache, make=never).embed(TEXTS)
    np.testing.assert_allclose(vectors, reference(tiny[0]), atol=1e-6)
    told = [message for message in caplog.messages if "strange layer" in message]
    assert len(told) == 1
    with pytest.raises(EmbeddingError, match=r"int8 .*strange layer; set embedding\.precision"):
        opened(tiny[0], cache, make=never, precision="int8").identity(max_tokens=9, chunker=1)


def test_a_failure_with_other_versions_is_tried_again(
    tiny: tuple[Path, Path], tmp_path: Path, make_here: Any
) -> None:
    cache = tmp_path / "cache" / "models"
    opened(tiny[0], cache, make=failing, default="int8").identity(max_tokens=9, chunker=1)
    [file] = cache.glob(f"*/{RECORD}")
    record = json.loads(file.read_text(encoding="utf-8"))
    write(file, record | {"versions": {"torch": "0.1"}})
    again = opened(tiny[0], cache, make=make_here, default="int8")
    assert again.identity(max_tokens=9, chunker=1).precision == "int8"


def broken(source: Path, target: Path) -> None:
    target.write_bytes(b"half of it")
    (source.parent / "plain-inferred.onnx").write_bytes(b"what the library leaves")
    raise RuntimeError("it fell over")


def test_where_quantising_breaks_off_float32_stands_and_it_is_tried_once_more(
    tiny: tuple[Path, Path], tmp_path: Path, make_here: Any, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache" / "models"
    with caplog.at_level(logging.WARNING):
        first = opened(tiny[0], cache, make=exporting(quantise=broken), default="int8")
        assert first.precision == "float32"
    [told] = [text for text in caplog.messages if "int8" in text]
    assert told.endswith("are float32, which is slower than int8: RuntimeError: it fell over")
    [folder] = [path for path in cache.iterdir() if path.is_dir()]
    assert sorted(path.name for path in folder.iterdir()) == ["float32.onnx", RECORD]
    with pytest.raises(EmbeddingError, match="int8 on this machine: RuntimeError: it fell over"):
        _ = opened(tiny[0], cache, make=exporting(quantise=broken), precision="int8").precision
    assert opened(tiny[0], cache, make=make_here, default="int8").precision == "int8"
    assert opened(tiny[0], cache, make=never, default="int8").precision == "int8"


def test_int8_that_is_too_far_from_float32_is_tried_once(
    tiny: tuple[Path, Path], tmp_path: Path, make_here: Any
) -> None:
    cache = copied(tiny[1], tmp_path)
    [file] = cache.glob(f"*/{RECORD}")
    record = json.loads(file.read_text(encoding="utf-8"))
    del record["sums"]["int8"]
    write(file, record | {"cosine": 0.91, "lack": "those in int8 are far"})
    assert opened(tiny[0], cache, make=never, default="int8").precision == "float32"


def test_on_a_full_disk_whatever_a_library_says_is_no_verdict(
    tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "models"
    make = exporting(quantise=broken, free=lambda folder: 100)
    embedder = opened(tiny[0], cache, make=make, default="int8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert embedder.precision == "float32"
    assert [path for path in cache.iterdir() if path.is_dir()] == []


def test_where_nothing_can_be_kept_the_model_still_runs(
    tiny: tuple[Path, Path], tmp_path: Path, make_here: Any
) -> None:
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    cache = tmp_path / "file" / "models"
    whole = opened(tiny[0], cache, make=never, default="int8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert whole.precision == "float32"
        np.testing.assert_allclose(whole.embed(TEXTS), reference(tiny[0]), atol=1e-6)
    eighths = opened(tiny[0], cache, make=make_here, precision="int8", is_standing=True)
    ready = opened(*tiny, make=never, precision="int8", is_standing=True)
    np.testing.assert_array_equal(eighths.embed(TEXTS), ready.embed(TEXTS))
    eighths.close()
    ready.close()


# --- precision ------------------------------------------------------------------------------


def test_the_index_keeps_its_precision_and_nothing_is_exported_to_say_so(
    tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    told = [
        opened(
            tiny[0], tmp_path / "none", make=never, precision=one, default="int8", is_standing=True
        ).identity(max_tokens=9, chunker=1)
        for one in ("float32", "int8")
    ]
    assert [identity.precision for identity in told] == ["float32", "int8"]


def test_a_new_index_is_float32_where_a_gpu_does_the_work(
    tiny: tuple[Path, Path], tmp_path: Path
) -> None:
    cache = tmp_path / "none"
    embedder = opened(tiny[0], cache, make=never, default="int8", is_gpu_at_hand=lambda: True)
    assert embedder.precision == "float32"


@pytest.mark.parametrize(
    ("setting", "standing", "expected"),
    [("", "float32", "float32"), ("", "int8", "int8"), ("float32", "int8", "float32")],
)
def test_the_setting_wins_over_the_standing_index_and_that_over_the_default(
    setting: str, standing: str, expected: str, tiny: tuple[Path, Path]
) -> None:
    from dataclasses import replace

    config = replace(Config(), embedding=EmbeddingSettings(model=str(tiny[0]), precision=setting))
    made = Identity("sentence-transformers", "m", "r", 32, "", "", "t", 9, 1, precision=standing)
    embedder = compose.open_embedder(config, made)
    assert compose.wanted_identity(config, embedder).precision == expected


# --- GPU ------------------------------------------------------------------------------------


class Driver:
    """Stands for NVIDIA's library."""

    def __init__(self, count: int, status: int = 0) -> None:
        self.count, self.status = count, status

    def cuInit(self, flags: int) -> int:
        return self.status

    def cuDeviceGetCount(self, found: Any) -> int:
        found._obj.value = self.count
        return 0


def absent(name: str) -> Any:
    raise OSError(name)


@pytest.mark.parametrize(
    ("load", "version", "expected"),
    [
        (lambda name: Driver(1), "2.13.0", True),
        (lambda name: Driver(1), "2.13.0+cpu", False),
        (lambda name: Driver(0), "2.13.0", False),
        (lambda name: Driver(1, status=100), "2.13.0", False),
        (absent, "2.13.0", False),
    ],
    ids=["gpu", "torch for processors", "no device", "driver that fails", "no driver"],
)
def test_a_gpu_counts_with_its_driver_and_a_torch_that_uses_it(
    load: Any, version: str, expected: bool
) -> None:
    assert has_gpu(load, lambda: version) is expected


# --- sums -----------------------------------------------------------------------------------


def aged(file: Path, seconds: int = 100) -> None:
    status = file.stat()
    os.utime(file, (status.st_atime - seconds, status.st_mtime - seconds))


def test_a_sum_is_remembered_until_its_file_changes(tmp_path: Path) -> None:
    weights, kept = tmp_path / "w", tmp_path / "cache" / "sums.json"
    weights.write_bytes(b"one")
    aged(weights)
    first = Sums(kept)(weights)
    forged = json.loads(kept.read_text(encoding="utf-8"))
    forged[str(weights)][4] = "f" * 64
    write(kept, forged)
    assert Sums(kept)(weights) == "f" * 64
    weights.write_bytes(b"two")
    assert Sums(kept)(weights) not in {first, "f" * 64}


def test_a_file_that_just_changed_is_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(b"one")
    Sums(tmp_path / "sums.json")(tmp_path / "w")
    assert not (tmp_path / "sums.json").exists()


@pytest.mark.parametrize("spoilt", ["", "[1]", '{"a": 3}', '{"a": [1, 2, 3, 4, 5]}', "[" * 9999])
def test_damaged_sums_are_none(spoilt: str, tmp_path: Path) -> None:
    weights, kept = tmp_path / "w", tmp_path / "sums.json"
    weights.write_bytes(b"one")
    kept.write_text(spoilt, encoding="utf-8")
    assert Sums(kept)(weights) == Sums()(weights) == Sums(weights / "nowhere.json")(weights)


# --- the child, and all-MiniLM-L6-v2 --------------------------------------------------------


@pytest.mark.model
def test_a_child_that_ends_before_its_time_leaves_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(NotKept, match="could not be prepared"):
        run_child(tmp_path, tmp_path / "no" / "folder")


class Stop:
    """Says that nobody wants it any more, from the second look on."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.looks > 1


@pytest.mark.model
def test_a_child_nobody_wants_any_more_is_ended(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(Interrupted, match="preparing the model was stopped; run it again"):
        run_child(locate(MINILM), tmp_path / "target", Stop())


@pytest.mark.parametrize(
    ("status", "last", "expected", "message"),
    [
        (-2, "", Interrupted, "preparing the model was stopped; run it again to go on"),
        (-15, "", Interrupted, "preparing the model was stopped; run it again to go on"),
        (130, "KeyboardInterrupt", Interrupted, "preparing the model was stopped"),
        (-9, "", NotKept, r"was killed \(SIGKILL, perhaps for memory\); try again"),
        (-11, "", NotKept, r"was killed \(SIGSEGV\); try again"),
        (1, "OSError: no room", NotKept, "could not be prepared: OSError: no room; try again"),
        (3, "", NotKept, "could not be prepared: 3; try again"),
    ],
)
def test_how_a_child_ended_is_told_in_words(
    status: int, last: str, expected: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(expected, match=message):
        check_end(status, last, tmp_path)
    check_end(0, "a warning", tmp_path)


def test_who_waits_for_another_ones_export_is_told_and_can_stop(
    tiny: tuple[Path, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = copied(tiny[1], tmp_path)
    with FileLock(cache / "lock"), caplog.at_level(logging.WARNING), pytest.raises(Interrupted):
        make_export(cache, describe(tiny[0]), "tiny", Sums(), never, anew=False, is_stopped=Stop())
    assert caplog.messages == ["another askmd is preparing a model: waiting until it is done"]
    made = make_export(cache, describe(tiny[0]), "tiny", Sums(), never, anew=False)
    assert set(made.sums) == {"float32", "int8"}


@pytest.fixture(scope="module")
def minilm() -> Iterator[LocalEmbedder]:
    config = Config()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        embedder = compose.open_embedder(config)
        assert isinstance(embedder, LocalEmbedder)
        embedder.embed_query("one")
    yield embedder
    embedder.close()


@pytest.mark.model
def test_minilm_is_exported_whole_and_small(minilm: LocalEmbedder) -> None:
    export = find_export(places.models_folder(), minilm._described, Sums())
    assert export and set(export.sums) == {"float32", "int8"}
    assert export.file("int8").stat().st_size < 25_000_000
    modes = [path.stat().st_mode & 0o777 for path in (export.folder, export.file("int8"))]
    assert os.name == "nt" or modes == [0o700, 0o600]


@pytest.mark.model
def test_minilm_in_float32_is_sentence_transformers_own_and_in_int8_near_it(
    minilm: LocalEmbedder,
) -> None:
    expected = reference(locate(MINILM))
    cache = places.models_folder()
    for precision, least in (("float32", 0.999999), ("int8", 0.97)):
        embedder = opened(locate(MINILM), cache, make=never, precision=precision, is_standing=True)
        found = embedder.embed(TEXTS)
        embedder.close()
        assert (found * expected).sum(axis=1).mean() >= least


@pytest.mark.model
def test_a_question_is_embedded_without_torch_and_without_a_word_to_anyone(
    minilm: LocalEmbedder,
) -> None:
    code = """
import sys
from askmd import compose
from askmd.config import Config
from askmd.types import Identity
made = Identity("sentence-transformers", "", "", 0, "", "", "", 0, 0, precision="int8")
embedder = compose.open_embedder(Config(), made)
embedder.warm()
print(embedder.embed_query("one two").shape)
heavy = ("torch", "transformers", "sentence_transformers", "huggingface_hub", "onnx")
print([name for name in heavy if name in sys.modules])
"""
    cache = places.models_folder().parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(384,)", "[]"]
    # ONNX Runtime's own builds keep a queue of what they report here.
    assert [path.name for path in cache.iterdir()] == ["askmd"]
