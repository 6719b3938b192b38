"""What every model on this machine is loaded and fed with."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from askmd.errors import EmbeddingError

_Result = TypeVar("_Result")


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let a model be loaded without the libraries' bars, warnings and worker threads."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformers_logging = import_module("transformers.utils.logging")
        transformers_logging.disable_progress_bar()
        transformers_logging.set_verbosity_error()
        logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
        yield


@contextmanager
def loading(folder: Path) -> Iterator[None]:
    """Load a model inside; whatever a strange folder makes the libraries raise is told."""
    try:
        yield
    except Exception as error:
        raise EmbeddingError(
            f"the model in {folder} cannot be loaded: {error}",
            "fetch the model again, or choose another",
        ) from error


def readable(text: str) -> str:
    """Return the text without lone surrogates, which command lines bring and no tokenizer reads."""
    return text.encode("utf-8", "replace").decode("utf-8")


def outlasting(work: Callable[[], _Result]) -> _Result:
    """Return what ``work`` returns; a daemon has it done by a thread that is none.

    Where the process ends meanwhile, a daemon that comes back from a library's C++ aborts it; any
    other thread is waited for.
    """
    if not threading.current_thread().daemon:
        return work()
    done: Future[_Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=run, name="askmd-model", daemon=False).start()
    return done.result()


def closed(model: str) -> EmbeddingError:
    """Return the error for texts that come, or wait, when their embedder was closed."""
    return EmbeddingError(f"the model {model} was closed", "open it again")
