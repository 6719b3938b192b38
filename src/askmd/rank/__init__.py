"""Several rankings of the same chunks made into one.

    wording   how well the words of a chunk and its neighbours fit a question
    fusing    rankings → one, and what a neighbour's score is worth
    repeats   what says the same again steps back

What was tried, and what each step gave on the public sets, stands in benchmarks/RESULTS.md.
"""

from askmd.rank.fusing import NEIGHBOUR_SHARE, Ranking, fuse, scale, support
from askmd.rank.repeats import AHEAD, Repeats, set_back
from askmd.rank.wording import Wording, by_wording, rarest, wording

__all__ = [
    "AHEAD",
    "NEIGHBOUR_SHARE",
    "Ranking",
    "Repeats",
    "Wording",
    "by_wording",
    "fuse",
    "rarest",
    "scale",
    "set_back",
    "support",
    "wording",
]
