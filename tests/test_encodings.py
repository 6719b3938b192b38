"""Any bytes named .md: the right text, or a reason that says what to do; never a stopped ingest."""

# ruff: noqa: RUF001 - other scripts are what this is about.

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import random
import sqlite3
import tarfile
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from askmd import Retriever, ingest_folder
from askmd.config import Config
from askmd.files import UnreadableFile, read
from conftest import CountingEmbedder

LIMIT = 20_000_000
MIXED = "# Grüße\n\nΚαλημέρα, 世界 🙂.\n"
GERMAN = "# Größe\n\nDas Maß für Öl.\n"
RUSSIAN = "# Сервер\n\nПерезапустите сервер после обновления.\n"
JAPANESE = "# 設定\n\n設定ファイルを開いて、ポートを変えます。\n"
CHINESE = "# 配置\n\n我们在这个文件里配置服务器的端口。\n"
TAIWANESE = "# 設定\n\n我們在這個檔案裡設定伺服器的連接埠。\n"
KOREAN = "# 설정\n\n설정 파일을 열고 포트를 바꿉니다.\n"
THAI = "# การตั้งค่า\n\nเปิดไฟล์และเปลี่ยนพอร์ต\n"
GREEK = "# Ρυθμίσεις\n\nΑνοίξτε το αρχείο.\n"
HEBREW = "# הגדרות\n\nפתחו את הקובץ.\n"
ARABIC = "# الإعدادات\n\nافتح الملف.\n"
HINDI = "# सेटिंग\n\nफ़ाइल खोलें और पोर्ट बदलें।\n"
POLISH = "# Żółć\n\nZażółć gęślą jaźń.\n"
FRENCH = "# Œuvre\n\nL’été à 5 € – voilà.\n"
VIETNAMESE = "# Cài đăt\n\nMơ tâp tin.\n"
BOM = {
    "utf-8": b"\xef\xbb\xbf",
    "utf-16-le": b"\xff\xfe",
    "utf-16-be": b"\xfe\xff",
    "utf-32-le": b"\xff\xfe\0\0",
    "utf-32-be": b"\0\0\xfe\xff",
}

Readable = dict[str, tuple[bytes, str, str]]
"""By id: the bytes, documents.encoding, the text."""

