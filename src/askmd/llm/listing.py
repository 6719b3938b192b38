"""The models a server lists, and what it says of how much they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from askmd.llm.profile import WINDOWS

# vLLM; LM Studio; OpenRouter, Together; Mistral; Groq; llama.cpp: what is loaded before what could
# be.
_WINDOWS = (
    "max_model_len",
    "loaded_context_length",
    "context_length",
    "max_context_length",
    "context_window",
    "n_ctx",
    "n_ctx_train",
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as its server lists it."""

    name: str
    window: int | None
    """Tokens it reads and writes in all; None where the server does not say."""


def read_listing(reply: Any) -> list[Listed]:
    """Return the models of a server's list, in its order; empty where it makes no sense."""
    models = reply.get("data") if isinstance(reply, dict) else None
    rows = [one for one in models if isinstance(one, dict)] if isinstance(models, list) else []
    named = [one for one in rows if isinstance(one.get("id"), str) and one["id"]]
    return [Listed(one["id"], _window(one)) for one in named]


def bare(name: str) -> str:
    """Return a model's name without what servers add to it: Gemini a folder, Ollama a tag."""
    return name.removeprefix("models/").removesuffix(":latest")


def window_in(models: list[Listed], name: str) -> int | None:
    """Return the window that a list has for a model of this name; None where it has none."""
    return next((one.window for one in models if bare(one.name) == bare(name)), None)


def first_to_chat(models: list[Listed]) -> Listed:
    """Return the first model that does not call itself an embedder; the first one if all do."""
    return next((one for one in models if "embed" not in one.name.lower()), models[0])


def _window(model: dict[str, Any]) -> int | None:
    meta = model.get("meta")
    told = {**meta, **model} if isinstance(meta, dict) else model
    numbers = [told.get(name) for name in _WINDOWS]
    return next((one for one in numbers if type(one) is int and one in WINDOWS), None)
