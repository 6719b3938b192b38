"""`askmd ask` against LiteLLM's proxy: a server that nobody here wrote, in its own environment.

    python benchmarks/real_servers.py                 installs litellm[proxy] into a temporary one
    python benchmarks/real_servers.py --venv FOLDER   uses, or makes, the environment there

LiteLLM wants an older openai than askmd, so the two never share an environment. The installation
takes minutes and 750 MB. Two servers run: the proxy with answers of its own, and the proxy before
a scripted upstream, for a slow stream and a stream without counts. llama-cpp-python's server takes
its turn where that is installed beside LiteLLM. Prints a table; exits 1 where anything is not as it
should be.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from chat_scripts import SSE, chunk, event, sse
from servers import Recorded, Reply, ScriptedServer, error_reply, sequence

KEY = "sk-canary-0123456789"
START_SECONDS = 180
QUESTION = "why is the upstream refused?"
DOCUMENT = "# Nginx\n\n## 502 Bad Gateway\n\nThe upstream refused the connection: start it.\n"
TEXT = "Start it [1]."
QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How one call of askmd ended."""

    status: int
    out: str
    err: str
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether no traceback and no key was shown."""
        return "Traceback" not in self.err and KEY not in self.out + self.err


@dataclass(frozen=True, slots=True)
class Row:
    """A case, what came of it, and whether that is as it should be."""

    server: str
    case: str
    ended: Ended
    said: str
    is_right: bool


# LiteLLM asks its upstream for counts even where its own client does not: so it is refused once.
COUNTLESS = sequence(
    error_reply(400, "Unrecognized request argument supplied: stream_options"),
    sse(["Start ", "it [1]."], usage=None),
)


# --- servers ------------------------------------------------------------------------------------


def upstream(request: Recorded) -> Reply:
    """Answer as the server behind the proxy: by the model's name."""
    model = request.body["model"] if isinstance(request.body, dict) else ""
    if model == "countless":
        return COUNTLESS(request)
    if model == "slow":
        pieces = [piece for _ in range(600) for piece in (event(chunk("on and on ")), 0.1)]
        return Reply(headers=SSE, body=pieces)
    if model == "cut":
        pieces = [piece for text in ("Start ", "it ") for piece in (event(chunk(text)), 0.5)]
        return Reply(headers=SSE, body=pieces, cut=True)
    return sse(["Start ", "it [1]."])


def proxied(base_url: str) -> str:
    """Return LiteLLM's configuration; JSON is YAML too."""

    def model(name: str, **more: str) -> dict[str, object]:
        return {"model_name": name, "litellm_params": {"api_key": "x", **more}}

    behind = ["plain", "slow", "countless", "cut"]
    models = [
        model("mock-chat", model="openai/m", mock_response=TEXT),
        model("mock-429", model="openai/x", mock_response="litellm.RateLimitError"),
        *(model(name, model=f"openai/{name}", api_base=base_url) for name in behind),
    ]
    return json.dumps({"model_list": models, "litellm_settings": {"num_retries": 0}})


