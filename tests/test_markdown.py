"""Markdown → sections. What it makes of which text stands in tests/cases/*.md.

A case is a title, a line with a dot, Markdown, a dot, what is expected, a dot. The expected part
draws the outline: metadata where there is any, then each section's lines, path and anchor, and
under it its blocks.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import commonmark_parser as parser
from askmd.markdown import body_start, parse, reading, scanner, split_sections
from askmd.markdown.dialects import Dialects
from askmd.markdown.spans import Span
from askmd.types import Anchors, Block, Outline, Section

CASES = Path(__file__).parent / "cases"
NL = "\n"
PUBLISHERS = ("github", "mkdocs", "docusaurus")


def cases() -> Iterator[pytest.ParameterSet]:
    for file in sorted(CASES.glob("*.md")):
        lines = file.read_text(encoding="utf-8").split(NL)
        dots = [number for number, line in enumerate(lines) if line == "."]
        for first, second, third in zip(dots[::3], dots[1::3], dots[2::3], strict=True):
            text = "".join(line + NL for line in lines[first + 1 : second])
            expected = "".join(line + NL for line in lines[second + 1 : third])
            yield pytest.param(text, expected, id=f"{file.stem}: {lines[first - 1]}")


def drawn(text: str) -> str:
    """Return a document's outline as the cases draw it."""
    outline = parse(text)
    lines = []
    if outline.metadata:
        lines.append(json.dumps(outline.metadata, ensure_ascii=False))
    if outline.title or outline.description:
        lines.append(
            f"title: {outline.title}; description: {outline.description}".removesuffix(
                "; description: "
            )
        )
    for section in outline.sections:
        first, last = section.lines
        anchor = f" #{section.anchor}" if section.anchor else ""
        lines.append(f"{first}-{last} [{' > '.join(section.path)}]{anchor}")
        lines += anchors_drawn(section)
        lines += [line for block in section.blocks for line in block_drawn(block, "  ")]
    lines += [f"note {label}: {text}" for label, text in outline.notes.items()]
    lines += [f"link {label}: {title}".rstrip() for label, title in outline.links.items()]
    return "".join(line + NL for line in lines)


def anchors_drawn(section: Section) -> list[str]:
    """Return one line with the published anchors that are not the section's own, or none."""
    named = [(name, getattr(section.anchors, name)) for name in PUBLISHERS]
    told = [f"{name} #{anchor}" for name, anchor in named if anchor != section.anchor]
    return [f"  {', '.join(told)}"] if told else []


def block_drawn(block: Block, margin: str) -> Iterator[str]:
    first, last = block.lines
    level = str(block.level) if block.level else ""
    numbers = str(first) if first == last else f"{first}-{last}"
    yield f"{margin}{numbers} {block.kind}{level} {block.info}".rstrip()
    for child in block.children:
        yield from block_drawn(child, margin + "  ")


def headings(spans: list[Span]) -> list[tuple[int, int, int, str]]:
    return [
        (span.first, span.end, span.level, " ".join(span.info.split()))
        for span in spans
        if span.kind == "heading"
    ]


def both_readings(text: str) -> tuple[list[Span], list[Span]]:
    """Return the blocks after the front matter, by the parser and by the scanner."""
    lines = text[body_start(text) :].split(NL)
    found = (parser.find(lines, Dialects(lines)), scanner.find(lines, Dialects(lines)))
    return reading.finished(found[0], lines), reading.finished(found[1], lines)


