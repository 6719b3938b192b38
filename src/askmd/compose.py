"""Config to concrete parts: embedder, counters, index, LLM. Nobody else chooses."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from askmd import places
from askmd.addresses import OPENAI_URL, is_loopback
from askmd.config import (
    Config,
    Layer,
    check,
    read_layer,
    read_toml,
    resolve,
    unknown,
)
from askmd.contracts import LLM, Embedder, Reranker, TokenCounter
from askmd.errors import AskmdError, ConfigError, EmbeddingError, FolderError, LLMError
from askmd.settings import DEFAULT_MODEL, DEFAULT_PRECISION, TABLES
from askmd.types import Citation, Identity

DEFAULT_OPENAI_MODEL = "text-embedding-3-small"
FOUND_FILE = "config.toml"
# OpenAI's list prices of January 2026.
_DOLLARS_PER_MILLION = {
    "text-embedding-3-small": 0.02,
    "text-embedding-3-large": 0.13,
    "text-embedding-ada-002": 0.10,
}
DEFAULT_WINDOW = 128_000
"""Tokens an LLM is taken to read; only the passages' own budget is ever filled."""


@dataclass(frozen=True, slots=True)
class _Provider:
    """What a provider's name in the settings means."""

    build: Callable[[Config, Identity | None], Embedder]
    tokens_per_second: float
    """Roughly, on two ordinary cores or from a server."""


def configure(
    file: Path | None = None, flags: Mapping[str, tuple[str, Any]] | None = None
) -> Config:
    """Return the settings: defaults < user's file < found or named file < flags.

    flags: dotted key to the flag's name and its value, relative paths relative to here.
    """
    layers, notices, home = [], [], _here()
    if places.has_settings():
        layers.append(read_layer(places.settings_file()))
    if file is not None:
        layers.append(read_layer(file))
        home = file.absolute().parent
    elif (found := home / FOUND_FILE).is_file():
        if _read_found(found) is not None:
            layers.append(read_layer(found, is_trusted=places.is_trusted(found)))
        else:
            notices.append(f"{FOUND_FILE} here is not askmd's and is left alone")
    for key, (flag, value) in (flags or {}).items():
        checked = check(key, value, where=flag, home=_here())
        layers.append(Layer(flag, {key: checked}))
    config = resolve(layers, home=home, notices=notices)
    _provider(config)
    return config


def _read_found(path: Path) -> Mapping[str, Any] | None:
    """Return the tables of a found file if it is askmd's; None for any other program's.

    It is ours with an ``[askmd]`` table, or own tables and no foreign one. Raises ConfigError for
    a broken file that has one of our tables.
    """
    try:
        data = read_toml(path)
    except ConfigError:
        if _mentions_us(path):
            raise
        return None
    return data if not data or _is_ours(data) else None


def _mentions_us(path: Path) -> bool:
    """Whether a file that is no TOML has one of askmd's tables all the same."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    names = "|".join(["askmd", *TABLES])
    return re.search(rf"^\s*\[({names})[.\]]", text, re.MULTILINE) is not None


def _is_ours(data: Mapping[str, Any]) -> bool:
    """Whether a TOML file is askmd's: ``[askmd]``, or own tables and no foreign one."""
    if isinstance(data.get("askmd"), dict):
        return True
    return bool(data) and all(key in TABLES for key in data)


def _here() -> Path:
    """Return the current folder, which may have been deleted under our feet."""
    try:
        return Path.cwd()
    except OSError as error:
        raise FolderError("the current folder is gone", "go to another one") from error


def open_embedder(config: Config, standing: Identity | None = None) -> Embedder:
    """Return the embedder of the settings; its model is loaded when the first text comes.

    standing: what the index that is to be asked or added to is made of; None where one is to be
    made. Its precision is kept unless the settings name another.
    """
    return _provider(config).build(config, standing)


def open_reranker(config: Config) -> Reranker | None:
    """Return the reranker of the settings, or None where it is off; its model is loaded when used.

    Raises ConfigError or EmbeddingError where the model cannot be had, or is none that scores.
    """
    if not config.search.reranker:
        return None
    from askmd.embed import CrossEncoderReranker, describe_cross_encoder

    folder = _located(config, "search.reranker", config.search.reranker, owner="cross-encoder")
    return CrossEncoderReranker(describe_cross_encoder(folder), config.search.reranker)