def environment(folder: Path) -> Path:
    """Return the Python that has litellm, installed now if it is not there yet."""
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    has = [str(python), "-c", "import litellm.proxy"]
    if subprocess.run(has, capture_output=True, check=False).returncode:
        print("installing litellm[proxy] ...", file=sys.stderr)
        install = [str(python), "-m", "pip", "install", "--quiet", "litellm[proxy]"]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
    return python


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(command: Sequence[str], port: int, path: str, log: Path) -> Iterator[str]:
    """Run a server and yield its base URL once it answers."""
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | QUIET,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(server, f"http://127.0.0.1:{port}{path}", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(timeout=15)


def wait_for(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(address, timeout=2).close()
        except (URLError, OSError):
            time.sleep(0.5)
        else:
            return
    sys.exit(f"the server did not start: {log.read_text(encoding='utf-8')[-2000:]}")


# --- askmd --------------------------------------------------------------------------------------


class Asker:
    """Calls ``askmd ask`` in a process of its own, in a folder with a small index."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._environ = {
            **{name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"},
            **dict.fromkeys(["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"], str(home)),
            "MY_KEY": KEY,
        }
        (home / "docs").mkdir()
        (home / "docs" / "nginx.md").write_text(DOCUMENT, encoding="utf-8")
        text = '[embedding]\nprovider = "hash"\n[llm]\napi_key_env = "MY_KEY"\n'
        (home / "config.toml").write_text(text, encoding="utf-8")
        self.ended("ingest", "docs", "--config", "config.toml")

    def ask(self, base_url: str, *words: str) -> Ended:
        """Ask the server behind an address."""
        call = ["ask", QUESTION, "--config", "config.toml", "--base-url", base_url]
        return self.ended(*call, *words)

    def ended(self, *words: str) -> Ended:
        """Run askmd to its end."""
        began = time.monotonic()
        process = self._start(words)
        out, err = process.communicate(timeout=120)
        return Ended(process.returncode, out, err, time.monotonic() - began)

    def interrupted(self, base_url: str, *words: str) -> Ended:
        """Press Ctrl-C once the first words stand there; the seconds are what it took from then."""
        call = ["ask", QUESTION, "--config", "config.toml", "--base-url", base_url, *words]
        process = self._start(call)
        if process.stdout is None:
            raise ValueError("a process without its output")
        first = process.stdout.read(5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        return Ended(process.returncode, first + out, err, time.monotonic() - began)

    def _start(self, words: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "askmd", *words],
            cwd=self.home,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )


def with_counts(asker: Asker, server: str, base_url: str, model: str, *, has: bool) -> Row:
    ended = asker.ask(base_url, "--model", model, "--json")
    record = json.loads(ended.out) if ended.status == 0 else {}
    usage = record.get("usage")
    counts = (usage or {}).get("prompt_tokens")
    right = record.get("answer") == TEXT and (counts is not None) is has
    case = f"JSON, usage {'sent' if has else 'refused and absent'}"
    return Row(server, case, ended, f"usage {usage}", right and ended.is_clean)


def failing(asker: Asker, server: str, case: str, base_url: str, *words: str) -> Row:
    """Return the row of a call that is to fail with one line."""
    ended = asker.ask(base_url, *words)
    is_right = ended.status == 1 and ended.out == "" and ended.err.count("\n") == 1
    return Row(server, case, ended, ended.err.strip(), is_right and ended.is_clean)


def answering(asker: Asker, server: str, base_url: str, *words: str) -> Row:
    ended = asker.ask(base_url, *words)
    is_right = (ended.status, ended.err) == (0, "") and ended.out.startswith(f"{TEXT}\n\n[1] ")
    return Row(server, "stream", ended, ended.out.partition("\n")[0], is_right and ended.is_clean)


def stopping(asker: Asker, server: str, base_url: str, model: str) -> Row:
    ended = asker.interrupted(base_url, "--model", model)
    is_right = ended.status == 130 and ended.err.count("\n") <= 1 and ended.seconds < 5
    said = f"stopped after {ended.seconds:.2f} s"
    return Row(server, "Ctrl-C in mid-stream", ended, said, is_right and ended.is_clean)


def litellm_rows(asker: Asker, base_url: str, scripted: ScriptedServer) -> Iterator[Row]:
    name = "LiteLLM"
    yield answering(asker, name, base_url, "--model", "mock-chat")
    yield with_counts(asker, name, base_url, "mock-chat", has=True)
    yield failing(asker, name, "429", base_url, "--model", "mock-429")
    yield failing(asker, name, "unknown model", base_url, "--model", "nobody")
    name = "LiteLLM before a scripted server"
    yield answering(asker, name, base_url, "--model", "plain")
    yield with_counts(asker, name, base_url, "plain", has=True)
    yield with_counts(asker, name, base_url, "countless", has=False)
    yield stopping(asker, name, base_url, "slow")
    aborted = scripted.aborted.wait(10)
    after = asker.ask(base_url, "--model", "mock-chat")
    said = "the upstream was let go" if aborted else "the upstream is still written to"
    yield Row(name, "the next question", after, said, after.status == 0 and aborted)
    ended = asker.ask(base_url, "--model", "cut")
    is_right = ended.status == 4 and ended.out.startswith("Start it") and ended.is_clean
    yield Row(name, "cut upstream", ended, ended.err.strip(), is_right)


def llama_rows(asker: Asker, python: Path, gguf: Path | None, home: Path) -> Iterator[Row]:
    """Yield the rows of llama-cpp-python's server; none where it is not installed."""
    has = [str(python), "-c", "import llama_cpp.server"]
    if gguf is None or subprocess.run(has, capture_output=True, check=False).returncode:
        print("SKIPPED LOUDLY: no llama-cpp-python, or no --gguf FILE for it", file=sys.stderr)
        return
    port = free_port()
    command = [str(python), "-m", "llama_cpp.server", "--model", str(gguf), "--n_ctx", "2048"]
    with serving(command, port, "/v1/models", home / "llama.log") as base_url:
        ended = asker.ask(base_url, "--json")
        record = json.loads(ended.out) if ended.status in (0, 4) else {}
        is_right = bool(record.get("answer")) and record.get("usage") is None
        yield Row("llama.cpp", "no usage", ended, str(record.get("status")), is_right)


def printed(rows: Iterator[Row]) -> bool:
    """Print a table as it comes; return whether all of it is right."""
    print("| server | case | as it should be | exit | seconds | what it said |")
    print("| --- | --- | --- | --- | --- | --- |")
    is_right = True
    for row in rows:
        said = row.said.replace("|", "\\|")
        verdict = "yes" if row.is_right else "NO"
        cells = [row.server, row.case, verdict, str(row.ended.status), f"{row.ended.seconds:.1f}"]
        print("| " + " | ".join([*cells, said]) + " |", flush=True)
        if not row.is_right:
            print(f"{row.case}: {row.ended}", file=sys.stderr)
        is_right = is_right and row.is_right
    return is_right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--venv", type=Path, help="the environment with litellm[proxy]")
    parser.add_argument("--gguf", type=Path, help="a model for llama-cpp-python's server")
    options = parser.parse_args()
    if importlib.util.find_spec("litellm"):
        sys.exit("litellm stands in askmd's own environment, where it does not belong")
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (home / "asker").mkdir()
        python = environment(options.venv or home / "litellm")
        scripted = stack.enter_context(ScriptedServer(upstream))
        settings = home / "litellm.yaml"
        settings.write_text(proxied(scripted.base_url), encoding="utf-8")
        command = [str(python.with_name("litellm")), "--config", str(settings)]
        proxy = serving(
            [*command, "--telemetry", "False"], free_port(), "/health/liveliness", home / "log"
        )
        asker = Asker(home / "asker")
        with proxy as base_url:
            is_right = printed(litellm_rows(asker, base_url, scripted))
        return 0 if is_right & printed_llama(asker, python, options.gguf, home) else 1


def printed_llama(asker: Asker, python: Path, gguf: Path | None, home: Path) -> bool:
    rows = list(llama_rows(asker, python, gguf, home))
    return printed(iter(rows)) if rows else True


if __name__ == "__main__":
    sys.exit(main())
