from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import pytest

from askmd.answer import QUOTED_CHARACTERS, Answer, Chat, Prices, replay
from askmd.errors import LLMError, PromptTooLong
from askmd.prompt import NOT_ANSWERED
from askmd.records import receipt_of
from askmd.types import (
    AnswerRecord,
    Chars,
    Chunk,
    Citation,
    Filter,
    Hit,
    Lines,
    Message,
    Mode,
    Passage,
    Search,
    Sentence,
    Usage,
)

USED = Usage(11, 3, 14)


class Words:
    """Counts words as tokens."""

    window = 10_000
    exact = True
    vocabulary = "words"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def cut(self, text: str, limit: int) -> int:
        return len(" ".join(text.split(" ")[:limit]))


class Spoken:
    """A completion that says what it was told to."""

    def __init__(self, pieces: Sequence[str], cut_reason: str | None) -> None:
        self._pieces = pieces
        self.usage: Usage | None = None
        self.cut_reason: str | None = "unread"
        self._final_cut_reason = cut_reason
        self.is_closed = False

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            if self.is_closed:
                return
            yield piece
        self.usage, self.cut_reason = USED, self._final_cut_reason

    def close(self) -> None:
        self.is_closed = True


class Speaker:
    """An LLM that says the same to everybody, and remembers what it was asked."""

    model = "speaker"

    def __init__(
        self, *pieces: str, cut_reason: str | None = None, window: int | None = None
    ) -> None:
        self._pieces = pieces
        self._cut_reason = cut_reason
        self.window = window
        self.asked: list[list[Message]] = []
        self.limits: list[int | None] = []
        self.completions: list[Spoken] = []

    def warm(self) -> None:
        pass

    def stream(self, messages: Sequence[Message], *, answer_tokens: int | None = None) -> Spoken:
        self.asked.append(list(messages))
        self.limits.append(answer_tokens)
        self.completions.append(Spoken(self._pieces, self._cut_reason))
        return self.completions[-1]


class Silent:
    """An LLM that cannot be reached."""

    model = "silent"
    window = None

    def warm(self) -> None:
        pass

    def stream(self, messages: Sequence[Message], *, answer_tokens: int | None = None) -> Spoken:
        raise LLMError("nobody answers", "start it")


class Shelf:
    """A retriever that always finds the same."""

    generation = 1

    def __init__(self, *hits: Hit, has_evidence: bool = True, degraded: str | None = None) -> None:
        self._hits = hits
        self._has_evidence = has_evidence
        self._degraded = degraded
        self.stale: set[str] = set()
        self.moved: dict[str, Lines] = {}
        self.asked: list[tuple[str, int | None, Mode | None, Filter]] = []

    def find(self, question: str, *, limit: int | None, mode: Mode | None, where: Filter) -> Search:
        self.asked.append((question, limit, mode, where))
        return Search(question, mode or "hybrid", self._degraded, self._hits)

    def has_evidence(self, search: Search) -> bool:
        return self._has_evidence

    def snapshot(self) -> AbstractContextManager[None]:
        return nullcontext()

    def read(self, path: str, chars: Chars) -> str | None:
        return None

    def neighbours(self, id: str, distance: int) -> list[Chunk]:
        return []

    def is_stale(self, path: str) -> bool:
        return path in self.stale

    def stands_at(self, path: str, text: str, lines: Lines) -> Lines | None:
        return self.moved.get(path)


def hit(rank: int, text: str = "Use the key.") -> Hit:
    path = f"doc{rank}.md"
    return Hit(
        rank, 0.5, {}, None, f"c{rank}", path, ("Keys",), "keys", (3, 9), (0, len(text)), text
    )


def passage(number: int, text: str = "Use the key.") -> Passage:
    path = f"doc{number}.md"
    return Passage(
        number, path, ("Keys",), "keys", (3, 9), (0, len(text)), (f"c{number}",), 0.5, text
    )


