"""Where a citation leads, and that no document can lead it elsewhere."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import unquote, urlsplit

import pytest

from askmd.errors import ConfigError
from askmd.links import SCHEMES, check_template, file_url, url
from askmd.markdown import parse
from askmd.types import Anchors, Passage

ANCHORS = Anchors("the-key", "the-key_1", "the-key-1")
PLACE = Passage(
    1,
    "guides/keys.md",
    ("Guides", "The key"),
    "own-id",
    (3, 9),
    (0, 3),
    ("c",),
    0.5,
    "Key",
    ANCHORS,
)
FILE = PurePosixPath("/home/me/docs/guides/keys.md")


def link(template: str, path: str = "guides/keys.md", **options: object) -> str:
    return url(template, replace(PLACE, path=path), file=FILE, **options)  # type: ignore[arg-type]


def page(path: str, program: str, **metadata: object) -> str:
    filled = link("https://x.org/{page}", path, anchors=program, metadata=metadata)
    return unquote(filled.removeprefix("https://x.org/"))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("vscode://file{file}:{first}", "vscode://file/home/me/docs/guides/keys.md:3"),
        ("idea://open?file={file}&line={first}", "idea://open?file=/home/me/docs/guides/keys.md&line=3"),
        (
            "https://github.com/me/docs/blob/main/{path}#L{first}-L{last}",
            "https://github.com/me/docs/blob/main/guides/keys.md#L3-L9",
        ),
        ("https://x.org/{page}/#{anchor}", "https://x.org/guides/keys/#the-key"),
        ("https://x.org/{page}.html#{anchor}", "https://x.org/guides/keys.html#the-key"),
        ("https://x.org/?q={heading}", "https://x.org/?q=The%20key"),
        ("file://{file}", "file:///home/me/docs/guides/keys.md"),
    ],
    ids=["editor", "query", "github", "site", "html", "heading", "file"],
)  # fmt: skip
def test_a_template_is_filled(template: str, expected: str):
    assert link(template) == expected


@pytest.mark.parametrize(
    ("program", "anchor"),
    [("github", "the-key"), ("mkdocs", "the-key_1"), ("docusaurus", "the-key-1")],
)
def test_the_anchor_is_the_one_its_program_makes(program: str, anchor: str):
    assert link("https://x.org/#{anchor}", anchors=program) == f"https://x.org/#{anchor}"


def test_an_index_that_knows_no_program_s_anchors_gives_its_own():
    old = replace(PLACE, anchors=Anchors())
    assert url("https://x.org/#{anchor}", old, file=FILE, anchors="mkdocs").endswith("/#own-id")


@pytest.mark.parametrize(
    ("path", "template", "expected"),
    [
        ("index.md", "https://x.org/{page}/#{anchor}", "https://x.org/"),
        ("index.md", "https://x.org/docs/{page}/#{anchor}", "https://x.org/docs/"),
        ("a/README.md", "https://x.org/{page}/#{anchor}", "https://x.org/a/"),
        ("a/README.md", "https://x.org/{page}.html#{anchor}", "https://x.org/a/index.html"),
        ("README.md", "https://x.org/{page}.html", "https://x.org/index.html"),
        ("a/b.md", "https://x.org/{page}#{anchor}", "https://x.org/a/b"),
    ],
)
def test_without_an_anchor_and_a_page_nothing_dangles(path: str, template: str, expected: str):
    place = replace(PLACE, path=path, anchors=Anchors(), anchor="")
    assert url(template, place, file=FILE) == expected


@pytest.mark.parametrize(
    ("path", "metadata", "expected"),
    [
        ("guides/my-page.md", {}, "guides/my-page"),
        ("guides/_index.md", {}, "guides"),
        ("guides/_index.md", {"slug": "no"}, "guides"),
        ("posts/bundle/index.md", {}, "posts/bundle"),
        ("posts/bundle/index.md", {"slug": "first"}, "posts/first"),
        ("posts/post-1.md", {"slug": "my-first-post"}, "posts/my-first-post"),
        ("posts/post-1.md", {"slug": 2024}, "posts/2024"),
        ("posts/post-1.md", {"slug": True}, "posts/post-1"),
        ("posts/post-1.md", {"slug": "/top"}, "top"),
        ("posts/post-1.md", {"url": "/else/where/"}, "else/where"),
        ("posts/post-1.md", {"url": "else/where"}, "else/where"),
        ("posts/post-1.md", {"url": "/:year/:slug/"}, "posts/post-1"),
        ("posts/post-1.md", {"slug": "../../../up"}, "up"),
        ("README.md", {}, ""),
    ],
)
def test_a_page_of_hugo_stands_where_its_front_matter_says(path, metadata, expected):
    assert page(path, "github", **metadata) == expected


@pytest.mark.parametrize(
    ("path", "metadata", "expected"),
    [
        ("dir/doc.md", {}, "dir/doc"),
        ("01-dir/02-doc.md", {}, "dir/doc"),
        ("01-dir/02-doc.md", {"parse_number_prefixes": False}, "01-dir/02-doc"),
        ("3-API/01_Core APIs/0 --- Client API.md", {}, "API/Core APIs/Client API"),
        ("releases/7.0-notes.md", {}, "releases/7.0-notes"),
        ("blog/2021-11-24-foo.md", {}, "blog/2021-11-24-foo"),
        ("01-dir/02-doc.md", {"id": "named"}, "dir/named"),
        ("01-dir/02-doc.md", {"slug": "/abs"}, "abs"),
        ("01-dir/02-doc.md", {"slug": "rel", "id": "named"}, "dir/rel"),
        ("a/b/doc.md", {"slug": "./here"}, "a/b/here"),
        ("a/b/doc.md", {"slug": "../there"}, "a/there"),
        ("a/b/doc.md", {"slug": "../../../../out"}, "out"),
        ("a/inDEx.mdx", {}, "a"),
        ("a/readme.md", {"id": "named"}, "a"),
        ("a/Guides/guides.md", {}, "a/Guides"),
        ("a/index.md", {"slug": "other"}, "a/other"),
        ("doc.md", {"slug": "/"}, ""),
    ],
)
def test_a_page_of_docusaurus_loses_its_number_and_follows_its_slug(path, metadata, expected):
    assert page(path, "docusaurus", **metadata) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.md", ""),
        ("a/README.md", "a"),
        ("a/readme.md", "a/readme"),
        ("a/Index.md", "a/Index"),
        ("a/_index.md", "a/_index"),
        ("01-x.md", "01-x"),
    ],
)
def test_a_page_of_mkdocs_is_its_path_whatever_its_front_matter_says(path: str, expected: str):
    assert page(path, "mkdocs", slug="/elsewhere", url="/elsewhere", id="x") == expected


@pytest.mark.shared
def test_a_real_page_of_fastapi_and_one_of_the_rust_book_are_where_the_world_knows_them(
    shared: Path,
):
    fastapi = shared / "corpora/fastapi/docs/en/docs"
    book = shared / "corpora/rustbook/src"
    found = [
        _published(fastapi, "tutorial/first-steps.md", "Step 1", "mkdocs", "https://f.org/{page}/#{anchor}"),
        _published(fastapi, "tutorial/index.md", "", "mkdocs", "https://f.org/{page}/#{anchor}"),
        _published(book, "ch04-01-what-is-ownership.md", "Ownership Rules", "github", "https://b.org/{page}.html#{anchor}"),
    ]  # fmt: skip
    assert found == [
        "https://f.org/tutorial/first-steps/#step-1-import-fastapi",
        "https://f.org/tutorial/",
        "https://b.org/ch04-01-what-is-ownership.html#ownership-rules",
    ]


def _published(root: Path, path: str, heading: str, program: str, template: str) -> str:
    sections = parse((root / path).read_text(encoding="utf-8")).sections
    anchors = [one.anchors for one in sections if heading and heading in " > ".join(one.path)]
    place = replace(PLACE, path=path, anchor="", anchors=anchors[0] if anchors else Anchors())
    return url(template, place, file=root / path, anchors=program)


HOSTILE = "a\x1b]8;;\x07b\x9c\u202e &?#=%2e{file}\n<'\"`$()\\é中\udcff\ud800.md"


@pytest.mark.parametrize(
    "template",
    [
        "https://x.org/{page}/#{anchor}",
        "https://x.org/{path}?h={heading}&l={first}",
        "vscode://file{file}:{first}",
        "file://{file}",
    ],
)
def test_nothing_of_a_hostile_name_breaks_out_of_its_link(template: str):
    anchors = Anchors(HOSTILE, HOSTILE, HOSTILE)
    plain = Anchors("A", "A", "A")
    hostile = replace(PLACE, path=HOSTILE, heading=(HOSTILE,), anchors=anchors)
    filled = url(template, hostile, file=PurePosixPath("/") / HOSTILE)
    harmless = replace(PLACE, path="P.md", heading=("H",), anchors=plain)
    expected = urlsplit(url(template, harmless, file=PurePosixPath("/P.md")))

    assert filled.isascii() and filled.isprintable() and " " not in filled
    parts = urlsplit(filled)
    assert (parts.scheme, parts.netloc) == (expected.scheme, expected.netloc)
    for mark in "&=?#/":
        assert filled.count(mark) == expected.geturl().count(mark)


def test_a_slug_cannot_name_another_host():
    slugs = ["//evil.org/x", "/\\evil.org", "https://evil.org", "@evil.org", "../../..//evil.org"]
    found = [link("https://x.org/{page}", metadata={"slug": slug}) for slug in slugs]
    assert {urlsplit(one).hostname for one in found} == {"x.org"}


def test_a_file_s_link_knows_drives_shares_and_bytes_that_are_no_text():
    found = [
        file_url(PurePosixPath("/docs/a b#c.md"), 12),
        file_url(PurePosixPath("/docs/a:b.md")),
        file_url(PurePosixPath("/docs/\udcff.md")),
        file_url(PureWindowsPath("C:\\My docs\\a.md"), 2),
        url("vscode://file{file}:{first}", PLACE, file=PureWindowsPath("C:\\docs\\a.md")),
    ]
    assert found == [
        "file:///docs/a%20b%23c.md#12",
        "file:///docs/a%3Ab.md",
        "file:///docs/%FF.md",
        "file:///C:/My%20docs/a.md#2",
        "vscode://file/C:/docs/a.md:3",
    ]


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("https://x.org/{pth}", "did you mean path?"),
        ("https://x.org/{}", "unknown ''"),
        ("https://x.org/{file!r}", "did you mean file?"),
        ("https://x.org/{path", "a brace without its other one"),
        ("https://x.org/}{path}", "a brace without its other one"),
        ("docs/{path}", "says not what opens it"),
        ("{path}", "says not what opens it"),
        ("", "says not what opens it"),
        ("javascript:alert({first})", "unknown 'javascript'"),
        ("data:text/html,{path}", "unknown 'data'"),
        ("vbscript:x", "unknown 'vbscript'"),
        ("ssh://{path}", "unknown 'ssh'"),
        ("vscod://file{file}", "did you mean vscode?"),
        ("https://{path}", "names no host of its own"),
        ("https://x.org{path}", "names no host of its own"),
        ("https://me:secret@x.org/{path}", "names no host of its own"),
        ("https:/{path}", "names no host of its own"),
        ("file://{path}", "may lead off this machine"),
        ("file:////{path}", "may lead off this machine"),
        ("file://server/{path}", "may lead off this machine"),
    ],
)
def test_a_template_nobody_should_follow_is_refused_with_what_to_write(template: str, said: str):
    with pytest.raises(ConfigError) as error:
        check_template(template)
    assert said in str(error.value)
    with pytest.raises(ConfigError):
        link(template)


def test_every_editor_of_the_list_can_be_linked_to():
    editors = [one for one in SCHEMES if one not in ("http", "https", "file")]
    assert [link(f"{one}://open?f={{path}}") for one in editors] == [
        f"{one}://open?f=guides/keys.md" for one in editors
    ]


def test_a_template_s_own_odd_characters_are_encoded():
    assert link("https://x.org/ü \x1b/{path}") == "https://x.org/%C3%BC%20%1B/guides/keys.md"


def test_a_name_of_hundreds_of_thousands_of_characters_is_linked_to_in_no_time():
    started = time.perf_counter()
    for text in ("0-" * 100_000, "0 " * 100_000, "../" * 60_000, "{" * 200_000):
        for program in ("github", "mkdocs", "docusaurus"):
            link("https://x.org/{page}", f"{text}.md", anchors=program, metadata={"slug": text})
            link("https://x.org/{page}", f"{text}.md", anchors=program)
    assert time.perf_counter() - started < 30
