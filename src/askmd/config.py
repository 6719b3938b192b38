"""Settings: TOML files and flags, layered into frozen dataclasses that know their origins.

Each setting stands once, in ``settings``. Which files are read ``compose.configure`` decides.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from askmd.addresses import is_address, is_loopback
from askmd.errors import ConfigError
from askmd.settings import (
    TABLES,
    ChunkSettings,
    DocumentSettings,
    EmbeddingSettings,
    IndexSettings,
    LinkSettings,
    LLMSettings,
    SearchSettings,
    settings,
)


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of settings: a file or the command line."""

    origin: str
    """What ``askmd config`` shows: a file's path, a flag, ``default``."""
    values: Mapping[str, Any]
    """Checked values by dotted key, paths already absolute."""
    is_trusted: bool = True
    """Whether it may name endpoints off this machine and key variables."""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """Resolved settings, and where each came from."""

    documents: DocumentSettings = field(default_factory=DocumentSettings)
    index: IndexSettings = field(default_factory=IndexSettings)
    chunks: ChunkSettings = field(default_factory=ChunkSettings)
    embedding: EmbeddingSettings = field(default_factory=EmbeddingSettings)
    search: SearchSettings = field(default_factory=SearchSettings)
    llm: LLMSettings = field(default_factory=LLMSettings)
    links: LinkSettings = field(default_factory=LinkSettings)
    origins: Mapping[str, str] = field(default_factory=dict)
    """Dotted key to origin; a key that is absent has its default."""
    files: tuple[Path, ...] = ()
    """The files that were read, weakest first."""
    untrusted: frozenset[str] = frozenset()
    """Keys whose value comes from a file that was merely found."""
    notices: tuple[str, ...] = ()
    """What was left out of a file, and why; one line each."""

    @classmethod
    def load(cls, path: str | Path | None = None) -> Config:
        """Return the defaults overlaid by one file, named by the caller and so trusted.

        Relative paths in the file are relative to it; without a file, to the current folder.
        Raises ConfigError if the file is missing, is no TOML, or has an unknown key or value.
        """
        layers = [] if path is None else [read_layer(Path(path))]
        home = Path.cwd() if path is None else Path(path).absolute().parent
        return resolve(layers, home=home)

    @property
    def index_folder(self) -> Path:
        """The index's folder, absolute."""
        return Path(self.index.path)

    def origin(self, key: str) -> str:
        """Return where a setting's value came from."""
        return self.origins.get(key, "default")


def read_layer(path: Path, *, is_trusted: bool = True) -> Layer:
    """Read one configuration file; raises ConfigError with the file, the key and a suggestion."""
    tables = own_tables(read_toml(path))
    home = path.absolute().parent
    values = dict(_checked(tables, where=str(path), home=home))
    return Layer(str(path), values, is_trusted, path.absolute())


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content; raises ConfigError if it is missing or malformed."""
    fix = f"mend {path}"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        fix = "correct its name, or write one with `askmd config --init`"
        raise ConfigError(f"no such configuration file: {path}", fix) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as TOML: {error}", fix) from error


def own_tables(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return askmd's tables of a file: its own ones and, stronger, those inside ``[askmd]``.

    With an ``[askmd]`` table the file is shared with another program, whose tables are left alone:
    every one that has a key we do not know.
    """
    if not isinstance(data.get("askmd"), dict):
        return dict(data)
    known = dict(settings())
    tables: dict[str, Any] = dict(data["askmd"])
    for name in TABLES:
        table = data.get(name)
        if isinstance(table, dict) and all(f"{name}.{key}" in known for key in table):
            inner = tables.get(name, {})
            tables[name] = table | inner if isinstance(inner, dict) else inner
    return tables


def resolve(layers: Sequence[Layer], *, home: Path, notices: Sequence[str] = ()) -> Config:
    """Overlay layers, the last one strongest, on the defaults.

    home: the folder that default paths are relative to.
    """
    values: dict[str, Any] = {"index.path": str(home / ".askmd")}
    origins: dict[str, str] = {}
    said, untrusted = list(notices), frozenset[str]()
    for layer in layers:
        allowed = layer.values if layer.is_trusted else _allowed(layer, values, said)
        values.update(allowed)
        origins.update(dict.fromkeys(allowed, layer.origin))
        untrusted = untrusted - allowed.keys() if layer.is_trusted else untrusted | allowed.keys()
    built = {name: kind(**_of_table(values, name)) for name, kind in TABLES.items()}
    files = tuple(layer.file for layer in layers if layer.file)
    return Config(**built, origins=origins, files=files, untrusted=untrusted, notices=tuple(said))


def _allowed(layer: Layer, below: Mapping[str, Any], said: list[str]) -> dict[str, Any]:
    """Return what a found file may set: nothing that sends text or a key off this machine.

    below: the values of weaker layers, which are the user's own.
    """
    kept = dict(layer.values)
    dropped = [key for key, value in kept.items() if _leads_outside(key, value)]
    for key in dropped:
        del kept[key]
    is_llm_named = "llm.base_url" in kept or "llm.base_url" in below or "llm.model" in below
    if "llm.model" in kept and not is_llm_named:
        dropped.append("llm.model")
        del kept["llm.model"]
    is_embedder_named = "embedding.base_url" in kept or below.get("embedding.provider") == "openai"
    if kept.get("embedding.provider") == "openai" and not is_embedder_named:
        raise ConfigError(
            f"{layer.origin} asks to send every text to a server off this machine, "
            "which a file that was merely found may not",
            "read it, then run `askmd config --trust`, or name it with --config",
        )
    if dropped:
        said.append(
            f"{layer.origin}: {', '.join(dropped)} left out, for a file that was merely found may "
            "not send anything anywhere; read it, then run `askmd config --trust`"
        )
    return kept