def citation(number: int, *, stale: bool = False) -> Citation:
    text = "Use the key."
    path = f"doc{number}.md"
    return Citation(
        number,
        path,
        ("Keys",),
        "keys",
        (3, 9),
        (0, len(text)),
        (f"c{number}",),
        0.5,
        text,
        stale=stale,
    )


def is_answering(messages: Sequence[Message]) -> bool:
    """Whether an LLM was asked for an answer, not for a search question."""
    return "<passage-" in messages[-1].content


def chat(shelf: Shelf, llm: Speaker | Silent | None = None, *, budget_tokens: int = 100) -> Chat:
    return Chat(shelf, llm, Words(), budget_tokens=budget_tokens)


def test_an_answer_streams_and_ends_as_a_record_with_its_citations():
    shelf = Shelf(hit(1), hit(2), hit(3), degraded="found by words alone")
    shelf.stale.add("doc3.md")
    answer = chat(shelf, Speaker("Use it ", "[", "3", "] [1].")).ask("Which key?")

    pieces = list(answer)

    assert pieces == ["Use it", " [3] [1]."]
    record = answer.result()
    assert 0 <= (record.first_seconds or 0) <= (record.seconds or 0)
    assert replace(record, seconds=None, first_seconds=None) == AnswerRecord(
        question="Which key?",
        search_query="Which key?",
        answer="Use it [3] [1].",
        status="answered",
        citations=(citation(1), citation(3, stale=True)),
        passages=(passage(1), passage(2), passage(3)),
        model="speaker",
        usage=USED,
        degraded="found by words alone",
        sentences=(Sentence("Use it [3] [1].", (0, 15), (3, 1), None),),
        findings=("[3] doc3.md has changed and no longer holds what is cited",),
    )


def test_what_was_found_is_there_before_the_llm_is_asked():
    llm = Speaker("Yes [1].")
    answer = chat(Shelf(hit(1)), llm).ask("Which key?")

    assert (answer.passages, answer.search.hits) == ((passage(1),), (hit(1),))
    assert llm.asked == []


def test_result_reads_what_is_left_and_can_be_asked_for_again():
    answer = chat(Shelf(hit(1)), Speaker("One ", "two ", "[1].")).ask("Which key?")

    assert next(answer) == "One"
    assert answer.result().answer == "One two [1]."
    assert answer.result() is answer.result()
    assert list(answer) == []


def test_an_invented_citation_is_cut_out_of_stream_and_record():
    answer = chat(Shelf(hit(1)), Speaker("Use it [7].")).ask("Which key?")

    assert "".join(answer) == "Use it."
    assert (answer.result().answer, answer.result().citations) == ("Use it.", ())


def test_each_request_has_another_word_around_its_passages():
    llm = Speaker("Yes [1].")
    conversation = chat(Shelf(hit(1)), llm)

    for _ in range(2):
        conversation.ask("Which key?").result()

    first, second = (messages[-1].content.split(" ")[0] for messages in llm.asked)
    assert first.startswith("<passage-")
    assert first != second


@pytest.mark.parametrize("shelf", [Shelf(), Shelf(hit(1), hit(2), has_evidence=False)])
def test_a_question_without_evidence_is_refused_without_asking_the_llm(shelf: Shelf):
    llm = Speaker("I know everything [1].")

    record = chat(shelf, llm).ask("What is the capital of France?").result()

    assert (record.status, record.citations, record.passages) == ("refused", (), ())
    assert (record.model, record.usage) == (None, None)
    assert record.answer.startswith(NOT_ANSWERED)
    assert llm.asked == []


def test_a_refusal_names_the_nearest_headings():
    record = chat(Shelf(hit(1), hit(2), has_evidence=False)).ask("France?").result()

    assert record.answer == (
        f"{NOT_ANSWERED} Nearest are:\n- doc1.md:3-9  Keys\n- doc2.md:3-9  Keys"
    )


