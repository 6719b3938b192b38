"""Each splitter as one function, text → pieces, and what it does to the same files.

    python benchmarks/cutting_systems.py JOB.json OUT.json

Run by ``cutting.py``, once by an interpreter with askmd and once by one with its peers: whatever
cannot be imported is left out. The job names the systems' files, the hostile file, the tokenizer.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

from tokenizers import Tokenizer

BOUND = 256
ROOM = BOUND - 2
"""What the peers may fill: they count without the model's two special tokens."""
RUNS = 5
ADDED = "A line that was not here before.\n"
_FRONT = re.compile(r"\A---\n.*?^---\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Piece:
    """What a splitter hands out."""

    text: str
    embedded: str
    headings: list[str] | None
    """What it takes for the headings above the text, or in it; None where it reads none."""
    id: str
    """Its own where it has one that lasts, else a hash of text and metadata."""


Splitter = Callable[[str, str], list[Piece]]
"""Takes a file's path and text."""


def named(text: str, *said: object) -> str:
    return hashlib.sha256(repr((text, said)).encode("utf-8", "replace")).hexdigest()


def plain(heading: str) -> str:
    return heading.lstrip("#").strip()


def opening(text: str) -> list[str]:
    """Return the heading a piece was cut at, if its first line looks like one."""
    first = text.lstrip("\n").partition("\n")[0]
    return [plain(first)] if first.startswith("#") else []


def of_askmd(tokenizer: Path) -> dict[str, Splitter]:
    from askmd import chunk, markdown
    from askmd.tokens import TokenizerCounter

    counter = TokenizerCounter(tokenizer, window=BOUND, lowercase=True)

    def askmd(path: str, text: str) -> list[Piece]:
        found = chunk.split(path, text, markdown.parse(text), counter, max_tokens=BOUND)
        return [Piece(one.text, one.embedded, list(one.heading), one.id) for one in found]

    return {"askmd": askmd}


def of_langchain(count: Callable[[str], int]) -> dict[str, Splitter]:
    from langchain_text_splitters import (
        ExperimentalMarkdownSyntaxTextSplitter,
        Language,
        MarkdownHeaderTextSplitter,
        RecursiveCharacterTextSplitter,
    )

    levels = [("#" * level, f"h{level}") for level in range(1, 7)]
    headers = MarkdownHeaderTextSplitter(levels, strip_headers=False)
    recursive = RecursiveCharacterTextSplitter.from_language(
        Language.MARKDOWN, chunk_size=ROOM, chunk_overlap=0, length_function=count
    )

    def pieces(documents: Sequence[Any]) -> list[Piece]:
        found = []
        for one in documents:
            text, said = one.page_content, one.metadata
            heads = [value for key, value in said.items() if key.startswith("h")]
            found.append(Piece(text, text, heads, named(text, sorted(said.items()))))
        return found

    def experimental(path: str, text: str) -> list[Piece]:
        splitter = ExperimentalMarkdownSyntaxTextSplitter(levels, strip_headers=False)
        return pieces(splitter.split_text(text))

    def by_tokens(path: str, text: str) -> list[Piece]:
        found = recursive.split_text(text)
        return [Piece(one, one, opening(one), named(one)) for one in found]

    return {
        "LangChain MarkdownHeaderTextSplitter": lambda path, text: pieces(headers.split_text(text)),
        "LangChain ExperimentalMarkdownSyntax": experimental,
        "LangChain Recursive (Markdown), tokens": by_tokens,
    }


def of_llamaindex(encode: Callable[[str], list[int]]) -> dict[str, Splitter]:
    from llama_index.core import Document
    from llama_index.core.node_parser import MarkdownNodeParser, SentenceSplitter
    from llama_index.core.schema import MetadataMode

    parser = MarkdownNodeParser()
    sentences = SentenceSplitter(chunk_size=ROOM, chunk_overlap=0, tokenizer=encode)

    def pieces(nodes: Sequence[Any]) -> list[Piece]:
        found = []
        for one in nodes:
            text = one.get_content(MetadataMode.NONE)
            heads = [head for head in one.metadata.get("header_path", "").split("/") if head]
            embedded = one.get_content(MetadataMode.EMBED)
            found.append(Piece(text, embedded, [*heads, *opening(text)], one.hash))
        return found

    def nodes(path: str, text: str) -> list[Any]:
        return parser.get_nodes_from_documents([Document(text=text)])

    return {
        "LlamaIndex MarkdownNodeParser": lambda path, text: pieces(nodes(path, text)),
        "LlamaIndex MarkdownNodeParser + SentenceSplitter, tokens": lambda path, text: pieces(
            sentences.get_nodes_from_documents(nodes(path, text))
        ),
    }


def of_haystack() -> dict[str, Splitter]:
    from haystack import Document
    from haystack.components.preprocessors import MarkdownHeaderSplitter

    splitter = MarkdownHeaderSplitter(secondary_split="word", split_length=200)
    splitter.warm_up()

    def haystack(path: str, text: str) -> list[Piece]:
        found = []
        for one in splitter.run([Document(content=text, meta={"path": path})])["documents"]:
            heads = [one.meta.get("header") or "", *(one.meta.get("parent_headers") or [])]
            found.append(Piece(one.content, one.content, [h for h in heads if h], one.id))
        return found

    return {"Haystack MarkdownHeaderSplitter + 200 words": haystack}


def of_chonkie(tokenizer: Tokenizer) -> dict[str, Splitter]:
    from chonkie import MarkdownChef, RecursiveChunker, TableChunker, TokenChunker

    chef = MarkdownChef(tokenizer)
    # Each remembers what it has counted, so that neither may count for the other.
    first, second = (RecursiveChunker(tokenizer, chunk_size=ROOM) for _ in range(2))
    tables = TableChunker(tokenizer, chunk_size=ROOM)
    tokens = TokenChunker(tokenizer, chunk_size=ROOM, chunk_overlap=0)

    def pieces(texts: Sequence[str]) -> list[Piece]:
        return [Piece(one, one, None, named(one)) for one in texts]

    def cooked(path: str, text: str) -> list[Piece]:
        document = tables.chunk_document(first.chunk_document(chef.parse(text)))
        code = [(one.start_index, text[one.start_index : one.end_index]) for one in document.code]
        found = sorted([*((one.start_index, one.text) for one in document.chunks), *code])
        return pieces([said for _, said in found])

    return {
        "chonkie MarkdownChef + Recursive + Table, tokens": cooked,
        "chonkie RecursiveChunker, tokens": lambda path, text: pieces(
            [one.text for one in second.chunk(text)]
        ),
        "chonkie TokenChunker, tokens": lambda path, text: pieces(
            [one.text for one in tokens.chunk(text)]
        ),
    }


def systems(tokenizer: Path) -> dict[str, Splitter]:
    """Return the splitters that this interpreter has, new: some remember what they counted."""
    if find_spec("askmd"):
        return of_askmd(tokenizer)
    counter = Tokenizer.from_file(str(tokenizer))
    counter.no_truncation()
    counter.no_padding()

    def encode(text: str) -> list[int]:
        return counter.encode(text, add_special_tokens=False).ids

    return {
        **of_langchain(lambda text: len(encode(text))),
        **of_llamaindex(encode),
        **of_haystack(),
        **of_chonkie(counter),
    }


# --- what is measured


def covered(text: str, pieces: Sequence[Piece]) -> tuple[int, int]:
    """Return how many of the characters after the front matter are in a piece, and how many are.

    Blanks are left out. A piece is looked for as a whole, and where it was changed, by its lines.
    """
    front = _FRONT.match(text)
    body = "".join(text[front.end() if front else 0 :].split())
    seen = bytearray(len(body))
    reached = 0
    for piece in pieces:
        said = "".join(piece.text.split())
        at = body.find(said, reached)
        parts = [said] if at >= 0 else ["".join(line.split()) for line in piece.text.split("\n")]
        for part in filter(None, parts):
            at = body.find(part, reached)
            at = at if at >= 0 else body.find(part)
            if at >= 0:
                seen[at : at + len(part)] = b"\1" * len(part)
                # The next piece may repeat this one's end.
                reached = at
    return sum(seen), len(body)


def with_a_line(text: str) -> str:
    """Return the text with one line more at its top, below the front matter."""
    front = _FRONT.match(text)
    at = front.end() if front else 0
    return text[:at] + ADDED + text[at:]


def kept(splitter: Splitter, files: dict[str, str]) -> tuple[int, int]:
    """Return how many ids a line at the top leaves, of all but each file's first piece."""
    total = same = 0
    for path, text in files.items():
        before = [piece.id for piece in splitter(path, text)][1:]
        after = {piece.id for piece in splitter(path, with_a_line(text))}
        total += len(before)
        same += sum(one in after for one in before)
    return same, total


def seconds(splitter: Splitter, files: dict[str, str]) -> tuple[float, float]:
    """Return seconds by the clock on the wall, and of processor time, all cores together."""
    started, worked = time.perf_counter(), time.process_time()
    for path, text in files.items():
        splitter(path, text)
    return time.perf_counter() - started, time.process_time() - worked


def measured(splitter: Splitter, files: dict[str, str], hostile: str) -> dict[str, Any]:
    """Return everything that is measured of one splitter but its speed."""
    cut = {path: splitter(path, text) for path, text in files.items()}
    parts = [covered(text, cut[path]) for path, text in files.items()]
    return {
        "hostile": [asdict(piece) for piece in splitter("hostile.md", hostile)],
        "chunks": sum(map(len, cut.values())),
        "covered": [sum(part[0] for part in parts), sum(part[1] for part in parts)],
        "kept": kept(splitter, files),
        "seconds": [],
    }


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    files, tokenizer = job["files"], Path(job["tokenizer"])
    found = {
        name: measured(splitter, files, job["hostile"])
        for name, splitter in systems(tokenizer).items()
    }
    for _ in range(RUNS):
        for name, splitter in systems(tokenizer).items():
            splitter("warm.md", "# Warm\n\nup\n")
            found[name]["seconds"].append(seconds(splitter, files))
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
