from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uara.base import sheets
from uara.base.errors import InputError, printable

printable_letters = st.characters(exclude_categories=["C", "Z"], exclude_characters="'")
"""Text that begins with a quote is not told from text that was given one."""


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


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"a,b\n1\n", r"row 2: 1 cells, but there are 2 columns"),
        (b"a,b\n1,2\n\n3,4\n", "row 3: 0 cells"),
        (b"a;b\n1;2\n", "row 1: columns must be separated by commas"),
        (b"a,a\n", "row 1: two columns are called 'a'"),
        (b"a,\n", "row 1: a column has no name"),
        (b"\xff\xfe", "is no CSV table in UTF-8"),
        (b'a,b\n"1,2\n', "is no CSV table in UTF-8"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=problem) as caught:
        sheets.read(tmp_path / "a.csv")
    assert str(tmp_path / "a.csv") in str(caught.value)


def test_a_spreadsheet_s_mark_and_blank_rows_at_the_end_are_no_content(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa , b\r\n1,2\r\n,\r\n\r\n")
    assert sheets.read(tmp_path / "a.csv") == (["a", "b"], [["1", "2"]])


@given(st.lists(st.text(printable_letters), min_size=1, max_size=4))
def test_what_is_written_is_read(tmp_path_factory: Any, cells: list[str]) -> None:
    path = tmp_path_factory.mktemp("sheet") / "a.csv"
    names = [f"c{index}" for index in range(len(cells))]
    sheets.write(path, names, [cells, ["x"] * len(cells)])
    assert sheets.read(path) == (names, [cells, ["x"] * len(cells)])


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_cell_begins_a_formula_and_printable_text_stays(tmp_path_factory: Any, cells: list[str]) -> None:
    path = tmp_path_factory.mktemp("sheet") / "a.csv"
    sheets.write(path, ["x"] * len(cells), [cells])
    for found, given_cell in zip(read(path)[1], cells, strict=True):
        assert found.isprintable()
        assert found.removeprefix("'") == printable(given_cell).removeprefix("'")
        if found.startswith(("=", "+", "-", "@")):
            float(found)
