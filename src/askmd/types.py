"""The nouns of askmd.

Fields that face the outside have their names in JSON: ``dataclasses.asdict`` is what doors print.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]
    """One unit vector: float32, shape (dim,)."""
    Vectors = npt.NDArray[np.float32]
    """Unit vectors, one a row: float32, shape (n, dim)."""
else:
    # Annotations alone are not worth loading numpy for.
    Vector = Vectors = object

BlockKind = Literal[
    "heading", "paragraph", "fence", "code", "table", "list", "item", "quote", "html", "comment",
    "rule", "container", "note",
]  # fmt: skip
Mode = Literal["hybrid", "dense", "words"]
Role = Literal["system", "user", "assistant"]
Status = Literal["answered", "extracted", "refused", "incomplete"]
QuoteVerdict = Literal["supported", "elsewhere", "not_found"]
"""Verbatim in a passage its sentence cites; in others that were sent; in none."""
Rewriter = Literal["llm", "rule"]
"""Who made a search question from a conversation."""
Lines = tuple[int, int]
"""First and last line, 1-based, inclusive."""
Chars = tuple[int, int]
"""Half-open range of code points in a document's decoded text."""


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of Markdown, as whole lines of the document."""

    kind: BlockKind
    lines: Lines
    level: int = 0
    """A heading's level, 1 to 6; 0 for everything else."""
    info: str = ""
    """A heading's plain text, a fence's language, a container's or callout's kind."""
    children: tuple[Block, ...] = ()
    """What a list, item, quote or container holds, in order; empty for what is not looked into."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """A heading's id as the programs that publish Markdown make it."""

    github: str = ""
    mkdocs: str = ""
    docusaurus: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, up to the next heading of any level."""

    path: tuple[str, ...]
    """Heading texts from the document's top down to this one; empty before the first heading."""
    anchor: str
    """The heading's id as GitHub makes it, unique in the document; empty where there is none."""
    lines: Lines
    blocks: tuple[Block, ...]
    """In order, the heading's own block first; blank lines between blocks belong to none."""
    anchors: Anchors = Anchors()


@dataclass(frozen=True, slots=True)
class Outline:
    """A document's Markdown, understood: front matter set aside, the rest as sections."""

    metadata: Mapping[str, object]
    """The front matter's keys and values, JSON types only; empty without one."""
    title: str
    """Front matter's title, else the first level-1 heading, else empty."""
    description: str
    sections: tuple[Section, ...]
    notes: Mapping[str, str] = field(default_factory=dict)
    """Each footnote's text by its label, case-folded."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Each link definition's title, or an empty one, by its label: case-folded, blanks single."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A token-bounded piece of one section: what is embedded, found and cited."""

    id: str
    """Hash of path, heading path, text and repeat number; a move inside its file keeps it."""
    path: str
    """The document, relative to the root, with ``/``."""
    heading: tuple[str, ...]
    anchor: str
    lines: Lines
    chars: Chars
    text: str
    """The file's own characters; never re-indented, never re-joined."""
    embedded: str
    """What the embedder reads: the heading path, whatever makes a cut piece readable, the text."""
    tokens: int
    """Tokens of ``embedded`` by the embedder's own tokenizer, special tokens inside."""
    anchors: Anchors = Anchors()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the file system said of a file when it was read: a hint that it has not changed."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class Document:
    """A Markdown file as the index knows it."""

    path: str
    digest: str
    """Hex blake2b of the file's bytes."""
    stamp: Stamp
    title: str = ""
    description: str = ""
    metadata: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document and its chunks in document order, ready to be written together."""

    document: Document
    chunks: Sequence[Chunk]


@dataclass(frozen=True, slots=True)
class Identity:
    """What an index's vectors are made of; two indexes mix only if every field agrees."""

    provider: str
    model: str
    revision: str
    """The weights' sha256 where they are local, else what the provider calls the model."""
    dim: int
    """Length of a vector; 0 while a server has not told yet, and then equal to any."""
    query_prefix: str
    passage_prefix: str
    tokenizer: str
    """sha256 of the tokenizer's file, or the name of its vocabulary."""
    max_tokens: int
    """The bound each chunk was cut to."""
    chunker: int
    """Version of the way text is cut; see ``chunk.VERSION``."""
    normalised: bool = True
    precision: str = "float32"
    """``float32``, or ``int8``: the model's weights and activations in eight bits."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A chunk's id with one score, higher is better."""

    id: str
    score: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a chunk stands: the next one of its document has the next position."""

    path: str
    position: int


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where the terms of a question occur."""

    total: int
    """How many chunks there are."""
    counts: Mapping[str, int]
    """By term, how many chunks hold it."""
    among: Mapping[str, frozenset[str]]
    """By term, which of the chunks that were asked for hold it."""


