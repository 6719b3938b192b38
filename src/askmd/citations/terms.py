"""A text → the words it is about, stemmed, with what each weighs.

A word is compared by its stem: English endings are taken off, and those of related languages as far
as they are alike. What is written without spaces stands in the pairs that ``words`` makes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from askmd.citations.vocabulary import FUNCTION_WORDS, NUMBERS, TALK
from askmd.words import is_unspaced, segmented

NUMBER, IDENTIFIER, WORD, SHORT, PAIR = 3.0, 2.0, 1.0, 0.5, 0.4
"""What a term weighs by its kind, before its rarity. A changed number is what an invention most
often is; of the pairs of an unspaced script half span two words."""

_ATOM = re.compile(r"\d+(?:[.,:]\d+)*+|[^\W\d_]+")
_WHOLE = re.compile(r"`[^`\s]{1,200}+`|[^\W_](?:[\w'\u2019]|[-./:@+](?=\w)|(?<=\d),(?=\d))*+")
_LABEL = re.compile(r"(?:step|option|method|part|phase|schritt)\s\d+\W", re.IGNORECASE)
# What models put before a list item's text in words of their own.
_TITLE = re.compile(r"\W*\*\*[^*\n]{1,80}+\*\*")
_FOLLOWS = re.compile(r"[^\W\d_A-Z] |, ")
_NAME = re.compile(r"[A-Z\u00c0-\u00de][^\W\d_]{2,}")
_CLITIC = re.compile(r"['\u2019](?:s|t|d|m|re|ve|ll)\b", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_IDENTIFIER = re.compile(r"[\d_`.@+]|::|[a-z][A-Z]")
_SUFFIX = re.compile(
    r"(?:i[sz]ations?|i[sz]ing|i[sz]e[drs]?|ations?|ating|ators?|ated?|ates|ements?|ments?|ings?|"
    r"ness|ities|ity|ally|ously|ively|ily|ly|iers?|iest|ied|ies|ers?|ors?|ed|ions?|"
    r"ives?|ive|able|ible|als?|en|em|es|e|s|y|n)$"
)
_EMPTY = FUNCTION_WORDS | TALK
_LEAST_STEM = 3
_LONG_WORD = re.compile(r"(?<=[^\W\d_A-Z] )[^\W\d_]{4,}")
_CAPITALISED = re.compile(r"(?<=[^\W\d_A-Z] )[A-Z\u00c0-\u00de][^\W\d_]{3,}")
MOST_CAPITALS = 0.25
"""Of the longer words in mid-sentence: in German every third is a noun."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing a sentence speaks of."""

    stems: tuple[str, ...]
    """All of which must stand in a text that holds it."""
    weight: float
    is_exact: bool = False
    """A number or an identifier: whoever has it wrong has made it up."""
    is_name: bool = False
    """Capitalised in mid-sentence: a name, where a language does not write all nouns so."""


def terms(text: str) -> list[Term]:
    """Return what a sentence is about, each once, in order; function words left out."""
    found: dict[tuple[str, ...], Term] = {}
    said = _LABEL.sub(" ", segmented(_CLITIC.sub("", text)))
    title = _TITLE.match(said)
    for whole in _WHOLE.finditer(said):
        is_titled = title is not None and whole.end() <= title.end()
        follows = not is_titled and _FOLLOWS.match(said, max(0, whole.start() - 2)) is not None
        term = _term(whole[0], follows)
        if term and term.stems not in found:
            found[term.stems] = term
    return list(found.values())


def stems_in(text: str) -> set[str]:
    """Return the stems of all words of a text, and each small number in digits too."""
    words = set(_ATOM.findall(segmented(_CLITIC.sub("", text)).casefold()))
    return {_stem(word) for word in words} | {NUMBERS[word] for word in words if word in NUMBERS}


def marks_names(text: str) -> bool:
    """Tell whether a capital in mid-sentence is the mark of a name; in German it is not."""
    words = len(_LONG_WORD.findall(text))
    return words > 0 and len(_CAPITALISED.findall(text)) / words < MOST_CAPITALS


def _term(whole: str, follows: bool) -> Term | None:
    """Return what a word or identifier stands for; ``follows``: other words of its sentence."""
    atoms = _ATOM.findall(whole.casefold())
    if not atoms or (len(atoms) == 1 and atoms[0] in _EMPTY):
        return None
    stems = tuple(dict.fromkeys(_stem(NUMBERS.get(atom, atom)) for atom in atoms))
    weight = _weight(whole, atoms)
    is_name = follows and len(atoms) == 1 and _NAME.fullmatch(whole) is not None
    return Term(stems, weight, weight in (NUMBER, IDENTIFIER), is_name)


def _weight(whole: str, atoms: list[str]) -> float:
    if is_unspaced(whole):
        return PAIR
    if all(atom[0].isdigit() for atom in atoms):
        return NUMBER
    if _IDENTIFIER.search(whole) and len(max(atoms, key=len)) > 1:
        return IDENTIFIER
    return SHORT if len(whole) <= 3 else WORD


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    """Return a word without its ending; a number without the commas that group it."""
    if word[0].isdigit():
        return word.replace(",", "") if _GROUPED.fullmatch(word) else word
    stem = word
    for _ in range(2):
        shorter = _SUFFIX.sub("", stem)
        if len(shorter) < _LEAST_STEM or not shorter.isalpha():
            break
        stem = shorter
    doubled = len(stem) > _LEAST_STEM and stem[-1] == stem[-2]
    return stem[:-1] if doubled else stem
