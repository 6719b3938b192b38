"""The chat: a line in, an answer out, until the user has had enough."""

from askmd.repl.commands import HELP
from askmd.repl.loop import Files, run
from askmd.repl.screen import PROMPT
from askmd.repl.talk import Library, Views

__all__ = ["HELP", "PROMPT", "Files", "Library", "Views", "run"]
