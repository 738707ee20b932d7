"""ARCHITECTURE.md says what the source is."""

from __future__ import annotations

import ast
import importlib.util
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def architecture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("architecture", ROOT / "docs" / "architecture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["architecture"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.integration
def test_the_tables_are_those_of_the_source(architecture: ModuleType) -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert page == architecture.renewed(page), "renew it: python docs/architecture.py --write"


@pytest.mark.integration
def test_every_module_says_what_it_is_about(architecture: ModuleType) -> None:
    found = architecture.modules()
    assert len(found) > 100
    assert [each.name for each in found if not each.summary] == []


@pytest.mark.integration
def test_rooms_stand_on_floors_without_circles(architecture: ModuleType) -> None:
    arrows = architecture.rooms(architecture.modules())
    levels = architecture.floors(arrows)
    assert arrows["uara/base"] == set()
    for number, level in enumerate(levels):
        below = {room for each in levels[:number] for room in each}
        assert all(arrows[room] <= below for room in level)


@pytest.mark.integration
def test_no_module_imports_itself_through_others(architecture: ModuleType) -> None:
    arrows = {each.name: set(each.imports) - {"uara", "uara.solvers"} for each in architecture.modules()}
    del arrows["uara"], arrows["uara.solvers"]
    assert architecture.floors(arrows)


def test_nor_does_it_where_imports_wait_inside_functions_or_serve_types_alone() -> None:
    arrows = {
        name: {
            found for found in every_import(path, set(FILES)) if found not in (name, "uara", "uara.solvers")
        }
        for name, path in FILES.items()
        if name not in ("uara", "uara.solvers")
    }
    assert len(arrows) > 300
    assert sum(map(len, arrows.values())) > 1000
    list(TopologicalSorter(arrows).static_order())


def every_import(path: Path, names: set[str]) -> set[str]:
    """Modules of ours that a file names in an import, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_of(path).split(".")
                package = package if path.name == "__init__.py" else package[:-1]
                base = ".".join(filter(None, [*package[: len(package) + 1 - node.level], base]))
            found |= {whole if (whole := f"{base}.{each.name}") in names else base for each in node.names}
    return found & names


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = ("uara", *parts) if parts[0] == "solvers" else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for room in ("uara", "solvers") for path in (ROOT / room).rglob("*.py")}


def test_a_circle_is_seen(architecture: ModuleType) -> None:
    with pytest.raises(CycleError):
        architecture.floors({"a": {"b"}, "b": {"a"}})


@pytest.mark.parametrize(
    "wanted",
    ["P1", "V_j", "psi", "F_j", "Algorithm 1", "one PSD round", "(1)", "(5)", "(6)", "(7)", "(8)", "(9)"],
)
def test_what_readers_of_the_papers_look_for_has_a_row(architecture: ModuleType, wanted: str) -> None:
    assert any(wanted in title for title, _, _ in architecture.EQUATIONS)


def test_every_bound_that_is_proven_has_a_row(architecture: ModuleType) -> None:
    rows = {file for title, file, _ in architecture.EQUATIONS if "bound" in title}
    provers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "uara" / "p1").glob("*.py")
        if "-> float" in (text := path.read_text(encoding="utf-8")) and "    def prove(" in text
    }
    assert provers <= rows


def test_the_evaluator_says_the_equation_of_every_term() -> None:
    import ast

    text = (ROOT / "uara" / "p1" / "model.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    (terms,) = (
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "terms"
    )
    assert isinstance(terms, ast.Dict)
    assert len(terms.keys) == 6
    for key in terms.keys:
        assert key is not None
        assert re.search(r"#.*(eq\. \(\d\)|P1)", lines[key.lineno - 1]), ast.unparse(key)
