"""Each thing that is wrong is one finding, with the command that mends it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from askmd import compose, places
from askmd.config import Config
from askmd.doctor import Finding, check, check_llm, check_online, fix
from askmd.doctor.versions import of_versions
from askmd.errors import LLMError
from askmd.ingest import ingest_folder
from askmd.settings import EmbeddingSettings, LLMSettings
from askmd.store.examining.files import file_system, look_at_folder
from askmd.store.examining.looks import Examination
from askmd.types import Message
from chat_scripts import sse
from conftest import Askmd
from servers import (
    Recorded,
    Reply,
    ScriptedServer,
    embedding_reply,
    embeddings,
    error_reply,
    json_reply,
)

UNANSWERED = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def own_state(private_home: Path) -> None:
    """What is remembered of servers stays in this test."""


def asking(settings: Config, server: ScriptedServer, **llm: object) -> Config:
    wanted = LLMSettings(base_url=server.base_url, timeout_seconds=5.0)
    return replace(settings, llm=replace(wanted, **({"model": "tiny"} | llm)))


def healthy(request: Recorded) -> Reply:
    if request.path == "/v1/models":
        return json_reply({"data": [{"id": "tiny", "max_model_len": 8192}]})
    return sse(["ready"])


def faults(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.is_fault]


def told(findings: list[Finding]) -> list[tuple[str, bool]]:
    return [(one.code, one.is_fault) for one in findings]


def test_an_index_that_fits_its_settings_is_clean(settings: Config, handbook: Path):
    ingest_folder(handbook, settings)

    findings = check(settings)

    assert faults(findings) == []
    message = f"{settings.index_folder}: 3 documents, 7 chunks and 7 vectors match their checksums"
    assert Finding("index", False, message) in findings


def test_without_an_index_the_finding_says_how_to_make_one(settings: Config):
    [finding] = faults(check(settings))

    assert (finding.code, finding.is_fault) == ("no_index", True)
    assert "askmd ingest" in finding.next


def test_an_index_of_another_embedder_is_a_fault(settings: Config, handbook: Path):
    ingest_folder(handbook, settings)
    other = EmbeddingSettings(provider="openai", model="m", base_url=UNANSWERED)

    [finding] = faults(check(replace(settings, embedding=other)))

    assert (finding.code, finding.is_fault) == ("index_mismatch", True)
    assert "--rebuild" in finding.next


def test_documents_that_went_away_are_a_fault(settings: Config, handbook: Path):
    ingest_folder(handbook, settings)
    shutil.rmtree(handbook)

    [finding] = faults(check(settings))

    assert (finding.code, finding.is_fault) == ("folder", True)
    assert str(handbook) in finding.message


def test_a_damaged_index_is_a_fault(settings: Config, handbook: Path):
    ingest_folder(handbook, settings)
    for file in settings.index_folder.rglob("*"):
        if file.is_file():
            file.write_bytes(b"nothing of the kind" * 1000)

    found = faults(check(settings))

    assert found
    assert all(one.next for one in found)


def test_a_healthy_server_has_no_fault(settings: Config):
    with ScriptedServer(healthy) as server:
        findings = check_llm(asking(settings, server))

    assert told(findings) == [("llm_answers", False), ("llm_window", False)]
    assert findings[1].message == "it reads and writes 8192 tokens"
    assert {request.path for request in server.requests} == {"/v1/models", "/v1/chat/completions"}


def test_a_server_that_lists_and_counts_nothing_is_told_of(settings: Config):
    def terse(request: Recorded) -> Reply:
        is_list = request.path == "/v1/models"
        return error_reply(500, "no hub") if is_list else sse(["ready"], usage=None)

    with ScriptedServer(terse) as server:
        findings = check_llm(asking(settings, server))

    assert told(findings) == [
        ("llm_answers", False),
        ("llm_no_usage", False),
        ("llm_window", False),
    ]
    assert findings[-1].next == "set llm.window, if you know"


def test_what_a_server_refuses_is_told_and_is_no_fault(settings: Config):
    def picky(request: Recorded) -> Reply:
        if request.path == "/v1/models":
            return json_reply({"data": [{"id": "other", "max_model_len": 8192}]})
        for option in ("temperature", "max_tokens", "max_completion_tokens"):
            if option in request.body:
                return error_reply(400, f"Unsupported parameter: {option}")
        return sse(["ready"])

    with ScriptedServer(picky) as server:
        findings = check_llm(asking(settings, server, window=4000))

    assert [(one.code, one.message) for one in findings[1:]] == [
        ("llm_unlisted", "its server does not list tiny: another model may answer in its place"),
        ("llm_refuses", "it takes no temperature: its own is used"),
        ("llm_refuses", "it takes no max_tokens: it takes no limit"),
        ("llm_window", "it reads and writes 4000 tokens"),
    ]


def test_a_window_that_is_too_small_for_the_settings_is_a_fault(settings: Config):
    with ScriptedServer(healthy) as server:
        findings = check_llm(asking(settings, server, budget_tokens=8000))

    assert findings[-1] == Finding(
        "llm_window",
        True,
        "9000 tokens of passages and answer exceed its window of 8192",
        "lower llm.budget_tokens or llm.answer_tokens",
    )


FAILING = {
    "refused key": error_reply(401, "who?"),
    "unknown model": error_reply(404, "no such model"),
    "web page": Reply(200, {"Content-Type": "text/html"}, b"<html>"),
    "nonsense": Reply(200, {"Content-Type": "text/event-stream"}, b"data: {\n\n"),
    "no text": sse([]),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_server_that_fails_is_one_fault_with_its_remedy(settings: Config, name: str):
    with ScriptedServer(lambda _request: FAILING[name]) as server:
        [finding] = check_llm(asking(settings, server))

    assert (finding.code, finding.is_fault) == ("llm", True)
    assert finding.next


def test_without_a_server_there_is_nothing_to_look_at(settings: Config):
    with pytest.raises(LLMError, match="no LLM is configured; add --base-url"):
        check_llm(settings)


def test_the_verb_prints_a_finding_a_line(askmd: Askmd, indexed: Askmd):
    clean = askmd("doctor")

    lines = clean.out.splitlines()
    assert (clean.status, clean.err) == (0, "")
    assert {line[:7] for line in lines} <= {"ok     ", "note   "}
    assert any(": 3 documents, 7 chunks and 7 vectors match" in line for line in lines)


def test_the_verb_exits_four_for_a_fault_and_names_the_remedy(askmd: Askmd):
    ran = askmd("doctor")

    first = ran.out.splitlines()[0]
    assert ran.status == 4
    assert first.startswith("fault  ")
    assert "; run `askmd ingest" in first


def test_the_verb_asks_the_server_that_its_options_name(askmd: Askmd):
    with ScriptedServer(healthy) as server:
        ran = askmd("doctor", "--llm", "--base-url", server.base_url, "--model", "tiny", "--json")

    assert (ran.status, ran.json["is_clean"]) == (0, True)
    assert [one["code"] for one in ran.json["findings"]] == ["llm_answers", "llm_window"]


def test_what_the_doctor_found_out_is_not_found_out_again(settings: Config):
    def picky(request: Recorded) -> Reply:
        if request.path != "/v1/models" and "temperature" in request.body:
            return error_reply(400, "Unsupported parameter: temperature")
        return healthy(request)

    with ScriptedServer(picky) as server:
        config = asking(settings, server)
        check_llm(config)
        asked = len(server.requests)
        llm = compose.open_llm(config)
        assert llm is not None
        assert "".join(llm.stream([Message("user", "Hello?")])) == "ready"

    assert len(server.requests) == asked + 1
    assert llm.window == 8192
    assert places.servers_file() in places.paths()


def test_a_server_that_is_down_exits_four_and_one_that_is_not_named_exits_one(askmd: Askmd):
    down = askmd("doctor", "--llm", "--base-url", UNANSWERED, "--model", "tiny")
    unnamed = askmd("doctor", "--llm")

    assert (down.status, down.out.count("\n")) == (4, 1)
    assert "no LLM could be reached" in down.out
    assert (unnamed.status, unnamed.out) == (1, "")


def test_a_model_that_thinks_is_no_fault(settings: Config):
    def thinker(request: Recorded) -> Reply:
        is_list = request.path == "/v1/models"
        return healthy(request) if is_list else sse(["<think>hm"], finish="length")

    with ScriptedServer(thinker) as server:
        findings = check_llm(asking(settings, server))

    assert told(findings) == [("llm_thinks", False), ("llm_window", False)]
    assert findings[0].message == "tiny thought for 1000 tokens before a first word"


@pytest.mark.parametrize("listed", ["tiny:latest", "models/tiny"])
def test_a_model_is_listed_by_the_name_its_server_makes_of_it(settings: Config, listed: str):
    def script(request: Recorded) -> Reply:
        is_list = request.path == "/v1/models"
        return json_reply({"data": [{"id": listed}]}) if is_list else sse(["ready"])

    with ScriptedServer(script) as server:
        assert told(check_llm(asking(settings, server))) == [
            ("llm_answers", False),
            ("llm_window", False),
        ]


def test_a_key_that_the_server_lists_is_not_printed_nor_kept(
    askmd: Askmd, monkeypatch: pytest.MonkeyPatch
):
    key = "sk-canary-0123456789"
    monkeypatch.setenv("OPENAI_API_KEY", key)

    def script(request: Recorded) -> Reply:
        is_list = request.path == "/v1/models"
        return json_reply({"data": [{"id": f"m-{key}"}, {"id": "n"}]}) if is_list else sse(["ok"])

    with ScriptedServer(script) as server:
        ran = askmd("doctor", "--llm", "--base-url", server.base_url)
        named = askmd("doctor", "--llm", "--base-url", server.base_url, "--model", f"m-{key}")

    assert ran.out.startswith("ok     n answers;")
    assert key not in ran.out + ran.err + named.out + named.err
    assert key not in places.servers_file().read_text(encoding="utf-8")


def test_the_verb_mends_and_says_what_it_did(indexed: Askmd, here: Path):
    (here / ".askmd").chmod(0o755)

    broken = indexed("doctor")
    mended = indexed("doctor", "--fix", "--json")
    whole = indexed("doctor", "--json")

    assert (broken.status, mended.status, whole.status) == (4, 0, 0)
    assert "run `askmd doctor --fix`" in broken.out
    [done] = [one for one in mended.json["findings"] if one["fixed"]]
    assert (done["code"], done["is_fault"], done["paths"]) == ("permissions", False, [])
    assert whole.json["is_clean"] is True
    assert (here / ".askmd").stat().st_mode & 0o777 == 0o700


def test_what_a_name_of_a_document_holds_does_not_reach_the_terminal(askmd: Askmd, here: Path):
    name = "evil\x1b]0;owned\x07\nok     all is well.md"
    (here / "docs").mkdir()
    (here / "docs" / name).write_text("# Notes\n\nWords.\n", encoding="utf-8")
    askmd("ingest", "docs")
    [database] = (here / ".askmd").glob("index-*.sqlite3")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE documents SET title = 'Other'")

    ran = askmd("doctor")

    assert ran.status == 4
    assert not {"\x1b", "\x07"} & set(ran.out)
    assert {line[:5].strip() for line in ran.out.splitlines()} <= {"fault", "ok", "note"}
    assert not any(line.startswith("ok     all is well") for line in ran.out.splitlines())


def embedding(request: Recorded) -> Reply:
    return embeddings(request) if request.path == "/v1/embeddings" else healthy(request)


def with_server(settings: Config, server: ScriptedServer) -> Config:
    own = EmbeddingSettings(
        provider="openai", model="m", base_url=server.base_url, timeout_seconds=5.0
    )
    return replace(settings, embedding=own)


def test_without_being_asked_to_no_server_is_asked(settings: Config, handbook: Path):
    with ScriptedServer(embedding) as server:
        config = with_server(settings, server)
        ingest_folder(handbook, config)
        asked = len(server.requests)
        findings = check(asking(config, server))
        fix(asking(config, server))

    assert faults(findings) == []
    assert len(server.requests) == asked


def test_online_asks_the_configured_servers_for_next_to_nothing(settings: Config, handbook: Path):
    with ScriptedServer(embedding) as server:
        config = with_server(settings, server)
        ingest_folder(handbook, config)
        asked = len(server.requests)
        findings = check_online(asking(config, server))

    sent = [one for one in server.requests[asked:] if one.path == "/v1/embeddings"]
    assert told(findings) == [
        ("embedder_answers", False),
        ("llm_answers", False),
        ("llm_window", False),
    ]
    assert [one.body["input"] for one in sent] in ([["ready"]], ["ready"])


def test_an_embedder_that_changed_its_model_is_found_online(settings: Config, handbook: Path):
    with ScriptedServer(embedding) as server:
        ingest_folder(handbook, with_server(settings, server))
    with ScriptedServer(lambda _request: embedding_reply([[0.6, 0.8]])) as server:
        [finding, _] = check_online(with_server(settings, server))

    assert (finding.code, finding.is_fault) == ("embedder_dim", True)
    assert "vectors of 2 numbers, the index holds 4" in finding.message


def test_an_embedder_that_is_down_is_a_fault_online(settings: Config):
    other = EmbeddingSettings(provider="openai", model="m", base_url=UNANSWERED)

    [finding, _] = check_online(replace(settings, embedding=other))

    assert (finding.code, finding.is_fault) == ("embedder_unreachable", True)
    assert finding.next


def test_an_embedder_of_this_machine_is_no_server(settings: Config):
    assert told(check_online(settings)) == [("embedder_here", False), ("no_llm", False)]


@pytest.mark.parametrize(
    ("version", "is_told"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 3), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_a_sqlite_that_can_lose_commits_is_worth_knowing(version: tuple[int, ...], is_told: bool):
    findings = of_versions(lambda _name: None, version)

    assert told(findings) == [("sqlite" if is_told else "versions", False)]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("torch", "2.9.1", "2.10.0+cpu"), ("mcp", "1.22.4", "1.23"), ("pgvector", "0.4.1", "0.8.4")],
)
def test_a_library_with_a_known_fault_is_worth_knowing(name: str, old: str, new: str):
    def told_of(version: str) -> list[Finding]:
        return of_versions(lambda one: version if one == name else None, (3, 51, 3))

    [note] = told_of(old)
    assert (note.code, note.is_fault, bool(note.next)) == (name, False, True)
    assert told(told_of(new)) == [("versions", False)]


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
31 22 0:30 / /home/me/my\\040notes rw - nfs4 server:/notes rw
32 22 0:31 / /home/me/stick rw,nosuid - vfat /dev/sdb1 rw
33 22 0:31 / /home/me/stick rw,nosuid - exfat /dev/sdc1 rw
broken
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/me/my notes/.askmd", "nfs4"),
        ("/home/me/my", "ext4"),
        ("/home/me/stick/docs/.askmd", "exfat"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_the_last_mount_above(
    tmp_path: Path, folder: str, kind: str
):
    (tmp_path / "mountinfo").write_text(MOUNTS, encoding="utf-8")

    assert file_system(Path(folder), tmp_path / "mountinfo") == kind
    assert file_system(Path(folder), tmp_path / "nothing") == ""


def test_an_index_on_a_network_or_a_full_disk_is_worth_knowing(tmp_path: Path):
    (tmp_path / "manifest.json").write_bytes(b" " * 1000)
    (tmp_path / "manifest.json").chmod(0o600)
    tmp_path.chmod(0o700)
    look = Examination(tmp_path)

    look_at_folder(look, kind="nfs4", free=10)

    assert [(one.code, one.is_fault) for one in look.seen] == [("network", False), ("space", False)]
    assert all(one.next for one in look.seen)
