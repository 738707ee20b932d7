"""Tables of the report: what a cell shows, and the number that it sorts by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cell:
    """Text, and the value that the column sorts by (the text itself where there is no number)."""

    text: str
    value: float | None = None
    link: str = ""
    note: str = ""

    @property
    def sort_key(self) -> str:
        """What stands in ``data-v``; absent numbers sort last."""
        if self.value is None:
            return self.text
        return repr(float(self.value)) if math.isfinite(self.value) else "inf"


@dataclass(frozen=True)
class Column:
    """Head of a column; ``note`` explains it."""

    name: str
    note: str = ""
    numeric: bool = True


@dataclass(frozen=True)
class Table:
    """Columns and rows of cells."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    name: str = ""


def number(digits: int, unit: str = "") -> Callable[[Any], Cell]:
    """Cells of numbers with so many decimals; a dash where there is none."""

    def make(value: Any) -> Cell:
        if value is None or math.isnan(value):
            return Cell("–", math.inf)
        if math.isinf(value):
            return Cell("∞", math.inf)
        return Cell(f"{value:,.{digits}f}{unit}", float(value))

    return make


def percent(digits: int) -> Callable[[Any], Cell]:
    """Cells of shares, in per cent."""

    def make(value: Any) -> Cell:
        if value is None or math.isnan(value):
            return Cell("–", math.inf)
        text = f"{100 * value:.{digits}f}" if math.isfinite(value) else "∞" if value > 0 else "-∞"
        return Cell(text, float(value))

    return make


def significant(digits: int) -> Callable[[Any], Cell]:
    """Cells of numbers with so many significant digits."""

    def make(value: Any) -> Cell:
        if value is None or math.isnan(value):
            return Cell("–", math.inf)
        return Cell(f"{value:,.{digits}g}" if math.isfinite(value) else "∞", float(value))

    return make


def words(value: Any) -> Cell:
    """Cells of text."""
    return Cell("" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value))
