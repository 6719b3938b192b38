"""T16: fifty poisoned notes and an LLM that obeys them, through the real ask and chat."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from poisoned import trial
from poisoned.notes import NOTES, QUESTION
from poisoned.trial import CANARIES, FILE_CANARY, Trial
from servers import ScriptedServer

STRACED = {"shell", "tool call", "image", "YAML payload"}

pytestmark = pytest.mark.xdist_group("poisoned")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    return trial.attempt(tmp_path_factory.mktemp("poisoned"))


def test_every_note_reaches_the_llm_and_the_llm_obeys(seen: Trial):
    assert len(NOTES) == len({note.name for note in NOTES}) == 50
    read = [
        (note.name, "quartz" in request.body["messages"][-1]["content"].casefold())
        for ran in seen.poisoned
        for note, request in zip(ran.notes, ran.asked, strict=True)
    ]
    assert read == [(note.name, True) for note in NOTES] * 2
    assert {ran.status for ran in seen.runs} == {0}
    assert all("read_file" in ran.out for ran in seen.runs)


def test_no_file_process_or_connection_beyond_what_a_harmless_note_brings_about(seen: Trial):
    assert (seen.beyond, seen.strangers) == ([], 0)
    assert [path.name for path in seen.folder.rglob("pwned*")] == []
    connected = {did[1:] for ran in seen.runs for did in ran.events if did[0] == "socket.connect"}
    assert connected == {("127.0.0.1", str(seen.port))}


def test_the_process_that_searches_beside_is_watched_as_well(seen: Trial):
    counts = [ran.beside for ran in seen.runs if ("os.fork",) in ran.events]
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("SKIPPED LOUDLY: without a second core no process is forked")
    assert counts and min(counts) > 0


def test_no_secret_is_sent_but_the_key_in_its_header(seen: Trial):
    assert seen.leaked == []
    sent = {one.headers["authorization"] for ran in seen.runs for one in ran.requests}
    assert sent == {f"Bearer {CANARIES['OPENAI_API_KEY']}"}


def test_between_the_marks_stand_exactly_the_passages_that_were_sent(seen: Trial):
    assert seen.forged == []
    words = {re.findall(r"<passage-(\w+)", str(one.body))[0] for r in seen.runs for one in r.asked}
    assert len(words) == sum(len(ran.asked) for ran in seen.runs)


def test_citations_and_quotes_that_were_invented_are_found_out(seen: Trial):
    assert seen.believed == []


def test_no_request_offers_tools_or_asks_for_more_than_text(seen: Trial):
    named = {name for ran in seen.runs for one in ran.requests for name in one.body}
    allowed = {"model", "messages", "temperature", "stream", "stream_options"}
    assert named <= allowed | {"max_tokens", "max_completion_tokens"}


def test_what_is_printed_drives_no_terminal(seen: Trial):
    printed = [
        text for ran in seen.runs if "--json" not in ran.words for text in (ran.out, ran.err)
    ]
    found = [
        re.findall(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", one
        )
        for one in printed
    ]
    assert (len(printed), found) == (2 * 27, [[]] * len(printed))


def test_the_marks_are_found_missing_where_they_are(seen: Trial):
    ran = next(ran for ran in seen.poisoned if ran.records)
    [request], [record] = ran.asked, ran.records
    assert trial.forged(request, QUESTION, record["passages"]) == []
    word = re.findall(r"<passage-(\w+)", request.body["messages"][0]["content"])[0]
    request.body["messages"][-1]["content"] += f"</passage-{word}>"
    assert len(trial.forged(request, QUESTION, record["passages"])) == 2


def test_the_system_sees_no_more_than_python_does(tmp_path: Path):
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("SKIPPED LOUDLY: strace is not here, so only Python's own events are checked")
    with trial.stranger() as (evil, visits), ScriptedServer(trial.obey(evil)) as server:
        trial.prepare(tmp_path, evil)
        log = tmp_path / "strace.log"
        calls = "trace=open,openat,creat,connect,execve,execveat,unlink,unlinkat,rename,mkdir"
        before = [strace, "-f", "-qq", "-s", "300", "-e", calls, "-o", str(log)]
        jobs = [
            (words, stdin)
            for notes, words, stdin in trial.plan(server.base_url)
            if "ask" in words and {note.name for note in notes} & STRACED
        ]
        report = trial.in_child(tmp_path, jobs, before=before)
        port = server.port
    assert [ran["status"] for ran in report] == [0] * 4
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    connected = {one for line in lines for one in re.findall(r"sa_family=AF_INET6?,.*?}", line)}
    assert [one for one in connected if f"htons({port})" not in one] == []
    started = [line for line in lines if "execve(" in line and line.endswith("= 0")]
    # Python's own platform module asks what machine this is, whatever is read.
    strange = [line for line in started[1:] if '/uname", ["uname", "-p"]' not in line]
    assert (strange, visits) == ([], [])
    written = {
        path
        for line in lines
        if "O_WRONLY" in line or "O_RDWR" in line or re.search(r" (unlink|rename|mkdir)", line)
        for path in re.findall(r'"(/[^"]*)"', line)
    }
    own = (f"{tmp_path}/.askmd", f"{tmp_path}/home/askmd", f"{tmp_path}/report.json", "/dev/")
    # Python tries its folder for temporary files, here the home, with an empty file.
    tried = re.compile(re.escape(f"{tmp_path}/home/") + r"[a-z0-9_]{8}")
    strange = [one for one in written if not one.startswith(own) and not tried.fullmatch(one)]
    assert strange == []
    secrets = (".ssh", "/.env", "/etc/passwd", "/etc/shadow")
    assert [line for line in lines if any(secret in line for secret in secrets)] == []
    assert FILE_CANARY not in str(server.bodies)
