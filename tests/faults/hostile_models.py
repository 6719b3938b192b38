"""Folders that claim to be models: what each tries, and what askmd is to say to it.

A row of ``FOLDERS`` spoils a folder that is a model's in all but its weights, which nobody has to
run to refuse it. ``CHILD`` tries them all in one process under an audit hook.
"""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EMBEDDER, RERANKER = "embedder", "reranker"
CANARY = "canary"
"""Whatever code of a folder's own would make; beside the folders, not in them."""
PREFIX = "sentence_transformers.models."
Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Hostile:
    """A folder, and how it is refused."""

    name: str
    spoil: Spoil
    said: str
    """A part of the line; empty where a folder is to be used as if nothing were."""
    kinds: tuple[str, ...] = (EMBEDDER, RERANKER)
    """What it is tried as."""


class Sing:
    """A pickle of this makes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


def write(file: Path, data: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(data), encoding="utf-8")


def change(file: Path, **values: Any) -> None:
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    write(file, {**before, **values})


def safetensors(file: Path, name: str = "classifier.weight") -> None:
    header = json.dumps({name: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))


def module(number: int, kind: str, path: str | None = None) -> dict[str, Any]:
    folder = (f"{number}_Part" if number else "") if path is None else path
    return {"idx": number, "name": str(number), "path": folder, "type": kind}


def make(folder: Path, kind: str) -> Path:
    """Write a model's folder as its authors would, but for two numbers of weights."""
    write(
        folder / "config.json",
        {
            "model_type": "bert",
            "hidden_size": 24,
            "max_position_embeddings": 64,
            "architectures": ["BertForSequenceClassification"],
            "id2label": {"0": "score"},
        },
    )
    write(folder / "tokenizer_config.json", {"model_max_length": 64})
    write(folder / "tokenizer.json", {"model": {"type": "WordLevel", "vocab": {"a": 0}}})
    safetensors(folder / "model.safetensors")
    if kind == EMBEDDER:
        steps = [module(0, PREFIX + "Transformer"), module(1, PREFIX + "Pooling")]
        write(folder / "modules.json", steps)
        write(
            folder / "1_Part" / "config.json",
            {"word_embedding_dimension": 24, "pooling_mode_mean_tokens": True},
        )
    return folder


# --- what is done to it ---------------------------------------------------------------------


def canary(folder: Path) -> Path:
    return folder.parent / CANARY


def pickled(folder: Path, name: str = "pytorch_model.bin") -> None:
    (folder / name).write_bytes(pickle.dumps(Sing(canary(folder))))


def only_pickled(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    pickled(folder)


def pickles_about(folder: Path) -> None:
    for name in ("pytorch_model.bin", "model.pkl", "model.joblib", "optimizer.pt", "scaler.npy"):
        pickled(folder, name)
    only_pickled(folder)


def with_code(file: str, key: str = "auto_map", value: Any = None) -> Spoil:
    def spoil(folder: Path) -> None:
        change(folder / file, **{key: value or {"AutoModel": "evil.Model", "AutoConfig": "evil.C"}})
        code = f"import os\nos.mkdir({str(canary(folder))!r})\n"
        for name in ("evil.py", "modeling_bert.py", "torch.py", "__init__.py", "sitecustomize.py"):
            (folder / name).write_text(code, encoding="utf-8")

    return spoil


def modules(*steps: dict[str, Any]) -> Spoil:
    def spoil(folder: Path) -> None:
        write(folder / "modules.json", list(steps))
        (folder / "evil.py").write_text(f"import os\nos.mkdir({str(canary(folder))!r})\n")
        (folder / "2_Part").mkdir(exist_ok=True)

    return spoil


def first(path: str) -> Spoil:
    return modules(module(0, PREFIX + "Transformer", path))


def second(kind: str) -> Spoil:
    return modules(module(0, PREFIX + "Transformer"), module(1, kind))


def dense(activation: str, *, is_pickled: bool = False) -> Spoil:
    def spoil(folder: Path) -> None:
        steps = [module(0, PREFIX + "Transformer"), module(1, PREFIX + "Pooling")]
        write(folder / "modules.json", [*steps, module(2, PREFIX + "Dense")])
        sizes = {"in_features": 24, "out_features": 24, "activation_function": activation}
        write(folder / "2_Part" / "config.json", sizes)
        if is_pickled:
            (folder / "2_Part" / "pytorch_model.bin").write_bytes(pickle.dumps(Sing(folder)))
        else:
            safetensors(folder / "2_Part" / "model.safetensors", "linear.weight")

    return spoil


def changed(file: str, **values: Any) -> Spoil:
    return lambda folder: change(folder / file, **values)


def wishing(key: str, **wishes: Any) -> Spoil:
    return changed("sentence_bert_config.json", **{key: wishes})


def behind_an_empty_file(folder: Path) -> None:
    write(folder / "sentence_bert_config.json", {})
    write(folder / "sentence_xlnet_config.json", {"model_args": {"gguf_file": "x"}})


def without(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def holding(name: str, data: bytes) -> Spoil:
    return lambda folder: _replaced(folder / name, data)


def _replaced(file: Path, data: bytes) -> None:
    file.write_bytes(data)


def cut(folder: Path) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-3])


