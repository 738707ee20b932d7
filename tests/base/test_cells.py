from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uara.base.cells import Cell, Column, Table, heading, number, percent, significant, words


@pytest.mark.parametrize(
    ("make", "value", "text", "key"),
    [
        (number(1), 1234.56, "1,234.6", "1234.56"),
        (number(0), math.nan, "–", "inf"),
        (number(0), math.inf, "∞", "inf"),
        (number(0), None, "–", "inf"),
        (percent(2), 0.12345, "12.35", "12.345"),
        (percent(2), None, "–", "inf"),
        (percent(2), -math.inf, "-∞", "inf"),
        (significant(3), 0.00012345, "0.000123", "0.00012345"),
        (significant(3), 0.0000012345, "1.23e-06", "1.2345e-06"),
        (significant(3), 12345.6, "12,346", "12345.6"),
        (significant(3), 0.0, "0", "0"),
        (significant(3), 1.2345e90, "1.23e+90", "1.2345e+90"),
        (number(1), 6.5e292, "6.50e+292", "6.5e+292"),
        (number(1), -1e14, "-100,000,000,000,000.0", "-1e+14"),
        (significant(3), math.inf, "∞", "inf"),
        (words, "b", "b", "b"),
        (words, None, "", ""),
        (words, math.nan, "", ""),
    ],
)
def test_cells_show_one_thing_and_sort_by_another(make: object, value: object, text: str, key: str) -> None:
    cell: Cell = make(value)  # type: ignore[operator]
    assert (cell.text, cell.sort_key) == (text, key)


@given(st.floats(1e-4, 1e9), st.integers(1, 6))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_significant_digits_are_enough(value: float, digits: int) -> None:
    shown = float(significant(digits)(value).text.replace(",", ""))
    assert shown == pytest.approx(value, rel=0.5 * 10.0 ** (1 - digits) * 1.001)


def table(*rows: tuple[str, ...], places: tuple[int, ...] = (0, 1, 2)) -> Table:
    columns = [Column(name, place=place) for name, place in zip("abc", places, strict=True)]
    return Table(columns, [[words(text) for text in row] for row in rows])


def names(found: Table) -> list[str]:
    assert all(len(row) == len(found.columns) for row in found.rows)
    return [column.name for column in found.columns]


def test_a_column_in_which_every_row_says_the_same_is_dropped_and_told() -> None:
    found = table(("x", "1", "2"), ("y", "1", "3")).distinct()
    assert names(found) == ["a", "c"]
    assert found.same == "b 1"
    assert [row[1].text for row in found.rows] == ["2", "3"]


def test_what_says_nothing_at_all_is_not_told() -> None:
    assert table(("x", "–", "2"), ("y", "–", "3")).distinct().same == ""


def test_names_and_single_rows_are_kept() -> None:
    assert names(table(("x", "1", "2"), ("x", "1", "3")).distinct()) == ["a", "c"]
    assert names(table(("x", "1", "2")).distinct()) == ["a", "b", "c"]
    assert names(table().distinct()) == ["a", "b", "c"]


def test_a_part_of_a_table() -> None:
    whole = table(("x", "1", "2"), ("y", "1", "3"))
    assert names(whole.within(1)) == ["a", "b"]
    assert names(whole.without(1)) == ["a", "c"]
    assert [row[0].text for row in whole.of(["y", "z"]).rows] == ["y"]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("latency_mean_ms", "latency mean [ms]"),
        ("feature_energy_weight_ms_per_j", "energy weight [ms/J]"),
        ("measure_low_battery_energy_j", "low battery energy [J]"),
        ("feature_devices", "devices"),
        ("runtime_s", "runtime [s]"),
    ],
)
def test_columns_read_well(column: str, text: str) -> None:
    assert heading(column) == text
