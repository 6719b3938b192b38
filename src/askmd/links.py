"""Where a citation leads: a URL from a template, out of which nothing of a document can break.

The page and the anchor are those that the program which publishes the documents makes:

- mkdocs: https://www.mkdocs.org/user-guide/writing-your-docs/, which reads no front matter for it
- docusaurus: https://docusaurus.io/docs/create-doc; number prefixes, ``id`` and ``slug``
- github, for all others: https://gohugo.io/content-management/urls/; ``url`` and ``slug``
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePath
from typing import Protocol
from urllib.parse import quote

from askmd.config import unknown
from askmd.errors import ConfigError
from askmd.types import Anchors, Lines

SCHEMES = (
    "http", "https", "file",
    "vscode", "vscode-insiders", "vscodium", "cursor", "windsurf", "zed", "positron",
    "idea", "pycharm", "webstorm", "phpstorm", "rubymine", "goland", "clion", "rider", "jetbrains",
    "txmt", "mvim", "subl", "sublime", "emacs", "org-protocol", "nvim", "kate", "nova", "bbedit",
    "x-bbedit", "obsidian", "logseq",
)  # fmt: skip
"""What a link may be opened by: a browser, the desktop, or an editor."""
PLACEHOLDERS = ("file", "path", "page", "anchor", "first", "last", "heading")

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_SITE = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#]|$)", re.IGNORECASE)
_LOCAL_FILE = re.compile(r"file:(?:///(?!/)|//localhost/|//\{file\}|\{file\})", re.IGNORECASE)
_KEPT_IN_TEMPLATES = "/:?#[]@!$&'()*+,;=%~"
_DATED = re.compile(r"\d+[-_.]\d+", re.ASCII)
"""Docusaurus leaves dates and versions alone: https://github.com/facebook/docusaurus/issues/4640"""
_PREFIXED = re.compile(r"\d+\s*+[-_.]++\s*+([^-_.\s].*)", re.ASCII | re.DOTALL)


class Linked(Protocol):
    """What a link can be made to: a citation, a passage, a hit."""

    @property
    def path(self) -> str:
        """The document, relative to the root, with ``/``."""

    @property
    def heading(self) -> tuple[str, ...]:
        """The heading path."""

    @property
    def anchor(self) -> str:
        """The heading's explicit id, else GitHub's."""

    @property
    def anchors(self) -> Anchors:
        """The heading's id as each program makes it; all empty in an index that knows none."""

    @property
    def lines(self) -> Lines:
        """First and last line."""


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a document is published, below the site's root, without slashes around it."""

    path: str
    is_folder: bool = False


def url(
    template: str,
    place: Linked,
    *,
    file: PurePath,
    anchors: str = "github",
    metadata: Mapping[str, object] | None = None,
) -> str:
    """Return the link to a place, in printable ASCII: the template with its placeholders filled.

    file: the document's absolute path. anchors: who publishes it: github, mkdocs or docusaurus.
    metadata: its front matter. Raises ConfigError for a template that nobody could follow.
    """
    literals, names = _parsed(template)
    page = page_of(place.path, anchors, metadata or {})
    filled = {
        "file": _file_path(file),
        "path": _encoded(place.path, keep="/"),
        "anchor": _encoded(_anchor(place, anchors)),
        "first": str(place.lines[0]),
        "last": str(place.lines[1]),
        "heading": _encoded(place.heading[-1] if place.heading else ""),
    }
    text = literals[0]
    for name, literal in zip(names, literals[1:], strict=True):
        if name == "page":
            text = _with_page(text, page, literal)
        else:
            text += filled[name] + literal
    # Values hold no bare "#": the last one is the template's, and its anchor is empty.
    return text.removesuffix("#")


def file_url(file: PurePath, line: int = 1) -> str:
    """Return the link to a file on this machine; a terminal that opens lines reads the fragment."""
    return f"file://{_file_path(file)}" + (f"#{line}" if line > 1 else "")


def check_template(template: str) -> None:
    """Raise ConfigError for a template that ``url`` would not fill."""
    _parsed(template)


def page_of(path: str, program: str, metadata: Mapping[str, object]) -> _Page:
    """Return where a document is published: its path without suffix, or what it says itself."""
    folders = path.split("/")
    stem = posixpath.splitext(folders.pop())[0]
    if program == "docusaurus":
        return _docusaurus(folders, stem, metadata)
    if program == "mkdocs":
        return _joined(folders, "" if stem in ("index", "README") else stem)
    return _hugo(folders, stem, metadata)


def _docusaurus(folders: list[str], stem: str, metadata: Mapping[str, object]) -> _Page:
    strip = str if metadata.get("parse_number_prefixes") is False else _unprefixed
    slug, id = _said(metadata, "slug"), _said(metadata, "id")
    # Also a file that is called as its folder is.
    is_index = stem.casefold() in ("index", "readme", *(one.casefold() for one in folders[-1:]))
    name = slug or ("" if is_index else id or strip(stem))
    return _joined([strip(one) for one in folders], name)


