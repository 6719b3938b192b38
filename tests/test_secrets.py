"""T17: keys in the environment, in settings, in addresses: no output and no file holds them."""

from __future__ import annotations

import base64
import json
import stat
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmd.secrets import KeyFilter, blotted
from chat_scripts import sse
from conftest import HANDBOOK
from poisoned.trial import in_child
from servers import Recorded, Reply, Script, ScriptedServer, embeddings, error_reply, json_reply

KEY = "cnry/9d4e1243bd22c66e76c2"
OTHER = "cnry-0cc175b9c0f1b6a831c3"
PASSWORD = "cnry.92eb5ffee6ae2fec3ad7"
EXTRA = {"MY_ODD_NAME": KEY, "OPENAI_API_KEY": OTHER, "HTTP_PROXY": "", "PYTHONWARNINGS": "ignore"}
QUESTION = "why is the upstream refused?"
LLM = '[llm]\nmodel = "m"\napi_key_env = "MY_ODD_NAME"\n'


def echo(request: Recorded) -> str:
    """Return what a server says that repeats whatever it was told."""
    told = {
        name: request.headers.get(name, "") for name in ("authorization", "proxy-authorization")
    }
    return f"you sent {json.dumps(told)} and {quote(told['authorization'], '')}"


def leading_to(port: int) -> Script:
    """Return a script that leads to another server, with all that it was told."""
    return lambda one: Reply(302, {"Location": f"http://127.0.0.1:{port}/{quote(echo(one))}"})


def well(request: Recorded) -> Reply:
    if request.path.endswith("/embeddings"):
        return embeddings(request)
    if request.path.endswith("/models"):
        return json_reply({"data": [{"id": "m"}]})
    return sse(["The upstream is down [1]."])


SCRIPTS = {
    "well": well,
    "401": lambda one: error_reply(401, echo(one)),
    "400": lambda one: error_reply(400, "x" * 170 + echo(one)),
    "500": lambda one: Reply(
        500, {"Content-Type": "text/html", "Retry-After": "0"}, echo(one).encode()
    ),
    "body": lambda one: json_reply({"error": {"message": echo(one)}, "choices": [], "data": []}),
    "delta": lambda one: sse([*one.headers["authorization"], " [1]."]),
    "finish": lambda one: sse(["Down [1]."], finish=echo(one)),
    "garbage": lambda one: Reply(headers={"Content-Type": echo(one).replace("\n", "")}, body=b"{"),
}


@dataclass(frozen=True)
class Left:
    """What runs left behind."""

    said: str
    statuses: tuple[int, ...]


def spellings(secret: str) -> list[bytes]:
    """Return a secret as it may be written, whole or its beginning."""
    forms = [secret, secret[:14], secret.upper(), quote(secret, ""), json.dumps(secret)[1:-1]]
    coded = [base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4] for shift in range(3)]
    return [form.encode() for form in (*forms, *coded)]


def found(text: str) -> list[str]:
    data = text.encode()
    every = [form for secret in (KEY, OTHER, PASSWORD) for form in spellings(secret)]
    return [form.decode() for form in every if form in data]


def run(folder: Path, jobs: list[tuple[list[str], str]], **extra: str) -> Left:
    ran = in_child(folder, jobs, extra=EXTRA | extra)
    events = [" ".join(event) for one in ran for event in one["events"] if "putenv" not in event[0]]
    said = [str(one[name]) for one in ran for name in ("out", "err")]
    return Left("\n".join([*said, *events]), tuple(one["status"] for one in ran))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name, text in HANDBOOK.items():
        (tmp_path / "handbook" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "handbook" / name).write_text(text, encoding="utf-8")
    case = {"question": QUESTION, "must_cite": [{"path": "nginx.md"}]}
    (tmp_path / "questions.jsonl").write_text(json.dumps(case) + "\n", encoding="utf-8")
    return tmp_path


def kept(folder: Path) -> dict[str, list[str]]:
    """Return the files that hold a secret."""
    # What the test itself wrote: the runs' words, and their output, which is looked at apart.
    files = [one for one in folder.rglob("*") if one.is_file() and one.name != "report.json"]
    held = {str(one): found(one.read_bytes().decode("latin-1")) for one in files}
    return {name: forms for name, forms in held.items() if forms}


