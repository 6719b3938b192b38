"""One function a verb, importing what it needs inside it."""

from __future__ import annotations

import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd import __version__
from askmd.cli.options import asking, common
from askmd.cli.session import (
    configure,
    lines_of_stdin,
    open_retriever,
    other_files,
    own_folder,
    passages_of,
    question_of,
    run_check,
    run_ingest,
    write_new,
)
from askmd.cli.show import (
    notice_degraded,
    print_config,
    print_json,
    print_passages,
    print_plan,
    print_report,
    print_search,
    print_status,
)
from askmd.errors import UsageError
from askmd.terminal import clean, say

if TYPE_CHECKING:
    from askmd.config import Config

REFUSED, UNCLEAN = 3, 4


_ELSEWHERE = {
    "ask": "askmd.cli.asking",
    "backup": "askmd.cli.saving",
    "chat": "askmd.cli.chatting",
    "doctor": "askmd.cli.doctoring",
    "eval": "askmd.cli.evaluating",
    "replay": "askmd.cli.replaying",
    "restore": "askmd.cli.saving",
    "why": "askmd.cli.explaining",
}
"""Verbs of other modules, which are imported when they are asked for."""


class _Verbs(click.Group):
    """All verbs, by their names."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every verb's name."""
        return sorted({*self.commands, *_ELSEWHERE})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb by its name; None where there is none."""
        if cmd_name in _ELSEWHERE:
            # Its import puts it among the commands.
            import_module(_ELSEWHERE[cmd_name])
        return super().get_command(ctx, cmd_name)


@click.group(
    cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="askmd")
def askmd() -> None:
    """Answer questions from a folder of Markdown files, with the lines that prove it.

    Start with:  askmd ingest docs/   and then   askmd ask "how do I ...?"
    """


@askmd.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, readable=False))
@click.option("--rebuild", is_flag=True, help="Make a new index beside the old one and swap.")
@click.option(
    "--prune", is_flag=True, help="Accept that most files are gone; sweep unused vectors."
)
@click.option(
    "--verify",
    is_flag=True,
    help="Read every file and every row, trust no date.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@common
def ingest(
    folder: Path | None,
    rebuild: bool,
    prune: bool,
    verify: bool,
    dry_run: bool,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Bring the index up to date with its FOLDER of Markdown files.

    Without FOLDER: the one the index belongs to, else documents.folder, else this one.
    """
    config = configure(config_file, index)
    folder = folder or own_folder(config)
    if dry_run:
        from askmd.ingest import dry_run as plan

        planned = plan(folder, config, rebuild=rebuild)
        print_plan(planned, as_json)
        sys.exit(UNCLEAN if planned.failures else 0)
    report = run_ingest(folder, config, rebuild=rebuild, prune=prune, verify=verify)
    print_report(report, as_json)
    if report.failures:
        sys.exit(UNCLEAN)


@askmd.command()
@click.argument("question", nargs=-1, required=True)
@click.option("--explain", is_flag=True, help="Show each part of a score.")
@click.option("--passages", is_flag=True, help="Show what an LLM would be sent.")
@click.option(
    "--budget", type=click.IntRange(min=1), help="Tokens of passages; implies --passages."
)
@asking
@common
def search(
    question: tuple[str, ...],
    explain: bool,
    passages: bool,
    budget: int | None,
    limit: int | None,
    mode: Any,
    filters: tuple[str, ...],
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Print the passages that speak of QUESTION; "-" reads one question a line."""
    from askmd.filters import parse_filter

    where = parse_filter(filters)
    questions = lines_of_stdin() if question == ("-",) else [question_of(question)]
    config = configure(config_file, index)
    passages, tokens = passages or budget is not None, budget or config.llm.budget_tokens
    with open_retriever(config, mode) as retriever:
        for one in questions:
            many = limit or (_enough_for(tokens) if passages else None)
            found = retriever.find(one, limit=many, mode=mode, where=where)
            notice_degraded(found.degraded)
            if question == ("-",) and not as_json:
                print(f"{clean(one)}\n")
            if passages:
                print_passages(found, passages_of(retriever, config, found, tokens), as_json)
            else:
                print_search(found, explain=explain, is_filtered=bool(filters), as_json=as_json)


def _enough_for(budget_tokens: int) -> int:
    """Return how many hits fill a budget of passages."""
    from askmd.passages import candidates_for

    return candidates_for(budget_tokens)


@askmd.command()
@common
def status(config_file: Path | None, index: Path | None, as_json: bool) -> None:
    """Say what the index holds, where it is and how large."""
    from askmd.store import open_store

    config = configure(config_file, index)
    store = open_store(config.index_folder)
    try:
        identity, files = store.identity, dict(store.files())
        facts = {
            "root": str(store.root),
            "index": str(config.index_folder),
            **asdict(store.counts()),
            "provider": identity.provider,
            "model": identity.model,
            "dim": identity.dim,
            "precision": identity.precision,
            "max_tokens": identity.max_tokens,
            "bytes": sum(files.values()),
            "paths": {str(path): size for path, size in (files | other_files(config)).items()},
        }
    finally:
        store.close()
    if as_json:
        print_json(facts)
    else:
        print_status(facts)


@askmd.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Prove it of every file of a folder.")
@common
def inspect(
    path: Path | None,
    check: bool,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Show how the file PATH is cut; with --check, prove that nothing of a folder is lost.

    PATH is on disk, or as `askmd search` prints it. --check without PATH takes the index's folder.
    """
    from askmd.cli.inspecting import print_check, print_inspection
    from askmd.inspection import inspect_file

    if path is None and not check:
        raise UsageError("no file is named", "run `askmd inspect FILE`, or add --check")
    config = configure(config_file, index)
    if path is None or check:
        checked = run_check(path or own_folder(config), config)
        print_check(checked, as_json)
        sys.exit(0 if checked.is_clean else UNCLEAN)
    inspected = inspect_file(path, config)
    print_inspection(inspected, as_json)
    sys.exit(UNCLEAN if inspected.faults else 0)


@askmd.command("config")
@click.option("--init", is_flag=True, help="Write a commented config.toml here.")
@click.option("--trust", is_flag=True, help="Let config.toml here name endpoints and keys.")
@common
def show_config(
    init: bool,
    trust: bool,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Show every setting and where its value comes from."""
    from askmd import compose, config, places
    from askmd.settings import settings

    here = Path(compose.FOUND_FILE)
    if init:
        target = config_file or here
        write_new(target, config.as_toml())
        if as_json:
            print_json({"written": str(target)})
        return
    if trust:
        config.read_layer(here)
        places.trust(here)
        say(f"trusted: {here.absolute()}, as it is now")
    resolved = configure(config_file, index)
    rows = {
        key: {"value": _value_of(resolved, key), "origin": resolved.origin(key)}
        for key, _ in settings()
    }
    if as_json:
        print_json(rows)
    else:
        absent = "" if places.has_settings() else ", which is not there"
        say(f"your own file is {places.settings_file()}{absent}")
        print_config(rows)


def _value_of(config: Config, key: str) -> Any:
    table, name = key.split(".")
    return getattr(getattr(config, table), name)
