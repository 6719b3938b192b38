from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from askmd.endpoint import (
    Endpoint,
    detail,
    faults,
    is_of_trust,
    is_unconnected,
    open_client,
    pause_seconds,
    spelled,
)
from faults.bad_embedders import Full
from servers import Recorded, Reply, ScriptedServer, json_reply

KEY = "sk-secret"


def endpoint(base_url: str = "http://127.0.0.1:9/v1", api_key: str = KEY) -> Endpoint:
    return Endpoint(base_url, "tiny", "MY_KEY", api_key, 60.0)


def test_importing_the_room_loads_no_client():
    code = "import askmd.endpoint, sys; print({'openai', 'httpx', 'pydantic'} & set(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "set()\n"


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("http://me:pass@127.0.0.1:9/v1", "http://127.0.0.1:9/v1"),
        ("nonsense", "nonsense"),
        ("http://me:pass@[half/v1", "[half/v1"),
        ("https://a.b/v1?code=secret#x", "https://a.b/v1"),
        ("http://me:pass@[half/v1?code=secret", "[half/v1"),
    ],
)
def test_an_address_holds_no_password(base_url: str, address: str):
    assert endpoint(base_url).address == address


def test_the_key_is_blotted_out_of_what_is_shown():
    asked = endpoint()

    assert KEY not in repr(asked)
    assert asked.without_key(f"({KEY.upper()})") == "(***)"
    assert asked.without_key(f"{KEY} is known") == "*** is known"
    assert endpoint(api_key="").without_key("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize(("error", "line"), [(None, ""), (OSError("a\n  b" * 100), ": a b")])
def test_the_detail_of_an_error_is_one_short_line(error: OSError | None, line: str):
    said = detail(error)

    assert (said[:5], len(said) <= 202) == (line, True)


AZURE = [
    ("https://me.openai.azure.com/openai/v1/", True),
    ("https://ME.OpenAI.Azure.com/openai/deployments/gpt?api-version=2024-10-21", True),
    ("https://me.cognitiveservices.azure.com/openai/v1", True),
    ("https://me.services.ai.azure.com/openai/v1", True),
    ("https://openai.azure.com/v1", False),
    ("https://me.openai.azure.com.evil.example/openai/v1", False),
    ("https://evilopenai.azure.com/v1", False),
    ("https://evil.example/me.openai.azure.com/v1", False),
    ("https://me.openai.azure.com@evil.example/v1", False),
    ("http://[half", False),
]


@pytest.mark.parametrize(("base_url", "is_azure"), AZURE)
def test_azure_is_told_by_its_host_alone(base_url: str, is_azure: bool):
    assert endpoint(base_url).is_azure is is_azure


def sent_to(base_url: str, api_key: str = KEY) -> Any:
    """Return the request that a client of this address would send, which nobody gets."""
    with open_client(endpoint(base_url, api_key)) as client:
        made = client._client.build_request("POST", "http://127.0.0.1:9/", json={})
        for hook in client._client.event_hooks["request"]:
            hook(made)
    return made


@pytest.mark.parametrize(
    ("base_url", "key", "name", "value"),
    [
        ("https://me.openai.azure.com/openai/v1", KEY, "api-key", KEY),
        ("https://me.openai.azure.com/openai/v1", "eyJtoken", "authorization", "Bearer eyJtoken"),
        ("https://evil.example/v1", KEY, "authorization", f"Bearer {KEY}"),
    ],
)
def test_azure_alone_gets_the_key_in_its_own_header(base_url: str, key: str, name: str, value: str):
    headers = dict(sent_to(base_url, key).headers)

    found = {one: headers[one] for one in ("api-key", "authorization") if one in headers}
    assert found == {name: value}


@pytest.mark.parametrize("end", ["", "/"])
def test_the_query_of_an_address_survives(end: str):
    asked = []

    def script(request: Recorded) -> Reply:
        asked.append(request.path)
        return json_reply({"data": []})

    with ScriptedServer(script) as server:
        url = f"{server.base_url}/openai/deployments/gpt{end}?api-version=2024-10-21&x="
        with open_client(endpoint(url)) as client:
            client.get("/models", cast_to=object)

    assert asked == ["/v1/openai/deployments/gpt/models?api-version=2024-10-21&x="]


def test_nobody_is_trusted_where_nobody_is_asked_for_a_certificate():
    with ScriptedServer(lambda _request: json_reply({})) as server:
        url = server.base_url.replace("http:", "https:")
        with open_client(endpoint(url)) as client, pytest.raises(faults()):
            client.get("/models", cast_to=object)
    assert server.requests == []


@pytest.mark.parametrize(
    "value", ["Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Thu, 99 Foo 9999999", ""]
)
def test_a_date_that_is_none_asks_for_nothing(value: str):
    class Refused(Exception):
        response = SimpleNamespace(headers={"retry-after": value})

    assert 0.5 <= pause_seconds(Refused(), 1) <= 1


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (61, "61 seconds"),
        (120.2, "3 minutes"),
        (7200.5, "3 hours"),
        (2 * 24 * 3600 + 1, "3 days"),
        (1e9, "more than a year"),
    ],
)
def test_a_time_is_told_in_the_unit_that_people_would_say(seconds: float, words: str):
    assert spelled(seconds) == words


def test_a_certificate_is_found_under_whatever_it_is_wrapped_in():
    wrapped = OSError("no")
    wrapped.__cause__ = RuntimeError("well")
    assert not is_of_trust(wrapped)
    wrapped.__cause__.__context__ = ssl.SSLCertVerificationError("self-signed")
    assert (is_of_trust(wrapped), is_unconnected(wrapped)) == (True, False)


def test_who_takes_no_connection_is_told_from_who_is_silent():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = replace(
            endpoint(f"http://127.0.0.1:{silent.getsockname()[1]}/v1"), timeout_seconds=0.1
        )
        with open_client(asked) as client, pytest.raises(faults()) as silence:
            client.get("/models", cast_to=object)
    with Full() as full:
        asked = replace(endpoint(full.base_url), timeout_seconds=0.1)
        with open_client(asked) as client, pytest.raises(faults()) as unconnected:
            client.get("/models", cast_to=object)
    assert (is_unconnected(silence.value), is_unconnected(unconnected.value)) == (False, True)
