"""``askmd eval``: a question file against the index, or a first draft of one."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from askmd.cli.options import asking, common
from askmd.cli.session import (
    cancel_on_signal,
    configure,
    open_retriever,
    tell_endpoint,
)
from askmd.cli.show import print_error, print_json
from askmd.cli.verbs import UNCLEAN, askmd
from askmd.errors import FolderError, LLMError, UsageError
from askmd.terminal import say

if TYPE_CHECKING:
    from askmd.config import Config
    from askmd.evaluate import Comparison, Evaluation, Question
    from askmd.types import Filter

_FILE = click.Path(path_type=Path, dir_okay=False)


@askmd.command("eval")
@click.argument("questions", required=False, type=_FILE)
@click.option("--budget", type=click.IntRange(min=1), help="Tokens of the passages measured.")
@click.option("--against", type=_FILE, help="Settings of another index to compare with, paired.")
@click.option("--baseline", type=_FILE, help="A saved run; exit 4 where it was surely better.")
@click.option("--save", type=_FILE, help="Keep this run, as a later one's --baseline.")
@click.option("--junit", type=_FILE, help="Write a test case a question, for CI.")
@click.option("--each", is_flag=True, help="Show every question.")
@click.option("--draft", is_flag=True, help="Print a first question file from the documents.")
@click.option(
    "-n", "number", type=click.IntRange(1, 10_000), help="How many questions to draft (20)."
)
@asking
@common
def evaluate_questions(
    questions: Path | None,
    draft: bool,
    number: int | None,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure how well the index finds what the file QUESTIONS expects.

    Each line: {"id", "question", "expect": [{"path", "heading" or "lines" or "chars"}]}. An empty
    "expect": the documents do not answer this. Make a first file with --draft > questions.jsonl
    """
    if draft == (questions is not None):
        what = "--draft takes no QUESTIONS" if draft else "no file of questions is named"
        raise UsageError(what, "run `askmd eval QUESTIONS`, or `askmd eval --draft > FILE`")
    if number is not None and not draft:
        raise UsageError("-n says how many to draft", "add --draft, or take -n away")
    config = configure(config_file, index)
    if questions is None:
        _draft(config, number or 20)
    else:
        sys.exit(_evaluate(questions, config, as_json=as_json, **options))


def _evaluate(
    file: Path,
    config: Config,
    *,
    budget: int | None,
    against: Path | None,
    baseline: Path | None,
    save: Path | None,
    junit: Path | None,
    each: bool,
    limit: int | None,
    mode: Any,
    filters: tuple[str, ...],
    as_json: bool,
) -> int:
    """Run the questions, print and write what is asked for; return the exit status."""
    from askmd.evaluate import (
        LIMIT,
        as_junit,
        as_saved,
        check_lengths,
        compare,
        read_questions,
        read_saved,
    )
    from askmd.filters import parse_filter

    read = [("questions", file), ("baseline", baseline), ("settings", against)]
    read += [("settings", one) for one in config.files]
    _check_targets([("--save", save), ("--junit", junit)], read)
    where, asked = parse_filter(filters), read_questions(file)
    saved = read_saved(baseline) if baseline else None
    other = configure(against, None) if against else None
    lengths = _Lengths(limit or LIMIT, budget or config.llm.budget_tokens)
    if saved is not None:
        check_lengths(saved, str(baseline), **asdict(lengths))
    runs = {"": _run(config, asked, lengths, mode=mode, where=where)}
    for target, text in ((save, as_saved(runs[""])), (junit, as_junit(runs[""], file.stem))):
        if target is not None:
            _write(target, text)
    comparisons: dict[str, Comparison | None] = {"against": None, "baseline": None}
    if other is not None:
        # The same yardstick; how it searches is for its own settings to say.
        runs[str(against)] = _run(other, asked, lengths, mode=None, where=where)
        comparisons["against"] = compare(runs[""], runs[str(against)], str(against))
    if saved is not None:
        comparisons["baseline"] = compare(runs[""], saved, str(baseline))
    _print(runs[""], comparisons, each=each, as_json=as_json)
    return _say_what_is_wrong(runs, comparisons["baseline"])


@dataclass(frozen=True, slots=True)
class _Lengths:
    """How much of what is found counts."""

    limit: int
    budget_tokens: int


