from __future__ import annotations

import math

import pytest

from uara.bench.report.cells import Cell, number, percent, significant, words


@pytest.mark.parametrize(
    ("make", "value", "text", "key"),
    [
        (number(1), 1234.56, "1,234.6", "1234.56"),
        (number(0), math.nan, "–", "inf"),
        (number(0), math.inf, "∞", "inf"),
        (number(0), None, "–", "inf"),
        (percent(2), 0.12345, "12.35", "0.12345"),
        (percent(2), None, "–", "inf"),
        (significant(3), 0.00012345, "0.000123", "0.00012345"),
        (significant(3), math.inf, "∞", "inf"),
        (words, "b", "b", "b"),
        (words, None, "", ""),
        (words, math.nan, "", ""),
    ],
)
def test_cells_show_one_thing_and_sort_by_another(make: object, value: object, text: str, key: str) -> None:
    cell: Cell = make(value)  # type: ignore[operator]
    assert (cell.text, cell.sort_key) == (text, key)
