"""Why a place was found, or was not: never another story than the search tells."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import Retriever, compose, ingest_folder, store
from askmd.cli.show import explained
from askmd.config import Config
from askmd.contracts import Reranker
from askmd.errors import EmbedderUnreachable, FolderError, UsageError
from askmd.filters import parse_filter
from askmd.retriever.why import STEADY, Standing, Word
from askmd.settings import DocumentSettings
from askmd.types import Hit, Mode, Vector
from conftest import Askmd, CountingEmbedder


class DeadEmbedder(CountingEmbedder):
    """An embedder whose server is down when a question comes, and how often it was tried."""

    tries = 0

    def embed_query(self, text: str) -> Vector:
        self.tries += 1
        raise EmbedderUnreachable("http://127.0.0.1:9 cannot be reached", "start the server")


class FakeReranker:
    """Scores a text by a function of it."""

    model = "fake"

    def __init__(self, score: Callable[[str], float]) -> None:
        self.score = score

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        return [self.score(text) for text in texts]

    def close(self) -> None:
        """Nothing is open."""


def opened(config: Config, reranker: Reranker | None = None) -> Retriever:
    embedder = compose.open_embedder(config)
    return Retriever(store.open_store(config.index_folder), embedder, config, reranker=reranker)


@pytest.fixture
def retriever(handbook: Path, settings: Config) -> Iterator[Retriever]:
    ingest_folder(handbook, settings)
    with opened(settings) as retriever:
        yield retriever


@pytest.fixture
def library(tmp_path: Path, settings: Config) -> Config:
    """Three hundred notes of a few words each: more than a ranking looks at for ten hits."""
    root = tmp_path / "library"
    root.mkdir()
    colours, shapes = ("red", "green", "blue", "grey", "brown"), ("square", "circle", "cube")
    for number in range(300):
        words = [colours[number % 5], shapes[number % 3], *["stone"] * (number % 7), f"n{number}"]
        text = f"# Note {number}\n\nAbout {' and '.join(words)}.\n"
        (root / f"note{number}.md").write_text(text, encoding="utf-8")
    ingest_folder(root, settings)
    return settings


# --- places ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        ("nginx.md#reverse-proxy", (5, 7)),
        ("nginx.md#Reverse proxy", (5, 7)),
        ("nginx.md#NGINX  > reverse PROXY", (5, 7)),
        ("nginx.md##reverse-proxy", (5, 7)),
        ("./nginx.md:6", (5, 7)),
        ("nginx.md:6-7", (5, 7)),
        ("nginx.md:5-7  Nginx > Reverse proxy", (5, 7)),
        ("access/ssh.md#rotation", (6, 9)),
        ("access/../postgres.md:10", (8, 10)),
    ],
)
def test_a_place_is_named_as_people_name_it(
    retriever: Retriever, place: str, lines: tuple[int, int]
):
    why = retriever.why("key", place)
    assert (why.hit.lines, why.others) == (lines, 0)


def test_the_heading_may_be_given_apart(retriever: Retriever):
    apart = retriever.why("forward requests", "nginx.md", "Reverse proxy")
    assert apart.place == "nginx.md#Reverse proxy"
    assert apart.hit == retriever.why("forward requests", "nginx.md#Reverse proxy").hit


def test_a_place_on_disk_is_the_document_that_was_made_of_it(
    retriever: Retriever, handbook: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(handbook / "access")
    assert retriever.why("key", "ssh.md#rotation").hit.path == "access/ssh.md"
    assert retriever.why("key", str(handbook / "nginx.md")).hit.path == "nginx.md"


def test_of_a_place_of_several_chunks_the_one_that_comes_nearest_is_told(retriever: Retriever):
    whole = retriever.why("upstream refused", "nginx.md")
    below = retriever.why("upstream refused", "nginx.md#Nginx")
    assert (whole.hit.heading, whole.others, below.others) == (("Nginx", "502 Bad Gateway"), 2, 2)
    assert (whole.place, below.place) == ("nginx.md", "nginx.md#Nginx")


def test_an_anchor_as_it_is_written_is_one_section_and_a_heading_all_that_bear_it(
    tmp_path: Path, settings: Config
):
    root = tmp_path / "notes"
    root.mkdir()
    text = "# A\n\n## Setup\n\nFirst stone.\n\n# B\n\n## Setup\n\nSecond tree.\n"
    (root / "a # b.md").write_text(text, encoding="utf-8")
    ingest_folder(root, settings)
    with opened(settings) as retriever:
        one = retriever.why("tree", "a # b.md#setup")
        both = retriever.why("tree", "a # b.md#Setup")
    assert ("First" in one.hit.text, "Second" in both.hit.text) == (True, True)
    assert (one.others, both.others) == (0, 1)


def test_a_small_section_is_found_in_the_chunk_that_holds_it_under_another_heading(
    tmp_path: Path, settings: Config
):
    root = tmp_path / "notes"
    root.mkdir()
    (root / "a.md").write_text("# Stones\n\n## Grey\n\n### Light\n\nWarm.\n", encoding="utf-8")
    ingest_folder(root, settings)
    with opened(settings) as retriever:
        hit = retriever.why("warm", "a.md#grey").hit
    assert (hit.heading, hit.lines[0]) == (("Stones", "Grey", "Light"), 1)


def test_a_file_that_has_changed_since_is_told_of_as_it_was(retriever: Retriever, handbook: Path):
    (handbook / "nginx.md").write_text("# Nginx\n\nAll is new.\n", encoding="utf-8")
    why = retriever.why("forward requests", "nginx.md#reverse-proxy")
    assert (why.is_stale, why.hit.lines) == (True, (5, 7))
    assert retriever.why("forward requests", "nginx.md#nginx").others == 2


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (
            "ngnix.md#reverse-proxy",
            "ngnix.md is not in the index; is nginx.md meant? "
            "`askmd search` prints paths as they are indexed",
        ),
        (
            "docs/ssh.md:3",
            "docs/ssh.md is not in the index; is access/ssh.md meant? "
            "`askmd search` prints paths as they are indexed",
        ),
        (
            "nginx.md#revers proxy",
            "nginx.md has no heading 'revers proxy'; is 'Reverse proxy' meant? "
            "`askmd inspect nginx.md` shows its headings",
        ),
        ("nginx.md:99", "no chunk of nginx.md holds line 99; the nearest is nginx.md:9-11"),
        ("", "; run `askmd search` with some of its words to see how paths are written"),
        ("\udcff\0.md", "; run `askmd search` with some of its words to see how paths are written"),
    ],
)
def test_a_place_that_is_not_there_names_the_nearest(
    retriever: Retriever, place: str, message: str
):
    with pytest.raises(FolderError) as raised:
        retriever.why("key", place)
    assert str(raised.value).endswith(message)


def test_a_file_that_is_not_indexed_says_why(handbook: Path, settings: Config, tmp_path: Path):
    config = replace(settings, documents=DocumentSettings(exclude=("drafts/",)))
    (handbook / "drafts").mkdir()
    (handbook / ".askmdignore").write_text("secret.md\n", encoding="utf-8")
    (handbook / "binary.md").write_bytes(b"\x00\x01\x02\xff" * 400)
    for name in ("drafts/plan.md", "secret.md", "notes.txt"):
        (handbook / name).write_text("# Plan\n\nA plan.\n", encoding="utf-8")
    ingest_folder(handbook, config)
    (handbook / "new.md").write_text("# New\n\nNew.\n", encoding="utf-8")
    outside = tmp_path / "outside.md"
    shutil.copy(handbook / "new.md", outside)
    told = {}
    with opened(config) as retriever:
        for name in ("new.md", "drafts/plan.md", "secret.md", "notes.txt", str(outside)):
            with pytest.raises(FolderError) as raised:
                retriever.why("plan", f"{name}#plan")
            told[name] = str(raised.value)
        with pytest.raises(FolderError, match=r"binary\.md is not in the index: .*askmd ingest"):
            retriever.why("plan", "binary.md")
    missing = "is not in the index:"
    assert told == {
        "new.md": f"new.md {missing} it is newer than the index; run `askmd ingest`",
        "drafts/plan.md": f"drafts/plan.md {missing} documents.include or documents.exclude leaves "
        "it out; run `askmd config`",
        "secret.md": f"secret.md {missing} it is hidden, a link, or left out by .gitignore or "
        ".askmdignore; take the rule away",
        "notes.txt": f"notes.txt {missing} its name does not end in .md, .markdown, .mdx; "
        "rename it",
        str(outside): f"{outside} is not below {handbook}, which the index belongs to; "
        "name a document as `askmd search` prints it",
    }


# --- ranks ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["hybrid", "dense", "words"])
@pytest.mark.parametrize("limit", [1, 10, 150])
def test_the_rank_is_the_one_that_a_search_gives(library: Config, mode: Mode, limit: int):
    question = "blue circle and stone"
    with opened(library) as retriever:
        first = [hit.chunk for hit in retriever.search(question, limit=limit, mode=mode)]
        for number in (2, 17, 60, 151, 299):
            why = retriever.why(question, f"note{number}.md", limit=limit, mode=mode)
            assert why.is_shown == (why.hit.chunk in first)
            assert why.shown_by is not None
            hits = retriever.search(question, limit=why.shown_by, mode=mode)
            assert why.hit.chunk in [hit.chunk for hit in hits]
            if max(why.limit, why.shown_by) <= STEADY:
                assert hits[-1] == why.hit


def test_all_of_a_ranking_stays_as_it_is_while_few_hits_are_asked_for(library: Config):
    with opened(library) as retriever:
        few = retriever.search("green cube", limit=10)
        assert retriever.search("green cube", limit=STEADY)[:10] == few


def test_what_holds_no_word_is_found_by_no_number_of_hits_in_a_search_by_words(
    retriever: Retriever,
):
    why = retriever.why("dead rows", "nginx.md#reverse-proxy", mode="words")
    assert (why.hit.rank, why.shown_by, why.is_shown, why.dense, why.bm25) == (
        0,
        None,
        False,
        None,
        None,
    )
    assert why.because == (
        "No search finds it: it holds none of the question's words, and --mode words looks at "
        "nothing else."
    )
    assert why.next_step == "ask with a word that it holds, or with --mode hybrid"


def test_the_standings_are_among_all_that_the_filter_allows(retriever: Retriever):
    question, proxy = "forward requests upstream", "nginx.md#reverse-proxy"
    free = retriever.why(question, proxy)
    near = retriever.search(question, mode="dense", limit=10)
    [cosine] = [hit.scores["cosine"] for hit in near if hit.chunk == free.hit.chunk]
    places = [hit.chunk for hit in near]
    assert free.dense == Standing(places.index(free.hit.chunk) + 1, len(near), cosine)
    kept = retriever.why(question, proxy, where=parse_filter(["nginx.md"]))
    assert (kept.dense and kept.dense.of, kept.bm25 and kept.bm25.of) == (3, 2)


# --- reasons --------------------------------------------------------------------------------


def test_each_word_of_the_question_is_told_where_it_stands(retriever: Retriever):
    why = retriever.why("how do I forward proxy requests to a dead xylophone", "nginx.md#Nginx")
    assert why.hit.heading == ("Nginx", "Reverse proxy")
    assert why.words == (
        Word("forward", "text", 1),
        Word("proxy", "heading", 1),
        Word("requests", "text", 1),
        Word("dead", "elsewhere", 1),
        Word("xylophone", "nowhere", 0),
    )
    assert why.left_out == ("how", "do", "i", "to", "a")
    close = retriever.why("refused forward requests to a website", "nginx.md#Reverse proxy")
    assert close.phrases == ("forward requests",)
    assert close.words[0] == Word("refused", "beside", 1)


@pytest.mark.parametrize(
    ("typed", "barring"),
    [
        (["access/**"], ("access/**",)),
        (["*.md", "tag=database"], ("tag=database",)),
        (["nginx.md", "heading=GATEWAY"], ("heading=gateway",)),
        (["!nginx.md", "title=Nginx", "heading=proxy"], ("!nginx.md", "title=Nginx")),
    ],
)
def test_what_a_filter_leaves_out_says_which_part_of_it(
    retriever: Retriever, typed: list[str], barring: tuple[str, ...]
):
    free = retriever.why("forward requests", "nginx.md#Reverse proxy")
    why = retriever.why("forward requests", "nginx.md#Reverse proxy", where=parse_filter(typed))
    assert (free.is_shown, free.filtered_by, why.filtered_by) == (True, (), barring)
    assert (why.is_shown, why.hit) == (False, free.hit)
    assert why.because == (
        f"The filter {', '.join(map(repr, barring))} leaves it out; without it, it would be "
        "number 1."
    )
    assert why.next_step == "leave that part of the filter out"


def test_what_says_the_same_again_names_what_stands_before_it(tmp_path: Path, settings: Config):
    root = tmp_path / "notes"
    root.mkdir()
    text = "# Stones\n\nA grey stone lies in the river and nobody has moved it for many years.\n"
    for name in "abcd":
        (root / f"{name}.md").write_text(text, encoding="utf-8")
    for number in range(12):
        other = f"# Rivers {number}\n\nThe river {number} is long, and has some stone.\n"
        (root / f"river{number}.md").write_text(other, encoding="utf-8")
    ingest_folder(root, settings)
    with opened(settings) as retriever:
        told = [retriever.why("grey stone in the river", f"{name}.md", limit=5) for name in "abcd"]
    back = [why for why in told if why.repeats]
    assert (len(back), sum(why.is_shown for why in told)) == (2, 2)
    before = back[0].repeats
    assert before in {f"{name}.md:1-3" for name in "abcd"}
    assert back[0].because == (
        f"It nearly repeats {before}, which stands before it, so it stepped back."
    )
    assert back[0].next_step == f"-k {back[0].hit.rank} shows it; or read {before}"


def test_a_reranker_that_moved_it_is_named(library: Config):
    question = "blue circle"
    with opened(library) as plain:
        first, *_, tenth = plain.search(question, limit=10)
    reranker = FakeReranker(lambda text: -1.0 if first.text in text else 1.0)
    with opened(library, reranker) as retriever:
        moved = retriever.why(question, first.path)
        assert retriever.search(question, limit=50)[-1] == moved.hit
        risen = retriever.why(question, tenth.path)
    assert (moved.rank_before_reranking, moved.hit.rank, moved.shown_by) == (1, 50, 50)
    assert moved.because == "The reranker moved it from number 1 to 50."
    assert (risen.rank_before_reranking, risen.hit.rank) == (10, 9)
    assert "the reranker found it at number 10" in risen.because


def test_with_the_embedder_down_words_alone_are_told_and_it_is_not_tried_again(
    handbook: Path, settings: Config
):
    ingest_folder(handbook, settings)
    embedder = DeadEmbedder()
    with Retriever.open(settings, embedder=embedder) as retriever:
        why = retriever.why("dead rows", "nginx.md#Reverse proxy")
    assert (embedder.tries, why.dense) == (1, None)
    assert why.because == (
        "No search finds it: it holds none of the question's words, and it is found by words "
        "alone: http://127.0.0.1:9 cannot be reached."
    )
    assert why.next_step == "mend what is left out, or ask with a word that it holds"


def test_what_stands_above_the_floor_is_what_a_search_says(library: Config):
    question = "n17 grey cube"
    with opened(library) as retriever:
        far = retriever.why(question, "note17.md", limit=1)
        again = {hit.chunk: hit for hit in retriever.search(question, limit=STEADY)}
        assert again[far.hit.chunk] == far.hit
        nonsense = retriever.why("xylophone pancakes", "note17.md")
    assert (far.is_refused, nonsense.is_refused) == (False, True)


def test_an_empty_question_and_no_hits_at_all_are_refused_as_a_search_does(retriever: Retriever):
    for question, limit in ((" ", 10), ("key", 0)):
        with pytest.raises(UsageError):
            retriever.why(question, "nginx.md", limit=limit)


def test_a_question_of_stop_words_is_told_by_meaning_alone(retriever: Retriever):
    why = retriever.why("how do I do it", "nginx.md#Reverse proxy")
    assert (why.words, why.bm25, why.dense is not None) == ((), None, True)
    by_words = retriever.why("how do I do it", "nginx.md#Reverse proxy", mode="words")
    assert (by_words.hit.rank, by_words.shown_by) == (0, None)


# --- doors ----------------------------------------------------------------------------------


def test_why_prints_the_verdict_and_what_it_rests_on(indexed: Askmd):
    ran = indexed("why", "upstream refused", "nginx.md#reverse-proxy", "-k", "1", "--mode", "words")
    assert (ran.status, ran.err) == (
        0,
        "next: ask with a word that it holds, or with --mode hybrid\n",
    )
    assert ran.out.splitlines()[:2] == [
        "nginx.md:5-7  Nginx > Reverse proxy",
        "Not shown. No search finds it: it holds none of the question's words, and --mode words "
        "looks at nothing else.",
    ]
    assert "  lacks     upstream (in 1 chunk, one beside it)" in ran.out


def test_why_tells_the_number_of_hits_that_shows_a_place(indexed: Askmd):
    asked = ("dead rows", "postgres.md#vacuum")
    ran = indexed("why", *asked)
    assert ran.status == 0
    lines = ran.out.splitlines()
    assert lines[0] == "postgres.md:8-10  Postgres > Vacuum"
    assert lines[1].startswith("Shown among the first 10. It is number 1: by meaning number ")
    assert lines[1].endswith("and by words number 1 (it holds all 2 of the question's words).")
    names = [line.split()[0] for line in lines[3:]]
    assert names == ["score", "meaning", "words", "holds", "together"]
    far = indexed("why", "dead rows", "access/ssh.md#rotation", "-k", "1", "--json").json
    shown = indexed("search", "dead rows", "-k", str(far["shown_by"]), "--json").json["hits"]
    assert shown[-1] == far["hit"]


def test_what_eval_proposes_can_be_run(indexed: Askmd):
    ran = indexed("why", "dead rows?", "nginx.md#reverse-proxy")
    assert (ran.status, ran.out.splitlines()[0]) == (0, "nginx.md:5-7  Nginx > Reverse proxy")


def test_an_unknown_place_is_one_line_and_exit_1(indexed: Askmd):
    ran = indexed("why", "dead rows", "nginx.md#proxies")
    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "`askmd inspect nginx.md` shows its headings" in ran.err
    assert indexed("why", "dead rows").status == 2


def test_a_changed_file_and_a_hostile_heading_are_told_safely(
    askmd: Askmd, here: Path, handbook: Path
):
    (handbook / "evil.md").write_text("# Ev\x1b]0;x\x07il\n\nText.\n", encoding="utf-8")
    assert askmd("ingest", "handbook").status == 0
    (handbook / "evil.md").write_text("# Other\n", encoding="utf-8")
    ran = askmd("why", "text", os.path.join("handbook", "evil.md"))  # noqa: PTH118
    assert ran.status == 0
    assert ran.err.startswith("evil.md has changed since it was indexed; run `askmd ingest`\n")
    assert "\x1b" not in ran.out + ran.err


def hit(scores: dict[str, float], score: float, above_floor: float | None = None) -> Hit:
    return Hit(1, score, scores, above_floor, "c", "a.md", (), "", (1, 1), (0, 1), "x")


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            hit(
                {"cosine": 0.5, "bm25": 9.0, "wording": 7.0}
                | {"from_meaning": 0.3, "from_words": 0.4, "from_neighbours": 0.1},
                0.8,
                0.25,
            ),
            "score 0.800 = meaning 0.300 (cosine 0.500) + words 0.400 (fit 7.000, bm25 9.000) + "
            "neighbours 0.100; above floor +0.250",
        ),
        (
            hit({"wording": 7.0, "from_words": 0.9, "rerank": -2.5}, 0.6),
            "score 0.600 of its place; its own 0.900 = words 0.900 (fit 7.000); "
            "the reranker gave it -2.500",
        ),
        (
            hit({"cosine": 0.5, "bm25": 9.0}, 0.8, -0.1),
            "score 0.800 by meaning (cosine 0.500) and words (bm25 9.000); above floor -0.100",
        ),
        (hit({"cosine": 0.5}, 0.8), "score 0.800 by meaning (cosine 0.500)"),
    ],
)
def test_a_score_is_explained_in_one_line(found: Hit, line: str):
    assert explained(found) == line