def texts_under(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*.md")):
        text = file.read_bytes().decode("utf-8-sig")
        yield file.name, text.replace("\r\n", NL).replace("\r", NL)


@pytest.mark.parametrize(("text", "expected"), list(cases()))
def test_a_case_is_read_as_it_says(text: str, expected: str):
    assert drawn(text) == expected


@pytest.mark.parametrize(("text", "expected"), list(cases()))
def test_the_scanner_reads_a_case_as_the_parser_does(text: str, expected: str):
    by_parser, by_scanner = both_readings(text)

    def told(spans: list[Span]) -> list[tuple[object, ...]]:
        return [(s.kind, s.first, s.end, s.level, " ".join(s.info.split())) for s in spans]

    assert told(by_scanner) == told(by_parser)


@pytest.mark.shared
@pytest.mark.parametrize(
    "folder", ["corpora/fastapi", "corpora/rustbook", "eval/anthropic_docs", "eval/chroma"]
)
def test_the_scanner_finds_the_parsers_headings_in_real_documents(shared: Path, folder: str):
    differing = []
    for name, text in texts_under(shared / folder):
        by_parser, by_scanner = both_readings(text)
        if headings(by_parser) != headings(by_scanner):
            differing.append(name)
    assert differing == []


def test_split_sections_returns_the_outlines_sections():
    [section] = split_sections("# Setup\n```sh\n# comment\n```\n")
    assert section == Section(
        path=("Setup",),
        anchor="setup",
        lines=(1, 4),
        blocks=(Block("heading", (1, 1), 1, "Setup"), Block("fence", (2, 4), 0, "sh")),
        anchors=Anchors("setup", "setup", "setup"),
    )


def test_the_front_matters_title_wins_over_the_first_heading():
    outline = parse("---\ntitle: 7\ndescription: one\n  two\n---\n# Other\n")
    assert (outline.title, outline.description) == ("7", "one two")
    assert [section.path for section in outline.sections] == [("Other",)]


def test_without_front_matter_the_first_top_heading_is_the_title():
    assert parse("## Early\n\n# Main\n\n# Next\n").title == "Main"


def test_the_body_starts_after_the_front_matter():
    text = "---\ntitle: A\n---\n# B\n"
    assert (body_start(text), text[body_start(text) :]) == (17, "# B\n")
    assert (body_start("# B\n"), body_start(""), body_start("---\na: 1\n---")) == (0, 0, 12)


def test_front_matter_above_64_kilobytes_is_text():
    text = "---\na: " + "x" * 65536 + "\n---\n\ntext\n"
    assert (parse(text).metadata, body_start(text)) == ({}, 0)


@pytest.mark.parametrize(
    "source",
    [
        "---\na: " + "[" * 60000 + "\n---\n",
        "---\na: " + "1" * 60000 + "\n---\n",
        "---\na: \x01\n---\n",
        "---\na: !!timestamp foo\n---\n",
        "---\na: !!bool z\n---\n",
        "---\na: !!int ''\n---\n",
        "---\na: " + "59:" * 300 + "1.5\n---\n",
        "---\na: " + "[" * 40 + "]" * 40 + "\n---\n",
        "+++\na = " + "[" * 40 + "]" * 40 + "\n+++\n",
    ],
    ids=[
        "nested",
        "endless number",
        "control character",
        "no timestamp",
        "no truth value",
        "no integer",
        "overflow",
        "deep",
        "deep TOML",
    ],
)
def test_hostile_front_matter_stays_text(source: str):
    outline = parse(source + "# H\n")
    assert body_start(source) == 0
    assert [s.path for s in outline.sections if s.path] == [("H",)]


@pytest.mark.parametrize("opening", ["---\n{}: ", "+++\n{} = "], ids=["YAML", "TOML"])
def test_an_integer_of_thousands_of_digits_becomes_hexadecimal_text(opening: str):
    digits = "0x" + "f" * 6000
    marker = opening[:3]
    [value] = parse(f"{opening.format('x')}{digits}\n{marker}\n").metadata.values()
    assert value == digits
    outline = parse(f"{opening.format('title')}{digits}\n{marker}\n# H\n")
    assert outline.title == digits[:1000] + "…"


def test_a_lone_surrogate_in_front_matter_is_replaced_and_a_pair_is_a_character():
    outline = parse('---\ntitle: "bad \\ud800 title"\n"\\udc00": "\\ud83d\\ude00"\n---\n')
    assert outline.metadata == {"title": "bad \ufffd title", "\ufffd": "\U0001f600"}
    assert outline.title == "bad \ufffd title"


def test_values_that_json_cannot_hold_become_text():
    outline = parse("---\na: .inf\nb: [-.inf, .nan]\nc: 1.5\n---\n")
    assert outline.metadata == {"a": "inf", "b": ["-inf", "nan"], "c": 1.5}


def test_unreadable_front_matter_without_an_end_of_line_is_kept():
    [section] = parse("---\ntitle: a: b\n---").sections
    assert section == Section(("a: b",), "", (1, 3), (Block("paragraph", (1, 3)),))


FRONT_MATTER = st.text(alphabet="ab01x:=-#!?&*|>~<'\"[]{}.,_T \\ud\n\t", max_size=60)
TAGS = st.sampled_from(["", "!!int ", "!!float ", "!!bool ", "!!timestamp ", "!!set ", "!!omap "])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["---\na: ", "+++\na = "]), TAGS, FRONT_MATTER)
def test_no_front_matter_stops_a_document(opening: str, tag: str, source: str):
    outline = parse(f"{opening}{tag}{source}\n{opening[:3]}\n\n# H\n")
    written = json.dumps(outline.metadata, allow_nan=False, ensure_ascii=False)
    assert json.loads(written.encode("utf-8")) == outline.metadata
    assert outline.sections[-1].path[-1] == "H"