def _leads_outside(key: str, value: Any) -> bool:
    """Whether a setting names another key variable or an endpoint off this machine."""
    if key.endswith(".api_key_env"):
        return bool(value != "OPENAI_API_KEY")
    if key in ("links.editor", "links.github", "links.site"):
        # A click would tell somebody else what was read, or start a program.
        return bool(value) and value != LinkSettings().editor
    if key == "links.to":
        # Without its template, which is left out, it would lead nowhere.
        return value in ("github", "site")
    return key.endswith(".base_url") and bool(value) and not is_loopback(value)


def _of_table(values: Mapping[str, Any], table: str) -> dict[str, Any]:
    """Return one table's values without the table's name."""
    start = f"{table}."
    return {key[len(start) :]: value for key, value in values.items() if key.startswith(start)}


def _checked(tables: Mapping[str, Any], *, where: str, home: Path) -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and values that fit their settings."""
    known = dict(settings())
    for table, content in tables.items():
        if table not in TABLES:
            raise unknown(table, list(TABLES), where)
        if not isinstance(content, dict):
            fix = f"write [{table}] above its keys"
            raise ConfigError(f"{where}: {table} must be a table", fix)
        for name, value in content.items():
            key = f"{table}.{name}"
            if key not in known:
                raise unknown(key, list(known), where)
            # An empty text says "not set": it never hides what a weaker layer says.
            if value != "" or known[key].default is None:
                yield key, check(key, value, where=where, home=home)


def check(key: str, value: Any, *, where: str, home: Path) -> Any:
    """Return a setting's value in its own type, paths made absolute; raises ConfigError."""
    setting = dict(settings())[key]
    kind = str(setting.type).replace("Mode", "str")
    value = _typed(key, value, kind, where)
    least, choices = setting.metadata["least"], setting.metadata["choices"]
    most = setting.metadata["most"]
    if least is not None and not least <= value <= most:
        fix = f"give it at least {least:g}" + ("" if value < least else f" and at most {most:g}")
        raise ConfigError(f"{where}: {key} = {value} is out of bounds", fix)
    if key == "documents.encoding" and value and not _is_encoding(value):
        fix = "name one such as latin-1, cp1252 or shift_jis"
        raise ConfigError(f"{where}: {key} = {value!r} is no encoding of text", fix)
    if key.endswith(".base_url") and value and not is_address(value):
        # The value may hold a password: it is not repeated.
        fix = "write it as http://localhost:11434/v1, without a user's name or password"
        raise ConfigError(f"{where}: {key} is no address of a server", fix)
    if key.endswith(".api_key_env") and not re.fullmatch(r"[A-Za-z_]\w{0,99}", value):
        # The value may be the key itself: it is not repeated.
        fix = "keep the key in a variable such as OPENAI_API_KEY and give its name"
        raise ConfigError(f"{where}: {key} is no name of an environment variable", fix)
    if choices and value not in choices:
        raise unknown(value, [one for one in choices if one], f"{where}: {key}")
    # A model is a name, or a folder that is plainly written as one.
    is_folder = key in ("embedding.model", "search.reranker") and value.startswith((".", "~"))
    if value and (setting.metadata["is_path"] or is_folder):
        return str(home / Path(value).expanduser())
    return value


def _is_encoding(name: str) -> bool:
    try:
        # Not of no bytes at all: Python does not look the name up for those.
        b"a".decode(name)
    except UnicodeDecodeError:
        pass
    except (LookupError, ValueError):
        return False
    # Python's own, for servers' names and escapes: they refuse ordinary text, or change it.
    return not re.search("idna|punycode|unicode.?escape", name.lower())


def _typed(key: str, value: Any, kind: str, where: str) -> Any:
    """Return the value as the setting's type, or raise ConfigError saying what it should be."""
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind.startswith("tuple") and isinstance(value, list | tuple):
        if all(isinstance(item, str) for item in value):
            return tuple(value)
    elif type(value).__name__ == kind.removesuffix(" | None"):
        return value
    names = {"str": "text in quotes", "int": "a whole number", "float": "a number"}
    wanted = names.get(kind.removesuffix(" | None"), "a list of texts")
    fix = "run `askmd config` for all settings"
    raise ConfigError(f"{where}: {key} must be {wanted}, not {value!r}", fix)


def unknown(word: str, known: list[str], where: str) -> ConfigError:
    """Return the error for a word nobody knows, with the nearest one that somebody does."""
    import difflib

    said = word.lower()
    near = difflib.get_close_matches(said, known, n=1, cutoff=0.5)
    names = {name.split(".")[-1]: name for name in known}
    if not near:
        near = [names[n] for n in difflib.get_close_matches(said.split(".")[-1], list(names), n=1)]
    hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
    return ConfigError(f"{where}: unknown {word!r}", hint)


def as_toml(values: Mapping[str, Any] | None = None) -> str:
    """Return a commented configuration file with every setting at its default.

    values: dotted keys that get another value than their default.
    """
    lines = ["# askmd's settings, each with its default; paths are relative to this file."]
    table = ""
    for key, setting in settings():
        head, name = key.split(".")
        if head != table:
            table = head
            lines += ["", f"[{table}]"]
        value = (values or {}).get(key, setting.default)
        # JSON writes texts, numbers and lists of texts as TOML does.
        line = f'# {name} = ""' if value is None else f"{name} = {json.dumps(value)}"
        lines.append(f"{line}  # {setting.metadata['comment']}")
    return "\n".join(lines) + "\n"
