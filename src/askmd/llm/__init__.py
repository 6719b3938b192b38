"""Messages in, a token stream out: any OpenAI-compatible server."""

from askmd.llm.client import OpenAILLM
from askmd.llm.completion import OpenAICompletion
from askmd.llm.probing import Probe, probe
from askmd.llm.profile import Profile, ProfileFile, Profiles

__all__ = [
    "OpenAICompletion",
    "OpenAILLM",
    "Probe",
    "Profile",
    "ProfileFile",
    "Profiles",
    "probe",
]
