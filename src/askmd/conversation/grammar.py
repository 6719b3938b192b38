"""How questions of one language lean on what was said before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

_WORD = re.compile(r"[\w+#]+(?:[-.:/@=][\w+#]+)*")
_APOSTROPHE = re.compile("[\u2018\u2019\u02bc]")
EDGES = " \t\u00bf\u00a1?!.\u2026,;:\"'()\u201c\u201d\u00ab\u00bb\uff1f\uff01\u3002\u3001\uff0c"
"""What may stand around a turn and says nothing."""
NEVER = r"(?!)"
"""A regular expression that matches nothing."""


def plain(text: str) -> str:
    """Return text on one line with straight apostrophes."""
    return " ".join(_APOSTROPHE.sub("'", text).split())


@lru_cache(maxsize=256)
def pattern(expression: str) -> re.Pattern[str]:
    """Return a regular expression that does not look at case, compiled at its first use."""
    return re.compile(expression, re.IGNORECASE)


def words_of(text: str) -> list[str]:
    """Return the words of a text as they stand; ``it's`` is two, ``nginx.conf`` one."""
    return _WORD.findall(text)


@dataclass(frozen=True)
class Language:
    """The words and turns of phrase by which a question leans on what was said.

    Lists of words are written with blanks between them, the rest are regular expressions that do
    not look at case.
    """

    name: str
    function: str
    """Words that hold sentences together or ask; a language is known by them."""
    forms: str
    """What is said of an answer's form; each is a sign that the answer is meant."""
    beside: str
    """What may stand beside those; with any other word a question has a matter of its own."""
    remarks: str
    """Whole turns about the answer."""
    letters: str = NEVER
    """Which hardly another language writes."""
    hollow: str = ""
    """Words that name no matter: ``restart``, ``default``, ``often``."""
    leads: str = NEVER
    """How a turn begins that goes on from the one before, unless it has a matter of its own."""
    openers: str = NEVER
    """What is left out of a search question at its beginning, where it is more than the lead."""
    ties: str = NEVER
    """What shows anywhere that a turn goes on from the one before."""
    expletives: str = NEVER
    """Pronouns that stand for nothing."""
    pointers: str = NEVER
    """What points to something named before, in the same question or in an earlier one."""
    clauses: str = r"[,;:.]\s"
    """Where one part of a sentence ends: what stands before may be what a pointer means."""
    articles: str = ""
    asks: str = NEVER
    """How a whole question begins."""
    fragments: str = NEVER
    """How a piece of a sentence begins."""
    elliptic: str = NEVER
    """Whole questions whose verb lacks what it is done to: they may or may not go on."""

    @cached_property
    def function_words(self) -> frozenset[str]:
        """Return the words that hold sentences together."""
        return frozenset(self.function.split())

    @cached_property
    def hollow_words(self) -> frozenset[str]:
        """Return the words that name no matter, those that hold sentences together among them."""
        return self.function_words | frozenset(self.hollow.split())

    @cached_property
    def form_words(self) -> frozenset[str]:
        """Return the words that are said of an answer's form."""
        return frozenset(self.forms.split())

    @cached_property
    def beside_words(self) -> frozenset[str]:
        """Return every word that may stand in a turn about the answer."""
        return self.form_words | frozenset(self.beside.split())

    @cached_property
    def article_words(self) -> frozenset[str]:
        """Return the words that begin the name of a thing."""
        return frozenset(self.articles.split())

    def signs_in(self, text: str) -> int:
        """Return how much in a text speaks for this language: its words, its letters."""
        words = [word.lower() for word in words_of(text)]
        known = sum(word in self.hollow_words or word in self.form_words for word in words)
        return known + (pattern(self.letters).search(text) is not None)


@dataclass(frozen=True)
class Unspaced:
    """The same for a language that is written without spaces: regular expressions alone."""

    name: str
    letters: str
    """By which it is known."""
    hollow: str
    """What asks or holds a sentence together, and names no matter."""
    ties: str
    forms: str
    beside: str
