"""Generated Markdown that knows its own headings: an oracle by construction.

A document is front matter and parts. Each part ends in a blank line and closes what it opens, so
that whatever stands above or below, its headings are its headings: parts can be left out one by
one to shrink a document that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading at top level, its lines counted from 1 at the top of the whole text."""

    lines: tuple[int, int]
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines, a blank one at their end; its headings' lines count from 1 in the part."""

    text: str
    headings: tuple[Heading, ...] = ()
    title: str = ""
    """What front matter calls the document."""


LATIN = [
    "alpha", "beta", "gamma", "delta", "install", "server", "table", "upgrade", "query", "vector",
    "index", "rotate", "key", "value", "naïve", "café", "Übergröße", "don't", "well-known", "e.g.",
    "3.14", "Dr.", "don\u2019t",
]  # fmt: skip
OTHER = [
    "服务器配置需要重新启动。安装前请检查版本\uff01",
    "データベースを再起動してください。次に進みます。",
    "การติดตั้งเซิร์ฟเวอร์ต้องใช้สิทธิ์ผู้ดูแลระบบ",
    "يجب إعادة تشغيل الخادم",
    "переустановка сервера",
    "서버를 다시 시작하십시오",
    "👩‍👩‍👧‍👦🏳️‍🌈👍🏽",
    "e\u0301\u0323o\u0308\u0304",
    "\u202b\u05e9\u05dc\u05d5\u05dd\u202c\u200f",
    "𝒳𝒴𝒵𠜎𠜱",
]
INLINE = [
    "`# code`", "*stress*", "**strong**", "[link](https://example.org/a#b)", "![alt](pic.png)",
    "[[Note#Head|alias]]", "![[embed.png]]", "#hashtag", "[^1]", "[label][ref]", "{{ page.title }}",
    "{% raw %}", "<kbd>x</kbd>", "<https://example.org>", "$x_1$", "a|b", "~~gone~~", "==mark==",
    ":smile:", "&amp;", "\\*", "<|endoftext|>", "%%aside%%", "{{< ref page >}}", "\u2028", "\u00a0",
]  # fmt: skip
HASHES = ["# no", "## no", "#!/bin/sh", "###### no ######", "Under\n---", "Under\n==="]
BASE64 = "iVBORw0KGgoAAAANSUhEUgAAAAUA" * 12


def words(random: Random, least: int = 1, most: int = 12) -> str:
    """Return plain words on one line; the first letter is a letter."""
    chosen = [random.choice(LATIN[:12])]
    for _ in range(random.randint(least, most) - 1):
        kind = random.random()
        pool = LATIN if kind < 0.8 else OTHER if kind < 0.9 else INLINE
        chosen.append(random.choice(pool) + random.choice(["", "", "", ".", "?", ","]))
    return " ".join(chosen)


def paragraph(random: Random) -> str:
    """Return lines of text, none of which starts anything."""
    lines = [words(random, 1, 14) for _ in range(random.randint(1, 4))]
    kind = random.random()
    if kind < 0.05:
        lines.append("x" * random.randint(20, 400))
    elif kind < 0.1:
        lines.append("".join(random.choices(OTHER, k=random.randint(1, 8))))
    elif kind < 0.13:
        lines.append(f"Image ![a chart](data:image/png;base64,{BASE64})")
    elif kind < 0.16:
        lines.append(random.choice(["#hashtag first", "####### seven", "    # indented inside"]))
    return "\n".join(lines)


def title(random: Random) -> tuple[str, str]:
    """Return a heading's source and its text."""
    if random.random() < 0.12:
        text = random.choice(OTHER[:6])
        return text, text
    plain = [random.choice(LATIN[:12]) for _ in range(random.randint(1, 4))]
    source = list(plain)
    if random.random() < 0.2:
        at = random.randrange(len(plain))
        frame = random.choice(["`{}`", "*{}*", "**{}**", "[{}](https://example.org)", "\\*{}"])
        source[at] = frame.format(plain[at])
        plain[at] = "*" + plain[at] if frame.startswith("\\") else plain[at]
    if random.random() < 0.05:
        source.append("{#an-id}")
    return " ".join(source), " ".join(plain)


