"""An answer cut into sentences, and how far each is borne out by what it cites."""

from __future__ import annotations

import random
import time

import pytest

from askmd.citations import LEAST_SUPPORT, check
from askmd.types import Passage

LIMITS = (
    "Raise the limit with `max_requests` in config.toml. The default is 100 requests per minute; "
    "three retries follow. Administrators were renaming buckets in version 1.2.3."
)
TOKENS = "Tokens expire after 3.5 hours. Renew them in the console. The team is in Berlin."
SERVICE = "重启服务需要管理员权限。请先停止数据库。"
FAR_TOO_SLOW_SECONDS = 120
"""Ten times what the slowest of these answers takes on a slow machine."""


def passage(number: int, text: str, *heading: str) -> Passage:
    return Passage(number, "a.md", heading, "a", (1, 2), (0, 9), ("c",), 0.5, text)


PASSAGES = [passage(1, LIMITS, "Quotas"), passage(2, TOKENS, "Tokens"), passage(3, SERVICE)]


def sentences(answer: str) -> list[str]:
    return [one.text for one in check(answer, PASSAGES).sentences]


def cited(answer: str) -> list[tuple[int, ...]]:
    return [one.citations for one in check(answer, PASSAGES).sentences]


def support(said: str, number: int = 1) -> float | None:
    [one] = check(f"{said} [{number}].", PASSAGES).sentences
    return one.support


@pytest.mark.parametrize(
    ("answer", "parts"),
    [
        ("Do it. Then stop.", ["Do it.", "Then stop."]),
        (
            "Do it.[1] Then stop! [2] Really? Yes.",
            ["Do it.[1]", "Then stop! [2]", "Really?", "Yes."],
        ),
        ("Do it [1]. Then stop.", ["Do it [1].", "Then stop."]),
        ("Use it, e.g. Redis, i.e. A cache.", ["Use it, e.g. Redis, i.e. A cache."]),
        ("Dr. Who met J. Smith of the U.S. Army.", ["Dr. Who met J. Smith of the U.S. Army."]),
        ("See Fig. 3 and no. 5. Then go.", ["See Fig. 3 and no. 5.", "Then go."]),
        (
            "Es gilt z. B. Redis. Am 3. Oktober ist frei.",
            ["Es gilt z. B. Redis.", "Am 3. Oktober ist frei."],
        ),
        ("Version 1.2.3 costs 4.5. Edit a.md now.", ["Version 1.2.3 costs 4.5.", "Edit a.md now."]),
        ("Open https://a.b/c.d?e=f. Then read.", ["Open https://a.b/c.d?e=f.", "Then read."]),
        ("Run `a. B` first. Then `c`.", ["Run `a. B` first.", "Then `c`."]),
        ("**Do it.** Then stop.", ["**Do it.**", "Then stop."]),
        (
            "He said \u201cDo it. Then stop.\u201d Yes.",
            ["He said \u201cDo it. Then stop.\u201d", "Yes."],
        ),
        ("Wait... what is it? Well \u2026 then.", ["Wait... what is it?", "Well \u2026 then."]),
        (
            "\u91cd\u542f\u3002\u505c\u6b62[3]\u3002\u597d\uff01",
            ["\u91cd\u542f\u3002", "\u505c\u6b62[3]\u3002", "\u597d\uff01"],
        ),
        (
            "# Head\n\nText\ngoes on.\n- one. Two\n  three\n1. four",
            ["Head", "Text\ngoes on.", "one.", "Two\n  three", "four"],
        ),
        ("| a | b |\n|---|---|\n| c. D | e |", ["| a | b |", "| c. D | e |"]),
        ("Run:\n\n```sh\nls. A\n```\n\n    code here\n\nDone.", ["Run:", "Done."]),
        ("- [x] done\n  ```\n  code\n  ```\n  after", ["done", "after"]),
        ("~~~\nnever closed", []),
        ("***\n\n[1]\n\n> \n", []),
        ("", []),
    ],
)
def test_an_answer_is_cut_into_sentences(answer: str, parts: list[str]):
    assert sentences(answer) == parts


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("One. Two [1]. Three.", [(1,), (1,), ()]),
        ("One [1]. Two. Three [2][3].", [(1,), (2, 3), (2, 3)]),
        ("One.\n\nTwo [1].", [(), (1,)]),
        ("- One. More [1]\n- Two", [(1,), (1,), ()]),
        ("So:\n- One [1]\n- Two [2]", [(), (1,), (2,)]),
        ("So [1]:\n- One\n- Two [2]\n\nLast.", [(1,), (1,), (2,), ()]),
        ("Do this: One. Two:\nThree [2].", [(2,), (2,)]),
        ("One. Two.\n\n[1]", [(1,), (1,)]),
        ("`[1]` and one", [()]),
        ("One [9] and [2024].", [()]),
        ("One [1-3, 2].", [(1, 2, 3)]),
    ],
)
def test_a_sentence_cites_what_its_paragraph_ends_with(answer: str, numbers: list[tuple[int, ...]]):
    assert cited(answer) == numbers


