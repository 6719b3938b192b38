"""A folder of Markdown files: which of them are documents, and their decoded text.

    guessing   bytes that look like a binary file, or an old encoding    nothing below it
    decoding   bytes to text, whatever they are
    below      a file or a folder of a root opened, no link followed    nothing below it
    reading    one file's bytes, text and stamp
    walk       which files of a folder are documents

Other rooms need not know which is which.
"""

from askmd.files.decoding import UnreadableFile
from askmd.files.reading import Source, read, stamp_of
from askmd.files.walk import (
    IGNORE_FILES,
    SUFFIXES,
    Found,
    Selection,
    walk,
)

__all__ = [
    "IGNORE_FILES",
    "SUFFIXES",
    "Found",
    "Selection",
    "Source",
    "UnreadableFile",
    "read",
    "stamp_of",
    "walk",
]