def _run(
    config: Config, questions: list[Question], lengths: _Lengths, *, mode: Any, where: Filter
) -> Evaluation:
    """Evaluate with progress; Ctrl-C stops it between two questions."""
    from askmd.evaluate import evaluate
    from askmd.terminal import progress_bar

    with (
        open_retriever(config) as retriever,
        progress_bar() as progress,
        cancel_on_signal() as cancel,
    ):
        return evaluate(
            retriever,
            questions,
            config,
            **asdict(lengths),
            mode=mode,
            where=where,
            progress=progress,
            cancel=cancel,
        )


def _print(
    evaluation: Evaluation, comparisons: dict[str, Comparison | None], *, each: bool, as_json: bool
) -> None:
    from askmd.cli.measured import print_comparison, print_evaluation

    if as_json:
        told = {name: one and asdict(one) for name, one in comparisons.items()}
        print_json(asdict(evaluation) | told)
        return
    print_evaluation(evaluation, each=each)
    for one in comparisons.values():
        if one is not None:
            print_comparison(one)


def _say_what_is_wrong(runs: dict[str, Evaluation], baseline: Comparison | None) -> int:
    """Say what was left out and what got worse; return the exit status."""
    from askmd.cli.measured import say_next, say_regression, say_what_is_wrong

    for name, one in runs.items():
        say_what_is_wrong(one, name)
    if baseline is not None and baseline.regressions:
        say_regression(baseline)
        return UNCLEAN
    say_next(runs[""])
    is_whole = not any(one.findings or one.degraded for one in runs.values())
    return 0 if is_whole else UNCLEAN


def _check_targets(
    written: Sequence[tuple[str, Path | None]], read: Sequence[tuple[str, Path | None]]
) -> None:
    """Refuse before the work what could not, or should not, be written after it."""
    kept = [(f"the {name} {path}", path) for name, path in read if path]
    for option, target in written:
        if target is None:
            continue
        if not target.absolute().parent.is_dir():
            raise FolderError(f"{target.parent} is no folder", "make it first")
        for what, path in kept:
            if _is_same_file(target, path):
                step = "name another file, and move it once you accept what it says"
                raise UsageError(f"{option} would overwrite {what}", step)
        kept.append((f"what {option} writes, {target}", target))


def _is_same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, which need not be there yet."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all; raises FolderError."""
    data = text.encode("utf-8", "replace")
    try:
        if path.exists() and not path.is_file():
            # A pipe or /dev/stdout must be written to, never replaced.
            path.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        what = f"{path} cannot be written: {error.strerror}"
        raise FolderError(what, "name another file") from error
    say(f"wrote {path}")


def _replace(target: Path, data: bytes) -> None:
    """Put a file in place of what was there, with its permissions; raises OSError."""
    beside = target.with_name(f".askmd-{secrets.token_hex(8)}")
    try:
        if target.exists():
            # Refused where the file is write-protected, as replacing it would not be.
            target.open("ab").close()
        beside.write_bytes(data)
        if target.exists():
            shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def _draft(config: Config, number: int) -> None:
    """Print a question a line as it is made; what was made stays if the server fails."""
    from askmd.compose import open_llm
    from askmd.evaluate import draft, indexed_paths

    llm = open_llm(config)
    if llm is not None:
        tell_endpoint(config, "llm", "sections of the documents, to ask questions about")
    drafted = 0
    with open_retriever(config) as retriever:
        try:
            for one in draft(indexed_paths(config), retriever.read, number, llm=llm):
                expected = {"path": one.path, "heading": one.heading}
                row = {"id": one.id, "question": one.question, "expect": [expected]}
                print_json(row | {"draft": one.draft})
                drafted += 1
        except LLMError as error:
            if not drafted:
                raise
            print_error(error, as_json=False)
            sys.exit(UNCLEAN)
    _say_drafted(drafted, number, "an LLM" if llm else "headings")


def _say_drafted(drafted: int, wanted: int, source: str) -> None:
    """Say what to do with a draft."""
    fewer = f", not {wanted}: no other section says enough" if drafted < wanted else ""
    say(f"{drafted} questions drafted from {source}{fewer}")
    if source == "headings":
        say("they share the headings' words, so they are easy: reword them as your users ask")
    say('add questions that the documents do not answer, with "expect": []')
