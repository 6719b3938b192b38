"""Is there any evidence that the documents answer a question: words that occur, cosines that count.

    common, everyday   English words and questions of everyday life: data
    asking             what a question is about
    weighing           how far a hit stands above what nonsense scores

What is measured of an index, and when, stands in ``retriever.calibration``.
"""

from askmd.evidence.asking import STOP_WORDS, Signs, content_words, signs
from askmd.evidence.common import is_common
from askmd.evidence.everyday import EVERYDAY
from askmd.evidence.weighing import (
    WORDS_ALONE,
    Floor,
    Sought,
    Weighed,
    above_floor,
    above_floor_by_words,
    sought,
    weigh,
)

__all__ = [
    "EVERYDAY",
    "STOP_WORDS",
    "WORDS_ALONE",
    "Floor",
    "Signs",
    "Sought",
    "Weighed",
    "above_floor",
    "above_floor_by_words",
    "content_words",
    "is_common",
    "signs",
    "sought",
    "weigh",
]
