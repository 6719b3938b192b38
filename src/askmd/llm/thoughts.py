"""What is no text of the answer yet: reasoning before it, and half a character at a cut."""

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


class PairFilter:
    """Passes a streamed answer with the halves of a character joined that two deltas hold.

    Servers that count in UTF-16 cut between them; a half without its other one is no character.
    """

    def __init__(self) -> None:
        """Begin with nothing held."""
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that is whole; a half at its end is held back."""
        if not self._held and text.isascii():
            return text
        text = self._held + text
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        whole = text[: len(text) - len(self._held)]
        return whole.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def flush(self) -> str:
        """Return what stands for a half that is still held, at the answer's end."""
        held, self._held = self._held, ""
        return "\ufffd" if held else ""