def _provider(config: Config) -> _Provider:
    """Return what the settings' provider means; raises ConfigError for one that nobody knows."""
    name = config.embedding.provider
    if name not in _PROVIDERS:
        raise unknown(name, list(_PROVIDERS), "embedding.provider")
    return _PROVIDERS[name]


def model_folder(config: Config) -> Path | None:
    """Return where the local embedder's model lies; None where there is none on this machine."""
    from askmd.embed.location import locate

    settings = config.embedding
    if settings.provider != "sentence-transformers":
        return None
    try:
        model = settings.model or DEFAULT_MODEL
        return locate(model, settings.revision, may_fetch=False, sum_of=_sums())
    except AskmdError:
        return None


def wanted_identity(config: Config, embedder: Embedder) -> Identity:
    """Return what an index of these settings is made of."""
    from askmd.chunk import VERSION

    return embedder.identity(max_tokens=bound(config, embedder), chunker=VERSION)


def bound(config: Config, embedder: Embedder) -> int:
    """Return the tokens a chunk has at most: the user's wish or the embedder's window."""
    return min(config.chunks.max_tokens, embedder.counter.window)


def endpoint(config: Config, purpose: str) -> str | None:
    """Return the server that ``embedding`` or ``llm`` sends text to; None where there is none."""
    if purpose == "embedding":
        settings = config.embedding
        return (settings.base_url or OPENAI_URL) if settings.provider == "openai" else None
    return (config.llm.base_url or OPENAI_URL) if config.llm.is_configured else None


def embedding_rate(config: Config) -> float:
    """Return roughly how many tokens a second are embedded: for a first guess, not for a clock."""
    return _provider(config).tokens_per_second


def embedding_price(config: Config) -> float | None:
    """Return US dollars a million tokens, or None where it is free or unknown."""
    if endpoint(config, "embedding") != OPENAI_URL:
        return None
    return _DOLLARS_PER_MILLION.get(config.embedding.model or DEFAULT_OPENAI_MODEL)


def open_llm(config: Config) -> LLM | None:
    """Return the LLM of the settings, or None where none is configured."""
    url = endpoint(config, "llm")
    if url is None:
        return None
    from askmd.llm import OpenAILLM, ProfileFile

    settings, key = config.llm, _key(config, "llm")
    if not key and url == OPENAI_URL:
        raise LLMError(
            f"the environment variable {settings.api_key_env} holds no key for {url}",
            f"run `export {settings.api_key_env}=...`, or name another server with --base-url",
        )
    return OpenAILLM(
        settings.model,
        base_url=url,
        api_key=key,
        key_name=settings.api_key_env,
        timeout_seconds=settings.timeout_seconds,
        answer_tokens=settings.answer_tokens,
        window=settings.window,
        profiles=ProfileFile(places.servers_file()),
    )


class Rooted(Protocol):
    """What a link needs to know of an index."""

    @property
    def root(self) -> Path:
        """The documents' folder."""

    def metadata(self, path: str) -> Mapping[str, object]:
        """Return a document's front matter."""


_EXAMPLES = {
    "editor": "vscode://file{file}:{first}",
    "github": "https://github.com/me/docs/blob/main/{path}#L{first}-L{last}",
    "site": "https://docs.example.com/{page}/#{anchor}",
}


def linker(config: Config, documents: Rooted) -> Callable[[Citation], str | None] | None:
    """Return what tells where a citation leads, or None where the settings name nothing.

    Raises ConfigError where the chosen kind of link has no template, or one that makes no sense.
    """
    settings = config.links
    if not settings.to:
        return None
    from askmd import links

    templates = {"editor": settings.editor, "github": settings.github, "site": settings.site}
    template = templates[settings.to]
    if not template:
        example = _EXAMPLES[settings.to]
        raise ConfigError(
            f"links.{settings.to} has no template", f'write one, such as "{example}", under [links]'
        )
    links.check_template(template)

    # GitHub renders its own ids, whatever the site is made with.
    anchors = "github" if settings.to == "github" else settings.anchors

    def link(citation: Citation) -> str:
        return links.url(
            template,
            replace(citation, lines=citation.stands_at or citation.lines),
            file=documents.root / citation.path,
            anchors=anchors,
            metadata=documents.metadata(citation.path),
        )

    return link