def atx(random: Random) -> Part:
    """An ATX heading, sometimes right under a paragraph or right above one."""
    source, text = title(random)
    level = random.choice([1, 1, 2, 2, 2, 3, 3, 4, 5, 6])
    closing = "" if "{" in source else random.choice(["", "", "", " " + "#" * level, "   "])
    before = random.choice(["", "", paragraph(random) + "\n"])
    # Indentation could put it into a list above; a paragraph of its own keeps it out.
    blanks = " " * random.randint(0, 3) if before else ""
    after = random.choice(["", "", paragraph(random) + "\n", "```sh\n# no\n```\n"])
    line = before.count("\n") + 1
    heading = Heading((line, line), level, text)
    return Part(f"{before}{blanks}{'#' * level} {source}{closing}\n{after}\n", (heading,))


def setext(random: Random) -> Part:
    """A setext heading of one line or two."""
    source, text = title(random)
    level = random.choice([1, 2])
    more = random.random() < 0.2
    if more:
        source = source.removesuffix(" {#an-id}")
        second = " ".join(random.choices(LATIN[:12], k=3))
        source, text = f"{source}\n{second}", f"{text} {second}"
    underline = random.choice(["", " ", "   "]) + "=-"[level - 1] * random.randint(2, 12)
    after = random.choice(["", "", paragraph(random) + "\n"])
    heading = Heading((1, 2 + more), level, text)
    return Part(f"{source}\n{underline}{random.choice(['', '  '])}\n{after}\n", (heading,))


def code(random: Random) -> str:
    lines = random.choices([*HASHES, "x = 1", "", "\tindented", "- item", "| a |", "<!--", ":::"],
                           k=random.randint(1, 12))  # fmt: skip
    return "\n".join(lines)


def fence(random: Random) -> str:
    mark = random.choice(["```", "~~~", "````", "~~~~~"])
    info = random.choice(["", "sh", "python title=x", "{.rust}", "mermaid"])
    inner = random.choice(["", f"\n{mark[:3]}\n# no\n{mark[:3]}" if len(mark) > 3 else ""])
    return f"{mark}{info}\n{code(random)}{inner}\n{mark}"


def indented(text: str, blanks: int) -> str:
    return "\n".join(" " * blanks + line if line else line for line in text.split("\n"))


def bullets(random: Random, depth: int = 0) -> str:
    """Items, some of several blocks, some with items in them, three deep."""
    numbered = random.random() < 0.3
    items = []
    for number in range(random.randint(1, 5)):
        mark = f"{number + 1}. " if numbered else "- "
        inside = [random.choice([words(random), words(random), "# no", "[ ] task", "`x`"])]
        kind = random.random()
        if kind < 0.15:
            inside.append("\n" + fence(random))
        elif kind < 0.3 and depth < 2:
            inside.append(bullets(random, depth + 1))
        elif kind < 0.4:
            inside.append("\n## no\n\n" + paragraph(random))
        items.append(mark + indented("\n".join(inside), len(mark))[len(mark) :])
    return random.choice(["\n", "\n", "\n\n"]).join(items)


def quote(random: Random) -> str:
    inside = random.choice([paragraph, fence, bullets, hidden])(random)
    kind = random.choice(["", "", "[!NOTE]\n", "[!tip]- Folded title\n"])
    return "\n".join(f"> {line}".rstrip() for line in (kind + inside).split("\n"))


def hidden(random: Random) -> str:
    return f"# no\n\n{words(random)}\n\n## no"


def table(random: Random) -> str:
    width = random.randint(1, 6)
    rows = [[random.choice([*LATIN, *OTHER, "`a`", ""]) for _ in range(width)]
            for _ in range(random.choice([0, 1, 3, 40]))]  # fmt: skip
    marks = [random.choice(["---", ":--", "--:", ":-:"]) for _ in range(width)]
    head = [random.choice(LATIN[:12]) for _ in range(width)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, marks, *rows])


def container(random: Random) -> str:
    kind = random.choice(["tip", "note", "{.warning}", "warning Title"])
    mark = random.choice([":::", "::::"])
    inner = random.choice(["", "\n\n:::info\n# no\n:::" if len(mark) > 3 else ""])
    return f"{mark}{kind}\n{hidden(random)}{inner}\n{mark}"


def pymdown(random: Random) -> str:
    return f"/// {random.choice(['note', 'tab | Linux', 'details'])}\n{hidden(random)}\n///"


