"""What an answer puts in quotation marks is looked up, word for word, in what was sent."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.citations import check, citations_of
from askmd.types import Passage, Quote

LIMITS = (
    "**Raise** the limit with `max_requests`,\n> or ask [the admins](https://x.y/z) \u2013 "
    "they\u2019re\nquick. The default is 100 requests \u201cper minute\u201d.\n"
    "\n| key | meaning |\n|---|---|\n| `burst` | how many at once |\n"
)
TOKENS = "Tokens expire after 3.5 hours. Renew them in the console, as often as you like."
SERVICE = "\u91cd\u542f\u670d\u52a1\u9700\u8981\u7ba1\u7406\u5458\u6743\u9650\u3002"
PIECES = [
    *"\"'\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb\u300c\u300d`*_>.!?\u3002:\n \t|#-[]()1",
    *(
        "[1]",
        "[2]",
        "\n\n",
        "```",
        "    ",
        "- ",
        "1. ",
        "...",
        "\u2026",
        "e.g. ",
        "the limit",
        "word ",
    ),
    *(
        "> ",
        "~~~",
        "\r\n",
        "| a |",
        "|---|",
        "\u91cd\u542f",
        "\u0e01\u0e33",
        "\x00",
        "\ud7a3",
        "&amp;",
    ),
]


def passage(number: int, text: str, *heading: str) -> Passage:
    return Passage(number, "a.md", heading, "a", (1, 2), (0, 9), ("c",), 0.5, text)


PASSAGES = [
    passage(1, LIMITS, "Guide", "Rate limits"),
    passage(2, TOKENS, "Tokens"),
    passage(3, SERVICE, "\u670d\u52a1"),
]


def quotes(answer: str) -> list[tuple[str, str, tuple[int, ...]]]:
    return [
        (quote.text, quote.verdict, quote.found_in)
        for sentence in check(answer, PASSAGES).sentences
        for quote in sentence.quotes
    ]


@pytest.mark.parametrize(
    "quoted",
    [
        "\u201cRaise the limit\u201d",
        '"raise THE limit with max_requests"',
        '"Raise the limit."',
        "\u201eor ask the admins\u201c",
        "\u201cor ask the admins - they're quick\u201d",
        "\u00abThe default is 100 requests\u00bb",
        "\u00bbThe default is 100 requests\u00ab",
        "\u201cThe default is 100 requests \u2018per minute\u2019.\u201d",
        "\u2018ask the admins\u2019",
        "'The default is 100'",
        '"Raise the limit \u2026 the admins"',
        '"...the limit with `max_requests` [...] The default is 100"',
        '"[r]aise the limit"',
        '"Rate limits"',
        '"burst how many at once"',
        '"The  default\nis 100 requests"',
    ],
)
def test_a_quotation_in_the_passage_its_sentence_cites_is_supported(quoted: str):
    assert [found[1:] for found in quotes(f"It says {quoted} [1].")] == [("supported", (1,))]


@pytest.mark.parametrize(
    "quoted",
    [
        '"Raise the limits"',
        '"The default is 10"',
        '"The default is 1"',
        '"Tokens expire after 3"',
        '"quick. Raise the limit"',
        '"The default ... Raise the limit"',
        '"Raise the limit \u2026 in the console"',
        "\u201cRate limits Raise the limit\u201d",
    ],
)
def test_a_quotation_that_stands_nowhere_is_a_finding(quoted: str):
    found = check(f"It says {quoted} [1].", PASSAGES)

    assert [quote.verdict for quote in found.sentences[0].quotes] == ["not_found"]
    assert f"quoted, but in no passage: {quoted[1:-1]}" in found.findings


def test_a_quotation_from_another_passage_says_where_it_stands():
    found = check('The docs say "Renew them in the console" about the limit [1].', PASSAGES)

    assert found.sentences[0].quotes == (Quote("Renew them in the console", "elsewhere", (2,)),)
    assert found.findings[0] == "quoted, but in [2], not in [1]: Renew them in the console"


def test_a_quotation_of_a_sentence_that_cites_nothing_is_no_finding_if_it_was_sent():
    found = check('Limits [1].\n\nIt also says "Renew them in the console".', PASSAGES)

    assert found.sentences[1].quotes == (Quote("Renew them in the console", "elsewhere", (2,)),)
    assert found.findings == ()


@pytest.mark.parametrize(
    "text",
    [
        'The "limit" is low [1].',
        'The "max_requests" key [1].',
        'Set `x = "no such words"` [1].',
        '```\nprint("no such words")\n```\n[1]',
        "It's the admins' limit, don't raise theirs [1].",
        "The \u2018limit\u2019 of the admins\u2019 [1].",
        'A 5" disk and a 3" disk [1].',
        'An open "quotation that never ends [1].',
        "\u300c\u91cd\u542f\u670d\u52a1\u300d[3]\u3002",
    ],
)
def test_a_single_term_code_and_apostrophes_are_no_quotation(text: str):
    assert quotes(text) == []


def test_a_blockquote_is_a_quotation_and_takes_the_mark_beside_it():
    answer = (
        "It says [2]:\n\n> Tokens expire after 3.5 hours.\n> Renew them in the console\n\n"
        "> Raise the limit with max_requests\n\n[1]\n\n> [!NOTE]\n> Tokens never expire.\n"
    )

    assert quotes(answer) == [
        ("Tokens expire after 3.5 hours.\n> Renew them in the console", "supported", (2,)),
        ("Raise the limit with max_requests", "elsewhere", (1,)),
    ]


@pytest.mark.parametrize(
    "label",
    [
        "**Note:** ",
        "Note: ",
        "**Tip**: ",
        "\u26a0\ufe0f ",
        "\U0001f4a1 **Warning:** ",
        "*Hinweis:* ",
        "Remarque : ",
        "\u6ce8\u610f\uff1a",
        "**Note**\n> ",
    ],
)
def test_a_quote_that_begins_with_a_label_is_a_callout_and_no_quotation(label: str):
    answer = (
        f"> {label}A renewed token can never expire again. [2]\n> More of it.\n\n> Raise the limit"
    )

    found = check(answer, PASSAGES)

    assert quotes(answer) == [("Raise the limit", "elsewhere", (1,))]
    assert found.sentences[0].text.startswith("A renewed token")
    assert [line for line in found.findings if "quoted" in line] == []


@pytest.mark.parametrize("first", ["Keep this: it is a note", "No such words\n> Note: at all"])
def test_a_quote_with_a_colon_further_on_is_a_quotation(first: str):
    assert [verdict for _, verdict, _ in quotes(f"> {first} [1]")] == ["not_found"]


def test_brackets_that_the_document_has_are_part_of_a_quotation():
    sent = [passage(1, "Any number in the interval [0, 1] and [2] will do.")]

    [one] = check('It says "in the interval [0, 1] and [2] will do" [1].', sent).sentences

    assert [quote.verdict for quote in one.quotes] == ["supported"]


def test_text_without_blanks_is_quoted_by_its_letters():
    assert quotes(
        "\u300c\u91cd\u542f\u670d\u52a1\u9700\u8981\u7ba1\u7406\u5458\u300d[3]\u3002"
    ) == [("\u91cd\u542f\u670d\u52a1\u9700\u8981\u7ba1\u7406\u5458", "supported", (3,))]


def test_a_citation_has_the_quotes_of_the_sentences_that_cite_it():
    answer = 'It says "raise the limit" [1][2]. It is quick [1].'
    checked = check(answer, PASSAGES)
    quote = Quote("raise the limit", "supported", (1,))

    cited = citations_of(PASSAGES, {1, 2}, checked)

    assert [(one.number, one.quotes) for one in cited] == [(1, (quote,)), (2, (quote,))]
    assert [one.support for one in cited] == [checked.support[1], checked.support[2]]
    assert [one.quotes for one in citations_of(PASSAGES, {1})] == [()]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join) | st.text(max_size=200))
def test_whatever_is_said_sentences_and_quotes_stand_in_the_answer(answer: str):
    found = check(answer, PASSAGES)

    places = [one.chars for one in found.sentences]
    assert [answer[slice(*one.chars)] for one in found.sentences] == [
        one.text for one in found.sentences
    ]
    assert places == sorted(places)
    assert all(end <= start for (_, end), (start, _) in pairwise(places))
    assert [q for one in found.sentences for q in one.quotes if q.text not in one.text] == []
    assert {n for one in found.sentences for n in one.citations} <= {1, 2, 3}
    assert all(one.support is None or 0 <= one.support <= 1 for one in found.sentences)
    assert [line for line in found.findings if "\n" in line] == []