@pytest.mark.parametrize(
    "said", [NOT_ANSWERED, f"{NOT_ANSWERED.lower()} Sorry.", f"\n{NOT_ANSWERED}"]
)
def test_the_llms_own_refusal_is_a_refusal(said: str):
    assert chat(Shelf(hit(1)), Speaker(said)).ask("Which key?").result().status == "refused"


def test_without_an_llm_the_best_passages_are_quoted_with_mark_and_source():
    answer = chat(Shelf(hit(1), hit(2))).ask("Which key?")

    record = answer.result()

    assert record.answer == (
        "Use the key.\n\n[1] doc1.md:3-9  Keys\n\nUse the key.\n\n[2] doc2.md:3-9  Keys"
    )
    assert record.status == "extracted"
    assert record.citations == (citation(1), citation(2))
    assert (record.model, record.usage) == (None, None)


def test_a_quotation_begins_with_the_best_and_an_llm_reads_a_file_in_its_order():
    best = replace(hit(1), path="doc.md", chars=(400, 412), score=0.9)
    shelf = Shelf(best, replace(hit(2), path="doc.md"))

    quoted = chat(shelf).ask("Which key?").passages
    sent = chat(shelf, Speaker("Yes [1].")).ask("Which key?").passages

    assert [(one.number, one.chars) for one in quoted] == [(1, (400, 412)), (2, (0, 12))]
    assert [(one.number, one.chars) for one in sent] == [(1, (0, 12)), (2, (400, 412))]


def test_no_more_than_three_passages_are_quoted_and_all_are_told():
    record = chat(Shelf(*(hit(n) for n in range(1, 6)))).ask("Which key?").result()

    assert [c.number for c in record.citations] == [1, 2, 3]
    assert [p.number for p in record.passages] == [1, 2, 3, 4, 5]


def test_a_long_quotation_is_cut_after_a_line_and_its_fence_closed():
    text = "```sh\n" + "echo one two three\n" * 100 + "```"

    answer = chat(Shelf(hit(1, text)), budget_tokens=1000).ask("Which?").result().answer

    quoted, _, source = answer.partition("\n\n")
    assert len(quoted) <= QUOTED_CHARACTERS + 10
    assert quoted.endswith("echo one two three\n…\n```")
    assert source == "[1] doc1.md:3-9  Keys"


def test_a_cut_answer_is_incomplete_and_says_why():
    answer = chat(Shelf(hit(1)), Speaker("Use [1]", cut_reason="token limit")).ask("Which key?")

    record = answer.result()

    assert (record.status, answer.cut_reason) == ("incomplete", "token limit")
    assert record.citations == (citation(1),)


def test_closing_an_answer_aborts_the_request_and_leaves_what_was_said():
    llm = Speaker("One ", "two ", "three.")
    with chat(Shelf(hit(1)), llm).ask("Which key?") as answer:
        next(answer)

    record = answer.result()

    assert llm.completions[0].is_closed
    assert (record.status, record.answer) == ("incomplete", "One")
    assert list(answer) == []


def test_closing_an_answer_before_it_began_asks_nobody():
    llm = Speaker("One.")

    answer = chat(Shelf(hit(1)), llm).ask("Which key?")
    answer.close()

    assert (answer.result().status, answer.result().answer, llm.asked) == ("incomplete", "", [])


def test_an_llm_that_cannot_be_reached_raises_when_the_text_is_wanted():
    answer: Answer = chat(Shelf(hit(1)), Silent()).ask("Which key?")

    with pytest.raises(LLMError, match="nobody answers"):
        answer.result()


def test_a_chat_remembers_what_was_said_and_forgets_when_told():
    llm = Speaker("Use it [1].")
    conversation = chat(Shelf(hit(1)), llm)

    conversation.ask("Which key?").result()
    conversation.ask("And then?").result()
    conversation.forget()
    conversation.ask("Which key?").result()

    between = [messages[1:-1] for messages in llm.asked if is_answering(messages)]
    turn = [Message("user", "Which key?"), Message("assistant", "Use it.")]
    assert between == [[], turn, []]


