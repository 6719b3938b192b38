"""What a server's error says of the request: which option it refuses, or that it is too long."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace
from typing import Any

from askmd.endpoint import words_of
from askmd.llm.faults import NoCompletion, status_of
from askmd.llm.profile import WINDOWS, Profile, TokenLimit

LIMITS: tuple[TokenLimit, ...] = ("max_tokens", "max_completion_tokens")
TOO_LARGE = "too large"
"""Refused is not the name of the token limit but its number."""
_LONGEST_SAID = 2000
_LONGEST_RAW = 100_000
_NUMBER = r"(\d[\d,]{2,12})"
# OpenAI, vLLM, SGLang, Ollama, llama.cpp and its Python server, LM Studio, TGI, Mistral, Groq,
# Anthropic, Gemini and Bedrock, each in its own words.
_TOO_LONG = re.compile(
    r"context_length_exceeded|contextwindowexceeded|exceed_context_size|string_above_max_length"
    r"|context (?:length|size|window)|maximum context|prompt is too long|input is too long"
    r"|too many (?:input )?tokens|input (?:token count|length|tokens)|reduce the length"
    r"|must have less than \d+ tokens|max_new_tokens`? must be <="
    r"|longer than the model|with \d+ maximum"
)
_WINDOW = re.compile(
    r"(?:context (?:length|size|window)|tokens allowed)(?: limit)?(?: of this model)?"
    rf"(?: is| of only| of)?[ :=(]{{0,3}}{_NUMBER}"
    rf"|less than {_NUMBER} tokens|must be <= {_NUMBER}|{_NUMBER} (?:tokens )?maximum"
    rf"|> {_NUMBER} max"
)
# What was sent comes back in a validation error, and documents speak of anything.
_ECHO = re.compile(
    r"(['\"]input['\"]: ?|input_value=)(.{0,20}).*"
    r"|\{.{0,300}?['\"]messages['\"] ?: ?\[.*"
    r"|\bmessages['\"]? ?[:=] ?\[.*"
    r"|\b(?:request|payload|body)['\"]?(?: body| was)? ?: ?\{.*",
    re.DOTALL,
)
# A name in quotation marks is meant; several words are somebody else's.
_QUOTED = re.compile(r"(?<!\w)(['\"`])(?!\s)[^'\"`\s]{0,80}\s[^'\"`]{0,1000}+(?:\1(?!\w)|$)")
# A template that fails says it with 500, and so does anything else that breaks.
_NO_SYSTEM_CRASH = re.compile(
    r"only user and assistant roles|roles must alternate|system instruction is not"
    r"|system (?:roles?|messages?|prompts?)\b (?:is |are )?(?:not|un)\W?(?:supported|allowed)"
    r"|does not (?:support|allow) (?:a |the )?system (?:role|message|prompt|instruction)s?"
)
_NO_SYSTEM = re.compile(
    r"only user and assistant roles|roles must alternate|(?:developer|system) instruction is not"
    r"|system (?:role|messages?|prompts?)\b.{0,60}\b(?:support|allowed|permitted|unknown|invalid)"
    r"|support\w*.{0,40}\bsystem (?:role|message|prompt|instruction)"
    r"|\brole\b.{0,80}\bsystem\b|\bsystem\b.{0,80}\brole\b",
    re.DOTALL,
)
_TOO_LARGE = re.compile(r"too large|at most|less than or equal|exceeds?\b")


def without_refused(
    profile: Profile, request: Mapping[str, Any], error: Exception, refused: Set[str]
) -> tuple[str, Profile] | None:
    """Return what an error refuses by name and the profile without it; None if it names nothing.

    refused: what this server refused a moment ago, which is not tried again.
    """
    status, said = status_of(error), _all_said(error)
    if status not in (None, 400, 422, 500, 501) or not said:
        return None
    is_named = status in (None, 400, 422)
    if is_named and _names("stream_options", said, request):
        return "stream_options", replace(profile, takes_usage_option=False)
    for name in LIMITS:
        if is_named and _names(name, said, request):
            if _TOO_LARGE.search(said):
                return TOO_LARGE, replace(profile, token_limit="")
            left = [one for one in LIMITS if one != name and one not in refused]
            return name, replace(profile, token_limit=left[0] if left else "")
    if is_named and _names("temperature", said, request):
        return "temperature", replace(profile, takes_temperature=False)
    has_system = any(one["role"] == "system" for one in request["messages"])
    if has_system and (_NO_SYSTEM if is_named else _NO_SYSTEM_CRASH).search(said):
        return "system", replace(profile, takes_system_role=False)
    return None


def is_too_long(error: Exception) -> bool:
    """Tell whether a server says that the messages do not fit what it can read."""
    status = status_of(error)
    if status == 413:
        return True
    return status in (None, 400, 422, 500) and bool(_TOO_LONG.search(_unquoted(error)))


def window_of(error: Exception, request: Mapping[str, Any]) -> int | None:
    """Return the window that an error about its length names; None where it names none.

    A window that what was sent would have fitted into is none: the error speaks of something else.
    """
    body = getattr(error, "body", None)
    told = [body.get("n_ctx")] if isinstance(body, dict) else []
    for found in _WINDOW.finditer(_unquoted(error)):
        told.append(int(next(group for group in found.groups() if group).replace(",", "")))
    most = _most_tokens(request)
    return next((one for one in told if type(one) is int and one in WINDOWS and one < most), None)


def _most_tokens(request: Mapping[str, Any]) -> int:
    """Return how many tokens a request may have at most, the answer's with them."""
    # Nothing has more tokens than bytes; the template's own are few.
    sent = sum(len(one["content"].encode("utf-8", "replace")) + 50 for one in request["messages"])
    return sent + sum(request.get(name) or 0 for name in LIMITS)


def _all_said(error: Exception) -> str:
    """Return what a server says of an error, in small letters; empty where it says nothing."""
    parts = [*_parts(error), str(getattr(error, "body", None) or "")]
    return " ".join(_own_words(part) for part in parts if part)


def _unquoted(error: Exception) -> str:
    """Return what a server says of an error in its own words, in small letters."""
    return " ".join(_QUOTED.sub(" ", _own_words(part)) for part in _parts(error) if part)


def _parts(error: Exception) -> Iterator[str]:
    """Yield an error's codes and words, those of the server behind a gateway too."""
    import openai

    if isinstance(error, NoCompletion):
        yield error.said
    if not (isinstance(error, openai.APIStatusError) or type(error) is openai.APIError):
        return
    yield from (str(one) for one in (error.param, error.code, error.type) if one)
    yield words_of(error.body)
    body = error.body if isinstance(error.body, dict) else {}
    behind = body.get("metadata")
    raw = behind.get("raw") if isinstance(behind, dict) else None
    if isinstance(raw, str):
        try:
            yield words_of(json.loads(raw[:_LONGEST_RAW]))
        except (ValueError, RecursionError):
            yield raw


def _own_words(text: str) -> str:
    return _ECHO.sub(r"\1\2", text[:_LONGEST_SAID].lower())


def _names(option: str, said: str, request: Mapping[str, Any]) -> bool:
    return option in request and bool(re.search(rf"(?<![a-z_]){option}(?![a-z_])", said))
