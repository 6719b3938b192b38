"""T11: a command is told to stop, its reader goes away, or its terminal does."""

from __future__ import annotations

import os
import pty
import random
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from faults import dying, kills, world
from faults.campaign import Campaign, Verdict
from faults.forks import SOURCE, ForkServer, Outcome

SLOW_SECONDS = 0.01
"""What a text takes to be embedded here."""
STOP_SECONDS = 2.0
"""How long a command may go on after it was told to stop."""
SLACK_SECONDS = 2.0
"""What a machine that is busy with others may add."""
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_HASH = '[embedding]\nprovider = "hash"\n'
_BEGUN, _ENDED = "begun 1", "ended 1"


# --- in a child --------------------------------------------------------------------------------


def command(
    words: Sequence[str],
    notes: str,
    *,
    slow: float = 0.0,
    slow_place: str = "",
    again_after: float | None = None,
    again_with: int = signal.SIGINT,
) -> None:
    """Run the command line; leaves with its exit status.

    slow: seconds a text takes to be embedded, or each pass of a function, ``module:name``.
    again_after: seconds until a signal comes, beside the one the server sends.
    """
    from askmd import cli
    from askmd.cli import front
    from askmd.embed.hash import HashEmbedder
    from askmd.ingest import journey

    journey.BATCH_TEXTS = dying.BATCH  # type: ignore[misc]
    file = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def marked(known: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any) -> Any:
            os.write(file, f"{_BEGUN}\n".encode())
            try:
                return known(*args)
            finally:
                os.write(file, f"{_ENDED}\n".encode())

        return act

    def slowed(known: Callable[..., Any]) -> Callable[..., Any]:
        def embed(embedder: HashEmbedder, texts: Sequence[str]) -> Any:
            time.sleep(slow * len(texts))
            return known(embedder, texts)

        return embed

    dying.replace_everywhere(front, "_run", marked)
    dying.replace_everywhere(HashEmbedder, "embed", slowed)
    dying.take_notes(notes)
    if slow_place:
        _slow_down(slow_place)
    if again_after is not None:
        _send_later(again_after, again_with)
    sys.argv = ["askmd", *words]
    # The server has read from its own, and this one is empty.
    sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    cli.main()


def _slow_down(place: str) -> None:
    """Let each pass of a function take a while, so that a signal meets it."""
    import importlib

    module, _, name = place.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = name.split(".")
    for one in outer:
        owner = getattr(owner, one)

    def slowed(known: Callable[..., Any]) -> Callable[..., Any]:
        def act(*args: Any, **options: Any) -> Any:
            time.sleep(_PASS_SECONDS)
            result = known(*args, **options)
            time.sleep(_PASS_SECONDS)
            return result

        return act

    dying.replace_everywhere(owner, name, slowed)


def _send_later(seconds: float, number: int) -> None:
    """Send this process a signal from another one."""
    mine = os.getpid()
    # What a signal raises in the middle of a fork would be no fault of askmd's.
    signal.pthread_sigmask(signal.SIG_BLOCK, [getattr(signal, name) for name in NAMES])
    if os.fork() == 0:
        time.sleep(seconds)
        if os.getppid() == mine:
            os.kill(mine, number)
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [getattr(signal, name) for name in NAMES])


# --- in the parent -----------------------------------------------------------------------------

_PASS_SECONDS = 0.05
_PLACES = (
    "",
    "",
    "",
    "askmd.store.writer:IndexWriter.write",
    "askmd.store.replacing:replace_document",
    "askmd.store.manifest:write_manifest",
    "askmd.store.segments:bring_up_to_date",
    "askmd.store.opening:open_writer",
    "askmd.ingest:list_documents",
    "askmd.store.writer:IndexWriter.finish",
)
"""What is slow in a trial; where it is nothing, embedding is."""
_VERBS: Mapping[str, Sequence[str]] = {
    "search": (world.QUESTIONS[0],),
    "ask": ("--no-llm", world.QUESTIONS[0]),
    "doctor": (),
}


