"""What the tests share: the scripted server, the shared folder, small folders of Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of public corpora and question sets; a test that needs it skips loudly without."""
    if not SHARED.is_dir():
        pytest.skip("SKIPPED LOUDLY: the shared folder with corpora and question sets is not here")
    return SHARED
