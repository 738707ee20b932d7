from __future__ import annotations

import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from uara.bench import Results
from uara.bench.metrics import references, scored
from uara.bench.report import charts

from ..conftest import made_up


def test_gap_curves_fall_from_one() -> None:
    results = made_up(
        [{"controllable_ms": 10.0, "runtime_s": 2.0}, {"label": "f", "status": "timeout"}],
        [{"run_id": "run0", "elapsed_s": 1.0, "controllable_ms": 20.0}],
    )
    runs, times = scored(results), np.array([0.5, 1.5, 3.0])
    assert charts.gap_curve(runs.iloc[0], results.points, 10.0, times).tolist() == [1.0, 0.5, 0.0]
    assert charts.gap_curve(runs.iloc[1], None, 10.0, times).tolist() == [1.0, 1.0, 1.0]


def swept(values: dict[tuple[int, str], float]) -> tuple[str, list[dict[str, Any]]]:
    rows = [
        {"instance": name, "groups": ["g"], "feature_devices": float(size), "controllable_ms": value}
        for (size, name), value in values.items()
    ]
    figure = {"title": "t", "group": "g", "x": "feature_devices", "y": "latency_mean_ms"}
    return charts.sweep_chart(figure, scored(made_up(rows)), {"s": 0})


def tags(svg: str, name: str) -> int:
    return sum(each.tag.endswith(name) for each in ElementTree.fromstring(svg).iter())


def test_sweep_numbers_are_means_over_drops() -> None:
    svg, records = swept({(1, "a[1]@w=1"): 1.0, (1, "a[1]@w=2"): 3.0, (1, "b"): 6.0, (2, "a[2]"): 5.0})
    assert [(record["x"], record["y"]) for record in records] == [(1.0, 4.0), (2.0, 5.0)]
    assert tags(svg, "circle") == 2


def test_error_bars_need_six_drops() -> None:
    """Variants of one drop narrow no interval; where there is none, no bar is drawn and the numbers are finite."""
    _, (variants,) = swept({(1, f"drop@w={k}"): 1.0 + k for k in range(12)})
    few, (five,) = swept({(1, f"drop{k}"): 1.0 + k for k in range(5)})
    enough, (six,) = swept({(1, f"drop{k}"): 1.0 + k for k in range(6)})
    for record in (variants, five):
        assert math.isnan(record["low"])
        assert math.isnan(record["high"])
    assert six["low"] < six["y"] == 3.5 < six["high"]
    assert "nan" not in few
    assert [svg.count('class="bar"') for svg in (few, enough)] == [0, 1]
    assert tags(enough, "circle") == tags(few, "circle") == 1


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
    _, records = charts.pareto_chart(
        figure, scored(made_up(rows)), {label: k for k, label in enumerate(points)}
    )
    assert {record["label"] for record in records if record["front"]} == {"a", "b", "d"}


def test_every_chart_of_a_real_result_is_well_formed(recorded: Path) -> None:
    results = Results.load(recorded)
    runs, known = scored(results), references(results)
    places = {label: k for k, label in enumerate(dict.fromkeys(runs["label"]))}
    found = charts.profiles(runs)
    for svg in (
        charts.profile_chart(found["quality"], places, title="t", x_label="x"),
        charts.mean_gap_chart(results, runs, places),
        charts.anytime_chart(results, str(known.index[0]), runs, known.iloc[0], places),
    ):
        root = ElementTree.fromstring(svg)
        labels = {each.attrib["data-series"] for each in root.iter() if "data-series" in each.attrib}
        assert labels <= set(places)
        assert len(labels) >= 5


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("latency_mean_ms", "latency mean [ms]"),
        ("feature_energy_weight_ms_per_j", "energy weight [ms/J]"),
        ("measure_low_battery_energy_j", "low battery energy [J]"),
        ("feature_devices", "devices"),
        ("runtime_s", "runtime [s]"),
    ],
)
def test_columns_read_well(column: str, words: str) -> None:
    assert charts.pretty(column) == words
