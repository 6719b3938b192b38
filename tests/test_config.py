from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from askmd import compose, config, places
from askmd.addresses import is_loopback
from askmd.config import Config
from askmd.errors import ConfigError, EmbeddingError
from askmd.settings import TABLES, EmbeddingSettings, SearchSettings


@pytest.fixture(autouse=True)
def at_home(private_home: Path) -> None:
    """Read no settings of this machine's user."""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_file_everything_has_its_default_and_the_index_is_here(private_home: Path):
    settings = compose.configure()
    assert (settings.chunks.max_tokens, settings.index_folder, settings.origin("search.limit")) == (
        256,
        private_home / ".askmd",
        "default",
    )


def test_flags_beat_the_named_file_which_beats_the_users_own():
    write(
        places.settings_file(), "[search]\nlimit = 3\nmode = 'dense'\n[chunks]\nmax_tokens = 99\n"
    )
    named = write(Path("named.toml"), "[search]\nlimit = 5\nmode = 'words'\n")
    settings = compose.configure(named, {"search.limit": ("-k", 7)})
    assert settings.search == SearchSettings(limit=7, mode="words")
    assert [
        settings.origin(key) for key in ("search.limit", "search.mode", "chunks.max_tokens")
    ] == [
        "-k",
        "named.toml",
        str(places.settings_file()),
    ]


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path):
    named = write(tmp_path / "deep" / "named.toml", "[documents]\nfolder = 'docs'\n")
    settings = compose.configure(named)
    assert (settings.documents.folder, settings.index_folder) == (
        str(tmp_path / "deep" / "docs"),
        tmp_path / "deep" / ".askmd",
    )


def test_the_users_own_file_does_not_move_the_index(private_home: Path):
    write(places.settings_file(), "[search]\nlimit = 3\n")
    assert compose.configure().index_folder == private_home / ".askmd"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[search]\nlimt = 3\n", ["search.limt", "did you mean search.limit?"]),
        ("[serch]\nlimit = 3\n", ["serch", "did you mean search?"]),
        ("[search]\nlimit = 'three'\n", ["search.limit", "a whole number"]),
        ("[search]\nlimit = true\n", ["search.limit", "a whole number"]),
        ("[search]\nlimit = 0\n", ["search.limit", "at least 1"]),
        ("[search]\nmode = 'hybird'\n", ["hybird", "did you mean hybrid?"]),
        ("[embedding]\nprecision = 'INT8'\n", ["'INT8'", "did you mean int8?"]),
        ("[embedding]\nprecision = 'half'\n", ["'half'", "known are: float32, int8"]),
        ("[documents]\ninclude = 'docs'\n", ["documents.include", "a list of texts"]),
        ("search = 3\n", ["search", "[search]"]),
        ("[search\n", ["TOML"]),
    ],
)
def test_a_wrong_file_is_one_line_with_file_key_and_remedy(text: str, words: list[str]):
    named = write(Path("named.toml"), text)
    with pytest.raises(ConfigError) as caught:
        compose.configure(named)
    line = str(caught.value)
    assert [word for word in ["named.toml", *words] if word not in line] == []
    assert "\n" not in line


def test_a_missing_named_file_is_an_error():
    with pytest.raises(ConfigError, match=r"no such configuration file: nowhere\.toml"):
        Config.load("nowhere.toml")


def test_a_found_file_of_another_program_is_left_alone_with_one_notice():
    write(Path("config.toml"), "title = 'My Hugo site'\n[search]\nlimit = 3\n")
    settings = compose.configure()
    assert settings.search.limit == 10
    assert settings.notices == ("config.toml here is not askmd's and is left alone",)


def test_a_shared_file_counts_by_its_askmd_table():
    write(Path("config.toml"), "title = 'My Hugo site'\n[askmd.search]\nlimit = 3\n")
    settings = compose.configure()
    assert (settings.search.limit, settings.notices) == (3, ())


def test_a_found_file_may_not_send_anything_anywhere():
    write(
        Path("config.toml"),
        "[llm]\nbase_url = 'https://evil.example/v1'\nmodel = 'm'\napi_key_env = 'AWS_SECRET'\n",
    )
    settings = compose.configure()
    assert settings.llm == config.LLMSettings()
    [notice] = settings.notices
    assert "llm.base_url, llm.api_key_env, llm.model" in notice and "config --trust" in notice


def test_a_found_file_may_not_choose_a_model_of_the_default_endpoint():
    write(Path("config.toml"), "[llm]\nmodel = 'gpt-5-mini'\n")
    assert not compose.configure().llm.is_configured


def test_a_found_file_may_name_a_server_on_this_machine():
    write(Path("config.toml"), "[llm]\nbase_url = 'http://127.0.0.1:11434/v1'\nmodel = 'm'\n")
    settings = compose.configure()
    assert (settings.llm.model, settings.notices) == ("m", ())


