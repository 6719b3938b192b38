"""Whether a sentence is in the language of the passages; in another one its words prove nothing.

Languages are told by their scripts, and those of the Latin script by their function words. It is
cheap and errs to the side of the same language: what is not told apart is compared as ever.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from askmd.citations.vocabulary import FUNCTION_WORDS_OF

LEAST_HITS = 2
"""Function words of another language, before a sentence can be in it."""
AS_MANY = 2
"""Times the function words of the passages' own language that those must be."""
LEAST_SHARE = 0.5
"""Of a passage's most frequent language, for another one to be one of its own."""
LEAST_OWN_LETTERS = 0.1
"""Of a sentence's letters, for a script to be its own."""
LEAST_LETTERS = 6
_SYLLABLES = 3
"""What a sign counts in scripts that write a word in two."""
_WORD = re.compile(r"[^\W\d_]+")
_SET_APART = re.compile(
    r"`[^`\n]{1,300}+`|[\"\u201c\u201e\u00ab][^\"\u201c\u201d\u00bb\n]{1,300}+[\"\u201c\u201d\u00bb]|"
    r"(?<![\w./@-])[\w-]{0,60}+[\d_./@][\w./@-]*+"
)
_LATIN = "LATIN"


@dataclass(frozen=True, slots=True)
class Tongue:
    """What a text shows of its language."""

    hits: Mapping[str, int]
    """By language, how many of its function words there are."""
    scripts: Mapping[str, int]
    """By script, how many letters."""

    def is_of(self, script: str) -> bool:
        """Tell whether a fair share of the letters is of a script."""
        return self.scripts.get(script, 0) >= LEAST_OWN_LETTERS * sum(self.scripts.values())


class Languages:
    """The languages of the passages that were sent, and of an answer to them."""

    def __init__(self, passages: Mapping[int, str], answer: Sequence[str]) -> None:
        """Read the passages by number, and the sentences of an answer."""
        self._tongues = {number: tongue(text) for number, text in passages.items()}
        self._own = {number: _own(one) for number, one in self._tongues.items()}
        whole: Counter[str] = Counter()
        for text in answer:
            whole.update(tongue(text).hits)
        self._answer = whole

    def is_foreign(self, sentence: str, numbers: Iterable[int]) -> bool:
        """Tell whether a sentence is in another language than the passages of some numbers."""
        known = [number for number in numbers if number in self._own]
        said = tongue(sentence)
        if not known or not said.scripts:
            return False
        if self._is_of_other_script(said, known):
            return True
        own = {language for number in known for language in self._own[number]}
        if not own:
            return False
        home, away = _home_and_away(said.hits, own)
        if away >= LEAST_HITS and away >= AS_MANY * home:
            return True
        # A short sentence is in the language of the others.
        whole_home, whole_away = _home_and_away(self._answer, own)
        return whole_away >= max(LEAST_HITS, AS_MANY * whole_home) and home <= away

    def _is_of_other_script(self, said: Tongue, known: Sequence[int]) -> bool:
        letters = sum(said.scripts.values())
        scripts = {one for number in known for one in _main_scripts(self._tongues[number])}
        return letters >= LEAST_LETTERS and bool(scripts) and not any(map(said.is_of, scripts))


def tongue(text: str) -> Tongue:
    """Return what a text shows of its language, its code, quotations and numbers left out."""
    plain = _SET_APART.sub(" ", text.casefold())
    words = Counter(_WORD.findall(plain))
    hits = {
        language: sum(count for word, count in words.items() if word in known)
        for language, known in FUNCTION_WORDS_OF.items()
    }
    scripts: Counter[str] = Counter()
    for char, count in Counter(plain).items():
        if char.isalpha():
            script = _script(char)
            scripts[script] += count * (_SYLLABLES if script in ("CJK", "KANA", "HANGUL") else 1)
    return Tongue(hits, scripts)


@lru_cache(maxsize=20_000)
def _script(char: str) -> str:
    name = unicodedata.name(char, "UNNAMED").partition(" ")[0]
    return "KANA" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else name


def _own(passage: Tongue) -> frozenset[str]:
    """Return the languages of a passage in the Latin script; none where too little tells."""
    most = max(passage.hits.values())
    if _LATIN not in _main_scripts(passage) or most < LEAST_HITS:
        return frozenset()
    return frozenset(one for one, hits in passage.hits.items() if hits >= LEAST_SHARE * most)


def _main_scripts(passage: Tongue) -> list[str]:
    """Return the scripts of a passage; the Latin one beside others is that of its names and code.

    Of Japanese only its own signs count: it has the Chinese ones too.
    """
    found = [script for script in passage.scripts if passage.is_of(script)]
    if "KANA" in found:
        return ["KANA"]
    return [one for one in found if one != _LATIN] or found


def _home_and_away(hits: Mapping[str, int], own: Iterable[str]) -> tuple[int, int]:
    """Return the most function words of the passages' languages, and of any other."""
    languages = set(own)
    home = max(hits.get(one, 0) for one in languages)
    return home, max((n for one, n in hits.items() if one not in languages), default=0)
