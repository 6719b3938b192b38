"""A chat completion from a server that nobody here wrote: ``transformers serve``.

The model is a tiny random Llama made on the spot: its words are noise, its protocol is real.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from askmd.answer import Chat
from askmd.errors import LLMError
from askmd.llm import OpenAILLM
from askmd.types import Message
from chat_scripts import USAGE
from conftest import Askmd
from test_answer import Shelf, Words, hit

pytestmark = pytest.mark.server

START_SECONDS = 180
MANY_TOKENS = 600
"""As many as take seconds to write."""
QUESTION = "why is the upstream refused?"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MAKE_MODEL = """
import pydoc_data.topics, sys, torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

folder, template = sys.argv[1:]
torch.manual_seed(0)
bpe = Tokenizer(models.BPE())
bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
bpe.decoder = decoders.ByteLevel()
special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
alphabet = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=special, initial_alphabet=alphabet)
bpe.train_from_iterator(list(pydoc_data.topics.topics.values())[:40], trainer)
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>"
)
tokenizer.chat_template = template
config = LlamaConfig(
    vocab_size=2000, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=4096,
    bos_token_id=0, eos_token_id=2, pad_token_id=0,
)
LlamaForCausalLM(config).save_pretrained(folder)
tokenizer.save_pretrained(folder)
"""


@dataclass(frozen=True, slots=True)
class Served:
    base_url: str
    model: str


def environment(home: Path) -> dict[str, str]:
    offline = {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    # One thread: on a busy machine several would mostly wait for each other.
    alone = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    return {**os.environ, **offline, **alone}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_it_answers(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
        except HTTPError as error:
            error.close()
            return
        except (URLError, OSError):
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"transformers serve did not start: {log.read_text(encoding='utf-8')[-2000:]}")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running ``transformers serve`` with the tiny model, stopped at the end."""
    missing = [name for name in ("fastapi", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"SKIPPED LOUDLY: transformers[serving] is not installed: no {missing}")
    home = tmp_path_factory.mktemp("served")
    (home / "hub").mkdir()
    folder, log = home / "tiny-llama", home / "server.log"
    make = [sys.executable, "-c", MAKE_MODEL, str(folder), CHATML]
    subprocess.run(make, env=environment(home), check=True, capture_output=True, timeout=120)
    port = free_port()
    serve = "from transformers.cli.transformers import main; main()"
    command = [sys.executable, "-c", serve, "serve", str(folder), "--host", "127.0.0.1"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", str(port), "--device", "cpu"],
            env=environment(home),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_it_answers(server, port, log)
            yield Served(f"http://127.0.0.1:{port}/v1", str(folder))
        finally:
            server.terminate()
            try:
                server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(timeout=10)


def test_a_real_server_streams_text_and_counts_it(served: Served):
    llm = OpenAILLM(served.model, base_url=served.base_url, api_key=None, answer_tokens=20)

    completion = llm.stream([Message("system", "Be brief."), Message("user", "Hello?")])
    pieces = list(completion)

    assert len(pieces) > 1
    assert completion.usage is not None
    assert completion.usage.prompt_tokens is not None
    assert completion.usage.prompt_tokens > 10
    assert completion.usage.completion_tokens == 20
    assert completion.cut_reason == "the answer reached its token limit"


def test_a_chat_over_a_real_server_ends_as_a_record(served: Served):
    llm = OpenAILLM(served.model, base_url=served.base_url, api_key=None, answer_tokens=20)
    conversation = Chat(Shelf(hit(1), hit(2)), llm, Words(), budget_tokens=100, answer_tokens=20)

    records = [conversation.ask(question).result() for question in ("Which key?", "And then?")]

    assert {record.status for record in records} <= {"answered", "incomplete", "refused"}
    assert [record.model for record in records] == [served.model] * 2
    first, second = (record.usage.prompt_tokens for record in records if record.usage)
    # The second question carries the first and its answer along.
    assert (first or 0) < (second or 0)
    assert all(citation.number in (1, 2) for record in records for citation in record.citations)


def test_a_model_the_server_does_not_have_is_one_line(served: Served):
    llm = OpenAILLM("somebody/else", base_url=served.base_url, api_key=None)

    with pytest.raises(LLMError) as caught:
        llm.stream([Message("user", "Hello?")])

    assert str(caught.value).startswith(served.base_url)
    assert "\n" not in str(caught.value)


def asked_slowly(served: Served, *, tokens: int) -> OpenAILLM:
    return OpenAILLM(served.model, base_url=served.base_url, api_key=None, answer_tokens=tokens)


def test_a_completion_left_in_mid_stream_lets_the_server_go_on_to_the_next(served: Served):
    whole = seconds_of(served, tokens=MANY_TOKENS)

    left = asked_slowly(served, tokens=MANY_TOKENS).stream([Message("user", "Go on and on.")])
    texts = iter(left)
    next(texts)
    left.close()
    seconds = seconds_of(served, tokens=4)

    assert left.cut_reason is not None
    assert list(texts) == []
    # Were the first one still being written, the second would wait for its end.
    assert seconds < whole


def seconds_of(served: Served, *, tokens: int) -> float:
    """Return how long the server takes for a completion of so many tokens."""
    began = time.monotonic()
    completion = asked_slowly(served, tokens=tokens).stream([Message("user", "Go on and on.")])
    assert list(completion) != []
    return time.monotonic() - began


def settings_for(here: Path, tokens: int) -> str:
    text = f'[embedding]\nprovider = "hash"\n[llm]\nanswer_tokens = {tokens}\n'
    (here / "served.toml").write_text(text, encoding="utf-8")
    return "served.toml"


def test_the_command_line_streams_a_real_servers_answer_and_says_that_it_was_cut(
    served: Served, indexed: Askmd, here: Path
):
    call = ["ask", QUESTION, "--config", settings_for(here, 12), "--base-url", served.base_url]
    ran = indexed(*call, "--model", served.model)

    assert (ran.status, ran.out.strip() != "") == (4, True)
    assert "the answer is incomplete: the answer reached its token limit\n" in ran.err


def test_a_real_servers_counts_are_in_the_record(served: Served, indexed: Askmd, here: Path):
    call = ["ask", QUESTION, "--config", settings_for(here, 12), "--base-url", served.base_url]
    record = indexed(*call, "--model", served.model, "--json").json

    assert set(USAGE) <= set(record["usage"])
    assert record["usage"]["completion_tokens"] == 12
    assert record["usage"]["prompt_tokens"] > 50
    assert (record["status"], record["model"]) == ("incomplete", served.model)


@pytest.mark.parametrize("model", ["somebody/else", "no-such-model"])
def test_the_command_line_says_in_one_line_that_a_model_is_unknown(
    model: str, served: Served, indexed: Askmd
):
    ran = indexed("ask", QUESTION, "--base-url", served.base_url, "--model", model)

    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.startswith(f"askmd: {served.base_url} ")
    assert "Traceback" not in ran.err


def test_a_server_is_asked_for_the_model_that_it_lists(served: Served, indexed: Askmd, here: Path):
    with urlopen(f"{served.base_url}/models", timeout=10) as answer:
        listed = [one["id"] for one in json.load(answer)["data"]]

    call = ["ask", QUESTION, "--config", settings_for(here, 12), "--base-url", served.base_url]
    ran = indexed(*call, "--json")

    # Before transformers 5.24 a model of a local folder was not listed.
    if listed:
        assert (listed, ran.json["model"]) == ([served.model], served.model)
    else:
        assert ran.status == 1
        assert "name one with --model" in ran.err + ran.out


def test_a_server_without_a_list_of_models_has_one_named(served: Served, indexed: Askmd):
    ran = indexed("ask", QUESTION, "--base-url", f"{served.base_url}/elsewhere")

    assert (ran.status, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "name one with --model" in ran.err
