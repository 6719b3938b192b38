"""Who may read an index: every file askmd ever puts there, at every moment, under any umask."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from faults import apart, world


def play(place: str, umask: int, made_before: int | None) -> dict[str, Any]:
    """Return all modes that were seen in an index while everything was done that writes there.

    made_before: the mode of the folder if it stands there already.
    """
    base = Path(place)
    (base / "config.toml").write_text('[embedding]\nprovider = "hash"\n', encoding="utf-8")
    world.write(base / "docs", world.documents(7, 18))
    (base / "home").mkdir()
    index = base / "index"
    if made_before is not None:
        index.mkdir()
        index.chmod(made_before)
    if os.geteuid() == 0:
        for path in (base, base / "home", *([index] if made_before is not None else [])):
            os.chown(path, apart.NOBODY, apart.NOBODY)
    seen: dict[str, list[int]] = {}
    for words in (["ingest", "docs"], ["search", "gateway"], ["ingest", "docs", "--rebuild"]):
        ended = apart.apart(lambda words=words: _watched(base, words, umask), seconds=50)  # type: ignore[misc]
        if ended.status or "fault" in ended.result:
            raise AssertionError(ended.result)
        for kind, modes in ended.result.items():
            seen[kind] = sorted({*seen.get(kind, []), *modes})
    return seen


def _watched(base: Path, words: list[str], umask: int) -> dict[str, Any]:
    """Run a command as nobody; return the modes by kind of file, looked at after each change."""
    apart.become_nobody()
    os.umask(umask)
    seen: dict[str, set[int]] = {}
    index = base / "index"

    def look(event: str, details: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.remove", "sqlite3.connect") and index.exists():
            _look(index, seen)

    def act() -> dict[str, list[int]]:
        import sys

        sys.addaudithook(look)
        try:
            apart.run_askmd(*words, "--index", "index", here=base, home=base / "home")
        except SystemExit as left:
            if left.code:
                return {"fault": [int(left.code)]}
        _look(index, seen)
        return {kind: sorted(modes) for kind, modes in seen.items()}

    ended = apart.apart(act, seconds=40)
    if ended.status:
        return {"fault": [ended.result, ended.err]}
    if "fault" in ended.result:
        return {"fault": ended.err}
    found: dict[str, Any] = ended.result
    return found


def _look(index: Path, seen: dict[str, set[int]]) -> None:
    for path in (index, *index.iterdir()):
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except FileNotFoundError:
            continue
        seen.setdefault(_kind(path, index), set()).add(mode)


def _kind(path: Path, index: Path) -> str:
    """Return what kind of file it is, by its name without what is drawn by lot."""
    if path == index:
        return "folder"
    for ending in (".tmp", "-wal", "-shm", ".sqlite3", ".segment"):
        if path.name.endswith(ending):
            return ending
    return path.name.split("-")[0]