def test_a_found_file_that_embeds_elsewhere_is_refused_rather_than_half_obeyed():
    write(Path("config.toml"), "[embedding]\nprovider = 'openai'\n")
    with pytest.raises(ConfigError, match="config --trust"):
        compose.configure()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1.evil.example/v1", "http://localhost.evil.example", "https://10.0.0.1/v1"],
)
def test_what_only_looks_like_loopback_is_not(url: str):
    assert not is_loopback(url)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8000/v1", "http://127.0.0.1/v1", "http://127.9.9.9", "http://[::1]:8/v1"],
)
def test_loopback_is_recognised(url: str):
    assert is_loopback(url)


def test_trust_counts_until_the_file_changes():
    text = "[llm]\nbase_url = 'https://llm.example/v1'\nmodel = 'm'\n"
    found = write(Path("config.toml"), text)
    places.trust(found)
    assert compose.configure().llm.base_url == "https://llm.example/v1"
    write(found, text + "api_key_env = 'OTHER'\n")
    assert compose.configure().llm == config.LLMSettings()


def test_an_empty_text_hides_nothing_of_a_weaker_layer():
    write(places.settings_file(), "[llm]\nbase_url = 'https://llm.example/v1'\nmodel = 'm'\n")
    write(Path("config.toml"), config.as_toml())
    settings = compose.configure()
    assert (settings.llm.base_url, settings.llm.model, settings.notices) == (
        "https://llm.example/v1",
        "m",
        (),
    )


def test_the_commented_file_reads_back_as_the_defaults():
    named = write(Path("named.toml"), config.as_toml())
    assert tomllib.loads(config.as_toml()).keys() == TABLES.keys()
    settings = compose.configure(named)
    assert (settings.search, settings.llm, settings.embedding) == (
        SearchSettings(),
        config.LLMSettings(),
        EmbeddingSettings(),
    )


def test_the_first_use_of_an_endpoint_is_told_once():
    told = [places.is_first_use("https://llm.example/v1", "llm") for _ in range(3)]
    assert told == [True, False, False]


def test_a_found_file_that_is_broken_and_not_ours_is_left_alone():
    write(Path("config.toml"), "title = 'my site\n")
    assert compose.configure().notices == ("config.toml here is not askmd's and is left alone",)


def test_a_found_file_that_is_broken_and_ours_is_an_error():
    write(Path("config.toml"), "[search]\nlimit = \n")
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read as TOML"):
        compose.configure()


def test_an_empty_found_file_says_nothing():
    write(Path("config.toml"), "# nothing yet\n")
    assert compose.configure().notices == ()


def test_a_found_file_may_not_even_tell_a_hub_the_name_of_a_model():
    write(Path("config.toml"), "[embedding]\nmodel = 'somebody/beacon'\n")
    with pytest.raises(EmbeddingError, match=r"somebody/beacon is not on this machine.*--trust"):
        compose.open_embedder(compose.configure())


def test_what_the_user_chose_a_found_file_may_choose_too():
    write(places.settings_file(), "[embedding]\nprovider = 'openai'\n")
    write(Path("config.toml"), "[embedding]\nprovider = 'openai'\n")
    assert compose.configure().embedding.provider == "openai"


@pytest.mark.parametrize(
    "text",
    [
        "[llm]\nbase_url = 'http://bob:hunter2@host.example/v1'\n",
        "[llm]\napi_key_env = 'sk-hunter2'\n",
        "[llm]\nbase_url = 'hunter2'\n",
    ],
)
def test_what_may_be_a_secret_is_refused_without_being_repeated(text: str):
    with pytest.raises(ConfigError) as caught:
        compose.configure(write(Path("named.toml"), text))
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "-1.0"])
def test_a_size_out_of_all_bounds_is_refused(value: str):
    named = write(Path("named.toml"), f"[documents]\nmax_megabytes = {value}\n")
    with pytest.raises(ConfigError, match="out of bounds"):
        compose.configure(named)


def test_consents_that_make_no_sense_mean_nothing(tmp_path: Path):
    write(tmp_path / "home" / "askmd" / "consents.json", '{"told": 5, "trusted": []}')
    assert places.is_first_use("https://llm.example/v1", "llm")


def test_trust_that_cannot_be_kept_is_an_error(tmp_path: Path):
    write(tmp_path / "home", "no folder")
    with pytest.raises(ConfigError, match=r"consents\.json cannot be written"):
        places.trust(write(Path("config.toml"), "[search]\nlimit = 3\n"))
    assert places.history_file() is None


def test_both_places_of_a_shared_file_count_and_the_inner_one_is_stronger():
    text = "[search]\nmode = 'words'\nlimit = 7\n[askmd.search]\nlimit = 4\n"
    write(Path("config.toml"), text)
    assert compose.configure().search == SearchSettings(limit=4, mode="words")


def test_another_programs_table_of_our_name_is_left_alone_in_a_shared_file():
    write(Path("config.toml"), "[askmd]\n[index]\nfoo = 'hugo'\n[askmd.search]\nlimit = 4\n")
    assert compose.configure().search.limit == 4


@pytest.mark.parametrize(
    "name", ["latin-l", "rot13", "hex", "IDNA", "punycode", "undefined", "unicode-escape"]
)
def test_what_is_no_encoding_of_text_is_refused(name: str):
    named = write(Path("named.toml"), f"[documents]\nencoding = '{name}'\n")
    with pytest.raises(ConfigError, match=f"'{name}' is no encoding of text"):
        compose.configure(named)