def linked(name: str, target: str, *, is_new: bool = False) -> Spoil:
    """Put a link in a file's place, or beside all files."""

    def spoil(folder: Path) -> None:
        outside = folder.parent / "outside"
        outside.mkdir(exist_ok=True)
        make(outside, EMBEDDER)
        if not is_new:
            (folder / name).unlink()
        (folder / name).symlink_to(target.format(outside=outside, folder=folder))

    return spoil


def pipe(name: str) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return spoil


def sparse(name: str, size: int) -> Spoil:
    def spoil(folder: Path) -> None:
        with (folder / name).open("r+b") as opened:
            opened.truncate(size)

    return spoil


def shards(weight_map: Any) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / "model.safetensors").rename(folder / "model-00001-of-00001.safetensors")
        write(folder / "model.safetensors.index.json", {"weight_map": weight_map})

    return spoil


# --- the table ------------------------------------------------------------------------------

CODE, OUTSIDE, DAMAGED = "code of its own", "leads outside", "damaged or cut off"
E = (EMBEDDER,)
SHARD = "model-00001-of-00001.safetensors"

FOLDERS = [
    Hostile("pickled weights alone", only_pickled, "no safetensors"),
    Hostile("pickles of all kinds and no weights", pickles_about, "no safetensors"),
    Hostile("a pickled module", dense("", is_pickled=True), "no safetensors", E),
    Hostile("auto_map", with_code("config.json"), CODE),
    Hostile("a tokenizer's auto_map", with_code("tokenizer_config.json"), CODE),
    Hostile("an empty auto_map", changed("config.json", auto_map={}), CODE),
    Hostile(
        "a kernel from a hub",
        with_code("config.json", "_attn_implementation", "evil/kernel"),
        CODE,
    ),
    Hostile("a kernel by part", changed("config.json", attn_implementation={"": "a/b"}), CODE),
    Hostile("a module of its own", second("evil.Model"), CODE),
    Hostile("os.system for a module", second("os.system"), CODE),
    Hostile("builtins.exec for a module", second("builtins.exec"), CODE),
    Hostile("a name that begins like the library's", second("sentence_transformersx.A"), CODE),
    Hostile("a module that is none", second("sentence_transformers.util.http_get"), "http_get"),
    Hostile("a router", second(PREFIX + "Router"), "Router"),
    Hostile("no type", modules({"idx": 0, "path": ""}), "damaged"),
    Hostile("modules that are no list", modules(), "does not begin with a Transformer"),
    Hostile("a path up", first("../outside"), OUTSIDE),
    Hostile("a path up inside", first("1_Part/../../outside"), OUTSIDE),
    Hostile("an absolute path", first("/etc"), OUTSIDE),
    Hostile("a path with backslashes", first("..\\outside"), OUTSIDE),
    Hostile("a drive", first("c:outside"), OUTSIDE),
    Hostile("a path with nought in it", first("\0/etc"), "config.json"),
    Hostile("os.system for an activation", dense("os.system"), CODE, E),
    Hostile("collect_env for an activation", dense("torch.utils.collect_env.main"), CODE, E),
    Hostile("torch.hub for an activation", dense("torch.hub.load"), CODE, E),
    Hostile(
        "a kernel in a model's wishes",
        wishing("model_args", attn_implementation="evil/kernel"),
        CODE,
    ),
    Hostile(
        "a kernel by a new name",
        wishing("model_kwargs", attn_implementation="evil/kernel"),
        CODE,
    ),
    Hostile("another format", wishing("model_args", gguf_file="../outside/x.gguf"), "gguf_file"),
    Hostile(
        "a folder to write to",
        wishing("model_kwargs", device_map="disk", offload_folder="/tmp/evil"),
        "device_map, offload_folder",
    ),
    Hostile("a tokenizer elsewhere", wishing("tokenizer_args", vocab_file="/etc/passwd"), "vocab"),
    Hostile("wishes that are none", changed("sentence_bert_config.json", model_args=[1]), "asks"),
    Hostile(
        "a method to call",
        changed("sentence_bert_config.json", modality_config={"text": {"method": "push_to_hub"}}),
        "names a method",
    ),
    Hostile(
        "wishes behind an empty file",
        behind_an_empty_file,
        "gguf_file",
    ),
    Hostile("a configuration that is a pipe", pipe("config.json"), "plain file|no folder of a"),
    Hostile("an adapter", changed("adapter_config.json", base_model_name_or_path="a/b"), "adapter"),
    Hostile(
        "other weights by name",
        changed("config.json", transformers_weights="../outside/model.safetensors"),
        "names other files",
    ),
    Hostile(
        "another tokenizer by name",
        changed("tokenizer_config.json", fast_tokenizer_files=["../tokenizer.4.0.json"]),
        "names other files",
    ),
    Hostile("shards elsewhere", shards({"a": "../outside/model.safetensors"}), "other weights"),
    Hostile("shards that are pickles", shards({"a": SHARD, "b": "b.bin"}), "other weights"),
    Hostile("shards that are no names", shards([SHARD]), "other weights"),
    Hostile("cut weights", cut, DAMAGED),
    Hostile("empty weights", holding("model.safetensors", b""), DAMAGED),
    Hostile("weights of ones", holding("model.safetensors", b"\xff" * 4096), DAMAGED),
    Hostile(
        "a header of an exabyte",
        holding("model.safetensors", (1 << 60).to_bytes(8, "little") + b"{}"),
        DAMAGED,
    ),
    Hostile(
        "a header of brackets",
        holding("model.safetensors", (200_000).to_bytes(8, "little") + b"[" * 200_000),
        DAMAGED,
    ),
    Hostile(
        "offsets below nought",
        holding(
            "model.safetensors",
            (43).to_bytes(8, "little") + b'{"a":{"dtype":"F32","data_offsets":[0,-51]}}'[:43],
        ),
        DAMAGED,
    ),
    Hostile("a pickle called safetensors", lambda f: pickled(f, "model.safetensors"), DAMAGED),
    Hostile(
        "weights that are a link outside",
        linked("model.safetensors", "{outside}/model.safetensors"),
        OUTSIDE,
    ),
    Hostile("a tokenizer that is /etc/passwd", linked("tokenizer.json", "/etc/passwd"), OUTSIDE),
    Hostile(
        "settings that are a device",
        linked("config.json", "/dev/zero"),
        "leads outside|no folder of a model",
    ),
    Hostile("a link outside beside the rest", linked("notes", "{outside}", is_new=True), OUTSIDE),
    Hostile("a link up and back", linked("notes", "../outside/../outside", is_new=True), OUTSIDE),
    Hostile("a link to itself", linked("notes", "{folder}/notes", is_new=True), ""),
    Hostile("a tokenizer that is a pipe", pipe("tokenizer.json"), "no tokenizer.json"),
    Hostile("settings that are a pipe", pipe("tokenizer_config.json"), ""),
    Hostile("settings of a gigabyte", sparse("config.json", 1_000_000_000), "larger than 16 MB"),
    Hostile(
        "a tokenizer of a gigabyte", sparse("tokenizer.json", 1_000_000_000), "larger than 256 MB"
    ),
    Hostile("settings of brackets", holding("config.json", b"[" * 500_000), "is not JSON"),
    Hostile("settings that are no UTF-8", holding("config.json", b"\xff\xfe{}"), "is not JSON"),
    Hostile("settings that are a list", holding("config.json", b"[]"), "no JSON object"),
    Hostile("no tokenizer", without("tokenizer.json"), "no tokenizer.json"),
    Hostile(
        "no dimension",
        changed("1_Part/config.json", word_embedding_dimension=0),
        "how long its vectors are",
        E,
    ),
    Hostile(
        "a dimension below nought",
        changed("1_Part/config.json", word_embedding_dimension=-3),
        "how long its vectors are",
        E,
    ),
    Hostile(
        "a dimension in words",
        changed("1_Part/config.json", word_embedding_dimension="24"),
        "how long its vectors are",
        E,
    ),
]

