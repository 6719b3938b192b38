"""Text as word search reads it: scripts without spaces in pairs, letters as people type them.

Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese become overlapping pairs of characters, as
Lucene's CJKBigramFilter makes them; in the scripts of South East Asia a character is a letter with
its marks. Full-width Latin becomes plain (Lucene's CJKWidthFilter; Unicode's NFKC), and accents
that their own writers leave out go, as in Lucene's filters for Greek, Arabic and Russian, and
Arabic and Persian letters that are typed one for the other are one. What is
encoded and not written, such as an image in base64, is left out. The rest stays as it is, letters
and their accents composed (NFC).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

Script = Literal[
    "han", "hangul", "hiragana", "katakana", "bopomofo", "thai", "lao", "khmer", "myanmar"
]
LONGEST_WORD = 200
"""Characters of base64 without a blank that are no word any more."""

# The insides of character classes.
_EAST: dict[Script, str] = {
    "han": "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U000323af",
    "hangul": "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb",
    "hiragana": "\u3041-\u309f\U0001b001-\U0001b11f\U0001b132-\U0001b152",
    # With the prolonged sound mark, which hiragana borrows.
    "katakana": "\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b000"
    "\U0001b120-\U0001b122\U0001b155-\U0001b167",
    "bopomofo": "\u3105-\u312f\u31a0-\u31bf",
}
_SOUTH_EAST: dict[Script, str] = {
    "thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "lao": "\u0e81-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf",
    "khmer": "\u1780-\u17d3\u17d7\u17dc\u17dd",
    "myanmar": "\u1000-\u103f\u1050-\u108f\u109a-\u109d\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f",
}
_MARKS = (
    "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u17b4-\u17d3\u17dd"
    "\u102b-\u103e\u1056-\u1059\u105e-\u1060\u1062-\u1064\u1067-\u106d\u1071-\u1074\u1082-\u108d"
    "\u108f\u109a-\u109d\uaa7b-\uaa7d"
)
_ALL_EAST = "".join(_EAST.values())
_ALL = _ALL_EAST + "".join(_SOUTH_EAST.values())

# Greek's accents, Russian's two dots, the points of Hebrew and Arabic, the stroke that fills an
# Arabic line, and what chooses a variant of a Chinese character.
_UNTYPED = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u0655\u0670"
_UNTYPED += "\ufe00-\ufe0e\U000e0100-\U000e01ef"
# Arabic's and Persian's letters that are typed one for the other, and Persian's join inside a word.
_ALIKE = str.maketrans("أإآٱىیةۀک", "ااااييههك")
_JOINED = re.compile("(?<=[\u0620-\u06ff])\u200c+(?=[\u0620-\u06ff])")
_ARABIC = re.compile("[\u0620-\u06ff]")

_BLOB = re.compile(
    r"data:[^\s,]{0,200}?;base64,[A-Za-z0-9+/=]*+"
    rf"|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{{{LONGEST_WORD},}}+=*+"
)


# Large patterns take their time to compile, and plain Latin text needs none of these.
@cache
def _cluster() -> re.Pattern[str]:
    # Khmer's and Burmese's stackers put the next letter below: it belongs to the one above.
    return re.compile(f".(?:[{_MARKS}]|(?<=[\u17d2\u1039]).)*+", re.DOTALL)


@cache
def _run() -> re.Pattern[str]:
    return re.compile(f"(?P<east>[{_ALL_EAST}]+)|[" + "]+|[".join(_SOUTH_EAST.values()) + "]+")


@cache
def _run_of_one_script() -> re.Pattern[str]:
    scripts = (_EAST | _SOUTH_EAST).items()
    return re.compile("|".join(f"(?P<{name}>[{inside}]+)" for name, inside in scripts))


@cache
def _unspaced() -> re.Pattern[str]:
    # Full- and half-width forms, and words in one square, may stand for any script.
    return re.compile(f"[{_ALL}\u3200-\u33ff\uff01-\uffee]+")


@cache
def _pointed() -> re.Pattern[str]:
    return re.compile(
        "[\u0386\u0388-\u0390\u03aa-\u03b0\u03ca-\u03ce\u1f00-\u1fff\u0400\u0401\u0450\u0451"
        f"{_UNTYPED}]+"
    )


@cache
def _points() -> re.Pattern[str]:
    return re.compile(f"[\u0300-\u036f{_UNTYPED}]+")


@dataclass(frozen=True, slots=True)
class Run:
    """What stands in a text without a blank, in one script that uses none."""

    script: Script
    characters: tuple[str, ...]
    """Letters with their marks."""


def segmented(text: str, *, with_ends: bool = True) -> str:
    """Return a text whose words the index's tokenizer can tell apart; most are returned as given.

    with_ends: also the last character of each run alone, so that each character of an indexed text
    begins some word and one that is asked for alone is found. A question goes without.
    """
    if _may_hold_blob(text):
        text = _BLOB.sub(" ", text)
    if text.isascii():
        return text
    text = _as_typed(text)
    if not _unspaced().search(text):
        return text

    def pairs(run: re.Match[str]) -> str:
        return f" {_paired(_characters(run), with_ends)} "

    return _unspaced().sub(lambda found: _run().sub(pairs, _normal(found[0])), text)


def runs(text: str) -> Iterator[Run]:
    """Yield the runs of scripts without spaces, in order, each in one script."""
    if text.isascii():
        return
    for found in _unspaced().findall(_as_typed(text)):
        for run in _run_of_one_script().finditer(_normal(found)):
            script: Script = run.lastgroup  # type: ignore[assignment]
            inside = run[0] if script in _EAST else _cluster().findall(run[0])
            yield Run(script, tuple(inside))


def is_unspaced(term: str) -> bool:
    """Return whether a term is of a script without spaces, as far as its first character says."""
    return not term.isascii() and _run().match(term) is not None


def is_lone(term: str) -> bool:
    """Return whether a term is a single character of a script without spaces."""
    run = None if term.isascii() else _run().fullmatch(term)
    return run is not None and len(_characters(run)) == 1


def _may_hold_blob(text: str) -> bool:
    return ";base64," in text or max(map(len, text.split()), default=0) >= LONGEST_WORD


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _as_typed(text: str) -> str:
    """Return composed text in the spelling that its writers share."""
    text = _pointed().sub(_unpointed, unicodedata.normalize("NFC", text))
    return _JOINED.sub("", text).translate(_ALIKE) if _ARABIC.search(text) else text


def _unpointed(found: re.Match[str]) -> str:
    return _points().sub("", unicodedata.normalize("NFD", found[0]))


def _characters(run: re.Match[str]) -> str | list[str]:
    return run[0] if run.lastgroup else _cluster().findall(run[0])


def _paired(characters: str | list[str], with_ends: bool) -> str:
    if len(characters) == 1:
        return characters[0]
    pairs = [one + other for one, other in pairwise(characters)]
    return " ".join([*pairs, characters[-1]] if with_ends else pairs)