def test_refusals_quotations_and_answers_that_were_closed_are_not_remembered():
    llm = Speaker(NOT_ANSWERED)
    conversation = chat(Shelf(hit(1)), llm)

    conversation.ask("Which key?").result()
    conversation.ask("Which key?").close()
    conversation.ask("Which key?").result()

    assert [messages[1:-1] for messages in llm.asked] == [[], []]


def test_the_history_never_outgrows_its_part_of_the_budget():
    llm = Speaker("one two three four five [1].")
    conversation = chat(Shelf(hit(1)), llm, budget_tokens=60)

    for _ in range(5):
        conversation.ask("Which key?").result()

    spent = [sum(Words().count([m.content for m in asked[1:-1]])) for asked in llm.asked]
    assert spent == [0, 7, 14, 14, 14]


def test_limit_mode_and_filter_reach_the_search():
    shelf = Shelf(hit(1))
    where = Filter(globs=("guides/**",))
    conversation = Chat(shelf, None, Words(), budget_tokens=100, limit=4, mode="words", where=where)

    conversation.ask("Which key?")

    assert shelf.asked == [("Which key?", 4, "words", where)]


class Scripted(Speaker):
    """An LLM that says one thing after the other."""

    def __init__(self, *answers: str | Exception, window: int | None = None) -> None:
        super().__init__(window=window)
        self._answers = list(answers)

    def stream(self, messages: Sequence[Message], *, answer_tokens: int | None = None) -> Spoken:
        said = self._answers.pop(0)
        self._pieces = (said,) if isinstance(said, str) else ()
        completion = super().stream(messages)
        if isinstance(said, Exception):
            raise said
        return completion


def test_a_follow_up_is_searched_as_the_llm_words_it_and_says_so():
    shelf, llm = Shelf(hit(1)), Scripted("Use it [1].", "SEARCH: rotate the key", "Yearly [1].")
    conversation = chat(shelf, llm)

    conversation.ask("Which key?").result()
    record = conversation.ask("And how do I rotate it?").result()

    assert [query for query, *_ in shelf.asked] == ["Which key?", "rotate the key"]
    told = (record.question, record.search_query, record.rewritten, record.answer)
    assert told == ("And how do I rotate it?", "rotate the key", "llm", "Yearly [1].")
    assert llm.asked[-1][-1].content.endswith("Question: And how do I rotate it?")


def test_without_an_llm_a_rule_words_the_search_question():
    shelf = Shelf(hit(1))
    conversation = chat(shelf)

    conversation.ask("How do I install nginx?").result()
    record = conversation.ask("And on Debian?").result()

    assert "nginx" in record.search_query and "Debian" in record.search_query
    assert (record.rewritten, shelf.asked[-1][0]) == ("rule", record.search_query)


def test_an_llm_that_words_nothing_useful_leaves_it_to_the_rule():
    shelf, llm = Shelf(hit(1)), Scripted("Use it [1].", "I cannot help with that.", "Yes [1].")
    conversation = chat(shelf, llm)

    conversation.ask("How do I install nginx?").result()
    record = conversation.ask("And on Debian?").result()

    assert (record.rewritten, "nginx" in record.search_query) == ("rule", True)


def test_an_llm_that_fails_to_word_a_search_is_said_to_have_failed():
    llm = Scripted("Use it [1].", LLMError("nobody answers"), "Yes [1].")
    conversation = chat(Shelf(hit(1)), llm)

    conversation.ask("How do I install nginx?").result()
    record = conversation.ask("And on Debian?").result()

    assert record.degraded == "searched without the LLM's help: nobody answers"
    assert (record.status, record.rewritten) == ("answered", "rule")


