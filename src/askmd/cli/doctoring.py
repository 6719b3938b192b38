"""``askmd doctor``: what is wrong, and the command that mends it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import common
from askmd.cli.session import configure
from askmd.cli.show import print_json
from askmd.cli.verbs import UNCLEAN, askmd
from askmd.terminal import clean

if TYPE_CHECKING:
    from askmd.doctor import Finding


@askmd.command("doctor")
@click.option("--llm", "is_llm", is_flag=True, help="Ask the LLM's server a few tiny questions.")
@click.option("--base-url", help="An OpenAI-compatible server.")
@click.option("--model", help="The LLM's name.")
@common
def examine(
    is_llm: bool,
    base_url: str | None,
    model: str | None,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Look for what is wrong, and say what mends it; exit 4 where something is.

    With --llm it is the LLM's server that is looked at: what it refuses is remembered, so that
    it is not asked for again.
    """
    from askmd.doctor import check, check_llm

    given: dict[str, Any] = {
        "llm.model": ("--model", model),
        "llm.base_url": ("--base-url", base_url),
    }
    config = configure(config_file, index, **{key: one for key, one in given.items() if one[1]})
    findings = (check_llm if is_llm else check)(config)
    is_clean = not any(one.is_fault for one in findings)
    if as_json:
        print_json({"is_clean": is_clean, "findings": [asdict(one) for one in findings]})
    else:
        _print(findings)
    sys.exit(0 if is_clean else UNCLEAN)


def _print(findings: list[Finding]) -> None:
    """Print a finding a line, the command that mends it after it."""
    for one in findings:
        kind = "fault" if one.is_fault else "ok" if not one.next else "note"
        print(clean(f"{kind:5}  {one.message}{f'; {one.next}' if one.next else ''}"))
