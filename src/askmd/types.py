"""The nouns of askmd and the contracts between its rooms.

Fields that face the outside have their names in JSON: ``dataclasses.asdict`` is what doors print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

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
    "heading", "paragraph", "fence", "code", "table", "list", "quote", "html", "rule", "container"
]  # fmt: skip
Mode = Literal["hybrid", "dense", "words"]
Role = Literal["system", "user", "assistant"]
Status = Literal["answered", "extracted", "refused", "incomplete"]
Lines = tuple[int, int]
"""First and last line, 1-based, inclusive."""
Chars = tuple[int, int]
"""Half-open range of code points in a document's decoded text."""


@dataclass(frozen=True, slots=True)
class Block:
    """One top-level piece of Markdown, as whole lines of the document."""

    kind: BlockKind
    lines: Lines
    level: int = 0
    """A heading's level, 1 to 6; 0 for everything else."""
    info: str = ""
    """A heading's plain text, a fence's language, a container's kind."""


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


@dataclass(frozen=True, slots=True)
class Outline:
    """A document's Markdown, understood: front matter set aside, the rest as sections."""

    metadata: Mapping[str, object]
    """The front matter's keys and values, JSON types only; empty without one."""
    title: str
    """Front matter's title, else the first level-1 heading, else empty."""
    description: str
    sections: tuple[Section, ...]


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
class Hit:
    """A chunk that was found, with its scores."""

    rank: int
    score: float
    """Orders the hits of one question; means nothing across questions."""
    scores: Mapping[str, float]
    """The parts: ``cosine`` and ``bm25``; a part that was not computed is absent."""
    above_floor: float | None
    """How far the cosine stands above what nonsense scores; None where no cosine was had."""
    chunk: str
    path: str
    heading: tuple[str, ...]
    anchor: str
    lines: Lines
    chars: Chars
    text: str


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


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat completion."""

    role: Role
    content: str


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
    quotes: tuple[Mapping[str, str], ...] = ()
    support: float | None = None


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


class TokenCounter(Protocol):
    """Counts the tokens one model sees."""

    @property
    def window(self) -> int:
        """How many tokens the model reads of one text, special tokens inside."""

    @property
    def exact(self) -> bool:
        """Whether counts are the model's own; otherwise they are never below them."""

    @property
    def vocabulary(self) -> str:
        """sha256 of the tokenizer's file, or the name of its vocabulary: ``Identity.tokenizer``."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return each text's tokens, special tokens and the model's passage prefix inside."""

    def cut(self, text: str, limit: int) -> int:
        """Return an offset, as large as is found, whose head counts at most ``limit``."""


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def counter(self) -> TokenCounter:
        """The counter whose tokens this embedder's window is measured in."""

    def identity(self, *, max_tokens: int, chunker: int) -> Identity:
        """Return what this embedder's vectors are made of, without loading the model."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per passage: float32, shape (len(texts), dim), in the same order.

        Raises TextsRejected if single texts are refused, EmbeddingError for everything else.
        """

    def embed_query(self, text: str) -> Vector:
        """Return the question's unit vector: float32, shape (dim,)."""

    def close(self) -> None:
        """Let go of connections and models; calling it twice is harmless."""


class LLM(Protocol):
    """Streams a chat completion."""

    @property
    def model(self) -> str:
        """The model's name as the server knows it."""

    def stream(self, messages: Sequence[Message]) -> Completion:
        """Start a completion; raises LLMError before the first delta if there is none."""


class Completion(Protocol):
    """A running completion: iterate for text, then read how it ended."""

    def __iter__(self) -> Iterator[str]:
        """Yield the text as it arrives."""

    @property
    def usage(self) -> Usage | None:
        """Token counts, once the server has told them."""

    @property
    def cut_reason(self) -> str | None:
        """Why the text is incomplete; None when the server said it was finished."""

    def close(self) -> None:
        """Abort the request if it is still running."""


class Store(Protocol):
    """Chunks and vectors on disk. Ids are strings; nothing here is SQL."""

    @property
    def identity(self) -> Identity:
        """What the stored vectors are made of."""

    @property
    def generation(self) -> int:
        """Grows by one with each committed write."""

    def documents(self) -> Mapping[str, Document]:
        """Return every document by its path."""

    def dense(self, vector: Vector, limit: int, where: Filter) -> list[Scored]:
        """Return the nearest chunks by cosine among those ``where`` allows, best first."""

    def words(self, terms: Sequence[str], limit: int, where: Filter) -> list[Scored]:
        """Return the best chunks by BM25 that hold any of the terms, best first."""

    def cosines(self, vector: Vector, ids: Sequence[str]) -> list[float]:
        """Return the cosine of each chunk's vector with ``vector``, in the same order."""

    def chunks(self, ids: Sequence[str]) -> dict[str, Chunk]:
        """Return the chunks that exist, by id; ``embedded`` is empty, for it is not kept."""

    def places(self, ids: Sequence[str]) -> dict[str, Place]:
        """Return where each chunk that exists stands, by id."""

    def neighbours(self, id: str, distance: int) -> list[Chunk]:
        """Return the chunks up to ``distance`` before and after one in its document, in order."""

    def close(self) -> None:
        """Let go of every connection; calling it twice is harmless."""
