"""A long journey's progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from askmd.types import Progress, ProgressCallback


@contextmanager
def progress_bar(stream: TextIO | None = None) -> Iterator[ProgressCallback]:
    """Draw a journey's progress with rate and time left on a terminal; be quiet anywhere else.

    ``NO_COLOR`` is respected, as rich does.
    """
    target = stream or sys.stderr
    if not target.isatty():
        yield _ignore
        return
    bar = _bar(target)
    # A terminal may go while it is drawn on; the journey has to end in its own way.
    with suppress(OSError):
        bar.start()
    try:
        yield _Drawing(bar)
    finally:
        with suppress(OSError):
            bar.stop()


def _ignore(_progress: Progress) -> None:
    """Draw nothing."""


def _bar(target: TextIO) -> Bar:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=Console(file=target),
        transient=True,
    )


class _Drawing:
    """One bar a stage."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._tasks: dict[str, int] = {}

    def __call__(self, progress: Progress) -> None:
        with suppress(OSError):
            self._draw(progress)

    def _draw(self, progress: Progress) -> None:
        from rich.progress import TaskID

        if progress.stage not in self._tasks:
            self._tasks[progress.stage] = self._bar.add_task(progress.stage, total=None, rate="")
        task = TaskID(self._tasks[progress.stage])
        speed = next(t.speed for t in self._bar.tasks if t.id == task)
        rate = f"{speed:.0f} {progress.unit}/s" if speed else progress.unit
        total = progress.total or None
        self._bar.update(task, completed=progress.done, total=total, rate=rate)