@pytest.mark.parametrize(
    "said",
    [
        "Raise the limit with `max_requests` in `config.toml`",
        "By default 100 requests are allowed per minute under the quotas",
        "An administrator renamed a bucket in version 1.2.3",
        "It retries 3 times by default per minute",
    ],
)
def test_what_the_passage_says_in_other_forms_is_borne_out(said: str):
    found = support(said)

    assert found is not None
    assert found >= 0.7


@pytest.mark.parametrize(
    "said",
    [
        "The default is 200 requests per minute",
        "Raise the limit with `max_connections`",
        "Raise the limit with burst_size in config.toml",
        "Administrators were renaming buckets in version 1.2.4",
        "Tokens are renewed in the console",
        "Giraffes sleep standing up in the savanna",
    ],
)
def test_a_changed_value_and_what_stands_elsewhere_are_findings(said: str):
    found = check(f"{said} [1].", PASSAGES)

    [one] = found.sentences
    assert one.support is not None
    assert one.support < LEAST_SUPPORT
    assert found.findings == (f"[1] does not bear this out ({one.support:.2f}): {said} [1].",)


def test_a_name_that_stands_nowhere_is_made_up_where_only_names_are_capitalised():
    german = "Die Grenze gilt nach der Anmeldung. Das Team mit dem Schlüssel sitzt im Haus."
    said = "Das Team mit dem Schlüssel hat die Grenze der Stadt"

    made_up = support("The team is in Hamburg, in the console", 2)
    titled = support("**The Team Berlin**: renew tokens in the console", 2)
    [noun] = check(f"{said} [1].", [passage(1, german)]).sentences

    assert made_up is not None
    assert made_up < LEAST_SUPPORT
    assert titled == 1.0
    assert noun.support is not None
    assert noun.support > LEAST_SUPPORT


def test_support_of_a_script_without_blanks_is_of_its_pairs():
    assert support("\u91cd\u542f\u670d\u52a1\u9700\u8981\u6743\u9650", 3) == pytest.approx(
        0.857, abs=0.15
    )
    assert support("\u706b\u661f\u4e0a\u6709\u5f88\u591a\u5927\u8c61", 3) == 0.0


def test_of_too_few_words_nothing_is_said():
    assert [support("Yes"), support("The limit"), support("It is so")] == [None, None, None]


def test_a_citation_lends_what_it_alone_holds():
    checked = check(
        "Tokens expire after 3.5 hours [2]. Renew them in the console [1][2].", PASSAGES
    )

    assert [one.support for one in checked.sentences] == [1.0, 1.0]
    assert checked.support == {1: 0.0, 2: 1.0}


def test_a_claim_that_cites_nothing_must_stand_somewhere():
    answer = (
        "Raise the limit with `max_requests` [1].\n\nTokens expire after 3.5 hours.\n\n"
        "Giraffes sleep standing up in the savanna of Kenya."
    )

    assert check(answer, PASSAGES).findings == (
        "no passage bears this out (0.00): Giraffes sleep standing up in the savanna of Kenya.",
    )


@pytest.mark.parametrize(
    "talk",
    [
        "I hope this helps! Let me know if you have further questions.",
        "The documents do not say how Windows handles certificates.",
        "# Configuring certificates for Windows servers",
        "Shall I explain how Windows servers handle certificates?",
        "To configure certificates for Windows servers:",
        "```\nopenssl req -x509 -newkey rsa:4096\n```",
    ],
)
def test_talk_headings_questions_and_code_are_no_claims(talk: str):
    assert check(f"Raise the limit with max_requests [1].\n\n{talk}", PASSAGES).findings == ()


