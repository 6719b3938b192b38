"""``askmd backup`` and ``askmd restore``: the index saved, brought back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from askmd.cli.options import common
from askmd.cli.session import cancel_on_signal, configure
from askmd.cli.show import print_json
from askmd.cli.verbs import askmd
from askmd.errors import AskmdError
from askmd.terminal import clean, progress_bar, say

if TYPE_CHECKING:
    from askmd.config import Config

_FILE = click.Path(path_type=Path)


@askmd.command()
@click.argument("file", type=_FILE)
@common
def backup(file: Path, config_file: Path | None, index: Path | None, as_json: bool) -> None:
    """Save the index as one FILE, as it is now, also while an ingest runs.

    A backup of this index that stands there is replaced once the new one is whole; any other file
    is left alone.
    """
    from askmd.files import SUFFIXES
    from askmd.store.backup import save_backup

    config, started = configure(config_file, index), time.monotonic()
    with progress_bar() as progress, cancel_on_signal() as cancel:
        saved = save_backup(
            config.index_folder, file, suffixes=SUFFIXES, progress=progress, cancel=cancel
        )
    seconds = round(time.monotonic() - started, 3)
    if as_json:
        print_json(
            {
                "backup": str(saved.file),
                "index": str(config.index_folder),
                "documents": saved.documents,
                "chunks": saved.chunks,
                "generation": saved.generation,
                "bytes": saved.bytes,
                "seconds": seconds,
            }
        )
        return
    held = f"{saved.documents} documents, {saved.chunks} chunks"
    print(clean(f"{held} saved in {saved.file}: {saved.bytes:,} bytes; {seconds:.1f} s"))


@askmd.command()
@click.argument("file", type=_FILE)
@click.argument("folder", required=False, type=_FILE)
@common
def restore(
    file: Path,
    folder: Path | None,
    config_file: Path | None,
    index: Path | None,
    as_json: bool,
) -> None:
    """Bring the index back that FILE holds, in the place of the one that is here.

    FOLDER: where the documents are now; without it, they are looked for where they were, and in
    documents.folder. Nothing is embedded anew.
    """
    from askmd.store.restoring import restore_backup

    config, started = configure(config_file, index), time.monotonic()
    others = [Path(config.documents.folder)] if config.documents.folder else []
    with progress_bar() as progress, cancel_on_signal() as cancel:
        restored = restore_backup(
            file,
            config.index_folder,
            root=folder,
            others=others,
            progress=progress,
            cancel=cancel,
        )
    seconds = round(time.monotonic() - started, 3)
    if as_json:
        print_json(
            {
                "backup": str(file),
                "index": str(config.index_folder),
                "root": str(restored.root),
                "is_found": restored.is_found,
                "made_at": restored.made_at,
                "documents": restored.documents,
                "chunks": restored.chunks,
                "seconds": seconds,
            }
        )
    else:
        held = f"{restored.documents} documents, {restored.chunks} chunks"
        where = f"{config.index_folder}, for the documents in {restored.root}"
        print(clean(f"{held} as of {restored.made_at} are back in {where}"))
    if not restored.is_found:
        say(
            f"none of the documents is in {restored.root}; run `askmd restore {file} FOLDER` "
            "with the folder they are in now"
        )
    _notice_other_model(config)


def _notice_other_model(config: Config) -> None:
    """Say where searches will ask for other vectors than were brought back."""
    from contextlib import closing

    from askmd import compose
    from askmd.store import open_store

    try:
        with closing(open_store(config.index_folder)) as index:
            embedder = compose.open_embedder(config, index.identity)
            with closing(embedder):
                index.require(compose.wanted_identity(config, embedder))
    except AskmdError as error:
        say(str(error))
