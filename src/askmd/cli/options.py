"""The options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
# That it cannot be read is no fault of the call's words.
_FOLDER = click.Path(path_type=Path, readable=False)


def common(command: _Command) -> _Command:
    """Add the options every verb has."""
    for option in (
        # Read before anything else is parsed: see askmd.cli.
        click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON."),
        click.option("--index", type=_FOLDER, help="The index's folder."),
        click.option("--config", "config_file", type=click.Path(path_type=Path), help="Settings."),
    ):
        command = option(command)
    return command


def asking(command: _Command) -> _Command:
    """Add the options of verbs that search."""
    for option in (
        click.option(
            "--filter",
            "filters",
            multiple=True,
            help="A path glob, key=value or heading=…; all must hold.",
        ),
        click.option(
            "--mode", type=click.Choice(["hybrid", "dense", "words"]), help="How to search."
        ),
        click.option("-k", "limit", type=click.IntRange(1, 10_000), help="How many hits."),
    ):
        command = option(command)
    return command


def answering(command: _Command) -> _Command:
    """Add the options of verbs that ask an LLM."""
    for option in (
        click.option("--base-url", help="An OpenAI-compatible server."),
        click.option("--model", help="The LLM's name."),
        click.option("--no-llm", is_flag=True, help="Quote the passages, ask no LLM."),
    ):
        command = option(command)
    return command


def linking(command: _Command) -> _Command:
    """Add the option of verbs that print citations."""
    return click.option(
        "--link",
        type=click.Choice(["editor", "github", "site"]),
        help="Where citations lead, by the templates of [links].",
    )(command)
