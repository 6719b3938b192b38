"""A question file read and checked: one JSON object a line, as CONTRACT and the README draw it."""

from __future__ import annotations

import json
import posixpath
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any

from askmd import files
from askmd.errors import AskmdError
from askmd.types import Chars, Lines

MOST_BYTES = 500_000_000
_PLACES = ("path", "chars", "lines", "heading", "grade")


class QuestionsError(AskmdError):
    """A question file, or a saved evaluation, is not what it should be."""

    code = "questions"


@dataclass(frozen=True, slots=True)
class Label:
    """Where a question's answer stands; of several places given, the first in this order counts."""

    path: str
    chars: Chars | None = None
    lines: Lines | None = None
    heading: str | None = None
    """A heading's text, or the last texts of its path joined by " > "; all of them absent: any
    part of the file counts."""
    grade: float = 1.0
    """How good an answer it is; for nDCG alone."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question and where the documents answer it."""

    id: str
    question: str
    expect: tuple[Label, ...]
    """Empty where the documents do not answer it: it must be refused."""
    is_any: bool = False
    """Whether one of the labels is enough."""
    line: int = 0
    """In its file, 1-based."""

    @property
    def digest(self) -> str:
        """What it asks and expects, in a few characters: the same id may change its question."""
        labels = [
            {name: value for name, value in asdict(one).items() if value is not None}
            for one in self.expect
        ]
        told = json.dumps([self.question, labels, self.is_any])
        return blake2b(told.encode(), digest_size=8).hexdigest()


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file, in its order.

    Raises QuestionsError, which names the line, for the first thing that is wrong.
    """
    questions: dict[str, Question] = {}
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            one = _question(_object(line), number)
        except ValueError as error:
            raise QuestionsError(f"{where}: {error}", "correct that line") from error
        if one.id in questions:
            first = questions[one.id].line
            what = f"the id {one.id!r} stands on line {first} too"
            raise QuestionsError(f"{where}: {what}", "give each question an id of its own")
        questions[one.id] = one
    if not questions:
        step = "run `askmd eval --draft` to make a first one from your documents"
        raise QuestionsError(f"{path} holds no question", step)
    return list(questions.values())


def read_text(path: Path) -> str:
    """Return a file's text whatever Unicode it is written in; raises QuestionsError."""
    try:
        # PowerShell's ">" writes UTF-16.
        return files.read(path.resolve(), max_bytes=MOST_BYTES).text
    except (files.UnreadableFile, OSError) as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        step = "name a file of questions, or make one: `askmd eval --draft > questions.jsonl`"
        raise QuestionsError(f"{path} cannot be read: {reason.partition(';')[0]}", step) from error


def _object(line: str) -> Mapping[str, Any]:
    try:
        data = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"this is no JSON ({error.msg.lower()})") from error
    except RecursionError as error:
        raise ValueError("this is no JSON (too deep)") from error
    except ValueError as error:
        most = sys.get_int_max_str_digits()
        raise ValueError(f"a number has more than {most} digits") from error
    if not isinstance(data, dict):
        raise ValueError("this is no JSON object with an id, a question and what it expects")
    return data


def _question(data: Mapping[str, Any], line: int) -> Question:
    """Return what a line says; raises ValueError with what is wrong with it."""
    text = data.get("question")
    if not isinstance(text, str) or not text.strip():
        raise ValueError('there is no "question"')
    text = _whole(text)
    expected = data.get("expect")
    if not isinstance(expected, list):
        raise ValueError('"expect" must be a list; an empty one: the documents do not answer this')
    is_any = data.get("any", False)
    if not isinstance(is_any, bool):
        raise ValueError('"any" must be true or false')
    labels = [_label(one) for one in expected]
    good = tuple(label for label in labels if label.grade > 0)
    if labels and not good:
        raise ValueError('every "grade" is 0, so nothing is expected')
    return Question(_id(data, text), text.strip(), good, is_any, line)


def _id(data: Mapping[str, Any], question: str) -> str:
    """Return the question's id, or one made of its text where it has none."""
    given = data.get("id")
    if given is None:
        return blake2b(question.strip().encode(), digest_size=4).hexdigest()
    if not isinstance(given, str | int) or isinstance(given, bool) or not str(given).strip():
        raise ValueError('"id" must be a text or a number')
    return _whole(str(given))


def _label(data: Any) -> Label:
    if not isinstance(data, dict) or not isinstance(data.get("path"), str) or not data["path"]:
        raise ValueError('each entry of "expect" must be an object with a "path"')
    for name in set(data) - set(_PLACES):
        if near := get_close_matches(name, _PLACES, 1, 0.75):
            raise ValueError(f'"expect" knows no {name!r}; {near[0]!r} is meant, it seems')
    heading, grade = data.get("heading"), data.get("grade", 1)
    if heading is not None and not (isinstance(heading, str) and heading.strip()):
        raise ValueError('"heading" must be a text')
    if not isinstance(grade, int | float) or isinstance(grade, bool) or not 0 <= grade <= 100:
        raise ValueError('"grade" must be a number from 0 to 100')
    path = posixpath.normpath(_whole(data["path"]).replace("\\", "/"))
    chars, lines = _range(data, "chars", 0, 1), _range(data, "lines", 1, 0)
    return Label(path, chars, lines, heading and _whole(heading), float(grade))


def _range(data: Mapping[str, Any], name: str, least: int, width: int) -> tuple[int, int] | None:
    """Return a pair of numbers; raises ValueError unless they are that, and in order."""
    given = data.get(name)
    if given is None:
        return None
    numbers = list(_whole_numbers(given))
    if len(numbers) != 2 or numbers[0] < least or numbers[1] < numbers[0] + width:
        shape = "[start, end), from 0" if name == "chars" else "[first, last], from 1"
        raise ValueError(f'"{name}" must be {shape}, not {json.dumps(given)[:60]}')
    return numbers[0], numbers[1]


def _whole(text: str) -> str:
    """Return text with half surrogate pairs as U+FFFD.

    JSON can spell them, and no model, no terminal and no file takes them.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _whole_numbers(given: Any) -> Iterator[int]:
    for one in given if isinstance(given, list) else []:
        if isinstance(one, int) and not isinstance(one, bool):
            yield one
