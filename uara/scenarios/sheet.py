"""A table of own data as it was given, and how its places are called in errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from uara.base import sheets
from uara.base.errors import InputError, meant
from uara.base.quantities import Floats


@dataclass(frozen=True)
class Sheet:
    """A table as it was given.

    Attributes
    ----------
    name
        ``devices``, ``servers`` or ``gains``.
    columns
        Arrays, lists, or a single value where a column is constant.
    source
        What it is called in errors: its file.
    first
        Number of the first row: 0 in arrays, 2 in files, whose row 1 is the head.
    rows
        Which rows of what was given these are, counted from 0; all where None.
    """

    name: str
    columns: Mapping[str, Any]
    source: str
    first: int = 0
    rows: Sequence[int] | None = None

    @classmethod
    def of_columns(cls, name: str, columns: Mapping[str, Any]) -> Sheet:
        """From a dictionary of columns, without those that are None."""
        if not isinstance(columns, Mapping):
            raise InputError(f"must be a dictionary of columns, not {type(columns).__name__}", source=name)
        return cls(name, {key: value for key, value in columns.items() if value is not None}, name)

    @classmethod
    def of_frame(cls, name: str, frame: Any) -> Sheet:
        """From a data frame; an index that has a name is a column too."""
        if any(getattr(getattr(frame, "index", None), "names", ())):
            frame = frame.reset_index()
        if isinstance(frame, Mapping) or not hasattr(frame, "columns"):
            raise InputError(f"must be a data frame, not {type(frame).__name__}", source=name)
        return cls(name, {str(column): np.asarray(frame[column]) for column in frame.columns}, name)

    @classmethod
    def of_file(cls, name: str, path: str | Path) -> Sheet:
        """From a CSV file; raises :class:`InputError` if it is none."""
        names, rows = sheets.read(Path(path))
        if not rows:
            raise InputError("has no row below the names of the columns", source=str(path))
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        return cls(name, columns, str(path), first=2)

    def path(self, column: str, row: int | None = None) -> str:
        """A place in words; ``row`` counts from 0, and means nothing where the column is a single value."""
        if row is None or self.is_single(column):
            return f"column {column}"
        return f"row {self.number(row)}, column {column}"

    def number(self, row: int) -> int:
        """What people call a row."""
        return self.first + (row if self.rows is None else self.rows[row])

    def take(self, rows: Sequence[int]) -> Sheet:
        """Some of the rows, which keep their numbers."""
        columns = {name: [values[row] for row in rows] for name, values in self.columns.items()}
        kept = rows if self.rows is None else [self.rows[row] for row in rows]
        return Sheet(self.name, columns, self.source, self.first, list(kept))

    def place(self, column: str) -> Callable[[int], str]:
        """The words for a place, with the source, by row."""
        return lambda row: f"{self.source}: {self.path(column, row)}"

    def error(self, problem: str, column: str, row: int | None = None) -> InputError:
        """What is wrong with a column, or with its value in a row."""
        return InputError(problem, source=self.source, path=self.path(column, row))

    def is_single(self, column: str) -> bool:
        """Whether one value stands for all rows."""
        return column in self.columns and np.ndim(self.columns[column]) == 0

    def refuse_others(self, known: list[str]) -> None:
        """Refuse columns that are not known: one that is misspelt would be left out in silence."""
        for column in self.columns:
            if column not in known:
                raise self.error(f"is not known{meant(column, known)}", column)

    def need(self, columns: Iterable[str], hint: str = "") -> None:
        """Refuse a table without some columns; ``hint`` ends the message."""
        for column in columns:
            if column not in self.columns:
                raise self.error(f"is missing{hint}", column)

    def count(self, otherwise: int) -> int:
        """Number of rows; ``otherwise`` where every column is a single value."""
        lengths = [len(value) for name, value in self.columns.items() if not self.is_single(name)]
        return (
            len(self.columns["id"]) if "id" in self.columns and lengths else max(lengths, default=otherwise)
        )

    def texts(self, column: str, count: int) -> list[str]:
        """A column of text, its single value as often as there are rows."""
        value = self.columns[column]
        return [str(value)] * count if self.is_single(column) else [str(each) for each in value]

    def numbers(self, column: str) -> Floats:
        """A column as an array of numbers, of whatever dimension and held by whatever type.

        Raises
        ------
        InputError
            Names the first row that holds none.
        """
        try:
            values = np.asarray(self.columns[column])
        except ValueError:
            raise self.error("its rows have different lengths", column) from None
        rows = values.reshape(len(values), -1) if values.ndim and len(values) else values.reshape(1, -1)
        if values.dtype.kind not in "iuf":
            for row, cells in enumerate(rows.tolist()):
                for text in (str(cell).strip() for cell in cells if not _is_number(cell)):
                    raise self.error(f"{text!r} is no number" if text else "is empty", column, row)
            values, rows = values.astype(object).astype(float), rows.astype(object).astype(float)
        empty = np.flatnonzero(np.isnan(rows).any(axis=1))
        if len(empty):
            raise self.error("is empty or no number", column, int(empty[0]))
        return values.astype(float)

    def numbers_that(
        self, column: str, fit: Callable[[Floats], NDArray[np.bool_]], problem: str = "must be finite"
    ) -> Floats:
        """Numbers (n,) of a column that all fit; ``problem`` is said of the first that does not, as ``{value}``."""
        values = self.numbers(column)
        wrong = np.flatnonzero(~fit(values))
        if len(wrong):
            row = int(wrong[0])
            raise self.error(problem.format(value=f"{values[row]:g}"), column, row)
        return values


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, bool) and float(value) is not None  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
