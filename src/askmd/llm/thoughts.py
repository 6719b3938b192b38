"""Reasoning that some models write before their answer, where the server does not take it out."""

from __future__ import annotations

from typing import Literal

OPEN, CLOSE = "<think>", "</think>"


class ThoughtFilter:
    """Passes a streamed answer without a ``<think>`` part at its beginning, however it is cut."""

    def __init__(self) -> None:
        """Begin with nothing decided."""
        self._state: Literal["start", "thought", "gap", "text"] = "start"
        self._held = ""

    def feed(self, text: str) -> str:
        """Return what of the text belongs to the answer; what is undecided is held back."""
        if self._state == "text":
            return text
        self._held += text
        if self._state == "start":
            head = self._held.lstrip()
            if len(head) < len(OPEN) and OPEN.startswith(head):
                return ""
            self._state = "thought" if head.startswith(OPEN) else "text"
        if self._state == "thought":
            thought, closing, rest = self._held.partition(CLOSE)
            self._held = rest if closing else thought[-len(CLOSE) :]
            if closing:
                self._state = "gap"
        if self._state == "gap":
            self._held = self._held.lstrip()
            if self._held:
                self._state = "text"
        return self.flush() if self._state == "text" else ""

    def flush(self) -> str:
        """Return what is still held of the answer, at its end."""
        held, self._held = self._held, ""
        return held if self._state in ("start", "text") else ""
