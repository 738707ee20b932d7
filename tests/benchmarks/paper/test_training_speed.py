from __future__ import annotations

import ast
from pathlib import Path

import uara.solvers
from training_speed import PARTS, SHIPPED

import uara

SOURCES = [
    path
    for package in (uara, uara.solvers)
    for path in Path(package.__file__ or "").parent.rglob("*.py")
    if path.parent.name in ("masac", "mec")
]


def test_every_part_is_a_function_of_its_file() -> None:
    made = {
        (path.name, node.name)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert set(PARTS.values()) <= made


def test_the_shipped_configuration_is_there() -> None:
    assert SHIPPED.is_file()
