"""How a document is cut, for a terminal or as JSON."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from askmd.cli.show import bold, print_failures, print_json
from askmd.inspection import Check, FileFault, IndexState, Inspection
from askmd.terminal import clean
from askmd.types import Chunk, Section

SHOWN_FAULTS = 20
_INDEX: dict[IndexState, str] = {
    "none": "",
    "unreadable": "The index cannot be read: run `askmd status`.",
    "absent": "The index does not hold this document: run `askmd ingest`.",
    "same": "The index holds these chunks.",
    "behind": "The index is behind: run `askmd ingest`.",
    "outside": "It is not below {root}, which the index belongs to.",
    "other": "The index was cut with other settings: run `askmd ingest --rebuild`.",
}


def print_inspection(inspection: Inspection, as_json: bool) -> None:
    """Print how one document is cut."""
    if as_json:
        print_json(_as_json(inspection))
        return
    for line in _head(inspection):
        print(line)
    for part in _parts(inspection.outline.sections, inspection.chunks):
        print(f"\n{bold(_heading(part.section))}")
        if part.holder and not part.chunks:
            print(f"  in the chunk of lines {_span(part.holder.lines)}")
        for place, one in enumerate(part.chunks):
            print("\n" if place else "", end="")
            _print_chunk(one, inspection.max_tokens)
    if note := _INDEX[inspection.index]:
        print("\n" + _line(note.format(root=inspection.root)))
    faults = [FileFault(inspection.path, one.line, one.what) for one in inspection.faults]
    _print_faults(faults)


def print_check(check: Check, as_json: bool) -> None:
    """Print what was proved of a folder: a line of figures, then what is wrong."""
    print_failures(check.failures)
    if as_json:
        print_json(asdict(check))
        return
    failed = f" ({check.failed} failed)" if check.failed else ""
    if check.failed == check.files:
        print(f"{_count(check.files, 'file')}{failed}: nothing was read")
        return
    print(
        f"{_count(check.files, 'file')}{failed}, "
        f"{_count(check.characters, 'non-blank character')}: "
        f"{percent(check.covered, check.characters)} covered, "
        f"{_count(check.chunks, 'chunk')}, "
        f"{check.truncated} truncated, longest {check.longest_chunk_tokens} of {check.max_tokens} "
        f"tokens; {check.seconds:.1f} s"
    )
    _print_faults(check.faults)


def percent(part: int, whole: int) -> str:
    """Return a share in percent, rounded down: what is not whole never reads as 100.000 %."""
    thousandths = part * 100_000 // whole if whole else 100_000
    return f"{thousandths // 1000}.{thousandths % 1000:03} %"


def _print_faults(faults: Sequence[FileFault]) -> None:
    for one in faults[:SHOWN_FAULTS]:
        print(_line(f"{one.path}:{one.line} {one.what}"))
    if len(faults) > SHOWN_FAULTS:
        print(f"and {len(faults) - SHOWN_FAULTS} more; --json names all of them")


def _head(inspection: Inspection) -> Iterator[str]:
    """Yield what there is to say of the document as a whole."""
    outline, chunks = inspection.outline, inspection.chunks
    longest = max((one.tokens for one in chunks), default=0)
    yield bold(_line(inspection.path))
    yield (
        f"{_count(inspection.lines, 'line')}, {_count(inspection.chars, 'character')}; "
        f"{_count(len(chunks), 'chunk')}, "
        f"longest {longest} of {inspection.max_tokens} tokens"
    )
    if outline.title:
        yield _line(f"title: {outline.title}")
    if inspection.front_matter_fault:
        used = ", but of it is used:" if outline.metadata else ""
        yield f"front matter: {inspection.front_matter_fault}, so it is text{used}"
    elif outline.metadata:
        yield "front matter:"
    for key, value in outline.metadata.items():
        yield _line(f"  {key}: {json.dumps(value, ensure_ascii=False)}")


def _heading(section: Section) -> str:
    """Return a section's heading as Markdown writes it, its lines and its anchors."""
    first = section.blocks[0] if section.blocks else None
    is_headed = first is not None and first.kind == "heading"
    name = f"{'#' * first.level} {first.info}" if first and is_headed else "(no heading)"
    anchors = [f"#{section.anchor}"] if section.anchor else []
    anchors += [
        f"{program} #{anchor}"
        for program, anchor in asdict(section.anchors).items()
        if anchor not in ("", section.anchor)
    ]
    return _line(f"{name}  " + ", ".join([f"lines {_span(section.lines)}", *anchors]))


def _print_chunk(chunk: Chunk, max_tokens: int) -> None:
    """Print a chunk's figures, and what the embedder reads of it behind a rule."""
    start, end = chunk.chars
    print(
        f"  chunk {chunk.id}  lines {_span(chunk.lines)}, characters {start}-{end}, "
        f"{chunk.tokens} of {max_tokens} tokens"
    )
    for line in clean(chunk.embedded).split("\n"):
        print(f"  │ {line}" if line else "  │")


@dataclass(slots=True)
class _Part:
    """A section and the chunks that are shown under it."""

    section: Section
    chunks: list[Chunk] = field(default_factory=list)
    holder: Chunk | None = None
    """The first chunk that has some line of it."""


def _parts(sections: Sequence[Section], chunks: Sequence[Chunk]) -> list[_Part]:
    """Return the sections in order, each chunk under the one whose heading it is cited with."""
    parts = [_Part(section) for section in sections]
    starts = [section.lines[0] for section in sections]
    for one in chunks:
        first = max(0, bisect_right(starts, one.lines[0]) - 1)
        touched = parts[first : max(first + 1, bisect_right(starts, one.lines[1]))]
        for part in touched:
            part.holder = part.holder or one
        named = [part for part in touched if part.section.path == one.heading]
        for part in (named or touched)[:1]:
            part.chunks.append(one)
    return parts


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _span(lines: tuple[int, int]) -> str:
    """Return a range of lines as it is typed."""
    return "-".join(map(str, dict.fromkeys(lines)))


def _line(text: str) -> str:
    """Return text fit for a terminal, on one line."""
    return " ".join(clean(text).split("\n"))


def _as_json(inspection: Inspection) -> dict[str, Any]:
    """Return what ``inspect --json`` prints; blocks without what they hold."""
    outline = inspection.outline
    return {
        "path": inspection.path,
        "lines": inspection.lines,
        "chars": inspection.chars,
        "metadata": dict(outline.metadata),
        "title": outline.title,
        "max_tokens": inspection.max_tokens,
        "index": inspection.index,
        "sections": [_section_as_json(section) for section in outline.sections],
        "chunks": [_chunk_as_json(one) for one in inspection.chunks],
        "faults": [asdict(fault) for fault in inspection.faults],
    }


def _section_as_json(section: Section) -> dict[str, Any]:
    return {
        "path": section.path,
        "anchor": section.anchor,
        "anchors": asdict(section.anchors),
        "lines": section.lines,
        "blocks": [
            {"kind": block.kind, "lines": block.lines, "info": block.info}
            for block in section.blocks
        ],
    }


def _chunk_as_json(chunk: Chunk) -> dict[str, Any]:
    """Return a chunk without the path, which is the document's."""
    return {name: value for name, value in asdict(chunk).items() if name != "path"}