UNICODE: Readable = {
    **{f"{name} with its mark": (BOM[name] + MIXED.encode(name), "", MIXED) for name in BOM},
    **{f"{name} without a mark": (MIXED.encode(name), "", MIXED) for name in BOM},
    **{f"nothing but the mark of {name}": (mark, "", "") for name, mark in BOM.items()},
    "an empty file": (b"", "", ""),
    "ASCII": (b"# Setup\n\nRun it.\n", "", "# Setup\n\nRun it.\n"),
    "Chinese in UTF-16 without a mark": (CHINESE.encode("utf-16-le"), "", CHINESE),
    "Japanese in UTF-16, big end first": (JAPANESE.encode("utf-16-be"), "", JAPANESE),
    "Russian in UTF-16 without a mark": (RUSSIAN.encode("utf-16-le"), "", RUSSIAN),
    "Hindi in UTF-32 without a mark": (HINDI.encode("utf-32-be"), "", HINDI),
    "emoji in UTF-16 without a mark": ("ok 🙂 ok\n".encode("utf-16-be"), "", "ok 🙂 ok\n"),
    "UTF-8 where another is declared": (MIXED.encode(), "cp1252", MIXED),
    "UTF-16 declared, without a blank": ("Hi".encode("utf-16-le"), "utf-16-le", "Hi"),
    "two marks": (b"\xef\xbb\xbf\xef\xbb\xbf# A\n", "", "# A\n"),
    "a mark inside": ("a\ufeffb\n".encode(), "", "a\ufeffb\n"),
    "a noncharacter": ("a\ufffeb\n".encode(), "", "a\ufffeb\n"),
    "colours of a terminal": (b"\x1b[31mred\x1b[0m b\bb\n", "", "\x1b[31mred\x1b[0m b\bb\n"),
}
NEWLINES: Readable = {
    "CRLF": (b"# A\r\n\r\nb\r\n", "", "# A\n\nb\n"),
    "CR": (b"# A\r\rb\r", "", "# A\n\nb\n"),
    "all three newlines": (b"a\r\nb\rc\nd\r\r\ne", "", "a\nb\nc\nd\n\ne"),
    "CRLF in UTF-16": (BOM["utf-16-le"] + "a\r\nb\r".encode("utf-16-le"), "", "a\nb\n"),
    "CRLF in UTF-32 without a mark": ("ab c\r\nd\r\n".encode("utf-32-le"), "", "ab c\nd\n"),
    "line and paragraph separators": ("a\u2028b\u2029c\n".encode(), "", "a\u2028b\u2029c\n"),
    "VT, FF and U+0085": ("a\x0bb\x0cc\x85d\n".encode(), "", "a\x0bb\x0cc\x85d\n"),
    "U+0085 of Latin-1": (b"\xe9\x85\n", "latin-1", "é\x85\n"),
}
FAULTS: Readable = {
    "a stray NUL": (b"# Title\n\na\0b\n", "", "# Title\n\na\ufffdb\n"),
    "a NUL at the end": ("世界 is the world\n\0".encode(), "", "世界 is the world\n\ufffd"),
    "a NUL in marked UTF-16": (
        BOM["utf-16-le"] + "a b\0c\n".encode("utf-16-le"),
        "",
        "a b\ufffdc\n",
    ),
    "a NUL in Latin-1": (b"caf\xe9 \0 noir\n", "latin-1", "café \ufffd noir\n"),
    "one control character": (b"# A\n\nform\x1afeed\n", "", "# A\n\nform\x1afeed\n"),
    "half a pair in UTF-16": (b"\xff\xfea\0\x3d\xd8b\0\n\0", "", "a\ufffdb\n"),
    "the other half, big end first": (b"\xfe\xff\0a\xde\x42\0b\0\n", "", "a\ufffdb\n"),
    "half a pair at the end of UTF-16": (b"\xff\xfea\0 \0\x3d\xd8", "", "a \ufffd"),
    "half a pair in UTF-32": (BOM["utf-32-le"] + b"a\0\0\0\x3d\xd8\0\0\n\0\0\0", "", "a\ufffd\n"),
    "half a pair in UTF-8": (b"a\xed\xa0\xbdb\n", "", "a\ufffdb\n"),
    "a pair in UTF-8, each half by itself": (b"a\xed\xa0\xbd\xed\xb9\x82b\n", "", "a🙂b\n"),
    "half a pair in marked UTF-8": (b"\xef\xbb\xbfa\xed\xa0\xbdb\n", "", "a\ufffdb\n"),
}
DECLARED: Readable = {
    name: (text.encode(name), name, text)
    for name, text in {
        "latin-1": GERMAN,
        "iso8859-15": "# Œuvre\n\nÀ 5 €.\n",
        "cp1252": FRENCH,
        "mac_roman": FRENCH,
        "cp437": GERMAN,
        "cp850": GERMAN,
        "iso8859-2": POLISH,
        "cp1250": POLISH,
        "cp1251": RUSSIAN,
        "koi8-r": RUSSIAN,
        "cp866": RUSSIAN,
        "iso8859-5": RUSSIAN,
        "iso8859-7": GREEK,
        "cp1253": GREEK,
        "cp1255": HEBREW,
        "cp1256": ARABIC,
        "cp1258": VIETNAMESE,
        "tis-620": THAI,
        "cp874": THAI,
        "shift_jis": JAPANESE,
        "cp932": JAPANESE,
        "euc_jp": JAPANESE,
        "iso2022_jp": JAPANESE,
        "gb2312": CHINESE,
        "gbk": CHINESE,
        "gb18030": CHINESE + "🙂\n",
        "big5": TAIWANESE,
        "euc_kr": KOREAN,
        "cp949": KOREAN,
        "iso2022_kr": KOREAN,
    }.items()
}
READABLE = UNICODE | NEWLINES | FAULTS | DECLARED


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.md", "# A\n")
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.md"))
    return file.getvalue()


