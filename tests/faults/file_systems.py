"""T9: what file systems hold and do that no folder of notes should, a case each.

A case writes a folder, runs the command line in a process of its own, and compares what the index
holds. Whatever stands outside of the root bears a mark, which must be in no file of any index.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from faults import apart

MARK = "zyxwvutsrq"
"""Stands in whatever is outside."""
OLD = 1_000_000_000
Case = Callable[["Box"], None]
CASES: dict[str, Case] = {}
AS_NOBODY = set[str]()
"""Cases that root's rights would spoil."""


class Skipped(Exception):
    """The system does not let us make what a case needs."""


class Box:
    """A folder of documents, things outside of it, and an index."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.root, self.outside, self.index = place / "docs", place / "outside", place / "index"
        self.root.mkdir()
        self.outside.mkdir()
        (place / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
        self.write("plain.md")
        (self.outside / "secret.md").write_text(f"# {MARK}\n\n{MARK}\n", encoding="utf-8")

    def write(self, name: str, text: str = "") -> Path:
        """Write a document, by default one that says its name."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text or f"# About\n\nThis is {name.encode()!r}.\n", encoding="utf-8")
        return path

    def run(self, *words: str, first: Callable[[], Any] = lambda: None) -> apart.Ended:
        """Run the command line; ``first`` is done before, in the same process."""

        def act() -> None:
            first()
            apart.run_askmd(*words, here=self.place, home=self.index.parent / "home")

        ended = apart.apart(act, seconds=20)
        same(("in time", ended.timed_out), ("in time", False))
        if "Traceback" in ended.err or isinstance(ended.result, str):
            raise AssertionError(f"a traceback: {ended.err}{ended.result}")
        return ended

    def ingest(
        self,
        *words: str,
        folder: str = "docs",
        index: str = "index",
        status: int = 0,
        first: Callable[[], Any] = lambda: None,
    ) -> dict[str, Any]:
        """Return an ingest's report, or its error."""
        named = [folder] if folder else []
        ended = self.run("ingest", *named, "--index", index, "--json", *words, first=first)
        same((ended.status, ended.err), (status, ended.err))
        if status in (0, 4):
            report: dict[str, Any] = json.loads(ended.out)
            return report
        [line] = [one for one in ended.err.splitlines() if one.startswith("{")]
        error: dict[str, Any] = json.loads(line)["error"]
        return error

    def failures(self, **options: Any) -> dict[str, str]:
        """Ingest, where some files fail: return why, by path."""
        told = self.ingest(status=4, **options)["failures"]
        return {one["path"]: one["reason"] for one in told}

    def held(self, index: str = "index") -> dict[str, str]:
        """Return the text of each document, by path, as the index holds it."""
        folder = self.place / index
        name = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["database"]
        question = (
            "SELECT path, (SELECT group_concat(text, char(10)) FROM chunks "
            "WHERE document = documents.number) FROM documents ORDER BY path"
        )
        with closing(sqlite3.connect(folder / name)) as connection:
            return {path: text or "" for path, text in connection.execute(question)}

    def holds(self, *names: str, index: str = "index") -> None:
        """Compare which documents there are."""
        same(sorted(self.held(index)), sorted(names))


def same(found: Any, wanted: Any) -> None:
    """Compare whole values."""
    if found != wanted:
        raise AssertionError(f"{found!r} is not {wanted!r}")


def case(play: Case) -> Case:
    """Put a function among the cases, its name its id."""
    CASES[play.__name__.replace("_", "-")] = play
    return play


def as_nobody(play: Case) -> Case:
    """Put a function among the cases of a user without rights."""
    AS_NOBODY.add(play.__name__.replace("_", "-"))
    return case(play)


def play(which: str, place: str) -> str:
    """Play a case in an empty folder; return why it could not be, if it could not."""
    base = Path(place)
    (base / "home").mkdir()
    if which in AS_NOBODY:
        base.chmod(0o755)
        if os.geteuid() == 0:
            os.chown(base, apart.NOBODY, apart.NOBODY)
            os.chown(base / "home", apart.NOBODY, apart.NOBODY)
        ended = apart.apart(lambda: (apart.become_nobody(), _play(which, base))[1], seconds=50)
        if ended.status:
            raise AssertionError(ended.result)
        return str(ended.result)
    return _play(which, base)


