from __future__ import annotations

import subprocess
import sys

import pytest

from askmd.endpoint import Endpoint, detail

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
    ],
)
def test_an_address_holds_no_password(base_url: str, address: str):
    assert endpoint(base_url).address == address


def test_the_key_is_blotted_out_of_what_is_shown():
    asked = endpoint()

    assert KEY not in repr(asked)
    assert asked.without_key(f"{KEY} is known") == "*** is known"
    assert endpoint(api_key="").without_key("nothing to hide") == "nothing to hide"


@pytest.mark.parametrize(("error", "line"), [(None, ""), (OSError("a\n  b" * 100), ": a b")])
def test_the_detail_of_an_error_is_one_short_line(error: OSError | None, line: str):
    said = detail(error)

    assert (said[:5], len(said) <= 202) == (line, True)
