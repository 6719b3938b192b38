"""What README shows was really printed, and the handbook's questions find their documents."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from askmd import Config, Retriever

HOME = Path(__file__).parents[1]
README = (HOME / "README.md").read_text(encoding="utf-8")

NUMBER = re.compile(r"\d+(?:\.\d+)?")
NEARLY = 1.0

pytestmark = pytest.mark.model


@dataclass(frozen=True)
class FirstRun:
    """README's first question, asked in a fresh folder by a process of its own."""

    folder: Path
    status: int
    out: str
    err: str


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    folder = tmp_path_factory.mktemp("clone")
    shutil.copytree(HOME / "sample_docs", folder / "sample_docs")
    shutil.copy(HOME / "config.toml", folder)
    shutil.copy(HOME / "sample_questions.jsonl", folder)
    question = re.search(r'\.venv/bin/askmd ask "([^"]+)"', README)
    assert question
    ran = run_askmd(folder, "ask", question[1])
    return FirstRun(folder, ran.returncode, ran.stdout, ran.stderr)


def run_askmd(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "askmd", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=folder,
        check=False,
    )


@pytest.fixture(scope="module")
def retriever(first_run: FirstRun) -> Iterator[Retriever]:
    with Retriever.open(Config.load(first_run.folder / "config.toml")) as opened:
        yield opened


def block_after(mark: str) -> str:
    """Return the text block of README that follows a mark."""
    found = re.search(rf"<!-- {mark} -->\n(````?)\w+\n(.*?)\n\1\n", README, re.DOTALL)
    assert found, f"README has no block after {mark}"
    return found[2]


def without_times(text: str) -> str:
    # Whether the model had to be prepared depends on what ran before.
    text = re.sub("^preparing .* once for this machine, .*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\d+\.\d s", "N s", text.replace("\r", ""))


def test_the_first_answer_in_the_readme_was_really_printed(first_run: FirstRun):
    assert first_run.status == 0
    printed = without_times(first_run.err + first_run.out)
    shown = without_times(block_after("first answer"))
    assert printed[: len(shown)] == shown


def test_the_first_answer_cites_file_and_lines(first_run: FirstRun):
    path, first, last = re.search(  # type: ignore[union-attr]
        r"^\[1\] (\S+):(\d+)-(\d+)  ", first_run.out, re.MULTILINE
    ).groups()
    text = (first_run.folder / "sample_docs" / path).read_text(encoding="utf-8")
    quoted = first_run.out.split("\n\n[1] ")[0]
    assert quoted in "\n".join(text.split("\n")[int(first) - 1 : int(last)])


@pytest.mark.parametrize("mark", ["eval", "why"])
def test_what_the_readme_shows_of_the_handbook_was_really_printed(mark: str, first_run: FirstRun):
    [command] = re.findall(rf"`askmd ({mark} [^`]+)`[^`]+<!-- {mark} -->", README)
    done = run_askmd(first_run.folder, *shlex.split(command))
    printed, shown = (without_times(one).strip() for one in (done.stdout, block_after(mark)))
    assert NUMBER.sub("N", printed) == NUMBER.sub("N", shown)
    # int8 rounds a little otherwise on another kind of processor.
    numbers = zip(NUMBER.findall(printed), NUMBER.findall(shown), strict=True)
    assert [pair for pair in numbers if abs(float(pair[0]) - float(pair[1])) > NEARLY] == []


def test_the_settings_in_the_readme_are_the_example_file():
    assert block_after("settings") == (HOME / "config.toml").read_text(encoding="utf-8").strip()


@pytest.mark.parametrize(
    ("question", "path"),
    [
        ("how do I run a website behind nginx?", "web/nginx.md"),
        ("How do I generate an SSH key?", "access/ssh-keys.md"),
        ("How do I run my first Docker container?", "cloud/first-container.md"),
        ("How do I make Postgres faster at writing?", "data/postgres-writes.md"),
        ("How do I deploy a Lambda function?", "cloud/lambda.md"),
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense", "words"])
def test_a_question_finds_its_document_first(
    question: str, path: str, mode: str, retriever: Retriever
):
    hits = retriever.search(question, limit=2, mode=mode)  # type: ignore[arg-type]
    # Words alone take "make it faster" in another document for as good an answer.
    assert path in [hit.path for hit in hits[: 2 if mode == "words" else 1]]


def test_a_complaint_in_other_words_finds_the_502_section(retriever: Retriever):
    [hit] = retriever.search("my server returns bad gateway", limit=1)
    assert (hit.path, hit.heading[-1]) == ("web/nginx.md", "502 Bad Gateway")


def test_a_question_about_nothing_in_the_handbook_is_without_evidence(retriever: Retriever):
    found = retriever.find("Which xylophone concerto did Beethoven dedicate?")
    assert not retriever.has_evidence(found)
