"""What can be asked of the chat itself: lines that begin with a slash."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from askmd.errors import UsageError
from askmd.filters import parse_filter
from askmd.repl import showing
from askmd.repl.keeping import load_transcript, save_transcript
from askmd.repl.opening import Spot, inside, is_inside, line_of, open_spot
from askmd.repl.screen import show_lines, tell
from askmd.repl.talk import Talk
from askmd.terminal import Sourced, waiting
from askmd.types import Filter

MOST_HITS = 10_000
_LONGEST_PATH = 4096
_NUMBER = re.compile(r"\[?(\d{1,9})\]?")
_WITH_LINE = re.compile(r"(?P<path>.+?):(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?")
_NAME_COLUMNS = 20
"""Of the list of commands, what their names take."""
_NO_ANSWER = "no answer yet was made from passages"


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    run: Callable[[Talk, str], None]
    """Obeys; is given what stands behind the name."""
    argument: str
    help: str


def obey(talk: Talk, line: str) -> bool:
    """Obey a line that is a command, or nearly one; tell whether it was.

    A question may begin with a path: only what is named like a command is taken for one.
    """
    name, _, rest = line.partition(" ")
    if name in COMMANDS:
        COMMANDS[name].run(talk, rest.strip())
        return True
    if not name.startswith("/") or not name[1:].isalpha():
        return False
    near = get_close_matches(name.casefold(), COMMANDS, n=1, cutoff=0.7)
    if rest and not near:
        return False
    hint = f"; did you mean {near[0]}?" if near else ""
    tell(f"there is no {name}{hint or '; /help lists what there is'}")
    return True


def _sources(talk: Talk, _rest: str) -> None:
    if talk.last is None or not talk.last.passages:
        tell(_NO_ANSWER)
        return
    show_lines(showing.sources(talk.last))


def _open(talk: Talk, rest: str) -> None:
    open_spot(_spot(talk, rest or "1"), talk.library.root)


def _spot(talk: Talk, place: str) -> Spot:
    """Return the place that was named: a source's number, or a path with a line or a heading."""
    if number := _NUMBER.fullmatch(place):
        return _source_spot(talk, int(number[1]))
    if is_inside(talk.library.root, place):
        return Spot(place, (1, 1))
    if found := _WITH_LINE.fullmatch(place):
        first = int(found["first"])
        return Spot(found["path"], (first, max(first, int(found["last"] or first))))
    return _heading_spot(talk.library.root, place)


def _heading_spot(root: Path, place: str) -> Spot:
    """Return where PATH#HEADING is; its file's first line, and a notice, without the heading."""
    marks = [at for at, character in enumerate(place[:_LONGEST_PATH]) if character == "#"]
    # A folder may be named C#: the longest path that is one, not the first.
    for at in reversed(marks):
        path, heading = place[:at], place[at + 1 :]
        if is_inside(root, path):
            line = line_of(inside(root, path), heading)
            if line is None:
                tell(f"{path} has no heading {heading}; here is where it begins")
            return Spot(path, (line or 1, line or 1))
    return Spot(place[: marks[0]] if marks else place, (1, 1))


def _source_spot(talk: Talk, number: int) -> Spot:
    """Return a source of the last answer; where its file changed, where the text is now."""
    if talk.last is None or not talk.last.passages:
        raise UsageError(_NO_ANSWER, "ask something first")
    for citation in talk.last.citations:
        if citation.number == number:
            return Spot(citation.path, citation.stands_at or citation.lines)
    for passage in talk.last.passages:
        if passage.number == number:
            return Spot(passage.path, passage.lines)
    raise UsageError(
        f"the last answer has no source {number}", f"choose 1 to {len(talk.last.passages)}"
    )


def _why(talk: Talk, rest: str) -> None:
    if not talk.question:
        raise UsageError("nothing was asked yet", "ask something first")
    question = talk.last.search_query if talk.last else talk.question
    place = rest or _nearest(talk)
    if number := _NUMBER.fullmatch(place):
        spot = _source_spot(talk, int(number[1]))
        place = f"{spot.path}:{spot.lines[0]}"
    with waiting("looking"):
        lines = talk.views.why(question, place, talk.chat.limit, talk.chat.where)
    show_lines(lines)


def _nearest(talk: Talk) -> str:
    """Return the place of the last question's best source, or of its best hit."""
    record = talk.last
    sources: list[Sourced] = [*record.citations, *record.passages] if record else []
    sources += talk.hits
    if sources:
        return f"{sources[0].path}:{sources[0].lines[0]}"
    raise UsageError("nothing was found for the last question", "name a PATH#HEADING")


def _search(talk: Talk, rest: str) -> None:
    question = rest or talk.question
    if not question:
        raise UsageError("there is nothing to search for", "write /search QUESTION")
    with waiting("searching"):
        lines = talk.views.search(question, talk.chat.limit, talk.chat.where)
    show_lines(lines)