def prompt_counter(config: Config) -> TokenCounter:
    """Return the counter of the LLM's tokens: exact where its vocabulary is at hand."""
    from askmd.tokens import openai_counter

    url = endpoint(config, "llm")
    may_download = url is not None and not is_loopback(url)
    return openai_counter(config.llm.model, window=DEFAULT_WINDOW, may_download=may_download)


def _key(config: Config, table: str) -> str:
    """Return the key for an endpoint; empty where there is none, or none that may be sent there.

    A server that a found file named gets no key: whoever listens there did not ask the user.
    """
    if f"{table}.base_url" in config.untrusted:
        return ""
    variable = config.llm.api_key_env if table == "llm" else config.embedding.api_key_env
    return os.environ.get(variable, "")


def _hash_embedder(config: Config, standing: Identity | None) -> Embedder:
    from askmd.embed.hash import HashEmbedder
    from askmd.tokens import HashCounter

    return HashEmbedder(HashCounter())


def _openai_embedder(config: Config, standing: Identity | None) -> Embedder:
    from askmd.embed.known_prefixes import prefixes
    from askmd.embed.openai_compatible import OpenAIEmbedder
    from askmd.tokens import openai_counter

    settings = config.embedding
    url = settings.base_url or OPENAI_URL
    model = settings.model or DEFAULT_OPENAI_MODEL
    query, passage = prefixes(
        model, {}, query=settings.query_prefix, passage=settings.passage_prefix
    )
    may_download = not is_loopback(url)
    counter = openai_counter(
        model, window=settings.window, may_download=may_download, prefix=passage
    )
    return OpenAIEmbedder(
        model,
        counter,
        base_url=url,
        api_key=_key(config, "embedding"),
        key_name=settings.api_key_env,
        dimensions=settings.dimensions,
        query_prefix=query,
        passage_prefix=passage,
        timeout_seconds=settings.timeout_seconds,
    )


def _located(config: Config, key: str, model: str, *, owner: str, revision: str = "") -> Path:
    """Return the folder of the model that the setting ``key`` names; see ``embed.locate``."""
    from askmd.embed.location import locate

    # A found file may not send anything anywhere, not even a model's name to its hub.
    table = key.partition(".")[0]
    is_fetchable = not {key, f"{table}.revision"} & config.untrusted
    try:
        return locate(
            model,
            revision,
            may_fetch=is_fetchable,
            owner=owner,
            setting=key,
            sum_of=_sums(),
        )
    except EmbeddingError as error:
        if is_fetchable:
            raise
        fix = f"read {config.origin(key)}, then run `askmd config --trust`"
        raise EmbeddingError(f"the model {model} is not on this machine", fix) from error


def _sums() -> Callable[[Path], str]:
    """Return what gives a model's files their sums, remembered in the user's cache."""
    from askmd.embed.sums import Sums

    return Sums(places.sums_file())


def _local_embedder(config: Config, standing: Identity | None) -> Embedder:
    from askmd.embed.known_prefixes import prefixes
    from askmd.embed.local import LocalEmbedder
    from askmd.embed.model_folder import describe
    from askmd.tokens.tokenizer_file import TokenizerCounter

    settings, sums = config.embedding, _sums()
    model = settings.model or DEFAULT_MODEL
    folder = _located(
        config, "embedding.model", model, owner="sentence-transformers", revision=settings.revision
    )
    described = describe(folder, sums)
    query, passage = prefixes(
        model, described.prompts, query=settings.query_prefix, passage=settings.passage_prefix
    )
    counter = TokenizerCounter(
        described.tokenizer_file,
        window=described.window,
        prefix=passage,
        lowercase=described.lowercase,
    )
    return LocalEmbedder(
        described,
        model,
        counter,
        cache=places.models_folder(),
        sum_of=sums,
        # What another provider made is no match, whatever the precision.
        precision=settings.precision or (standing.precision if standing else ""),
        default=DEFAULT_PRECISION,
        is_standing=standing is not None,
        query_prefix=query,
        passage_prefix=passage,
    )


_PROVIDERS = {
    "sentence-transformers": _Provider(_local_embedder, tokens_per_second=6e3),
    "openai": _Provider(_openai_embedder, tokens_per_second=2e4),
    "hash": _Provider(_hash_embedder, tokens_per_second=2e5),
}
