"""A question answered: searched, put to the LLM within its budget, streamed, cited, checked.

finding   what is needed of a retriever
told      answers without an LLM: refusals, quotations
budget    tokens: of the budget, of the window
fitting   what an LLM is sent
ending    a finished answer, checked against its sources
running   an answer while it streams
chat      a conversation
"""

from askmd.answer.budget import Tokens
from askmd.answer.chat import Chat
from askmd.answer.ending import Prices
from askmd.answer.finding import Finder
from askmd.answer.replaying import replay
from askmd.answer.running import Answer, Asked
from askmd.answer.told import QUOTED_CHARACTERS

__all__ = [
    "QUOTED_CHARACTERS",
    "Answer",
    "Asked",
    "Chat",
    "Finder",
    "Prices",
    "Tokens",
    "replay",
]