def _filter(talk: Talk, rest: str) -> None:
    if rest == "off":
        talk.chat.where = Filter()
    elif rest:
        try:
            talk.chat.where = parse_filter(shlex.split(rest))
        except ValueError as error:
            raise UsageError(f"{rest} has a quote that is not closed", "close it") from error
    tell(showing.filtered(talk.chat.where))


def _limit(talk: Talk, rest: str) -> None:
    if rest == "off":
        talk.chat.limit = None
    elif rest:
        number = _NUMBER.fullmatch(rest)
        if number is None or not 1 <= int(number[1]) <= MOST_HITS:
            raise UsageError(f"{rest} is no number of hits", f"choose 1 to {MOST_HITS}, or off")
        talk.chat.limit = int(number[1])
    many = talk.chat.limit
    told = "as many hits as fill the budget" if many is None else f"{many} hit{'s' * (many != 1)}"
    tell(f"an answer is made from {told}")


def _model(talk: Talk, rest: str) -> None:
    chat = talk.chat
    if not chat.has_llm:
        tell("no LLM is configured: the best passages are quoted")
    elif rest:
        chat.use(rest)
        tell(f"from now on {chat.model} answers")
    else:
        tell(f"{chat.model} answers; its server has:")
        with waiting("asking the server"):
            names = chat.models()
        show_lines(f"  {name}" for name in names)


def _retry(talk: Talk, _rest: str) -> None:
    if not talk.question:
        raise UsageError("nothing was asked yet", "ask something first")
    talk.ask(talk.question, is_again=True)


def _edit(talk: Talk, _rest: str) -> None:
    if not talk.question:
        raise UsageError("nothing was asked yet", "ask something first")
    talk.draft, talk.is_replacing = talk.question, True


def _reset(talk: Talk, _rest: str) -> None:
    talk.forget()
    tell("the conversation so far is forgotten")


def _save(talk: Talk, rest: str) -> None:
    if not rest:
        raise UsageError("no file is named", "write /save FILE.md")
    turns = talk.chat.turns
    if not turns:
        raise UsageError("there is no conversation yet", "ask something first")
    file = save_transcript(rest, turns)
    tell(f"wrote {file}: {_counted(len(turns))}")


def _load(talk: Talk, rest: str) -> None:
    if not rest:
        raise UsageError("no file is named", "write /load FILE.md")
    turns = load_transcript(rest)
    talk.resume(turns)
    tell(f"the conversation goes on after {_counted(len(turns))}")


def _tokens(talk: Talk, _rest: str) -> None:
    show_lines(showing.tokens(talk.chat.tokens()))


def _help(_talk: Talk, _rest: str) -> None:
    show_lines(HELP.split("\n"), indent=_NAME_COLUMNS + 1)


def _quit(talk: Talk, _rest: str) -> None:
    talk.is_over = True


def _counted(turns: int) -> str:
    return f"{turns} question{'s' * (turns != 1)}"


COMMANDS = {
    "/sources": Command(_sources, "", "what the last answer was made from, with scores"),
    "/open": Command(_open, "N", "a source in your editor, at its line; or PATH#HEADING"),
    "/why": Command(_why, "[N]", "why a source was found; or why PATH#HEADING was not"),
    "/search": Command(_search, "[QUESTION]", "what is found, without an answer"),
    "/filter": Command(_filter, "[FILTER …]", "search only there: a path, key=value, heading=…"),
    "/k": Command(_limit, "[N]", "how many hits an answer is made from"),
    "/model": Command(_model, "[NAME]", "the model, and those of its server; or another one"),
    "/retry": Command(_retry, "", "the last question once more"),
    "/edit": Command(_edit, "", "the last question in the input line, to be changed"),
    "/reset": Command(_reset, "", "forget the conversation so far; /new does too"),
    "/new": Command(_reset, "", ""),
    "/save": Command(_save, "FILE", "the conversation as Markdown, with its citations"),
    "/load": Command(_load, "FILE", "go on with a conversation that was saved"),
    "/tokens": Command(_tokens, "", "what the conversation has taken, and may still take"),
    "/help": Command(_help, "", "this list"),
    "/quit": Command(_quit, "", "leave; Ctrl-D does too, Ctrl-C stops an answer"),
    "/exit": Command(_quit, "", ""),
}
"""By name; those without a word of help are other names of others."""


def _help_lines() -> Iterator[str]:
    """Yield a line for each command, and what there is to know of the input line."""
    for name, command in COMMANDS.items():
        if command.help:
            yield f"{f'{name} {command.argument}'.rstrip():{_NAME_COLUMNS}} {command.help}"
    yield "Alt-Enter begins a new line, Ctrl-R looks through what was asked before."


HELP = "\n".join(_help_lines())
