"""Work in a process beside: a result, or nothing, and never a process left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chat_scripts import sse
from conftest import HANDBOOK
from servers import ScriptedServer

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork") or sys.platform == "darwin", reason="SKIPPED LOUDLY: no fork here"
)

QUESTION = "why is the upstream refused?"


def run(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", "from askmd.cli import beside as it\n" + code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stderr == ""
    return ran.stdout.strip()


def test_a_result_comes_back_and_what_the_work_says_does_not():
    code = """
def work():
    print("noise")
    return {"answer": 42, "by": __import__("os").getpid()}
with it.beside(work) as found:
    result = found()
print(result["answer"], result["by"] != __import__("os").getpid())
"""
    assert run(code) == "42 True"


@pytest.mark.parametrize("fault", ["1 / 0", "raise SystemExit(0)", "__import__('os')._exit(7)"])
def test_a_work_that_fails_gives_nothing(fault: str):
    code = f"""
def work():
    {fault}
with it.beside(work) as found:
    print(found())
"""
    assert run(code) == "None"


def test_what_the_work_raised_of_ours_is_raised_here_and_no_index_is_nothing():
    code = """
from askmd.errors import EmbeddingError, NoIndex
def down():
    raise EmbeddingError("the server is down", "start it")
with it.beside(down) as found:
    try:
        found()
    except EmbeddingError as error:
        print(error)
def absent():
    raise NoIndex("there is none")
with it.beside(absent) as found:
    print(found())
"""
    assert run(code).split("\n") == ["the server is down; start it", "None"]


def test_a_work_that_nobody_waits_for_is_ended():
    code = """
import os, time
with it.beside(lambda: time.sleep(600)) as found:
    pass
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("gone")
"""
    assert run(code) == "gone"


def test_beside_a_thread_there_is_no_fork():
    code = """
import threading
stop = threading.Event()
threading.Thread(target=stop.wait).start()
with it.beside(lambda: 1) as found:
    print(found)
stop.set()
"""
    assert run(code) == "None"


def test_a_fresh_process_answers_as_this_one_does(tmp_path: Path):
    for name, text in HANDBOOK.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text, encoding="utf-8")
    (tmp_path / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    home = {name: str(tmp_path / "home") for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME")}

    def askmd(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "askmd", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, **home},
            check=False,
        )

    assert askmd("ingest", "docs").returncode == 0
    with ScriptedServer(lambda _: sse(["Start it [1]."])) as server:
        llm = ["--base-url", server.base_url, "--model", "m"]
        answered = askmd("ask", QUESTION, *llm, "--receipt", "receipt.json")
        refused = askmd("ask", "who baked xylophone pancakes?", *llm)
        nowhere = askmd("ask", QUESTION, *llm, "--index", "nowhere")
        assert len(server.requests) == 1
    assert (answered.returncode, refused.returncode, nowhere.returncode) == (0, 3, 1)
    assert answered.stdout == "Start it [1].\n\n[1] nginx.md:9-11  Nginx > 502 Bad Gateway\n"
    assert answered.stderr.splitlines() == ["wrote receipt.json"]
    assert refused.stdout.startswith("The documents do not answer this.")
    assert nowhere.stderr.count("\n") == 1
    assert '"hits": [' in (tmp_path / "receipt.json").read_text(encoding="utf-8")