def _play(name: str, base: Path) -> str:
    box = Box(base)
    try:
        CASES[name](box)
    except Skipped as skipped:
        return str(skipped)
    marked = [
        str(path)
        for folder in (box.index, box.root)
        for path in _files(folder)
        if path.name.endswith((".sqlite3", "-wal", ".segment"))
        and MARK.encode() in path.read_bytes()
    ]
    same(marked, [])
    return ""


def _files(folder: Path) -> Iterator[Path]:
    """Yield files, as far down as a path may be long."""
    for inner, _, names in os.walk(folder):
        yield from (Path(inner) / name for name in names)


# --- links -----------------------------------------------------------------------------------


@case
def a_loop_of_links(box: Box) -> None:
    (box.root / "loop").symlink_to(box.root)
    (box.root / "self").symlink_to("self")
    (box.root / "self.md").symlink_to("self.md")
    same(box.ingest()["failures"], [])
    box.holds("plain.md")


@case
def a_link_to_a_file_outside(box: Box) -> None:
    (box.root / "link.md").symlink_to(box.outside / "secret.md")
    box.ingest()
    box.holds("plain.md")


@case
def a_link_to_a_folder_outside(box: Box) -> None:
    (box.root / "link").symlink_to(box.outside)
    box.ingest()
    box.holds("plain.md")


@case
def a_link_to_a_file_inside(box: Box) -> None:
    (box.root / "link.md").symlink_to("plain.md")
    box.ingest()
    box.holds("plain.md")


@case
def a_link_to_nothing(box: Box) -> None:
    (box.root / "link.md").symlink_to("nothing.md")
    box.ingest()
    box.holds("plain.md")


@case
def a_link_named_gitignore_that_leads_outside(box: Box) -> None:
    (box.outside / "rules").write_text("plain.md\n", encoding="utf-8")
    (box.root / ".gitignore").symlink_to(box.outside / "rules")
    box.ingest()
    box.holds("plain.md")


@case
def a_hard_link_is_a_document_like_any_other(box: Box) -> None:
    os.link(box.root / "plain.md", box.root / "twin.md")
    box.ingest()
    box.holds("plain.md", "twin.md")
    same(len(set(box.held().values())), 1)


# --- what is no file -------------------------------------------------------------------------


@case
def a_pipe_is_not_waited_for(box: Box) -> None:
    os.mkfifo(box.root / "pipe.md")
    os.mkfifo(box.root / ".askmdignore")
    box.ingest()
    box.holds("plain.md")


@case
def a_socket(box: Box) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(box.root)
        listening.bind("socket.md")
        box.ingest()
    box.holds("plain.md")


@case
def a_device(box: Box) -> None:
    try:
        os.mknod(box.root / "zero.md", 0o20666, os.makedev(1, 5))
    except OSError as error:
        raise Skipped(f"no devices may be made: {error}") from error
    box.ingest()
    box.holds("plain.md")


@case
def a_folder_named_as_a_document(box: Box) -> None:
    box.write("notes.md/inner.md")
    box.ingest()
    box.holds("plain.md", "notes.md/inner.md")


# --- permissions -----------------------------------------------------------------------------


@as_nobody
def a_folder_that_may_not_be_entered(box: Box) -> None:
    box.write("closed/a.md")
    box.ingest()
    (box.root / "closed").chmod(0)
    same(box.failures(), {"closed/": "permission denied"})
    (box.root / "closed").chmod(0o700)
    box.holds("plain.md", "closed/a.md")


@as_nobody
def a_folder_that_may_be_listed_and_not_entered(box: Box) -> None:
    box.write("closed/a.md")
    (box.root / "closed").chmod(0o400)
    told = box.failures()
    (box.root / "closed").chmod(0o700)
    same(list(told.values()), ["permission denied"])
    box.holds("plain.md")


@as_nobody
def a_file_that_may_not_be_read(box: Box) -> None:
    box.write("closed.md").chmod(0)
    same(box.failures(), {"closed.md": "permission denied"})
    box.holds("plain.md")


@as_nobody
def a_root_that_may_not_be_read(box: Box) -> None:
    box.ingest()
    box.root.chmod(0)
    error = box.ingest(folder="", status=1)
    box.root.chmod(0o700)
    same(error["next"], "mend its permissions")
    box.holds("plain.md")


# --- between the look and the reading --------------------------------------------------------


