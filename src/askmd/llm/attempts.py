"""What to do when a request fails: ask for less, ask again after a pause, or give up."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from askmd.endpoint import LONGEST_PAUSE_SECONDS, asked_seconds, pause_seconds, spelled
from askmd.errors import LLMError, PromptTooLong
from askmd.llm.faults import may_pass
from askmd.llm.profile import Profile
from askmd.llm.refusals import TOO_LARGE, is_too_long, window_of, without_refused

MOST_PAUSED_SECONDS = 120.0
"""How long all pauses of one question take together."""
TOLD_SECONDS = 3.0
"""A pause as long as this is told of."""
_log = logging.getLogger("askmd.llm")


class Attempts:
    """The attempts at one completion: each failure is met by one thing only.

    An option is left out once, so that there are at most six requests for less, and ``most`` of
    what fails in passing.
    """

    def __init__(self, known: Profile, most: int) -> None:
        """Begin with what is known of the server."""
        self.profile = known
        self._known = known
        self._most = most
        self._failed = 0
        self._paused = 0.0
        self._refused: set[str] = set()

    @property
    def lesson(self) -> Profile:
        """What is to be remembered once a request has succeeded."""
        if TOO_LARGE in self._refused:
            return replace(self.profile, token_limit=self._known.token_limit)
        return self.profile

    def pause_after(
        self, error: Exception, request: Mapping[str, Any], fault: LLMError
    ) -> float | None:
        """Return the seconds to wait before the next attempt; None where that one asks for less.

        Raises PromptTooLong where the messages are too long, and ``fault`` where another attempt
        would not help.
        """
        if is_too_long(error):
            step = "lower llm.budget_tokens, or name a model that reads more"
            raise PromptTooLong(fault.message, step, window=window_of(error, request)) from error
        found = without_refused(self.profile, request, error, self._refused)
        if found and found[0] not in self._refused:
            self._refused.add(found[0])
            self.profile = found[1]
            return None
        self._failed += 1
        pause = pause_seconds(error, self._failed)
        is_spent = self._failed >= self._most or self._paused + pause > MOST_PAUSED_SECONDS
        asked = asked_seconds(error) or 0.0
        if may_pass(error) and asked > LONGEST_PAUSE_SECONDS:
            # Asking sooner would be asking against its word, and nobody waits at a prompt so long.
            said = f"{fault.message}; it asks to wait {spelled(asked)}"
            raise LLMError(said, "ask again then, or name another model or server") from error
        if is_spent or not may_pass(error):
            raise fault from error
        self._paused += pause
        if pause >= TOLD_SECONDS:
            _log.warning("%s; asking again in %.0f seconds", fault.message, pause)
        return pause
