"""What a conversation is about, and the search question that a follow-up makes with it."""

from __future__ import annotations

from collections.abc import Sequence

from askmd.conversation.grammar import EDGES, Language, Unspaced, pattern, plain, words_of
from askmd.conversation.languages import language_of
from askmd.types import AnswerRecord
from askmd.words import segmented

LONGEST_QUERY = 200
"""Characters of a search question made of two."""
MOST_WORDS = 10
"""Of a conversation, in a search question."""
_NEAR = 3
"""Words between an article and what it names."""


def matter_of(text: str, language: Language | None) -> list[str]:
    """Return the words of a text that name a matter, in order, as they are written."""
    hollow = language.hollow_words if language else frozenset[str]()
    return [
        word
        for word in words_of(text)
        if word.lower() not in hollow and len(word) > 1 and not word.isdigit()
    ]


def without(opening: str, text: str) -> str:
    """Return a text without what it begins with, if it does."""
    found = pattern(opening).match(text)
    return text[found.end() :] if found else text


def content_of(text: str, language: Language | Unspaced | None) -> list[str]:
    """Return the words of a text that do more than hold it together; pairs of unspaced scripts."""
    words = words_of(segmented(text, with_ends=False))
    small = language.function_words if isinstance(language, Language) else frozenset[str]()
    return [word for word in words if word.lower() not in small]


def names_thing(text: str, language: Language) -> bool:
    """Return whether a part of a sentence names what a pronoun after it may stand for."""
    matter = matter_of(text, language)
    if len(matter) > 1:
        return True
    words = words_of(text)
    articles = [place for place, word in enumerate(words) if word.lower() in language.article_words]
    return any(
        word in matter for place in articles for word in words[place + 1 : place + 1 + _NEAR]
    )


def joined(
    question: str, turns: Sequence[AnswerRecord], language: Language | Unspaced | None
) -> str:
    """Return the search question of a follow-up: the matter of the latest turns, then its own.

    At most ``LONGEST_QUERY`` characters, or as long as the question.
    """
    is_whole, asked = _asked(plain(question), language)
    room = LONGEST_QUERY - len(asked) - 2
    topic: list[str] = []
    for word in _topic_words(turns, told=words_of(question)):
        room -= len(word) + 1
        if room < 0:
            break
        topic.append(word)
    if not topic:
        return question
    return f"{' '.join(topic)}{': ' if is_whole else ' '}{asked}"


def _asked(own: str, language: Language | Unspaced | None) -> tuple[bool, str]:
    """Return whether a turn is a whole question, and what of it is searched for."""
    if not isinstance(language, Language):
        return language is not None, own
    opened = without(language.leads, without(language.openers, own.lstrip(EDGES)))
    if pattern(language.asks).match(opened):
        return True, opened
    return (False, opened.rstrip(EDGES)) if words_of(opened) else (True, own)


def _topic_words(turns: Sequence[AnswerRecord], *, told: Sequence[str]) -> list[str]:
    """Return what the latest turn is about that is about anything, without what is told anew."""
    said = {word.lower() for word in told}
    for turn in reversed(turns):
        words: dict[str, str] = {}
        for word in _matter_of_turn(turn):
            words.setdefault(word.lower(), word)
        fresh = [word for lowered, word in words.items() if lowered not in said]
        if fresh:
            return fresh[:MOST_WORDS]
    return []


def _matter_of_turn(turn: AnswerRecord) -> list[str]:
    """Return the words of a turn that say something: what it asked, then what it cites first."""
    cited = next((one.heading[-1] for one in turn.citations if one.heading), "")
    asked = _said_in(turn.search_query or turn.question)
    return [*asked[:MOST_WORDS], *_said_in(cited)]


def _said_in(text: str) -> list[str]:
    """Return the words of a text that do more than hold it together, as a reader sees them."""
    shown = plain(text).strip(EDGES)
    language = language_of(shown)
    if isinstance(language, Unspaced):
        return pattern(language.hollow).sub(" ", shown).split()
    small = language.function_words if language else frozenset[str]()
    return [word for word in words_of(shown) if word.lower() not in small and len(word) > 1]