def after_the_walk(act: Callable[[], Any]) -> Callable[[], None]:
    """Return what makes something happen between the walk and the first file read."""

    def first() -> None:
        from askmd import ingest

        walk = ingest.list_documents

        def listed(*words: Any) -> Any:
            found = walk(*words)
            act()
            return found

        ingest.list_documents = listed  # type: ignore[assignment]

    return first


def while_read(act: Callable[[], Any]) -> Callable[[], None]:
    """Return what makes something happen once a file was opened, before its bytes are read."""

    def first() -> None:
        from askmd.files import reading

        def opened(*words: Any) -> Any:
            act()
            return os.fdopen(*words)

        names = {name: getattr(os, name) for name in ("close", "fstat")}
        reading.os = SimpleNamespace(fdopen=opened, **names)  # type: ignore[attr-defined]

    return first


def before_a_folder(name: str, act: Callable[[], Any]) -> Callable[[], None]:
    """Return what makes something happen when a folder was seen and is not entered yet."""

    def first() -> None:
        # The room has a function of this name.
        walk = import_module("askmd.files.walk")
        enter = walk.open_folder

        def entered(root: Path, path: Path) -> Any:
            if path == Path(name):
                act()
            return enter(root, path)

        walk.open_folder = entered  # type: ignore[attr-defined]

    return first


LINK = "it is a link, or stands behind one"


@case
def a_file_that_vanishes_after_the_walk(box: Box) -> None:
    box.write("gone.md")
    box.ingest()
    os.utime(box.root / "gone.md")
    told = box.failures(first=after_the_walk((box.root / "gone.md").unlink))
    same(told, {"gone.md": "it vanished while it was read"})
    box.holds("plain.md", "gone.md")
    box.write("other.md")
    box.ingest()
    box.holds("plain.md", "other.md")


@case
def a_folder_that_vanishes_after_the_walk(box: Box) -> None:
    box.write("sub/a.md")
    told = box.failures(first=after_the_walk(lambda: shutil.rmtree(box.root / "sub")))
    same(told, {"sub/a.md": "it vanished while it was read"})
    box.holds("plain.md")


@case
def a_file_replaced_by_a_link_after_the_walk(box: Box) -> None:
    def swap() -> None:
        (box.root / "a.md").unlink()
        (box.root / "a.md").symlink_to(box.outside / "secret.md")

    box.write("a.md")
    same(box.failures(first=after_the_walk(swap)), {"a.md": LINK})
    box.holds("plain.md")


@case
def a_file_replaced_by_a_pipe_after_the_walk(box: Box) -> None:
    def swap() -> None:
        (box.root / "a.md").unlink()
        os.mkfifo(box.root / "a.md")

    box.write("a.md")
    same(box.failures(first=after_the_walk(swap)), {"a.md": "it is not a regular file"})
    box.holds("plain.md")


@case
def a_file_replaced_by_a_folder_after_the_walk(box: Box) -> None:
    def swap() -> None:
        (box.root / "a.md").unlink()
        (box.root / "a.md").mkdir()

    box.write("a.md")
    same(box.failures(first=after_the_walk(swap)), {"a.md": "it is not a regular file"})
    box.holds("plain.md")


def _lead_away(box: Box) -> None:
    (box.root / "sub").rename(box.place / "sub")
    (box.root / "sub").symlink_to(box.outside)


@case
def a_folder_replaced_by_a_link_after_the_walk(box: Box) -> None:
    box.write("sub/secret.md")
    same(box.failures(first=after_the_walk(lambda: _lead_away(box))), {"sub/secret.md": LINK})
    box.holds("plain.md")


@case
def a_folder_above_replaced_by_a_link_after_the_walk(box: Box) -> None:
    (box.outside / "deep").mkdir()
    (box.outside / "secret.md").rename(box.outside / "deep" / "secret.md")
    box.write("sub/deep/secret.md")
    told = box.failures(first=after_the_walk(lambda: _lead_away(box)))
    same(told, {"sub/deep/secret.md": LINK})
    box.holds("plain.md")


@case
def a_folder_replaced_by_a_link_during_the_walk(box: Box) -> None:
    box.write("sub/a.md")
    told = box.failures(first=before_a_folder("sub", lambda: _lead_away(box)))
    same(told, {"sub/": LINK})
    box.holds("plain.md")


