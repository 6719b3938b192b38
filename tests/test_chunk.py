"""Sections → chunks: the bound, the ranges, what the embedder reads, the ids."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmd.chunk import VERSION, split
from askmd.chunk.pack import Piece, pack
from askmd.chunk.source import Range
from askmd.errors import ConfigError
from askmd.markdown import body_start, parse
from askmd.types import Anchors, Chunk

NL = "\n"


class WordCounter:
    """Counts words of up to eight letters, ideographs and punctuation, and two special tokens."""

    exact = True
    _PIECE = re.compile(r"[^\W_\u3000-\uffff]{1,8}|[^\s]")

    def __init__(self, window: int = 256) -> None:
        self.window = window
        self.seen = 0

    def count(self, texts: Sequence[str]) -> list[int]:
        self.seen += sum(map(len, texts))
        return [len(self._PIECE.findall(text)) + 2 for text in texts]

    def cut(self, text: str, limit: int) -> int:
        end = 0
        for number, piece in enumerate(self._PIECE.finditer(text), start=3):
            if number > limit:
                return end
            end = piece.end()
        return len(text)


class ByteCounter:
    """Counts bytes, four to a token and a prefix of five: nothing adds up, letters take several."""

    exact = False

    def __init__(self, window: int = 256) -> None:
        self.window = window

    def count(self, texts: Sequence[str]) -> list[int]:
        return [5 + -(-len(("\n" + text).encode()) // 2) for text in texts]

    def cut(self, text: str, limit: int) -> int:
        end = min(len(text), max(0, 2 * limit))
        while end and self.count([text[:end]])[0] > limit:
            end -= 1
        return end


def cut(text: str, max_tokens: int = 256, path: str = "a.md") -> list[Chunk]:
    return split(path, text, parse(text), WordCounter(), max_tokens=max_tokens)


def texts(chunks: list[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def test_a_section_that_fits_is_one_chunk():
    [chunk] = cut("# Setup\n\nInstall it.\n\n- one\n- two\n\n")
    assert chunk == Chunk(
        id=chunk.id,
        path="a.md",
        heading=("Setup",),
        anchor="setup",
        lines=(1, 6),
        chars=(0, 33),
        text="# Setup\n\nInstall it.\n\n- one\n- two",
        embedded="Setup\nInstall it.\n\n- one\n- two",
        tokens=10,
        anchors=Anchors("setup", "setup", "setup"),
    )


def test_chunks_never_cross_sections():
    chunks = cut("Before.\n\n# A\n\na\n\n## B\n\nb\n\n# C\n\nc\n")
    assert [(c.heading, c.text) for c in chunks] == [
        ((), "Before."),
        (("A",), "# A\n\na"),
        (("A", "B"), "## B\n\nb"),
        (("C",), "# C\n\nc"),
    ]


def test_the_heading_path_is_embedded_and_the_file_name_is_not():
    chunks = cut("# A\n\na\n\n## B\n\nb\n", path="secret/name.md")
    assert [chunk.embedded for chunk in chunks] == ["A\na", "A > B\nb"]


def test_a_heading_without_text_joins_its_first_child():
    [chunk] = cut("# A\n\n---\n\n## B\n\n### C\n\ntext\n")
    assert (chunk.heading, chunk.lines, chunk.embedded) == (
        ("A", "B", "C"),
        (1, 9),
        "A > B > C\ntext",
    )


def test_a_heading_with_nothing_under_it_joins_the_chunk_before():
    chunks = cut("# A\n\ntext\n\n## Empty\n## B\n\nb\n\n## Last\n")
    assert [(c.heading, c.text) for c in chunks] == [
        (("A",), "# A\n\ntext\n\n## Empty"),
        (("A", "B"), "## B\n\nb\n\n## Last"),
    ]
    assert chunks[0].embedded == "A\ntext\n\nEmpty"


def test_a_heading_alone_in_its_file_stands_alone():
    assert [(c.text, c.embedded) for c in cut("# Only\n")] == [("# Only", "Only")]
    assert [(c.text, c.embedded) for c in cut("#\n")] == [("#", "#")]


def test_a_heading_stands_alone_where_the_chunk_before_is_full():
    chunks = cut("# A\n\n" + "word " * 18 + "\n\n# " + "b " * 6, max_tokens=22)
    assert [c.heading for c in chunks] == [("A",), ("b b b b b b",)]


def test_front_matter_is_in_no_chunk():
    [chunk] = cut("---\ntitle: Guide\n---\n\nHello.\n")
    assert (chunk.heading, chunk.lines, chunk.text) == (("Guide",), (5, 5), "Hello.")


def test_a_file_of_link_definitions_is_found():
    assert texts(cut("[a]: /a\n[b]: /b\n")) == ["[a]: /a\n[b]: /b"]


def test_an_empty_file_has_no_chunks():
    assert cut("") == cut(" \n\n\t\n") == cut("---\ntitle: A\n---\n") == []


def test_text_deeper_than_the_parser_reads_is_kept():
    deep = "".join("  " * depth + f"- item{depth}\n" for depth in range(100))
    joined = NL.join(texts(cut(deep, max_tokens=64)))
    assert [f"item{depth}\n" in joined + NL for depth in range(100)] == [True] * 100


def test_other_line_ends_move_no_line_number():
    chunks = cut("one\u2028two\x0cthree\x85four\n\n# A\n\nfive\n")
    assert [chunk.lines for chunk in chunks] == [(1, 1), (3, 5)]


def test_the_indentation_of_a_first_line_is_kept():
    chunks = cut("# A\n\ntext\n\n# B\n\n    code\n      more\n")
    assert chunks[1].embedded == "B\n    code\n      more"
    assert texts(cut("\n\n   indented\n")) == ["   indented"]


def test_a_line_separator_above_a_table_is_in_no_chunk():
    assert texts(cut("\u2028\n| a | b |\n|---|---|")) == ["| a | b |\n|---|---|"]


def test_a_large_section_is_filled_with_whole_blocks():
    blocks = [f"Paragraph {n} " + "word " * 16 + "end." for n in range(6)]
    chunks = cut("# A\n\n" + "\n\n".join(blocks), max_tokens=68)
    assert [c.text.removeprefix("# A\n\n").split("\n\n") for c in chunks] == [
        blocks[:3],
        blocks[3:],
    ]


def test_a_tiny_last_chunk_shares_with_the_one_before():
    blocks = ["word " * 9 + "end." for _ in range(4)] + ["Tiny."]
    chunks = cut("\n\n".join(blocks), max_tokens=46)
    assert [chunk.tokens for chunk in chunks] == [24, 26]


def test_a_long_paragraph_is_cut_at_sentences():
    sentences = [f"This is sentence {n}, e.g. by Dr. Who, and it ends here." for n in range(10)]
    chunks = cut(" ".join(sentences), max_tokens=48)
    assert [part for chunk in chunks for part in chunk.text.split(". T")] == [
        part for n in range(0, 10, 2) for part in " ".join(sentences[n : n + 2]).split(". T")
    ]
    assert all(chunk.text.endswith("here.") for chunk in chunks)


def test_a_long_paragraph_in_chinese_is_cut_at_sentences():
    sentences = [
        f"今天天气很好我们一起去公园玩{n}\N{FULLWIDTH EXCLAMATION MARK}" for n in "一二三四五六七八"
    ]
    assert texts(cut("".join(sentences), max_tokens=36)) == [
        "".join(sentences[n : n + 2]) for n in range(0, 8, 2)
    ]


def test_a_long_sentence_is_cut_at_words():
    chunks = cut("word " * 100, max_tokens=32)
    assert [chunk.text for chunk in chunks] == ["word " * 29 + "word"] * 3 + ["word " * 9 + "word"]


def test_a_long_word_is_cut_between_code_points():
    chunks = cut("x" * 1000, max_tokens=32)
    assert "".join(texts(chunks)) == "x" * 1000
    assert [chunk.tokens for chunk in chunks] == [32, 32, 32, 32, 7]


def test_a_word_that_is_one_token_whatever_its_length_is_cut_all_the_same():
    class Unknowing(WordCounter):
        _PIECE = re.compile(r"\w+|[^\w\s]")

    text = "A" * 10_000
    chunks = split("a.md", text, parse(text), Unknowing(), max_tokens=32)
    assert "".join(texts(chunks)) == text
    assert max(len(chunk.text) for chunk in chunks) <= 32 * 64


def test_a_cut_table_repeats_its_header():
    rows = [f"| row number {n} | has some cells | in it |" for n in range(12)]
    text = "| a | b | c |\n|---|---|---|\n" + NL.join(rows)
    chunks = cut(text, max_tokens=80)
    header = "| a | b | c |\n"
    assert [chunk.embedded for chunk in chunks] == [
        header + "|---|---|---|\n" + NL.join(rows[:4]),
        header + NL.join(rows[4:9]),
        header + NL.join(rows[9:]),
    ]
    assert NL.join(texts(chunks)) == text


def test_a_header_that_takes_too_much_is_not_repeated():
    header = "| " + "wide column " * 12 + "|\n|---|\n"
    chunks = cut(header + "| some words in this row here |\n" * 20, max_tokens=48)
    assert not any("wide" in chunk.embedded for chunk in chunks[2:])


def test_a_cut_fence_reopens_with_its_language_and_closes():
    code = [f"call_number_{n}(with_an_argument)" for n in range(9)]
    text = "~~~~python title\n" + NL.join(code) + "\n~~~~"
    chunks = cut(text, max_tokens=52)
    embedded = [chunk.embedded.split(NL) for chunk in chunks]
    assert [(lines[0], lines[-1]) for lines in embedded] == [("~~~~python title", "~~~~")] * 3
    assert [line for lines in embedded for line in lines[1:-1]] == code
    assert NL.join(texts(chunks)) == text


def test_a_fence_that_never_closes_is_closed_for_the_embedder():
    chunks = cut("```sh\n" + "run the command\n" * 30, max_tokens=40)
    assert chunks[0].embedded.endswith("run the command\n```")


def test_a_long_list_is_cut_at_top_level_items():
    items = [f"- item {n} says something\n  - and a sub item\n  - and one more" for n in range(8)]
    chunks = cut(NL.join(items), max_tokens=36)
    assert texts(chunks) == [NL.join(items[n : n + 2]) for n in range(0, 8, 2)]


def test_a_quote_is_cut_at_lines():
    lines = [f"> line {n} of a quote that is long enough" for n in range(9)]
    assert texts(cut(NL.join(lines), max_tokens=36)) == [
        NL.join(lines[n : n + 3]) for n in range(0, 9, 3)
    ]


def test_a_long_heading_path_is_cut_from_the_middle():
    names = [f"level {n} " + "word " * 13 + "end" for n in range(1, 7)]
    text = NL.join(f"{'#' * n} {name}" for n, name in enumerate(names, 1)) + "\n\ntext\n"
    [chunk] = cut(text)[-1:]
    crumb = chunk.embedded.split(NL)[0]
    assert crumb == " > ".join([names[0], "…", *names[4:]])
    assert (chunk.heading, chunk.embedded.endswith("text")) == (tuple(names), True)


def test_an_own_heading_that_is_too_long_is_cut_at_its_end_and_kept_in_the_text():
    heading = " ".join(f"word{n}" for n in range(150))
    [chunk] = cut(f"# {heading}\n\ntext\n")
    crumb = " ".join(f"word{n}" for n in range(63)) + "…"
    assert chunk.embedded == f"{crumb}\n# {heading}\n\ntext"


def test_the_bound_is_the_smaller_of_the_users_and_the_models():
    text = "word " * 100
    [few] = {c.tokens for c in split("a", text, parse(text), WordCounter(52), max_tokens=256)}
    assert few == 52


def test_an_absurd_bound_is_refused():
    with pytest.raises(ConfigError, match=r"leaves no room.*; raise chunks\.max_tokens, or take"):
        cut("text", max_tokens=15)


def test_a_model_whose_window_is_too_small_is_refused():
    with pytest.raises(ConfigError, match="a bound of 8 tokens"):
        split("a.md", "text", parse("text"), WordCounter(8), max_tokens=256)


def test_a_character_above_the_bound_fails_its_file_alone():
    class Wide(WordCounter):
        def count(self, texts: Sequence[str]) -> list[int]:
            return [2 + 40 * text.count("W") for text in texts]

    with pytest.raises(ValueError, match=r"single character.*; raise chunks\.max_tokens"):
        split("a.md", "W", parse("W"), Wide(), max_tokens=32)


def test_unreadable_front_matter_is_in_a_chunk_and_heads_none():
    chunks = cut("---\ntitle: a: b\n\n# comment\n---\n\n# H\n\ntext\n")
    assert [(c.heading, c.text) for c in chunks] == [
        ((), "---\ntitle: a: b\n\n# comment\n---"),
        (("H",), "# H\n\ntext"),
    ]


def test_headings_without_text_fill_chunks_in_linear_time():
    text = "# a\n" * 50_000
    outline = parse(text)
    began = time.process_time()
    chunks = split("a.md", text, outline, WordCounter(), max_tokens=256)
    assert time.process_time() - began < 4
    assert max(chunk.tokens for chunk in chunks) <= 256
    assert_covered(text, chunks)


@pytest.mark.parametrize("bound", [16, 20, 33])
def test_a_counter_that_does_not_add_up_keeps_the_bound(bound: int):
    text = (
        "# 今天 heading > of some length\n\n"
        + "🙂🙂 天气很好 word.\n" * 20
        + "| a | b |\n|---|---|\n"
    )
    chunks = split("a.md", text, parse(text), ByteCounter(), max_tokens=bound)
    counted = ByteCounter().count([chunk.embedded for chunk in chunks])
    assert counted == [chunk.tokens for chunk in chunks]
    assert max(counted) <= bound
    assert_covered(text, chunks)


def test_ids_stay_when_lines_are_added_above():
    text = "# A\n\na\n\n## B\n\nb\n"
    before, after = cut(text), cut("\n\nNew.\n\n" + text)
    assert [chunk.id for chunk in after[1:]] == [chunk.id for chunk in before]
    assert [chunk.lines for chunk in after[1:]] == [(5, 7), (9, 11)]


ROWS = [f"Row number {n:04} has as many words as any." for n in range(400)]
LONG = {
    "a table": ("| a |\n|---|\n", "| {} |\n"),
    "a list": ("", "- {}\n"),
    "a fence": ("```\n", "{}\n"),
}


@pytest.mark.parametrize(("opening", "row"), list(LONG.values()), ids=list(LONG))
def test_a_row_added_on_top_of_many_alike_changes_the_first_chunks_alone(opening: str, row: str):
    before = [chunk.id for chunk in cut(opening + "".join(map(row.format, ROWS)))]
    after = {chunk.id for chunk in cut(opening + "".join(map(row.format, ["New.", *ROWS])))}
    kept = [identity in after for identity in before]
    assert len(kept) > 10
    assert kept.count(False) <= 3
    assert all(kept[3:])


def test_a_long_section_is_cut_a_fifth_shorter_than_one_that_its_heading_sums_up():
    sentence = "The owners met on the first day of each month and wrote down what they had spent. "
    short, long = (cut("# A\n\n" + sentence * times, max_tokens=64) for times in (12, 60))
    assert max(chunk.tokens for chunk in short) > 0.85 * 64
    assert max(chunk.tokens for chunk in long) <= 0.85 * 64


def test_an_id_says_path_heading_text_and_repeat():
    chunks = cut("# A\n\nsame\n\n# A\n\nsame\n\n# B\n\nsame\n")
    elsewhere = cut("# A\n\nsame\n", path="b.md")
    ids = [chunk.id for chunk in chunks + elsewhere]
    assert len(set(ids)) == 4
    assert ids[0] == "56d24c88832d696c76a1fae5"
    assert VERSION == 3


def test_an_edit_changes_no_chunk_of_another_section():
    parts = [f"# H{n}\n\n" + f"Some words of part {n}. " * 40 + "\n\n" for n in range(4)]
    before = {chunk.embedded for chunk in cut("".join(parts), max_tokens=64)}
    parts[1] = parts[1].replace("words", "more words", 1)
    changed = [c for c in cut("".join(parts), max_tokens=64) if c.embedded not in before]
    assert {chunk.heading for chunk in changed} == {("H1",)}


def test_an_overlap_repeats_one_short_sentence_of_a_cut_paragraph():
    pieces = tuple(
        Piece(Range(10 * n, 10 * n + 9), "paragraph", "", tokens, opens=n == 0, is_sentence=True)
        for n, tokens in enumerate([20, 20, 5, 20, 20, 5])
    )
    overlapping = [[pieces.index(p) for p in chunk] for chunk in pack(pieces, 46, overlap=1)]
    plain = [[pieces.index(p) for p in chunk] for chunk in pack(pieces, 46, overlap=0)]
    assert (overlapping, plain) == ([[0, 1, 2], [2, 3], [4, 5]], [[0, 1, 2], [3, 4, 5]])


@pytest.mark.parametrize(
    "unit", ["The fox jumps over the dog. ", "word ", "x", "天", "a. ", "a\n\n", "- a b\n", "> a\n"]
)
def test_a_long_text_is_cut_in_linear_time_and_counted_a_few_times(unit: str):
    text = unit * (400_000 // len(unit))
    counter, outline = WordCounter(), parse(text)
    began = time.process_time()
    split("a.md", text, outline, counter, max_tokens=256)
    assert time.process_time() - began < 5
    assert counter.seen < 8 * len(text)


def assert_covered(text: str, chunks: Sequence[Chunk]) -> None:
    """Every non-blank character after the front matter is in a chunk."""
    start = body_start(text)
    for chunk in chunks:
        assert text[start : chunk.chars[0]].strip() == ""
        start = max(start, chunk.chars[1])
    assert text[start:].strip() == ""


def assert_sound(text: str, chunks: Sequence[Chunk], bound: int) -> None:
    """Ranges, lines, order, bound and ids are what the types promise."""
    for chunk in chunks:
        start, end = chunk.chars
        assert chunk.text == text[start:end]
        assert chunk.lines == (text.count(NL, 0, start) + 1, text.count(NL, 0, end - 1) + 1)
        assert not chunk.text[-1].isspace()
        assert chunk.text.split(NL)[0].strip()
        assert 0 < chunk.tokens <= bound
    assert all(one.chars[1] <= other.chars[0] for one, other in pairwise(chunks))
    assert len({chunk.id for chunk in chunks}) == len(chunks)


WRITTEN = """\
# a;# a;## A heading of several words;text;Some words. And more! And 中文。很好\uff1f;===;---;;;
- item;  - sub item with words;1. one;> quote;> # in;```python;~~~;    code;<!-- x;-->;</div>
:::tip;:::;!!! note;[a]: /u;***;  indented;title: x;#;\u2028;\x0c;x\u2028y;| a | b |;|---|---|
| cell | row |;supercalifragilisticexpialidocious-supercalifragilisticexpialidocious;🙂🙂🙂"""
LINES = st.sampled_from(WRITTEN.replace(NL, ";").split(";"))
DOCUMENTS = st.one_of(
    st.lists(LINES, max_size=40).map(NL.join),
    st.text(alphabet="#-=>`~:!|ab. \n\t\u2028。", max_size=300),
    st.text(max_size=200).map(lambda text: text.replace("\r", "")),
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS, st.sampled_from([16, 24, 40, 256]), st.sampled_from([WordCounter, ByteCounter]))
def test_any_document_is_cut_whole_and_within_the_bound(
    text: str, bound: int, counting: type[WordCounter | ByteCounter]
):
    outline = parse(text)
    chunks = split("a.md", text, outline, counting(), max_tokens=bound)
    assert counting().count([chunk.embedded for chunk in chunks]) == [c.tokens for c in chunks]
    assert_sound(text, chunks, bound)
    assert_covered(text, chunks)
    assert split("a.md", text, outline, counting(), max_tokens=bound) == chunks
