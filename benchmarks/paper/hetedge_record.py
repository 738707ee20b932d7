"""Recorded rows of the studies of the batched system: one CSV file each, that a study goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from uara.base import sheets
from uara.base.errors import InputError

R = TypeVar("R")
_KINDS = {"int": int, "float": float, "str": str}


def columns(kind: type[Any]) -> tuple[str, ...]:
    """Names of the columns: the fields of a row."""
    return tuple(field.name for field in fields(kind))


def read(path: Path, kind: type[R]) -> list[R]:
    """The rows of a table; none where there is no file.

    Raises
    ------
    InputError
        If it is another table.
    """
    if not path.is_file():
        return []
    kinds = {field.name: _KINDS[str(field.type)] for field in fields(kind)}  # type: ignore[arg-type]
    names, lines = sheets.read(path)
    if tuple(names) != columns(kind):
        raise InputError(f"is no table of {', '.join(columns(kind))}", source=str(path), path="row 1")
    rows = (dict(zip(names, line, strict=True)) for line in lines)
    return [kind(**{name: convert(row[name]) for name, convert in kinds.items()}) for row in rows]


def write(rows: Sequence[Any], path: Path) -> None:
    """Write a table, whole or not at all."""
    names = columns(type(rows[0]))
    values = [[getattr(row, name) for name in names] for row in rows]
    table = [[f"{each:.7g}" if isinstance(each, float) else each for each in row] for row in values]
    sheets.write(path, names, table)