@case
def a_file_that_grows_while_it_is_read(box: Box) -> None:
    path = box.write("a.md", "# A\n\nfirst\n")

    def grow() -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write("\nsecond\n")

    same(box.ingest(first=while_read(grow))["failures"], [])
    box.ingest()
    same(box.held()["a.md"], path.read_text(encoding="utf-8").rstrip("\n"))


@case
def a_file_cut_off_while_it_is_read(box: Box) -> None:
    path = box.write("a.md", "# A\n\nfirst\n\nsecond\n")
    same(box.ingest(first=while_read(lambda: os.truncate(path, 10)))["failures"], [])
    box.ingest()
    same(box.held()["a.md"], "# A\n\nfirst")


# --- names -----------------------------------------------------------------------------------


def _named(*names: str) -> Case:
    """Return a case of files with odd names: held as they are, shown without harm, let go of."""

    def play(box: Box) -> None:
        for name in names:
            box.write(name, f"# Odd\n\nThe quagga of {names.index(name)}.\n")
        same(box.ingest()["failures"], [])
        box.holds("plain.md", *names)
        told = box.run("search", "quagga", "--index", "index", "--json", "-k", "5")
        paths = {hit["path"] for hit in json.loads(told.out)["hits"]}
        same(paths >= set(names), True)
        shown = box.run("search", "quagga", "--index", "index")
        same((shown.status, [one for one in shown.out + shown.err if _is_harmful(one)]), (0, []))
        for name in names:
            (box.root / name).unlink()
        box.ingest("--prune")
        box.holds("plain.md")

    return play


def _is_harmful(character: str) -> bool:
    kind = unicodedata.category(character)
    return kind in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and character not in "\n\t"


NAMES = {
    "a-newline": "a\nb.md",
    "an-escape": "a\x1b[31mb\x1b]0;x\x07.md",
    "a-tab": "a\tb.md",
    "a-backslash": "a\\b.md",
    "a-colon": "c:b.md",
    "a-dot-at-the-end-of-a-folder": "sub./a.md",
    "blanks-at-both-ends": " a .md",
    "a-dash-in-front": "-k.md",
    "quotes": 'it\'s "a".md',
    "a-right-to-left-override": "a\u202edm.md",
    "signs-of-patterns": "[a]*?!{b}.md",
    "signs-of-addresses": "a#b?c%41&d.md",
    "a-tilde-and-a-dollar": "~$HOME`.md",
    "255-bytes": "n" * 252 + ".md",
    "characters-of-four-bytes": "\U0001f98a" * 60 + ".md",
}
for _name, _path in NAMES.items():
    CASES[f"a-name-with-{_name}"] = _named(_path)
CASES["names-that-differ-by-composition"] = _named("caf\u00e9.md", "cafe\u0301.md")
CASES["names-that-differ-by-case"] = _named("Twin.md", "twin.md", "TWIN.MD")


@case
def a_name_that_is_not_utf8(box: Box) -> None:
    (box.root / os.fsdecode(b"f\xff")).mkdir()
    for name in (b"caf\xe9.md", b"f\xff/b.md"):
        (box.root / os.fsdecode(name)).write_bytes(b"# x\n")
    reason = "its name is not UTF-8; rename it"
    same(box.failures(), {"caf\\udce9.md": reason, "f\\udcff/b.md": reason})
    box.holds("plain.md")


@as_nobody
def a_folder_that_is_not_utf8_and_may_not_be_entered(box: Box) -> None:
    closed = box.root / os.fsdecode(b"f\xff")
    closed.mkdir(0)
    told = box.failures()
    closed.chmod(0o700)
    same(told, {"f\\udcff/": "permission denied"})


@case
def a_path_longer_than_the_system_takes_at_once(box: Box) -> None:
    deep = "/".join(["d" * 200] * 22)
    os.chdir(box.root)
    for step in deep.split("/"):
        Path(step).mkdir()
        os.chdir(step)
    Path("a.md").write_text("# Deep\n\nText.\n", encoding="utf-8")
    same(box.ingest()["failures"], [])
    box.holds("plain.md", f"{deep}/a.md")


# --- times -----------------------------------------------------------------------------------


def trusting() -> None:
    """Trust stamps at once: the two seconds of doubt are over."""
    from askmd.files import reading

    reading.YOUNG_NANOSECONDS = 0