def test_a_question_that_stands_alone_is_searched_as_it_is():
    shelf, llm = Shelf(hit(1)), Speaker("Use it [1].")
    conversation = chat(shelf, llm)

    conversation.ask("Which key?").result()
    record = conversation.ask("What is autovacuum in Postgres?").result()

    assert (record.search_query, record.rewritten) == ("What is autovacuum in Postgres?", None)
    assert [is_answering(messages) for messages in llm.asked] == [True, True]


def test_a_turn_about_the_answer_keeps_its_passages_and_is_neither_searched_nor_gated():
    shelf, llm = Shelf(hit(1), hit(2)), Scripted("Use the key [2].", "The key [2].")
    conversation = chat(shelf, llm)

    first = conversation.ask("Which key?").result()
    shelf._has_evidence = False
    record = conversation.ask("Shorter, please").result()

    assert (record.status, record.answer) == ("answered", "The key [2].")
    assert record.passages == first.passages
    assert [one.number for one in record.citations] == [2]
    assert len(shelf.asked) == 1
    # Its marks name the passages that are sent again.
    assert llm.asked[-1][-2] == Message("assistant", "Use the key [2].")


def test_the_llms_own_refusal_is_held_back_and_names_what_is_nearest():
    llm = Scripted(NOT_ANSWERED)
    answer = chat(Shelf(hit(1)), llm).ask("Which key?")

    pieces = list(answer)

    assert pieces == [f"{NOT_ANSWERED} Nearest are:\n- doc1.md:3-9  Keys"]
    assert (answer.result().status, answer.result().citations) == ("refused", ())


def test_a_changed_file_that_still_holds_the_text_says_where():
    shelf = Shelf(hit(1), hit(2), hit(3))
    shelf.stale = {"doc1.md", "doc2.md", "doc3.md"}
    shelf.moved = {"doc1.md": (3, 9), "doc2.md": (13, 19)}

    answer = chat(shelf, Speaker("Use the key [1][2][3].")).ask("Which key?")

    assert answer.source_lines() == [
        "[1] doc1.md:3-9  Keys  (changed since it was indexed, but not these lines)",
        "[2] doc2.md:3-9  Keys  (changed since it was indexed: now at lines 13-19)",
        "[3] doc3.md:3-9  Keys  (changed since it was indexed: this text is gone; "
        "run `askmd ingest`)",
    ]


def test_findings_name_what_nothing_bears_out():
    llm = Speaker('The manual says "never share the key with strangers" [1].')
    answer = chat(Shelf(hit(1), hit(2)), llm).ask("Which key?")

    [quote] = answer.result().citations[0].quotes
    assert quote.verdict == "not_found"
    assert any("never share the key" in line for line in answer.result().findings)
    assert all(line.startswith("unsupported: ") for line in answer.notices())


def test_what_tokens_cost_is_told_where_prices_are():
    prices = Prices(prompt=1.0, answer=10.0)
    conversation = Chat(
        Shelf(hit(1)), Speaker("Yes [1]."), Words(), budget_tokens=100, prices=prices
    )

    record = conversation.ask("Which key?").result()

    # 11 tokens at 1 and 3 at 10 a million.
    assert record.cost == 0.000041
    told = conversation.tokens()
    assert (told.prompt_tokens, told.answer_tokens, told.cost) == (11, 3, 0.000041)


def long_hit(rank: int, words: int = 120) -> Hit:
    return hit(rank, " ".join(f"word{rank}x{number}" for number in range(words)))


def whole(messages: Sequence[Message]) -> int:
    return sum(Words().count([message.content for message in messages]))


def test_a_small_window_is_never_exceeded_and_cut_passages_are_said():
    shelf = Shelf(*(long_hit(rank) for rank in range(1, 9)))
    llm = Speaker("Yes [1].", window=900)
    conversation = Chat(shelf, llm, Words(), budget_tokens=1000, answer_tokens=100)

    record = conversation.ask("Which key?").result()

    assert whole(llm.asked[0]) + 100 <= 900
    assert 0 < len(record.passages) < 8
    assert "the window of 900 tokens has room for" in (record.degraded or "")