def saved_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(9))
    return file.getvalue()


def database() -> bytes:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE notes (text TEXT)")
    return connection.serialize()


NOISE = random.Random(8).randbytes(5000)
SAMPLES = np.random.default_rng(8)
Unreadable = dict[str, tuple[bytes, str, str]]
"""By id: the bytes, documents.encoding, what the reason says."""

BINARY: Unreadable = {
    "PNG": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "", "a PNG image"),
    "PNG where Latin-1 is declared": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin-1", "a PNG image"),
    "JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "", "a JPEG image"),
    "GIF": (b"GIF89a\x01\0\x01\0\x80\0\0", "", "a GIF image"),
    "WebP": (b"RIFF\x24\0\0\0WEBPVP8 ", "", "a WebP image"),
    "zip": (zipped(), "", "a zip archive"),
    "gzip": (gzip.compress(MIXED.encode()), "latin-1", "a gzip archive"),
    "bzip2": (bz2.compress(MIXED.encode()), "", "a bzip2 archive"),
    "xz": (lzma.compress(MIXED.encode()), "", "an xz archive"),
    "tar": (tarred(), "", "a tar archive"),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(9), "", "a program"),
    "PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "", "a PDF"),
    "SQLite": (database(), "", "an SQLite database"),
    **{
        f"pickle of protocol {protocol}": (pickle.dumps([MIXED], protocol), "cp1252", "a Python")
        for protocol in (2, 3, 4, 5)
    },
    "NumPy": (saved_array(), "latin-1", "a NumPy array"),
    "noise": (NOISE, "", "control characters"),
    "noise where Latin-1 is declared": (NOISE, "latin-1", "control characters"),
    "noise without a NUL": (NOISE.replace(b"\0", b""), "koi8-r", "control characters"),
    "noise after UTF-16's mark": (b"\xff\xfe" + NOISE, "", "control characters"),
    "nothing but NULs": (bytes(4096), "", "NUL bytes"),
    "two bytes": (b"\0\1", "", "NUL bytes"),
    "text and the zeros of a lost block": (b"# A\n\nNotes.\n" * 99 + bytes(512), "", "NUL bytes"),
    "ASCII full of control characters": (b"\x01\x02\x03 ab" * 99, "", "control characters"),
    "small integers of 16 bits": (np.arange(500, dtype="<u2").tobytes(), "", "NUL bytes"),
    "a sound's samples": ((SAMPLES.normal(size=2000) * 900).astype("<i2").tobytes(), "", "NUL b"),
    "heights of a map": (SAMPLES.integers(0, 900, 2000).astype(">u2").tobytes(), "", "NUL bytes"),
    "numbers of 32 bits": (SAMPLES.integers(0, 9000, 999).astype("<u4").tobytes(), "", "NUL bytes"),
    "floats": (np.linspace(0, 1, 999, dtype="<f4").tobytes(), "", "NUL bytes"),
}
MISFITS: Unreadable = {
    "Latin-1 undeclared": (
        b"# ok\r\ncaf\xe9 noir\n",
        "",
        "line 2 is not UTF-8, it looks like cp1252",
    ),
    "CR and Latin-1": (b"# ok\r\rcaf\xe9\r", "", "line 3 is not UTF-8"),
    **{
        f"{name} undeclared": (text.encode(name), "", f"line 1 is not UTF-8, it looks like {name}")
        for name, text in {
            "shift_jis": JAPANESE,
            "euc_jp": JAPANESE,
            "iso2022_jp": JAPANESE,
            "euc_kr": KOREAN,
            "gb18030": CHINESE,
            "big5": TAIWANESE,
            "koi8-r": RUSSIAN,
            "cp1251": RUSSIAN,
        }.items()
    },
    "Thai undeclared": (THAI.encode("tis-620"), "", "line 1 is not UTF-8; convert"),
    "an overlong NUL": (b"# A\n\n\xc0\x80\n", "", "line 3 is not UTF-8"),
    "beyond Unicode": (b"# A\n\xf4\x90\x80\x80\n", "", "line 2 is not UTF-8"),
    "UTF-8 cut off": ("# A\n\n世".encode()[:-1], "", "line 3 is not UTF-8"),
    "marked UTF-8 with a bad byte": (
        b"\xef\xbb\xbf# A\n\xff\n",
        "latin-1",
        "line 2 cannot be read as utf-8, as its byte order mark says",
    ),
    "UTF-16 cut off": (BOM["utf-16-le"] + b"a\0\n\0b", "", "line 2 cannot be read as utf-16-le"),
    "UTF-32 cut off": (BOM["utf-32-be"] + b"\0\0\0a\0", "", "line 1 cannot be read as utf-32-be"),
    "UTF-32 beyond Unicode": (BOM["utf-32-le"] + b"\0\0\x11\0", "", "as its byte order mark says"),
    "declared ASCII": (b"# A\n\xe9\n", "ascii", "line 2 cannot be read as ascii, as documents.enc"),
    "declared Shift-JIS": (b"# A\n\n\xfd\n", "shift_jis", "line 3 cannot be read as shift_jis"),
    "declared EUC-KR": (b"# A\n\xff\n", "euc_kr", "line 2 cannot be read as euc_kr"),
    "declared GB18030": (b"# A\n\xff\n", "gb18030", "line 2 cannot be read as gb18030"),
    "declared cp1252": (b"# A\n\x81\n", "cp1252", "line 2 cannot be read as cp1252"),
    "declared Klingon": (b"# A\n\xe9\n", "klingon", "cannot be read as klingon"),
}
UNREADABLE = BINARY | MISFITS


