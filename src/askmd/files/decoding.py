"""Bytes to text: by their mark, as UTF-8, by where the NULs stand, or as they are declared.

A binary file is never text, whatever its name. A text may have faults that can be told apart: a
stray NUL is U+FFFD, as CommonMark has it, and so is half of a surrogate pair.
"""

from __future__ import annotations

import codecs
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from askmd.files.guessing import binary_kind, is_seven_bit_japanese, likely_encoding

# The longer marks first: UTF-32's little-endian mark begins with UTF-16's.
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Backspace and escape are not among them: they stand in what a terminal wrote.
_CONTROLS = bytes((*range(8), *range(14, 27), *range(28, 32), 127))
_ONE_CONTROL_IN = 32
"""Characters that a text has at least for each control character in it, but for the first."""
_NUL_RUN = "\0" * 4
_BLANK_CONTROLS = "\t\n\v\f\r\b\x1b\x85"
_SAMPLE = 4096
_ONE_LETTER_IN = 4
_ONE_BLANK_IN = 500
"""Characters of text, whatever its script, among which there is a blank or a newline."""


class UnreadableFile(Exception):
    """One file could not be read as text; the reason is its only argument."""


def decode(data: bytes, fallback: str) -> tuple[str, str]:
    """Return the text without its mark, and the declared fallback if that was what fitted.

    It holds neither a NUL nor a surrogate. Raises UnreadableFile, saying what to do, for a binary
    file and for one that no encoding fits.
    """
    if kind := binary_kind(data):
        raise UnreadableFile(f"it is a binary file, {kind}; convert it to Markdown, or exclude it")
    for text, used in _readings(data, fallback):
        if _is_text(text):
            return text.removeprefix("\ufeff").replace("\0", "\ufffd"), used
    raise _refusal(data)


def _readings(data: bytes, fallback: str) -> Iterator[tuple[str, str]]:
    """Yield what the bytes may say, the likeliest first, with the fallback that was used."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            text = _decode_as(data[len(mark) :], encoding, "as its byte order mark says")
            if encoding == "utf-8" or _odd_characters(text) <= max(1, len(text[:_SAMPLE]) // 20):
                yield text, ""
            return
    if b"\0" in data:
        yield from ((text, "") for text in _unmarked(data))
    if not is_seven_bit_japanese(data):
        # What other programs wrote with surrogates in UTF-8 (CESU-8, WTF-8) is read as well.
        with suppress(UnicodeDecodeError):
            yield _whole(data.decode("utf-8", "surrogatepass")), ""
    if fallback:
        yield _decode_as(data, fallback, "as documents.encoding says"), fallback


def _unmarked(data: bytes) -> Iterator[str]:
    """Yield what the bytes say in UTF-32 or UTF-16 if that is text beyond doubt."""
    encodings = []
    if len(data) % 4 == 0:
        encodings += ["utf-32-le"] * (not any(data[3::4])) + ["utf-32-be"] * (not any(data[::4]))
    if len(data) % 2 == 0:
        # Latin letters, blanks and newlines have their NUL in the higher byte.
        is_little = data[1::2].count(0) > data[::2].count(0)
        encodings.append("utf-16-le" if is_little else "utf-16-be")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _controls(text) and _reads_as_text(text):
            yield text


def _reads_as_text(text: str) -> bool:
    """Whether a text has what every text has: letters, blanks or newlines, nothing unassigned."""
    sample = text[:_SAMPLE]
    is_written = sum(map(str.isalpha, sample)) * _ONE_LETTER_IN >= len(sample)
    is_spaced = sum(map(text.count, " \n")) * _ONE_BLANK_IN >= len(text)
    return is_written and is_spaced and _odd_characters(text) <= len(sample) // 100


def _decode_as(data: bytes, encoding: str, why: str) -> str:
    """Return the text in a given encoding, or raise UnreadableFile."""
    try:
        is_unicode = codecs.lookup(encoding).name.startswith("utf-")
        return _whole(data.decode(encoding, "surrogatepass" if is_unicode else "strict"))
    except UnicodeDecodeError as error:
        where = _place(data[: error.start], encoding)
        raise UnreadableFile(
            f"{where} cannot be read as {encoding}, {why}: {error.reason}; "
            "convert the file to UTF-8"
        ) from error
    except (ValueError, LookupError, ArithmeticError, AssertionError) as error:
        raise UnreadableFile(
            f"it cannot be read as {encoding}, {why}: {error}; convert the file to UTF-8"
        ) from error


def _place(before: bytes, encoding: str) -> str:
    """Return the line that follows some bytes; "it" where the encoding cannot tell."""
    try:
        return f"line {_lines(before.decode(encoding, 'replace'))}"
    except (ValueError, LookupError, ArithmeticError, AssertionError):
        return "it"


def _lines(text: str) -> int:
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


def _whole(text: str) -> str:
    """Return the text with surrogates joined to the characters they are halves of, or replaced."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _is_text(text: str) -> bool:
    """Whether the control characters in a text are few enough to be faults of it."""
    controls = _controls(text)
    if not controls:
        return True
    few = max(1, len(text) // _ONE_CONTROL_IN)
    return controls <= few and 2 * controls < len(text) and _NUL_RUN not in text


def _controls(text: str) -> int:
    data = text.encode("utf-8")
    return len(data) - len(data.translate(None, _CONTROLS))


def _odd_characters(text: str) -> int:
    """Return how many characters at a text's beginning Unicode does not give to any text."""
    sample = text[:_SAMPLE]
    kinds = Counter(map(unicodedata.category, sample))
    controls = kinds["Cc"] - sum(map(sample.count, _BLANK_CONTROLS))
    return kinds["Cn"] + kinds["Co"] + controls + sample.count("\ufffd")


def _refusal(data: bytes) -> UnreadableFile:
    """Return why bytes that nothing fitted are not read."""
    fault = _first_fault(data)
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if fault is None or b"\0" in data or controls * _ONE_CONTROL_IN > len(data):
        return UnreadableFile(
            "it is a binary file: it holds NUL bytes or other control characters; exclude it, "
            "or convert it to UTF-8 if it is text"
        )
    guess = likely_encoding(data)
    looks = f", it looks like {guess}" if guess else ""
    return UnreadableFile(
        f"line {_lines(data[:fault].decode('utf-8', 'replace'))} is not UTF-8{looks}; "
        "convert it, or name its encoding in documents.encoding"
    )


def _first_fault(data: bytes) -> int | None:
    """Return where the first bytes stand that are not UTF-8; None where all are."""
    if is_seven_bit_japanese(data):
        return data.index(b"\x1b$")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None