def test_the_oldest_turns_go_before_any_passage():
    shelf = Shelf(*(long_hit(rank) for rank in range(1, 4)))
    llm = Speaker(" ".join(["told"] * 90) + " [1].", window=900)
    conversation = Chat(shelf, llm, Words(), budget_tokens=420, answer_tokens=100)

    records = [conversation.ask("What is the key?").result() for _ in range(3)]

    assert [record.degraded for record in records] == [None, None, None]
    assert all(whole(messages) + 100 <= 900 for messages in llm.asked)


def test_a_window_that_the_server_names_too_late_is_kept_to_at_the_second_try():
    shelf = Shelf(*(long_hit(rank) for rank in range(1, 9)))
    llm = Scripted(PromptTooLong("too long", window=700), "Yes [2] [8].")
    conversation = Chat(shelf, llm, Words(), budget_tokens=1000, answer_tokens=100)

    record = conversation.ask("Which key?").result()

    assert whole(llm.asked[0]) > 700 >= whole(llm.asked[1]) + 100
    # What was not sent the second time cannot be cited.
    assert (record.status, record.invented) == ("answered", (8,))
    assert "the window of 700 tokens" in (record.degraded or "")


def test_a_window_with_no_room_for_anything_is_one_clear_line():
    llm = Speaker("Yes [1].", window=300)
    conversation = Chat(Shelf(long_hit(1)), llm, Words(), budget_tokens=1000, answer_tokens=200)

    with pytest.raises(PromptTooLong, match="no room for a passage in a window of 300 tokens"):
        conversation.ask(" ".join(["why"] * 300))


def test_a_turn_can_be_taken_back_and_a_conversation_resumed():
    conversation = chat(Shelf(hit(1)), Speaker("Use it [1]."))
    first = conversation.ask("Which key?").result()
    second = conversation.ask("What is autovacuum in Postgres?").result()

    assert conversation.take_back() == second
    assert conversation.turns == (first,)
    conversation.resume([second, first])
    assert conversation.turns == (second, first)
    conversation.forget()
    assert (conversation.turns, conversation.take_back()) == ((), None)


def test_showing_a_prompt_asks_nobody():
    llm = Speaker("Yes [1].")
    asked = chat(Shelf(hit(1)), llm).show("Which key?")

    assert [message.role for message in asked.messages] == ["system", "user"]
    assert "Use the key." in asked.messages[-1].content
    assert llm.asked == []


def test_a_saved_answer_is_asked_again_as_it_was_sent():
    shelf, llm = Shelf(hit(1), hit(2)), Speaker("Use the key [1].")
    answer = chat(shelf, llm).ask("Which key?")
    record = answer.result()
    receipt = receipt_of(
        record, answer.messages, created="2026-11-23T20:00:00+00:00", mode="hybrid", budget_tokens=9
    )

    other = Speaker("The key [2] [5].")
    again = replay(receipt, other)

    assert again.result().answer == "The key [2]."
    assert [one.number for one in again.result().citations] == [2]
    assert (tuple(other.asked[0]), again.invented) == (answer.messages, (5,))
    ruled = replay(receipt, other, system="Answer in rhyme.")
    assert ruled.result().status == "answered"
    marks = answer.messages[0].content.rpartition("\n\n")[2]
    assert other.asked[1] == [
        Message("system", f"Answer in rhyme.\n\n{marks}"),
        *answer.messages[1:],
    ]


def test_the_answers_limit_is_what_a_small_window_leaves_it():
    llm = Speaker("Yes [1].", window=900)
    Chat(Shelf(hit(1)), llm, Words(), budget_tokens=100, answer_tokens=1000).ask("Why?").result()

    assert llm.limits == [450]
    assert whole(llm.asked[0]) + 450 <= 900


