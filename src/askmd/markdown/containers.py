"""The containers of documentation dialects: ``:::tip``, ``/// note`` and ``!!! note``.

CommonMark does not know them, so a ``#`` line inside one would look like a section. Both readers
of blocks, the parser and the scanner, ask here where a container ends.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

# Docusaurus, VitePress, Pandoc (":::") and PyMdown blocks ("///").
_FENCED = re.compile(r" {0,3}(:{3,}|/{3,}(?=[ \t]))[ \t]*\{?\.?([^\s:/{}]+)")
_CLOSER = re.compile(r" {0,3}(:{3,}|/{3,})[ \t]*$")
# MkDocs: admonitions, collapsible ones, and tabs.
_INDENTED = re.compile(r'(?:!!!|\?\?\?\+?)[ \t]+([\w-]+)|===[!+]?[ \t]+["\'](?=.*["\'][ \t]*$)')
_LONGEST = 9
"""Markers longer than this count as this long, so that a look-up stays cheap."""


class Containers:
    """Where the containers of one document end."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Note every line that could close a container; lines without their newlines."""
        self._lines = lines
        self._closers: dict[tuple[str, int], list[int]] = {}
        for index, line in enumerate(lines):
            if ":::" in line or "///" in line:
                self._note(index, line)

    def _note(self, index: int, line: str) -> None:
        if closer := _CLOSER.match(line):
            for length in range(3, min(len(closer[1]), _LONGEST) + 1):
                self._closers.setdefault((closer[1][0], length), []).append(index)

    def end(self, index: int) -> int | None:
        """Return the line after the container that opens on a line, None where none opens.

        A ``:::`` that nothing closes is no container: mkdocstrings' ``::: package.name`` is one.
        """
        line = self._lines[index]
        if fenced := _FENCED.match(line):
            closers = self._closers.get((fenced[1][0], min(len(fenced[1]), _LONGEST)), [])
            position = bisect_right(closers, index)
            return closers[position] + 1 if position < len(closers) else None
        return self._indented_end(index) if _INDENTED.match(line) else None

    def kind(self, index: int) -> str:
        """Return what the container that opens on a line calls itself: ``tip``, ``note``."""
        line = self._lines[index]
        opener = _FENCED.match(line) or _INDENTED.match(line)
        return (opener[opener.lastindex or 0] if opener and opener.lastindex else "tab").lower()

    def _indented_end(self, index: int) -> int:
        end = index + 1
        for position in range(index + 1, len(self._lines)):
            line = self._lines[position]
            if line.startswith(("    ", "\t")) and not line.isspace():
                end = position + 1
            elif line.strip():
                break
        return end
