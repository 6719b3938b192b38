"""Whether an index is what was written: every row, every derived file, and the folder they are in.

    looks    what is seen, and what can be done about it
    files    the folder, the manifest, what crashes left
    rows     SQLite's pages, the tables row by row
    derived  the word index and the segments against the tables
    whole    all of it, one after the other
    mending  what is safe to do, under the write lock

Only ``mending`` writes. Rows are streamed, so that memory does not grow with the index.
"""

from askmd.store.examining.looks import Examination
from askmd.store.examining.mending import make_sound, mend
from askmd.store.examining.whole import examine

__all__ = ["Examination", "examine", "make_sound", "mend"]
