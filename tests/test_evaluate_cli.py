"""``askmd eval`` as it is typed: tables, comparisons, baselines, drafts, and what goes wrong."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from chat_scripts import sse
from conftest import HANDBOOK, HASH, SHARED, Askmd
from servers import Recorded, Reply, ScriptedServer, embeddings, error_reply, sequence

WAL = HANDBOOK["postgres.md"].index("Raise"), HANDBOOK["postgres.md"].index("\n\n## Vacuum")


def asking(id: str, question: str, *expected: dict[str, Any]) -> dict[str, Any]:
    return {"id": id, "question": question, "expect": list(expected)}


QUESTIONS = [
    asking("proxy", "forward requests", {"path": "nginx.md", "heading": "Reverse proxy"}),
    asking("502", "upstream refused", {"path": "nginx.md", "lines": [9, 11]}),
    asking("wal", "max_wal_size", {"path": "postgres.md", "chars": WAL}),
    asking("vacuum", "dead rows", {"path": "postgres.md", "heading": "Vacuum"}),
    asking("ssh", "ssh-keygen", {"path": "access/ssh.md"}),
    asking("rotation", "every year", {"path": "access/ssh.md", "heading": "#rotation"}),
    asking("off", "xylophone pancakes"),
]


def write(folder: Path, *rows: object, name: str = "questions.jsonl") -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def asked(indexed: Askmd, here: Path) -> Askmd:
    write(here, *QUESTIONS)
    return indexed


def test_eval_prints_figures_with_their_intervals(asked: Askmd):
    ran = asked("eval", "questions.jsonl", "--mode", "words", "-k", "1")
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[:3] == [
        "7 questions, 1 of them to be refused; mode words",
        "                 mean   95 % interval",
        "recall@1        100.0  100.0 to 100.0   of what is expected stands in the first hit",
    ]
    assert [line.split()[0] for line in lines[2:]] == [
        "recall@1", "recall@3000tok", "precision@1", "iou@1", "hit@1", "mrr@10", "ndcg@10", "kept",
        "refused",
    ]  # fmt: skip


def test_eval_names_the_worst_questions_and_what_to_try_next(asked: Askmd, here: Path):
    lost = QUESTIONS[0] | {"question": "dead rows?"}
    write(here, lost, QUESTIONS[6] | {"question": "vacuum pancakes"}, *QUESTIONS[1:5])
    ran = asked("eval", "questions.jsonl", "--mode", "words")
    assert ran.status == 0
    assert ran.out.split("\nworst\n")[1].splitlines() == [
        "  proxy  not found     dead rows?",
        "  off    not refused   vacuum pancakes",
    ]
    assert ran.err == "next: askmd why 'dead rows?' 'nginx.md#reverse-proxy'\n"


def test_each_question_is_shown_on_demand(asked: Askmd):
    ran = asked("eval", "questions.jsonl", "--mode", "words", "--each")
    assert ran.out.split("\neach question\n")[1].splitlines() == [
        "  proxy     rank 1        forward requests",
        "  502       rank 1        upstream refused",
        "  wal       rank 1        max_wal_size",
        "  vacuum    rank 1        dead rows",
        "  ssh       rank 1        ssh-keygen",
        "  rotation  rank 1        every year",
        "  off       refused       xylophone pancakes",
    ]


def test_eval_as_json_is_one_object(asked: Askmd):
    told = asked("eval", "questions.jsonl", "--mode", "words", "--json").json
    assert told["metrics"]["recall@5"] == {"mean": 1.0, "low": 1.0, "high": 1.0, "questions": 6}
    assert told["results"][0]["expected"] == ["nginx.md#reverse-proxy"]
    assert (told["findings"], told["against"], told["baseline"]) == ([], None, None)


def test_a_label_that_points_nowhere_is_left_out_and_named_and_the_status_is_4(
    asked: Askmd, here: Path
):
    write(here, *QUESTIONS[:2], asking("lost", "ssh-keygen", {"path": "ssh.md"}))
    ran = asked("eval", "questions.jsonl", "--mode", "words")
    assert (ran.status, ran.out.splitlines()[0]) == (4, "2 questions; mode words")
    assert ran.err == (
        "left out: question lost (line 3): ssh.md is not in the index; is access/ssh.md meant?\n"
    )


def test_two_configurations_are_compared_in_plain_sentences(asked: Askmd, here: Path):
    (here / "other.toml").write_text(f"{HASH}[search]\nmode = 'dense'\n", encoding="utf-8")
    ran = asked("eval", "questions.jsonl", "--mode", "dense", "--against", "other.toml")
    assert ran.out.split("\n\ncompared with other.toml, in points\n")[1].splitlines()[0] == (
        "recall@5: no difference over 6 questions"
    )
    # Of other forms of a word, only word search knows the stem.
    stems = {"proxy": "forwarding", "wal": "writing", "rotation": "yearly replacing"}
    write(here, *[one | {"question": stems.get(one["id"], one["question"])} for one in QUESTIONS])
    ran = asked("eval", "questions.jsonl", "--mode", "words", "--against", "other.toml")
    [sentence] = [line for line in ran.out.splitlines() if line.startswith("mrr@10: ")]
    number = r"\+\d+\.\d"
    assert re.fullmatch(
        rf"mrr@10: {number}, 95 % interval \+0\.0 to {number} over 6 questions: noise", sentence
    )
    assert ran.status == 0


def test_an_index_that_does_not_change_is_no_worse_than_it_was(asked: Askmd):
    assert asked("eval", "questions.jsonl", "--mode", "words", "--save", "base.json").status == 0
    same = asked("eval", "questions.jsonl", "--mode", "words", "--baseline", "base.json")
    assert (same.status, same.err, same.out.count(": no difference over ")) == (0, "", 10)


def test_a_baseline_of_better_days_fails_the_run(asked: Askmd, here: Path):
    write(here, *[one | {"id": f"{one['id']}-{n}"} for n in range(3) for one in QUESTIONS[:6]])
    base = ("eval", "questions.jsonl", "--mode", "words")
    assert asked(*base, "--save", "base.json").err == "wrote base.json\n"
    crowd = [
        f"## {one['question']} {n}\n\n{one['question']}" for n in range(6) for one in QUESTIONS
    ]
    (here / "handbook" / "crowd.md").write_text("\n\n".join(crowd), encoding="utf-8")
    assert asked("ingest").status == 0
    ran = asked(*base, "--baseline", "base.json", "--save", "new.json", "--junit", "junit.xml")
    assert ran.status == 4
    wrote, wrote_too, worse = ran.err.splitlines()
    assert (wrote, wrote_too) == ("wrote new.json", "wrote junit.xml")
    assert worse.startswith("worse than base.json, beyond noise: recall@5 -")
    assert "; lost most: " in worse and " more" in worse
    assert "recall@5: -" in ran.out and ": a real loss\n" in ran.out
    suite = ElementTree.parse(here / "junit.xml").getroot()[0]
    assert (suite.attrib["tests"], len(suite)) == ("18", 18)
    assert asked(*base, "--baseline", "new.json").status == 0


def test_questions_that_came_and_went_are_named(asked: Askmd, here: Path):
    base = ("eval", "questions.jsonl", "--mode", "words")
    asked(*base, "--save", "base.json")
    edited = QUESTIONS[0] | {"question": "forward all requests"}
    write(here, edited, *QUESTIONS[2:], QUESTIONS[1] | {"id": "new"})
    ran = asked(*base, "--baseline", "base.json")
    assert (ran.status, ran.err.splitlines()) == (
        0,
        [
            "1 asked only here: new",
            "1 asked only there: 502",
            "1 asked otherwise there, and left out: proxy",
        ],
    )


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "no file of questions is named; run `askmd eval QUESTIONS`, or"),
        (("--draft", "questions.jsonl"), 2, "--draft takes no QUESTIONS"),
        (("questions.jsonl", "-n", "3"), 2, "-n says how many to draft"),
        (("questions.jsonl", "-k", "0"), 2, "Invalid value for '-k'"),
        (("none.jsonl",), 1, "none.jsonl cannot be read: there is no such file"),
        (("config.toml",), 1, "config.toml, line 1: this is no JSON"),
        (("questions.jsonl", "--baseline", "config.toml"), 1, "holds no saved evaluation"),
        (("questions.jsonl", "--against", "none.toml"), 1, "none.toml"),
        (("questions.jsonl", "--save", "no/base.json"), 1, "no is no folder; make it first"),
        (("questions.jsonl", "--save", "b.json", "--baseline", "b.json"), 2, "would overwrite"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_is_one_line(
    words: tuple[str, ...], status: int, said: str, asked: Askmd
):
    ran = asked("eval", *words)
    assert (ran.status, ran.out, ran.err.count("\n")) == (status, "", 1)
    assert said in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--save", "questions.jsonl"), "--save would overwrite the questions questions.jsonl"),
        (("--junit", "./questions.jsonl"), "--junit would overwrite the questions"),
        (("--save", "hard.jsonl"), "--save would overwrite the questions"),
        (("--save", "link", "--baseline", "base.json"), "--save would overwrite the baseline"),
        (("--junit", "link", "--baseline", "base.json"), "--junit would overwrite the baseline"),
        (("--junit", "o.toml", "--against", "o.toml"), "--junit would overwrite the settings"),
        (("--save", "config.toml"), "--save would overwrite the settings"),
        (("--save", "new", "--junit", "handbook/../new"), "--junit would overwrite what --save"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_no_file_that_is_read_or_written_is_overwritten(
    words: tuple[str, ...], said: str, asked: Askmd, here: Path
):
    asked("eval", "questions.jsonl", "--mode", "words", "--save", "base.json")
    (here / "link").symlink_to("base.json")
    (here / "hard.jsonl").hardlink_to(here / "questions.jsonl")
    (here / "o.toml").write_text(HASH, encoding="utf-8")
    before = {path: path.read_bytes() for path in here.iterdir() if path.is_file()}
    ran = asked("eval", "questions.jsonl", "--mode", "words", *words)
    assert (ran.status, ran.out, said in ran.err) == (2, "", True)
    assert {path: path.read_bytes() for path in here.iterdir() if path.is_file()} == before


def test_what_is_saved_again_is_whole_and_leaves_nothing_beside_it(asked: Askmd, here: Path):
    save = ("eval", "questions.jsonl", "--mode", "words", "--save")
    asked(*save, "base.json")
    saved = (here / "base.json").read_bytes()
    (here / "base.json").write_text("older, and longer " * 9999, encoding="utf-8")
    (here / "base.json").chmod(0o640)
    (here / "link").symlink_to("base.json")
    names = sorted(here.iterdir())
    assert asked(*save, "link").status == 0
    assert ((here / "base.json").read_bytes(), (here / "link").is_symlink()) == (saved, True)
    assert ((here / "base.json").stat().st_mode & 0o777, sorted(here.iterdir())) == (0o640, names)


def test_a_write_that_fails_leaves_what_was_there(asked: Askmd, here: Path):
    resource = pytest.importorskip("resource")
    (here / "base.json").write_text("good", encoding="utf-8")
    write(here, QUESTIONS[0] | {"id": "long" * 60_000})
    names = sorted(here.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
        ran = asked("eval", "questions.jsonl", "--mode", "words", "--save", "base.json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert (ran.status, ran.err) == (
        1,
        "askmd: base.json cannot be written: File too large; name another file\n",
    )
    assert ((here / "base.json").read_text(encoding="utf-8"), sorted(here.iterdir())) == (
        "good",
        names,
    )


def test_an_id_that_utf_8_cannot_write_is_saved(asked: Askmd, here: Path):
    write(here, *QUESTIONS[:1], QUESTIONS[1] | {"id": "\ud800"})
    ran = asked("eval", "questions.jsonl", "--mode", "words", "--save", "base.json")
    assert ran.status == 0
    saved = json.loads((here / "base.json").read_text(encoding="utf-8"))
    assert [one["id"] for one in saved["results"]] == ["proxy", "\ufffd"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_what_is_no_file_is_written_to_and_stays(asked: Askmd, here: Path):
    os.mkfifo(here / "pipe")
    end = os.open(here / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        ran = asked("eval", "questions.jsonl", "--mode", "words", "--junit", "pipe")
        text = os.read(end, 1_000_000).decode()
    finally:
        os.close(end)
    assert (ran.status, (here / "pipe").is_fifo()) == (0, True)
    assert ElementTree.fromstring(text)[0].attrib["tests"] == "7"


def test_a_baseline_of_other_lengths_is_refused_before_the_work(asked: Askmd):
    asked("eval", "questions.jsonl", "--mode", "words", "--save", "base.json")
    ran = asked("eval", "questions.jsonl", "-k", "3", "--baseline", "base.json")
    assert (ran.status, ran.err) == (
        1,
        "askmd: base.json was measured with -k 5 --budget 3000, this is with -k 3 --budget 3000; "
        "add -k 5 --budget 3000, or save it again\n",
    )


def test_figures_without_the_embedder_are_said_to_be_degraded(
    askmd: Askmd, handbook: Path, here: Path
):
    write(here, *QUESTIONS[:2])
    with ScriptedServer(embeddings) as server:
        text = f'[embedding]\nprovider = "openai"\nmodel = "m"\nbase_url = "{server.base_url}"\n'
        (here / "config.toml").write_text(text, encoding="utf-8")
        assert askmd("ingest", "handbook").status == 0
    ran = askmd("eval", "questions.jsonl")
    assert (ran.status, ran.out.splitlines()[0]) == (4, "2 questions; mode hybrid")
    assert ran.err.startswith("degraded: found by words alone: ")
    assert ran.err.endswith(" (in 2 of 2 searches)\n")


def test_a_question_cannot_drive_the_terminal(asked: Askmd, here: Path):
    write(here, {"id": "\x1b[2J", "question": "\x1b]0;title\x07zebra\nstripes", "expect": []})
    ran = asked("eval", "questions.jsonl", "--each")
    assert ("\x1b" in ran.out + ran.err, "zebra stripes" in ran.out) == (False, True)


def test_ctrl_c_ends_an_evaluation_with_one_line(askmd: Askmd, handbook: Path, here: Path):
    """The embedding server presses it, at the second question."""
    asked: list[str] = []

    def script(request: Recorded) -> Reply:
        asked.extend(request.body["input"])
        if asked[-1] == "second":
            os.kill(os.getpid(), signal.SIGINT)
        return embeddings(request)

    write(here, *[asking(name, name) for name in ("first", "second", "third")])
    with ScriptedServer(script) as server:
        text = f'[embedding]\nprovider = "openai"\nmodel = "m"\nbase_url = "{server.base_url}"\n'
        (here / "config.toml").write_text(text, encoding="utf-8")
        assert askmd("ingest", "handbook").status == 0
        ran = askmd("eval", "questions.jsonl")
    assert (ran.status, ran.out, "third" in asked) == (130, "", False)
    assert ran.err == ("stopping; once more stops at once\naskmd: stopped after 2 of 3 questions\n")


# --- drafts -------------------------------------------------------------------------------------


@pytest.fixture
def wordy(askmd: Askmd, here: Path) -> Askmd:
    body = "This is what you do with it when it is time, and nobody else has done it so far. " * 3
    for name in ("Kettles", "Teapots", "Cups"):
        path = here / "handbook" / f"{name.lower()}.md"
        path.parent.mkdir(exist_ok=True)
        text = f"# {name}\n\n## Clean old {name.lower()} thoroughly\n\n{body}\n"
        path.write_text(text, encoding="utf-8")
    assert askmd("ingest", "handbook").status == 0
    return askmd


def test_a_draft_from_headings_is_a_question_file(wordy: Askmd, here: Path):
    ran = wordy("eval", "--draft", "-n", "2")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.status, len(rows)) == (0, 2)
    assert rows[0]["question"] in {
        f"How do I clean old {name} thoroughly?" for name in ("kettles", "teapots", "cups")
    }
    assert {row["draft"] for row in rows} == {"heading"}
    assert ran.err.splitlines()[0] == "2 questions drafted from headings"
    (here / "questions.jsonl").write_text(ran.out, encoding="utf-8")
    assert wordy("eval", "questions.jsonl", "--json").json["metrics"]["hit@5"]["mean"] == 1.0


def test_a_draft_that_is_shorter_than_wanted_says_so(wordy: Askmd):
    ran = wordy("eval", "--draft")
    assert ran.err.startswith("3 questions drafted from headings, not 20: no other section says")


def test_a_draft_by_an_llm_stays_where_the_server_fails(wordy: Askmd, here: Path):
    question = "How might somebody scrub ancient crockery?"
    with ScriptedServer(sequence(sse([question]), error_reply(401, "no more"))) as server:
        text = f'{HASH}[llm]\nbase_url = "{server.base_url}"\nmodel = "m"\n'
        (here / "config.toml").write_text(text, encoding="utf-8")
        ran = wordy("eval", "--draft")
        first = wordy("eval", "--draft")
    [row] = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.status, row["question"], row["draft"]) == (4, question, "llm")
    assert (ran.err.count("\n"), "askmd: " in ran.err) == (1, True)
    assert (first.status, first.out, first.err.count("\n")) == (1, "", 1)


# --- beside the sets' own scorer ----------------------------------------------------------------


@pytest.mark.shared
def test_the_figures_are_those_of_the_public_sets_scorer(
    askmd: Askmd, here: Path, shared: Path, monkeypatch: pytest.MonkeyPatch
):
    home = shared / "eval" / "anthropic_docs"
    monkeypatch.syspath_prepend(SHARED / "eval")
    import score  # type: ignore[import-not-found]

    lines = (home / "questions.jsonl").read_text(encoding="utf-8").splitlines()[:25]
    (here / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    paths = {one["path"] for line in lines for one in json.loads(line)["expect"]}
    for path in paths:
        target = here / "handbook" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((home / "docs" / path).read_bytes())
    assert askmd("ingest", "handbook").status == 0
    told = askmd("eval", "questions.jsonl", "--mode", "words", "--json").json
    rows = []
    for line, result in zip(lines, told["results"], strict=True):
        row = json.loads(line)
        found = askmd("search", row["question"], "--mode", "words", "-k", "10", "--json").json
        labels = [(one["path"], tuple(one["chars"])) for one in row["expect"]]
        hits = [(hit["path"], *hit["chars"]) for hit in found["hits"]]
        scored = score.score_spans(labels, hits, False)
        scored.pop("recall@4000ch")
        rows.append((scored, {name: result["metrics"][name] for name in scored}))
    assert [ours for _, ours in rows] == [pytest.approx(theirs, abs=1e-6) for theirs, _ in rows]
