"""Messages in, a token stream out: any OpenAI-compatible server."""

from askmd.llm.client import OPENAI_URL, OpenAICompletion, OpenAILLM

__all__ = ["OPENAI_URL", "OpenAICompletion", "OpenAILLM"]
