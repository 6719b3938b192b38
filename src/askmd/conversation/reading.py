"""What a question means after those before it, by rule: alone, a follow-up, about the answer.

The rules know a language by its small words. Where they are sure that a question stands alone or is
about the answer, nobody else is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from askmd.conversation import topics
from askmd.conversation.english import ENGLISH
from askmd.conversation.grammar import EDGES, Language, Unspaced, pattern, plain, words_of
from askmd.conversation.languages import language_of
from askmd.conversation.others import SPACED
from askmd.types import AnswerRecord

Kind = Literal["alone", "follow_up", "about_answer", "unsure"]
"""Of a question: whether it needs the conversation to be understood."""

LONGEST_FOLLOW_UP = 160
"""Characters: who writes more says what it is about."""
LONGEST_FRAGMENT = 6
"""Words of a turn that is no whole sentence and goes on from the one before."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a question is meant, and what to search for it."""

    kind: Kind
    query: str
    """The search question: the question itself, character for character, where it stands alone;
    of a turn about the answer what was searched for that answer."""


def read(question: str, turns: Sequence[AnswerRecord]) -> Reading:
    """Return how a question is meant after the turns before it, oldest first."""
    kind = kind_of(question) if turns else "alone"
    if kind == "alone":
        return Reading(kind, question)
    if kind == "about_answer":
        return Reading(kind, last_query(question, turns))
    return Reading(kind, topics.joined(question, turns, language_of(plain(question))))


def last_query(question: str, turns: Sequence[AnswerRecord]) -> str:
    """Return what was searched for the last answer; the question itself where nothing was."""
    return turns[-1].search_query.strip() or turns[-1].question.strip() or question


def kind_of(question: str) -> Kind:
    """Return how a question is meant that others came before, as far as its own words tell."""
    if len(question) > LONGEST_FOLLOW_UP:
        return "alone"
    language = language_of(plain(question))
    text = plain(question).strip(EDGES)
    if not text:
        return "alone"
    if isinstance(language, Unspaced):
        return _unspaced_kind(text, language)
    if any(_is_about_answer(text, one) for one in (ENGLISH, *SPACED)):
        return "about_answer"
    if language is None:
        return "unsure" if len(words_of(text)) <= (2 if text.isascii() else 3) else "alone"
    return _spaced_kind(text, language)


def _is_about_answer(text: str, language: Language) -> bool:
    if pattern(language.remarks).fullmatch(text):
        return True
    words = {word.lower() for word in words_of(text)}
    return words <= language.beside_words and not words.isdisjoint(language.form_words)


def _unspaced_kind(text: str, language: Unspaced) -> Kind:
    about = pattern(language.forms)
    left = pattern(language.beside).sub("", about.sub("", text))
    if about.search(text) and not words_of(left):
        return "about_answer"
    if pattern(language.ties).search(text):
        return "follow_up"
    if not words_of(pattern(language.hollow).sub("", text)):
        return "follow_up"
    return "unsure" if len(text) <= 4 else "alone"


def _spaced_kind(text: str, language: Language) -> Kind:
    if pattern(language.ties).search(text) or _points_back(text, language):
        return "follow_up"
    rest = topics.without(language.leads, text)
    is_led = rest != text
    matter = topics.matter_of(rest, language)
    if not matter:
        # A number may be a matter of its own: "error 502".
        has_number = any(word.isdigit() and len(word) > 2 for word in words_of(rest))
        return "unsure" if has_number and not is_led else "follow_up"
    if pattern(language.asks).match(rest):
        return _whole_kind(rest, language, is_led=is_led, is_narrow=len(matter) < 2)
    return _piece_kind(rest, language, is_led=is_led)


def _whole_kind(rest: str, language: Language, *, is_led: bool, is_narrow: bool) -> Kind:
    """Return how a whole question is meant that points nowhere."""
    if not is_narrow:
        return "alone"
    if is_led:
        return "follow_up"
    return "unsure" if pattern(language.elliptic).fullmatch(rest) else "alone"


def _piece_kind(rest: str, language: Language, *, is_led: bool) -> Kind:
    """Return how a turn is meant that is no whole question."""
    words = words_of(rest)
    if any(pattern(language.asks).fullmatch(word) for word in words[1:]):
        return "alone"
    is_fragment = is_led or pattern(language.fragments).match(rest) is not None
    if is_fragment and len(words) <= LONGEST_FRAGMENT:
        return "follow_up"
    return "unsure" if len(words) <= 2 else "alone"


def _points_back(text: str, language: Language) -> bool:
    """Return whether something in a question points to what stands nowhere in it."""
    text = pattern(language.expletives).sub(lambda found: " " * len(found[0]), text)
    pointer = pattern(language.pointers).search(text)
    if pointer is None:
        return False
    before = text[: pointer.start()]
    ends = [found.start() for found in pattern(language.clauses).finditer(before)]
    return not (ends and topics.names_thing(before[: ends[-1]], language))
