"""What a suite sets beside a publication, on results that are made up."""

from __future__ import annotations

import math
from typing import Any

import pytest

from uara.bench.report.paper import claims, figures
from uara.bench.report.section import Facts

from ..conftest import made_up

SWEEP = {"title": "Sweep", "group": "g", "x": "feature_devices", "y": "latency_mean_ms", "kind": "lines"}
CLAIM = {"text": "lower", "source": "them", "solver": "ours", "against": ["a", "b"], "groups": ["g"],
         "measure": "latency_mean_ms", "mean_reduction": 0.2}  # fmt: skip


def facts(values: dict[str, list[float | None]], **suite: Any) -> Facts:
    """Solvers with a latency on each instance; None is a failure."""
    rows = [
        {"instance": f"i{place}", "label": label, "groups": ["g"], "feature_devices": 10.0 * (place + 1),
         **({"status": "timeout"} if value is None else {"controllable_ms": value})}
        for label, own in values.items()
        for place, value in enumerate(own)
    ]  # fmt: skip
    return Facts.of(made_up(rows, **suite))


def test_a_figure_has_its_picture_and_its_numbers() -> None:
    (found,) = figures(facts({"a": [1.0, 2.0], "b": [3.0, 5.0]}, figures=[SWEEP]))
    assert found["drawing"].name == "figure-sweep"
    table = found["table"]
    assert [column.name for column in table.columns][:3] == ["solver", "devices", "latency mean [ms]"]
    assert [[cell.value or cell.text for cell in row[:3]] for row in table.rows] == [
        ["a", 10.0, 1.0], ["a", 20.0, 2.0], ["b", 10.0, 3.0], ["b", 20.0, 5.0],
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["x", "y", "along"])
def test_a_column_that_nothing_measured_is_named(key: str) -> None:
    (found,) = figures(facts({"a": [1.0]}, figures=[{**SWEEP, key: "measure_nothing"}]))
    assert found["missing"] == ["measure_nothing"]
    assert "drawing" not in found


def test_of_a_trade_off_the_front_is_marked() -> None:
    trade = {**SWEEP, "kind": "pareto", "x": "latency_mean_ms", "y": "energy_j", "along": "feature_devices"}
    (found,) = figures(facts({"a": [1.0, 2.0]}, figures=[trade]))
    assert [row[-1].text for row in found["table"].rows] == ["yes", "no"], "higher in both is beaten"


def test_a_claim_stands_beside_what_was_measured() -> None:
    (found,) = claims(facts({"ours": [8.0, 6.0], "a": [10.0, 10.0], "b": [16.0, 8.0]}, claims=[CLAIM]))
    rows = {row[0].text: (row[1].value, row[2].value) for row in found["table"].rows}
    assert rows["mean reduction"] == pytest.approx((20.0, 100 * (0.2 + 0.25) / 2))
    assert rows["largest reduction"][1] == pytest.approx(25.0)
    assert rows["smallest reduction"][1] == pytest.approx(20.0)
    assert rows["mean against b"][1] == pytest.approx(100 * (0.5 + 0.25) / 2)
    assert (found["instances"], found["failed"]) == (2, 0)


def test_a_failure_leaves_nothing_to_claim() -> None:
    (found,) = claims(facts({"ours": [8.0, 6.0], "a": [10.0, None], "b": [16.0, 8.0]}, claims=[CLAIM]))
    measured = {row[0].text: row[2] for row in found["table"].rows}
    assert measured["mean reduction"].text == measured["mean against a"].text == "–"
    assert math.isfinite(measured["mean against b"].value or math.nan), "those two answered everything"
    assert found["failed"] == 1


def test_a_suite_without_either_has_none() -> None:
    plain = facts({"a": [1.0]})
    assert (figures(plain), claims(plain)) == ([], [])
