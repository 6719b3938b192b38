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
_KANA = "[\u3041-\u30fe]"
_FREQUENT = (
    ("shift_jis", _KANA, 0.3),
    ("euc_jp", _KANA, 0.3),
    ("euc_kr", "[\uac00-\ud7a3]", 0.9),
    ("gb18030", "[的一是不了在人有我他这中大来上国个到说们为以要用]", 0.05),
    ("big5", "[的一是不了在人有我他這中大來上國個到說們為以要用]", 0.05),
    ("koi8-r", "[оеаи]", 0.25),
    ("cp1251", "[оеаи]", 0.25),
)
"""Encodings, their languages' frequent characters, the least share these have of all not ASCII."""
_USUAL = {
    # The two bytes of the characters that everyone learns, and of punctuation.
    "gb18030": rb"[\xa1\xa3\xb0-\xd7][\xa1-\xfe]",
    "big5": rb"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]",
}
_LEAST_USUAL = 0.95
_LEAST_FOREIGN = 4
"""Characters that are not ASCII; in fewer every encoding looks like another."""
_LEAST_LETTERS = 12
"""Of Cyrillic: in fewer letters other languages look like it."""
_RARE_RUSSIAN = "[ъщэфцЪЩЭФЦ]"
_CYRILLIC = "[\u0401-\u045f\u0490\u0491]"
# Small before capital, Latin beside Cyrillic, a piece of a frame.
_NO_RUSSIAN = (
    "[\u0430-\u044f][\u0410-\u042f]|[A-Za-z][\u0430-\u044f]|[\u0430-\u044f][A-Za-z]|[\u2320-\u25a0]"
)
_LANGUAGES = (
    "äöüßé", "àâæçéèêëîïôœùûü", "áéíñóúü", "àáâãçéêíóôõú", "àèéìòù", "åäöé", "åæøé", "éèëïöüó",
)  # fmt: skip
"""Accented letters that stand together in a text: of German, French, Spanish, Portuguese ..."""
_FIRM = "áâäåçéíîóôöúüß"
"""Letters whose bytes mean the same, or nothing usual, in the other encodings of Windows."""
_FIRMEST = "äéöü"
_LEAST_WESTERN = 3
"""Accented letters; fewer must be of the firmest."""
# No sign but an apostrophe stands inside a word, and some in no text.
_NOT_WESTERN = re.compile(
    r"(?<=[^\W\d_])[^\w\s\x00-\x7f\u2019](?=[^\W\d_])"
    "|[\x80-\x9f\xa4\xa6\xa8\xaa\xac\xaf\xb3-\xb5\xb8-\xba\u0192\u02c6\u02dc\u201a\u2030\u2039\u203a]"
)
_TYPOGRAPHIC = re.compile(
    r"[A-Za-z]\u2019[A-Za-z]|(?<!\w)\u201c\w[^\u201c\u201d]{0,99}\u201d(?!\w)"
)
"""What word processors write into plain English."""


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
        enough = least_share * len(letters)
        if (
            len(letters) >= _LEAST_FOREIGN
            and len(re.findall(frequent, letters)) >= enough
            and _is_usual(head, encoding)
        ):
            return encoding
    return "cp1252" if _is_western(head) else ""


def _is_usual(data: bytes, encoding: str) -> bool:
    """Return whether nothing in the bytes speaks against an encoding that they fit."""
    if usual := _USUAL.get(encoding):
        pairs = re.findall(rb"[\x80-\xff].", data, re.DOTALL)
        return len(re.findall(usual, b" ".join(pairs))) >= _LEAST_USUAL * len(pairs)
    if encoding not in ("koi8-r", "cp1251"):
        return True
    text = _decoded(data, encoding)
    letters = len(re.findall(_CYRILLIC, text))
    rare = len(re.findall(_RARE_RUSSIAN, text))
    return letters >= _LEAST_LETTERS and rare * 20 <= letters and not re.search(_NO_RUSSIAN, text)


def _is_western(data: bytes) -> bool:
    """Return whether the bytes are a text of one Western European language in cp1252."""
    text = _decoded(data, "cp1252")
    if _NOT_WESTERN.search(text):
        return False
    letters = [char for char in text.lower() if char > "\x7f" and char.isalpha()]
    if not letters:
        return _TYPOGRAPHIC.search(text) is not None
    if len(letters) < _LEAST_WESTERN:
        return set(letters).issubset(_FIRMEST)
    is_one = any(set(letters).issubset(language) for language in _LANGUAGES)
    return is_one and 2 * sum(map(_FIRM.count, letters)) >= len(letters)


def _beyond_ascii(data: bytes, encoding: str) -> str:
    """Return the characters that are not ASCII; none where the bytes do not fit the encoding."""
    return re.sub(r"[\x00-\x7f]+", "", _decoded(data, encoding))


def _decoded(data: bytes, encoding: str) -> str:
    """Return the text; empty where the bytes do not fit the encoding."""
    try:
        # The last character may be cut: more bytes could follow.
        return codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeDecodeError:
        return ""
