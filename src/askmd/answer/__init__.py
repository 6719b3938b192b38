"""A question answered: searched, put to the LLM within its budget, streamed, cited, checked."""

from askmd.answer.chat import EVERYTHING, QUOTED_CHARACTERS, Answer, Chat, Finder

__all__ = ["EVERYTHING", "QUOTED_CHARACTERS", "Answer", "Chat", "Finder"]
