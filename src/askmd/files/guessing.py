"""What bytes look like by signs of their own: a kind of binary file, an old encoding."""

from __future__ import annotations

import codecs
import re

_BINARY = {
    "a PNG image": rb"\x89PNG\r\n\x1a\n",
    "a JPEG image": rb"\xff\xd8\xff",
    "a GIF image": rb"GIF8[79]a.{4}[\x80-\xff]",
    "a WebP image": rb"RIFF.{4}WEBP",
    "a sound or film": rb"RIFF.{4}(?:WAVE|AVI )|ID3[\x02-\x04]\0|OggS\0|\0\0\0.ftyp",
    "a zip archive or office document": rb"PK(?:\x03\x04|\x05\x06)",
    "a gzip archive": rb"\x1f\x8b\x08",
    "a bzip2 archive": rb"BZh[1-9]1AY&SY",
    "an xz archive": rb"\xfd7zXZ\0",
    "a zstd archive": rb"\x28\xb5\x2f\xfd",
    "a 7z archive": rb"7z\xbc\xaf\x27\x1c",
    "a tar archive": rb".{257}ustar(?:  )?\0",
    "a program": rb"\x7fELF|\xca\xfe\xba\xbe|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\0asm",
    "a PDF": rb"%PDF-\d\.\d",
    "an SQLite database": rb"SQLite format 3\0",
    "an old office document": rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "a Python pickle": rb"\x80[\x02-\x05]",
    "a NumPy array": rb"\x93NUMPY",
}
_BEGINNINGS = re.compile(
    b"|".join(b"(" + beginning + b")" for beginning in _BINARY.values()), re.DOTALL
)
# Japanese of seven bits, between escape sequences: to UTF-8 it is ASCII.
_SEVEN_BIT_JAPANESE = re.compile(rb"\x1b\$[@B](?:[!-~]{2})+\x1b\([BJ]")
_HEAD = 65_536
_RUN_OF_HIGH = re.compile(rb"[\x80-\xff]{3}")
_KANA = "[\u3041-\u30fe]"
_RUSSIAN = "[оеаинтсрвлкмдпу]"
_FREQUENT = (
    ("shift_jis", _KANA, 0.3),
    ("euc_jp", _KANA, 0.3),
    ("euc_kr", "[\uac00-\ud7a3]", 0.9),
    ("gb18030", "[的一是不了在人有我他这中大来上国个到说们为以要用]", 0.05),
    ("big5", "[的一是不了在人有我他這中大來上國個到說們為以要用]", 0.05),
    ("koi8-r", _RUSSIAN, 0.5),
    ("cp1251", _RUSSIAN, 0.5),
)
"""Encodings, their languages' frequent characters, the least share these have of all not ASCII."""


def binary_kind(data: bytes) -> str:
    """Return what kind of binary file its first bytes say it is; empty where they say nothing."""
    found = _BEGINNINGS.match(data)
    return list(_BINARY)[found.lastindex - 1] if found and found.lastindex else ""


def is_seven_bit_japanese(data: bytes) -> bool:
    """Return whether ISO-2022-JP stands in what looks like ASCII."""
    return b"\x1b$" in data and _SEVEN_BIT_JAPANESE.search(data) is not None


def likely_encoding(data: bytes) -> str:
    """Return the old encoding whose language the bytes seem to be in; empty where it is open."""
    if is_seven_bit_japanese(data):
        return "iso2022_jp"
    head = data[:_HEAD]
    for encoding, frequent, least_share in _FREQUENT:
        letters = _beyond_ascii(head, encoding)
        if letters and len(re.findall(frequent, letters)) >= least_share * len(letters):
            return encoding
    # In the languages of Western Europe accented letters stand apart.
    letters = "" if _RUN_OF_HIGH.search(head) else _beyond_ascii(head, "cp1252")
    return "cp1252" if letters else ""


def _beyond_ascii(data: bytes, encoding: str) -> str:
    """Return the characters that are not ASCII; none where the bytes do not fit the encoding."""
    try:
        # The last character may be cut: more bytes could follow.
        text = codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return ""
    return re.sub(r"[\x00-\x7f]+", "", text)
