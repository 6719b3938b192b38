"""Tokens of OpenAI's models, counted with tiktoken and whatever vocabulary is at hand.

tiktoken goes to the network for a vocabulary that it does not find, and deletes a file that is not
the right one. So we look first, check the file's sum, and ask tiktoken only for what is there.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from askmd.contracts import TokenCounter
from askmd.errors import AskmdError
from askmd.tokens.cutting import cut_at, well_formed
from askmd.tokens.overestimate import OverestimateCounter

if TYPE_CHECKING:
    import tiktoken

UNKNOWN_MODEL_VOCABULARY = "o200k_base"

_environment = threading.Lock()
"""Held while TIKTOKEN_CACHE_DIR is ours: the variable belongs to the whole process."""


class TiktokenCounter:
    """Counts with one of OpenAI's vocabularies: exact for a model that tiktoken knows.

    Raises AskmdError if the vocabulary is not at hand and may not be downloaded, or cannot be.
    """

    def __init__(self, model: str, *, window: int, may_download: bool, prefix: str = "") -> None:
        """Find the vocabulary; it is parsed (most of a second) at the first count."""
        self.vocabulary, self.exact = vocabulary_of(model)
        self.window = window
        self._prefix = prefix
        self._folder = vocabulary_folder(self.vocabulary)
        if self._folder is None and not may_download:
            raise AskmdError(
                f"tiktoken's vocabulary {self.vocabulary} is not on this machine",
                "set TIKTOKEN_CACHE_DIR to a folder that holds it",
            )
        if self._folder is None:
            _ = self._encoding  # A download that fails must fail here, where there is a way out.

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return each text's tokens, the passage prefix inside; OpenAI adds no special ones."""
        return [len(self._tokens(text)) for text in texts]

    def cut(self, text: str, limit: int) -> int:
        """Return the largest offset found so that ``text[:offset]`` counts at most ``limit``."""
        return cut_at(text, limit, ends=lambda head: self._ends(head, limit), count=self.count)

    def _ends(self, head: str, limit: int) -> Iterable[int] | None:
        tokens = self._tokens(head)
        if len(tokens) <= limit:
            return None
        pieces = self._encoding.decode_tokens_bytes(tokens[: max(limit, 0)])
        return _character_ends(pieces, -len(self._prefix))

    def _tokens(self, text: str) -> list[int]:
        # A text may spell <|endoftext|>; tiktoken refuses it unless it is told not to.
        return self._encoding.encode(well_formed(self._prefix + text), disallowed_special=())

    @cached_property
    def _encoding(self) -> tiktoken.Encoding:
        return _load(self.vocabulary, self._folder)


def openai_counter(
    model: str, *, window: int, may_download: bool, prefix: str = ""
) -> TokenCounter:
    """Return an exact counter if the model's vocabulary can be had, else the safe over-estimate.

    ``may_download`` lets tiktoken fetch the vocabulary; without it nothing leaves the machine.
    """
    try:
        return TiktokenCounter(model, window=window, may_download=may_download, prefix=prefix)
    except AskmdError:
        vocabulary, _ = vocabulary_of(model)
        return OverestimateCounter(window, prefix=prefix, vocabulary=vocabulary)


def vocabulary_of(model: str) -> tuple[str, bool]:
    """Return the name of a model's vocabulary, and whether tiktoken knows the model."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model)
    except KeyError:
        return UNKNOWN_MODEL_VOCABULARY, False
    # The "harmony" vocabulary differs in special tokens only, and has no file of its own.
    return name.replace("o200k_harmony", "o200k_base"), True


def vocabulary_folder(name: str) -> Path | None:
    """Return a folder with the vocabulary's file, its sum checked; None if no known one has it."""
    source = _source(name)
    if source is None:
        return None
    address, digest = source
    file_name = hashlib.sha1(address.encode("utf-8"), usedforsecurity=False).hexdigest()
    return next((f for f in _folders() if _has_sum(f / file_name, digest)), None)


def _source(name: str) -> tuple[str, str] | None:
    """Return the address and sha256 of a vocabulary, which are constants in tiktoken's loader.

    None if they are not where they used to be, or if it takes two files (GPT-2's).
    """
    loader = import_module("tiktoken_ext.openai_public").ENCODING_CONSTRUCTORS.get(name)
    words = [word for word in loader.__code__.co_consts if isinstance(word, str)] if loader else []
    addresses = [word for word in words if word.endswith(".tiktoken")]
    digests = [word for word in words if re.fullmatch("[0-9a-f]{64}", word)]
    return (addresses[0], digests[0]) if len(addresses) == len(digests) == 1 else None


def _folders() -> Iterator[Path]:
    named = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if named:
        yield Path(named)
    elif named is None:
        yield Path(tempfile.gettempdir()) / "data-gym-cache"
    package = find_spec("llama_index")
    for place in (package.submodule_search_locations or ()) if package else ():
        yield Path(place) / "core" / "_static" / "tiktoken_cache"


def _has_sum(file: Path, digest: str) -> bool:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest() == digest
    except OSError:
        return False


def _load(name: str, folder: Path | None) -> tiktoken.Encoding:
    import tiktoken

    with _environment:
        before = os.environ.get("TIKTOKEN_CACHE_DIR")
        if folder is not None:
            os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        try:
            return tiktoken.get_encoding(name)
        except (OSError, ValueError) as error:  # What requests raises is an OSError.
            raise AskmdError(f"tiktoken's vocabulary {name} could not be had: {error}") from error
        finally:
            if before is not None:
                os.environ["TIKTOKEN_CACHE_DIR"] = before
            elif folder is not None:
                del os.environ["TIKTOKEN_CACHE_DIR"]


def _character_ends(tokens: Iterable[bytes], start: int) -> Iterator[int]:
    """Yield, for each token, how many characters have begun by its end, and the last but one."""
    end = start
    for token in tokens:
        # Each character has exactly one byte that is no continuation of UTF-8.
        end += sum(byte & 0xC0 != 0x80 for byte in token)
        yield end
    yield end - 1
