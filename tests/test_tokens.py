from __future__ import annotations

import base64
import hashlib
import os
import random
import re
import string
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askmd.contracts import TokenCounter
from askmd.errors import AskmdError, ConfigError
from askmd.tokens import (
    HashCounter,
    OverestimateCounter,
    TiktokenCounter,
    TokenizerCounter,
    openai_counter,
    vocabulary_of,
)

TEXT = "# Réseau\n\nThe proxy returns `502 Bad` when  the upstream is down.\n\n- naïve 東京 🌐\n"


@pytest.fixture(scope="module")
def tokenizer_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A little tokenizer of BERT's kind, which cuts and pads as all-MiniLM-L6-v2's own does."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    marks = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "proxy", "down", "bad"]
    letters = string.ascii_lowercase + string.digits + "#`-."
    pieces = [*marks, *letters, *(f"##{letter}" for letter in string.ascii_lowercase)]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(file))
    return file


@pytest.fixture(scope="module")
def vocabulary() -> Path:
    """The folder of an installed llama-index-core that holds OpenAI's vocabularies."""
    package = find_spec("llama_index")
    places = (
        [Path(place) for place in (package.submodule_search_locations or [])] if package else []
    )
    if os.environ.get("TIKTOKEN_CACHE_DIR"):
        return Path(os.environ["TIKTOKEN_CACHE_DIR"])
    if not places:
        pytest.skip("SKIPPED LOUDLY: no vocabulary of OpenAI's here (pip install llama-index-core)")
    return places[0] / "core" / "_static" / "tiktoken_cache"


@pytest.fixture
def no_vocabulary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where tiktoken looks, empty; and no package that would bring one."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("askmd.tokens.openai_vocabulary.find_spec", lambda _name: None)
    return tmp_path


