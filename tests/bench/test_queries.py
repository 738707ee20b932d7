"""Every number that the queries promise is the number that the report shows."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas
import pytest

from uara.bench import Results
from uara.bench.metrics import scored
from uara.bench.queries import QUERIES
from uara.bench.report.cells import Table
from uara.bench.report.charts import profiles
from uara.bench.report.sections import RANKING, gap_split, ranking_table

from .conftest import made_up


def answer(path: Path, name: str, **values: Any) -> Any:
    space = {"rows": pandas.read_parquet(path), **values}
    exec(QUERIES[name].code, space)
    return space["answer"]


@pytest.fixture(scope="module")
def shown(recorded: Path) -> Table:
    return ranking_table(scored(Results.load(recorded)), "all")


@pytest.mark.parametrize(
    "name",
    [
        "solved",
        "excess",
        "gap_to_bound",
        "proven_gap",
        "controllable_ms",
        "latency_mean_ms",
        "runtime_s",
        "primal_integral_s",
    ],
)
def test_the_ranking_of_the_report_is_recomputed(recorded: Path, shown: Table, name: str) -> None:
    place = [column for column, *_ in RANKING].index(name)
    label = [column for column, *_ in RANKING].index("label")
    found = answer(recorded, name)
    compared = 0
    for row in shown.rows:
        value = row[place].value
        if value is not None and value != float("inf"):
            assert found[row[label].text] == pytest.approx(value, rel=1e-9, abs=1e-12)
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
    results.table.to_parquet(tmp_path / "drops.parquet")
    found = answer(tmp_path / "drops.parquet", "excess")
    units = [(2.0 * 3.0 * 4.0) ** (1 / 3), (5.0 * 6.0) ** (1 / 2), 7.0, 8.0, 9.0]
    assert found.to_dict() == pytest.approx(
        {"best": 0.0, "other": math.prod(units) ** (1 / 5) - 1, "never": math.inf, "once": math.inf}
    )
    shown = results.ranking().set_index("label")["excess"]
    assert found.to_dict() == pytest.approx(shown.to_dict(), rel=1e-12)


def test_the_allocation_gap_is_recomputed(recorded: Path) -> None:
    runs = scored(Results.load(recorded))
    solved = runs[runs["status"] == "ok"]
    expected = solved.groupby(["label", "instance"])["allocation_gap"].mean().groupby("label").mean()
    pandas.testing.assert_series_equal(answer(recorded, "allocation_gap"), expected, check_names=False)


def test_the_allocation_gap_is_that_of_instances_with_a_bound(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"instance": "i", "controllable_ms": 10.0, "bound_ms": 108.0, "measure_optimal_shares_ms": 109.0},
        {"instance": "j", "controllable_ms": 10.0, "measure_optimal_shares_ms": 105.0},
    ]
    results = made_up(rows)
    results.table.to_parquet(tmp_path / "bounds.parquet")
    (row,) = gap_split(scored(results))["split"].rows
    assert answer(tmp_path / "bounds.parquet", "allocation_gap").to_dict() == pytest.approx(
        {"s": row[3].value}
    )
    assert row[3].value == pytest.approx(0.1)


def test_a_value_of_the_performance_profile_is_recomputed(recorded: Path) -> None:
    shown = profiles(scored(Results.load(recorded)))["quality"]
    found = answer(recorded, "quality_profile")
    assert found.to_dict() == pytest.approx({label: one.at(1.1) for label, one in shown.items()})
    assert 0 < found.max() <= 1
    assert found.min() == 0
    assert found.nunique() >= 3


def test_statuses_trajectories_and_machines_are_found(recorded: Path) -> None:
    results = Results.load(recorded)
    counts = answer(recorded, "statuses").groupby("status").sum().to_dict()
    assert counts == results.counts()
    run_id = results.points["run_id"].iloc[0]
    assert len(answer(recorded, "trajectory", run_id=run_id)) == (results.points["run_id"] == run_id).sum()
    assert len(answer(recorded, "machines").dropna()) == 1


def test_every_query_runs(recorded: Path) -> None:
    for name in QUERIES:
        assert len(answer(recorded, name, run_id="x")) >= 0