def decoded(folder: Path, data: bytes, encoding: str) -> str:
    (folder / "a.md").write_bytes(data)
    return read(folder / "a.md", max_bytes=LIMIT, encoding=encoding).text


@pytest.mark.parametrize(("data", "encoding", "text"), READABLE.values(), ids=READABLE)
def test_bytes_become_the_text_that_was_meant(
    tmp_path: Path, data: bytes, encoding: str, text: str
):
    assert decoded(tmp_path, data, encoding) == text


@pytest.mark.parametrize(("data", "encoding", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_bytes_that_are_no_text_are_refused_with_a_reason_and_what_to_do(
    tmp_path: Path, data: bytes, encoding: str, reason: str
):
    with pytest.raises(UnreadableFile, match=r"convert|exclude") as caught:
        decoded(tmp_path, data, encoding)
    said = str(caught.value)
    assert reason in said
    assert ("it is a binary file" in said, "\n" in said) == (reason in _reasons(BINARY), False)


def _reasons(files: Unreadable) -> set[str]:
    return {reason for _, _, reason in files.values()}


@pytest.mark.parametrize("length", [2, 3, 7, 64, 1001])
@pytest.mark.parametrize("mark", [b"", b"\xff\xfe", b"\xef\xbb\xbf", b"\0\0\xfe\xff"])
@pytest.mark.parametrize("encoding", ["", "latin-1", "shift_jis", "utf-16"])
def test_any_noise_is_text_that_every_program_takes_or_refused(
    tmp_path: Path, encoding: str, mark: bytes, length: int
):
    source = random.Random(f"{encoding}{mark!r}{length}")
    for _ in range(10):
        try:
            text = decoded(tmp_path, mark + source.randbytes(length), encoding)
        except UnreadableFile:
            continue
        assert text.encode("utf-8").decode("utf-8") == text
        assert not set("\0\r") & set(text)


def test_one_bad_file_never_stops_the_others(tmp_path: Path, settings: Config):
    undeclared = {name: one for name, one in READABLE.items() if not one[1]}
    refused = {name: one for name, one in UNREADABLE.items() if not one[1]}
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, (data, _, _) in (undeclared | refused).items():
        (docs / f"{name}.md").write_bytes(data)

    report = ingest_folder(docs, settings, embedder=CountingEmbedder())

    assert (report.documents.new, report.documents.failed) == (len(undeclared), len(refused))
    assert {failure.path for failure in report.failures} == {f"{name}.md" for name in refused}
    for failure in report.failures:
        assert refused[failure.path.removesuffix(".md")][2] in failure.reason


def test_what_was_mended_survives_the_index_word_search_and_json(tmp_path: Path, settings: Config):
    docs = tmp_path / "docs"
    docs.mkdir()
    mended = [data for data, encoding, _ in FAULTS.values() if not encoding]
    for number, data in enumerate(mended):
        (docs / f"{number}.md").write_bytes(data)
    (docs / "titled.md").write_text(
        '---\ntitle: "half \\ud83d title"\ndescription: "nul \\0 and \\udc00"\ntags: ["\\ud800"]\n'
        "---\n\n# A &#xD800; and &#0; heading\n\nQuokka.\n",
        encoding="utf-8",
    )
    report = ingest_folder(docs, settings, embedder=CountingEmbedder())
    assert report.failures == ()

    with Retriever.open(settings) as retriever:
        every = retriever.find("anything", mode="dense", limit=99)
        by_words = retriever.search("quokka half description nul", mode="words")

    assert len(every.hits) == len(mended) + 1
    assert [hit.path for hit in by_words] == ["titled.md"]
    printed = json.dumps(asdict(every), ensure_ascii=False).encode("utf-8")
    assert {one["text"] for one in json.loads(printed)["hits"]} == {hit.text for hit in every.hits}


TEXTS = {
    "Greek": (
        "Οδηγός εγκατάστασης: το αντίγραφο ασφαλείας γίνεται κάθε νύχτα και φυλάσσεται.",
        ("cp1253", "iso8859-7"),
    ),
    "Turkish": ("Şifreyi değiştirmek için yöneticiye başvurun.", ("cp1254",)),
    "French of DOS": ("La sauvegarde est créée à deux heures, très tôt.", ("cp850", "cp437")),
    "French of a Macintosh": ("La sauvegarde est créée à deux heures.", ("mac_roman",)),
    "Hebrew": ("הגיבוי נעשה בכל לילה", ("cp1255", "iso8859-8")),
    "Thai": ("เก็บไว้สามสิบวันบนเซิร์ฟเวอร์", ("cp874",)),
    "Czech": ("Příručka: záloha se uchovává třicet dní, žluťoučký kůň.", ("cp1250",)),
    "Russian of DOS": ("Резервная копия создаётся каждую ночь.", ("cp866", "iso8859-5")),
}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(text, encoding) for text, encodings in TEXTS.values() for encoding in encodings],
    ids=[f"{name} {encoding}" for name, (_, encodings) in TEXTS.items() for encoding in encodings],
)
def test_what_an_encoding_only_resembles_is_not_guessed(tmp_path: Path, text: str, encoding: str):
    with pytest.raises(UnreadableFile) as caught:
        decoded(tmp_path, f"# A\n\n{text}\n".encode(encoding), "")
    assert str(caught.value).startswith("line 3 is not UTF-8; convert it")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Резервная копия создаётся каждую ночь.", "cp1251"),
        ("Резервная копия создаётся каждую ночь.", "koi8-r"),
        ("Größe und Maß", "cp1252"),
        ("La copie est créée à deux heures.", "cp1252"),
        ("It’s “plain” English.", "cp1252"),
        ("备份每天进行，我们的系统在服务器上。", "gb18030"),
        ("備份每天進行，我們的系統在伺服器上。", "big5"),
        ("백업은 매일 밤", "euc_kr"),
    ],
)
def test_an_encoding_that_is_clear_is_named(tmp_path: Path, text: str, encoding: str):
    with pytest.raises(UnreadableFile, match=f"looks like {encoding};"):
        decoded(tmp_path, f"# A\n\n{text}\n".encode(encoding), "")


@pytest.mark.parametrize("encoding", ["idna", "punycode", "undefined"])
def test_an_encoding_that_is_none_of_text_is_a_reason_too(tmp_path: Path, encoding: str):
    with pytest.raises(UnreadableFile, match=rf"cannot be read as {encoding}, as documents"):
        decoded(tmp_path, b"# A\n\ncaf\xe9..\n", encoding)
