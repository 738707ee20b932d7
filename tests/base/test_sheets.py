from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from uara.base import sheets
from uara.base.errors import printable


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_numbers_stay_numbers_and_text_is_no_formula(tmp_path: Path) -> None:
    rows = [
        ["=1+1", -1.5, 3],
        ["@SUM(A1)", "-2.5e-3", None],
        ["+cmd|' /C calc'!A0", math.nan, True],
        ["\t=1", "-x", "ü"],
    ]
    sheets.write(tmp_path / "a.csv", ["a", "b", "c"], rows)
    assert read(tmp_path / "a.csv") == [
        ["a", "b", "c"],
        ["'=1+1", "-1.5", "3"],
        ["'@SUM(A1)", "-2.5e-3", ""],
        ["'+cmd|' /C calc'!A0", "nan", "True"],
        ["\\t=1", "'-x", "ü"],
    ]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_cell_begins_a_formula_and_printable_text_stays(tmp_path_factory: Any, cells: list[str]) -> None:
    path = tmp_path_factory.mktemp("sheet") / "a.csv"
    sheets.write(path, ["x"] * len(cells), [cells])
    for found, given_cell in zip(read(path)[1], cells, strict=True):
        assert found.isprintable()
        assert found.removeprefix("'") == printable(given_cell).removeprefix("'")
        if found.startswith(("=", "+", "-", "@")):
            float(found)
