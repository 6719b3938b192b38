"""What a model expects before a question and before a passage."""

from __future__ import annotations

from collections.abc import Mapping

_BGE = ("Represent this sentence for searching relevant passages: ", "")
_E5 = ("query: ", "passage: ")
_NOMIC = ("search_query: ", "search_document: ")

# From the models' own cards. The first fragment found in the name, after the last slash, decides.
_KNOWN = (
    ("bge-m3", ("", "")),
    ("bge-small-en", _BGE),
    ("bge-base-en", _BGE),
    ("bge-large-en", _BGE),
    ("mxbai-embed-large", _BGE),
    ("snowflake-arctic-embed-l-v2", ("query: ", "")),
    ("snowflake-arctic-embed-m-v2", ("query: ", "")),
    ("snowflake-arctic-embed", _BGE),
    ("multilingual-e5-large-instruct", ("Instruct: Retrieve relevant passages\nQuery: ", "")),
    ("multilingual-e5-", _E5),
    ("e5-small", _E5),
    ("e5-base", _E5),
    ("e5-large", _E5),
    ("nomic-embed-text", _NOMIC),
)


def prefixes(
    model: str,
    prompts: Mapping[str, str],
    *,
    query: str | None = None,
    passage: str | None = None,
) -> tuple[str, str]:
    """Return a model's query prefix and passage prefix.

    What the configuration says (not None) wins over the table of known models, and the table over
    ``prompts``, which the model's folder brings; else there is none.
    """
    name = model.rstrip("/").replace("\\", "/").rpartition("/")[2].lower()
    own = (_first(prompts, "query"), _first(prompts, "document", "passage", "corpus"))
    known = next((pair for fragment, pair in _KNOWN if name.startswith(fragment)), own)
    return (known[0] if query is None else query, known[1] if passage is None else passage)


def _first(prompts: Mapping[str, str], *names: str) -> str:
    return next((prompts[name] for name in names if name in prompts), "")
