from __future__ import annotations

import math
from typing import Any

import pytest

from uara.bench.metrics import scored
from uara.bench.report import sweeps
from uara.bench.report.plotting import Series

from ..conftest import made_up


def swept(values: dict[tuple[int, str], float]) -> tuple[list[Series], list[dict[str, Any]]]:
    rows = [
        {"instance": name, "groups": ["g"], "feature_devices": float(size), "controllable_ms": value}
        for (size, name), value in values.items()
    ]
    figure = {"title": "t", "group": "g", "x": "feature_devices", "y": "latency_mean_ms"}
    return sweeps.sweep(figure, scored(made_up(rows)), {"s": 0})


def test_sweep_numbers_are_means_over_drops() -> None:
    (series,), records = swept({(1, "a[1]@w=1"): 1.0, (1, "a[1]@w=2"): 3.0, (1, "b"): 6.0, (2, "a[2]"): 5.0})
    assert [(record["x"], record["y"]) for record in records] == [(1.0, 4.0), (2.0, 5.0)]
    assert (series.x, series.y) == ([1.0, 2.0], [4.0, 5.0])


def test_growth_is_the_power_that_the_numbers_were_made_by() -> None:
    made = {"linear": lambda n: 3e-5 * n, "square": lambda n: 1e-9 * n * n, "flat": lambda n: 2.0}
    records = [{"label": k, "x": float(n), "y": f(n)} for k, f in made.items() for n in (1e3, 1e4, 1e5)]
    failed = [{"label": "once", "x": 1e3, "y": 1.0}, {"label": "free", "x": 1e3, "y": 0.0}]
    found = {each["label"]: each for each in sweeps.growth(records + failed)}
    assert set(found) == set(made)  # one point, or none that has a logarithm, says nothing
    assert found["linear"]["power"] == pytest.approx(1.0)
    assert found["square"]["power"] == pytest.approx(2.0)
    assert found["flat"]["power"] == pytest.approx(0.0, abs=1e-12)
    assert (found["flat"]["from"], found["flat"]["to"]) == (1e3, 1e5)


def test_error_bars_need_six_drops() -> None:
    """Variants of one drop narrow no interval."""
    _, (variants,) = swept({(1, f"drop@w={k}"): 1.0 + k for k in range(12)})
    _, (five,) = swept({(1, f"drop{k}"): 1.0 + k for k in range(5)})
    (enough,), (six,) = swept({(1, f"drop{k}"): 1.0 + k for k in range(6)})
    for record in (variants, five):
        assert math.isnan(record["low"])
        assert math.isnan(record["high"])
    assert six["low"] < six["y"] == 3.5 < six["high"]
    assert (enough.low, enough.high) == ([six["low"]], [six["high"]])


def test_the_front_is_what_nobody_beats() -> None:
    points = {"a": (1.0, 9.0), "b": (5.0, 5.0), "c": (6.0, 6.0), "d": (9.0, 1.0), "e": (9.0, 2.0)}
    rows = [
        {
            "label": label,
            "groups": ["g"],
            "controllable_ms": 1.0,
            "latency_mean_ms": x,
            "energy_j": y,
            "feature_w": 1.0,
        }
        for label, (x, y) in points.items()
    ]
    figure = {"title": "t", "group": "g", "x": "latency_mean_ms", "y": "energy_j", "along": "feature_w"}
    places = {label: k for k, label in enumerate(points)}
    series, records = sweeps.pareto(figure, scored(made_up(rows)), places)
    assert {record["label"] for record in records if record["front"]} == {"a", "b", "d"}
    assert series[-1].x == [1.0, 5.0, 9.0]
    assert series[0].notes == ["a, w 1, on the front"]
