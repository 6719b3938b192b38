"""Markdown as rows for a terminal, by rich; nothing in it acts, links, hides or is fetched.

Other than in rich's own rendering, code stays as it was written (not wrapped, padded or coloured
by a lexer), links and images show their targets, HTML is text, and each block stands for itself:
link definitions are text, so that nothing later changes what was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, TextIO

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.token import Token
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import (
    BlockQuote,
    CodeBlock,
    Heading,
    HorizontalRule,
    ListElement,
    ListItem,
    Markdown,
    TableElement,
)
from rich.rule import Rule
from rich.segment import Segment, Segments
from rich.table import Table
from rich.theme import Theme

from askmd.terminal.cleaning import clean
from askmd.terminal.size import terminal_size

WIDEST_TABLE = 64
"""Columns above which a table is shown as the text it is: it would fit no terminal."""
DEEPEST = 50
"""Quotations and lists within each other; what is deeper is not shown."""

_THEME = Theme(
    {
        "markdown.code": "cyan",
        "markdown.code_block": "cyan",
        "markdown.block_quote": "none",
        "markdown.h1": "bold underline",
        "markdown.h2": "bold",
        "markdown.h3": "bold",
        "markdown.h4": "bold",
        "markdown.h6": "none",
        "markdown.item.number": "bold",
        "markdown.table.border": "dim",
        "markdown.table.header": "bold",
    }
)
_NUMBER_CELLS = 4
"""Room for an item's number, blanks with it; a longer one takes more, and it alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of output; wider than the terminal only where the terminal is to wrap it."""

    segments: tuple[Segment, ...] = ()

    @property
    def cells(self) -> int:
        """How wide it is."""
        return Segment.get_line_length(list(self.segments))

    @property
    def is_plain(self) -> bool:
        """Whether every terminal agrees on how wide its characters are."""
        return all(max(segment.text, default="") < "\u0300" for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Part:
    """A top-level block of a Markdown text."""

    first_line: int
    """Counted from 0."""
    tokens: tuple[Token, ...]

    @property
    def open_fence(self) -> Token | None:
        """The fence that this block is, if its end was not read yet."""
        token = self.tokens[0]
        if token.type != "fence" or token.map is None:
            return None
        first, end = token.map
        return token if token.content.count("\n") >= end - first - 1 else None


class Drawer:
    """Draws Markdown for one terminal."""

    def __init__(self, stream: TextIO) -> None:
        """Take the terminal's size and colours from the stream and the environment."""
        self._stream = stream
        self._console = Console(file=stream, theme=_THEME, highlight=False)

    @property
    def size(self) -> tuple[int, int]:
        """The terminal's columns and lines, now."""
        return terminal_size(self._stream)

    def rows(self, text: str) -> list[Row]:
        """Return a whole text, an empty row between each two blocks."""
        drawn = [rows for part in parts(text) if (rows := self.rows_of(part))]
        return [row for rows in drawn for row in (Row(), *rows)][1:]

    def rows_of(self, part: Part) -> list[Row]:
        """Return a block of a text."""
        if part.tokens[0].type == "fence":
            return self.code(part.tokens[0].content)
        options = self._console.options.update(width=self.size[0], height=None)
        segments = list(self._console.render(_Plain(part.tokens), options))
        if part.tokens[0].type in _SPACED and segments[:1] == [Segment.line()]:
            # rich parts blocks by what was rendered last, be it inside the first block.
            del segments[0]
        is_code = part.tokens[0].type == "code_block"
        rows = Segment.split_lines(segments)
        return [Row(tuple(row if is_code else _without_end(row))) for row in rows]

    def code(self, text: str) -> list[Row]:
        """Return the lines of a fence, each as it was written."""
        style = self._console.get_style("markdown.code_block")
        return [Row((Segment(line, style),) if line else ()) for line in _lines(text)]

    def paint(self, row: Row) -> str:
        """Return a row as the terminal is to read it."""
        if not any(segment.style for segment in row.segments):
            return "".join(segment.text for segment in row.segments)
        with self._console.capture() as captured:
            self._console.print(Segments(row.segments), end="", crop=False)
        return captured.get()


def parts(text: str) -> list[Part]:
    """Return the top-level blocks of a text; all but the last are as they will always be."""
    found: list[Part] = []
    depth = 0
    group: list[Token] = []
    for token in _cleaned(_PARSER.parse(text)):
        depth += token.nesting
        group.append(token)
        if depth == 0:
            found.append(Part(group[0].map[0] if group[0].map else 0, tuple(group)))
            group = []
    return found


def chopped(row: Row, columns: int) -> list[Row]:
    """Return a row as rows that are no wider than this."""
    if "\t" not in "".join(segment.text for segment in row.segments) and row.cells <= columns:
        return [row]
    whole = [Segment(one.text.expandtabs(8), one.style) for one in row.segments]
    width = Segment.get_line_length(whole)
    cuts = [*range(columns, width, columns), width]
    return [Row(tuple(piece)) for piece in Segment.divide(whole, cuts)]


def height(row: Row, columns: int) -> int:
    """Return how many rows a terminal of this width makes of a row that it shows already."""
    rows, used = 1, 0
    for char in "".join(segment.text for segment in row.segments):
        cells = cell_len(char)
        if used + cells > columns:
            rows, used = rows + 1, 0
        used += cells
    return rows


def plain_rows(text: str) -> list[Row]:
    """Return text as it is."""
    return [Row((Segment(line),) if line else ()) for line in _lines(text)]


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _without_end(row: list[Segment]) -> Iterator[Segment]:
    """Yield a row without the blanks that rich fills it up with."""
    kept = list(row)
    while kept and not (text := kept[-1].text.rstrip(" ")):
        kept.pop()
    if kept:
        yield from kept[:-1]
        yield Segment(text, kept[-1].style)


# --- what is parsed -------------------------------------------------------------------------


def _narrow_table(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Parse a table unless it is too wide for any terminal, and slow to lay out."""
    start, end = state.bMarks[first], state.eMarks[first]
    return state.src.count("|", start, end) <= WIDEST_TABLE and table(state, first, last, silent)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST}).enable(
        ["strikethrough", "table"]
    )
    parser.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    return parser.disable("reference")


_PARSER = _parser()


def _cleaned(tokens: list[Token]) -> Iterator[Token]:
    """Yield tokens fit for a terminal: an entity may spell what the text must not hold."""
    for token in tokens:
        if token.type == "inline":
            token.children = list(_with_targets(token.children or []))
        yield token


def _with_targets(tokens: list[Token]) -> Iterator[Token]:
    """Yield inline tokens; links and images become their text and, in brackets, their target."""
    links: list[tuple[str, list[str]]] = []
    for place, token in enumerate(tokens):
        token.content = " ".join(clean(token.content).split("\n"))
        if _is_mark(tokens[max(place - 1, 0) : place + 2]):
            token.content = f"[{token.content}]"
        if token.type == "link_open":
            links.append((clean(str(token.attrs.get("href", ""))), []))
        elif token.type == "link_close":
            yield from _target(*links.pop())
        elif token.type == "image":
            yield _text(token.content)
            yield from _target(clean(str(token.attrs.get("src", ""))), [token.content])
        else:
            for _, shown in links:
                shown.append(token.content)
            yield token


def _is_mark(around: list[Token]) -> bool:
    """Tell whether the middle one is a citation's number that something made a link of."""
    types = [token.type for token in around]
    return types == ["link_open", "text", "link_close"] and around[1].content.isdigit()


def _target(url: str, shown: list[str]) -> Iterator[Token]:
    text = "".join(shown)
    if url and url not in (text, f"mailto:{text}"):
        yield _text(f" ({url})" if text else f"({url})")


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


# --- what is drawn --------------------------------------------------------------------------

_SPACED = {"bullet_list_open", "ordered_list_open", "blockquote_open", "table_open"}


def _rows_within(
    console: Console, options: ConsoleOptions, content: RenderableType, cells: int
) -> list[list[Segment]]:
    """Return rows beside a margin; code runs on over the edge, for the terminal to wrap."""
    inner = options.update(width=max(options.max_width - cells, 1), height=None)
    return list(Segment.split_lines(console.render(content, inner)))


class _Code(CodeBlock):
    """Code as it was written."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in _lines(str(self.text)):
            yield Segment(line, console.get_style(self.style_name))
            yield Segment.line()


class _Heading(Heading):
    """A heading at the left edge, whatever its level."""

    LEVEL_ALIGN: ClassVar = {}


class _Line(HorizontalRule):
    """A line across; blocks around it are parted as others are."""

    new_line = True

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Rule(style="markdown.hr", characters="─")


class _Quote(BlockQuote):
    """A quotation beside a bar."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in _rows_within(console, options, self.elements, 2):
            yield Segment("▌ ", self.style)
            yield from row
            yield Segment.line()


class _List(ListElement):
    """A list whose items do not depend on how many there are."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        first = 1 if self.list_start is None else self.list_start
        for number, item in enumerate(self.items, start=first):
            if self.list_type == "bullet_list_open":
                yield from _item(console, options, item, " • ", "markdown.item.bullet")
            else:
                mark = f"{number} ".rjust(_NUMBER_CELLS)
                yield from _item(console, options, item, mark, "markdown.item.number")


def _item(
    console: Console, options: ConsoleOptions, item: ListItem, mark: str, style: str
) -> RenderResult:
    rows = _rows_within(console, options, item.elements, len(mark))
    for place, row in enumerate(rows or [[]]):
        yield Segment(" " * len(mark) if place else mark, console.get_style(style))
        yield from row
        yield Segment.line()


class _Table(TableElement):
    """A table whose cells are folded, never cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = Table(
            box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, style="markdown.table.border"
        )
        for cell in self.header.row.cells if self.header and self.header.row else ():
            title = cell.content.copy()
            title.stylize("markdown.table.header")
            drawn.add_column(title, overflow="fold")
        for row in self.body.rows if self.body else ():
            drawn.add_row(*(cell.content for cell in row.cells))
        yield drawn


class _Plain(Markdown):
    """One block of a text that was parsed."""

    elements: ClassVar = {
        **Markdown.elements,
        "heading_open": _Heading,
        "code_block": _Code,
        "fence": _Code,
        "hr": _Line,
        "blockquote_open": _Quote,
        "bullet_list_open": _List,
        "ordered_list_open": _List,
        "table_open": _Table,
    }

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = list(tokens)
