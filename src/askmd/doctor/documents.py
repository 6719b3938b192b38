"""The documents' folder against the index: what is new, changed or gone since the last ingest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from askmd import files
from askmd.config import Config
from askmd.doctor.finding import Finding, fault
from askmd.errors import AskmdError, Interrupted
from askmd.types import CancelCheck, Document, Failure, Progress, ProgressCallback

_INGEST = "run `askmd ingest`"
_BETWEEN_LOOKS = 1000


def of_documents(
    config: Config,
    root: Path,
    known: Mapping[str, Document],
    progress: ProgressCallback | None = None,
    cancel: CancelCheck | None = None,
) -> list[Finding]:
    """Return whether the folder is there, and how far the index is behind it.

    Only files whose size or times differ are read. Raises Interrupted once ``cancel`` says so.
    """
    if not root.is_dir():
        step = (
            "bring it back; or, if they are in FOLDER now, "
            "run `askmd backup FILE`, then `askmd restore FILE FOLDER`"
        )
        return [Finding("folder", True, f"the documents' folder {root} is gone", step)]
    if not os.access(root, os.R_OK | os.X_OK):
        message = f"the documents' folder {root} cannot be read"
        return [Finding("folder", True, message, "mend its permissions")]
    seen = _Seen(config, root, known)
    try:
        selection = files.Selection(
            config.documents.include, config.documents.exclude, (config.index_folder,)
        )
        for number, found in enumerate(files.walk(root, selection)):
            if number % _BETWEEN_LOOKS == 0:
                _tell(number, len(known), progress, cancel)
            seen.take(found)
    except Interrupted:
        raise
    except AskmdError as error:
        return [fault(error)]
    return seen.findings()


def _tell(
    done: int, total: int, progress: ProgressCallback | None, cancel: CancelCheck | None
) -> None:
    if progress:
        progress(Progress("checking files", done, max(done, total), "files"))
    if cancel and cancel():
        raise Interrupted("stopped; nothing was changed", "run the same command again")


class _Seen:
    """What became of the folder's files, as far as they were met."""

    def __init__(self, config: Config, root: Path, known: Mapping[str, Document]) -> None:
        self._config = config
        self._root = root
        self._known = known
        self._met: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._failures: list[Failure] = []
        self._new: Counter[str] = Counter()
        """The contents of new files."""

    def take(self, found: files.Found | Failure) -> None:
        """Compare one file with what is indexed of it."""
        if isinstance(found, Failure):
            self._failures.append(found)
            self._met.add(found.path)
            return
        self._met.add(found.path)
        known = self._known.get(found.path)
        if known is None:
            digest = self._digest(found)
            self._counts["new"] += digest is not None
            self._new.update([digest] if digest else [])
        elif known.stamp != found.stamp:
            self._counts["changed"] += self._digest(found) not in (None, known.digest)

    def _digest(self, found: files.Found) -> str | None:
        """Return the digest of a file's content; None, and a failure noted, if it is unreadable."""
        settings = self._config.documents
        limit = int(settings.max_megabytes * 1e6)
        try:
            source = files.read(
                found.location, max_bytes=limit, encoding=settings.encoding, root=self._root
            )
        except files.UnreadableFile as error:
            self._failures.append(Failure(found.path, str(error)))
            return None
        except OSError as error:
            self._failures.append(Failure(found.path, error.strerror or str(error)))
            return None
        return source.digest

    def findings(self) -> list[Finding]:
        """Return what all of them come to."""
        unread = tuple(one.path for one in self._failures if one.path.endswith("/"))
        gone = [one for one in self._known.keys() - self._met if not one.startswith(unread)]
        findings = []
        # As ingest counts: one with the same content under another path was moved.
        lost = len(gone) - (Counter(self._known[one].digest for one in gone) & self._new).total()
        if 2 * lost > len(self._known):
            step = "bring them back, or accept it with `askmd ingest --prune`"
            message = f"{self._root} lost {lost} of its {len(self._known)} files"
            findings.append(Finding("folder", True, message, step))
        elif gone or self._counts.total():
            new, changed = self._counts["new"], self._counts["changed"]
            files = "1 file" if new == 1 else f"{new:,} files"
            message = (
                f"{self._root}: {files} new, {changed:,} changed and {len(gone):,} gone "
                "since they were indexed"
            )
            findings.append(Finding("outdated", False, message, _INGEST))
        if self._failures:
            first = self._failures[0]
            more = f" and {len(self._failures) - 1} more" if len(self._failures) > 1 else ""
            message = f"{first.path}{more} cannot be read: {first.reason}"
            step = "mend it, or leave it out with documents.exclude"
            findings.append(Finding("unreadable", False, message, step))
        if not findings:
            count = len(self._known)
            what = (
                "its document is as it was"
                if count == 1
                else f"its {count:,} documents are as they were"
            )
            findings.append(Finding("up_to_date", False, f"{self._root}: {what} indexed"))
        return findings