TOKENIZERS = {
    "nothing": b"",
    "brackets": b"[" * 300_000,
    "an object": b"{}",
    "bad UTF-8": b'{"model": "\xff"}',
    "another kind": b'{"model": {"type": "Python", "path": "../../evil.py"}}',
    "a path for a vocabulary": b'{"model": {"type": "WordPiece", "vocab": "../../../etc/passwd"}}',
    "cut": b'{"version": "1.0", "model": {"type": "WordLevel", "vocab": {"a": 0',
    "a vocabulary of negative numbers": b'{"model": {"type": "WordLevel", "vocab": {"a": -1}}}',
    "an endless expression": (
        b'{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(((((("}, "behavior": '
        b'"Isolated", "invert": false}, "model": {"type": "WordLevel", "vocab": {"a": 0}, '
        b'"unk_token": "a"}}'
    ),
}

CHILD = """
import json, os, sys
from pathlib import Path

home = Path(sys.argv[1])
watched, events = False, []
BAD = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.fork", "pickle.find_class",
       "marshal.loads", "ctypes.dlopen", "socket.connect", "socket.getaddrinfo", "os.mkdir")

def seen(event, arguments):
    if not watched:
        return
    if event in BAD and event not in ("marshal.loads", "ctypes.dlopen", "os.mkdir"):
        events.append([event, repr(arguments)[:200]])
    if event == "os.mkdir" and str(arguments[0]).startswith(str(home)):
        events.append([event, repr(arguments)[:200]])
    if event in ("exec", "compile") and str(home) in repr(arguments):
        events.append([event, repr(arguments)[:200]])
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, mode = os.fsdecode(arguments[0]), arguments[1] or ""
        if path.startswith(str(home)) and any(one in mode for one in "wax+"):
            events.append([event, repr(arguments)[:200]])
        if path.startswith(("/etc/passwd", "/dev/zero", str(home / "outside"))):
            events.append([event, repr(arguments)[:200]])

sys.addaudithook(seen)
from dataclasses import replace
from askmd import compose, tokens
from askmd.config import Config
from askmd.embed import describe
from askmd.errors import AskmdError
from askmd.settings import EmbeddingSettings, SearchSettings
from askmd.tokens import TokenizerCounter

def tried(kind, folder):
    if kind == "tokenizer":
        return TokenizerCounter(folder / "tokenizer.json", window=64).count(["a text"])
    if kind == "reranker":
        return compose.open_reranker(replace(Config(), search=SearchSettings(reranker=str(folder))))
    settings = EmbeddingSettings("sentence-transformers", str(folder))
    return compose.open_embedder(replace(Config(), embedding=settings))

results = []
for kind, name in json.loads(sys.stdin.read()):
    folder, events = home / name, []
    watched = True
    try:
        tried(kind, folder)
        said = ""
    except AskmdError as error:
        said = str(error)
    except BaseException as error:
        said = f"UNFORESEEN {type(error).__name__}: {error}"
    watched = False
    results.append([said, events])
heavy = [one for one in ("torch", "transformers", "sentence_transformers") if one in sys.modules]
print(json.dumps({"results": results, "heavy": heavy}))
"""