def test_hostile_toml_is_refused_quickly():
    began = time.perf_counter()
    assert body_start("+++\n" + "a." * 30000 + "b=1\n+++\n") == 0
    assert time.perf_counter() - began < 3


def test_metadata_holds_json_types_only():
    outline = parse("---\n1: !!binary aGk=\n2024-01-02: !!set {a, b}\npair: !!pairs [a: 1]\n---\n")
    assert outline.metadata == {"1": None, "2024-01-02": None, "pair": [["a", 1]]}


def test_a_list_deeper_than_twenty_hides_nothing_after_it():
    deep = "".join("  " * depth + "- a\n" for depth in range(25))
    assert [s.path for s in split_sections(f"{deep}\n# Heading\n\ntext\n")] == [(), ("Heading",)]


def test_a_list_of_two_hundred_levels_hides_nothing_after_it():
    deep = "".join("  " * depth + "- a\n" for depth in range(200))
    [preamble, section] = split_sections(f"{deep}\n# Heading\n\ntext\n")
    [block] = preamble.blocks
    assert (block.kind, block.lines, depth(block)) == ("list", (1, 200), 11)
    assert section.path == ("Heading",)


@pytest.mark.parametrize("unit", ["- a\n", "a\n\n", "> - a\n", "# a\n", "***\n"])
def test_blocks_with_hardly_any_text_in_them_are_refused(unit: str):
    with pytest.raises(ValueError, match=r"300,00\d blocks of \d char.* no text; exclude it"):
        parse(unit * 300_000)


def test_a_list_of_three_hundred_thousand_words_is_read():
    [section] = parse("- abcdef\n" * 300_000).sections
    [block] = section.blocks
    assert len(block.children) == 300_000


def test_pandocs_tables_make_no_heading():
    simple = "Right Left\n----- ----\n12    12\n\n"
    edge = "-" * 14 + NL
    rows = f"{edge} A      B\n------ ------\n one    two\n        more\n\n three  four\n{edge}"
    [section] = split_sections(f"{simple}{rows}\ntext\n\nfoo\n--- ---\n")
    assert [(block.kind, block.lines) for block in section.blocks] == [
        ("table", (1, 3)),
        ("rule", (5, 5)),
        ("table", (6, 12)),
        ("paragraph", (14, 14)),
        ("paragraph", (16, 16)),
        ("rule", (17, 17)),
    ]


def test_a_heading_of_a_megabyte_is_cut_in_the_path():
    [section] = split_sections("# " + "word " * 200_000)
    assert (len(section.path[0]), section.path[0][-1]) == (1001, "…")


