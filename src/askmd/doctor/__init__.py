"""What is wrong with this machine's askmd, each with the command that mends it.

finding    what is said of one thing                nothing below it
llm        the LLM's server                         documents  the folder against the index
versions   libraries with known faults              online     the configured servers
checking   all that needs no server; and mended
"""

from askmd.doctor.checking import check, fix
from askmd.doctor.finding import Finding
from askmd.doctor.llm import check_llm
from askmd.doctor.online import check_online

__all__ = ["Finding", "check", "check_llm", "check_online", "fix"]
