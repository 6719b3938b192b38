"""A heading, below its title → the question that a reader of the section might have asked.

In English by rule: how-to headings, gerunds, headings that are questions, and names of things. In
any other language the title and the heading stand beside each other.
"""

import re
from collections.abc import Sequence

from askmd.evidence import STOP_WORDS, content_words
from askmd.words import segmented

COPIED_RUN = 5
"""Words in a row that a question may not take from its passage."""
COPIED_SHARE = 0.75
"""Of a question's content words, at most, that stand in its passage."""

GENERIC = frozenset(
    line.strip()
    for line in """
    about, about this guide, acknowledgements, additional resources, appendix, authors, background,
    best practices, caveats, changelog, conclusion, contents, contributing, credits, definition,
    description, details, documentation, example, examples, faq, further information,
    further reading, general, getting started, getting help, glossary, help, history, important,
    index, introduction, learn more, license, licence, limitations, links, miscellaneous, more,
    more information, motivation, next steps, note, notes, options, other, output, overview,
    parameters, preface, prerequisites, quick start, quickstart, readme, recap, reference,
    references, related, related topics, release notes, remarks, requirements, resources, result,
    results, return value, returns, see also, sources, status, summary, support, syntax,
    table of contents, thanks, tips, todo, troubleshooting, usage, use cases, version, versions,
    warning, what's next, what is next, where to go next
    """.replace("\n", " ").split(",")
)
"""Headings that say nothing of what stands below them."""

_TO_DO = """
    accept add adjust allow apply assign attach authenticate avoid begin bind bring calculate cancel
    choose clean clear clone collect combine compare compile configure connect convert create
    customize customise debug declare decide define delete deploy describe detach detect determine
    diagnose disable download edit embed enable encrypt ensure evaluate execute expose extend
    extract find fix generate get give handle identify implement improve include initialize
    initialise inspect install integrate invite join keep launch load make manage measure merge
    migrate modify move obtain open optimize optimise override pass prepare prevent provide publish
    pull push put reduce register reload remove rename renew replace reproduce require reset resolve
    restart restore restrict retrieve revert revoke roll rotate save scale schedule secure select
    send serve share simplify specify split submit subscribe switch sync tell test transfer
    troubleshoot tune understand uninstall unlock update upgrade upload validate verify wait
"""
_MAYBE_TO_DO = """
    access archive ask backup batch benchmark block boot branch build cache call change check close
    commit control copy delay design document draft export filter format group host import label
    lint list log map model monitor name notice order package plan process profile query read record
    release report request run search set sign sort start stop store stream support tag target test
    trace track turn use view watch work wrap write
"""
_AFTER = """
    a an the your my our its it them this that these those all any each every some something one
    two both into to with from on off up in out over for by at as multiple several what which when
    whether new first only more against between after before without
"""
_VERBS = frozenset(_TO_DO.split())
_MAYBE_VERBS = frozenset(_MAYBE_TO_DO.split())
"""As often a noun: what follows decides."""
_AFTER_VERB = frozenset(_AFTER.split())
_ASKS = re.compile(r"(?:what|where|why|how|which|who|whether)\b", re.IGNORECASE)
_CASE = re.compile(r"(?:when|if)\b", re.IGNORECASE)
_NUMBERING = re.compile(r"(?:step\s+\d{1,3}\s*[.:)]?|\d{1,3}(?:\.\d{1,3})*[.)])\s+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"v?\d")
_ENGLISH_SHARE = 0.12
_SAMPLE = 5000


def question_of(path: Sequence[str], text: str, *, is_english: bool) -> str | None:
    """Return the question a section answers; None where its heading does not say enough.

    path: what the question is to be placed by, then the heading. text: of its document.
    """
    heading = _NUMBERING.sub("", path[-1], count=1).strip().rstrip(".:")
    if is_generic(heading):
        return None
    above = path[0] if len(path) > 1 else ""
    if not is_english:
        return f"{above}: {heading}?" if above else f"{heading.rstrip('?')}?"
    asked = _asked(heading, text) or _how_to(heading)
    if asked is None:
        name = _lowered(heading, text)
        return f"{above}: what about {name}?" if above else f"What is known about {name}?"
    if above and len(content_words(heading)) < 3:
        return f"{above}: {asked[0].lower()}{asked[1:]}"
    return asked


def is_generic(heading: str) -> bool:
    """Whether a heading says nothing of its section: a common one, a number, a letter."""
    said = [word for word in content_words(heading) if len(word) > 1 and not _NUMBER.match(word)]
    return not said or heading.casefold().strip(" .:!?") in GENERIC


def copied(question: str, text: str) -> bool:
    """Whether a question has so many words in a row from a text."""
    asked, told = _words(question), _words(text)
    runs = {tuple(told[at : at + COPIED_RUN]) for at in range(len(told) - COPIED_RUN + 1)}
    return any(
        tuple(asked[at : at + COPIED_RUN]) in runs for at in range(len(asked) - COPIED_RUN + 1)
    )


def copied_share(question: str, text: str) -> float:
    """Return the share of a question's content words that a text has too."""
    asked = content_words(question)
    known = set(content_words(text))
    return sum(word in known for word in asked) / len(asked) if asked else 1.0


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(segmented(text))]


def _asked(heading: str, text: str) -> str | None:
    """Return the question that a heading asks, or all but asks."""
    lowered = _lowered(heading, text)
    if heading.endswith("?"):
        return heading
    if heading.casefold().startswith("how to "):
        return f"How do I {heading[7:]}?"
    if _ASKS.match(heading):
        return f"Can you tell me {lowered[0].lower()}{lowered[1:]}?"
    if _CASE.match(heading):
        return f"What do I do {lowered[0].lower()}{lowered[1:]}?"
    return None


def _how_to(heading: str) -> str | None:
    """Return "How do I ...?" for a heading that begins with what is to be done."""
    first, *rest = heading.split()
    # A gerund that stands alone is a name: Logging, Testing.
    word = (_BASE_FORMS.get(first.casefold()) if rest else None) or first.casefold()
    follows = rest[0].casefold() if rest else ""
    is_done = word in _VERBS or (word in _MAYBE_VERBS and follows in _AFTER_VERB)
    return f"How do I {' '.join([word, *rest])}?" if is_done else None


def _lowered(heading: str, text: str) -> str:
    """Return a heading as it stands inside a sentence: a name keeps its capital.

    What the text writes small somewhere, or is a common word, is no name.
    """
    first = heading.split()[0]
    small = first[:1].lower() + first[1:]
    is_word = (first[:1].isupper() and first[1:].islower()) or len(first) == 1
    is_common = small in STOP_WORDS or re.search(rf"\b{re.escape(small)}\b", text) is not None
    return small + heading[len(first) :] if is_word and is_common else heading


def is_english(text: str) -> bool:
    """Whether a text has as many of the commonest English words as English has beside code."""
    words = [word.lower() for word in _WORD.findall(text[:_SAMPLE])]
    common = sum(word in STOP_WORDS for word in words)
    return bool(words) and common >= _ENGLISH_SHARE * len(words)


def _gerunds(verb: str) -> set[str]:
    """Return how a verb may be spelled with -ing."""
    stem = verb.removesuffix("e") if not verb.endswith("ee") else verb
    return {f"{stem}ing", f"{verb}{verb[-1]}ing"}


_BASE_FORMS = {gerund: verb for verb in _VERBS | _MAYBE_VERBS for gerund in _gerunds(verb)}