def _hugo(folders: list[str], stem: str, metadata: Mapping[str, object]) -> _Page:
    address, slug = _said(metadata, "url"), _said(metadata, "slug")
    # A colon begins what only Hugo can fill in, such as :year.
    if address and ":" not in address:
        return _joined([], address)
    is_index = stem.casefold() in ("index", "_index", "readme")
    if not slug or stem == "_index":
        return _joined(folders, "" if is_index else stem)
    # A page in a folder of its own is called after the folder.
    return _joined(folders[:-1] if is_index else folders, slug)


def _joined(folders: list[str], name: str) -> _Page:
    """Return the page of that name, which may climb or start anew, but never leave the site."""
    joined = posixpath.normpath(posixpath.join("/", *folders, name))
    return _Page(joined.strip("/"), is_folder=not name or name.endswith("/"))


def _unprefixed(name: str) -> str:
    """Return a name without Docusaurus' number prefix: ``01-intro`` is ``intro``."""
    found = None if _DATED.match(name) else _PREFIXED.fullmatch(name)
    return found[1] if found else name


def _said(metadata: Mapping[str, object], key: str) -> str:
    """Return what front matter says under a key, as text; empty where it says nothing of use."""
    value = metadata.get(key)
    is_said = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if is_said else ""


def _with_page(before: str, page: _Page, after: str) -> str:
    """Return a page between what stands before and after it in the template."""
    path = page.path
    if page.is_folder and after.startswith((".html", ".htm")):
        path = f"{path}/index".lstrip("/")
    elif path.endswith((".html", ".htm")):
        after = re.sub(r"^(?:/|\.html?)", "", after)
    elif not path and before.endswith("/"):
        after = after.removeprefix("/")
    return before + _encoded(path, keep="/") + after


def _anchor(place: Linked, program: str) -> str:
    """Return the heading's id as a program makes it; GitHub's in an index that knows no other."""
    known = place.anchors
    wanted = {"mkdocs": known.mkdocs, "docusaurus": known.docusaurus}.get(program, known.github)
    return place.anchor if known == Anchors() else wanted


def _file_path(file: PurePath) -> str:
    """Return an absolute path as a URL has it: ``/home/me/a.md``, ``/C:/docs/a.md``."""
    drive = file.drive if file.drive.endswith(":") else ""
    rest = _encoded(file.as_posix().removeprefix(drive), keep="/")
    return f"/{drive}{rest}" if drive else rest


def _encoded(text: str, *, keep: str = "") -> str:
    """Return text percent-encoded: letters, digits, ``-._~`` and ``keep`` are all that is left."""
    try:
        # How Python holds a file name's bytes that are no UTF-8.
        return quote(text, safe=keep, errors="surrogateescape")
    except UnicodeEncodeError:
        return quote(text, safe=keep, errors="replace")


@lru_cache(maxsize=64)
def _parsed(template: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a template's literal parts, encoded, and the placeholders between them.

    Raises ConfigError for what is no template of a link.
    """
    ends = [(0, 0), *(found.span() for found in _PLACEHOLDER.finditer(template))]
    literals = [template[last:first] for (_, last), (first, _) in pairwise(ends)]
    literals.append(template[ends[-1][1] :])
    names = tuple(_PLACEHOLDER.findall(template))
    for name in names:
        if name not in PLACEHOLDERS:
            raise unknown(name, list(PLACEHOLDERS), f"the link template {template!r}")
    if any("{" in literal or "}" in literal for literal in literals):
        step = f"write {{path}}; known are: {', '.join(PLACEHOLDERS)}"
        raise ConfigError(f"the link template {template!r} has a brace without its other one", step)
    _check_target(template)
    return tuple(_encoded(one, keep=_KEPT_IN_TEMPLATES) for one in literals), names


def _check_target(template: str) -> None:
    """Raise ConfigError for a scheme that is none of ours, or a host that a document could name."""
    scheme = _SCHEME.match(template)
    if scheme is None:
        step = "begin it with https://, file:// or an editor's scheme, such as vscode://"
        raise ConfigError(f"the link template {template!r} says not what opens it", step)
    name = scheme[1].lower()
    if name not in SCHEMES:
        raise unknown(name, list(SCHEMES), f"the link template {template!r}, its scheme")
    if name in ("http", "https") and not _SITE.match(template):
        step = "write it as https://docs.example.com/{page}, with no user's name or password"
        raise ConfigError(f"the link template {template!r} names no host of its own", step)
    if name == "file" and not _LOCAL_FILE.match(template):
        raise ConfigError(
            f"the link template {template!r} may lead off this machine", "write it as file://{file}"
        )
