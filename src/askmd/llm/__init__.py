"""Messages in, a token stream out: any OpenAI-compatible server."""

from askmd.llm.client import OpenAICompletion, OpenAILLM

__all__ = ["OpenAICompletion", "OpenAILLM"]
