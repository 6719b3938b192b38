"""The house stands as CONTRIBUTING draws it: floors, sizes, public names, lazy imports, README."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import askmd
from askmd.settings import settings

HOME = Path(__file__).parents[1]
SOURCE = HOME / "src" / "askmd"
FLOORS = [
    {"types", "errors", "addresses", "secrets"},
    {"settings", "contracts"},
    {"config"},
    # The script: what a question and the index are both read by.
    {"words"},
    {"markdown", "chunk", "rank", "passages", "evidence", "filters"}
    | {"prompt", "citations", "conversation", "links", "records"},
    # The wire: what both kinds of server need.
    {"endpoint"},
    {"files", "places", "tokens", "embed", "store", "llm", "terminal"},
    # The landing: the journeys take a Config, and compose turns it into parts for them.
    {"compose"},
    {"ingest", "retriever", "answer", "inspection", "evaluate", "doctor"},
    {"repl"},
    # The front door opens the others.
    {"cli"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
MODULES = sorted(SOURCE.rglob("*.py"))
HEAVY = {"numpy", "faiss", "torch", "onnxruntime", "openai", "tiktoken", "pydantic", "rich"}


def room_of(module: Path) -> str:
    return module.relative_to(SOURCE).parts[0].removesuffix(".py")


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported_rooms(node: ast.AST) -> Iterator[str]:
    """Yield the rooms of askmd that a module imports when it runs, inside functions too."""
    for child in ast.iter_child_nodes(node):
        if is_for_types(child):
            continue
        if isinstance(child, ast.ImportFrom) and child.module == "askmd":
            yield from (name.name for name in child.names)
        elif isinstance(child, ast.ImportFrom) and (child.module or "").startswith("askmd."):
            yield child.module.split(".")[1]  # type: ignore[union-attr]
        elif isinstance(child, ast.Import):
            yield from (n.name.split(".")[1] for n in child.names if n.name.startswith("askmd."))
        yield from imported_rooms(child)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_room_imports_only_from_lower_floors(module: Path):
    room = room_of(module)
    if room in {"__init__", "__main__", "extras"}:
        return
    rooms = set(imported_rooms(ast.parse(module.read_text(encoding="utf-8")))) - {room}
    too_high = {name for name in rooms if name in FLOOR_OF and FLOOR_OF[name] >= FLOOR_OF[room]}
    assert too_high == set()


def test_every_room_stands_on_a_floor():
    rooms = {room_of(module) for module in MODULES} - {"__init__", "__main__", "extras"}
    assert rooms == set(FLOOR_OF)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_module_has_at_most_400_lines_and_a_function_50(module: Path):
    text = module.read_text(encoding="utf-8")
    long = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 50  # type: ignore[operator]
    ]
    assert (long, text.count("\n") <= 400) == ([], True)


def test_importing_the_front_door_loads_nothing_heavy():
    code = (
        "import askmd.cli.front, sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert HEAVY & set(loaded) == set()


def test_every_public_name_can_be_imported():
    assert {name: getattr(askmd, name) is not None for name in askmd.__all__} == dict.fromkeys(
        askmd.__all__, True
    )


def test_every_verb_and_setting_stands_in_the_readme():
    from askmd.cli.verbs import askmd as group

    readme = (HOME / "README.md").read_text(encoding="utf-8")
    verbs = [f"askmd {name}" for name in group.list_commands(click.Context(group))]
    keys = [key.split(".")[1] for key, _ in settings()]
    assert [word for word in [*verbs, *keys] if word not in readme] == []


def test_the_example_configuration_holds_every_setting_at_its_default():
    data = tomllib.loads((HOME / "config.toml").read_text(encoding="utf-8"))
    written = {
        f"{table}.{name}": value for table, keys in data.items() for name, value in keys.items()
    }
    defaults = {
        key: list(field.default) if isinstance(field.default, tuple) else field.default
        for key, field in settings()
        if field.default is not None
    }
    assert written == defaults | {"documents.folder": "sample_docs"}


def test_no_file_names_this_machine_or_a_package_registry():
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        cwd=HOME,
        check=False,
    ).stdout.split("\n")
    if not any(listing):
        pytest.skip("SKIPPED LOUDLY: this tree is not in git, so nobody says which files are ours")
    hosts = ["pypi." + "org", "files.python" + "hosted", "download.py" + "torch", str(HOME)]
    guilty = [
        (name, host)
        for name in listing
        if name and (HOME / name).is_file()
        for host in hosts
        if host in (HOME / name).read_text(encoding="utf-8", errors="replace")
    ]
    assert guilty == []


def test_no_page_has_a_figure_or_an_output_still_to_come():
    results = (HOME / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    tables = re.findall(r"<!-- ([\w-]+) -->\n(.*?)<!-- /\1 -->", results, re.DOTALL)
    assert [name for name, table in tables if table.count("\n|") < 4] == []
    assert {"quality", "fusion", "incremental"} <= {name for name, _ in tables}
    assert "@@" not in (HOME / "README.md").read_text(encoding="utf-8")
