"""``python -m askmd``."""

from askmd.cli import main

main()
