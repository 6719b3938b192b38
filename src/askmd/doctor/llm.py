"""What the LLM's server answers, refuses and reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from askmd import compose
from askmd.config import Config
from askmd.doctor.finding import Finding, fault
from askmd.errors import LLMError
from askmd.llm import OpenAILLM, Probe, Profile, probe

_REFUSALS = {
    "takes_system_role": "takes no system role: instructions go before the question",
    "takes_temperature": "takes no temperature: its own is used",
    "takes_usage_option": "takes no stream_options: tokens may not be counted",
}


def check_llm(config: Config) -> list[Finding]:
    """Return what the configured LLM's server does with a few tiny requests; it is remembered.

    Nothing of the documents is sent. Raises LLMError where no server is configured.
    """
    llm = compose.open_llm(config)
    if not isinstance(llm, OpenAILLM):
        step = "add --base-url http://localhost:11434/v1 --model llama3.2, or fill in [llm]"
        raise LLMError("no LLM is configured", step)
    found = probe(llm)
    if found.fault is not None:
        findings = [fault(found.fault)]
    else:
        answer = _of_answer(found) if found.spent_tokens is None else _of_thoughts(found)
        findings = [*answer, *_of_profile(found.profile), *_of_window(found, config)]
    blot = llm.without_key
    return [replace(one, message=blot(one.message), next=blot(one.next)) for one in findings]


def _of_answer(found: Probe) -> Iterator[Finding]:
    """Yield how the server answered."""
    message = f"{found.model} answers; its first text came after {found.first_seconds:.1f} s"
    yield Finding("llm_answers", False, message)
    if found.cut_reason:
        yield Finding("llm_cut", True, f"its answer broke off: {found.cut_reason}", "ask again")
    yield from _of_list(found)
    if found.usage is None:
        yield Finding("llm_no_usage", False, "its server does not say how many tokens it used")


def _of_thoughts(found: Probe) -> Iterator[Finding]:
    """Yield that the server takes a request, and that its model came to no word."""
    message = f"{found.model} thought for {found.spent_tokens} tokens before a first word"
    yield Finding("llm_thinks", False, message, "raise llm.answer_tokens, or have it think less")
    yield from _of_list(found)


def _of_list(found: Probe) -> Iterator[Finding]:
    """Yield that the server lists other models only."""
    if not found.is_listed:
        message = f"its server does not list {found.model}: another model may answer in its place"
        yield Finding("llm_unlisted", False, message, "compare with --model " + found.models[0])


def _of_profile(profile: Profile) -> Iterator[Finding]:
    """Yield what the server refuses, which requests will not hold from now on."""
    refused = {one.name: getattr(profile, one.name) is False for one in fields(profile)}
    for name, said in _REFUSALS.items():
        if refused[name]:
            yield Finding("llm_refuses", False, f"it {said}")
    if profile.token_limit != "max_tokens":
        name = profile.token_limit
        said = f"the length of an answer is limited by {name}" if name else "it takes no limit"
        yield Finding("llm_refuses", False, f"it takes no max_tokens: {said}")


def _of_window(found: Probe, config: Config) -> Iterator[Finding]:
    """Yield how much the model reads, and whether that is enough for the settings."""
    settings = config.llm
    window = settings.window or found.profile.window
    wanted = settings.budget_tokens + settings.answer_tokens
    if window is None:
        message = "its server does not say how many tokens it reads"
        yield Finding("llm_window", False, message, "set llm.window, if you know")
    elif wanted > window:
        message = f"{wanted} tokens of passages and answer exceed its window of {window}"
        yield Finding("llm_window", True, message, "lower llm.budget_tokens or llm.answer_tokens")
    else:
        yield Finding("llm_window", False, f"it reads and writes {window} tokens")
