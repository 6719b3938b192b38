"""Inputs made to hurt, and what reading and cutting one costs: seconds, memory, what is lost.

Each is a function of the size wanted, in characters; a few have a size of their own.
"""

from __future__ import annotations

import re
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from askmd import chunk, markdown
from askmd.contracts import TokenCounter

Maker = Callable[[int], str]


def again(unit: str, *, before: str = "", after: str = "") -> Maker:
    """Return a maker of one unit over and over."""
    return lambda size: before + unit * (size // len(unit)) + after


def counted(form: str) -> Maker:
    """Return a maker of lines that each hold their own number."""
    return lambda size: "".join(form.format(n) for n in range(size // (len(form) + 2)))


def staircase(step: str, line: str) -> Maker:
    """Return a maker of lines, each one step further in; their size grows with the square."""
    return lambda size: "".join(
        step * depth + line for depth in range(int((2 * size / len(step)) ** 0.5))
    )


def bomb(size: int) -> str:
    """Return YAML whose aliases unfold to gigabytes, then text."""
    names = "abcdefghij"
    lines = [f"{one}: &{one} [{', '.join([f'*{last}'] * 9)}]" for last, one in pairwise(names)]
    head = "\n".join(["---", "a: &a [lol, lol, lol]", *lines, "---"])
    return f"{head}\n\n" + "text\n\n" * (size // 6)


def wide_tables(size: int) -> str:
    table = "|" * 6000 + "\n" + "|-" * 6000 + "\n" + "|" * 6000 + "\n\n"
    return table * max(1, size // len(table))


INPUTS: dict[str, Maker] = {
    # Nesting.
    "quote marks": again(">"),
    "quote marks and blanks": again("> "),
    "quote marks, a line each": again("> > > > > > > > a\n"),
    "lazy lines under deep quotes": again("b\n", before="> " * 28 + "a\n"),
    "often lazy lines under deep quotes": again("> " * 28 + "a\n" + "b\n" * 500),
    "lazy lines under quotes and items": again("b\n", before="> - " * 28 + "a\n"),
    "mixed nesting": again("> - "),
    "mixed nesting of 10,000": lambda size: "> - 1. " * 10_000 + "a\n",
    "items in one line": again("- "),
    "nested lists": staircase("  ", "- a\n"),
    "a list of 300 levels": lambda size: "".join("  " * d + "- a\n" for d in range(300)),
    "quotes one deeper a line": staircase(">", "a\n"),
    "admonitions in admonitions": staircase("    ", "!!! note\n"),
    # Many of one thing.
    "items": again("- a\n"),
    "loose items": again("- a\n\n"),
    "numbered items": counted("{}. a\n"),
    "items with a fence": again("- a\n  ```\n  # b\n  ```\n"),
    "headings": again("# a\n"),
    "headings of their own": counted("## a {}\n"),
    "headings down and up": again("# a\n## b\n### c\n#### d\n##### e\n###### f\n\ntext\n\n"),
    "headings with text": again("# a\n\ntext\n\n"),
    "empty headings": again("#\n"),
    "setext headings": again("a\n=\n"),
    "underlines": again("=\n"),
    "rules": again("---\n"),
    "paragraphs of a letter": again("a\n\n"),
    "blank lines": again("\n", after="a"),
    "lines of blanks": again("   \n", after="a"),
    "quotes": again("> a\n\n"),
    "comments": again("<!-- a -->\n"),
    "link definitions": counted("[a{0}]: /u\n"),
    "the same link definition": again("[a]: /u\n"),
    "footnotes": counted("[^{0}]: a note\n\n"),
    "footnotes, each cited": counted("Text[^{0}].\n\n[^{0}]: a note\n\n"),
    "one long footnote, cited everywhere": lambda size: (
        "Text[^a].\n\n" * (size // 22) + "[^a]: " + "a note " * (size // 14)
    ),
    "one long title, cited everywhere": lambda size: (
        "[a][b]\n\n" * (size // 16) + '[b]: /u "' + "a title " * (size // 16) + '"\n'
    ),
    "footnotes that cite each other": counted("[^{0}]: see [^1] and [^2]\n\n"),
    "wiki links": again("[[a|b]] ![[c]] "),
    "html blocks": again("<div>\n\n"),
    "indented code": again("    a\n"),
    # What opens and never closes.
    "fences that never close": again("```\n~~~\n"),
    "fences, each longer": staircase("`", "\n"),
    "a fence of a megabyte": again("# a\n", before="```sh\n"),
    "containers that never close": again(":::tip\n"),
    "containers, then one end": again(":::tip\n", after=":::\n"),
    "PyMdown blocks that never close": again("/// note\n"),
    "admonitions": again("!!! note\n"),
    "tabs of MkDocs": again('=== "a"\n'),
    "brackets": again("["),
    "closing brackets": again("]"),
    "images": again("!["),
    "wiki openers": again("[[a "),
    "embed openers": again("![["),
    "links that never end": again("[a](b"),
    "stars": again("*"),
    "stars and letters": again("*a **b "),
    "underscores": again("_a "),
    "backticks": again("`"),
    "backticks, each run longer": staircase("`", " "),
    "tildes": again("~"),
    "dollars": again("$$"),
    "equals": again("=="),
    "colons": again(":"),
    "bars": again("|"),
    "backslashes": again("\\"),
    "ampersands": again("&"),
    "entities": again("&amp;"),
    "hashes": again("#"),
    "tag openers": again("<a "),
    "tag openers, a line each": again("<a\n"),
    "tags with open quotes": again('<a b="'),
    "closing tags": again("</a"),
    "comment openers": again("<!--"),
    "comment openers, a line each": again("<!-- a\n\n"),
    "comment closers": again("-->"),
    "CDATA openers": again("<![CDATA["),
    "processing openers": again("<?"),
    "components": again("<Card"),
    "components, a line each": again("<Card>\n"),
    "expressions of MDX": again("{"),
    "comments of MDX": again("{/*"),
    "Liquid": again("{%"),
    "Liquid blocks": again("{% if a %}\n"),
    "raw Liquid": again("{% raw %}\n"),
    "Hugo": again("{{<"),
    "Hugo blocks": again("{{% note %}}\n"),
    "comments of Obsidian": again("%%"),
    "comments of Obsidian, a line each": again("%%\na\n\n", after="%%"),
    "autolinks": again("<https://"),
    "titles that never end": again('[a]: /u "\n'),
    "a title of a megabyte": again("x\n", before='[a]: /u "', after='"\n'),
    "attributes": again("# a {#b\n"),
    "attributes in one line": again(" {#b}", before="# a"),
    # Lines and words.
    "one line of words": again("word "),
    "one word": again("a"),
    "one number": again("7"),
    "a long heading": again("word ", before="# "),
    "a heading of blanks": again(" ", before="# ", after="x"),
    "dots": again("."),
    "dots and blanks": again(". "),
    "abbreviations": again("e.g. "),
    "short sentences": again("A b. "),
    "tabulators": again("\t", after="a"),
    "one line in a fence": again("a b ", before="```\n", after="\n```\n"),
    "base64 image": again("QUJD", before="![a](data:image/png;base64,", after=")\n"),
    "base64 in many images": again("![a](data:image/png;base64," + "QUJD" * 30 + ")\n\n"),
    "base64 line": again("iVBORw0KGgo"),
    # Tables.
    "wide tables": wide_tables,
    "a table of many rows": again("| 1 | 2 |\n", before="| a | b |\n|---|---|\n"),
    "a table of 10,000 columns": lambda size: (
        "| a " * 10_000 + "|\n" + "|---" * 10_000 + "|\n" + "| 1 " * 10_000 + "|\n"
    ),
    "tables": again("| a |\n|---|\n| 1 |\n\n"),
    "delimiter rows": again("|-|\n"),
    "a delimiter row of blanks": again(" ", before="a|b\n-|-", after="x"),
    # Front matter.
    "an alias bomb": bomb,
    "front matter that never closes": again("a: b\n", before="---\n"),
    "front matter of brackets": again("text\n", before=f"---\na: {'[' * 60_000}\n---\n"),
    "front matter of dotted keys": again("text\n", before=f"+++\n{'a.' * 30_000}b=1\n+++\n"),
    # Characters.
    "Chinese without marks": again("服务器配置需要重新启动"),
    "Chinese sentences": again("服务器需要重新启动。"),
    "Thai": again("การติดตั้งเซิร์ฟเวอร์"),
    "families of emoji": again("👩\u200d👩\u200d👧\u200d👦"),
    "joiners": again("\u200d"),
    "combining marks": again("\u0301", before="e"),
    "marks of direction": again("\u202e\u202c\u200f"),
    "line separators": again("\u2028"),
    "form feeds": again("a\x0c"),
    "NUL": again("\0"),
    "carriage returns": again("a\r"),
    "lone surrogates": again("\ud800"),
    "capitals that grow": again("\u0130"),
    "ligatures that grow": again("\ufdfa"),
    "headings of emoji": again("# 👍🏽\n"),
}
FULL = {"base64 image": 10_000_000}
"""Sizes of the long tier other than a megabyte."""
REFUSAL = re.compile(
    r"it holds [\d,]+ blocks of \d+ characters on average, which is no text; exclude it"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one input took."""

    megabytes: float
    """Of the text as UTF-8."""
    seconds: float
    """Of processor time, for reading and cutting."""
    grown: float
    """Megabytes by which the process's peak memory grew, the text itself inside."""
    chunks: int
    faults: tuple[str, ...]

    @property
    def most_seconds(self) -> float:
        return 3 + 2 * self.megabytes

    @property
    def most_grown(self) -> float:
        return 150 + 20 * self.megabytes

    @property
    def is_bearable(self) -> bool:
        return self.seconds <= self.most_seconds and self.grown <= self.most_grown


def measured(name: str, size: int, counter: TokenCounter, bound: int = 256) -> Cost:
    """Return what an input costs; meant for a process of its own, which ends it if it hangs.

    An input that ``parse`` refuses and tells why has no chunks, and no fault for that.
    """
    from fuzzing import NAME, faults

    counter.count(["warm"])
    markdown.parse("warm")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = INPUTS[name](size)
    megabytes = len(text.encode("utf-8", "surrogatepass")) / 1e6
    signal.alarm(int(10 * (3 + 2 * megabytes)))
    started = time.process_time()
    try:
        chunks = chunk.split(NAME, text, markdown.parse(text), counter, max_tokens=bound)
        found = None
    except ValueError as error:
        chunks, found = [], [] if REFUSAL.fullmatch(str(error)) else [str(error)]
    seconds = time.process_time() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    signal.alarm(0)
    if found is None:
        found = faults(text, chunks, counter, bound)
    return Cost(megabytes, seconds, grown, len(chunks), tuple(found[:5]))
