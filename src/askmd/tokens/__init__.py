"""A tokenizer or a tiktoken vocabulary becomes a TokenCounter: nobody else counts tokens."""

from askmd.tokens.hashed import HashCounter
from askmd.tokens.openai_vocabulary import TiktokenCounter, openai_counter, vocabulary_of
from askmd.tokens.overestimate import OverestimateCounter
from askmd.tokens.tokenizer_file import TokenizerCounter

__all__ = [
    "HashCounter",
    "OverestimateCounter",
    "TiktokenCounter",
    "TokenizerCounter",
    "openai_counter",
    "vocabulary_of",
]