def depth(block: Block) -> int:
    return 1 + max(map(depth, block.children), default=0)


HOSTILE = {
    "lazy in quotes": "> " * 28 + "a\n" + "b\n" * 60_000,
    "often lazy in quotes": ("> " * 28 + "a\n" + "b\n" * 500) * 100,
    "lazy in quotes and lists": "> - " * 28 + "a\n" + "b\n" * 50_000,
    "lazy in dense quotes": ">" * 50 + "a\n" + "b\n" * 1_900,
    "lazy in lists": "- " * 28 + "a\n" + "b\n" * 60_000,
    "items": "- a\n" * 50_000,
    "many items": "- a\n" * 100_000,
    "items in items": "".join("  " * (n % 20) + "- words\n" for n in range(30_000)),
    "items in quotes": "> - a\n" * 50_000,
    "mixed": "> - " * 50_000,
    "quotes": "> " * 10_000 + "a\n",
    "brackets": "[" * 500_000,
    "brackets in headings": ("# " + "[" * 900 + "\n") * 500,
    "marks in headings": "".join(f"# **a{n}**\n" for n in range(20_000)),
    "tags": "<a " * 60_000,
    "blanks": "# " + " " * 200_000 + "x",
    "headings": "# a\n" * 60_000,
    "numbered headings": "# a\n" * 20_000 + "".join(f"# a_{n}\n" for n in range(20_000)),
    "paragraphs": "a\n\n" * 100_000,
    "one line": "word " * 2_000_000,
    "definitions": "".join(f"[a{n}]: /b\n" for n in range(100_000)),
    "open definitions": '[a]: /b "\n' * 60_000,
    "notes": "[^a]: b\n" * 40_000,
    "openers": ":::tip\n" * 50_000,
    "openers and a closer": ":::tip\n" * 50_000 + ":::\n",
    "openers of all lengths": "".join(":" * (n % 100 + 3) + "tip\n" for n in range(9_000)) + ":::",
    "crossing shortcodes": "".join(f"{{{{< a{n} >}}}}\n" for n in range(20_000))
    + "".join(f"{{{{< /a{n} >}}}}\n" for n in range(20_000)),
    "tags of Liquid": "{% raw\n" * 50_000,
    "highlights": "{% highlight a %}\n" * 50_000,
    "components": "<Card\n" * 50_000,
    "components apart": "<Card\na\n\n" * 40_000,
    "attributes": "<Card a={" + "{" * 100_000 + "\n>",
    "modules": "export const a = {\n\n" * 50_000,
    "blanks in a module": "import a" + " " * 100_000 + "x\nexport function" + " " * 100_000,
    "comments": "<!-- a -->" * 20_000 + "b",
    "half maths": "$$ a\nb\n" * 40_000 + "\\[\n" * 40_000,
    "half literals": "{`a\nb\n" * 40_000,
    "half tables": "-----\na\n-- --\nb\n\nc\n" * 10_000,
    "pairs": "{% a %}\n" * 30_000 + "{% enda %}\n" * 30_000,
    "half comments": "%%\n\nx\n\n" * 40_000,
    "delimiters": "a|b\n-|-" + " " * 200_000 + "x",
    "wide table": "|" * 9000 + "\n" + "|-" * 9000,
    "wider table": "|" * 300_000 + "\n" + "|-" * 300_000,
}


@pytest.mark.parametrize("text", list(HOSTILE.values()), ids=list(HOSTILE))
def test_hostile_text_costs_what_its_length_costs(text: str):
    began = time.process_time()
    parse(text)
    assert time.process_time() - began < 4