@pytest.fixture
def small_vocabulary(no_vocabulary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A vocabulary of single bytes and one pair under the name of the real one."""
    lines = [base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(256)]
    data = b"\n".join([*lines, base64.b64encode(b"th") + b" 256", b""])
    source = ("scheme://nowhere/small.tiktoken", hashlib.sha256(data).hexdigest())
    name = hashlib.sha1(source[0].encode(), usedforsecurity=False).hexdigest()
    (no_vocabulary / name).write_bytes(data)

    def constructor() -> dict[str, Any]:
        from tiktoken.load import load_tiktoken_bpe

        ranks = load_tiktoken_bpe(*source)
        special = {"<|endoftext|>": 300}
        return {
            "name": "small",
            "pat_str": r"\w+|\W",
            "mergeable_ranks": ranks,
            "special_tokens": special,
        }

    registry = import_module("tiktoken.registry")
    registry._find_constructors()
    monkeypatch.setitem(registry.ENCODING_CONSTRUCTORS, "cl100k_base", constructor)
    monkeypatch.delitem(registry.ENCODINGS, "cl100k_base", raising=False)
    monkeypatch.setattr("askmd.tokens.openai_vocabulary._source", lambda _name: source)
    yield no_vocabulary
    registry.ENCODINGS.pop("cl100k_base", None)


def counters(tokenizer_file: Path) -> dict[str, TokenCounter]:
    return {
        "tokenizer": TokenizerCounter(tokenizer_file, window=16),
        "tokenizer with prefix": TokenizerCounter(tokenizer_file, window=16, prefix="the proxy "),
        "overestimate": OverestimateCounter(16),
        "overestimate with prefix": OverestimateCounter(16, prefix="passage: "),
        "hash": HashCounter(),
    }


KINDS = ["tokenizer", "tokenizer with prefix", "overestimate", "overestimate with prefix", "hash"]


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=300) | st.text("ab c\n#-.é", max_size=300), limit=st.integers(0, 60))
def test_what_is_cut_off_counts_at_most_the_limit(
    kind: str, text: str, limit: int, tokenizer_file: Path
) -> None:
    counter = counters(tokenizer_file)[kind]
    offset = counter.cut(text, limit)
    assert 0 <= offset <= len(text)
    assert offset == 0 or counter.count([text[:offset]])[0] <= limit


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_that_fits_is_not_cut(kind: str, tokenizer_file: Path) -> None:
    counter = counters(tokenizer_file)[kind]
    [count] = counter.count([TEXT])
    assert counter.cut(TEXT, count) == len(TEXT)
    assert 0 < counter.cut(TEXT, count - 3) < len(TEXT)


@pytest.mark.parametrize("kind", KINDS)
def test_cutting_again_and_again_reaches_the_end_of_a_text(kind: str, tokenizer_file: Path) -> None:
    counter = counters(tokenizer_file)[kind]
    rest, pieces = TEXT * 20 + "x" * 3000, []
    while rest:
        offset = counter.cut(rest, 24)
        pieces.append(rest[:offset])
        rest = rest[offset:]
        assert offset > 0
    assert max(counter.count(pieces)) <= 24


@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_text_is_cut_where_its_head_alone_would_be(kind: str, tokenizer_file: Path) -> None:
    counter = counters(tokenizer_file)[kind]
    huge = TEXT * 30_000
    assert counter.cut(huge, 50) == counter.cut(huge[:2000], 50)


def test_a_tokenizer_counts_special_tokens_and_prefix_and_neither_cuts_nor_pads(
    tokenizer_file: Path,
) -> None:
    plain = TokenizerCounter(tokenizer_file, window=16)
    with_prefix = TokenizerCounter(tokenizer_file, window=16, prefix="the proxy ")
    texts = ["", "the", "the proxy", "the proxy " * 50]
    assert plain.count(texts) == [2, 3, 4, 102]
    assert with_prefix.count(texts) == [4, 5, 6, 104]
    assert (plain.window, plain.exact) == (16, True)


def test_a_tokenizer_is_known_by_its_files_sum(tokenizer_file: Path) -> None:
    digest = hashlib.sha256(tokenizer_file.read_bytes()).hexdigest()
    assert TokenizerCounter(tokenizer_file, window=16).vocabulary == digest


def test_a_lone_surrogate_is_counted_as_a_question_mark(tokenizer_file: Path) -> None:
    counter = TokenizerCounter(tokenizer_file, window=16)
    assert counter.count(["a\ud800b"]) == counter.count(["a?b"])


def test_a_model_that_lowers_its_texts_is_counted_so(tokenizer_file: Path) -> None:
    lowering = TokenizerCounter(tokenizer_file, window=16, lowercase=True)
    assert lowering.count(["THE Proxy"]) == [4]


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    with pytest.raises(ConfigError, match="cannot be read"):
        TokenizerCounter(file, window=16).count(["a"])
    file.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        TokenizerCounter(file, window=16).count(["a"])


def test_words_marks_and_eights_of_long_words_are_the_hash_embedders_tokens() -> None:
    texts = ["", "one two", "one, two.", "abcdefghij", "東京"]
    assert HashCounter().count(texts) == [2, 4, 6, 4, 3]
    assert HashCounter().cut("one two three", 4) == len("one two")
    assert (HashCounter().window, HashCounter().exact) == (256, True)


def test_a_models_vocabulary_is_known_by_its_name() -> None:
    names = ["text-embedding-3-small", "gpt-4o", "gpt-oss-20b", "nomic-embed-text"]
    assert [vocabulary_of(name) for name in names] == [
        ("cl100k_base", True),
        ("o200k_base", True),
        ("o200k_base", True),
        ("o200k_base", False),
    ]


def test_without_a_vocabulary_the_count_is_an_overestimate_of_the_same_name(
    no_vocabulary: Path,
) -> None:
    counter = openai_counter("text-embedding-3-small", window=8191, may_download=False)
    assert isinstance(counter, OverestimateCounter)
    assert (counter.window, counter.exact, counter.vocabulary) == (8191, False, "cl100k_base")


def test_a_vocabulary_with_another_sum_is_left_where_it_is(no_vocabulary: Path) -> None:
    from askmd.tokens.openai_vocabulary import _source

    address, _ = _source("cl100k_base") or pytest.fail("tiktoken's source has changed")
    wrong = no_vocabulary / hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()
    wrong.write_bytes(b"YQ== 0\n")
    with pytest.raises(AskmdError, match="cl100k_base is not on this machine"):
        TiktokenCounter("gpt-4", window=10, may_download=False)
    assert wrong.read_bytes() == b"YQ== 0\n"


def test_tiktokens_own_source_tells_address_and_sum_of_both_vocabularies() -> None:
    from askmd.tokens.openai_vocabulary import _source

    names = ["cl100k_base", "o200k_base"]
    sources = [_source(name) or ("", "") for name in names]
    assert [Path(address).name for address, _ in sources] == [f"{name}.tiktoken" for name in names]
    assert [len(digest) for _, digest in sources] == [64, 64]


def test_a_vocabulary_at_hand_is_counted_with_and_the_environment_put_back(
    small_vocabulary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIKTOKEN_CACHE_DIR")
    monkeypatch.setenv("DATA_GYM_CACHE_DIR", str(small_vocabulary))
    counter = TiktokenCounter("gpt-4", window=10, may_download=False, prefix="th")
    assert counter.count(["", "the", "<|endoftext|>", "é"]) == [1, 3, 14, 3]
    assert counter.exact
    assert "TIKTOKEN_CACHE_DIR" not in os.environ


@given(text=st.text(max_size=200), limit=st.integers(0, 40))
def test_a_cut_by_tiktoken_counts_at_most_the_limit(text: str, limit: int) -> None:
    counter = OneToken()
    offset = counter.cut(text, limit)
    assert offset == 0 or counter.count([text[:offset]])[0] <= limit
    if len(counter.encoded(text)) > limit:
        assert counter.count([text[: offset + 1]])[0] > limit


class OneToken(TiktokenCounter):
    """Every byte is a token: the vocabulary that cuts inside characters."""

    def __init__(self) -> None:
        self._prefix = "p:"

    def encoded(self, text: str) -> list[int]:
        return list((self._prefix + text).encode("utf-8", "replace"))

    def _tokens(self, text: str) -> list[int]:
        return self.encoded(text)

    @property
    def _encoding(self) -> Any:  # type: ignore[override]
        return self

    def decode_tokens_bytes(self, tokens: list[int]) -> list[bytes]:
        return [bytes([token]) for token in tokens]


def test_an_overestimate_counts_the_prefix_and_grows_with_the_text() -> None:
    plain, prefixed = OverestimateCounter(9), OverestimateCounter(9, prefix="search_document: ")
    counts = plain.count(["", "word", "word " * 10, "word " * 1000])
    assert counts == sorted(counts)
    assert counts[-1] < 1300
    assert prefixed.count(["word"])[0] > counts[1]


def test_importing_the_counters_imports_nothing_heavy() -> None:
    code = (
        "import sys, askmd.tokens; "
        "print([m for m in ('numpy', 'tiktoken', 'tokenizers', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- against the real vocabularies ----------------------------------------------------------


def real_counts(vocabulary: Path, texts: list[str]) -> list[int]:
    os.environ["TIKTOKEN_CACHE_DIR"], before = str(vocabulary), os.environ.get("TIKTOKEN_CACHE_DIR")
    try:
        small = TiktokenCounter("text-embedding-3-small", window=1, may_download=False)
        large = TiktokenCounter("gpt-4o", window=1, may_download=False)
        return [max(pair) for pair in zip(small.count(texts), large.count(texts), strict=True)]
    finally:
        os.environ.pop("TIKTOKEN_CACHE_DIR")
        if before is not None:
            os.environ["TIKTOKEN_CACHE_DIR"] = before


def below(texts: list[str], real: list[int]) -> list[tuple[int, int, str]]:
    estimates = OverestimateCounter(1).count(texts)
    return [row for row in zip(estimates, real, texts, strict=True) if row[0] < row[1]]


def noise() -> list[str]:
    random_ = random.Random(20)
    alphabets = [
        string.ascii_lowercase,
        string.printable,
        string.punctuation,
        "0123456789abcdef",
        " \n\t",
        "".join(map(chr, range(0xA0, 0x180))),
        "".join(map(chr, range(0x20, 0x3000))),
        "".join(map(chr, range(0x3000, 0xA000))),
        "".join(map(chr, range(0x1F300, 0x1FB00))),
        "абвгдежзийклмнопрстуфхцчшщъыьэюя ",
    ]
    sizes = [random_.randint(1, 400) for _ in range(30)]
    return ["".join(random_.choices(letters, k=size)) for letters in alphabets for size in sizes]


def test_the_overestimate_is_never_below_the_real_count_of_noise(vocabulary: Path) -> None:
    texts = noise()
    assert below(texts, real_counts(vocabulary, texts)) == []


def blocks_of_unicode() -> list[str]:
    """Random texts of each 256 characters, as they come and as few of them again and again."""
    random_ = random.Random(21)
    starts = [*range(0, 0xD800, 256), *range(0xE000, 0x10000, 256), *range(0x1F000, 0x1FB00, 256)]
    blocks = [[chr(start + n) for n in range(256)] for start in starts]
    blocks += [list(map(chr, range(0x300, 0x370))), list("ЖЙХШЩЪЫЬЮ"), list("бгдлпф ")]
    texts = []
    for block in blocks:
        texts += ["".join(random_.choices(block, k=size)) for size in (3, 30, 800)]
        words = ("".join(random_.choices(block, k=random_.randint(1, 6))) for _ in range(200))
        texts += [" ".join(words), " ".join(random_.choices(block[::37], k=400))]
    return texts


def test_the_overestimate_is_never_below_the_real_count_of_any_block_of_unicode(
    vocabulary: Path,
) -> None:
    texts = blocks_of_unicode()
    assert below(texts, real_counts(vocabulary, texts)) == []


def test_a_space_before_a_rare_character_a_rare_capital_and_a_control_are_counted() -> None:
    texts = ["\u0300" * 800, " \u0300" * 800, "Щ" * 800, "\x1d" * 800]
    real_at_most = [1600, 2400, 1600, 800]
    counts = OverestimateCounter(1).count(texts)
    assert [a >= b for a, b in zip(counts, real_at_most, strict=True)] == [True] * 4


@pytest.mark.shared
def test_the_overestimate_is_never_below_and_at_most_one_and_a_half_times_on_documents(
    vocabulary: Path, shared: Path
) -> None:
    files = [file.read_text(encoding="utf-8") for file in sorted(shared.rglob("*.md"))]
    paragraphs = sorted({part for file in files for part in re.split(r"\n\s*\n", file)})
    real = real_counts(vocabulary, files)
    assert below(files, real) == []
    assert below(paragraphs, real_counts(vocabulary, paragraphs)) == []
    assert sum(OverestimateCounter(1).count(files)) / sum(real) < 1.5
