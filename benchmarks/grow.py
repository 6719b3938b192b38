"""Markdown of any size that reads as the shared documents do: for measurements, not for reading.

    python benchmarks/grow.py N SEED TARGET    a folder of files that make about N chunks
    python benchmarks/speed_fit.py N SEED      how near grown text comes to the documents

A grown file follows a real one: its headings, the sizes of its sections, and sentences that are
partly its own in their order, partly drawn from elsewhere in it, partly from all the documents.
Words change places with others of the same document, so that frequencies stand and no two texts are
the same; invented identifiers come in, some of them often, as in Zipf's law, and some only once.
The same N and SEED make the same text, on every machine that has the same documents.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path
from random import Random

from askmd.types import Chunk, Document, Indexed, Stamp

SHARED = Path(__file__).parents[2] / "shared"
CHARACTERS_A_CHUNK = 740
"""How many a grown file has for each chunk that the default chunker cuts, with its headings."""
LENGTHS = (
    40, 195, 278, 353, 423, 481, 529, 575, 614, 652, 688, 723, 760, 797, 831, 871, 911, 953, 1013,
    1096, 1400,
)  # fmt: skip
"""Characters of those chunks, by twentieths."""
FILE_CHARACTERS = (1_500, 40_000)
OWN, HOME = 0.6, 0.25
"""Of runs of sentences, how many go on in their section, and how many are of its document."""
RUN = 3
"""Sentences a run has on average."""
SWAPPED = 0.08
"""Of words of four letters and more, how many are exchanged."""
NAMED = 0.25
"""Of sentences, how many get an identifier that others have too."""
CHARACTERS_A_UNIT = 400
LINES_A_FENCE = 15

_HEADING = re.compile(r"(#{1,6}) +(\S.*?) *#* *")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_LISTED = re.compile(r"\s*(?:[-*+|>]|\d+[.)]) ?")
_WORD = re.compile(r"[^\W\d_]{4,}[,.;:]?")
_STEMS = [head + tail for head in "bdfgklmnprstvz" for tail in "aeiou"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, a line of a list or table, or a short fence."""

    before: str
    """What parts it from the unit before it."""
    words: tuple[str, ...]
    places: tuple[int, ...]
    """Which of the words may be exchanged for others."""


@dataclass(frozen=True, slots=True)
class Part:
    """A heading with the units under it."""

    level: int
    """0 before a document's first heading."""
    title: str
    units: range
    """Places in the document's units."""


@dataclass(frozen=True)
class Source:
    """A real document, taken apart."""

    units: list[Unit]
    parts: list[Part]

    @cached_property
    def words(self) -> list[str]:
        """Every word that may be exchanged, as often as it occurs."""
        return [unit.words[place] for unit in self.units for place in unit.places] or ["text"]


@dataclass(frozen=True)
class Corpus:
    """The shared documents."""

    sources: list[Source]

    @cached_property
    def ends(self) -> list[int]:
        """How many units there are up to each document's end."""
        return list(accumulate(len(source.units) for source in self.sources))

    def anywhere(self, random: Random) -> tuple[Source, int]:
        """Return a document and the place of one of its units; each unit is as likely."""
        place = int(random.random() * self.ends[-1])
        number = bisect_right(self.ends, place)
        return self.sources[number], place - self.ends[number]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that stands in one section."""

    path: tuple[tuple[int, str], ...]
    """Levels and titles from the document's top down."""
    text: str
    is_first: bool
    """The section's heading comes before it."""


def documents(folder: Path = SHARED) -> list[Path]:
    """Return the shared Markdown files; exits loudly where there are none."""
    found = [*folder.glob("corpora/*/**/*.md"), *folder.glob("eval/*/docs/**/*.md")]
    if not found:
        sys.exit(f"SKIPPED LOUDLY: no documents at {folder}")
    return sorted(found)


def read_corpus(paths: Sequence[Path]) -> Corpus:
    """Return documents taken apart, without those that hold nothing."""
    sources = [read_source(path.read_text(encoding="utf-8")) for path in paths]
    return Corpus([source for source in sources if source.units])


def read_source(text: str) -> Source:
    """Return a document taken apart; front matter and headings inside fences are not looked for."""
    units: list[Unit] = []
    parts: list[Part] = []
    level, title, start = 0, "", 0
    for block in _blocks(text):
        heading = _HEADING.fullmatch(block)
        if not heading:
            units += _units(block)
            continue
        parts.append(Part(level, title, range(start, len(units))))
        level, title, start = len(heading[1]), heading[2], len(units)
    parts.append(Part(level, title, range(start, len(units))))
    return Source(units, [part for part in parts if part.title or part.units])


