"""Whoever reads a compiled kernel finds the shape and the meaning of everything that it is given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import uara.solvers

import uara

FOLDERS = (Path(uara.__file__).parent, Path(uara.solvers.__file__ or "").parent)
ARRAYS = re.compile(r"^(Floats|Indices|States|NDArray\b.*)$")
SHAPE = re.compile(r"^\([^()]*(\[[^]]*\])?[^()]*\)")
"""What the text of an array begins with: ``(K,)``, ``(M + 1, C, 3)``."""


def trees() -> list[ast.Module]:
    files = {path for folder in FOLDERS for path in folder.rglob("*.py")}
    texts = [path.read_text(encoding="utf-8") for path in sorted(files)]
    return [ast.parse(text) for text in texts if "Floats" in text or "@kernel" in text]


def is_kernel(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        re.match(r"kernel\b", ast.unparse(each)) for each in node.decorator_list
    )


def words_of(annotation: ast.expr) -> set[str]:
    return set(re.findall(r"\w+", ast.unparse(annotation)))


def records() -> list[ast.ClassDef]:
    """Every tuple with names that a kernel takes, itself or within another."""
    found: dict[str, list[ast.ClassDef]] = {}
    to_do: set[str] = set()
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and "NamedTuple" in map(ast.unparse, node.bases):
                found.setdefault(node.name, []).append(node)
            elif isinstance(node, ast.FunctionDef) and is_kernel(node):
                for each in node.args.args:
                    assert each.annotation, f"{node.name}: {each.arg} has no type"
                    to_do |= words_of(each.annotation)
    read: list[ast.ClassDef] = []
    while to_do:
        for record in found.pop(to_do.pop(), []):
            read.append(record)
            to_do |= {word for _, annotation, _ in fields(record) for word in words_of(annotation)}
    return read


def fields(record: ast.ClassDef) -> Iterator[tuple[str, ast.expr, str]]:
    """Name, type and text of each field; the text is empty where there is none right behind it."""
    for node, behind in zip(record.body, [*record.body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            text = ""
            if isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant):
                text = str(behind.value.value)
            yield ast.unparse(node.target), node.annotation, text


def faults(record: ast.ClassDef) -> list[str]:
    found = []
    for name, annotation, text in fields(record):
        if not text:
            found.append(f"{record.name}.{name} is not described")
        elif ARRAYS.match(ast.unparse(annotation)) and not SHAPE.match(text):
            found.append(f"{record.name}.{name} has no shape")
        elif not SHAPE.sub("", text).strip():
            found.append(f"{record.name}.{name} has nothing but a shape")
    return found


def test_every_field_that_a_kernel_reads_has_its_shape_and_meaning() -> None:
    read = records()
    assert {"Coefficients", "Layout", "Service", "State"} <= {record.name for record in read}
    assert [fault for record in read for fault in faults(record)] == []


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["x: Floats", "y: Floats", '"""(K,) Both."""'], "is not described"),
        (["x: Floats", '"""In ms."""'], "has no shape"),
        (["x: NDArray[np.bool_]", '"""Which."""'], "has no shape"),
        (["x: Floats", '"""(K, 2)"""'], "nothing but a shape"),
        (["x: Floats", '"""(t[E],) In ms."""'], ""),
        (["x: float", '"""In ms."""'], ""),
    ],
)
def test_what_is_missing_is_named(lines: list[str], fault: str) -> None:
    (record,) = ast.parse("class Numbers(NamedTuple):\n    " + "\n    ".join(lines)).body
    assert isinstance(record, ast.ClassDef)
    found = faults(record)
    assert (fault in found[0]) if fault else found == []
