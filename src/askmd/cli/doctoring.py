"""``askmd doctor``: what is wrong, and the command that mends it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import common
from askmd.cli.session import cancel_on_signal, configure
from askmd.cli.show import print_json
from askmd.cli.verbs import UNCLEAN, askmd
from askmd.terminal import clean, progress_bar, say

if TYPE_CHECKING:
    from askmd.config import Config
    from askmd.doctor import Finding

_SENT = {
    "embedding": "one word, to see whether it embeds",
    "llm": "a few tiny questions, to see what it takes",
}
"""What the servers are sent with --online."""


@askmd.command("doctor")
@click.option("--fix", "is_fixing", is_flag=True, help="Mend what can be mended safely.")
@click.option("--online", "is_online", is_flag=True, help="Ask the configured servers, too.")
@click.option("--llm", "is_llm", is_flag=True, help="Ask the LLM's server alone.")
@click.option("--base-url", help="An OpenAI-compatible server.")
@click.option("--model", help="The LLM's name.")
@common
def examine(
    is_fixing: bool,
    is_online: bool,
    is_llm: bool,
    base_url: str | None,
    model: str | None,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Look for what is wrong, and say what mends it; exit 4 where something is.

    All of the index is read: each row against its checksum, what is derived against the rows.
    Nothing is sent anywhere without --online or --llm, and never anything of the documents. What
    an LLM's server refuses is remembered, so that it is not asked for again.
    """
    given: dict[str, Any] = {
        "llm.model": ("--model", model),
        "llm.base_url": ("--base-url", base_url),
    }
    config = configure(config_file, index, **{key: one for key, one in given.items() if one[1]})
    findings = _find(config, is_fixing=is_fixing, is_online=is_online, is_llm=is_llm)
    is_clean = not any(one.is_fault for one in findings)
    if as_json:
        print_json({"is_clean": is_clean, "findings": [asdict(one) for one in findings]})
    else:
        _print(findings)
    sys.exit(0 if is_clean else UNCLEAN)


def _find(config: Config, *, is_fixing: bool, is_online: bool, is_llm: bool) -> list[Finding]:
    """Return what is found: of the index unless only the LLM's server is asked for."""
    from askmd.doctor import check, check_llm, check_online, fix

    if is_llm and not (is_fixing or is_online):
        _tell(config, "llm")
        return check_llm(config)
    with progress_bar() as progress, cancel_on_signal() as cancel:
        findings = (fix if is_fixing else check)(config, progress, cancel)
    if is_online or is_llm:
        _tell(config, *_SENT)
        findings += check_online(config)
    return findings


def _tell(config: Config, *purposes: str) -> None:
    """Say what is sent where; what the notice of a first use says is still to be said by that."""
    from askmd.addresses import is_loopback, shown
    from askmd.compose import endpoint

    for purpose in purposes:
        url = endpoint(config, purpose)
        if url and not is_loopback(url):
            say(f"{shown(url)} is sent {_SENT[purpose]}, and nothing of the documents")


def _print(findings: list[Finding]) -> None:
    """Print a finding a line, the command that mends it after it."""
    for one in findings:
        step = f"; {one.next}" if one.next else ""
        print(" ".join(clean(f"{_kind(one):5}  {one.message}{step}").split("\n")))


def _kind(one: Finding) -> str:
    if one.fixed:
        return "fixed"
    return "fault" if one.is_fault else "note" if one.next else "ok"