def test_one_token_too_many_costs_the_passages_a_little_not_all():
    shelf = Shelf(long_hit(1, 150))
    room = 158 + len(chat(shelf, Speaker()).show("Why?").messages)

    for window in range(room + 190, room + 260, 10):
        llm = Speaker("Yes [1].", window=window)
        Chat(shelf, llm, Words(), budget_tokens=3000, answer_tokens=40).ask("Why?").result()
        assert whole(llm.asked[0]) + 40 <= window


def test_closing_from_elsewhere_while_the_first_word_is_waited_for_aborts():
    llm = Speaker("One ", "two.")
    answer = chat(Shelf(hit(1)), llm).ask("Which key?")
    begin = llm.stream

    def stream(messages: Sequence[Message], *, answer_tokens: int | None = None) -> Spoken:
        completion = begin(messages)
        answer.close()
        return completion

    llm.stream = stream  # type: ignore[method-assign]

    assert list(answer) == []
    assert llm.completions[0].is_closed
    assert (answer.result().status, answer.result().answer) == ("incomplete", "")


def test_an_answer_that_failed_says_so_again():
    answer = chat(Shelf(hit(1)), Silent()).ask("Which key?")

    with pytest.raises(LLMError, match="nobody answers"), answer:
        next(answer)
    with pytest.raises(LLMError, match="nobody answers"):
        answer.result()


def test_what_a_search_question_took_is_counted():
    llm = Scripted("Use it [1].", "SEARCH: rotate the key", "Yearly [1].")
    conversation = chat(Shelf(hit(1)), llm)

    first = conversation.ask("Which key?").result()
    second = conversation.ask("And how do I rotate it?").result()

    assert (first.usage, second.usage) == (Usage(11, 3, 14), Usage(22, 6, 28))


def test_an_answer_goes_on_as_it_was_asked_whatever_becomes_of_the_chat():
    conversation = chat(Shelf(hit(1)), Speaker("One [1] ", "two."))
    other = Speaker("Other.")
    other.model = "other"  # type: ignore[misc]

    answer = conversation.ask("Which key?")
    next(answer)
    conversation._llm = other
    conversation.forget()

    assert (answer.result().model, conversation.turns) == ("speaker", ())


def test_a_turn_about_a_refusal_repeats_it_and_asks_nobody():
    shelf, llm = Shelf(hit(1)), Scripted("Use it [1].", NOT_ANSWERED)
    conversation = chat(shelf, llm)

    conversation.ask("Which key?").result()
    refusal = conversation.ask("What is autovacuum in Postgres?").result()
    record = conversation.ask("Shorter, please").result()

    assert (record.status, record.answer) == ("refused", refusal.answer)
    assert len(llm.asked) == 2


def test_a_turn_about_a_quotation_asks_an_llm_the_question_that_was_quoted_for():
    quoting = chat(Shelf(hit(1)))
    quoting.ask("Which key?").result()
    llm = Speaker("The key [1].")
    conversation = chat(Shelf(hit(1)), llm)
    conversation.resume(quoting.turns)

    assert conversation.ask("Shorter, please").result().status == "answered"
    assert llm.asked[0][-1].content.endswith("Question: Which key?\nShorter, please")


def test_a_long_answer_is_written_again_whole_and_gives_up_passages_it_does_not_cite():
    shelf = Shelf(*(long_hit(rank, 60) for rank in range(1, 5)))
    long = " ".join(f"step{number}" for number in range(150)) + " [2]."
    llm = Scripted(long, "Kurz [2].")
    conversation = Chat(shelf, llm, Words(), budget_tokens=300, answer_tokens=200)

    first = conversation.ask("Which key?").result()
    record = conversation.ask("Translate that to German").result()

    assert len(first.passages) == 4
    assert llm.asked[-1][-2] == Message("assistant", long)
    assert 2 in [one.number for one in record.passages]
    assert record.degraded == ("2 of the last answer's passages were left out: there was no room")


