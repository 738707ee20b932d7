"""Tables for spreadsheets: CSV in UTF-8 whose text is never taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from uara.base.errors import printable
from uara.base.files import write_bytes

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