# A few lines of each kind, so that generated documents nest, interrupt and fail to close.
WRITTEN = """\
# a;## b ##;text;more text;===;---;;;- item;  - sub;1. one;> quote;> # in;```;~~~;    code;\tcode
<!-- x;-->;<div>;</div>;:::tip;:::;!!! note;/// tip;///;[a]: /u;***;  indented;é中文;+++;title: x;-
title: a: b;#;\u2028;\x0c;\xa0;| a | b |;|---|---|;::::tip;/// tip;{% highlight sh %}
{% endhighlight %};{% raw %};{{< tabs >}};{{< /tabs >}};{% comment %};{% endcomment %};%%;%% x %%
{/*;*/};<Tabs>;</Tabs>;<Card;  title="x";/>;import a from 'a';export const a = {;};> [!NOTE];>;>> b
[^a]: note;[^a b]: c;    # in;    ```;      - deep;=== "Tab";<a name="x"></a>;[b]:;"title";1);\t- t
$$;\\[;\\];{`a;b`};{: #x };{% if x %};{% endif %};::: {.columns};-- ---;-----
a line so long that what holds a few like it is looked into, for it has a hundred characters"""
LINES = st.sampled_from(WRITTEN.replace(NL, ";").split(";"))
DOCUMENTS = st.one_of(
    st.lists(LINES, max_size=30).map(NL.join),
    st.text(alphabet="#-=>`~:!|[]<>ab \n\t\u2028.", max_size=200),
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_every_line_with_text_is_in_one_block_of_one_section(text: str):
    outline = parse(text)
    above = text.count(NL, 0, body_start(text))
    held = [
        line
        for section in outline.sections
        for block in section.blocks
        for line in range(block.lines[0], block.lines[1] + 1)
    ]
    body = text[body_start(text) :].split(NL)
    written = {number for number, line in enumerate(body, above + 1) if line.strip()}
    assert held == sorted(set(held))
    assert written <= set(held)
    assert_sections_follow_each_other(outline, text, above + 1)


def assert_sections_follow_each_other(outline: Outline, text: str, first_line: int) -> None:
    """Section lines leave nothing between them; only blank lines come before the first."""
    if not outline.sections:
        return
    total = text.count(NL) + (not text.endswith(NL))
    firsts = [section.lines[0] for section in outline.sections]
    assert [section.lines[1] for section in outline.sections] == [
        *(f - 1 for f in firsts[1:]),
        total,
    ]
    assert "".join(text.split(NL)[first_line - 1 : firsts[0] - 1]).strip() == ""


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=30).map(NL.join))
def test_the_scanner_covers_what_the_parser_covers(text: str):
    by_parser, by_scanner = both_readings(text)
    written = {n for n, line in enumerate(text[body_start(text) :].split(NL)) if line.strip()}
    for spans in (by_parser, by_scanner):
        assert written <= {line for span in spans for line in range(span.first, span.end)}


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_children_hold_every_line_of_their_block_but_its_frame(text: str):
    lines = text.split(NL)
    for section in parse(text).sections:
        for block in section.blocks:
            assert_children_follow_each_other(block, lines)


def assert_children_follow_each_other(block: Block, lines: list[str]) -> None:
    held = [n for child in block.children for n in range(child.lines[0], child.lines[1] + 1)]
    first, last = block.lines
    assert held == sorted(set(held))
    assert set(held) <= set(range(first, last + 1))
    if block.children:
        frame = {first, last} if block.kind in ("container", "quote") else set()
        bare = {n for n in range(first, last + 1) if lines[n - 1].strip(" \t\n>-+*1.)") == ""}
        assert set(range(first, last + 1)) - set(held) <= frame | bare
    for child in block.children:
        assert_children_follow_each_other(child, lines)


def test_a_carriage_return_is_a_blank_and_nul_a_character_to_both_readers():
    text = "-\rone\n" + "words " * 40 + "\n\n#\rA\0B\n\n\0\n"
    [above, section] = split_sections(text)
    assert [block.kind for block in above.blocks] == ["list"]
    assert section.path == ("A\ufffdB",)
    assert section.blocks[1] == Block("paragraph", (6, 6))
    large = split_sections(text + "\nb\n" * 50_000)
    assert (large[0], large[1].path) == (above, section.path)