def _blocks(text: str) -> Iterator[str]:
    """Yield what blank lines part; a heading is a block of its own and a fence is whole."""
    block: list[str] = []
    fence = ""
    for line in [*text.split("\n"), ""]:
        mark = line.lstrip()[:3]
        is_heading = not fence and _HEADING.fullmatch(line) is not None
        opens = not fence and mark in ("```", "~~~")
        if (not fence and not line.strip()) or is_heading or opens:
            yield from filter(None, ["\n".join(block)])
            block = []
        block += [line] if line.strip() or fence else []
        if is_heading or (fence and mark == fence):
            yield "\n".join(block)
            block, fence = [], ""
        elif opens:
            fence = mark
    yield from filter(None, ["\n".join(block)])


def _units(block: str) -> Iterator[Unit]:
    if block.lstrip()[:3] in ("```", "~~~"):
        first, *lines = block.split("\n")
        lines = lines[:-1] if lines and lines[-1].lstrip().startswith(first.lstrip()[:3]) else lines
        for start in range(0, len(lines), LINES_A_FENCE):
            inside = "\n".join(lines[start : start + LINES_A_FENCE])
            yield _unit("\n\n", f"{first}\n{inside}\n{first.lstrip()[:3]}")
        return
    if _LISTED.match(block):
        cut, between = block.split("\n"), "\n"
    else:
        cut, between = _SENTENCE.split(block), " "
    before = "\n\n"
    for text in cut:
        for short in _short(text):
            yield _unit(before, short)
            before = between


def _short(text: str) -> Iterator[str]:
    """Yield a text in stretches of at most CHARACTERS_A_UNIT, cut at blanks where there are any."""
    while len(text) > CHARACTERS_A_UNIT:
        end = text.rfind(" ", 1, CHARACTERS_A_UNIT)
        end = end if end > 0 else CHARACTERS_A_UNIT
        yield text[:end]
        text = text[end:].lstrip(" ")
    if text.strip():
        yield text


def _unit(before: str, text: str) -> Unit:
    words = tuple(text.split(" "))
    places = tuple(place for place, word in enumerate(words) if _WORD.fullmatch(word))
    return Unit(before, words, places)


class Growing:
    """Grows text from a corpus; the same seed gives the same text in the same order."""

    def __init__(self, corpus: Corpus, count: int, seed: int) -> None:
        """Grow for about so many chunks; nothing is kept of what was grown."""
        self._corpus = corpus
        self._random = Random(seed)
        self._serial = 0
        self._names = math.log(max(2, count))

    def file(self) -> Iterator[Piece]:
        """Yield one file's text in order, a run of sentences at a time."""
        source, place = self._corpus.anywhere(self._random)
        number = next(n for n, part in enumerate(source.parts) if place < part.units.stop)
        least, most = map(math.log, FILE_CHARACTERS)
        left = int(math.exp(least + self._random.random() * (most - least)))
        path: tuple[tuple[int, str], ...] = ()
        for step in range(len(source.parts)):
            part = source.parts[(number + step) % len(source.parts)]
            path = (*(one for one in path if one[0] < part.level), (part.level, part.title))
            path = path if part.title else ()
            # A long text without headings is gone into where the file begins.
            start = place if step == 0 else part.units.start
            is_first = True
            for text in self._section(source, part, start, left):
                yield Piece(path, text, is_first)
                is_first = False
                left -= len(text)
            if left <= 0:
                return

    def _section(self, source: Source, part: Part, start: int, left: int) -> Iterator[str]:
        """Yield as many units as a section has, in runs."""
        done = start
        while done < part.units.stop and left > 0:
            chance = self._random.random()
            home, place = source, done
            if chance > OWN:
                home, place = self._corpus.anywhere(self._random)
            if OWN < chance <= OWN + HOME:
                home, place = source, int(self._random.random() * len(source.units))
            length = 1 + int(self._random.expovariate(1 / (RUN - 1)))
            units = home.units[place : min(place + length, place + part.units.stop - done)]
            done += len(units)
            for unit in units:
                text = self._perturbed(unit, home)
                left -= len(text)
                yield text

    def _perturbed(self, unit: Unit, home: Source) -> str:
        """Return a unit's text with some words exchanged and some identifiers named."""
        random = self._random.random
        words = list(unit.words)
        pool = home.words
        places: Sequence[int] = unit.places
        for place in places:
            if random() < SWAPPED:
                words[place] = pool[int(random() * len(pool))]
        if len(places) < 5 < len(words):
            # Code, mostly: few words change places there. A fence's marks are at its ends.
            places = range(1, len(words) - 1)
        if places and random() < NAMED:
            words[places[int(random() * len(places))]] = self.identifier()
        return unit.before + " ".join(words)

    def identifier(self) -> str:
        """Return the name of something; the first of n names comes n times as often as the nth."""
        return name(int(math.exp(self._random.random() * self._names)))

    def new_identifier(self) -> str:
        """Return a name that comes only once."""
        self._serial += 1
        return name(2**31 + self._serial)


