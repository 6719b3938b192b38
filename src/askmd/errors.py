"""Every error askmd raises on purpose.

    AskmdError
    ├── UsageError            the call's words are off                    exit 2
    ├── ConfigError           a configuration file or value is wrong
    ├── FolderError           the documents' folder cannot be used
    ├── QuestionsError        a question file cannot be used
    ├── IndexFault            the index cannot be used
    │   ├── NoIndex           there is none yet
    │   ├── IndexMismatch     it is made of other vectors, or of another folder
    │   ├── IndexCorrupt      its files do not hold what they should
    │   └── IndexLocked       another process is writing it
    ├── EmbeddingError        texts could not be embedded
    │   ├── EmbedderUnreachable   its server is down or refuses us
    │   └── TextsRejected     single texts were refused, by position
    ├── LLMError              no answer could be had from the LLM
    └── Interrupted           the user stopped it                         exit 130

A message says what happened and where; ``next_step`` says what to run or change.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

FULL_DISK = "make room there and run the same command; what was committed is kept"
FAILING_DISK = "check the disk, then run the same command; what was committed is kept"
LOOP_STEP = "mend the link, which leads back to itself, or name another path"
_TOO_MANY_FILES = "close what this process has open, or raise its limit (`ulimit -n`)"
_STEPS = {
    errno.EMFILE: _TOO_MANY_FILES,
    errno.ENFILE: _TOO_MANY_FILES,
    errno.EIO: FAILING_DISK,
    errno.ENOSPC: FULL_DISK,
    errno.EDQUOT: FULL_DISK,
    errno.EFBIG: FULL_DISK,
    errno.ELOOP: LOOP_STEP,
    errno.ENAMETOOLONG: "name a shorter path",
}


def step_after(error: OSError, otherwise: str) -> str:
    """Return what to do once the system refused a call; ``otherwise`` where that is not known."""
    return _STEPS.get(error.errno or 0, otherwise)


class AskmdError(Exception):
    """Anything askmd can explain in one line."""

    code = "error"
    exit_status = 1

    def __init__(self, message: str, next_step: str = "") -> None:
        """Keep what happened and what to do next, each without a line break."""
        super().__init__(message)
        self.message = " ".join(message.split())
        self.next_step = " ".join(next_step.split())

    def __str__(self) -> str:
        """Return the whole line: what, where, the next command."""
        return f"{self.message}; {self.next_step}" if self.next_step else self.message


class UsageError(AskmdError):
    """The call's words are off."""

    code = "usage"
    exit_status = 2


class ConfigError(AskmdError):
    """A configuration file or value is wrong."""

    code = "config"


class FolderError(AskmdError):
    """The documents' folder cannot be used."""

    code = "folder"


class IndexFault(AskmdError):
    """The index cannot be used."""

    code = "index"


class NoIndex(IndexFault):
    """There is no index yet."""

    code = "no_index"


class IndexMismatch(IndexFault):
    """The index is made of other vectors, or belongs to another folder."""

    code = "index_mismatch"


class IndexCorrupt(IndexFault):
    """The index's files do not hold what they should."""

    code = "index_corrupt"


class IndexLocked(IndexFault):
    """Another process is writing the index."""

    code = "index_locked"


class EmbeddingError(AskmdError):
    """Texts could not be embedded."""

    code = "embedding"


class EmbedderUnreachable(EmbeddingError):
    """The embedder's server is down or refuses us; asking again later may help."""

    code = "embedder_unreachable"


class TextsRejected(EmbeddingError):
    """Single texts were refused; the others of the batch are fine."""

    code = "texts_rejected"

    def __init__(self, reasons: Mapping[int, str]) -> None:
        """Keep why each text, named by its position in the batch, was refused."""
        first = next(iter(reasons.values()), "")
        super().__init__(f"{len(reasons)} texts were refused by the embedder: {first}")
        self.reasons = dict(reasons)


class LLMError(AskmdError):
    """No answer could be had from the LLM."""

    code = "llm"


class PromptTooLong(LLMError):
    """The LLM's server says that the messages do not fit its window."""

    code = "prompt_too_long"

    def __init__(self, message: str, next_step: str = "", *, window: int | None = None) -> None:
        """Keep the window in tokens, where the server named it."""
        super().__init__(message, next_step)
        self.window = window


class Interrupted(AskmdError):
    """The user stopped a long journey; what was committed stays."""

    code = "interrupted"
    exit_status = 130
