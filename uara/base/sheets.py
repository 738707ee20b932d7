"""Tables for spreadsheets: CSV in UTF-8 whose text is never taken for a formula; written, and read back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from uara.base.errors import InputError, printable
from uara.base.files import read_bytes, write_bytes

_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula."""


def write(path: Path, names: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a head and rows, whole or not at all."""
    write_bytes(path, lines(names, rows).encode())


def lines(names: Sequence[str], rows: Iterable[Iterable[Any]]) -> str:
    """A head and rows as CSV; text that would begin a formula gets a quote before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return "'" + text if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def read(path: Path) -> tuple[list[str], list[list[str]]]:
    """The head and the rows of a CSV file, every row as long as the head.

    What :func:`lines` quotes against formulas comes without its quote.

    Raises
    ------
    InputError
        If the file is no such table; names the row, counted as spreadsheets do, with the head as row 1.
    """
    source = str(path)
    try:
        text = read_bytes(path).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"is no CSV table in UTF-8: {error}", source=source) from None
    while rows and not "".join(rows[-1]).strip():
        rows.pop()
    if not rows:
        raise InputError("is empty; its first row must name the columns", source=source)
    names = [name.strip() for name in rows[0]]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise InputError("columns must be separated by commas", source=source, path="row 1")
    twice = [name for name in names if names.count(name) > 1]
    if twice or "" in names:
        problem = f"two columns are called {twice[0]!r}" if twice and twice[0] else "a column has no name"
        raise InputError(problem, source=source, path="row 1")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            problem = f"{len(row)} cells, but there are {len(names)} columns"
            raise InputError(problem, source=source, path=f"row {number}")
    return names, [[_content(cell) for cell in row] for row in rows[1:]]


def _content(cell: str) -> str:
    quoted = cell[:1] == "'" and cell[1:].startswith(_FORMULA) and not _is_number(cell[1:])
    return cell[1:] if quoted else cell
