"""The chat: a line in, an answer out, until the user has had enough."""

from askmd.repl.loop import HELP, PROMPT, run

__all__ = ["HELP", "PROMPT", "run"]