def _edit(path: Path, *, in_place: bool) -> None:
    """Change a file's bytes, and neither its size nor its time of change."""
    status = path.stat()
    text = path.read_text(encoding="utf-8").replace("first", "other")
    target = path if in_place else path.with_suffix(".tmp")
    target.write_text(text, encoding="utf-8")
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
    target.replace(path)
    same((path.stat().st_size, path.stat().st_mtime_ns), (status.st_size, status.st_mtime_ns))


@case
def an_edit_in_place_of_the_same_size_and_time(box: Box) -> None:
    path = box.write("a.md", "# A\n\nfirst\n")
    os.utime(path, (OLD, OLD))
    box.ingest(first=trusting)
    same(box.ingest(first=trusting)["documents"]["unchanged"], 2)
    _edit(path, in_place=True)
    same(box.ingest(first=trusting)["documents"]["changed"], 1)
    same(box.held()["a.md"], "# A\n\nother")


@case
def a_file_saved_anew_with_the_same_size_and_time(box: Box) -> None:
    path = box.write("a.md", "# A\n\nfirst\n")
    os.utime(path, (OLD, OLD))
    box.ingest(first=trusting)
    _edit(path, in_place=False)
    same(box.ingest(first=trusting)["documents"]["changed"], 1)
    same(box.held()["a.md"], "# A\n\nother")


def _at(seconds: float) -> Case:
    """Return a case of a file of some time that is edited, and given that time again, at once."""

    def play(box: Box) -> None:
        path = box.write("a.md", "# A\n\nfirst\n")
        os.utime(path, (seconds, seconds))
        for _ in range(2):
            same(box.ingest()["failures"], [])
        box.holds("a.md", "plain.md")
        _edit(path, in_place=True)
        same(box.ingest()["documents"]["changed"], 1)
        same(box.held()["a.md"], "# A\n\nother")

    return play


CASES["a-time-in-the-future"] = _at(4_000_000_000)
CASES["the-time-1970"] = _at(0)
CASES["a-time-before-1970"] = _at(-1_000_000)


@case
def an_edit_within_two_seconds_by_a_clock_that_stands_still(box: Box) -> None:
    """A file system with a coarse clock gives both writes the same times."""
    path = box.write("a.md", "# A\n\nfirst\n")
    os.utime(path, (OLD, OLD))
    stands = path.stat()

    def still() -> None:
        from askmd.files import reading
        from askmd.types import Stamp

        def stamp(status: os.stat_result) -> Stamp:
            return Stamp(status.st_size, stands.st_mtime_ns, stands.st_ctime_ns, stands.st_ino)

        walk = import_module("askmd.files.walk")
        reading.stamp_of = walk.stamp_of = stamp  # type: ignore[attr-defined]

    box.ingest(first=still)
    _edit(path, in_place=True)
    same(box.ingest(first=still)["documents"]["changed"], 1)
    same(box.held()["a.md"], "# A\n\nother")


# --- the root --------------------------------------------------------------------------------


@case
def a_root_that_is_a_link(box: Box) -> None:
    (box.place / "link").symlink_to("docs")
    box.ingest(folder="link")
    same(box.ingest(folder="docs")["documents"]["unchanged"], 1)
    box.holds("plain.md")


def _spelled(folder: Callable[[Box], str]) -> Case:
    def play(box: Box) -> None:
        box.write("sub/a.md")
        box.ingest()
        same(box.ingest(folder=folder(box))["documents"]["unchanged"], 2)
        box.holds("plain.md", "sub/a.md")

    return play


CASES["a-root-with-a-slash-at-its-end"] = _spelled(lambda box: "docs/")
CASES["a-root-with-dots"] = _spelled(lambda box: "./docs/sub/../../docs/.")
CASES["a-root-by-its-absolute-path"] = _spelled(lambda box: f"{box.root}//")


@case
def a_root_that_is_the_current_folder(box: Box) -> None:
    shutil.copy(box.place / "config.toml", box.root)
    box.place = box.root
    box.ingest(folder=".", index=".askmd")
    box.holds("plain.md", index=".askmd")


@case
def a_root_that_is_not_mounted(box: Box) -> None:
    for name in ("b.md", "c.md"):
        box.write(name)
    box.ingest()
    away = box.root.rename(box.place / "away")
    box.root.mkdir()
    error = box.ingest(status=1)
    same("lost 3 of its 3 files; all stay in the index" in error["message"], True)
    box.holds("plain.md", "b.md", "c.md")
    box.root.rmdir()
    same(box.ingest(status=1)["code"], "folder")
    away.rename(box.root)
    same(box.ingest()["documents"]["unchanged"], 3)
    shutil.rmtree(box.root)
    box.root.mkdir()
    same(box.ingest("--prune")["documents"]["removed"], 3)
    box.holds()


