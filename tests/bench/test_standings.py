from __future__ import annotations

import math
from pathlib import Path

import pytest

from uara.base.inks import fitting
from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.ranking import duels
from uara.bench.standings import BRIEF, FIGURES, pairs, standings

from .conftest import made_up


def test_every_heading_has_its_unit_and_says_what_it_means() -> None:
    without = {"solver", "rank"}
    for column, _ in FIGURES:
        assert column.name in without or column.name.split()[-1] in ("%", "ms", "s", "J", "MB")
        assert column.note or column.name == "solver"


@pytest.mark.integration
def test_the_table_says_what_the_ranking_says(recorded: Path) -> None:
    results = Results.load(recorded)
    table = standings(scored(results))
    place = [column.name for column in table.columns].index("primal gap %")
    for row, (_, found) in zip(table.rows, results.ranking().iterrows(), strict=True):
        assert row[0].text == found["label"]
        assert row[place].value == pytest.approx(100 * found["excess"])
        if math.isinf(found["excess"]) and math.isfinite(found["excess_answered"]):
            assert row[place].text == f"∞ ({100 * found['excess_answered']:,.3f})"


@pytest.mark.integration
def test_a_short_table_has_five_columns_and_fits_a_terminal(recorded: Path) -> None:
    table = standings(scored(Results.load(recorded)))
    short = table.within(BRIEF)
    assert [column.name for column in short.columns] == [
        *("solver", "primal gap %", "optimality gap %", "latency ms", "runtime s")
    ]
    assert fitting(table, 100).columns[0].name == "solver"


def test_an_interval_that_does_not_exist_is_a_dash() -> None:
    for count, shown in ((5, False), (6, True)):
        rows = [
            {"label": label, "instance": f"i{k}", "controllable_ms": value + k * (label == "b")}
            for k in range(count)
            for label, value in (("a", 10.0), ("b", 11.0))
        ]
        table = standings(scored(made_up(rows)))
        names = [column.name for column in table.columns]
        assert ("95 % interval %" in names) == shown, "a column of dashes is none"
        if shown:
            assert [row[names.index("95 % interval %")].text != "–" for row in table.rows] == [True, True]


def test_every_pair_of_solvers_has_a_row() -> None:
    rows = [
        {"label": label, "instance": f"i{k}", "controllable_ms": value + k}
        for k in range(6)
        for label, value in (("a", 10.0), ("b", 11.0), ("c", 12.0))
    ]
    table = pairs(duels(scored(made_up(rows))))
    assert [(row[0].text, row[1].text) for row in table.rows] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert "instances 6" in table.same