@dataclass(frozen=True, slots=True)
class WordPlaces:
    """Where the terms of a question stand in one chunk, counted in words from 0."""

    heading_words: int
    """How many words the heading path has, and whatever else is found with it."""
    text_words: int
    heading: Mapping[str, tuple[int, ...]]
    """By term, the words it begins at, ascending; a term that does not occur is absent."""
    text: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found, with its scores."""

    rank: int
    score: float
    """Orders the hits of one question; means nothing across questions."""
    scores: Mapping[str, float]
    """The parts: ``cosine``, ``bm25``, ``wording`` (how well its words and those beside it fit),
    ``rerank`` with a reranker; a part that was not computed is absent."""
    above_floor: float | None
    """How far it stands above what nonsense scores here, by its cosine and the question's words.

    Comparable across questions, negative below; None where no cosine was had.
    """
    chunk: str
    path: str
    heading: tuple[str, ...]
    anchor: str
    lines: Lines
    chars: Chars
    text: str
    anchors: Anchors = Anchors()


@dataclass(frozen=True, slots=True)
class Search:
    """What one question found."""

    question: str
    mode: Mode
    degraded: str | None
    """What was left out and why, in one line; None when nothing was."""
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """One continuous range of a document, made of one or more chunks, that goes to the LLM."""

    number: int
    path: str
    heading: tuple[str, ...]
    anchor: str
    lines: Lines
    chars: Chars
    chunks: tuple[str, ...]
    score: float
    text: str
    anchors: Anchors = Anchors()


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat completion."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that an answer puts in quotation marks, looked up in the passages."""

    text: str
    """As the answer has it, without the marks."""
    verdict: QuoteVerdict
    found_in: tuple[int, ...] = ()
    """Numbers of the passages that hold it, white space and case folded."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One statement of an answer, and how far the words of what it cites bear it out."""

    text: str
    chars: Chars
    """Where it stands in the answer."""
    citations: tuple[int, ...]
    """What it cites; where it has no mark, what its paragraph's end or the lead-in above cites."""
    support: float | None
    """0 to 1: how much of what it says stands in the passages it cites, less than half of that
    where a number, identifier or name is missing; in another language than they are, the share
    of its numbers and identifiers. None where it cites or says nothing."""
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered pointer from an answer to the passage that was sent under that number."""

    number: int
    path: str
    heading: tuple[str, ...]
    anchor: str
    lines: Lines
    chars: Chars
    chunks: tuple[str, ...]
    score: float
    text: str
    url: str | None = None
    stale: bool = False
    """The file has changed since it was indexed."""
    stands_at: Lines | None = None
    """Where the text stands in the changed file, read anew; None where it does no longer, and
    where nothing changed."""
    quotes: tuple[Quote, ...] = ()
    """Of the sentences that cite it."""
    support: float | None = None
    """0 to 1: the mean support it lends the sentences that cite it; None where none can be told."""
    anchors: Anchors = Anchors()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a server says an answer took; None where it did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A finished answer: everything ``ask --json`` prints."""

    question: str
    search_query: str
    answer: str
    status: Status
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    model: str | None
    usage: Usage | None
    degraded: str | None
    rewritten: Rewriter | None = None
    """Who made the search question from the conversation; None where it is the question itself."""
    cut_reason: str | None = None
    """Why the answer is incomplete; None where it is whole."""
    invented: tuple[int, ...] = ()
    """Numbers of passages that were never sent, whose marks were taken out of the text."""
    sentences: tuple[Sentence, ...] = ()
    findings: tuple[str, ...] = ()
    """What nothing in the documents bears out, a line each: what ``--strict`` exits 4 for."""
    cost: float | None = None
    """Of the tokens used, at the configured prices; None without either."""
    seconds: float | None = None
    """From the question to the end of the answer."""
    first_seconds: float | None = None
    """From the question to the first text."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which chunks may be found: every part must hold. Data, never SQL."""

    globs: tuple[str, ...] = ()
    """Path patterns with gitignore's rules; each must match."""
    metadata: tuple[tuple[str, str], ...] = ()
    """Front matter: key and the value it must have, or contain where it is a list."""
    headings: tuple[str, ...] = ()
    """Case-folded texts; each must be part of some heading on the chunk's path."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be indexed, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long journey is."""

    stage: str
    done: int
    total: int  # 0 while unknown
    unit: str


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]