@case
def a_root_that_lost_more_than_half(box: Box) -> None:
    for name in ("b.md", "c.md", "d.md"):
        box.write(name)
    box.ingest()
    for name in ("b.md", "c.md", "d.md"):
        (box.root / name).unlink()
    same("--prune" in box.ingest(status=1)["next"], True)
    box.holds("plain.md", "b.md", "c.md", "d.md")
    box.ingest("--prune")
    box.holds("plain.md")


@case
def a_file_turned_folder_and_a_folder_turned_file(box: Box) -> None:
    box.write("a.md")
    box.write("b.md/inner.md")
    box.write("c.md")
    box.ingest()
    (box.root / "a.md").unlink()
    shutil.rmtree(box.root / "b.md")
    box.write("a.md/inner.md")
    box.write("b.md")
    box.ingest()
    box.holds("plain.md", "a.md/inner.md", "b.md", "c.md")


# --- content ---------------------------------------------------------------------------------


@case
def empty_files(box: Box) -> None:
    for name, data in (("no.md", b""), ("mark.md", b"\xef\xbb\xbf"), ("blank.md", b" \r\n\t\n")):
        (box.root / name).write_bytes(data)
    same(box.ingest()["failures"], [])
    box.holds("plain.md", "no.md", "mark.md", "blank.md")
    same([box.held()[name] for name in ("no.md", "mark.md", "blank.md")], ["", "", ""])


@case
def a_file_that_is_too_large(box: Box) -> None:
    os.truncate(box.write("large.md"), 20_000_001)
    reason = "it is larger than 20 MB; raise documents.max_megabytes to index it"
    same(box.failures(), {"large.md": reason})
    box.holds("plain.md")


# --- the index among the documents -----------------------------------------------------------


def _inside(index: str, again: str) -> Case:
    """Return a case of an index among the documents, named so at first and then otherwise."""

    def play(box: Box) -> None:
        (box.place / "link").symlink_to("docs")
        box.ingest(index=index)
        folder = box.place / index
        # It would keep the walk out as well.
        (folder / ".gitignore").unlink()
        (folder / "stray.md").write_text("# Stray\n\nText.\n", encoding="utf-8")
        same(box.ingest(index=again)["documents"]["seen"], 1)
        box.holds("plain.md", index=index)

    return play


CASES["an-index-in-its-documents"] = _inside("docs/.askmd", "docs/.askmd")
CASES["an-index-in-its-documents-that-is-not-hidden"] = _inside("docs/store", "docs/store")
CASES["an-index-in-its-documents-by-a-link"] = _inside("docs/store", "link/store")
CASES["an-index-in-its-documents-by-a-link-at-first"] = _inside("link/store", "docs/./store")


@case
def other_indexes_among_the_documents(box: Box) -> None:
    box.ingest(index="docs/one")
    shutil.copytree(box.root / "one", box.root / "copy")
    same(box.ingest(index="docs/two")["documents"]["seen"], 1)
    same(box.ingest(index="docs/one")["documents"]["seen"], 1)
    box.holds("plain.md", index="docs/one")
    box.holds("plain.md", index="docs/two")


@case
def a_saved_index_among_the_documents(box: Box) -> None:
    box.ingest()
    [database] = box.index.glob("*.sqlite3")
    for name in ("saved.askmd", "saved.md"):
        shutil.copy(database, box.root / name)
    reason = "it is a binary file, an SQLite database; convert it to Markdown, or exclude it"
    same(box.failures(), {"saved.md": reason})
    box.holds("plain.md")


@case
def the_index_of_a_project_below(box: Box) -> None:
    box.write("project/a.md")
    box.ingest(folder="docs/project", index="docs/project/.askmd")
    box.write("project/.askmd/stray.md")
    box.ingest()
    box.holds("plain.md", "project/a.md")


@case
def an_index_that_is_the_documents_folder(box: Box) -> None:
    error = box.ingest(index="docs", status=1)
    same(error["message"], f"{box.root} is the index's own folder")
    same(sorted(path.name for path in box.root.iterdir()), ["plain.md"])
