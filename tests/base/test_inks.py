from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from uara.base.cells import Cell, Column, Table, number, percent, words
from uara.base.inks import fitting, show, to_csv, to_html, to_latex, to_markdown

TABLE = Table(
    [
        Column("solver", numeric=False),
        Column("excess %", place=1),
        Column("a long heading of many words ms", place=2),
        Column("status", numeric=False),
    ],
    [
        [words("a|b_c"), percent(1)(0.123), number(1)(1e6), words("ok")],
        [words("=sum(1)"), percent(1)(float("inf")), number(1)(None), words("timeout")],
    ],
    same="rank 1",
)


def printed(table: Table, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), record=True)
    show(table, console)
    return console.export_text()


def test_markdown_has_as_many_cells_in_every_row() -> None:
    lines = to_markdown(TABLE).splitlines()
    assert lines[0] == "| solver | excess % | a long heading of many words ms | status |"
    assert lines[1] == "|---|---:|---:|---|"
    assert lines[2] == "| a\\|b_c | 12.3 | 1,000,000.0 | ok |"
    assert lines[-1] == "The same in every row: rank 1."


def test_latex_is_escaped() -> None:
    text = to_latex(TABLE)
    assert text.startswith("\\begin{tabular}{lrrl}\n\\toprule\n")
    assert r"a|b\_c & 12.3 & 1,000,000.0 & ok \\" in text
    assert r"excess \%" in text
    assert r"$\infty$ & --" in text


def test_csv_holds_numbers_as_they_are_and_no_formula() -> None:
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows[0] == [column.name for column in TABLE.columns]
    assert [float(text) for text in rows[1][1:3]] == [pytest.approx(12.3), 1e6]
    assert rows[2][0] == "'=sum(1)"


@pytest.mark.parametrize("width", [80, 30, 24])
def test_names_and_status_never_shrink_and_what_is_left_out_is_named(width: int) -> None:
    text = printed(TABLE, width)
    for whole in ("a|b_c", "=sum(1)", "timeout", "solver", "status"):
        assert whole in text
    assert max(map(len, text.splitlines())) <= width
    assert ("No room for:" in text) == (width < 80)


def test_the_least_columns_go_first() -> None:
    assert [column.name for column in fitting(TABLE, 30).columns] != []
    kept = [[column.place for column in fitting(TABLE, width).columns] for width in range(60, 10, -1)]
    assert kept[0] == [0, 1, 2, 0]
    assert kept[-1] == [0, 0]
    assert [0, 2, 0] not in kept


def test_a_name_that_no_terminal_has_room_for_is_folded_not_cut() -> None:
    name = "x" * 50 + "y" * 50
    text = printed(Table([Column("solver", numeric=False)], [[Cell(name)]]), 40)
    assert text.count("x") == text.count("y") == 50


@given(st.text(max_size=20))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_text_breaks_a_row(name: str) -> None:
    one = Table([Column("solver", numeric=False), Column("x")], [[Cell(name), number(0)(1)]])
    assert len(to_markdown(one).splitlines()) == 3
    assert len(to_latex(one).splitlines()) == 7
    assert printed(one, 300).rstrip().endswith("1")


def test_where_no_table_fits_each_row_is_a_block() -> None:
    text = printed(TABLE, 15)
    assert max(map(len, text.splitlines())) <= 15
    assert text.count("status") == 2
    assert "timeout" in text
    assert "No room for" not in text


@pytest.mark.parametrize("width", [60, 40])
def test_prose_is_broken_into_lines_and_nothing_else(width: int) -> None:
    heads = [Column("name", numeric=False), Column("meaning", numeric=False, prose=True), Column("x")]
    table = Table(heads, [[words("a-long-name"), words("words " * 20), number(0)(1)]])
    text = printed(table, width)
    assert max(map(len, text.splitlines())) <= width
    assert "a-long-name" in text
    assert text.count("words") == 20


def test_a_page_holds_no_markup_of_names() -> None:
    one = Table([Column("so<lver", numeric=False)], [[Cell("<b>a")]], name="n&m", same="rank <1")
    text = to_html(one)
    assert "<b>" not in text
    assert "<th>so&lt;lver</th>" in text
    assert "<td>&lt;b&gt;a</td>" in text
    assert "<caption>n&amp;m</caption>" in text
