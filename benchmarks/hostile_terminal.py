"""FAULTS.md T14: how much of what documents, models and servers say acts on a terminal.

    python benchmarks/hostile_terminal.py

Prints a Markdown table: payloads by place, and what came through (0 everywhere, else exit 1).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import test_hostile_terminal as hostile


@dataclass(frozen=True)
class Tried:
    """A place, and what came from it."""

    place: str
    payloads: int
    through: int


def tried(shelves: hostile.Shelves) -> Iterator[Tried]:
    """Yield each place after trying it."""
    count = len(hostile.PAYLOADS)
    for place in hostile.PLACES:
        found = hostile.came_through(shelves, place)
        yield Tried(place, count, sum(map(len, found.values())))
    for place in hostile.WHOLE:
        yield Tried(
            f"{place}, in one run",
            _counted(place),
            len(hostile.came_through_at_once(shelves, place)),
        )
    for place in hostile.AS_JSON:
        yield Tried(
            f"JSON: {place}", _counted(place), len(hostile.json_came_through(shelves, place))
        )
    if sys.platform != "win32":
        through = len(hostile.came_through_a_pty(shelves))
        pty = "pseudo-terminal: chat, search"
        yield Tried(pty, len(hostile.IN_TERMINALS), through)


def _counted(place: str) -> int:
    """Return how many payloads a run over all holds."""
    counts = {
        "status": len(hostile.IN_FOLDER),
        "config": len(hostile.IN_FOLDER),
        "eval": len(range(0, len(hostile.PAYLOADS), hostile.EVALUATED)),
        "error": 4,
    }
    return counts.get(place, len(hostile.PAYLOADS))


def main() -> int:
    with hostile.shelves_for_a_while() as shelves:
        rows = list(tried(shelves))
    print("| place | payloads | escapes that came through |\n|---|--:|--:|")
    for row in rows:
        print(f"| {row.place} | {row.payloads} | {row.through} |")
    through = sum(row.through for row in rows)
    print(f"| all | {sum(row.payloads for row in rows)} | {through} |")
    return 1 if through else 0


if __name__ == "__main__":
    sys.exit(main())