def name(number: int) -> str:
    """Return the invented function, setting, option or error code of a number below 2**32."""
    # Odd factors are undone modulo a power of two: two numbers never share a stem.
    mixed = number * 2654435761 % 2**32
    stem = ""
    while mixed:
        mixed, rest = divmod(mixed, len(_STEMS))
        stem += _STEMS[rest]
    ways = (f"`{stem}()`", f"`max_{stem}`", f"`--{stem}`", f"E-{stem.upper()}", stem.capitalize())
    return ways[number % len(ways)]


def files(corpus: Corpus, count: int, seed: int) -> Iterator[str]:
    """Yield Markdown documents that the default chunker cuts into about so many chunks."""
    growing = Growing(corpus, count, seed)
    left = count * CHARACTERS_A_CHUNK
    while left > 0:
        text = ""
        for piece in growing.file():
            if piece.is_first and piece.path:
                level, title = piece.path[-1]
                text += f"\n\n{'#' * level} {title}\n\n{growing.new_identifier()}:"
            text += piece.text
        text = text.strip() + "\n"
        left -= len(text)
        yield text


def write_folder(target: Path, corpus: Corpus, count: int, seed: int) -> int:
    """Write ``files`` into a folder; return how many there are."""
    return write_texts(target, files(corpus, count, seed))


def write_texts(target: Path, texts: Iterable[str]) -> int:
    """Write texts as files into a folder, 100 to a folder in it; return how many there are."""
    number = -1
    for number, text in enumerate(texts):
        folder = target / f"{number // 100:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06}.md").write_text(text, encoding="utf-8")
    return number + 1


def stream(corpus: Corpus, count: int, seed: int) -> Iterator[Indexed]:
    """Yield documents with their chunks, exactly so many in all, without cutting Markdown.

    No two chunks have the same text; their lengths are those of real chunks.
    """
    growing = Growing(corpus, count, seed)
    random = Random(seed + 1)
    number = 0
    while count > 0:
        path = f"{number // 100:04}/{number:06}.md"
        chunks = []
        for chunk in _chunks(growing, path, random):
            chunks.append(chunk)
            count -= 1
            if count == 0:
                break
        number += 1
        digest = blake2b(path.encode(), digest_size=16).hexdigest()
        yield Indexed(Document(path, digest, Stamp(0, 0, 0, 0)), chunks)


def _chunks(growing: Growing, path: str, random: Random) -> Iterator[Chunk]:
    """Yield one grown file's chunks: whole units, up to a length that real chunks have."""
    held: list[str] = []
    size, most, at, line = 0, _length(random), 0, 1
    heading: tuple[str, ...] = ()
    for piece in growing.file():
        if held and (piece.is_first or size > most):
            chunk = _chunk(growing, path, heading, "".join(held), at, line)
            at, line = chunk.chars[1] + 2, chunk.lines[1] + 2
            yield chunk
            held, size, most = [], 0, _length(random)
        heading = tuple(title for _, title in piece.path)
        held.append(piece.text)
        size += len(piece.text)
    if held:
        yield _chunk(growing, path, heading, "".join(held), at, line)


def _length(random: Random) -> float:
    step, rest = divmod(random.random() * (len(LENGTHS) - 1), 1)
    # The unit that goes beyond the length is kept: half of one is what that adds.
    return LENGTHS[int(step)] * (1 - rest) + LENGTHS[int(step) + 1] * rest - 60


def _chunk(
    growing: Growing, path: str, heading: tuple[str, ...], held: str, at: int, line: int
) -> Chunk:
    text = f"{held.strip()} {growing.new_identifier()}"
    embedded = f"{' > '.join(heading)}\n{text}"
    return Chunk(
        id=blake2b(f"{path}{at}{text}".encode(), digest_size=16).hexdigest(),
        path=path,
        heading=heading,
        anchor="",
        lines=(line, line + text.count("\n")),
        chars=(at, at + len(text)),
        text=text,
        embedded=embedded,
        tokens=min(256, len(embedded) // 4),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("count", type=int, metavar="N", help="chunks, about")
    parser.add_argument("seed", type=int, metavar="SEED")
    parser.add_argument("target", type=Path, metavar="TARGET", help="a folder, made if need be")
    options = parser.parse_args()
    corpus = read_corpus(documents())
    count = write_folder(options.target, corpus, options.count, options.seed)
    print(f"{count:,} files for about {options.count:,} chunks in {options.target}")


if __name__ == "__main__":
    main()
