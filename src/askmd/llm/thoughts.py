"""What is no text of the answer yet: reasoning before it, and half a character at a cut."""

from __future__ import annotations

from typing import Literal

_PAIRS = {"<think>": "</think>", "<thinking>": "</thinking>"}
CLOSE = "</think>"
LONGEST_THOUGHT = 100_000
"""Characters after which a tag that was never opened is the answer's own."""


class ThoughtFilter:
    """Passes a streamed answer without a ``<think>`` part at its beginning, however it is cut.

    Some chat templates open that part themselves. Its text is shown before anybody can know: then
    only the tag is left out, where it has a line of its own, and ``was_shown`` tells of it.
    """

    def __init__(self) -> None:
        """Begin with nothing decided."""
        self.was_shown = False
        """Whether thoughts were passed as a part of the answer."""
        self._state: Literal["start", "thought", "gap", "text"] = "start"
        self._held = ""
        self._close = CLOSE
        self._looks_for_end = True
        self._is_at_line = True
        self._passed = 0

    def feed(self, text: str) -> str:
        """Return what of the text belongs to the answer; what is undecided is held back."""
        if self._state == "text":
            return self._untagged(text)
        self._held += text
        if self._state == "start" and not self._begin(self._held.lstrip()):
            return ""
        if self._state == "thought":
            thought, closing, rest = self._held.partition(self._close)
            self._held = rest if closing else thought[-len(self._close) :]
            if closing:
                self._state = "gap"
        if self._state == "gap":
            self._held = self._held.lstrip()
            if self._held:
                self._state = "text"
        if self._state != "text":
            return ""
        held, self._held = self._held, ""
        return self._untagged(held)

    def flush(self) -> str:
        """Return what is still held of the answer, at its end."""
        held, self._held = self._held, ""
        return held if self._state in ("start", "text") else ""

    def _begin(self, head: str) -> bool:
        """Whether the first characters tell what the answer begins with."""
        tags = (*_PAIRS, CLOSE)
        if any(len(head) < len(tag) and tag.startswith(head) for tag in tags):
            return False
        opened = next((tag for tag in tags if head.startswith(tag)), "")
        # What closes at once was opened by the template, for a model that is not to think.
        self._state = "thought" if opened else "text"
        self._close = _PAIRS.get(opened, CLOSE)
        self._looks_for_end = not opened
        return True

    def _untagged(self, text: str) -> str:
        """Return text without the line that ends thoughts; what may become it is held back."""
        whole = self._held + text
        if not self._looks_for_end or self._passed > LONGEST_THOUGHT:
            self._held = ""
            return whole
        lines = whole.split("\n")
        first = 0 if self._is_at_line else 1
        ends = (at for at in range(first, len(lines) - 1) if lines[at].rstrip() == CLOSE)
        end = next(ends, None)
        if end is not None:
            del lines[end]
            self._looks_for_end, self.was_shown, self._held = False, True, ""
            return "\n".join(lines)
        last, self._held = lines[-1], ""
        is_whole_line = len(lines) > 1 or self._is_at_line
        if is_whole_line and 0 < len(last) <= len(CLOSE) + 2 and CLOSE.startswith(last.rstrip()):
            self._held = last
        shown = whole[: len(whole) - len(self._held)]
        self._is_at_line = shown.endswith("\n") if shown else self._is_at_line
        self._passed += len(shown)
        return shown


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