def mkdocs(random: Random) -> str:
    opener = random.choice(['!!! note "Title"', "!!! tip", "??? danger", "???+ note", '=== "Tab"'])
    return f"{opener}\n{indented(hidden(random), 4)}"


def html(random: Random) -> str:
    return random.choice(
        [
            "<!--\n# no\n\n## no\n-->",
            f"<!-- {words(random)} -->",
            "<div>\n# no\n</div>",
            "<pre>\n# no\n\n# no\n</pre>",
            "<script>\n# no\n\n# no\n</script>",
            f"<details>\n<summary>{words(random)}</summary>\n\n{paragraph(random)}\n\n</details>",
            '<a name="here"></a>',
            f"<table><tr><td>{words(random)}</td></tr></table>",
            f'<img src="data:image/png;base64,{BASE64}">',
        ]
    )


def sites(random: Random) -> str:
    """What publishers of documentation write among the text; no ``#`` line stands in it."""
    return random.choice(
        [
            "import Tabs from '@theme/Tabs';",
            "export const size = {\n  a: 1,\n};",
            f'<Card title="{random.choice(LATIN[:12])}">\n{words(random)}\n</Card>',
            f"<Tabs>\n<TabItem>\n\n{paragraph(random)}\n\n</TabItem>\n</Tabs>",
            "{% include note.html %}",
            f"{{% highlight ruby %}}\n{words(random)}\n{{% endhighlight %}}",
            '{{< figure src="a.png" >}}',
            f"{{{{% notice %}}}}\n{words(random)}\n{{{{% /notice %}}}}",
            f"%% {words(random)} %%",
            f"![[Note#{random.choice(LATIN[:12])}]]",
            f"{words(random)} ^block-id",
            "$$\nx = 1\n$$",
            "[TOC]",
            "{/* a comment */}",
        ]
    )


def definitions(random: Random) -> str:
    return random.choice(
        [
            "[^1]: A note.\n\n    More of it.\n\n    # no",
            f"[^long-label]: {words(random)}\n    {words(random)}",
            '[ref]: https://example.org "Title"',
            "[ref]: <a b>\n[other]: /url 'Title'",
            "*[HTML]: Hyper Text Markup Language",
            "Term\n: Its definition",
        ]
    )


def indented_code(random: Random) -> str:
    return f"{words(random)}\n\n{indented(code(random), 4)}"


def rule(random: Random) -> str:
    # A rule that opens a document may open front matter: text stands above it.
    return f"{words(random)}\n\n{random.choice(['---', '***', '___', '- - -', '* * * *'])}"


BLOCKS: tuple[Callable[[Random], str], ...] = (
    paragraph, paragraph, paragraph, fence, fence, bullets, bullets, quote, table, container,
    pymdown, mkdocs, html, html, sites, definitions, indented_code, rule,
)  # fmt: skip


def front_matter(random: Random) -> Part:
    """Front matter of one of the common kinds, or none."""
    name = " ".join(random.choices(LATIN[:12], k=2))
    return random.choice(
        [
            Part(""),
            Part(f"---\n# comment\ntitle: {name}\ntags: [a, b]\n---\n\n", title=name),
            Part(f'---\ntitle: "{name}"\n---\n', title=name),
            Part("---\ndate: 2024-01-02\ndescription: >\n  # no\n  more\n---\n\n"),
            Part(f'+++\n# comment\ntitle = "{name}"\n[extra]\nweight = 3\n+++\n\n', title=name),
            Part("---\n---\n"),
        ]
    )


def parts(random: Random) -> list[Part]:
    """Return a document's parts, the front matter first."""
    found = [front_matter(random)]
    for _ in range(random.choice([1, 3, 6, 12, 24])):
        kind = random.random()
        if kind < 0.3:
            found.append(atx(random))
        elif kind < 0.4:
            found.append(setext(random))
        else:
            found.append(Part(random.choice(BLOCKS)(random) + random.choice(["\n\n", "\n \n\n"])))
    return found


def joined(found: Sequence[Part]) -> tuple[str, list[Heading], str]:
    """Return a document of parts: its text, its headings where they stand, its title."""
    headings: list[Heading] = []
    line = 0
    for part in found:
        for head in part.headings:
            first, last = head.lines
            headings.append(Heading((line + first, line + last), head.level, head.text))
        line += part.text.count("\n")
    return "".join(part.text for part in found), headings, found[0].title if found else ""
