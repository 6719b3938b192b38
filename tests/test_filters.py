"""What a typed filter lets through."""

from __future__ import annotations

import pytest

from askmd.errors import UsageError
from askmd.filters import allows_document, allows_heading, parse_filter
from askmd.types import Filter


def passing(text: str, *paths: str) -> list[str]:
    where = parse_filter([text])
    return [path for path in paths if allows_document(where, path, {})]


def holds(text: str, **metadata: object) -> bool:
    return allows_document(parse_filter([text]), "a.md", metadata)


def test_the_three_forms_are_told_apart_and_kept_in_order():
    where = parse_filter(["guides/**", "tag=Nginx", "Heading=Reverse PROXY", "!*.mdx", "a = b = c"])

    assert where == Filter(
        globs=("guides/**", "!*.mdx"),
        metadata=(("tag", "Nginx"), ("a", "b = c")),
        headings=("reverse proxy",),
    )


def test_no_filter_lets_everything_through():
    where = parse_filter([])

    assert where == Filter()
    assert allows_document(where, "a/b.md", {})
    assert allows_heading(where, ())


@pytest.mark.parametrize("text", ["", "  ", "=x", "tag=", "heading= ", "!", "a\\", "/", "["])
def test_a_filter_that_cannot_hold_is_a_usage_error_that_names_the_three_forms(text: str):
    with pytest.raises(UsageError) as caught:
        parse_filter([text])

    assert caught.value.exit_status == 2
    for form in ("'guides/**'", "'tag=nginx'", "'heading=install'"):
        assert form in caught.value.next_step


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("guides/**", ["guides/nginx.md", "guides/deep/x.md"]),
        ("guides", ["guides/nginx.md", "guides/deep/x.md"]),
        ("nginx.md", ["guides/nginx.md", "nginx.md"]),
        ("/nginx.md", ["nginx.md"]),
        ("./nginx.md", ["guides/nginx.md", "nginx.md"]),
        ("*.mdx", ["b.mdx"]),
        ("guides/*.md", ["guides/nginx.md"]),
        ("!guides/", ["nginx.md", "b.mdx", "#note.md", "c/k=v.md"]),
        ("#note.md", ["#note.md"]),
        ("c/k=v.md", ["c/k=v.md"]),
        ("nothing/**", []),
    ],
)
def test_a_glob_follows_the_rules_of_gitignore(glob: str, expected: list[str]):
    paths = ("guides/nginx.md", "guides/deep/x.md", "nginx.md", "b.mdx", "#note.md", "c/k=v.md")

    assert passing(glob, *paths) == expected


def test_every_part_must_hold():
    where = parse_filter(["guides/**", "!draft.md", "tag=a", "tag=b"])
    both = {"tags": ["a", "b"]}

    assert allows_document(where, "guides/x.md", both)
    assert not allows_document(where, "x.md", both)
    assert not allows_document(where, "guides/draft.md", both)
    assert not allows_document(where, "guides/x.md", {"tags": ["a"]})


def test_a_value_is_compared_as_text_without_regard_to_case():
    assert holds("author=ann ÉLISE", author="Ann Élise")
    assert not holds("author=ann", author="Ann Élise")
    assert holds("draft=True", draft=True)
    assert holds("weight=3", weight=3)
    assert holds("version=1.5", version=1.5)
    assert not holds("draft=true", other=True)


def test_a_list_holds_each_of_its_items():
    assert holds("topic=DNS", topic=["tls", "dns"])
    assert not holds("topic=tls, dns", topic=["tls", "dns"])
    assert not holds("topic=dns", topic=[])


def test_tag_finds_tags_and_the_other_way_round():
    assert holds("tag=nginx", tags=["nginx", "web"])
    assert holds("tags=nginx", tag="nginx")
    assert holds("tag=nginx", tag="nginx")


def test_a_dotted_key_reaches_into_nested_maps():
    assert holds("site.owner.name=ann", site={"owner": {"name": "Ann"}})
    assert holds("authors.name=bob", authors=[{"name": "Ann"}, {"name": "Bob"}])
    assert holds("a.b=1", **{"a.b": 1})
    assert not holds("site.owner=ann", site={"owner": {"name": "Ann"}})
    assert not holds("site.owner.name.first=ann", site={"owner": {"name": "Ann"}})


def test_a_heading_filter_looks_for_a_part_of_any_heading_on_the_path():
    where = parse_filter(["heading=proxy", "heading=NGINX"])

    assert allows_heading(where, ("Nginx", "Reverse Proxy"))
    assert not allows_heading(where, ("Reverse Proxy",))
    assert not allows_heading(where, ())


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        (1.1, "1.10"),
        (3, "3.0"),
        (True, "yes"),
        (False, "off"),
        ([1.5, "x"], "1.50"),
        ("2024-05-06T10:11:12+00:00", "2024-05-06T10:11:12Z"),
        ("2024-05-06T10:11:12+00:00", "2024-05-06"),
        ("1.10", "1.10"),
    ],
)
def test_a_value_is_found_as_it_may_be_written(value: object, typed: str):
    assert allows_document(parse_filter([f"key={typed}"]), "a.md", {"key": value})


@pytest.mark.parametrize(
    ("value", "typed"), [(1.1, "1.2"), (True, "1"), ("1.10", "1.1"), ("on", "yes")]
)
def test_another_value_is_not_found(value: object, typed: str):
    assert not allows_document(parse_filter([f"key={typed}"]), "a.md", {"key": value})


@pytest.mark.parametrize("text", ["nginx, Reverse Proxy", "Nginx web", "web,nginx", "nginx"])
def test_tags_written_as_one_text_are_found_one_by_one(text: str):
    assert holds("tag=nginx", tags=text)
    assert holds(f"tags={text}", tags=text)
    assert holds("keywords=nginx", keywords=text)
    assert not holds("title=nginx", title=f"{text} guide")


def test_a_text_with_commas_is_not_cut_at_blanks():
    assert holds("tag=reverse proxy", tags="nginx, Reverse Proxy")
    assert not holds("tag=proxy", tags="nginx, Reverse Proxy")


def test_the_tags_of_zola_and_hugo_are_found():
    assert holds("tag=nginx", taxonomies={"tags": ["nginx"]})
    assert holds("category=web", taxonomies={"categories": ["web"]})
    assert holds("category=web", categories="web dns")


def test_a_moment_is_found_with_a_blank_before_its_time():
    assert holds("date=2024-01-02 10:00:00", date="2024-01-02T10:00:00")
    assert holds("date=2024-01-02 10:00:00Z", date="2024-01-02T10:00:00+00:00")
    assert holds("note=2024-01-02 10", note="2024-01-02 10")