def test_a_long_list_of_findings_does_not_hide_the_answer():
    false = " ".join(f"The turbine number{n} spins backwards overnight [1]." for n in range(20))
    cited = chat(Shelf(hit(1)), Speaker(false)).ask("Which key?")
    uncited = chat(Shelf(hit(1)), Speaker(false.replace(" [1]", ""))).ask("Which key?")

    assert len(cited.result().findings) == 20
    assert len(cited.notices()) == 4
    assert cited.notices()[-1] == "unsupported: 17 more; `ask --json` names them all"
    assert uncited.notices() == ["unsupported: the answer cites none of the passages"]


def test_brackets_copied_from_a_passage_stay():
    text = "The rate is a number in the interval [0, 1]; codes such as [404] are kept."
    said = "It is a number in the interval [0, 1] [1], and codes such as [404] are kept [1][7]."

    answer = chat(Shelf(hit(1, text)), Speaker(said)).ask("Which rate?")

    assert answer.result().answer == said.replace("[7]", "")
    assert answer.invented == (7,)


class Paused(Spoken):
    """A completion that waits after its first word until it is closed, and then breaks off."""

    def __init__(self, begun: threading.Event) -> None:
        super().__init__((), None)
        self._begun = begun
        self._closed = threading.Event()

    def __iter__(self) -> Iterator[str]:
        yield "One "
        self._begun.set()
        self._closed.wait(10)
        self.cut_reason = "the connection broke"

    def close(self) -> None:
        super().close()
        self._closed.set()


def test_closing_in_mid_stream_from_another_thread_is_told_and_remembered_once():
    begun, llm = threading.Event(), Speaker()
    llm.stream = lambda messages, *, answer_tokens=None: Paused(begun)  # type: ignore[method-assign,assignment]
    conversation = chat(Shelf(hit(1)), llm)
    answer = conversation.ask("Which key?")
    reader = threading.Thread(target=lambda: list(answer))

    reader.start()
    begun.wait(10)
    answer.close()
    reader.join(10)

    assert not reader.is_alive()
    assert answer.result().cut_reason == "the answer was closed before its end"
    assert conversation.turns == (answer.result(),)


def test_a_result_can_be_waited_for_in_two_threads():
    answer = chat(Shelf(hit(1)), Speaker(*(f"{n} " for n in range(500)))).ask("Which key?")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: answer.result(), range(2))

    assert first is second


def test_an_index_that_moves_on_during_an_answer_still_says_where_the_lines_went():
    shelf = Shelf(hit(1), hit(2))
    answer = chat(shelf, Speaker("Use the key [1][2].")).ask("Which key?")
    next(answer)
    shelf.generation = 2
    shelf.moved = {"doc1.md": (3, 9), "doc2.md": (7, 13)}

    first, second = answer.result().citations

    assert (first.stale, second.stale, second.stands_at) == (False, True, (7, 13))


def test_a_question_about_a_quotation_stays_one_in_a_smaller_window():
    quoting = chat(Shelf(hit(1)))
    quoting.ask("Which key?").result()
    llm = Scripted(PromptTooLong("too long", window=700), "The key [1].")
    conversation = chat(Shelf(hit(1)), llm)
    conversation.resume(quoting.turns)

    conversation.ask("Shorter, please").result()

    assert llm.asked[1][-1].content.endswith("Question: Which key?\nShorter, please")


def test_a_turn_about_the_answer_gives_up_cited_passages_before_it_fails():
    shelf = Shelf(*(long_hit(rank, 120) for rank in range(1, 4)))
    llm = Speaker("Use them [1][2][3].", window=None)
    conversation = Chat(shelf, llm, Words(), budget_tokens=500, answer_tokens=100)
    first = conversation.ask("Which key?").result()
    llm.window = 620

    record = conversation.ask("Shorter, please").result()

    assert len(first.passages) == 3 > len(record.passages) > 0
    assert whole(llm.asked[-1]) + 100 <= 620