@pytest.mark.parametrize(
    "line",
    [
        "**Sources:** [1] keys.md, lines 4-9",
        "- [1] keys.md (lines 4\u201315)",
        "- [1] `access/keys.md:4-9`",
        "[^1]: keys.md, lines 4-9",
        "[^1]: Everything about giraffes in the savanna of Kenya.",
        "Source: [1] keys.md, section Rotating keys",
        "[1] [keys.md](access/keys.md#L4-L9)",
        "1. access/keys.md, Rotating keys [1]",
        "Quellen: [1] keys.md, Zeilen 4-9",
    ],
)
def test_a_line_that_only_names_sources_is_no_statement(line: str):
    sent = [
        Passage(1, "access/keys.md", ("Keys", "Rotating keys"), "", (4, 9), (0, 9), (), 0.5, TOKENS)
    ]

    found = check(f"Tokens expire after 3.5 hours [1]\n{line}\nRenew them in the console [1]", sent)

    assert [one.text for one in found.sentences] == [
        "Tokens expire after 3.5 hours [1]",
        "Renew them in the console [1]",
    ]
    assert found.findings == ()
    assert check(f"Tokens expire after 3.5 hours.\n\n{line}", sent).findings in (
        (),
        ("the answer cites none of the passages",),
    )


def test_a_line_that_says_more_than_a_source_is_a_statement():
    said = "keys.md, lines 4-9, demand giraffes in the savanna of Kenya [1]"

    assert [one.text for one in check(said, PASSAGES).sentences] == [said]


@pytest.mark.parametrize(
    ("said", "supported"),
    [
        ("Die Grenze wird mit `max_requests` in der Datei config.toml angehoben", 1.0),
        ("Por defecto se permiten 100 solicitudes por minuto", 1.0),
        ("Par défaut, 200 requêtes sont permises dans la minute", 0.0),
        ("Administratorzy nie mogą tego zrobić, gdy to jest na serwerze", None),
        ("管理员可以提高这个限制", None),
        ("Лимит повышает администратор", None),
    ],
)
def test_of_a_sentence_in_another_language_only_numbers_and_identifiers_are_looked_up(
    said: str, supported: float | None
):
    found = check(f"{said} [1].", PASSAGES)

    assert [one.support for one in found.sentences] == [supported]
    assert found.findings == ()


def test_a_short_sentence_is_in_the_language_of_the_answer_it_stands_in():
    answer = (
        "Die Grenze ist hoch und wird mit der Zeit noch erhöht [1]. Standard: hundert Anfragen [1]."
    )

    assert check(answer, PASSAGES).findings == ()


def test_a_quotation_in_an_answer_in_another_language_is_looked_up():
    found = check('Es heißt dort, das ist "no such words at all" [1].', PASSAGES)

    assert found.findings == ("quoted, but in no passage: no such words at all",)


@pytest.mark.parametrize(
    "said",
    [
        "Giraffes are known to sleep in the savanna of Kenya",
        "Giraffes sleep standing up",
        "Der Löwe schläft nicht in der Savanne",
    ],
)
def test_a_sentence_in_a_language_of_what_it_cites_is_compared_as_ever(said: str):
    german = "Die Grenze gilt nach der Anmeldung. Das Team mit dem Schlüssel sitzt im Haus."
    number = 2 if "Der" in said else 1

    found = check(f"{said} [{number}].", [passage(1, LIMITS), passage(2, german)])

    assert found.findings == (f"[{number}] does not bear this out (0.00): {said} [{number}].",)


def test_an_answer_that_cites_nothing_is_a_finding_but_a_refusal_is_none():
    said = check("Tokens expire after 3.5 hours. Renew them in the console.", PASSAGES)

    assert said.findings == ("the answer cites none of the passages",)
    assert check("The documents do not answer this.", PASSAGES).findings == ()
    assert check("", []).findings == ()


def test_a_finding_is_one_short_line():
    [line] = check(f"Giraffes\nsleep {'standing ' * 50} [1].", PASSAGES).findings

    assert line.startswith("[1] does not bear this out (0.00): Giraffes sleep standing")
    assert (len(line) < 140, "\n" in line, line.endswith("\u2026")) == (True, False, True)


@pytest.mark.parametrize(
    "piece",
    [
        "The limit is 5 [1-50]. ",
        '"a b c" ',
        "\u201c",
        "`",
        "` `` ``` ",
        "[",
        "[a](",
        "> a b\n",
        "\u2018a\u2019,",
    ],
)
def test_a_long_answer_of_one_piece_takes_no_more_than_its_length(piece: str):
    chance = random.Random(1)
    words = ["limit", "request", *(f"word{number}" for number in range(3000))]
    text = [" ".join(chance.choices(words, k=600))[:4000] for _ in range(50)]
    answer = (piece * 1_000_000)[:200_000]

    started = time.perf_counter()
    check(answer, [passage(number, one) for number, one in enumerate(text, start=1)])

    assert time.perf_counter() - started < FAR_TOO_SLOW_SECONDS
