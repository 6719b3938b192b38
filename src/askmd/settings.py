"""Every setting, with its default, its bounds and the comment that ``config --init`` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from askmd.types import Mode

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_PRECISION = "int8"
"""Of a new index of a local model, on a processor that is no GPU."""


def _setting(
    default: Any,
    comment: str,
    *,
    least: float | None = None,
    most: float = 1_000_000_000,
    choices: tuple[str, ...] = (),
    is_path: bool = False,
) -> Any:
    """Return a dataclass field that carries its comment and its bounds."""
    bounds = {
        "comment": comment,
        "least": least,
        "most": most,
        "choices": choices,
        "is_path": is_path,
    }
    return field(default=default, metadata=bounds)


@dataclass(frozen=True, slots=True)
class DocumentSettings:
    """Which files are documents."""

    folder: str = _setting(
        "", "the folder of Markdown files; empty: name it at `askmd ingest`", is_path=True
    )
    include: tuple[str, ...] = _setting((), "only files that match one of these gitignore patterns")
    exclude: tuple[str, ...] = _setting(
        (), "leave out files that match one of these gitignore patterns"
    )
    max_megabytes: float = _setting(
        20.0, "larger files are skipped and reported", least=0.001, most=10_000
    )
    encoding: str = _setting(
        "", "how to read files that are not Unicode, such as 'latin-1'; empty: report them"
    )


@dataclass(frozen=True, slots=True)
class IndexSettings:
    """Where the index is kept."""

    path: str = _setting(".askmd", "the index's folder", is_path=True)


@dataclass(frozen=True, slots=True)
class ChunkSettings:
    """How documents are cut."""

    max_tokens: int = _setting(
        256, "tokens a chunk has at most; the embedder's window bounds it too", least=32
    )


@dataclass(frozen=True, slots=True)
class EmbeddingSettings:
    """Which model turns text into vectors."""

    provider: str = _setting(
        "sentence-transformers",
        "sentence-transformers, openai (any such server) or hash (no model)",
    )
    model: str = _setting("", "name or folder; empty: all-MiniLM-L6-v2, or text-embedding-3-small")
    revision: str = _setting("", "the model's revision on its hub; empty: the newest")
    precision: str = _setting(
        "",
        "float32 or int8, for a local model; empty: the index's own, and int8 for a new one",
        choices=("", "float32", "int8"),
    )
    base_url: str = _setting("", "such as http://localhost:11434/v1; empty: OpenAI's own")
    api_key_env: str = _setting(
        "OPENAI_API_KEY", "the environment variable with the key, never the key itself"
    )
    dimensions: int = _setting(0, "ask the server for shorter vectors; 0: the model's own", least=0)
    window: int = _setting(8191, "tokens an OpenAI-compatible model reads of one text", least=32)
    query_prefix: str | None = _setting(None, "put before questions; unset: what the model expects")
    passage_prefix: str | None = _setting(
        None, "put before passages; unset: what the model expects"
    )
    timeout_seconds: float = _setting(60.0, "how long the server may take for a batch", least=0.1)


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How passages are found."""

    limit: int = _setting(10, "hits a search returns", least=1, most=10_000)
    mode: Mode = _setting(  # noqa: RUF009
        "hybrid", "hybrid, dense or words", choices=("hybrid", "dense", "words")
    )
    reranker: str = _setting(
        "", "name or folder of a sentence-transformers CrossEncoder; empty: off"
    )


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Which LLM writes the answers; without model and base_url the passages are quoted."""

    model: str = _setting("", "such as gpt-5-mini or llama3.2; empty: the first one the server has")
    base_url: str = _setting("", "such as http://localhost:11434/v1; empty: OpenAI's own")
    api_key_env: str = _setting(
        "OPENAI_API_KEY", "the environment variable with the key, never the key itself"
    )
    budget_tokens: int = _setting(
        3000,
        "tokens of passages, and of the conversation so far, an answer is made from",
        least=100,
    )
    answer_tokens: int = _setting(1000, "tokens an answer has at most", least=1)
    timeout_seconds: float = _setting(60.0, "how long the server may be silent", least=0.1)
    window: int = _setting(
        0, "tokens the model reads and writes in all; 0: what its server says", least=0
    )
    prompt_price: float = _setting(0.0, "of a million tokens sent, for `cost`; 0: unknown", least=0)
    answer_price: float = _setting(
        0.0, "of a million tokens answered, for `cost`; 0: unknown", least=0
    )

    @property
    def is_configured(self) -> bool:
        """Whether there is an LLM to ask; a key in the environment alone is not consent."""
        return bool(self.model or self.base_url)


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Where a citation leads."""

    to: str = _setting(
        "",
        "editor, github or site; empty: the file itself, on a terminal that knows links",
        choices=("", "editor", "github", "site"),
    )
    editor: str = _setting(
        "vscode://file{file}:{first}", "its template: {file} {path} {first} {last}"
    )
    github: str = _setting(
        "", "such as https://github.com/me/docs/blob/main/{path}#L{first}-L{last}"
    )
    site: str = _setting("", "such as https://docs.example.com/{page}/#{anchor}")
    anchors: str = _setting(
        "github",
        "whose anchors the site has: github, mkdocs or docusaurus",
        choices=("github", "mkdocs", "docusaurus"),
    )


TABLES: Mapping[str, type[Any]] = {
    "documents": DocumentSettings,
    "index": IndexSettings,
    "chunks": ChunkSettings,
    "embedding": EmbeddingSettings,
    "search": SearchSettings,
    "llm": LLMSettings,
    "links": LinkSettings,
}


def settings() -> Iterator[tuple[str, Field[Any]]]:
    """Yield every setting's dotted key and dataclass field, in the order they are written."""
    for table, kind in TABLES.items():
        for one in fields(kind):
            yield f"{table}.{one.name}", one
