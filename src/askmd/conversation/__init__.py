"""A conversation: what a question means after those before it, and what to search for it.

grammar, english, others   how questions lean on what was said, by language: data
languages                  which language a text is in
topics                     the search question of a follow-up, by rule
reading                    alone, a follow-up or about the answer, by rule
asking                     the same asked of an LLM
"""

from askmd.conversation.asking import rewriting, rewritten
from askmd.conversation.reading import Reading, read

__all__ = ["Reading", "read", "rewriting", "rewritten"]