@pytest.mark.parametrize("provider", ["hash", "openai"])
def test_no_key_is_found_whatever_a_server_does_with_it(provider: str, place: Path):
    jobs: list[tuple[list[str], str]] = []
    debug = ["--debug", "--config", "named.toml"]
    text = f'[embedding]\nprovider = "hash"\n{LLM}'
    (place / "named.toml").write_text(text, encoding="utf-8")
    target = ScriptedServer(well)
    scripts = SCRIPTS | {"redirect": leading_to(target.port)}
    servers = {name: ScriptedServer(script) for name, script in scripts.items()}  # type: ignore[arg-type]
    target.__enter__()
    jobs += [(["ingest", "handbook", *debug], "")]
    for name, server in servers.items():
        server.__enter__()
        if provider == "openai":
            text = (
                f'[embedding]\nprovider = "openai"\nmodel = "e"\nbase_url = "{server.base_url}"\n'
            )
            text += f'api_key_env = "MY_ODD_NAME"\n[index]\npath = "{name}"\n'
            (place / f"{name}.toml").write_text(text, encoding="utf-8")
            own = ["--debug", "--config", f"{name}.toml"]
            jobs += [(["ingest", "handbook", *own], ""), (["search", QUESTION, *own], "")]
            jobs += [(["doctor", *own], "")]
            continue
        asked = ["--base-url", server.base_url, *debug]
        jobs += [(["ask", QUESTION, *asked], ""), (["ask", QUESTION, "--json", *asked], "")]
        jobs += [(["chat", *asked], f"{QUESTION}\nand nginx?\n")]
        jobs += [(["ask", QUESTION, "--receipt", f"{name}.json", *asked], "")]
        jobs += [(["replay", "well.json", "--receipt", f"again-{name}.json", *asked], "")]
        jobs += [(["doctor", "--llm", *asked], "")]
    refused = ["--base-url", "http://127.0.0.1:9/v1", *debug]
    jobs += [(["ask", QUESTION, *refused], ""), (["search", QUESTION, *debug], "")]
    jobs += [([verb, *debug], "") for verb in ("status", "config", "ingest", "doctor")]
    jobs += [(["why", QUESTION, "nginx.md", *debug], ""), (["eval", "questions.jsonl", *debug], "")]
    left = run(place, jobs)
    for server in (target, *servers.values()):
        server.__exit__(None, None, None)
    sent = [str(one.headers) for server in servers.values() for one in server.requests]
    assert any(KEY in headers for headers in sent) and not any(OTHER in one for one in sent)
    assert not any(KEY in str(one) for server in servers.values() for one in server.bodies)
    assert target.requests == []
    assert (place / "again-well.json").exists() == (provider == "hash")
    assert (found(left.said), kept(place)) == ([], {})
    assert set(left.statuses) <= {0, 1, 2, 3, 4}


@pytest.mark.parametrize("before", ["", "m", "me", "me:"])
def test_a_key_is_blotted_out_however_it_is_spelled(before: str):
    coded = base64.b64encode(f"{before}{KEY}".encode()).decode()
    text = f"{KEY} {KEY.upper()} {quote(KEY, '')} {coded} {coded.replace('/', '_')}"
    shown = blotted(text, [OTHER, KEY])
    assert (shown.count("***"), found(shown)) == (5, [])


def test_what_is_no_key_is_left_alone():
    assert blotted("none of cnry", [OTHER, KEY, ""]) == "none of cnry"


@given(
    st.lists(st.sampled_from([KEY, KEY[:9], KEY[9:], KEY[-1], "x", "***"]), max_size=8), st.data()
)
def test_a_stream_never_shows_a_key_wherever_it_is_cut(pieces: list[str], data: st.DataObject):
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=9)))
    held = KeyFilter(KEY)
    shown = [held.feed(text[start:end]) for start, end in pairwise([0, *cuts, len(text)])]
    assert "".join([*shown, held.flush()]) == text.replace(KEY, "***")
    assert KeyFilter("none").feed("none") == "none"


def test_a_key_in_settings_is_refused_and_not_repeated(place: Path):
    texts = [
        f'[llm]\nbase_url = "http://me:{PASSWORD}@127.0.0.1:9/v1"\n',
        f'[llm]\napi_key_env = "{PASSWORD}"\n',
        f'[embedding]\napi_key_env = "{KEY}"\n',
        f"[llm]\nbase_url = 7 # {KEY}\n",
    ]
    for number, text in enumerate(texts):
        (place / f"{number}.toml").write_text(text, encoding="utf-8")
    jobs = [
        ([*verb, "--debug", "--config", f"{number}.toml"], "")
        for number in range(len(texts))
        for verb in (["ask", QUESTION], ["config"], ["status"])
    ]
    flag = ["ask", QUESTION, "--debug", "--base-url", f"http://me:{PASSWORD}@127.0.0.1:9/v1"]
    left = run(place, [*jobs, (flag, "")])
    assert (set(left.statuses), found(left.said)) == ({1}, [])


def test_a_proxys_password_is_not_repeated(place: Path):
    (place / "named.toml").write_text(f'[embedding]\nprovider = "hash"\n{LLM}', encoding="utf-8")
    with ScriptedServer(lambda one: error_reply(407, echo(one))) as server:
        proxy = f"http://me:{PASSWORD}@127.0.0.1:{server.port}"
        asked = ["--base-url", "http://192.0.2.1:9/v1", "--debug", "--config", "named.toml"]
        jobs = [
            (["ingest", "handbook", "--config", "named.toml"], ""),
            (["ask", QUESTION, *asked], ""),
        ]
        left = run(place, jobs, HTTP_PROXY=proxy, http_proxy=proxy)
        bad = run(place, jobs[1:], HTTP_PROXY=f"{proxy}x", http_proxy=f"{proxy}x")
        assert len(server.requests) > 0
    assert (left.statuses, found(left.said + bad.said), kept(place)) == ((0, 1), [], {})


def test_what_askmd_keeps_is_its_owners_alone(place: Path):
    (place / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    left = run(place, [(["ingest", "handbook"], "")])
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in [place / ".askmd", *(place / ".askmd").iterdir()]
    }
    assert left.statuses == (0,)
    assert modes == {name: 0o700 if name == ".askmd" else 0o600 for name in modes}