@dataclass(frozen=True, slots=True)
class _Marks:
    """What a child noted."""

    is_begun: bool
    is_ended: bool
    embedded: int
    """Texts whose embedding was begun."""


def _marks(notes: Path) -> _Marks:
    lines = notes.read_text(encoding="utf-8").split("\n") if notes.exists() else []
    return _Marks(_BEGUN in lines, _ENDED in lines, kills.read_notes(notes).embedded)


class Signals(Campaign):
    """A command gets a signal at a random moment, or two."""

    name: ClassVar[str] = "T11 signals"
    short: ClassVar[int] = 30
    long: ClassVar[int] = 300

    def __init__(self, place: Path, server: ForkServer) -> None:
        """Make the documents, what a clean run makes of them, and an index to ask."""
        super().__init__(place, server)
        self._texts = world.documents(4, 6)
        self._settings = place / "hash.toml"
        self._settings.write_text(_HASH, encoding="utf-8")
        self._whole = place / "whole"
        world.write(self._whole / "docs", self._texts)
        self._ingest(self._whole)
        self._clean = kills.clean(self._texts, self._look(self._whole))
        self._count = _marks(self._whole / "notes").embedded

    def trial(self, number: int) -> Verdict:
        """Interrupt an ingest, or each sixth time another verb."""
        chance = random.Random(number)
        name = NAMES[number % 3]
        if number % 6 == 5:
            return self._interrupt_another(chance, name, list(_VERBS)[number // 6 % len(_VERBS)])
        return self._interrupt_ingest(chance, name, number)

    def _interrupt_ingest(self, chance: random.Random, name: str, number: int) -> Verdict:
        here = self.place / "trial"
        world.write(here / "docs", self._texts)
        place = _PLACES[number // 3 % len(_PLACES)]
        slow = 0.0 if place else SLOW_SECONDS
        after = chance.uniform(0.0, self._count * SLOW_SECONDS)
        twice = number % 4 == 3
        sent: dict[str, Any] = {"kill_after": after, "kill_with": getattr(signal, name)}
        if twice:
            sent |= {"again_after": after + 0.1, "again_with": signal.SIGINT}
        done = self._ingest(here, slow=slow, slow_place=place, **sent)
        what = f"{name}{' and SIGINT' if twice else ''} after {after:.3f} s, slow {place}"
        first = _marks(here / "notes")
        faults = _ending(done, name, first, late=done.seconds - after, is_twice=twice)
        faults += self._opens(here)
        faults += self._goes_on(here, first, is_twice=twice, status=done.status)
        shutil.rmtree(here)
        kind = "done before" if done.status == 0 else f"{name}{' twice' if twice else ''}"
        late = done.seconds - after if done.status else 0.0
        return Verdict(kind, bool(faults), f"{what}: {'; '.join(faults)}", {"seconds_max": late})

    def _interrupt_another(self, chance: random.Random, name: str, verb: str) -> Verdict:
        notes = self.place / "notes"
        notes.unlink(missing_ok=True)
        after = chance.uniform(0.0, 0.25)
        before = self._look(self._whole)
        done = self._run(
            self._whole,
            verb,
            *_VERBS[verb],
            notes=notes,
            slow=0.2,
            kill_after=after,
            kill_with=getattr(signal, name),
        )
        faults = _ending(done, name, _marks(notes), late=done.seconds - after)
        if self._look(self._whole) != before:
            faults.append("the index changed")
        what = f"{verb}, {name} after {after:.3f} s"
        return Verdict(verb, bool(faults), f"{what}: {'; '.join(faults)}")

    def _opens(self, here: Path) -> list[str]:
        """Return what is wrong with what a fresh process finds."""
        found, told = self._look(here), kills.read_notes(here / "notes").generation
        held, answers = found["dump"], found["answers"]
        if "error" in held or "error" in answers:
            is_none = answers.get("error") == "no_index" and told is None
            return [] if is_none else [f"it does not open: {held} {answers}"[:500]]
        faults = list(held["faults"])
        if told is not None and held["generation"] < told:
            faults.append(f"generation {held['generation']} after {told}")
        wanted = self._clean.documents
        if any(wanted.get(path) != value for path, value in held["documents"].items()):
            faults.append("a document is neither old nor new")
        return faults

    def _goes_on(self, here: Path, first: _Marks, *, is_twice: bool, status: int) -> list[str]:
        """Return what is wrong once the same command has been run again."""
        done = self._ingest(here)
        if done.status:
            return [f"the next ingest failed: {done.output}{done.error}"]
        faults = kills.differences(self._look(here), self._clean)
        again = _marks(here / "notes").embedded - self._count
        # Who insists loses what was just being embedded; who asks once loses nothing.
        allowed = kills.LOST_TEXTS if is_twice or status < 0 else 0
        if again > allowed:
            faults.append(f"{again} of {first.embedded} texts were embedded twice")
        return faults

    def _ingest(self, here: Path, **fault: Any) -> Outcome:
        return self._run(here, "ingest", str(here / "docs"), notes=here / "notes", **fault)

    def _run(self, here: Path, verb: str, *words: str, notes: Path, **fault: Any) -> Outcome:
        options = ["--config", str(self._settings), "--index", str(here / "index")]
        return self.server.call(
            "faults.signals:command", words=[verb, *options, *words], notes=str(notes), **fault
        )

    def _look(self, here: Path) -> dict[str, Any]:
        found: dict[str, Any] = self.server.call(
            "faults.dying:look", index=str(here / "index")
        ).result
        return found


def _ending(
    done: Outcome, name: str, marks: _Marks, *, late: float, is_twice: bool = False
) -> list[str]:
    """Return what is wrong with how a command ended."""
    number = getattr(signal, name)
    # Before its first and after its last line of work a signal ends it as it ends any process.
    is_at_work = marks.is_begun and not marks.is_ended
    wanted = {0, 128 + number} | ({130} if is_twice else set())
    wanted |= set() if is_at_work else {1, -number}
    faults = []
    if done.status not in wanted:
        faults.append(f"status {done.status}: {done.output[-500:]}{done.error[-1500:]}")
    if "Traceback" in done.output:
        faults.append(f"a traceback: {done.output[-1500:]}")
    if done.timed_out or (done.status and late > STOP_SECONDS + SLACK_SECONDS):
        faults.append(f"it went on for {late:.1f} s")
    return faults


# --- as a process of its own -------------------------------------------------------------------


def start(words: Sequence[str], here: Path, **streams: Any) -> subprocess.Popen[bytes]:
    """Start the command line in an interpreter of its own."""
    settings = here / "hash.toml"
    settings.write_text(_HASH, encoding="utf-8")
    options = ["--config", str(settings), "--index", str(here / "index")]
    return subprocess.Popen(
        [sys.executable, "-m", "askmd", words[0], *options, *words[1:]],
        env={**os.environ, "PYTHONPATH": str(SOURCE), "TERM": "xterm"},
        **streams,
    )


@dataclass(frozen=True, slots=True)
class HungUp:
    """How a command ended whose terminal was closed."""

    status: int
    seconds: float
    """From then on."""
    shown: str
    """What stood on the terminal before."""


def hang_up(words: Sequence[str], here: Path, *, awaited: str) -> HungUp:
    """Start a command on a terminal of its own and close that once ``awaited`` stands there."""
    ours, theirs = pty.openpty()
    process = start(
        words,
        here,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    shown = b""
    end = time.monotonic() + 60
    while awaited.encode() not in shown and time.monotonic() < end:
        if select.select([ours], [], [], 1)[0]:
            shown += os.read(ours, 4096)
    os.close(ours)
    closed = time.monotonic()
    status = process.wait(timeout=60)
    return HungUp(status, time.monotonic() - closed, shown.decode("utf-8", "replace"))


def _take_terminal() -> None:
    """Make standard input the terminal that a new session hangs up with."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # Whoever runs the tests under nohup has it ignored, and a child inherits that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
