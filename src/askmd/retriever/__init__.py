"""A question to ranked hits, by meaning and by words; why a passage is among them, or is not.

    ranking       vectors and words → one ranking of chunks
    reranking     its best read again by a model, where one is configured
    calibration   what nonsense scores in this index: the floor that hits are told by
    sources       the documents' files, read again for what is cited
    why           target, reasons: why a place was found or was not
    retrieving    the class that others use

Other rooms need not know which is which.
"""

from askmd.retriever.retrieving import Retriever

__all__ = ["Retriever"]
