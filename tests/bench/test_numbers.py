"""Every number of the report is that of an independent computation from the rows of the result file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas
import pytest
from truth import ranking as truth

from uara.base.cells import Table
from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.report.curves import profiles
from uara.bench.report.sections import split
from uara.bench.standings import standings

from .conftest import made_up

pytestmark = pytest.mark.integration


def rows_of(path: Path) -> truth.Rows:
    return truth.Rows(pandas.read_parquet(path))


@pytest.fixture(scope="module")
def shown(recorded: Path) -> Table:
    return standings(scored(Results.load(recorded)))


@pytest.mark.parametrize(
    ("name", "heading", "scale"),
    [
        ("solved", "solved %", 100),
        ("excess", "primal gap %", 100),
        ("gap_to_bound", "optimality gap %", 100),
        ("proven_gap", "own proof %", 100),
        ("controllable_ms", "controllable ms", 1),
        ("latency_mean_ms", "latency ms", 1),
        ("runtime_s", "runtime s", 1),
        ("primal_integral_s", "primal integral s", 1),
    ],
)
def test_the_ranking_of_the_report_is_recomputed(
    recorded: Path, shown: Table, name: str, heading: str, scale: float
) -> None:
    place = [column.name for column in shown.columns].index(heading)
    found = getattr(truth, name)(rows_of(recorded))
    compared = 0
    for row in shown.rows:
        value = row[place].value
        if value is not None and value != float("inf"):
            assert scale * found[row[0].text] == pytest.approx(value, rel=1e-9, abs=1e-12)
            compared += 1
    assert compared >= (2 if name == "proven_gap" else 5)


def test_the_excess_is_recomputed_over_drops(tmp_path: Path) -> None:
    """Drops with different numbers of variants, so that a mean over the instances is another number."""
    names = ["a@w=1", "a@w=2", "a@w=3", "d[e8,m30]", "d[e8,m90]@w=1", "b", "net@m=3,seed=1", "net@seed=2,m=3"]
    rows = [{"label": "best", "instance": name, "controllable_ms": 1.0} for name in names]
    rows += [
        {"label": "other", "instance": name, "controllable_ms": 2.0 + place}
        for place, name in enumerate(names)
    ]
    rows += [{"label": "once", "instance": name, "controllable_ms": 2.0} for name in names[:-1]]
    rows.append({"label": "once", "instance": names[-1], "status": "error"})
    rows += [{"label": "never", "instance": names[0], "status": "timeout"}]
    results = made_up(rows)
    found = truth.excess(truth.Rows(results.table))
    units = [(2.0 * 3.0 * 4.0) ** (1 / 3), (5.0 * 6.0) ** (1 / 2), 7.0, 8.0, 9.0]
    assert found.to_dict() == pytest.approx(
        {"best": 0.0, "other": math.prod(units) ** (1 / 5) - 1, "never": math.inf, "once": math.inf}
    )
    shown = results.ranking().set_index("label")["excess"]
    assert found.to_dict() == pytest.approx(shown.to_dict(), rel=1e-12)


def test_the_allocation_gap_is_recomputed(recorded: Path) -> None:
    shown = split(scored(Results.load(recorded)))
    assert shown is not None
    found = truth.allocation_gap(rows_of(recorded))
    assert found.to_dict() == pytest.approx(shown.set_index("label")["allocation_gap"].to_dict())
    assert len(found) >= 3


def test_the_allocation_gap_is_that_of_instances_with_a_bound() -> None:
    rows: list[dict[str, Any]] = [
        {"instance": "i", "controllable_ms": 10.0, "bound_ms": 108.0, "measure_optimal_shares_ms": 109.0},
        {"instance": "j", "controllable_ms": 10.0, "measure_optimal_shares_ms": 105.0},
    ]
    results = made_up(rows)
    shown = split(scored(results))
    assert shown is not None
    assert truth.allocation_gap(truth.Rows(results.table)).to_dict() == pytest.approx({"s": 0.1})
    assert shown["allocation_gap"].tolist() == pytest.approx([0.1])


def test_a_value_of_the_performance_profile_is_recomputed(recorded: Path) -> None:
    shown = profiles(scored(Results.load(recorded)))["quality"]
    found = truth.solved_within(rows_of(recorded), 1.1)
    assert found.to_dict() == pytest.approx({label: one.at(1.1) for label, one in shown.items()})
    assert 0 < found.max() <= 1
    assert found.min() == 0
    assert found.nunique() >= 3
