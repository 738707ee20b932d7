from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from uara import InputError
from uara.scenarios.sheet import Sheet


def test_numbers_of_whatever_type() -> None:
    columns = {
        "a": ["1", " 2.5e3 ", "-inf"],
        "b": np.array([1, 2, 3]),
        "c": [1, 2.5, 3],
        "d": "7",
        "e": np.array([1, "2"], object),
    }
    sheet = Sheet("devices", columns, "x")
    assert sheet.numbers("a").tolist() == [1.0, 2500.0, -np.inf]
    assert sheet.numbers("b").dtype == float
    assert sheet.numbers("d").ndim == 0
    assert sheet.numbers("e").tolist() == [1.0, 2.0]
    assert [sheet.is_single(name) for name in "abcd"] == [False, False, False, True]
    assert sheet.count(9) == 3
    assert Sheet("devices", {"d": 7}, "x").count(9) == 9
    assert sheet.texts("d", 2) == ["7", "7"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (["1", "x", "y"], r"t\.csv: row 3, column a: 'x' is no number"),
        (["1", "2,5"], r"row 3, column a: '2,5' is no number"),
        (["", "2"], "row 2, column a: is empty"),
        ([1.0, 2.0, float("nan")], "row 4, column a: is empty or no number"),
        ([True, False], "row 2, column a: 'True' is no number"),
        ([1.0, None], "row 3, column a: 'None' is no number"),
        ([[1.0, 2.0], [1.0, float("nan")]], "row 3, column a: is empty"),
        ([[1.0, 2.0], [1.0]], "column a: its rows have different lengths"),
        (float("nan"), "column a: is empty or no number"),
        ("many", "column a: 'many' is no number"),
    ],
)
def test_what_is_no_number_is_found_in_its_row(values: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        Sheet("devices", {"a": values}, "t.csv", first=2).numbers("a")


def test_columns_that_are_not_known_are_refused() -> None:
    with pytest.raises(InputError, match=r"d: column tx_power: is not known; did you mean tx_power_w\?"):
        Sheet("devices", {"tx_power": 1}, "d").refuse_others(["id", "tx_power_w"])


def test_frames_bring_an_index_that_has_a_name() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1, 2]}, index=pandas.Index(["p", "q"], name="id"))
    assert Sheet.of_frame("devices", frame).texts("id", 2) == ["p", "q"]
    assert list(Sheet.of_frame("devices", frame.reset_index(drop=True)).columns) == ["a"]


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="devices: must be a data frame, not dict"):
        Sheet.of_frame("devices", {"a": [1]})
    with pytest.raises(InputError, match="servers: must be a dictionary of columns, not list"):
        Sheet.of_columns("servers", [1])  # type: ignore[arg-type]
    (tmp_path / "head.csv").write_text("id,x\n")
    with pytest.raises(InputError, match=r"head\.csv: has no row below"):
        Sheet.of_file("devices", tmp_path / "head.csv")
