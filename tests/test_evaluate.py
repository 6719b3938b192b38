"""A question file read, its labels found in the documents, and what was found of them measured."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from askmd.config import Config
from askmd.errors import Interrupted
from askmd.evaluate import (
    Finding,
    Label,
    Measure,
    Question,
    QuestionsError,
    as_saved,
    evaluate,
    read_questions,
    read_saved,
)
from askmd.evaluate import metrics as figures
from askmd.evaluate.labels import LabelFault, Library, Target
from askmd.evaluate.metrics import Wanted
from askmd.ingest import ingest_folder
from askmd.retriever import Retriever
from askmd.types import Chars, Chunk, Filter, Hit, Mode, Progress, Search
from conftest import HANDBOOK

GUIDE = (
    "# Guide\n\nPreamble of the guide.\n\n## Setup\n\nInstall it.\n\n### Linux\n\nUse apt.\n\n"
    "## Usage\n\n### Examples\n\nOne.\n\n## More\n\n### Examples\n\nTwo.\n\n\n"
)


def written(folder: Path, *rows: object) -> Path:
    path = folder / "questions.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def asking(**fields: object) -> dict[str, object]:
    return {"id": "q", "question": "Why?", "expect": [{"path": "a.md"}]} | fields


# --- the file -----------------------------------------------------------------------------------


def test_a_question_file_is_read_whole(tmp_path: Path):
    path = written(
        tmp_path,
        asking(id=7, expect=[{"path": "./b\\c.md", "chars": [3, 9], "grade": 2}], any=True),
        "",
        asking(id="r", expect=[], draft="heading"),
        asking(id="h", expect=[{"path": "a.md", "lines": [1, 1]}, {"path": "a.md", "grade": 0}]),
    )
    assert read_questions(path) == [
        Question("7", "Why?", (Label("b/c.md", chars=(3, 9), grade=2.0),), True, 1),
        Question("r", "Why?", (), False, 3),
        Question("h", "Why?", (Label("a.md", lines=(1, 1)),), False, 4),
    ]


def test_what_powershell_writes_is_read(tmp_path: Path):
    path = tmp_path / "questions.jsonl"
    path.write_bytes((json.dumps(asking()) + "\r\n").encode("utf-16"))
    assert [one.id for one in read_questions(path)] == ["q"]


def test_a_question_without_an_id_gets_one_that_its_text_alone_decides(tmp_path: Path):
    one = {"question": "Why?", "expect": []}
    [first, second] = read_questions(written(tmp_path, one, one | {"question": "How?"}))
    [again] = read_questions(written(tmp_path, one))
    assert (first.id == again.id, first.id == second.id) == (True, False)


def test_half_a_surrogate_pair_becomes_a_character_that_can_be_shown(tmp_path: Path):
    [one] = read_questions(written(tmp_path, r'{"id": "q", "question": "a\ud800b?", "expect": []}'))
    assert one.question == "a\ufffdb?"


def test_half_a_surrogate_pair_in_a_label_or_an_id_becomes_a_character_too(tmp_path: Path):
    row = (
        r'{"id": "\ud800", "question": "Why?", "expect": [{"path": "\ud800", "heading": "\udfff"}]}'
    )
    [one] = read_questions(written(tmp_path, row))
    assert (one.id, one.expect) == ("\ufffd", (Label("\ufffd", heading="\ufffd"),))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "line 1: this is no JSON"),
        ("[1]", "line 1: this is no JSON object"),
        ("[" * 100_000, "this is no JSON (too deep)"),
        (f'{{"id": {"9" * 5000}}}', "a number has more than 4300 digits"),
        ({"id": "q", "expect": []}, 'there is no "question"'),
        ({"id": "q", "question": " ", "expect": []}, 'there is no "question"'),
        ({"id": "q", "question": "Why?"}, '"expect" must be a list; an empty one: '),
        (asking(id=[1]), '"id" must be'),
        (asking(any="yes"), '"any" must be true or false'),
        (asking(expect=["a.md"]), 'an object with a "path"'),
        (asking(expect=[{"path": ""}]), 'an object with a "path"'),
        (asking(expect=[{"path": "a.md", "char": [1, 2]}]), "knows no 'char'; 'chars' is meant"),
        (asking(expect=[{"path": "a.md", "chars": [5, 5]}]), '"chars" must be [start, end)'),
        (asking(expect=[{"path": "a.md", "chars": [1.5, 5]}]), '"chars" must be [start, end)'),
        (asking(expect=[{"path": "a.md", "lines": [0, 5]}]), '"lines" must be [first, last]'),
        (asking(expect=[{"path": "a.md", "heading": 5}]), '"heading" must be'),
        (asking(expect=[{"path": "a.md", "grade": "good"}]), '"grade" must be'),
        (asking(expect=[{"path": "a.md", "grade": 0}]), 'every "grade" is 0'),
    ],
    ids=lambda value: str(value)[:80],
)
def test_a_bad_line_is_named_with_what_is_wrong(row: object, said: str, tmp_path: Path):
    with pytest.raises(QuestionsError) as caught:
        read_questions(written(tmp_path, row))
    assert "questions.jsonl, line 1: " in caught.value.message
    assert said in caught.value.message


def test_an_id_that_stands_twice_is_named_with_both_lines(tmp_path: Path):
    with pytest.raises(QuestionsError, match="line 3: the id 'q' stands on line 1 too"):
        read_questions(written(tmp_path, asking(), "", asking()))


def test_an_empty_file_and_none_at_all_name_the_next_command(tmp_path: Path):
    with pytest.raises(QuestionsError, match="holds no question; run `askmd eval --draft`"):
        read_questions(written(tmp_path))
    with pytest.raises(QuestionsError, match="there is no such file"):
        read_questions(tmp_path / "none.jsonl")


# --- labels -------------------------------------------------------------------------------------


def library(**texts: str) -> Library:
    documents = {f"{name}.md": text for name, text in texts.items()}

    def read(path: str, chars: Chars) -> str | None:
        return documents[path][chars[0] : chars[1]] if documents[path] else None

    return Library(documents, read)


def found(label: Label) -> tuple[str, str, str]:
    [target] = library(guide=GUIDE).targets(Question("q", "Why?", (label,)))
    text = GUIDE[slice(*target.chars)] if target.chars else "all of it"
    return text, target.place, target.section


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (Label("guide.md"), ("all of it", "guide.md", "guide.md")),
        (Label("guide.md", chars=(9, 17)), ("Preamble", "guide.md:3", "guide.md#guide")),
        (
            Label("guide.md", lines=(5, 8)),
            ("## Setup\n\nInstall it.", "guide.md:5-8", "guide.md#setup"),
        ),
        (
            Label("guide.md", heading="setup"),
            (
                "## Setup\n\nInstall it.\n\n### Linux\n\nUse apt.",
                "guide.md#setup",
                "guide.md#setup",
            ),
        ),
        (
            Label("guide.md", heading="Usage  > examples"),
            ("### Examples\n\nOne.", "guide.md#examples", "guide.md#examples"),
        ),
        (
            Label("guide.md", heading="#examples-1"),
            ("### Examples\n\nTwo.", "guide.md#examples-1", "guide.md#examples-1"),
        ),
        (
            Label("guide.md", heading="Setup", lines=(1, 1)),
            ("# Guide", "guide.md:1-1", "guide.md#guide"),
        ),
    ],
    ids=["file", "chars", "lines", "heading with those below it", "path", "anchor", "lines first"],
)
def test_a_label_names_a_range(label: Label, expected: tuple[str, str, str]):
    assert found(label) == expected


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (Label("docs/guide.md"), "docs/guide.md is not in the index; is guide.md meant?"),
        (Label("giude.md"), "giude.md is not in the index; is guide.md meant?"),
        (Label("other.md"), "other.md is not in the index"),
        (
            Label("gone.md", lines=(1, 2)),
            "gone.md has changed since it was indexed; run `askmd ingest`",
        ),
        (Label("guide.md", chars=(9, 900)), f"guide.md has {len(GUIDE)} characters, none at 900"),
        (Label("guide.md", lines=(9, 30)), "guide.md has 25 lines, none numbered 30"),
        (Label("guide.md", lines=(2, 2)), "guide.md is blank in lines 2-2"),
        (
            Label("guide.md", heading="Set up"),
            "guide.md has no heading 'Set up'; is 'Setup' meant?",
        ),
        (
            Label("guide.md", heading="Examples"),
            'guide.md has 2 headings \'Examples\'; write its anchor: "#examples" or "#examples-1"',
        ),
    ],
    ids=str,
)
def test_a_label_that_points_nowhere_says_what_is_wrong(label: Label, said: str):
    with pytest.raises(LabelFault) as caught:
        library(guide=GUIDE, gone="").targets(Question("q", "Why?", (label,)))
    assert str(caught.value) == said


def test_every_label_of_the_sample_questions_points_somewhere():
    home = Path(__file__).parents[1]
    root = home / "sample_docs"
    texts = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in root.rglob("*.md")
    }
    read = Library(texts, lambda path, chars: texts[path][chars[0] : chars[1]])
    questions = read_questions(home / "sample_questions.jsonl")
    assert [len(read.targets(one)) for one in questions] == [len(one.expect) for one in questions]
    assert sum(not one.expect for one in questions) == 3


# --- metrics ------------------------------------------------------------------------------------


def hit(path: str, *chars: int, rank: int = 1, text: str = "x") -> Hit:
    return Hit(
        rank, 0.5, {}, None, f"{path}{chars}", path, (), "", (1, 1), (chars[0], chars[1]), text
    )


def wanted(*ranges: tuple[str, int, int], is_any: bool = False, grade: float = 1.0) -> Wanted:
    return Wanted(tuple(Target(path, (a, b), grade, "", "") for path, a, b in ranges), is_any)


def files(*paths: str, is_any: bool = False) -> Wanted:
    return Wanted(tuple(Target(path, None, 1.0, path, path) for path in paths), is_any)


def test_what_two_hits_share_counts_once():
    hits = [hit("a", 0, 60), hit("a", 40, 80), hit("b", 80, 100)]
    assert figures.recall(wanted(("a", 0, 100)), hits) == 0.8


def test_recall_of_several_labels_is_of_all_their_characters_or_of_the_best():
    hits = [hit("a", 0, 10)]
    both = (("a", 0, 10), ("b", 0, 30))
    assert figures.recall(wanted(*both), hits) == 0.25
    assert figures.recall(wanted(*both, is_any=True), hits) == 1.0


def test_what_two_labels_share_counts_once():
    both = wanted(("a", 0, 100), ("a", 50, 150), ("a", 60, 70), ("b", 100, 150))
    hits = [hit("a", 50, 100)]
    assert figures.recall(both, hits) == 0.25
    assert figures.precision_and_iou(both, hits) == (1.0, 0.25)


def test_a_label_longer_than_what_fits_counts_as_what_fits():
    assert figures.recall(wanted(("a", 0, 100)), [hit("a", 0, 40)], 40) == 1.0


@pytest.mark.parametrize("is_any", [False, True], ids=["all", "any"])
def test_more_than_was_thought_to_fit_is_all_of_it(is_any: bool):
    label = wanted(("a", 0, 100), is_any=is_any)
    assert figures.recall(label, [hit("a", 0, 60)], 40) == 1.0


def test_recall_of_files_is_the_share_of_files():
    hits = [hit("a", 5, 6), hit("a", 7, 8), hit("c", 0, 1)]
    assert figures.recall(files("a", "b"), hits) == 0.5
    assert figures.recall(files("a", "b", is_any=True), hits) == 1.0


def test_precision_and_iou_are_of_characters():
    hits = [hit("a", 50, 150), hit("b", 0, 100)]
    assert figures.precision_and_iou(wanted(("a", 0, 100)), hits) == (0.25, 0.2)


@pytest.mark.parametrize(
    ("label", "chars", "is_useful"),
    [
        ((0, 100), (50, 500), True),
        ((0, 100), (51, 500), False),
        ((0, 1000), (900, 1050), True),
        ((0, 60), (30, 500), False),
        ((0, 20), (0, 500), True),
        ((3000, 3100), (0, 9000), False),
    ],
    ids=["half of it", "less", "half lies in it", "under forty", "all of little", "too far down"],
)
def test_a_hit_is_useful_where_a_reader_has_found_the_place(
    label: Chars, chars: Chars, is_useful: bool
):
    ranks = figures.ranks(wanted(("a", *label)), [hit("b", *label), hit("a", *chars)])
    assert ranks == ((2,) if is_useful else (None,))


def test_ndcg_weighs_grades_and_ranks():
    two = Wanted(
        (Target("a", (0, 50), 2.0, "", ""), Target("b", (0, 50), 1.0, "", "")), is_any=False
    )
    assert figures.ndcg(two, (1, 2)) == 1.0
    assert figures.ndcg(two, (2, 1)) == pytest.approx(
        (3 / 1.58496 + 1) / (3 + 1 / 1.58496), abs=1e-5
    )
    assert figures.ndcg(two, (None, 11)) == 0.0
    assert figures.ndcg(replace(two, is_any=True), (1, None)) == 1.0
    assert figures.ndcg(two, (1, 1)) == 1.0


def test_a_grade_of_next_to_nothing_is_still_one():
    assert figures.ndcg(wanted(("a", 0, 50), grade=1e-300), (1,)) == 1.0
    assert figures.ndcg(wanted(("a", 0, 50), grade=5e-324, is_any=True), (1,)) == 1.0


def test_files_are_ranked_by_their_best_hit():
    hits = [hit("a", 0, 1), hit("a", 1, 2), hit("b", 0, 1)]
    assert figures.file_ranks(files("b", "c"), hits) == (2, None)


# --- the whole ----------------------------------------------------------------------------------


class Shelf:
    """A retriever that finds what it was told to, and reads the handbook."""

    def __init__(self, *hits: Hit, has_evidence: bool = True, degraded: str | None = None) -> None:
        self._found = Search("", "words", degraded, hits)
        self._has_evidence = has_evidence
        self.asked: list[tuple[str, int | None, Mode | None, Filter]] = []

    def find(self, question: str, *, limit: int | None, mode: Mode | None, where: Filter) -> Search:
        self.asked.append((question, limit, mode, where))
        return replace(self._found, question=question)

    def has_evidence(self, search: Search) -> bool:
        return self._has_evidence

    def neighbours(self, id: str, distance: int = 1) -> list[Chunk]:
        return []

    def read(self, path: str, chars: Chars) -> str | None:
        return HANDBOOK[path][chars[0] : chars[1]]


@pytest.fixture
def config(settings: Config, handbook: Path) -> Config:
    ingest_folder(handbook, settings)
    return settings


PROXY = Question("proxy", "Forward?", (Label("nginx.md", heading="Reverse proxy"),), line=1)
OFF = Question("off", "Pancakes?", (), line=2)
LOST = Question("lost", "Lost?", (Label("lost.md"),), line=3)


def proxy_hit(rank: int) -> Hit:
    start = HANDBOOK["nginx.md"].index("## Reverse")
    text = HANDBOOK["nginx.md"][start : HANDBOOK["nginx.md"].index("\n\n## 502")]
    return hit("nginx.md", start, start + len(text), rank=rank, text=text)


def test_an_evaluation_measures_each_question_and_all(config: Config):
    shelf = Shelf(hit("postgres.md", 0, 10), proxy_hit(2))
    seen: list[Progress] = []
    told = evaluate(shelf, [PROXY, OFF, LOST], config, progress=seen.append)
    [proxy, off] = told.results
    size = len(proxy_hit(2).text)
    expected = {
        "recall@5": 1.0,
        "recall@3000tok": 1.0,
        "precision@5": round(size / (size + 10), 6),
        "iou@5": round(size / (size + 10), 6),
        "hit@1": 0.0,
        "hit@5": 1.0,
        "mrr@10": 0.5,
        "ndcg@10": round(1 / 1.5849625, 6),
        "kept": 1.0,
    }
    assert (list(proxy.metrics.items()), proxy.rank, proxy.passed) == ([*expected.items()], 2, True)
    assert (off.metrics, off.expected, off.passed) == ({"refused": 0.0}, (), False)
    assert list(told.metrics) == [*expected, "refused"]
    assert told.metrics["mrr@10"] == Measure(0.5, 0.5, 0.5, 1)
    assert told.findings == (Finding("lost", 3, "lost.md is not in the index"),)
    assert [(one.done, one.total) for one in seen] == [(1, 3), (2, 3)]
    assert shelf.asked[0] == ("Forward?", 100, None, Filter())


def test_a_question_that_is_refused_though_it_is_answered_fails(config: Config):
    told = evaluate(Shelf(proxy_hit(1), has_evidence=False), [PROXY, OFF], config)
    assert [(one.is_refused, one.passed) for one in told.results] == [(True, False), (True, True)]
    assert (told.metrics["kept"].mean, told.metrics["refused"].mean) == (0.0, 1.0)


def test_the_lengths_that_count_are_in_the_metrics_names(config: Config):
    told = evaluate(Shelf(proxy_hit(1)), [PROXY], config, limit=3, budget_tokens=50, mode="words")
    assert list(told.metrics)[:4] == ["recall@3", "recall@50tok", "precision@3", "iou@3"]
    assert (told.limit, told.budget_tokens, told.mode) == (3, 50, "words")


@pytest.mark.parametrize("budget", [1, 2])
def test_a_budget_that_holds_next_to_nothing_is_measured(budget: int, config: Config):
    file = Question("file", "Forward?", (Label("nginx.md"),))
    shelf = Shelf(proxy_hit(1))
    told = evaluate(shelf, [PROXY, file], config, budget_tokens=budget)
    assert {one.metrics["recall@5"] for one in told.results} == {1.0}
    assert {one.metrics[f"recall@{budget}tok"] for one in told.results} <= {0.0, 1.0}


def test_degraded_searches_are_counted(config: Config):
    told = evaluate(Shelf(degraded="found by words alone"), [PROXY, OFF], config)
    assert told.degraded == "found by words alone (in 2 of 2 searches)"


def test_where_no_label_points_anywhere_nothing_is_measured(config: Config):
    with pytest.raises(QuestionsError, match=r"the first: lost\.md is not in the index; write"):
        evaluate(Shelf(), [LOST], config)


def test_an_evaluation_stops_between_two_questions(config: Config):
    shelf = Shelf(proxy_hit(1))
    with pytest.raises(Interrupted, match="stopped after 1 of 2 questions"):
        evaluate(shelf, [PROXY, OFF], config, cancel=lambda: len(shelf.asked) == 1)


def test_a_real_index_is_measured(config: Config):
    question = Question(
        "vacuum", "Who removes dead rows?", (Label("postgres.md", heading="Vacuum"),)
    )
    with Retriever.open(config) as retriever:
        told = evaluate(retriever, [question], config, mode="words")
    assert (told.results[0].ranks, told.metrics["recall@5"].mean) == ((1,), 1.0)


def test_what_was_saved_is_read_again(config: Config, tmp_path: Path):
    told = evaluate(Shelf(proxy_hit(2)), [PROXY, OFF, LOST], config)
    path = tmp_path / "saved.json"
    path.write_text(as_saved(told), encoding="utf-8")
    assert read_saved(path) == told
    assert json.loads(as_saved(told)) == json.loads(json.dumps(asdict(told)))


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"format": "askmd evaluation 1"}', "{" * 100_000]
)
def test_another_file_is_no_saved_evaluation(text: str, tmp_path: Path):
    path = tmp_path / "saved.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(QuestionsError, match="holds no saved evaluation; make one with"):
        read_saved(path)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"limit": float("inf")},
        {"limit": float("nan")},
        {"metrics": {"mrr@10": {"mean": float("nan"), "low": 0.0, "high": 1.0, "questions": 1}}},
        {"metrics": {"mrr@10": {"mean": 0.5, "low": -0.1, "high": 1.0, "questions": 1}}},
        {"metrics": {"mrr@10": {"mean": 0.5, "low": 0.0, "high": "high", "questions": 1}}},
        {"result": {"mrr@10": float("nan")}},
        {"result": {"mrr@10": float("inf")}},
        {"result": {"mrr@10": 1.1}},
    ],
    ids=str,
)
def test_a_saved_evaluation_with_impossible_figures_is_none(
    nonsense: dict[str, object], config: Config, tmp_path: Path
):
    data = json.loads(as_saved(evaluate(Shelf(proxy_hit(2)), [PROXY, OFF], config)))
    if "result" in nonsense:
        data["results"][0]["metrics"] = nonsense["result"]
    path = tmp_path / "saved.json"
    path.write_text(json.dumps(data | nonsense), encoding="utf-8")
    with pytest.raises(QuestionsError, match="holds no saved evaluation; make one with"):
        read_saved(path)
