"""Tables for people: what a cell shows, the number that it sorts by, and which columns say anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

NONE, INFINITE = "–", "∞"
LEAST_DECIMAL, LARGEST_DECIMAL = 1e-4, 1e15
"""Smaller and larger numbers are written with an exponent."""


@dataclass(frozen=True)
class Cell:
    """Text, and the number that it shows, which the column sorts by (by the text where there is none)."""

    text: str
    value: float | None = None
    link: str = ""
    note: str = ""
    ink: str = ""
    """Its colour on a terminal."""

    @property
    def sort_key(self) -> str:
        """What stands in ``data-v`` of a page; absent numbers sort last."""
        if self.value is None:
            return self.text
        return f"{self.value:.9g}" if math.isfinite(self.value) else "inf"


@dataclass(frozen=True)
class Column:
    """Head of a column, with its unit."""

    name: str
    note: str = ""
    """What it means."""
    numeric: bool = True
    place: int = 0
    """Where room is short, columns of higher places are left out first, and those of place 0 never."""
    prose: bool = False
    """Sentences, which may be broken into lines; nothing else is."""


@dataclass(frozen=True)
class Table:
    """Columns and rows of cells."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    name: str = ""
    same: str = ""
    """What every row said in the columns that were dropped for it."""

    def distinct(self) -> Table:
        """Without the columns (of a place above 0) in which every row says the same; :attr:`same` says what."""
        if len(self.rows) < 2:
            return self
        texts = [{row[k].text for row in self.rows} for k in range(len(self.columns))]
        idle = [
            len(found) == 1 and column.place > 0 for column, found in zip(self.columns, texts, strict=True)
        ]
        said = [
            f"{column.name} {self.rows[0][k].text}"
            for k, column in enumerate(self.columns)
            if idle[k] and texts[k] not in ({NONE}, {""})
        ]
        return replace(self._chosen([not each for each in idle]), same=", ".join(said))

    def within(self, place: int) -> Table:
        """The columns up to a place."""
        return self._chosen([column.place <= place for column in self.columns])

    def without(self, column: int) -> Table:
        """All columns but this one."""
        return self._chosen([k != column for k in range(len(self.columns))])

    def of(self, names: Sequence[str]) -> Table:
        """The rows whose first cell is one of these, in their own order."""
        return replace(self, rows=[row for row in self.rows if row[0].text in names])

    def _chosen(self, kept: Sequence[bool]) -> Table:
        rows = [[cell for cell, keep in zip(row, kept, strict=True) if keep] for row in self.rows]
        columns = [column for column, keep in zip(self.columns, kept, strict=True) if keep]
        return replace(self, columns=columns, rows=rows)


Make = Callable[[Any], Cell]
"""From a value to its cell."""


def number(digits: int) -> Make:
    """Cells of numbers with so many decimals; a dash where there is none."""
    return lambda value: _cell(
        value,
        lambda known: f"{known:,.{digits}f}" if abs(known) < LARGEST_DECIMAL else f"{known:.{digits + 1}e}",
    )


def percent(digits: int) -> Make:
    """Cells of shares, in per cent."""
    make = number(digits)
    return lambda value: make(None if value is None else 100 * value)


def significant(digits: int) -> Make:
    """Cells of numbers with so many significant digits; of large ones all before the point."""

    def shown(value: float) -> str:
        if value == 0 or not LEAST_DECIMAL <= abs(value) < LARGEST_DECIMAL:
            return f"{value:.{digits}g}"
        decimals = digits - 1 - math.floor(math.log10(abs(value)))
        text = f"{value:,.{max(0, decimals)}f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    return lambda value: _cell(value, shown)


def words(value: Any) -> Cell:
    """Cells of text."""
    return Cell("" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value))


Figure = tuple[Column, Callable[[Mapping[str, Any]], Cell]]
"""A column, and what makes its cell of a record."""


def figure(title: str, key: str, make: Make, note: str = "", place: int = 0) -> Figure:
    """A column of what records have at a key."""
    return Column(title, note, place=place, numeric=make is not words), lambda record: make(record[key])


def tabled(figures: Sequence[Figure], records: Iterable[Mapping[str, Any]], name: str = "") -> Table:
    """A row for each record."""
    rows = [[make(record) for _, make in figures] for record in records]
    return Table([column for column, _ in figures], rows, name)


def _cell(value: Any, shown: Callable[[float], str]) -> Cell:
    if value is None or math.isnan(value):
        return Cell(NONE, math.inf)
    if math.isinf(value):
        return Cell(INFINITE if value > 0 else "-" + INFINITE, float(value))
    return Cell(shown(value), float(value))


UNITS = {"_ms_per_j": "ms/J", "_per_j": "per J", "_ms": "ms", "_s": "s", "_j": "J", "_mb": "MB"}


def quantity(name: str) -> tuple[str, str]:
    """The words and the unit of a name that ends in one: ``server_compute_ms``; no unit where it ends in none."""
    for suffix, unit in UNITS.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix).replace("_", " "), unit
    return name.replace("_", " "), ""


def heading(column: str) -> str:
    """A column's name for people: ``feature_energy_weight_ms_per_j`` is ``energy weight [ms/J]``."""
    name, unit = quantity(column.removeprefix("feature_").removeprefix("measure_"))
    return f"{name} [{unit}]" if unit else name
