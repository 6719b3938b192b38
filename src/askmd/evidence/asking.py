"""What a question is about: its words without those that stand in questions about anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from askmd.words import Run, Script, is_unspaced, runs, segmented

_CLITIC = re.compile(r"[\u2019'](?:s|t|d|m|re|ve|ll)\b", re.IGNORECASE)

_COMMON = """
    a about after all also am an and any are aren as at be because been before being between both
    but by can cannot could couldn did didn do does doesn doing don done during each else ever for
    from get gets had has hasn have haven having he her here him his how i if in into is isn it its
    just let like may me might more most must my no nor not of off on once only or other our out
    over own please same shall she should shouldn so some such tell than that the their them then
    there these they this those through to too under until up us very was wasn we were weren what
    when where which while who whom whose why will with without won would wouldn you your
"""
_KOREAN = """
    가능 가지 것은 것이 경우 그것 그리 나요 되나 되는 되어 대한 대해 모든 무슨 방법 사용 수는
    수도 수를 알려 어떤 에서 없나 없는 없이 위한 위해 이것 인가 있게 있나 있는 있다 있어 있을
    있습 저는 주세 줄래 하게 하고 하기 하나 하는 하려 하면 하지 할까 합니 해서 해야 해주
"""
STOP_WORDS = frozenset(_COMMON.split())
"""English words that stand in questions about anything."""
_LONE = frozenset(
    "はがをにへとでもやかねよなの的了是在和吗呢吧与及我你有不就也都请은는이가을를의에도로와과만"
)
"""Particles of Japanese, Chinese and Korean, which stand alone beside a foreign word."""
_ASKING = re.compile(
    "(?:为|為)?(?:什么|什麼)(?:时候|時候)?|怎么样|怎么|怎麼|怎样|如何|何时|何時|为何|為何|"
    "哪(?:里|裡|儿|兒|些|个|個)|是否|多[少久长長大高快远遠]|可以|能否|[谁誰][会會]?|[的吗嗎呢]|"
    "[几幾](?!乎|何)[个個天次点點年种種位台份]?|何故|"
    "어떻게|무엇|어디|언제|누구|누가|얼마|며칠|몇|어느|"
    "ได้อย่างไร|อย่างไร|ยังไง|อะไร|ทำไม|ที่ไหน|แค่ไหน|เมื่อไหร่|เมื่อไร|เมื่อใด|เท่าไหร่|เท่าไร|ใคร|หรือไม่|"
    "กี่(?:วัน|ครั้ง|คน|เดือน|ปี)?"
)
"""What asks and says nothing by itself, in Chinese, Japanese, Korean and Thai."""
_STRETCH: dict[Script, int] = {
    "hiragana": 4, "katakana": 4, "bopomofo": 4, "thai": 4, "lao": 4, "khmer": 3, "myanmar": 3,
}  # fmt: skip
"""How many letters of a script without spaces are as good as a word: fewer occur by chance."""
_HOLLOW = frozenset(_KOREAN.split())
"""How Korean words begin that stand in questions about anything."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What in the documents would show that they speak of a question."""

    words: tuple[str, ...]
    """Each is enough; so is a stretch of a script whose letters are sounds."""
    pairs: tuple[str, ...]
    """Of Chinese and Korean characters. One of ten occurs by chance: they count together."""


def content_words(question: str) -> list[str]:
    """Return what a question is about: lower-cased words in order, each once, no stop words.

    An identifier such as ``ERR_CONN_RESET``, ``--no-cache`` or ``v1.2.3`` stands whole, followed by
    its parts of two characters and more that hold a letter. What is written without spaces stands
    in the pairs that ``words.segmented`` makes.
    """
    text = segmented(_CLITIC.sub("", question), with_ends=False)
    token, part = _patterns("".join(sorted(set(filter(_is_mark, text)))))
    words: dict[str, None] = {}
    for found in token.findall(text):
        word = found.lower()
        if word not in STOP_WORDS and word not in _LONE:
            words[word] = None
            words.update(dict.fromkeys(_parts(word, part)))
    return list(words)


def signs(question: str) -> Signs:
    """Return what to look for in the documents before a question is worth an answer."""
    words = [word for word in content_words(question) if not is_unspaced(word)]
    found = [run for run in runs(_ASKING.sub(" ", question)) if _text(run) not in _LONE]
    # Between Chinese characters hiragana says how words belong together, and little else.
    said = [run for run in found if run.script != "hiragana"] or ([] if words else found)
    pairs: list[str] = []
    for run in said:
        if run.script in _STRETCH:
            words += _stretches(run, _STRETCH[run.script])
        else:
            pairs += _stretches(run, 2)
            if run.script == "hangul" and len(run.characters) > 1:
                words += {_text(run)[:2]} - _HOLLOW
    return Signs(tuple(dict.fromkeys(words)), tuple(dict.fromkeys(pairs)))


def _text(run: Run) -> str:
    return "".join(run.characters)


def _stretches(run: Run, length: int) -> Iterator[str]:
    """Yield what stands in each window of so many characters; all of a shorter run."""
    for start in range(max(1, len(run.characters) - length + 1)):
        yield "".join(run.characters[start : start + length])


def _is_mark(char: str) -> bool:
    return unicodedata.category(char).startswith("M")


@lru_cache(maxsize=64)
def _patterns(marks: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what matches a token and a part of one, whose letters may carry these marks."""
    word = rf"\w[\w{marks}]*"
    token = rf"(?:(?<![\w-])-{{1,2}}(?=\w))?{word}(?:[-.:/@+]+{word})*(?:\+\+|#)?"
    return re.compile(token), re.compile(rf"[^\W_](?:[^\W_]|[{marks}])*" if marks else r"[^\W_]+")


def _parts(word: str, part: re.Pattern[str]) -> list[str]:
    """Return the parts of an identifier that say something by themselves; none of a plain word."""
    if part.fullmatch(word):
        return []
    return [
        found
        for found in part.findall(word)
        if len(found) > 1 and not found.isdigit() and found not in STOP_WORDS
    ]
